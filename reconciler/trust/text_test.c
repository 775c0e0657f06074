/* text_test.c - scopes and commit texts. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/trust/commit_text.h"
#include "reconciler/trust/scope.h"

static const struct {
    const char *pattern, *path;
    bool matches;
} scopes[] = {
    {"**", "a", true},
    {"**", "a/b/c", true},
    {"a/**", "a/b", true},
    {"a/**", "a/b/c", true},
    {"a/**", "a", false},
    {"a/**", "ab/c", false},
    {"a/**", "b/a/c", false},
    {"**/a", "a", true},
    {"**/a", "x/y/a", true},
    {"**/a", "x/y/ab", false},
    {"a/**/b", "a/b", true},
    {"a/**/b", "a/x/y/b", true},
    {"a/**/b", "a/x/b/y", false},
    {"**/a/**/b", "x/a/a/c/b", true},
    {"**/a/**", "x/a", false},
    {"*", "a", true},
    {"*", "a/b", false},
    {"*/b", "a/b", true},
    {"*.yml", "vpc.yml", true},
    {"*.yml", "a/vpc.yml", false},
    {"*.yml", ".yml", true},
    {"a*c*e", "abcde", true},
    {"a*c*e", "abcdef", false},
    {"a?c", "abc", true},
    {"a?c", "a/c", false},
    {"tenants/acme/*", "tenants/acme/x", true},
    {"tenants/acme/*", "tenants/acme/x/y", false},
    {"tenants/acme", "tenants/acme", true},
    {"tenants/acme", "tenants/acme/x", false},
    {"tenants/acme/x", "tenants/acme", false},
    {"A", "a", false},
    {"", "a", false},
};

Test(scope, matches)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(scopes); i++) {
        cr_expect_eq(tn_scope_match(scopes[i].pattern, scopes[i].path),
                     scopes[i].matches, "%s on %s", scopes[i].pattern,
                     scopes[i].path);
    }
}

Test(scope, is_not_exponential)
{
    char pattern[1024], path[4096];
    for (size_t i = 0; i + 3 < sizeof pattern; i += 3) {
        memcpy(pattern + i, "**/", 4);
    }
    strcpy(pattern + sizeof pattern - 4, "/b");
    memset(path, 'a', sizeof path);
    for (size_t i = 1; i < sizeof path; i += 2) {
        path[i] = '/';
    }
    strcpy(path + sizeof path - 2, "c");
    for (unsigned i = 0; i < 10; i++) {
        cr_assert(!tn_scope_match(pattern, path));
    }
    memset(pattern, '*', sizeof pattern);
    for (size_t i = 1; i < sizeof pattern; i += 2) {
        pattern[i] = 'a';
    }
    strcpy(pattern + sizeof pattern - 2, "b");
    memset(path, 'a', sizeof path - 1);
    for (unsigned i = 0; i < 10; i++) {
        cr_assert(!tn_scope_match(pattern, path));
    }
}

#define ID "0123456789abcdef0123456789abcdef01234567"
#define TREE "tree " ID "\n"
#define PARENT "parent " ID "\n"
#define WHO(role) role " A B <a@b> 1700000000 +0100\n"
#define HEAD TREE PARENT WHO("author") WHO("committer")
#define SIG "gpgsig -----BEGIN\n abc\n \n END\n"

static enum tn_code
parse(const char *bytes, size_t n, struct tn_arena *arena,
      struct tn_commit_text *out)
{
    char *exact = malloc(n ? n : 1); /* For AddressSanitizer. */
    memcpy(exact, bytes, n);
    enum tn_code code = tn_commit_text_parse(arena, exact, n, out, NULL);
    free(exact);
    return code;
}

static const struct {
    const char *text, *signature, *rest;
    size_t n_parents;
} good[] = {
    {HEAD "\nhello\n", NULL, HEAD "\nhello\n", 1},
    {HEAD, NULL, HEAD, 1},
    {HEAD "\n", NULL, HEAD "\n", 1},
    {HEAD "\n" SIG, NULL, HEAD "\n" SIG, 1},
    {HEAD SIG "\nm", "-----BEGIN\nabc\n\nEND\n", HEAD "\nm", 1},
    {HEAD "encoding x\n" SIG "x y\n z\n\nm", "-----BEGIN\nabc\n\nEND\n",
     HEAD "encoding x\nx y\n z\n\nm", 1},
    {TREE PARENT PARENT PARENT WHO("author") WHO("committer") "\n", NULL,
     TREE PARENT PARENT PARENT WHO("author") WHO("committer") "\n", 3},
    {TREE "author <> 0 -0000\ncommitter > < <x> 5 +0000\n\n", NULL,
     TREE "author <> 0 -0000\ncommitter > < <x> 5 +0000\n\n", 0},
};

Test(commit_text, reads)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(good); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct tn_commit_text c = {0};
        cr_assert_eq(parse(good[i].text, strlen(good[i].text), arena, &c),
                     TN_OK, "row %zu", i);
        cr_assert_eq(c.n_parents, good[i].n_parents, "row %zu", i);
        cr_assert_eq(c.tree.b[1], 0x23);
        cr_assert_str_eq(c.signed_text, good[i].rest, "row %zu", i);
        cr_assert_eq(c.n_signed_text, strlen(good[i].rest));
        if (good[i].signature) {
            cr_assert_str_eq(c.signature, good[i].signature, "row %zu", i);
        } else {
            cr_assert_null(c.signature, "row %zu", i);
        }
    }
}

#define ROW(text)                                                              \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }
static const struct {
    const char *text;
    size_t n;
} malformed[] = {
    ROW(""),
    ROW("tree "),
    ROW(TREE),
    ROW(PARENT TREE WHO("author") WHO("committer")),
    ROW(TREE WHO("author") PARENT WHO("committer") "\n"),
    ROW(HEAD PARENT "\n"),
    ROW(HEAD TREE "\n"),
    ROW(HEAD WHO("author") "\n"),
    ROW(HEAD SIG PARENT "\n"),
    ROW(HEAD SIG SIG "\n"),
    ROW(HEAD SIG "gpgsig-sha256 x\n\n"),
    ROW(HEAD "gpgsig-sha256 x\n\n"),
    ROW(HEAD "gpgsigx\n\n"),
    ROW(HEAD " continued\n\n"),
    ROW(HEAD "encoding"),
    ROW(HEAD "\nmess\0age"),
    ROW(HEAD "\0\n"),
    ROW(SIG HEAD "\n"),
    ROW(TREE SIG PARENT WHO("author") WHO("committer") "\n"),
    ROW("tree 0123456789ABCDEF0123456789abcdef01234567\n" WHO("author")
            WHO("committer") "\n"),
    ROW("tree 0123456789abcdef0123456789abcdef0123456\n" WHO("author")
            WHO("committer") "\n"),
    ROW("tree  123456789abcdef0123456789abcdef01234567\n" WHO("author")
            WHO("committer") "\n"),
    ROW(TREE "author A <a@b> x +0000\n" WHO("committer") "\n"),
    ROW(TREE WHO("author") "committer A <a@b> -5 +0000\n\n"),
    ROW(TREE WHO("author") "committer A <a@b> 5 +00000\n\n"),
    ROW(TREE WHO("author") "committer A <a@b> 5 0000\n\n"),
    ROW(TREE WHO("author") "committer A <a@b> 5\n\n"),
    ROW(TREE WHO("author") "committer A 5 +0000\n\n"),
    ROW(TREE WHO("author") "committer A <a> 99999999999999999999 +0000\n\n"),
};

Test(commit_text, refuses)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(malformed); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct tn_commit_text c;
        cr_expect_eq(parse(malformed[i].text, malformed[i].n, arena, &c),
                     TN_EINTENT, "row %zu", i);
    }
}

Test(commit_text, bounds)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0}, p = {0};
    struct tn_commit_text c;
    tn_text_add(&t, HEAD "\n");
    while (t.n <= TN_COMMIT_BYTES) {
        tn_text_add(&t, "more and more and more and more\n");
    }
    cr_assert_eq(parse(t.s, t.n, arena, &c), TN_EINTENT);
    tn_text_add(&p, TREE);
    for (unsigned i = 0; i < TN_COMMIT_PARENTS + 1; i++) {
        tn_text_add(&p, PARENT);
    }
    tn_text_add(&p, WHO("author") WHO("committer") "\n");
    cr_assert_eq(parse(p.s, p.n, arena, &c), TN_EINTENT);
}
