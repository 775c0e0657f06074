/* gate.h - may the change stay?  A pure decision over two rounds of probes.
 *
 * A probe that passed before the change must pass again before the window ends;
 * one that failed before, or could not be run, decides nothing and is only
 * told.  One that passed before and cannot be run any more counts as failed:
 * the way to run it was part of what worked. */
#ifndef TN_CONFIRM_GATE_H
#define TN_CONFIRM_GATE_H

#include "model/base/text.h"
#include "reconciler/confirm/probes.h"

enum tn_gate_verdict {
    TN_GATE_PASS, /* All that passed before pass. */
    TN_GATE_WAIT, /* Some do not, and there is time left: run them again. */
    TN_GATE_FAIL, /* Some do not, and there is no time left: roll back. */
};

struct tn_gate {
    enum tn_gate_verdict verdict;
    size_t n_required;          /* Passed before. */
    const char *const *missing; /* Names of required ones that do not pass. */
    size_t n_missing;
    const char *const *reported; /* Failed before and still do. */
    size_t n_reported;
    const char *const *healed; /* Failed before and pass now. */
    size_t n_healed;
};

/* 'before' and 'after' are of the same probes in the same order.  'left_ms' is
 * what is left of the window, 0 or less: nothing.  New in 'arena'. */
void tn_gate_decide(struct tn_arena *arena,
                    const struct tn_probe_report *before,
                    const struct tn_probe_report *after, size_t n,
                    int64_t left_ms, struct tn_gate *out);

/* "2 of 3 probes pass that passed before; not: web-to-db (no answer in 1000
 * ms)". */
void tn_gate_print(struct tn_text *out, const struct tn_gate *gate,
                   const struct tn_probe_report *after, size_t n);

#endif
