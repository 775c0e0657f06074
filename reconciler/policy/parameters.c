/* parameters.c - which parameters the built-in rules take, and which they need.
 *
 * A rule without what it needs would object to nothing, and a parameter that
 * the rule does not know would be heeded by nobody: both are errors. */
#include "reconciler/policy/parameters.h"

#include <regex.h>

#include "reconciler/policy/pattern.h"

/* Which of the rules a parameter is for; 'given' is where it stands. */
struct parameter {
    const char *name;
    struct tn_pos given;
    unsigned rules;
};

static void
parameters_check(const struct tn_check *check, const struct tn_policy *p)
{
#define ON(name_) (1u << (name_))
    const struct parameter rows[] = {
        {"ports", p->ports.at,
         ON(TN_BUILTIN_OPEN_PORTS) | ON(TN_BUILTIN_REACH)},
        {"widest", p->widest.at, ON(TN_BUILTIN_OPEN_PORTS)},
        {"widest6", p->widest6.at, ON(TN_BUILTIN_OPEN_PORTS)},
        {"prefixes", p->prefixes.at,
         ON(TN_BUILTIN_RESERVED_RANGES) | ON(TN_BUILTIN_ALLOWED_RANGES)},
        {"kinds", p->kinds.at,
         ON(TN_BUILTIN_NAMING) | ON(TN_BUILTIN_REQUIRED_LABELS)},
        {"pattern", p->pattern.at, ON(TN_BUILTIN_NAMING)},
        {"keys", p->keys.at,
         ON(TN_BUILTIN_REQUIRED_LABELS) | ON(TN_BUILTIN_PROTECTED)},
        {"objects", p->objects.at, ON(TN_BUILTIN_PROTECTED)},
        {"vpcs", p->max_vpcs.at, ON(TN_BUILTIN_QUOTAS)},
        {"subnetsPerVpc", p->max_subnets.at, ON(TN_BUILTIN_QUOTAS)},
        {"portsPerTenant", p->max_tenant_ports.at, ON(TN_BUILTIN_QUOTAS)},
        {"portsPerVpc", p->max_ports.at, ON(TN_BUILTIN_QUOTAS)},
        {"rulesPerGroup", p->max_rules.at, ON(TN_BUILTIN_QUOTAS)},
        {"maxDeletes", p->max_deletes.at, ON(TN_BUILTIN_DELETE_BUDGET)},
        {"maxDeletePercent", p->max_delete_percent.at,
         ON(TN_BUILTIN_DELETE_BUDGET)},
        {"maxDeletesPerTenant", p->max_deletes_per_tenant.at,
         ON(TN_BUILTIN_DELETE_BUDGET)},
        {"from", p->from.at, ON(TN_BUILTIN_REACH)},
        {"to", p->to.at, ON(TN_BUILTIN_REACH)},
        {"protocol", p->protocol.at, ON(TN_BUILTIN_REACH)},
        {"reach", p->reach.at, ON(TN_BUILTIN_REACH)},
    };
#undef ON
    unsigned which = p->builtin.v;
    bool any = false;
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        bool ours = p->builtin.at.line && (rows[i].rules & 1u << which);
        any = any || (ours && rows[i].given.line);
        if (rows[i].given.line && !ours) {
            tn_check_error(check, rows[i].given,
                           "'%s' is no parameter of this rule", rows[i].name);
        }
    }
    if (p->builtin.at.line && !any && which != TN_BUILTIN_FREEZE &&
        which != TN_BUILTIN_REQUIRED_GROUPS) {
        tn_check_error(check, p->builtin.at,
                       "%s without parameters would object to nothing",
                       tn_builtin_word((enum tn_builtin) which));
    }
}

static void
needs(const struct tn_check *check, const struct tn_policy *p, bool given,
      const char *what)
{
    if (!given) {
        tn_check_error(check, p->builtin.at, "%s needs 'with: {%s: ...}'",
                       tn_builtin_word((enum tn_builtin) p->builtin.v), what);
    }
}

static void
required_check(const struct tn_check *check, const struct tn_policy *p)
{
    switch ((enum tn_builtin) p->builtin.v) {
    case TN_BUILTIN_OPEN_PORTS:
        needs(check, p, p->ports.at.line != 0, "ports");
        break;
    case TN_BUILTIN_RESERVED_RANGES:
    case TN_BUILTIN_ALLOWED_RANGES:
        needs(check, p, p->prefixes.at.line != 0, "prefixes");
        break;
    case TN_BUILTIN_NAMING:
        needs(check, p, p->pattern.at.line != 0, "pattern");
        break;
    case TN_BUILTIN_REQUIRED_LABELS:
        needs(check, p, p->keys.at.line != 0, "keys");
        break;
    case TN_BUILTIN_REACH:
        needs(check, p, p->from.at.line != 0, "from");
        needs(check, p, p->to.at.line != 0, "to");
        break;
    case TN_BUILTIN_REQUIRED_GROUPS:
    case TN_BUILTIN_QUOTAS:
    case TN_BUILTIN_DELETE_BUDGET:
    case TN_BUILTIN_PROTECTED:
    case TN_BUILTIN_FREEZE:
    case TN_N_BUILTINS:
        break;
    }
}

static void
kinds_check(const struct tn_check *check, const struct tn_policy *p)
{
    for (size_t i = 0; i < p->kinds.n; i++) {
        if (p->kinds.items[i].v == TN_POLICY_OF_SUBNET &&
            p->builtin.v == TN_BUILTIN_REQUIRED_LABELS) {
            tn_check_error(check, p->kinds.items[i].at,
                           "subnets have no labels");
        }
    }
}

static void
pattern_check(const struct tn_check *check, const struct tn_policy *p)
{
    regex_t ignored;
    const char *excess = tn_pattern_excess(p->pattern.v);
    if (excess) {
        tn_check_error(check, p->pattern.at, "%s", excess);
    } else if (regcomp(&ignored, p->pattern.v, REG_EXTENDED | REG_NOSUB)) {
        tn_check_error(check, p->pattern.at, "it is no regular expression");
    } else {
        regfree(&ignored);
    }
}

void
tn_policy_parameters_check(const struct tn_check *check,
                           const struct tn_policy *p)
{
    parameters_check(check, p);
    if (p->builtin.at.line) {
        required_check(check, p);
        kinds_check(check, p);
    }
    if (p->over.at.line && !p->jq.at.line) {
        tn_check_error(check, p->over.at, "'over' is for jq programs only");
    }
    if (p->pattern.v) {
        pattern_check(check, p);
    }
    bool objects_to = false;
    for (size_t i = 0; i < p->examples.n; i++) {
        objects_to = objects_to || p->examples.items[i].expect.n > 0;
    }
    if (p->jq.v && !objects_to) {
        struct tn_diag *d = tn_check_error(
            check, p->jq.at, "no example that the program objects to");
        tn_check_hint(check, d,
                      "add one with 'expect': a program that never "
                      "objects would go unnoticed");
    }
}
