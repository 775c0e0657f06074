/* replica_part.h - what the files of the replica share.
 *
 * replica.c makes it and answers questions, intake.c takes what the server
 * sends. */
#ifndef TN_OVSDB_REPLICA_PART_H
#define TN_OVSDB_REPLICA_PART_H

#include "drivers/ovsdb/pack.h"
#include "drivers/ovsdb/replica.h"
#include "drivers/ovsdb/rows.h"
#include "model/base/arena.h"

struct tn_copied_table {
    const char *name;
    const char *const *wanted; /* As asked for; ends with null. */
    json_t *where;             /* Null: all rows. */
    bool optional, there;
    struct tn_rows rows;
    struct tn_layout *layout; /* The columns that the schema has; owned. */
    struct tn_layout *former; /* That of the rows, while it is another one. */
    json_t *shown;            /* The rows as JSON, if somebody asked. */
    uint32_t message;         /* The last one that told of it. */
};

/* One row that changed, to be told when the message is done. */
struct tn_row_change {
    const char *table;
    struct tn_ovsdb_row *was, *now; /* Null: it came; it went. */
};

struct tn_replica {
    struct tn_arena *arena; /* Names; and this. */
    struct tn_copied_table *tables;
    size_t n_tables;
    tn_replica_changed_fn *changed;
    void *ctx;
    struct tn_replica_limits limits;
    struct tn_replica_counts counts;
    uint64_t secret;     /* Of the sets of rows. */
    uint32_t message;    /* Number of what was sent. */
    struct tn_rows gone; /* Of the table at work, in this message. */
    struct tn_packing packing, ignored;
    struct tn_row_change *changes;
    size_t n_changes, cap_changes;
};

/* Null: no such table. */
struct tn_copied_table *tn_copied_table_find(const struct tn_replica *r,
                                             const char *name, size_t n);

#endif
