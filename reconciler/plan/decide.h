/* decide.h - the decision table: what to do with one key.
 *
 * Private to reconciler/plan and its tests.  Three questions are asked of each
 * key, and the table in decide.c answers them; docs/decisions.md is printed
 * from it, and its row numbers are the names of the tests. */
#ifndef TN_RECONCILER_PLAN_DECIDE_H
#define TN_RECONCILER_PLAN_DECIDE_H

#include "reconciler/plan/plan.h"

/* What did the commit applied last want? */
enum tn_last {
    TN_LAST_UNKNOWN, /* Nothing is known of the device. */
    TN_LAST_ABSENT,
    TN_LAST_SAME,  /* Just what is wanted now. */
    TN_LAST_OTHER, /* Something else than now (if nothing is wanted now, or
                      nobody knows: anything). */
    TN_N_LAST,
};

/* What is wanted now? */
enum tn_want {
    TN_WANT_ABSENT,
    TN_WANT_PRESENT,
    TN_WANT_HELD, /* Nobody knows: the scope is held. */
    TN_N_WANT,
};

/* What does the device hold? */
enum tn_have {
    TN_HAVE_ABSENT,
    TN_HAVE_WANTED,  /* Ours, as wanted now. */
    TN_HAVE_FORMER,  /* Ours, not as wanted now, but as wanted before. */
    TN_HAVE_OTHER,   /* Ours, and neither. */
    TN_HAVE_BLOCKED, /* A foreign object has the key; or nothing has it, but
                        what is wanted claims something that is held by an
                        object which is left alone. */
    TN_N_HAVE,
};

enum tn_action {
    TN_DO_LEAVE,
    TN_DO_CREATE,
    TN_DO_CHANGE, /* Update, or replace if an attribute demands it. */
    TN_DO_DELETE,
    TN_DO_REFUSE, /* A conflict. */
};

struct tn_decision {
    uint16_t number; /* From 1; 0: this cell cannot occur. */
    uint8_t action;  /* enum tn_action */
    uint8_t cause;   /* enum tn_cause */
    const char *why; /* One sentence. */
};

/* Never null, but its number is 0 for a cell that cannot occur. */
const struct tn_decision *tn_decide(enum tn_last last, enum tn_want want,
                                    enum tn_have have);

/* Words of the table's axes and actions, for docs/decisions.md. */
const char *tn_last_text(enum tn_last last);
const char *tn_want_text(enum tn_want want);
const char *tn_have_text(enum tn_have have);
const char *tn_action_text(enum tn_action action);

#endif
