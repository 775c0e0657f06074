/* digest.h - names for content: BLAKE2b-256 (RFC 7693) by libsodium where an
 * adversary may choose the content, and a fast 64-bit hash where not. */
#ifndef TN_BASE_DIGEST_H
#define TN_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/attr.h"

enum { TN_DIGEST_SIZE = 32, TN_DIGEST_HEX = 2 * TN_DIGEST_SIZE + 1 };

struct tn_digest {
    uint8_t b[TN_DIGEST_SIZE];
};

/* Streaming state; opaque storage, no destructor needed. */
struct tn_digester {
    uint64_t opaque[56];
};

void tn_digester_init(struct tn_digester *d);
void tn_digester_add(struct tn_digester *d, const void *bytes, size_t n);
/* Adds the text and its length, so that "ab","c" differs from "a","bc". */
void tn_digester_add_str(struct tn_digester *d, const char *s);
struct tn_digest tn_digester_end(struct tn_digester *d);

struct tn_digest tn_digest_of(const void *bytes, size_t n);
bool tn_digest_eq(const struct tn_digest *a, const struct tn_digest *b);
/* Lower-case hexadecimal; returns 'buf'. */
const char *tn_digest_hex(const struct tn_digest *d, char buf[TN_DIGEST_HEX]);
bool tn_digest_parse(const char *hex, struct tn_digest *out) TN_MUST_USE;

/* XXH3, 64 bit, seed 0: stable over machines and versions, and part of our
 * file formats (derived identifiers).  Not for adversaries. */
uint64_t tn_hash64(const void *bytes, size_t n);
/* The same of what several runs of bytes are together. */
struct tn_bytes {
    const void *at;
    size_t n;
};
uint64_t tn_hash64_of(const struct tn_bytes *runs, size_t n);

#endif
