/* canon.h - one spelling for every value of a field.
 *
 * What is wanted and what was read become the same JSON if they mean the same:
 * defaults of the server are left out, sets are sorted, numbers and addresses
 * have one spelling, and of objects only the members that their shape names
 * are left.  Files of this folder only. */
#ifndef TN_NSX_CANON_H
#define TN_NSX_CANON_H

#include <jansson.h>

#include "drivers/nsx/object.h"

/* New; null: absent, or what the server fills in.  'value' may be null. */
json_t *tn_nsx_canon(const struct tn_nsx_field *field, const json_t *value);

/* New: the value of a field that is given as text. */
json_t *tn_nsx_canon_read(const struct tn_nsx_field *field, const char *text);

/* Compact, members sorted; null for null. */
const char *tn_nsx_canon_text(struct tn_arena *arena, const json_t *value);

/* As plans show it: texts without quotes, lists joined by ", ". */
const char *tn_nsx_canon_show(struct tn_arena *arena,
                              const struct tn_nsx_field *field,
                              const json_t *canonical);

/* The member "a.b" of an object, borrowed; null: there is none. */
json_t *tn_nsx_member(const json_t *object, const char *name);
/* Sets it and takes 'value'; null removes it. */
void tn_nsx_member_set(json_t *object, const char *name, json_t *value);

/* New: 'have' changed to what 'canonical' says (null: to nothing), with all
 * that the field does not speak of kept.  Null: the member is to go. */
json_t *tn_nsx_canon_merge(const struct tn_nsx_field *field, const json_t *have,
                           const json_t *canonical);

#endif
