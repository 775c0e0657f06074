/* probe_rounds.h - the thread that runs probes, so that the loop need not wait
 * for them.
 *
 * One question at a time: a new one ends the one before.  Each round opens
 * sessions of its own, for the devices at which probes start. */
#ifndef TN_DAEMON_PROBE_ROUNDS_H
#define TN_DAEMON_PROBE_ROUNDS_H

#include "reconciler/daemon/probation.h"

/* The question, and later the answer. */
struct tn_probe_round {
    struct tn_arena *arena;   /* Of all that follows. */
    uint64_t serial;          /* The asker's: which question this was. */
    struct tn_intent *intent; /* Whose probes are run; a reference. */
    struct tn_intent *where;  /* In whose network; a reference. */
    unsigned window_ms;       /* 0: one round, whatever comes of it.  Else until
                                 all of 'required' pass, and not longer. */
    const char *const *required; /* Names. */
    size_t n_required;

    /* The answer. */
    const char *const *passed; /* Names, of the last round. */
    size_t n_passed;
    bool fine;        /* All of 'required' pass. */
    const char *text; /* In one sentence. */
};

struct tn_probe_rounds;

/* As the options of a probation; 'post' is called with each answer, also of
 * questions that nobody waits for any more. */
enum tn_code tn_probe_rounds_new(const struct tn_probation_options *options,
                                 struct tn_probe_rounds **out,
                                 struct tn_error *err) TN_MUST_USE;
/* Takes the question over. */
void tn_probe_rounds_ask(struct tn_probe_rounds *rounds,
                         struct tn_probe_round *round);
/* Accepts null.  False: it hangs in a device. */
bool tn_probe_rounds_close(struct tn_probe_rounds *rounds, int64_t deadline_ms);

#endif
