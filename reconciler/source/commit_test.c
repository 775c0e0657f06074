/* commit_test.c - reading commits of real repositories, good and hostile. */
#include "reconciler/source/source.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/source/sandbox.h"

static struct tn_sandbox box;
static struct tn_arena *arena;

static void
setup(void)
{
    tn_sandbox_init(&box);
    arena = tn_arena_new();
}

static void
teardown(void)
{
    tn_arena_free(arena);
    tn_sandbox_done(&box);
}

TestSuite(commit, .init = setup, .fini = teardown);

static const char *
in_box(const char *name)
{
    return tn_arena_printf(arena, "%s/%s", box.dir, name);
}

/* A repository 'r' with two commits, a tag and a branch. */
static void
make_repo(void)
{
    tn_sandbox_sh(
        &box, "git init -q -b main r && cd r && mkdir -p tenants/acme a/b && "
              "echo one > tenet.yml && echo x > tenants/acme/vpc.yml && "
              "echo deep > a/b/c.txt && git add . && git commit -qm First && "
              "git tag v1 && git tag -a -m Release v2 && "
              "echo two > tenet.yml && git commit -qam 'Second commit' && "
              "git branch side v1");
}

static struct tn_source *
open_ok(const char *path, const char *rev, struct tn_commit *info)
{
    struct tn_source *s = NULL;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_source_open_commit(path, rev, &s, info, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    return s;
}

/* Opening fails with this code, and says this. */
static void
open_fails(const char *path, const char *rev, enum tn_code want,
           const char *saying)
{
    struct tn_source *s = NULL;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_source_open_commit(path, rev, &s, NULL, &err);
    tn_error_text(&err, text, sizeof text);
    cr_assert_eq(code, want, "%d: %s", code, text);
    cr_assert(strstr(text, saying), "%s", text);
    cr_assert_null(s);
}

static const char *
read_text(struct tn_source *s, const char *path)
{
    static const struct tn_oid unknown;
    const char *bytes = NULL;
    size_t n = 0;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code =
        s->ops->read(s, path, &unknown, 1 << 20, arena, &bytes, &n, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    cr_assert_eq(strlen(bytes), n);
    return bytes;
}

static const struct {
    const char *rev, *content, *branch;
} revs[] = {
    {NULL, "two\n", "main"},   {"", "two\n", "main"},
    {"HEAD", "two\n", "main"}, {"main", "two\n", "main"},
    {"side", "one\n", "side"}, {"refs/heads/side", "one\n", "side"},
    {"v1", "one\n", ""},       {"v2", "one\n", ""},
    {"HEAD~1", "one\n", ""},   {"main^", "one\n", ""},
    {"@", "two\n", "main"},
};

Test(commit, opens_what_git_calls_a_revision)
{
    make_repo();
    for (size_t i = 0; i < TN_ARRAY_SIZE(revs); i++) {
        struct tn_commit info;
        struct tn_source *s = open_ok(in_box("r"), revs[i].rev, &info);
        cr_assert_str_eq(read_text(s, "tenet.yml"), revs[i].content);
        cr_assert_str_eq(s->commit, info.id);
        cr_assert_str_eq(info.branch, revs[i].branch, "row %zu: %s", i,
                         info.branch);
        s->ops->free(s);
    }
}

Test(commit, says_what_git_says)
{
    make_repo();
    TN_CLEANUP(tn_cleanup_free)
    char *id = tn_sandbox_out(&box, "git -C r rev-parse HEAD");
    TN_CLEANUP(tn_cleanup_free)
    char *tree = tn_sandbox_out(&box, "git -C r rev-parse 'HEAD^{tree}'");
    char short_id[8];
    struct tn_commit info;
    snprintf(short_id, sizeof short_id, "%.7s", id);
    struct tn_source *s = open_ok(in_box("r"), short_id, &info);
    cr_assert_str_eq(info.id, id);
    cr_assert_str_eq(info.tree, tree);
    cr_assert_str_eq(info.subject, "Second commit");
    cr_assert_str_eq(info.author, "Ada");
    cr_assert_eq(info.author_time, 1700000000);
    cr_assert_eq(info.commit_time, 1700000060);
    cr_assert(strstr(s->label, short_id));
    s->ops->free(s);
}

Test(commit, opens_from_below_bare_detached_and_linked)
{
    make_repo();
    tn_sandbox_sh(&box, "git clone -q --bare r bare.git && "
                        "git -C r worktree add -q ../linked side && "
                        "git clone -q r gone && cd gone && "
                        "git checkout -q --detach HEAD~1");
    static const struct {
        const char *path, *content, *root;
    } rows[] = {
        {"r/a/b", "two\n", "r"},           {"r/.git", "two\n", "r"},
        {"bare.git", "two\n", "bare.git"}, {"linked", "one\n", "linked"},
        {"gone", "one\n", "gone"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const char *root = NULL;
        struct tn_source *s = open_ok(in_box(rows[i].path), NULL, NULL);
        cr_assert_str_eq(read_text(s, "tenet.yml"), rows[i].content);
        s->ops->free(s);
        cr_assert_eq(tn_source_root(in_box(rows[i].path), arena, &root, NULL),
                     TN_OK);
        cr_assert_str_eq(root, in_box(rows[i].root));
    }
}

Test(commit, explains_what_cannot_be_opened)
{
    make_repo();
    tn_sandbox_sh(&box, "git init -q empty; git init -q --bare void.git; "
                        "mkdir plain; git -C r tag blob HEAD:tenet.yml; "
                        "git clone -q --depth 1 \"file://$PWD/r\" shallow");
    open_fails(in_box("nowhere"), NULL, TN_ENOENT, "not in a Git repository");
    open_fails(in_box("plain"), NULL, TN_ENOENT, "not in a Git repository");
    open_fails(in_box("empty"), NULL, TN_ENOENT, "no commit yet");
    open_fails(in_box("void.git"), "HEAD", TN_ENOENT, "no commit yet");
    open_fails(in_box("r"), "nope", TN_ENOENT, "no revision 'nope'");
    open_fails(in_box("r"), "a..b", TN_ENOENT, "no revision");
    open_fails(in_box("r"), "\033[31m", TN_ENOENT, "'\\x1b[31m'");
    open_fails(in_box("r"), "deadbeef", TN_ENOENT, "no revision");
    open_fails(in_box("r"), "HEAD:tenet.yml", TN_ENOENT, "no revision");
    open_fails(in_box("r"), "blob", TN_ENOENT, "no revision");
    open_fails(in_box("shallow"), "HEAD~1", TN_ENOENT, "shallow");
}

Test(commit, lists_in_order_with_types_and_ids)
{
    make_repo();
    tn_sandbox_sh(&box,
                  "cd r && ln -s /etc/passwd link && echo b > a-b && "
                  "echo '#!/bin/sh' > run && chmod +x run && git add . && "
                  "git update-index --add --cacheinfo "
                  "160000,$(git rev-parse HEAD),sub && git commit -qm more");
    static const struct {
        const char *name;
        enum tn_entry_type type;
    } want[] = {
        {"a", TN_ENTRY_DIR},          {"a-b", TN_ENTRY_FILE},
        {"link", TN_ENTRY_OTHER},     {"run", TN_ENTRY_FILE},
        {"sub", TN_ENTRY_OTHER},      {"tenants", TN_ENTRY_DIR},
        {"tenet.yml", TN_ENTRY_FILE},
    };
    struct tn_source *s = open_ok(in_box("r"), NULL, NULL);
    struct tn_entry *e = NULL;
    size_t n = 0;
    cr_assert_eq(s->ops->list(s, "", arena, &e, &n, NULL), TN_OK);
    cr_assert_eq(n, TN_ARRAY_SIZE(want));
    for (size_t i = 0; i < n; i++) {
        cr_assert_str_eq(e[i].name, want[i].name);
        cr_assert_eq(e[i].type, want[i].type, "%s", e[i].name);
        cr_assert(tn_oid_known(&e[i].id));
    }
    const char *bytes = NULL;
    size_t len = 0;
    cr_assert_eq(
        s->ops->read(s, "run", &e[3].id, 100, arena, &bytes, &len, NULL),
        TN_OK);
    cr_assert_str_eq(bytes, "#!/bin/sh\n");
    cr_assert_eq(s->ops->list(s, "a/b", arena, &e, &n, NULL), TN_OK);
    cr_assert_str_eq(e[0].name, "c.txt");

    static const struct tn_oid unknown;
    static const char *const no_dirs[] = {"nope", "a/nope",    "a//b", "../r",
                                          "a/..", "tenet.yml", "/a",   "link"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(no_dirs); i++) {
        cr_assert_eq(s->ops->list(s, no_dirs[i], arena, &e, &n, NULL),
                     TN_ENOENT, "%s", no_dirs[i]);
    }
    cr_assert_eq(
        s->ops->read(s, "link", &unknown, 100, arena, &bytes, &len, NULL),
        TN_EINTENT);
    cr_assert_eq(s->ops->read(s, "a", &unknown, 100, arena, &bytes, &len, NULL),
                 TN_EINTENT);
    s->ops->free(s);
}

/* Names that 'git mktree' lets pass; the shell's printf makes them. */
static const char *const bad_names[] = {
    "..",
    ".",
    ".git",
    ".GIT",
    "a\\\\b",
    "a\\033b",
    "a\\342\\200\\256b",
    "a\\377",
    "a\\001",
};

Test(commit, refuses_hostile_names)
{
    make_repo();
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad_names); i++) {
        tn_sandbox_sh(
            &box,
            "cd r && b=$(git rev-parse HEAD:tenet.yml) && "
            "t=$(printf '100644 blob %%s\\t%s\\0' $b | git mktree -z) && "
            "t=$(printf '040000 tree %%s\\tdir\\n' $t | git mktree) && "
            "git update-ref refs/heads/bad $(git commit-tree -m x $t)",
            bad_names[i]);
        struct tn_source *s = open_ok(in_box("r"), "bad", NULL);
        struct tn_entry *e = NULL;
        size_t n = 0;
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        cr_assert_eq(s->ops->list(s, "dir", arena, &e, &n, &err), TN_EINTENT,
                     "row %zu", i);
        tn_error_text(&err, text, sizeof text);
        cr_assert(strstr(text, "dir/"), "%s", text);
        s->ops->free(s);
    }
}

Test(commit, refuses_raw_trees_that_git_would_not_make)
{
    make_repo();
    static const struct {
        const char *mode, *name, *object;
        enum tn_code list, read;
    } rows[] = {
        {"100644", "a/b", "HEAD:tenet.yml", TN_EINTENT, TN_EINTENT},
        {"100644", "dir", "HEAD:a", TN_OK, TN_EINTENT},
        {"100666", "odd", "HEAD:tenet.yml", TN_OK, TN_OK},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        tn_sandbox_sh(
            &box,
            "cd r && { printf '%s %s\\0'; git rev-parse %s | "
            "tr -d '\\n' | sed 's/../\\\\x&/g' | xargs -0 /usr/bin/printf; } "
            "> raw && t=$(git hash-object -t tree -w --literally raw) && "
            "git update-ref refs/heads/bad $(git commit-tree -m x $t)",
            rows[i].mode, rows[i].name, rows[i].object);
        struct tn_source *s = open_ok(in_box("r"), "bad", NULL);
        struct tn_entry *e = NULL;
        size_t n = 0;
        const char *bytes = NULL;
        enum tn_code code = s->ops->list(s, "", arena, &e, &n, NULL);
        cr_assert_eq(code, rows[i].list, "row %zu: %d", i, code);
        if (!code) {
            code = s->ops->read(s, rows[i].name, &e[0].id, 100, arena, &bytes,
                                &n, NULL);
            cr_assert_eq(code, rows[i].read, "row %zu: %d", i, code);
        }
        s->ops->free(s);
    }
}

Test(commit, refuses_case_twins)
{
    make_repo();
    tn_sandbox_sh(&box,
                  "cd r/tenants && mkdir Acme && echo x > Acme/vpc.yml && "
                  "git add . && git commit -qm twins");
    struct tn_source *s = open_ok(in_box("r"), NULL, NULL);
    struct tn_entry *e = NULL;
    size_t n = 0;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    cr_assert_eq(s->ops->list(s, "tenants", arena, &e, &n, &err), TN_EINTENT);
    tn_error_text(&err, text, sizeof text);
    cr_assert(strstr(text, "tenants/Acme: 'acme'"), "%s", text);
    cr_assert_eq(s->ops->list(s, "", arena, &e, &n, &err), TN_OK);
    s->ops->free(s);
}

Test(commit, bounds_what_it_reads)
{
    make_repo();
    tn_sandbox_sh(&box, "cd r && head -c 20000000 /dev/zero > huge && "
                        "head -c 1000 /dev/zero > exact && git add . && "
                        "git commit -qm huge && git gc -q");
    struct tn_source *s = open_ok(in_box("r"), NULL, NULL);
    static const struct tn_oid unknown;
    const char *bytes = NULL;
    size_t n = 0, before = tn_arena_size(arena);
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    cr_assert_eq(
        s->ops->read(s, "huge", &unknown, 1 << 20, arena, &bytes, &n, &err),
        TN_EINTENT);
    tn_error_text(&err, text, sizeof text);
    cr_assert(strstr(text, "huge: 20000000 bytes"), "%s", text);
    cr_assert_lt(tn_arena_size(arena), before + 4096);
    cr_assert_eq(
        s->ops->read(s, "exact", &unknown, 999, arena, &bytes, &n, &err),
        TN_EINTENT);
    cr_assert_eq(
        s->ops->read(s, "exact", &unknown, 1000, arena, &bytes, &n, &err),
        TN_OK);
    cr_assert_eq(n, 1000);
    cr_assert_eq(bytes[1000], '\0');
    s->ops->free(s);
}

Test(commit, tells_damage_from_absence)
{
    make_repo();
    tn_sandbox_sh(
        &box, "cd r && o() { h=$(git rev-parse $1); "
              "echo .git/objects/$(echo $h | cut -c1-2)/$(echo $h | cut "
              "-c3-); } && rm -f $(o HEAD:a/b/c.txt) && f=$(o HEAD:tenet.yml) "
              "&& chmod u+w $f && echo other | git hash-object -w --stdin "
              "> id && h=$(cat id) && cp -f .git/objects/$(cut -c1-2 "
              "id)/$(cut -c3- id) $f");
    struct tn_source *s = open_ok(in_box("r"), NULL, NULL);
    static const struct tn_oid unknown;
    const char *bytes = NULL;
    size_t n = 0;
    cr_assert_eq(
        s->ops->read(s, "a/b/c.txt", &unknown, 100, arena, &bytes, &n, NULL),
        TN_EINTERNAL);
    /* The object holds another content than its name says. */
    cr_assert_eq(
        s->ops->read(s, "tenet.yml", &unknown, 100, arena, &bytes, &n, NULL),
        TN_EINTERNAL);
    cr_assert_eq(
        s->ops->read(s, "missing", &unknown, 100, arena, &bytes, &n, NULL),
        TN_ENOENT);
    s->ops->free(s);
}

Test(commit, keeps_hostile_messages_harmless)
{
    make_repo();
    tn_sandbox_sh(&box,
                  "cd r && printf '\\n\\nBad \\033[31m\\342\\200\\256 "
                  "\\377 end\\nbody' | git -c i18n.commitEncoding=x commit "
                  "-q --allow-empty --cleanup=verbatim -F -");
    struct tn_commit info;
    cr_assert_eq(tn_source_resolve(in_box("r"), NULL, &info, NULL), TN_OK);
    cr_assert_str_eq(info.subject, "Bad ?[31m? ? end");
}

struct reader {
    struct tn_source *source;
    size_t n_read;
};

static void *
read_many(void *arg)
{
    static const struct tn_oid unknown;
    struct reader *r = arg;
    struct tn_arena *own = tn_arena_new();
    for (int i = 0; i < 200; i++) {
        const char *bytes = NULL;
        size_t n = 0;
        if (!r->source->ops->read(r->source, i & 1 ? "a/b/c.txt" : "tenet.yml",
                                  &unknown, 100, own, &bytes, &n, NULL)) {
            r->n_read += strcmp(bytes, i & 1 ? "deep\n" : "two\n") == 0;
        }
    }
    tn_arena_free(own);
    r->source->ops->free(r->source);
    return NULL;
}

Test(commit, duplicates_serve_threads)
{
    make_repo();
    struct tn_source *s = open_ok(in_box("r"), NULL, NULL);
    struct reader readers[4] = {{0}};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(s->ops->dup(s, &readers[i].source, NULL), TN_OK);
        cr_assert_str_eq(readers[i].source->commit, s->commit);
        pthread_create(&threads[i], NULL, read_many, &readers[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_assert_eq(readers[i].n_read, 200);
    }
    s->ops->free(s);
}

Test(commit, keeps_the_owner_check_and_says_what_to_do)
{
    if (geteuid() != 0) {
        cr_skip("needs root to give a repository away");
    }
    make_repo();
    tn_sandbox_sh(&box, "chown -R 12345 r");
    open_fails(in_box("r"), NULL, TN_EDENIED,
               "git config --global --add safe.directory");
    tn_sandbox_sh(&box, "printf '[safe]\\n\\tdirectory = %s/r\\n' > .gitconfig",
                  box.dir);
    struct tn_source *s = open_ok(in_box("r"), NULL, NULL);
    s->ops->free(s);
    tn_sandbox_sh(&box, "printf '[safe]\\n\\tdirectory = /x\\n' > .gitconfig");
    open_fails(in_box("r/a"), NULL, TN_EDENIED, "/r belongs to another user");
    tn_sandbox_sh(&box, "printf '[safe]\\n\\tdirectory = *\\n' > .gitconfig");
    tn_git_done();
    cr_assert_eq(tn_git_init(NULL), TN_OK);
    s = open_ok(in_box("r/a"), NULL, NULL);
    s->ops->free(s);
    tn_sandbox_sh(&box, "chown -R 0 r");
}
