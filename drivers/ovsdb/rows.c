/* rows.c - see rows.h. */
#include "drivers/ovsdb/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"

enum { BITS_MIN = 3 };

static struct tn_ovsdb_row **
head_of(const struct tn_rows *rows, const char *uuid)
{
    uint64_t hash = tn_hash64(uuid, TN_UUID) * rows->secret;
    return &rows->heads[hash >> (64 - rows->bits)];
}

static struct tn_ovsdb_row **
place_of(const struct tn_rows *rows, const struct tn_ovsdb_row *row)
{
    struct tn_ovsdb_row **at = head_of(rows, row->uuid);
    while (*at != row) {
        at = &(*at)->chain;
    }
    return at;
}

static void
hang(const struct tn_rows *rows, struct tn_ovsdb_row *row)
{
    struct tn_ovsdb_row **head = head_of(rows, row->uuid);
    row->chain = *head;
    *head = row;
}

static void
grow(struct tn_rows *rows)
{
    free(rows->heads);
    rows->bits = rows->bits ? rows->bits + 1 : BITS_MIN;
    rows->heads = calloc((size_t) 1 << rows->bits, sizeof *rows->heads);
    if (!rows->heads) {
        fputs("tenet: out of memory\n", stderr);
        abort();
    }
    for (struct tn_ovsdb_row *row = rows->first; row; row = row->after) {
        hang(rows, row);
    }
}

void
tn_rows_init(struct tn_rows *rows, uint64_t secret)
{
    *rows = (struct tn_rows){.secret = secret | 1};
}

void
tn_rows_done(struct tn_rows *rows)
{
    struct tn_ovsdb_row *after;
    for (struct tn_ovsdb_row *row = rows->first; row; row = after) {
        after = row->after;
        free(row);
    }
    tn_rows_clear(rows);
}

void
tn_rows_clear(struct tn_rows *rows)
{
    free(rows->heads);
    tn_rows_init(rows, rows->secret);
}

struct tn_ovsdb_row *
tn_rows_find(const struct tn_rows *rows, const char *uuid)
{
    struct tn_ovsdb_row *row = rows->n ? *head_of(rows, uuid) : NULL;
    while (row && memcmp(row->uuid, uuid, TN_UUID) != 0) {
        row = row->chain;
    }
    return row;
}

void
tn_rows_add(struct tn_rows *rows, struct tn_ovsdb_row *row)
{
    if (!rows->bits || rows->n >> rows->bits) {
        grow(rows);
    }
    hang(rows, row);
    row->before = rows->last;
    row->after = NULL;
    *(rows->last ? &rows->last->after : &rows->first) = row;
    rows->last = row;
    rows->n++;
}

void
tn_rows_remove(struct tn_rows *rows, struct tn_ovsdb_row *row)
{
    *place_of(rows, row) = row->chain;
    *(row->before ? &row->before->after : &rows->first) = row->after;
    *(row->after ? &row->after->before : &rows->last) = row->before;
    rows->n--;
}

void
tn_rows_replace(struct tn_rows *rows, struct tn_ovsdb_row *was,
                struct tn_ovsdb_row *now)
{
    now->chain = was->chain;
    now->before = was->before;
    now->after = was->after;
    *place_of(rows, was) = now;
    *(now->before ? &now->before->after : &rows->first) = now;
    *(now->after ? &now->after->before : &rows->last) = now;
}
