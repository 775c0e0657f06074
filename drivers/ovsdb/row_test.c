/* row_test.c - resources out of columns: keys, order, defaults, and what makes
 * two rows the same. */
#include "drivers/ovsdb/row.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/attr.h"

static const struct tn_ovs_column columns[] = {
    {"name", "name", TN_OVS_TEXT, .change = TN_ATTR_REPLACE},
    {"tag", "tag", TN_OVS_INTEGER, .set = false},
    {"up", "up", TN_OVS_BOOLEAN, .set = false},
    {"nets", "nets", TN_OVS_TEXT, .set = true},
    {"tags", "tags", TN_OVS_INTEGER, .set = true},
    {"options", "options", TN_OVS_MAP, .set = true},
};
static const struct tn_ovs_kind kind = {
    .name = "thing",
    .table = "Thing",
    .rank = 7,
    .columns = columns,
    .n_columns = TN_ARRAY_SIZE(columns),
};

static struct tn_arena *arena;

static void
setup(void)
{
    arena = tn_arena_new();
}

static void
teardown(void)
{
    tn_arena_free(arena);
}

TestSuite(ovs_row, .init = setup, .fini = teardown);

Test(ovs_row, keys)
{
    static const struct {
        const char *scope, *name, *key, *shown;
    } rows[] = {
        {"acme/web", "front", "acme/web/thing/front", "front"},
        {"acme/web", NULL, "acme/web/thing", "acme/web"},
        {"", "x", "thing/x", "x"},
        {"", NULL, "thing", ""},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_ovs_draft d;
        tn_ovs_draft_begin(&d, arena, &kind, rows[i].scope, rows[i].name);
        struct tn_resource r = tn_ovs_draft_end(&d);
        cr_expect_str_eq(r.key, rows[i].key);
        cr_expect_str_eq(r.name, rows[i].shown);
        cr_expect_str_eq(r.scope, rows[i].scope);
        cr_expect_str_eq(r.kind, "thing");
        cr_expect_eq(r.rank, 7);
        cr_expect_eq(r.owner, TN_OURS);
        cr_expect_eq(r.n_attrs, 0);
    }
}

Test(ovs_row, values_are_sorted)
{
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, arena, &kind, "a/b", "c");
    tn_ovs_draft_add(&d, "nets", "10.2.0.0/24");
    tn_ovs_draft_add(&d, "nets", "10.1.0.0/24");
    tn_ovs_draft_put(&d, "options", "zone", "1");
    tn_ovs_draft_put(&d, "options", "area", "9");
    tn_ovs_draft_add(&d, "name", "x");
    struct tn_resource r = tn_ovs_draft_end(&d);
    cr_expect_str_eq(tn_resource_attr(&r, "nets"), "10.1.0.0/24, 10.2.0.0/24");
    cr_expect_str_eq(tn_resource_attr(&r, "options"), "area=9, zone=1");
    cr_assert_eq(r.n_attrs, 3);
    cr_expect_str_eq(r.attrs[0].name, "name", "attributes are sorted");
    cr_expect_eq(r.attrs[0].change, TN_ATTR_REPLACE);
    cr_expect_eq(r.attrs[1].change, TN_ATTR_UPDATE);
    const struct tn_ovs_row *row = r.native;
    cr_expect_eq(row->kind, &kind);
    cr_expect_null(row->uuid);
    cr_assert_eq(row->values[3].n, 2);
    cr_expect_str_eq(row->values[3].texts[0], "10.1.0.0/24");
    cr_expect_str_eq(row->values[5].texts[1], "9", "keys keep their values");
}

/* What a server does not tell of is not there; a set is never so. */
Test(ovs_row, nothing_has_no_attribute)
{
    static const struct {
        const char *attr, *value;
        bool shown;
    } rows[] = {
        {"name", "", false}, {"name", "0", true},    {"tag", "0", false},
        {"tag", "1", true},  {"up", "false", false}, {"up", "true", true},
        {"nets", "", true},  {"tags", "0", true},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_ovs_draft d;
        tn_ovs_draft_begin(&d, arena, &kind, "a/b", "c");
        tn_ovs_draft_add(&d, rows[i].attr, rows[i].value);
        struct tn_resource r = tn_ovs_draft_end(&d);
        cr_expect_eq(tn_resource_attr(&r, rows[i].attr) != NULL, rows[i].shown,
                     "%s '%s'", rows[i].attr, rows[i].value);
    }
}

Test(ovs_row, many_values)
{
    struct tn_ovs_draft d;
    enum { MANY = 300 };
    tn_ovs_draft_begin(&d, arena, &kind, "a/b", "c");
    for (unsigned i = MANY; i > 0; i--) {
        tn_ovs_draft_add(&d, "nets", tn_arena_printf(arena, "%05u", i));
    }
    struct tn_resource r = tn_ovs_draft_end(&d);
    const struct tn_ovs_row *row = r.native;
    cr_assert_eq(row->values[3].n, MANY);
    for (size_t i = 1; i < MANY; i++) {
        cr_assert_lt(
            strcmp(row->values[3].texts[i - 1], row->values[3].texts[i]), 0);
    }
}

Test(ovs_row, equality)
{
    const char *ab[] = {"a", "b"}, *ac[] = {"a", "c"};
    const struct tn_ovs_value none = {0}, a = {ab, 1}, b = {ab, 2}, c = {ac, 2};
    cr_expect(tn_ovs_value_equal(&none, &none));
    cr_expect(tn_ovs_value_equal(&b, &b));
    cr_expect_not(tn_ovs_value_equal(&a, &b));
    cr_expect_not(tn_ovs_value_equal(&b, &c));
    cr_expect_not(tn_ovs_value_equal(&none, &a));
}

Test(ovs_row, columns_by_attribute)
{
    cr_expect_eq(tn_ovs_kind_column(&kind, "name"), 0);
    cr_expect_eq(tn_ovs_kind_column(&kind, "options"), 5);
    cr_expect_eq(tn_ovs_kind_column(&kind, "none"), TN_ARRAY_SIZE(columns));
    cr_expect_str_eq(tn_ovs_nothing(&columns[0]), "");
    cr_expect_str_eq(tn_ovs_nothing(&columns[1]), "0");
    cr_expect_str_eq(tn_ovs_nothing(&columns[2]), "false");
}
