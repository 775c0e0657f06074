/* render_vpc.c - VPCs of NSX (a project's, from 9.0), for tenet_nsx_vpc.
 *
 * Such a VPC is a router of its own with subnets on it, and groups, policies
 * and static routes are in it; services are in its project.  It is attached to
 * nothing, so that nothing leads out of it.  Its private networks are those of
 * its subnets, as few as NSX takes.
 *
 * What it has no words for is refused: IPv6, a gateway that is not the first
 * address, sizes beyond 8 to 65536. */
#include <stdlib.h>
#include <string.h>

#include "drivers/nsx/kinds.h"
#include "drivers/nsx/names.h"
#include "drivers/nsx/render_part.h"
#include "model/base/digest.h"

enum { PRIVATE_MAX = 5, LARGEST = 16, SMALLEST = 29, SHORT = 8 };

const char *
tn_nsx_subnet_fits(const struct tn_net_subnet *s)
{
    struct tn_addr first;
    if (s->cidr.addr.family != TN_AF_IPV4 || tn_addr_present(&s->cidr6.addr)) {
        return "it has IPv6";
    }
    if (s->cidr.len < LARGEST || s->cidr.len > SMALLEST) {
        return "it must be a /16 to a /29";
    }
    if (!tn_addr_add(&s->cidr.addr, 1, &first) ||
        tn_addr_cmp(&first, &s->gateway) != 0) {
        return "the gateway must be its first address";
    }
    return "";
}

/* The smallest prefix that has both. */
static struct tn_cidr
joined(const struct tn_cidr *a, const struct tn_cidr *b)
{
    struct tn_cidr out = *a;
    while (out.len > 0 && !tn_cidr_within(b, &out)) {
        out.len--;
        out.addr.b[out.len / 8] &= (uint8_t) ~(0x80 >> out.len % 8);
    }
    return out;
}

/* Joins the two whose union is smallest; the list stays sorted. */
static size_t
join_nearest(struct tn_cidr *list, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i + 1 < n; i++) {
        if (joined(&list[i], &list[i + 1]).len >
            joined(&list[best], &list[best + 1]).len) {
            best = i;
        }
    }
    list[best] = joined(&list[best], &list[best + 1]);
    memmove(&list[best + 1], &list[best + 2], (n - best - 2) * sizeof *list);
    return n - 1;
}

static int
cmp(const void *a, const void *b)
{
    return tn_cidr_cmp(a, b);
}

static void
add_networks(struct tn_nsx_render *r, struct tn_nsx_draft *d)
{
    size_t n = r->vpc->n_subnets;
    struct tn_cidr *list = tn_new_n(r->arena, struct tn_cidr, n + 1);
    for (size_t i = 0; i < n; i++) {
        list[i] = r->vpc->subnets[i].cidr;
    }
    qsort(list, n, sizeof *list, cmp);
    while (n > PRIVATE_MAX) {
        n = join_nearest(list, n);
    }
    for (size_t i = 0; i < n; i++) {
        tn_nsx_draft_add(d, "networks", tn_nsx_cidr(r->arena, &list[i]));
    }
}

void
tn_nsx_render_vpc(struct tn_nsx_render *r)
{
    struct tn_nsx_draft d;
    char hex[TN_DIGEST_HEX];
    const char *id = tn_nsx_id(r->arena, r->device->instance, r->vpc->tenant,
                               r->vpc->name, NULL);
    const struct tn_digest digest = tn_digest_of(id, strlen(id));
    r->router = tn_arena_printf(r->arena, "/orgs/default/projects/%s/vpcs/%s",
                                r->device->host->config.nsx_project, id);
    r->domain = r->router;
    tn_nsx_draft_begin(&d, r->arena, &tn_nsx_vpc, r->vpc->scope, NULL,
                       r->router);
    tn_nsx_draft_set(
        &d, "name",
        tn_arena_printf(r->arena, "%s/%s", r->device->instance, r->vpc->scope));
    tn_nsx_draft_set(&d, "short",
                     tn_arena_printf(r->arena, "t%.*s", SHORT - 1,
                                     tn_digest_hex(&digest, hex)));
    tn_nsx_draft_set(&d, "family", "IPV4"); /* Must be said from 9.1 on. */
    add_networks(r, &d);
    r->router_key = tn_nsx_add(r, &d, NULL, r->vpc->origin);
}

static void
render_subnet(struct tn_nsx_render *r, const struct tn_net_subnet *s)
{
    struct tn_nsx_draft d;
    const char *path = tn_arena_printf(r->arena, "%s/subnets/%s", r->router,
                                       tn_nsx_own_id(r, s->name));
    tn_nsx_draft_begin(&d, r->arena, &tn_nsx_subnet, r->vpc->scope, s->name,
                       path);
    tn_nsx_draft_set(&d, "name", tn_nsx_own_name(r, s->name));
    tn_nsx_draft_set(&d, "access", "Private");
    tn_nsx_draft_add(&d, "networks", tn_nsx_cidr(r->arena, &s->cidr));
    const char *on = tn_nsx_add(r, &d, r->router_key, s->origin);
    for (size_t i = 0; i < s->n_ports; i++) {
        tn_nsx_render_port(r, &s->ports[i], path, on);
    }
}

void
tn_nsx_render_subnets(struct tn_nsx_render *r)
{
    for (size_t i = 0; i < r->vpc->n_subnets; i++) {
        render_subnet(r, &r->vpc->subnets[i]);
    }
}
