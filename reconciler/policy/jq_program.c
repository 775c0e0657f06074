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

/* ---- documents ---------------------------------------------------------- */

/* Documents on their way. */
struct stream {
    struct tn_jq *jq;
    const struct tn_jq_feed *feed;
    struct tn_text out; /* Not sent yet, from 'at'. */
    size_t at;
    size_t n_sent, n_done;
    bool ends;                          /* There are no more. */
    int64_t deadline;                   /* Of the first that is not answered. */
    TN_VEC(struct tn_jq_finding) found; /* Of that. */
};

static void
stream_done(struct stream *s)
{
    tn_text_done(&s->out);
}

static void
timer_set(struct stream *s)
{
    s->deadline = tn_now_ms() + s->jq->options.timeout_ms;
}

/* Makes documents until enough is on its way. */
static enum tn_code
stream_fill(struct stream *s, struct tn_error *err)
{
    if (s->at == s->out.n) {
        s->at = 0;
        tn_text_clear(&s->out);
    }
    while (!s->ends && s->out.n < TN_JQ_AHEAD) {
        size_t before = s->out.n;
        tn_text_add(&s->out, "I ");
        if (!s->feed->next(s->feed->user, &s->out)) {
            s->ends = true;
            s->out.s[s->out.n = before] = '\0';
            break;
        }
        if (s->out.n - before > TN_JQ_INPUT) {
            return tn_fail(err, TN_EINTENT, 0, "its input is too large");
        }
        tn_text_addc(&s->out, '\n');
        if (s->n_sent++ == s->n_done) {
            timer_set(s);
        }
    }
    return TN_OK;
}

/* One line of the child. */
static enum tn_code
line_take(struct stream *s, const char *line, struct tn_error *err)
{
    if (line[0] == 'F' && line[1] == ' ' && s->n_done < s->n_sent) {
        understand(s->jq, line + 2, tn_vec_push(s->jq->arena, &s->found));
        return TN_OK;
    }
    if (line[0] != 'D' || s->n_done == s->n_sent) {
        return refused(line, err);
    }
    s->n_done++;
    s->feed->found(s->feed->user, s->found.items, s->found.n);
    memset(&s->found, 0, sizeof s->found); /* They were given away. */
    timer_set(s);
    return TN_OK;
}

/* What was said until now, if anything. */
static enum tn_code
stream_hear(struct stream *s, struct tn_error *err)
{
    char block[65536];
    struct tn_text *got = &s->jq->got;
    size_t at = 0;
    enum tn_code code = TN_OK;
    ssize_t n = recv(s->jq->fd, block, sizeof block, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        return ended(err);
    }
    tn_text_addn(got, block, n > 0 ? (size_t) n : 0);
    for (char *end;
         !code && at < got->n && (end = memchr(got->s + at, '\n', got->n - at));
         at = (size_t) (end + 1 - got->s)) {
        *end = '\0';
        code = line_take(s, got->s + at, err);
    }
    if (at) {
        memmove(got->s, got->s + at, got->n - at + 1);
        got->n -= at;
    }
    if (!code && got->n > 4 * (size_t) TN_JQ_LINE) {
        code = tn_fail(err, TN_EINTENT, 0, "it has too much to say");
    }
    return code;
}

/* Sends what there is room for. */
static enum tn_code
stream_say(struct stream *s, struct tn_error *err)
{
    ssize_t k = send(s->jq->fd, s->out.s + s->at, s->out.n - s->at,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (k < 0 && errno != EAGAIN && errno != EINTR) {
        /* What it said before it ended is worth more. */
        enum tn_code code = stream_hear(s, err);
        return code ? code : ended(err);
    }
    s->at += k > 0 ? (size_t) k : 0;
    return TN_OK;
}

/* Sends, and hears what is said meanwhile: neither waits for the other.  While
 * there is something to send, answers are no reason to wake up, or there would
 * be a switch of processes for each; that the other side waits for us to hear
 * is possible, and found out by the clock. */
static enum tn_code
stream_step(struct stream *s, struct tn_error *err)
{
    enum { LISTEN_MS = 20 };
    enum tn_code code = TN_OK;
    if (s->at == s->out.n) {
        code = await(s->jq, POLLIN, s->deadline, err);
    } else if (tn_now_ms() < s->deadline) {
        struct tn_error late = {0};
        int64_t soon = tn_now_ms() + LISTEN_MS;
        code = await(s->jq, POLLOUT, soon < s->deadline ? soon : s->deadline,
                     &late)
                   ? TN_OK
                   : stream_say(s, err);
    } else {
        code = await(s->jq, POLLOUT, s->deadline, err);
    }
    return code ? code : stream_hear(s, err);
}

enum tn_code
tn_jq_run_all(struct tn_jq *jq, const struct tn_jq_feed *feed, size_t *n_done,
              struct tn_error *err)
{
    TN_CLEANUP(stream_done) struct stream s = {.jq = jq, .feed = feed};
    enum tn_code code = TN_OK;
    *n_done = 0;
    if (!jq->pid) {
        return tn_fail(err, TN_EINTENT, 0, "it was stopped before");
    }
    tn_text_clear(&jq->got);
    jq->at = 0;
    do {
        code = stream_fill(&s, err);
        if (!code && s.n_done < s.n_sent) {
            code = stream_step(&s, err);
        }
    } while (!code && (!s.ends || s.n_done < s.n_sent));
    *n_done = s.n_done;
    if (code) {
        stop(jq);
    }
    return code;
}

/* The feed of tn_jq_run(). */
struct single {
    const struct tn_text *json;
    bool given;
    const struct tn_jq_finding *items;
    size_t n;
};

static bool
single_next(void *user, struct tn_text *json)
{
    struct single *one = user;
    bool more = !one->given;
    if (more) {
        tn_text_addn(json, tn_text_str(one->json), one->json->n);
    }
    one->given = true;
    return more;
}

static void
single_found(void *user, const struct tn_jq_finding *items, size_t n)
{
    struct single *one = user;
    one->items = items;
    one->n = n;
}

enum tn_code
tn_jq_run(struct tn_jq *jq, const struct tn_text *json,
          const struct tn_jq_finding **out, size_t *n, struct tn_error *err)
{
    struct single one = {.json = json};
    struct tn_jq_feed feed = {single_next, single_found, &one};
    size_t n_done;
    enum tn_code code = tn_jq_run_all(jq, &feed, &n_done, err);
    if (!code) {
        *out = one.items;
        *n = one.n;
    }
    return code;
}
