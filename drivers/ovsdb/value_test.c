/* value_test.c - values as they are written, and what is no uuid. */
#include "drivers/ovsdb/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "model/base/text.h"

#define U1 "11111111-1111-1111-1111-111111111111"

Test(ovsdb_value, builds)
{
    json_t *set = tn_ovsdb_set(), *map = tn_ovsdb_map();
    tn_ovsdb_set_add(set, tn_ovsdb_uuid(U1));
    tn_ovsdb_set_add(set, tn_ovsdb_named_uuid("new"));
    tn_ovsdb_map_add(map, json_string("k"), json_string("v"));
    tn_ovsdb_map_add(map, json_string("n"), json_integer(3));
    char *text = json_dumps(set, JSON_COMPACT);
    cr_assert_str_eq(text, "[\"set\",[[\"uuid\",\"" U1
                           "\"],[\"named-uuid\",\"new\"]]]");
    free(text);
    text = json_dumps(map, JSON_COMPACT);
    cr_assert_str_eq(text, "[\"map\",[[\"k\",\"v\"],[\"n\",3]]]");
    free(text);
    json_decref(set);
    json_decref(map);
}

Test(ovsdb_value, reads_a_uuid)
{
    static const struct {
        const char *json, *uuid;
    } rows[] = {
        {"[\"uuid\",\"" U1 "\"]", U1},
        {"[\"named-uuid\",\"new\"]", NULL},
        {"[\"uuid\"]", NULL},
        {"[\"uuid\",1]", NULL},
        {"[\"uuid\",\"x\",1]", NULL},
        {"[1,\"x\"]", NULL},
        {"\"uuid\"", NULL},
        {"{}", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        json_t *atom = rows[i].json
                           ? json_loads(rows[i].json, JSON_DECODE_ANY, NULL)
                           : NULL;
        cr_expect(tn_streq(tn_ovsdb_uuid_of(atom), rows[i].uuid), "row %zu", i);
        json_decref(atom);
    }
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
