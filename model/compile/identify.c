/* identify.c - addresses and MAC addresses of ports, and what a subnet claims
 * of the VNI pool.  docs/identifiers.md is the specification.
 *
 * One pass per subnet and per lane (address, second address, MAC): what the
 * subnet reserves, what documents give, what is pinned, and then the rest by
 * hash, probing.  A pin is silently dropped when it no longer fits (the port
 * moved to another subnet, the prefix changed); two pins that came to meet are
 * settled in favour of the one that sits where its hash would put it, which is
 * the one that did not move.  Pure: no order of reading matters, only names. */
#include "model/compile/intent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/base/text.h"

enum { KEY_SIZE = 16, CLAIMANTS_SHOWN = 8, NAME_MAX_TEXT = 320 };

enum how { HOW_DERIVED, HOW_PINNED, HOW_GIVEN, HOW_RESERVED };

/* Who holds a value, in an open-addressed table. */
struct slot {
    uint8_t key[KEY_SIZE];
    bool used;
    uint8_t how;              /* enum how */
    const char *reserved_for; /* With HOW_RESERVED. */
    struct want *owner;
};

struct taken {
    struct slot *slots;
    size_t mask, n;
};

/* One port in one lane. */
struct want {
    struct tn_intent_port *port;
    uint8_t key[KEY_SIZE];
    enum how how;
    struct tn_pos at; /* Of the given value. */
    uint64_t hash;
};

enum lane_kind { LANE_ADDRESS, LANE_ADDRESS6, LANE_MAC };

struct lane {
    enum lane_kind kind;
    struct tn_intent *in;
    struct tn_intent_subnet *subnet;
    const struct tn_cidr *cidr; /* Null: MAC. */
    struct tn_addr gateway;
    struct want *wants;
    size_t n;
    struct taken taken;
};

static const char *const lane_names[] = {
    [LANE_ADDRESS] = "address",
    [LANE_ADDRESS6] = "address6",
    [LANE_MAC] = "mac",
};

static void
taken_init(struct taken *t, struct tn_arena *arena, size_t expected)
{
    size_t cap = 16;
    while (cap < expected * 2) {
        cap *= 2;
    }
    *t = (struct taken){tn_new_n(arena, struct slot, cap), cap - 1, 0};
}

static struct slot *
taken_slot(const struct taken *t, const uint8_t *key)
{
    size_t i = tn_hash64(key, KEY_SIZE) & t->mask;
    while (t->slots[i].used && memcmp(t->slots[i].key, key, KEY_SIZE) != 0) {
        i = (i + 1) & t->mask;
    }
    return &t->slots[i];
}

static void
taken_put(struct taken *t, struct slot *s, const struct want *w, enum how how)
{
    if (!s->used) {
        t->n++;
    }
    s->used = true;
    memcpy(s->key, w->key, KEY_SIZE);
    s->how = (uint8_t) how;
    s->owner = (struct want *) (uintptr_t) w;
}

static void
reserve(struct taken *t, const uint8_t *key, const char *what)
{
    struct slot *s = taken_slot(t, key);
    if (!s->used) {
        t->n++;
        memcpy(s->key, key, KEY_SIZE);
        *s = (struct slot){.used = true, .how = HOW_RESERVED};
        memcpy(s->key, key, KEY_SIZE);
        s->reserved_for = what;
    }
}

static char *
name_add(char *to, const char *end, char separator, const char *name)
{
    size_t n = strlen(name);
    if ((size_t) (end - to) > n + 1) {
        *to++ = separator;
        memcpy(to, name, n);
        to += n;
    }
    return to;
}

/* Of "<what>/<tenant>[/<vpc>/<subnet>][/<port>]": part of the format. */
static uint64_t
hash_of(const char *what, const struct tn_intent_subnet *s, const char *tenant,
        const char *port)
{
    char text[NAME_MAX_TEXT];
    const char *end = text + sizeof text;
    char *p = name_add(text, end, '/', what);
    p = name_add(p, end, '/', tenant);
    if (s) {
        p = name_add(p, end, '/', s->vpc->doc->meta.name.v);
        p = name_add(p, end, '/', s->doc->name.v);
    }
    if (port) {
        p = name_add(p, end, '/', port);
    }
    return tn_hash64(text + 1, (size_t) (p - text) - 1);
}

struct tn_addr
tn_identify_gateway(const struct tn_cidr *cidr)
{
    struct tn_addr a = {0};
    if (tn_addr_present(&cidr->addr) && !tn_addr_add(&cidr->addr, 1, &a)) {
        a = cidr->addr;
    }
    return a;
}

static struct tn_mac
mac_of(const struct tn_world *w, uint64_t suffix)
{
    struct tn_mac m = w->mac_prefix;
    m.b[3] = (uint8_t) (suffix >> 16);
    m.b[4] = (uint8_t) (suffix >> 8);
    m.b[5] = (uint8_t) suffix;
    return m;
}

struct tn_mac
tn_identify_gateway_mac(const struct tn_intent *in,
                        const struct tn_intent_subnet *subnet)
{
    char name[NAME_MAX_TEXT], cidr[TN_CIDR_TEXT];
    const char *end = name + sizeof name;
    char *p = name_add(name, end, '/', subnet->vpc->doc->meta.name.v);
    p = name_add(p, end, '/', tn_cidr_format(&subnet->doc->cidr.v, cidr));
    *p = '\0';
    return mac_of(in->world, hash_of("gateway", NULL, in->tenant, name + 1));
}

/* Values that ports can have: 'offset' 1 .. usable. */
static uint64_t
lane_usable(const struct lane *l)
{
    if (!l->cidr) {
        return (uint64_t) 1 << 24;
    }
    uint64_t count = tn_cidr_count(l->cidr);
    bool four = l->cidr->addr.family == TN_AF_IPV4;
    uint64_t ends = four ? 2 : 1;
    return count > ends ? count - ends : 0;
}

static void
lane_key(const struct lane *l, uint64_t offset, uint8_t *key)
{
    memset(key, 0, KEY_SIZE);
    if (!l->cidr) {
        struct tn_mac m = mac_of(l->in->world, offset);
        memcpy(key, m.b, sizeof m.b);
        return;
    }
    struct tn_addr a = l->cidr->addr;
    if (tn_addr_add(&l->cidr->addr, offset + 1, &a)) {
        memcpy(key, a.b, sizeof a.b);
    }
}

static void
home_key(const struct lane *l, const struct want *w, uint8_t *key)
{
    uint64_t usable = lane_usable(l);
    lane_key(l, usable ? w->hash % usable : 0, key);
}

static bool
at_home(const struct lane *l, const struct want *w)
{
    uint8_t key[KEY_SIZE];
    home_key(l, w, key);
    return memcmp(key, w->key, KEY_SIZE) == 0;
}

static const char *
key_text(const struct lane *l, const uint8_t *key, char buf[TN_ADDR_TEXT])
{
    if (!l->cidr) {
        struct tn_mac m;
        memcpy(m.b, key, sizeof m.b);
        return tn_mac_format(&m, buf);
    }
    struct tn_addr a = {.family = l->cidr->addr.family};
    memcpy(a.b, key, sizeof a.b);
    return tn_addr_format(&a, buf);
}

/* Workloads make their IPv6 address themselves: so must we. */
static bool
is_slaac(const struct lane *l)
{
    const struct tn_subnet *doc = l->subnet->doc;
    return l->cidr->addr.family == TN_AF_IPV6 && tn_intent_serves_dhcp(doc) &&
           (doc->dhcp.ra.v == TN_RA_SLAAC || doc->dhcp.ra.v == TN_RA_STATELESS);
}

/* RFC 4291, appendix A. */
static struct tn_addr
eui64(const struct tn_cidr *cidr, const struct tn_mac *mac)
{
    struct tn_addr a = cidr->addr;
    memcpy(a.b + 8, mac->b, 3);
    a.b[8] ^= 2;
    a.b[11] = 0xff;
    a.b[12] = 0xfe;
    memcpy(a.b + 13, mac->b + 3, 3);
    return a;
}

static void
slaac_want(const struct lane *l, struct want *w, const struct tn_vaddr *given)
{
    const struct tn_intent_port *p = w->port;
    char text[TN_ADDR_TEXT], own[TN_ADDR_TEXT], mac[TN_MAC_TEXT];
    struct tn_addr a = eui64(l->cidr, &p->mac);
    w->at = given->at.line ? given->at : p->doc->meta.name.at;
    if (given->at.line && tn_addr_cmp(&given->v, &a) != 0) {
        tn_diag(l->in->diags, TN_ERROR, tn_intent_at(p->file, given->at),
                "%s %s is not what the workload will make of prefix and mac "
                "%s: %s",
                lane_names[l->kind], tn_addr_format(&given->v, text),
                tn_mac_format(&p->mac, mac), tn_addr_format(&a, own))
            ->hint = "leave it out, or use 'ra: dhcpv6-stateful'";
        return;
    }
    w->how = HOW_GIVEN;
    memcpy(w->key, a.b, sizeof a.b);
}

static void
addr_want(const struct lane *l, struct want *w, const struct tn_vaddr *given,
          const struct tn_addr *pinned)
{
    const struct tn_intent_port *p = w->port;
    char text[TN_ADDR_TEXT], cidr[TN_CIDR_TEXT];
    if (is_slaac(l)) {
        slaac_want(l, w, given);
    } else if (given->at.line) {
        w->at = given->at;
        if (!tn_cidr_contains(l->cidr, &given->v)) {
            tn_diag(l->in->diags, TN_ERROR, tn_intent_at(p->file, given->at),
                    "%s %s is outside %s of subnet '%s'", lane_names[l->kind],
                    tn_addr_format(&given->v, text),
                    tn_cidr_format(l->cidr, cidr), l->subnet->doc->name.v);
            return;
        }
        w->how = HOW_GIVEN;
        memcpy(w->key, given->v.b, sizeof given->v.b);
    } else if (tn_cidr_contains(l->cidr, pinned)) {
        w->how = HOW_PINNED;
        memcpy(w->key, pinned->b, sizeof pinned->b);
    }
}

static void
want_fill(const struct lane *l, struct want *w, struct tn_intent_port *port)
{
    const char *name = port->doc->meta.name.v;
    *w = (struct want){.port = port};
    switch (l->kind) {
    case LANE_ADDRESS:
        addr_want(l, w, &port->doc->address, &port->pin.address);
        w->hash = hash_of("address", l->subnet, l->in->tenant, name);
        break;
    case LANE_ADDRESS6:
        addr_want(l, w, &port->doc->address6, &port->pin.address6);
        w->hash = hash_of("address6", l->subnet, l->in->tenant, name);
        break;
    case LANE_MAC:
        if (port->doc->mac.at.line) {
            w->how = HOW_GIVEN;
            w->at = port->doc->mac.at;
            memcpy(w->key, port->doc->mac.v.b, sizeof port->doc->mac.v.b);
        } else if (!tn_mac_is_zero(&port->pin.mac)) {
            w->how = HOW_PINNED;
            memcpy(w->key, port->pin.mac.b, sizeof port->pin.mac.b);
        }
        w->hash = hash_of("mac", NULL, l->in->tenant, name);
        break;
    }
}

static void
reserve_all(struct lane *l)
{
    uint8_t key[KEY_SIZE] = {0};
    if (!l->cidr) {
        memcpy(key, l->subnet->gateway_mac.b, sizeof l->subnet->gateway_mac.b);
        reserve(&l->taken, key, "that of the gateway");
        return;
    }
    struct tn_addr last = tn_cidr_last(l->cidr);
    reserve(&l->taken, l->gateway.b, "the gateway");
    reserve(&l->taken, l->cidr->addr.b, "the network address");
    if (l->cidr->addr.family == TN_AF_IPV4) {
        reserve(&l->taken, last.b, "the broadcast address");
    }
}

static void
given_take(struct lane *l, struct want *w)
{
    char text[TN_ADDR_TEXT];
    struct slot *s = taken_slot(&l->taken, w->key);
    struct tn_origin at = tn_intent_at(w->port->file, w->at);
    if (!s->used) {
        taken_put(&l->taken, s, w, HOW_GIVEN);
        return;
    }
    key_text(l, w->key, text);
    if (s->how == HOW_RESERVED) {
        tn_diag(l->in->diags, TN_ERROR, at, "%s %s is %s of subnet '%s'",
                lane_names[l->kind], text, s->reserved_for,
                l->subnet->doc->name.v);
        return;
    }
    /* In the order of names; the finding goes to the later place. */
    const struct want *a = s->owner, *b = w;
    if (a->port->file->index > b->port->file->index ||
        (a->port->file == b->port->file && a->at.line > b->at.line)) {
        a = w;
        b = s->owner;
    }
    tn_diag(l->in->diags, TN_ERROR, tn_intent_at(b->port->file, b->at),
            "%s %s is given to port '%s' already, in %s:%u",
            lane_names[l->kind], text, a->port->doc->meta.name.v,
            a->port->file->path, a->at.line);
}

static void
pinned_take(struct lane *l, struct want *w)
{
    char text[TN_ADDR_TEXT];
    struct slot *s = taken_slot(&l->taken, w->key);
    if (!s->used) {
        taken_put(&l->taken, s, w, HOW_PINNED);
    } else if (s->how == HOW_GIVEN) {
        const struct want *g = s->owner;
        tn_diag(l->in->diags, TN_ERROR, tn_intent_at(g->port->file, g->at),
                "%s %s of port '%s' is pinned for port '%s' of the same subnet",
                lane_names[l->kind], key_text(l, w->key, text),
                g->port->doc->meta.name.v, w->port->doc->meta.name.v);
    } else if (s->how == HOW_PINNED && at_home(l, w) && !at_home(l, s->owner)) {
        s->owner->how = HOW_DERIVED;
        taken_put(&l->taken, s, w, HOW_PINNED);
    } else {
        w->how = HOW_DERIVED;
    }
}

static void
exhausted_report(const struct lane *l, const struct want *w)
{
    char cidr[TN_CIDR_TEXT];
    TN_CLEANUP(tn_cleanup_text) struct tn_text names = {0};
    for (size_t i = 0; i < l->n && i < CLAIMANTS_SHOWN; i++) {
        tn_text_addf(&names, "%s%s", i ? ", " : "",
                     l->wants[i].port->doc->meta.name.v);
    }
    tn_diag(l->in->diags, TN_ERROR,
            tn_intent_at(w->port->file, w->port->doc->meta.name.at),
            "the pool of subnet '%s/%s' (%s, %llu addresses for ports) is "
            "exhausted: %zu ports claim it (%s%s)",
            l->subnet->vpc->doc->meta.name.v, l->subnet->doc->name.v,
            l->cidr ? tn_cidr_format(l->cidr, cidr) : "MAC addresses",
            (unsigned long long) lane_usable(l) - (l->cidr ? 1 : 0), l->n,
            tn_text_str(&names), l->n > CLAIMANTS_SHOWN ? ", ..." : "");
}

/* False if the pool is empty. */
static bool
derived_take(struct lane *l, struct want *w)
{
    uint64_t usable = lane_usable(l);
    uint64_t tries = l->taken.n < usable ? l->taken.n + 1 : usable;
    for (uint64_t i = 0; i < tries; i++) {
        uint64_t home = w->hash % usable;
        uint64_t offset = home >= usable - i ? home - (usable - i) : home + i;
        lane_key(l, offset, w->key);
        struct slot *s = taken_slot(&l->taken, w->key);
        if (!s->used) {
            taken_put(&l->taken, s, w, HOW_DERIVED);
            return true;
        }
    }
    return false;
}

static void
result_put(const struct lane *l, const struct want *w)
{
    struct tn_intent_port *p = w->port;
    struct tn_addr a = {0};
    if (l->cidr) {
        a.family = l->cidr->addr.family;
        memcpy(a.b, w->key, sizeof a.b);
    }
    switch (l->kind) {
    case LANE_ADDRESS:
        p->address = a;
        break;
    case LANE_ADDRESS6:
        p->address6 = a;
        break;
    case LANE_MAC:
        memcpy(p->mac.b, w->key, sizeof p->mac.b);
        break;
    }
}

static void
lane_settle(struct lane *l)
{
    taken_init(&l->taken, l->in->arena, l->n + 4);
    l->wants = tn_new_n(l->in->arena, struct want, l->n);
    for (size_t i = 0; i < l->n; i++) {
        want_fill(l, &l->wants[i], l->subnet->ports.items[i]);
    }
    reserve_all(l);
    for (size_t i = 0; i < l->n; i++) {
        if (l->wants[i].how == HOW_GIVEN) {
            given_take(l, &l->wants[i]);
        }
    }
    for (size_t i = 0; i < l->n; i++) {
        if (l->wants[i].how == HOW_PINNED) {
            pinned_take(l, &l->wants[i]);
        }
    }
    bool room = true;
    for (size_t i = 0; i < l->n; i++) {
        struct want *w = &l->wants[i];
        if (w->how == HOW_DERIVED && !w->at.line && room) {
            room = derived_take(l, w);
            if (!room) {
                exhausted_report(l, w);
            }
        }
        result_put(l, w);
    }
}

static void
no_second_address(struct tn_intent *in, const struct tn_intent_subnet *s)
{
    for (size_t i = 0; i < s->ports.n; i++) {
        const struct tn_intent_port *p = s->ports.items[i];
        if (p->doc->address6.at.line) {
            tn_diag(
                in->diags, TN_ERROR, tn_intent_at(p->file, p->doc->address6.at),
                "subnet '%s' has no cidr6 for this address", s->doc->name.v);
        }
    }
}

static void
subnet_settle(struct tn_intent *in, struct tn_intent_subnet *s)
{
    struct lane l = {
        .kind = LANE_MAC,
        .in = in,
        .subnet = s,
        .n = s->ports.n,
    };
    lane_settle(&l); /* First: addresses may follow from it. */
    l.kind = LANE_ADDRESS;
    l.cidr = &s->doc->cidr.v;
    l.gateway = s->gateway;
    lane_settle(&l);
    if (s->doc->cidr6.at.line) {
        l.kind = LANE_ADDRESS6;
        l.cidr = &s->doc->cidr6.v;
        l.gateway = s->gateway6;
        lane_settle(&l);
    } else {
        no_second_address(in, s);
    }
}

void
tn_identify_ports(struct tn_intent *in)
{
    for (size_t i = 0; i < in->n_vpcs; i++) {
        for (size_t k = 0; k < in->vpcs[i].doc->subnets.n; k++) {
            struct tn_intent_subnet *s = &in->vpcs[i].subnets[k];
            if (s->ports.n) {
                subnet_settle(in, s);
            }
        }
    }
}

static struct tn_pin
subnet_pin(const struct tn_intent *in, const struct tn_intent_subnet *s)
{
    char object[NAME_MAX_TEXT];
    if (!in->n_lock && !in->n_pins) {
        return (struct tn_pin){0};
    }
    snprintf(object, sizeof object, "subnet/%s/%s", s->vpc->doc->meta.name.v,
             s->doc->name.v);
    struct tn_pin pin = tn_intent_pin(in, object, NULL);
    /* 'object' says who pins the number: null is the status ref. */
    const struct tn_pin *used = tn_pin_find(in->pins, in->n_pins, object);
    pin.object = used && used->vni == pin.vni ? NULL : in->lock_path;
    return pin;
}

struct tn_vni_claim
tn_identify_subnet(const struct tn_intent *in,
                   const struct tn_intent_subnet *subnet, struct tn_part_at *at)
{
    struct tn_pin pin = subnet_pin(in, subnet);
    bool given = subnet->doc->vni.at.line != 0;
    struct tn_vni_claim claim = {
        .hash = hash_of("vni", subnet, in->tenant, NULL),
        .vni = given ? (uint32_t) subnet->doc->vni.v : pin.vni,
        .source = (uint8_t) (given     ? TN_CLAIM_GIVEN
                             : pin.vni ? TN_CLAIM_PINNED
                                       : TN_CLAIM_DERIVED),
    };
    *at = tn_intent_place(subnet->vpc->file,
                          given ? subnet->doc->vni.at : subnet->doc->at);
    claim.established = claim.vni && claim.vni == pin.vni && !pin.object;
    return claim;
}

/* A number of this tenant that is given or pinned. */
struct number {
    struct tn_vni_claim claim;
    struct tn_part_at at;
    const struct tn_intent_subnet *subnet;
};

static int
number_cmp(const void *a, const void *b)
{
    const struct number *x = a, *y = b;
    int c = (x->claim.vni > y->claim.vni) - (x->claim.vni < y->claim.vni);
    if (c == 0) {
        c = (int) x->claim.source - (int) y->claim.source;
    }
    if (c == 0) {
        c = (x->at.path > y->at.path) - (x->at.path < y->at.path);
    }
    return c ? c : (x->at.line > y->at.line) - (x->at.line < y->at.line);
}

static void
numbers_report(struct tn_intent *in, const struct number *a,
               const struct number *b)
{
    const char *va = a->subnet->vpc->doc->meta.name.v;
    const char *vb = b->subnet->vpc->doc->meta.name.v;
    const char *sa = a->subnet->doc->name.v, *sb = b->subnet->doc->name.v;
    const struct tn_intent_file *fa = a->subnet->vpc->file;
    const struct tn_intent_file *fb = b->subnet->vpc->file;
    if (b->claim.source == TN_CLAIM_GIVEN) {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(fb, b->subnet->doc->vni.at),
                "vni %u of subnet '%s/%s' is given to subnet '%s/%s' already, "
                "in %s:%u",
                b->claim.vni, vb, sb, va, sa, fa->path,
                a->subnet->doc->vni.at.line);
    } else if (a->claim.source == TN_CLAIM_GIVEN) {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(fa, a->subnet->doc->vni.at),
                "vni %u of subnet '%s/%s' is pinned for subnet '%s/%s'",
                a->claim.vni, va, sa, vb, sb);
    } else {
        tn_diag(in->diags, TN_ERROR, tn_intent_at(fb, b->subnet->doc->at),
                "vni %u is pinned for subnet '%s/%s' and for subnet '%s/%s'",
                b->claim.vni, va, sa, vb, sb);
    }
}

void
tn_identify_subnets(struct tn_intent *in)
{
    const struct tn_world *w = in->world;
    TN_VEC(struct number) list = {0};
    for (size_t i = 0; i < in->n_vpcs; i++) {
        const struct tn_intent_vpc *v = &in->vpcs[i];
        for (size_t k = 0; k < v->doc->subnets.n; k++) {
            const struct tn_intent_subnet *s = &v->subnets[k];
            struct tn_part_at at;
            struct tn_vni_claim claim = tn_identify_subnet(in, s, &at);
            if (claim.source == TN_CLAIM_GIVEN &&
                (claim.vni < w->vni_from || claim.vni > w->vni_to)) {
                tn_diag(in->diags, TN_ERROR,
                        tn_intent_at(v->file, s->doc->vni.at),
                        "vni %u is outside the pool vni (%u-%u) of tenet.yml",
                        claim.vni, w->vni_from, w->vni_to);
            }
            if (claim.vni) {
                *tn_vec_push(in->arena, &list) = (struct number){claim, at, s};
            }
        }
    }
    if (list.n > 1) {
        qsort(list.items, list.n, sizeof *list.items, number_cmp);
    }
    for (size_t i = 1; i < list.n; i++) {
        if (list.items[i].claim.vni == list.items[i - 1].claim.vni) {
            numbers_report(in, &list.items[i - 1], &list.items[i]);
        }
    }
}
