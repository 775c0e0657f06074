/* commit_part.h - what the files that write transactions share: commit.c makes
 * operations of steps, write.c says rows and values. */
#ifndef TN_OVSDB_COMMIT_PART_H
#define TN_OVSDB_COMMIT_PART_H

#include "drivers/ovsdb/device.h"
#include "drivers/ovsdb/ops.h"
#include "model/base/map.h"

/* Rows that a column of another row is to get or to lose. */
struct tn_ovs_share {
    const char *holder, *column;
    TN_VEC(struct tn_ovs_ref) refs;
    struct tn_ovs_share *next; /* Of the same holder. */
};

struct tn_ovs_shares {
    struct tn_map of; /* Key of the holder -> its first. */
    TN_VEC(struct tn_ovs_share *) all;
};

struct tn_ovs_build {
    struct tn_session *s;
    const struct tn_step *steps;
    size_t n;
    struct tn_arena *arena;
    struct tn_ovs_ops ops;
    TN_VEC(size_t) step_of; /* Of each operation: its step, or n. */
    struct tn_map named;    /* Key -> name of a row that is inserted. */
    struct tn_map gone;     /* Keys of rows that are deleted. */
    struct tn_ovs_shares gains, losses;
    bool *skip;            /* Of each step: nothing is to be done. */
    bool *wait;            /* Of those: as what it needs is not there yet. */
    struct tn_error *late; /* Says for what the first one waits. */
    enum tn_code waits;    /* Its class; TN_OK: none does. */
    char revision[24];
    struct tn_error *err;
    enum tn_code code; /* The first thing that went wrong. */
};

/* Takes 'op', which is of that step; 'b->n': of none. */
void tn_ovs_op_add(struct tn_ovs_build *b, size_t step, json_t *op);
/* The condition that a row is this one; new. */
json_t *tn_ovs_where_uuid(const char *uuid);

/* Null: nothing is there, or wanted. */
const struct tn_ovs_row *tn_ovs_row_of(const struct tn_resource *r);

/* The row of a key: one of this transaction, or one that is there.  'table' as
 * in tn_ovs_index_uuid(). */
struct tn_ovs_ref tn_ovs_ref_of(const struct tn_ovs_build *b, const char *table,
                                const char *key);
/* New; null: it refers to a row that does not exist; 'b->err' says so. */
json_t *tn_ovs_value_json(struct tn_ovs_build *b, const struct tn_resource *r,
                          size_t column);

/* Notes by whom 'self' is to be held in future, and by whom no longer. */
void tn_ovs_holders(struct tn_ovs_build *b, const struct tn_ovs_row *before,
                    const struct tn_ovs_row *after,
                    const struct tn_ovs_ref *self);
/* One operation for each column of a row that is there.  What new rows hold is
 * written with them. */
void tn_ovs_mutate_holders(struct tn_ovs_build *b,
                           const struct tn_ovs_shares *list,
                           const char *mutator);

void tn_ovs_op_insert(struct tn_ovs_build *b, size_t step,
                      const struct tn_resource *r);

#endif
