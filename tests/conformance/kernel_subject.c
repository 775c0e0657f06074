/* kernel_subject.c - the kernel driver under conformance.
 *
 * Each test has two hosts as namespaces in a mount namespace of its process, so
 * that names in /run/netns are its own and nothing of it stays.  Hands that are
 * not tenet's are 'ip', 'bridge', 'nft' and 'sysctl'. */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "drivers/kernel/kernel.h"
#include "tests/conformance/conformance.h"

enum { COMMAND_MAX = 1024 };

static bool runs(const char *fmt, ...) TN_PRINTF(1, 2);

static bool
runs(const char *fmt, ...)
{
    char command[COMMAND_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    return system(command) == 0;
}

static void *
setup(void)
{
    cr_assert(unshare(CLONE_NEWNS) == 0);
    cr_assert(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    mkdir("/run/netns", 0755);
    cr_assert(mount("tmpfs", "/run/netns", "tmpfs", 0, NULL) == 0);
    for (int i = 1; i <= 2; i++) {
        cr_assert(runs("ip netns add hv%d && ip -n hv%d link set lo up && "
                       "ip -n hv%d addr add 192.0.2.%d/32 dev lo",
                       i, i, i, i));
    }
    for (const char *const *name = tn_conformance_netns; *name; name++) {
        cr_assert(runs("ip netns add %s", *name));
    }
    return NULL;
}

static void
teardown(void *world)
{
    (void) world;
    cr_assert(umount2("/run/netns", MNT_DETACH) == 0);
}

static void
host_vars(void *world, const char *host, struct tn_text *out)
{
    (void) world;
    tn_text_addf(out, "tenet_kernel_netns: %s\n", host);
}

/* A namespace that has one of our names but not our mark; and, among ours, a
 * link, an address, a route, a neighbour and a table. */
static void
foreign_make(void *world, const struct tn_device *device,
             const struct tn_state *applied)
{
    const char *host = device->name;
    (void) world;
    if (!applied) {
        cr_assert(runs("ip netns add %s.tn.by.hand && "
                       "ip -n %s.tn.by.hand link add mine type bridge",
                       host, host));
        return;
    }
    cr_assert(runs("N=%s.tn.acme.web; "
                   "ip -n $N link add by-hand type bridge && "
                   "ip -n $N link set by-hand up && "
                   "ip -n $N addr add 198.51.100.1/24 dev by-hand && "
                   "ip -n $N route add 203.0.113.0/24 via 198.51.100.2 && "
                   "ip -n $N neigh add 198.51.100.2 dev by-hand "
                   "lladdr 02:00:00:00:00:02 nud permanent && "
                   "ip netns exec $N nft add table ip by-hand",
                   host));
}

static void
add_output(struct tn_text *out, const char *command)
{
    char line[COMMAND_MAX];
    FILE *f = popen(command, "r");
    cr_assert_not_null(f);
    while (fgets(line, sizeof line, f)) {
        tn_text_add(out, line);
    }
    pclose(f);
}

static void
foreign_dump(void *world, const struct tn_device *device, struct tn_text *out)
{
    static const char *const commands[] = {
        "ip -n $H.tn.by.hand -o link show dev mine | sed 's/state.*//'",
        "ip -n $H.tn.acme.web -o link show dev by-hand | sed 's/^[0-9]*//'",
        "ip -n $H.tn.acme.web addr show dev by-hand | grep 198",
        "ip -n $H.tn.acme.web route show 203.0.113.0/24",
        "ip -n $H.tn.acme.web neigh show dev by-hand",
        "ip netns exec $H.tn.acme.web nft list table ip by-hand",
    };
    (void) world;
    for (size_t i = 0; i < TN_ARRAY_SIZE(commands); i++) {
        char command[COMMAND_MAX];
        snprintf(command, sizeof command, "H=%s; %s 2>&1", device->name,
                 commands[i]);
        add_output(out, command);
    }
}

/* By kind: what is done in the namespace $N to the link $L or the entry $E, as
 * the key names them. */
static const struct {
    const char *kind, *command;
} hands[] = {
    {"netns", "ip netns exec $N sysctl -qw net.ipv4.ip_forward=0"},
    {"bridge", "ip -n $N link set $L down"},
    {"vxlan", "ip -n $N link set $L mtu 1280"},
    {"port", "ip -n $N link del $L"},
    {"peering", "ip -n $N addr flush dev $L"},
    {"fdb", "bridge -n $N fdb del $E dev $L master"},
    {"neighbour", "ip -n $N neigh del $E dev $L"},
    {"route", "ip -n $N route del $L/$E"},
    {"nft", "ip netns exec $N nft delete table inet tenet"},
};

static bool
tamper(void *world, const struct tn_device *device, const struct tn_resource *r)
{
    (void) world;
    for (size_t i = 0; i < TN_ARRAY_SIZE(hands); i++) {
        if (strcmp(hands[i].kind, r->kind) != 0) {
            continue;
        }
        /* "<tenant>/<vpc>/<kind>[/L[/E]]" */
        cr_assert(runs("set -- $(echo %s | tr / ' '); "
                       "N=%s.tn.$1.$2; L=$4; E=$5; %s",
                       r->key, device->name, hands[i].command),
                  "%s", r->key);
        return true;
    }
    return false;
}

const struct tn_subject *
tn_conformance_subject(void)
{
    static const struct tn_subject subject = {
        .driver = &tn_driver_kernel,
        .setup = setup,
        .teardown = teardown,
        .host_vars = host_vars,
        .foreign_make = foreign_make,
        .foreign_dump = foreign_dump,
        .tamper = tamper,
        .stride = 5,
    };
    return &subject;
}
