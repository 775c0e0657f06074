/* external.c - external networks of tenet.yml, as this environment has them.
 *
 * Their chassis are hosts of some inventory; a network none of whose chassis
 * is in the chosen one does not exist there.  Those that are must be members
 * of one cloud, and be on that wire. */
#include "model/compile/settle.h"
#include "model/compile/world.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/text.h"

static struct tn_origin
at(const struct tn_world *w, struct tn_pos pos)
{
    return tn_at(w->settings->meta.path, pos);
}

/* Does a bridge of the host lead to that wire? */
static bool
maps(const struct tn_host *host, const char *network)
{
    size_t n = strlen(network);
    const char *p = host->config.ovs_bridge_mappings;
    while (p && *p) {
        if (strncmp(p, network, n) == 0 && p[n] == ':') {
            return true;
        }
        p += strcspn(p, ",");
        p += *p == ',';
    }
    return false;
}

/* The host of that name in this environment, if it can be a chassis. */
static const struct tn_host *
chassis_find(struct tn_world *w, const struct tn_external *e,
             const struct tn_vtext *name, struct tn_diags *diags)
{
    const struct tn_host *host = tn_map_get(&w->hosts, name->v);
    struct tn_origin here = at(w, name->at);
    if (!host && !tn_map_get(&w->elsewhere, name->v)) {
        struct tn_diag *d =
            tn_diag(diags, TN_ERROR, here,
                    "there is no host '%s' in inventories/%s, nor in another "
                    "environment",
                    name->v, w->environment);
        const char *near =
            tn_nearest(name->v, w->host_names, w->inventory->n_hosts);
        if (near) {
            d->hint = tn_arena_printf(diags->arena, "did you mean '%s'?", near);
        }
    } else if (host && (!host->cloud ||
                        strcmp(host->cloud->config.driver, "ovn") != 0)) {
        tn_diag(diags, TN_ERROR, here,
                "host '%s' is no member of a cloud of OVN (tenet_ovn)",
                name->v);
        host = NULL;
    } else if (host && !maps(host, e->physical_network.v)) {
        tn_diag(diags, TN_ERROR, here,
                "host '%s' has no bridge for physical network '%s' "
                "(tenet_ovs_bridge_mappings)",
                name->v, e->physical_network.v);
        host = NULL;
    }
    return host;
}

static void
chassis_fill(struct tn_arena *arena, struct tn_world *w,
             const struct tn_external *e, struct tn_net_external *out,
             struct tn_diags *diags)
{
    const struct tn_host **list =
        tn_new_n(arena, const struct tn_host *, e->chassis.n);
    for (size_t i = 0; i < e->chassis.n; i++) {
        const struct tn_vtext *name = &e->chassis.items[i];
        const struct tn_host *host = chassis_find(w, e, name, diags);
        if (host && out->cloud && host->cloud != out->cloud) {
            tn_diag(diags, TN_ERROR, at(w, name->at),
                    "host '%s' is of cloud '%s', and '%s' of cloud '%s'",
                    name->v, host->cloud->raw.name, list[0]->raw.name,
                    out->cloud->raw.name);
        } else if (host) {
            out->cloud = host->cloud;
            list[out->n_chassis++] = host;
        }
    }
    out->chassis = list;
}

static int
outside_cmp(const void *a, const void *b)
{
    const struct tn_net_outside *x = a, *y = b;
    return strcmp(x->scope, y->scope);
}

static int
cidr_cmp(const void *a, const void *b)
{
    return tn_cidr_cmp(a, b);
}

static void
vpcs_fill(struct tn_arena *arena, const struct tn_world *w,
          const struct tn_external *e, struct tn_net_external *out)
{
    struct tn_net_outside *list =
        tn_new_n(arena, struct tn_net_outside, e->vpcs.n);
    for (size_t i = 0; i < e->vpcs.n; i++) {
        const struct tn_external_vpc *v = &e->vpcs.items[i];
        struct tn_cidr *prefixes =
            tn_new_n(arena, struct tn_cidr, v->prefixes.n);
        for (size_t k = 0; k < v->prefixes.n; k++) {
            prefixes[k] = v->prefixes.items[k].v;
        }
        qsort(prefixes, v->prefixes.n, sizeof *prefixes, cidr_cmp);
        list[i] = (struct tn_net_outside){
            .network = out,
            .scope = v->vpc.v,
            .address = v->address.v,
            .address6 = v->address6.v,
            .prefixes = prefixes,
            .n_prefixes = v->prefixes.n,
            .origin = at(w, v->at),
        };
    }
    if (e->vpcs.n > 1) {
        qsort(list, e->vpcs.n, sizeof *list, outside_cmp);
    }
    out->vpcs = list;
    out->n_vpcs = e->vpcs.n;
}

static int
external_cmp(const void *a, const void *b)
{
    const struct tn_external *x = *(const struct tn_external *const *) a;
    const struct tn_external *y = *(const struct tn_external *const *) b;
    return strcmp(x->name.v, y->name.v);
}

enum tn_code
tn_world_externals(struct tn_arena *arena, struct tn_world *w,
                   struct tn_diags *diags, struct tn_error *err)
{
    size_t n = w->settings->external_networks.n;
    size_t before = diags->n_errors;
    struct tn_net_external *list = tn_new_n(arena, struct tn_net_external, n);
    const struct tn_external **docs =
        tn_new_n(arena, const struct tn_external *, n);
    for (size_t i = 0; i < n; i++) {
        docs[i] = &w->settings->external_networks.items[i];
    }
    if (n > 1) {
        qsort(docs, n, sizeof(const struct tn_external *), external_cmp);
    }
    for (size_t i = 0; i < n; i++) {
        const struct tn_external *e = docs[i];
        struct tn_net_external *out = &list[w->n_externals];
        *out = (struct tn_net_external){
            .name = e->name.v,
            .physical = e->physical_network.v,
            .vlan = (uint16_t) e->vlan.v,
            .cidr = e->cidr.v,
            .cidr6 = e->cidr6.v,
            .gateway = e->gateway.v,
            .gateway6 = e->gateway6.v,
            .origin = at(w, e->at),
        };
        chassis_fill(arena, w, e, out, diags);
        vpcs_fill(arena, w, e, out);
        w->n_externals += out->n_chassis > 0;
    }
    w->externals = list;
    return diags->n_errors > before
               ? tn_fail(err, TN_EINTENT, 0, "%s has errors",
                         w->settings->meta.path)
               : TN_OK;
}

/* ---- who is in them ------------------------------------------------------ */

static const struct tn_net_outside *
outside_find(const struct tn_world *w, const char *network, const char *scope)
{
    const struct tn_net_outside key = {.scope = scope};
    for (size_t i = 0; i < w->n_externals; i++) {
        const struct tn_net_external *e = &w->externals[i];
        if (strcmp(e->name, network) == 0) {
            return e->n_vpcs ? bsearch(&key, e->vpcs, e->n_vpcs,
                                       sizeof *e->vpcs, outside_cmp)
                             : NULL;
        }
    }
    return NULL;
}

void
tn_settle_externals(const struct tn_world *world, const struct tn_parts *parts)
{
    for (size_t i = 0; i < parts->n; i++) {
        const struct tn_part *part = parts->items[i];
        for (size_t v = 0; part->net && v < part->n_vpcs; v++) {
            struct tn_net_vpc *vpc = &part->net[v];
            vpc->external =
                vpc->external_name
                    ? outside_find(world, vpc->external_name, vpc->scope)
                    : NULL;
        }
    }
}
