/* What is written as text is what the objects would have been. */
#include "drivers/ovsdb/ops.h"

#include <criterion/criterion.h>
#include <string.h>

#include "model/base/cleanup.h"

/* The operations as an array; new. */
static json_t *
read_back(const struct tn_ovs_ops *ops)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text all = {0};
    tn_text_add(&all, "[0");
    tn_text_add(&all, tn_text_str(&ops->text));
    tn_text_addc(&all, ']');
    json_t *array = json_loads(all.s, JSON_REJECT_DUPLICATES, NULL);
    cr_assert(array, "%s", all.s);
    cr_assert_eq(json_array_size(array), ops->n + 1);
    return array;
}

Test(ops, an_insert_is_json)
{
    struct tn_ovs_ops ops = {0};
    const struct tn_ovs_ref there = {"00385490-1d8e-4974-ad6b-7450aff4a8cb",
                                     false};
    const struct tn_ovs_ref named = {"r7", true};
    tn_ovs_insert_begin(&ops, "Logical_Switch");
    tn_ovs_insert_column(&ops, "name");
    tn_ovs_put_string(&ops, "web");
    tn_ovs_insert_column(&ops, "priority");
    tn_ovs_put_plain(&ops, "12");
    tn_ovs_insert_column(&ops, "other_config");
    tn_ovs_insert_open(&ops, "map");
    tn_ovs_put_pair(&ops, "a", "1");
    tn_ovs_put_pair(&ops, "b", "2");
    tn_ovs_insert_close(&ops);
    tn_ovs_insert_column(&ops, "ports");
    tn_ovs_insert_open(&ops, "set");
    tn_ovs_put_ref(&ops, &there);
    tn_ovs_put_ref(&ops, &named);
    tn_ovs_insert_close(&ops);
    tn_ovs_insert_column(&ops, "acls");
    tn_ovs_insert_open(&ops, "set");
    tn_ovs_insert_close(&ops);
    tn_ovs_insert_end(&ops, "r1");
    cr_assert(tn_ovs_ops_add(&ops, json_pack("{s:s}", "op", "abort")));
    json_t *want = json_loads(
        "[0, {\"op\": \"insert\", \"table\": \"Logical_Switch\", \"row\": {"
        "\"name\": \"web\", \"priority\": 12,"
        "\"other_config\": [\"map\", [[\"a\", \"1\"], [\"b\", \"2\"]]],"
        "\"ports\": [\"set\", [[\"uuid\","
        " \"00385490-1d8e-4974-ad6b-7450aff4a8cb\"], [\"named-uuid\","
        " \"r7\"]]], \"acls\": [\"set\", []]}, \"uuid-name\": \"r1\"},"
        " {\"op\": \"abort\"}]",
        0, NULL);
    json_t *have = read_back(&ops);
    cr_assert(want);
    cr_expect(json_equal(want, have), "%s", ops.text.s);
    json_decref(want);
    json_decref(have);
    tn_ovs_ops_done(&ops);
}

Test(ops, texts_come_back_as_they_are)
{
    static const char *const texts[] = {
        "",
        "plain",
        "a \"quoted\" word",
        "back\\slash",
        "[",
        "{",
        "a:",
        "line\nand\ttab",
        "\x01\x1f",
        "\x7f",
        "gr\xc3\xbc\xc3\x9f",
        "\xc2\x85",
        "\xe2\x82\xac",
        "\xf0\x9f\x8c\x90",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(texts); i++) {
        struct tn_ovs_ops ops = {0};
        tn_ovs_insert_begin(&ops, "T");
        tn_ovs_insert_column(&ops, "c");
        tn_ovs_insert_open(&ops, "set");
        tn_ovs_put_string(&ops, texts[i]);
        tn_ovs_put_string(&ops, "next");
        tn_ovs_insert_close(&ops);
        tn_ovs_insert_end(&ops, "r");
        json_t *have = read_back(&ops);
        const json_t *row = json_object_get(json_array_get(have, 1), "row");
        const json_t *set = json_array_get(json_object_get(row, "c"), 1);
        cr_assert_eq(json_array_size(set), 2, "%s", ops.text.s);
        cr_expect_str_eq(json_string_value(json_array_get(set, 0)), texts[i]);
        json_decref(have);
        tn_ovs_ops_done(&ops);
    }
}

Test(ops, what_cannot_be_encoded_is_told)
{
    struct tn_ovs_ops ops = {0};
    cr_expect_not(tn_ovs_ops_add(&ops, NULL));
    tn_ovs_ops_done(&ops);
}
