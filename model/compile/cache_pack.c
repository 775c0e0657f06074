/* cache_pack.c - tables for kinds/pack.h, and the pointers that they cannot
 * describe.
 *
 * A network is a tree of arrays but for pointers across it: a port's host and
 * groups, a rule's remote group, a route's subnet.  These go into a list of
 * numbers behind each VPC, in the order in which both sides walk it. */
#include "model/compile/cache_pack.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/digest.h"
#include "model/compile/base.h"

/* Counts up when bytes mean something else, and when compile would derive other
 * values from equal documents. */
enum { FORMAT = 5 };

/* ---- parts -------------------------------------------------------------- */

static const struct tn_pack_row byte_rows[] = {
    {.type = TN_PACK_PLAIN, .offset = 0, .size = 1}};
static const struct tn_pack_layout byte_layout = {1, 1, byte_rows};

static const struct tn_pack_row number_rows[] = {
    {.type = TN_PACK_PLAIN, .offset = 0, .size = sizeof(uint32_t)}};
static const struct tn_pack_layout number_layout =
    TN_PACK_LAYOUT(uint32_t, number_rows);

static const struct tn_pack_row part_vpc_rows[] = {
    TN_PACK_TEXT_ROW(struct tn_part_vpc, name),
    TN_PACK_ARRAY_ROW(struct tn_part_vpc, cidrs, n_cidrs, &tn_pack_cidr_layout),
    TN_PACK_ARRAY_ROW(struct tn_part_vpc, routes, n_routes,
                      &tn_pack_cidr_layout),
    TN_PACK_PLAIN_ROW(struct tn_part_vpc, n_subnets),
    TN_PACK_PATH_ROW(struct tn_part_vpc, host),
};
static const struct tn_pack_layout part_vpc_layout =
    TN_PACK_LAYOUT(struct tn_part_vpc, part_vpc_rows);

static const struct tn_pack_row offer_rows[] = {
    TN_PACK_TEXT_ROW(struct tn_part_offer, vpc),
    TN_PACK_TEXT_ROW(struct tn_part_offer, peer_tenant),
    TN_PACK_TEXT_ROW(struct tn_part_offer, peer_vpc),
    TN_PACK_ARRAY_ROW(struct tn_part_offer, exports, n_exports,
                      &tn_pack_cidr_layout),
    TN_PACK_ORIGIN_ROW(struct tn_part_offer, at),
};
static const struct tn_pack_layout offer_layout =
    TN_PACK_LAYOUT(struct tn_part_offer, offer_rows);

static const struct tn_pack_row pin_rows[] = {
    TN_PACK_PATH_ROW(struct tn_pin, tenant),
    TN_PACK_TEXT_ROW(struct tn_pin, object),
    TN_PACK_PLAIN_ROW(struct tn_pin, vni),
    TN_PACK_PLAIN_ROW(struct tn_pin, mac),
    TN_PACK_ADDR_ROW(struct tn_pin, address),
    TN_PACK_ADDR_ROW(struct tn_pin, address6),
};
static const struct tn_pack_layout pin_layout =
    TN_PACK_LAYOUT(struct tn_pin, pin_rows);

static const struct tn_pack_row finding_rows[] = {
    TN_PACK_WORD_ROW(struct tn_diag, severity, TN_WARNING + 1),
    TN_PACK_ORIGIN_ROW(struct tn_diag, at),
    TN_PACK_TEXT_ROW(struct tn_diag, tenant),
    TN_PACK_TEXT_ROW(struct tn_diag, message),
    TN_PACK_TEXT_ROW(struct tn_diag, hint),
};
static const struct tn_pack_layout finding_layout =
    TN_PACK_LAYOUT(struct tn_diag, finding_rows);

static const struct tn_pack_row part_rows[] = {
    TN_PACK_TEXT_ROW(struct tn_part, tenant),
    TN_PACK_PLAIN_ROW(struct tn_part, n_files),
    TN_PACK_PLAIN_ROW(struct tn_part, n_subnets),
    TN_PACK_PLAIN_ROW(struct tn_part, n_ports),
    TN_PACK_PLAIN_ROW(struct tn_part, n_claims),
    TN_PACK_PLAIN_ROW(struct tn_part, n_attaches),
    TN_PACK_TEXT_ROW(struct tn_part, doc_path),
    TN_PACK_ARRAY_ROW(struct tn_part, vpcs, n_vpcs, &part_vpc_layout),
    TN_PACK_ARRAY_ROW(struct tn_part, offers, n_offers, &offer_layout),
    TN_PACK_ARRAY_ROW(struct tn_part, groups, n_groups, &tn_pack_text_layout),
    TN_PACK_ARRAY_ROW(struct tn_part, other_pins, n_other_pins, &pin_layout),
    TN_PACK_ARRAY_ROW(struct tn_part, doc, n_doc, &byte_layout),
    TN_PACK_ARRAY_ROW(struct tn_part, findings, n_findings, &finding_layout),
};
static const struct tn_pack_layout part_layout =
    TN_PACK_LAYOUT(struct tn_part, part_rows);

/* ---- networks ----------------------------------------------------------- */

static const struct tn_pack_row port_rows[] = {
    TN_PACK_TEXT_ROW(struct tn_net_port, name),
    TN_PACK_PLAIN_ROW(struct tn_net_port, mac),
    TN_PACK_ADDR_ROW(struct tn_net_port, address),
    TN_PACK_ADDR_ROW(struct tn_net_port, address6),
    TN_PACK_ARRAY_ROW(struct tn_net_port, allowed, n_allowed,
                      &tn_pack_cidr_layout),
    TN_PACK_TEXT_ROW(struct tn_net_port, netns),
    TN_PACK_TEXT_ROW(struct tn_net_port, interface),
    TN_PACK_TEXT_ROW(struct tn_net_port, vif),
    TN_PACK_BOOL_ROW(struct tn_net_port, default_route),
    TN_PACK_ORIGIN_ROW(struct tn_net_port, origin),
};
static const struct tn_pack_layout port_layout =
    TN_PACK_LAYOUT(struct tn_net_port, port_rows);

static const struct tn_pack_row dhcp_rows[] = {
    TN_PACK_PLAIN_ROW(struct tn_net_dhcp, lease_time),
    TN_PACK_ARRAY_ROW(struct tn_net_dhcp, dns_servers, n_dns_servers,
                      &tn_pack_addr_layout),
    TN_PACK_ARRAY_ROW(struct tn_net_dhcp, ntp_servers, n_ntp_servers,
                      &tn_pack_addr_layout),
    TN_PACK_TEXT_ROW(struct tn_net_dhcp, domain),
    TN_PACK_WORD_ROW(struct tn_net_dhcp, ra, TN_RA_NONE + 1),
    TN_PACK_ORIGIN_ROW(struct tn_net_dhcp, origin),
};
static const struct tn_pack_layout dhcp_layout =
    TN_PACK_LAYOUT(struct tn_net_dhcp, dhcp_rows);

static const struct tn_pack_row subnet_rows[] = {
    TN_PACK_TEXT_ROW(struct tn_net_subnet, name),
    TN_PACK_PLAIN_ROW(struct tn_net_subnet, mtu),
    TN_PACK_CIDR_ROW(struct tn_net_subnet, cidr),
    TN_PACK_CIDR_ROW(struct tn_net_subnet, cidr6),
    TN_PACK_ADDR_ROW(struct tn_net_subnet, gateway),
    TN_PACK_ADDR_ROW(struct tn_net_subnet, gateway6),
    TN_PACK_PLAIN_ROW(struct tn_net_subnet, gateway_mac),
    TN_PACK_ORIGIN_ROW(struct tn_net_subnet, origin),
    TN_PACK_ARRAY_ROW(struct tn_net_subnet, ports, n_ports, &port_layout),
    TN_PACK_ARRAY_ROW(struct tn_net_subnet, dhcp, n_dhcp, &dhcp_layout),
};
static const struct tn_pack_layout subnet_layout =
    TN_PACK_LAYOUT(struct tn_net_subnet, subnet_rows);

static const struct tn_pack_row rule_rows[] = {
    TN_PACK_WORD_ROW(struct tn_net_rule, direction, TN_EGRESS + 1),
    TN_PACK_WORD_ROW(struct tn_net_rule, protocol, TN_PROTO_SCTP + 1),
    TN_PACK_ARRAY_ROW(struct tn_net_rule, ports, n_ports,
                      &tn_pack_range_layout),
    TN_PACK_CIDR_ROW(struct tn_net_rule, remote),
    TN_PACK_ORIGIN_ROW(struct tn_net_rule, origin),
};
static const struct tn_pack_layout rule_layout =
    TN_PACK_LAYOUT(struct tn_net_rule, rule_rows);

static const struct tn_pack_row group_rows[] = {
    TN_PACK_TEXT_ROW(struct tn_net_group, name),
    TN_PACK_BOOL_ROW(struct tn_net_group, has_egress),
    TN_PACK_ORIGIN_ROW(struct tn_net_group, origin),
    TN_PACK_ARRAY_ROW(struct tn_net_group, rules, n_rules, &rule_layout),
    TN_PACK_ARRAY_ROW(struct tn_net_group, members, n_members,
                      &tn_pack_addr_layout),
};
static const struct tn_pack_layout group_layout =
    TN_PACK_LAYOUT(struct tn_net_group, group_rows);

static const struct tn_pack_row route_rows[] = {
    TN_PACK_CIDR_ROW(struct tn_net_route, to),
    TN_PACK_ADDR_ROW(struct tn_net_route, via),
    TN_PACK_ORIGIN_ROW(struct tn_net_route, origin),
};
static const struct tn_pack_layout route_layout =
    TN_PACK_LAYOUT(struct tn_net_route, route_rows);

static const struct tn_pack_row vpc_rows[] = {
    TN_PACK_TEXT_ROW(struct tn_net_vpc, scope),
    TN_PACK_WORD_ROW(struct tn_net_vpc, encapsulation, TN_ENCAP_GRE + 1),
    TN_PACK_ORIGIN_ROW(struct tn_net_vpc, origin),
    TN_PACK_ARRAY_ROW(struct tn_net_vpc, subnets, n_subnets, &subnet_layout),
    TN_PACK_ARRAY_ROW(struct tn_net_vpc, groups, n_groups, &group_layout),
    TN_PACK_ARRAY_ROW(struct tn_net_vpc, routes, n_routes, &route_layout),
    TN_PACK_TEXT_ROW(struct tn_net_vpc, external_name),
    TN_PACK_ORIGIN_ROW(struct tn_net_vpc, external_origin),
};
static const struct tn_pack_layout vpc_layout =
    TN_PACK_LAYOUT(struct tn_net_vpc, vpc_rows);

/* Pointers across the tree, as numbers. */
struct links {
    uint32_t *items;
    size_t n;
};
static const struct tn_pack_row links_rows[] = {
    TN_PACK_ARRAY_ROW(struct links, items, n, &number_layout),
};
static const struct tn_pack_layout links_layout =
    TN_PACK_LAYOUT(struct links, links_rows);

uint64_t
tn_cache_layout_id(void)
{
    const uint64_t ids[] = {
        FORMAT,
        sizeof(struct tn_vni_claim),
        sizeof(struct tn_base_head),
        sizeof(struct tn_base_file),
        tn_pack_layout_id(&part_layout),
        tn_pack_layout_id(&vpc_layout),
        tn_pack_layout_id(&links_layout),
        tn_document_layout_id(),
    };
    return tn_hash64(ids, sizeof ids);
}

static void
pad(struct tn_text *out)
{
    static const char zeroes[8];
    tn_text_addn(out, zeroes, (8 - out->n % 8) % 8);
}

/* The large arrays follow the rest, aligned, so that they are used where they
 * lie. */
void
tn_part_pack(struct tn_text *out, const struct tn_part *part)
{
    struct tn_packer packer = {.out = out};
    tn_pack(&packer, &part_layout, part);
    pad(out);
}

void
tn_part_runs(const struct tn_part *part, struct tn_bytes out[TN_PART_RUNS])
{
    out[0] =
        (struct tn_bytes){part->claims, part->n_claims * sizeof *part->claims};
    out[1] = (struct tn_bytes){part->attaches,
                               part->n_attaches * sizeof *part->attaches};
}

/* 'n' aligned structs in place; null if there are not so many. */
static const void *
array_take(struct tn_unpacker *u, size_t n, size_t size)
{
    if (n > (size_t) (u->end - u->next) / size || (uintptr_t) u->next % 8) {
        return NULL;
    }
    const void *items = u->next;
    u->next += n * size;
    return items;
}

bool
tn_part_unpack(struct tn_unpacker *unpacker, struct tn_part *out)
{
    struct tn_part part;
    if (!tn_unpack(unpacker, &part_layout, &part) || !part.tenant) {
        return false;
    }
    size_t odd = (uintptr_t) unpacker->next % 8;
    if (odd && (size_t) (unpacker->end - unpacker->next) >= 8 - odd) {
        unpacker->next += 8 - odd;
    }
    part.claims = array_take(unpacker, part.n_claims, sizeof *part.claims);
    part.attaches =
        array_take(unpacker, part.n_attaches, sizeof *part.attaches);
    if (!part.claims || !part.attaches) {
        return false;
    }
    *out = part;
    return true;
}

/* ---- links -------------------------------------------------------------- */

static size_t
links_count(const struct tn_net_vpc *vpc)
{
    size_t n = vpc->n_routes;
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            n += 2 + vpc->subnets[i].ports[k].n_groups;
        }
    }
    for (size_t i = 0; i < vpc->n_groups; i++) {
        n += vpc->groups[i].n_rules;
    }
    return n;
}

static uint32_t *
port_link(const struct tn_net_vpc *vpc, const struct tn_net_port *p,
          const struct tn_inventory *inventory, uint32_t *next)
{
    *next++ = (uint32_t) (p->host - inventory->hosts);
    *next++ = (uint32_t) p->n_groups;
    for (size_t i = 0; i < p->n_groups; i++) {
        *next++ = (uint32_t) (p->groups[i] - vpc->groups);
    }
    return next;
}

static void
links_write(const struct tn_net_vpc *vpc, const struct tn_inventory *inventory,
            uint32_t *next)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            next = port_link(vpc, &vpc->subnets[i].ports[k], inventory, next);
        }
    }
    for (size_t i = 0; i < vpc->n_groups; i++) {
        for (size_t k = 0; k < vpc->groups[i].n_rules; k++) {
            const struct tn_net_group *g = vpc->groups[i].rules[k].remote_group;
            *next++ = g ? (uint32_t) (g - vpc->groups) + 1 : 0;
        }
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        const struct tn_net_subnet *s = vpc->routes[i].subnet;
        *next++ = s ? (uint32_t) (s - vpc->subnets) + 1 : 0;
    }
}

void
tn_net_pack(struct tn_text *out, const struct tn_net_vpc *vpc,
            const struct tn_inventory *inventory)
{
    struct tn_packer packer = {.out = out};
    TN_CLEANUP(tn_cleanup_free) uint32_t *items = NULL;
    struct links links = {.n = links_count(vpc)};
    items = calloc(links.n + 1, sizeof *items);
    if (!items) {
        abort();
    }
    links.items = items;
    links_write(vpc, inventory, items);
    tn_pack(&packer, &vpc_layout, vpc);
    tn_pack(&packer, &links_layout, &links);
}

struct link_reader {
    const uint32_t *next, *end;
    bool bad;
};

/* The next number, less than 'bound'. */
static uint32_t
link_read(struct link_reader *r, size_t bound)
{
    if (r->next == r->end || *r->next >= bound) {
        r->bad = true;
        return 0;
    }
    return *r->next++;
}

static void
port_relink(struct tn_net_vpc *vpc, struct tn_net_port *p,
            const struct tn_inventory *inventory, struct link_reader *r,
            struct tn_arena *arena)
{
    uint32_t host = link_read(r, inventory->n_hosts);
    size_t n = link_read(r, vpc->n_groups + 1);
    if (r->bad || n > (size_t) (r->end - r->next)) {
        r->bad = true;
        return;
    }
    const struct tn_net_group **groups =
        n ? tn_new_n(arena, const struct tn_net_group *, n) : NULL;
    p->host = &inventory->hosts[host];
    for (size_t i = 0; i < n; i++) {
        groups[i] = &vpc->groups[link_read(r, vpc->n_groups)];
    }
    p->groups = groups;
    p->n_groups = n;
}

/* What was unpacked belongs to us and may be written. */
#define MINE(pointer) ((void *) (uintptr_t) (pointer))

static bool
vpc_relink(struct tn_net_vpc *vpc, const struct links *links,
           const struct tn_inventory *inventory, struct tn_arena *arena)
{
    struct link_reader r = {links->items, links->items + links->n, false};
    for (size_t i = 0; i < vpc->n_subnets && !r.bad; i++) {
        struct tn_net_port *ports = MINE(vpc->subnets[i].ports);
        for (size_t k = 0; k < vpc->subnets[i].n_ports && !r.bad; k++) {
            port_relink(vpc, &ports[k], inventory, &r, arena);
        }
    }
    for (size_t i = 0; i < vpc->n_groups && !r.bad; i++) {
        struct tn_net_rule *rules = MINE(vpc->groups[i].rules);
        for (size_t k = 0; k < vpc->groups[i].n_rules; k++) {
            uint32_t g = link_read(&r, vpc->n_groups + 1);
            rules[k].remote_group = g ? &vpc->groups[g - 1] : NULL;
        }
    }
    struct tn_net_route *routes = MINE(vpc->routes);
    for (size_t i = 0; i < vpc->n_routes && !r.bad; i++) {
        uint32_t s = link_read(&r, vpc->n_subnets + 1);
        routes[i].subnet = s ? &vpc->subnets[s - 1] : NULL;
    }
    return !r.bad && r.next == r.end;
}

bool
tn_net_unpack(struct tn_arena *arena, const void *bytes, size_t n,
              const char *tenant, const struct tn_inventory *inventory,
              struct tn_net_vpc *out)
{
    struct tn_unpacker u = {.arena = arena, .next = bytes};
    struct links links;
    size_t n_tenant = strlen(tenant);
    u.end = u.next + n;
    if (!tn_unpack(&u, &vpc_layout, out) ||
        !tn_unpack(&u, &links_layout, &links) || !out->scope ||
        strncmp(out->scope, tenant, n_tenant) != 0 ||
        out->scope[n_tenant] != '/' ||
        !vpc_relink(out, &links, inventory, arena)) {
        return false;
    }
    out->tenant = tenant;
    out->name = out->scope + n_tenant + 1;
    return true;
}
