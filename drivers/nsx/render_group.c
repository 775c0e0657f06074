/* render_group.c - security groups: who is in them, and what they let through.
 *
 * Of each there are two things in NSX.  The group of its ports, found by their
 * tag, is what its policy judges.  The group of its members' addresses is what
 * rules of others mean by "remote group": a list, and not what NSX finds out
 * about the ports, since that would also be their further addresses, and what
 * they claim to have.  Who has no address is nobody: a rule for a group without
 * members is not made. */
#include <string.h>

#include "drivers/nsx/kinds.h"
#include "drivers/nsx/names.h"
#include "drivers/nsx/render_part.h"
#include "model/base/cleanup.h"
#include "model/base/digest.h"

enum { SEQUENCE = 2000, RULE = 10, ADDRESSES = 500, FILLED = 350 };

bool
tn_nsx_is_judged(const struct tn_net_port *port)
{
    bool judged = false;
    for (size_t i = 0; !judged && i < port->n_groups; i++) {
        judged = port->groups[i]->has_egress;
    }
    return judged;
}

void
tn_nsx_port_groups(const struct tn_nsx_render *r, struct tn_nsx_draft *d,
                   const struct tn_net_port *port)
{
    tn_nsx_draft_add(d, "groups", tn_nsx_own_id(r, TN_NSX_ALL));
    if (tn_nsx_is_judged(port)) {
        tn_nsx_draft_add(d, "groups", tn_nsx_own_id(r, TN_NSX_OUT));
    }
    for (size_t i = 0; i < port->n_groups; i++) {
        tn_nsx_draft_add(d, "groups", tn_nsx_own_id(r, port->groups[i]->name));
    }
}

/* ---- addresses ---- */

/* NSX takes 500 addresses in a group.  More are spread over 2, 4, 8, ... by a
 * hash, so that one that comes or goes changes one of them. */
static size_t
bucket_of(const struct tn_addr *a, size_t buckets)
{
    return tn_hash64(a->b, tn_addr_size(a)) % buckets;
}

static bool
fits(struct tn_arena *arena, const struct tn_net_group *g, size_t buckets)
{
    size_t *load = tn_new_n(arena, size_t, buckets);
    for (size_t i = 0; i < g->n_members; i++) {
        if (++load[bucket_of(&g->members[i], buckets)] > ADDRESSES) {
            return false;
        }
    }
    return true;
}

static size_t
buckets_of(struct tn_arena *arena, const struct tn_net_group *g)
{
    size_t n = 1;
    while (g->n_members > n * (n > 1 ? FILLED : ADDRESSES) ||
           !fits(arena, g, n)) {
        n *= 2;
    }
    return n;
}

static const char *
add_members(struct tn_nsx_render *r, const struct tn_net_group *g, size_t at,
            size_t buckets)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const char *part =
        buckets > 1 ? tn_arena_printf(r->arena, "-%zuof%zu", at + 1, buckets)
                    : "";
    const char *id = tn_arena_printf(r->arena, "%s__members%s", g->name, part);
    const char *path = tn_arena_printf(r->arena, "%s/groups/%s", r->domain,
                                       tn_nsx_own_id(r, id));
    struct tn_nsx_draft d;
    size_t n = 0;
    if (tn_map_get(&r->known, path)) {
        return path;
    }
    tn_text_add(
        &t, "[{\"resource_type\":\"IPAddressExpression\",\"ip_addresses\":[");
    for (size_t i = 0; i < g->n_members; i++) {
        if (bucket_of(&g->members[i], buckets) == at) {
            tn_text_addf(&t, "%s\"%s\"", n++ ? "," : "",
                         tn_nsx_addr(r->arena, &g->members[i]));
        }
    }
    tn_text_add(&t, "]}]");
    if (n == 0) {
        return NULL;
    }
    tn_map_put(&r->known, path, r);
    tn_nsx_draft_begin(&d, r->arena, &tn_nsx_members, r->vpc->scope,
                       tn_arena_printf(r->arena, "%s%s", g->name, part), path);
    tn_nsx_draft_set(&d, "name", tn_nsx_own_name(r, id));
    tn_nsx_draft_json(&d, "members", tn_text_str(&t));
    tn_nsx_add(r, &d, tn_nsx_holder(r), g->origin);
    return path;
}

/* ---- rules ---- */

/* As a part of an id: "10.0.0.0_8", "fd00--_8", "group-admin", "any". */
static const char *
remote_word(struct tn_arena *arena, const struct tn_net_rule *rule)
{
    if (rule->remote_group) {
        return tn_arena_printf(arena, "group-%s", rule->remote_group->name);
    }
    if (rule->remote.addr.family == TN_AF_NONE) {
        return "any";
    }
    return tn_nsx_word(arena, tn_nsx_cidr(arena, &rule->remote));
}

struct remote {
    TN_VEC(const char *) list;
    bool nobody;
};

/* "All of a family" is said by the rule's family alone. */
static struct remote
remote_of(struct tn_nsx_render *r, const struct tn_net_rule *rule)
{
    struct remote out = {0};
    if (rule->remote_group) {
        const struct tn_net_group *g = rule->remote_group;
        size_t buckets = buckets_of(r->arena, g);
        for (size_t i = 0; i < buckets; i++) {
            const char *path = add_members(r, g, i, buckets);
            if (path) {
                *tn_vec_push(r->arena, &out.list) = path;
            }
        }
        out.nobody = out.list.n == 0;
    } else if (rule->remote.addr.family != TN_AF_NONE && rule->remote.len) {
        *tn_vec_push(r->arena, &out.list) =
            tn_nsx_cidr(r->arena, &rule->remote);
    }
    return out;
}

static void
render_rule(struct tn_nsx_render *r, const struct tn_net_group *group,
            const struct tn_net_rule *rule, const char *policy,
            const char *path)
{
    unsigned family =
        rule->remote_group ? TN_AF_NONE : rule->remote.addr.family;
    const struct remote remote = remote_of(r, rule);
    const char *id = tn_nsx_short(
        r->arena,
        tn_arena_printf(r->arena, "%s_%s_%s",
                        rule->direction == TN_INGRESS ? "in" : "out",
                        tn_nsx_service_name(r->arena, rule, family),
                        remote_word(r->arena, rule)),
        TN_NSX_RULE_ID_MAX);
    if (remote.nobody) {
        return;
    }
    const struct tn_nsx_rule_args args = {
        .kind = &tn_nsx_rule,
        .policy = policy,
        .path = path,
        .name = tn_arena_printf(r->arena, "%s/%s", group->name, id),
        .id = id,
        .action = "ALLOW",
        .leaves = rule->direction == TN_EGRESS,
        .family = family,
        .sequence = RULE,
        .remote = remote.list.items,
        .n_remote = remote.list.n,
        .service = tn_nsx_service_of(r, rule, family),
        .origin = rule->origin,
    };
    tn_nsx_add_rule(r, &args);
}

static void
render_group(struct tn_nsx_render *r, const struct tn_net_group *group)
{
    const char *ports = tn_nsx_add_tagged(r, &tn_nsx_group, group->name,
                                          group->name, group->origin);
    const struct tn_nsx_policy_args args = {
        .kind = &tn_nsx_policy,
        .name = group->name,
        .id = group->name,
        .scope = ports,
        .sequence = SEQUENCE,
        .origin = group->origin,
    };
    const char *path;
    const char *policy = tn_nsx_add_policy(r, &args, &path);
    for (size_t i = 0; i < group->n_rules; i++) {
        render_rule(r, group, &group->rules[i], policy, path);
    }
}

void
tn_nsx_render_groups(struct tn_nsx_render *r)
{
    for (size_t i = 0; i < r->vpc->n_groups; i++) {
        render_group(r, &r->vpc->groups[i]);
    }
}
