/* keep.h - tenants whose documents are broken: the last good ones stand in.
 *
 * A commit in which some tenants have errors is compiled as if their folders
 * were still those of a former commit: its tree with 'tenants/<tenant>' of the
 * last commit that was followed and in which the tenant was whole.  That is one
 * tree, compiled by the rules of every other: with the settings and the
 * inventory of now, both sides of a peering from the same intent, and no
 * identifier twice.  The tenant's objects stay known, and are healed, while
 * all others follow the commit.
 *
 * What is in use stays: a tenant that claims, in the new commit, what such a
 * tenant holds is refused with a finding of its own, and is then itself kept.
 * A tenant whose last good documents do not fit any more (a port's host left
 * the inventory, say) is held, as one of which nothing is known: devices keep
 * what they have of it, and nobody looks after it. */
#ifndef TN_APPLY_KEEP_H
#define TN_APPLY_KEEP_H

#include "model/compile/compile.h"

/* A tenant whose documents are broken. */
struct tn_kept {
    const char *tenant;
    const char
        *since;       /* The first of the commits in a row in which they are. */
    const char *good; /* The last commit in which they were not; null: not
                         known. */
    bool in_force;    /* What 'good' says is what is wanted.  Else what
                         devices have of the tenant is held. */
    const char *why;  /* Why it is not, although 'good' is known; null. */
};

/* What is known from before. */
struct tn_keep {
    const char *commit; /* What was followed: tenants that are broken only now
                           were whole there.  Null: nothing is known. */
    const struct tn_kept *tenants; /* Those that were broken there; in any */
    size_t n_tenants;              /* order. */
    const struct tn_pin *pins;     /* Identifiers in use there, by tenant, */
    size_t n_pins;                 /* object.  May be empty. */
};

/* Null if there is no such tenant. */
const struct tn_kept *tn_kept_get(const struct tn_kept *kept, size_t n,
                                  const char *tenant);

struct tn_keep_job {
    const char *repo;         /* Where former commits are. */
    const char *commit;       /* The one being compiled. */
    struct tn_source *source; /* Of it; replaced by what was compiled.  The
                                 caller's, before and after. */
    const struct tn_compile_options *options;
    const struct tn_keep *keep; /* Null: broken tenants are held. */
    struct tn_arena *arena;     /* For all of the following. */
    struct tn_diags *diags;     /* Of a broken tenant: what is wrong with it in
                                   'commit'. */
    const struct tn_network *network;
    struct tn_compile_stats stats;
    const struct tn_kept *kept; /* All broken tenants, by name. */
    size_t n_kept;
};

/* tn_compile() with the last good documents of broken tenants.  In the usual
 * case, that there are none, it costs the same; else as much again for each
 * further compile, which has the cache's help. */
enum tn_code tn_keep_compile(struct tn_keep_job *job,
                             struct tn_error *err) TN_MUST_USE;

/* "broken since commit X; kept at commit Y": new in 'arena'. */
const char *tn_kept_text(const struct tn_kept *kept, struct tn_arena *arena);

#endif
