/* worktree_test.c - reading plain files without being led astray. */
#include "reconciler/source/source.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/source/sandbox.h"

static struct tn_sandbox box;
static struct tn_arena *arena;
static struct tn_source *source;

static void
setup(void)
{
    tn_sandbox_init(&box);
    arena = tn_arena_new();
    tn_sandbox_sh(
        &box, "mkdir -p w/.git w/tenants/acme/.git w/zoo outside && "
              "echo one > w/tenet.yml && echo x > w/tenants/acme/vpc.yml && "
              "echo secret > outside/secret && ln -s ../outside w/out && "
              "ln -s ../outside/secret w/leak && mkfifo w/pipe && "
              "ln -s tenet.yml w/alias && : > w/empty");
    cr_assert_eq(tn_source_open_worktree(
                     tn_arena_printf(arena, "%s/w", box.dir), &source, NULL),
                 TN_OK);
}

static void
teardown(void)
{
    source->ops->free(source);
    tn_arena_free(arena);
    tn_sandbox_done(&box);
}

TestSuite(worktree, .init = setup, .fini = teardown);

static void
hex(const struct tn_oid *id, char out[41])
{
    for (size_t i = 0; i < 20; i++) {
        snprintf(out + 2 * i, 3, "%02x", id->b[i]);
    }
}

Test(worktree, lists_with_the_ids_of_git)
{
    static const struct {
        const char *name;
        enum tn_entry_type type;
    } want[] = {
        {"alias", TN_ENTRY_OTHER},    {"empty", TN_ENTRY_FILE},
        {"leak", TN_ENTRY_OTHER},     {"out", TN_ENTRY_OTHER},
        {"pipe", TN_ENTRY_OTHER},     {"tenants", TN_ENTRY_DIR},
        {"tenet.yml", TN_ENTRY_FILE}, {"zoo", TN_ENTRY_DIR},
    };
    struct tn_entry *e = NULL;
    size_t n = 0;
    cr_assert_eq(source->ops->list(source, "", arena, &e, &n, NULL), TN_OK);
    cr_assert_eq(n, TN_ARRAY_SIZE(want));
    for (size_t i = 0; i < n; i++) {
        cr_assert_str_eq(e[i].name, want[i].name);
        cr_assert_eq(e[i].type, want[i].type, "%s", e[i].name);
        cr_assert_eq(tn_oid_known(&e[i].id), e[i].type == TN_ENTRY_FILE);
    }
    char id[41];
    TN_CLEANUP(tn_cleanup_free)
    char *git = tn_sandbox_out(&box, "git hash-object w/tenet.yml");
    hex(&e[6].id, id);
    cr_assert_str_eq(id, git);
    cr_assert_eq(source->ops->list(source, "tenants/acme", arena, &e, &n, NULL),
                 TN_OK);
    cr_assert_eq(n, 1);
    cr_assert_str_eq(source->commit, "");
}

static const struct {
    const char *path;
    enum tn_code code;
    const char *content;
} reads[] = {
    {"tenet.yml", TN_OK, "one\n"},
    {"tenants/acme/vpc.yml", TN_OK, "x\n"},
    {"empty", TN_OK, ""},
    {"alias", TN_EINTENT, NULL},
    {"leak", TN_EINTENT, NULL},
    {"out/secret", TN_ENOENT, NULL},
    {"pipe", TN_EINTENT, NULL},
    {"zoo", TN_EINTENT, NULL},
    {"nope", TN_ENOENT, NULL},
    {"nope/x", TN_ENOENT, NULL},
    {"../outside/secret", TN_ENOENT, NULL},
    {"zoo/../tenet.yml", TN_ENOENT, NULL},
    {"tenet.yml/x", TN_ENOENT, NULL},
};

Test(worktree, reads_files_and_follows_nothing)
{
    static const struct tn_oid unknown;
    for (size_t i = 0; i < TN_ARRAY_SIZE(reads); i++) {
        const char *bytes = NULL;
        size_t n = 0;
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        enum tn_code code = source->ops->read(source, reads[i].path, &unknown,
                                              100, arena, &bytes, &n, &err);
        tn_error_text(&err, text, sizeof text);
        cr_assert_eq(code, reads[i].code, "%s: %d %s", reads[i].path, code,
                     text);
        if (!code) {
            cr_assert_str_eq(bytes, reads[i].content);
        } else {
            cr_assert(strstr(text, reads[i].path), "%s", text);
        }
    }
}

Test(worktree, does_not_list_through_links)
{
    static const char *const paths[] = {"out",  "alias", "..",       "zoo/..",
                                        "pipe", "nope",  "tenet.yml"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(paths); i++) {
        struct tn_entry *e = NULL;
        size_t n = 0;
        enum tn_code code =
            source->ops->list(source, paths[i], arena, &e, &n, NULL);
        cr_assert(code == TN_ENOENT || code == TN_EINTENT, "%s: %d", paths[i],
                  code);
    }
}

Test(worktree, equal_id_means_equal_bytes)
{
    struct tn_entry *e = NULL;
    size_t n = 0;
    const char *bytes = NULL;
    cr_assert_eq(source->ops->list(source, "", arena, &e, &n, NULL), TN_OK);
    const struct tn_oid id = e[6].id;
    cr_assert_eq(source->ops->read(source, "tenet.yml", &id, 100, arena, &bytes,
                                   &n, NULL),
                 TN_OK);
    tn_sandbox_sh(&box, "echo two > w/tenet.yml");
    cr_assert_eq(source->ops->read(source, "tenet.yml", &id, 100, arena, &bytes,
                                   &n, NULL),
                 TN_EUNAVAILABLE);
}

Test(worktree, bounds_sizes_and_refuses_names)
{
    struct tn_entry *e = NULL;
    size_t n = 0;
    const char *bytes = NULL;
    tn_sandbox_sh(&box, "truncate -s 5G w/zoo/huge && mkdir w/bad && "
                        "touch \"$(printf 'w/bad/a\\033b')\"");
    cr_assert_eq(source->ops->list(source, "zoo", arena, &e, &n, NULL), TN_OK);
    cr_assert(!tn_oid_known(&e[0].id));
    cr_assert_eq(source->ops->read(source, "zoo/huge", &e[0].id, 1 << 20, arena,
                                   &bytes, &n, NULL),
                 TN_EINTENT);
    cr_assert_eq(source->ops->list(source, "bad", arena, &e, &n, NULL),
                 TN_EINTENT);
}

Test(worktree, duplicates_and_outlives_its_name)
{
    static const struct tn_oid unknown;
    struct tn_source *second = NULL;
    const char *bytes = NULL;
    size_t n = 0;
    cr_assert_eq(source->ops->dup(source, &second, NULL), TN_OK);
    tn_sandbox_sh(&box, "mv w w2");
    cr_assert_eq(second->ops->read(second, "tenet.yml", &unknown, 100, arena,
                                   &bytes, &n, NULL),
                 TN_OK);
    second->ops->free(second);
    cr_assert_eq(tn_source_open_worktree("/nonexistent", &second, NULL),
                 TN_ENOENT);
}
