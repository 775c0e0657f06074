/* external.c - 'externalNetworks' of kind Settings: networks outside, and who
 * is in them.
 *
 * All of it is the operator's word, in one place: which address a VPC has
 * there, and which of its prefixes are known there, are agreed with whoever
 * routes outside.  So what could collide between VPCs is a matter of this
 * document alone, and no tenant can be in another's way.  Which hosts there
 * are, and whether a VPC has such prefixes, is compile's to know. */
#include "model/kinds/field.h"

#include <stdlib.h>
#include <string.h>

enum { VLAN_MAX = 4094, CHASSIS_MAX = 5 };

static const struct tn_field vpc_fields[] = {
    {
        TN_ROW("vpc", struct tn_external_vpc, vpc),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_pair,
        .flags = TN_REQUIRED,
        .description = "The VPC, as tenant/vpc; it is in the network once its "
                       "own document says so, with 'externalNetwork'.",
        .example = "acme/web",
    },
    {
        TN_ROW("address", struct tn_external_vpc, address),
        .type = TN_FIELD_ADDR,
        .flags = TN_REQUIRED | TN_UNICAST,
        .description = "Address of the VPC's router in 'cidr': the next hop "
                       "for its prefixes.",
        .example = "203.0.113.11",
    },
    {
        TN_ROW("address6", struct tn_external_vpc, address6),
        .type = TN_FIELD_ADDR,
        .flags = TN_IPV6 | TN_UNICAST,
        .fallback = "(none)",
        .description = "The same in 'cidr6'.",
        .example = "\"2001:db8:ff::11\"",
    },
    {
        TN_ROW("prefixes", struct tn_external_vpc, prefixes),
        .type = TN_FIELD_CIDR,
        .flags = TN_REQUIRED | TN_MANY | TN_DISTINCT | TN_UNICAST,
        .min_items = 1,
        .max_items = 256,
        .description = "What of the VPC is reached from outside, and reaches "
                       "it, inside its 'cidrs'. Addresses are not translated: "
                       "the router outside has these as routes to 'address'.",
        .example = "[10.1.0.0/16, \"fd00:10::/32\"]",
    },
};

static const struct tn_object vpc = {
    .title = "ExternalVpc",
    .description = "A VPC in an external network.",
    TN_FIELDS(vpc_fields),
    .size = sizeof(struct tn_external_vpc),
    .at = offsetof(struct tn_external_vpc, at),
    .key = "vpc",
};

static const struct tn_field external_fields[] = {
    {
        TN_ROW("name", struct tn_external, name),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .flags = TN_REQUIRED,
        .description = "What VPCs call it in 'externalNetwork'.",
        .example = "uplink",
    },
    {
        TN_ROW("cidr", struct tn_external, cidr),
        .type = TN_FIELD_CIDR,
        .flags = TN_REQUIRED | TN_UNICAST,
        .description = "Its prefix, IPv4 or IPv6.",
        .example = "203.0.113.0/24",
    },
    {
        TN_ROW("cidr6", struct tn_external, cidr6),
        .type = TN_FIELD_CIDR,
        .flags = TN_IPV6 | TN_UNICAST,
        .fallback = "(none: single stack)",
        .description = "Second prefix, IPv6, where 'cidr' is IPv4.",
        .example = "\"2001:db8:ff::/64\"",
    },
    {
        TN_ROW("gateway", struct tn_external, gateway),
        .type = TN_FIELD_ADDR,
        .flags = TN_REQUIRED | TN_UNICAST,
        .description = "The router outside, in 'cidr': next hop of the "
                       "default route.",
        .example = "203.0.113.1",
    },
    {
        TN_ROW("gateway6", struct tn_external, gateway6),
        .type = TN_FIELD_ADDR,
        .flags = TN_IPV6 | TN_UNICAST,
        .fallback = "(none)",
        .description = "The same in 'cidr6', which needs one.",
        .example = "\"2001:db8:ff::1\"",
    },
    {
        TN_ROW("physicalNetwork", struct tn_external, physical_network),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_host,
        .flags = TN_REQUIRED,
        .description = "What it is called in 'tenet_ovs_bridge_mappings' of "
                       "the hosts in 'chassis'.",
        .example = "physnet1",
    },
    {
        TN_ROW("vlan", struct tn_external, vlan),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = VLAN_MAX,
        .fallback = "(untagged)",
        .description = "Its VLAN on that wire.",
        .example = "100",
    },
    {
        TN_ROW("chassis", struct tn_external, chassis),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_host,
        .flags = TN_REQUIRED | TN_MANY | TN_DISTINCT,
        .min_items = 1,
        .max_items = CHASSIS_MAX,
        .description = "Hypervisors of one cloud of OVN that are on that wire, "
                       "the preferred one first: packets pass by the first "
                       "that is alive. Hosts of other environments are left "
                       "out.",
        .example = "[gw1, gw2]",
    },
    {
        TN_ROW("vpcs", struct tn_external, vpcs),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 4096,
        .object = &vpc,
        .description = "Who is in it. A VPC is in one network at most, and no "
                       "two VPCs of an instance have overlapping prefixes.",
    },
};

/* 'a' is an address of a host in the prefix. */
static bool
address_check(const struct tn_check *check, const struct tn_vcidr *cidr,
              const struct tn_vaddr *a, const char *what)
{
    char at[TN_ADDR_TEXT], ct[TN_CIDR_TEXT];
    struct tn_addr last;
    if (!tn_addr_present(&a->v) || !tn_addr_present(&cidr->v.addr)) {
        return false;
    }
    last = tn_cidr_last(&cidr->v);
    tn_addr_format(&a->v, at);
    tn_cidr_format(&cidr->v, ct);
    if (!tn_cidr_contains(&cidr->v, &a->v)) {
        tn_check_error(check, a->at, "%s %s is outside %s", what, at, ct);
    } else if (tn_addr_cmp(&a->v, &cidr->v.addr) == 0 ||
               (a->v.family == TN_AF_IPV4 && tn_addr_cmp(&a->v, &last) == 0)) {
        tn_check_error(check, a->at,
                       "%s %s is the network or broadcast address of %s", what,
                       at, ct);
    } else {
        return true;
    }
    return false;
}

/* Who has an address in the network, or a prefix of one of its VPCs. */
struct holder {
    struct tn_cidr cidr;
    struct tn_pos at;
    const char *who; /* "tenant/vpc"; null: the router outside. */
};

static int
holder_cmp(const void *a, const void *b)
{
    const struct holder *x = a, *y = b;
    int c = tn_cidr_cmp(&x->cidr, &y->cidr);
    if (c == 0) {
        c = (x->at.line > y->at.line) - (x->at.line < y->at.line);
    }
    return c ? c
             : (x->at.column > y->at.column) - (x->at.column < y->at.column);
}

static void
addresses_check(const struct tn_check *check, struct holder *h, size_t n)
{
    char text[TN_ADDR_TEXT];
    if (n > 1) {
        qsort(h, n, sizeof *h, holder_cmp);
    }
    for (size_t i = 1; i < n; i++) {
        const struct holder *a = &h[i - 1], *b = &h[i];
        if (tn_cidr_cmp(&a->cidr, &b->cidr) != 0) {
            continue;
        }
        if (!b->who) {
            b = a;
            a = &h[i];
        }
        if (a->who) {
            tn_check_error(check, b->at,
                           "address %s is that of VPC '%s' already, in line "
                           "%u",
                           tn_addr_format(&b->cidr.addr, text), a->who,
                           a->at.line);
        } else {
            tn_check_error(check, b->at, "address %s is the gateway of line %u",
                           tn_addr_format(&b->cidr.addr, text), a->at.line);
        }
    }
}

/* A prefix needs an address of its family to be routed to. */
static void
families_check(const struct tn_check *check, const struct tn_external_vpc *v)
{
    char text[TN_CIDR_TEXT];
    for (size_t i = 0; i < v->prefixes.n; i++) {
        const struct tn_vcidr *c = &v->prefixes.items[i];
        unsigned f = c->v.addr.family;
        if (f != TN_AF_NONE && v->address.v.family != TN_AF_NONE &&
            f != v->address.v.family && f != v->address6.v.family) {
            tn_check_error(check, c->at,
                           "%s needs an address of its family in the network",
                           tn_cidr_format(&c->v, text));
        }
    }
}

static void
stack_check(const struct tn_check *check, const struct tn_external *e)
{
    if (e->cidr6.at.line && e->cidr.v.addr.family == TN_AF_IPV6) {
        tn_check_error(check, e->cidr6.at,
                       "'cidr6' is for dual stack, but 'cidr' is IPv6 already");
    }
    if (e->cidr6.at.line && !e->gateway6.at.line) {
        tn_check_error(check, e->cidr6.at, "'cidr6' needs a 'gateway6'");
    }
    if (e->gateway6.at.line && !e->cidr6.at.line) {
        tn_check_error(check, e->gateway6.at, "'gateway6' without 'cidr6'");
    }
    (void) address_check(check, &e->cidr, &e->gateway, "gateway");
    (void) address_check(check, &e->cidr6, &e->gateway6, "gateway6");
}

static void
external_check(const struct tn_check *check, const void *object)
{
    const struct tn_external *e = object;
    struct holder *h =
        tn_new_n(check->diags->arena, struct holder, 2 * e->vpcs.n + 2);
    size_t n = 0;
    stack_check(check, e);
    h[n++] =
        (struct holder){tn_cidr_of_addr(&e->gateway.v), e->gateway.at, NULL};
    if (e->gateway6.at.line) {
        h[n++] = (struct holder){tn_cidr_of_addr(&e->gateway6.v),
                                 e->gateway6.at, NULL};
    }
    for (size_t i = 0; i < e->vpcs.n; i++) {
        const struct tn_external_vpc *v = &e->vpcs.items[i];
        families_check(check, v);
        if (address_check(check, &e->cidr, &v->address, "address")) {
            h[n++] = (struct holder){tn_cidr_of_addr(&v->address.v),
                                     v->address.at, v->vpc.v};
        }
        if (v->address6.at.line && !e->cidr6.at.line) {
            tn_check_error(check, v->address6.at,
                           "the network has no 'cidr6' for 'address6'");
        } else if (address_check(check, &e->cidr6, &v->address6, "address6")) {
            h[n++] = (struct holder){tn_cidr_of_addr(&v->address6.v),
                                     v->address6.at, v->vpc.v};
        }
    }
    addresses_check(check, h, n);
}

const struct tn_object tn_external_object = {
    .title = "ExternalNetwork",
    .description =
        "A network that is not tenet's, behind a bridge of some hypervisors "
        "of a cloud of OVN. The router of each VPC in it has an address and "
        "its default route there. Nothing passes by it from one VPC to "
        "another: a Peering stays the only way between them.",
    TN_FIELDS(external_fields),
    .size = sizeof(struct tn_external),
    .at = offsetof(struct tn_external, at),
    .key = "name",
    .check = external_check,
};

/* ---- between networks --------------------------------------------------- */

static void
prefixes_check(const struct tn_check *check, struct holder *h, size_t n)
{
    char a[TN_CIDR_TEXT], b[TN_CIDR_TEXT];
    const struct holder *widest = NULL;
    if (n > 1) {
        qsort(h, n, sizeof *h, holder_cmp);
    }
    for (size_t i = 0; i < n; i++) {
        if (!widest || !tn_cidr_within(&h[i].cidr, &widest->cidr)) {
            widest = &h[i];
            continue;
        }
        const struct holder *x = widest, *y = &h[i];
        if (x->at.line > y->at.line ||
            (x->at.line == y->at.line && x->at.column > y->at.column)) {
            x = y;
            y = widest;
        }
        tn_cidr_format(&y->cidr, a);
        tn_cidr_format(&x->cidr, b);
        if (x->who) {
            tn_check_error(check, y->at,
                           "%s overlaps %s of VPC '%s' in line %u", a, b,
                           x->who, x->at.line);
        } else {
            tn_check_error(check, y->at,
                           "%s overlaps %s of the external network in line %u",
                           a, b, x->at.line);
        }
    }
}

static void
twice_check(const struct tn_check *check, const struct tn_settings *s, size_t e)
{
    const struct tn_external *mine = &s->external_networks.items[e];
    for (size_t i = 0; i < e; i++) {
        const struct tn_external *other = &s->external_networks.items[i];
        for (size_t k = 0; k < mine->vpcs.n; k++) {
            const struct tn_vtext *v = &mine->vpcs.items[k].vpc;
            for (size_t j = 0; v->v && j < other->vpcs.n; j++) {
                const struct tn_vtext *o = &other->vpcs.items[j].vpc;
                if (o->v && strcmp(o->v, v->v) == 0) {
                    tn_check_error(check, v->at,
                                   "VPC '%s' is in external network '%s' "
                                   "already, in line %u",
                                   v->v, other->name.v, o->at.line);
                }
            }
        }
    }
}

static void
holder_add(struct holder *h, size_t *n, const struct tn_vcidr *c,
           const char *who)
{
    if (tn_addr_present(&c->v.addr)) {
        h[(*n)++] = (struct holder){c->v, c->at, who};
    }
}

void
tn_externals_check(const struct tn_check *check, const struct tn_settings *s)
{
    size_t most = 0, n = 0;
    for (size_t i = 0; i < s->external_networks.n; i++) {
        const struct tn_external *e = &s->external_networks.items[i];
        most += 2;
        for (size_t k = 0; k < e->vpcs.n; k++) {
            most += e->vpcs.items[k].prefixes.n;
        }
    }
    struct holder *h = tn_new_n(check->diags->arena, struct holder, most);
    for (size_t i = 0; i < s->external_networks.n; i++) {
        const struct tn_external *e = &s->external_networks.items[i];
        holder_add(h, &n, &e->cidr, NULL);
        holder_add(h, &n, &e->cidr6, NULL);
        for (size_t k = 0; k < e->vpcs.n; k++) {
            const struct tn_external_vpc *v = &e->vpcs.items[k];
            for (size_t j = 0; j < v->prefixes.n; j++) {
                holder_add(h, &n, &v->prefixes.items[j],
                           v->vpc.v ? v->vpc.v : "?");
            }
        }
        twice_check(check, s, i);
    }
    prefixes_check(check, h, n);
}
