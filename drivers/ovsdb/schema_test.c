/* schema_test.c - the schemas that Debian ships, and what is none. */
#include "drivers/ovsdb/schema.h"

#include <limits.h>

#include <criterion/criterion.h>

static const char small[] =
    "{\"name\":\"D\",\"version\":\"1.2.3\",\"tables\":{\"T\":{\"columns\":{"
    "\"scalar\":{\"type\":\"integer\"},"
    "\"set\":{\"type\":{\"key\":{\"type\":\"string\"},\"min\":0,"
    "\"max\":\"unlimited\"},\"ephemeral\":true},"
    "\"map\":{\"type\":{\"key\":\"string\",\"value\":\"real\",\"min\":0,"
    "\"max\":7},\"mutable\":false},"
    "\"ref\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"T\","
    "\"refType\":\"weak\"},\"min\":0,\"max\":1}}}}}}";

Test(ovsdb_schema, reads_types)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_ovsdb_schema *s = NULL;
    struct tn_error err = {0};
    json_t *json = json_loads(small, 0, NULL);
    cr_assert_eq(tn_ovsdb_schema_parse(arena, json, &s, &err), TN_OK);
    json_decref(json);
    cr_assert_str_eq(s->name, "D");
    cr_assert_str_eq(s->version, "1.2.3");
    const struct tn_ovsdb_table *t = tn_ovsdb_schema_table(s, "T");
    cr_assert_eq(t->n_columns, 4);
    cr_assert(t->root, "no table of the schema is one: all are");
    const struct tn_ovsdb_column *c = tn_ovsdb_table_column(t, "scalar");
    cr_assert(c->type.key == TN_OVSDB_INTEGER && c->type.min == 1 &&
              c->type.max == 1 && !tn_ovsdb_type_is_map(&c->type));
    c = tn_ovsdb_table_column(t, "set");
    cr_assert(c->type.min == 0 && c->type.max == UINT_MAX && c->ephemeral);
    c = tn_ovsdb_table_column(t, "map");
    cr_assert(c->type.value == TN_OVSDB_REAL && c->type.max == 7 &&
              c->immutable);
    c = tn_ovsdb_table_column(t, "ref");
    cr_assert(c->weak && strcmp(c->refers, "T") == 0);
    cr_assert_null(tn_ovsdb_table_column(t, "nope"));
    cr_assert_null(tn_ovsdb_schema_table(s, "nope"));
    cr_assert_null(tn_ovsdb_schema_table(NULL, "T"));
}

struct shipped {
    const char *path, *table, *column, *refers;
};

static const struct shipped shipped[] = {
    {"/usr/share/openvswitch/vswitch.ovsschema", "Bridge", "ports", "Port"},
    {"/usr/share/ovn/ovn-nb.ovsschema", "Logical_Switch", "ports",
     "Logical_Switch_Port"},
    {"/usr/share/ovn/ovn-sb.ovsschema", "Port_Binding", "datapath",
     "Datapath_Binding"},
};

Test(ovsdb_schema, reads_those_that_debian_ships)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(shipped); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_ovsdb_schema *s = NULL;
        struct tn_error err = {0};
        json_t *json = json_load_file(shipped[i].path, 0, NULL);
        cr_assert(json,
                  "%s is missing: apt-get install openvswitch-switch "
                  "ovn-central",
                  shipped[i].path);
        cr_assert_eq(tn_ovsdb_schema_parse(arena, json, &s, &err), TN_OK, "%s",
                     err.text);
        cr_assert_eq(s->n_tables,
                     json_object_size(json_object_get(json, "tables")));
        json_decref(json);
        const struct tn_ovsdb_column *c = tn_ovsdb_table_column(
            tn_ovsdb_schema_table(s, shipped[i].table), shipped[i].column);
        cr_assert_str_eq(c->refers, shipped[i].refers);
    }
}

#define COLUMN(type)                                                           \
    "{\"name\":\"D\",\"tables\":{\"T\":{\"columns\":{\"c\":" type "}}}}"

static const char *const none[] = {
    "[]",
    "{}",
    "{\"name\":1,\"tables\":{}}",
    "{\"name\":\"a b\",\"tables\":{}}",
    "{\"name\":\"D\"}",
    "{\"name\":\"D\",\"tables\":[]}",
    "{\"name\":\"D\",\"tables\":{\"T\":1}}",
    "{\"name\":\"D\",\"tables\":{\"T\":{}}}",
    "{\"name\":\"D\",\"tables\":{\"\\u001b[31m\":{\"columns\":{}}}}",
    "{\"name\":\"D\",\"tables\":{\"T\":{\"columns\":{\"\":{}}}}}",
    COLUMN("1"),
    COLUMN("{}"),
    COLUMN("{\"type\":1}"),
    COLUMN("{\"type\":\"text\"}"),
    COLUMN("{\"type\":{\"key\":\"void\"}}"),
    COLUMN("{\"type\":{\"key\":\"string\",\"min\":2}}"),
    COLUMN("{\"type\":{\"key\":\"string\",\"max\":0}}"),
    COLUMN("{\"type\":{\"key\":\"string\",\"max\":-1}}"),
    COLUMN("{\"type\":{\"key\":\"string\",\"max\":\"many\"}}"),
    COLUMN("{\"type\":{\"key\":\"string\",\"max\":4294967296}}"),
    COLUMN("{\"type\":{\"key\":\"string\",\"value\":\"any\"}}"),
};

Test(ovsdb_schema, refuses_what_is_none)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(none); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_ovsdb_schema *s = NULL;
        struct tn_error err = {0};
        json_t *json = json_loads(none[i], 0, NULL);
        cr_assert(json, "%s", none[i]);
        cr_expect_eq(tn_ovsdb_schema_parse(arena, json, &s, &err),
                     TN_EUNAVAILABLE, "%s", none[i]);
        cr_expect_null(s);
        json_decref(json);
    }
}
