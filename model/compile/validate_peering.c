/* validate_peering.c - what a tenant can say wrong about a peering by itself.
 *
 * Whether the other side agrees, and whether the prefixes of both fit, is for
 * peer.c, which sees all tenants.  Nothing here tells whether another tenant
 * has a VPC: a peering to one that does not exist reads like one that was not
 * granted. */
#include "model/compile/intent.h"

#include <stdlib.h>

#include "model/base/text.h"

static const char *
peer_tenant(const struct tn_intent *in, const struct tn_peering *p)
{
    return p->peer_tenant.v ? p->peer_tenant.v : in->tenant;
}

static void
exports_check(struct tn_intent *in, const struct tn_intent_peering *p,
              const struct tn_intent_vpc *vpc)
{
    char text[TN_CIDR_TEXT];
    for (size_t i = 0; i < p->doc->export.n; i++) {
        const struct tn_vcidr *e = &p->doc->export.items[i];
        bool inside = false;
        for (size_t k = 0; k < vpc->doc->cidrs.n && !inside; k++) {
            inside = tn_cidr_within(&e->v, &vpc->doc->cidrs.items[k].v);
        }
        if (!inside) {
            tn_diag(in->diags, TN_ERROR, tn_intent_at(p->file, e->at),
                    "export %s is outside the cidrs of VPC '%s' (%s:%u)",
                    tn_cidr_format(&e->v, text), vpc->doc->meta.name.v,
                    vpc->file->path, vpc->doc->cidrs.at.line);
        }
    }
}

static void
peer_check(struct tn_intent *in, const struct tn_intent_peering *p)
{
    if (!tn_streq(peer_tenant(in, p->doc), in->tenant)) {
        return;
    }
    if (tn_streq(p->doc->peer_vpc.v, p->doc->vpc.v)) {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(p->file, p->doc->peer_vpc.at),
                "VPC '%s' cannot peer with itself", p->doc->vpc.v);
        return;
    }
    tn_validate_ref(in, p->file, &p->doc->peer_vpc, TN_KIND_VPC, &in->vpc_map);
}

/* The pair of a peering, for sorting. */
struct pair {
    const struct tn_intent *in;
    const struct tn_intent_peering *p;
};

static int
pair_cmp(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int c = tn_strcmp0(x->p->doc->vpc.v, y->p->doc->vpc.v);
    if (c == 0) {
        c = tn_strcmp0(peer_tenant(x->in, x->p->doc),
                       peer_tenant(y->in, y->p->doc));
    }
    return c ? c : tn_strcmp0(x->p->doc->peer_vpc.v, y->p->doc->peer_vpc.v);
}

static int
pair_place_cmp(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int c = pair_cmp(a, b);
    if (c == 0) {
        c = (x->p->file->index > y->p->file->index) -
            (x->p->file->index < y->p->file->index);
    }
    return c ? c
             : (x->p->doc->meta.at.line > y->p->doc->meta.at.line) -
                   (x->p->doc->meta.at.line < y->p->doc->meta.at.line);
}

static void
pairs_check(struct tn_intent *in)
{
    struct pair *pairs = tn_new_n(in->arena, struct pair, in->n_peerings);
    for (size_t i = 0; i < in->n_peerings; i++) {
        pairs[i] = (struct pair){in, &in->peerings[i]};
    }
    if (in->n_peerings > 1) {
        qsort(pairs, in->n_peerings, sizeof *pairs, pair_place_cmp);
    }
    for (size_t i = 1; i < in->n_peerings; i++) {
        const struct tn_intent_peering *a = pairs[i - 1].p, *b = pairs[i].p;
        if (pair_cmp(&pairs[i - 1], &pairs[i]) == 0) {
            tn_diag(
                in->diags, TN_ERROR, tn_intent_at(b->file, b->doc->peer_vpc.at),
                "VPC '%s' peers with '%s/%s' already, by '%s' in %s:%u",
                b->doc->vpc.v, peer_tenant(in, b->doc), b->doc->peer_vpc.v,
                a->doc->meta.name.v, a->file->path, a->doc->meta.name.at.line);
        }
    }
}

void
tn_validate_peerings(struct tn_intent *in)
{
    for (size_t i = 0; i < in->n_peerings; i++) {
        const struct tn_intent_peering *p = &in->peerings[i];
        const struct tn_intent_vpc *vpc = tn_validate_ref(
            in, p->file, &p->doc->vpc, TN_KIND_VPC, &in->vpc_map);
        if (vpc) {
            exports_check(in, p, vpc);
        }
        peer_check(in, p);
    }
    pairs_check(in);
}
