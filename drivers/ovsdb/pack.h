/* pack.h - rows of the copy, as they are made: see packed.h for what they are.
 *
 * Reading a value checks it against its column's type (RFC 7047, 5.1) and
 * brings it into the one spelling.  Files of the copy only. */
#ifndef TN_OVSDB_PACK_H
#define TN_OVSDB_PACK_H

#include <stdint.h>

#include "drivers/ovsdb/packed.h"
#include "drivers/ovsdb/scan.h"
#include "drivers/ovsdb/schema.h"
#include "model/base/text.h"

enum { TN_UUID = 36, TN_LAYOUT_MAX = 64 };

/* What the rows of a table have; shared by them. */
struct tn_layout {
    size_t n;
    struct tn_ovsdb_column columns[]; /* By name; names outlive the rows. */
};

struct tn_ovsdb_row {
    struct tn_ovsdb_row *chain; /* Of the same hash; the owner's. */
    struct tn_ovsdb_row *before, *after;
    const struct tn_layout *layout;
    uint32_t n_elements; /* Of sets and maps; an atom is one. */
    uint32_t size;       /* Of 'data'. */
    uint32_t message;    /* In which it came; the owner's. */
    char uuid[TN_UUID + 1];
    char data[]; /* Struct tn_packed and texts, in turn; by column. */
};

/* Not aligned where it stands. */
struct tn_packed {
    uint32_t column; /* Index in the layout. */
    uint32_t n;      /* Texts. */
    uint32_t size;   /* Bytes of them. */
};

/* A row in the making; can be used for many, and grows only.  Start with
 * '= {0}'. */
struct tn_packing {
    const struct tn_layout *layout;
    struct tn_text data; /* Columns in the order in which they came. */
    size_t columns[TN_LAYOUT_MAX]; /* Where in 'data' each begins, from 1; 0:
                                      nowhere. */
    struct tn_text order;          /* For sorting. */
};

void tn_packing_begin(struct tn_packing *p, const struct tn_layout *layout);
void tn_packing_done(struct tn_packing *p);

/* Takes a value of that column from the text.  False: it is of no such type;
 * '*why' is static text.  'diff': it is a difference, which may have more
 * elements than a value, or fewer. */
bool tn_packing_take(struct tn_packing *p, size_t column, struct tn_scan *scan,
                     bool diff, const char **why) TN_MUST_USE;

/* The row, without what is default; new, to be freed. */
struct tn_ovsdb_row *tn_packing_row(struct tn_packing *p, const char *uuid);

/* The row with the differences that were taken.  New; null: '*column' would
 * have a number of elements that cannot be. */
struct tn_ovsdb_row *tn_packing_patched(struct tn_packing *p,
                                        const struct tn_ovsdb_row *row,
                                        const char **column);

/* Equal in all columns; layouts may differ. */
bool tn_ovsdb_row_equal(const struct tn_ovsdb_row *a,
                        const struct tn_ovsdb_row *b);

#endif
