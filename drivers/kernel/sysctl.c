/* sysctl.c - see sysctl.h.
 *
 * /proc/sys/net shows the namespace of the thread that opens a file.  Values
 * under conf/default are inherited by the interfaces made later, which is why
 * they are set before a namespace is used. */
#include "drivers/kernel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drivers/kernel/format.h"
#include "model/base/cleanup.h"

struct sysctl {
    const char *path; /* Below /proc/sys/net. */
    const char *value;
};

/* Forwarding first: switching it resets others.  No router advertisements, no
 * duplicate address detection (gateways are anycast), no addresses that the
 * kernel makes up, no IPv6 of their own for ports of bridges, no redirects
 * between hosts of one bridge; answers to ARP for addresses of the asked
 * interface only, and in nobody's place; no packets of 127.0.0.0/8; bridged
 * packets pass the rules. */
static const struct sysctl sysctls[] = {
    {"ipv4/ip_forward", "1"},
    {"ipv6/conf/all/forwarding", "1"},
    {"ipv6/conf/default/forwarding", "1"},
    {"ipv4/conf/all/rp_filter", "0"},
    {"ipv4/conf/default/rp_filter", "0"},
    {"ipv4/conf/all/send_redirects", "0"},
    {"ipv4/conf/default/send_redirects", "0"},
    {"ipv4/conf/all/accept_redirects", "0"},
    {"ipv4/conf/default/accept_redirects", "0"},
    {"ipv4/conf/all/accept_source_route", "0"},
    {"ipv4/conf/default/accept_source_route", "0"},
    {"ipv4/conf/all/arp_ignore", "1"},
    {"ipv4/conf/default/arp_ignore", "0"},
    {"ipv4/conf/all/arp_announce", "2"},
    {"ipv4/conf/all/proxy_arp", "0"},
    {"ipv4/conf/default/proxy_arp", "0"},
    {"ipv4/conf/all/route_localnet", "0"},
    {"ipv4/conf/default/route_localnet", "0"},
    {"ipv4/conf/all/promote_secondaries", "1"},
    {"ipv6/conf/all/accept_ra", "0"},
    {"ipv6/conf/default/accept_ra", "0"},
    {"ipv6/conf/default/autoconf", "0"},
    {"ipv6/conf/all/accept_dad", "0"},
    {"ipv6/conf/default/accept_dad", "0"},
    {"ipv6/conf/default/dad_transmits", "0"},
    {"ipv6/conf/default/addr_gen_mode", "1"},
    {"ipv6/conf/default/disable_ipv6", "1"},
    {"ipv6/conf/all/accept_redirects", "0"},
    {"ipv6/conf/default/accept_redirects", "0"},
    {"bridge/bridge-nf-call-iptables", "1"},
    {"bridge/bridge-nf-call-ip6tables", "1"},
    {"bridge/bridge-nf-call-arptables", "0"},
};

/* The kernel takes the larger of the link's and of all's, but for forwarding
 * and IPv6's, where the link's alone counts. */
const struct tn_k_link_sysctl tn_k_link_sysctls[TN_K_LINK_SYSCTLS] = {
    {"ipv4", "forwarding", IPV4_DEVCONF_FORWARDING - 1, 1},
    {"ipv4", "proxy_arp", IPV4_DEVCONF_PROXY_ARP - 1, 0},
    {"ipv4", "rp_filter", IPV4_DEVCONF_RP_FILTER - 1, 0},
    {"ipv4", "arp_ignore", IPV4_DEVCONF_ARP_IGNORE - 1, 0},
    {"ipv4", "route_localnet", IPV4_DEVCONF_ROUTE_LOCALNET - 1, 0},
    {"ipv6", "forwarding", DEVCONF_FORWARDING, 1},
    {"ipv6", "disable_ipv6", DEVCONF_DISABLE_IPV6, 0},
};

const char *
tn_k_sysctls_wanted(void)
{
    return "forwarding, anycast gateways, no redirects, no router "
           "advertisements, bridged packets filtered";
}

static bool
has_value(int dir, const struct sysctl *s, char *got, size_t size)
{
    TN_CLEANUP(tn_cleanup_fd) int fd = openat(dir, s->path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, got, size - 1);
    if (n < 0) {
        memcpy(got, "?", 2);
        return false;
    }
    got[n] = '\0';
    got[strcspn(got, "\n")] = '\0';
    return strcmp(got, s->value) == 0;
}

static void
differs_add(struct tn_k_str *t, const struct sysctl *s, const char *got)
{
    tn_k_str_sep(t, 0);
    tn_k_str_add(t, s->path);
    tn_k_str_addc(t, '=');
    tn_k_str_add(t, got);
}

enum tn_code
tn_k_sysctls_read(struct tn_arena *arena, const char **out,
                  struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd)
    int dir = open("/proc/sys/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "/proc/sys/net");
    }
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    for (size_t i = 0; i < TN_ARRAY_SIZE(sysctls); i++) {
        char got[64];
        if (!has_value(dir, &sysctls[i], got, sizeof got)) {
            differs_add(&t, &sysctls[i], got);
        }
    }
    *out = t.n ? tn_k_str_end(&t) : tn_k_sysctls_wanted();
    return TN_OK;
}

static enum tn_code
set_value(int dir, const struct sysctl *s, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd) int fd = openat(dir, s->path, O_WRONLY);
    if (fd < 0 && errno == ENOENT) {
        return tn_fail(err, TN_EUNSUPPORTED, ENOENT,
                       "this kernel has no sysctl net/%s%s", s->path,
                       strncmp(s->path, "bridge/", 7) == 0
                           ? " (is the module br_netfilter loaded?)"
                           : "");
    }
    size_t n = strlen(s->value);
    if (fd < 0 || write(fd, s->value, n) != (ssize_t) n) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "sysctl net/%s",
                           s->path);
    }
    return TN_OK;
}

enum tn_code
tn_k_sysctl_new_links(bool ipv6, struct tn_error *err)
{
    const struct sysctl s = {"/proc/sys/net/ipv6/conf/default/disable_ipv6",
                             ipv6 ? "0" : "1"};
    return set_value(AT_FDCWD, &s, err);
}

enum tn_code
tn_k_sysctls_write(struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd)
    int dir = open("/proc/sys/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "/proc/sys/net");
    }
    enum tn_code code = TN_OK;
    for (size_t i = 0; code == TN_OK && i < TN_ARRAY_SIZE(sysctls); i++) {
        code = set_value(dir, &sysctls[i], err);
    }
    return code;
}

static const char *
link_path(const char *link, const struct tn_k_link_sysctl *s, char *path,
          size_t size)
{
    snprintf(path, size, "%s/conf/%s/%s", s->family, link, s->name);
    return path;
}

const char *
tn_k_link_sysctls_add(struct tn_arena *arena, const char *text,
                      const char *link, const struct tn_k_link_settings *have)
{
    for (size_t i = 0; i < TN_K_LINK_SYSCTLS; i++) {
        const struct tn_k_link_sysctl *s = &tn_k_link_sysctls[i];
        char path[96];
        if (have->v[i] != s->wanted) {
            bool first = text == tn_k_sysctls_wanted();
            text = tn_arena_printf(
                arena, "%s%s%s=%u", first ? "" : text, first ? "" : ", ",
                link_path(link, s, path, sizeof path), (unsigned) have->v[i]);
        }
    }
    return text;
}

void
tn_k_link_sysctls_write(const char *link, const struct tn_k_link_settings *have)
{
    TN_CLEANUP(tn_cleanup_fd)
    int dir = open("/proc/sys/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; dir >= 0 && i < TN_K_LINK_SYSCTLS; i++) {
        const struct tn_k_link_sysctl *s = &tn_k_link_sysctls[i];
        char path[96];
        if (have->v[i] != s->wanted) {
            (void) set_value(
                dir,
                &(struct sysctl){link_path(link, s, path, sizeof path),
                                 s->wanted ? "1" : "0"},
                NULL);
        }
    }
}
