/* decide.c - the decision table.
 *
 * One array, indexed by the answers to three questions.  A cell that is not
 * written here has number 0 and cannot occur: an object that is wanted exactly
 * as before cannot be "as before, but not as wanted", and a key that is in none
 * of the three states is never asked about.  Numbers are for life: a row that
 * is dropped leaves a gap, a new row takes the next number.
 *
 * The table knows nothing of order, of claims or of what hangs on what: see
 * order.c and cascade.c. */
#include "reconciler/plan/decide.h"

#include <assert.h>

static const struct tn_decision rules[TN_N_LAST][TN_N_WANT][TN_N_HAVE] = {
    [TN_LAST_UNKNOWN][TN_WANT_PRESENT] =
        {
            [TN_HAVE_ABSENT] = {1, TN_DO_CREATE, TN_CAUSE_INTENT,
                                "It is wanted and not there."},
            [TN_HAVE_WANTED] = {2, TN_DO_LEAVE, TN_CAUSE_NONE,
                                "It is there as wanted."},
            [TN_HAVE_OTHER] = {3, TN_DO_CHANGE, TN_CAUSE_INTENT,
                               "It bears our mark and is not as wanted; who "
                               "moved is not known, so Git is taken for it."},
            [TN_HAVE_BLOCKED] = {4, TN_DO_REFUSE, TN_CAUSE_INTENT,
                                 "What is not ours is never touched."},
        },
    [TN_LAST_ABSENT][TN_WANT_PRESENT] =
        {
            [TN_HAVE_ABSENT] = {5, TN_DO_CREATE, TN_CAUSE_INTENT,
                                "A commit added it."},
            [TN_HAVE_WANTED] = {6, TN_DO_LEAVE, TN_CAUSE_NONE,
                                "A commit added it and it is there: an apply "
                                "was interrupted after making it."},
            [TN_HAVE_OTHER] = {7, TN_DO_CHANGE, TN_CAUSE_BOTH,
                               "A commit added it, but something else with our "
                               "mark is there already."},
            [TN_HAVE_BLOCKED] = {8, TN_DO_REFUSE, TN_CAUSE_INTENT,
                                 "A commit added it, but what is not ours is "
                                 "in its place and never touched."},
        },
    [TN_LAST_SAME][TN_WANT_PRESENT] =
        {
            [TN_HAVE_ABSENT] = {9, TN_DO_CREATE, TN_CAUSE_DRIFT,
                                "It was removed outside Git."},
            [TN_HAVE_WANTED] = {10, TN_DO_LEAVE, TN_CAUSE_NONE,
                                "Nothing has moved."},
            [TN_HAVE_OTHER] = {11, TN_DO_CHANGE, TN_CAUSE_DRIFT,
                               "It was changed outside Git."},
            [TN_HAVE_BLOCKED] = {12, TN_DO_REFUSE, TN_CAUSE_DRIFT,
                                 "It was removed outside Git and what is not "
                                 "ours took its place."},
        },
    [TN_LAST_OTHER][TN_WANT_PRESENT] =
        {
            [TN_HAVE_ABSENT] = {13, TN_DO_CREATE, TN_CAUSE_BOTH,
                                "A commit changed it, and it was removed "
                                "outside Git."},
            [TN_HAVE_WANTED] = {14, TN_DO_LEAVE, TN_CAUSE_NONE,
                                "A commit changed it and it is so already: an "
                                "apply was interrupted after changing it."},
            [TN_HAVE_FORMER] = {15, TN_DO_CHANGE, TN_CAUSE_INTENT,
                                "A commit changed it."},
            [TN_HAVE_OTHER] = {16, TN_DO_CHANGE, TN_CAUSE_BOTH,
                               "A commit changed it, and it was changed "
                               "outside Git too: Git wins."},
            [TN_HAVE_BLOCKED] = {17, TN_DO_REFUSE, TN_CAUSE_BOTH,
                                 "A commit changed it, but it was removed "
                                 "outside Git and what is not ours took its "
                                 "place."},
        },
    [TN_LAST_UNKNOWN][TN_WANT_ABSENT] =
        {
            [TN_HAVE_OTHER] = {18, TN_DO_DELETE, TN_CAUSE_INTENT,
                               "It bears our mark and no commit wants it."},
            [TN_HAVE_BLOCKED] = {19, TN_DO_LEAVE, TN_CAUSE_NONE,
                                 "It is foreign: shown, never touched."},
        },
    [TN_LAST_ABSENT][TN_WANT_ABSENT] =
        {
            [TN_HAVE_OTHER] = {20, TN_DO_DELETE, TN_CAUSE_DRIFT,
                               "It bears our mark, but neither this commit nor "
                               "the one before wants it: it was made outside "
                               "Git, or an apply was interrupted."},
            [TN_HAVE_BLOCKED] = {21, TN_DO_LEAVE, TN_CAUSE_NONE,
                                 "It is foreign: shown, never touched."},
        },
    [TN_LAST_OTHER][TN_WANT_ABSENT] =
        {
            [TN_HAVE_ABSENT] = {22, TN_DO_LEAVE, TN_CAUSE_NONE,
                                "A commit removed it, and it is gone."},
            [TN_HAVE_FORMER] = {23, TN_DO_DELETE, TN_CAUSE_INTENT,
                                "A commit removed it."},
            [TN_HAVE_OTHER] = {24, TN_DO_DELETE, TN_CAUSE_BOTH,
                               "A commit removed it, and it was changed "
                               "outside Git before that was applied."},
            [TN_HAVE_BLOCKED] = {25, TN_DO_LEAVE, TN_CAUSE_NONE,
                                 "A commit removed it, and a foreign object "
                                 "took its place: shown, never touched."},
        },
    [TN_LAST_UNKNOWN][TN_WANT_HELD] =
        {
            [TN_HAVE_ABSENT] = {26, TN_DO_LEAVE, TN_CAUSE_NONE,
                                "Its scope is held: nothing is made in it."},
            [TN_HAVE_OTHER] = {27, TN_DO_LEAVE, TN_CAUSE_NONE,
                               "Its scope is held: it stays as it is."},
            [TN_HAVE_BLOCKED] = {28, TN_DO_LEAVE, TN_CAUSE_NONE,
                                 "It is foreign: shown, never touched."},
        },
    [TN_LAST_ABSENT][TN_WANT_HELD] =
        {
            [TN_HAVE_ABSENT] = {29, TN_DO_LEAVE, TN_CAUSE_NONE,
                                "Its scope is held: nothing is made in it."},
            [TN_HAVE_OTHER] = {30, TN_DO_LEAVE, TN_CAUSE_NONE,
                               "Its scope is held: it stays as it is."},
            [TN_HAVE_BLOCKED] = {31, TN_DO_LEAVE, TN_CAUSE_NONE,
                                 "It is foreign: shown, never touched."},
        },
    [TN_LAST_OTHER][TN_WANT_HELD] =
        {
            [TN_HAVE_ABSENT] = {32, TN_DO_LEAVE, TN_CAUSE_NONE,
                                "Its scope is held: drift is not healed "
                                "either."},
            [TN_HAVE_FORMER] = {33, TN_DO_LEAVE, TN_CAUSE_NONE,
                                "Its scope is held: it stays as it is."},
            [TN_HAVE_OTHER] = {34, TN_DO_LEAVE, TN_CAUSE_NONE,
                               "Its scope is held: drift is not healed "
                               "either."},
            [TN_HAVE_BLOCKED] = {35, TN_DO_LEAVE, TN_CAUSE_NONE,
                                 "It is foreign: shown, never touched."},
        },
};

const struct tn_decision *
tn_decide(enum tn_last last, enum tn_want want, enum tn_have have)
{
    assert(last < TN_N_LAST && want < TN_N_WANT && have < TN_N_HAVE);
    return &rules[last][want][have];
}

const char *
tn_last_text(enum tn_last last)
{
    static const char *const text[TN_N_LAST] = {
        [TN_LAST_UNKNOWN] = "unknown",
        [TN_LAST_ABSENT] = "absent",
        [TN_LAST_SAME] = "as now",
        [TN_LAST_OTHER] = "other",
    };
    return text[last];
}

const char *
tn_want_text(enum tn_want want)
{
    static const char *const text[TN_N_WANT] = {
        [TN_WANT_ABSENT] = "absent",
        [TN_WANT_PRESENT] = "present",
        [TN_WANT_HELD] = "held",
    };
    return text[want];
}

const char *
tn_have_text(enum tn_have have)
{
    static const char *const text[TN_N_HAVE] = {
        [TN_HAVE_ABSENT] = "absent",
        [TN_HAVE_WANTED] = "ours, as wanted",
        [TN_HAVE_FORMER] = "ours, as before",
        [TN_HAVE_OTHER] = "ours, other",
        [TN_HAVE_BLOCKED] = "foreign",
    };
    return text[have];
}

const char *
tn_action_text(enum tn_action action)
{
    static const char *const text[] = {
        [TN_DO_LEAVE] = "leave",   [TN_DO_CREATE] = "create",
        [TN_DO_CHANGE] = "change", [TN_DO_DELETE] = "delete",
        [TN_DO_REFUSE] = "refuse",
    };
    return text[action];
}
