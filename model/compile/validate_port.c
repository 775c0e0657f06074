/* validate_port.c - rules on ports: what they refer to and where they attach,
 * what can carry their VPC, and what the underlay of their hosts must carry.
 *
 * Sets what later stages read: the subnet and the host of each port, and the
 * ports of each subnet. */
#include "model/compile/intent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/base/text.h"

enum {
    OVERHEAD_ETHERNET = 14,
    OVERHEAD_UDP = 8,
    OVERHEAD_TUNNEL = 8, /* VXLAN, and Geneve without options. */
    OVERHEAD_OPTION = 8, /* Of Geneve, which OVN puts into each packet. */
    OVERHEAD_GRE = 8,    /* With a key. */
    OVERHEAD_IPV4 = 20,
    OVERHEAD_IPV6 = 40,
    MTU_DEFAULT = 1450, /* Of a VPC without ports. */
    MTU_IPV6 = 1280,
    MTU_MAX = 65535,
    OBJECT_TEXT = 80, /* "port/" and a label. */
};

static struct tn_intent_subnet *
subnet_find(struct tn_intent *in, const struct tn_intent_port *port,
            const struct tn_intent_vpc *vpc)
{
    const struct tn_port *doc = port->doc;
    size_t n = vpc->doc->subnets.n;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(vpc->subnets[i].doc->name.v, doc->subnet.v) == 0) {
            return &vpc->subnets[i];
        }
    }
    const char *key = tn_arena_printf(in->arena, "vpc/%s", doc->vpc.v);
    if (tn_map_get(&in->broken, key)) {
        return NULL;
    }
    struct tn_diag *d =
        tn_diag(in->diags, TN_ERROR, tn_intent_at(port->file, doc->subnet.at),
                "VPC '%s' has no subnet '%s'", doc->vpc.v, doc->subnet.v);
    const char **names = tn_new_n(in->arena, const char *, n);
    for (size_t i = 0; i < n; i++) {
        names[i] = vpc->subnets[i].doc->name.v;
    }
    const char *near = tn_nearest(doc->subnet.v, names, n);
    if (near) {
        d->hint = tn_arena_printf(in->diags->arena, "did you mean '%s'?", near);
    }
    return NULL;
}

static void
host_missing(struct tn_intent *in, const struct tn_intent_port *port)
{
    const struct tn_world *w = in->world;
    struct tn_diag *d = tn_diag(
        in->diags, TN_ERROR, tn_intent_at(port->file, port->doc->host.at),
        "there is no host '%s' in inventories/%s, nor in another environment",
        port->doc->host.v, w->environment);
    const char *near =
        tn_nearest(port->doc->host.v, w->host_names, w->inventory->n_hosts);
    if (near) {
        d->hint = tn_arena_printf(in->diags->arena, "did you mean '%s'?", near);
    }
}

static void
site_check(struct tn_intent *in, const struct tn_intent_port *port,
           const struct tn_intent_vpc *vpc)
{
    const char *site = port->host->config.site;
    if (vpc->doc->sites.n == 0) {
        return;
    }
    for (size_t i = 0; i < vpc->doc->sites.n; i++) {
        if (tn_streq(vpc->doc->sites.items[i].v, site)) {
            return;
        }
    }
    tn_diag(in->diags, TN_ERROR, tn_intent_at(port->file, port->doc->host.at),
            "host '%s' is in site '%s', which is not among the sites of VPC "
            "'%s' (%s:%u)",
            port->doc->host.v, site ? site : "(none)", vpc->doc->meta.name.v,
            vpc->file->path, vpc->doc->sites.at.line);
}

/* NSX knows virtual interfaces by names of its own, and nobody else does. */
static void
vif_check(struct tn_intent *in, const struct tn_intent_port *port)
{
    const struct tn_attach *a = &port->doc->attach;
    const struct tn_vtext *other = a->netns.v ? &a->netns : &a->interface;
    if (!a->vif.v) {
        return;
    }
    if (!tn_streq(tn_host_engine(port->host), "nsx")) {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(port->file, a->vif.at),
                "'vif' is for hosts of an NSX: '%s' is of driver %s",
                port->host->raw.name, port->host->config.driver);
    }
    if (other->v) {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(port->file, other->at),
                "'vif' stands alone: an interface of NSX has no place on the "
                "host");
    }
}

static void
host_find(struct tn_intent *in, struct tn_intent_port *port,
          const struct tn_intent_vpc *vpc)
{
    const char *name = port->doc->host.v;
    const struct tn_host *host = tn_map_get(&in->world->hosts, name);
    if (!host) {
        if (!tn_map_get(&in->world->elsewhere, name)) {
            host_missing(in, port);
        }
        return;
    }
    if (!host->config.driver && !host->cloud) {
        tn_diag(in->diags, TN_ERROR,
                tn_intent_at(port->file, port->doc->host.at),
                "host '%s' has no tenet_driver: no port can be on it", name);
        return;
    }
    if (tn_streq(host->config.driver, "ovn")) {
        tn_diag(in->diags, TN_ERROR,
                tn_intent_at(port->file, port->doc->host.at),
                "host '%s' is a cloud (tenet_driver ovn): ports are on its "
                "hypervisors",
                name);
        return;
    }
    port->host = host;
    vif_check(in, port);
    if (vpc) {
        site_check(in, port, vpc);
    }
}

static void
port_object(const struct tn_port *doc, char object[OBJECT_TEXT])
{
    snprintf(object, OBJECT_TEXT, "port/%s", doc->meta.name.v);
}

static void
port_take(struct tn_intent *in, struct tn_intent_port *port)
{
    char object[OBJECT_TEXT];
    const struct tn_port *doc = port->doc;
    struct tn_intent_vpc *vpc =
        tn_validate_ref(in, port->file, &doc->vpc, TN_KIND_VPC, &in->vpc_map);
    host_find(in, port, vpc);
    if (vpc) {
        port->subnet = subnet_find(in, port, vpc);
    }
    if (port->subnet) {
        *tn_vec_push(in->arena, &port->subnet->ports) = port;
    }
    for (size_t i = 0; i < doc->security_groups.n; i++) {
        tn_validate_ref(in, port->file, &doc->security_groups.items[i],
                        TN_KIND_SECURITY_GROUP, &in->group_map);
    }
    if (in->n_lock || in->n_pins) {
        port_object(doc, object);
        port->pin = tn_intent_pin(in, object, &port->established);
    }
}

static uint64_t
place_hash(const struct tn_port *doc, const char *interface)
{
    const char *parts[] = {
        doc->host.v, doc->attach.netns.v ? doc->attach.netns.v : "", interface};
    uint64_t hash[TN_ARRAY_SIZE(parts)];
    for (size_t i = 0; i < TN_ARRAY_SIZE(parts); i++) {
        hash[i] = tn_hash64(parts[i], strlen(parts[i]));
    }
    return tn_hash64(hash, sizeof hash);
}

/* A port by where it attaches. */
struct attached {
    uint64_t hash;
    const struct tn_intent_port *port;
};

/* By place; those of one hash are few. */
static int
attached_cmp(const void *a, const void *b)
{
    const struct attached *x = a, *y = b;
    const struct tn_intent_port *p = x->port, *q = y->port;
    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    if (p->file->index != q->file->index) {
        return p->file->index < q->file->index ? -1 : 1;
    }
    return (p->doc->meta.at.line > q->doc->meta.at.line) -
           (p->doc->meta.at.line < q->doc->meta.at.line);
}

static bool
attached_same(const struct tn_port *a, const struct tn_port *b)
{
    return tn_streq(a->host.v, b->host.v) &&
           tn_streq(a->attach.netns.v, b->attach.netns.v) &&
           tn_streq(tn_intent_interface(a), tn_intent_interface(b));
}

static void
attaches_check(struct tn_intent *in)
{
    struct attached *by = tn_new_n(in->arena, struct attached, in->n_ports);
    for (size_t i = 0; i < in->n_ports; i++) {
        const struct tn_port *doc = in->ports[i].doc;
        in->ports[i].attach = place_hash(doc, tn_intent_interface(doc));
        by[i] = (struct attached){in->ports[i].attach, &in->ports[i]};
    }
    if (in->n_ports > 1) {
        qsort(by, in->n_ports, sizeof *by, attached_cmp);
    }
    for (size_t i = 1; i < in->n_ports; i++) {
        const struct tn_intent_port *a = by[i - 1].port, *b = by[i].port;
        if (by[i - 1].hash == by[i].hash && attached_same(a->doc, b->doc)) {
            tn_diag(in->diags, TN_ERROR,
                    tn_intent_at(b->file, b->doc->attach.at),
                    "port '%s' in %s:%u attaches to the same interface of "
                    "host '%s'",
                    a->doc->meta.name.v, a->file->path, a->doc->attach.at.line,
                    b->doc->host.v);
        }
    }
}

bool
tn_intent_sets_default_route(const struct tn_port *doc)
{
    return doc->attach.netns.v && (doc->attach.default_route.at.line == 0 ||
                                   doc->attach.default_route.v);
}

uint64_t
tn_intent_namespace(const struct tn_port *doc)
{
    return place_hash(doc, "");
}

uint64_t
tn_intent_attach(const struct tn_intent *in, const struct tn_port *doc,
                 bool *here)
{
    const struct tn_host *host = tn_map_get(&in->world->hosts, doc->host.v);
    uint64_t hash = place_hash(doc, tn_intent_interface(doc));
    bool established = false;
    *here = host && (host->config.driver || host->cloud);
    if (in->n_pins) {
        char object[OBJECT_TEXT];
        port_object(doc, object);
        established = tn_pin_find(in->pins, in->n_pins, object) != NULL;
    }
    return established ? hash | TN_ATTACH_ESTABLISHED
                       : hash & ~TN_ATTACH_ESTABLISHED;
}

/* A namespace has one default route. */
static void
default_routes_check(struct tn_intent *in)
{
    struct attached *by = tn_new_n(in->arena, struct attached, in->n_ports);
    size_t n = 0;
    for (size_t i = 0; i < in->n_ports; i++) {
        if (tn_intent_sets_default_route(in->ports[i].doc)) {
            by[n++] = (struct attached){tn_intent_namespace(in->ports[i].doc),
                                        &in->ports[i]};
        }
    }
    if (n > 1) {
        qsort(by, n, sizeof *by, attached_cmp);
    }
    for (size_t i = 1; i < n; i++) {
        const struct tn_intent_port *a = by[i - 1].port, *b = by[i].port;
        if (by[i - 1].hash == by[i].hash && !attached_same(a->doc, b->doc)) {
            tn_diag(in->diags, TN_ERROR,
                    tn_intent_at(b->file, b->doc->attach.at),
                    "port '%s' in %s:%u sets the default route of namespace "
                    "'%s' on host '%s' already",
                    a->doc->meta.name.v, a->file->path, a->doc->attach.at.line,
                    b->doc->attach.netns.v, b->doc->host.v)
                ->hint = "give one of them 'defaultRoute: false'";
        }
    }
}

/* What the host adds to a packet of the VPC: in a cloud that is the cloud's
 * choice. */
static uint32_t
overhead(enum tn_encapsulation encapsulation, const struct tn_host *host)
{
    bool ipv6 = host->config.underlay.family == TN_AF_IPV6;
    uint32_t outer = OVERHEAD_ETHERNET + (ipv6 ? OVERHEAD_IPV6 : OVERHEAD_IPV4);
    if (host->cloud || tn_streq(host->config.driver, "nsx")) {
        bool vxlan = host->cloud &&
                     tn_streq(host->cloud->config.ovn_encapsulation, "vxlan");
        return outer + OVERHEAD_UDP + OVERHEAD_TUNNEL +
               (vxlan ? 0 : OVERHEAD_OPTION);
    }
    switch (encapsulation) {
    case TN_ENCAP_VXLAN:
    case TN_ENCAP_GENEVE:
        return outer + OVERHEAD_UDP + OVERHEAD_TUNNEL;
    case TN_ENCAP_GRE:
        return outer + OVERHEAD_GRE;
    }
    return outer;
}

/* One engine must carry all ports of a VPC. */
static void
engine_take(struct tn_intent *in, const struct tn_intent_port *port,
            struct tn_intent_vpc *vpc)
{
    if (!vpc->host && !tn_host_is_anybodys(port->host)) {
        vpc->host = port->host;
    }
    if (!vpc->host || tn_hosts_join(vpc->host, port->host)) {
        return;
    }
    const struct tn_host *a = vpc->host, *b = port->host;
    bool clouds = a->cloud && b->cloud;
    tn_diag(in->diags, TN_ERROR, tn_intent_at(port->file, port->doc->host.at),
            "hosts '%s' (%s) and '%s' (%s) of VPC '%s' cannot carry it "
            "together: %s",
            a->raw.name, clouds ? a->cloud->raw.name : tn_host_engine(a),
            b->raw.name, clouds ? b->cloud->raw.name : tn_host_engine(b),
            vpc->doc->meta.name.v,
            clouds ? "they are in different clouds"
                   : "their networks do not join");
}

/* The underlay of one port's host: lowers the limit of its VPC, and must be
 * of the same family as that of the VPC's first port. */
static void
underlay_take(struct tn_intent *in, const struct tn_intent_port *port,
              const struct tn_intent_port **first)
{
    struct tn_intent_vpc *vpc = port->subnet->vpc;
    const struct tn_host_config *c = &port->host->config;
    uint32_t less = overhead(vpc->doc->encapsulation.v, port->host);
    uint32_t limit = c->underlay_mtu > less ? c->underlay_mtu - less : 0;
    if (!*first) {
        *first = port;
        vpc->mtu_limit = limit < MTU_MAX ? limit : MTU_MAX;
    } else if (port->host != (*first)->host &&
               !tn_streq(tn_host_engine(port->host), "nsx") &&
               c->underlay.family != (*first)->host->config.underlay.family) {
        tn_diag(
            in->diags, TN_ERROR, tn_intent_at(port->file, port->doc->host.at),
            "hosts '%s' and '%s' of VPC '%s' have underlay addresses of "
            "different families",
            (*first)->doc->host.v, port->doc->host.v, vpc->doc->meta.name.v);
    }
    if (limit < vpc->mtu_limit) {
        vpc->mtu_limit = limit;
    }
}

static void
mtu_check(struct tn_intent *in, const struct tn_intent_subnet *s)
{
    const struct tn_intent_vpc *vpc = s->vpc;
    bool six =
        s->doc->cidr.v.addr.family == TN_AF_IPV6 || s->doc->cidr6.at.line;
    if (s->doc->mtu.at.line && s->doc->mtu.v > vpc->mtu_limit) {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(vpc->file, s->doc->mtu.at),
                "mtu %llu is more than the underlay carries: at most %u after "
                "encapsulation, on every host of the VPC",
                (unsigned long long) s->doc->mtu.v, vpc->mtu_limit);
    } else if (!s->doc->mtu.at.line && six && vpc->mtu_limit < MTU_IPV6) {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(vpc->file, s->doc->at),
                "subnet '%s' has IPv6, which needs an mtu of %d, but the "
                "underlay leaves %u",
                s->doc->name.v, MTU_IPV6, vpc->mtu_limit);
    }
}

static void
underlay_check(struct tn_intent *in, struct tn_intent_vpc *vpc)
{
    const struct tn_intent_port *first = NULL;
    vpc->mtu_limit = MTU_DEFAULT;
    for (size_t i = 0; i < vpc->doc->subnets.n; i++) {
        const struct tn_intent_subnet *s = &vpc->subnets[i];
        for (size_t k = 0; k < s->ports.n; k++) {
            if (s->ports.items[k]->host) {
                engine_take(in, s->ports.items[k], vpc);
                underlay_take(in, s->ports.items[k], &first);
            }
        }
    }
    if (!first) {
        vpc->mtu_limit = MTU_DEFAULT;
        return;
    }
    for (size_t i = 0; i < vpc->doc->subnets.n; i++) {
        mtu_check(in, &vpc->subnets[i]);
    }
}

void
tn_validate_ports(struct tn_intent *in)
{
    for (size_t i = 0; i < in->n_ports; i++) {
        port_take(in, &in->ports[i]);
    }
    attaches_check(in);
    default_routes_check(in);
    for (size_t i = 0; i < in->n_vpcs; i++) {
        underlay_check(in, &in->vpcs[i]);
    }
}
