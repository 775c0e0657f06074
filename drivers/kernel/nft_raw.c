/* nft_raw.c - see nft_raw.h.
 *
 * Each object has a 64-bit hash: a chain's goes on with every rule, a set's is
 * a sum over its elements.  Nobody is assumed to look for collisions: who can
 * write rules at all needs none. */
#include "drivers/kernel/nft_raw.h"

#include <stdio.h>
#include <stdlib.h>

#include <netinet/in.h> /* Before linux/netfilter.h. */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>

#include "model/base/map.h"
#include "model/base/text.h"

enum kind { TABLE, CHAIN, SET };

struct object {
    uint8_t family;
    enum kind kind;
    const char *name;
    uint64_t hash;
};

struct tn_nft_raw {
    struct tn_arena *arena;
    struct tn_map by_name; /* "f/k/name" to struct object. */
    TN_VEC(struct object *) objects;
    TN_VEC(struct tn_nft_raw_set) sets;
    TN_VEC(const char *) foreign;
    struct object *last; /* Rules and elements come in runs. */
};

/* The attributes of a message that are of use here. */
struct fields {
    const char *table, *name;    /* Name of the table, chain or set. */
    const struct nlattr *values; /* NFTA_SET_ELEM_LIST_ELEMENTS. */
    uint64_t hash;
};

/* Which attributes of a kind of message name it, and which are left out. */
struct shape {
    enum kind kind;
    uint16_t table, name, values;
    uint64_t skip; /* Bit per attribute type. */
};

#define BIT(n) (1ull << (n))

/* Numbers that this build's kernel headers need not know yet. */
enum { SET_TYPE = 19, SET_COUNT = 20 };

static const struct shape shapes[] = {
    [NFT_MSG_NEWTABLE] = {TABLE, NFTA_TABLE_NAME, NFTA_TABLE_NAME, 0,
                          BIT(NFTA_TABLE_HANDLE) | BIT(NFTA_TABLE_PAD)},
    [NFT_MSG_NEWCHAIN] = {CHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, 0,
                          BIT(NFTA_CHAIN_HANDLE) | BIT(NFTA_CHAIN_USE) |
                              BIT(NFTA_CHAIN_COUNTERS) | BIT(NFTA_CHAIN_PAD) |
                              BIT(NFTA_CHAIN_ID)},
    [NFT_MSG_NEWRULE] = {CHAIN, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, 0,
                         BIT(NFTA_RULE_HANDLE) | BIT(NFTA_RULE_POSITION) |
                             BIT(NFTA_RULE_PAD) | BIT(NFTA_RULE_ID) |
                             BIT(NFTA_RULE_POSITION_ID)},
    [NFT_MSG_NEWSET] = {SET, NFTA_SET_TABLE, NFTA_SET_NAME, 0,
                        BIT(NFTA_SET_HANDLE) | BIT(NFTA_SET_PAD) |
                            BIT(NFTA_SET_ID) | BIT(SET_TYPE) | BIT(SET_COUNT)},
    [NFT_MSG_NEWSETELEM] = {SET, NFTA_SET_ELEM_LIST_TABLE,
                            NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_ELEMENTS,
                            0},
};

static uint64_t
mix(uint64_t h, uint64_t more)
{
    const uint64_t pair[2] = {h, more};
    return tn_hash64(pair, sizeof pair);
}

static const char *
string(const struct nlattr *a)
{
    int n = nla_len(a);
    const char *s = nla_data(a);
    return n > 0 && memchr(s, '\0', (size_t) n) ? s : NULL;
}

static bool
read_fields(const struct shape *shape, const struct nlattr *a, int n,
            struct fields *f)
{
    for (; nla_ok(a, n); a = nla_next(a, &n)) {
        unsigned type = (unsigned) nla_type(a);
        if (type == shape->table && !(f->table = string(a))) {
            return false;
        }
        if (type == shape->name && !(f->name = string(a))) {
            return false;
        }
        if (shape->values && type == shape->values) {
            f->values = a;
        } else if (type >= 64 || !(shape->skip & BIT(type))) {
            f->hash =
                mix(f->hash,
                    mix(type, tn_hash64(nla_data(a), (size_t) nla_len(a))));
        }
    }
    return n <= 0 && f->table && f->name;
}

static bool
sum_elements(struct object *set, const struct nlattr *list)
{
    const struct nlattr *a = nla_data(list);
    int n = nla_len(list);
    for (; nla_ok(a, n); a = nla_next(a, &n)) {
        set->hash += mix(1, tn_hash64(nla_data(a), (size_t) nla_len(a)));
    }
    return n <= 0;
}

static const char *
family_name(uint8_t family)
{
    switch (family) {
    case NFPROTO_INET:
        return "inet";
    case NFPROTO_IPV4:
        return "ip";
    case NFPROTO_IPV6:
        return "ip6";
    case NFPROTO_ARP:
        return "arp";
    case NFPROTO_BRIDGE:
        return "bridge";
    case NFPROTO_NETDEV:
        return "netdev";
    default: /* The kernel's numbers, not ours. */
        return "other";
    }
}

static bool
ours(uint8_t family, const char *table)
{
    return (family == NFPROTO_INET || family == NFPROTO_BRIDGE) &&
           strcmp(table, "tenet") == 0;
}

static struct object *
object(struct tn_nft_raw *raw, uint8_t family, enum kind kind, const char *name)
{
    struct object *o = raw->last;
    if (o && o->family == family && o->kind == kind &&
        strcmp(o->name, name) == 0) {
        return o;
    }
    const char *key =
        tn_arena_printf(raw->arena, "%u/%u/%s", family, kind, name);
    o = tn_map_get(&raw->by_name, key);
    if (!o) {
        o = tn_new(raw->arena, struct object);
        *o = (struct object){family, kind,
                             strchr(strchr(key, '/') + 1, '/') + 1, 0};
        tn_map_put(&raw->by_name, key, o);
        *tn_vec_push(raw->arena, &raw->objects) = o;
    }
    raw->last = o;
    return o;
}

struct tn_nft_raw *
tn_nft_raw_new(struct tn_arena *arena)
{
    struct tn_nft_raw *raw = tn_new(arena, struct tn_nft_raw);
    raw->arena = arena;
    tn_map_init(&raw->by_name, arena, 64);
    return raw;
}

bool
tn_nft_raw_add(struct tn_nft_raw *raw, int type, const void *payload, size_t n)
{
    if (type < 0 || (size_t) type >= TN_ARRAY_SIZE(shapes) ||
        !shapes[type].name || n < sizeof(struct nfgenmsg) || n > 1u << 24) {
        return false;
    }
    const struct shape *shape = &shapes[type];
    const struct nfgenmsg *head = payload;
    const size_t skip = sizeof *head;
    struct fields f = {0};
    if (!read_fields(shape, (const void *) ((const char *) payload + skip),
                     (int) (n - skip), &f)) {
        return false;
    }
    uint8_t family = head->nfgen_family;
    if (!ours(family, f.table)) {
        if (shape->kind == TABLE) {
            *tn_vec_push(raw->arena, &raw->foreign) = tn_arena_printf(
                raw->arena, "%s %s", family_name(family), f.table);
        }
        return true;
    }
    struct object *o = object(raw, family, shape->kind, f.name);
    if (shape->values) {
        return !f.values || sum_elements(o, f.values);
    }
    o->hash = mix(o->hash, f.hash);
    if (type == NFT_MSG_NEWSET) {
        *tn_vec_push(raw->arena, &raw->sets) =
            (struct tn_nft_raw_set){family, "tenet", o->name};
    }
    return true;
}

const struct tn_nft_raw_set *
tn_nft_raw_sets(const struct tn_nft_raw *raw, size_t *n)
{
    *n = raw->sets.n;
    return raw->sets.items;
}

const char *const *
tn_nft_raw_foreign(struct tn_nft_raw *raw, size_t *n)
{
    *n = raw->foreign.n;
    tn_texts_sort(raw->foreign.items, *n);
    return raw->foreign.items;
}

bool
tn_nft_raw_has(const struct tn_nft_raw *raw, uint8_t family)
{
    char key[32];
    snprintf(key, sizeof key, "%u/%u/tenet", family, TABLE);
    return tn_map_get(&raw->by_name, key) != NULL;
}

static int
by_object(const void *a, const void *b)
{
    const struct object *const *p = a, *const *q = b;
    const struct object *x = *p, *y = *q;
    if (x->family != y->family) {
        return x->family < y->family ? -1 : 1;
    }
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

/* Of a family, or of all (NFPROTO_UNSPEC). */
static struct tn_digest
digest(struct tn_nft_raw *raw, uint8_t family)
{
    struct tn_digester d;
    tn_digester_init(&d);
    if (raw->objects.n) {
        qsort(raw->objects.items, raw->objects.n, sizeof *raw->objects.items,
              by_object);
    }
    for (size_t i = 0; i < raw->objects.n; i++) {
        const struct object *o = raw->objects.items[i];
        const uint8_t head[2] = {o->family, (uint8_t) o->kind};
        if (family != NFPROTO_UNSPEC && family != o->family) {
            continue;
        }
        tn_digester_add(&d, head, sizeof head);
        tn_digester_add_str(&d, o->name);
        tn_digester_add(&d, &o->hash, sizeof o->hash);
    }
    return tn_digester_end(&d);
}

struct tn_digest
tn_nft_raw_digest(struct tn_nft_raw *raw)
{
    return digest(raw, NFPROTO_UNSPEC);
}

struct tn_digest
tn_nft_raw_part(struct tn_nft_raw *raw, uint8_t family)
{
    return digest(raw, family);
}
