/* saved_test.c - files of plans: round trip, malformed ones, and what is said
 * when the world moved. */
#include "reconciler/plan/saved.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "tests/plan/fixture.h"

static const char commit[] = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

static const char want_text[] =
    "blue/web bridge b-new 2 @3 | mtu=1450\n"
    "blue/web bridge b-one 2 @4 | mtu=1450; name=\"x\"\n"
    "blue/web vxlan x-a 3 claim=vni_5 | mtu=1450; vni!=5\n"
    "blue/web vxlan x-b 3 claim=vni_6 | mtu=1450; vni!=6\n"
    "blue/web tunnel t 4 | key*=new; peer=192.0.2.1\n";
static const char have_text[] =
    "blue/web bridge b-one 2 | mtu=1500; name=\"x\"\n"
    "blue/web bridge b-old 2 | mtu=1500\n"
    "blue/web vxlan x-a 3 claim=vni_6 | mtu=1450; vni!=6\n"
    "blue/web vxlan x-b 3 claim=vni_5 | mtu=1450; vni!=5\n"
    "blue/web tunnel t 4 | key*=hush; peer=192.0.2.1\n";

static const struct tn_plan *
make_plan(struct tn_arena *arena, const char *want, const char *have)
{
    const struct tn_device_plan *devices[] = {
        fixture_plan(arena, "hv2", NULL, want, have, NULL),
        fixture_plan(arena, "hv1", NULL, "- k a 1", "", NULL),
    };
    return tn_plan_build(arena, commit, "lab", devices, 2);
}

static const struct tn_plan *
sample(struct tn_arena *arena)
{
    return make_plan(arena, want_text, have_text);
}

static const struct tn_saved *
saved_sample(struct tn_arena *arena)
{
    return tn_saved_build(arena, sample(arena), "0.1.0");
}

Test(saved, round_trip)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text a = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text b = {0};
    const struct tn_saved *s = saved_sample(arena), *back = NULL;
    struct tn_error err = {0};
    tn_saved_print(&a, s);
    cr_assert_eq(tn_saved_parse(arena, a.s, a.n, &back, &err), TN_OK, "%s",
                 err.text);
    tn_saved_print(&b, back);
    cr_assert_str_eq(a.s, b.s);
    cr_assert_str_eq(back->version, "0.1.0");
    cr_assert_str_eq(back->commit, commit);
    cr_assert(tn_digest_eq(&back->digest, &sample(arena)->digest));
    cr_assert_eq(back->n_changes, 7);
    cr_assert_str_eq(back->changes[0].device, "hv1");
    cr_assert_null(strstr(a.s, "hush"), "a secret was saved");
    cr_assert(fixture_golden("saved.plan", a.s));
}

Test(saved, halves_are_one_change)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_saved *s = saved_sample(arena);
    size_t found = 0;
    for (size_t i = 0; i < s->n_changes; i++) {
        if (strstr(s->changes[i].key, "/vxlan/")) {
            cr_assert_eq(s->changes[i].op, TN_OP_REPLACE);
            cr_assert_eq(s->changes[i].n_before, 2);
            found++;
        }
    }
    cr_assert_eq(found, 2);
}

Test(saved, files)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    char dir[] = "/tmp/tenet-saved-XXXXXX", path[64];
    struct tn_error err = {0};
    struct stat st;
    const struct tn_saved *back = NULL;
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/out.plan", dir);
    cr_assert_eq(tn_saved_read(arena, path, &back, &err), TN_ENOENT);
    (void) umask(0);
    for (int i = 0; i < 2; i++) { /* The second replaces the first. */
        cr_assert_eq(tn_saved_write(sample(arena), "0.1.0", path, &err), TN_OK,
                     "%s", err.text);
        cr_assert_eq(stat(path, &st), 0);
        cr_assert_eq(st.st_mode & 0777, 0600);
    }
    cr_assert_eq(tn_saved_read(arena, path, &back, &err), TN_OK);
    cr_assert_eq(back->n_changes, 7);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(tn_saved_read(arena, dir, &back, &err), TN_EINTERNAL);
    cr_assert_eq(rmdir(dir), 0, "something was left behind");
    cr_assert_eq(tn_saved_write(sample(arena), "0.1.0", path, &err), TN_ENOENT);
}

/* 'from' of the valid file becomes 'to'; null: all of it. */
static const struct {
    const char *from, *to, *why;
} malformed[] = {
    {NULL, "", "line 1"},
    {NULL, "{", "line 1"},
    {NULL, "[]", "not an object"},
    {NULL, "{}", "'tenet_saved_plan' is missing"},
    {NULL, "null", "line 1"},
    {NULL, "\xff\xfe", "line 1"},
    {NULL, "{\"tenet_saved_plan\":1}", "not known"},
    {NULL, "{\"tenet_saved_plan\":1,\"tenet_saved_plan\":1}", "duplicate"},
    {"\"tenet_saved_plan\":1", "\"tenet_saved_plan\":2", "format 2"},
    {"\"tenet_saved_plan\":1", "\"tenet_saved_plan\":\"1\"", "not a number"},
    {"\"tenet_saved_plan\":1", "\"tenet_saved_plan\":1e400", "line 1"},
    {"\"tenet_saved_plan\":1", "\"tenet_saved_plan\":1,\"more\":0",
     "not known"},
    {"\"tenet\":\"0.1.0\"", "\"tenet\":null", "'tenet' is not text"},
    {"\"tenet\":\"0.1.0\"", "\"tenets\":\"0.1.0\"", "'tenet' is missing"},
    {"\"tenet\":\"0.1.0\"", "\"tenet\":\"0.1.1\"", "checksum"},
    {"\"tenet\":\"0.1.0\"", "\"tenet\":\"\\u0000\"", "line 1"},
    {"1a2b3c4d", "1a2b3c4", "'commit' is not an object id"},
    {"1a2b3c4d", "1A2B3C4D", "'commit' is not an object id"},
    {"1a2b3c4d", "../../..", "'commit' is not an object id"},
    {"1a2b3c4d", "1a2b3c4e", "checksum"},
    {"\"environment\":\"lab\"", "\"environment\":[]", "not text"},
    {"\"environment\":\"lab\"", "\"environment\":\"prod\"", "checksum"},
    {"\"digest\":\"", "\"digest\":\"zz", "'digest' is not a digest"},
    {"\"checksum\":\"", "\"checksum\":\"ab", "'checksum' is not a digest"},
    {"\"changes\":[", "\"changes\":{\"a\":[", "line"},
    {"\"changes\":[", "\"changes\":[1,", "change 1: "},
    {"\"changes\":[", "\"changes\":[{},", "not a change"},
    {"\"device\":\"hv1\"", "\"device\":7", "'device' is not text"},
    {"\"device\":\"hv1\"", "\"device\":\"\"", "without a device"},
    {"\"device\":\"hv1\"", "\"device\":\"hv3\"", "out of order"},
    {"\"device\":\"hv1\"", "\"device\":\"hv0\"", "checksum"},
    {"\"key\":\"/k/a\"", "\"key\":\"\"", "without a device or a key"},
    {"\"op\":\"create\"", "\"op\":\"adopt\"", "not an operation"},
    {"\"op\":\"create\"", "\"op\":\"delete\"", "does not fit"},
    {"\"op\":\"create\"", "\"op\":\"update\"", "does not fit"},
    {"\"op\":\"delete\"", "\"op\":\"replace\"", "does not fit"},
    {"\"op\":\"update\"", "\"op\":\"replace\"", "checksum"},
    {"\"expect\":null", "\"expect\":0", "'expect' is not a digest"},
    {"\"target\":\"", "\"target\":\"0", "'target' is not a digest"},
    {"\"before\":{}", "\"before\":[]", "'before' is not an object"},
    {"\"before\":{}", "\"before\":null", "'before' is not an object"},
    {"\"before\":{}", "\"before\":{\"mtu\":\"1\"}", "does not fit"},
    {"\"before\":{}", "\"before\":{\"mtu\":1}", "'mtu' is not text"},
    {"\"before\":{}", "\"after\":{}", "'before' is missing"},
    {"{\"mtu\":\"1500\"", "{\"mtu\":\"1501\"", "checksum"},
    {"{\"mtu\":\"1500\"", "{\"mtu\":\"1500\",\"mtu\":\"1500\"", "duplicate"},
    {"]}", "]}x", "end of file"},
    {"]}", "]", "line"},
};

static char *
substitute(const char *text, const char *from, const char *to)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    if (!from) {
        tn_text_add(&out, to);
        return tn_text_take(&out);
    }
    const char *at = strstr(text, from);
    cr_assert_not_null(at, "the valid file has no %s", from);
    tn_text_addn(&out, text, (size_t) (at - text));
    tn_text_add(&out, to);
    tn_text_add(&out, at + strlen(from));
    return tn_text_take(&out);
}

Test(saved, malformed_files_are_refused)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text good = {0};
    tn_saved_print(&good, saved_sample(arena));
    for (size_t i = 0; i < TN_ARRAY_SIZE(malformed); i++) {
        TN_CLEANUP(tn_cleanup_free)
        char *bad = substitute(good.s, malformed[i].from, malformed[i].to);
        const struct tn_saved *out = NULL;
        struct tn_error err = {0};
        char text[2048];
        cr_assert_eq(tn_saved_parse(arena, bad, strlen(bad), &out, &err),
                     TN_EINTENT, "row %zu was accepted", i);
        tn_error_text(&err, text, sizeof text);
        cr_assert_not_null(strstr(text, malformed[i].why), "row %zu: %s", i,
                           text);
        cr_assert_null(out);
    }
}

/* Cut anywhere, or with any byte changed, it is refused or the same. */
Test(saved, damage_is_found)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text good = {0};
    tn_saved_print(&good, saved_sample(arena));
    for (size_t i = 0; i + 3 < good.n; i++) {
        const struct tn_saved *out = NULL;
        cr_assert_eq(tn_saved_parse(arena, good.s, i, &out, NULL), TN_EINTENT);
    }
    for (size_t i = 0; i < good.n; i++) {
        const struct tn_saved *out = NULL;
        char kept = good.s[i];
        good.s[i] = (char) (kept ^ 1);
        enum tn_code code = tn_saved_parse(arena, good.s, good.n, &out, NULL);
        good.s[i] = kept;
        TN_CLEANUP(tn_cleanup_text) struct tn_text same = {0};
        if (code == TN_OK) {
            tn_saved_print(&same, out);
            cr_assert_str_eq(same.s, good.s, "byte %zu", i);
        }
    }
}

Test(saved, nesting_and_size_are_bounded)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    const struct tn_saved *out = NULL;
    for (int i = 0; i < 100000; i++) {
        tn_text_addc(&text, '[');
    }
    cr_assert_eq(tn_saved_parse(arena, text.s, text.n, &out, NULL), TN_EINTENT);
    cr_assert_eq(tn_saved_parse(arena, text.s, TN_SAVED_BYTES + 1u, &out, NULL),
                 TN_EINTENT);
}

/* A fresh look: 'want' and 'have' of hv2 with one piece of text replaced. */
static const struct {
    const char *title;
    const char *want_from, *want_to, *have_from, *have_to;
    enum tn_saved_verdict verdict; /* Of the change whose key has 'key'. */
    const char *key, *text;
} looks[] = {
    {"nothing moved", NULL, NULL, NULL, NULL, TN_SAVED_PENDING, "b-one", NULL},
    {"done by somebody", NULL, NULL, "mtu=1500; name", "mtu=1450; name",
     TN_SAVED_DONE, "b-one", NULL},
    {"an attribute moved", NULL, NULL, "mtu=1500; name", "mtu=9000; name",
     TN_SAVED_STALE, "b-one",
     "hv2 blue/web/bridge/b-one: mtu was '1500', is '9000'"},
    {"an attribute appeared", NULL, NULL, "mtu=1500; name",
     "mtu=1500; mac=x; name", TN_SAVED_STALE, "b-one",
     "hv2 blue/web/bridge/b-one: mac was absent, is 'x'"},
    {"many moved", NULL, NULL, "mtu=1500; name", "a=1; b=2; c=3; d=4; name",
     TN_SAVED_STALE, "b-one",
     "hv2 blue/web/bridge/b-one: a was absent, is '1'; b was absent, is '2'; "
     "c was absent, is '3'; and 2 more"},
    {"a secret moved", NULL, NULL, "key*=hush", "key*=other", TN_SAVED_STALE,
     "/t", "hv2 blue/web/tunnel/t: a secret or a long attribute moved"},
    {"it is gone", NULL, NULL, "blue/web bridge b-one", "blue/web bridge b-1",
     TN_SAVED_STALE, "b-one",
     "hv2 blue/web/bridge/b-one: it was there when the plan was made and is "
     "gone"},
    {"it appeared, not as planned", NULL, NULL, "blue/web bridge b-old",
     "blue/web bridge b-new", TN_SAVED_STALE, "b-new",
     "hv2 blue/web/bridge/b-new: it was absent when the plan was made and is "
     "there now, not as planned"},
    {"deleted by somebody", NULL, NULL, "blue/web bridge b-old",
     "blue/web bridge b-2", TN_SAVED_DONE, "b-old", NULL},
    {"a foreign one took its place", NULL, NULL, "b-one 2 |",
     "b-one 2 foreign |", TN_SAVED_STALE, "b-one",
     "hv2 blue/web/bridge/b-one: a foreign object is in its place now"},
    {"deleted, and a foreign one took its place", NULL, NULL, "b-old 2 |",
     "b-old 2 foreign |", TN_SAVED_DONE, "b-old", NULL},
    {"the intent asks for something else", "b-one 2 @4 | mtu=1450",
     "b-one 2 @4 | mtu=1400", NULL, NULL, TN_SAVED_RETARGET, "b-one",
     "hv2 blue/web/bridge/b-one: the intent now asks for something else"},
    {"it is not wanted any more", "b-new 2", "b-newer 2", NULL, NULL,
     TN_SAVED_RETARGET, "b-new",
     "hv2 blue/web/bridge/b-new: it is not wanted any more"},
    {"what was to be deleted is wanted", "b-new 2", "b-old 2", NULL, NULL,
     TN_SAVED_RETARGET, "b-old",
     "hv2 blue/web/bridge/b-old: the intent now asks for something else"},
};

static const struct tn_saved_finding *
finding(const struct tn_saved_result *r, const char *key)
{
    for (size_t i = 0; i < r->n; i++) {
        const char *k = r->items[i].change->key;
        size_t n = strlen(k), m = strlen(key);
        if (n >= m && strcmp(k + n - m, key) == 0) {
            return &r->items[i];
        }
    }
    cr_assert_fail("no change of %s", key);
    return NULL;
}

static const char *
edited(struct tn_arena *arena, const char *text, const char *from,
       const char *to)
{
    if (!from) {
        return text;
    }
    TN_CLEANUP(tn_cleanup_free) char *s = substitute(text, from, to);
    return tn_arena_strdup(arena, s);
}

Test(saved, verdicts)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(looks); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_state *empty = fixture_state(arena, "");
        struct tn_plan_input in[] = {
            {.device = "hv1",
             .want = fixture_state(arena, "- k a 1"),
             .have = empty},
            {.device = "hv2",
             .want = fixture_state(arena,
                                   edited(arena, want_text, looks[i].want_from,
                                          looks[i].want_to)),
             .have = fixture_state(arena,
                                   edited(arena, have_text, looks[i].have_from,
                                          looks[i].have_to))},
        };
        struct tn_saved_result r;
        struct tn_error err = {0};
        enum tn_code code =
            tn_saved_check(arena, saved_sample(arena), in, 2, &r, &err);
        const struct tn_saved_finding *f = finding(&r, looks[i].key);
        cr_assert_eq(f->verdict, looks[i].verdict, "%s: %s", looks[i].title,
                     f->text);
        cr_assert_eq(code, looks[i].text ? TN_ESTALE : TN_OK);
        cr_assert_eq(r.n_pending + r.n_done + r.n_refused, r.n);
        cr_assert_eq(r.n_refused > 0, looks[i].text != NULL);
        if (looks[i].text) {
            cr_assert_str_eq(f->text, looks[i].text);
        } else {
            cr_assert_null(f->text);
        }
    }
}

Test(saved, missing_devices_are_unavailable_unless_something_is_stale)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_plan_input in = {.device = "hv2",
                               .want = fixture_state(arena, want_text),
                               .have = fixture_state(arena, have_text)};
    struct tn_saved_result r;
    const struct tn_saved *s = saved_sample(arena);
    cr_assert_eq(tn_saved_check(arena, s, &in, 1, &r, NULL), TN_EUNAVAILABLE);
    cr_assert_eq(r.items[0].verdict, TN_SAVED_UNKNOWN);
    cr_assert_str_eq(r.items[0].text,
                     "hv1 /k/a: there is no such device any more");
    cr_assert_eq(r.n_refused, 1);
    in.have = NULL;
    cr_assert_eq(tn_saved_check(arena, s, &in, 1, &r, NULL), TN_EUNAVAILABLE);
    cr_assert_eq(r.n_refused, 7);
    in.have = fixture_state(arena, "");
    cr_assert_eq(tn_saved_check(arena, s, &in, 1, &r, NULL), TN_ESTALE);
}

/* What came up since the review is not applied along. */
Test(saved, only_what_was_reviewed_is_selected)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_saved *s = saved_sample(arena);
    TN_CLEANUP(tn_cleanup_text) struct tn_text want = {0};
    tn_text_addf(&want, "%sred/db bridge new 2\n", want_text);
    const struct tn_plan *fresh =
        make_plan(arena, want.s,
                  edited(arena, have_text, "mtu=1500; name", "mtu=1450; name"));
    const struct tn_plan *p = tn_saved_select(arena, s, fresh);
    cr_assert_eq(fresh->counts.add, 3);
    cr_assert_eq(p->counts.add, 2);
    cr_assert_eq(p->counts.change, 1);
    cr_assert_eq(p->counts.replace, 2);
    cr_assert_eq(p->counts.destroy, 1);
    const struct tn_device_plan *d = p->devices[1];
    for (size_t i = 0; i < d->n_changes; i++) {
        cr_assert_str_neq(d->changes[i].scope, "red/db");
        cr_assert_eq(d->steps[i].op, d->changes[i].op);
        cr_assert_eq(d->steps[i].after, d->changes[i].after);
        cr_assert_eq(d->steps[i].before, d->changes[i].before);
    }
}
