/* rows.h - a set of rows, found by their uuids, in the order in which they
 * came. Files of the copy only. */
#ifndef TN_OVSDB_ROWS_H
#define TN_OVSDB_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "drivers/ovsdb/pack.h"

struct tn_rows {
    struct tn_ovsdb_row *first, *last;
    struct tn_ovsdb_row **heads; /* Chains by hash. */
    size_t n;
    unsigned bits;   /* Of the number of chains; 0: there are none. */
    uint64_t secret; /* Odd; so that nobody can fill one chain. */
};

void tn_rows_init(struct tn_rows *rows, uint64_t secret);
/* Frees the rows, too. */
void tn_rows_done(struct tn_rows *rows);

/* Empty again; the rows are the caller's. */
void tn_rows_clear(struct tn_rows *rows);

/* Null: there is none. */
struct tn_ovsdb_row *tn_rows_find(const struct tn_rows *rows, const char *uuid);
/* Takes the row, whose uuid must not be there yet. */
void tn_rows_add(struct tn_rows *rows, struct tn_ovsdb_row *row);
/* The row is the caller's again. */
void tn_rows_remove(struct tn_rows *rows, struct tn_ovsdb_row *row);
/* 'now', of the same uuid, is taken, and gets the place of 'was', which is the
 * caller's again. */
void tn_rows_replace(struct tn_rows *rows, struct tn_ovsdb_row *was,
                     struct tn_ovsdb_row *now);

#endif
