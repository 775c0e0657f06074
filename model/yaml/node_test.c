/* node_test.c - what plain scalars mean. */
#include "model/yaml/node.h"

#include <criterion/criterion.h>

static struct tn_node
scalar(const char *text, bool quoted)
{
    return (struct tn_node){.type = TN_NODE_SCALAR,
                            .quoted = quoted,
                            .scalar = {text, strlen(text)}};
}

static const struct number {
    const char *text;
    bool ok;
    uint64_t value;
} numbers[] = {
    {"0", true, 0},
    {"7", true, 7},
    {"1500", true, 1500},
    {"18446744073709551615", true, UINT64_MAX},
    {"18446744073709551616", false, 0},
    {"99999999999999999999999", false, 0},
    {"0x10", true, 16},
    {"0xfF", true, 255},
    {"0o17", true, 15},
    {"0o8", false, 0},
    {"0x", false, 0},
    {"0x-1", false, 0},
    {"010", false, 0},
    {"00", false, 0},
    {"-1", false, 0},
    {"+1", false, 0},
    {" 1", false, 0},
    {"1_000", false, 0},
    {"1.0", false, 0},
    {"1e3", false, 0},
    {"", false, 0},
    {"ten", false, 0},
};

Test(node, reads_numbers)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(numbers); i++) {
        struct tn_node n = scalar(numbers[i].text, false);
        uint64_t v = 0;
        cr_assert_eq(tn_node_uint(&n, &v), numbers[i].ok, "%s",
                     numbers[i].text);
        cr_assert_eq(v, numbers[i].value, "%s", numbers[i].text);
        n.quoted = true;
        cr_assert(!tn_node_uint(&n, &v));
    }
    cr_assert(!tn_node_uint(NULL, &(uint64_t){0}));
}

static const struct word {
    const char *text;
    bool null, boolean, value;
} words[] = {
    {"", true, false, false},      {"~", true, false, false},
    {"null", true, false, false},  {"Null", true, false, false},
    {"NULL", true, false, false},  {"nULL", false, false, false},
    {"none", false, false, false}, {"true", false, true, true},
    {"false", false, true, false}, {"True", false, false, false},
    {"yes", false, false, false},  {"no", false, false, false},
    {"on", false, false, false},   {"1", false, false, false},
};

Test(node, reads_words)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++) {
        struct tn_node n = scalar(words[i].text, false);
        bool b = false;
        cr_assert_eq(tn_node_is_null(&n), words[i].null, "%s", words[i].text);
        cr_assert_eq(tn_node_bool(&n, &b), words[i].boolean, "%s",
                     words[i].text);
        cr_assert_eq(b, words[i].value, "%s", words[i].text);
        n.quoted = true;
        cr_assert(!tn_node_is_null(&n) && !tn_node_bool(&n, &b));
    }
}

Test(node, looks_up_keys)
{
    struct tn_node v = scalar("1", false);
    struct tn_pair pairs[] = {{.key = "a", .value = &v}};
    struct tn_node map = {.type = TN_NODE_MAP, .map = {pairs, 1}};
    cr_assert_eq(tn_node_get(&map, "a"), &v);
    cr_assert_null(tn_node_get(&map, "b"));
    cr_assert_null(tn_node_get(&v, "a"));
    cr_assert_null(tn_node_get(NULL, "a"));
}

Test(node, names_types)
{
    struct tn_node text = scalar("x", false), null = scalar("", false);
    cr_assert_str_eq(tn_node_type_name(&text), "text");
    cr_assert_str_eq(tn_node_type_name(&null), "nothing");
    cr_assert_str_eq(tn_node_type_name(NULL), "nothing");
    cr_assert_str_eq(tn_node_type_name(&(struct tn_node){.type = TN_NODE_LIST}),
                     "a list");
    cr_assert_str_eq(tn_node_type_name(&(struct tn_node){.type = TN_NODE_MAP}),
                     "a map");
}
