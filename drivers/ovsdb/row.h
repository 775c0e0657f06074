/* row.h - rows of an OVSDB database as resources, for any of its schemas.
 *
 * A driver of this family is a table of kinds: which table holds the objects of
 * a kind, and which columns are ours to compare and write.  From that, row.c
 * makes resources out of what is wanted, device.c out of what is there, and
 * commit.c operations out of the difference.
 *
 * Marks.  A row is ours if its external_ids have
 *     tenet-instance   settings.meta.name of the repository
 *     tenet-key        the resource's key
 * beside which stand tenet-scope, and tenet-revision: how often this instance
 * had written to the database when it last wrote this row.  Other keys of
 * external_ids belong to others and are left alone. */
#ifndef TN_OVSDB_ROW_H
#define TN_OVSDB_ROW_H

#include "drivers/resource.h"
#include "model/base/arena.h"
#include "model/base/attr.h"

enum tn_ovs_type {
    TN_OVS_TEXT,
    TN_OVS_INTEGER,
    TN_OVS_BOOLEAN,
    TN_OVS_MAP,    /* Of texts to texts; compared as a whole. */
    TN_OVS_REF,    /* To a row of 'table' that is ours: its key. */
    TN_OVS_HOLDER, /* No column of this row: the rows of 'table' whose column
                      'name' has this row, by their keys, or, if they are not
                      ours, by TN_OVS_BY_NAME and their name. */
};

struct tn_ovs_column {
    const char *name; /* As in the schema. */
    const char *attr; /* As plans show it. */
    enum tn_ovs_type type;
    bool set;           /* May be empty or hold more than one. */
    uint8_t change;     /* enum tn_attr_change */
    bool child;         /* Of the row's child. */
    bool anybody;       /* A holder need not be ours. */
    const char *table;  /* Of the other row; else null. */
    const char *member; /* Not null: only this key of a map. */
};

enum tn_ovs_kind_flags {
    TN_OVS_ROOT = 1u << 0,   /* Rows live without being referred to. */
    TN_OVS_SINGLE = 1u << 1, /* The one row that every such database has; it is
                                marked and written, never made or deleted. */
    TN_OVS_NAMED = 1u << 2,  /* No two rows of the table may have one name. */
    TN_OVS_SHOWN = 1u << 3,  /* Rows that are not ours are told of. */
};

struct tn_ovs_kind {
    const char *name, *table;
    /* Null, or a table and a column of this one: each row has one row of that
     * table, which lives and dies with it and is the same object. */
    const char *child, *child_column;
    uint16_t rank;
    unsigned flags;
    const struct tn_ovs_column *columns;
    size_t n_columns;
};

/* The initializer of a kind without child. */
#define TN_OVS_KIND(flags_, rank_, table_, name_, columns_)                    \
    {                                                                          \
        .name = (name_), .table = (table_), .rank = (rank_),                   \
        .flags = (flags_), .columns = (columns_),                              \
        .n_columns = TN_ARRAY_SIZE(columns_),                                  \
    }

/* Instead of a key: the one row of the database's root table. */
#define TN_OVS_ROOT_KEY "root"
/* The same, before a name: a row that may be anybody's. */
#define TN_OVS_BY_NAME "name:"

/* The values of a column, sorted; of a map, keys and values in turn. */
struct tn_ovs_value {
    const char **texts;
    size_t n;
};

/* 'native' of a resource. */
struct tn_ovs_row {
    const struct tn_ovs_kind *kind;
    const char *uuid, *child;          /* Null: wanted, not observed. */
    const struct tn_ovs_value *values; /* One per column of the kind. */
};

/* A resource in the making. */
struct tn_ovs_draft {
    struct tn_arena *arena;
    struct tn_resource r;
    const struct tn_ovs_kind *kind;
    struct tn_ovs_value *values;
    size_t *cap;
};

/* With neither key nor name: the caller gives the resource its own. */
void tn_ovs_draft_init(struct tn_ovs_draft *d, struct tn_arena *arena,
                       const struct tn_ovs_kind *kind, const char *scope);
/* Key: SCOPE/KIND, or SCOPE/KIND/NAME; without a scope: KIND/NAME.  'name' may
 * be null.  Names are borrowed. */
void tn_ovs_draft_begin(struct tn_ovs_draft *d, struct tn_arena *arena,
                        const struct tn_ovs_kind *kind, const char *scope,
                        const char *name);
/* Adds a value to the column shown as 'attr', which the kind must have. */
void tn_ovs_draft_add(struct tn_ovs_draft *d, const char *attr,
                      const char *value);
/* The same for the column of that index. */
void tn_ovs_draft_push(struct tn_ovs_draft *d, size_t column,
                       const char *value);
/* The same for a map. */
void tn_ovs_draft_put(struct tn_ovs_draft *d, const char *attr, const char *key,
                      const char *value);
/* The finished resource: values sorted, attributes made.  Its owner is
 * TN_OURS. */
struct tn_resource tn_ovs_draft_end(struct tn_ovs_draft *d);

/* What a column that is no set holds when nobody has set it. */
const char *tn_ovs_nothing(const struct tn_ovs_column *column);

/* The table that a column is in. */
const char *tn_ovs_table_of(const struct tn_ovs_kind *kind,
                            const struct tn_ovs_column *column);

/* Index of the column shown as 'attr'; the number of columns if there is
 * none. */
size_t tn_ovs_kind_column(const struct tn_ovs_kind *kind, const char *attr);

bool tn_ovs_value_equal(const struct tn_ovs_value *a,
                        const struct tn_ovs_value *b);

#endif
