/* control.c - see control.h. */
#include "reconciler/daemon/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "reconciler/daemon/intent.h"

enum { PATIENCE_MS = 250 };

struct tn_control {
    int fd;
    char path[sizeof((struct sockaddr_un *) NULL)->sun_path];
    tn_control_handler *handler;
    void *ctx;
};

static enum tn_code
address(const char *path, struct sockaddr_un *out, struct tn_error *err)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path) {
        return tn_fail(err, TN_EINTENT, 0,
                       "the path of the socket is too "
                       "long: %s",
                       path);
    }
    memcpy(out->sun_path, path, strlen(path) + 1);
    return TN_OK;
}

static bool
somebody_answers(const struct sockaddr_un *at)
{
    TN_CLEANUP(tn_cleanup_fd)
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 &&
           connect(fd, (const struct sockaddr *) at, sizeof *at) == 0;
}

static enum tn_code
parent_make(const char *path, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_free) char *dir = strdup(path);
    char *slash = dir ? strrchr(dir, '/') : NULL;
    if (!slash || slash == dir) {
        return TN_OK;
    }
    *slash = '\0';
    return tn_dirs_make(dir, 0755, err);
}

enum tn_code
tn_control_open(const char *path, tn_control_handler *handler, void *ctx,
                struct tn_control **out, struct tn_error *err)
{
    struct sockaddr_un at;
    enum tn_code code = address(path, &at, err);
    if (!code) {
        code = parent_make(path, err);
    }
    if (code) {
        return code;
    }
    if (somebody_answers(&at)) {
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "another tenet listens on %s already", path);
    }
    struct stat there;
    if (lstat(path, &there) == 0) {
        if (!S_ISSOCK(there.st_mode)) {
            return tn_fail(err, TN_EDENIED, 0, "%s exists and is no socket",
                           path);
        }
        unlink(path);
    }
    TN_CLEANUP(tn_cleanup_fd)
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177);
    int rc = fd < 0 ? -1 : bind(fd, (const struct sockaddr *) &at, sizeof at);
    umask(before);
    if (rc || listen(fd, 16)) {
        return tn_fail_sys(err, TN_EDENIED, errno, "listening on %s", path);
    }
    struct tn_control *c = calloc(1, sizeof *c);
    if (!c) {
        abort();
    }
    memcpy(c->path, at.sun_path, sizeof c->path);
    c->fd = fd;
    c->handler = handler;
    c->ctx = ctx;
    fd = -1;
    *out = c;
    return TN_OK;
}

int
tn_control_fd(const struct tn_control *control)
{
    return control->fd;
}

static bool
may_speak(int fd)
{
    struct ucred who;
    socklen_t n = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
           (who.uid == 0 || who.uid == geteuid());
}

/* Up to the end of the line; null if it is too long or late.  The loop waits
 * meanwhile, and a client that drips must not hold it. */
static char *
line_read(int fd)
{
    char *line = malloc(TN_CONTROL_BYTES);
    size_t n = 0;
    const int64_t deadline = tn_now_ms() + PATIENCE_MS;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (line && n < TN_CONTROL_BYTES - 1) {
        int64_t left = deadline - tn_now_ms();
        if (left <= 0 || poll(&readable, 1, (int) left) <= 0) {
            break;
        }
        ssize_t got = read(fd, line + n, TN_CONTROL_BYTES - 1 - n);
        if (got <= 0) {
            break;
        }
        n += (size_t) got;
        char *end = memchr(line, '\n', n);
        if (end) {
            *end = '\0';
            return line;
        }
    }
    free(line);
    return NULL;
}

static bool
all_write(int fd, const char *s, size_t n)
{
    while (n > 0) {
        ssize_t put = send(fd, s, n, MSG_NOSIGNAL);
        if (put <= 0) {
            return false;
        }
        s += put;
        n -= (size_t) put;
    }
    return true;
}

void
tn_control_run(struct tn_control *c)
{
    static const struct timeval second = {.tv_sec = 1};
    TN_CLEANUP(tn_cleanup_fd)
    int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
    TN_CLEANUP(tn_cleanup_text) struct tn_text answer = {0};
    if (!may_speak(fd)) {
        tn_text_add(&answer, "{\"ok\":false,\"error\":\"only root may\"}");
    } else {
        TN_CLEANUP(tn_cleanup_free) char *line = line_read(fd);
        if (!line) {
            return;
        }
        c->handler(c->ctx, line, &answer);
    }
    tn_text_addc(&answer, '\n');
    if (!all_write(fd, tn_text_str(&answer), answer.n)) {
        return; /* It went away. */
    }
}

void
tn_control_close(struct tn_control *control)
{
    if (control) {
        close(control->fd);
        unlink(control->path);
        free(control);
    }
}

enum tn_code
tn_control_ask(const char *path, const char *request, char **answer,
               struct tn_error *err)
{
    static const struct timeval patience = {.tv_sec = 10};
    struct sockaddr_un at;
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    enum tn_code code = address(path, &at, err);
    if (code) {
        return code;
    }
    TN_CLEANUP(tn_cleanup_fd)
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *) &at, sizeof at)) {
        return tn_fail_sys(err, errno == EACCES ? TN_EDENIED : TN_EUNAVAILABLE,
                           errno, "no tenet answers on %s", path);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    tn_text_addf(&text, "%s\n", request);
    if (!all_write(fd, tn_text_str(&text), text.n)) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "asking %s", path);
    }
    tn_text_clear(&text);
    char part[4096];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) > 0) {
        tn_text_addn(&text, part, (size_t) n);
    }
    if (text.n == 0) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "%s does not answer", path);
    }
    *answer = tn_text_take(&text);
    return TN_OK;
}
