/* replica_part.h - what the files of the replica share.
 *
 * replica.c makes it and answers questions, intake.c takes what the server
 * sends. */
#ifndef TN_OVSDB_REPLICA_PART_H
#define TN_OVSDB_REPLICA_PART_H

#include "drivers/ovsdb/replica.h"
#include "model/base/arena.h"

/* Defaults of columns: one value each for all. */
enum tn_nothing {
    TN_NO_ELEMENT,
    TN_NO_PAIR,
    TN_NO_NUMBER,
    TN_NO_REAL,
    TN_NO_TRUTH,
    TN_NO_TEXT,
    TN_NO_ROW,
    TN_N_NOTHING
};

struct tn_copied_table {
    const char *name;
    const char *const *wanted; /* As asked for; ends with null. */
    json_t *where;             /* Null: all rows. */
    json_t *rows;
    bool optional, there;
    struct tn_ovsdb_column *columns; /* That the schema has, by name; owned. */
    size_t n_columns;
};

/* One row that changed, to be told when the message is done. */
struct tn_row_change {
    const char *table, *uuid;
    json_t *old, *now; /* Own references. */
};

struct tn_replica {
    struct tn_arena *arena; /* Names; and this. */
    struct tn_copied_table *tables;
    size_t n_tables;
    tn_replica_changed_fn *changed;
    void *ctx;
    struct tn_replica_limits limits;
    struct tn_replica_counts counts;
    json_t *nothing[TN_N_NOTHING];
    struct tn_row_change *changes;
    size_t n_changes, cap_changes;
};

/* Null: no such table, no such column. */
struct tn_copied_table *tn_copied_table_find(const struct tn_replica *r,
                                             const char *name);
const struct tn_ovsdb_column *
tn_copied_column_find(const struct tn_copied_table *t, const char *name);

/* Shared by all columns of the type; borrowed. */
json_t *tn_replica_default(const struct tn_replica *r,
                           const struct tn_ovsdb_type *type);

#endif
