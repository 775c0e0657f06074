/* commit_space.c - namespaces: of VPCs, which are ours, and of ports, which are
 * ours only if we had to make them.
 *
 * A namespace is marked (alias of its loopback), furnished, and only then
 * published. */
#include "drivers/kernel/commit.h"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <string.h>

#include "drivers/kernel/sysctl.h"

struct furnish {
    const struct tn_k_emit *e;
    const char *alias; /* Whole. */
    bool vpc;
};

static void
first_refusal(void *ctx, const struct tn_k_refusal *refusal)
{
    struct tn_k_refusal *first = ctx;
    if (!first->error) {
        *first = *refusal;
    }
}

/* Sets alias and state of the loopback. */
static enum tn_code
mark_loopback(struct tn_k_sock *sock, const char *alias, struct tn_error *err)
{
    struct tn_k_batch b = {0};
    struct tn_k_refusal refusal = {0};
    struct ifinfomsg ifi = {
        .ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    tn_k_msg_begin(&b, &(struct tn_k_msg){.type = RTM_NEWLINK,
                                          .header = &ifi,
                                          .header_size = sizeof ifi});
    tn_k_put(&b, IFLA_IFALIAS, alias, strlen(alias));
    tn_k_msg_end(&b);
    enum tn_code code = tn_k_batch_send(&b, sock, first_refusal, &refusal, err);
    tn_k_batch_done(&b);
    if (code == TN_OK && refusal.error) {
        code = tn_fail_sys(err, tn_k_code_of(refusal.error), refusal.error,
                           "cannot mark a namespace");
    }
    return code;
}

static enum tn_code
furnish_netns(void *ctx, struct tn_error *err)
{
    const struct furnish *f = ctx;
    struct tn_k_sock sock = {0};
    enum tn_code code = tn_k_sock_open(&sock, err);
    if (code == TN_OK) {
        code = mark_loopback(&sock, f->alias, err);
    }
    tn_k_sock_close(&sock);
    if (code == TN_OK && f->vpc) {
        code = tn_k_sysctls_write(err);
    }
    return code;
}

static enum tn_code
make_netns(struct furnish *f, const char *name, struct tn_k_space **out,
           struct tn_error *err)
{
    enum tn_code code = tn_k_netns_create(name, furnish_netns, f, err);
    if (code == TN_OK) {
        code = tn_k_space_adopt(f->e->c->s, name, out, err);
    }
    if (code == TN_OK) {
        code = tn_k_space_read(f->e->c->s, *out, TN_K_LINKS, err);
    }
    return code;
}

static const char *
vpc_alias(const struct tn_k_emit *e, const struct tn_k_netns *o)
{
    return tn_arena_printf(e->c->arena, "%s%s/netns", e->c->s->mark,
                           o->o.scope);
}

enum tn_code
tn_k_create_netns(const struct tn_k_emit *e, const struct tn_k_netns *o,
                  struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    struct furnish f = {e, vpc_alias(e, o), true};
    return make_netns(&f, o->o.ns, &space, err);
}

/* Puts those base rules back that somebody deleted. */
static enum tn_code
restore_rules(const struct tn_k_emit *e, struct tn_k_space *space,
              struct tn_error *err)
{
    struct tn_k_batch b = {0};
    struct tn_k_refusal refusal = {0};
    for (int i = 0; i < TN_K_BASE_RULES; i++) {
        const struct tn_k_base_rule_is *rule = &tn_k_base_rules[i];
        if (!tn_k_lacks_rule(&space->table, (enum tn_k_base_rule) i)) {
            continue;
        }
        struct fib_rule_hdr head = {.family = rule->family,
                                    .table = rule->table,
                                    .action = FR_ACT_TO_TBL};
        tn_k_msg_begin(&b,
                       &(struct tn_k_msg){.type = RTM_NEWRULE,
                                          .flags = NLM_F_CREATE | NLM_F_EXCL,
                                          .header = &head,
                                          .header_size = sizeof head,
                                          .step = e->step,
                                          .tolerance = TN_K_THERE_IS_FINE});
        tn_k_put_u32(&b, FRA_PRIORITY, rule->priority);
        tn_k_put_u8(&b, FRA_PROTOCOL, RTPROT_KERNEL);
        tn_k_msg_end(&b);
    }
    enum tn_code code =
        tn_k_batch_send(&b, &space->sock, first_refusal, &refusal, err);
    tn_k_batch_done(&b);
    if (code == TN_OK && refusal.error) {
        code = tn_fail_sys(err, tn_k_code_of(refusal.error), refusal.error,
                           "cannot put a policy rule back");
    }
    return code;
}

enum tn_code
tn_k_update_netns(const struct tn_k_emit *e, const struct tn_k_netns *o,
                  struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &space, err);
    if (code == TN_OK) {
        code = mark_loopback(&space->sock, vpc_alias(e, o), err);
    }
    if (code == TN_OK) {
        space->tuned = false;
        code = tn_k_netns_enter(space->fd, err);
    }
    if (code == TN_OK) {
        code = tn_k_sysctls_write(err);
    }
    if (code == TN_OK) {
        code = restore_rules(e, space, err);
    }
    const struct tn_k_table *t = &space->table;
    for (size_t i = 0; code == TN_OK && i < t->links.n; i++) {
        const struct tn_k_seen_link *l = &t->links.items[i];
        if (tn_k_has_settings(l, e->c->s->mark)) {
            tn_k_link_sysctls_write(l->link.name, &l->settings);
        }
    }
    return code;
}

enum tn_code
tn_k_new_links(struct tn_k_space *space, bool ipv6, struct tn_error *err)
{
    if (space->ipv6 == ipv6) {
        return TN_OK;
    }
    space->tuned = false;
    enum tn_code code = tn_k_netns_enter(space->fd, err);
    if (code == TN_OK) {
        code = tn_k_sysctl_new_links(ipv6, err);
    }
    if (code == TN_OK) {
        space->ipv6 = ipv6;
    }
    return code;
}

/* Interfaces that some modules put into every namespace. */
static bool
is_builtin(const char *name)
{
    static const char *const names[] = {
        "lo",      "tunl0",   "sit0",    "gre0",     "gretap0",
        "erspan0", "ip_vti0", "ip6tnl0", "ip6_vti0", "ip6gre0",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* With 'any', of ours too. */
static const char *
occupant(const struct tn_k_space *space, bool any)
{
    for (size_t i = 0; i < space->table.links.n; i++) {
        const struct tn_k_seen_link *l = &space->table.links.items[i];
        if (!is_builtin(l->link.name) && (any || l->group != TN_K_GROUP)) {
            return l->link.name;
        }
    }
    return NULL;
}

const char *
tn_k_occupant(const struct tn_k_space *space)
{
    return occupant(space, false);
}

/* Reads the links anew: much may have changed in this commit. */
static enum tn_code
look_again(struct tn_k_commit *c, const char *name, struct tn_k_space **out,
           struct tn_error *err)
{
    enum tn_code code = tn_k_space_get(c->s, name, out, err);
    if (code == TN_OK) {
        (*out)->epoch = 0;
        code = tn_k_space_read(c->s, *out, TN_K_LINKS, err);
    }
    return code;
}

enum tn_code
tn_k_delete_netns(struct tn_k_commit *c, const struct tn_k_netns *o,
                  struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = look_again(c, o->o.ns, &space, err);
    if (code == TN_ENOENT) {
        return TN_OK;
    }
    if (code != TN_OK) {
        return code;
    }
    /* What proved it to be ours went first. */
    if (!tn_k_space_marked(space, c->s->mark) && !space->proved) {
        return tn_fail(err, TN_ESTALE, 0, "namespace %s is not ours", o->o.ns);
    }
    const char *name = tn_k_occupant(space);
    if (name) {
        c->waits = true;
        return tn_fail(err, TN_EDENIED, 0,
                       "namespace %s is kept for interface %s, which is not "
                       "ours: move it out or delete it, then apply again",
                       o->o.ns, name);
    }
    tn_k_space_close(space);
    tn_nft_settle(c->s->nft);
    return tn_k_netns_remove(o->o.ns, err);
}

enum tn_code
tn_k_set_rules(const struct tn_k_emit *e, const struct tn_k_rules *o, bool add,
               struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &space, err);
    if (code == TN_ENOENT && !add) {
        return TN_OK;
    }
    if (code == TN_OK) {
        code =
            tn_nft_apply(e->c->s->nft, space->fd, add ? o->rules : NULL, err);
    }
    return code;
}

enum tn_code
tn_k_ports_space(const struct tn_k_emit *e, const char *name, const char *scope,
                 struct tn_k_space **out, struct tn_error *err)
{
    enum tn_code code = tn_k_commit_space(e->c, name, out, err);
    if (code != TN_ENOENT) {
        return code;
    }
    struct furnish f = {
        e,
        tn_arena_printf(e->c->arena, "%s%s", e->c->s->ports_mark, scope),
        false,
    };
    return make_netns(&f, name, out, err);
}

enum tn_code
tn_k_leave_ports_space(struct tn_k_commit *c, const char *name,
                       struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = look_again(c, name, &space, err);
    if (code == TN_ENOENT) {
        return TN_OK;
    }
    if (code != TN_OK || !tn_k_space_marked(space, c->s->ports_mark) ||
        occupant(space, true)) {
        return code;
    }
    tn_k_space_close(space);
    return tn_k_netns_remove(name, err);
}
