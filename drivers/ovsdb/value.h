/* value.h - OVSDB's values in JSON (RFC 7047, 5.1): building and reading.
 *
 * A set of one may stand without its frame, a set of none is ["set",[]], and
 * neither sets nor maps have an order: readers take every spelling, writers use
 * one.  Constructors return new references; members are taken.
 *
 * Readers take null for a column that is absent from a row: the empty set, the
 * empty map.  What is no value at all is read as empty, too. */
#ifndef TN_OVSDB_VALUE_H
#define TN_OVSDB_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/base/text.h"

json_t *tn_ovsdb_uuid(const char *uuid);       /* ["uuid", ...] */
json_t *tn_ovsdb_named_uuid(const char *name); /* ["named-uuid", ...] */
json_t *tn_ovsdb_set(void);                    /* ["set", []] */
void tn_ovsdb_set_add(json_t *set, json_t *atom);
json_t *tn_ovsdb_map(void); /* ["map", []] */
void tn_ovsdb_map_add(json_t *map, json_t *key, json_t *value);

/* Number of atoms (a lone atom: 1), and the i-th; borrowed. */
size_t tn_ovsdb_set_n(const json_t *value);
json_t *tn_ovsdb_set_at(const json_t *value, size_t i);
/* Text of a "uuid" atom; null: it is none. */
const char *tn_ovsdb_uuid_of(const json_t *atom);
/* Text of an atom of text, else of "uuid", else "". */
const char *tn_ovsdb_text_of(const json_t *atom);

/* Number of pairs, and the i-th: its key, and its value in '*value'; borrowed.
 */
size_t tn_ovsdb_map_n(const json_t *map);
json_t *tn_ovsdb_map_at(const json_t *map, size_t i, json_t **value);
/* Value of a key of text in a map of texts; null: absent. */
const char *tn_ovsdb_map_get(const json_t *map, const char *key);

/* 8-4-4-4-12 digits, lower case. */
bool tn_ovsdb_is_uuid(const char *text);

/* A total order of atoms, that of the server among atoms of one type. */
int tn_ovsdb_atom_cmp(const json_t *a, const json_t *b);

/* Appends the value in a normal form: sets and maps sorted, as "a, b" and
 * "k=v, k2=v2"; equal values print equally.  A text that could be mistaken is
 * quoted and escaped. */
void tn_ovsdb_print(struct tn_text *out, const json_t *value);
bool tn_ovsdb_equal(const json_t *a, const json_t *b);

#endif
