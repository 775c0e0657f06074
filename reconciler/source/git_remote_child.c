/* git_remote_child.c - a transfer in a process of its own.
 *
 * libgit2 1.5 has no timeouts: a name server that is silent, a remote that
 * accepts and never answers, one that sends a byte a second, all block its
 * caller for as long as they like.  A process can be killed, whatever it waits
 * for, and takes with it what a hostile server made of its memory.  Requests
 * and replies are texts on two pipes:
 *
 *     request   TN_N_XFER texts, each ended by NUL
 *     reply     any number of "P <bytes>\n", then
 *               "R <code> <sys> <bytes> <branch>\n<message>" and the end
 *
 * It speaks to whatever is at the other end, so that it keeps no privilege of
 * the daemon's: at most the one to read and write a repository of this machine
 * that somebody else owns.
 *
 * Bytes that trickle are no progress: in each window of the timeout the
 * remote has to move a kilobyte for every second of it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/caps.h"
#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "model/base/time.h"
#include "reconciler/source/git_remote.h"
#include "reconciler/source/name.h"

#define HELPER_ARG "git-transfer-helper"

enum { REQUEST_MAX = 60000, REPLY_MAX = 4096, MIN_RATE = 1024 };

struct speaker {
    int fd;
    int64_t said; /* When, in ms. */
};

static bool
write_all(int fd, const char *s, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, s, n);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k <= 0) {
            return false;
        }
        s += k;
        n -= (size_t) k;
    }
    return true;
}

/* The child's side. */

static void
progress(void *ctx, uint64_t bytes)
{
    struct speaker *s = ctx;
    char line[40];
    int64_t now = tn_now_ms();
    if (now - s->said >= 100) {
        s->said = now;
        int n = snprintf(line, sizeof line, "P %" PRIu64 "\n", bytes);
        if (!write_all(s->fd, line, (size_t) n)) {
            _exit(1); /* Nobody waits any more. */
        }
    }
}

static bool
read_request(int fd, char *buf, struct tn_transfer *t)
{
    size_t n = 0, at = 0;
    for (ssize_t k; n < REQUEST_MAX; n += (size_t) k) {
        k = read(fd, buf + n, REQUEST_MAX - n);
        if (k < 0 && errno == EINTR) {
            k = 0;
            continue;
        }
        if (k <= 0) {
            break;
        }
    }
    for (size_t i = 0; i < TN_N_XFER; i++) {
        size_t len = strnlen(buf + at, n - at);
        if (at + len >= n) {
            return false;
        }
        t->text[i] = buf + at;
        at += len + 1;
    }
    return at == n;
}

/* No file of a transfer is larger than what may be received, with room for
 * what a thin pack is completed by. */
static void
limit_files(const struct tn_transfer *t)
{
    uint64_t max = strtoull(t->text[TN_XFER_MAX_BYTES], NULL, 10);
    struct rlimit limit;
    if (max > 0 && getrlimit(RLIMIT_FSIZE, &limit) == 0) {
        rlim_t want = 2 * max + (16 << 20);
        limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
        setrlimit(RLIMIT_FSIZE, &limit);
        signal(SIGXFSZ, SIG_IGN);
    }
}

static int
serve(int in, int out)
{
    TN_CLEANUP(tn_cleanup_free) char *buf = calloc(1, REQUEST_MAX + 1);
    struct tn_transfer t = {0};
    struct tn_transfer_reply reply = {0};
    struct tn_error err = {0};
    struct speaker speaker = {.fd = out, .said = tn_now_ms()};
    char text[TN_ERROR_TEXT] = "", line[REPLY_MAX];
    if (!buf || !read_request(in, buf, &t)) {
        return 1;
    }
    limit_files(&t);
    enum tn_code code = tn_transfer_run(&t, progress, &speaker, &reply, &err);
    if (code) {
        tn_error_text(&err, text, sizeof text);
    }
    int n = snprintf(line, sizeof line, "R %d %d %" PRIu64 " %s\n%s",
                     (int) code, err.sys, reply.n_bytes, reply.branch, text);
    return write_all(out, line, (size_t) n) ? 0 : 1;
}

void
tn_remote_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], HELPER_ARG) == 0) {
        _exit(serve(0, 1)); /* At once: nothing is to be tidied up. */
    }
}

/* Between fork and exec or serve: no allocation, no lock. */
static TN_NORETURN void
become_child(const struct tn_child *how, int in, int out)
{
    char *argv[] = {(char *) "tenet", (char *) HELPER_ARG, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_IGN); /* Of a terminal: the parent decides. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || tn_caps_cut(how->caps)) {
        _exit(1);
    }
    if (!how->helper) {
        _exit(serve(in, out));
    }
    if (dup2(in, 0) != 0 || dup2(out, 1) != 1) {
        _exit(1);
    }
    syscall(SYS_close_range, 3U, ~0U, 0U);
    execv(how->helper, argv);
    _exit(127);
}

/* The parent's side. */

struct running {
    const struct tn_child *how;
    int64_t window;    /* When the present one began. */
    uint64_t at_start; /* Bytes moved by then. */
    uint64_t bytes;
    char got[REPLY_MAX + 1];
    size_t n;
    bool over; /* The end was reached. */
};

static enum tn_code
spawn(const struct tn_child *how, const struct tn_transfer *t, int *out,
      pid_t *pid, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text request = {0};
    int in[2], reply[2];
    for (size_t i = 0; i < TN_N_XFER; i++) {
        const char *s = t->text[i] ? t->text[i] : "";
        tn_text_addn(&request, s, strlen(s) + 1);
    }
    if (request.n > REQUEST_MAX) {
        return tn_fail(err, TN_EINTERNAL, 0, "too long options of a remote");
    }
    if (pipe2(in, O_CLOEXEC) < 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "making a pipe");
    }
    if (pipe2(reply, O_CLOEXEC) < 0) {
        close(in[0]);
        close(in[1]);
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "making a pipe");
    }
    *pid = fork();
    if (*pid == 0) {
        close(in[1]);
        become_child(how, in[0], reply[1]);
    }
    int failed = errno;
    close(reply[1]);
    if (*pid > 0) { /* A pipe holds 64 KiB: this does not block. */
        write_all(in[1], request.s, request.n);
    }
    close(in[0]);
    close(in[1]);
    if (*pid < 0) {
        close(reply[0]);
        return tn_fail_sys(err, TN_EUNAVAILABLE, failed, "starting a process");
    }
    *out = reply[0];
    return TN_OK;
}

/* Takes complete lines of progress off the front. */
static void
take_progress(struct running *r)
{
    char *end;
    r->got[r->n] = '\0';
    while (r->got[0] == 'P' && (end = memchr(r->got, '\n', r->n))) {
        r->bytes = strtoull(r->got + 1, NULL, 10);
        r->n -= (size_t) (end + 1 - r->got);
        memmove(r->got, end + 1, r->n + 1);
    }
}

static enum tn_code
late(const struct running *r, struct tn_error *err)
{
    if (r->bytes > 0) {
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "%s is too slow: %" PRIu64 " bytes in %u ms",
                       r->how->name, r->bytes - r->at_start,
                       r->how->timeout_ms);
    }
    return tn_fail(err, TN_EUNAVAILABLE, 0, "%s does not answer (%u ms)",
                   r->how->name, r->how->timeout_ms);
}

/* Waits for a moment and reads; TN_OK to go on or when it is over. */
static enum tn_code
step(struct running *r, int fd, struct tn_error *err)
{
    uint64_t need = (uint64_t) MIN_RATE * (r->how->timeout_ms + 999) / 1000;
    int64_t now = tn_now_ms(), left = r->window + r->how->timeout_ms - now;
    if (left <= 0 && r->bytes - r->at_start >= need) {
        r->window = now;
        r->at_start = r->bytes;
        return TN_OK;
    }
    if (left <= 0) {
        return late(r, err);
    }
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
                            {.fd = r->how->cancel_fd, .events = POLLIN}};
    int rc = poll(fds, 2, (int) left);
    if (rc < 0 && errno != EINTR) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "waiting for a process");
    }
    if (rc > 0 && fds[1].revents) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "%s: interrupted",
                       r->how->name);
    }
    if (rc > 0 && fds[0].revents) {
        ssize_t n = read(fd, r->got + r->n, REPLY_MAX - r->n);
        r->over = n == 0 || (n < 0 && errno != EINTR) || r->n == REPLY_MAX;
        r->n += n > 0 ? (size_t) n : 0;
        take_progress(r);
    }
    return TN_OK;
}

/* What the child said last. */
static enum tn_code
understand(const struct running *r, int status, struct tn_transfer_reply *reply,
           struct tn_error *err)
{
    int code = 0, sys = 0, at = 0;
    struct tn_transfer_reply said = {0};
    char shown[TN_ERROR_TEXT];
    if (sscanf(r->got, "R %d %d %" SCNu64 " %n", &code, &sys, &said.n_bytes,
               &at) < 3 ||
        at == 0 || code < TN_OK || code > TN_EINTERNAL) {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
            return tn_fail(err, TN_EINTERNAL, 0, "%s cannot be started",
                           r->how->helper);
        }
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "the process that spoke to %s ended (%s %d)",
                       r->how->name, WIFSIGNALED(status) ? "signal" : "status",
                       WIFSIGNALED(status) ? WTERMSIG(status)
                                           : WEXITSTATUS(status));
    }
    /* 'at' skips the white space before an empty branch, newline and all. */
    const char *line = strchr(r->got, '\n');
    size_t len =
        line && r->got + at <= line ? (size_t) (line - r->got - at) : 0;
    if (code != TN_OK) {
        const char *text = line ? line + 1 : "";
        tn_clean(shown, sizeof shown, text, strlen(text));
        return tn_fail(err, (enum tn_code) code, sys, "%s", shown);
    }
    snprintf(said.branch, sizeof said.branch, "%.*s", (int) len, r->got + at);
    *reply = said;
    return TN_OK;
}

enum tn_code
tn_child_run(const struct tn_child *how, const struct tn_transfer *transfer,
             struct tn_transfer_reply *reply, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd) int fd = -1;
    struct running r = {.how = how, .window = tn_now_ms()};
    struct pollfd cancelled = {.fd = how->cancel_fd, .events = POLLIN};
    pid_t pid = 0;
    int status = 0;
    if (poll(&cancelled, 1, 0) > 0) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "%s: interrupted", how->name);
    }
    enum tn_code code = spawn(how, transfer, &fd, &pid, err);
    if (code) {
        return code;
    }
    while (!code && !r.over) {
        code = step(&r, fd, err);
    }
    if (code) {
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return code ? code : understand(&r, status, reply, err);
}
