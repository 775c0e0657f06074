/* part.h - what the files that turn objects into resources and back share. */
#ifndef TN_NSX_PART_H
#define TN_NSX_PART_H

#include <jansson.h>

#include "drivers/nsx/object.h"

/* Sets a field by its index; null: nothing. */
void tn_nsx_draft_value(struct tn_nsx_draft *d, size_t field,
                        const json_t *value);

/* The value of the first tag of that scope, borrowed; null: there is none. */
const char *tn_nsx_tag(const json_t *object, const char *scope);

/* An object that was read, and what it is to us. */
struct tn_nsx_found {
    const struct tn_nsx_kind *kind;
    const char *path;
    const json_t *json;
    const char *key, *name, *scope;
    enum tn_owner owner;
    bool unmarked;                    /* Shown as the attribute "mark". */
    const struct tn_nsx_object *want; /* What it is compared with, or null. */
};

/* The resource; only JSON is copied to 'arena'. */
struct tn_resource tn_nsx_resource(struct tn_arena *arena,
                                   const struct tn_nsx_found *found);

/* New: what is to be written so that 'have' (null: nothing is there) becomes
 * 'r', with marks of 'instance'.  TN_EUNSUPPORTED, at the line of 'r': there
 * are more tags, or longer ones, than NSX can hold. */
enum tn_code tn_nsx_body(const struct tn_resource *r,
                         const struct tn_nsx_object *have, const char *instance,
                         json_t **out, struct tn_error *err) TN_MUST_USE;

/* Last word of a path. */
const char *tn_nsx_path_id(const char *path);

#endif
