/* digest.c - the libsodium and xxHash seam for hashing. */
#include "model/base/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <xxhash.h>

static_assert(sizeof(crypto_generichash_state) <=
                  sizeof(struct tn_digester) - 64,
              "tn_digester is too small");

/* The state wants 64-byte alignment; ours gives 8. */
static crypto_generichash_state *
state_of(struct tn_digester *d)
{
    uintptr_t p = ((uintptr_t) d->opaque + 63) & ~(uintptr_t) 63;
    return (crypto_generichash_state *) p;
}

void
tn_digester_init(struct tn_digester *d)
{
    crypto_generichash_init(state_of(d), NULL, 0, TN_DIGEST_SIZE);
}

void
tn_digester_add(struct tn_digester *d, const void *bytes, size_t n)
{
    crypto_generichash_update(state_of(d), bytes, n);
}

void
tn_digester_add_str(struct tn_digester *d, const char *s)
{
    uint64_t n = strlen(s);
    tn_digester_add(d, &n, sizeof n);
    tn_digester_add(d, s, n);
}

struct tn_digest
tn_digester_end(struct tn_digester *d)
{
    struct tn_digest out;
    crypto_generichash_final(state_of(d), out.b, sizeof out.b);
    return out;
}

struct tn_digest
tn_digest_of(const void *bytes, size_t n)
{
    struct tn_digest out;
    crypto_generichash(out.b, sizeof out.b, bytes, n, NULL, 0);
    return out;
}

bool
tn_digest_eq(const struct tn_digest *a, const struct tn_digest *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

const char *
tn_digest_hex(const struct tn_digest *d, char buf[TN_DIGEST_HEX])
{
    return sodium_bin2hex(buf, TN_DIGEST_HEX, d->b, sizeof d->b);
}

bool
tn_digest_parse(const char *hex, struct tn_digest *out)
{
    size_t n = 0;
    struct tn_digest d;
    if (strlen(hex) != TN_DIGEST_HEX - 1 ||
        sodium_hex2bin(d.b, sizeof d.b, hex, strlen(hex), NULL, &n, NULL) ||
        n != sizeof d.b) {
        return false;
    }
    *out = d;
    return true;
}

uint64_t
tn_hash64(const void *bytes, size_t n)
{
    return XXH3_64bits(bytes, n);
}

uint64_t
tn_hash64_of(const struct tn_bytes *runs, size_t n)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state) {
        abort();
    }
    XXH3_64bits_reset(state);
    for (size_t i = 0; i < n; i++) {
        if (runs[i].n) {
            XXH3_64bits_update(state, runs[i].at, runs[i].n);
        }
    }
    uint64_t hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return hash;
}
