/* value.h - OVSDB's values in JSON (RFC 7047, 5.1), as they are written.
 *
 * A set of one may stand without its frame, a set of none is ["set",[]], and
 * neither sets nor maps have an order.  Constructors return new references;
 * members are taken. */
#ifndef TN_OVSDB_VALUE_H
#define TN_OVSDB_VALUE_H

#include <jansson.h>
#include <stdbool.h>

json_t *tn_ovsdb_uuid(const char *uuid);       /* ["uuid", ...] */
json_t *tn_ovsdb_named_uuid(const char *name); /* ["named-uuid", ...] */
json_t *tn_ovsdb_set(void);                    /* ["set", []] */
void tn_ovsdb_set_add(json_t *set, json_t *atom);
json_t *tn_ovsdb_map(void); /* ["map", []] */
void tn_ovsdb_map_add(json_t *map, json_t *key, json_t *value);

/* Text of a "uuid" atom; null: it is none. */
const char *tn_ovsdb_uuid_of(const json_t *atom);

/* 8-4-4-4-12 digits, lower case. */
bool tn_ovsdb_is_uuid(const char *text);

#endif
