/* table_hook.c - what leads packets other ways than routes and rules of ours
 * say: policy rules, and queueing disciplines (which filters hang on).
 *
 * tenet makes none of either.  What the kernel itself makes is dropped on
 * arrival; of the policy rules that every namespace begins with it is only
 * noted that they are there. */
#include "drivers/kernel/table.h"

#include <linux/fib_rules.h>
#include <sys/socket.h>

#include "drivers/kernel/format.h"

const struct tn_k_base_rule_is tn_k_base_rules[TN_K_BASE_RULES] = {
    [TN_K_RULE_LOCAL] = {"ipv4/local", AF_INET, RT_TABLE_LOCAL, 0},
    [TN_K_RULE_MAIN] = {"ipv4/main", AF_INET, RT_TABLE_MAIN, 32766},
    [TN_K_RULE_LOCAL6] = {"ipv6/local", AF_INET6, RT_TABLE_LOCAL, 0},
    [TN_K_RULE_MAIN6] = {"ipv6/main", AF_INET6, RT_TABLE_MAIN, 32766},
};

/* The last of IPv4's: its table is empty unless somebody fills it, and then its
 * routes are shown. */
static const struct tn_k_base_rule_is last_rule = {"", AF_INET,
                                                   RT_TABLE_DEFAULT, 32767};

enum { NO_SUPPRESSION = -1 };

/* A rule being read. */
struct rule {
    const struct fib_rule_hdr *head;
    struct tn_addr from, to;
    uint32_t priority, table, mark, goes_to;
    const char *in, *out; /* Interfaces; null: any. */
    bool marked;          /* Only packets with 'mark'. */
    bool more;            /* Asks for something else, too. */
};

static void
rule_attr(struct rule *r, const struct nlattr *a)
{
    switch (tn_k_attr_type(a)) {
    case FRA_SRC:
        tn_k_attr_addr(&r->from, a);
        break;
    case FRA_DST:
        tn_k_attr_addr(&r->to, a);
        break;
    case FRA_PRIORITY:
        r->priority = tn_k_attr_u32(a);
        break;
    case FRA_TABLE:
        r->table = tn_k_attr_u32(a);
        break;
    case FRA_GOTO:
        r->goes_to = tn_k_attr_u32(a);
        break;
    case FRA_IIFNAME:
        r->in = tn_k_attr_str(a);
        break;
    case FRA_OIFNAME:
        r->out = tn_k_attr_str(a);
        break;
    case FRA_FWMARK:
        r->mark = tn_k_attr_u32(a);
        r->marked = true;
        break;
    case FRA_SUPPRESS_PREFIXLEN:
    case FRA_SUPPRESS_IFGROUP:
        r->more |= (int32_t) tn_k_attr_u32(a) != NO_SUPPRESSION;
        break;
    case FRA_FWMASK:
    case FRA_PROTOCOL:
    case FRA_PAD:
        break;
    case FRA_L3MDEV:
        r->more |= tn_k_attr_u8(a) != 0;
        break;
    default:
        r->more = true;
        break;
    }
}

static bool
is_rule(const struct rule *r, const struct tn_k_base_rule_is *base)
{
    const struct fib_rule_hdr *h = r->head;
    return h->family == base->family && r->priority == base->priority &&
           r->table == base->table && h->action == FR_ACT_TO_TBL &&
           !h->dst_len && !h->src_len && !h->tos && !r->in && !r->out &&
           !r->marked && !r->more && !(h->flags & FIB_RULE_INVERT);
}

static void
add_prefix(struct tn_k_str *t, const char *word, const struct tn_addr *addr,
           uint8_t len)
{
    if (len && tn_addr_present(addr)) {
        tn_k_str_add(t, word);
        tn_k_str_add_cidr(t, &(struct tn_cidr){*addr, len});
    }
}

static void
add_interface(struct tn_k_str *t, const char *word, const char *name)
{
    if (name) {
        tn_k_str_add(t, word);
        tn_k_str_add(t, name);
    }
}

static void
add_action(struct tn_k_str *t, const struct rule *r)
{
    switch ((int) r->head->action) {
    case FR_ACT_TO_TBL:
        tn_k_str_add(t, " lookup ");
        tn_k_str_add_uint(t, r->table);
        break;
    case FR_ACT_GOTO:
        tn_k_str_add(t, " goto ");
        tn_k_str_add_uint(t, r->goes_to);
        break;
    case FR_ACT_BLACKHOLE:
        tn_k_str_add(t, " blackhole");
        break;
    case FR_ACT_UNREACHABLE:
        tn_k_str_add(t, " unreachable");
        break;
    case FR_ACT_PROHIBIT:
        tn_k_str_add(t, " prohibit");
        break;
    default:
        tn_k_str_add(t, " nop");
        break;
    }
}

static const char *
rule_text(struct tn_arena *arena, const struct rule *r)
{
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    tn_k_str_add(&t, r->head->family == AF_INET ? "ipv4 " : "ipv6 ");
    tn_k_str_add_uint(&t, r->priority);
    tn_k_str_addc(&t, ':');
    if (r->head->flags & FIB_RULE_INVERT) {
        tn_k_str_add(&t, " not");
    }
    add_prefix(&t, " from ", &r->from, r->head->src_len);
    add_prefix(&t, " to ", &r->to, r->head->dst_len);
    add_interface(&t, " iif ", r->in);
    add_interface(&t, " oif ", r->out);
    if (r->marked) {
        tn_k_str_add(&t, " mark ");
        tn_k_str_add_uint(&t, r->mark);
    }
    if (r->more || r->head->tos) {
        tn_k_str_add(&t, " ...");
    }
    add_action(&t, r);
    return tn_k_str_end(&t);
}

enum tn_k_base_rule
tn_k_rule_read(struct tn_arena *arena, const struct nlmsghdr *msg,
               const char **text)
{
    struct rule r = {.head = NLMSG_DATA(msg)};
    const struct nlattr *a;
    int left;
    *text = NULL;
    if (r.head->family != AF_INET && r.head->family != AF_INET6) {
        return TN_K_BASE_RULES;
    }
    r.table = r.head->table;
    TN_K_EACH_ATTR_OF(a, msg, sizeof *r.head, left)
    {
        rule_attr(&r, a);
    }
    for (int i = 0; i < TN_K_BASE_RULES; i++) {
        if (is_rule(&r, &tn_k_base_rules[i])) {
            return (enum tn_k_base_rule) i;
        }
    }
    if (!is_rule(&r, &last_rule)) {
        *text = rule_text(arena, &r);
    }
    return TN_K_BASE_RULES;
}

static unsigned
bits_of(uint8_t family)
{
    return family == AF_INET ? 1u << TN_K_RULE_LOCAL | 1u << TN_K_RULE_MAIN
                             : 1u << TN_K_RULE_LOCAL6 | 1u << TN_K_RULE_MAIN6;
}

static void
reset_rules(void *ctx)
{
    struct tn_k_table *t = ctx;
    t->rules.n = 0;
    t->lookups.n = 0;
    t->base_rules = t->base_known = 0;
}

static void
add_lookup(struct tn_k_table *t, const struct nlmsghdr *msg)
{
    const struct fib_rule_hdr *head = NLMSG_DATA(msg);
    struct tn_k_seen_lookup l = {head->family, head->table};
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_OF(a, msg, sizeof *head, left)
    {
        l.table = tn_k_attr_type(a) == FRA_TABLE ? tn_k_attr_u32(a) : l.table;
    }
    bool known = head->action != FR_ACT_TO_TBL || l.table == RT_TABLE_MAIN ||
                 l.table == RT_TABLE_LOCAL;
    for (size_t i = 0; !known && i < t->lookups.n; i++) {
        known = t->lookups.items[i].family == l.family &&
                t->lookups.items[i].table == l.table;
    }
    if (!known) {
        *tn_vec_push(t->arena, &t->lookups) = l;
    }
}

static void
each_rule(void *ctx, const struct nlmsghdr *msg)
{
    struct tn_k_table *t = ctx;
    const struct fib_rule_hdr *head = NLMSG_DATA(msg);
    const char *text = NULL;
    if (msg->nlmsg_type != RTM_NEWRULE ||
        (head->family != AF_INET && head->family != AF_INET6)) {
        return;
    }
    enum tn_k_base_rule base = tn_k_rule_read(t->arena, msg, &text);
    t->base_known |= bits_of(head->family);
    add_lookup(t, msg);
    if (base != TN_K_BASE_RULES) {
        t->base_rules |= 1u << base;
    } else if (text) {
        *tn_vec_push(t->arena, &t->rules) = (struct tn_k_seen_rule){text};
    }
}

static void
no_reset(void *ctx)
{
    (void) ctx;
}

static void
no_rule(void *ctx, const struct nlmsghdr *msg)
{
    (void) ctx;
    (void) msg;
}

/* No rule at all: does the kernel have none of that family, or did somebody
 * delete all of them? */
static bool
has_family(struct tn_k_sock *sock, uint8_t family)
{
    struct fib_rule_hdr request = {.family = family};
    struct tn_k_dump dump = {RTM_GETRULE, &request, sizeof request,
                             no_reset,    no_rule,  NULL};
    struct tn_error none = {0};
    return tn_k_sock_dump(sock, &dump, "policy rules", &none) == TN_OK;
}

enum tn_code
tn_k_table_rules(struct tn_k_table *t, struct tn_k_sock *sock,
                 struct tn_error *err)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    struct fib_rule_hdr request = {0};
    struct tn_k_dump dump = {RTM_GETRULE, &request,  sizeof request,
                             reset_rules, each_rule, t};
    enum tn_code code = tn_k_sock_dump(sock, &dump, "policy rules", err);
    if (code == TN_EUNSUPPORTED) {
        return TN_OK; /* A kernel without. */
    }
    for (size_t i = 0; code == TN_OK && i < TN_ARRAY_SIZE(families); i++) {
        unsigned bits = bits_of(families[i]);
        if (!(t->base_known & bits) && has_family(sock, families[i])) {
            t->base_known |= bits;
        }
    }
    return code;
}

bool
tn_k_qdisc_read(const struct nlmsghdr *msg, struct tn_k_seen_qdisc *out)
{
    const struct tcmsg *tc = NLMSG_DATA(msg);
    const struct nlattr *a;
    int left;
    *out = (struct tn_k_seen_qdisc){.index = (uint32_t) tc->tcm_ifindex};
    if (tc->tcm_handle == 0) {
        return false;
    }
    TN_K_EACH_ATTR_OF(a, msg, sizeof *tc, left)
    {
        if (tn_k_attr_type(a) == TCA_KIND) {
            tn_k_attr_copy(out->kind, a, sizeof out->kind - 1);
            break;
        }
    }
    return true;
}

static void
reset_qdiscs(void *ctx)
{
    struct tn_k_table *t = ctx;
    t->qdiscs.n = 0;
}

static void
each_qdisc(void *ctx, const struct nlmsghdr *msg)
{
    struct tn_k_table *t = ctx;
    struct tn_k_seen_qdisc seen;
    if (msg->nlmsg_type == RTM_NEWQDISC && tn_k_qdisc_read(msg, &seen)) {
        *tn_vec_push(t->arena, &t->qdiscs) = seen;
    }
}

enum tn_code
tn_k_table_qdiscs(struct tn_k_table *t, struct tn_k_sock *sock,
                  struct tn_error *err)
{
    struct tcmsg request = {0};
    struct tn_k_dump dump = {RTM_GETQDISC, &request,   sizeof request,
                             reset_qdiscs, each_qdisc, t};
    enum tn_code code =
        tn_k_sock_dump(sock, &dump, "queueing disciplines", err);
    return code == TN_EUNSUPPORTED ? TN_OK : code;
}
