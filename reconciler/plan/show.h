/* show.h - what the printers share: clean text, differing attributes, sets.
 *
 * Private to reconciler/plan and reconciler/review. */
#ifndef TN_RECONCILER_PLAN_SHOW_H
#define TN_RECONCILER_PLAN_SHOW_H

#include "reconciler/plan/plan.h"
#include "reconciler/plan/print.h"

/* Appends 's' so that no terminal obeys it: control characters (C0, DEL, C1),
 * the marks that turn the direction of text, and bytes that are not UTF-8 are
 * escaped, a backslash is doubled. */
void tn_show_text(struct tn_text *out, const char *s);
/* The first 'n' bytes of 's'. */
void tn_show_textn(struct tn_text *out, const char *s, size_t n);
/* Appends 's' as a JSON string with its quotes; always valid UTF-8. */
void tn_show_json(struct tn_text *out, const char *s);

/* Fingerprint of a secret value under 'key': 12 hexadecimal digits. */
enum { TN_FINGERPRINT = 13 };
const char *tn_show_fingerprint(const struct tn_digest *key, const char *value,
                                char buf[TN_FINGERPRINT]);

/* Walks the attributes of two resources (either may be null) side by side.
 *     struct tn_attr_pair p = {0};
 *     while (tn_pair_next(&p, before, after)) ... */
struct tn_attr_pair {
    const struct tn_attr *before, *after; /* Not both null. */
    size_t i, j;
};
bool tn_pair_next(struct tn_attr_pair *pair, const struct tn_resource *before,
                  const struct tn_resource *after);
bool tn_pair_differs(const struct tn_attr_pair *pair);
/* The attribute differs and that can be had by replacing only. */
bool tn_pair_forces(const struct tn_attr_pair *pair);
const char *tn_pair_name(const struct tn_attr_pair *pair);
bool tn_pair_secret(const struct tn_attr_pair *pair);

/* Members of two sets, joined by ", ". */
struct tn_set_diff {
    const char **added, **removed; /* Sorted; new in the arena. */
    size_t n_added, n_removed, n_kept;
};
/* False if one of the values is no set (a single word, or prose). */
bool tn_set_diff(struct tn_arena *arena, const char *before, const char *after,
                 struct tn_set_diff *out);

/* Origin as "path:line"; false (and nothing appended) if not known. */
bool tn_show_origin(struct tn_text *out, const struct tn_origin *origin);

/* A change as people see it: a replacement in halves is one. */
struct tn_shown {
    const struct tn_change *change; /* The whole, or the creating half. */
    const struct tn_resource *before, *after;
    struct tn_digest expect; /* Of 'before'. */
};
/* All changes of a device, in order of execution: new in 'arena'. */
struct tn_shown *tn_show_changes(struct tn_arena *arena,
                                 const struct tn_device_plan *device,
                                 size_t *n);

#endif
