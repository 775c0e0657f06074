/* validate_vpc.c - rules on the prefixes of a VPC.
 *
 * Prefixes are compared sorted, parents before what they contain, so that one
 * walk finds every overlap; each is reported once, at the later line, with the
 * line of the other. */
#include "model/compile/intent.h"

#include <stdlib.h>

/* A prefix and the line that says it. */
struct span {
    struct tn_cidr cidr;
    struct tn_pos at;
    const char *name; /* Of the subnet; null: a prefix of the VPC itself. */
};

static int
span_cmp(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    int c = tn_cidr_cmp(&x->cidr, &y->cidr);
    if (c == 0) {
        c = (x->at.line > y->at.line) - (x->at.line < y->at.line);
    }
    return c ? c
             : (x->at.column > y->at.column) - (x->at.column < y->at.column);
}

static void
overlap_report(struct tn_intent *in, const struct tn_intent_vpc *vpc,
               const struct span *a, const struct span *b)
{
    char ta[TN_CIDR_TEXT], tb[TN_CIDR_TEXT];
    bool a_first = a->at.line < b->at.line ||
                   (a->at.line == b->at.line && a->at.column < b->at.column);
    const struct span *first = a_first ? a : b, *second = a_first ? b : a;
    tn_cidr_format(&first->cidr, ta);
    tn_cidr_format(&second->cidr, tb);
    if (first->name) {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(vpc->file, second->at),
                "%s of subnet '%s' overlaps %s of subnet '%s' in line %u", tb,
                second->name, ta, first->name, first->at.line);
    } else {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(vpc->file, second->at),
                "%s overlaps %s in line %u", tb, ta, first->at.line);
    }
}

static void
overlaps_check(struct tn_intent *in, const struct tn_intent_vpc *vpc,
               struct span *spans, size_t n)
{
    if (n > 1) {
        qsort(spans, n, sizeof *spans, span_cmp);
    }
    const struct span *widest = NULL;
    for (size_t i = 0; i < n; i++) {
        if (widest && tn_cidr_within(&spans[i].cidr, &widest->cidr)) {
            overlap_report(in, vpc, widest, &spans[i]);
        } else {
            widest = &spans[i];
        }
    }
}

static void
cidr_allowed(struct tn_intent *in, const struct tn_intent_vpc *vpc,
             const struct tn_vcidr *cidr)
{
    char text[TN_CIDR_TEXT];
    if (!in->doc || !in->doc->allowed_cidrs.at.line) {
        return;
    }
    for (size_t i = 0; i < in->doc->allowed_cidrs.n; i++) {
        if (tn_cidr_within(&cidr->v, &in->doc->allowed_cidrs.items[i].v)) {
            return;
        }
    }
    tn_diag(in->diags, TN_ERROR, tn_intent_at(vpc->file, cidr->at),
            "%s is outside the tenant's allowedCidrs (%s:%u)",
            tn_cidr_format(&cidr->v, text), in->doc_file->path,
            in->doc->allowed_cidrs.at.line);
}

static void
subnet_inside(struct tn_intent *in, const struct tn_intent_vpc *vpc,
              const struct tn_vcidr *cidr)
{
    char text[TN_CIDR_TEXT];
    if (!cidr->at.line) {
        return;
    }
    for (size_t i = 0; i < vpc->doc->cidrs.n; i++) {
        if (tn_cidr_within(&cidr->v, &vpc->doc->cidrs.items[i].v)) {
            return;
        }
    }
    tn_diag(in->diags, TN_ERROR, tn_intent_at(vpc->file, cidr->at),
            "%s is outside the VPC's cidrs (line %u)",
            tn_cidr_format(&cidr->v, text), vpc->doc->cidrs.at.line);
}

static void
prefixes_check(struct tn_intent *in, const struct tn_intent_vpc *vpc)
{
    size_t most = vpc->doc->cidrs.n + vpc->doc->subnets.n * 2, n = 0;
    struct span *spans = tn_new_n(in->arena, struct span, most);
    for (size_t i = 0; i < vpc->doc->cidrs.n; i++) {
        const struct tn_vcidr *c = &vpc->doc->cidrs.items[i];
        cidr_allowed(in, vpc, c);
        spans[n++] = (struct span){c->v, c->at, NULL};
    }
    overlaps_check(in, vpc, spans, n);
    n = 0;
    for (size_t i = 0; i < vpc->doc->subnets.n; i++) {
        const struct tn_subnet *s = &vpc->doc->subnets.items[i];
        subnet_inside(in, vpc, &s->cidr);
        subnet_inside(in, vpc, &s->cidr6);
        spans[n++] = (struct span){s->cidr.v, s->cidr.at, s->name.v};
        if (s->cidr6.at.line) {
            spans[n++] = (struct span){s->cidr6.v, s->cidr6.at, s->name.v};
        }
    }
    overlaps_check(in, vpc, spans, n);
}

/* The prefix of the VPC's subnets that 'via' is in; null if none. */
static const struct tn_cidr *
via_prefix(const struct tn_intent_vpc *vpc, const struct tn_addr *via,
           const struct tn_intent_subnet **subnet)
{
    for (size_t i = 0; i < vpc->doc->subnets.n; i++) {
        const struct tn_subnet *s = vpc->subnets[i].doc;
        *subnet = &vpc->subnets[i];
        if (tn_cidr_contains(&s->cidr.v, via)) {
            return &s->cidr.v;
        }
        if (s->cidr6.at.line && tn_cidr_contains(&s->cidr6.v, via)) {
            return &s->cidr6.v;
        }
    }
    return NULL;
}

static void
via_check(struct tn_intent *in, const struct tn_intent_vpc *vpc,
          const struct tn_route *route)
{
    char text[TN_ADDR_TEXT];
    const struct tn_intent_subnet *subnet = NULL;
    struct tn_origin at = tn_intent_at(vpc->file, route->via.at);
    const struct tn_cidr *c = via_prefix(vpc, &route->via.v, &subnet);
    tn_addr_format(&route->via.v, text);
    if (!c) {
        tn_diag(in->diags, TN_ERROR, at,
                "next hop %s is in none of the VPC's subnets", text);
        return;
    }
    struct tn_addr last = tn_cidr_last(c);
    if (tn_addr_cmp(&route->via.v, &subnet->gateway) == 0 ||
        tn_addr_cmp(&route->via.v, &subnet->gateway6) == 0) {
        tn_diag(in->diags, TN_ERROR, at,
                "next hop %s is the gateway of subnet '%s' itself", text,
                subnet->doc->name.v);
    } else if (tn_addr_cmp(&route->via.v, &c->addr) == 0 ||
               (c->addr.family == TN_AF_IPV4 &&
                tn_addr_cmp(&route->via.v, &last) == 0)) {
        tn_diag(in->diags, TN_ERROR, at,
                "next hop %s is the network or broadcast address of subnet "
                "'%s'",
                text, subnet->doc->name.v);
    }
}

/* A route to a part of a subnet would take packets away from it; one to more
 * than a subnet (a default route) only gets what no subnet takes. */
static void
route_to_check(struct tn_intent *in, const struct tn_intent_vpc *vpc,
               const struct tn_route *route)
{
    char to[TN_CIDR_TEXT], cidr[TN_CIDR_TEXT];
    for (size_t i = 0; i < vpc->doc->subnets.n; i++) {
        const struct tn_subnet *s = &vpc->doc->subnets.items[i];
        bool four = tn_cidr_within(&route->to.v, &s->cidr.v);
        bool six =
            s->cidr6.at.line && tn_cidr_within(&route->to.v, &s->cidr6.v);
        if (four || six) {
            tn_diag(in->diags, TN_ERROR, tn_intent_at(vpc->file, route->to.at),
                    "route to %s overlaps %s of subnet '%s' in line %u",
                    tn_cidr_format(&route->to.v, to),
                    tn_cidr_format(four ? &s->cidr.v : &s->cidr6.v, cidr),
                    s->name.v, s->at.line);
        }
    }
}

void
tn_validate_vpcs(struct tn_intent *in)
{
    for (size_t i = 0; i < in->n_vpcs; i++) {
        const struct tn_intent_vpc *vpc = &in->vpcs[i];
        prefixes_check(in, vpc);
        for (size_t k = 0; k < vpc->doc->routes.n; k++) {
            via_check(in, vpc, &vpc->doc->routes.items[k]);
            route_to_check(in, vpc, &vpc->doc->routes.items[k]);
        }
    }
}
