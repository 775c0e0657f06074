/* names.c - see names.h.
 *
 * Why ids are injective: names are made of [a-z0-9-], so that the parts of an
 * id can be read back; and what was cut ends in "__" and 32 hexadecimal digits,
 * which nothing else does: after an empty part there are either two parts or
 * one of few short words. */
#include "drivers/nsx/names.h"

#include <stdarg.h>
#include <string.h>

#include "drivers/nsx/object.h"
#include "model/base/cleanup.h"
#include "model/base/digest.h"
#include "model/base/text.h"

enum { HEX = 32, END = HEX + 2 };

const char *
tn_nsx_short(struct tn_arena *arena, const char *text, size_t max)
{
    char hex[TN_DIGEST_HEX];
    size_t n = strlen(text);
    if (n <= max) {
        return text;
    }
    const struct tn_digest d = tn_digest_of(text, n);
    return tn_arena_printf(arena, "%.*s__%.*s", (int) (max - END), text, HEX,
                           tn_digest_hex(&d, hex));
}

const char *
tn_nsx_id(struct tn_arena *arena, const char *first, ...)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const char *part;
    va_list ap;
    tn_text_add(&t, first);
    va_start(ap, first);
    while ((part = va_arg(ap, const char *))) {
        tn_text_addf(&t, "_%s", part);
    }
    va_end(ap);
    return tn_nsx_short(arena, tn_arena_strndup(arena, tn_text_str(&t), t.n),
                        TN_NSX_ID_MAX);
}

const char *
tn_nsx_word(struct tn_arena *arena, const char *prefix)
{
    char *word = tn_arena_strdup(arena, prefix);
    for (char *p = word; *p; p++) {
        *p = *p == ':' ? '-' : *p == '/' ? '_' : *p;
    }
    return word;
}

const char *
tn_nsx_vif(struct tn_arena *arena, const char *instance, const char *scope,
           const char *port)
{
    const char *name =
        tn_arena_printf(arena, "vif %s/%s/%s", instance, scope, port);
    struct tn_digest d = tn_digest_of(name, strlen(name));
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    d.b[6] = (uint8_t) ((d.b[6] & 0x0f) | 0x80);
    d.b[8] = (uint8_t) ((d.b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        tn_text_addf(&t, "%s%02x", dash ? "-" : "", d.b[i]);
    }
    return tn_arena_strndup(arena, tn_text_str(&t), t.n);
}
