/* settle.h - what crosses tenants, settled from the parts of all of them.
 *
 * A conflict between two tenants is never the failure of the one that was
 * there first: whoever the status ref knows as the holder keeps what it has.
 * Between two newcomers the order of names decides, and a tenant that failed
 * on its own yields to one that did not. */
#ifndef TN_COMPILE_SETTLE_H
#define TN_COMPILE_SETTLE_H

#include "model/compile/intent.h"

/* All parts, by tenant. */
struct tn_parts {
    struct tn_part **items;
    size_t n;
};

/* Null if there is no such tenant. */
struct tn_part *tn_parts_get(const struct tn_parts *parts, const char *tenant);

/* A finding of a part's tenant; an error marks the part failed. */
struct tn_diag *tn_part_diag(struct tn_part *part, struct tn_diags *diags,
                             enum tn_diag_severity severity,
                             struct tn_origin at, const char *fmt, ...)
    TN_PRINTF(5, 6) TN_RETURNS_NONNULL;

/* Gives every claim its VNI (part->vnis, and the loaded networks). */
void tn_settle_vnis(const struct tn_world *world, const struct tn_parts *parts,
                    struct tn_arena *arena, struct tn_diags *diags);
/* Finds ports of different tenants on one interface of a host; true if there
 * is none.  'clean': parts from the cache are known not to collide with each
 * other. */
bool tn_settle_attaches(const struct tn_parts *parts, bool clean,
                        struct tn_arena *arena, struct tn_diags *diags);
/* Adds a hint to findings about names that only other tenants have. */
void tn_settle_hints(const struct tn_parts *parts);

/* Connects VPCs to the external networks that they ask for. */
void tn_settle_externals(const struct tn_world *world,
                         const struct tn_parts *parts);

/* Judges all peerings and connects those of healthy tenants.  'held' gets the
 * scopes of network.h, sorted. */
void tn_settle_peerings(const struct tn_world *world,
                        const struct tn_parts *parts, struct tn_arena *arena,
                        struct tn_diags *diags, const char *const **held,
                        size_t *n_held);

#endif
