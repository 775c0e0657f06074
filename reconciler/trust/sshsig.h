/* sshsig.h - SSH signatures (OpenSSH's PROTOCOL.sshsig), as Git puts them into
 * commits: version 1, namespace "git", SHA-256 or SHA-512, Ed25519.
 *
 * Reading is strict: what ssh-keygen would not have written is refused, also
 * where OpenSSH's own parser would shrug. */
#ifndef TN_TRUST_SSHSIG_H
#define TN_TRUST_SSHSIG_H

#include <stdint.h>

#include "model/base/crypt.h"
#include "model/base/error.h"
#include "reconciler/trust/wire.h"

/* More than the largest RSA key needs that ssh-keygen makes. */
enum { TN_SSHSIG_ARMORED_MAX = 16 * 1024, TN_SSHKEY_TYPE = 64 };

/* "SHA256:" and 43 characters of base64. */
enum { TN_FINGERPRINT = 52 };

/* A public key: "ssh-ed25519" and 32 bytes, or another type, of which only the
 * name and the fingerprint are known. */
struct tn_sshkey {
    char type[TN_SSHKEY_TYPE];    /* Printable ASCII. */
    uint8_t hash[TN_SHA256_SIZE]; /* SHA-256 of the wire form. */
    bool ed25519;
    uint8_t key[TN_ED25519_PUBLIC]; /* If 'ed25519'. */
};

enum tn_sshsig_hash { TN_SSHSIG_SHA256, TN_SSHSIG_SHA512 };

struct tn_sshsig {
    struct tn_sshkey key;
    enum tn_sshsig_hash hash;
    uint8_t signature[TN_ED25519_SIGNATURE];
};

/* Reads a public key in wire form. */
bool tn_sshkey_parse(struct tn_slice wire, struct tn_sshkey *out) TN_MUST_USE;
bool tn_sshkey_eq(const struct tn_sshkey *a, const struct tn_sshkey *b);
/* "SHA256:...", as ssh-keygen prints it; returns 'buf'. */
const char *tn_sshkey_fingerprint(const struct tn_sshkey *key,
                                  char buf[TN_FINGERPRINT]);
/* The wire form of an Ed25519 key, appended. */
void tn_sshkey_add(struct tn_text *out, const uint8_t key[TN_ED25519_PUBLIC]);

/* Reads an armored signature; a line feed at the end may be missing.
 * TN_EINTENT: malformed, or made for another namespace than "git".
 * TN_EUNSUPPORTED: in order, but of another key type, version or hash;
 * 'out->key' is then set where the type is what is not supported (else its
 * 'type' is empty). */
enum tn_code tn_sshsig_parse(const char *armored, size_t n,
                             struct tn_sshsig *out,
                             struct tn_error *err) TN_MUST_USE;

/* Whether the key in 'sig' signed these bytes. */
bool tn_sshsig_verify(const struct tn_sshsig *sig, const void *bytes,
                      size_t n) TN_MUST_USE;

/* Signs with the private key 'seed' (SHA-512, as ssh-keygen does) and appends
 * the armored signature, byte for byte what 'ssh-keygen -Y sign -n git'
 * prints. */
enum tn_code tn_sshsig_make(const uint8_t seed[TN_ED25519_SEED],
                            const void *bytes, size_t n, struct tn_text *out,
                            struct tn_error *err) TN_MUST_USE;

#endif
