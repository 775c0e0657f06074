/* names_test.c - ids are readable, fit NSX, and never meet. */
#include "drivers/nsx/names.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/nsx/object.h"
#include "model/base/map.h"
#include "model/base/net.h"
#include "model/base/text.h"

static struct tn_arena *arena;

static void
setup(void)
{
    arena = tn_arena_new();
}

static void
teardown(void)
{
    tn_arena_free(arena);
}

TestSuite(nsx_names, .init = setup, .fini = teardown);

Test(nsx_names, ids)
{
    cr_expect_str_eq(tn_nsx_id(arena, "lab", "acme", "web", NULL),
                     "lab_acme_web");
    cr_expect_str_eq(tn_nsx_id(arena, "lab", "acme", "web", "front", NULL),
                     "lab_acme_web_front");
    cr_expect_str_eq(tn_nsx_id(arena, "lab", "acme", "web", "", "b", "c", NULL),
                     "lab_acme_web__b_c");
    cr_expect_str_eq(tn_nsx_word(arena, "10.0.0.0/8"), "10.0.0.0_8");
    cr_expect_str_eq(tn_nsx_word(arena, "fd00:1::/64"), "fd00-1--_64");
}

Test(nsx_names, longest)
{
    char name[64];
    memset(name, 'a', 63);
    name[63] = '\0';
    const char *whole = tn_nsx_id(arena, name, name, name, name, NULL);
    cr_expect_eq(strlen(whole), TN_NSX_ID_MAX, "what fits is not cut");
    cr_expect_null(strstr(whole, "__"));
    const char *cut = tn_nsx_id(arena, name, name, name, "", name, name, NULL);
    cr_expect_eq(strlen(cut), TN_NSX_ID_MAX);
    cr_expect_str_eq(tn_nsx_short(arena, "abc", 3), "abc");
    cr_expect_eq(strlen(tn_nsx_short(arena, whole, 60)), 60);
    cr_expect_str_neq(
        tn_nsx_short(arena, whole, 60),
        tn_nsx_short(arena, tn_arena_printf(arena, "%sb", whole), 60));
}

/* A label, short and of few letters, so that equal ones are frequent; or of
 * the longest. */
static const char *
label(unsigned *seed)
{
    static const char letters[] = "ab-";
    size_t n = rand_r(seed) % 6 == 0 ? 63 : 1 + (size_t) rand_r(seed) % 3;
    char *out = tn_arena_alloc(arena, n + 1);
    for (size_t i = 0; i < n; i++) {
        bool edge = i == 0 || i + 1 == n;
        out[i] = letters[(size_t) rand_r(seed) % (edge ? 2 : 3)];
    }
    out[n] = '\0';
    return out;
}

/* An id of one of the forms there are in one collection, and what it is of. */
static const char *
some_id(unsigned *seed, const char **of)
{
    static const char *const words[] = {"_all", "_out", "_first"};
    const char *p[6];
    for (size_t i = 0; i < TN_ARRAY_SIZE(p); i++) {
        p[i] = label(seed);
    }
    const char *word = words[(size_t) rand_r(seed) % TN_ARRAY_SIZE(words)];
    const char *own = tn_arena_printf(arena, "%s__members", p[3]);
    switch (rand_r(seed) % 5) {
    case 0:
        *of = tn_arena_printf(arena, "vpc %s/%s/%s", p[0], p[1], p[2]);
        return tn_nsx_id(arena, p[0], p[1], p[2], NULL);
    case 1:
        *of = tn_arena_printf(arena, "one %s/%s/%s/%s", p[0], p[1], p[2], p[3]);
        return tn_nsx_id(arena, p[0], p[1], p[2], p[3], NULL);
    case 2:
        *of =
            tn_arena_printf(arena, "guard %s/%s/%s/%s", p[0], p[1], p[2], word);
        return tn_nsx_id(arena, p[0], p[1], p[2], word, NULL);
    case 3:
        *of = tn_arena_printf(arena, "of %s/%s/%s/%s", p[0], p[1], p[2], p[3]);
        return tn_nsx_id(arena, p[0], p[1], p[2], own, NULL);
    default:
        *of = tn_arena_printf(arena, "to %s/%s/%s/%s/%s", p[0], p[1], p[2],
                              p[4], p[5]);
        return tn_nsx_id(arena, p[0], p[1], p[2], "", p[4], p[5], NULL);
    }
}

Test(nsx_names, injective)
{
    unsigned seed = 20;
    struct tn_map seen;
    tn_map_init(&seen, arena, 0);
    for (size_t i = 0; i < 30000; i++) {
        const char *of;
        const char *id = some_id(&seed, &of);
        const char *before = tn_map_put(&seen, id, (void *) (uintptr_t) of);
        cr_assert(!before || strcmp(before, of) == 0, "%s: %s and %s", id, of,
                  before);
        cr_assert_leq(strlen(id), TN_NSX_ID_MAX);
    }
    cr_expect_gt(seen.n, 5000);
}

/* Prefixes as parts of ids: a v4-mapped one is not what it looks like. */
Test(nsx_names, words_differ)
{
    static const char *const prefixes[] = {
        "10.0.0.0/8",  "::ffff:1.2.3.4/128", "::ffff:1:2:3:4/128",
        "fd00:1::/64", "fd00::1/64",         "fd00::1:0/64",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(prefixes); i++) {
        for (size_t k = 0; k < i; k++) {
            cr_expect_str_neq(tn_nsx_word(arena, prefixes[i]),
                              tn_nsx_word(arena, prefixes[k]));
        }
    }
}

/* RFC 9562, 5.8: the same for ever, and of its own. */
Test(nsx_names, vif)
{
    const char *vif = tn_nsx_vif(arena, "lab", "acme/web", "web1");
    cr_expect_str_eq(vif, tn_nsx_vif(arena, "lab", "acme/web", "web1"));
    cr_expect_str_eq(vif, "feef4bda-32ce-8345-b147-2a3354289cd2");
    cr_expect_eq(vif[14], '8');
    cr_expect_not_null(strchr("89ab", vif[19]));
    cr_expect_str_neq(vif, tn_nsx_vif(arena, "lab", "acme/web", "web2"));
    cr_expect_str_neq(vif, tn_nsx_vif(arena, "lab2", "acme/web", "web1"));
}
