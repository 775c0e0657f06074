/* watch_root_test.c - events of the running kernel: what is done by hand is
 * told with its scope and key, at once; what we do ourselves is not. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include <criterion/criterion.h>

#include "drivers/kernel/kernel.h"
#include "drivers/kernel/kernel_lab.h"

#define CHANGE(...) (&(struct tn_k_lab_change){__VA_ARGS__})

/* How soon is measured elsewhere (tests/bench/drift.sh); a busy machine takes
 * its time. */
enum { LONG_MS = 20000, SETTLE_MS = 300, TRIES = 20 };

static const struct tn_driver *const driver = &tn_driver_kernel;

struct lab {
    struct tn_arena *arena;
    const struct tn_device *device;
    struct tn_watch *watch;
    const struct tn_event *events;
    size_t n;
};

static void
must(enum tn_code code, const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    cr_assert(code == TN_OK, "%s", tn_error_text(err, text, sizeof text));
}

static void
start(struct lab *lab, const struct tn_k_lab_change *change)
{
    const struct tn_driver_env env = {NULL};
    struct tn_error err = {0};
    *lab = (struct lab){.arena = tn_arena_new()};
    lab->device = tn_k_lab_device(lab->arena, 0, change);
    must(driver->watch_open(lab->device, &env, &lab->watch, &err), &err);
}

static void
end(struct lab *lab)
{
    driver->watch_close(lab->watch);
    tn_arena_free(lab->arena);
}

static bool
readable(const struct lab *lab, int ms)
{
    struct pollfd p = {driver->watch_fd(lab->watch), POLLIN, 0};
    return poll(&p, 1, ms) == 1;
}

static void
read_events(struct lab *lab)
{
    struct tn_error err = {0};
    must(
        driver->watch_read(lab->watch, lab->arena, &lab->events, &lab->n, &err),
        &err);
}

static const struct tn_event *
find(const struct lab *lab, const char *scope, const char *key)
{
    for (size_t i = 0; i < lab->n; i++) {
        const struct tn_event *e = &lab->events[i];
        if (tn_streq(e->scope, scope) && (!key || tn_streq(e->key, key))) {
            return e;
        }
    }
    return NULL;
}

static int
elapsed_ms(const struct timespec *since)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int) ((now.tv_sec - since->tv_sec) * 1000 +
                  (now.tv_nsec - since->tv_nsec) / 1000000);
}

static void
print_events(const struct lab *lab)
{
    for (size_t i = 0; i < lab->n; i++) {
        fprintf(stderr, "  %d %s %s: %s (%u)\n", (int) lab->events[i].type,
                lab->events[i].scope ? lab->events[i].scope : "-",
                lab->events[i].key ? lab->events[i].key : "-",
                lab->events[i].what, lab->events[i].writer);
    }
}

/* Waits for an event of that scope and, if not null, key. */
static struct tn_event
expect(struct lab *lab, const char *scope, const char *key, const char *when)
{
    struct timespec since;
    clock_gettime(CLOCK_MONOTONIC, &since);
    for (int left = LONG_MS; left > 0; left = LONG_MS - elapsed_ms(&since)) {
        if (!readable(lab, left)) {
            break;
        }
        read_events(lab);
        const struct tn_event *e = find(lab, scope, key);
        if (e) {
            return *e;
        }
        print_events(lab);
    }
    cr_assert_fail("%s: no event of %s %s", when, scope, key ? key : "");
    return (struct tn_event){0};
}

/* Reads until nothing comes for a while; how many events there were. */
static size_t
settle(struct lab *lab)
{
    size_t n = 0;
    while (readable(lab, SETTLE_MS)) {
        read_events(lab);
        print_events(lab);
        n += lab->n;
    }
    return n;
}

static void
apply(const struct lab *lab)
{
    struct tn_k_lab_result r = tn_k_lab_apply(lab->device);
    must(r.code, &r.error);
}

struct hand {
    const char *command;
    const char *scope, *key;
};

static const struct hand hands[] = {
    {"ip -n $W link set b-front down", "acme/web", "acme/web/bridge/b-front"},
    {"ip -n $W link set x-back mtu 1300", "acme/web", "acme/web/vxlan/x-back"},
    {"ip -n $W link set x-front nomaster", "acme/web",
     "acme/web/vxlan/x-front"},
    {"bridge -n $W link set dev x-back learning on", "acme/web",
     "acme/web/vxlan/x-back"},
    {"bridge -n $W link set dev p-db2 isolated on", "acme/web",
     "acme/web/port/p-db2"},
    {"ip -n $W link set b-back type bridge stp_state 1", "acme/web",
     "acme/web/bridge/b-back"},
    {"ip -n $W link set p-web1 alias mine", "acme/web", "acme/web/port/p-web1"},
    {"ip -n $W link set p-web1 down && ip -n $W link set p-web1 name p-other",
     "acme/web", "acme/web/port/p-other"},
    {"ip -n $W link del x-front", "acme/web", "acme/web/vxlan/x-front"},
    {"ip -n $W addr del 10.1.0.1/24 dev b-front", "acme/web",
     "acme/web/bridge/b-front"},
    {"ip -n $W addr add 10.9.9.9/24 dev b-front", "acme/web",
     "acme/web/address/b-front/10.9.9.9/24"},
    {"ip -n $W route del 172.16.0.0/16", "acme/web",
     "acme/web/route/172.16.0.0/16"},
    {"ip -n $W route add 172.17.0.0/16 via 10.1.1.11", "acme/web",
     "acme/web/route/172.17.0.0/16"},
    {"ip -n $W -6 route add fd99::/64 via fd00:1::c metric 5", "acme/web",
     "acme/web/route/fd99::/64 metric 5"},
    {"bridge -n $W fdb del 02:74:6e:00:8b:0c dev x-front", "acme/web",
     "acme/web/fdb/x-front/02:74:6e:00:8b:0c"},
    {"bridge -n $W fdb del 02:74:6e:00:8b:0c dev x-front master", "acme/web",
     "acme/web/fdb/x-front/02:74:6e:00:8b:0c"},
    {"bridge -n $W fdb del 00:00:00:00:00:00 dev x-front dst 192.0.2.2",
     "acme/web", "acme/web/vxlan/x-front"},
    {"bridge -n $W fdb add 02:00:00:00:00:99 dev p-web1 master static",
     "acme/web", "acme/web/fdb/p-web1/02:00:00:00:00:99"},
    {"ip -n $W neigh del 10.1.0.12 dev b-front", "acme/web",
     "acme/web/neighbour/b-front/10.1.0.12"},
    {"ip -n $W neigh change 10.1.0.12 dev b-front nud reachable "
     "lladdr 02:00:00:00:00:01",
     "acme/web", "acme/web/neighbour/b-front/10.1.0.12"},
    {"ip -n $W neigh add 10.1.0.77 dev b-front nud permanent "
     "lladdr 02:00:00:00:00:01",
     "acme/web", "acme/web/neighbour/b-front/10.1.0.77"},
    {"ip -n $W neigh add 10.1.0.78 dev b-front nud permanent "
     "lladdr 02:00:00:00:00:01 && sleep 0.1 && "
     "ip -n $W neigh del 10.1.0.78 dev b-front",
     "acme/web", "acme/web/neighbour/b-front/10.1.0.78"},
    {"ip -n $W neigh del 10.1.1.100 dev b-back", "acme/web",
     "acme/web/neighbour/b-back/10.1.1.100"},
    {"bridge -n $W link set dev x-front neigh_suppress on", "acme/web",
     "acme/web/vxlan/x-front"},
    {"ip netns exec $W nft flush table inet tenet", "acme/web", "acme/web/nft"},
    {"ip netns exec $W nft delete table bridge tenet", "acme/web",
     "acme/web/nft"},
    {"ip netns exec $W nft add table ip other", "acme/web", NULL},
    {"ip netns exec $W sysctl -qw net.ipv4.ip_forward=0", "acme/web",
     "acme/web/netns"},
    {"ip netns exec $W sysctl -qw net.ipv6.conf.all.forwarding=0", "acme/web",
     "acme/web/netns"},
    {"ip netns exec $W sysctl -qw net.ipv4.conf.all.rp_filter=1", "acme/web",
     "acme/web/netns"},
    {"ip netns exec $W sysctl -qw net.ipv4.conf.b-front.forwarding=0",
     "acme/web", "acme/web/netns"},
    {"ip netns exec $W sysctl -qw net.ipv6.conf.b-front.forwarding=0",
     "acme/web", "acme/web/netns"},
    {"ip netns exec $W sysctl -qw net.ipv4.conf.b-back.rp_filter=1", "acme/web",
     "acme/web/netns"},
    {"ip netns exec $W sysctl -qw net.ipv4.conf.b-back.proxy_arp=1", "acme/web",
     "acme/web/netns"},
    {"ip netns exec $W sysctl -qw net.ipv6.conf.l-7ixk24tr4ffr.forwarding=0",
     "acme/web", "acme/web/netns"},
    {"ip netns exec $W sysctl -qw net.ipv6.conf.b-front.disable_ipv6=1",
     "acme/web", "acme/web/bridge/b-front"},
    {"ip -n $W rule add pref 100 from 10.0.0.0/8 lookup 7", "acme/web",
     "acme/web/policy-rule/ipv4 100: from 10.0.0.0/8 lookup 7"},
    {"ip -n $W -6 rule add pref 5 iif b-front blackhole", "acme/web",
     "acme/web/policy-rule/ipv6 5: iif b-front blackhole"},
    {"ip -n $W rule del pref 32766", "acme/web", "acme/web/netns"},
    {"ip -n $W route add blackhole 10.1.1.11/32", "acme/web",
     "acme/web/route/10.1.1.11/32"},
    {"ip -n $W route add 10.1.1.11/32 dev b-front table 100", "acme/web",
     "acme/web/route/10.1.1.11/32 table 100"},
    {"tc -n $W qdisc add dev p-web1 clsact", "acme/web",
     "acme/web/qdisc/p-web1/clsact"},
    {"tc -n $W qdisc replace dev b-front root tbf rate 1mbit burst 5k "
     "latency 70ms",
     "acme/web", "acme/web/qdisc/b-front/tbf"},
    {"ip -n $W link set lo alias ''", "acme/web", "acme/web/netns"},
    {"ip -n $W link add intruder type bridge", "acme/web",
     "acme/web/link/intruder"},
    {"ip -n hv1.tn.acme.lab addr flush dev b-net", "acme/lab",
     "acme/lab/bridge/b-net"},
    {"ip -n hv1.tn.acme.lab route flush proto 84", "acme/lab", NULL},
    {"ip -n hv1.tn.corp.web link set p-x1 down", "corp/web",
     "corp/web/port/p-x1"},
    /* The other end of a port. */
    {"ip -n web1 link set eth0 down", "acme/web", "acme/web/port/p-web1"},
    {"ip -n web1 link set eth0 address 02:00:00:00:00:07", "acme/web",
     "acme/web/port/p-web1"},
    {"ip -n web1 addr flush dev eth0", "acme/web", "acme/web/port/p-web1"},
    {"ip -n web1 route del default", "acme/web", "acme/web/port/p-web1"},
    {"ip -n web1 link del eth0", "acme/web", "acme/web/port/p-web1"},
    /* The underlay. */
    {"ip -n hv1 addr del 192.0.2.1/24 dev eth0", "", NULL},
    {"ip -n hv1 link set eth0 mtu 1400", "", NULL},
    /* Namespaces. */
    {"ip netns del $W", "acme/web", "acme/web/netns"},
    {"ip netns del web1", "acme/web", "acme/web/port/p-web1"},
};

Test(watch, changes_by_hand)
{
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, CHANGE(.with_virtual = true));
    apply(&lab);
    settle(&lab);
    for (size_t i = 0; i < TN_ARRAY_SIZE(hands); i++) {
        const struct hand *h = &hands[i];
        driver->watch_quiet(lab.watch, NULL, false);
        tn_k_lab_run("W=hv1.tn.acme.web; %s", h->command);
        struct tn_event e = expect(&lab, h->scope, h->key, h->command);
        cr_assert(e.what[0] && e.time_ns > 0);
        tn_k_lab_run("ip -n hv1 addr replace 192.0.2.1/24 dev eth0 && "
                     "ip -n hv1 link set eth0 mtu 1500");
        tn_k_lab_runs("ip -n hv1.tn.acme.web link del intruder 2>/dev/null; "
                      "ip -n hv1.tn.acme.web link del p-other 2>/dev/null; "
                      "ip netns exec web1 true 2>/dev/null || "
                      "ip netns add web1");
        apply(&lab);
    }
    end(&lab);
}

/* The kernel announces carriers and checked addresses after the request has
 * been answered, on a busy machine by much.  An event too many costs an
 * observation; but there must be an end to it. */
static void
assert_silent(struct lab *lab, size_t change)
{
    int tries = 0;
    do {
        driver->watch_quiet(lab->watch, NULL, true);
        settle(lab);
        driver->watch_quiet(lab->watch, NULL, false);
        cr_assert(tries++ < TRIES, "change %zu is told", change);
    } while (settle(lab) > 0);
}

/* From nothing to all, an update, a removal: the scopes are quiet, and when
 * they are so no more nothing is left to be told. */
Test(watch, our_own_applies_are_not_told)
{
    static const struct tn_k_lab_change changes[] = {
        {.mtu = 0}, {.mtu = 1400}, {.vni_more = 100}, {.empty = true}};
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, NULL);
    for (size_t i = 0; i < TN_ARRAY_SIZE(changes); i++) {
        struct tn_error err = {0};
        driver->watch_quiet(lab.watch, NULL, true);
        lab.device = tn_k_lab_device(lab.arena, 0, &changes[i]);
        if (!changes[i].empty) {
            must(driver->watch_update(lab.watch, lab.device, &err), &err);
            driver->watch_quiet(lab.watch, NULL, true);
        }
        apply(&lab);
        cr_assert(settle(&lab) == 0, "change %zu: told though quiet", i);
        assert_silent(&lab, i);
    }
    end(&lab);
}

/* Only the scopes that were named are quiet. */
Test(watch, changes_of_others_during_an_apply)
{
    static const char *const web[] = {"acme/web"};
    const struct tn_scope scope = {.names = web, .n = 1};
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, NULL);
    apply(&lab);
    settle(&lab);
    driver->watch_quiet(lab.watch, &scope, true);
    tn_k_lab_run("ip -n hv1.tn.acme.web link set b-front down && "
                 "ip -n hv1.tn.corp.web link set b-front down");
    read_events(&lab);
    cr_assert_not_null(find(&lab, "corp/web", NULL));
    cr_assert_null(find(&lab, "acme/web", NULL));
    tn_k_lab_run("ip -n hv1.tn.acme.web link set b-back down && "
                 "ip -n hv1.tn.corp.web link set x-front down");
    driver->watch_quiet(lab.watch, &scope, false);
    tn_k_lab_run("ip -n hv1.tn.acme.web link set b-back up");
    read_events(&lab);
    print_events(&lab);
    cr_assert_not_null(find(&lab, "corp/web", "corp/web/vxlan/x-front"));
    cr_assert_not_null(find(&lab, "acme/web", "acme/web/bridge/b-back"));
    cr_assert_null(find(&lab, "acme/web", "acme/web/bridge/b-front"));
    end(&lab);
}

/* What happens without anybody changing anything. */
Test(watch, noise_is_not_told)
{
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, NULL);
    apply(&lab);
    settle(&lab);
    tn_k_lab_runs("ip netns exec web1 ping -c 2 -i 0.2 -w 3 -q 10.1.0.1 "
                  ">/dev/null");
    tn_k_lab_runs("ip netns exec web1 ping -c 2 -i 0.2 -w 3 -q 10.1.1.12 "
                  ">/dev/null");
    tn_k_lab_run("ip -n hv1 link add by-hand type bridge && "
                 "ip -n hv1 addr add 198.51.100.1/24 dev by-hand && "
                 "ip -n hv1 link set by-hand up && "
                 "ip -n web1 addr add 198.51.100.1/24 dev lo && "
                 "ip -n web1 link add other type bridge && "
                 "ip -n hv2 link set eth0 down && "
                 "ip netns exec hv1 nft add table inet other");
    cr_assert(settle(&lab) == 0);
    end(&lab);
}

Test(watch, a_namespace_made_again)
{
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, NULL);
    apply(&lab);
    settle(&lab);
    for (int i = 0; i < 3; i++) {
        tn_k_lab_run("ip netns del hv1.tn.acme.web");
        cr_assert_eq(expect(&lab, "acme/web", "acme/web/netns", "gone").type,
                     TN_EVENT_GONE);
        settle(&lab);
        tn_k_lab_run("ip netns add hv1.tn.acme.web");
        cr_assert_eq(expect(&lab, "acme/web", "acme/web/netns", "again").type,
                     TN_EVENT_APPEARED);
        settle(&lab);
        tn_k_lab_run("ip -n hv1.tn.acme.web link add b-front type bridge");
        expect(&lab, "acme/web", "acme/web/bridge/b-front", "watched");
        settle(&lab);
    }
    end(&lab);
}

Test(watch, an_update)
{
    static const char *const web[] = {"acme/web"};
    struct tn_error err = {0};
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, CHANGE(.empty = true));
    const struct tn_device *all = tn_k_lab_device(lab.arena, 0, NULL);
    lab.device = all;
    apply(&lab);
    cr_assert(settle(&lab) == 0);
    must(driver->watch_update(lab.watch, all, &err), &err);
    cr_assert(settle(&lab) == 0);
    tn_k_lab_run("ip -n hv1.tn.acme.web link set b-front down");
    expect(&lab, "acme/web", "acme/web/bridge/b-front", "after the update");
    /* Quiet stays quiet, and what stays is not told again. */
    driver->watch_quiet(lab.watch, &(struct tn_scope){.names = web, .n = 1},
                        true);
    must(driver->watch_update(lab.watch, all, &err), &err);
    tn_k_lab_run("ip -n hv1.tn.acme.web link set b-front up && "
                 "ip -n hv1.tn.acme.lab link set b-net down");
    expect(&lab, "acme/lab", "acme/lab/bridge/b-net", "still watched");
    cr_assert_null(find(&lab, "acme/web", NULL));
    must(driver->watch_update(
             lab.watch, tn_k_lab_device(lab.arena, 0, CHANGE(.empty = true)),
             &err),
         &err);
    tn_k_lab_run("ip -n hv1.tn.acme.web link set b-front down");
    cr_assert(settle(&lab) == 0);
    must(driver->watch_update(lab.watch, all, &err), &err);
    tn_k_lab_run("ip -n hv1.tn.acme.web link set b-front up");
    expect(&lab, "acme/web", "acme/web/bridge/b-front", "back again");
    end(&lab);
}

/* No inotify is to be had: namespaces that come and go are told all the same,
 * a little later. */
Test(watch, without_inotify)
{
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_inotify_init1, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog none = {TN_ARRAY_SIZE(code), code};
    struct lab lab;
    tn_k_lab_hosts();
    cr_assert(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
              prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &none) == 0);
    start(&lab, NULL);
    apply(&lab);
    expect(&lab, "acme/web", "acme/web/netns", "made");
    settle(&lab);
    for (int i = 0; i < 3; i++) {
        tn_k_lab_run("ip netns del hv1.tn.acme.web");
        expect(&lab, "acme/web", "acme/web/netns", "gone");
        tn_k_lab_run("ip netns add hv1.tn.acme.web");
        expect(&lab, "acme/web", "acme/web/netns", "again");
    }
    tn_k_lab_run("ip -n hv1.tn.acme.lab link set b-net down");
    expect(&lab, "acme/lab", "acme/lab/bridge/b-net", "a link");
    end(&lab);
}

/* A step that waits for a tap need wait no longer. */
Test(watch, a_tap_appears)
{
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, CHANGE(.tap = "web1"));
    tn_k_lab_run("ip -n hv1 tuntap add tap0 mode tap");
    cr_assert_eq(expect(&lab, "acme/web", "acme/web/port/p-web1", "tap").type,
                 TN_EVENT_APPEARED);
    end(&lab);
}

/* Some tunnel of others with a number of ours. */
Test(watch, a_tunnel_in_the_way)
{
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, NULL);
    tn_k_lab_run("ip -n hv1 link add other type vxlan id 5003 dstport 4789 "
                 "local 192.0.2.1");
    expect(&lab, "", NULL, "obstacle");
    settle(&lab);
    tn_k_lab_run("ip -n hv1 link del other");
    expect(&lab, "", NULL, "gone");
    end(&lab);
}

/* A route is changed to and fro, 'n' times. */
static void
write_storm(int n)
{
    tn_k_lab_run("for i in $(seq 1 %d); do "
                 "echo route replace blackhole 203.0.113.1/32; "
                 "echo route replace unreachable 203.0.113.1/32; "
                 "done >/mnt/batch",
                 n);
}

/* More than the buffer holds: that is told, and the watch goes on. */
Test(watch, overrun)
{
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, NULL);
    apply(&lab);
    settle(&lab);
    write_storm(20000);
    tn_k_lab_run("ip -n hv1.tn.corp.web -batch /mnt/batch");
    size_t lost = 0;
    while (readable(&lab, SETTLE_MS)) {
        read_events(&lab);
        for (size_t i = 0; i < lab.n; i++) {
            lost += lab.events[i].type == TN_EVENT_LOST;
        }
        cr_assert_leq(lab.n, 64);
    }
    cr_assert_geq(lost, 1);
    tn_k_lab_run("ip -n hv1.tn.acme.web link set b-front down");
    expect(&lab, "acme/web", "acme/web/bridge/b-front", "after the loss");
    end(&lab);
}

/* A storm with somebody reading: few wakeups, few events, no loss. */
Test(watch, a_storm_wakes_seldom)
{
    struct lab lab;
    tn_k_lab_hosts();
    start(&lab, NULL);
    apply(&lab);
    settle(&lab);
    write_storm(10000);
    tn_k_lab_run("(ip -n hv1.tn.corp.web -batch /mnt/batch; "
                 "touch /mnt/done) &");
    size_t reads = 0, events = 0;
    struct timespec since;
    clock_gettime(CLOCK_MONOTONIC, &since);
    while (readable(&lab, SETTLE_MS) || !tn_k_lab_runs("test -e /mnt/done")) {
        read_events(&lab);
        reads++;
        events += lab.n;
        for (size_t i = 0; i < lab.n; i++) {
            cr_assert_neq(lab.events[i].type, TN_EVENT_LOST);
        }
    }
    size_t seconds = (size_t) elapsed_ms(&since) / 1000 + 1;
    cr_assert_leq(reads, 60 + 60 * seconds, "%zu reads", reads);
    cr_assert_leq(events, 40 * reads);
    cr_assert_geq(events, 1);
    end(&lab);
}
