/* device_test.c - a device against the real ovsdb-server, where others meddle:
 * two sessions of one instance, rows twice, rows without marks, what is not
 * there yet, servers that die, old schemas.
 *
 * The models are those of the two drivers but for what comes after writing:
 * no daemon of OVN or Open vSwitch runs.  seal() is called between comparing
 * and writing, which is where a test can step in. */
#include "drivers/ovsdb/device.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "drivers/ovsdb/openvswitch/kinds.h"
#include "drivers/ovsdb/openvswitch/openvswitch.h"
#include "drivers/ovsdb/ovn/kinds.h"
#include "drivers/ovsdb/ovn/ovn.h"
#include "tests/support/render_lab.h"
#include "drivers/ovsdb/watch.h"
#include "model/base/cleanup.h"
#include "reconciler/plan/plan.h"
#include "tests/support/ovsdb_server.h"

enum { PATIENCE = 60000 };

#define V "apiVersion: tenet/v1\n"
#define PORT(name)                                                             \
    V "kind: Port\nmetadata: {name: " name "}\n"                               \
      "spec: {vpc: net, subnet: a, host: hv1, attach: {netns: " name "}}\n"

static const char net[] = V "kind: Vpc\n"
                            "metadata: {name: net}\n"
                            "spec:\n"
                            "  cidrs: [10.1.0.0/16]\n"
                            "  subnets:\n"
                            "    - {name: a, cidr: 10.1.0.0/24}\n"
                            "---\n" PORT("p1");

static struct {
    char *dir;
    struct tn_peer server;
    struct tn_lab lab;
    void (*intrude)(void); /* Once, before the next transaction. */
    const struct tn_driver *driver;
    const struct tn_ovs_model *model;
    const char *device;
} t;

static void
on_seal(struct tn_session *s, json_t *operations)
{
    void (*intrude)(void) = t.intrude;
    (void) s;
    (void) operations;
    t.intrude = NULL;
    if (intrude) {
        intrude();
    }
}

static const struct tn_ovs_model nb = {
    .database = "OVN_Northbound",
    .root = "NB_Global",
    .kinds = tn_ovn_kinds,
    .n_kinds = TN_OVN_KINDS,
    .seal = on_seal,
};
static const struct tn_ovs_model vs = {
    .database = "Open_vSwitch",
    .root = "Open_vSwitch",
    .kinds = tn_vs_kinds,
    .n_kinds = TN_VS_KINDS,
    .seal = on_seal,
};

/* ---- the scene ---- */

static void
assert_ok(enum tn_code code, const struct tn_error *err)
{
    char why[TN_ERROR_TEXT];
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(err, why, sizeof why));
}

/* What a shell prints in which "db" is the tool of the database. */
static char *
shell(const char *script)
{
    char *whole = tn_format(
        "db() { %s --timeout=60 --db=unix:%s/x.sock \"$@\"; }; %s",
        t.model == &nb ? "ovn-nbctl" : "ovs-vsctl --no-wait", t.dir, script);
    char *out = TN_RUN("sh", "-c", whole);
    free(whole);
    return out;
}

static void
start(const char *schema)
{
    tn_ovsdb_create(t.dir, "x", schema);
    t.server = tn_ovsdb_start(t.dir, "x", NULL);
    free(shell("db init"));
}

static void
scene(const struct tn_ovs_model *model)
{
    bool ovn = model == &nb;
    t.dir = tn_peer_dir();
    t.model = model;
    t.driver = ovn ? &tn_driver_ovn : &tn_driver_openvswitch;
    t.device = ovn ? "c1" : "hv1";
    char *hosts =
        tn_format("all:\n"
                  "  hosts:\n"
                  "    c1: {tenet_driver: ovn, tenet_ovn_southbound: "
                  "'tcp:192.0.2.1:6642',\n"
                  "         tenet_ovsdb_remote: 'unix:%s/%s.sock'}\n"
                  "    hv1: {tenet_driver: openvswitch, tenet_ovn: c1,\n"
                  "          tenet_underlay_address: 192.0.2.11,\n"
                  "          tenet_ovsdb_remote: 'unix:%s/%s.sock'}\n",
                  t.dir, ovn ? "x" : "other", t.dir, ovn ? "other" : "x");
    tn_lab_init(&t.lab, hosts);
    tn_lab_add(&t.lab, "tenants/acme/net.yml", net);
    free(hosts);
}

static void
setup(void)
{
    scene(&nb);
    start(TN_SCHEMA_NB);
}

static void
teardown(void)
{
    tn_peer_stop(&t.server, SIGKILL);
    tn_peer_remove(t.dir);
    tn_lab_done(&t.lab);
}

TestSuite(ovs_device, .init = setup, .fini = teardown);
TestSuite(ovs_device_other, .fini = teardown);

/* The device as the intent has it, with 'more' of it. */
static const struct tn_device *
intend(const char *more)
{
    tn_lab_add(&t.lab, "tenants/acme/more.yml", more ? more : "");
    tn_lab_compile(&t.lab);
    return tn_lab_device(&t.lab, t.device);
}

static struct tn_session *
enter(const struct tn_device *device)
{
    struct tn_error err = {0};
    struct tn_session *s = NULL;
    assert_ok(tn_ovs_open(t.model, device, &s, &err), &err);
    return s;
}

static const struct tn_state *
look(struct tn_session *s, const struct tn_device *device)
{
    static const struct tn_scope all = {0};
    struct tn_error err = {0};
    const struct tn_state *state = NULL;
    assert_ok(tn_ovs_observe(s, &all, tn_lab_render(&t.lab, t.driver, device),
                             t.lab.arena, &state, &err),
              &err);
    return state;
}

static const struct tn_device_plan *
plan(struct tn_session *s, const struct tn_device *device)
{
    struct tn_error err = {0};
    const struct tn_device_plan *out = NULL;
    const struct tn_state *have = look(s, device);
    struct tn_state last = {.device = have->device};
    struct tn_resource *items =
        tn_new_n(t.lab.arena, struct tn_resource, have->n + 1);
    for (size_t i = 0; i < have->n; i++) {
        if (have->items[i].owner == TN_OURS) {
            items[last.n++] = have->items[i];
        }
    }
    last.items = items;
    const struct tn_plan_input in = {
        .device = device->name,
        .driver = t.driver->name,
        .caps = t.driver->caps,
        .last = &last,
        .want = tn_lab_render(&t.lab, t.driver, device),
        .have = have,
    };
    assert_ok(tn_plan_device(t.lab.arena, &in, &out, &err), &err);
    return out;
}

static enum tn_outcome outcomes[64];

static enum tn_code
commit(struct tn_session *s, const struct tn_device_plan *p,
       struct tn_error *err)
{
    struct tn_stage *stage = NULL;
    size_t failed = 0;
    cr_assert_leq(p->n_changes, TN_ARRAY_SIZE(outcomes));
    assert_ok(tn_ovs_stage(s, p->steps, p->n_changes, &stage, err), err);
    enum tn_code code = tn_ovs_commit(stage, outcomes, &failed, err);
    cr_expect(code || failed == p->n_changes);
    for (size_t i = 0; code && i < p->n_changes; i++) {
        cr_expect_neq(outcomes[i], TN_STEP_DONE);
    }
    return code;
}

/* Plans and commits, until nothing is left to do. */
static void
reach(struct tn_session *s, const struct tn_device *device)
{
    struct tn_error err = {0};
    assert_ok(commit(s, plan(s, device), &err), &err);
    cr_expect_eq(plan(s, device)->n_changes, 0);
}

/* ---- others ---- */

static struct tn_session *other;
static const struct tn_device_plan *other_plan;

static void
other_commits(void)
{
    struct tn_error err = {0};
    assert_ok(commit(other, other_plan, &err), &err);
}

/* Two of one instance: who writes between another's look and its writing makes
 * that stale, whatever the two write. */
Test(ovs_device, two_sessions)
{
    struct tn_error err = {0};
    const struct tn_device *base = intend(NULL);
    struct tn_session *s = enter(base);
    reach(s, base);
    const struct tn_device *a = intend(PORT("pa"));
    other = enter(a);
    other_plan = plan(other, a);
    const struct tn_device *b = intend(PORT("pb"));
    const struct tn_device_plan *mine = plan(s, b);
    cr_assert_eq(mine->n_changes, 1);
    t.intrude = other_commits;
    cr_expect_eq(commit(s, mine, &err), TN_ESTALE);
    const struct tn_state *have = look(s, b);
    cr_expect_not_null(tn_state_get(have, "acme/net/port/pa"));
    cr_expect_null(tn_state_get(have, "acme/net/port/pb"),
                   "nothing was written");
    /* Who looks again may. */
    reach(s, b);
    have = look(s, b);
    cr_expect_null(tn_state_get(have, "acme/net/port/pa"));
    cr_expect_not_null(tn_state_get(have, "acme/net/port/pb"));
    tn_ovs_close(other);
    tn_ovs_close(s);
}

static void
hand_changes(void)
{
    free(shell("db set Logical_Switch_Port lab/acme/net/p1 "
               "addresses=by-hand"));
}

/* Somebody's hand on a row that is about to be written: the server compares. */
Test(ovs_device, hand_in_between)
{
    struct tn_error err = {0};
    const struct tn_device *d = intend(NULL);
    struct tn_session *s = enter(d);
    reach(s, d);
    free(shell("db set Logical_Switch_Port lab/acme/net/p1 addresses=first"));
    t.intrude = hand_changes;
    cr_expect_eq(commit(s, plan(s, d), &err), TN_ESTALE);
    cr_expect_gt(err.origin.line, 0, "at the line of intent");
    cr_expect_str_eq(tn_lab_attr(look(s, d), "acme/net/port/p1", "addresses"),
                     "by-hand");
    reach(s, d);
    tn_ovs_close(s);
}

/* A row copied with its marks: ours, and nobody wants it. */
Test(ovs_device, key_twice)
{
    const struct tn_device *d = intend(NULL);
    struct tn_session *s = enter(d);
    reach(s, d);
    free(shell("db create Logical_Switch name=twin "
               "external_ids:tenet-instance=lab "
               "'external_ids:tenet-key=\"acme/net/switch/a\"' "
               "'external_ids:tenet-scope=\"acme/net\"'"));
    const struct tn_state *have = look(s, d);
    size_t twins = 0;
    for (size_t i = 0; i < have->n; i++) {
        twins += strncmp(have->items[i].key, "acme/net/switch/a#", 18) == 0 &&
                 have->items[i].owner == TN_OURS;
    }
    cr_expect_eq(twins, 1);
    reach(s, d);
    char *rows = shell("db --bare --columns=name list Logical_Switch");
    cr_expect_str_eq(rows, "lab/acme/net/switch/a\n");
    free(rows);
    tn_ovs_close(s);
}

/* Without our marks a row is somebody else's, and it has the name. */
Test(ovs_device, marks_lost)
{
    const struct tn_device *d = intend(NULL);
    struct tn_session *s = enter(d);
    reach(s, d);
    free(shell("db clear Logical_Switch_Port lab/acme/net/p1 external_ids"));
    const struct tn_resource *r = tn_state_get(look(s, d), "acme/net/port/p1");
    cr_assert_not_null(r);
    cr_expect_eq(r->owner, TN_FOREIGN);
    const struct tn_device_plan *p = plan(s, d);
    cr_expect_eq(p->n_changes, 0);
    cr_assert_eq(p->n_conflicts, 1);
    tn_ovs_close(s);
}

static void
server_dies(void)
{
    tn_peer_stop(&t.server, SIGKILL);
}

/* It is not known what became of it, and whoever looks again knows. */
Test(ovs_device, server_dies)
{
    struct tn_error err = {0};
    const struct tn_device *base = intend(NULL);
    struct tn_session *s = enter(base);
    reach(s, base);
    const struct tn_device *more = intend(PORT("p2"));
    t.intrude = server_dies;
    cr_expect_eq(commit(s, plan(s, more), &err), TN_EUNAVAILABLE);
    t.server = tn_ovsdb_start(t.dir, "x", NULL);
    const struct tn_state *have = look(s, more);
    cr_expect_not_null(tn_state_get(have, "acme/net/port/p1"));
    cr_expect_null(tn_state_get(have, "acme/net/port/p2"));
    reach(s, more);
    tn_ovs_close(s);
}

/* A schema before the column was; 'file' is new in the directory. */
static void
schema_without(const char *table, const char *column, const char *file)
{
    json_t *schema = json_load_file(TN_SCHEMA_NB, 0, NULL);
    cr_assert_not_null(schema);
    json_t *columns = json_object_get(
        json_object_get(json_object_get(schema, "tables"), table), "columns");
    cr_assert_eq(json_object_del(columns, column), 0);
    char *text = json_dumps(schema, 0);
    tn_peer_write(t.dir, file, text);
    free(text);
    json_decref(schema);
}

Test(ovs_device_other, old_schema)
{
    static const struct tn_scope all = {0};
    struct tn_error err = {0};
    const struct tn_state *state = NULL;
    scene(&nb);
    schema_without("Logical_Switch_Port", "port_security", "old.schema");
    char *path = tn_format("%s/old.schema", t.dir);
    start(path);
    free(path);
    const struct tn_device *d = intend(NULL);
    struct tn_session *s = enter(d);
    cr_expect_eq(tn_ovs_observe(s, &all, tn_lab_render(&t.lab, t.driver, d),
                                t.lab.arena, &state, &err),
                 TN_EUNSUPPORTED);
    char why[TN_ERROR_TEXT];
    tn_error_text(&err, why, sizeof why);
    cr_expect_not_null(strstr(why, "no column 'port_security' in "
                                   "Logical_Switch_Port"),
                       "%s", why);
    cr_expect_eq(err.origin.line, 9, "%s", why);
    tn_ovs_close(s);
}

/* ---- what is not there yet ---- */

static bool
watch_tells(struct tn_watch *w, enum tn_event_type type)
{
    int64_t end = tn_peer_now_ms() + PATIENCE;
    bool told = false;
    while (!told && tn_peer_now_ms() < end) {
        struct pollfd p = {.fd = tn_ovs_watch_fd(w), .events = POLLIN};
        const struct tn_event *events = NULL;
        struct tn_error err = {0};
        size_t n = 0;
        poll(&p, 1, 1000);
        assert_ok(tn_ovs_watch_read(w, t.lab.arena, &events, &n, &err), &err);
        for (size_t i = 0; i < n; i++) {
            told = told || events[i].type == type;
        }
    }
    return told;
}

Test(ovs_device_other, waits_for_a_bridge)
{
    struct tn_error err = {0};
    struct tn_watch *w = NULL;
    scene(&vs);
    start(TN_SCHEMA_OVS);
    const struct tn_device *d = intend(NULL);
    struct tn_session *s = enter(d);
    const struct tn_device_plan *p = plan(s, d);
    assert_ok(tn_ovs_watch_open(t.model, d, &w, &err), &err);
    assert_ok(commit(s, p, &err), &err);
    cr_assert_eq(p->n_changes, 2);
    for (size_t i = 0; i < p->n_changes; i++) {
        bool port = strcmp(p->steps[i].after->kind, "port") == 0;
        cr_expect_eq(outcomes[i], port ? TN_STEP_WAITING : TN_STEP_DONE);
    }
    cr_expect_eq(err.code, TN_EUNAVAILABLE, "it says for what");
    char why[TN_ERROR_TEXT];
    tn_error_text(&err, why, sizeof why);
    cr_expect_not_null(strstr(why, "br-int"), "%s", why);
    cr_expect_eq(plan(s, d)->n_changes, 1);
    free(shell("db add-br br-int"));
    cr_expect(watch_tells(w, TN_EVENT_APPEARED));
    reach(s, d);
    tn_ovs_watch_close(w);
    tn_ovs_close(s);
}
