/* ovn_subject.c - the OVN driver under conformance.
 *
 * Each test has a Northbound and a Southbound database and an ovn-northd of its
 * own.  No hypervisor is registered: "applied" then means that northd has
 * followed.  Hands that are not tenet's are ovn-nbctl and ovsdb-client. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/ovsdb/ovn/ovn.h"
#include "tests/conformance/conformance.h"
#include "tests/support/ovsdb_server.h"

#define SCHEMA_SB "/usr/share/ovn/ovn-sb.ovsschema"

struct world {
    char *dir, *nb, *sb;
    struct tn_peer servers[2], northd;
};

/* What a shell prints that can say "ovn-nbctl"; malloc'ed. */
static char *
shell(const char *script)
{
    return TN_RUN("sh", "-c", script);
}

static void *
setup(void)
{
    struct world *w = calloc(1, sizeof *w);
    cr_assert_not_null(w);
    w->dir = tn_peer_dir();
    w->nb = tn_format("unix:%s/nb.sock", w->dir);
    w->sb = tn_format("unix:%s/sb.sock", w->dir);
    tn_ovsdb_create(w->dir, "nb", TN_SCHEMA_NB);
    tn_ovsdb_create(w->dir, "sb", SCHEMA_SB);
    w->servers[0] = tn_ovsdb_start(w->dir, "nb", NULL);
    w->servers[1] = tn_ovsdb_start(w->dir, "sb", NULL);
    setenv("OVN_NB_DB", w->nb, 1);
    setenv("OVN_RUNDIR", w->dir, 1);
    free(shell("ovn-nbctl init"));
    char *nb = tn_format("--ovnnb-db=%s", w->nb);
    char *sb = tn_format("--ovnsb-db=%s", w->sb);
    char *log = tn_format("--log-file=%s/northd.log", w->dir);
    const char *const northd[] = {"ovn-northd",    nb,  sb, log,
                                  "-vconsole:off", NULL};
    w->northd = tn_peer_start(northd, 0);
    free(nb);
    free(sb);
    free(log);
    return w;
}

static void
teardown(void *world)
{
    struct world *w = world;
    tn_peer_stop(&w->northd, SIGKILL);
    tn_peer_stop(&w->servers[0], SIGKILL);
    tn_peer_stop(&w->servers[1], SIGKILL);
    tn_peer_remove(w->dir);
    free(w->nb);
    free(w->sb);
    free(w);
}

static void
host_vars(void *world, const char *host, struct tn_text *out)
{
    const struct world *w = world;
    tn_text_addf(out,
                 "tenet_driver: openvswitch\ntenet_ovn: cloud\n"
                 "tenet_ovsdb_remote: unix:%s/%s.sock\n",
                 w->dir, host);
}

static void
hosts(void *world, struct tn_text *out)
{
    const struct world *w = world;
    tn_text_addf(out,
                 "    cloud: {tenet_driver: ovn, tenet_ovsdb_remote: \"%s\"}\n",
                 w->nb);
}

/* A network of somebody else's; then things on one of ours. */
static void
foreign_make(void *world, const struct tn_device *device,
             const struct tn_state *applied)
{
    (void) world;
    (void) device;
    free(shell(
        applied ? "S=$(ovn-nbctl --bare --columns=_uuid find Logical_Switch "
                  "'external_ids:tenet-key=\"acme/web/switch/front\"'); "
                  "ovn-nbctl lsp-add $S by-hand-in-ours -- "
                  "set Logical_Switch_Port by-hand-in-ours external_ids:x=y -- "
                  "acl-add $S to-lport 5 tcp drop"
                : "ovn-nbctl ls-add by-hand -- lsp-add by-hand by-hand-1 -- "
                  "set Logical_Switch by-hand external_ids:owner=hand -- "
                  "lr-add by-hand -- lrp-add by-hand by-hand-r "
                  "02:00:00:00:00:09 198.51.100.1/24 -- pg-add by_hand "
                  "by-hand-1"));
}

static void
foreign_dump(void *world, const struct tn_device *device, struct tn_text *out)
{
    (void) world;
    (void) device;
    char *text = shell(
        "for i in by-hand-1 by-hand-in-ours; do ovn-nbctl --if-exists "
        "--columns=name,external_ids,type,addresses list Logical_Switch_Port "
        "$i; done; ovn-nbctl list Logical_Switch by-hand; "
        "ovn-nbctl list Logical_Router by-hand; "
        "ovn-nbctl list Port_Group by_hand; "
        "ovn-nbctl find ACL priority=5");
    tn_text_add(out, text);
    free(text);
}

/* By kind: what is done to the row $U. */
static const struct {
    const char *kind, *table, *command;
} hands[] = {
    {"router", "Logical_Router", "set Logical_Router $U enabled=false"},
    {"switch", "Logical_Switch", "destroy Logical_Switch $U"},
    {"gateway", "Logical_Router_Port",
     "set Logical_Router_Port $U mac=\"02\\:00\\:00\\:00\\:00\\:07\""},
    {"uplink", "Logical_Switch_Port", "lsp-del $U"},
    {"guard", "Port_Group", "destroy Port_Group $U"},
    {"filter", "ACL", "set ACL $U action=allow"},
    {"group", "Port_Group", "destroy Port_Group $U"},
    {"acl", "ACL", "set ACL $U priority=7"},
    {"port", "Logical_Switch_Port", "lsp-set-addresses $U unknown"},
    {"policy", "Logical_Router_Policy",
     "set Logical_Router_Policy $U action=allow priority=1"},
    {"link", "Logical_Router_Port", "clear Logical_Router_Port $U peer"},
    {"route", "Logical_Router_Static_Route",
     "set Logical_Router_Static_Route $U nexthop=198.51.100.9"},
};

static bool
tamper(void *world, const struct tn_device *device, const struct tn_resource *r)
{
    (void) world;
    (void) device;
    for (size_t i = 0; i < TN_ARRAY_SIZE(hands); i++) {
        if (strcmp(hands[i].kind, r->kind) != 0) {
            continue;
        }
        char *script = tn_format("U=$(ovn-nbctl --bare --columns=_uuid find %s "
                                 "'external_ids:tenet-key=\"%s\"'); "
                                 "ovn-nbctl %s",
                                 hands[i].table, r->key, hands[i].command);
        free(shell(script));
        free(script);
        return true;
    }
    return false;
}

const struct tn_subject *
tn_conformance_subject(void)
{
    static const struct tn_subject subject = {
        .driver = &tn_driver_ovn,
        .setup = setup,
        .teardown = teardown,
        .host_vars = host_vars,
        .hosts = hosts,
        .device = "cloud",
        .foreign_make = foreign_make,
        .foreign_dump = foreign_dump,
        .tamper = tamper,
        .nothing_in_place = true,
        .nothing_replaced = true,
        .stride = 7,
    };
    return &subject;
}
