/* resource_test.c - sorting, finding, comparing and naming resources. */
#include "drivers/resource.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

static const struct tn_attr attrs_a[] = {{"mtu", "1500", 0, false},
                                         {"vni", "7", 1, false}};
static const struct tn_attr attrs_b[] = {{"mtu", "1400", 0, false},
                                         {"vni", "7", 1, false}};
static const struct tn_attr attrs_c[] = {{"mtu", "1500", 1, true}};
static const struct tn_attr attrs_d[] = {{"mtu", "1500", 0, false},
                                         {"vnj", "7", 1, false}};

static struct tn_resource
resource(const char *key, const char *kind, const struct tn_attr *attrs,
         size_t n)
{
    return (struct tn_resource){
        .key = key, .kind = kind, .attrs = attrs, .n_attrs = n};
}

Test(resource, sorts_and_finds)
{
    struct tn_resource items[] = {
        resource("b", "x", NULL, 0), resource("a/b", "x", NULL, 0),
        resource("a", "x", NULL, 0), resource("c", "x", NULL, 0)};
    struct tn_error err = {0};
    cr_assert_eq(tn_state_sort(items, 4, &err), TN_OK);
    struct tn_state s = {"hv1", items, 4};
    static const char *const keys[] = {"a", "a/b", "b", "c"};
    for (size_t i = 0; i < 4; i++) {
        cr_assert_str_eq(items[i].key, keys[i]);
        cr_assert_eq(tn_state_get(&s, keys[i]), &items[i]);
    }
    cr_assert_null(tn_state_get(&s, "a/"));
    cr_assert_null(tn_state_get(&s, ""));
    cr_assert_null(tn_state_get(&(struct tn_state){"hv1", NULL, 0}, "a"));
    cr_assert_eq(tn_state_sort(NULL, 0, &err), TN_OK);
}

Test(resource, names_the_key_that_is_there_twice)
{
    struct tn_resource items[] = {resource("b", "x", NULL, 0),
                                  resource("a", "x", NULL, 0),
                                  resource("b", "y", NULL, 0)};
    struct tn_error err = {0};
    char why[256];
    cr_assert_eq(tn_state_sort(items, 3, &err), TN_EINTERNAL);
    cr_assert_str_eq(tn_error_text(&err, why, sizeof why),
                     "two resources are named b");
}

static const struct comparison {
    const char *kind_a, *kind_b;
    const struct tn_attr *a, *b;
    size_t n_a, n_b;
    bool same;
} comparisons[] = {
    {"x", "x", attrs_a, attrs_a, 2, 2, true},
    {"x", "y", attrs_a, attrs_a, 2, 2, false},
    {"x", "x", attrs_a, attrs_b, 2, 2, false},
    {"x", "x", attrs_a, attrs_a, 2, 1, false},
    {"x", "x", attrs_a, attrs_d, 2, 2, false},
    {"x", "x", attrs_a, attrs_c, 1, 1, true},
    {"x", "x", NULL, NULL, 0, 0, true},
    {"x", "x", attrs_a, NULL, 2, 0, false},
};

/* What is the same has one digest, and what is not has two. */
Test(resource, compares_kind_and_attributes)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(comparisons); i++) {
        const struct comparison *c = &comparisons[i];
        struct tn_resource a = resource("k", c->kind_a, c->a, c->n_a);
        struct tn_resource b = resource("k", c->kind_b, c->b, c->n_b);
        cr_assert_eq(tn_resource_same(&a, &b), c->same, "row %zu", i);
        cr_assert_eq(tn_resource_same(&b, &a), c->same, "row %zu", i);
        struct tn_digest da = tn_resource_digest(&a),
                         db = tn_resource_digest(&b);
        cr_assert_eq(tn_digest_eq(&da, &db), c->same, "row %zu", i);
    }
    struct tn_resource k = resource("k", "x", attrs_a, 2), l = k;
    l.key = "l";
    struct tn_digest dk = tn_resource_digest(&k), dl = tn_resource_digest(&l);
    cr_assert(!tn_digest_eq(&dk, &dl));
}

Test(resource, names_are_compared_as_text)
{
    char name[] = "mtu";
    struct tn_attr own[] = {{name, "1500", 0, false}};
    struct tn_resource a = resource("k", "x", own, 1),
                       b = resource("k", "x", attrs_a, 1);
    cr_assert(tn_resource_same(&a, &b));
    cr_assert_str_eq(tn_resource_attr(&a, "mtu"), "1500");
    cr_assert_null(tn_resource_attr(&a, "vni"));
}
