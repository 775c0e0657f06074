/* json_read_test.c - what is JSON, what is left to YAML, and positions. */
#include <criterion/criterion.h>

#include "model/inventory/parts.h"

static const struct row {
    const char *text;
    const char *value; /* Of "a"; null: not JSON. */
    bool quoted;
} rows[] = {
    {"{\"a\": 1}", "1", false},
    {"\t{\"a\":\t-0}\r\n", "-0", false},
    {"{\"a\": 1e5}", "100000.0", false},
    {"{\"a\": 1E+22}", "1.0e+22", false},
    {"{\"a\": 1e-7}", "1.0e-07", false},
    {"{\"a\": 1e999}", ".inf", false},
    {"{\"a\": -Infinity}", "-.inf", false},
    {"{\"a\": NaN}", ".nan", false},
    {"{\"a\": null}", "null", false},
    {"{\"a\": true}", "true", false},
    {"{\"a\": \"yes\"}", "yes", true},
    {"{\"a\": \"\\u00e9\\/\\n\\\"\"}", "\xc3\xa9/\n\"", true},
    {"{\"a\": \"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80", true},
    {"{\"a\": 1, \"a\": 2}", "2", false},
    {"{\"a\": 01}", NULL, false},
    {"{\"a\": 1.}", NULL, false},
    {"{\"a\": +1}", NULL, false},
    {"{\"a\": \"\\ud83d\"}", NULL, false},
    {"{\"a\": \"\\u0000\"}", NULL, false},
    {"{\"a\": \"\n\"}", NULL, false},
    {"{\"a\": \"x}", NULL, false},
    {"{\"a\": \"\\", NULL, false},
    {"{\"a\": 'x'}", NULL, false},
    {"{a: 1}", NULL, false},
    {"{\"a\": 1,}", NULL, false},
    {"{\"a\": [1,]}", NULL, false},
    {"{\"a\" 1}", NULL, false},
    {"{\"a\": 1} x", NULL, false},
    {"{\"a\": \"\xff\"}", NULL, false},
    {"{", NULL, false},
    {"a: 1", NULL, false},
    {"", NULL, false},
};

Test(json_read, values)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_arena *arena = tn_arena_new();
        const struct tn_node *root = tn_json_read(
            arena, rows[i].text, strlen(rows[i].text), &tn_yaml_limits_default);
        const struct tn_node *a = tn_node_get(root, "a");

        cr_expect_eq(root != NULL, rows[i].value != NULL, "%s", rows[i].text);
        if (a && rows[i].value) {
            cr_expect_str_eq(a->scalar.text, rows[i].value);
            cr_expect_eq(a->quoted, rows[i].quoted, "%s", rows[i].text);
        }
        tn_arena_free(arena);
    }
}

Test(json_read, positions_and_nesting)
{
    static const char text[] =
        "{\n  \"\xc3\xa9\": [1, {\"x\": {}}, []],\n  \"b\": \"c\"\n}\n";
    struct tn_arena *arena = tn_arena_new();
    const struct tn_node *root =
        tn_json_read(arena, text, sizeof text - 1, &tn_yaml_limits_default);
    const struct tn_node *list = tn_node_get(root, "\xc3\xa9");

    cr_assert_not_null(list);
    cr_expect_eq(list->at.line, 2);
    cr_expect_eq(list->at.column, 8);
    cr_assert_eq(list->list.n, 3);
    cr_expect_eq(list->list.items[1]->map.pairs[0].at.column, 13);
    cr_expect_eq(tn_node_get(root, "b")->at.line, 3);
    cr_expect(root->map.pairs[1].quoted);
    tn_arena_free(arena);
}

Test(json_read, bounded)
{
    static char deep[2000];
    struct tn_arena *arena = tn_arena_new();

    strcpy(deep, "{\"a\":");
    memset(deep + 5, '[', 900);
    memset(deep + 905, ']', 900);
    deep[1805] = '}';
    cr_expect_null(
        tn_json_read(arena, deep, strlen(deep), &tn_yaml_limits_default));
    tn_arena_free(arena);
}
