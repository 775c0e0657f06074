/* diag_test.c - findings: order, bounds, and whose failure they are. */
#include "model/base/diag.h"

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"

static struct tn_origin
at(const char *path, uint32_t line, uint32_t column)
{
    return (struct tn_origin){path, line, column};
}

static void
print(const struct tn_diags *d, struct tn_text *out)
{
    for (size_t i = 0; i < d->list.n; i++) {
        const struct tn_diag *x = &d->list.items[i];
        tn_text_addf(out, "%s:%u:%u %s%s%s\n", x->at.path ? x->at.path : "-",
                     x->at.line, x->at.column, x->message, x->hint ? " / " : "",
                     x->hint ? x->hint : "");
    }
}

Test(diag, merges_and_sorts_without_duplicates)
{
    TN_CLEANUP(tn_cleanup_arena)
    struct tn_arena *a = tn_arena_new(), *b = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    struct tn_diags x, y;
    tn_diags_init(&x, a);
    tn_diags_init(&y, b);
    char path[] = "b.yml";
    tn_diag(&x, TN_ERROR, at(path, 2, 1), "one %d", 1)->hint = "why";
    tn_diag(&x, TN_WARNING, at("a.yml", 9, 1), "two");
    path[0] = 'z';
    tn_diag(&y, TN_ERROR, at("b.yml", 1, 5), "three");
    tn_diag(&y, TN_ERROR, at("b.yml", 1, 4), "four");
    tn_diag(&y, TN_ERROR, at("b.yml", 2, 1), "one 1");
    tn_diag(&y, TN_WARNING, at("a.yml", 9, 1), "two");
    tn_diag(&y, TN_ERROR, at(NULL, 0, 0), "nowhere");
    tn_diags_merge(&x, &y);
    cr_assert_eq(x.n_errors, 5);
    cr_assert_eq(x.n_warnings, 2);
    tn_arena_free(TN_TAKE(b));
    tn_diags_sort(&x);
    print(&x, &out);
    cr_assert_str_eq(tn_text_str(&out), "-:0:0 nowhere\n"
                                        "a.yml:9:1 two\n"
                                        "b.yml:1:4 four\n"
                                        "b.yml:1:5 three\n"
                                        "b.yml:2:1 one 1 / why\n");
    cr_assert_eq(x.n_errors, 4);
    cr_assert_eq(x.n_warnings, 1);
}

Test(diag, knows_who_failed)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *a = tn_arena_new();
    struct tn_diags d;
    tn_diags_init(&d, a);
    d.tenant = "acme";
    tn_diag(&d, TN_ERROR, at("a.yml", 1, 1), "x");
    d.tenant = "blue";
    tn_diag(&d, TN_WARNING, at("b.yml", 1, 1), "x");
    cr_assert(tn_diags_failed(&d, "acme"));
    cr_assert(!tn_diags_failed(&d, "blue"));
    cr_assert(!tn_diags_failed(&d, NULL));
    d.tenant = NULL;
    tn_diag(&d, TN_ERROR, at("tenet.yml", 1, 1), "x");
    cr_assert(tn_diags_failed(&d, NULL));
    cr_assert(!tn_diags_failed(&d, "blue"));
}

/* The same words at the same place under two tenants are two failures. */
Test(diag, sorting_keeps_each_tenants_failure)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *a = tn_arena_new();
    struct tn_diags d;
    tn_diags_init(&d, a);
    d.tenant = "acme";
    tn_diag(&d, TN_ERROR, at("x.yml", 1, 1), "pool is empty");
    d.tenant = "blue";
    tn_diag(&d, TN_ERROR, at("x.yml", 1, 1), "pool is empty");
    tn_diags_sort(&d);
    cr_assert_eq(d.list.n, 2);
    cr_assert(tn_diags_failed(&d, "acme") && tn_diags_failed(&d, "blue"));
}

/* One tenant's flood of findings must not let another pass as valid. */
Test(diag, a_flood_hides_no_failure)
{
    TN_CLEANUP(tn_cleanup_arena)
    struct tn_arena *a = tn_arena_new(), *b = tn_arena_new();
    struct tn_diags d, all;
    tn_diags_init(&d, a);
    d.tenant = "flood";
    for (int i = 0; i < TN_DIAGS_MAX; i++) {
        tn_diag(&d, TN_ERROR, at("f.yml", 1, 1), "x %d", i);
    }
    d.tenant = "late";
    tn_diag(&d, TN_ERROR, at("l.yml", 1, 1), "y")->hint = "dropped";
    d.tenant = "fine";
    tn_diag(&d, TN_WARNING, at("l.yml", 1, 1), "y");
    tn_diags_init(&all, b);
    tn_diag(&all, TN_WARNING, at("a.yml", 1, 1), "first");
    tn_diags_merge(&all, &d);
    const struct tn_diags *both[] = {&d, &all};
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(both[i]->list.n, TN_DIAGS_MAX);
        cr_assert_eq(both[i]->n_errors, TN_DIAGS_MAX + 1);
        cr_assert_eq(both[i]->n_warnings, 1 + i);
        cr_assert(tn_diags_failed(both[i], "flood"));
        cr_assert(tn_diags_failed(both[i], "late"));
        cr_assert(!tn_diags_failed(both[i], "fine"));
        cr_assert(!tn_diags_failed(both[i], NULL));
    }
}

Test(diag, messages_are_one_safe_line)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *a = tn_arena_new();
    struct tn_diags d;
    tn_diags_init(&d, a);
    cr_assert_str_eq(tn_diag(&d, TN_ERROR, at("f", 1, 1),
                             "a\n\x1b[31mb\x7f\xc2\x9b!\xc3\xa9")
                         ->message,
                     "a?"
                     "?[31mb?"
                     "?"
                     "?!\xc3\xa9");
    char many[3 * TN_DIAG_TEXT];
    memset(many, 'a', sizeof many);
    many[sizeof many - 1] = '\0';
    many[TN_DIAG_TEXT - 1] = '\xc3';
    many[TN_DIAG_TEXT] = '\xa9';
    const char *cut = tn_diag(&d, TN_ERROR, at("f", 1, 1), "%s", many)->message;
    cr_assert_eq(strlen(cut), TN_DIAG_TEXT - 1);
    cr_assert(tn_is_utf8(cut, strlen(cut)));
}
