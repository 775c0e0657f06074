/* config_test.c - the daemon's own file: what is taken, and where it is said to
 * be wrong. */
#include "reconciler/daemon/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/peer.h"

#define HEAD "apiVersion: tenet/v1\nkind: Daemon\nmetadata: {name: d}\n"

static const struct {
    const char *text;
    unsigned line, column; /* Of the first finding. */
    const char *says;
} refused[] = {
    {"", 1, 1, "one document"},
    {HEAD "spec: {source: {url: /r}}\n---\n" HEAD "spec: {source: {url: /r}}\n",
     1, 1, "one document"},
    {"apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: a}\nspec: {}\n", 1,
     1, "not a Daemon"},
    {HEAD "spec: {}\n", 4, 7, "source"},
    {HEAD "spec: {source: {}}\n", 4, 16, "url"},
    {HEAD "spec:\n  source: {url: /r, branhc: x}\n", 5, 21, "branhc"},
    {HEAD "spec:\n  source: {url: /r, interval: 0}\n", 5, 31, ""},
    {HEAD "spec:\n  source: {url: /r, interval: soon}\n", 5, 31, ""},
    {HEAD "spec:\n  source: {url: /r, timeout: 3601}\n", 5, 30,
     "out of bounds"},
    {HEAD "spec:\n  source: {url: /r}\n  loop: {audit: 4}\n", 6, 17,
     "out of bounds"},
    {HEAD "spec:\n  source: {url: /r}\n  loop: {confirm: 60}\n", 6, 10,
     "confirm"},
    {HEAD "spec:\n  source: {url: /r}\n  loop: {firstContact: maybe}\n", 6, 24,
     "firstContact"},
    {HEAD "spec:\n  source: {url: /r}\n  status: {push: perhaps}\n", 6, 18,
     "true or false"},
    {HEAD "spec:\n  source: {url: /r}\n  control: [x]\n", 6, 12, "a list"},
    {HEAD "spec:\n  source: {url: [\n", 6, 0, ""},
    {HEAD "spec:\n  source: {url: /r}\n  source: {url: /s}\n", 6, 3, "source"},
    {HEAD "spec: nonsense\n", 4, 7, ""},
    {HEAD "spec: {source: {url: 'https://u:s3cret@h/r'}}\n", 4, 22, "password"},
    {HEAD "spec: {source: {url: 'http://h/r'}}\n", 4, 22, ""},
};

static enum tn_code
load(const char *text, struct tn_arena *arena, const struct tn_daemon **out,
     struct tn_diags *diags)
{
    struct tn_error err = {0};
    char *dir = tn_peer_dir();
    char path[256];
    snprintf(path, sizeof path, "%s/daemon.yml", dir);
    tn_peer_write(dir, "daemon.yml", text);
    tn_diags_init(diags, arena);
    enum tn_code code = tn_daemon_config_load(tn_arena_strdup(arena, path),
                                              arena, out, diags, &err);
    tn_peer_remove(dir);
    return code;
}

Test(config, says_where_it_is_wrong)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(refused); i++) {
        struct tn_arena *arena = tn_arena_new();
        struct tn_diags diags;
        const struct tn_daemon *d = NULL;
        cr_expect_eq(load(refused[i].text, arena, &d, &diags), TN_EINTENT,
                     "row %zu", i);
        cr_assert_gt(diags.list.n, 0, "row %zu", i);
        const struct tn_diag *f = &diags.list.items[0];
        cr_expect(f->at.path && strstr(f->at.path, "/daemon.yml"));
        cr_expect_eq(f->at.line, refused[i].line, "row %zu: %u:%u: %s", i,
                     f->at.line, f->at.column, f->message);
        cr_expect(!refused[i].column || f->at.column == refused[i].column,
                  "row %zu: %u:%u: %s", i, f->at.line, f->at.column,
                  f->message);
        cr_expect_null(strstr(f->message, "s3cret"));
        cr_expect_not_null(strstr(f->message, refused[i].says), "row %zu: %s",
                           i, f->message);
        tn_arena_free(arena);
    }
}

Test(config, is_taken)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_diags diags;
    const struct tn_daemon *d = NULL;
    cr_assert_eq(load(HEAD "spec:\n  source: {url: /r, interval: 5}\n"
                           "  loop: {firstContact: heal, audit: 10}\n",
                      arena, &d, &diags),
                 TN_OK);
    cr_expect_str_eq(d->source.url.v, "/r");
    cr_expect_eq(d->source.interval.v, 5);
    cr_expect_eq(d->loop.first_contact.v, TN_FIRST_HEAL);
    cr_expect_eq(d->loop.audit.v, 10);
    const struct tn_daemon *none = tn_daemon_config_default("/here", arena);
    cr_expect_str_eq(none->source.url.v, "/here");
    tn_arena_free(arena);
}

Test(config, must_be_there_and_of_some_size)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_diags diags;
    struct tn_error err = {0};
    const struct tn_daemon *d = NULL;
    tn_diags_init(&diags, arena);
    cr_expect_eq(
        tn_daemon_config_load("/nowhere/d.yml", arena, &d, &diags, &err),
        TN_ENOENT);
    char *big = malloc(300001);
    memset(big, '#', 300000);
    big[300000] = '\0';
    cr_expect_eq(load(big, arena, &d, &diags), TN_EINTENT);
    free(big);
    tn_arena_free(arena);
}
