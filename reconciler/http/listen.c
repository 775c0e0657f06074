/* listen.c - sockets of the listener.
 *
 * Addresses are numeric: a daemon that starts before the resolver does must not
 * fail for it, and "localhost" has surprised enough people by being one family
 * only. */
#include "reconciler/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/base/cleanup.h"

enum { BACKLOG = 128 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

static int
take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* "host:port", "[host]:port" or ":port". */
static bool
parse(const char *text, union address *a, socklen_t *len)
{
    char host[64] = "";
    const char *colon = strrchr(text, ':');
    if (!colon || !colon[1] || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        return false;
    }
    unsigned long port = strtoul(colon + 1, NULL, 10);
    size_t n = (size_t) (colon - text);
    bool bracket = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    if (port > 65535 || n >= sizeof host) {
        return false;
    }
    memcpy(host, text + bracket, n - (bracket ? 2 : 0));
    memset(a, 0, sizeof *a);
    if (n == 0 || bracket) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons((uint16_t) port);
        *len = sizeof a->v6;
        return n == 0 || inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1;
    }
    a->v4.sin_family = AF_INET;
    a->v4.sin_port = htons((uint16_t) port);
    *len = sizeof a->v4;
    return inet_pton(AF_INET, host, &a->v4.sin_addr) == 1;
}

static enum tn_code
fail(struct tn_error *err, const char *listen)
{
    enum tn_code code = errno == EADDRINUSE                   ? TN_EUNAVAILABLE
                        : errno == EACCES || errno == EPERM   ? TN_EDENIED
                        : errno == EADDRNOTAVAIL              ? TN_EINTENT
                        : errno == ENOENT || errno == ENOTDIR ? TN_EINTENT
                                                              : TN_EINTERNAL;
    return tn_fail_sys(err, code, errno, "listening on %s", listen);
}

static enum tn_code
listen_inet(const char *listen_, int *out, struct tn_error *err)
{
    union address a;
    socklen_t len = 0;
    int on = 1, off = 0;
    if (!parse(listen_, &a, &len)) {
        return tn_fail(err, TN_EINTENT, 0,
                       "listening on %s: not an address and port, like "
                       "127.0.0.1:9433 or [::1]:9433, nor a path",
                       listen_);
    }
    TN_CLEANUP(tn_cleanup_fd)
    int fd =
        socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(err, listen_);
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a.any.sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(fd, &a.any, len) != 0 || listen(fd, BACKLOG) != 0) {
        return fail(err, listen_);
    }
    *out = take(&fd);
    return TN_OK;
}

/* Removes a socket that nobody listens on any more; anything else stays, and
 * bind() will say so. */
static void
remove_dead(const union address *a)
{
    struct stat st;
    if (lstat(a->local.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        return;
    }
    TN_CLEANUP(tn_cleanup_fd)
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, &a->any, sizeof a->local) != 0 &&
        errno == ECONNREFUSED) {
        unlink(a->local.sun_path);
    }
}

static enum tn_code
listen_local(const char *path, int *out, char **copy, struct tn_error *err)
{
    union address a = {.local = {.sun_family = AF_UNIX}};
    if (strlen(path) >= sizeof a.local.sun_path) {
        return tn_fail(err, TN_EINTENT, 0, "listening on %s: path too long",
                       path);
    }
    memcpy(a.local.sun_path, path, strlen(path) + 1);
    TN_CLEANUP(tn_cleanup_fd)
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(err, path);
    }
    remove_dead(&a);
    /* Nobody can connect before listen(), so the mode is right in time. */
    if (bind(fd, &a.any, sizeof a.local) != 0) {
        return fail(err, path);
    }
    if (chmod(path, 0660) != 0 || listen(fd, BACKLOG) != 0) {
        enum tn_code code = fail(err, path);
        unlink(path);
        return code;
    }
    *copy = strdup(path);
    *out = take(&fd);
    return TN_OK;
}

enum tn_code
tn_listen(const char *listen_, int *out, char **path, struct tn_error *err)
{
    *path = NULL;
    return listen_[0] == '/' ? listen_local(listen_, out, path, err)
                             : listen_inet(listen_, out, err);
}

unsigned
tn_listen_port(int fd)
{
    union address a = {0};
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.any, &len) != 0) {
        return 0;
    }
    if (a.any.sa_family == AF_INET) {
        return ntohs(a.v4.sin_port);
    }
    return a.any.sa_family == AF_INET6 ? ntohs(a.v6.sin6_port) : 0;
}

const char *
tn_peer_text(const struct sockaddr *addr, char *buf, size_t size)
{
    const void *from = NULL;
    int family = addr ? addr->sa_family : AF_UNSPEC;
    union address a = {0};
    if (family == AF_INET) {
        memcpy(&a.v4, addr, sizeof a.v4);
        from = &a.v4.sin_addr;
    } else if (family == AF_INET6) {
        memcpy(&a.v6, addr, sizeof a.v6);
        from = &a.v6.sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr)) {
            family = AF_INET;
            from = &a.v6.sin6_addr.s6_addr[12];
        }
    }
    if (!from || !inet_ntop(family, from, buf, (socklen_t) size)) {
        snprintf(buf, size, "unix");
    }
    return buf;
}
