/* remote_url.c - see remote_url.h.
 *
 * The forms that Git takes, less those that are not safe: no plain text over
 * the network (http, git), no password where it would be logged, nothing that
 * an ssh client could take for an option. */
#include "reconciler/source/remote_url.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum tn_code
refuse(struct tn_error *err, const char *why)
{
    return tn_fail(err, TN_EDENIED, 0, "the URL of the repository %s", why);
}

static bool
copy(char *out, size_t size, const char *s, size_t n)
{
    if (n >= size) {
        return false;
    }
    memcpy(out, s, n);
    out[n] = '\0';
    return true;
}

static bool
is_host(const char *s)
{
    if (!s[0] || s[0] == '-') {
        return false;
    }
    for (; *s; s++) {
        if (!isalnum((unsigned char) *s) && !strchr(".-_:", *s)) {
            return false;
        }
    }
    return true;
}

static bool
is_user(const char *s)
{
    if (s[0] == '-') {
        return false;
    }
    for (; *s; s++) {
        if (!isalnum((unsigned char) *s) && !strchr(".-_+%@$", *s)) {
            return false;
        }
    }
    return true;
}

/* "%20" and the like, in a path of file://. */
static bool
decode(char *out, size_t size, const char *s)
{
    size_t n = 0;
    for (; *s; s++, n++) {
        char c = *s;
        if (c == '%') {
            char hex[3] = {0};
            char *end = NULL;
            if (!copy(hex, sizeof hex, s + 1, strnlen(s + 1, 2))) {
                return false;
            }
            c = (char) strtoul(hex, &end, 16);
            if (end != hex + 2 || c == '\0') {
                return false;
            }
            s += 2;
        }
        if (n + 1 >= size) {
            return false;
        }
        out[n] = c;
    }
    out[n] = '\0';
    return true;
}

static enum tn_code
local(const char *path, bool coded, struct tn_url *u, struct tn_error *err)
{
    u->kind = TN_URL_LOCAL;
    bool fits = coded ? decode(u->wire, sizeof u->wire, path)
                      : copy(u->wire, sizeof u->wire, path, strlen(path));
    if (!fits || !u->wire[0]) {
        return refuse(err, "is no usable path");
    }
    memcpy(u->shown, u->wire, sizeof u->shown);
    return TN_OK;
}

/* Takes "user@host:port" apart. */
static enum tn_code
authority(const char *s, size_t n, struct tn_url *u, struct tn_error *err)
{
    const char *at = memrchr(s, '@', n), *host = at ? at + 1 : s;
    const char *end = s + n, *colon = NULL;
    if (at && memchr(s, ':', (size_t) (at - s))) {
        return refuse(err, "has a password in it: take it out, change it, and "
                           "give a token by file or $TENET_GIT_TOKEN");
    }
    if (at && !copy(u->user, sizeof u->user, s, (size_t) (at - s))) {
        return refuse(err, "has too long a user name");
    }
    const char *from = host, *to;
    if (host < end && *host == '[') {
        to = memchr(host, ']', (size_t) (end - host));
        if (!to) {
            return refuse(err, "has '[' without ']'");
        }
        from = host + 1;
        colon = to + 1 < end ? to + 1 : NULL;
    } else {
        colon = memchr(host, ':', (size_t) (end - host));
        to = colon ? colon : end;
    }
    if (!copy(u->host, sizeof u->host, from, (size_t) (to - from)) ||
        !is_host(u->host) || !is_user(u->user)) {
        return refuse(err, "has no proper host or user name");
    }
    if (colon) {
        char digits[8];
        char *stop = digits;
        if (*colon != ':' ||
            !copy(digits, sizeof digits, colon + 1,
                  (size_t) (end - colon - 1)) ||
            !isdigit((unsigned char) digits[0])) {
            return refuse(err, "has no proper port");
        }
        u->port = (unsigned) strtoul(digits, &stop, 10);
        if (*stop || u->port == 0 || u->port > 65535) {
            return refuse(err, "has no proper port");
        }
    }
    return TN_OK;
}

static enum tn_code
network(const char *scheme, const char *rest, struct tn_url *u,
        struct tn_error *err)
{
    size_t n = strcspn(rest, "/");
    enum tn_code code = authority(rest, n, u, err);
    if (code) {
        return code;
    }
    if (!rest[n] || !rest[n + 1]) {
        return refuse(err, "has no path");
    }
    bool v6 = strchr(u->host, ':');
    bool ssh = u->kind == TN_URL_SSH;
    char port[16] = "";
    if (u->port) {
        snprintf(port, sizeof port, ":%u", u->port);
    }
    u->port = u->port ? u->port : ssh ? 22 : 443;
    int len = snprintf(u->wire, sizeof u->wire, "%s://%s%s%s%s%s%s%s", scheme,
                       ssh ? u->user : "", ssh && u->user[0] ? "@" : "",
                       v6 ? "[" : "", u->host, v6 ? "]" : "", port, rest + n);
    if (len < 0 || (size_t) len >= sizeof u->wire) {
        return refuse(err, "is too long");
    }
    memcpy(u->shown, u->wire, sizeof u->shown);
    return TN_OK;
}

/* [user@]host:path; libgit2 takes it as it is. */
static enum tn_code
scp(const char *url, const char *colon, struct tn_url *u, struct tn_error *err)
{
    u->kind = TN_URL_SSH;
    enum tn_code code = authority(url, (size_t) (colon - url), u, err);
    if (code) {
        return code;
    }
    u->port = 22;
    if (colon[1] == ':') {
        return refuse(err, "names a helper program, which is not accepted");
    }
    if (!colon[1] || !copy(u->wire, sizeof u->wire, url, strlen(url))) {
        return refuse(err, colon[1] ? "is too long" : "has no path");
    }
    memcpy(u->shown, u->wire, sizeof u->shown);
    return TN_OK;
}

/* The colon that ends the host of the scp form; null if there is none. */
static const char *
scp_colon(const char *url)
{
    const char *p = strchr(url, '[');
    const char *slash = strchr(url, '/');
    const char *bracket = p && (!slash || p < slash) ? strchr(p, ']') : NULL;
    const char *colon = strchr(bracket ? bracket : url, ':');
    return colon && (!slash || colon < slash) ? colon : NULL;
}

enum tn_code
tn_url_parse(const char *url, struct tn_url *out, struct tn_error *err)
{
    struct tn_url u = {0};
    enum tn_code code;
    for (const char *p = url; *p; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            return refuse(err, "has control characters in it");
        }
    }
    const char *colon = scp_colon(url);
    if (strncmp(url, "file://", 7) == 0) {
        const char *rest = url + 7;
        rest += strncmp(rest, "localhost/", 10) == 0 ? 9 : 0;
        code = rest[0] == '/' ? local(rest, true, &u, err)
                              : refuse(err, "names another machine by file:");
    } else if (strncmp(url, "ssh://", 6) == 0) {
        u.kind = TN_URL_SSH;
        code = network("ssh", url + 6, &u, err);
    } else if (strncmp(url, "https://", 8) == 0) {
        u.kind = TN_URL_HTTPS;
        code = network("https", url + 8, &u, err);
    } else if (strstr(url, "://") &&
               strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
                           "YZ+-.0123456789") == strcspn(url, ":")) {
        code = refuse(err, "begins with a scheme that is not accepted: there "
                           "are https://, ssh://, file:// and host:path");
    } else if (colon && url[0] != '/' && url[0] != '.') {
        code = scp(url, colon, &u, err);
    } else {
        code = local(url, false, &u, err);
    }
    if (!code) {
        *out = u;
    }
    return code;
}
