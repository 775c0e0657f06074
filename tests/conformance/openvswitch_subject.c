/* openvswitch_subject.c - the openvswitch driver under conformance, in a cloud.
 *
 * Each test has two hypervisors, each a database with an ovs-vswitchd of user
 * space, in network namespaces that die with the test.  Hands that are not
 * tenet's are ovs-vsctl. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/ovsdb/openvswitch/openvswitch.h"
#include "tests/conformance/conformance.h"
#include "tests/support/ovsdb_server.h"

struct hypervisor {
    char *dir;
    struct tn_peer server, vswitchd;
};

struct world {
    struct hypervisor on[2];
};

static void
start(struct hypervisor *h)
{
    cr_assert(unshare(CLONE_NEWNET) == 0);
    h->dir = tn_peer_dir();
    tn_ovsdb_create(h->dir, "conf", TN_SCHEMA_OVS);
    h->server = tn_ovsdb_start(h->dir, "conf", NULL);
    setenv("OVS_RUNDIR", h->dir, 1);
    char *db = tn_format("unix:%s/conf.sock", h->dir);
    char *log = tn_format("--log-file=%s/vswitchd.log", h->dir);
    char *pid = tn_format("--pidfile=%s/vswitchd.pid", h->dir);
    char *init = tn_format("ovs-vsctl --db=%s --no-wait init -- "
                           "add-br br-int -- set Bridge br-int "
                           "datapath_type=netdev fail_mode=secure",
                           db);
    TN_RUN_QUIETLY("sh", "-c", init);
    const char *const argv[] = {"ovs-vswitchd",  db,  log, pid,
                                "-vconsole:off", NULL};
    h->vswitchd = tn_peer_start(argv, 0);
    free(db);
    free(log);
    free(pid);
    free(init);
}

static void *
setup(void)
{
    struct world *w = calloc(1, sizeof *w);
    cr_assert_not_null(w);
    start(&w->on[0]);
    start(&w->on[1]);
    return w;
}

static void
teardown(void *world)
{
    struct world *w = world;
    for (size_t i = 0; i < TN_ARRAY_SIZE(w->on); i++) {
        tn_peer_stop(&w->on[i].vswitchd, SIGKILL);
        tn_peer_stop(&w->on[i].server, SIGKILL);
        tn_peer_remove(w->on[i].dir);
    }
    free(w);
}

static const char *
dir_of(const struct world *w, const char *host)
{
    return w->on[strcmp(host, "hv2") == 0].dir;
}

static void
host_vars(void *world, const char *host, struct tn_text *out)
{
    tn_text_addf(out,
                 "tenet_driver: openvswitch\ntenet_ovn: cloud\n"
                 "tenet_ovs_datapath: netdev\n"
                 "tenet_ovsdb_remote: unix:%s/conf.sock\n",
                 dir_of(world, host));
}

static void
hosts(void *world, struct tn_text *out)
{
    (void) world;
    tn_text_add(out, "    cloud: {tenet_driver: ovn, tenet_ovn_southbound: "
                     "\"tcp:192.0.2.250:6642\"}\n");
}

/* What a shell prints in which "vs" is ovs-vsctl of the host; malloc'ed. */
static char *
shell(const struct world *w, const char *host, const char *script)
{
    char *whole = tn_format(
        "vs() { ovs-vsctl --timeout=60 --db=unix:%s/conf.sock \"$@\"; }; %s",
        dir_of(w, host), script);
    char *out = TN_RUN("sh", "-c", whole);
    free(whole);
    return out;
}

/* A bridge of somebody else's; then a port on the one that is ours. */
static void
foreign_make(void *world, const struct tn_device *device,
             const struct tn_state *applied)
{
    free(shell(world, device->name,
               applied ? "vs add-port br-int by-hand-2 -- set Interface "
                         "by-hand-2 type=internal external_ids:owner=hand"
                       : "vs add-br by-hand -- set Bridge by-hand "
                         "datapath_type=netdev external_ids:owner=hand -- "
                         "set Open_vSwitch . external_ids:theirs=x"));
}

static void
foreign_dump(void *world, const struct tn_device *device, struct tn_text *out)
{
    char *text = shell(
        world, device->name,
        "vs --columns=name,ports,external_ids,fail_mode list Bridge by-hand; "
        "vs get Open_vSwitch . external_ids:theirs; "
        "vs --if-exists --columns=name,type,external_ids list Interface "
        "by-hand-2; vs --if-exists --columns=name,interfaces,tag list Port "
        "by-hand-2");
    tn_text_add(out, text);
    free(text);
}

/* By kind: what is done to the row $U. */
static const struct {
    const char *kind, *table, *command;
} hands[] = {
    {"settings", "Open_vSwitch",
     "set Open_vSwitch . external_ids:ovn-encap-ip=198.51.100.7"},
    {"port", "Port",
     "remove Interface $(vs get Port $U interfaces | tr -d '[]') "
     "external_ids iface-id"},
};

static bool
tamper(void *world, const struct tn_device *device, const struct tn_resource *r)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(hands); i++) {
        if (strcmp(hands[i].kind, r->kind) != 0) {
            continue;
        }
        char *script = tn_format("U=$(vs --bare --columns=_uuid find %s "
                                 "'external_ids:tenet-key=\"%s\"'); vs %s",
                                 hands[i].table, r->key, hands[i].command);
        free(shell(world, device->name, script));
        free(script);
        return true;
    }
    return false;
}

const struct tn_subject *
tn_conformance_subject(void)
{
    static const struct tn_subject subject = {
        .driver = &tn_driver_openvswitch,
        .setup = setup,
        .teardown = teardown,
        .host_vars = host_vars,
        .hosts = hosts,
        .foreign_make = foreign_make,
        .foreign_dump = foreign_dump,
        .tamper = tamper,
        .blind = true,
        .always = 1, /* The settings. */
    };
    return &subject;
}
