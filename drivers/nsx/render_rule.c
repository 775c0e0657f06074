/* render_rule.c - policies of the distributed firewall, their rules, and the
 * groups of ports that they judge.
 *
 * Who is judged stands in the policy's scope, which is the group of all ports
 * that have a tag: a port that comes or goes changes itself, and no rule. */
#include "drivers/nsx/kinds.h"
#include "drivers/nsx/names.h"
#include "drivers/nsx/render_part.h"

const char *
tn_nsx_add_tagged(struct tn_nsx_render *r, const struct tn_nsx_kind *kind,
                  const char *name, const char *id, struct tn_origin origin)
{
    const char *own = tn_nsx_own_id(r, id);
    const char *path =
        tn_arena_printf(r->arena, "%s/groups/%s", r->domain, own);
    struct tn_nsx_draft d;
    tn_nsx_draft_begin(&d, r->arena, kind, r->vpc->scope, name, path);
    tn_nsx_draft_set(&d, "name", tn_nsx_own_name(r, id));
    tn_nsx_draft_json(
        &d, "members",
        tn_arena_printf(r->arena,
                        "[{\"resource_type\":\"Condition\","
                        "\"member_type\":\"%s\",\"key\":\"Tag\","
                        "\"operator\":\"EQUALS\",\"value\":\"%s|%s\"}]",
                        r->vpcs ? "VpcSubnetPort" : "SegmentPort",
                        TN_NSX_TAG_GROUP, own));
    tn_nsx_add(r, &d, tn_nsx_holder(r), origin);
    return path;
}

const char *
tn_nsx_add_policy(struct tn_nsx_render *r,
                  const struct tn_nsx_policy_args *policy, const char **path)
{
    struct tn_nsx_draft d;
    *path = tn_arena_printf(r->arena, "%s/security-policies/%s", r->domain,
                            tn_nsx_own_id(r, policy->id));
    tn_nsx_draft_begin(&d, r->arena, policy->kind, r->vpc->scope, policy->name,
                       *path);
    tn_nsx_draft_set(&d, "name", tn_nsx_own_name(r, policy->id));
    tn_nsx_draft_set(&d, "category", "Application");
    tn_nsx_draft_set(&d, "sequence",
                     tn_arena_printf(r->arena, "%u", policy->sequence));
    tn_nsx_draft_add(&d, "scope", policy->scope);
    return tn_nsx_add(r, &d, tn_nsx_holder(r), policy->origin);
}

void
tn_nsx_add_rule(struct tn_nsx_render *r, const struct tn_nsx_rule_args *rule)
{
    struct tn_nsx_draft d;
    const char *path =
        tn_arena_printf(r->arena, "%s/rules/%s", rule->path, rule->id);
    if (tn_map_put(&r->known, path, r)) {
        return;
    }
    tn_nsx_draft_begin(&d, r->arena, rule->kind, r->vpc->scope, rule->name,
                       path);
    tn_nsx_draft_set(&d, "name", rule->id);
    tn_nsx_draft_set(&d, "action", rule->action);
    tn_nsx_draft_set(&d, "direction", rule->leaves ? "OUT" : "IN");
    if (rule->family != TN_AF_NONE) {
        tn_nsx_draft_set(&d, "family",
                         rule->family == TN_AF_IPV4 ? "IPV4" : "IPV6");
    }
    tn_nsx_draft_set(&d, "sequence",
                     tn_arena_printf(r->arena, "%u", rule->sequence));
    for (size_t i = 0; i < rule->n_remote; i++) {
        tn_nsx_draft_add(&d, rule->leaves ? "to" : "from", rule->remote[i]);
    }
    if (rule->service) {
        tn_nsx_draft_add(&d, "services", rule->service);
    }
    tn_nsx_add(r, &d, rule->policy, rule->origin);
}
