/* delta.h - values under their types: checked, in one spelling, and changed by
 * a difference (ovsdb-server(7), 4.1.14).
 *
 * In the copy, sets and maps are sorted, and a set of one is bare.  So a change
 * of one element among ten thousand is found by halving, not by looking at
 * all. */
#ifndef TN_OVSDB_DELTA_H
#define TN_OVSDB_DELTA_H

#include <jansson.h>
#include <stdbool.h>

#include "drivers/ovsdb/schema.h"

/* Is what the peer sent of the type?  If it was spelled in another way than
 * ours, '*other' becomes a new value to use in its place, else it is left
 * alone; arrays inside 'value' may be sorted.  On false, '*why' is static text.
 * 'diff': it is a difference, which may have more elements than a value. */
bool tn_ovsdb_check(const struct tn_ovsdb_type *type, json_t *value, bool diff,
                    json_t **other, const char **why) TN_MUST_USE;

/* Is it what a column holds that nobody has set?  For values in our spelling,
 * and null. */
bool tn_ovsdb_is_default(const struct tn_ovsdb_type *type, const json_t *value);

/* A difference applied to a value, both in our spelling.  New; 'value' itself
 * may have been changed if it has many elements.  Null: the result would not be
 * of the type. */
json_t *tn_ovsdb_patched(const struct tn_ovsdb_type *type, json_t *value,
                         json_t *diff);

/* A copy that tn_ovsdb_patched() on the original does not touch; new. */
json_t *tn_ovsdb_value_keep(json_t *value);

/* Number of elements; of a lone atom 1.  In our spelling. */
size_t tn_ovsdb_value_n(const json_t *value);

#endif
