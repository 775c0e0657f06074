/* rules.c - built-in rules about one VPC and what is in it. */
#include "reconciler/policy/work.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST = 8, WIDEST6 = 24 };

/* ---- no port open to the world ------------------------------------------ */

/* Addresses that are nobody's on the Internet. */
static bool
is_private(const struct tn_cidr *c)
{
    static const char *const ranges[] = {
        "10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
        "169.254.0.0/16", "127.0.0.0/8",   "fc00::/7",       "fe80::/10",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(ranges); i++) {
        struct tn_cidr range;
        if (tn_cidr_parse(ranges[i], &range) == TN_CIDR_OK &&
            tn_cidr_within(c, &range)) {
            return true;
        }
    }
    return false;
}

static uint64_t
widest_of(const struct tn_policy *p, unsigned family)
{
    return family == TN_AF_IPV4 ? (p->widest.at.line ? p->widest.v : WIDEST)
                                : (p->widest6.at.line ? p->widest6.v : WIDEST6);
}

static bool
is_world(const struct tn_policy *p, const struct tn_net_rule *rule)
{
    if (rule->remote_group) {
        return false;
    }
    if (!tn_addr_present(&rule->remote.addr)) {
        return true;
    }
    return rule->remote.len < widest_of(p, rule->remote.addr.family) &&
           !is_private(&rule->remote);
}

/* The first forbidden port that the rule opens; false if there is none. */
static bool
opens(const struct tn_policy *p, const struct tn_net_rule *rule,
      struct tn_vrange *out)
{
    if (rule->protocol == TN_PROTO_ICMP) {
        return false;
    }
    for (size_t i = 0; i < p->ports.n; i++) {
        const struct tn_vrange *bad = &p->ports.items[i];
        if (rule->n_ports == 0) {
            *out = *bad;
            return true;
        }
        for (size_t k = 0; k < rule->n_ports; k++) {
            const struct tn_vrange *r = &rule->ports[k];
            if (r->first <= bad->last && bad->first <= r->last) {
                out->first = r->first > bad->first ? r->first : bad->first;
                out->last = r->last < bad->last ? r->last : bad->last;
                return true;
            }
        }
    }
    return false;
}

static const char *
span_text(struct tn_arena *arena, const struct tn_vrange *r)
{
    return r->first == r->last
               ? tn_arena_printf(arena, "%u", r->first)
               : tn_arena_printf(arena, "%u-%u", r->first, r->last);
}

/* Rules of a group that are narrow enough one by one, by their prefixes. */
struct narrow {
    const struct tn_net_rule **rules;
    size_t n;
};

static int
remote_cmp(const void *a, const void *b)
{
    const struct tn_net_rule *const *x = a, *const *y = b;
    return tn_cidr_cmp(&(*x)->remote, &(*y)->remote);
}

static void
narrow_rules(struct tn_judgement *j, const struct tn_policy *p,
             const struct tn_net_group *group, struct narrow *out)
{
    *out = (struct narrow){0};
    out->rules = tn_new_n(j->arena, const struct tn_net_rule *, group->n_rules);
    for (size_t i = 0; i < group->n_rules; i++) {
        const struct tn_net_rule *rule = &group->rules[i];
        if (rule->direction == TN_INGRESS && rule->protocol != TN_PROTO_ICMP &&
            !is_world(p, rule) && tn_addr_present(&rule->remote.addr) &&
            !is_private(&rule->remote)) {
            out->rules[out->n++] = rule;
        }
    }
    qsort(out->rules, out->n, sizeof(const struct tn_net_rule *), remote_cmp);
}

static bool
lets_in(const struct tn_net_rule *rule, enum tn_protocol proto, unsigned port)
{
    bool any = rule->n_ports == 0;
    for (size_t i = 0; i < rule->n_ports && !any; i++) {
        any = rule->ports[i].first <= port && port <= rule->ports[i].last;
    }
    return any && (rule->protocol == TN_PROTO_ANY || rule->protocol == proto);
}

/* The rule with which the prefixes that let the port in have as many addresses
 * as one that is too wide; null: they have fewer. */
static const struct tn_net_rule *
too_many(const struct tn_policy *p, const struct narrow *all,
         enum tn_protocol proto, unsigned port)
{
    const struct tn_cidr *last = NULL;
    double sum = 0; /* 1: the narrowest prefix that is too wide. */
    for (size_t i = 0; i < all->n; i++) {
        const struct tn_cidr *c = &all->rules[i]->remote;
        if (!lets_in(all->rules[i], proto, port) ||
            (last && tn_cidr_within(c, last))) {
            continue;
        }
        double part = 1;
        for (uint64_t k = widest_of(p, c->addr.family); k <= c->len; k++) {
            part /= 2;
        }
        sum = last && last->addr.family == c->addr.family ? sum + part : part;
        last = c;
        if (sum >= 1 && widest_of(p, c->addr.family)) {
            return all->rules[i];
        }
    }
    return NULL;
}

/* The first port of the range that they open together: it is the first one of
 * the range, or of some rule. */
static const struct tn_net_rule *
together(const struct tn_policy *p, const struct narrow *all,
         enum tn_protocol proto, const struct tn_vrange *bad, unsigned *port)
{
    const struct tn_net_rule *rule = too_many(p, all, proto, bad->first);
    *port = bad->first;
    for (size_t i = 0; i < all->n && !rule; i++) {
        for (size_t k = 0; k < all->rules[i]->n_ports && !rule; k++) {
            *port = all->rules[i]->ports[k].first;
            if (*port > bad->first && *port <= bad->last) {
                rule = too_many(p, all, proto, *port);
            }
        }
    }
    return rule;
}

static bool
any_changed(const struct tn_judgement *j, const struct tn_touch *t,
            const struct tn_net_group *group, const struct narrow *all)
{
    bool changed = false;
    for (size_t i = 0; i < all->n && !changed; i++) {
        changed = tn_changed_rule(j, t, group, all->rules[i]);
    }
    return changed;
}

/* Narrow prefixes that add up: told once for each range of ports. */
static void
added_up(struct tn_judgement *j, const struct tn_policy_rule *r,
         const struct tn_touch *t, const struct tn_net_group *group)
{
    static const enum tn_protocol protos[] = {TN_PROTO_TCP, TN_PROTO_UDP,
                                              TN_PROTO_SCTP};
    struct narrow all;
    if (group->n_rules < 2) {
        return;
    }
    narrow_rules(j, r->doc, group, &all);
    if (!any_changed(j, t, group, &all)) {
        return;
    }
    for (size_t b = 0; b < r->doc->ports.n && all.n > 1; b++) {
        const struct tn_net_rule *rule = NULL;
        unsigned port = 0;
        size_t k = 0;
        for (; k < TN_ARRAY_SIZE(protos) && !rule; k++) {
            rule = together(r->doc, &all, protos[k], &r->doc->ports.items[b],
                            &port);
        }
        if (rule) {
            tn_judge_object(
                j, r,
                &(struct tn_objection){
                    .message = tn_arena_printf(
                        j->arena,
                        "%s port %u is open to prefixes that add up to as "
                        "much as one that is too wide",
                        protos[k - 1] == TN_PROTO_TCP   ? "tcp"
                        : protos[k - 1] == TN_PROTO_UDP ? "udp"
                                                        : "sctp",
                        port),
                    .at = rule->origin,
                    .tenant = t->tenant,
                    .subject = tn_arena_printf(j->arena, "%s/%s", t->scope,
                                               group->name),
                });
        }
    }
}

void
tn_policy_rule_open_ports(struct tn_judgement *j,
                          const struct tn_policy_rule *r,
                          const struct tn_touch *t)
{
    static const char *const words[] = {
        [TN_PROTO_ANY] = "any protocol's",
        [TN_PROTO_TCP] = "tcp",
        [TN_PROTO_UDP] = "udp",
        [TN_PROTO_ICMP] = "icmp",
        [TN_PROTO_SCTP] = "sctp",
    };
    for (size_t g = 0; g < t->after->n_groups; g++) {
        const struct tn_net_group *group = &t->after->groups[g];
        for (size_t i = 0; i < group->n_rules; i++) {
            const struct tn_net_rule *rule = &group->rules[i];
            struct tn_vrange span = {0};
            char cidr[TN_CIDR_TEXT];
            if (rule->direction != TN_INGRESS || !is_world(r->doc, rule) ||
                !opens(r->doc, rule, &span) ||
                !tn_changed_rule(j, t, group, rule)) {
                continue;
            }
            bool anybody = !tn_addr_present(&rule->remote.addr);
            tn_judge_object(
                j, r,
                &(struct tn_objection){
                    .message = tn_arena_printf(
                        j->arena, "%s port %s is open to %s",
                        words[rule->protocol], span_text(j->arena, &span),
                        anybody ? "anybody"
                                : tn_cidr_format(&rule->remote, cidr)),
                    .at = rule->origin,
                    .tenant = t->tenant,
                    .subject = tn_arena_printf(j->arena, "%s/%s", t->scope,
                                               group->name),
                });
        }
        added_up(j, r, t, group);
    }
}

/* ---- ranges ------------------------------------------------------------- */

static void
range_check(struct tn_judgement *j, const struct tn_policy_rule *r,
            const struct tn_cidr *c, const char *what,
            const struct tn_objection *about)
{
    const struct tn_policy *p = r->doc;
    bool reserved = p->builtin.v == TN_BUILTIN_RESERVED_RANGES, inside = false;
    char text[TN_CIDR_TEXT], range[TN_CIDR_TEXT];
    const struct tn_cidr *hit = NULL;
    if (!tn_addr_present(&c->addr)) {
        return;
    }
    for (size_t i = 0; i < p->prefixes.n && !hit; i++) {
        const struct tn_cidr *one = &p->prefixes.items[i].v;
        inside = inside || tn_cidr_within(c, one);
        hit = reserved && tn_cidr_overlap(c, one) ? one : NULL;
    }
    if (!hit && (reserved || inside)) {
        return;
    }
    struct tn_objection o = *about;
    tn_cidr_format(c, text);
    o.message = hit ? tn_arena_printf(j->arena,
                                      "%s %s overlaps %s, which is "
                                      "reserved",
                                      what, text, tn_cidr_format(hit, range))
                    : tn_arena_printf(j->arena,
                                      "%s %s is not within the allowed ranges",
                                      what, text);
    tn_judge_object(j, r, &o);
}

void
tn_policy_rule_ranges(struct tn_judgement *j, const struct tn_policy_rule *r,
                      const struct tn_touch *t)
{
    const struct tn_net_vpc *v = t->after;
    struct tn_objection o = {.tenant = t->tenant};
    for (size_t s = 0; s < v->n_subnets; s++) {
        const struct tn_net_subnet *subnet = &v->subnets[s];
        o.at = subnet->origin;
        o.subject = tn_arena_printf(j->arena, "%s/%s", t->scope, subnet->name);
        if (tn_changed_subnet(j, t, subnet)) {
            range_check(j, r, &subnet->cidr, "subnet", &o);
            range_check(j, r, &subnet->cidr6, "subnet", &o);
        }
        for (size_t i = 0; i < subnet->n_ports; i++) {
            const struct tn_net_port *port = &subnet->ports[i];
            for (size_t k = 0; k < port->n_allowed; k++) {
                if (!tn_changed_allowed(j, t, port, &port->allowed[k])) {
                    continue;
                }
                o.at = port->origin;
                o.subject =
                    tn_arena_printf(j->arena, "%s/%s", t->scope, port->name);
                range_check(j, r, &port->allowed[k], "allowed address", &o);
            }
        }
    }
    o.subject = t->scope;
    for (size_t i = 0; i < v->n_routes; i++) {
        bool whole = v->routes[i].to.len == 0;
        o.at = v->routes[i].origin;
        /* A default route claims nothing. */
        if (!whole && tn_changed_route(j, t, &v->routes[i])) {
            range_check(j, r, &v->routes[i].to, "route to", &o);
        }
    }
}

/* ---- names -------------------------------------------------------------- */

struct naming {
    struct tn_judgement *j;
    const struct tn_policy_rule *rule;
    const struct tn_touch *touch;
    const regex_t *pattern;
};

static bool
looks_at(const struct tn_policy *p, enum tn_policy_of kind)
{
    for (size_t i = 0; i < p->kinds.n; i++) {
        if (p->kinds.items[i].v == kind) {
            return true;
        }
    }
    return p->kinds.n == 0 && kind == TN_POLICY_OF_VPC;
}

static void
name_check(const struct naming *n, enum tn_policy_of kind, const char *name,
           const struct tn_origin *at)
{
    static const char *const words[] = {"tenant", "VPC", "subnet", "port",
                                        "security group"};
    const struct tn_touch *t = n->touch;
    if (!looks_at(n->rule->doc, kind) ||
        regexec(n->pattern, name, 0, NULL, 0) == 0) {
        return;
    }
    tn_judge_object(
        n->j, n->rule,
        &(struct tn_objection){
            .message = tn_arena_printf(
                n->j->arena, "the name '%s' of the %s does not match %s", name,
                words[kind], n->rule->doc->pattern.v),
            .at = *at,
            .tenant = t->tenant,
            .subject =
                kind == TN_POLICY_OF_VPC || kind == TN_POLICY_OF_TENANT
                    ? t->scope
                    : tn_arena_printf(n->j->arena, "%s/%s", t->scope, name),
        });
}

static bool
pattern_compile(struct tn_judgement *j, const struct tn_policy_rule *r,
                regex_t *out)
{
    const char *text = tn_arena_printf(j->arena, "^(%s)$", r->doc->pattern.v);
    /* Without places of parts it takes one pass. */
    if (regcomp(out, text, REG_EXTENDED | REG_NOSUB)) {
        tn_judge_object(j, r,
                        &(struct tn_objection){
                            .message = "the pattern cannot be compiled",
                            .at = r->law,
                        });
        return false;
    }
    return true;
}

void
tn_policy_rule_naming(struct tn_judgement *j, const struct tn_policy_rule *r,
                      const struct tn_touch *t)
{
    const struct tn_net_vpc *v = t->after;
    regex_t pattern;
    if (!pattern_compile(j, r, &pattern)) {
        return;
    }
    struct naming n = {j, r, t, &pattern};
    if (tn_changed_vpc(j, t)) {
        name_check(&n, TN_POLICY_OF_VPC, v->name, &v->origin);
    }
    for (size_t s = 0; s < v->n_subnets; s++) {
        const struct tn_net_subnet *subnet = &v->subnets[s];
        if (tn_changed_subnet(j, t, subnet)) {
            name_check(&n, TN_POLICY_OF_SUBNET, subnet->name, &subnet->origin);
        }
        for (size_t i = 0; i < subnet->n_ports; i++) {
            if (tn_changed_port(j, t, &subnet->ports[i])) {
                name_check(&n, TN_POLICY_OF_PORT, subnet->ports[i].name,
                           &subnet->ports[i].origin);
            }
        }
    }
    for (size_t i = 0; i < v->n_groups; i++) {
        if (tn_changed_group(j, t, &v->groups[i])) {
            name_check(&n, TN_POLICY_OF_GROUP, v->groups[i].name,
                       &v->groups[i].origin);
        }
    }
    regfree(&pattern);
}

static void
tenant_naming(struct tn_judgement *j, const struct tn_policy_rule *r,
              const struct tn_tenant_result *tenant, const struct tn_origin *at)
{
    struct tn_touch t = {.scope = tenant->name, .tenant = tenant->name};
    regex_t pattern;
    if (pattern_compile(j, r, &pattern)) {
        name_check(&(struct naming){j, r, &t, &pattern}, TN_POLICY_OF_TENANT,
                   tenant->name, at);
        regfree(&pattern);
    }
}

/* ---- labels ------------------------------------------------------------- */

static void
labels_check(struct tn_judgement *j, const struct tn_policy_rule *r,
             const struct tn_meta *meta, const struct tn_objection *about)
{
    for (size_t i = 0; i < r->doc->keys.n; i++) {
        const char *key = r->doc->keys.items[i].v;
        const char *value = tn_label_get(meta, key);
        if (!value || !value[0]) {
            struct tn_objection o = *about;
            o.message = tn_arena_printf(j->arena, "%s has no label '%s'",
                                        o.subject, key);
            tn_judge_object(j, r, &o);
        }
    }
}

void
tn_policy_rule_labels(struct tn_judgement *j, const struct tn_policy_rule *r,
                      const struct tn_touch *t)
{
    const struct tn_net_vpc *v = t->after;
    struct tn_objection o = {.tenant = t->tenant, .subject = t->scope};
    if (looks_at(r->doc, TN_POLICY_OF_VPC) && tn_changed_vpc(j, t)) {
        o.at = v->origin;
        labels_check(
            j, r, tn_docs_meta(&j->docs, v->origin.path, TN_KIND_VPC, v->name),
            &o);
    }
    for (size_t s = 0; s < v->n_subnets && looks_at(r->doc, TN_POLICY_OF_PORT);
         s++) {
        for (size_t i = 0; i < v->subnets[s].n_ports; i++) {
            const struct tn_net_port *p = &v->subnets[s].ports[i];
            if (!tn_changed_port(j, t, p)) {
                continue;
            }
            o.at = p->origin;
            o.subject = tn_arena_printf(j->arena, "%s/%s", t->scope, p->name);
            labels_check(
                j, r,
                tn_docs_meta(&j->docs, p->origin.path, TN_KIND_PORT, p->name),
                &o);
        }
    }
    for (size_t i = 0; i < v->n_groups && looks_at(r->doc, TN_POLICY_OF_GROUP);
         i++) {
        const struct tn_net_group *g = &v->groups[i];
        if (!tn_changed_group(j, t, g)) {
            continue;
        }
        o.at = g->origin;
        o.subject = tn_arena_printf(j->arena, "%s/%s", t->scope, g->name);
        labels_check(j, r,
                     tn_docs_meta(&j->docs, g->origin.path,
                                  TN_KIND_SECURITY_GROUP, g->name),
                     &o);
    }
}

/* ---- groups and quotas -------------------------------------------------- */

void
tn_policy_rule_groups(struct tn_judgement *j, const struct tn_policy_rule *r,
                      const struct tn_touch *t)
{
    for (size_t s = 0; s < t->after->n_subnets; s++) {
        const struct tn_net_subnet *subnet = &t->after->subnets[s];
        for (size_t i = 0; i < subnet->n_ports; i++) {
            const struct tn_net_port *p = &subnet->ports[i];
            if (p->n_groups == 0 && tn_changed_port(j, t, p)) {
                tn_judge_object(
                    j, r,
                    &(struct tn_objection){
                        .message = tn_arena_printf(
                            j->arena, "port %s has no security group", p->name),
                        .at = p->origin,
                        .tenant = t->tenant,
                        .subject = tn_arena_printf(j->arena, "%s/%s", t->scope,
                                                   p->name),
                    });
            }
        }
    }
}

/* A count, and the least that it was in any of the pasts. */
struct count {
    size_t now, was;
    const char *what;
};

/* What is less than it was, or as it was, was accepted. */
static void
quota_check(struct tn_judgement *j, const struct tn_policy_rule *r,
            const struct tn_vuint *most, const struct count *n,
            const struct tn_objection *about)
{
    if (!most->at.line || n->now <= most->v || n->now <= n->was) {
        return;
    }
    struct tn_objection o = *about;
    o.message =
        tn_arena_printf(j->arena, "%s has %zu %s, more than %llu", o.subject,
                        n->now, n->what, (unsigned long long) most->v);
    tn_judge_object(j, r, &o);
}

static size_t
ports_of(const struct tn_net_vpc *v)
{
    size_t n = 0;
    for (size_t s = 0; v && s < v->n_subnets; s++) {
        n += v->subnets[s].n_ports;
    }
    return n;
}

static size_t
subnets_of(const struct tn_net_vpc *v)
{
    return v ? v->n_subnets : 0;
}

/* The least that it was in any past, 0 if all is to be judged. */
static size_t
least(const struct tn_judgement *j, const struct tn_touch *t,
      size_t (*count)(const struct tn_net_vpc *))
{
    size_t n = j->whole || t->whole || j->in->n_pasts == 0 ? 0 : SIZE_MAX;
    for (size_t i = 0; n && i < j->in->n_pasts; i++) {
        size_t was = count(t->was[i]);
        n = was < n ? was : n;
    }
    return n;
}

static size_t
least_rules(const struct tn_judgement *j, const struct tn_touch *t,
            const char *group)
{
    size_t n = j->whole || t->whole || j->in->n_pasts == 0 ? 0 : SIZE_MAX;
    for (size_t i = 0; n && i < j->in->n_pasts; i++) {
        const struct tn_net_group *g = tn_vpc_group(t->was[i], group);
        size_t was = g ? g->n_rules : 0;
        n = was < n ? was : n;
    }
    return n;
}

void
tn_policy_rule_vpc_quotas(struct tn_judgement *j,
                          const struct tn_policy_rule *r,
                          const struct tn_touch *t)
{
    const struct tn_net_vpc *v = t->after;
    struct tn_objection o = {
        .at = v->origin, .tenant = t->tenant, .subject = t->scope};
    const struct count subnets = {v->n_subnets, least(j, t, subnets_of),
                                  "subnets"};
    const struct count ports = {ports_of(v), least(j, t, ports_of), "ports"};
    quota_check(j, r, &r->doc->max_subnets, &subnets, &o);
    quota_check(j, r, &r->doc->max_ports, &ports, &o);
    for (size_t i = 0; i < v->n_groups; i++) {
        const struct tn_net_group *g = &v->groups[i];
        const struct count rules = {g->n_rules, least_rules(j, t, g->name),
                                    "rules"};
        o.at = g->origin;
        o.subject = tn_arena_printf(j->arena, "%s/%s", t->scope, g->name);
        quota_check(j, r, &r->doc->max_rules, &rules, &o);
    }
}

/* ---- tenants ------------------------------------------------------------ */

static void
tenant_quotas(struct tn_judgement *j, const struct tn_policy_rule *r,
              const struct tn_tenant_result *tenant,
              const struct tn_objection *about)
{
    size_t all = j->whole || j->in->n_pasts == 0 ? 0 : SIZE_MAX;
    struct count vpcs = {tenant->n_vpcs, all, "VPCs"};
    struct count ports = {tenant->n_ports, all, "ports"};
    for (size_t i = 0; i < j->in->n_pasts; i++) {
        const struct tn_tenant_result *was =
            tn_network_tenant(j->pasts[i].network, tenant->name);
        size_t n_vpcs = was ? was->n_vpcs : 0, n_ports = was ? was->n_ports : 0;
        vpcs.was = n_vpcs < vpcs.was ? n_vpcs : vpcs.was;
        ports.was = n_ports < ports.was ? n_ports : ports.was;
    }
    quota_check(j, r, &r->doc->max_vpcs, &vpcs, about);
    quota_check(j, r, &r->doc->max_tenant_ports, &ports, about);
}

void
tn_policy_rule_tenant(struct tn_judgement *j, const struct tn_policy_rule *r,
                      const struct tn_tenant_result *tenant)
{
    const struct tn_policy *p = r->doc;
    struct tn_objection o = {.tenant = tenant->name, .subject = tenant->name};
    if (!tenant->tenant || tenant->failed) {
        return;
    }
    const struct tn_meta *meta = &tenant->tenant->meta;
    o.at = tn_at(meta->path, meta->at);
    if (p->builtin.v == TN_BUILTIN_QUOTAS) {
        tenant_quotas(j, r, tenant, &o);
    } else if (!tn_changed_tenant(j, tenant)) {
        return;
    } else if (p->builtin.v == TN_BUILTIN_REQUIRED_LABELS &&
               looks_at(p, TN_POLICY_OF_TENANT)) {
        labels_check(j, r, meta, &o);
    } else if (p->builtin.v == TN_BUILTIN_NAMING) {
        tenant_naming(j, r, tenant, &o.at);
    }
}
