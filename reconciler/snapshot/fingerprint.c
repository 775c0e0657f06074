/* fingerprint.c - BLAKE2b with the key in front: half of the digest is more
 * than enough to compare, and without the key a weak secret cannot be guessed
 * from it. */
#include "reconciler/snapshot/fingerprint.h"

#include <string.h>

const char *
tn_snapshot_fingerprint(const struct tn_digest *key, const char *resource,
                        const char *attr, const char *value,
                        char buf[TN_SNAPSHOT_FINGERPRINT])
{
    buf[0] = '\0';
    if (key) {
        char hex[TN_DIGEST_HEX];
        struct tn_digester d;
        tn_digester_init(&d);
        tn_digester_add(&d, key->b, sizeof key->b);
        tn_digester_add_str(&d, "snapshot");
        tn_digester_add_str(&d, resource);
        tn_digester_add_str(&d, attr);
        tn_digester_add_str(&d, value);
        struct tn_digest digest = tn_digester_end(&d);
        memcpy(buf, tn_digest_hex(&digest, hex), TN_SNAPSHOT_FINGERPRINT - 1);
        buf[TN_SNAPSHOT_FINGERPRINT - 1] = '\0';
    }
    return buf;
}
