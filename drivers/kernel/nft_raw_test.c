/* nft_raw_test.c - the hash of dumps, on messages made by hand, and on damaged
 * ones: the kernel is trusted, its bytes are still read within bounds. */
#include "drivers/kernel/nft_raw.h"

#include <stdlib.h>

#include <netinet/in.h> /* Before linux/netfilter.h. */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <criterion/criterion.h>

/* A message: a few attributes of text or of a number. */
struct part {
    uint16_t type;
    const char *text; /* With its NUL; null: 'number'. */
    uint32_t number;
};

struct message {
    int type;
    uint8_t family;
    struct part parts[4];
};

static size_t
build(const struct message *m, uint8_t out[256])
{
    memset(out, 0, 256);
    out[0] = m->family;
    size_t n = sizeof(struct nfgenmsg);
    for (size_t i = 0; i < 4 && m->parts[i].type; i++) {
        const struct part *p = &m->parts[i];
        const void *value = p->text ? (const void *) p->text : &p->number;
        uint16_t head[2] = {
            (uint16_t) (4 + (p->text ? strlen(p->text) + 1 : 4)), p->type};
        memcpy(out + n, head, 4);
        memcpy(out + n + 4, value, head[0] - 4u);
        n += (head[0] + 3u) & ~3u;
    }
    return n;
}

static bool
add(struct tn_nft_raw *raw, const struct message *m)
{
    /* Of just its size, so that a read past the end is seen. */
    uint8_t b[256];
    size_t n = build(m, b);
    uint8_t *copy = malloc(n);
    memcpy(copy, b, n);
    bool ok = tn_nft_raw_add(raw, m->type, copy, n);
    free(copy);
    return ok;
}

#define TABLE(family, name)                                                    \
    {                                                                          \
        NFT_MSG_NEWTABLE, family,                                              \
        {                                                                      \
            {                                                                  \
                NFTA_TABLE_NAME, name, 0                                       \
            }                                                                  \
        }                                                                      \
    }
#define CHAIN(name, handle)                                                    \
    {                                                                          \
        NFT_MSG_NEWCHAIN, NFPROTO_INET,                                        \
        {                                                                      \
            {NFTA_CHAIN_TABLE, "tenet", 0}, {NFTA_CHAIN_NAME, name, 0},        \
                {NFTA_CHAIN_HANDLE, NULL, handle},                             \
        }                                                                      \
    }
#define RULE(chain, handle, what)                                              \
    {                                                                          \
        NFT_MSG_NEWRULE, NFPROTO_INET,                                         \
        {                                                                      \
            {NFTA_RULE_TABLE, "tenet", 0}, {NFTA_RULE_CHAIN, chain, 0},        \
                {NFTA_RULE_HANDLE, NULL, handle},                              \
                {NFTA_RULE_EXPRESSIONS, what, 0},                              \
        }                                                                      \
    }

enum { MESSAGES = 6 };

static const struct {
    const char *why;
    struct message a[MESSAGES], b[MESSAGES];
    bool same;
} rows[] = {
    {"handles do not count",
     {TABLE(NFPROTO_INET, "tenet"), CHAIN("c", 1), RULE("c", 2, "x")},
     {TABLE(NFPROTO_INET, "tenet"), CHAIN("c", 7), RULE("c", 9, "x")},
     true},
    {"what a rule does counts",
     {TABLE(NFPROTO_INET, "tenet"), CHAIN("c", 1), RULE("c", 2, "x")},
     {TABLE(NFPROTO_INET, "tenet"), CHAIN("c", 1), RULE("c", 2, "y")},
     false},
    {"the order of chains does not count",
     {CHAIN("c", 1), CHAIN("d", 2), RULE("c", 3, "x"), RULE("d", 4, "y")},
     {CHAIN("d", 1), CHAIN("c", 2), RULE("d", 3, "y"), RULE("c", 4, "x")},
     true},
    {"the order of rules counts",
     {CHAIN("c", 1), RULE("c", 3, "x"), RULE("c", 4, "y")},
     {CHAIN("c", 1), RULE("c", 3, "y"), RULE("c", 4, "x")},
     false},
    {"the chain of a rule counts",
     {CHAIN("c", 1), CHAIN("d", 1), RULE("c", 3, "x")},
     {CHAIN("c", 1), CHAIN("d", 1), RULE("d", 3, "x")},
     false},
    {"a rule more counts",
     {CHAIN("c", 1), RULE("c", 3, "x")},
     {CHAIN("c", 1), RULE("c", 3, "x"), RULE("c", 4, "x")},
     false},
    {"tables of others do not count",
     {TABLE(NFPROTO_INET, "tenet"), TABLE(NFPROTO_IPV4, "tenet")},
     {TABLE(NFPROTO_INET, "tenet"), TABLE(NFPROTO_IPV6, "filter")},
     true},
    {"the family counts",
     {TABLE(NFPROTO_INET, "tenet")},
     {TABLE(NFPROTO_BRIDGE, "tenet")},
     false},
};

static struct tn_digest
digest(struct tn_arena *arena, const struct message *m)
{
    struct tn_nft_raw *raw = tn_nft_raw_new(arena);
    for (size_t i = 0; i < MESSAGES && m[i].family; i++) {
        cr_expect(add(raw, &m[i]));
    }
    return tn_nft_raw_digest(raw);
}

Test(nft_raw, what_counts)
{
    struct tn_arena *arena = tn_arena_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_digest a = digest(arena, rows[i].a);
        struct tn_digest b = digest(arena, rows[i].b);
        cr_expect(tn_digest_eq(&a, &b) == rows[i].same, "%s", rows[i].why);
    }
    tn_arena_free(arena);
}

static const struct message elements[2] = {
    {NFT_MSG_NEWSETELEM,
     NFPROTO_INET,
     {{NFTA_SET_ELEM_LIST_TABLE, "tenet", 0},
      {NFTA_SET_ELEM_LIST_SET, "s", 0},
      {NFTA_SET_ELEM_LIST_ELEMENTS,
       "\x08\x01\x01\x01"
       "aaa",
       0}}},
    {NFT_MSG_NEWSETELEM,
     NFPROTO_INET,
     {{NFTA_SET_ELEM_LIST_TABLE, "tenet", 0},
      {NFTA_SET_ELEM_LIST_SET, "s", 0},
      {NFTA_SET_ELEM_LIST_ELEMENTS,
       "\x08\x01\x01\x01"
       "bbb",
       0}}},
};
_Static_assert(sizeof "\x08\x01\x01\x01"
                      "aaa" == 8,
               "one attribute");

Test(nft_raw, elements_have_no_order)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft_raw *raw[2];
    for (size_t i = 0; i < 2; i++) {
        raw[i] = tn_nft_raw_new(arena);
        for (size_t k = 0; k < 2; k++) {
            uint8_t b[256];
            size_t n = build(&elements[i ^ k], b);
            /* Text has no zero byte: now the length of the one element. */
            b[n - 8] = 8;
            b[n - 7] = 0;
            cr_expect(tn_nft_raw_add(raw[i], NFT_MSG_NEWSETELEM, b, n));
        }
    }
    struct tn_digest x = tn_nft_raw_digest(raw[0]);
    struct tn_digest y = tn_nft_raw_digest(raw[1]);
    cr_expect(tn_digest_eq(&x, &y));
    tn_arena_free(arena);
}

Test(nft_raw, foreign_tables_are_named)
{
    static const struct message tables[] = {
        TABLE(NFPROTO_IPV6, "z"), TABLE(NFPROTO_INET, "tenet"),
        TABLE(NFPROTO_IPV4, "tenet"), TABLE(NFPROTO_ARP, "a")};
    static const char *const want[] = {"arp a", "ip tenet", "ip6 z"};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft_raw *raw = tn_nft_raw_new(arena);
    for (size_t i = 0; i < TN_ARRAY_SIZE(tables); i++) {
        cr_expect(add(raw, &tables[i]));
    }
    size_t n;
    const char *const *foreign = tn_nft_raw_foreign(raw, &n);
    cr_assert(n == TN_ARRAY_SIZE(want));
    for (size_t i = 0; i < n; i++) {
        cr_expect_str_eq(foreign[i], want[i]);
    }
    cr_expect(tn_nft_raw_has(raw, NFPROTO_INET));
    cr_expect(!tn_nft_raw_has(raw, NFPROTO_BRIDGE));
    tn_arena_free(arena);
}

/* Any bytes: refused or taken, never read past. */
Test(nft_raw, damaged_messages)
{
    static const struct message good[] = {
        TABLE(NFPROTO_INET, "tenet"),
        CHAIN("c", 1),
        RULE("c", 2, "x"),
        {NFT_MSG_NEWSET,
         NFPROTO_INET,
         {{NFTA_SET_TABLE, "tenet", 0}, {NFTA_SET_NAME, "s", 0}}}};
    unsigned seed = 7;
    size_t refused = 0;
    for (int round = 0; round < 20000; round++) {
        struct tn_arena *arena = tn_arena_new();
        struct tn_nft_raw *raw = tn_nft_raw_new(arena);
        const struct message *m =
            round % 5 == 4 ? &elements[0] : &good[(size_t) round % 5];
        uint8_t b[256];
        size_t n = build(m, b);
        n -= (size_t) rand_r(&seed) % 8;
        uint8_t *copy = malloc(n);
        memcpy(copy, b, n);
        for (int k = rand_r(&seed) % 4; k > 0; k--) {
            copy[(size_t) rand_r(&seed) % n] = (uint8_t) rand_r(&seed);
        }
        refused +=
            !tn_nft_raw_add(raw, rand_r(&seed) % 40 ? m->type : round, copy, n);
        size_t sets;
        tn_nft_raw_sets(raw, &sets);
        tn_nft_raw_digest(raw);
        free(copy);
        tn_arena_free(arena);
    }
    cr_expect(refused > 1000);
}
