/* overlay_test.c - trees that are put together. */
#include "reconciler/source/overlay.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/memory_source.h"

static struct tn_arena *arena;
static struct tn_source *overlay;

static void
setup(void)
{
    struct tn_error err = {0};
    struct tn_source *base = tn_memory_source_new();
    struct tn_source *other = tn_memory_source_new();
    arena = tn_arena_new();
    tn_memory_source_add(base, "tenet.yml", "new");
    tn_memory_source_add(base, "tenants/a/x.yml", "new a");
    tn_memory_source_add(base, "tenants/a/only/new.yml", "new");
    tn_memory_source_add(base, "tenants/ab/x.yml", "new ab");
    tn_memory_source_add_other(base, "tenants/link");
    tn_memory_source_add(other, "tenet.yml", "old");
    tn_memory_source_add(other, "tenants/a/x.yml", "old a");
    tn_memory_source_add(other, "tenants/a/deep/y.yml", "old y");
    tn_memory_source_add(other, "tenants/link/z.yml", "old z");
    tn_memory_source_add(other, "tenants/gone/z.yml", "old gone");
    overlay = tn_overlay_new(base);
    static const char *const names[] = {"a", "link", "gone"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(tn_overlay_put(overlay, "tenants", names[i], other, &err),
                     TN_OK);
    }
    cr_assert_eq(tn_overlay_put(overlay, "tenants", "none", other, &err),
                 TN_ENOENT);
    cr_assert_eq(tn_overlay_put(overlay, "nowhere", "a", other, &err),
                 TN_ENOENT);
}

static void
teardown(void)
{
    overlay->ops->free(overlay);
    tn_arena_free(arena);
}

TestSuite(overlay, .init = setup, .fini = teardown);

/* "name type, ..." */
static const char *
listed(struct tn_source *s, const char *path)
{
    struct tn_entry *entries = NULL;
    size_t n = 0;
    struct tn_error err = {0};
    if (s->ops->list(s, path, arena, &entries, &n, &err)) {
        return "nothing";
    }
    const char *out = "";
    for (size_t i = 0; i < n; i++) {
        static const char types[] = "fdo";
        out = tn_arena_printf(arena, "%s%s %c,", out, entries[i].name,
                              types[entries[i].type]);
    }
    return out;
}

static const char *
text(struct tn_source *s, const char *path)
{
    const struct tn_oid unknown = {{0}};
    const char *bytes = NULL;
    size_t n = 0;
    struct tn_error err = {0};
    return s->ops->read(s, path, &unknown, 100, arena, &bytes, &n, &err)
               ? "nothing"
               : bytes;
}

static void
check(struct tn_source *s)
{
    static const struct {
        const char *path, *list, *text;
    } rows[] = {
        {"", "tenants d,tenet.yml f,", "nothing"},
        {"tenants", "a d,ab d,link d,", "nothing"},
        {"tenants/a", "deep d,x.yml f,", "nothing"},
        {"tenants/a/only", "nothing", "nothing"},
        {"tenants/link", "z.yml f,", "nothing"},
        {"tenet.yml", NULL, "new"},
        {"tenants/a/x.yml", NULL, "old a"},
        {"tenants/a/deep/y.yml", NULL, "old y"},
        {"tenants/a/only/new.yml", NULL, "nothing"},
        {"tenants/ab/x.yml", NULL, "new ab"},
        {"tenants/link/z.yml", NULL, "old z"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        if (rows[i].list) {
            cr_expect_str_eq(listed(s, rows[i].path), rows[i].list, "%s: %s",
                             rows[i].path, listed(s, rows[i].path));
        } else {
            cr_expect_str_eq(text(s, rows[i].path), rows[i].text, "%s",
                             rows[i].path);
        }
    }
}

Test(overlay, reads)
{
    check(overlay);
}

Test(overlay, is_read_by_others)
{
    struct tn_source *copy = NULL;
    struct tn_error err = {0};
    cr_assert_eq(overlay->ops->dup(overlay, &copy, &err), TN_OK);
    check(copy);
    copy->ops->free(copy);
    check(overlay);
}

/* The id of a folder is that of the other tree's. */
Test(overlay, ids)
{
    struct tn_entry *a = NULL, *b = NULL;
    size_t n_a = 0, n_b = 0;
    struct tn_error err = {0};
    struct tn_source *same = tn_memory_source_new();
    tn_memory_source_add(same, "tenants/a/x.yml", "old a");
    tn_memory_source_add(same, "tenants/a/deep/y.yml", "old y");
    cr_assert_eq(overlay->ops->list(overlay, "tenants", arena, &a, &n_a, &err),
                 TN_OK);
    cr_assert_eq(same->ops->list(same, "tenants", arena, &b, &n_b, &err),
                 TN_OK);
    cr_assert_eq(memcmp(&a[0].id, &b[0].id, sizeof a[0].id), 0);
    same->ops->free(same);
}
