/* upstream.h - the one thread that talks to Git.
 *
 *     fetch -> continues what was applied? -> signed? -> quarantined? frozen?
 *           -> compile -> intent                      (any "no": stay, and say)
 *     reports of the devices -> status commit -> push
 *
 * What is followed is the last commit that passed all of this; it is written
 * down in the state directory, so that after a restart with Git away, or with a
 * bad commit at the tip, the last good intent goes on being healed. */
#ifndef TN_DAEMON_UPSTREAM_H
#define TN_DAEMON_UPSTREAM_H

#include "reconciler/daemon/intent.h"
#include "reconciler/daemon/log.h"

enum tn_upstream_event_type {
    TN_UP_FETCHED,   /* The remote answered. */
    TN_UP_STALE,     /* It did not: 'text' says why. */
    TN_UP_INTENT,    /* A commit is to be followed: 'intent'. */
    TN_UP_ACCEPTED,  /* The tip is what is followed; nothing is refused. */
    TN_UP_REFUSED,   /* The tip is not followed: 'refusal', 'text'. */
    TN_UP_PUBLISHED, /* The status ref says what is so; 'changed'. */
    TN_UP_UNPUBLISHED,
    TN_UP_STOPPED,
};

enum tn_refusal {
    TN_REFUSED_INVALID,     /* It does not compile at all. */
    TN_REFUSED_UNTRUSTED,   /* A signature is missing or wrong. */
    TN_REFUSED_REWRITTEN,   /* It drops what was applied. */
    TN_REFUSED_QUARANTINED, /* Somebody, or a probe, said that it is bad. */
    TN_REFUSED_DENIED,      /* By policies. */
    TN_REFUSED_FROZEN,      /* Not now. */
};

struct tn_upstream_event {
    struct tn_arena *arena; /* Of the event itself. */
    enum tn_upstream_event_type type;
    struct tn_intent *intent; /* TN_UP_INTENT; the receiver's reference. */
    char commit[65];
    enum tn_refusal refusal;
    const char *text;
    bool back; /* TN_UP_INTENT: another one than the tip, which is
                  quarantined. */
    bool changed;
    double fetch_s, verify_s, compile_s, publish_s; /* -1: not done. */
    unsigned tries;
};

void tn_upstream_event_free(struct tn_upstream_event *event);

struct tn_upstream_options {
    const struct tn_daemon *config;
    const char *state_dir, *cache_dir;
    unsigned threads;
    struct tn_log *log;
    /* Called by the thread; the event is the callee's. */
    void (*post)(void *ctx, struct tn_upstream_event *event);
    void *ctx;
};

struct tn_upstream;

/* Starts the thread; 'options' is copied, what it points to outlives it. */
enum tn_code tn_upstream_new(const struct tn_upstream_options *options,
                             struct tn_upstream **out,
                             struct tn_error *err) TN_MUST_USE;

/* Look at the remote now. */
void tn_upstream_wake(struct tn_upstream *upstream);
/* The tip may drop what was applied, this once. */
void tn_upstream_acknowledge(struct tn_upstream *upstream, const char *commit);

/* What is to be told on the status ref.  The thread takes it over; of several
 * that wait the last one counts. */
struct tn_upstream_job {
    struct tn_arena *arena;
    struct tn_intent *intent; /* A reference. */
    struct tn_device_report *reports;
    size_t n_reports;
    const struct tn_status_folder *folders;
    size_t n_folders;
};
void tn_upstream_publish(struct tn_upstream *upstream,
                         struct tn_upstream_job *job);

/* All devices hold it, verified: 'tenet rollback' may go back to it. */
void tn_upstream_good(struct tn_upstream *upstream, struct tn_intent *intent);

/* 'commit' failed its probes: it is quarantined, and 'former_commit' ("": not
 * known) is held until the branch moves on.  'former' (a reference, which the
 * thread takes over; may be null) is what is followed meanwhile. */
struct tn_upstream_failure {
    char commit[65], former_commit[65];
    struct tn_intent *former;
    char why[512];
};
void tn_upstream_failed(struct tn_upstream *upstream,
                        const struct tn_upstream_failure *failure);

/* Ends what is under way, and the thread: true if it did until the deadline. */
void tn_upstream_stop(struct tn_upstream *upstream);
bool tn_upstream_join(struct tn_upstream *upstream, int64_t deadline_ms);

const char *tn_refusal_name(enum tn_refusal refusal);

#endif
