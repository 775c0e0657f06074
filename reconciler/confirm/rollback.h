/* rollback.h - which commit to hold when the newest one is not good.
 *
 * A quarantined commit is never applied.  Whoever decides what to apply asks
 * tn_rollback_target() with the commit the branch stands at: it is that one
 * unless it is quarantined; else the pinned one, else the last that was good.
 * When the branch moves on to a commit that is not quarantined, intent resumes
 * by itself.
 *
 * The list is kept twice: in the state directory, so that it holds when Git
 * cannot be written, and as quarantine.yml on the status ref, so that everybody
 * sees it and other machines obey it.  The two are joined by entry, the later
 * word about a commit counts. */
#ifndef TN_CONFIRM_ROLLBACK_H
#define TN_CONFIRM_ROLLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/text.h"
#include "reconciler/status/status.h"

#define TN_ROLLBACK_PATH "quarantine.yml" /* On the status ref. */

/* Entries that are kept; the oldest released ones go first. */
enum { TN_ROLLBACK_ENTRIES = 200, TN_ROLLBACK_GOOD = 50 };

struct tn_quarantine {
    const char *commit; /* Hexadecimal, whole. */
    const char *reason, *who;
    int64_t since;    /* Seconds since 1970 UTC. */
    int64_t released; /* When it was let go again; 0: it was not. */
};

/* The commit that is held while the branch stands at a quarantined one. */
struct tn_rollback_pin {
    const char *commit; /* Null: none. */
    const char *reason, *who;
    int64_t since; /* Of the last word on it, also of "none". */
};

struct tn_good {
    const char *commit; /* All devices of the environment held it, verified. */
    const char *environment;
    int64_t since;
};

struct tn_rollback {
    struct tn_rollback_pin pin;
    const struct tn_quarantine *entries; /* By commit. */
    size_t n_entries;
    const struct tn_good *good; /* The latest first. */
    size_t n_good;
};

/* Who asks, and when. */
struct tn_rollback_word {
    const char *reason, *who;
    int64_t now;
};

/* All of these are pure: '*out' is new in 'arena' and may point into 'in'. */
void tn_rollback_quarantine(struct tn_arena *arena,
                            const struct tn_rollback *in, const char *commit,
                            const struct tn_rollback_word *word,
                            struct tn_rollback *out);
/* Lets one commit go again, or all of them (null), and drops the pin. */
void tn_rollback_release(struct tn_arena *arena, const struct tn_rollback *in,
                         const char *commit, int64_t now,
                         struct tn_rollback *out);
void tn_rollback_set_pin(struct tn_arena *arena, const struct tn_rollback *in,
                         const char *commit,
                         const struct tn_rollback_word *word,
                         struct tn_rollback *out);
/* A commit was applied and verified on all devices of the environment. */
void tn_rollback_applied(struct tn_arena *arena, const struct tn_rollback *in,
                         const char *commit, const char *environment,
                         int64_t now, struct tn_rollback *out);
/* The later word counts; 'a' and 'b' in any order give the same. */
void tn_rollback_join(struct tn_arena *arena, const struct tn_rollback *a,
                      const struct tn_rollback *b, struct tn_rollback *out);

/* The entry if the commit is quarantined now, else null. */
const struct tn_quarantine *
tn_rollback_quarantined(const struct tn_rollback *state, const char *commit);

enum tn_rollback_choice {
    TN_CHOOSE_TIP,    /* What the branch stands at. */
    TN_CHOOSE_PINNED, /* The tip is quarantined: what was pinned. */
    TN_CHOOSE_GOOD,   /* The tip is quarantined: the last good one. */
    TN_CHOOSE_HOLD,   /* The tip is quarantined and nothing else is known to be
                         good: leave everything as it is. */
};

/* What to apply while the branch stands at 'tip': '*commit' points into 'state'
 * or is 'tip'; null with TN_CHOOSE_HOLD. */
enum tn_rollback_choice tn_rollback_target(const struct tn_rollback *state,
                                           const char *tip,
                                           const char *environment,
                                           const char **commit);

/* The last commit known to be good that is neither 'bad' nor quarantined; null
 * if there is none.  Where the list is empty (the first rollback ever) the
 * commits of the devices on the status ref are asked: one that all of them hold
 * and is not 'bad'. */
const char *tn_rollback_choose(const struct tn_rollback *state,
                               const struct tn_status *status,
                               const char *environment, const char *bad);

/* The file, on disk and on the ref. */
void tn_rollback_print(struct tn_text *out, const struct tn_rollback *state);
/* False: '*why' says in one sentence what is wrong; the bytes may be
 * hostile. */
bool tn_rollback_parse(struct tn_arena *arena, const char *bytes, size_t n,
                       struct tn_rollback *out, const char **why) TN_MUST_USE;

/* Reads both places and joins them; either may be null.  What cannot be read or
 * understood counts as absent and is told in '*damage' (null if none): it must
 * not stop healing, but a person has to know that a quarantine may be
 * missing. */
void tn_rollback_load(const char *state_dir, const char *repo, const char *ref,
                      struct tn_arena *arena, struct tn_rollback *out,
                      const char **damage);

/* Writes the disk first, then the ref.  The disk alone is enough for this
 * machine to obey: a ref that cannot be written is an error that says so. */
enum tn_code tn_rollback_save(const char *state_dir, const char *repo,
                              const char *ref, const struct tn_rollback *state,
                              const char *message,
                              struct tn_error *err) TN_MUST_USE;

#endif
