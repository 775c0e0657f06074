/* crypt.h - cryptography by libsodium, and memory for secrets.
 *
 * A thin seam: no foreign type, no choice of algorithm, nothing that can be
 * called in a wrong order.  What adversaries choose is bounded by the caller.
 *
 * Secrets live in 'struct tn_secret': pages of their own that are locked, left
 * out of core dumps, fenced by guard pages and wiped when freed.  They are
 * never copied to arenas, errors, logs or plans. */
#ifndef TN_BASE_CRYPT_H
#define TN_BASE_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"
#include "model/base/text.h"

enum {
    TN_SHA256_SIZE = 32,
    TN_SHA512_SIZE = 64,
    TN_ED25519_SEED = 32,
    TN_ED25519_PUBLIC = 32,
    TN_ED25519_SIGNATURE = 64,
};

/* Bytes that nobody else may see. */
struct tn_secret;

/* 'n' zeroed bytes: new.  TN_EINTERNAL if the machine has no memory to lock;
 * where locking is not permitted (RLIMIT_MEMLOCK) the memory is fenced and
 * wiped all the same. */
enum tn_code tn_secret_new(size_t n, struct tn_secret **out,
                           struct tn_error *err) TN_MUST_USE;
/* Wipes.  Accepts null. */
void tn_secret_free(struct tn_secret *secret);

/* The bytes, borrowed, and how many they are.  A NUL that is not counted
 * follows them, so that a secret that is text can be given to whoever wants a
 * C string. */
uint8_t *tn_secret_bytes(struct tn_secret *secret) TN_RETURNS_NONNULL;
const uint8_t *
tn_secret_peek(const struct tn_secret *secret) TN_RETURNS_NONNULL;
size_t tn_secret_size(const struct tn_secret *secret);
/* Makes it shorter; what is cut off is wiped.  'n' is at most the size. */
void tn_secret_cut(struct tn_secret *secret, size_t n);
/* Drops line ends from the end, as editors and 'echo' leave them. */
void tn_secret_chomp(struct tn_secret *secret);

/* Reads a whole file of at most 'max' bytes: '*out' is new.  Refused with
 * TN_EDENIED: what is no regular file, belongs to neither root nor the running
 * user, or may be read or written by others, or by a group.  The one exception
 * are systemd's credentials: a file of root directly in the directory that
 * $CREDENTIALS_DIRECTORY names may be readable by a group (systemd grants the
 * service's user access by an ACL, which looks like that).  A larger file is
 * TN_EDENIED, a missing one TN_ENOENT.  Never says what is in the file. */
enum tn_code tn_secret_read(const char *path, size_t max,
                            struct tn_secret **out,
                            struct tn_error *err) TN_MUST_USE;

static inline void
tn_cleanup_secret(struct tn_secret **secret)
{
    tn_secret_free(*secret);
}

void tn_sha256(const void *bytes, size_t n, uint8_t out[TN_SHA256_SIZE]);
void tn_sha512(const void *bytes, size_t n, uint8_t out[TN_SHA512_SIZE]);
/* HMAC with SHA-256 (RFC 2104); a key of any length. */
void tn_hmac_sha256(const void *key, size_t n_key, const void *bytes, size_t n,
                    uint8_t out[TN_SHA256_SIZE]);

/* Equality in a time that depends on 'n' alone.  Lengths are no secret: compare
 * them first. */
bool tn_equal_secret(const void *a, const void *b, size_t n) TN_MUST_USE;

/* Ed25519 (RFC 8032), detached.  Signatures that are not canonical and keys of
 * small order are refused. */
bool tn_ed25519_verify(const uint8_t signature[TN_ED25519_SIGNATURE],
                       const void *bytes, size_t n,
                       const uint8_t key[TN_ED25519_PUBLIC]) TN_MUST_USE;
/* 'seed' holds TN_ED25519_SEED bytes: the private key as RFC 8032 has it.
 * The public key may be asked for alone ('signature' null). */
enum tn_code tn_ed25519_sign(const uint8_t seed[TN_ED25519_SEED],
                             const void *bytes, size_t n,
                             uint8_t signature[TN_ED25519_SIGNATURE],
                             uint8_t key[TN_ED25519_PUBLIC],
                             struct tn_error *err) TN_MUST_USE;

/* From the kernel; cannot fail. */
void tn_random(void *out, size_t n);

/* Base64 (RFC 4648, section 4), appended to 'out'; without '=' at the end
 * unless 'padded'. */
void tn_base64_add(struct tn_text *out, const void *bytes, size_t n,
                   bool padded);
/* Decodes 'n' characters into at most '*n_out' bytes and sets '*n_out'.  With
 * 'lines', line feeds may stand anywhere.  False for everything that a strict
 * encoder would not have written: other characters, missing or surplus padding,
 * bits set that do not count; and if it does not fit. */
bool tn_base64_decode(const char *text, size_t n, bool lines, uint8_t *out,
                      size_t *n_out) TN_MUST_USE;

/* Overwrites 'n' bytes in a way that no compiler leaves out. */
void tn_wipe(void *bytes, size_t n);

#endif
