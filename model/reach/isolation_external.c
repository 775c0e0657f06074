/* isolation_external.c - what keeps VPCs apart that are in external networks.
 *
 * The routers of all of them meet outside.  The driver drops what goes to, or
 * claims to be from, a prefix that some VPC has there.  So it rests on: every
 * VPC is where it is by its own name; each prefix is one VPC's; what comes from
 * outside cannot go on to a peer; and no device has such a VPC that is not of
 * the cloud that makes these rules. */
#include "model/reach/engine.h"

#include <stdlib.h>
#include <string.h>

struct proof {
    struct tn_arena *arena;
    const struct tn_network *network;
    TN_VEC(struct tn_reach_violation) list;
};

static struct tn_reach_violation *
violation(struct proof *p, const char *rule, const struct tn_net_vpc *vpc,
          struct tn_origin at, const char *message)
{
    struct tn_reach_violation *v = tn_vec_push(p->arena, &p->list);
    *v = (struct tn_reach_violation){
        .rule = rule,
        .message = message,
        .tenant = vpc ? vpc->tenant : NULL,
        .at = at,
    };
    return v;
}

/* A prefix that is known outside, and whose it is. */
struct known {
    struct tn_cidr cidr;
    const struct tn_net_outside *of;
};

static int
known_cmp(const void *a, const void *b)
{
    const struct known *x = a, *y = b;
    int c = tn_cidr_cmp(&x->cidr, &y->cidr);
    return c ? c : strcmp(x->of->scope, y->of->scope);
}

static void
prefixes_check(struct proof *p)
{
    char text[TN_CIDR_TEXT];
    TN_VEC(struct known) all = {0};
    for (size_t i = 0; i < p->network->n_externals; i++) {
        const struct tn_net_external *e = &p->network->externals[i];
        for (size_t k = 0; k < e->n_vpcs; k++) {
            const struct tn_net_outside *o = &e->vpcs[k];
            for (size_t j = 0; j < o->n_prefixes; j++) {
                *tn_vec_push(p->arena, &all) =
                    (struct known){o->prefixes[j], o};
            }
        }
    }
    if (all.n) {
        qsort(all.items, all.n, sizeof *all.items, known_cmp);
    }
    const struct known *widest = NULL;
    for (size_t i = 0; i < all.n; i++) {
        const struct known *k = &all.items[i];
        if (!widest || !tn_cidr_within(&k->cidr, &widest->cidr)) {
            widest = k;
        } else if (strcmp(k->of->scope, widest->of->scope) != 0) {
            const char *c = tn_cidr_format(&k->cidr, text);
            struct tn_reach_violation *v = violation(
                p, "external-shared", NULL, k->of->origin,
                tn_arena_printf(p->arena,
                                "%s is known outside as that of %s and of %s",
                                c, widest->of->scope, k->of->scope));
            v->also = widest->of->origin;
            v->packet = tn_arena_printf(
                p->arena,
                "from outside to %s: meant for %s, it may arrive in %s", c,
                k->of->scope, widest->of->scope);
        }
    }
}

static void
transit_check(struct proof *p, const struct tn_net_vpc *vpc,
              const struct tn_net_peering *peering)
{
    char text[TN_CIDR_TEXT];
    const struct tn_net_outside *o = vpc->external;
    for (size_t i = 0; i < peering->n_imports; i++) {
        for (size_t k = 0; k < o->n_prefixes; k++) {
            if (tn_cidr_overlap(&peering->imports[i], &o->prefixes[k])) {
                violation(p, "external-transit", vpc, peering->origin,
                          tn_arena_printf(
                              p->arena,
                              "what comes to %s from outside can go on to %s, "
                              "as %s",
                              vpc->scope, peering->peer->scope,
                              tn_cidr_format(&peering->imports[i], text)))
                    ->also = o->origin;
                return;
            }
        }
    }
}

static void
vpc_check(struct proof *p, const struct tn_net_vpc *vpc)
{
    const struct tn_net_outside *o = vpc->external;
    if (!o) {
        return;
    }
    if (strcmp(o->scope, vpc->scope) != 0) {
        violation(p, "external-foreign", vpc, vpc->external_origin,
                  tn_arena_printf(p->arena, "%s is outside as %s", vpc->scope,
                                  o->scope))
            ->also = o->origin;
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        transit_check(p, vpc, &vpc->peerings[i]);
    }
}

/* A member of a cloud connects nothing by itself. */
static void
device_check(struct proof *p, const struct tn_device *d)
{
    for (size_t i = 0; i < d->n_vpcs && !d->host->cloud; i++) {
        const struct tn_net_vpc *vpc = d->vpcs[i];
        if (vpc->external && vpc->external->network->cloud != d->host) {
            violation(p, "external-device", vpc, vpc->external_origin,
                      tn_arena_printf(p->arena,
                                      "%s is in external network %s, which is "
                                      "of %s, and on device %s",
                                      vpc->scope, vpc->external->network->name,
                                      vpc->external->network->cloud->raw.name,
                                      d->name));
        }
    }
}

size_t
tn_outside_prove(struct tn_arena *arena, const struct tn_network *network,
                 const struct tn_reach_violation **out)
{
    struct proof p = {.arena = arena, .network = network};
    if (network->n_externals) {
        prefixes_check(&p);
        for (size_t i = 0; i < network->n_vpcs; i++) {
            vpc_check(&p, network->vpcs[i]);
        }
        for (size_t i = 0; i < network->n_devices; i++) {
            device_check(&p, &network->devices[i]);
        }
    }
    *out = p.list.items;
    return p.list.n;
}
