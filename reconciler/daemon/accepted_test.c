/* accepted_test.c - what is written down for the next start. */
#include "reconciler/daemon/accepted.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/peer.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccc"

static char *dir;
static struct tn_arena *arena;

static void
setup(void)
{
    dir = tn_peer_dir();
    arena = tn_arena_new();
}

static void
teardown(void)
{
    tn_peer_remove(dir);
    tn_arena_free(arena);
}

TestSuite(accepted, .init = setup, .fini = teardown);

static struct tn_accepted
load(void)
{
    struct tn_accepted a;
    tn_accepted_load(tn_arena_printf(arena, "%s/accepted", dir), arena, &a);
    return a;
}

Test(accepted, comes_back)
{
    static const struct tn_kept kept[] = {
        {.tenant = "acme", .since = A, .good = B, .in_force = true},
        {.tenant = "a name with spaces", .since = A, .good = C},
        {.tenant = "new", .since = C},
    };
    struct tn_error err = {0};
    const char *path = tn_arena_printf(arena, "%s/accepted", dir);
    cr_assert_eq(load().commit[0], '\0');
    cr_assert_eq(tn_accepted_save(path, A, kept, 3, &err), TN_OK);
    struct tn_accepted a = load();
    cr_assert_str_eq(a.commit, A);
    cr_assert_eq(a.n_kept, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_str_eq(a.kept[i].tenant, kept[i].tenant);
        cr_assert_str_eq(a.kept[i].since, kept[i].since);
        cr_assert(tn_streq(a.kept[i].good, kept[i].good));
    }
    cr_assert_eq(tn_accepted_save(path, B, NULL, 0, &err), TN_OK);
    a = load();
    cr_assert_str_eq(a.commit, B);
    cr_assert_eq(a.n_kept, 0);
}

Test(accepted, files_of_all_kinds)
{
    static const struct {
        const char *text, *commit;
        size_t n;
    } rows[] = {
        {"", "", 0},
        {"\n", "", 0},
        {A, "", 0}, /* Not a whole line. */
        {A "\n", A, 0},
        {"x" A "\n", "", 0},
        {A " \n", "", 0},
        {A "\n" B "\n", A, 0},
        {A "\n" B " \n" B " " C "\n" B " " C " \n", A, 0},
        {A "\n" B " " C " acme\n", A, 1},
        {A "\n" B " - acme\n" B " x acme\n", A, 1},
        {A "\n" B " " C " acme", A, 0},
        {"no\n" A "\n", "", 0},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        tn_peer_write(dir, "accepted", rows[i].text);
        struct tn_accepted a = load();
        cr_expect_str_eq(a.commit, rows[i].commit, "row %zu", i);
        cr_expect_eq(a.n_kept, rows[i].n, "row %zu: %zu", i, a.n_kept);
    }
}
