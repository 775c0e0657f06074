/* rows_test.c - sets of rows, and what rows hold. */
#include "drivers/ovsdb/rows.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct tn_layout *
layout_new(void)
{
    static const struct tn_ovsdb_column columns[] = {
        {.name = "ids",
         .type = {TN_OVSDB_STRING, TN_OVSDB_STRING, 0, 4294967295}},
        {.name = "n", .type = {TN_OVSDB_INTEGER, TN_OVSDB_VOID, 1, 1}},
        {.name = "name", .type = {TN_OVSDB_STRING, TN_OVSDB_VOID, 1, 1}},
    };
    struct tn_layout *l = calloc(1, sizeof *l + sizeof columns);
    l->n = 3;
    memcpy(l->columns, columns, sizeof columns);
    return l;
}

/* A row of which the columns are these; null: it is default. */
static struct tn_ovsdb_row *
row_new(const struct tn_layout *l, unsigned number, const char *const values[3])
{
    struct tn_packing p = {0};
    char uuid[TN_UUID + 1];
    snprintf(uuid, sizeof uuid, "%08x-0000-0000-0000-000000000000", number);
    tn_packing_begin(&p, l);
    for (size_t i = 3; i-- > 0;) {
        const char *why = "";
        if (values[i]) {
            struct tn_scan scan = {values[i], values[i] + strlen(values[i])};
            cr_assert(tn_packing_take(&p, i, &scan, false, &why), "%s", why);
        }
    }
    struct tn_ovsdb_row *row = tn_packing_row(&p, uuid);
    tn_packing_done(&p);
    return row;
}

Test(ovsdb_rows, answer_for_their_columns)
{
    struct tn_layout *l = layout_new();
    struct tn_ovsdb_row *a =
        row_new(l, 1,
                (const char *const[]){"[\"map\",[[\"b\",\"2\"],[\"a\",\"1\"]]]",
                                      "-7", "\"x\""});
    struct tn_ovsdb_row *b =
        row_new(l, 1, (const char *const[]){"[\"map\",[]]", "0", "\"x\""});
    cr_expect_str_eq(tn_ovsdb_row_uuid(a),
                     "00000001-0000-0000-0000-000000000000");
    cr_expect_str_eq(tn_ovsdb_get_text(a, "name"), "x");
    cr_expect_eq(tn_ovsdb_get_number(a, "n"), -7);
    cr_expect_str_eq(tn_ovsdb_get_key(a, "ids", "b"), "2");
    cr_expect_null(tn_ovsdb_get_key(a, "ids", "c"));
    struct tn_ovsdb_texts t = tn_ovsdb_get(a, "ids");
    cr_expect_eq(t.n, 4);
    cr_expect_str_eq(t.at, "a");
    cr_expect_str_eq(tn_ovsdb_text_after(t.at), "1");
    /* Defaults, no such column, no row. */
    cr_expect_eq(tn_ovsdb_get(b, "ids").n, 0);
    cr_expect_eq(tn_ovsdb_get_number(b, "n"), 0);
    cr_expect_null(tn_ovsdb_get_text(b, "nope"));
    cr_expect_null(tn_ovsdb_get_text(NULL, "name"));
    cr_expect_eq(a->n_elements, 4);
    cr_expect_eq(b->n_elements, 1);
    cr_expect(tn_ovsdb_same(a, b, "name"));
    cr_expect_not(tn_ovsdb_same(a, b, "n"));
    cr_expect_not(tn_ovsdb_row_equal(a, b));
    cr_expect(tn_ovsdb_row_equal(a, a));
    free(a);
    free(b);
    free(l);
}

Test(ovsdb_rows, are_found_and_keep_their_order)
{
    enum { N = 1000 };
    struct tn_layout *l = layout_new();
    struct tn_rows rows;
    tn_rows_init(&rows, 12345);
    for (unsigned i = 0; i < N; i++) {
        tn_rows_add(&rows, row_new(l, i, (const char *const[3]){0}));
    }
    /* Every third goes, every fourth becomes another. */
    for (unsigned i = 0; i < N; i++) {
        char uuid[TN_UUID + 1];
        snprintf(uuid, sizeof uuid, "%08x-0000-0000-0000-000000000000", i);
        struct tn_ovsdb_row *row = tn_rows_find(&rows, uuid);
        cr_assert(row && strcmp(row->uuid, uuid) == 0);
        if (i % 3 == 0) {
            tn_rows_remove(&rows, row);
            free(row);
            cr_assert_null(tn_rows_find(&rows, uuid));
        } else if (i % 4 == 0) {
            struct tn_ovsdb_row *now =
                row_new(l, i, (const char *const[]){NULL, "1", NULL});
            tn_rows_replace(&rows, row, now);
            free(row);
            cr_assert_eq(tn_rows_find(&rows, uuid), now);
        }
    }
    size_t n = 0;
    const struct tn_ovsdb_row *before = NULL;
    for (const struct tn_ovsdb_row *row = rows.first; row; row = row->after) {
        cr_assert_eq(row->before, before);
        cr_assert(!before || strcmp(before->uuid, row->uuid) < 0);
        before = row;
        n++;
    }
    cr_expect_eq(n, rows.n);
    cr_expect_eq(rows.last, before);
    tn_rows_done(&rows);
    cr_expect_null(tn_rows_find(&rows, "0"));
    free(l);
}
