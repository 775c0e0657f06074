/* jq_program.c - the parent's side of jq_program.h: processes and programs.
 *
 * A process serves one program after the other.  When it is late, dies or says
 * what it should not, it is killed, and the next program gets a new one; a
 * program that did that is broken, and its policy denies. */
#include "reconciler/policy/jq_program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "model/base/time.h"
#include "reconciler/policy/jq_process.h"

#define HELPER_ARG "policy-helper"

void
tn_policy_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], HELPER_ARG) == 0) {
        _exit(tn_jq_serve(0));
    }
}

/* After fork: no allocation, no lock, but in tests. */
static TN_NORETURN void
become_child(const char *helper, int fd)
{
    char *argv[] = {(char *) "tenet", (char *) HELPER_ARG, NULL};
    char *nothing[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_IGN); /* Of a terminal: the parent decides. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!helper) {
        _exit(tn_jq_serve(fd));
    }
    if (dup2(fd, 0) != 0) {
        _exit(1);
    }
    syscall(SYS_close_range, 3U, ~0U, 0U);
    execve(helper, argv, nothing);
    _exit(127);
}

void
tn_jq_stop(struct tn_jq *jq)
{
    if (jq->pid > 0) {
        close(jq->fd);
        kill(jq->pid, SIGKILL);
        while (waitpid(jq->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    jq->pid = 0;
    jq->at = 0;
    jq->compiling = false;
    tn_text_clear(&jq->got);
}

static enum tn_code
start(struct tn_jq *jq, struct tn_error *err)
{
    int pair[2];
    if (jq->pid) {
        return TN_OK;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "making a socket");
    }
    pid_t pid = fork();
    if (pid == 0) {
        become_child(jq->options.helper, pair[1]);
    }
    int failed = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return tn_fail_sys(err, TN_EUNAVAILABLE, failed, "starting a process");
    }
    jq->pid = pid;
    jq->fd = pair[0];
    return TN_OK;
}

struct tn_jq *
tn_jq_new(struct tn_arena *arena, const struct tn_jq_options *options)
{
    struct tn_jq *jq = tn_new(arena, struct tn_jq);
    jq->arena = arena;
    jq->options = *options;
    if (!jq->options.timeout_ms) {
        jq->options.timeout_ms = TN_JQ_TIMEOUT_MS;
    }
    return jq;
}

void
tn_jq_close(struct tn_jq *jq)
{
    if (jq) {
        tn_jq_stop(jq);
        tn_text_done(&jq->got);
    }
}

enum tn_code
tn_jq_ended(struct tn_error *err)
{
    return tn_fail(err, TN_EINTENT, 0,
                   "its process ended: it took over %d MiB, or crashed",
                   TN_JQ_MEMORY >> 20);
}

enum tn_code
tn_jq_late(const struct tn_jq *jq, struct tn_error *err)
{
    return tn_fail(err, TN_EINTENT, 0, "it took over %u ms",
                   jq->options.timeout_ms);
}

/* Until the socket is ready for 'events'. */
static enum tn_code
await(const struct tn_jq *jq, short events, int64_t deadline,
      struct tn_error *err)
{
    struct pollfd p = {.fd = jq->fd, .events = events};
    for (;;) {
        int64_t left = deadline - tn_now_ms();
        int n = poll(&p, 1, left > 0 ? (int) left : 0);
        if (n > 0) {
            return TN_OK;
        }
        if (n == 0) {
            return tn_jq_late(jq, err);
        }
        if (errno != EINTR) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "poll");
        }
    }
}

static enum tn_code
say(const struct tn_jq *jq, const char *s, size_t n, int64_t deadline,
    struct tn_error *err)
{
    while (n > 0) {
        enum tn_code code = await(jq, POLLOUT, deadline, err);
        if (code) {
            return code;
        }
        ssize_t k = send(jq->fd, s, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k < 0 && errno != EAGAIN && errno != EINTR) {
            return tn_jq_ended(err);
        }
        if (k > 0) {
            s += k;
            n -= (size_t) k;
        }
    }
    return TN_OK;
}

/* The next line, without its end: borrowed until the next call. */
static enum tn_code
hear(struct tn_jq *jq, int64_t deadline, const char **line,
     struct tn_error *err)
{
    char block[16384];
    for (;;) {
        char *start = jq->got.s ? jq->got.s + jq->at : NULL;
        char *end = start ? memchr(start, '\n', jq->got.n - jq->at) : NULL;
        if (end) {
            *end = '\0';
            jq->at = (size_t) (end + 1 - jq->got.s);
            *line = start;
            return TN_OK;
        }
        if (jq->got.n > 4 * (size_t) TN_JQ_LINE) {
            return tn_fail(err, TN_EINTENT, 0, "it has too much to say");
        }
        enum tn_code code = await(jq, POLLIN, deadline, err);
        if (code) {
            return code;
        }
        ssize_t n = recv(jq->fd, block, sizeof block, 0);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return tn_jq_ended(err);
        }
        tn_text_addn(&jq->got, block, n > 0 ? (size_t) n : 0);
    }
}

enum tn_code
tn_jq_refused(const char *line, struct tn_error *err)
{
    json_t *why = json_loads(line + 1, JSON_DECODE_ANY, NULL);
    const char *text = json_string_value(why);
    enum tn_code code =
        tn_fail(err, *line == 'U' ? TN_EUNAVAILABLE : TN_EINTENT, 0, "%s",
                text ? text : "it failed");
    json_decref(why);
    return code;
}

/* Sends a line and forgets what was heard before. */
static enum tn_code
ask(struct tn_jq *jq, char what, const char *s, size_t n, int64_t deadline,
    struct tn_error *err)
{
    const char head[] = {what, ' '};
    jq->at = 0;
    tn_text_clear(&jq->got);
    enum tn_code code = say(jq, head, sizeof head, deadline, err);
    code = code ? code : say(jq, s, n, deadline, err);
    return code ? code : say(jq, "\n", 1, deadline, err);
}

enum tn_code
tn_jq_compile_begin(struct tn_jq *jq, const char *program, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text quoted = {0};
    enum tn_code code = start(jq, err);
    if (code) {
        return code;
    }
    jq->deadline = tn_now_ms() + jq->options.timeout_ms;
    tn_text_addc(&quoted, '"');
    tn_text_add_escaped(&quoted, program);
    tn_text_addc(&quoted, '"');
    code = ask(jq, 'P', quoted.s, quoted.n, jq->deadline, err);
    jq->compiling = code == TN_OK;
    if (code) {
        tn_jq_stop(jq);
    }
    return code;
}

enum tn_code
tn_jq_compile_end(struct tn_jq *jq, struct tn_error *err)
{
    const char *line = NULL;
    if (!jq->compiling) {
        return tn_fail(err, TN_EINTENT, 0, "it was stopped before");
    }
    jq->compiling = false;
    enum tn_code code = hear(jq, jq->deadline, &line, err);
    if (!code && line[0] != 'C') {
        return tn_jq_refused(line, err);
    }
    if (code) {
        tn_jq_stop(jq);
    }
    return code;
}

enum tn_code
tn_jq_compile(struct tn_jq *jq, const char *program, struct tn_error *err)
{
    enum tn_code code = tn_jq_compile_begin(jq, program, err);
    return code ? code : tn_jq_compile_end(jq, err);
}
