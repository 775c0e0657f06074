/* names.c - see names.h.
 *
 * The hash is XXH3 in base32: 40 bits after four letters of the name for what
 * is unique within a VPC, 60 bits for links between VPCs.  Two objects of one
 * VPC that still collide are reported by rendering, never mixed up. */
#include "drivers/kernel/names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/base/text.h"

enum { LABEL_MAX = 13, LABEL_KEPT = 4, LABEL_HASH = 8, LINK_HASH = 12 };

static char *
add_hash(char *p, uint64_t hash, int letters)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    for (int i = 0; i < letters; i++) {
        *p++ = alphabet[hash & 31];
        hash >>= 5;
    }
    *p = '\0';
    return p;
}

const char *
tn_k_ifname(char prefix, const char *label, char out[TN_K_IFNAME])
{
    size_t n = strlen(label);
    out[0] = prefix;
    out[1] = '-';
    if (n <= LABEL_MAX) {
        memcpy(out + 2, label, n + 1);
        return out;
    }
    memcpy(out + 2, label, LABEL_KEPT);
    out[2 + LABEL_KEPT] = '_';
    add_hash(out + 3 + LABEL_KEPT, tn_hash64(label, n), LABEL_HASH);
    return out;
}

const char *
tn_k_link_name(const char *scope, const char *peer_scope, char out[TN_K_IFNAME])
{
    char both[2 * 128 + 1];
    bool ordered = strcmp(scope, peer_scope) < 0;
    const char *first = ordered ? scope : peer_scope;
    const char *second = ordered ? peer_scope : scope;
    int n = snprintf(both, sizeof both, "%s %s", first, second);
    assert(n > 0 && (size_t) n < sizeof both);
    out[0] = TN_K_LINK;
    out[1] = '-';
    add_hash(out + 2, tn_hash64(both, (size_t) n), LINK_HASH);
    return out;
}

const char *
tn_k_netns_name(struct tn_arena *arena, const struct tn_device *device,
                const char *scope)
{
    const char *lab = device->host->config.kernel_netns;
    char *name = tn_arena_printf(arena, "%s%stn.%s", lab ? lab : "",
                                 lab ? "." : "", scope);
    for (char *p = name; *p; p++) {
        if (*p == '/') {
            *p = '.';
        }
    }
    return name;
}

const char *
tn_k_netns_scope(struct tn_arena *arena, const struct tn_device *device,
                 const char *name)
{
    const char *lab = device->host->config.kernel_netns;
    if (lab) {
        size_t n = strlen(lab);
        if (strncmp(name, lab, n) != 0 || name[n] != '.') {
            return NULL;
        }
        name += n + 1;
    }
    if (strncmp(name, "tn.", 3) != 0) {
        return NULL;
    }
    char *scope = tn_arena_strdup(arena, name + 3);
    char *dot = strchr(scope, '.');
    if (!dot) {
        return NULL;
    }
    *dot = '\0';
    if (!tn_is_label(scope) || !tn_is_label(dot + 1)) {
        return NULL;
    }
    *dot = '/';
    return scope;
}
