/* upstream.c - see upstream.h: the thread itself.  What it does is in fetch.c,
 * judge.c and publish.c. */
#include "reconciler/daemon/upstream.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "reconciler/daemon/upstream_inside.h"

static void
wait_for_work(struct tn_upstream *u)
{
    int64_t left = u->next_ms - tn_now_ms();
    struct pollfd fds[2] = {
        {.fd = u->wake, .events = POLLIN},
        {.fd = u->remote ? tn_remote_watch_fd(u->remote) : -1,
         .events = POLLIN}};
    left = left < 0 ? 0 : left;
    int rc = poll(fds, 2, left > 3600000 ? 3600000 : (int) left);
    uint64_t ignored;
    if (rc > 0 && fds[0].revents &&
        read(u->wake, &ignored, sizeof ignored) < 0) {
        return; /* Taken already. */
    }
    if (rc > 0 && fds[1].revents && tn_remote_watch_take(u->remote)) {
        u->next_ms = 0;
    }
}

static void
upstream_main(void *context)
{
    struct tn_upstream *u = context;
    for (;;) {
        pthread_mutex_lock(&u->mutex);
        bool stop = u->stop;
        struct tn_upstream_job *job = TN_TAKE(u->job);
        bool asked = u->look;
        struct tn_intent *good = TN_TAKE(u->good);
        struct tn_upstream_failure *failure = TN_TAKE(u->failure);
        if (u->look) {
            u->look = false;
            u->next_ms = 0;
        }
        pthread_mutex_unlock(&u->mutex);
        if (good) {
            tn_up_good(u, good);
            tn_intent_unref(good);
        }
        if (failure) {
            tn_up_failed(u, failure);
        }
        if (job && asked) {
            tn_up_look(u); /* Devices wait for it, for the other nobody. */
        }
        if (job) {
            tn_up_publish(u, job);
            tn_up_job_free(job);
        } else if (stop) {
            break;
        } else if (tn_now_ms() >= u->next_ms) {
            tn_up_look(u);
        } else {
            wait_for_work(u);
        }
    }
    tn_up_post(u, tn_up_event(TN_UP_STOPPED, NULL));
}

static void
upstream_free(struct tn_upstream *u)
{
    tn_up_remote_close(u);
    tn_signer_close(u->signer);
    tn_intent_unref(u->intent);
    tn_arena_free(u->before_arena);
    tn_up_job_free(u->job);
    tn_status_memo_free(u->memo);
    tn_intent_unref(u->good);
    tn_up_failure_free(u->failure);
    pthread_mutex_destroy(&u->mutex);
    if (u->wake >= 0) {
        close(u->wake);
    }
    free(u);
}

static void
accepted_read(struct tn_upstream *u)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    u->before_arena = tn_arena_new();
    tn_up_state_path(u, "accepted", &path);
    tn_accepted_load(tn_text_str(&path), u->before_arena, &u->before);
    memcpy(u->accepted, u->before.commit, sizeof u->accepted);
}

enum tn_code
tn_upstream_new(const struct tn_upstream_options *options,
                struct tn_upstream **out, struct tn_error *err)
{
    struct tn_upstream *u = calloc(1, sizeof *u);
    if (!u) {
        abort();
    }
    u->options = *options;
    u->memo = tn_status_memo_new();
    memcpy(u->status_ref, TN_STATUS_REF_DEFAULT, sizeof TN_STATUS_REF_DEFAULT);
    pthread_mutex_init(&u->mutex, NULL);
    u->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    accepted_read(u);
    tn_up_state_read(u, "trusted", u->trusted);
    enum tn_code code = TN_OK;
    if (options->config->status.signing_key.v) {
        code = tn_signer_open(options->config->status.signing_key.v, &u->signer,
                              err);
    }
    if (!code) {
        code = tn_thread_start(&u->thread, upstream_main, u, "Git", err);
    }
    if (code) {
        upstream_free(u);
        return code;
    }
    *out = u;
    return TN_OK;
}

static void
nudge(struct tn_upstream *u)
{
    uint64_t one = 1;
    if (write(u->wake, &one, sizeof one) < 0) {
        return; /* It is awake. */
    }
}

void
tn_upstream_wake(struct tn_upstream *u)
{
    pthread_mutex_lock(&u->mutex);
    u->look = true;
    pthread_mutex_unlock(&u->mutex);
    nudge(u);
}

void
tn_upstream_acknowledge(struct tn_upstream *u, const char *commit)
{
    pthread_mutex_lock(&u->mutex);
    size_t n = strlen(commit);
    memcpy(u->acknowledged, commit, n < 65 ? n + 1 : 0);
    u->look = true;
    pthread_mutex_unlock(&u->mutex);
    nudge(u);
}

void
tn_upstream_publish(struct tn_upstream *u, struct tn_upstream_job *job)
{
    pthread_mutex_lock(&u->mutex);
    struct tn_upstream_job *old = u->job;
    u->job = job;
    pthread_mutex_unlock(&u->mutex);
    tn_up_job_free(old);
    nudge(u);
}

void
tn_upstream_good(struct tn_upstream *u, struct tn_intent *intent)
{
    pthread_mutex_lock(&u->mutex);
    struct tn_intent *old = u->good;
    u->good = tn_intent_ref(intent);
    pthread_mutex_unlock(&u->mutex);
    tn_intent_unref(old);
    nudge(u);
}

void
tn_upstream_failed(struct tn_upstream *u,
                   const struct tn_upstream_failure *failure)
{
    struct tn_upstream_failure *copy = malloc(sizeof *copy);
    if (!copy) {
        abort();
    }
    *copy = *failure;
    pthread_mutex_lock(&u->mutex);
    struct tn_upstream_failure *old = u->failure;
    u->failure = copy;
    pthread_mutex_unlock(&u->mutex);
    tn_up_failure_free(old);
    nudge(u);
}

void
tn_upstream_stop(struct tn_upstream *u)
{
    pthread_mutex_lock(&u->mutex);
    u->stop = true;
    pthread_mutex_unlock(&u->mutex);
    nudge(u);
}

bool
tn_upstream_join(struct tn_upstream *u, int64_t deadline_ms)
{
    /* What is under way may end by itself in half of the time. */
    int64_t half = tn_now_ms() + (deadline_ms - tn_now_ms()) / 2;
    if (!tn_thread_join(&u->thread, half)) {
        pthread_mutex_lock(&u->mutex);
        if (u->cancel) {
            tn_remote_cancel(u->cancel);
        }
        pthread_mutex_unlock(&u->mutex);
        if (!tn_thread_join(&u->thread, deadline_ms)) {
            return false;
        }
    }
    upstream_free(u);
    return true;
}

void
tn_upstream_event_free(struct tn_upstream_event *event)
{
    if (event) {
        tn_intent_unref(event->intent);
        tn_arena_free(event->arena);
    }
}

const char *
tn_refusal_name(enum tn_refusal refusal)
{
    static const char *const names[] = {
        [TN_REFUSED_INVALID] = "invalid",
        [TN_REFUSED_UNTRUSTED] = "untrusted",
        [TN_REFUSED_REWRITTEN] = "rewritten",
        [TN_REFUSED_QUARANTINED] = "quarantined",
        [TN_REFUSED_DENIED] = "denied",
        [TN_REFUSED_FROZEN] = "frozen",
    };
    return names[refusal];
}
