/* sshkey.h - a private key as OpenSSH keeps it in a file (PROTOCOL.key). */
#ifndef TN_TRUST_SSHKEY_H
#define TN_TRUST_SSHKEY_H

#include "model/base/crypt.h"
#include "model/base/error.h"

enum { TN_SSHKEY_FILE_MAX = 16 * 1024 };

/* Takes the Ed25519 key out of the text of a key file: '*seed' is new and holds
 * TN_ED25519_SEED bytes; the public key in the file was found to belong to it.
 * Errors as for tn_signer_open. */
enum tn_code tn_sshkey_file_parse(const struct tn_secret *file,
                                  struct tn_secret **seed,
                                  uint8_t key[TN_ED25519_PUBLIC],
                                  struct tn_error *err) TN_MUST_USE;

#endif
