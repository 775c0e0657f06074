/* chunk.h - steps as intents, and intents as requests: pure.
 *
 * An intent is one object to write or to delete.  A request takes a run of them
 * that are all written or all deleted, at most as many as it may; the server
 * orders what is inside, the order of steps is that of requests. */
#ifndef TN_NSX_CHUNK_H
#define TN_NSX_CHUNK_H

#include "drivers/driver.h"
#include "drivers/nsx/object.h"

enum tn_nsx_fate {
    TN_NSX_TODO,
    TN_NSX_LATER, /* Refused for now; the others go first. */
    TN_NSX_SETTLED,
    TN_NSX_WAITS, /* TN_STEP_WAITING. */
};

struct tn_nsx_intent {
    size_t step;
    bool gone;                        /* It is to be deleted. */
    const struct tn_resource *r;      /* The step's 'after' or, of one to
                                         delete, 'before'. */
    const struct tn_resource *before; /* Null: it is to be created. */
    const struct tn_nsx_object *have; /* As it is now; null: nothing is. */
    enum tn_nsx_fate fate;
};

const char *tn_nsx_intent_path(const struct tn_nsx_intent *intent);

/* New.  Of replacements that follow one another all deletions come first, in
 * reverse. */
struct tn_nsx_intent *tn_nsx_intents(struct tn_arena *arena,
                                     const struct tn_step *steps, size_t n,
                                     size_t *n_out);

/* Where the chunk that begins there ends: 'most' counts as NSX does. */
size_t tn_nsx_chunk_end(const struct tn_nsx_intent *intents, size_t n,
                        size_t begin, size_t most);

/* Which of those yet to do a refusal is about: the one whose path or, if there
 * is none, whose id it names first; 'n': it does not say. */
size_t tn_nsx_blame(const struct tn_nsx_intent *intents, size_t n,
                    const char *text);

/* Does 'a' need that 'b' is done? */
bool tn_nsx_needs(const struct tn_nsx_intent *a, const struct tn_nsx_intent *b);

/* How many of the run may go by one request if nothing may be deleted together
 * with what it stands in. */
size_t tn_nsx_flat(const struct tn_nsx_intent *intents, size_t n);

#endif
