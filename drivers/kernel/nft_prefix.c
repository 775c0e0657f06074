/* nft_prefix.c - see nft_prefix.h.
 *
 * Prefixes either nest or are disjoint, so one descent over the sorted claims
 * suffices: a prefix with claims inside it is halved until a half holds none.
 * The depth is bounded by the length of an address. */
#include "drivers/kernel/nft_prefix.h"

#include <stdlib.h>
#include <string.h>

struct span {
    const struct tn_nft_claim *claims;
    size_t n;
};

static struct tn_cidr
half(const struct tn_cidr *p, bool upper)
{
    struct tn_cidr h = *p;
    if (upper) {
        h.addr.b[p->len / 8] |= (uint8_t) (0x80u >> (p->len % 8));
    }
    h.len++;
    return h;
}

static void
descend(struct tn_arena *arena, const struct tn_cidr *p, struct span owners,
        struct span inside, struct tn_nft_parts *out)
{
    if (inside.n && tn_cidr_cmp(&inside.claims[0].prefix, p) == 0) {
        owners = (struct span){inside.claims, 0};
        while (inside.n && tn_cidr_cmp(&inside.claims[0].prefix, p) == 0) {
            inside.claims++;
            inside.n--;
            owners.n++;
        }
    }
    if (inside.n == 0) {
        if (owners.n) {
            *tn_vec_push(arena, out) =
                (struct tn_nft_part){*p, owners.claims, owners.n};
        }
        return;
    }
    struct tn_cidr low = half(p, false), high = half(p, true);
    size_t k = 0;
    while (k < inside.n && tn_cidr_within(&inside.claims[k].prefix, &low)) {
        k++;
    }
    descend(arena, &low, owners, (struct span){inside.claims, k}, out);
    descend(arena, &high, owners,
            (struct span){inside.claims + k, inside.n - k}, out);
}

static int
by_prefix(const void *a, const void *b)
{
    return tn_cidr_cmp(a, b);
}

void
tn_nft_partition(struct tn_arena *arena, struct tn_nft_claim *claims, size_t n,
                 struct tn_nft_parts *out)
{
    /* Insertion keeps equal prefixes in the order given; lists are short and
     * mostly sorted already. */
    for (size_t i = 1; i < n; i++) {
        struct tn_nft_claim c = claims[i];
        size_t k = i;
        while (k && tn_cidr_cmp(&claims[k - 1].prefix, &c.prefix) > 0) {
            claims[k] = claims[k - 1];
            k--;
        }
        claims[k] = c;
    }
    for (size_t i = 0; i < n;) {
        struct tn_cidr root = claims[i].prefix;
        size_t k = i;
        while (k < n && tn_cidr_within(&claims[k].prefix, &root)) {
            k++;
        }
        descend(arena, &root, (struct span){NULL, 0},
                (struct span){claims + i, k - i}, out);
        i = k;
    }
}

size_t
tn_nft_outermost(const struct tn_cidr *in, size_t n, struct tn_cidr *out)
{
    if (n == 0) {
        return 0;
    }
    memcpy(out, in, n * sizeof *in);
    qsort(out, n, sizeof *out, by_prefix);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !tn_cidr_within(&out[i], &out[kept - 1])) {
            out[kept++] = out[i];
        }
    }
    return kept;
}
