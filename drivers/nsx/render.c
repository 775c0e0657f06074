/* render.c - see render.h: routers, segments, ports and static routes.
 *
 * A VPC is a Tier-1 of its own that leads nowhere else, so that VPCs may have
 * equal addresses.  A subnet is a segment on it; a port names its addresses and
 * its MAC, which is what SpoofGuard lets it send.  Numbers of overlays come
 * from the pool of NSX, which does not take ours. */
#include "drivers/nsx/render.h"

#include <string.h>

#include "drivers/nsx/kinds.h"
#include "drivers/nsx/names.h"
#include "drivers/nsx/render_part.h"
#include "model/base/cleanup.h"

enum { TAG_MAX = 256 };

bool
tn_nsx_in_vpcs(const struct tn_device *device)
{
    return tn_streq(tn_host_option(&device->host->config, "tenet_nsx_vpc"),
                    "true");
}

const char *
tn_nsx_base(struct tn_arena *arena, const struct tn_device *device)
{
    const char *project = device->host->config.nsx_project;
    return project ? tn_arena_printf(arena, "/orgs/default/projects/%s/infra",
                                     project)
                   : "/infra";
}

const char *
tn_nsx_own_id(const struct tn_nsx_render *r, const char *name)
{
    return tn_nsx_id(r->arena, r->device->instance, r->vpc->tenant,
                     r->vpc->name, name, NULL);
}

const char *
tn_nsx_own_name(const struct tn_nsx_render *r, const char *name)
{
    return tn_nsx_short(r->arena,
                        tn_arena_printf(r->arena, "%s/%s/%s",
                                        r->device->instance, r->vpc->scope,
                                        name),
                        TN_NSX_ID_MAX);
}

const char *
tn_nsx_name(const struct tn_nsx_render *r, const struct tn_nsx_kind *kind,
            const char *name)
{
    size_t before = strlen(r->vpc->scope) + strlen(kind->name) + 2;
    return tn_nsx_short(r->arena, name, TAG_MAX - before);
}

const char *
tn_nsx_add(struct tn_nsx_render *r, struct tn_nsx_draft *d, const char *parent,
           struct tn_origin origin)
{
    d->r.parent = parent;
    d->r.origin = origin;
    d->r.ids = d->path;
    struct tn_resource res = tn_nsx_draft_end(d);
    *tn_vec_push(r->arena, &r->list) = res;
    return res.key;
}

static void
render_router(struct tn_nsx_render *r)
{
    struct tn_nsx_draft d;
    const char *id = tn_nsx_id(r->arena, r->device->instance, r->vpc->tenant,
                               r->vpc->name, NULL);
    r->router = tn_arena_printf(r->arena, "%s/tier-1s/%s", r->base, id);
    tn_nsx_draft_begin(&d, r->arena, &tn_nsx_router, r->vpc->scope, NULL,
                       r->router);
    tn_nsx_draft_set(
        &d, "name",
        tn_arena_printf(r->arena, "%s/%s", r->device->instance, r->vpc->scope));
    tn_nsx_draft_set(&d, "type", "ISOLATED");
    r->router_key = tn_nsx_add(r, &d, NULL, r->vpc->origin);
}

/* ---- ports ---- */

static void
add_source(struct tn_text *t, const struct tn_net_port *port, const char *from)
{
    char mac[TN_MAC_TEXT];
    tn_text_addf(t, "%s{\"ip_address\":\"%s\",\"mac_address\":\"%s\"}",
                 t->n > 1 ? "," : "", from, tn_mac_format(&port->mac, mac));
}

/* RFC 4291, appendix A: without it SpoofGuard stops neighbour discovery. */
static struct tn_addr
link_local(const struct tn_mac *mac)
{
    const uint8_t *m = mac->b;
    return (struct tn_addr){TN_AF_IPV6,
                            {0xfe, 0x80, 0, 0, 0, 0, 0, 0, (uint8_t) (m[0] ^ 2),
                             m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}};
}

static const char *
source_text(struct tn_arena *arena, const struct tn_cidr *c)
{
    return c->len == tn_addr_bits(&c->addr) ? tn_nsx_addr(arena, &c->addr)
                                            : tn_nsx_cidr(arena, c);
}

static void
render_sources(struct tn_nsx_render *r, struct tn_nsx_draft *d,
               const struct tn_net_port *port)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct tn_addr *own[] = {&port->address, &port->address6};
    bool six = false;
    tn_text_add(&t, "[");
    for (size_t i = 0; i < TN_ARRAY_SIZE(own); i++) {
        if (tn_addr_present(own[i])) {
            add_source(&t, port, tn_nsx_addr(r->arena, own[i]));
            six = six || own[i]->family == TN_AF_IPV6;
        }
    }
    for (size_t i = 0; i < port->n_allowed; i++) {
        add_source(&t, port, source_text(r->arena, &port->allowed[i]));
    }
    if (six) {
        const struct tn_addr local = link_local(&port->mac);
        add_source(&t, port, tn_nsx_addr(r->arena, &local));
    }
    tn_text_add(&t, "]");
    tn_nsx_draft_json(d, "sources", tn_text_str(&t));
}

void
tn_nsx_render_port(struct tn_nsx_render *r, const struct tn_net_port *port,
                   const char *segment, const char *on)
{
    struct tn_nsx_draft d;
    const char *vif = port->vif ? port->vif
                                : tn_nsx_vif(r->arena, r->device->instance,
                                             r->vpc->scope, port->name);
    tn_nsx_draft_begin(&d, r->arena, r->vpcs ? &tn_nsx_vport : &tn_nsx_port,
                       r->vpc->scope, port->name,
                       tn_arena_printf(r->arena, "%s/ports/%s", segment,
                                       tn_nsx_own_id(r, port->name)));
    tn_nsx_draft_set(&d, "name", tn_nsx_own_name(r, port->name));
    tn_nsx_draft_set(&d, "vif", vif);
    render_sources(r, &d, port);
    tn_nsx_port_groups(r, &d, port);
    tn_nsx_add(r, &d, on, port->origin);
}

/* ---- segments ---- */

static const char *
gateway(struct tn_arena *arena, const struct tn_addr *addr,
        const struct tn_cidr *cidr)
{
    return tn_arena_printf(arena, "{\"gateway_address\":\"%s/%u\"}",
                           tn_nsx_addr(arena, addr), cidr->len);
}

/* A port may use addresses that are not routed to its segment: then its router
 * does not ask for that. */
static bool
has_others(const struct tn_net_subnet *s)
{
    for (size_t i = 0; i < s->n_ports; i++) {
        for (size_t k = 0; k < s->ports[i].n_allowed; k++) {
            const struct tn_cidr *c = &s->ports[i].allowed[k];
            if (!tn_cidr_within(c, &s->cidr) && !tn_cidr_within(c, &s->cidr6)) {
                return true;
            }
        }
    }
    return false;
}

static void
render_profile(struct tn_nsx_render *r, const struct tn_net_subnet *s,
               const char *segment, const char *on)
{
    const char *guard =
        tn_host_option(&r->device->host->config, "tenet_nsx_spoofguard");
    struct tn_nsx_draft d;
    if (!guard) {
        return;
    }
    tn_nsx_draft_begin(
        &d, r->arena, &tn_nsx_profile, r->vpc->scope, s->name,
        tn_arena_printf(r->arena, "%s/segment-security-profile-binding-maps/%s",
                        segment, tn_nsx_own_id(r, s->name)));
    tn_nsx_draft_set(&d, "spoofguard", guard);
    tn_nsx_add(r, &d, on, s->origin);
}

static void
render_segment(struct tn_nsx_render *r, const struct tn_net_subnet *s)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text subnets = {0};
    const char *zone =
        tn_host_option(&r->device->host->config, "tenet_nsx_transport_zone");
    const char *path = tn_arena_printf(r->arena, "%s/segments/%s", r->base,
                                       tn_nsx_own_id(r, s->name));
    struct tn_nsx_draft d;
    tn_text_addf(&subnets, "[%s", gateway(r->arena, &s->gateway, &s->cidr));
    if (tn_addr_present(&s->gateway6)) {
        tn_text_addf(&subnets, ",%s",
                     gateway(r->arena, &s->gateway6, &s->cidr6));
    }
    tn_text_add(&subnets, "]");
    tn_nsx_draft_begin(&d, r->arena, &tn_nsx_segment, r->vpc->scope, s->name,
                       path);
    tn_nsx_draft_set(&d, "name", tn_nsx_own_name(r, s->name));
    tn_nsx_draft_set(&d, "router", r->router);
    if (zone) {
        tn_nsx_draft_set(&d, "zone", zone);
    }
    tn_nsx_draft_json(&d, "subnets", tn_text_str(&subnets));
    if (has_others(s)) {
        tn_nsx_draft_set(&d, "urpf", "NONE");
    }
    const char *on = tn_nsx_add(r, &d, NULL, s->origin);
    render_profile(r, s, path, on);
    for (size_t i = 0; i < s->n_ports; i++) {
        tn_nsx_render_port(r, &s->ports[i], path, on);
    }
}

static void
render_route(struct tn_nsx_render *r, const struct tn_net_route *route)
{
    const char *to = tn_nsx_cidr(r->arena, &route->to);
    struct tn_nsx_draft d;
    tn_nsx_draft_begin(&d, r->arena, &tn_nsx_route, r->vpc->scope, to,
                       tn_arena_printf(r->arena, "%s/static-routes/%s",
                                       r->router, tn_nsx_word(r->arena, to)));
    tn_nsx_draft_set(&d, "name", to);
    tn_nsx_draft_set(&d, "to", to);
    tn_nsx_draft_json(&d, "via",
                      tn_arena_printf(r->arena,
                                      "[{\"ip_address\":\"%s\","
                                      "\"admin_distance\":1}]",
                                      tn_nsx_addr(r->arena, &route->via)));
    tn_nsx_add(r, &d, r->router_key, route->origin);
}

static void
render_vpc(struct tn_nsx_render *r)
{
    tn_map_init(&r->known, r->arena, 0);
    if (r->vpcs) {
        tn_nsx_render_vpc(r);
    } else {
        render_router(r);
    }
    tn_nsx_render_guards(r);
    tn_nsx_render_groups(r);
    for (size_t i = 0; i < r->vpc->n_subnets && !r->vpcs; i++) {
        render_segment(r, &r->vpc->subnets[i]);
    }
    if (r->vpcs) {
        tn_nsx_render_subnets(r);
    }
    for (size_t i = 0; i < r->vpc->n_routes; i++) {
        render_route(r, &r->vpc->routes[i]);
    }
    tn_nsx_render_peerings(r);
}

enum tn_code
tn_nsx_render(const struct tn_device *device, struct tn_arena *arena,
              const struct tn_state **out, struct tn_diags *diags,
              struct tn_error *err)
{
    struct tn_nsx_render r = {.device = device, .arena = arena};
    r.base = tn_nsx_base(arena, device);
    r.domain = tn_arena_printf(arena, "%s/domains/default", r.base);
    r.vpcs = tn_nsx_in_vpcs(device);
    tn_map_init(&r.checked, arena, device->n_vpcs);
    for (size_t i = 0; i < device->n_vpcs; i++) {
        (void) tn_nsx_check(&r, device->vpcs[i], diags);
    }
    for (size_t i = 0; i < device->n_vpcs; i++) {
        if (tn_nsx_check(&r, device->vpcs[i], NULL)) {
            r.vpc = device->vpcs[i];
            render_vpc(&r);
        }
    }
    enum tn_code code = tn_state_sort(r.list.items, r.list.n, err);
    if (!code) {
        struct tn_state *state = tn_new(arena, struct tn_state);
        *state = (struct tn_state){device->name, r.list.items, r.list.n};
        *out = state;
    }
    return code;
}
