/* session_root_test.c - one namespace as it is read: a large one by two
 * threads, with the same result. */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "drivers/kernel/session.h"
#include "model/base/cleanup.h"
#include "model/base/text.h"

/* Pairs of links: more than session.c's LARGE, and how many have to go then. */
enum { PAIRS = 505, TOO_MANY = 15 };

static void
run(const char *command)
{
    cr_assert(system(command) == 0, "%s", command);
}

static void
populate(void)
{
    cr_assert(unshare(CLONE_NEWNET) == 0);
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(
        &t,
        "for i in $(seq 1000 %d); do echo link add z$i type veth peer y$i; "
        "done | ip -batch -",
        1000 + PAIRS - 1);
    run(tn_text_str(&t));
    run("ip link set lo up && ip link add br0 type bridge && "
        "ip link set br0 up && ip link add vx0 type vxlan id 7 "
        "local 192.0.2.1 dstport 4789 && ip link set vx0 master br0 up && "
        "ip link set z1000 master br0 up && ip link set z1001 up && "
        "ip link set y1001 up");
    run("ip addr add 10.0.0.1/24 dev br0 && "
        "ip addr add 10.0.1.1/24 dev z1001 && "
        "ip addr add fd00::1/64 dev br0 nodad && "
        "ip route add 172.16.0.0/16 via 10.0.0.2 proto 84 && "
        "ip rule add pref 100 from 10.0.0.0/8 lookup 7 && "
        "ip route add 172.17.0.0/16 via 10.0.0.2 table 7 && "
        "ip -6 route add fd01::/64 via fd00::2 metric 5 && "
        "tc qdisc add dev z1001 clsact");
    run("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev br0 "
        "nud permanent && "
        "ip neigh add fd00::2 lladdr 02:00:00:00:00:02 dev br0 "
        "nud permanent && "
        "bridge fdb add 02:00:00:00:00:02 dev vx0 dst 192.0.2.2 self && "
        "bridge fdb add 02:00:00:00:00:03 dev z1000 master static");
}

static void
print_routes(struct tn_text *out, const struct tn_k_seen_route *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char to[TN_CIDR_TEXT], via[TN_ADDR_TEXT];
        tn_text_addf(out, "route %s via %s table %u\n",
                     tn_cidr_format(&r[i].to, to),
                     tn_addr_format(&r[i].via, via), r[i].table);
    }
}

static void
print_addrs(struct tn_text *out, const struct tn_k_table *t)
{
    char buf[TN_CIDR_TEXT];
    for (size_t i = 0; i < t->addrs.n; i++) {
        const struct tn_k_seen_addr *a = &t->addrs.items[i];
        if (!a->by_kernel && !t->by_name[a->rank]->loopback) {
            tn_text_addf(out, "address %s %s\n", t->by_name[a->rank]->link.name,
                         tn_cidr_format(&a->addr, buf));
        }
    }
}

static void
print_layer2(struct tn_text *out, const struct tn_k_table *t)
{
    char buf[TN_ADDR_TEXT], mac[TN_MAC_TEXT];
    for (size_t i = 0; i < t->neighs.n; i++) {
        const struct tn_k_seen_neigh *n = &t->neighs.items[i];
        tn_text_addf(
            out, "neighbour %s %s %s\n", t->by_name[n->rank]->link.name,
            tn_addr_format(&n->addr, buf), tn_mac_format(&n->mac, mac));
    }
    for (size_t i = 0; i < t->fdb.n; i++) {
        const struct tn_k_seen_fdb *f = &t->fdb.items[i];
        tn_text_addf(out, "entry %s %s\n", t->by_name[f->rank]->link.name,
                     tn_mac_format(&f->mac, mac));
    }
}

static void
print(struct tn_text *out, const struct tn_k_table *t)
{
    print_addrs(out, t);
    print_layer2(out, t);
    print_routes(out, t->routes.items, t->routes.n);
    print_routes(out, t->other_routes.items, t->other_routes.n);
    for (size_t i = 0; i < t->rules.n; i++) {
        tn_text_addf(out, "rule %s\n", t->rules.items[i].text);
    }
    for (size_t i = 0; i < t->qdiscs.n; i++) {
        const struct tn_k_seen_link *l =
            tn_k_table_by_index(t, t->qdiscs.items[i].index);
        tn_text_addf(out, "qdisc %s %s\n", l->link.name,
                     t->qdiscs.items[i].kind);
    }
}

static enum tn_code
load(int fd, struct tn_text *out)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_k_space space = {.name = "large", .fd = fd};
    struct tn_error err = {0};
    cr_assert_eq(tn_k_sock_open(&space.sock, &err), TN_OK);
    enum tn_code code = tn_k_space_load(&space, TN_K_VPC, arena, &err);
    if (code == TN_OK) {
        print(out, &space.table);
    } else {
        cr_expect(err.used > 0, "no word of what failed");
    }
    tn_k_sock_close(&space.sock);
    return code;
}

static const char wanted[] = "address br0 10.0.0.1/24\n"
                             "address br0 fd00::1/64\n"
                             "address z1001 10.0.1.1/24\n"
                             "neighbour br0 10.0.0.2 02:00:00:00:00:02\n"
                             "neighbour br0 fd00::2 02:00:00:00:00:02\n"
                             "entry vx0 02:00:00:00:00:02\n"
                             "entry z1000 02:00:00:00:00:03\n"
                             "route 172.16.0.0/16 via 10.0.0.2 table 254\n"
                             "route fd01::/64 via fd00::2 table 254\n"
                             "route 172.17.0.0/16 via 10.0.0.2 table 7\n"
                             "rule ipv4 100: from 10.0.0.0/8 lookup 7\n"
                             "qdisc z1001 clsact\n";

/* Only the second thread has to find its way in, by the namespace's file. */
Test(session, a_large_namespace_is_read_by_two)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text large = {0}, small = {0};
    populate();
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    TN_CLEANUP(tn_cleanup_fd) int other = open("/dev/null", O_RDONLY);
    cr_assert_eq(load(fd, &large), TN_OK);
    cr_expect_str_eq(tn_text_str(&large), wanted);
    cr_expect_neq(load(other, &large), TN_OK);
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(&t,
                 "for i in $(seq %d %d); do echo link del z$i; done | "
                 "ip -batch -",
                 1000 + PAIRS - TOO_MANY, 1000 + PAIRS - 1);
    run(tn_text_str(&t));
    cr_assert_eq(load(other, &small), TN_OK);
    cr_expect_str_eq(tn_text_str(&small), wanted);
}
