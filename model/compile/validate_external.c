/* validate_external.c - a VPC in an external network: what its own document
 * must say for that, beside what tenet.yml says.
 *
 * tenet.yml has the VPC, with prefixes that are its own; nothing of the VPC is
 * in the way of the network or of its default route; and the hosts of its
 * ports are of the cloud whose chassis are on that wire. */
#include "model/compile/intent.h"

#include <string.h>

#include "model/base/text.h"

/* A VPC and its place in the network, as the documents say it. */
struct joining {
    struct tn_intent *in;
    const struct tn_intent_vpc *vpc;
    const struct tn_external *network;
    const struct tn_external_vpc *grant;
};

static struct tn_origin
here(const struct joining *j)
{
    return tn_intent_at(j->vpc->file, j->vpc->doc->external_network.at);
}

static bool
network_find(struct joining *j)
{
    struct tn_intent *in = j->in;
    const struct tn_settings *s = in->world->settings;
    const char *name = j->vpc->doc->external_network.v;
    const char **names =
        tn_new_n(in->arena, const char *, s->external_networks.n);
    for (size_t i = 0; i < s->external_networks.n; i++) {
        names[i] = s->external_networks.items[i].name.v;
        if (strcmp(names[i], name) == 0) {
            j->network = &s->external_networks.items[i];
            return true;
        }
    }
    struct tn_diag *d =
        tn_diag(in->diags, TN_ERROR, here(j),
                "there is no external network '%s' in tenet.yml", name);
    const char *near = tn_nearest(name, names, s->external_networks.n);
    if (near) {
        d->hint = tn_arena_printf(in->diags->arena, "did you mean '%s'?", near);
    }
    return false;
}

static bool
grant_find(struct joining *j)
{
    struct tn_intent *in = j->in;
    const char *scope = tn_arena_printf(in->arena, "%s/%s", in->tenant,
                                        j->vpc->doc->meta.name.v);
    for (size_t i = 0; i < j->network->vpcs.n; i++) {
        if (strcmp(j->network->vpcs.items[i].vpc.v, scope) == 0) {
            j->grant = &j->network->vpcs.items[i];
            return true;
        }
    }
    tn_diag(in->diags, TN_ERROR, here(j),
            "external network '%s' does not have VPC '%s'", j->network->name.v,
            scope)
        ->hint = "it is for the operator to add it there, in tenet.yml";
    return false;
}

static void
prefixes_check(const struct joining *j)
{
    const struct tn_vpc *doc = j->vpc->doc;
    char text[TN_CIDR_TEXT];
    for (size_t i = 0; i < j->grant->prefixes.n; i++) {
        const struct tn_vcidr *p = &j->grant->prefixes.items[i];
        bool inside = false;
        for (size_t k = 0; k < doc->cidrs.n && !inside; k++) {
            inside = tn_cidr_within(&p->v, &doc->cidrs.items[k].v);
        }
        if (!inside) {
            tn_diag(j->in->diags, TN_ERROR, here(j),
                    "%s, which external network '%s' has of this VPC "
                    "(tenet.yml:%u), is outside its cidrs in line %u",
                    tn_cidr_format(&p->v, text), j->network->name.v, p->at.line,
                    doc->cidrs.at.line);
        }
    }
}

static bool
overlaps(const struct joining *j, const struct tn_cidr *c)
{
    return tn_cidr_overlap(c, &j->network->cidr.v) ||
           (j->network->cidr6.at.line &&
            tn_cidr_overlap(c, &j->network->cidr6.v));
}

/* A route to a part of the network would take it away, and there is one
 * default route only. */
static void
ways_check(const struct joining *j)
{
    const struct tn_vpc *doc = j->vpc->doc;
    char text[TN_CIDR_TEXT];
    for (size_t i = 0; i < doc->cidrs.n; i++) {
        const struct tn_vcidr *c = &doc->cidrs.items[i];
        if (overlaps(j, &c->v)) {
            tn_diag(j->in->diags, TN_ERROR, tn_intent_at(j->vpc->file, c->at),
                    "%s overlaps external network '%s' (tenet.yml:%u)",
                    tn_cidr_format(&c->v, text), j->network->name.v,
                    j->network->cidr.at.line);
        }
    }
    for (size_t i = 0; i < doc->routes.n; i++) {
        const struct tn_vcidr *c = &doc->routes.items[i].to;
        unsigned f = c->v.addr.family;
        bool served =
            f == j->network->gateway.v.family ||
            (f == j->network->gateway6.v.family && j->grant->address6.at.line);
        if (c->v.len == 0 && served) {
            tn_diag(j->in->diags, TN_ERROR, tn_intent_at(j->vpc->file, c->at),
                    "the route to %s is that of external network '%s' in line "
                    "%u",
                    tn_cidr_format(&c->v, text), j->network->name.v,
                    doc->external_network.at.line);
        } else if (c->v.len && overlaps(j, &c->v)) {
            tn_diag(j->in->diags, TN_ERROR, tn_intent_at(j->vpc->file, c->at),
                    "route to %s overlaps external network '%s' "
                    "(tenet.yml:%u)",
                    tn_cidr_format(&c->v, text), j->network->name.v,
                    j->network->cidr.at.line);
        }
    }
}

/* The network as this environment has it; null: not at all. */
static const struct tn_net_external *
network_here(const struct joining *j)
{
    const struct tn_world *w = j->in->world;
    for (size_t i = 0; i < w->n_externals; i++) {
        if (strcmp(w->externals[i].name, j->network->name.v) == 0) {
            return &w->externals[i];
        }
    }
    return NULL;
}

static void
hosts_check(const struct joining *j)
{
    const struct tn_net_external *e = network_here(j);
    for (size_t i = 0; e && i < j->vpc->doc->subnets.n; i++) {
        const struct tn_intent_subnet *s = &j->vpc->subnets[i];
        for (size_t k = 0; k < s->ports.n; k++) {
            const struct tn_host *host = s->ports.items[k]->host;
            if (host && host->cloud != e->cloud) {
                tn_diag(j->in->diags, TN_ERROR, here(j),
                        "external network '%s' is on chassis of cloud '%s', "
                        "and host '%s' (%s) of port '%s' is not a member of it",
                        e->name, e->cloud->raw.name, host->raw.name,
                        tn_host_engine(host),
                        s->ports.items[k]->doc->meta.name.v);
                return;
            }
        }
    }
}

void
tn_validate_externals(struct tn_intent *in)
{
    for (size_t i = 0; i < in->n_vpcs; i++) {
        struct joining j = {.in = in, .vpc = &in->vpcs[i]};
        if (in->vpcs[i].doc->external_network.v && network_find(&j) &&
            grant_find(&j)) {
            prefixes_check(&j);
            ways_check(&j);
            hosts_check(&j);
        }
    }
}
