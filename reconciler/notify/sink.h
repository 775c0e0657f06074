/* sink.h - telling people: the one door to alerts, webhooks and commit
 * statuses.
 *
 * Nothing here blocks, except for writing small files of state (synced before
 * an alert leaves, so that whatever an Alertmanager knows is known after
 * kill -9), and nothing here can fail a reconciliation: failures to tell are
 * counted, and reported once through 'report'.
 *
 * The loop polls tn_notify_fd(), sleeps no longer than tn_notify_timeout(), and
 * calls tn_notify_run() when either says so; after a fire or resolve the
 * timeout is 0.  One thread. */
#ifndef TN_NOTIFY_SINK_H
#define TN_NOTIFY_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"
#include "reconciler/notify/alerts.h"

/* How to reach one Alertmanager or webhook.  All texts are borrowed for the
 * length of tn_notify_open(). */
struct tn_notify_endpoint {
    const char *name;    /* For messages and metrics; null: from the URL. */
    const char *url;     /* Alertmanager: its base, without /api/v2/alerts. */
    const char *ca_file; /* Null: the system's. */
    const char *bearer_file; /* Token; null: none. */
    const char *basic_file;  /* "user:password"; null: none. */
    const char *secret_file; /* Webhook: the key of the signature; required. */
    uint32_t timeout_ms;     /* 0: 10 s. */
    bool proxy_env;
};

enum tn_forge_kind { TN_FORGE_GITLAB, TN_FORGE_GITHUB, TN_FORGE_GITEA };

struct tn_notify_forge {
    const char *name; /* Of the repository, for tn_notify_commit_status(). */
    enum tn_forge_kind kind;
    const char *api;        /* "https://gitlab.example/api/v4",
                             * "https://api.github.com", "https://g.example/api/v1" */
    const char *repository; /* "group/sub/project" or GitLab's number. */
    const char *token_file;
    const char *ca_file;
    uint32_t timeout_ms;
    bool proxy_env;
};

struct tn_notify_options {
    const char *state_dir; /* Existing; null: nothing survives. */
    const struct tn_notify_endpoint *alertmanagers;
    size_t n_alertmanagers;
    const struct tn_notify_endpoint *webhooks;
    size_t n_webhooks;
    const struct tn_notify_forge *forges;
    size_t n_forges;               /* At most 16. */
    const struct tn_label *labels; /* Given to every alert: environment, ... */
    size_t n_labels;
    const char *runbooks;  /* URL of docs/alerts.md as people reach it. */
    const char *generator; /* generatorURL; null: none. */
    int64_t interval_ms;   /* As in struct tn_alerts_options. */
    int64_t linger_ms;
    /* A sink began to fail, works again ('what' TN_OK), or refused something
     * for good.  May be null.  'err' is borrowed. */
    void (*report)(void *ctx, const char *sink, enum tn_code what,
                   const struct tn_error *err);
    void *ctx;
};

enum tn_commit_state {
    TN_COMMIT_PENDING,
    TN_COMMIT_RUNNING,
    TN_COMMIT_SUCCESS,
    TN_COMMIT_FAILED,
    TN_COMMIT_CANCELED,
};

/* One line beside a commit in the forge.  Borrowed for the call. */
struct tn_commit_status {
    const char *repo;    /* Name of a forge above; null: all of them. */
    const char *sha;     /* 40 or 64 hexadecimal digits. */
    const char *context; /* "tenet/apply", "tenet/device/hv1": stable. */
    enum tn_commit_state state;
    const char *description; /* A sentence; cut at what the forge takes. */
    const char *target_url;  /* Null: none. */
};

enum tn_notify_kind {
    TN_NOTIFY_ALERTMANAGER,
    TN_NOTIFY_WEBHOOK,
    TN_NOTIFY_FORGE,
};

/* One sink, for metrics and `tenet ctl`. */
struct tn_notify_sink_stats {
    const char *name; /* Borrowed from the notify. */
    enum tn_notify_kind kind;
    uint64_t sent;    /* Requests acknowledged. */
    uint64_t failed;  /* Requests that failed and are tried again. */
    uint64_t refused; /* Given up: the sink says never. */
    size_t pending;   /* Not acknowledged yet. */
    uint32_t failures_in_row;
    int64_t last_success_ms; /* Time of day; 0: never. */
};

struct tn_notify_stats {
    struct tn_alerts_count alerts;
    uint64_t saves, save_failures;
    bool state_damaged; /* The state was unreadable at open; kept aside. */
    const struct tn_notify_sink_stats *sinks; /* Borrowed until next call. */
    size_t n_sinks;
};

struct tn_notify;

/* New, owned by the caller.  Damaged state is no failure: it is kept as
 * "<file>.damaged" and reported.  TN_EINTENT for options that cannot work (URL,
 * missing secret_file, too many sinks). */
enum tn_code tn_notify_open(const struct tn_notify_options *options,
                            struct tn_notify **out,
                            struct tn_error *err) TN_MUST_USE;

/* Tells what is still to be told for at most 'deadline_ms' (0: not at all),
 * saves the state and frees.  Firing alerts are left firing: who stops has not
 * healed anything.  Accepts null. */
void tn_notify_close(struct tn_notify *notify, int64_t deadline_ms);

/* As the functions of alerts.h, at the present time. */
bool tn_notify_fire(struct tn_notify *notify, const struct tn_alert *alert);
bool tn_notify_resolve(struct tn_notify *notify, const struct tn_alert *alert);
size_t tn_notify_resolve_all(struct tn_notify *notify,
                             const struct tn_alert *match, bool any_name);
size_t tn_notify_settle(struct tn_notify *notify, const char *device);

/* Posts a commit status if it differs from what was posted last for that
 * commit and context; of several before the forge is reached the last counts.
 * Never fails: what cannot be posted is reported. */
void tn_notify_commit_status(struct tn_notify *notify,
                             const struct tn_commit_status *status);

int tn_notify_fd(const struct tn_notify *notify);
/* Milliseconds until tn_notify_run() has something to do, if the descriptor
 * stays quiet; -1: never. */
int tn_notify_timeout(const struct tn_notify *notify);
void tn_notify_run(struct tn_notify *notify);

void tn_notify_stats(struct tn_notify *notify, struct tn_notify_stats *out);

static inline void
tn_cleanup_notify(struct tn_notify **notify)
{
    tn_notify_close(*notify, 0);
}

#endif
