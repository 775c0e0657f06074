/* snapshot_test.c - what goes to the status ref, what comes back, and that a
 * plan cannot tell it from the device. */
#include "reconciler/snapshot/snapshot.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/plan/print.h"
#include "reconciler/source/sandbox.h"
#include "reconciler/status/load.h"
#include "tests/plan/fixture.h"

#define C1 "1111111111111111111111111111111111111111"
#define C2 "2222222222222222222222222222222222222222"

static const char have_text[] =
    "- link eth0 1 foreign\n"
    "blue/web bridge b-a 1 | mtu=1500; vni!=5000\n"
    "blue/web vxlan x-a 2 claim=vni_5000 parent=bridge/b-a | id!=5000\n"
    "blue/web tunnel t-a 2 | psk*=sesame; to=192.0.2.9\n"
    "blue/web-2 bridge b-b 1 | mtu=1450\n"
    "green/lab bridge b-lab 2 foreign | mtu=1500\n"
    "red/db rules r 4 | chain=accept 10.0.0.1, 10.0.0.2\n";

static const char want_text[] =
    "blue/web bridge b-a 1 @10 | mtu=1400; vni!=5001\n"
    "blue/web vxlan x-a 2 @11 claim=vni_5001 parent=bridge/b-a | id!=5001\n"
    "blue/web tunnel t-a 2 @12 | psk*=sesame; to=192.0.2.9\n"
    "blue/web bridge b-c 1 @13 | mtu=1400\n"
    "green/lab bridge b-lab 2 @4 | mtu=1500\n"
    "red/db rules r 4 @2 | chain=accept 10.0.0.1\n";

static struct tn_arena *arena;
static struct tn_digest key = {{7, 7, 7}};

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

TestSuite(snapshot, .init = setup, .fini = teardown);

static struct tn_snapshot_meta
meta_at(int64_t observed, const char *commit)
{
    return (struct tn_snapshot_meta){.device = "hv1",
                                     .driver = "memory",
                                     .commit = commit,
                                     .observed = observed};
}

static struct tn_status_folder
encode(const char *text)
{
    struct tn_status_folder folder;
    struct tn_snapshot_meta meta = meta_at(1000000000, C1);
    tn_snapshot_encode(arena, fixture_state(arena, text), NULL, &meta, &key,
                       &folder);
    return folder;
}

static struct tn_snapshot
decode(const struct tn_status_folder *folder)
{
    struct tn_snapshot out;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    cr_assert_eq(
        tn_snapshot_decode(arena, folder->files, folder->n_files, &out, &err),
        TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    return out;
}

static const char *
plan_text(const struct tn_state *have, bool json)
{
    struct tn_plan_input in = {
        .device = "hv1",
        .driver = "memory",
        .caps = TN_CAP_OWNER,
        .last = fixture_state(arena, want_text),
        .want = fixture_state(arena, want_text),
        .have = have,
    };
    struct tn_print_options o = {.verbose = true, .fingerprint_key = &key};
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct tn_device_plan *plan = NULL;
    cr_assert_eq(tn_plan_device(arena, &in, &plan, &err), TN_OK);
    const struct tn_plan *all = tn_plan_build(arena, C2, "lab", &plan, 1);
    if (json) {
        tn_plan_print_json(&t, all, &o);
    } else {
        tn_plan_print_text(&t, all, &o);
    }
    return tn_arena_strdup(arena, tn_text_str(&t));
}

Test(snapshot, a_plan_from_it_is_byte_equal_to_one_from_the_device)
{
    const struct tn_state *have = fixture_state(arena, have_text);
    const struct tn_state *want = fixture_state(arena, want_text);
    struct tn_status_folder folder = encode(have_text);
    struct tn_snapshot s = decode(&folder);
    struct tn_snapshot_secrets secrets;
    tn_snapshot_reveal(arena, &s, want, NULL, &key, &secrets);
    cr_assert_eq(secrets.n_equal, 1);
    cr_assert_str_eq(plan_text(s.state, false), plan_text(have, false));
    cr_assert_str_eq(plan_text(s.state, true), plan_text(have, true));
    cr_assert(strstr(plan_text(have, false), "Plan: "));
    cr_assert_str_eq(s.meta.device, "hv1");
    cr_assert_str_eq(s.meta.driver, "memory");
    cr_assert_str_eq(s.meta.commit, C1);
    cr_assert_eq(s.meta.observed, 1000000000);
}

Test(snapshot, is_one_file_for_each_vpc_and_equal_for_equal_states)
{
    static const char *const paths[] = {
        "device.jsonl",    "blue/web.jsonl", "blue/web-2.jsonl",
        "green/lab.jsonl", "red/db.jsonl",   "header.jsonl",
    };
    struct tn_status_folder a = encode(have_text), b = encode(have_text);
    cr_assert_str_eq(a.path, "snapshots/hv1");
    cr_assert_eq(a.n_files, TN_ARRAY_SIZE(paths));
    for (size_t i = 0; i < a.n_files; i++) {
        cr_assert_str_eq(a.files[i].path, paths[i]);
        cr_assert_str_eq(a.files[i].bytes, b.files[i].bytes);
    }
    cr_assert_str_eq(a.files[2].bytes,
                     "{\"scope\":\"blue/web-2\"}\n"
                     "{\"key\":\"blue/web-2/bridge/b-b\",\"kind\":\"bridge\","
                     "\"name\":\"b-b\",\"rank\":1,\"attrs\":{\"mtu\":"
                     "\"1450\"}}\n");
    cr_assert_str_eq(a.files[5].bytes,
                     "{\"format\":1,\"device\":\"hv1\",\"driver\":\"memory\"}\n"
                     "{\"observed\":\"2001-09-09T01:46:40Z\",\"commit\":\"" C1
                     "\"}\n");
}

Test(snapshot, secrets_are_compared_and_not_told)
{
    const struct tn_state *want = fixture_state(arena, want_text);
    static const char other[] =
        "blue/web tunnel t-a 2 | psk*=mellon; to=192.0.2.9\n";
    struct tn_snapshot_secrets n;
    struct tn_status_folder folder = encode(have_text);
    for (size_t i = 0; i < folder.n_files; i++) {
        cr_assert_null(strstr(folder.files[i].bytes, "sesame"));
    }
    struct tn_snapshot s = decode(&folder);
    tn_snapshot_reveal(arena, &s, want, NULL, NULL, &n);
    cr_assert_eq(n.n_not_compared, 1);
    cr_assert_null(strstr(plan_text(s.state, false), "psk"));

    folder = encode(other);
    s = decode(&folder);
    tn_snapshot_reveal(arena, &s, want, NULL, &key, &n);
    cr_assert_eq(n.n_other, 1);
    cr_assert(strstr(plan_text(s.state, false), "psk"));
    /* Its value of the last commit is known as well. */
    s = decode(&folder);
    tn_snapshot_reveal(arena, &s, want, fixture_state(arena, other), &key, &n);
    cr_assert_eq(n.n_equal, 1);
    cr_assert_str_eq(plan_text(s.state, true),
                     plan_text(fixture_state(arena, other), true));
    /* Another key: not the same instance. */
    struct tn_digest stranger = {{1}};
    folder = encode(have_text);
    s = decode(&folder);
    tn_snapshot_reveal(arena, &s, want, NULL, &stranger, &n);
    cr_assert_eq(n.n_other, 1);
}

Test(snapshot, many_foreign_objects_are_counted)
{
    enum { N = TN_SNAPSHOT_FOREIGN + 50 };
    struct tn_resource *items = tn_new_n(arena, struct tn_resource, N);
    for (size_t i = 0; i < N; i++) {
        items[i] = (struct tn_resource){
            .key = tn_arena_printf(arena, "/link/%05zu", i),
            .kind = i % 2 ? "link" : "address",
            .name = "x",
            .scope = "",
            .owner = TN_FOREIGN,
            .claim = i == 7 ? "vni 5001" : NULL,
        };
    }
    struct tn_state have = {"hv1", items, N};
    struct tn_resource wanted[] = {
        {.key = "/link/00003", .kind = "link", .scope = ""},
        {.key = "blue/web/x", .kind = "x", .scope = "", .claim = "vni 5001"},
    };
    struct tn_state want = {"hv1", wanted, 2};
    struct tn_snapshot_meta meta = meta_at(1, NULL);
    struct tn_status_folder folder;
    tn_snapshot_encode(arena, &have, &want, &meta, NULL, &folder);
    struct tn_snapshot s = decode(&folder);
    cr_assert_eq(s.state->n, 2);
    cr_assert(tn_state_get(s.state, "/link/00003"));
    cr_assert(tn_state_get(s.state, "/link/00007"));
    cr_assert_eq(s.meta.n_left_out, 2);
    cr_assert_eq(s.meta.left_out[0].n + s.meta.left_out[1].n, N - 2);
    cr_assert_null(s.meta.commit);
}

Test(snapshot, odd_bytes)
{
    struct tn_attr attr = {.name = "alias",
                           .value = "a\xff\"\n\t\x01 \xc3\xa4"};
    struct tn_resource r = {.key = "../../x y/\xfe",
                            .kind = "link",
                            .name = "",
                            .scope = "../..",
                            .attrs = &attr,
                            .n_attrs = 1};
    struct tn_state have = {"../hv", &r, 1};
    struct tn_snapshot_meta meta = {.device = "../hv", .driver = "memory"};
    struct tn_status_folder folder;
    tn_snapshot_encode(arena, &have, NULL, &meta, NULL, &folder);
    cr_assert_null(strstr(folder.path, "../"));
    cr_assert_null(strstr(folder.files[0].path, "../"));
    meta.observed = 5;
    tn_snapshot_encode(arena, &have, NULL, &meta, NULL, &folder);
    struct tn_snapshot s = decode(&folder);
    cr_assert_str_eq(s.state->items[0].attrs[0].value,
                     "a\xef\xbf\xbd\"\n\t\x01 \xc3\xa4");
    cr_assert_str_eq(s.state->items[0].scope, "../..");
}

#define HEADER                                                                 \
    "{\"format\":1,\"device\":\"d\",\"driver\":\"m\"}\n"                       \
    "{\"observed\":\"2026-11-21T00:00:00Z\"}\n"
#define SCOPE "{\"scope\":\"a/b\"}\n"

Test(snapshot, what_is_not_ours_is_refused_with_its_line)
{
    static const struct {
        const char *path, *bytes, *message;
    } rows[] = {
        {"header.jsonl", "", "header.jsonl:0: the file is empty"},
        {"header.jsonl", "{}\n", "header.jsonl:1: written by another version"},
        {"header.jsonl", "{\"format\":2}\n", "another version"},
        {"header.jsonl", "{\"format\":1,\"device\":3}\n", "device and driver"},
        {"header.jsonl", "{\"format\":1,\"device\":\"d\",\"driver\":\"m\"}\n",
         "missing or cut short"},
        {"header.jsonl",
         "{\"format\":1,\"device\":\"d\",\"driver\":\"m\","
         "\"foreign_left_out\":{\"a\":-1}}\n",
         "from kind to number"},
        {"header.jsonl",
         "{\"format\":1,\"device\":\"d\",\"driver\":\"m\"}\n"
         "{\"observed\":\"yesterday\"}\n",
         "header.jsonl:2: the second line says when"},
        {"header.jsonl", HEADER "{}\n", "header.jsonl:3"},
        {"a/b.jsonl", "{\"scope\":\"a/b\"}", "the line does not end"},
        {"a/b.jsonl", "nonsense\n", "a/b.jsonl:1: not a JSON object"},
        {"a/b.jsonl", "[]\n", "not a JSON object"},
        {"a/b.jsonl", "{}\n", "names the scope"},
        {"a/b.jsonl", SCOPE "{\"key\":\"k\"}\n", "a key and a kind"},
        {"a/b.jsonl", SCOPE "{\"key\":\"\",\"kind\":\"k\"}\n", "a key and a"},
        {"a/b.jsonl", SCOPE "{\"key\":\"k\",\"kind\":\"k\",\"rank\":65536}\n",
         "'rank' is a number"},
        {"a/b.jsonl", SCOPE "{\"key\":\"k\",\"kind\":\"k\",\"rank\":\"1\"}\n",
         "'rank' is a number"},
        {"a/b.jsonl", SCOPE "{\"key\":\"k\",\"kind\":\"k\",\"foreign\":1}\n",
         "truth value"},
        {"a/b.jsonl", SCOPE "{\"key\":\"k\",\"kind\":\"k\",\"attrs\":[]}\n",
         "attributes are a map"},
        {"a/b.jsonl",
         SCOPE "{\"key\":\"k\",\"kind\":\"k\",\"attrs\":{\"a\":1}}\n",
         "is text"},
        {"a/b.jsonl",
         SCOPE "{\"key\":\"k\",\"kind\":\"k\",\"attrs\":{\"a\":\"\"},"
               "\"fixed\":{\"a\":\"\"}}\n",
         "given twice"},
        {"a/b.jsonl", SCOPE "{\"key\":\"k\",\"key\":\"l\",\"kind\":\"k\"}\n",
         "not a JSON object"},
        {"a/b.jsonl", SCOPE "{\"key\":\"k\\u0000\",\"kind\":\"k\"}\n",
         "not a JSON object"},
        {"a/b.jsonl",
         SCOPE "{\"key\":\"k\",\"kind\":\"k\"}\n"
               "{\"key\":\"k\",\"kind\":\"k\"}\n",
         "two resources are named k"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        char text[TN_ERROR_TEXT];
        struct tn_error err = {0};
        struct tn_snapshot out;
        struct tn_status_file files[2] = {
            {.path = rows[i].path,
             .bytes = rows[i].bytes,
             .n = strlen(rows[i].bytes)},
            {.path = "header.jsonl", .bytes = HEADER, .n = strlen(HEADER)},
        };
        size_t n = strcmp(rows[i].path, "header.jsonl") == 0 ? 1 : 2;
        cr_assert_eq(tn_snapshot_decode(arena, files, n, &out, &err),
                     TN_EINTENT, "row %zu", i);
        tn_error_text(&err, text, sizeof text);
        cr_assert(strstr(text, rows[i].message), "row %zu: %s", i, text);
    }
}

Test(snapshot, overlay_takes_the_scopes_that_were_looked_at)
{
    const struct tn_state *before = fixture_state(
        arena, "- link eth0 1 foreign\na/a k 1 1 | m=1\na/a k 2 1 | m=1\n"
               "b/b k 1 1 | m=1\nb/b k 2 1 | m=1\n");
    const struct tn_state *now =
        fixture_state(arena, "a/a k 2 1 | m=2\na/a k 3 1 | m=2\n"
                             "b/b k 1 1 | m=2\n");
    const char *const scopes[] = {"a/a"};
    const struct tn_state *all =
        tn_snapshot_overlay(arena, before, now, scopes, 1);
    static const struct {
        const char *key, *value;
    } rows[] = {
        {"a/a/k/2", "2"}, {"a/a/k/3", "2"}, {"b/b/k/1", "1"}, {"b/b/k/2", "1"}};
    cr_assert_eq(all->n, 5);
    cr_assert_null(tn_state_get(all, "a/a/k/1"));
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct tn_resource *r = tn_state_get(all, rows[i].key);
        cr_assert(r, "%s", rows[i].key);
        cr_assert_str_eq(tn_resource_attr(r, "m"), rows[i].value);
    }
}

Test(snapshot, ages)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {{-5, "0 seconds"}, {0, "0 seconds"},  {1, "1 second"},
                {119, "1 minute"}, {7200, "2 hours"}, {200000, "2 days"}};
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        char buf[TN_SNAPSHOT_AGE];
        cr_assert_str_eq(tn_snapshot_age(1000, 1000 + rows[i].seconds, buf),
                         rows[i].text);
    }
}

/* On a real status ref. */

static struct tn_sandbox box;
static const char *repo;

static void
ref_setup(void)
{
    setup();
    tn_sandbox_init(&box);
    tn_sandbox_sh(&box, "git init -q -b main r && cd r && echo x > tenet.yml "
                        "&& git add . && git commit -qm First");
    repo = tn_arena_printf(arena, "%s/r", box.dir);
}

static void
ref_teardown(void)
{
    tn_sandbox_done(&box);
    teardown();
}

TestSuite(snapshot_ref, .init = ref_setup, .fini = ref_teardown);

static struct tn_status_result
publish(const char *text, int64_t observed, const char *commit)
{
    struct tn_status_folder folder;
    struct tn_status_result result;
    struct tn_error err = {0};
    char why[TN_ERROR_TEXT];
    struct tn_snapshot_meta meta = meta_at(observed, commit);
    tn_snapshot_encode(arena, fixture_state(arena, text), NULL, &meta, &key,
                       &folder);
    struct tn_status_update u = {
        .folders = &folder, .n_folders = 1, .now = observed};
    cr_assert_eq(tn_status_commit(repo, NULL, &u, &result, &err), TN_OK, "%s",
                 tn_error_text(&err, why, sizeof why));
    return result;
}

static void
assert_touched(const char *paths)
{
    TN_CLEANUP(tn_cleanup_free)
    char *out = tn_sandbox_out(
        &box, "git -C r diff --name-only tenet/status~ tenet/status");
    cr_assert_str_eq(out, paths);
}

Test(snapshot_ref, only_what_changed_is_written_and_time_is_no_change)
{
    cr_assert(publish(have_text, 1000000000, C1).changed);
    cr_assert_not(publish(have_text, 1000000060, C1).changed);
    cr_assert_not(publish(have_text, 1000000070, C2).changed);

    static const char more[] = "- link eth0 1 foreign\n"
                               "blue/web bridge b-a 1 | mtu=9000\n"
                               "blue/web-2 bridge b-b 1 | mtu=1450\n"
                               "green/lab bridge b-lab 2 foreign\n"
                               "red/db rules r 4 | chain=accept 10.0.0.1, "
                               "10.0.0.2\n";
    cr_assert(publish(more, 1000000080, C2).changed);
    assert_touched("snapshots/hv1/blue/web.jsonl\n"
                   "snapshots/hv1/header.jsonl");
    /* A VPC that left takes its file and the folder of its tenant along. */
    cr_assert(
        publish("blue/web bridge b-a 1 | mtu=9000\n", 1000000090, C2).changed);
    assert_touched("snapshots/hv1/blue/web-2.jsonl\n"
                   "snapshots/hv1/device.jsonl\n"
                   "snapshots/hv1/green/lab.jsonl\n"
                   "snapshots/hv1/header.jsonl\n"
                   "snapshots/hv1/red/db.jsonl");
    tn_sandbox_sh(&box, "git -C r fsck --strict");
}

static enum tn_code
load_from(const char *path, struct tn_snapshot *out, struct tn_error *err)
{
    struct tn_source *source = NULL;
    const char *ref = NULL;
    cr_assert_eq(tn_status_find(path, NULL, arena, &ref, err), TN_OK);
    cr_assert_eq(tn_status_open(path, ref, &source, err), TN_OK);
    cr_assert(source);
    enum tn_code code = tn_snapshot_load(source, "hv1", arena, out, err);
    source->ops->free(source);
    return code;
}

Test(snapshot_ref, any_clone_can_plan)
{
    struct tn_snapshot s;
    struct tn_error err = {0};
    publish(have_text, 1000000000, C1);
    tn_sandbox_sh(&box, "git clone -q r clone && git clone -q r other && "
                        "git -C other remote rename origin up");
    const char *clone = tn_arena_printf(arena, "%s/clone", box.dir);
    cr_assert_eq(load_from(clone, &s, &err), TN_OK);
    tn_snapshot_reveal(arena, &s, fixture_state(arena, want_text), NULL, &key,
                       &(struct tn_snapshot_secrets){0});
    cr_assert_str_eq(plan_text(s.state, true),
                     plan_text(fixture_state(arena, have_text), true));
    /* No ref anywhere: the name that was asked for, and nothing behind it. */
    struct tn_source *source = NULL;
    const char *ref = NULL;
    const char *other = tn_arena_printf(arena, "%s/other", box.dir);
    cr_assert_eq(tn_status_find(other, NULL, arena, &ref, &err), TN_OK);
    cr_assert_str_eq(ref, TN_STATUS_REF_DEFAULT);
    cr_assert_eq(tn_status_open(other, ref, &source, &err), TN_OK);
    cr_assert_null(source);
}

Test(snapshot_ref, what_is_missing_or_moved_by_hand)
{
    struct tn_snapshot s;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    publish(have_text, 1000000000, C1);
    tn_sandbox_sh(&box,
                  "git -C r worktree add -q ../w tenet/status && cd w && "
                  "git mv snapshots/hv1 snapshots/hv2 && git commit -qm x");
    cr_assert_eq(load_from(repo, &s, &err), TN_ENOENT);
    tn_sandbox_sh(&box, "cd w && git mv snapshots/hv2 snapshots/hv1 && "
                        "sed -i s/hv1/hv3/ snapshots/hv1/header.jsonl && "
                        "git commit -qam x");
    cr_assert_eq(load_from(repo, &s, &err), TN_EINTENT);
    tn_error_text(&err, text, sizeof text);
    cr_assert(strstr(text, "of another device"), "%s", text);
    tn_sandbox_sh(&box, "cd w && ln -s /etc/passwd snapshots/hv1/l && "
                        "git add . && git commit -qam x");
    cr_assert_eq(load_from(repo, &s, &err), TN_EINTENT);
}

Test(snapshot_ref, a_dropped_device_takes_it_along)
{
    struct tn_error err = {0};
    struct tn_status_result result;
    static const char *const gone[] = {"hv1"};
    publish(have_text, 1000000000, C1);
    struct tn_status_update u = {.drop_devices = gone, .n_drop_devices = 1};
    cr_assert_eq(tn_status_commit(repo, NULL, &u, &result, &err), TN_OK);
    cr_assert(result.changed);
    TN_CLEANUP(tn_cleanup_free)
    char *out =
        tn_sandbox_out(&box, "git -C r ls-tree -r --name-only tenet/status");
    cr_assert_str_eq(out, "README.md");
}
