/* value_lab.h - values of the copy as text, for tests: as tn_ovsdb_row_json()
 * makes them. */
#ifndef TN_OVSDB_VALUE_LAB_H
#define TN_OVSDB_VALUE_LAB_H

#include <jansson.h>
#include <stddef.h>

#include "model/base/text.h"

/* Appends the value as "a, b", of a map as "k=v, k2=v2".  A text that could be
 * mistaken is quoted and escaped. */
void tn_value_print(struct tn_text *out, const json_t *value);

/* Number of elements of a set or map; a lone atom is one. */
size_t tn_value_elements(const json_t *value);

#endif
