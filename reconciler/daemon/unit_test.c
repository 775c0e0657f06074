/* unit_test.c - workers with devices in files (drivers/memory), whose faults
 * can be chosen. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model/base/text.h"
#include "reconciler/daemon/backoff.h"
#include "reconciler/daemon/unit.h"
#include "tests/support/peer.h"

enum { MAX = 4096, SOON_MS = 8000 };

struct seen {
    enum tn_unit_outcome outcome;
    bool settled, flapping, drift_left, full, unlooked, blocked_news;
    size_t n_changes, drift, n_foreign;
    char why[256], reason[32], commit[65], device[32], strangers[96];
};

struct bench {
    char *dir;
    struct tn_apply_gate *gate;
    struct tn_log *log;
    pthread_mutex_t mutex;
    struct seen seen[MAX];
    size_t n, taken;
};

static struct bench b;

static void sh(const char *fmt, ...) TN_PRINTF(1, 2);

static void
sh(const char *fmt, ...)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text line = {0};
    va_list ap;
    tn_text_addf(&line, "cd '%s' && { ", b.dir);
    va_start(ap, fmt);
    tn_text_vaddf(&line, fmt, ap);
    va_end(ap);
    tn_text_add(&line, "; } >/dev/null 2>&1");
    cr_assert_eq(system(tn_text_str(&line)), 0, "%s", tn_text_str(&line));
}

static void
copy(char *out, size_t size, const char *s)
{
    snprintf(out, size, "%s", s ? s : "");
}

static void
post(void *ctx, struct tn_unit_report *r)
{
    (void) ctx;
    pthread_mutex_lock(&b.mutex);
    if (b.n < MAX) {
        struct seen *s = &b.seen[b.n++];
        *s = (struct seen){.outcome = r->outcome,
                           .settled = r->settled,
                           .flapping = r->flapping,
                           .drift_left = r->drift_left,
                           .full = r->full,
                           .unlooked = r->unlooked,
                           .blocked_news = r->blocked_news,
                           .n_changes = r->n_changes,
                           .n_foreign = r->device.n_foreign,
                           .drift = tn_drift_total(&r->drift)};
        copy(s->why, sizeof s->why, r->device.why);
        copy(s->reason, sizeof s->reason, r->device.reason);
        copy(s->commit, sizeof s->commit, r->intent->run->commit.id);
        copy(s->strangers, sizeof s->strangers, r->strangers);
        copy(s->device, sizeof s->device, r->device.device->name);
    }
    pthread_mutex_unlock(&b.mutex);
    tn_unit_report_free(r);
}

/* The next report that comes; false: none does in time. */
static bool
next(struct seen *out, int64_t wait_ms)
{
    const struct timespec nap = {.tv_nsec = 2000000};
    int64_t deadline = tn_now_ms() + wait_ms;
    for (;;) {
        pthread_mutex_lock(&b.mutex);
        bool is = b.taken < b.n;
        if (is) {
            *out = b.seen[b.taken++];
        }
        pthread_mutex_unlock(&b.mutex);
        if (is || tn_now_ms() >= deadline) {
            return is;
        }
        nanosleep(&nap, NULL);
    }
}

/* The next settled report of a device with that outcome. */
static struct seen
await(const char *device, enum tn_unit_outcome outcome)
{
    struct seen s = {0};
    int64_t deadline = tn_now_ms() + SOON_MS;
    while (next(&s, deadline - tn_now_ms())) {
        if (s.outcome == outcome && strcmp(s.device, device) == 0) {
            return s;
        }
    }
    cr_assert(false, "no report of %s says %s; the last said %s: %s", device,
              tn_unit_outcome_name(outcome), tn_unit_outcome_name(s.outcome),
              s.why);
    return s;
}

static void
vpc_write(const char *name, unsigned net)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "repo/tenants/acme/%s.yml", name);
    tn_text_addf(&t,
                 "apiVersion: tenet/v1\nkind: Vpc\nmetadata: {name: %s}\n"
                 "spec:\n  cidrs: [10.%u.0.0/16]\n  subnets:\n"
                 "    - {name: front, cidr: 10.%u.1.0/24}\n",
                 name, net, net);
    for (int host = 1; host <= 2; host++) {
        tn_text_addf(&t,
                     "---\napiVersion: tenet/v1\nkind: Port\n"
                     "metadata: {name: %s%d}\nspec: {vpc: %s, subnet: front, "
                     "host: hv%d, attach: {interface: t%s%d}}\n",
                     name, host, name, host, name, host);
    }
    tn_peer_write(b.dir, tn_text_str(&path), tn_text_str(&t));
}

static void
host_write(const char *name, const char *vars)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "repo/inventories/lab/host_vars/%s.yml", name);
    tn_text_addf(&t, "tenet_memory_path: %s/%s.json\n%s", b.dir, name, vars);
    tn_peer_write(b.dir, tn_text_str(&path), tn_text_str(&t));
}

static void
settings_write(const char *more)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(&t,
                 "apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: t}\n"
                 "spec:\n%s",
                 more);
    tn_peer_write(b.dir, "repo/tenet.yml", tn_text_str(&t));
}

static void
commit(void)
{
    sh("cd repo && git add -A && git -c user.name=t -c user.email=t@t commit "
       "-q --allow-empty -m c");
}

static void
setup(void)
{
    b.dir = tn_peer_dir();
    pthread_mutex_init(&b.mutex, NULL);
    sh("mkdir -p repo/inventories/lab/host_vars repo/tenants/acme && "
       "git init -q -b main repo");
    TN_CLEANUP(tn_cleanup_text) struct tn_text state = {0};
    tn_text_addf(&state, "%s/state", b.dir);
    b.gate = tn_apply_gate_new(tn_text_str(&state));
    b.log = tn_log_new(false, false);
    settings_write("  budgets: {maxDeletes: 100000, maxDeletePercent: 100, "
                   "maxDeletesPerTenant: 100000}\n");
    tn_peer_write(b.dir, "repo/inventories/lab/hosts.yml",
                  "all:\n  vars: {tenet_driver: memory}\n"
                  "  hosts: {hv1: {}, hv2: {}}\n");
    tn_peer_write(b.dir, "repo/tenants/acme/tenant.yml",
                  "apiVersion: tenet/v1\nkind: Tenant\n"
                  "metadata: {name: acme}\nspec: {}\n");
    host_write("hv1", "tenet_underlay_address: 192.0.2.11\n");
    host_write("hv2", "tenet_underlay_address: 192.0.2.12\n");
    vpc_write("web", 1);
    commit();
}

static void
teardown(void)
{
    tn_apply_gate_free(b.gate);
    tn_log_free(b.log);
    tn_peer_remove(b.dir);
}

static struct tn_intent *
intent_open(void)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text repo = {0};
    struct tn_error err = {0};
    struct tn_reconcile *run = NULL;
    tn_text_addf(&repo, "%s/repo", b.dir);
    TN_CLEANUP(tn_cleanup_text) struct tn_text cache = {0};
    tn_text_addf(&cache, "%s/cache", b.dir);
    struct tn_reconcile_options o = {.threads = 1};
    o.cache_dir = tn_text_str(&cache);
    o.repo = tn_text_str(&repo);
    enum tn_code code = tn_reconcile_open(&o, &run, &err);
    char text[TN_ERROR_TEXT];
    cr_assert_eq(code, TN_OK, "%s; %s", tn_error_text(&err, text, sizeof text),
                 run->diags.list.n ? run->diags.list.items[0].message : "");
    cr_assert(!run->diags.list.n, "%s", run->diags.list.items[0].message);
    /* The path dies with this function. */
    run->options.repo = run->root;
    run->options.rev = run->commit.id;
    run->options.cache_dir = NULL;
    return tn_intent_new(run, tn_now_ms());
}

static struct tn_unit *
unit_start_at(const char *device, int64_t begin_ms)
{
    struct tn_error err = {0};
    struct tn_unit *u = NULL;
    struct tn_unit_options o = {
        .device = device,
        .gate = b.gate,
        .log = b.log,
        .audit_ms = 60000,
        .begin_ms = begin_ms,
        .post = post,
    };
    cr_assert_eq(tn_unit_new(&o, &u, &err), TN_OK);
    return u;
}

static struct tn_unit *
unit_start(const char *device)
{
    return unit_start_at(device, 0);
}

static struct tn_modes *
heal(void)
{
    return tn_modes_new(NULL, 0, true);
}

static struct tn_modes *
mode(enum tn_mode_target target, const char *name, enum tn_mode is)
{
    struct tn_mode_rule rule = {
        .target = target, .name = name, .mode = is, .reason = "because"};
    return tn_modes_new(&rule, 1, true);
}

/* Follows what the repository says now. */
static void
follow(struct tn_unit *u, struct tn_modes *modes)
{
    struct tn_intent *intent = intent_open();
    tn_unit_follow(u, intent, modes);
    tn_intent_unref(intent);
    tn_modes_unref(modes);
}

/* The same with modes that stay. */
static void
follow_more(struct tn_unit *u, struct tn_modes *modes)
{
    follow(u, tn_modes_ref(modes));
}

static void
stop(struct tn_unit *u)
{
    tn_unit_stop(u);
    cr_assert(tn_unit_join(u, tn_now_ms() + SOON_MS));
}

static json_t *
device_read(const char *name)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "%s/%s", b.dir, name);
    return json_load_file(tn_text_str(&path), 0, NULL);
}

static size_t
objects(const char *name)
{
    json_t *root = device_read(name);
    size_t n = json_object_size(json_object_get(root, "resources"));
    json_decref(root);
    return n;
}

/* Somebody removes all that is there. */
static void
wipe(const char *name)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    json_t *root = device_read(name);
    cr_assert_not_null(root);
    json_object_clear(json_object_get(root, "resources"));
    tn_text_addf(&path, "%s/.new", b.dir);
    cr_assert_eq(json_dump_file(root, tn_text_str(&path), 0), 0);
    json_decref(root);
    sh("mv .new %s", name);
}

static void
faults(const char *name, const char *json)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(&t,
                 "{\"format\":\"tenet-memory/1\",\"operations\":0,"
                 "\"faults\":%s,\"resources\":{}}",
                 json);
    tn_peer_write(b.dir, name, tn_text_str(&t));
}

TestSuite(unit, .init = setup, .fini = teardown, .timeout = 60);

Test(unit, follows_intent_and_newer_intent)
{
    struct tn_unit *u = unit_start("hv1");
    follow(u, heal());
    await("hv1", TN_UNIT_APPLIED);
    struct seen s = await("hv1", TN_UNIT_UNCHANGED);
    cr_expect(s.settled);
    cr_expect_str_empty(s.why);
    size_t before = objects("hv1.json");
    cr_expect_gt(before, 0);
    vpc_write("db", 2);
    commit();
    follow(u, heal());
    s = await("hv1", TN_UNIT_APPLIED);
    cr_expect_eq(s.drift, 0, "new intent is no drift");
    await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_gt(objects("hv1.json"), before);
    cr_expect(!next(&s, 300), "nothing is left to do");
    stop(u);
}

Test(unit, drift_is_healed_and_said)
{
    struct tn_unit *u = unit_start("hv1");
    follow(u, heal());
    await("hv1", TN_UNIT_APPLIED);
    await("hv1", TN_UNIT_UNCHANGED);
    size_t before = objects("hv1.json");
    wipe("hv1.json");
    struct seen s = await("hv1", TN_UNIT_APPLIED);
    cr_expect_gt(s.drift, 0);
    cr_expect(!s.drift_left);
    await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_eq(objects("hv1.json"), before);
    stop(u);
}

Test(unit, a_failing_device_backs_off_and_recovers)
{
    faults("hv1.json", "{\"fail_at\": 1, \"fail_count\": 2}");
    struct tn_unit *u = unit_start("hv1");
    int64_t start = tn_now_ms();
    follow(u, heal());
    struct seen s = await("hv1", TN_UNIT_ROLLED_BACK);
    cr_expect(s.settled);
    cr_expect_str_not_empty(s.why);
    await("hv1", TN_UNIT_APPLIED);
    cr_expect_geq(tn_now_ms() - start, TN_BACKOFF_MIN_MS / 2);
    cr_expect_gt(objects("hv1.json"), 0);
    stop(u);
}

Test(unit, new_intent_supersedes_a_retry)
{
    faults("hv1.json", "{\"fail_at\": 1, \"fail_count\": 9}");
    struct tn_unit *u = unit_start("hv1");
    follow(u, heal());
    await("hv1", TN_UNIT_ROLLED_BACK);
    await("hv1", TN_UNIT_ROLLED_BACK);
    vpc_write("db", 2);
    commit();
    int64_t start = tn_now_ms();
    follow(u, heal());
    struct seen s = {0};
    cr_assert(next(&s, 1000), "it does not wait for the retry");
    cr_expect_lt(tn_now_ms() - start, 1200);
    stop(u);
}

Test(unit, one_that_hangs_delays_nobody)
{
    host_write("hv2", "tenet_underlay_address: 192.0.2.12\n"
                      "tenet_memory_delay_ms: 4000\n");
    commit();
    struct tn_unit *u1 = unit_start("hv1"), *u2 = unit_start("hv2");
    int64_t start = tn_now_ms();
    follow(u2, heal());
    follow(u1, heal());
    await("hv1", TN_UNIT_APPLIED);
    cr_expect_lt(tn_now_ms() - start, 3500);
    tn_unit_stop(u1);
    tn_unit_stop(u2);
    cr_expect(tn_unit_join(u1, tn_now_ms() + SOON_MS));
    cr_expect(!tn_unit_join(u2, tn_now_ms() + 50), "it is still at work");
    cr_expect(tn_unit_join(u2, tn_now_ms() + SOON_MS), "and ends after it");
}

Test(unit, observe_changes_nothing)
{
    struct tn_unit *u = unit_start("hv1");
    follow(u, mode(TN_TARGET_DEVICE, "hv1", TN_MODE_OBSERVE));
    struct seen s = await("hv1", TN_UNIT_OBSERVED);
    cr_expect_eq(s.n_changes, 0);
    cr_expect_str_eq(s.why, "because");
    cr_expect_eq(objects("hv1.json"), 0);
    stop(u);
}

Test(unit, first_contact_is_only_looked_at)
{
    struct tn_unit *u = unit_start("hv1");
    follow(u, tn_modes_new(NULL, 0, false));
    struct seen s = await("hv1", TN_UNIT_OBSERVED);
    cr_expect_not_null(strstr(s.why, "first contact"));
    cr_expect_eq(objects("hv1.json"), 0);
    follow(u, mode(TN_TARGET_DEVICE, "hv1", TN_MODE_HEAL));
    await("hv1", TN_UNIT_APPLIED);
    stop(u);
}

Test(unit, hold_leaves_drift_and_ends)
{
    struct tn_unit *u = unit_start("hv1");
    follow(u, heal());
    await("hv1", TN_UNIT_APPLIED);
    await("hv1", TN_UNIT_UNCHANGED);
    size_t before = objects("hv1.json");
    follow(u, mode(TN_TARGET_VPC, "acme/web", TN_MODE_HOLD));
    wipe("hv1.json");
    struct seen s = await("hv1", TN_UNIT_HELD);
    cr_expect(s.drift_left);
    cr_expect_str_eq(s.reason, "Held");
    cr_expect_lt(objects("hv1.json"), before);
    follow(u, heal());
    await("hv1", TN_UNIT_APPLIED);
    cr_expect_eq(objects("hv1.json"), before);
    stop(u);
}

Test(unit, deletions_beyond_the_budget_are_refused)
{
    struct tn_unit *u = unit_start("hv1");
    follow(u, heal());
    await("hv1", TN_UNIT_APPLIED);
    await("hv1", TN_UNIT_UNCHANGED);
    size_t before = objects("hv1.json");
    settings_write("  budgets: {maxDeletes: 1}\n");
    sh("rm repo/tenants/acme/web.yml");
    commit();
    follow(u, heal());
    struct seen s = await("hv1", TN_UNIT_REFUSED);
    cr_expect_str_eq(s.reason, "BudgetExceeded");
    cr_expect_eq(objects("hv1.json"), before);
    cr_expect(!next(&s, 300), "it does not try again and again");
    stop(u);
}

Test(unit, a_fight_is_given_up_for_a_while)
{
    struct tn_unit *u = unit_start("hv1");
    follow(u, heal());
    await("hv1", TN_UNIT_APPLIED);
    await("hv1", TN_UNIT_UNCHANGED);
    struct seen s = {0};
    for (int i = 0; i < TN_FLAP_FREE + 1 && !s.flapping; i++) {
        wipe("hv1.json");
        while (next(&s, SOON_MS) && !s.flapping &&
               s.outcome != TN_UNIT_UNCHANGED) {
        }
    }
    cr_assert(s.flapping, "after so often it is left alone");
    cr_expect_eq(s.outcome, TN_UNIT_OBSERVED);
    cr_expect_str_eq(s.reason, "Flapping");
    cr_expect(s.drift_left);
    size_t looks = b.n;
    s = await("hv1", TN_UNIT_APPLIED);
    cr_expect_leq(b.n - looks, 6, "and not looked at all the time meanwhile");
    stop(u);
}

/* A device that cannot be healed is failing, not flapping, however often. */
Test(unit, what_fails_again_and_again_is_no_fight)
{
    struct tn_unit *u = unit_start("hv1");
    struct tn_modes *modes = heal();
    struct tn_intent *intent;
    follow(u, heal());
    await("hv1", TN_UNIT_APPLIED);
    await("hv1", TN_UNIT_UNCHANGED);
    faults("hv1.json", "{\"fail_at\": 1, \"fail_count\": 1000}");
    intent = intent_open();
    for (int i = 0; i < TN_FLAP_FREE + 3; i++) {
        struct seen s = await("hv1", TN_UNIT_ROLLED_BACK);
        cr_expect(!s.flapping);
        tn_unit_follow(u, intent, modes); /* Not to wait. */
        b.taken = b.n;
    }
    tn_intent_unref(intent);
    tn_modes_unref(modes);
    stop(u);
}

Test(unit, an_unreadable_device_comes_back)
{
    struct tn_unit *u = unit_start("hv1");
    follow(u, heal());
    await("hv1", TN_UNIT_APPLIED);
    await("hv1", TN_UNIT_UNCHANGED);
    /* At once: a file that is missing for a moment is healed. */
    sh("mkdir away && ln -s away link && mv -T link hv1.json");
    tn_unit_audit(u);
    struct seen s = await("hv1", TN_UNIT_UNREACHABLE);
    cr_expect(s.settled);
    cr_expect_str_not_empty(s.why);
    sh("rm hv1.json");
    await("hv1", TN_UNIT_APPLIED);
    stop(u);
}

Test(unit, stops_without_intent)
{
    struct tn_unit *u = unit_start("hv1");
    cr_expect_str_eq(tn_unit_name(u), "hv1");
    cr_expect(!tn_unit_join(u, tn_now_ms() + 20));
    stop(u);
}

/* A VPC that is on one host alone. */
static void
vpc_write_on(const char *name, unsigned net, int host, const char *rest)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "repo/tenants/acme/%s.yml", name);
    tn_text_addf(&t,
                 "apiVersion: tenet/v1\nkind: Vpc\nmetadata: {name: %s}\n"
                 "spec:\n  cidrs: [10.%u.0.0/16]\n  subnets:\n"
                 "    - {name: front, cidr: 10.%u.1.0/24}\n"
                 "---\napiVersion: tenet/v1\nkind: Port\n"
                 "metadata: {name: %s}\nspec: {vpc: %s, subnet: front, "
                 "host: hv%d, attach: {interface: t%s}}\n%s",
                 name, net, net, name, name, host, name, rest);
    tn_peer_write(b.dir, tn_text_str(&path), tn_text_str(&t));
}

Test(unit, a_commit_that_is_about_others_is_no_reason_to_look)
{
    struct tn_unit *u = unit_start("hv1");
    struct tn_modes *modes = heal();
    follow_more(u, modes);
    await("hv1", TN_UNIT_APPLIED);
    struct seen before = await("hv1", TN_UNIT_UNCHANGED), s = {0};
    vpc_write_on("far", 9, 2, "");
    commit();
    follow_more(u, modes);
    cr_assert(next(&s, SOON_MS));
    cr_expect(s.unlooked);
    cr_expect(s.settled);
    cr_expect_eq(s.outcome, TN_UNIT_UNCHANGED);
    cr_expect_str_empty(s.why);
    cr_expect_str_neq(s.commit, before.commit, "but it follows the commit");
    cr_expect(!next(&s, 300), "and that is all");
    vpc_write_on("near", 8, 1, "");
    commit();
    follow_more(u, modes);
    s = await("hv1", TN_UNIT_APPLIED);
    cr_expect(!s.unlooked);
    tn_modes_unref(modes);
    stop(u);
}

Test(unit, only_what_a_commit_changes_is_looked_at)
{
    struct tn_unit *u = unit_start("hv1");
    struct tn_modes *modes = heal();
    struct seen s = {0};
    follow_more(u, modes);
    await("hv1", TN_UNIT_APPLIED);
    await("hv1", TN_UNIT_UNCHANGED);
    size_t before = objects("hv1.json");
    vpc_write_on("db", 7, 1, "");
    commit();
    follow_more(u, modes);
    s = await("hv1", TN_UNIT_APPLIED);
    cr_expect(!s.full);
    cr_expect_eq(s.drift, 0, "new intent is no drift");
    s = await("hv1", TN_UNIT_UNCHANGED);
    cr_expect(!s.full);
    cr_expect_gt(objects("hv1.json"), before);
    sh("rm repo/tenants/acme/db.yml");
    commit();
    follow_more(u, modes);
    s = await("hv1", TN_UNIT_APPLIED);
    cr_expect(!s.full);
    cr_expect_eq(s.drift, 0);
    await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_eq(objects("hv1.json"), before);
    tn_unit_audit(u);
    s = await("hv1", TN_UNIT_UNCHANGED);
    cr_expect(s.full);
    cr_expect_eq(s.n_changes, 0, "the whole says the same as the part");
    tn_modes_unref(modes);
    stop(u);
}

/* Gives one object to somebody else, or back, or takes it away. */
static void
own(const char *name, const char *key, const char *owner)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    json_t *root = device_read(name);
    json_t *all = json_object_get(root, "resources");
    json_t *one = json_object_get(all, key);
    cr_assert_not_null(one, "%s", key);
    if (owner) {
        json_object_set_new(one, "owner", json_string(owner));
    } else {
        json_object_del(all, key);
    }
    tn_text_addf(&path, "%s/.new", b.dir);
    cr_assert_eq(json_dump_file(root, tn_text_str(&path), 0), 0);
    json_decref(root);
    sh("mv .new %s", name);
}

static void
stranger_make(const char *name, int i)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0}, key = {0};
    json_t *root = device_read(name);
    tn_text_addf(&key, "acme/web/by-hand%d", i);
    json_object_set_new(json_object_get(root, "resources"), tn_text_str(&key),
                        json_pack("{s:s, s:s, s:s, s:{}}", "kind", "vpc",
                                  "scope", "acme/web", "owner", "by hand",
                                  "attrs"));
    tn_text_addf(&path, "%s/.new", b.dir);
    cr_assert_eq(json_dump_file(root, tn_text_str(&path), 0), 0);
    json_decref(root);
    sh("mv .new %s", name);
}

/* It is said once, stands while others are looked at, and is gone when the look
 * at its own VPC says so. */
Test(unit, a_conflict_is_said_once)
{
    struct tn_unit *u = unit_start("hv1");
    struct tn_modes *modes = heal();
    vpc_write("db", 2);
    commit();
    follow_more(u, modes);
    await("hv1", TN_UNIT_APPLIED);
    await("hv1", TN_UNIT_UNCHANGED);
    own("hv1.json", "acme/web/vpc", "x");
    struct seen s = await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_str_eq(s.reason, "Conflict");
    cr_expect(s.blocked_news && !s.full);
    for (int i = 0; i < 2; i++) {
        own("hv1.json", "acme/db/port/db1", NULL);
        s = await("hv1", TN_UNIT_APPLIED);
        cr_expect_str_eq(s.reason, "Conflict");
        cr_expect(!s.blocked_news && !s.full);
        await("hv1", TN_UNIT_UNCHANGED);
    }
    tn_unit_audit(u);
    s = await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_str_eq(s.reason, "Conflict");
    cr_expect(!s.blocked_news && s.full);
    own("hv1.json", "acme/web/vpc", NULL);
    s = await("hv1", TN_UNIT_APPLIED);
    cr_expect_str_eq(s.reason, "Verified");
    cr_expect(!s.blocked_news && !s.full);
    tn_modes_unref(modes);
    stop(u);
}

/* Something of others beside ours is told when it appears, and seldom. */
Test(unit, strangers_are_told)
{
    struct tn_unit *u = unit_start("hv1");
    struct tn_modes *modes = heal();
    follow_more(u, modes);
    struct seen s = await("hv1", TN_UNIT_APPLIED);
    cr_expect_str_eq(s.strangers, "");
    await("hv1", TN_UNIT_UNCHANGED);
    for (int i = 0; i < 3; i++) {
        stranger_make("hv1.json", i);
        s = await("hv1", TN_UNIT_UNCHANGED);
        cr_expect(!s.full);
        cr_expect_str_eq(s.strangers, i ? "" : "vpc acme/web/by-hand0");
        cr_expect_eq(s.n_foreign, (size_t) i + 1);
    }
    tn_unit_audit(u);
    s = await("hv1", TN_UNIT_UNCHANGED);
    cr_expect(s.full);
    cr_expect_str_eq(s.strangers, "");
    cr_expect_eq(s.n_foreign, 3);
    tn_modes_unref(modes);
    stop(u);
}

/* What each VPC has of a peering depends on both being there. */
Test(unit, peers_of_what_comes_and_goes_are_looked_at)
{
    static const char of_db[] =
        "---\napiVersion: tenet/v1\nkind: Peering\nmetadata: {name: p}\n"
        "spec: {vpc: db, peer: {vpc: far}, export: [10.7.1.0/24]}\n";
    static const char of_far[] =
        "---\napiVersion: tenet/v1\nkind: Peering\nmetadata: {name: q}\n"
        "spec: {vpc: far, peer: {vpc: db}, export: [10.9.1.0/24]}\n";
    struct tn_unit *u = unit_start("hv1");
    struct tn_modes *modes = heal();
    vpc_write_on("db", 7, 1, "");
    vpc_write_on("far", 9, 2, "");
    commit();
    follow_more(u, modes);
    await("hv1", TN_UNIT_APPLIED);
    await("hv1", TN_UNIT_UNCHANGED);
    size_t before = objects("hv1.json");
    for (int i = 0; i < 2; i++) {
        vpc_write_on("db", 7, 1, i ? "" : of_db);
        vpc_write_on("far", 9, 2, i ? "" : of_far);
        commit();
        follow_more(u, modes);
        struct seen s = await("hv1", TN_UNIT_APPLIED);
        cr_expect(!s.full);
        await("hv1", TN_UNIT_UNCHANGED);
        cr_expect(i ? objects("hv1.json") == before
                    : objects("hv1.json") > before);
        tn_unit_audit(u);
        s = await("hv1", TN_UNIT_UNCHANGED);
        cr_expect(s.full);
        cr_expect_eq(s.n_changes, 0);
    }
    tn_modes_unref(modes);
    stop(u);
}

Test(unit, the_first_look_may_be_later)
{
    struct seen s = {0};
    struct tn_unit *u = unit_start_at("hv1", tn_now_ms() + 800);
    follow(u, heal());
    cr_expect(!next(&s, 400));
    await("hv1", TN_UNIT_APPLIED);
    stop(u);
}
