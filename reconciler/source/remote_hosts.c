/* remote_hosts.c - see remote_hosts.h.
 *
 * libssh2 can read such files too, but knows neither wildcards nor negation nor
 * revocation, and would say "mismatch" where a person needs to know which line
 * of which file, and which fingerprint.  Hashed names are HMAC-SHA1, here in a
 * page: it hides names, and protects nothing that we rely on. */
#include "reconciler/source/remote_hosts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
                             "tuvwxyz0123456789+/";

enum { SHA1_SIZE = 20, SHA1_BLOCK = 64, HASHED_MAX = 1024, KEY_MAX = 16384 };

static uint32_t
rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static void
sha1_block(uint32_t h[5], const uint8_t *p)
{
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
                                  0xca62c1d6};
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (size_t i = 0; i < 80; i++) {
        w[i] = i < 16
                   ? (uint32_t) p[4 * i] << 24 | (uint32_t) p[4 * i + 1] << 16 |
                         (uint32_t) p[4 * i + 2] << 8 | p[4 * i + 3]
                   : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t f = i < 20   ? (b & c) | (~b & d)
                     : i < 40 ? b ^ c ^ d
                     : i < 60 ? (b & c) | (b & d) | (c & d)
                              : b ^ c ^ d;
        uint32_t t = rotate(a, 5) + f + e + k[i / 20] + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = t;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

/* SHA-1 of one block 'pad' and then 'n' bytes. */
static void
sha1_after(const uint8_t pad[SHA1_BLOCK], const uint8_t *s, size_t n,
           uint8_t out[SHA1_SIZE])
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                     0xc3d2e1f0};
    uint8_t last[2 * SHA1_BLOCK] = {0};
    uint64_t bits = (SHA1_BLOCK + n) * 8;
    sha1_block(h, pad);
    for (; n >= SHA1_BLOCK; n -= SHA1_BLOCK, s += SHA1_BLOCK) {
        sha1_block(h, s);
    }
    memcpy(last, s, n);
    last[n] = 0x80;
    size_t size = n + 9 > SHA1_BLOCK ? sizeof last : SHA1_BLOCK;
    for (size_t i = 0; i < 8; i++) {
        last[size - 1 - i] = (uint8_t) (bits >> (8 * i));
    }
    for (size_t i = 0; i < size; i += SHA1_BLOCK) {
        sha1_block(h, last + i);
    }
    for (size_t i = 0; i < SHA1_SIZE; i++) {
        out[i] = (uint8_t) (h[i / 4] >> (24 - 8 * (i % 4)));
    }
}

static void
hmac_sha1(const uint8_t key[SHA1_SIZE], const char *s, uint8_t out[SHA1_SIZE])
{
    uint8_t inner[SHA1_BLOCK], outer[SHA1_BLOCK], mid[SHA1_SIZE];
    memset(inner, 0x36, sizeof inner);
    memset(outer, 0x5c, sizeof outer);
    for (size_t i = 0; i < SHA1_SIZE; i++) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    sha1_after(inner, (const uint8_t *) s, strlen(s), mid);
    sha1_after(outer, mid, sizeof mid, out);
}

static int
sextet(char c)
{
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int) (p - digits) : -1;
}

/* The number of bytes, 0 if it is no base64 or too much. */
static size_t
base64(const char *s, size_t n, uint8_t *out, size_t max)
{
    uint32_t bits = 0;
    size_t used = 0;
    unsigned have = 0;
    while (n > 0 && s[n - 1] == '=') {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        int v = sextet(s[i]);
        if (v < 0) {
            return 0;
        }
        bits = bits << 6 | (uint32_t) v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (used == max) {
                return 0;
            }
            out[used++] = (uint8_t) (bits >> have);
        }
    }
    return used;
}

static bool
wild(const char *pattern, size_t n, const char *s)
{
    if (n == 0) {
        return *s == '\0';
    }
    if (*pattern == '*') {
        return wild(pattern + 1, n - 1, s) || (*s && wild(pattern, n, s + 1));
    }
    return *s && (*pattern == '?' || tolower((unsigned char) *pattern) == *s) &&
           wild(pattern + 1, n - 1, s + 1);
}

/* "|1|salt|hash" */
static bool
hashed(const char *s, size_t n, const char *name)
{
    uint8_t salt[SHA1_SIZE], want[SHA1_SIZE], have[SHA1_SIZE];
    const char *bar = memchr(s + 3, '|', n - 3);
    if (!bar ||
        base64(s + 3, (size_t) (bar - s - 3), salt, sizeof salt) != SHA1_SIZE ||
        base64(bar + 1, (size_t) (s + n - bar - 1), want, sizeof want) !=
            SHA1_SIZE) {
        return false;
    }
    hmac_sha1(salt, name, have);
    return memcmp(want, have, sizeof want) == 0;
}

/* 'list' is the first field of a line; 'name' in lower case. */
static bool
names(const char *list, size_t n, const char *name)
{
    bool found = false;
    if (n > 3 && strncmp(list, "|1|", 3) == 0) {
        return hashed(list, n, name);
    }
    if (n > HASHED_MAX) {
        return false;
    }
    for (const char *p = list, *end = list + n; p < end;) {
        const char *comma = memchr(p, ',', (size_t) (end - p));
        comma = comma ? comma : end;
        bool not = *p == '!';
        p += not ;
        if (wild(p, (size_t) (comma - p), name)) {
            if (not ) {
                return false;
            }
            found = true;
        }
        p = comma + 1;
    }
    return found;
}

/* The next word of the line, advancing '*p'. */
static size_t
word(const char **p, const char *end, const char **out)
{
    while (*p < end && (**p == ' ' || **p == '\t')) {
        ++*p;
    }
    *out = *p;
    while (*p < end && **p != ' ' && **p != '\t' && **p != '\r') {
        ++*p;
    }
    return (size_t) (*p - *out);
}

static bool
parse_line(const char *p, const char *end, const char *name,
           struct tn_arena *arena, struct tn_host_key *out)
{
    const char *w, *type, *text;
    struct tn_host_key key = {0};
    size_t n = word(&p, end, &w);
    if (n == 8 && strncmp(w, "@revoked", n) == 0) {
        key.revoked = true;
        n = word(&p, end, &w);
    }
    if (n == 0 || *w == '#' || *w == '@' || !names(w, n, name)) {
        return false;
    }
    size_t n_type = word(&p, end, &type), n_text = word(&p, end, &text);
    if (n_type == 0 || n_text == 0 || n_text > KEY_MAX) {
        return false;
    }
    uint8_t *bytes = tn_new_n(arena, uint8_t, n_text);
    key.n = base64(text, n_text, bytes, n_text);
    key.bytes = bytes;
    key.type = tn_arena_strndup(arena, type, n_type);
    key.text = tn_arena_strndup(arena, text, n_text);
    *out = key;
    return key.n > 0;
}

struct tn_host_keys
tn_host_keys_parse(const char *text, const char *host, unsigned port,
                   struct tn_arena *arena)
{
    TN_VEC(struct tn_host_key) keys = {0};
    char name[300];
    unsigned line = 0;
    snprintf(name, sizeof name, port == 22 ? "%s" : "[%s]:%u", host, port);
    for (char *c = name; *c; c++) {
        *c = (char) tolower((unsigned char) *c);
    }
    for (const char *p = text; *p;) {
        const char *end = p + strcspn(p, "\n");
        struct tn_host_key key;
        line++;
        if (parse_line(p, end, name, arena, &key)) {
            key.line = line;
            *tn_vec_push(arena, &keys) = key;
        }
        p = *end ? end + 1 : end;
    }
    return (struct tn_host_keys){keys.items, keys.n};
}

void
tn_host_key_print(const uint8_t sha256[32], char out[TN_FINGERPRINT])
{
    size_t n = (size_t) snprintf(out, TN_FINGERPRINT, "SHA256:");
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < 32; i++) {
        bits = bits << 8 | sha256[i];
        for (have += 8; have >= 6;) {
            have -= 6;
            out[n++] = digits[bits >> have & 63];
        }
    }
    out[n++] = digits[bits << (6 - have) & 63];
    out[n] = '\0';
}

enum tn_code
tn_host_keys_check(const struct tn_host_keys *keys, const uint8_t *bytes,
                   size_t n, const char *host, unsigned port,
                   const char *fingerprint, const char *file,
                   struct tn_error *err)
{
    const struct tn_host_key *good = NULL, *other = NULL;
    for (size_t i = 0; i < keys->n; i++) {
        const struct tn_host_key *k = &keys->items[i];
        bool same = k->n == n && memcmp(k->bytes, bytes, n) == 0;
        if (same && k->revoked) {
            return tn_fail(err, TN_EDENIED, 0,
                           "the host key of %s (%s) is revoked by %s:%u", host,
                           fingerprint, file, k->line);
        }
        good = same ? k : good;
        other = k->revoked ? other : k;
    }
    if (good) {
        return TN_OK;
    }
    if (other) {
        return tn_fail(err, TN_EDENIED, 0,
                       "the host key of %s is not the one that is known: it "
                       "shows %s, %s:%u has another; somebody may be in "
                       "between, or the host was installed anew",
                       host, fingerprint, file, other->line);
    }
    return tn_fail(err, TN_EDENIED, 0,
                   "the host %s is not in %s; it shows the key %s; compare it "
                   "with what its owner says, then: ssh-keyscan -p %u %s >> %s",
                   host, file, fingerprint, port, host, file);
}
