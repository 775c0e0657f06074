/* object_test.c - canonical values, tags, and what is written. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "drivers/nsx/canon.h"
#include "drivers/nsx/part.h"
#include "model/base/text.h"

static const struct tn_nsx_field inner_fields[] = {
    {.name = "address", .attr = "address", .type = TN_NSX_PREFIX},
    {.name = "distance",
     .attr = "distance",
     .type = TN_NSX_NUMBER,
     .fallback = "1"},
};
static const struct tn_nsx_shape inner = {inner_fields,
                                          TN_ARRAY_SIZE(inner_fields)};

/* ---- values ---- */

struct row {
    const char *what;
    enum tn_nsx_type type;
    const char *fallback;
    const char *value, *canonical; /* JSON; null: absent. */
};

static const struct row rows[] = {
    {"a text", TN_NSX_TEXT, NULL, "\"a\"", "\"a\""},
    {"an empty text is none", TN_NSX_TEXT, NULL, "\"\"", NULL},
    {"null is none", TN_NSX_TEXT, NULL, "null", NULL},
    {"a default is none", TN_NSX_TEXT, "UP", "\"UP\"", NULL},
    {"what is not the default stays", TN_NSX_TEXT, "UP", "\"up\"", "\"up\""},
    {"any value is kept where it is wanted", TN_NSX_TEXT, TN_NSX_ANY, "\"x\"",
     "\"x\""},
    {"a number", TN_NSX_NUMBER, NULL, "7", "7"},
    {"a number as a text", TN_NSX_NUMBER, NULL, "\"7\"", "7"},
    {"a number that is none", TN_NSX_NUMBER, NULL, "\"7a\"", "\"7a\""},
    {"a number too large", TN_NSX_NUMBER, NULL, "\"99999999999999999999\"",
     "\"99999999999999999999\""},
    {"the default number", TN_NSX_NUMBER, "0", "0", NULL},
    {"a numeral as a number", TN_NSX_NUMERAL, NULL, "65001", "\"65001\""},
    {"a numeral", TN_NSX_NUMERAL, NULL, "\"065001\"", "\"65001\""},
    {"a boolean", TN_NSX_BOOLEAN, "false", "true", "true"},
    {"a boolean as a text", TN_NSX_BOOLEAN, "false", "\"false\"", NULL},
    {"an address", TN_NSX_ADDRESS, NULL, "\"FD00:0::01\"", "\"fd00::1\""},
    {"a prefix keeps its host bits", TN_NSX_PREFIX, NULL, "\"10.1.1.1/24\"",
     "\"10.1.1.1/24\""},
    {"a network loses them", TN_NSX_NETWORK, NULL, "\"10.1.1.1/24\"",
     "\"10.1.1.0/24\""},
    {"what is no network", TN_NSX_NETWORK, NULL, "\"ANY/x\"", "\"ANY/x\""},
    {"a set is sorted", TN_NSX_SET, NULL, "[\"b\",\"a\",\"b\"]",
     "[\"a\",\"b\"]"},
    {"one element", TN_NSX_SET, NULL, "\"a\"", "[\"a\"]"},
    {"its addresses have one spelling", TN_NSX_SET, NULL, "[\"FD00::0/64\"]",
     "[\"fd00::/64\"]"},
    {"an empty set is none", TN_NSX_SET, NULL, "[]", NULL},
    {"the default set", TN_NSX_SET, "ANY", "[\"ANY\"]", NULL},
    {"a default of two", TN_NSX_SET, "[\"b\",\"a\"]", "[\"a\",\"b\"]", NULL},
    {"a sequence keeps its order", TN_NSX_SEQUENCE, NULL, "[\"b\",\"a\"]",
     "[\"b\",\"a\"]"},
    {"an object, its shape and no more", TN_NSX_OBJECT, NULL,
     "{\"z\":1,\"distance\":\"2\",\"address\":\"10.0.0.1/8\"}",
     "{\"address\":\"10.0.0.1/8\",\"distance\":2}"},
    {"an object of defaults is none", TN_NSX_OBJECT, NULL, "{\"distance\":1}",
     NULL},
    {"objects are sorted", TN_NSX_OBJECTS, NULL,
     "[{\"distance\":3},{\"distance\":2,\"id\":\"x\"}]",
     "[{\"distance\":2},{\"distance\":3}]"},
    {"or not", TN_NSX_ORDERED, NULL, "[{\"distance\":3},{\"distance\":2}]",
     "[{\"distance\":3},{\"distance\":2}]"},
    {"what is no object", TN_NSX_OBJECTS, NULL, "\"x\"", "\"x\""},
};

Test(nsx_object, values_have_one_spelling)
{
    struct tn_arena *arena = tn_arena_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        const struct tn_nsx_field f = {.name = "f",
                                       .attr = "f",
                                       .type = r->type,
                                       .fallback = r->fallback,
                                       .shape = &inner};
        json_t *value = json_loads(r->value, JSON_DECODE_ANY, NULL);
        json_t *canonical = tn_nsx_canon(&f, value);
        const char *text = tn_nsx_canon_text(arena, canonical);
        cr_assert(tn_streq(text, r->canonical), "%s: %s", r->what,
                  text ? text : "(none)");
        json_t *again = canonical ? tn_nsx_canon(&f, canonical) : NULL;
        cr_assert(!canonical || json_equal(again, canonical), "%s: twice",
                  r->what);
        json_decref(again);
        json_decref(canonical);
        json_decref(value);
    }
    tn_arena_free(arena);
}

/* ---- objects ---- */

static const struct tn_nsx_field fields[] = {
    {.name = "display_name", .attr = "name", .type = TN_NSX_TEXT},
    {.name = "advanced.connectivity",
     .attr = "connectivity",
     .type = TN_NSX_TEXT,
     .fallback = "ON"},
    {.name = "hops",
     .attr = "via",
     .type = TN_NSX_OBJECTS,
     .shape = &inner,
     .change = TN_ATTR_REPLACE},
    {.name = "zone",
     .attr = "zone",
     .type = TN_NSX_TEXT,
     .fallback = TN_NSX_ANY},
    {.name = "password",
     .attr = "password",
     .type = TN_NSX_TEXT,
     .secret = true},
    {.name = "tenet/group", .attr = "groups", .type = TN_NSX_LABELS},
};
static const struct tn_nsx_kind kind = {.name = "thing",
                                        .type = "Thing",
                                        .collection = "things",
                                        .rank = 3,
                                        .fields = fields,
                                        .n_fields = TN_ARRAY_SIZE(fields)};

static struct tn_resource
wanted(struct tn_arena *arena, size_t labels)
{
    struct tn_nsx_draft d;
    tn_nsx_draft_begin(&d, arena, &kind, "acme/web", "a", "/infra/things/a_1");
    d.r.origin = (struct tn_origin){"net.yml", 7, 1};
    tn_nsx_draft_set(&d, "name", "A");
    tn_nsx_draft_set(&d, "password", "psst");
    tn_nsx_draft_json(&d, "via", "[{\"address\": \"10.0.0.1/8\"}]");
    for (size_t i = 0; i < labels; i++) {
        tn_nsx_draft_add(&d, "groups", tn_arena_printf(arena, "g%02zu", i));
    }
    return tn_nsx_draft_end(&d);
}

static const char read_text[] =
    "{\"resource_type\": \"Thing\", \"id\": \"a_1\", \"display_name\": \"A\","
    " \"path\": \"/infra/things/a_1\", \"_revision\": 4, \"extra\": [1],"
    " \"_last_modified_time\": 99, \"unique_id\": \"u-1\", \"zone\": \"z\","
    " \"advanced\": {\"connectivity\": \"ON\", \"other\": true},"
    " \"hops\": [{\"distance\": 1, \"address\": \"10.0.0.1/8\","
    "             \"network\": \"10.0.0.0/8\"}],"
    " \"tags\": [{\"scope\": \"tenet/group\", \"tag\": \"g00\"},"
    "            {\"scope\": \"owner\", \"tag\": \"hand\"},"
    "            {\"scope\": \"tenet/instance\", \"tag\": \"lab\"},"
    "            {\"scope\": \"tenet/key\", \"tag\": \"acme/web/thing/a\"}]}";

static struct tn_resource
seen(struct tn_arena *arena, const json_t *json, const struct tn_resource *want)
{
    const struct tn_nsx_found found = {.kind = &kind,
                                       .path = "/infra/things/a_1",
                                       .json = json,
                                       .key = "acme/web/thing/a",
                                       .name = "a",
                                       .scope = "acme/web",
                                       .owner = TN_OURS,
                                       .want = want->native};
    return tn_nsx_resource(arena, &found);
}

/* Defaults, order, tags of others, secrets and members that no shape has. */
Test(nsx_object, what_is_not_ours_to_say_makes_no_difference)
{
    struct tn_arena *arena = tn_arena_new();
    json_t *json = json_loads(read_text, 0, NULL);
    struct tn_resource want = wanted(arena, 1), have = seen(arena, json, &want);
    const struct tn_nsx_object *native = have.native;
    cr_assert(tn_resource_same(&want, &have));
    cr_assert_str_eq(want.key, "acme/web/thing/a");
    cr_assert_eq(want.n_attrs, 3);
    cr_assert_str_eq(tn_resource_attr(&want, "groups"), "g00");
    cr_assert_null(tn_resource_attr(&want, "password"));
    cr_assert_eq(native->revision, 4);
    cr_assert_eq(native->modified, 99);
    cr_assert_str_eq(have.ids, "/infra/things/a_1 u-1");
    json_object_set_new(json, "display_name", json_string("B"));
    have = seen(arena, json, &want);
    cr_assert_not(tn_resource_same(&want, &have));
    json_decref(json);
    tn_arena_free(arena);
}

Test(nsx_object, what_is_written_is_what_was_read_but_for_ours)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_error err = {0};
    json_t *json = json_loads(read_text, 0, NULL), *body = NULL;
    struct tn_resource want = wanted(arena, 2), have = seen(arena, json, &want);
    cr_assert_eq(tn_nsx_body(&want, have.native, "lab", &body, &err), TN_OK);
    json_t *right = json_loads(
        "{\"resource_type\": \"Thing\", \"id\": \"a_1\", \"_revision\": 4,"
        " \"display_name\": \"A\", \"extra\": [1], \"zone\": \"z\","
        " \"password\": \"psst\","
        " \"advanced\": {\"connectivity\": \"ON\", \"other\": true},"
        " \"hops\": [{\"distance\": 1, \"address\": \"10.0.0.1/8\","
        "             \"network\": \"10.0.0.0/8\"}],"
        " \"tags\": [{\"scope\": \"tenet/instance\", \"tag\": \"lab\"},"
        "            {\"scope\": \"tenet/key\", \"tag\": \"acme/web/thing/a\"},"
        "            {\"scope\": \"tenet/scope\", \"tag\": \"acme/web\"},"
        "            {\"scope\": \"tenet/group\", \"tag\": \"g00\"},"
        "            {\"scope\": \"tenet/group\", \"tag\": \"g01\"},"
        "            {\"scope\": \"owner\", \"tag\": \"hand\"}]}",
        0, NULL);
    char *text = json_dumps(body, JSON_SORT_KEYS);
    cr_assert(json_equal(body, right), "%s", text);
    free(text);
    json_decref(right);
    json_decref(body);
    json_decref(json);
    tn_arena_free(arena);
}

Test(nsx_object, tags_are_bounded)
{
    static const struct {
        size_t labels, others;
        enum tn_code code;
    } cases[] = {{23, 4, TN_OK},
                 {24, 0, TN_EUNSUPPORTED},
                 {23, 5, TN_EUNSUPPORTED},
                 {5, 25, TN_EUNSUPPORTED}};
    for (size_t i = 0; i < TN_ARRAY_SIZE(cases); i++) {
        struct tn_arena *arena = tn_arena_new();
        struct tn_error err = {0};
        json_t *json = json_loads(read_text, 0, NULL), *body = NULL;
        json_t *tags = json_array();
        for (size_t k = 0; k < cases[i].others; k++) {
            json_array_append_new(
                tags, json_pack("{s:s, s:s}", "scope", "x", "tag", "y"));
        }
        json_object_set_new(json, "tags", tags);
        struct tn_resource want = wanted(arena, cases[i].labels);
        struct tn_resource have = seen(arena, json, &want);
        cr_assert_eq(tn_nsx_body(&want, have.native, "lab", &body, &err),
                     cases[i].code, "case %zu", i);
        cr_assert(!cases[i].code || err.origin.line == 7, "case %zu", i);
        json_decref(cases[i].code ? NULL : body);
        json_decref(json);
        tn_arena_free(arena);
    }
}

/* Entries of a service are merged by id: those that go must be deleted. */
Test(nsx_object, entries_that_go_are_deleted)
{
    static const struct tn_nsx_field entry_fields[] = {
        {.name = "id", .attr = "id", .type = TN_NSX_TEXT}};
    static const struct tn_nsx_shape entry = {entry_fields, 1};
    static const struct tn_nsx_field of[] = {{.name = "service_entries",
                                              .attr = "matches",
                                              .type = TN_NSX_OBJECTS,
                                              .shape = &entry}};
    static const struct tn_nsx_kind service = {.name = "service",
                                               .type = "Service",
                                               .collection = "services",
                                               .fields = of,
                                               .n_fields = 1};
    struct tn_arena *arena = tn_arena_new();
    struct tn_error err = {0};
    struct tn_nsx_draft d;
    json_t *body = NULL;
    const struct tn_nsx_object have = {
        .kind = &service,
        .path = "/infra/services/s",
        .body = "{\"service_entries\": [{\"id\": \"e1\", \"resource_type\": "
                "\"X\"}, {\"id\": \"e2\", \"resource_type\": \"Y\"}]}",
        .revision = 0};
    tn_nsx_draft_begin(&d, arena, &service, "", "s", have.path);
    tn_nsx_draft_json(&d, "matches", "[{\"id\": \"e1\"}]");
    struct tn_resource want = tn_nsx_draft_end(&d);
    cr_assert_eq(tn_nsx_body(&want, &have, "lab", &body, &err), TN_OK);
    const json_t *children = json_object_get(body, "children");
    const json_t *child = json_array_get(children, 0);
    cr_assert_eq(json_array_size(children), 1);
    cr_assert(json_is_true(json_object_get(child, "marked_for_delete")));
    cr_assert_str_eq(json_string_value(json_object_get(
                         json_object_get(child, "ServiceEntry"), "id")),
                     "e2");
    json_decref(body);
    tn_arena_free(arena);
}
