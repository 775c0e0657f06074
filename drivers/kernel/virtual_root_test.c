/* virtual_root_test.c - virtual addresses by real packets: every router finds
 * their holder, on whichever host it is, and follows when one is taken over. */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netpacket/packet.h>

#include "drivers/kernel/kernel.h"
#include "drivers/kernel/kernel_lab.h"
#include "drivers/kernel/nft_frame.h"

#define MAC_WEB1 "02:74:6e:00:8b:0b"
#define MAC_WEB2 "02:74:6e:00:8b:0c"
#define MAC_DB2 "02:74:6e:01:8a:0c"
#define ALL "ff:ff:ff:ff:ff:ff"
#define ALL_6 "33:33:00:00:00:01"
#define GATEWAY "02:74:6e:ff:00:00"

static const struct tn_k_lab_change virtual = {.with_virtual = true};

static size_t
apply(int host, const struct tn_k_lab_change *change)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_k_lab_result r =
        tn_k_lab_apply(tn_k_lab_device(arena, host, change));
    char text[TN_ERROR_TEXT];
    cr_assert(r.code == TN_OK, "%s",
              tn_error_text(&r.error, text, sizeof text));
    return r.n[0] + r.n[1] + r.n[2] + r.n[3] + r.n_foreign;
}

static void
lab_up(void)
{
    tn_k_lab_hosts();
    apply(0, &virtual);
    apply(1, &virtual);
    tn_k_lab_run("ip -n db1 addr add 10.1.1.100/32 dev eth0 && "
                 "ip -n db1 addr add 172.20.0.1/32 dev lo");
}

/* True if all of three requests were answered, each once.  One before them may
 * be too early: a busy machine takes its time to deliver what was announced. */
static bool
pings(const char *guest, const char *address)
{
    return tn_k_lab_runs("set -- ip netns exec %s ping %s; "
                         "\"$@\" -c 1 -w 2 >/dev/null 2>&1; "
                         "\"$@\" -c 3 -i 0.1 -w 4 2>&1 | "
                         "grep -q ' 3 received, 0%% packet loss'",
                         guest, address);
}

static bool
is_lost(const char *guest, const char *address)
{
    return !tn_k_lab_runs("ip netns exec %s ping -c 1 -w 1 -q %s >/dev/null",
                          guest, address);
}

/* A socket for all that comes and goes at the guest's eth0. */
static int
packet_socket(const char *guest)
{
    char path[64];
    snprintf(path, sizeof path, "/run/netns/%s", guest);
    int ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET)) {
        return -1;
    }
    int s = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int) if_nametoindex("eth0")};
    return bind(s, (struct sockaddr *) &at, sizeof at) ? -1 : s;
}

static bool
is_answer(const uint8_t *f, ssize_t n)
{
    bool arp = n > 22 && f[12] == 0x08 && f[13] == 0x06 && f[21] == 2;
    return arp || (n > 54 && f[12] == 0x86 && f[13] == 0xdd && f[20] == 58 &&
                   f[54] == 136);
}

/* Answers to ARP or neighbour discovery that the guest gets in a moment. */
static int
answers(int s)
{
    uint8_t buf[2048];
    struct pollfd p = {s, POLLIN, 0};
    int n = 0;
    while (poll(&p, 1, n ? 300 : 5000) == 1) {
        n += is_answer(buf, recv(s, buf, sizeof buf, 0));
    }
    return n;
}

/* What came back, if that is asked. */
static int
send_and_count(const char *guest, const struct tn_frame *frame, bool count)
{
    pid_t pid = fork();
    if (pid == 0) {
        uint8_t bytes[512];
        size_t n = tn_frame_build(frame, 1, bytes);
        int s = packet_socket(guest);
        if (send(s, bytes, n, 0) != (ssize_t) n) {
            _exit(99);
        }
        _exit(count ? answers(s) : 0);
    }
    int status = -1;
    cr_assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    cr_assert_neq(WEXITSTATUS(status), 99);
    return WEXITSTATUS(status);
}

static void
send_frame(const char *guest, const struct tn_frame *frame)
{
    send_and_count(guest, frame, false);
}

/* The guest takes the shared addresses from the other one and says so, as
 * VRRP's daemons do. */
static void
take_over(const char *guest, const char *other, const char *mac)
{
    tn_k_lab_runs("exec 2>/dev/null; "
                  "ip -n %s addr del 10.1.0.100/32 dev eth0; "
                  "ip -n %s addr del fd00:1::64/128 dev eth0; "
                  "ip -n %s addr del 172.21.0.1/32 dev lo",
                  other, other, other);
    tn_k_lab_run("ip -n %s addr add 10.1.0.100/32 dev eth0 && "
                 "ip -n %s addr add fd00:1::64/128 dev eth0 nodad && "
                 "ip -n %s addr add 172.21.0.1/32 dev lo",
                 guest, guest, guest);
    send_frame(guest, &(struct tn_frame){TN_FRAME_ARP_REQUEST, ALL, mac, NULL,
                                         "10.1.0.100", "10.1.0.100", mac, 0});
    send_frame(guest, &(struct tn_frame){TN_FRAME_NA, ALL_6, mac, "fd00:1::64",
                                         "ff02::1", "fd00:1::64", mac, 0});
}

/* From other subnets of both hosts, and by the peering. */
static void
assert_found(const char *holder, const char *other)
{
    static const char *const addresses[] = {"10.1.0.100", "172.21.0.1"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(addresses); i++) {
        cr_expect(pings("db1", addresses[i]), "%s at %s, db1", addresses[i],
                  holder);
        cr_expect(pings("db2", addresses[i]), "%s at %s, db2", addresses[i],
                  holder);
    }
    cr_expect(pings("lab1", "10.1.0.100"), "by the peering at %s", holder);
    cr_expect(pings("lab1", "fd00:1::64"), "fd00:1::64 at %s", holder);
    cr_expect(pings(other, "10.1.0.100"), "bridged to %s", holder);
    cr_expect(pings(other, "fd00:1::64"), "bridged to %s", holder);
}

Test(virtual, of_one_port)
{
    static const char *const guests[] = {"web1", "web2", "db2", "lab1"};
    lab_up();
    for (size_t i = 0; i < TN_ARRAY_SIZE(guests); i++) {
        cr_expect(pings(guests[i], "10.1.1.100"), "%s", guests[i]);
    }
    cr_expect(pings("web1", "172.20.0.1"));
    cr_expect(pings("db2", "172.20.0.1"));
    cr_expect(tn_k_lab_runs("ip netns exec db1 ping -c 1 -w 4 -q "
                            "-I 172.20.0.1 10.1.0.11 >/dev/null"));
}

/* The first host has no port of that subnet, and still has to hear the answer:
 * it routes there for a VPC that peers. */
Test(virtual, of_a_prefix_asked_for_by_a_peer)
{
    lab_up();
    tn_k_lab_run("ip -n lab1 addr add 10.1.9.70/32 dev eth0");
    cr_expect(pings("web1", "10.1.9.70"));
    cr_expect(pings("web2", "10.1.9.70"));
}

Test(virtual, of_two_ports_and_taken_over)
{
    lab_up();
    take_over("web2", "web1", MAC_WEB2);
    assert_found("web2", "web1");
    for (int i = 0; i < 2; i++) {
        take_over("web1", "web2", MAC_WEB1);
        assert_found("web1", "web2");
        take_over("web2", "web1", MAC_WEB2);
        assert_found("web2", "web1");
    }
}

/* A frame that says "I have it" is believed of those who may; and gateways
 * answer for themselves on their own host only. */
Test(virtual, who_may_not_claim)
{
    static const struct tn_frame lies[] = {
        {TN_FRAME_ARP_REQUEST, ALL, MAC_DB2, NULL, "10.1.1.100", "10.1.1.100",
         MAC_DB2, 0},
        {TN_FRAME_ARP_REPLY, GATEWAY, MAC_DB2, NULL, "10.1.1.1", "10.1.0.100",
         MAC_DB2, 0},
        {TN_FRAME_ARP_REPLY, ALL, MAC_DB2, NULL, "10.1.0.1", "10.1.0.100",
         MAC_DB2, 0},
    };
    lab_up();
    take_over("web2", "web1", MAC_WEB2);
    assert_found("web2", "web1");
    for (size_t i = 0; i < TN_ARRAY_SIZE(lies); i++) {
        send_frame("db2", &lies[i]);
    }
    /* What nobody may use nobody is asked for on the other host. */
    tn_k_lab_run("ip -n web2 addr add 10.1.0.101/32 dev eth0");
    cr_expect(is_lost("db2", "10.1.0.101"));
    cr_expect(pings("web1", "10.1.1.100"));
    assert_found("web2", "web1");
}

/* Where ports answer for themselves, gateways do so on their host only. */
Test(virtual, one_gateway_answers)
{
    static const struct tn_frame asks[] = {
        {TN_FRAME_ARP_REQUEST, ALL, MAC_WEB1, NULL, "10.1.0.1", "10.1.0.11",
         MAC_WEB1, 0},
        {TN_FRAME_NS, ALL_6, MAC_WEB1, "fd00:1::b", "ff02::1", "fd00:1::1",
         MAC_WEB1, 0},
        {TN_FRAME_NS, ALL_6, MAC_WEB1, "fd00:1::b", "ff02::1", "fe80::1",
         MAC_WEB1, 0},
    };
    lab_up();
    for (size_t i = 0; i < TN_ARRAY_SIZE(asks); i++) {
        cr_expect_eq(send_and_count("web1", &asks[i], true), 1, "%zu", i);
    }
}

Test(virtual, of_one_then_two_then_none)
{
    const struct tn_k_lab_change less = {.with_virtual = true,
                                         .without = "web1"};
    lab_up();
    cr_expect(tn_k_lab_runs("bridge -n hv1.tn.acme.web -d link show x-front | "
                            "grep -q 'neigh_suppress off'"));
    apply(0, &less);
    apply(1, &less);
    cr_expect(tn_k_lab_runs("ip -n hv1.tn.acme.web neigh show 10.1.0.100 | "
                            "grep -q '%s PERMANENT proto 84'",
                            MAC_WEB2));
    tn_k_lab_run("ip -n web2 addr add 10.1.0.100/32 dev eth0");
    cr_expect(pings("db2", "10.1.0.100"));
    apply(0, &virtual);
    apply(1, &virtual);
    cr_expect(pings("db2", "10.1.0.100"));
    cr_expect(!tn_k_lab_runs("ip -n hv1.tn.acme.web neigh show 10.1.0.100 | "
                             "grep -q PERMANENT"));
    cr_expect(apply(0, &virtual) == 0, "what a router learned is no drift");
    apply(0, NULL);
    apply(1, NULL);
    cr_expect(is_lost("db2", "10.1.0.100"));
}

Test(virtual, healed)
{
    static const char *const damages[] = {
        "neigh del 10.1.1.100 dev b-back",
        ("neigh replace 10.1.1.100 dev b-back nud permanent "
         "lladdr " MAC_WEB1),
        ("neigh change 10.1.1.100 dev b-back nud reachable "
         "lladdr " MAC_WEB1),
        "link set x-front type bridge_slave neigh_suppress on",
    };
    lab_up();
    for (size_t i = 0; i < TN_ARRAY_SIZE(damages); i++) {
        tn_k_lab_run("ip -n hv1.tn.acme.web %s", damages[i]);
        cr_expect(apply(0, &virtual) == 1, "%s", damages[i]);
        cr_expect(apply(0, &virtual) == 0, "%s", damages[i]);
    }
}
