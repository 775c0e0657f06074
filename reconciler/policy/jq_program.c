/* jq_program.c - the parent's side of jq_program.h.
 *
 * One process serves all programs of a plan, one after the other.  When it is
 * late, dies or says what it should not, it is killed, and the next program
 * gets a new one; a program that did that is broken, and its policy denies. */
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

#define HELPER_ARG "policy-helper"

struct tn_jq {
    struct tn_arena *arena;
    struct tn_jq_options options;
    pid_t pid; /* 0: none. */
    int fd;
    struct tn_text got; /* Read, and not yet understood. */
    size_t at;
};

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

static void
stop(struct tn_jq *jq)
{
    if (jq->pid > 0) {
        close(jq->fd);
        kill(jq->pid, SIGKILL);
        while (waitpid(jq->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    jq->pid = 0;
    jq->at = 0;
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
        stop(jq);
        tn_text_done(&jq->got);
    }
}

static enum tn_code
ended(struct tn_error *err)
{
    return tn_fail(err, TN_EINTENT, 0,
                   "its process ended: it took over %d MiB, or crashed",
                   TN_JQ_MEMORY >> 20);
}

/* Until the socket is ready for 'events'. */
static enum tn_code
await(const struct tn_jq *jq, short events, int64_t deadline,
      struct tn_error *err)
{
    struct pollfd p = {.fd = jq->fd, .events = events};
    for (;;) {
        int64_t left = deadline - tn_now_ms();
        int n = left > 0 ? poll(&p, 1, (int) left) : 0;
        if (n > 0) {
            return TN_OK;
        }
        if (n == 0) {
            return tn_fail(err, TN_EINTENT, 0, "it took over %u ms",
                           jq->options.timeout_ms);
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
            return ended(err);
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
            return ended(err);
        }
        tn_text_addn(&jq->got, block, n > 0 ? (size_t) n : 0);
    }
}

static enum tn_code
refused(const char *line, struct tn_error *err)
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
tn_jq_compile(struct tn_jq *jq, const char *program, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text quoted = {0};
    const char *line = NULL;
    int64_t deadline = tn_now_ms() + jq->options.timeout_ms;
    enum tn_code code = start(jq, err);
    if (code) {
        return code;
    }
    tn_text_addc(&quoted, '"');
    tn_text_add_escaped(&quoted, program);
    tn_text_addc(&quoted, '"');
    code = ask(jq, 'P', quoted.s, quoted.n, deadline, err);
    code = code ? code : hear(jq, deadline, &line, err);
    if (!code && line[0] != 'C') {
        return refused(line, err);
    }
    if (code) {
        stop(jq);
    }
    return code;
}

/* On one line, and not too long. */
static const char *
text_of(struct tn_jq *jq, const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    if (!s) {
        return NULL;
    }
    size_t n = strnlen(s, TN_JQ_TEXT);
    while (s[n] && (s[n] & 0xc0) == 0x80) {
        n--; /* Not within a character. */
    }
    char *copy = tn_arena_strndup(jq->arena, s, n);
    for (char *c = copy; *c; c++) {
        if ((unsigned char) *c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
    return copy;
}

static void
understand(struct tn_jq *jq, const char *line, struct tn_jq_finding *out)
{
    json_t *f = json_loads(line, 0, NULL);
    const json_t *at = json_object_get(f, "origin");
    const char *message = text_of(jq, f, "message");
    json_int_t number = json_integer_value(json_object_get(at, "line"));
    *out = (struct tn_jq_finding){
        .message = message ? message : "(not readable)",
        .subject = text_of(jq, f, "subject"),
        .hint = text_of(jq, f, "hint"),
        .path = text_of(jq, at, "path"),
        .line = number > 0 && number < UINT32_MAX ? (unsigned) number : 0,
    };
    json_decref(f);
}

enum tn_code
tn_jq_run(struct tn_jq *jq, const struct tn_text *json,
          const struct tn_jq_finding **out, size_t *n, struct tn_error *err)
{
    TN_VEC(struct tn_jq_finding) list = {0};
    const char *line = "";
    int64_t deadline = tn_now_ms() + jq->options.timeout_ms;
    if (!jq->pid) {
        return tn_fail(err, TN_EINTENT, 0, "it was stopped before");
    }
    if (json->n > TN_JQ_INPUT) {
        return tn_fail(err, TN_EINTENT, 0, "its input is too large");
    }
    enum tn_code code = ask(jq, 'I', tn_text_str(json), json->n, deadline, err);
    while (!code) {
        code = hear(jq, deadline, &line, err);
        if (code || line[0] != 'F') {
            break;
        }
        understand(jq, line + 2, tn_vec_push(jq->arena, &list));
    }
    if (!code && line[0] != 'D') {
        code = refused(line, err);
    }
    if (code) {
        stop(jq);
        return code;
    }
    *out = list.items;
    *n = list.n;
    return TN_OK;
}
