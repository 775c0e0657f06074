/* probe.c - see probe.h.
 *
 * Without br_netfilter nothing would fail: security groups would just not see
 * what is bridged.  So it is looked for first, and in each session: the kernel
 * never loads it by itself.  All else is loaded on demand, hence the only way
 * to know is to ask for it: an interface of each type, and a few rules. */
#include "drivers/kernel/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "drivers/kernel/netns.h"
#include "drivers/kernel/nft_kernel.h"
#include "model/base/cleanup.h"
#include "model/base/file.h"

static const struct {
    unsigned ability;
    const char *what;
} abilities[] = {
    {TN_K_CAN_FILTER_BRIDGED,
     "packet rules for bridged packets, without which security groups do not "
     "work (load the module br_netfilter)"},
    {TN_K_CAN_BRIDGE, "bridges (module bridge)"},
    {TN_K_CAN_VXLAN, "VXLAN tunnels (module vxlan)"},
    {TN_K_CAN_VETH, "pairs of interfaces (module veth)"},
    {TN_K_CAN_NFT_INET, "packet rules of the family inet (module nf_tables)"},
    {TN_K_CAN_NFT_BRIDGE,
     "packet rules of the family bridge (CONFIG_NF_TABLES_BRIDGE)"},
    {TN_K_CAN_CONNTRACK,
     "connection tracking in packet rules (modules nf_conntrack, nft_ct)"},
};

static const struct {
    unsigned ability;
    const char *kind;
} links[] = {
    {TN_K_CAN_BRIDGE, "bridge"},
    {TN_K_CAN_VXLAN, "vxlan"},
    {TN_K_CAN_VETH, "veth"},
};

static const struct {
    unsigned ability;
    const char *commands;
} rules[] = {
    {TN_K_CAN_NFT_INET,
     "add table inet probe\n"
     "add chain inet probe c { type filter hook forward priority 0; }\n"},
    {TN_K_CAN_NFT_BRIDGE,
     "add table bridge probe\n"
     "add chain bridge probe c { type filter hook prerouting priority 0; }\n"},
    {TN_K_CAN_CONNTRACK,
     "add table inet probe\n"
     "add chain inet probe c { type filter hook forward priority 0; }\n"
     "add rule inet probe c ct state established,related accept\n"},
};

enum tn_code
tn_k_probe_verdict(unsigned missing, struct tn_error *err)
{
    char text[768];
    int n = 0;
    for (size_t i = 0; i < TN_ARRAY_SIZE(abilities); i++) {
        if (missing & abilities[i].ability) {
            n += snprintf(text + n, sizeof text - (size_t) n, "%s%s",
                          n ? "; " : "", abilities[i].what);
        }
    }
    return n ? tn_fail(err, TN_EUNSUPPORTED, 0, "this kernel lacks %s", text)
             : TN_OK;
}

static void
put_link(struct tn_k_batch *b, size_t step, const char *kind)
{
    struct ifinfomsg ifi = {0};
    tn_k_msg_begin(b, &(struct tn_k_msg){.type = RTM_NEWLINK,
                                         .flags = NLM_F_CREATE | NLM_F_EXCL,
                                         .header = &ifi,
                                         .header_size = sizeof ifi,
                                         .step = step});
    size_t info = tn_k_nest(b, IFLA_LINKINFO);
    tn_k_put_str(b, IFLA_INFO_KIND, kind);
    if (links[step].ability == TN_K_CAN_VXLAN) {
        size_t data = tn_k_nest(b, IFLA_INFO_DATA);
        tn_k_put_u32(b, IFLA_VXLAN_ID, 1);
        tn_k_nest_end(b, data);
    }
    tn_k_nest_end(b, info);
    tn_k_msg_end(b);
}

struct trial {
    int netns;
    unsigned missing;
};

static void
link_refused(void *ctx, const struct tn_k_refusal *refusal)
{
    struct trial *t = ctx;
    if (refusal->error == EOPNOTSUPP) {
        t->missing |= links[refusal->step].ability;
    }
}

static enum tn_code
try_links(void *ctx, struct tn_error *err)
{
    struct trial *t = ctx;
    struct tn_k_sock sock = {0};
    struct tn_k_batch b = {0};
    enum tn_code code = tn_k_netns_enter(t->netns, err);
    if (code == TN_OK) {
        code = tn_k_sock_open(&sock, err);
    }
    if (code == TN_OK) {
        for (size_t i = 0; i < TN_ARRAY_SIZE(links); i++) {
            put_link(&b, i, links[i].kind);
        }
        code = tn_k_batch_send(&b, &sock, link_refused, t, err);
    }
    tn_k_batch_done(&b);
    tn_k_sock_close(&sock);
    return code;
}

static enum tn_code
try_all(unsigned *missing, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd) int netns = -1;
    enum tn_code code = tn_nft_scratch(&netns, err);
    if (code != TN_OK) {
        return code;
    }
    struct trial t = {.netns = netns};
    code = tn_k_excursion(try_links, &t, err);
    for (size_t i = 0; code == TN_OK && i < TN_ARRAY_SIZE(rules); i++) {
        enum tn_code tried =
            tn_nft_run(NULL, netns, rules[i].commands, NULL, err);
        if (tried == TN_EDENIED || tried == TN_EUNAVAILABLE) {
            code = tried;
        } else if (tried != TN_OK) {
            t.missing |= rules[i].ability;
        }
    }
    *missing |= t.missing;
    return code;
}

/* What a verdict holds for: this boot of this kernel, and this list. */
static bool
occasion(struct tn_text *out)
{
    char boot[64] = "";
    struct utsname kernel;
    TN_CLEANUP(tn_cleanup_file)
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!f || !fgets(boot, sizeof boot, f) || uname(&kernel) != 0) {
        return false;
    }
    tn_text_addf(out, "%u %s %s", (unsigned) TN_K_CAN_ALL, kernel.release,
                 boot);
    return true;
}

static bool
remembers(const char *path, const struct tn_text *occasion)
{
    char had[512];
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    return f && fgets(had, sizeof had, f) &&
           strcmp(had, tn_text_str(occasion)) == 0;
}

static enum tn_code
try_all_once(const struct tn_driver_env *env, unsigned *missing,
             struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text now = {0}, path = {0};
    bool cached = env && env->cache_dir && occasion(&now);
    if (cached) {
        tn_text_addf(&path, "%s/kernel-abilities", env->cache_dir);
        if (remembers(tn_text_str(&path), &now)) {
            return TN_OK;
        }
    }
    enum tn_code code = try_all(missing, err);
    if (code == TN_OK && *missing == 0 && cached) {
        /* What was found out can be found out again. */
        enum tn_code kept =
            tn_file_replace(tn_text_str(&path), &now, 0600, NULL);
        (void) kept;
    }
    return code;
}

enum tn_code
tn_k_probe(const struct tn_driver_env *env, struct tn_error *err)
{
    unsigned missing = 0;
    if (access("/proc/sys/net/bridge/bridge-nf-call-iptables", F_OK) != 0) {
        missing |= TN_K_CAN_FILTER_BRIDGED;
    }
    enum tn_code code = try_all_once(env, &missing, err);
    if (code == TN_EDENIED) {
        code = TN_OK; /* What then needs those rights will say so. */
    }
    return code == TN_OK ? tn_k_probe_verdict(missing, err) : code;
}
