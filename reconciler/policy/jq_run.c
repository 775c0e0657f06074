/* jq_run.c - documents for programs, and what they say: several at a time.
 *
 * One loop serves all processes: each is sent documents ahead, so that making
 * one and judging another is one time and none waits for the parent at each of
 * them.  What a process said is heard before the clock is asked, so that none
 * is late because the parent was with another. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "model/base/time.h"
#include "reconciler/policy/jq_process.h"

enum { LISTEN_MS = 20 };

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
    int64_t end;                        /* Of all. */
    size_t n_said;                      /* Bytes of findings. */
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
        s->n_said += strlen(line);
        if (s->n_said > TN_JQ_SAID) {
            return tn_fail(err, TN_EINTENT, 0,
                           "it has too much to say: over %d MiB in all",
                           TN_JQ_SAID >> 20);
        }
        understand(s->jq, line + 2, tn_vec_push(s->jq->arena, &s->found));
        return TN_OK;
    }
    if (line[0] != 'D' || s->n_done == s->n_sent) {
        return tn_jq_refused(line, err);
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
        return tn_jq_ended(err);
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
        return code ? code : tn_jq_ended(err);
    }
    s->at += k > 0 ? (size_t) k : 0;
    return TN_OK;
}

/* ---- several ------------------------------------------------------------ */

static void
stream_begin(struct stream *s, struct tn_jq_task *task)
{
    *s = (struct stream){.jq = task->jq, .feed = &task->feed};
    task->code = TN_OK;
    task->n_done = 0;
    s->end = tn_now_ms() + TN_JQ_ALL_MS;
    if (!s->jq->pid) {
        task->code =
            tn_fail(&task->err, TN_EINTENT, 0, "it was stopped before");
    }
    tn_text_clear(&s->jq->got);
    s->jq->at = 0;
}

static enum tn_code
stream_check(const struct stream *s, struct tn_error *err)
{
    int64_t now = tn_now_ms();
    if (now >= s->end) {
        return tn_fail(err, TN_EINTENT, 0, "it took over %d s for all of them",
                       TN_JQ_ALL_MS / 1000);
    }
    return s->n_done < s->n_sent && now >= s->deadline ? tn_jq_late(s->jq, err)
                                                       : TN_OK;
}

/* Sends, and hears what is said meanwhile: neither waits for the other.  While
 * there is something to send, answers are no reason to wake up, or there would
 * be a switch of processes for each; that the other side waits for us to hear
 * is possible, and found out by the clock. */
static enum tn_code
stream_step(struct stream *s, short events, struct tn_error *err)
{
    bool sends = s->at < s->out.n;
    enum tn_code code = TN_OK;
    if (sends && events) {
        code = stream_say(s, err);
    }
    if (!code && (sends || events)) {
        code = stream_hear(s, err);
    }
    return code ? code : stream_check(s, err);
}

/* The list that poll(2) takes, and until when there is nothing to look at. */
static int64_t
streams_poll(const struct stream *list, struct pollfd *polled, size_t n)
{
    int64_t now = tn_now_ms(), until = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct stream *s = &list[i];
        bool sends = s->at < s->out.n;
        polled[i] = (struct pollfd){
            .fd = s->jq ? s->jq->fd : -1,
            .events = sends ? POLLOUT : POLLIN,
        };
        if (!s->jq) {
            continue;
        }
        int64_t soon = sends ? now + LISTEN_MS : s->deadline;
        soon = s->deadline < soon ? s->deadline : soon;
        soon = s->end < soon ? s->end : soon;
        until = soon < until ? soon : until;
    }
    return until;
}

/* Until one of them has to be looked at, with something else to do, if there
 * is anything. */
static enum tn_code
streams_wait(const struct stream *list, struct pollfd *polled, size_t n,
             const struct tn_jq_crew *crew, struct tn_error *err)
{
    int64_t until = streams_poll(list, polled, n);
    bool idle = crew && crew->idle;
    for (;;) {
        int64_t left = until - tn_now_ms();
        int ready = poll(polled, n, idle || left < 0 ? 0 : (int) left);
        if (ready < 0 && errno != EINTR) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "poll");
        }
        if (ready != 0 || left <= 0) {
            return TN_OK;
        }
        idle = idle && crew->idle(crew->user);
    }
}

/* The task is at its end: the next one that its place is for, if any. */
static void
stream_end(struct stream *s, struct tn_jq_task *task,
           const struct tn_jq_crew *crew)
{
    bool more = true;
    do {
        task->n_done = s->n_done;
        if (task->code) {
            tn_jq_stop(task->jq);
        }
        stream_done(s);
        *s = (struct stream){0};
        more = crew && crew->next(crew->user, task);
        if (more) {
            stream_begin(s, task);
        }
    } while (more && task->code);
}

/* Makes documents; ends what has no more. */
static size_t
streams_fill(struct stream *list, struct tn_jq_task *tasks, size_t n,
             const struct tn_jq_crew *crew)
{
    size_t n_open = 0;
    for (size_t i = 0; i < n; i++) {
        struct stream *s = &list[i];
        while (s->jq) {
            struct tn_jq_task *task = &tasks[i];
            task->code = task->code ? task->code : stream_fill(s, &task->err);
            if (!task->code && s->n_done < s->n_sent) {
                n_open++;
                break;
            }
            stream_end(s, task, crew);
        }
    }
    return n_open;
}

void
tn_jq_work(struct tn_jq_task *tasks, size_t n, const struct tn_jq_crew *crew)
{
    struct stream list[TN_JQ_CREW] = {{0}};
    struct pollfd polled[TN_JQ_CREW];
    assert(n <= TN_JQ_CREW);
    for (size_t i = 0; i < n; i++) {
        if (tasks[i].jq) {
            stream_begin(&list[i], &tasks[i]);
        }
    }
    while (streams_fill(list, tasks, n, crew)) {
        struct tn_error err = {0};
        enum tn_code code = streams_wait(list, polled, n, crew, &err);
        for (size_t i = 0; i < n; i++) {
            if (list[i].jq && code) {
                tasks[i].code = code;
                tasks[i].err = err;
            } else if (list[i].jq) {
                tasks[i].code =
                    stream_step(&list[i], polled[i].revents, &tasks[i].err);
            }
        }
    }
}

/* ---- one ---------------------------------------------------------------- */

enum tn_code
tn_jq_run_all(struct tn_jq *jq, const struct tn_jq_feed *feed, size_t *n_done,
              struct tn_error *err)
{
    struct tn_jq_task task = {.jq = jq, .feed = *feed};
    tn_jq_work(&task, 1, NULL);
    *n_done = task.n_done;
    if (task.code) {
        *err = task.err;
    }
    return task.code;
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
