/* remote.c - from a remote's text to a socket: see remote.h.
 *
 * A path longer than a socket's address may be is reached through a descriptor
 * of its folder, as ovsdb-server's own clients do. */
#include "drivers/ovsdb/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/net.h"

enum {
    DEFAULT_PORT = 6640,
    MOST_REMOTES = 64,
    LONGEST_PATH = 4095,
    LONGEST_ADDRESS = 128
};

static enum tn_code
malformed(const char *text, const char *why, struct tn_error *err)
{
    return tn_fail(err, TN_EINTENT, 0, "remote \"%s\": %s", text, why);
}

/* A port at 's', or nothing. */
static bool
parse_port(const char *s, uint16_t *port)
{
    char *end;
    if (!*s) {
        *port = DEFAULT_PORT;
        return true;
    }
    if (s[0] != ':' || s[1] < '1' || s[1] > '9') {
        return false;
    }
    unsigned long n = strtoul(s + 1, &end, 10);
    *port = (uint16_t) n;
    return !*end && n <= UINT16_MAX;
}

static void
set_ipv4(struct tn_remote *r, const struct tn_addr *address, uint16_t port)
{
    struct sockaddr_in *sin = (void *) &r->address;
    sin->sin_family = AF_INET;
    sin->sin_port = htons(port);
    memcpy(&sin->sin_addr, address->b, sizeof sin->sin_addr);
    r->n_address = sizeof *sin;
}

static void
set_ipv6(struct tn_remote *r, const struct tn_addr *address, uint16_t port,
         unsigned zone)
{
    struct sockaddr_in6 *sin = (void *) &r->address;
    sin->sin6_family = AF_INET6;
    sin->sin6_port = htons(port);
    sin->sin6_scope_id = zone;
    memcpy(&sin->sin6_addr, address->b, sizeof sin->sin6_addr);
    r->n_address = sizeof *sin;
}

/* [ADDRESS%ZONE]:PORT; 's' begins behind the bracket and is cut. */
static enum tn_code
parse_ipv6(struct tn_remote *r, char *s, struct tn_error *err)
{
    struct tn_addr address;
    uint16_t port;
    unsigned zone = 0;
    char *end = strchr(s, ']');
    if (!end || !parse_port(end + 1, &port)) {
        return malformed(r->text, "expected [ADDRESS]:PORT", err);
    }
    *end = '\0';
    char *percent = strchr(s, '%');
    if (percent) {
        *percent = '\0';
        zone = if_nametoindex(percent + 1);
        if (!zone) {
            return malformed(r->text, "there is no such interface", err);
        }
    }
    if (!tn_addr_parse(s, &address) || address.family != TN_AF_IPV6) {
        return malformed(r->text, "no IPv6 address in the brackets", err);
    }
    set_ipv6(r, &address, port, zone);
    return TN_OK;
}

static enum tn_code
parse_address(struct tn_remote *r, const char *s, struct tn_error *err)
{
    struct tn_addr address;
    uint16_t port;
    char copy[LONGEST_ADDRESS];
    if ((size_t) snprintf(copy, sizeof copy, "%s", s) >= sizeof copy) {
        return malformed(r->text, "too long", err);
    }
    if (copy[0] == '[') {
        return parse_ipv6(r, copy + 1, err);
    }
    size_t len = strcspn(copy, ":");
    if (!parse_port(copy + len, &port)) {
        return malformed(r->text,
                         "expected ADDRESS:PORT (an IPv6 address stands in "
                         "brackets)",
                         err);
    }
    copy[len] = '\0';
    if (!tn_addr_parse(copy, &address) || address.family != TN_AF_IPV4) {
        return malformed(
            r->text, "no IP address (names of hosts are not looked up)", err);
    }
    set_ipv4(r, &address, port);
    return TN_OK;
}

static enum tn_code
parse_one(struct tn_remote *r, struct tn_error *err)
{
    const char *s = r->text;
    if (strncmp(s, "unix:", 5) == 0) {
        if (!s[5] || strlen(s + 5) > LONGEST_PATH) {
            return malformed(s, "expected unix:PATH", err);
        }
        r->path = strdup(s + 5);
        return r->path ? TN_OK : tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    r->tls = strncmp(s, "ssl:", 4) == 0;
    if (!r->tls && strncmp(s, "tcp:", 4) != 0) {
        return malformed(s, "expected unix:, tcp: or ssl:", err);
    }
    return parse_address(r, s + 4, err);
}

static enum tn_code
add(struct tn_remotes *out, const char *text, size_t len, struct tn_error *err)
{
    if (out->n == MOST_REMOTES) {
        return tn_fail(err, TN_EINTENT, 0, "more than %d remotes",
                       MOST_REMOTES);
    }
    struct tn_remote *r = &out->items[out->n++];
    r->text = strndup(text, len);
    return r->text ? parse_one(r, err)
                   : tn_fail(err, TN_EINTERNAL, 0, "out of memory");
}

/* Cuts at commas; spaces around, and nothing between two, do not count. */
static enum tn_code
split(const char *text, struct tn_remotes *out, struct tn_error *err)
{
    static const char blanks[] = " \t\r\n";
    while (*text) {
        text += strspn(text, blanks);
        size_t n = strcspn(text, ","), len = n;
        while (len > 0 && strchr(blanks, text[len - 1])) {
            len--;
        }
        enum tn_code code = len ? add(out, text, len, err) : TN_OK;
        if (code != TN_OK) {
            return code;
        }
        text += n + (text[n] == ',');
    }
    return out->n ? TN_OK : tn_fail(err, TN_EINTENT, 0, "no remote is given");
}

enum tn_code
tn_remotes_parse(const char *text, struct tn_remotes *out, struct tn_error *err)
{
    size_t most = 1;
    for (const char *s = text; *s && most < MOST_REMOTES; s++) {
        most += *s == ',';
    }
    struct tn_remotes remotes = {calloc(most, sizeof(struct tn_remote)), 0};
    if (!remotes.items) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    enum tn_code code = split(text, &remotes, err);
    if (code != TN_OK) {
        tn_remotes_done(&remotes);
        return code;
    }
    *out = remotes;
    return TN_OK;
}

void
tn_remotes_done(struct tn_remotes *remotes)
{
    for (size_t i = 0; i < remotes->n; i++) {
        free(remotes->items[i].text);
        free(remotes->items[i].path);
    }
    free(remotes->items);
    *remotes = (struct tn_remotes){0};
}

static enum tn_code
failed(const struct tn_remote *remote, int sys, struct tn_error *err)
{
    bool denied = sys == EACCES || sys == EPERM;
    return tn_fail_sys(err, denied ? TN_EDENIED : TN_EUNAVAILABLE, sys,
                       "cannot connect to %s", remote->text);
}

/* Connects to the path; a path that is too long by way of its folder. */
static int
connect_unix(int fd, const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    TN_CLEANUP(tn_cleanup_fd) int folder = -1;
    int n = snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    if ((size_t) n >= sizeof sun.sun_path) {
        char parent[LONGEST_PATH + 1];
        const char *slash = strrchr(path, '/');
        if (!slash) {
            errno = ENAMETOOLONG;
            return -1;
        }
        snprintf(parent, sizeof parent, "%.*s", (int) (slash - path) + 1, path);
        folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0) {
            return -1;
        }
        n = snprintf(sun.sun_path, sizeof sun.sun_path, "/proc/self/fd/%d/%s",
                     folder, slash + 1);
        if ((size_t) n >= sizeof sun.sun_path) {
            errno = ENAMETOOLONG;
            return -1;
        }
    }
    return connect(fd, (const struct sockaddr *) &sun, sizeof sun);
}

enum tn_code
tn_remote_connect(const struct tn_remote *remote, int *fd,
                  enum tn_remote_try *out, struct tn_error *err)
{
    const int on = 1;
    int family = remote->path ? AF_UNIX : remote->address.ss_family;
    int sock = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0) {
        return failed(remote, errno, err);
    }
    if (!remote->path) {
        (void) setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    int rc = remote->path
                 ? connect_unix(sock, remote->path)
                 : connect(sock, (const struct sockaddr *) &remote->address,
                           remote->n_address);
    int sys = errno;
    if (rc < 0 && sys != EINPROGRESS) {
        close(sock);
        *fd = -1;
        *out = TN_REMOTE_BUSY;
        return sys == EAGAIN ? TN_OK : failed(remote, sys, err);
    }
    *out = rc < 0 ? TN_REMOTE_UNDER_WAY : TN_REMOTE_CONNECTED;
    *fd = sock;
    return TN_OK;
}

enum tn_code
tn_remote_connected(const struct tn_remote *remote, int fd,
                    enum tn_remote_try *out, struct tn_error *err)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int sys = 0;
    socklen_t n = sizeof sys;
    if (poll(&p, 1, 0) == 0) {
        *out = TN_REMOTE_UNDER_WAY;
        return TN_OK;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys, &n) < 0) {
        sys = errno;
    }
    if (sys) {
        return failed(remote, sys, err);
    }
    *out = TN_REMOTE_CONNECTED;
    return TN_OK;
}
