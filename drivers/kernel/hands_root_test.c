/* hands_root_test.c - what is done by hand inside the namespaces of VPCs: what
 * was ours is healed at the first try, what never was is shown and left. */
#include <linux/bpf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "drivers/kernel/kernel.h"
#include "drivers/kernel/kernel_lab.h"

static const struct tn_driver *const driver = &tn_driver_kernel;

/* A device, and a session that has seen all of it. */
struct lab {
    struct tn_arena *arena;
    const struct tn_device *device;
    struct tn_session *session;
    const struct tn_state *want, *have;
};

static void
must(enum tn_code code, const struct tn_error *err, const char *when)
{
    char text[TN_ERROR_TEXT];
    cr_assert(code == TN_OK, "%s: %s", when,
              tn_error_text(err, text, sizeof text));
}

static void
look(struct lab *lab, const char *when)
{
    struct tn_error err = {0};
    must(driver->observe(lab->session, NULL, lab->want, lab->arena, &lab->have,
                         &err),
         &err, when);
}

static void
start(struct lab *lab)
{
    static const struct tn_driver_env env = {NULL};
    struct tn_error err = {0};
    struct tn_diags diags;
    tn_k_lab_hosts();
    *lab = (struct lab){.arena = tn_arena_new()};
    lab->device = tn_k_lab_device(lab->arena, 0, NULL);
    struct tn_k_lab_result r = tn_k_lab_apply(lab->device);
    must(r.code, &r.error, "apply");
    tn_diags_init(&diags, lab->arena);
    must(driver->render(lab->device, lab->arena, &lab->want, &diags, &err),
         &err, "render");
    must(driver->open(lab->device, &env, &lab->session, &err), &err, "open");
    look(lab, "at first");
}

static void
end(struct lab *lab)
{
    driver->close(lab->session);
    tn_arena_free(lab->arena);
}

/* All that is wanted is there just so. */
static void
assert_healed(struct lab *lab, const char *when)
{
    size_t n = 0;
    look(lab, when);
    const struct tn_step *steps =
        tn_k_lab_diff(lab->arena, lab->want, lab->have, &n);
    cr_assert(n == 0, "%s: %s", when,
              (steps->after ? steps->after : steps->before)->key);
}

#define WEB "ip -n hv1.tn.acme.web "
#define IN_WEB "ip netns exec hv1.tn.acme.web "
#define LAB "ip -n hv1.tn.acme.lab "
#define ENDS(ns) "$(ip -n " ns " -o link | grep -o ' l-[a-z0-9]*')"

/* What the watch tells of each, and nothing else is looked at. */
static const struct {
    const char *command, *scope, *key;
} damages[] = {
    {WEB "link set lo alias ''", "acme/web", "acme/web/netns"},
    {WEB "link set lo alias mine", "acme/web", "acme/web/netns"},
    {WEB "link set lo alias '' && " WEB "link set x-front mtu 1300 && " WEB
         "link set lo down",
     "acme/web", "acme/web/vxlan/x-front"},
    {WEB "rule del pref 32766", "acme/web", "acme/web/netns"},
    {WEB "rule del pref 0 && " WEB "rule del pref 32766 && " WEB
         "rule del pref 32767",
     "acme/web", "acme/web/netns"},
    {WEB "-6 rule del pref 0 && " WEB "-6 rule del pref 32766", "acme/web",
     "acme/web/netns"},
    {WEB "link set dev " ENDS("hv1.tn.acme.web") " name renamed", "acme/web",
     "acme/web/link/renamed"},
    {LAB "link set dev " ENDS("hv1.tn.acme.lab") " name renamed", "acme/lab",
     "acme/lab/link/renamed"},
    {LAB "link set dev " ENDS("hv1.tn.acme.lab") " name l-renamed", "acme/lab",
     "acme/lab/peering/l-renamed"},
    {LAB "link set dev " ENDS("hv1.tn.acme.lab") " down name p-x", "acme/lab",
     "acme/lab/port/p-x"},
    {IN_WEB "sysctl -qw net.ipv6.conf.b-front.disable_ipv6=1", "acme/web",
     "acme/web/bridge/b-front"},
    {IN_WEB "sysctl -qw net.ipv6.conf.b-front.forwarding=0", "acme/web",
     "acme/web/netns"},
    {IN_WEB "sysctl -qw net.ipv4.conf.b-front.proxy_arp=1", "acme/web",
     "acme/web/netns"},
    {IN_WEB "sysctl -qw net.ipv4.conf.b-front.rp_filter=1", "acme/web",
     "acme/web/netns"},
    {IN_WEB "sysctl -qw net.ipv4.conf.b-back.arp_ignore=8", "acme/web",
     "acme/web/bridge/b-back"},
    {IN_WEB "sh -c 'for i in /proc/sys/net/ipv6/conf/l-*; do "
            "echo 1 >$i/disable_ipv6; done'",
     "acme/web", "acme/web/peering/l-7ixk24tr4ffr"},
};

Test(hands, healed_at_the_first_try)
{
    struct lab lab;
    start(&lab);
    for (size_t i = 0; i < TN_ARRAY_SIZE(damages); i++) {
        const char *const names[] = {damages[i].scope};
        const char *const keys[] = {damages[i].key};
        const struct tn_scope scope = {names, 1, keys, 1};
        tn_k_lab_run("%s", damages[i].command);
        struct tn_k_lab_result r =
            tn_k_lab_heal(lab.session, lab.device, &scope);
        must(r.code, &r.error, damages[i].command);
        cr_assert(r.n[TN_OP_UPDATE] > 0, "not seen: %s", damages[i].command);
        assert_healed(&lab, damages[i].command);
    }
    end(&lab);
}

/* Both ends, and all of it in one look. */
Test(hands, both_ends_renamed)
{
    struct lab lab;
    start(&lab);
    tn_k_lab_run(WEB "link set dev " ENDS("hv1.tn.acme.web") " name renamed");
    tn_k_lab_run(LAB "link set dev " ENDS("hv1.tn.acme.lab") " name other");
    struct tn_k_lab_result r = tn_k_lab_apply(lab.device);
    must(r.code, &r.error, "both ends");
    cr_assert(r.n[TN_OP_UPDATE] == 2 && !r.n[TN_OP_CREATE] &&
              !r.n[TN_OP_DELETE]);
    assert_healed(&lab, "both ends");
    /* Renamed, and not wanted any more. */
    tn_k_lab_run(WEB "link set dev " ENDS("hv1.tn.acme.web") " name renamed");
    r = tn_k_lab_apply(tn_k_lab_device(
        lab.arena, 0, &(struct tn_k_lab_change){.unpeered = true}));
    must(r.code, &r.error, "unpeered");
    tn_k_lab_run("! " WEB "link show renamed 2>/dev/null");
    end(&lab);
}

/* Removed as if it were marked. */
Test(hands, removed_without_its_mark)
{
    struct lab lab;
    start(&lab);
    tn_k_lab_run(WEB "link set lo alias ''");
    struct tn_k_lab_result r = tn_k_lab_apply(tn_k_lab_device(
        lab.arena, 0, &(struct tn_k_lab_change){.empty = true}));
    must(r.code, &r.error, "removed");
    tn_k_lab_run("! ip netns list | grep -q tn.acme");
    end(&lab);
}

/* None of these proves that the namespace is ours. */
static const char *const strangers[] = {
    "ip -n $N link set lo alias tenet:other:acme/web/netns && "
    "ip -n $N link add b-front group 29806 alias tenet:lab:bridge/b-front "
    "type bridge",
    "ip -n $N link add b-front type bridge",
    "ip -n $N link add b-front group 29806 type bridge",
    "ip -n $N link add b-front alias tenet:lab:bridge/b-front type bridge",
    "ip -n $N link add b-front group 29806 alias tenet:other:bridge/b-front "
    "type bridge",
    "ip -n $N link add b-front group 29806 alias tenet:lab:bridge/b-back "
    "type bridge",
    /* It may have been moved here. */
    "ip -n $N link add x-front group 29806 alias tenet:lab:vxlan/x-front "
    "type vxlan id 77 dstport 4790",
    "ip -n $N link add p-web1 group 29806 alias 'tenet:lab:port/web1 in "
    "web1/eth0' type veth peer name other",
};

Test(hands, what_does_not_prove_anything)
{
    struct lab lab;
    start(&lab);
    for (size_t i = 0; i < TN_ARRAY_SIZE(strangers); i++) {
        tn_k_lab_run("ip netns del hv1.tn.acme.web; "
                     "N=hv1.tn.acme.web; ip netns add $N && %s",
                     strangers[i]);
        look(&lab, strangers[i]);
        const struct tn_resource *r = tn_state_get(lab.have, "acme/web/netns");
        cr_assert(r && r->owner == TN_FOREIGN, "%s", strangers[i]);
        for (size_t k = 0; k < lab.have->n; k++) {
            cr_assert(&lab.have->items[k] == r ||
                          strcmp(lab.have->items[k].scope, "acme/web") != 0,
                      "%s: %s", strangers[i], lab.have->items[k].key);
        }
    }
    end(&lab);
}

/* What leads packets another way, and is not ours: seen, and left. */
static const struct {
    const char *command, *key, *still;
} strange[] = {
    {WEB "rule add pref 100 from 10.0.0.0/8 to 10.2.0.0/16 lookup 7",
     "policy-rule/ipv4 100: from 10.0.0.0/8 to 10.2.0.0/16 lookup 7",
     WEB "rule | grep -q 100:"},
    {WEB "rule add pref 101 fwmark 5 prohibit",
     "policy-rule/ipv4 101: mark 5 prohibit", NULL},
    {WEB "rule add pref 102 not iif b-front goto 32767",
     "policy-rule/ipv4 102: not iif b-front goto 32767", NULL},
    {WEB "rule add pref 103 ipproto tcp dport 22 lookup 9",
     "policy-rule/ipv4 103: ... lookup 9", NULL},
    {WEB "rule add pref 32766 lookup main suppress_prefixlength 0",
     "policy-rule/ipv4 32766: ... lookup 254", NULL},
    {WEB "-6 rule add pref 100 from fd00::/8 lookup 7",
     "policy-rule/ipv6 100: from fd00::/8 lookup 7", NULL},
    {WEB "route add blackhole 10.1.1.11/32", "route/10.1.1.11/32",
     WEB "route | grep -q '^blackhole 10.1.1.11'"},
    {WEB "route add unreachable 10.1.1.12/32", "route/10.1.1.12/32", NULL},
    {WEB "route add prohibit 10.1.1.13/32", "route/10.1.1.13/32", NULL},
    {WEB "-6 route add blackhole fd00:1::c/128", "route/fd00:1::c/128", NULL},
    {WEB "-6 route add fd00:1::c/128 via fd00:1::b metric 1",
     "route/fd00:1::c/128 metric 1", NULL},
    {WEB "route add 172.16.0.0/16 tos 8 dev b-front",
     "route/172.16.0.0/16 tos 8", NULL},
    {WEB "route add 10.1.1.11/32 dev b-front table 7 proto 84",
     "route/10.1.1.11/32 table 7",
     WEB "route show table 7 | grep -q 10.1.1.11"},
    {WEB "-6 route add fd99::/64 dev b-front table 7",
     "route/fd99::/64 table 7", NULL},
    {WEB "route add default dev b-front table default",
     "route/0.0.0.0/0 table 253", NULL},
    {"tc -n hv1.tn.acme.web qdisc add dev p-web1 clsact", "qdisc/p-web1/clsact",
     "tc -n hv1.tn.acme.web qdisc show dev p-web1 | grep -q clsact"},
    {"tc -n hv1.tn.acme.web qdisc add dev x-front ingress",
     "qdisc/x-front/ingress", NULL},
    {"tc -n hv1.tn.acme.web qdisc add dev b-front root tbf rate 1mbit burst 5k "
     "latency 70ms",
     "qdisc/b-front/tbf", NULL},
    {WEB "link add intruder master b-front type dummy 2>/dev/null || " WEB
         "link add intruder master b-front type veth peer name other",
     "link/intruder", WEB "link show intruder | grep -q b-front"},
};

Test(hands, what_leads_packets_astray_is_seen)
{
    struct lab lab;
    start(&lab);
    for (size_t i = 0; i < TN_ARRAY_SIZE(strange); i++) {
        char key[160];
        snprintf(key, sizeof key, "acme/web/%s", strange[i].key);
        tn_k_lab_run("%s", strange[i].command);
        look(&lab, strange[i].command);
        const struct tn_resource *r = tn_state_get(lab.have, key);
        for (size_t k = 0; !r && k < lab.have->n; k++) {
            const struct tn_resource *f = &lab.have->items[k];
            if (f->owner == TN_FOREIGN) {
                fprintf(stderr, "    %s\n", f->key);
            }
        }
        cr_assert(r && r->owner == TN_FOREIGN, "%s: no %s", strange[i].command,
                  key);
    }
    cr_assert_str_eq(tn_state_get(lab.have, "acme/web/link/intruder")->name,
                     "intruder in bridge b-front");
    struct tn_k_lab_result r = tn_k_lab_apply(lab.device);
    must(r.code, &r.error, "apply");
    cr_assert(r.n_foreign >= TN_ARRAY_SIZE(strange));
    cr_assert(r.n[0] + r.n[1] + r.n[2] + r.n[3] == 0);
    for (size_t i = 0; i < TN_ARRAY_SIZE(strange); i++) {
        cr_assert(!strange[i].still || tn_k_lab_runs("%s", strange[i].still),
                  "gone: %s", strange[i].command);
    }
    end(&lab);
}

/* A program that lets everything pass, under that name; false: the kernel
 * takes none from us. */
static bool
pin_program(const char *path)
{
    static const struct bpf_insn program[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_XDP,
        .insn_cnt = TN_ARRAY_SIZE(program),
        .insns = (uintptr_t) program,
        .license = (uintptr_t) "GPL",
    };
    long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
    if (fd < 0) {
        return false;
    }
    union bpf_attr pin = {.pathname = (uintptr_t) path,
                          .bpf_fd = (uint32_t) fd};
    bool pinned = syscall(SYS_bpf, BPF_OBJ_PIN, &pin, sizeof pin) == 0;
    close((int) fd);
    return pinned;
}

static bool
is_told(const struct lab *lab, struct tn_watch *watch, const char *key)
{
    struct pollfd p = {driver->watch_fd(watch), POLLIN, 0};
    bool told = false;
    while (!told && poll(&p, 1, 10000) == 1) {
        const struct tn_event *events = NULL;
        struct tn_error err = {0};
        size_t n = 0;
        must(driver->watch_read(watch, lab->arena, &events, &n, &err), &err,
             "read");
        for (size_t i = 0; i < n; i++) {
            told |= tn_streq(events[i].key, key);
        }
    }
    return told;
}

Test(hands, a_program_is_seen_and_told)
{
    static const struct tn_driver_env env = {NULL};
    struct tn_error err = {0};
    struct tn_watch *watch = NULL;
    struct lab lab;
    start(&lab);
    if (!tn_k_lab_runs("mkdir /mnt/bpf && mount -t bpf none /mnt/bpf") ||
        !pin_program("/mnt/bpf/pass")) {
        end(&lab);
        cr_skip_test("no BPF programs here");
    }
    must(driver->watch_open(lab.device, &env, &watch, &err), &err, "watch");
    tn_k_lab_run(WEB "link set dev p-web1 xdpgeneric pinned /mnt/bpf/pass");
    cr_assert(is_told(&lab, watch, "acme/web/port/p-web1"));
    look(&lab, "xdp");
    const char *found = NULL;
    for (size_t i = 0; i < lab.have->n; i++) {
        const struct tn_resource *r = &lab.have->items[i];
        found = strcmp(r->kind, "xdp") == 0 ? r->key : found;
    }
    cr_assert(found && strncmp(found, "acme/web/xdp/p-web1/program ", 28) == 0,
              "%s", found ? found : "nothing");
    struct tn_k_lab_result r = tn_k_lab_apply(lab.device);
    must(r.code, &r.error, "apply");
    cr_assert(r.n[0] + r.n[1] + r.n[2] + r.n[3] == 0);
    tn_k_lab_run(WEB "link set dev p-web1 xdpgeneric off");
    cr_assert(is_told(&lab, watch, "acme/web/port/p-web1"));
    driver->watch_close(watch);
    tn_k_lab_run("umount /mnt/bpf");
    end(&lab);
}
