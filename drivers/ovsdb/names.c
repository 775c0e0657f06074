/* names.c - see names.h. */
#include "drivers/ovsdb/names.h"

#include <ctype.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/base/text.h"

enum { HASH_DIGITS = 8, READABLE = 40 };

const char *
tn_ovs_port_id(struct tn_arena *arena, const char *instance, const char *scope,
               const char *port)
{
    return tn_arena_printf(arena, "%s/%s/%s", instance, scope, port);
}

const char *
tn_ovs_set_id(struct tn_arena *arena, const char *instance, const char *key)
{
    char hex[TN_DIGEST_HEX], readable[READABLE + 1];
    struct tn_digester d;
    size_t n = 0;
    tn_digester_init(&d);
    tn_digester_add_str(&d, instance);
    tn_digester_add_str(&d, key);
    const struct tn_digest digest = tn_digester_end(&d);
    for (; key[n] && n < READABLE; n++) {
        readable[n] = isalnum((unsigned char) key[n]) ? key[n] : '_';
    }
    readable[n] = '\0';
    return tn_arena_printf(arena, "tn_%s_%.*s", readable, HASH_DIGITS,
                           tn_digest_hex(&digest, hex));
}

struct tn_mac
tn_ovs_mac(const char *text)
{
    const struct tn_digest d = tn_digest_of(text, strlen(text));
    struct tn_mac mac;
    memcpy(mac.b, &d, sizeof mac.b);
    mac.b[0] = (uint8_t) ((mac.b[0] & ~1u) | 2u);
    return mac;
}

struct tn_addr
tn_ovs_link_local(const struct tn_mac *mac)
{
    const uint8_t *b = mac->b;
    return (struct tn_addr){
        TN_AF_IPV6,
        {0xfe, 0x80, [8] = b[0] ^ 2, [9] = b[1], [10] = b[2], [11] = 0xff,
         [12] = 0xfe, [13] = b[3], [14] = b[4], [15] = b[5]}};
}
