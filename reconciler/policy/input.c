/* input.c - what jq programs see of a VPC and of a tenant: docs/policies.md.
 *
 * Names of the compiled network, in snake case as in the JSON of plans, with
 * the labels of the documents.  Nothing of the inventory is in it but the names
 * of hosts, and nothing that could be a secret. */
#include <string.h>

#include "reconciler/plan/show.h"
#include "reconciler/policy/work.h"

struct writer {
    struct tn_text *out;
    struct tn_docs *docs;
    struct tn_judgement *j;
    const struct tn_touch
        *touch; /* Null: what was, of which nothing changed. */
    bool comma;
};

static void
next(struct writer *w)
{
    if (w->comma) {
        tn_text_addc(w->out, ',');
    }
    w->comma = true;
}

static void
name(struct writer *w, const char *key)
{
    next(w);
    tn_text_addc(w->out, '"');
    tn_text_add(w->out, key);
    tn_text_add(w->out, "\":");
}

static void
open(struct writer *w, char bracket)
{
    tn_text_addc(w->out, bracket);
    w->comma = false;
}

static void
close(struct writer *w, char bracket)
{
    tn_text_addc(w->out, bracket);
    w->comma = true;
}

static void
text(struct writer *w, const char *key, const char *value)
{
    name(w, key);
    if (value) {
        tn_show_json(w->out, value);
    } else {
        tn_text_add(w->out, "null");
    }
}

static void
number(struct writer *w, const char *key, uint64_t value)
{
    char digits[24], *p = digits + sizeof digits;
    do {
        *--p = (char) ('0' + value % 10);
        value /= 10;
    } while (value);
    name(w, key);
    tn_text_addn(w->out, p, (size_t) (digits + sizeof digits - p));
}

/* Is it what the commit changes?  Not said of what was. */
static void
changed(struct writer *w, bool yes)
{
    name(w, "changed");
    tn_text_add(w->out, yes ? "true" : "false");
}

static void
addr(struct writer *w, const char *key, const struct tn_addr *a)
{
    char buf[TN_ADDR_TEXT];
    text(w, key, tn_addr_present(a) ? tn_addr_format(a, buf) : NULL);
}

static void
cidr(struct writer *w, const char *key, const struct tn_cidr *c)
{
    char buf[TN_CIDR_TEXT];
    text(w, key, tn_addr_present(&c->addr) ? tn_cidr_format(c, buf) : NULL);
}

static void
cidrs(struct writer *w, const char *key, const struct tn_cidr *list, size_t n)
{
    char buf[TN_CIDR_TEXT];
    name(w, key);
    open(w, '[');
    for (size_t i = 0; i < n; i++) {
        next(w);
        tn_show_json(w->out, tn_cidr_format(&list[i], buf));
    }
    close(w, ']');
}

static void
origin(struct writer *w, const struct tn_origin *at)
{
    name(w, "origin");
    open(w, '{');
    text(w, "path", at->path);
    number(w, "line", at->line);
    close(w, '}');
}

static void
labels(struct writer *w, const char *key, const struct tn_meta *meta)
{
    name(w, key);
    open(w, '{');
    for (size_t i = 0; meta && i < meta->labels.n; i++) {
        next(w);
        tn_show_json(w->out, meta->labels.items[i].key.v);
        tn_text_addc(w->out, ':');
        tn_show_json(w->out, meta->labels.items[i].value.v);
    }
    close(w, '}');
}

static const struct tn_meta *
meta_of(const struct writer *w, const struct tn_origin *at, enum tn_kind kind,
        const char *object)
{
    return w->docs ? tn_docs_meta(w->docs, at->path, kind, object) : NULL;
}

static void
port(struct writer *w, const struct tn_net_subnet *subnet,
     const struct tn_net_port *p)
{
    char mac[TN_MAC_TEXT];
    next(w);
    open(w, '{');
    text(w, "name", p->name);
    labels(w, "labels", meta_of(w, &p->origin, TN_KIND_PORT, p->name));
    text(w, "subnet", subnet->name);
    text(w, "host", p->host ? p->host->raw.name : NULL);
    text(w, "mac", tn_mac_format(&p->mac, mac));
    addr(w, "address", &p->address);
    addr(w, "address6", &p->address6);
    cidrs(w, "allowed_addresses", p->allowed, p->n_allowed);
    name(w, "groups");
    open(w, '[');
    for (size_t i = 0; i < p->n_groups; i++) {
        next(w);
        tn_show_json(w->out, p->groups[i]->name);
    }
    close(w, ']');
    if (w->touch) {
        changed(w, tn_changed_port(w->j, w->touch, p));
    }
    origin(w, &p->origin);
    close(w, '}');
}

static void
subnets(struct writer *w, const struct tn_net_vpc *v)
{
    name(w, "subnets");
    open(w, '[');
    for (size_t i = 0; i < v->n_subnets; i++) {
        const struct tn_net_subnet *s = &v->subnets[i];
        next(w);
        open(w, '{');
        text(w, "name", s->name);
        cidr(w, "cidr", &s->cidr);
        cidr(w, "cidr6", &s->cidr6);
        addr(w, "gateway", &s->gateway);
        addr(w, "gateway6", &s->gateway6);
        number(w, "mtu", s->mtu);
        number(w, "vni", s->vni);
        number(w, "n_ports", s->n_ports);
        if (w->touch) {
            changed(w, tn_changed_subnet(w->j, w->touch, s));
        }
        origin(w, &s->origin);
        close(w, '}');
    }
    close(w, ']');
    name(w, "ports");
    open(w, '[');
    for (size_t i = 0; i < v->n_subnets; i++) {
        for (size_t k = 0; k < v->subnets[i].n_ports; k++) {
            port(w, &v->subnets[i], &v->subnets[i].ports[k]);
        }
    }
    close(w, ']');
}

static void
rule(struct writer *w, const struct tn_net_group *g,
     const struct tn_net_rule *r)
{
    static const char *const protocols[] = {
        [TN_PROTO_ANY] = "any",   [TN_PROTO_TCP] = "tcp",
        [TN_PROTO_UDP] = "udp",   [TN_PROTO_ICMP] = "icmp",
        [TN_PROTO_SCTP] = "sctp",
    };
    next(w);
    open(w, '{');
    text(w, "direction", r->direction == TN_INGRESS ? "ingress" : "egress");
    text(w, "protocol", protocols[r->protocol]);
    name(w, "ports");
    open(w, '[');
    for (size_t i = 0; i < r->n_ports; i++) {
        next(w);
        tn_text_addf(w->out, "{\"first\":%u,\"last\":%u}", r->ports[i].first,
                     r->ports[i].last);
    }
    close(w, ']');
    cidr(w, "remote_cidr", &r->remote);
    text(w, "remote_group", r->remote_group ? r->remote_group->name : NULL);
    if (w->touch) {
        changed(w, tn_changed_rule(w->j, w->touch, g, r));
    }
    origin(w, &r->origin);
    close(w, '}');
}

static void
groups(struct writer *w, const struct tn_net_vpc *v)
{
    name(w, "groups");
    open(w, '[');
    for (size_t i = 0; i < v->n_groups; i++) {
        const struct tn_net_group *g = &v->groups[i];
        next(w);
        open(w, '{');
        text(w, "name", g->name);
        labels(w, "labels",
               meta_of(w, &g->origin, TN_KIND_SECURITY_GROUP, g->name));
        name(w, "rules");
        open(w, '[');
        for (size_t k = 0; k < g->n_rules; k++) {
            rule(w, g, &g->rules[k]);
        }
        close(w, ']');
        if (w->touch) {
            changed(w, tn_changed_group(w->j, w->touch, g));
        }
        origin(w, &g->origin);
        close(w, '}');
    }
    close(w, ']');
}

static void
routes_and_peerings(struct writer *w, const struct tn_net_vpc *v)
{
    name(w, "routes");
    open(w, '[');
    for (size_t i = 0; i < v->n_routes; i++) {
        next(w);
        open(w, '{');
        cidr(w, "to", &v->routes[i].to);
        addr(w, "via", &v->routes[i].via);
        if (w->touch) {
            changed(w, tn_changed_route(w->j, w->touch, &v->routes[i]));
        }
        origin(w, &v->routes[i].origin);
        close(w, '}');
    }
    close(w, ']');
    name(w, "peerings");
    open(w, '[');
    for (size_t i = 0; i < v->n_peerings; i++) {
        const struct tn_net_peering *p = &v->peerings[i];
        next(w);
        open(w, '{');
        text(w, "peer", p->peer->scope);
        text(w, "peer_tenant", p->peer->tenant);
        cidrs(w, "exports", p->exports, p->n_exports);
        cidrs(w, "imports", p->imports, p->n_imports);
        origin(w, &p->origin);
        close(w, '}');
    }
    close(w, ']');
}

static void
outside(struct writer *w, const struct tn_net_outside *o)
{
    name(w, "external");
    if (!o) {
        tn_text_add(w->out, "null");
        return;
    }
    open(w, '{');
    text(w, "network", o->network->name);
    addr(w, "address", &o->address);
    addr(w, "address6", &o->address6);
    cidrs(w, "prefixes", o->prefixes, o->n_prefixes);
    close(w, '}');
}

static void
vpc_body(struct writer *w, const struct tn_net_vpc *v)
{
    static const struct tn_net_vpc nothing;
    static const char *const encapsulations[] = {
        [TN_ENCAP_VXLAN] = "vxlan",
        [TN_ENCAP_GENEVE] = "geneve",
        [TN_ENCAP_GRE] = "gre",
    };
    if (!v) {
        v = &nothing;
    }
    labels(w, "labels",
           v->name ? meta_of(w, &v->origin, TN_KIND_VPC, v->name) : NULL);
    text(w, "encapsulation", encapsulations[v->encapsulation]);
    subnets(w, v);
    groups(w, v);
    routes_and_peerings(w, v);
    outside(w, v->external);
    origin(w, &v->origin);
}

void
tn_input_vpc(struct tn_text *out, struct tn_judgement *j,
             const struct tn_touch *t)
{
    struct writer w = {
        .out = out, .docs = &j->docs, .j = j, .touch = t->after ? t : NULL};
    const struct tn_net_vpc *any = t->after ? t->after : t->before;
    const struct tn_tenant_result *tenant =
        tn_network_tenant(j->in->network, t->tenant);
    open(&w, '{');
    text(&w, "environment", j->in->environment);
    text(&w, "tenant", t->tenant);
    labels(&w, "tenant_labels",
           tenant && tenant->tenant ? &tenant->tenant->meta : NULL);
    text(&w, "name", any->name);
    text(&w, "scope", t->scope);
    text(&w, "change", !t->before ? "create" : t->after ? "update" : "delete");
    changed(&w, !t->after || tn_changed_vpc(j, t));
    vpc_body(&w, t->after);
    name(&w, "before");
    if (t->before) {
        w.docs = t->old;
        w.touch = NULL;
        open(&w, '{');
        vpc_body(&w, t->before);
        close(&w, '}');
    } else {
        tn_text_add(out, "null");
    }
    close(&w, '}');
}

static void
quota(struct writer *w, const char *key, const struct tn_vuint *q)
{
    name(w, key);
    if (q->at.line) {
        tn_text_addf(w->out, "%llu", (unsigned long long) q->v);
    } else {
        tn_text_add(w->out, "null");
    }
}

void
tn_input_tenant(struct tn_text *out, struct tn_judgement *j,
                const struct tn_tenant_result *tenant)
{
    static const struct tn_tenant unread;
    struct writer w = {.out = out, .docs = &j->docs};
    const struct tn_tenant *doc = tenant->tenant ? tenant->tenant : &unread;
    struct tn_origin at = tn_at(doc->meta.path, doc->meta.at);
    open(&w, '{');
    text(&w, "environment", j->in->environment);
    text(&w, "name", tenant->name);
    labels(&w, "labels", &doc->meta);
    changed(&w, tn_changed_tenant(j, tenant));
    number(&w, "n_vpcs", tenant->n_vpcs);
    number(&w, "n_subnets", tenant->n_subnets);
    number(&w, "n_ports", tenant->n_ports);
    name(&w, "quotas");
    open(&w, '{');
    quota(&w, "vpcs", &doc->quotas.vpcs);
    quota(&w, "subnets", &doc->quotas.subnets);
    quota(&w, "ports", &doc->quotas.ports);
    quota(&w, "security_groups", &doc->quotas.security_groups);
    quota(&w, "rules", &doc->quotas.rules);
    quota(&w, "peerings", &doc->quotas.peerings);
    close(&w, '}');
    name(&w, "allowed_cidrs");
    open(&w, '[');
    for (size_t i = 0; i < doc->allowed_cidrs.n; i++) {
        char buf[TN_CIDR_TEXT];
        next(&w);
        tn_show_json(out, tn_cidr_format(&doc->allowed_cidrs.items[i].v, buf));
    }
    close(&w, ']');
    name(&w, "vpcs");
    open(&w, '[');
    for (size_t i = 0; i < j->in->network->n_vpcs; i++) {
        const struct tn_net_vpc *v = j->in->network->vpcs[i];
        if (strcmp(v->tenant, tenant->name) == 0) {
            next(&w);
            tn_show_json(out, v->name);
        }
    }
    close(&w, ']');
    origin(&w, &at);
    close(&w, '}');
}
