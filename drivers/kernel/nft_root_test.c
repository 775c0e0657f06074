/* nft_root_test.c - rules against real packets: see nft_fixture.h for who may
 * talk to whom.  Needs root.  CTest ends what hangs: with a timeout of its own
 * Criterion 2.4 leaks, and the leak would fail the test. */
#include "drivers/kernel/nft.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <criterion/criterion.h>

#include "drivers/kernel/nft_fixture.h"
#include "drivers/kernel/nft_frame.h"
#include "drivers/kernel/nft_kernel.h"
#include "drivers/kernel/nft_world.h"
#include "model/base/cleanup.h"

#define TCP TN_FLOW_TCP
#define UDP TN_FLOW_UDP
#define PING TN_FLOW_PING

static const struct {
    const char *why;
    struct tn_nft_flow flow;
    bool passes;
} flows[] = {
    {"bridged", {"a", "w", "10.0.0.12", PING, 0, 0}, true},
    {"bridged", {"a", "w", "fd00:0:0:1::12", PING, 0, 0}, true},
    {"bridged", {"a", "w", "10.0.0.12", TCP, 80, 0}, true},
    {"bridged", {"a", "w", "fd00:0:0:1::12", TCP, 80, 0}, true},
    {"bridged", {"a", "w", "10.0.0.12", UDP, 53, 0}, true},
    {"bridged", {"a", "w", "fd00:0:0:1::12", UDP, 53, 0}, true},
    {"range", {"a", "w", "10.0.0.12", TCP, 8000, 0}, true},
    {"range", {"a", "w", "10.0.0.12", TCP, 8100, 0}, true},
    {"past the range", {"a", "w", "10.0.0.12", TCP, 8101, 0}, false},
    {"past the range", {"a", "w", "fd00:0:0:1::12", TCP, 7999, 0}, false},
    {"wrong protocol", {"a", "w", "10.0.0.12", UDP, 80, 0}, false},
    {"default deny", {"a", "e", "10.0.0.14", PING, 0, 0}, false},
    {"default deny", {"a", "e", "fd00:0:0:1::14", PING, 0, 0}, false},
    {"default deny", {"a", "e", "10.0.0.14", TCP, 80, 0}, false},
    {"allowed out", {"e", "w", "10.0.0.12", TCP, 80, 0}, true},
    {"remote group", {"a", "b", "10.0.0.13", TCP, 5432, 0}, true},
    {"remote group", {"a", "b", "fd00:0:0:1::13", TCP, 5432, 0}, true},
    {"not in group", {"e", "b", "10.0.0.13", TCP, 5432, 0}, false},
    {"not in group", {"e", "b", "fd00:0:0:1::13", TCP, 5432, 0}, false},
    {"remote cidr", {"e", "b", "10.0.0.13", PING, 0, 0}, true},
    {"remote cidr", {"e", "b", "fd00:0:0:1::13", PING, 0, 0}, true},
    {"routed", {"a", "c", "10.0.1.21", PING, 0, 0}, true},
    {"routed", {"a", "c", "fd00:0:0:2::21", PING, 0, 0}, true},
    {"routed, group", {"a", "c", "10.0.1.21", TCP, 5432, 0}, true},
    {"routed, group", {"a", "c", "fd00:0:0:2::21", TCP, 5432, 0}, true},
    {"routed, denied", {"a", "c", "10.0.1.21", TCP, 80, 0}, false},
    {"routed, not in group", {"e", "c", "10.0.1.21", TCP, 5432, 0}, false},
    {"bridged, not in cidr", {"d", "c", "10.0.1.21", PING, 0, 0}, false},
    {"egress cidr", {"d", "w", "10.0.0.12", TCP, 80, 0}, true},
    {"egress port", {"d", "w", "10.0.0.12", TCP, 8000, 0}, false},
    {"egress family", {"d", "w", "fd00:0:0:1::12", TCP, 80, 0}, false},
    {"egress group", {"d", "w", "10.0.0.12", PING, 0, 0}, true},
    {"egress group", {"d", "w", "fd00:0:0:1::12", PING, 0, 0}, true},
    {"egress udp", {"d", "w", "10.0.0.12", UDP, 53, 0}, false},
    {"egress restricted, in", {"a", "d", "10.0.1.22", PING, 0, 0}, true},
    {"tunnel", {"a", "z", "10.0.0.99", PING, 0, 0}, true},
    {"tunnel", {"a", "z", "fd00:0:0:1::99", PING, 0, 0}, true},
    {"tunnel", {"a", "z", "10.0.0.99", TCP, 80, 0}, true},
    {"tunnel", {"a", "z", "fd00:0:0:1::99", TCP, 80, 0}, true},
    {"tunnel", {"z", "a", "10.0.0.11", UDP, 53, 0}, true},
    {"tunnel, denied", {"a", "z", "10.0.0.99", TCP, 81, 0}, false},
    {"tunnel, denied", {"z", "e", "10.0.0.14", TCP, 80, 0}, false},
    {"tunnel, group", {"z", "b", "10.0.0.13", TCP, 5432, 0}, true},
    {"routed tunnel", {"a", "y", "10.0.1.98", TCP, 5432, 0}, true},
    {"routed tunnel", {"a", "y", "fd00:0:0:2::98", TCP, 5432, 0}, true},
    {"routed tunnel", {"a", "y", "10.0.1.98", PING, 0, 0}, true},
    {"routed tunnel, denied", {"e", "y", "10.0.1.98", TCP, 5432, 0}, false},
    {"routed tunnel", {"z", "c", "10.0.1.21", TCP, 5432, 0}, true},
    {"egress tunnel", {"d", "z", "10.0.0.99", TCP, 80, 0}, true},
    {"egress tunnel", {"d", "z", "10.0.0.99", UDP, 53, 0}, false},
    {"fragments", {"a", "w", "10.0.0.12", PING, 0, 4000}, true},
    {"fragments", {"a", "w", "fd00:0:0:1::12", PING, 0, 4000}, true},
    {"fragments", {"a", "w", "10.0.0.12", UDP, 53, 4000}, true},
    {"fragments", {"a", "w", "fd00:0:0:1::12", UDP, 53, 4000}, true},
    {"fragments", {"a", "w", "10.0.0.12", UDP, 54, 4000}, false},
    {"fragments routed", {"a", "c", "10.0.1.21", PING, 0, 4000}, true},
    {"fragments routed", {"a", "c", "fd00:0:0:2::21", PING, 0, 4000}, true},
    {"fragments egress", {"d", "w", "10.0.0.12", PING, 0, 4000}, true},
    {"fragments egress", {"d", "w", "10.0.0.12", UDP, 53, 4000}, false},
    {"fragments tunnel", {"a", "z", "10.0.0.99", UDP, 53, 4000}, true},
    {"fragments tunnel", {"a", "z", "fd00:0:0:1::99", PING, 0, 4000}, true},
    {"gateway", {"a", "a", "10.0.0.1", PING, 0, 0}, true},
    {"gateway", {"a", "a", "fd00:0:0:1::1", PING, 0, 0}, true},
    {"other gateway", {"a", "a", "10.0.1.1", PING, 0, 0}, true},
    {"gateway tcp", {"a", "v1", "10.0.0.1", TCP, 22, 0}, false},
    {"gateway tcp", {"a", "v1", "fd00:0:0:1::1", TCP, 22, 0}, false},
    {"static route", {"a", "r", "172.16.0.1", PING, 0, 0}, true},
    {"static route", {"a", "r", "172.16.0.1", TCP, 80, 0}, true},
    {"static route, denied", {"a", "r", "172.16.0.1", TCP, 22, 0}, false},
    {"static route, tunnel", {"r", "z", "10.0.0.99", TCP, 80, 0}, true},
    {"peering", {"r", "q", "192.168.7.40", TCP, 80, 0}, true},
    {"peering", {"r", "q", "fd00:0:0:7::40", TCP, 80, 0}, true},
    {"peering", {"q", "r", "10.0.1.30", TCP, 80, 0}, true},
    {"peering", {"q", "r", "fd00:0:0:2::30", PING, 0, 0}, true},
    {"peering, group", {"q", "c", "10.0.1.21", TCP, 5432, 0}, false},
    {"peering, denied", {"r", "q", "192.168.7.40", TCP, 22, 0}, false},
    {"peering, not exported", {"a", "q", "192.168.7.40", TCP, 80, 0}, false},
    {"peering, not exported", {"a", "q", "fd00:0:0:7::40", PING, 0, 0}, false},
    {"peering, not exported", {"q", "a", "10.0.0.11", TCP, 80, 0}, false},
    {"peering, gateway", {"q", "q", "10.0.1.1", PING, 0, 0}, false},
    {"nobody's address", {"a", "a", "10.0.0.77", PING, 0, 0}, false},
};

Test(nft_root, flows)
{
    tn_nft_world_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(flows); i++) {
        const struct tn_nft_flow *f = &flows[i].flow;
        cr_expect(tn_nft_world_flows(f) == flows[i].passes,
                  "%s: %s to %s, kind %d port %d size %zu: must %s",
                  flows[i].why, f->from, f->address, (int) f->what, f->port,
                  f->size, flows[i].passes ? "pass" : "not pass");
    }
}

#define MAC_A "02:74:6e:00:00:0b"
#define MAC_W "02:74:6e:00:00:0c"
#define MAC_B "02:74:6e:00:00:0d"
#define MAC_E "02:74:6e:00:00:0e"
#define MAC_R "02:74:6e:00:00:1e"
#define MAC_C "02:74:6e:00:00:15"
#define MAC_Z "02:74:6e:00:00:63"
#define GATEWAY "02:74:6e:00:00:fe"
#define ALL "ff:ff:ff:ff:ff:ff"
#define ALL6 "33:33:00:00:00:01"
#define A6 "fd00:0:0:1::11"
#define W6 "fd00:0:0:1::12"
#define LINK_A "fe80::74:6eff:fe00:b"

/* What a port sends, and who is looked at for it. */
static const struct {
    const char *why, *from, *to;
    struct tn_frame frame;
    bool passes;
} frames[] = {
    {"own",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_A, "10.0.0.11", "10.0.0.12", 0, 0, 0},
     true},
    {"own", "a", "w", {TN_FRAME_ECHO, MAC_W, MAC_A, A6, W6, 0, 0, 0}, true},
    {"spoofed MAC",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_B, "10.0.0.11", "10.0.0.12", 0, 0, 0},
     false},
    {"spoofed IPv4",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_A, "10.0.0.13", "10.0.0.12", 0, 0, 0},
     false},
    {"spoofed MAC and IPv4",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_B, "10.0.0.13", "10.0.0.12", 0, 0, 0},
     false},
    {"spoofed gateway",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_A, "10.0.0.1", "10.0.0.12", 0, 0, 0},
     false},
    {"spoofed IPv6",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_A, "fd00:0:0:1::13", W6, 0, 0, 0},
     false},
    {"link-local",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_A, LINK_A, W6, 0, 0, 0},
     true},
    {"spoofed link-local",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_A, "fe80::1", W6, 0, 0, 0},
     false},
    {"allowed prefix",
     "r",
     "a",
     {TN_FRAME_ECHO, GATEWAY, MAC_R, "172.16.9.9", "10.0.0.11", 0, 0, 0},
     true},
    {"not allowed prefix",
     "r",
     "a",
     {TN_FRAME_ECHO, GATEWAY, MAC_R, "172.17.9.9", "10.0.0.11", 0, 0, 0},
     false},
    {"another's allowed prefix",
     "c",
     "a",
     {TN_FRAME_ECHO, GATEWAY, MAC_C, "172.16.9.9", "10.0.0.11", 0, 0, 0},
     false},
    {"no group, another's address inside",
     "a",
     "e",
     {TN_FRAME_ECHO, MAC_E, MAC_A, "10.0.0.11", "10.0.0.12", 0, 0, 0},
     false},
    {"no group, far address inside",
     "a",
     "e",
     {TN_FRAME_ECHO, MAC_E, MAC_A, "10.0.0.11", "198.51.100.1", 0, 0, 0},
     false},
    {"unicast in a broadcast",
     "a",
     "e",
     {TN_FRAME_ECHO, ALL, MAC_A, "10.0.0.11", "10.0.0.12", 0, 0, 0},
     false},
    {"broadcast",
     "a",
     "w",
     {TN_FRAME_ECHO, ALL, MAC_A, "10.0.0.11", "255.255.255.255", 0, 0, 0},
     false},
    {"multicast",
     "a",
     "w",
     {TN_FRAME_ECHO, "01:00:5e:00:00:01", MAC_A, "10.0.0.11", "224.0.0.1", 0, 0,
      0},
     false},
    {"multicast",
     "a",
     "w",
     {TN_FRAME_ECHO, ALL6, MAC_A, A6, "ff02::1", 0, 0, 0},
     false},
    {"own ARP",
     "a",
     "w",
     {TN_FRAME_ARP_REPLY, ALL, MAC_A, 0, "10.0.0.12", "10.0.0.11", MAC_A, 0},
     true},
    {"own ARP, tunnel",
     "a",
     "z",
     {TN_FRAME_ARP_REQUEST, ALL, MAC_A, 0, "10.0.0.99", "10.0.0.11", MAC_A, 0},
     true},
    {"ARP probe",
     "a",
     "w",
     {TN_FRAME_ARP_REQUEST, ALL, MAC_A, 0, "10.0.0.11", "0.0.0.0", MAC_A, 0},
     true},
    {"spoofed ARP",
     "a",
     "w",
     {TN_FRAME_ARP_REPLY, ALL, MAC_A, 0, "10.0.0.12", "10.0.0.13", MAC_A, 0},
     false},
    {"ARP of the gateway",
     "a",
     "w",
     {TN_FRAME_ARP_REPLY, ALL, MAC_A, 0, "10.0.0.12", "10.0.0.1", MAC_A, 0},
     false},
    {"ARP with another's MAC inside",
     "a",
     "w",
     {TN_FRAME_ARP_REPLY, ALL, MAC_A, 0, "10.0.0.12", "10.0.0.11", MAC_B, 0},
     false},
    {"ARP for the gateway stays",
     "a",
     "z",
     {TN_FRAME_ARP_REQUEST, ALL, MAC_A, 0, "10.0.0.1", "10.0.0.11", MAC_A, 0},
     false},
    {"own NA",
     "a",
     "w",
     {TN_FRAME_NA, MAC_W, MAC_A, A6, W6, A6, MAC_A, 0},
     true},
    {"own NA, link-local",
     "a",
     "w",
     {TN_FRAME_NA, MAC_W, MAC_A, LINK_A, W6, LINK_A, MAC_A, 0},
     true},
    {"own NA to all",
     "a",
     "w",
     {TN_FRAME_NA, ALL6, MAC_A, A6, "ff02::1", A6, MAC_A, 0},
     true},
    {"spoofed NA",
     "a",
     "w",
     {TN_FRAME_NA, MAC_W, MAC_A, A6, W6, "fd00:0:0:1::13", MAC_A, 0},
     false},
    {"NA of the gateway",
     "a",
     "w",
     {TN_FRAME_NA, MAC_W, MAC_A, A6, W6, "fd00:0:0:1::1", MAC_A, 0},
     false},
    {"NA with another's MAC inside",
     "a",
     "w",
     {TN_FRAME_NA, MAC_W, MAC_A, A6, W6, A6, MAC_B, 0},
     false},
    {"NA from another's address",
     "a",
     "w",
     {TN_FRAME_NA, MAC_W, MAC_A, "fd00:0:0:1::13", W6, A6, MAC_A, 0},
     false},
    {"own NS",
     "a",
     "w",
     {TN_FRAME_NS, MAC_W, MAC_A, A6, W6, W6, MAC_A, 0},
     true},
    {"NS with another's MAC inside",
     "a",
     "w",
     {TN_FRAME_NS, MAC_W, MAC_A, A6, W6, W6, MAC_B, 0},
     false},
    {"NS from another's address",
     "a",
     "w",
     {TN_FRAME_NS, MAC_W, MAC_A, "fd00:0:0:1::13", W6, W6, MAC_A, 0},
     false},
    {"own DAD",
     "a",
     "w",
     {TN_FRAME_NS, "33:33:ff:00:00:11", MAC_A, "::", "ff02::1:ff00:11", A6, 0,
      0},
     true},
    {"DAD for another's",
     "a",
     "w",
     {TN_FRAME_NS, "33:33:ff:00:00:13", MAC_A, "::", "ff02::1:ff00:13",
      "fd00:0:0:1::13", 0, 0},
     false},
    {"RA",
     "a",
     "w",
     {TN_FRAME_RA, ALL6, MAC_A, LINK_A, "ff02::1", 0, MAC_A, 0},
     false},
    {"unicast RA",
     "a",
     "w",
     {TN_FRAME_RA, MAC_W, MAC_A, A6, W6, 0, MAC_A, 0},
     false},
    {"redirect",
     "a",
     "w",
     {TN_FRAME_REDIRECT, MAC_W, MAC_A, A6, W6, A6, 0, 0},
     false},
    {"DHCP server",
     "a",
     "w",
     {TN_FRAME_DHCP, ALL, MAC_A, "10.0.0.11", "255.255.255.255", 0, 0, 0},
     false},
    {"DHCPv6 server",
     "a",
     "w",
     {TN_FRAME_DHCP, MAC_W, MAC_A, A6, W6, 0, 0, 0},
     false},
    {"tagged",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_A, "10.0.0.11", "10.0.0.12", 0, 0, 7},
     false},
    {"priority tagged",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_A, "10.0.0.11", "10.0.0.12", 0, 0, 0x2000},
     false},
    {"tagged, spoofed",
     "a",
     "w",
     {TN_FRAME_ECHO, MAC_W, MAC_A, "10.0.0.13", "10.0.0.12", 0, 0, 7},
     false},
    {"other ethertype",
     "a",
     "w",
     {TN_FRAME_LLDP, MAC_W, MAC_A, 0, 0, 0, 0, 0},
     false},
    {"tunnel",
     "z",
     "a",
     {TN_FRAME_ECHO, MAC_A, MAC_Z, "10.0.0.99", "10.0.0.11", 0, 0, 0},
     true},
};

Test(nft_root, frames)
{
    tn_nft_world_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(frames); i++) {
        uint8_t frame[512];
        size_t n = tn_frame_build(&frames[i].frame, (unsigned) i + 1, frame);
        bool seen = tn_nft_world_frame(frames[i].from, frames[i].to, frame, n);
        cr_expect(seen == frames[i].passes, "row %zu, %s: must %s", i,
                  frames[i].why, frames[i].passes ? "pass" : "not pass");
    }
}

static int
namespace_of_own(void)
{
    struct tn_error err = {0};
    int fd = -1;
    cr_assert(tn_nft_scratch(&fd, &err) == TN_OK, "needs root");
    return fd;
}

static void
must(enum tn_code code, const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    cr_assert(code == TN_OK, "%s", tn_error_text(err, text, sizeof text));
}

static struct tn_nft_observed
observe(struct tn_nft *nft, int ns, const struct tn_nft_ruleset *want,
        struct tn_arena *arena)
{
    struct tn_error err = {0};
    struct tn_nft_observed o = {0};
    must(tn_nft_observe(nft, ns, want, arena, &o, &err), &err);
    return o;
}

static void
same_attributes(const struct tn_nft_ruleset *a, const struct tn_nft_ruleset *b)
{
    cr_expect(a->n_attrs == b->n_attrs, "%zu and %zu", a->n_attrs, b->n_attrs);
    for (size_t i = 0; i < a->n_attrs && i < b->n_attrs; i++) {
        cr_expect_str_eq(a->attrs[i].name, b->attrs[i].name);
        cr_expect_str_eq(a->attrs[i].value, b->attrs[i].value, "%s",
                         a->attrs[i].name);
    }
}

/* What the kernel lists has the form of what was rendered, and what it lists
 * can be applied again. */
Test(nft_root, listing_is_what_was_rendered)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    const struct tn_nft_input *const inputs[] = {
        &tn_nft_host1, &tn_nft_host2, &tn_nft_lab, tn_nft_many(arena, 5, 7),
        tn_nft_many(arena, 0, 0)};
    struct tn_nft *nft;
    must(tn_nft_new(NULL, &nft, &err), &err);
    for (size_t i = 0; i < TN_ARRAY_SIZE(inputs); i++) {
        int ns = namespace_of_own();
        const struct tn_nft_ruleset *want = tn_nft_render(arena, inputs[i]);
        must(tn_nft_apply(nft, ns, want, &err), &err);
        struct tn_nft_observed o = observe(nft, ns, NULL, arena);
        cr_assert(o.present && o.rules);
        same_attributes(want, o.rules);
        must(tn_nft_apply(nft, ns, o.rules, &err), &err);
        o = observe(nft, ns, want, arena);
        cr_expect(o.same && o.rules == want);
        close(ns);
    }
    tn_nft_free(nft);
    tn_arena_free(arena);
}

static const struct {
    const char *command;
    const char *attribute; /* Which one differs then. */
} meddling[] = {
    {"add rule inet tenet group-web-in tcp dport 22 accept",
     "inet group-web-in"},
    {"flush chain inet tenet group-web-in", "inet group-web-in"},
    {"add element inet tenet members-web-4 { 10.9.9.9 }", "inet members-web-4"},
    {"delete element bridge tenet macs { \"p-a\" . 02:74:6e:00:00:0b }",
     "bridge p-a"},
    {"add element inet tenet l-peer-ours-4 { 10.77.0.0/16 }",
     "inet l-peer-ours-4"},
    {"add chain inet tenet extra { comment \"hello\"; }", "inet extra"},
    {"add chain inet tenet ingress { policy accept; }", "inet ingress"},
    {"add set inet tenet more { type ipv4_addr; }", "inet more"},
    {"delete table bridge tenet", NULL},
    {"add counter inet tenet hidden", "inet hidden"},
    {"insert rule inet tenet ingress accept", "inet ingress"},
};

Test(nft_root, whatever_was_changed_is_seen)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    must(tn_nft_new(NULL, &nft, &err), &err);
    const struct tn_nft_ruleset *want = tn_nft_render(arena, &tn_nft_host1);
    for (size_t i = 0; i < TN_ARRAY_SIZE(meddling); i++) {
        int ns = namespace_of_own();
        must(tn_nft_apply(nft, ns, want, &err), &err);
        must(tn_nft_run(NULL, ns, "add table ip other; add table inet other",
                        NULL, &err),
             &err);
        struct tn_nft_observed o = observe(nft, ns, want, arena);
        cr_expect(o.same, "%zu", i);
        cr_assert(o.n_foreign == 2);
        cr_expect_str_eq(o.foreign[0], "inet other");
        cr_expect_str_eq(o.foreign[1], "ip other");
        must(tn_nft_run(NULL, ns, meddling[i].command, NULL, &err), &err);
        o = observe(nft, ns, want, arena);
        cr_expect(o.present && !o.same, "%s", meddling[i].command);
        size_t differ = 0;
        for (size_t k = 0, w = 0; k < o.rules->n_attrs; k++) {
            const struct tn_attr *a = &o.rules->attrs[k];
            while (w < want->n_attrs &&
                   strcmp(want->attrs[w].name, a->name) < 0) {
                w++;
            }
            if (w == want->n_attrs || strcmp(want->attrs[w].name, a->name) ||
                strcmp(want->attrs[w].value, a->value)) {
                differ++;
                cr_expect_str_eq(a->name, meddling[i].attribute, "%s",
                                 a->value);
            }
        }
        cr_expect(differ == (meddling[i].attribute != NULL), "%s",
                  meddling[i].command);
        must(tn_nft_apply(nft, ns, want, &err), &err);
        cr_expect(observe(nft, ns, want, arena).same);
        must(tn_nft_apply(nft, ns, NULL, &err), &err);
        o = observe(nft, ns, want, arena);
        cr_expect(!o.present && !o.rules && o.n_foreign == 2);
        close(ns);
    }
    tn_nft_free(nft);
    tn_arena_free(arena);
}

/* What was listed while looking is of no use when somebody wrote since: a chain
 * that it does not have would stay. */
Test(nft_root, an_old_listing_is_not_used)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    must(tn_nft_new(NULL, &nft, &err), &err);
    const struct tn_nft_ruleset *want = tn_nft_render(arena, &tn_nft_host1);
    for (size_t i = 0; i < TN_ARRAY_SIZE(meddling); i++) {
        int ns = namespace_of_own();
        must(tn_nft_apply(nft, ns, want, &err), &err);
        must(tn_nft_run(NULL, ns, meddling[i].command, NULL, &err), &err);
        cr_expect(!observe(nft, ns, want, arena).same);
        must(tn_nft_run(NULL, ns,
                        "add chain inet tenet late; "
                        "add rule inet tenet late accept",
                        NULL, &err),
             &err);
        must(tn_nft_apply(nft, ns, want, &err), &err);
        cr_expect(observe(nft, ns, want, arena).same, "%s",
                  meddling[i].command);
        tn_nft_settle(nft);
        close(ns);
    }
    tn_nft_free(nft);
    tn_arena_free(arena);
}

Test(nft_root, refusals_change_nothing)
{
    static const char *const bad[] = {
        "table inet tenet {\n\tchain c {\n\t\tnonsense\n\t}\n}\n",
        "table inet tenet {\n\tchain c {\n\t\tjump nowhere\n\t}\n}\n",
        "table inet tenet {\n\tchain c {\n\t\ttype filter hook input priority "
        "0;"
        "\n\t\tjump c\n\t}\n}\n",
    };
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    int ns = namespace_of_own();
    must(tn_nft_new(NULL, &nft, &err), &err);
    const struct tn_nft_ruleset *want = tn_nft_render(arena, &tn_nft_host1);
    must(tn_nft_apply(nft, ns, want, &err), &err);
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad); i++) {
        char text[TN_ERROR_TEXT];
        cr_expect(tn_nft_apply(nft, ns, tn_nft_view(arena, bad[i]), &err) !=
                  TN_OK);
        tn_error_text(&err, text, sizeof text);
        cr_expect(strstr(text, "Error") && !strchr(text, '\n'), "%s", text);
        cr_expect(observe(nft, ns, want, arena).same);
    }
    cr_expect(tn_nft_apply(nft, 0, want, &err) != TN_OK, "no namespace");
    tn_nft_free(nft);
    close(ns);
    tn_arena_free(arena);
}

/* The first lines, with the handles, of what is declared in a table. */
static char *
handles(int ns)
{
    struct tn_nft_visit visit = {-1};
    struct tn_error err = {0};
    struct tn_text t = {0};
    char line[256];
    must(tn_nft_enter(&visit, ns, &err), &err);
    FILE *f = popen("nft -a list table inet tenet", "r");
    cr_assert(f);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '\t' && line[1] != '\t' && strstr(line, "handle")) {
            tn_text_add(&t, line);
        }
    }
    cr_assert(pclose(f) == 0);
    tn_nft_leave(&visit);
    return tn_text_take(&t);
}

/* An object made anew loses packets: what stays is changed in place. */
Test(nft_root, what_stays_is_not_made_anew)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    int ns = namespace_of_own();
    must(tn_nft_new(NULL, &nft, &err), &err);
    const struct tn_nft_ruleset *host1 = tn_nft_render(arena, &tn_nft_host1);
    char *text = tn_arena_strdup(arena, host1->text);
    for (char *s = text; (s = strstr(s, "192.168.7.0/24")); s++) {
        s[sizeof "192.168." - 1] = '8';
    }
    const struct tn_nft_ruleset *other = tn_nft_view(arena, text);
    must(tn_nft_apply(nft, ns, host1, &err), &err);
    char *before = handles(ns);
    cr_expect(strstr(before, "l-peer-theirs-4"));
    cr_expect(!observe(nft, ns, other, arena).same);
    must(tn_nft_apply(nft, ns, other, &err), &err);
    char *after = handles(ns);
    cr_expect(observe(nft, ns, other, arena).same);
    cr_expect_str_eq(before, after);
    free(before);
    free(after);
    tn_nft_free(nft);
    close(ns);
    tn_arena_free(arena);
}

/* The cache is used, and a damaged or absent one is no harm. */
Test(nft_root, cache)
{
    char dir[] = "/tmp/tn-nft-XXXXXX", path[64];
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/nft-rules", dir);
    const struct tn_driver_env env = {.cache_dir = dir};
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    const struct tn_nft_ruleset *want = tn_nft_render(arena, &tn_nft_host1);
    int ns = namespace_of_own();
    for (int round = 0; round < 4; round++) {
        struct tn_nft *nft;
        must(tn_nft_new(&env, &nft, &err), &err);
        if (round == 0) {
            must(tn_nft_apply(nft, ns, want, &err), &err);
        }
        cr_expect(observe(nft, ns, want, arena).same, "round %d", round);
        tn_nft_free(nft);
        struct stat st;
        cr_assert(stat(path, &st) == 0);
        cr_expect(round != 1 || st.st_size == 2 * 130, "%ld bytes",
                  (long) st.st_size);
        if (round == 1) {
            cr_assert(truncate(path, 100) == 0);
        } else if (round == 2) {
            cr_assert(unlink(path) == 0);
        }
    }
    close(ns);
    unlink(path);
    rmdir(dir);
    tn_arena_free(arena);
}

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* Growth, not speed: a factor that no machine's load explains. */
Test(nft_root, no_op_observation_is_cheap)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    int ns = namespace_of_own();
    must(tn_nft_new(NULL, &nft, &err), &err);
    double t0 = now();
    const struct tn_nft_ruleset *want =
        tn_nft_render(arena, tn_nft_many(arena, 1000, 10));
    double t1 = now();
    must(tn_nft_apply(nft, ns, want, &err), &err);
    double t2 = now();
    cr_expect(observe(nft, ns, want, arena).same);
    double t3 = now();
    struct tn_nft_observed o = observe(nft, ns, NULL, arena);
    double t4 = now();
    cr_expect(o.present);
    fprintf(stderr,
            "1,000 ports x 10 rules: render %.0f ms, apply %.0f ms, observe "
            "unchanged %.1f ms, list %.0f ms\n",
            (t1 - t0) * 1e3, (t2 - t1) * 1e3, (t3 - t2) * 1e3, (t4 - t3) * 1e3);
    cr_expect((t3 - t2) * 3 < t2 - t1);
    tn_nft_free(nft);
    close(ns);
    tn_arena_free(arena);
}
