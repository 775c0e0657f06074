/* remote_hosts.h - the known_hosts file of OpenSSH (sshd(8)).
 *
 * Plain names with wildcards and negation, hashed names, ports as
 * "[host]:port", and @revoked; certificate authorities are not supported and
 * such lines are passed over. */
#ifndef TN_SOURCE_REMOTE_HOSTS_H
#define TN_SOURCE_REMOTE_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

struct tn_host_key {
    const char *type; /* "ssh-ed25519". */
    const char *text; /* Base64. */
    const uint8_t *bytes;
    size_t n;
    unsigned line;
    bool revoked;
};

struct tn_host_keys {
    const struct tn_host_key *items;
    size_t n;
};

/* The keys that 'text' has for 'host' at 'port': new in 'arena'. */
struct tn_host_keys tn_host_keys_parse(const char *text, const char *host,
                                       unsigned port, struct tn_arena *arena);

/* "SHA256:" and base64 of the hash of a key. */
enum { TN_FINGERPRINT = 64 };
void tn_host_key_print(const uint8_t sha256[32], char out[TN_FINGERPRINT]);

/* Why a server with the key 'bytes' may not be trusted, TN_OK if it may. */
enum tn_code tn_host_keys_check(const struct tn_host_keys *keys,
                                const uint8_t *bytes, size_t n,
                                const char *host, unsigned port,
                                const char *fingerprint, const char *file,
                                struct tn_error *err) TN_MUST_USE;

#endif
