/* probation.h - a commit is on probation until the probes that passed before it
 * pass again.
 *
 *     intent -> probes before -> follow -> all settled -> probes after -+->
 * stays
 *                                                                       +->
 * back
 *
 * The state is a file (<state>/daemon/probation.json), written before the first
 * device is touched: after kill -9 or a restart the judgement goes on where it
 * was, with the probes that have to pass.  A commit that comes while another is
 * on probation takes over what that one had to prove.
 *
 * The probes run in a thread of their own with sessions of their own; all else
 * here is called by the loop. */
#ifndef TN_DAEMON_PROBATION_H
#define TN_DAEMON_PROBATION_H

#include "reconciler/daemon/intent.h"
#include "reconciler/daemon/log.h"

struct tn_probation;

/* What the thread found out, on its way to the loop. */
struct tn_probe_round;
void tn_probe_round_free(struct tn_probe_round *round); /* Accepts null. */

struct tn_probation_options {
    const char *state_dir; /* <state>/daemon; exists.  Copied. */
    const char *cache_dir;
    struct tn_log *log;
    unsigned window_ms; /* So long what passed before may still fail. */
    /* Called by the thread; the round is the callee's. */
    void (*post)(void *ctx, struct tn_probe_round *round);
    void *ctx;
};

enum tn_code tn_probation_open(const struct tn_probation_options *options,
                               struct tn_probation **out,
                               struct tn_error *err) TN_MUST_USE;
/* Accepts null.  False: a device hangs in a probe; all is left to the end of
 * the process. */
bool tn_probation_close(struct tn_probation *probation, int64_t deadline_ms);

/* 'intent' is to be followed in place of 'current' (null: none).  'back': it is
 * a commit to which somebody went back, and has nothing to prove.  True: the
 * probes are asked first, and tn_probation_take() or tn_probation_tick() will
 * say when to follow. */
bool tn_probation_begin(struct tn_probation *probation,
                        struct tn_intent *intent, struct tn_intent *current,
                        bool back) TN_MUST_USE;

enum tn_probation_word {
    TN_PROBATION_NONE,   /* Nothing is to be done. */
    TN_PROBATION_FOLLOW, /* The probes were asked: follow 'intent'. */
    TN_PROBATION_PASSED, /* 'intent' stays. */
    TN_PROBATION_FAILED, /* Go back. */
};

struct tn_probation_verdict {
    enum tn_probation_word word;
    struct tn_intent *intent; /* The caller's reference; null with NONE. */
    struct tn_intent *former; /* FAILED: what was followed before; the caller's
                                 reference; null: not in memory. */
    char former_commit[65];   /* FAILED: its commit; "": not known. */
    char text[512];           /* PASSED, FAILED: in one sentence. */
};

/* Takes a round that arrived. */
void tn_probation_take(struct tn_probation *probation,
                       struct tn_probe_round *round,
                       struct tn_probation_verdict *out);
/* Who waits for probes or devices that do not answer waits no longer. */
void tn_probation_tick(struct tn_probation *probation,
                       struct tn_probation_verdict *out);

/* Something was heard of a device. */
void tn_probation_heard(struct tn_probation *probation);
/* Is this commit still to be judged?  If so, all devices have settled: the
 * probes are asked again. */
bool tn_probation_settled(struct tn_probation *probation,
                          const struct tn_intent *intent);
/* What is being waited for, in a few words; null: nothing is on probation. */
const char *tn_probation_state(const struct tn_probation *probation);

#endif
