/* seal.h - secrets that may stand in public files: libsodium's sealed boxes
 * (X25519, XSalsa20-Poly1305), as text.
 *
 *     tenet-sealed:BASE64        a secret, for whoever has the key
 *     tenet-seal-public:BASE64   to seal with: for everybody
 *     tenet-seal-key:BASE64      to open with: a file that is guarded
 *
 * A sealed secret names, inside of the box, what it is for: opened for anything
 * else it is refused.  So somebody who may write the public file, but not read
 * the secret, cannot have it sent to another address. */
#ifndef TN_BASE_SEAL_H
#define TN_BASE_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/crypt.h"
#include "model/base/error.h"
#include "model/base/text.h"

enum {
    TN_SEAL_MAX = 4096,    /* Of a secret, and of a purpose: bytes. */
    TN_SEAL_KEY_FILE = 256 /* A file with a key is smaller. */
};

/* The variable of the environment that names the file of the key. */
#define TN_SEAL_KEY_ENV "TENET_SEAL_KEY"

/* A new pair: '*key' is the text of the file of the key, 'public_key' gets that
 * of the other one, each with a line end. */
enum tn_code tn_seal_keys_new(struct tn_secret **key,
                              struct tn_text *public_key,
                              struct tn_error *err) TN_MUST_USE;

/* Appends the sealed secret.  'public_key' is the text of its file; line ends
 * at the end do not matter.  TN_EINTENT: that is no public key; the purpose is
 * empty, too long or has control characters; the secret is empty or too
 * long. */
enum tn_code tn_seal(const char *public_key, const char *purpose,
                     const void *secret, size_t n, struct tn_text *out,
                     struct tn_error *err) TN_MUST_USE;

/* Could it be one?  Looks at the spelling only. */
bool tn_seal_is(const char *sealed);

/* 'key' holds the text of the file of the key.  TN_EDENIED: not sealed for this
 * key, or changed, or for another purpose. */
enum tn_code tn_seal_open(const char *sealed, const struct tn_secret *key,
                          const char *purpose, struct tn_secret **out,
                          struct tn_error *err) TN_MUST_USE;

#endif
