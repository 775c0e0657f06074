/* unit_bench.c - see unit_bench.h. */
#include "reconciler/daemon/unit_bench.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/text.h"
#include "model/base/time.h"
#include "tests/support/peer.h"

enum { MAX = 4096 };

struct bench {
    char *dir;
    struct tn_apply_gate *gate;
    struct tn_log *log;
    pthread_mutex_t mutex;
    struct tn_bench_seen seen[MAX];
    size_t n, taken;
};

static struct bench b;

void
tn_bench_sh(const char *fmt, ...)
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
        struct tn_bench_seen *s = &b.seen[b.n++];
        *s = (struct tn_bench_seen){.outcome = r->outcome,
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

bool
tn_bench_next(struct tn_bench_seen *out, int64_t wait_ms)
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

struct tn_bench_seen
tn_bench_await(const char *device, enum tn_unit_outcome outcome)
{
    struct tn_bench_seen s = {0};
    int64_t deadline = tn_now_ms() + TN_BENCH_SOON_MS;
    while (tn_bench_next(&s, deadline - tn_now_ms())) {
        if (s.outcome == outcome && strcmp(s.device, device) == 0) {
            return s;
        }
    }
    cr_assert(false, "no report of %s says %s; the last said %s: %s", device,
              tn_unit_outcome_name(outcome), tn_unit_outcome_name(s.outcome),
              s.why);
    return s;
}

void
tn_bench_vpc(const char *name, unsigned net)
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

void
tn_bench_vpc_on(const char *name, unsigned net, int host, const char *rest)
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

void
tn_bench_host(const char *name, const char *vars)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "repo/inventories/lab/host_vars/%s.yml", name);
    tn_text_addf(&t, "tenet_memory_path: %s/%s.json\n%s", b.dir, name, vars);
    tn_peer_write(b.dir, tn_text_str(&path), tn_text_str(&t));
}

void
tn_bench_settings(const char *more)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(&t,
                 "apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: t}\n"
                 "spec:\n%s",
                 more);
    tn_peer_write(b.dir, "repo/tenet.yml", tn_text_str(&t));
}

void
tn_bench_commit(void)
{
    tn_bench_sh(
        "cd repo && git add -A && git -c user.name=t -c user.email=t@t commit "
        "-q --allow-empty -m c");
}

void
tn_bench_setup(void)
{
    b.dir = tn_peer_dir();
    pthread_mutex_init(&b.mutex, NULL);
    tn_bench_sh("mkdir -p repo/inventories/lab/host_vars repo/tenants/acme && "
                "git init -q -b main repo");
    TN_CLEANUP(tn_cleanup_text) struct tn_text state = {0};
    tn_text_addf(&state, "%s/state", b.dir);
    b.gate = tn_apply_gate_new(tn_text_str(&state));
    b.log = tn_log_new(false, false);
    tn_bench_settings("  budgets: {maxDeletes: 100000, maxDeletePercent: 100, "
                      "maxDeletesPerTenant: 100000}\n");
    tn_peer_write(b.dir, "repo/inventories/lab/hosts.yml",
                  "all:\n  vars: {tenet_driver: memory}\n"
                  "  hosts: {hv1: {}, hv2: {}}\n");
    tn_peer_write(b.dir, "repo/tenants/acme/tenant.yml",
                  "apiVersion: tenet/v1\nkind: Tenant\n"
                  "metadata: {name: acme}\nspec: {}\n");
    tn_bench_host("hv1", "tenet_underlay_address: 192.0.2.11\n");
    tn_bench_host("hv2", "tenet_underlay_address: 192.0.2.12\n");
    tn_bench_vpc("web", 1);
    tn_bench_commit();
}

void
tn_bench_teardown(void)
{
    tn_apply_gate_free(b.gate);
    tn_log_free(b.log);
    tn_peer_remove(b.dir);
}

struct tn_intent *
tn_bench_intent(void)
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

struct tn_unit *
tn_bench_unit_at(const char *device, int64_t begin_ms)
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

struct tn_unit *
tn_bench_unit(const char *device)
{
    return tn_bench_unit_at(device, 0);
}

struct tn_modes *
tn_bench_heal(void)
{
    return tn_modes_new(NULL, 0, true);
}

struct tn_modes *
tn_bench_mode(enum tn_mode_target target, const char *name, enum tn_mode is)
{
    struct tn_mode_rule rule = {
        .target = target, .name = name, .mode = is, .reason = "because"};
    return tn_modes_new(&rule, 1, true);
}

void
tn_bench_follow(struct tn_unit *u, struct tn_modes *modes)
{
    struct tn_intent *intent = tn_bench_intent();
    tn_unit_follow(u, intent, modes);
    tn_intent_unref(intent);
    tn_modes_unref(modes);
}

void
tn_bench_follow_more(struct tn_unit *u, struct tn_modes *modes)
{
    tn_bench_follow(u, tn_modes_ref(modes));
}

void
tn_bench_stop(struct tn_unit *u)
{
    tn_unit_stop(u);
    cr_assert(tn_unit_join(u, tn_now_ms() + TN_BENCH_SOON_MS));
}

json_t *
tn_bench_device(const char *name)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "%s/%s", b.dir, name);
    return json_load_file(tn_text_str(&path), 0, NULL);
}

void
tn_bench_device_write(const char *name, const json_t *root)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "%s/.new", b.dir);
    cr_assert_eq(json_dump_file(root, tn_text_str(&path), 0), 0);
    tn_bench_sh("mv .new %s", name);
}

size_t
tn_bench_objects(const char *name)
{
    json_t *root = tn_bench_device(name);
    size_t n = json_object_size(json_object_get(root, "resources"));
    json_decref(root);
    return n;
}

void
tn_bench_wipe(const char *name)
{
    json_t *root = tn_bench_device(name);
    cr_assert_not_null(root);
    json_object_clear(json_object_get(root, "resources"));
    tn_bench_device_write(name, root);
    json_decref(root);
}

void
tn_bench_faults(const char *name, const char *json)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(&t,
                 "{\"format\":\"tenet-memory/1\",\"operations\":0,"
                 "\"faults\":%s,\"resources\":{}}",
                 json);
    tn_peer_write(b.dir, name, tn_text_str(&t));
}

size_t
tn_bench_reports(void)
{
    pthread_mutex_lock(&b.mutex);
    size_t n = b.n;
    pthread_mutex_unlock(&b.mutex);
    return n;
}

void
tn_bench_skip(void)
{
    pthread_mutex_lock(&b.mutex);
    b.taken = b.n;
    pthread_mutex_unlock(&b.mutex);
}
