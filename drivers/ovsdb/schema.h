/* schema.h - what a database can hold (RFC 7047, 3.2), as far as we need it.
 *
 * A schema is small: names and types, sorted for looking up; constraints on
 * atoms are the server's business.  It is read from what the server sends and
 * not trusted: a schema that is none is an error. */
#ifndef TN_OVSDB_SCHEMA_H
#define TN_OVSDB_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

enum tn_ovsdb_base {
    TN_OVSDB_VOID, /* The value of what is no map. */
    TN_OVSDB_INTEGER,
    TN_OVSDB_REAL,
    TN_OVSDB_BOOLEAN,
    TN_OVSDB_STRING,
    TN_OVSDB_UUID,
};

struct tn_ovsdb_type {
    enum tn_ovsdb_base key, value;
    unsigned min, max; /* Of elements; UINT_MAX: no limit. */
};

struct tn_ovsdb_column {
    const char *name;
    struct tn_ovsdb_type type;
    const char *refers; /* Table whose rows the key, or else the value, refers
                           to; null: none. */
    bool weak;          /* That reference does not keep the row alive. */
    bool ephemeral, immutable;
};

struct tn_ovsdb_table {
    const char *name;
    const struct tn_ovsdb_column *columns; /* By name. */
    size_t n_columns;
    bool root; /* Rows live without being referred to. */
};

struct tn_ovsdb_schema {
    const char *name, *version;          /* Version: "" if there is none. */
    const struct tn_ovsdb_table *tables; /* By name. */
    size_t n_tables;
};

/* Reads the reply to get_schema.  The schema lives in the arena.
 * TN_EUNAVAILABLE: it is none. */
enum tn_code tn_ovsdb_schema_parse(struct tn_arena *arena, const json_t *json,
                                   const struct tn_ovsdb_schema **out,
                                   struct tn_error *err) TN_MUST_USE;

/* Null: no such table, no such column. */
const struct tn_ovsdb_table *
tn_ovsdb_schema_table(const struct tn_ovsdb_schema *schema, const char *table);
const struct tn_ovsdb_column *
tn_ovsdb_table_column(const struct tn_ovsdb_table *table, const char *column);

static inline bool
tn_ovsdb_type_is_map(const struct tn_ovsdb_type *type)
{
    return type->value != TN_OVSDB_VOID;
}

#endif
