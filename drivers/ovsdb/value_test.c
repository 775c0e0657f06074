/* value_test.c - every spelling of a value; normal form; what is no value. */
#include "drivers/ovsdb/value.h"

#include <criterion/criterion.h>

#define U1 "11111111-1111-1111-1111-111111111111"
#define U2 "22222222-2222-2222-2222-222222222222"

static json_t *
parse(const char *text)
{
    json_t *j = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    cr_assert(!text || j, "%s", text);
    return j;
}

struct printed {
    const char *json, *text;
};

static const struct printed printed[] = {
    {"\"a\"", "a"},
    {"[\"set\",[\"a\"]]", "a"},
    {"[\"set\",[\"b\",\"a\"]]", "a, b"},
    {"[\"set\",[]]", ""},
    {"[\"map\",[]]", ""},
    {NULL, ""},
    {"10", "10"},
    {"-1", "-1"},
    {"[\"set\",[10,9,-3]]", "-3, 9, 10"},
    {"0.5", "0.5"},
    {"[\"set\",[2.5,1]]", "1, 2.5"},
    {"true", "true"},
    {"[\"set\",[true,false]]", "false, true"},
    {"[\"uuid\",\"" U1 "\"]", U1},
    {"[\"named-uuid\",\"row1\"]", "row1"},
    {"[\"set\",[[\"uuid\",\"" U2 "\"],[\"uuid\",\"" U1 "\"]]]", U1 ", " U2},
    {"[\"map\",[[\"k2\",\"v\"],[\"k\",\"w\"]]]", "k=w, k2=v"},
    {"[\"map\",[[2,[\"uuid\",\"" U1 "\"]],[1,true]]]", "1=true, 2=" U1},
    {"\"\"", "\"\""},
    {"\"a b\"", "a b"},
    {"\" a\"", "\" a\""},
    {"\"a, b\"", "\"a, b\""},
    {"\"k=v\"", "\"k=v\""},
    {"\"q\\\"\"", "\"q\\\"\""},
    {"\"\\n\"", "\"\\n\""},
    /* What is no value is read as empty, or as it best may be. */
    {"{}", ""},
    {"{\"a\":1}", ""},
    {"[]", ""},
    {"[1,2]", ""},
    {"[\"set\"]", ""},
    {"[\"set\",1]", ""},
    {"[\"set\",{}]", ""},
    {"[\"map\",\"x\"]", ""},
    {"[\"set\",[],1]", ""},
    {"[\"uuid\",1]", "\"\""},
    {"[\"map\",[1,[],[\"a\"],{}]]", "a=\"\", \"\"=\"\", \"\"=\"\", \"\"=\"\""},
    {"[\"set\",[[],{},null]]", "\"\", \"\", \"\""},
};

Test(ovsdb_value, prints_in_one_form)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(printed); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        json_t *value = parse(printed[i].json);
        tn_ovsdb_print(&t, value);
        cr_expect_str_eq(tn_text_str(&t), printed[i].text, "%s",
                         printed[i].json);
        cr_expect(tn_ovsdb_equal(value, value));
        json_decref(value);
    }
}

struct compared {
    const char *a, *b;
    bool equal;
};

static const struct compared compared[] = {
    {"\"a\"", "[\"set\",[\"a\"]]", true},
    {"[\"set\",[\"a\",\"b\"]]", "[\"set\",[\"b\",\"a\"]]", true},
    {"[\"set\",[\"a\",\"b\"]]", "[\"set\",[\"a\",\"c\"]]", false},
    {"[\"set\",[\"a\",\"b\"]]", "\"a\"", false},
    {"[\"set\",[]]", NULL, true},
    {"[\"map\",[]]", NULL, true},
    {NULL, "\"\"", false},
    {NULL, "0", false},
    {"1", "1.0", true},
    {"1", "\"1\"", false},
    {"true", "1", false},
    {"[\"uuid\",\"" U1 "\"]", "\"" U1 "\"", false},
    {"[\"uuid\",\"" U1 "\"]", "[\"set\",[[\"uuid\",\"" U1 "\"]]]", true},
    {"[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"]]]",
     "[\"map\",[[\"b\",\"2\"],[\"a\",\"1\"]]]", true},
    {"[\"map\",[[\"a\",\"1\"]]]", "[\"map\",[[\"a\",\"2\"]]]", false},
    {"[\"map\",[[\"a\",\"1\"]]]", "[\"set\",[\"a\"]]", false},
};

Test(ovsdb_value, compares_what_it_means)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(compared); i++) {
        json_t *a = parse(compared[i].a), *b = parse(compared[i].b);
        cr_expect_eq(tn_ovsdb_equal(a, b), compared[i].equal, "row %zu", i);
        cr_expect_eq(tn_ovsdb_equal(b, a), compared[i].equal, "row %zu", i);
        json_decref(a);
        json_decref(b);
    }
}

Test(ovsdb_value, builds_and_reads)
{
    json_t *set = tn_ovsdb_set(), *map = tn_ovsdb_map(), *value = NULL;
    tn_ovsdb_set_add(set, tn_ovsdb_uuid(U1));
    tn_ovsdb_set_add(set, tn_ovsdb_named_uuid("new"));
    tn_ovsdb_map_add(map, json_string("k"), json_string("v"));
    tn_ovsdb_map_add(map, json_string("n"), json_integer(3));
    cr_assert_eq(tn_ovsdb_set_n(set), 2);
    cr_assert_str_eq(tn_ovsdb_uuid_of(tn_ovsdb_set_at(set, 0)), U1);
    cr_assert_null(tn_ovsdb_uuid_of(tn_ovsdb_set_at(set, 1)));
    cr_assert_str_eq(tn_ovsdb_text_of(tn_ovsdb_set_at(set, 1)), "new");
    cr_assert_null(tn_ovsdb_set_at(set, 2));
    cr_assert_eq(tn_ovsdb_map_n(map), 2);
    cr_assert_str_eq(tn_ovsdb_map_get(map, "k"), "v");
    cr_assert_null(tn_ovsdb_map_get(map, "n"));
    cr_assert_null(tn_ovsdb_map_get(map, "x"));
    cr_assert_null(tn_ovsdb_map_get(NULL, "x"));
    cr_assert_str_eq(json_string_value(tn_ovsdb_map_at(map, 0, &value)), "k");
    cr_assert_str_eq(json_string_value(value), "v");
    cr_assert_null(tn_ovsdb_map_at(map, 2, &value));
    cr_assert_null(value);
    cr_assert_eq(tn_ovsdb_set_n(map), 0);
    cr_assert_eq(tn_ovsdb_map_n(set), 0);
    char *text = json_dumps(set, JSON_COMPACT);
    cr_assert_str_eq(text, "[\"set\",[[\"uuid\",\"" U1
                           "\"],[\"named-uuid\",\"new\"]]]");
    free(text);
    json_decref(set);
    json_decref(map);
}

Test(ovsdb_value, knows_a_uuid)
{
    static const char *const no[] = {"",
                                     "1",
                                     "11111111-1111-1111-1111-11111111111",
                                     U1 "1",
                                     "11111111-1111-1111-1111-11111111111G",
                                     "11111111-1111-1111-1111-11111111111A",
                                     "111111111111-1111-1111-1111-11111111"};
    cr_assert(tn_ovsdb_is_uuid(U1));
    for (size_t i = 0; i < TN_ARRAY_SIZE(no); i++) {
        cr_expect_not(tn_ovsdb_is_uuid(no[i]), "%s", no[i]);
    }
}
