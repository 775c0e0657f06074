/* kernel_root_test.c - the driver against the running kernel: two hosts, real
 * packets, and what 'ip' and 'bridge' say. */
#include "drivers/kernel/kernel_lab.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "drivers/kernel/kernel.h"

#define CHANGE(...) (&(struct tn_k_lab_change){__VA_ARGS__})

static struct tn_k_lab_result
apply(int host, const struct tn_k_lab_change *change)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_k_lab_result r =
        tn_k_lab_apply(tn_k_lab_device(arena, host, change));
    r.error.origin.path = r.error.origin.path ? "lab.yml" : NULL;
    return r;
}

static void
assert_ok(const struct tn_k_lab_result *r)
{
    char text[TN_ERROR_TEXT];
    cr_assert(r->code == TN_OK, "%s",
              tn_error_text(&r->error, text, sizeof text));
}

static void
apply_both(const struct tn_k_lab_change *change)
{
    for (int host = 0; host < 2; host++) {
        struct tn_k_lab_result r = apply(host, change);
        assert_ok(&r);
    }
}

static size_t
n_changes(const struct tn_k_lab_result *r)
{
    return r->n[0] + r->n[1] + r->n[2] + r->n[3];
}

/* Nothing differs on both hosts, nothing is foreign. */
static void
assert_converged(const struct tn_k_lab_change *change)
{
    for (int host = 0; host < 2; host++) {
        struct tn_k_lab_result r = apply(host, change);
        assert_ok(&r);
        cr_assert(n_changes(&r) == 0, "host %d: %zu changes", host,
                  n_changes(&r));
        cr_assert(r.n_foreign == 0, "%zu foreign", r.n_foreign);
    }
}

static bool
pings(const char *guest, const char *address)
{
    return tn_k_lab_runs(
        "ip netns exec %s ping -c 1 -w 3 -q %s >/dev/null 2>&1", guest,
        address);
}

static void
assert_pings(const char *guest, const char *address)
{
    cr_assert(pings(guest, address), "%s does not reach %s", guest, address);
}

static void
assert_no_ping(const char *guest, const char *address)
{
    cr_assert(!pings(guest, address), "%s reaches %s", guest, address);
}

/* Same subnet, other subnet, gateway; same host and other host; both families;
 * never another tenant. */
static void
assert_traffic(void)
{
    assert_pings("web1", "10.1.0.1");
    assert_pings("web1", "10.1.0.12");
    assert_pings("web1", "fd00:1::c");
    assert_pings("web1", "10.1.1.12");
    assert_pings("web1", "10.1.1.11");
    assert_pings("db1", "10.1.0.11");
    assert_pings("x1", "10.1.0.13");
    assert_no_ping("x1", "10.1.0.12");
    assert_no_ping("web1", "10.1.0.13");
}

Test(root, two_hosts)
{
    tn_k_lab_hosts();
    apply_both(NULL);
    assert_traffic();
    /* Through the link between two VPCs, the other end on another host. */
    assert_pings("web1", "10.1.9.11");
    assert_pings("web1", "fd00:1:9::b");
    assert_pings("lab1", "10.1.0.11");
    assert_no_ping("x1", "10.1.9.11");
    assert_converged(NULL);
}

Test(root, what_the_tools_say)
{
    tn_k_lab_hosts();
    apply_both(NULL);
    static const char *const facts[] = {
        "ip -n hv1.tn.acme.web -d link show x-front | "
        "grep -q 'vxlan id 5003 local 192.0.2.1 .*dstport 4789 .*nolearning'",
        "ip -n hv1.tn.acme.web -d link show x-front | "
        "grep -q 'learning off flood off .*neigh_suppress on'",
        "ip -n hv1.tn.acme.web link show x-front | grep -q 'mtu 1450'",
        "ip -n hv1.tn.acme.web -d link show b-front | "
        "grep -q 'addrgenmode none numtxqueues 1 numrxqueues 1'",
        "ip -n hv1.tn.acme.web link show b-front | "
        "grep -q 02:74:6e:ff:00:00",
        "ip -n hv1.tn.acme.web link show b-front | "
        "grep -q 'alias tenet:lab:bridge/b-front'",
        "ip -n hv1.tn.acme.web link show lo | "
        "grep -q 'alias tenet:lab:acme/web/netns'",
        "bridge -n hv1.tn.acme.web fdb show dev x-front | "
        "grep -q '^00:00:00:00:00:00 dst 192.0.2.2 .*self extern_learn'",
        "bridge -n hv1.tn.acme.web fdb show dev x-front | "
        "grep -q '^02:74:6e:00:8b:0c dst 192.0.2.2 .*self extern_learn'",
        "bridge -n hv1.tn.acme.web fdb show dev x-front | "
        "grep -q '^02:74:6e:00:8b:0c extern_learn master b-front'",
        "bridge -n hv1.tn.acme.web fdb show dev p-web1 | "
        "grep -q '^02:74:6e:00:8b:0b extern_learn master b-front'",
        "ip -n hv1.tn.acme.web neigh show 10.1.0.12 | "
        "grep -q 'lladdr 02:74:6e:00:8b:0c PERMANENT proto 84'",
        "ip -n hv1.tn.acme.web -6 neigh show fd00:1::c | grep -q PERMANENT",
        "ip -n hv1.tn.acme.web route | "
        "grep -q '^172.16.0.0/16 via 10.1.1.11 dev b-back proto 84'",
        "ip -n hv1.tn.acme.web route | "
        "grep -q '^10.1.9.0/24 via inet6 fe80::1 dev l-'",
        "ip -n web1 link show eth0 | grep -q 'mtu 1450'",
        "ip -n web1 route | grep -q '^default via 10.1.0.1 dev eth0'",
        "ip -n web1 -6 route | grep -q '^default via fd00:1::1 dev eth0'",
        "ip netns exec hv1.tn.acme.web sysctl -n net.ipv4.ip_forward | "
        "grep -qx 1",
        /* Only what has addresses takes part in IPv6. */
        "ip netns exec hv1.tn.acme.web sh -c 'cd /proc/sys/net/ipv6/conf; "
        "for i in default x-front p-web1 b-front b-back; do "
        "cat $i/disable_ipv6; done' | tr -d '\\n' | grep -qx 11100",
        "ip netns exec hv1.tn.acme.web sh -c "
        "'cat /proc/sys/net/ipv6/conf/l-*/disable_ipv6' | grep -qx 0",
        "! ip -n hv1 link | grep -q x-front",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(facts); i++) {
        cr_expect(tn_k_lab_runs("%s", facts[i]), "not so: %s", facts[i]);
    }
}

/* What is done to host 0, where $W is a VPC, is seen and undone. */
static void
heals(const char *const *damages, size_t n)
{
    tn_k_lab_hosts();
    apply_both(NULL);
    for (size_t i = 0; i < n; i++) {
        tn_k_lab_run("W=hv1.tn.acme.web; %s", damages[i]);
        struct tn_k_lab_result r = apply(0, NULL);
        char text[TN_ERROR_TEXT];
        cr_assert(r.code == TN_OK, "%s: %s", damages[i],
                  tn_error_text(&r.error, text, sizeof text));
        cr_assert(n_changes(&r) > 0, "not seen: %s", damages[i]);
        cr_assert(pings("web1", "10.1.0.12") && pings("web1", "10.1.1.11"),
                  "not healed: %s", damages[i]);
    }
    assert_converged(NULL);
}

Test(root, healed_links)
{
    static const char *const damages[] = {
        "ip -n $W link del b-front",
        "ip -n $W link del x-front",
        "ip -n $W link del p-web1",
        "ip -n web1 link del eth0",
        "ip -n web1 link set eth0 down",
        "ip -n web1 link set eth0 name renamed",
        "ip -n $W link set b-front down",
        "ip -n $W link set x-front nomaster",
        "ip -n $W link set p-web1 nomaster down mtu 1280",
        "ip -n $W link set b-front address 02:00:00:00:00:01",
    };
    heals(damages, TN_ARRAY_SIZE(damages));
    assert_traffic();
}

Test(root, healed_entries)
{
    static const char *const damages[] = {
        "ip -n web1 addr flush dev eth0",
        "ip -n web1 route del default",
        "ip -n $W addr flush dev b-front",
        "ip -n $W neigh flush all nud permanent",
        "bridge -n $W fdb del 02:74:6e:00:8b:0c dev x-front self",
        "bridge -n $W fdb del 02:74:6e:00:8b:0c dev x-front master",
        "bridge -n $W fdb replace 02:74:6e:00:8b:0c dev x-front "
        "dst 192.0.2.2 self",
        "bridge -n $W fdb replace 02:74:6e:00:8b:0c dev x-front "
        "dst 192.0.2.9 self",
        "bridge -n $W fdb del 00:00:00:00:00:00 dev x-front dst 192.0.2.2",
        "bridge -n $W fdb append 00:00:00:00:00:00 dev x-front dst 192.0.2.9",
        "ip -n $W route del 172.16.0.0/16",
    };
    heals(damages, TN_ARRAY_SIZE(damages));
}

Test(root, healed_settings)
{
    static const char *const damages[] = {
        "bridge -n $W link set dev p-web1 learning on flood on",
        "bridge -n $W link set dev p-web1 state 0",
        "bridge -n $W link set dev x-front state 0",
        "ip -n $W link set dev b-front type bridge stp_state 1",
        "ip netns exec $W sysctl -q net.ipv4.ip_forward=0",
        "ip netns exec $W sysctl -q net.ipv6.conf.default.disable_ipv6=0",
        "ip netns exec $W sh -c "
        "'echo 0 >/proc/sys/net/ipv4/conf/b-front/forwarding'",
        "ip netns exec $W sh -c "
        "'echo 1 >/proc/sys/net/ipv6/conf/b-front/disable_ipv6'",
        "ip netns exec $W sh -c "
        "'for i in /proc/sys/net/ipv6/conf/l-*; do echo 1 >$i/disable_ipv6; "
        "done'",
        "ip netns exec $W nft flush ruleset",
    };
    heals(damages, TN_ARRAY_SIZE(damages));
}

Test(root, healed_marks)
{
    static const char *const damages[] = {
        "ip -n $W link set dev b-front group 1953366017",
        "ip -n $W link set dev b-front group default",
        "ip -n $W link set dev x-front group 5",
        "ip -n $W link set dev p-web1 group 5",
        "ip -n $W link set dev p-web1 alias mine",
        "ip -n $W link set dev x-front alias mine",
        "ip -n $W link set dev b-front alias ''",
        ("ip -n $W link set dev $(ip -n $W -o link | "
         "grep -o ' l-[a-z0-9]*' | head -1) group 5"),
    };
    heals(damages, TN_ARRAY_SIZE(damages));
}

Test(root, healed_namespaces)
{
    static const char *const damages[] = {
        /* The kernel removes what was in a namespace some time later. */
        "ip netns del $W",
        "ip netns del web1",
        "ip netns del hv1.tn.acme.lab; ip netns del $W",
    };
    heals(damages, TN_ARRAY_SIZE(damages));
}

Test(root, teardown_leaves_nothing)
{
    tn_k_lab_hosts();
    tn_k_lab_run("ip -n hv1 link > /tmp/tenet-lab-$PPID.before");
    apply_both(NULL);
    apply_both(CHANGE(.empty = true));
    tn_k_lab_run("test \"$(ip netns list | wc -l)\" = 3");
    tn_k_lab_run("test $(ip -n hv1 -o link | wc -l) = 2");
    tn_k_lab_run("rm -f /tmp/tenet-lab-$PPID.before");
}

static const struct {
    const char *what;
    struct tn_k_lab_change change;
} moves[] = {
    {"port left out", {.without = "web2"}},
    {"local port left out", {.without = "web1"}},
    {"port on the other host", {.moved = "web2"}},
    {"and back", {.moved = NULL}},
    {"other VNIs", {.vni_more = 100}},
    {"smaller MTU", {.mtu = 1300}},
    {"other gateway MAC addresses", {.gateway_more = 3}},
    {"other MAC addresses", {.mac_more = 7}},
    {"no peering", {.unpeered = true}},
    {"as at first", {.moved = NULL}},
};

Test(root, changes)
{
    tn_k_lab_hosts();
    apply_both(NULL);
    for (size_t i = 0; i < TN_ARRAY_SIZE(moves); i++) {
        apply_both(&moves[i].change);
        for (int host = 0; host < 2; host++) {
            struct tn_k_lab_result r = apply(host, &moves[i].change);
            cr_assert(n_changes(&r) == 0, "%s", moves[i].what);
        }
        assert_pings("db1", "10.1.1.12");
    }
    assert_traffic();
    assert_converged(NULL);
}

Test(root, namespaces_of_ports)
{
    tn_k_lab_hosts();
    tn_k_lab_run("ip netns add web1");
    apply_both(NULL);
    tn_k_lab_run("ip -n web2 link show lo | grep -q ports-of/hv2/acme/web");
    apply_both(CHANGE(.without = "web1"));
    tn_k_lab_run("ip netns list | grep -qw web1");
    tn_k_lab_run("! ip -n web1 link show eth0 2>/dev/null");
    apply_both(CHANGE(.without = "web2"));
    tn_k_lab_run("! ip netns list | grep -qw web2");
}

Test(root, foreign_objects)
{
    tn_k_lab_hosts();
    apply_both(NULL);
    tn_k_lab_run("ip -n hv1.tn.acme.web link add mine type bridge && "
                 "ip -n hv1.tn.acme.web addr add 10.9.9.9/32 dev b-front && "
                 "ip -n hv1.tn.acme.web route add 10.8.0.0/16 dev b-back && "
                 "ip -n hv1.tn.acme.web neigh add 10.1.0.77 "
                 "lladdr 02:00:00:00:00:77 dev b-front nud permanent && "
                 "bridge -n hv1.tn.acme.web fdb add 02:00:00:00:00:78 "
                 "dev p-web1 master static && "
                 "ip netns exec hv1.tn.acme.web nft add table ip mine");
    struct tn_k_lab_result r = apply(0, NULL);
    assert_ok(&r);
    cr_assert(n_changes(&r) == 0);
    cr_assert(r.n_foreign == 6, "%zu", r.n_foreign);
    tn_k_lab_run("ip -n hv1.tn.acme.web link show mine >/dev/null");
    /* What is not ours keeps the namespace from being removed, but nothing
     * else: all that is ours goes, there and elsewhere. */
    r = apply(0, CHANGE(.empty = true));
    assert_ok(&r);
    cr_assert(r.n_waiting == 1);
    cr_assert(strstr(r.error.text, "namespace hv1.tn.acme.web is kept for "
                                   "interface mine"),
              "%s", r.error.text);
    tn_k_lab_run("ip -n hv1.tn.acme.web link show mine >/dev/null");
    tn_k_lab_run("test \"$(ip netns list | grep -c hv1.tn)\" = 1");
    tn_k_lab_run("test $(ip -n hv1.tn.acme.web -o link | wc -l) = 2");
    tn_k_lab_run("test \"$(ip netns exec hv1.tn.acme.web nft list tables)\" = "
                 "'table ip mine'");
    r = apply(0, CHANGE(.empty = true));
    cr_assert(r.code == TN_OK && r.n_waiting == 1 && n_changes(&r) == 1);
    tn_k_lab_run("ip -n hv1.tn.acme.web link del mine");
    r = apply(0, CHANGE(.empty = true));
    assert_ok(&r);
}

Test(root, existing_interface)
{
    const struct tn_k_lab_change *tap = CHANGE(.tap = "web1");
    tn_k_lab_hosts();
    /* One of a pair stands for a tap: its other end is the machine. */
    struct tn_k_lab_result r = apply(0, tap);
    cr_assert(r.code == TN_OK && r.n_waiting == 1);
    cr_assert(r.error.origin.line == 5003 && r.error.origin.column == 11);
    tn_k_lab_run("ip netns add vm && ip -n hv1 link add tap0 type veth "
                 "peer name eth0 netns vm && ip -n vm link set eth0 address "
                 "02:74:6e:00:8b:0b mtu 1450 up && "
                 "ip -n vm addr add 10.1.0.11/24 dev eth0");
    apply_both(tap);
    assert_converged(tap);
    assert_pings("vm", "10.1.0.12");
    tn_k_lab_run("! ip -n hv1 link show tap0 2>/dev/null");
    apply_both(CHANGE(.without = "web1"));
    tn_k_lab_run("ip -n hv1 link show tap0 >/dev/null");
    tn_k_lab_run("! ip -n hv1 link show tap0 | grep -q alias");
    apply_both(tap);
    apply_both(CHANGE(.empty = true));
    tn_k_lab_run("ip -n hv1 link show tap0 >/dev/null");
}

Test(root, real_tap)
{
    const struct tn_k_lab_change *tap = CHANGE(.tap = "web1");
    tn_k_lab_hosts();
    tn_k_lab_run("ip -n hv1 tuntap add tap0 mode tap");
    apply_both(tap);
    assert_converged(tap);
    /* What a machine holds is never deleted, whatever it is called. */
    tn_k_lab_run("ip -n hv1.tn.acme.web link set p-web1 name renamed");
    apply_both(tap);
    tn_k_lab_run("ip -n hv1 link show tap0 >/dev/null");
    apply_both(tap);
    assert_converged(tap);
    apply_both(CHANGE(.empty = true));
    tn_k_lab_run("ip -n hv1 link show tap0 >/dev/null");
}

Test(root, underlay_too_small)
{
    tn_k_lab_hosts();
    struct tn_k_lab_result r = apply(0, CHANGE(.mtu = 1451));
    cr_assert(r.code == TN_EINTENT);
    cr_assert(r.error.origin.line != 0 && r.error.origin.column == 1);
    cr_assert(strstr(r.error.text, "1451"));
}

static enum tn_code
open_with(const char *cache, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_driver_env env = {cache};
    struct tn_session *session = NULL;
    const struct tn_device *device = tn_k_lab_device(arena, 0, NULL);
    enum tn_code code = tn_driver_kernel.open(device, &env, &session, err);
    tn_driver_kernel.close(session);
    return code;
}

/* A kernel without br_netfilter would let security groups see nothing of what
 * is bridged.  That the rest is there is remembered. */
Test(root, what_the_kernel_lacks)
{
    tn_k_lab_hosts();
    char cache[] = "/tmp/tenet-probe-XXXXXX";
    struct tn_error err = {0};
    cr_assert(mkdtemp(cache));
    cr_assert(open_with(NULL, &err) == TN_OK, "%s", err.text);
    cr_assert(open_with(cache, &err) == TN_OK, "%s", err.text);
    tn_k_lab_run("grep -qF \"$(uname -r) $(cat "
                 "/proc/sys/kernel/random/boot_id)\" %s/kernel-abilities",
                 cache);
    cr_assert(open_with(cache, &err) == TN_OK, "%s", err.text);
    tn_k_lab_run("mount -t tmpfs none /proc/sys/net/bridge");
    cr_assert(open_with(cache, &err) == TN_EUNSUPPORTED);
    cr_assert(strstr(err.text, "load the module br_netfilter"), "%s", err.text);
    tn_k_lab_run("umount /proc/sys/net/bridge && rm -r %s", cache);
}

/* The inventory names an address that the host does not have: an error at the
 * line that says so, and nothing is made. */
Test(root, underlay_without_the_address)
{
    tn_k_lab_hosts();
    struct tn_k_lab_result r = apply(0, CHANGE(.underlay = "192.0.2.77"));
    cr_assert(r.code == TN_EUNAVAILABLE, "%d", (int) r.code);
    cr_assert(strstr(r.error.text, "192.0.2.77"), "%s", r.error.text);
    cr_assert(strstr(r.error.text, "hv1"), "%s", r.error.text);
    cr_assert(r.error.origin.line == 7 && r.error.origin.column == 27);
    cr_assert(!tn_k_lab_runs("ip netns list | grep -q tn.acme"));
    tn_k_lab_run("ip -n hv1 addr add 192.0.2.77/32 dev lo");
    r = apply(0, CHANGE(.underlay = "192.0.2.77"));
    assert_ok(&r);
    /* What has no tunnel needs no address. */
    tn_k_lab_run("ip -n hv1 addr del 192.0.2.77/32 dev lo");
    r = apply(0, CHANGE(.underlay = "192.0.2.77", .empty = true));
    assert_ok(&r);
}

Test(root, obstacle_in_the_underlay)
{
    tn_k_lab_hosts();
    tn_k_lab_run("ip -n hv1 link add other type vxlan id 5003 "
                 "local 192.0.2.1 dstport 4789");
    struct tn_k_lab_result r = apply(0, NULL);
    cr_assert(r.n_foreign == 1);
    cr_assert(r.code == TN_ESTALE, "%d", (int) r.code);
    cr_assert(r.error.origin.line == 5003, "%u", r.error.origin.line);
    tn_k_lab_run("ip -n hv1 link del other");
    r = apply(0, NULL);
    assert_ok(&r);
}

/* Steps that were carried out already count as done when carried out again. */
Test(root, twice_the_same_steps)
{
    tn_k_lab_hosts();
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_device *device = tn_k_lab_device(arena, 0, NULL);
    const struct tn_state *want = NULL, *have = NULL;
    struct tn_session *session = NULL;
    struct tn_error err = {0};
    struct tn_driver_env env = {NULL};
    struct tn_diags diags;
    char text[TN_ERROR_TEXT];
    tn_diags_init(&diags, arena);
    const struct tn_driver *d = &tn_driver_kernel;
    cr_assert(d->render(device, arena, &want, &diags, &err) == TN_OK);
    cr_assert(d->open(device, &env, &session, &err) == TN_OK);
    cr_assert(d->observe(session, NULL, want, arena, &have, &err) == TN_OK);
    size_t n = 0, failed = 0;
    const struct tn_step *steps = tn_k_lab_diff(arena, want, have, &n);
    enum tn_outcome *outcomes = tn_new_n(arena, enum tn_outcome, n);
    for (int i = 0; i < 2; i++) {
        struct tn_stage *stage = NULL;
        cr_assert(d->stage(session, steps, n, &stage, &err) == TN_OK);
        enum tn_code code = d->commit(stage, outcomes, &failed, &err);
        cr_assert(code == TN_OK, "%d: %s", i,
                  tn_error_text(&err, text, sizeof text));
        cr_assert(failed == n);
        for (size_t k = 0; k < n; k++) {
            cr_assert(outcomes[k] == TN_STEP_DONE);
        }
    }
    /* But not if what is there differs. */
    tn_k_lab_run("ip -n hv1.tn.acme.web link set b-front mtu 1300");
    struct tn_stage *stage = NULL;
    cr_assert(d->stage(session, steps, n, &stage, &err) == TN_OK);
    cr_assert(d->commit(stage, outcomes, &failed, &err) == TN_ESTALE);
    cr_assert(failed < n);
    cr_assert(strcmp(steps[failed].after->key, "acme/web/bridge/b-front") == 0);
    d->close(session);
}

/* Killed at any instant: the next run finishes the work, and undoes it. */
Test(root, killed, .timeout = 300)
{
    tn_k_lab_hosts();
    srand(7);
    for (int i = 0; i < 25; i++) {
        const struct tn_k_lab_change *change =
            i % 2 ? CHANGE(.empty = true) : CHANGE(.vni_more = (uint32_t) i);
        pid_t pid = fork();
        cr_assert(pid >= 0);
        if (pid == 0) {
            for (int host = 0; host < 2; host++) {
                TN_CLEANUP(tn_cleanup_arena)
                struct tn_arena *arena = tn_arena_new();
                tn_k_lab_apply(tn_k_lab_device(arena, host, change));
            }
            _exit(0);
        }
        usleep((useconds_t) (rand() % 600) * 1000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (i % 4 == 3) {
            apply_both(CHANGE(.empty = true));
            tn_k_lab_run("test \"$(ip netns list | wc -l)\" = 3");
        } else {
            apply_both(NULL);
            assert_converged(NULL);
            assert_pings("web1", "10.1.0.12");
        }
    }
}
