/* render_external.c - external networks as distributed gateway ports.
 *
 * Of the device: a switch for each network, with a localnet port that leads to
 * the wire, and for each family the set of all prefixes and addresses that
 * VPCs have outside, whichever network they are in.  Of a VPC: a port of its
 * router on that switch, with the chassis that may carry it; the default
 * routes; and policies.
 *
 * The policies are what keeps VPCs apart: the wire leads back to all others.
 * Nothing goes to, and nothing is taken from, an address of any VPC.  What
 * comes must not pretend to be from within either, as rules go by such
 * addresses.  The rest passes between the VPC's prefixes and outside; its
 * router answers for itself and for the gateways that are known there. */
#include <string.h>

#include "drivers/ovsdb/names.h"
#include "drivers/ovsdb/ovn/kinds.h"
#include "drivers/ovsdb/ovn/render.h"
#include "model/base/cleanup.h"

/* Above those of peerings: none lets anything in or out here. */
enum {
    ANSWERS = 1060,
    NOT_FROM = 1055,
    NOT_TO = 1053,
    OUT = 1052,
    NOTHING_OUT = 1051,
    IN = 1021,
    NOTHING_IN = 1020,
};

enum { FIRST_PRIORITY = 10 }; /* Of the preferred chassis. */

/* "10.0.0.0/8, 192.0.2.1" */
struct set {
    struct tn_text text;
    unsigned family;
};

static void
set_add(struct set *s, const struct tn_cidr *c)
{
    char text[TN_CIDR_TEXT];
    if (c->addr.family == s->family) {
        tn_text_addf(&s->text, "%s%s", s->text.n ? ", " : "",
                     tn_cidr_format(c, text));
    }
}

static void
set_add_all(struct set *s, const struct tn_cidr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        set_add(s, &list[i]);
    }
}

static bool
is_in(const struct tn_cidr *list, size_t n, const struct tn_addr *a)
{
    bool in = false;
    for (size_t i = 0; i < n && !in; i++) {
        in = tn_cidr_contains(&list[i], a);
    }
    return in;
}

static const char *
family_word(unsigned family)
{
    return family == TN_AF_IPV4 ? "4" : "6";
}

/* ---- the device -----------------------------------------------------------
 */

static const char *
network_key(struct tn_arena *arena, const struct tn_net_external *e)
{
    return tn_arena_printf(arena, "%s/%s", tn_ovn_external.name, e->name);
}

static void
render_network(struct tn_ovn_render *r, const struct tn_net_external *e)
{
    struct tn_arena *arena = r->arena;
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, arena, &tn_ovn_external, "", e->name);
    tn_ovs_draft_add(
        &d, "name",
        tn_arena_printf(arena, "%s/external/%s", r->device->instance, e->name));
    const char *on = tn_ovn_add(r, &d, NULL, e->origin);

    /* The name is part of one of Open vSwitch. */
    tn_ovs_draft_begin(&d, arena, &tn_ovn_localnet, "", e->name);
    tn_ovs_draft_add(
        &d, "name",
        tn_arena_printf(arena, "%s.%s", r->device->instance, e->name));
    tn_ovs_draft_add(&d, "type", "localnet");
    tn_ovs_draft_add(&d, "addresses", "unknown");
    tn_ovs_draft_put(&d, "options", "network_name", e->physical);
    if (e->vlan) {
        tn_ovs_draft_add(&d, "vlan", tn_arena_printf(arena, "%u", e->vlan));
    }
    tn_ovs_draft_add(&d, "switch", on);
    tn_ovn_add(r, &d, on, e->origin);
}

static const char *
everybody_name(const struct tn_ovn_render *r, unsigned family)
{
    return tn_ovs_set_id(
        r->arena, r->device->instance,
        tn_arena_printf(r->arena, "outside/%s", family_word(family)));
}

/* What VPCs have of that family in external networks of any cloud. */
static size_t
render_everybody(struct tn_ovn_render *r, unsigned family)
{
    struct tn_ovs_draft d;
    size_t n = 0;
    struct tn_origin at = {0};
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_outside, "", family_word(family));
    tn_ovs_draft_add(&d, "name", everybody_name(r, family));
    for (size_t i = 0; i < r->device->n_externals; i++) {
        const struct tn_net_external *e = &r->device->externals[i];
        for (size_t k = 0; k < e->n_vpcs; k++) {
            const struct tn_net_outside *v = &e->vpcs[k];
            const struct tn_addr *a =
                v->address.family == family ? &v->address : &v->address6;
            if (a->family == family) {
                tn_ovs_draft_add(&d, "addresses", tn_ovn_addr(r->arena, a));
                at = n++ ? at : v->origin;
            }
            for (size_t j = 0; j < v->n_prefixes; j++) {
                if (v->prefixes[j].addr.family == family) {
                    tn_ovs_draft_add(&d, "addresses",
                                     tn_ovn_cidr(r->arena, &v->prefixes[j]));
                }
            }
        }
    }
    if (n) {
        tn_ovn_add(r, &d, NULL, at);
    }
    return n;
}

void
tn_ovn_render_externals(struct tn_ovn_render *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->device->n_externals; i++) {
        if (r->device->externals[i].cloud == r->device->host) {
            render_network(r, &r->device->externals[i]);
            n++;
        }
    }
    if (n) {
        render_everybody(r, TN_AF_IPV4);
        render_everybody(r, TN_AF_IPV6);
    }
}

/* ---- a VPC ----------------------------------------------------------------
 */

/* Its port outside, in the making. */
struct way {
    struct tn_ovn_render *r;
    const struct tn_net_outside *outside;
    const char *label; /* No subnet is called so. */
    const char *port;  /* Name of the router's port, */
    const char *key;   /* and its key. */
};

static void
add_network(const struct way *w, struct tn_ovs_draft *d,
            const struct tn_addr *a, const struct tn_cidr *cidr)
{
    if (tn_addr_present(a)) {
        tn_ovs_draft_add(d, "networks",
                         tn_arena_printf(w->r->arena, "%s/%u",
                                         tn_ovn_addr(w->r->arena, a),
                                         cidr->len));
    }
}

static void
render_port(struct way *w)
{
    struct tn_ovn_render *r = w->r;
    const struct tn_net_external *e = w->outside->network;
    const struct tn_mac mac = tn_ovs_mac(w->port);
    const char *on = network_key(r->arena, e);
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_gateway, r->vpc->scope, w->label);
    tn_ovs_draft_add(&d, "name", w->port);
    tn_ovs_draft_add(&d, "mac", tn_ovn_mac(r->arena, &mac));
    add_network(w, &d, &w->outside->address, &e->cidr);
    add_network(w, &d, &w->outside->address6, &e->cidr6);
    tn_ovs_draft_add(&d, "router", r->router);
    w->key = tn_ovn_add(r, &d, r->router, r->vpc->external_origin);

    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_uplink, r->vpc->scope, w->label);
    tn_ovs_draft_add(&d, "name", tn_ovn_member_name(r, "uplink", w->label));
    tn_ovs_draft_add(&d, "type", "router");
    tn_ovs_draft_add(&d, "addresses", "router");
    tn_ovs_draft_put(&d, "options", "router-port", w->port);
    tn_ovs_draft_add(&d, "switch", on);
    tn_ovn_add(r, &d, on, r->vpc->external_origin);
}

static void
render_chassis(const struct way *w)
{
    struct tn_arena *arena = w->r->arena;
    const struct tn_net_external *e = w->outside->network;
    for (size_t i = 0; i < e->n_chassis; i++) {
        const struct tn_host *host = e->chassis[i];
        struct tn_ovs_draft d;
        tn_ovs_draft_begin(&d, arena, &tn_ovn_chassis, w->r->vpc->scope,
                           host->raw.name);
        tn_ovs_draft_add(&d, "name",
                         tn_arena_printf(arena, "%s-%s", w->port,
                                         host->config.ovs_system_id));
        tn_ovs_draft_add(&d, "chassis", host->config.ovs_system_id);
        tn_ovs_draft_add(&d, "priority",
                         tn_arena_printf(arena, "%zu", FIRST_PRIORITY - i));
        tn_ovs_draft_add(&d, "port", w->key);
        tn_ovn_add(w->r, &d, w->key, e->origin);
    }
}

static void
render_default(const struct way *w, const struct tn_addr *own,
               const struct tn_addr *via)
{
    struct tn_ovn_render *r = w->r;
    struct tn_ovs_draft d;
    const char *to = via->family == TN_AF_IPV4 ? "0.0.0.0/0" : "::/0";
    const char *hop = tn_ovn_addr(r->arena, via);
    if (!tn_addr_present(own)) {
        return;
    }
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_route, r->vpc->scope,
                       tn_arena_printf(r->arena, "%s via %s", to, hop));
    tn_ovs_draft_add(&d, "to", to);
    tn_ovs_draft_add(&d, "via", hop);
    tn_ovs_draft_add(&d, "port", w->port);
    tn_ovs_draft_add(&d, "router", r->router);
    tn_ovn_add(r, &d, r->router, r->vpc->external_origin);
}

static void
add_policy(const struct way *w, const char *name, int priority,
           const char *match)
{
    struct tn_ovn_render *r = w->r;
    bool passes = priority == ANSWERS || priority == OUT || priority == IN;
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_policy, r->vpc->scope,
                       tn_arena_printf(r->arena, "outside/%s", name));
    tn_ovs_draft_add(&d, "priority", tn_arena_printf(r->arena, "%d", priority));
    tn_ovs_draft_add(&d, "match", match);
    tn_ovs_draft_add(&d, "action", passes ? "allow" : "drop");
    tn_ovs_draft_add(&d, "router", r->router);
    tn_ovn_add(r, &d, r->router, r->vpc->external_origin);
}

/* A policy about packets of one family, with source or destination in 'set';
 * none if that is empty. */
struct rule {
    const char *name;
    int priority;
    const char *way;  /* "inport", "outport" */
    const char *side; /* "src", "dst" */
};

static void
add_rule(const struct way *w, unsigned family, const struct rule *rule,
         const char *set)
{
    struct tn_arena *arena = w->r->arena;
    const char *f = family_word(family);
    if (set[0]) {
        add_policy(w, tn_arena_printf(arena, "%s/%s", f, rule->name),
                   rule->priority,
                   tn_arena_printf(arena, "%s == \"%s\" && ip%s.%s == {%s}",
                                   rule->way, w->port, f, rule->side, set));
    }
}

/* The router itself: its address outside, and gateways that are known there. */
static void
add_answers(const struct way *w, unsigned family, const struct tn_addr *own)
{
    static const struct rule rule = {"answers", ANSWERS, "inport", "src"};
    const struct tn_net_vpc *vpc = w->r->vpc;
    TN_CLEANUP(tn_cleanup_text) struct tn_text set = {0};
    tn_text_add(&set, tn_ovn_addr(w->r->arena, own));
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        const struct tn_addr *g =
            s->gateway.family == family ? &s->gateway : &s->gateway6;
        if (g->family == family &&
            is_in(w->outside->prefixes, w->outside->n_prefixes, g)) {
            tn_text_addf(&set, ", %s", tn_ovn_addr(w->r->arena, g));
        }
    }
    add_rule(w, family, &rule, tn_text_str(&set));
}

/* Where the router leads by other ports. */
static void
add_inner(const struct way *w, unsigned family)
{
    static const struct rule rule = {"inner", NOT_FROM, "inport", "src"};
    const struct tn_net_vpc *vpc = w->r->vpc;
    struct set set = {.family = family};
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        set_add(&set, &vpc->subnets[i].cidr);
        set_add(&set, &vpc->subnets[i].cidr6);
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        set_add(&set, &vpc->routes[i].to);
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        set_add_all(&set, vpc->peerings[i].imports, vpc->peerings[i].n_imports);
    }
    add_rule(w, family, &rule, tn_text_str(&set.text));
    tn_text_done(&set.text);
}

static void
render_policies(const struct way *w, const struct tn_addr *own)
{
    static const struct rule from = {"others-in", NOT_FROM, "inport", "src"};
    static const struct rule to = {"others-out", NOT_TO, "outport", "dst"};
    static const struct rule out = {"out", OUT, "outport", "src"};
    static const struct rule in = {"in", IN, "inport", "dst"};
    unsigned family = own->family;
    if (!tn_addr_present(own)) {
        return;
    }
    const char *everybody =
        tn_arena_printf(w->r->arena, "$%s", everybody_name(w->r, family));
    struct set ours = {.family = family};
    set_add_all(&ours, w->outside->prefixes, w->outside->n_prefixes);
    add_answers(w, family, own);
    add_inner(w, family);
    add_rule(w, family, &from, everybody);
    add_rule(w, family, &to, everybody);
    add_rule(w, family, &out, tn_text_str(&ours.text));
    add_rule(w, family, &in, tn_text_str(&ours.text));
    tn_text_done(&ours.text);
}

void
tn_ovn_render_outside(struct tn_ovn_render *r)
{
    const struct tn_net_outside *outside = r->vpc->external;
    if (!outside) {
        return;
    }
    const struct tn_net_external *e = outside->network;
    struct way w = {.r = r, .outside = outside};
    w.label = tn_arena_printf(r->arena, "external:%s", e->name);
    w.port = tn_ovn_member_name(r, "gateway", w.label);
    render_port(&w);
    render_chassis(&w);
    render_policies(&w, &outside->address);
    render_policies(&w, &outside->address6);
    add_policy(&w, "closed-out", NOTHING_OUT,
               tn_arena_printf(r->arena, "outport == \"%s\"", w.port));
    add_policy(&w, "closed-in", NOTHING_IN,
               tn_arena_printf(r->arena, "inport == \"%s\"", w.port));
    render_default(&w, &outside->address, &e->gateway);
    render_default(&w, &outside->address6, &e->gateway6);
}
