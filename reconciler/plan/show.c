/* show.c - see show.h.
 *
 * Names and values come from devices and from documents of tenants: they are
 * shown as data, whatever they contain. */
#include "reconciler/plan/show.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"

/* Decodes one character of UTF-8; its length, or 0 if there is none. */
static size_t
decode(const unsigned char *s, size_t n, uint32_t *out)
{
    size_t len = s[0] < 0x80                   ? 1
                 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                               : 0;
    if (len == 0 || len > n || !tn_is_utf8((const char *) s, len)) {
        return 0;
    }
    static const uint8_t first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = s[0] & first[len];
    for (size_t i = 1; i < len; i++) {
        c = c << 6 | (s[i] & 0x3fu);
    }
    *out = c;
    return len;
}

/* Controls, line and paragraph separators, and marks of direction. */
static bool
is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static bool
is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
}

static void
show(struct tn_text *out, const char *text, size_t n, bool json)
{
    const unsigned char *s = (const unsigned char *) text, *end = s + n;
    while (s < end) {
        const unsigned char *run = s;
        while (s < end && is_plain(*s)) {
            s++;
        }
        tn_text_addn(out, (const char *) run, (size_t) (s - run));
        if (s == end) {
            break;
        }
        uint32_t c;
        size_t len = decode(s, (size_t) (end - s), &c);
        if (len == 0 && json) {
            tn_text_add(out, "\\ufffd");
        } else if (len == 0) {
            tn_text_addf(out, "\\x%02x", *s);
        } else if (c == '\\' || (c == '"' && json)) {
            tn_text_addc(out, '\\');
            tn_text_addc(out, (char) c);
        } else if (is_unsafe(c)) {
            tn_text_addf(out, "\\u%04x", c);
        } else {
            tn_text_addn(out, (const char *) s, len);
        }
        s += len ? len : 1;
    }
}

void
tn_show_text(struct tn_text *out, const char *s)
{
    show(out, s, strlen(s), false);
}

void
tn_show_textn(struct tn_text *out, const char *s, size_t n)
{
    show(out, s, n, false);
}

void
tn_show_json(struct tn_text *out, const char *s)
{
    tn_text_addc(out, '"');
    show(out, s, strlen(s), true);
    tn_text_addc(out, '"');
}

const char *
tn_show_fingerprint(const struct tn_digest *key, const char *value,
                    char buf[TN_FINGERPRINT])
{
    char hex[TN_DIGEST_HEX];
    struct tn_digester d;
    tn_digester_init(&d);
    tn_digester_add(&d, key->b, sizeof key->b);
    tn_digester_add_str(&d, value);
    struct tn_digest digest = tn_digester_end(&d);
    memcpy(buf, tn_digest_hex(&digest, hex), TN_FINGERPRINT - 1);
    buf[TN_FINGERPRINT - 1] = '\0';
    return buf;
}

bool
tn_pair_next(struct tn_attr_pair *pair, const struct tn_resource *before,
             const struct tn_resource *after)
{
    size_t n = before ? before->n_attrs : 0, m = after ? after->n_attrs : 0;
    const struct tn_attr *b = pair->i < n ? &before->attrs[pair->i] : NULL;
    const struct tn_attr *a = pair->j < m ? &after->attrs[pair->j] : NULL;
    if (!a && !b) {
        return false;
    }
    int c = !b ? 1 : !a ? -1 : strcmp(b->name, a->name);
    pair->before = c <= 0 ? b : NULL;
    pair->after = c >= 0 ? a : NULL;
    pair->i += c <= 0;
    pair->j += c >= 0;
    return true;
}

bool
tn_pair_differs(const struct tn_attr_pair *pair)
{
    return !pair->before || !pair->after ||
           strcmp(pair->before->value, pair->after->value) != 0;
}

bool
tn_pair_forces(const struct tn_attr_pair *pair)
{
    const struct tn_attr *a = pair->after ? pair->after : pair->before;
    return tn_pair_differs(pair) && a->change == TN_ATTR_REPLACE;
}

const char *
tn_pair_name(const struct tn_attr_pair *pair)
{
    return (pair->after ? pair->after : pair->before)->name;
}

bool
tn_pair_secret(const struct tn_attr_pair *pair)
{
    return (pair->after && pair->after->secret) ||
           (pair->before && pair->before->secret);
}

/* Prose and rules have commas too, but are no sets. */
static bool
may_be_set(const char *s)
{
    return !strpbrk(s, "{}()\"\n");
}

static const char **
members(struct tn_arena *arena, const char *value, size_t *n)
{
    TN_VEC(const char *) v = {0};
    for (const char *s = value; *s;) {
        const char *end = strstr(s, ", ");
        size_t len = end ? (size_t) (end - s) : strlen(s);
        *tn_vec_push(arena, &v) = tn_arena_strndup(arena, s, len);
        s += len + (end ? 2 : 0);
    }
    tn_texts_sort(v.items, v.n);
    *n = v.n;
    return v.items;
}

bool
tn_set_diff(struct tn_arena *arena, const char *before, const char *after,
            struct tn_set_diff *out)
{
    if ((!strstr(before, ", ") && !strstr(after, ", ")) ||
        !may_be_set(before) || !may_be_set(after)) {
        return false;
    }
    size_t n, m, i = 0, j = 0;
    const char **b = members(arena, before, &n);
    const char **a = members(arena, after, &m);
    *out = (struct tn_set_diff){
        .added = tn_new_n(arena, const char *, m),
        .removed = tn_new_n(arena, const char *, n),
    };
    while (i < n || j < m) {
        int c = i == n ? 1 : j == m ? -1 : strcmp(b[i], a[j]);
        if (c < 0) {
            out->removed[out->n_removed++] = b[i];
        } else if (c > 0) {
            out->added[out->n_added++] = a[j];
        } else {
            out->n_kept++;
        }
        i += c <= 0;
        j += c >= 0;
    }
    return out->n_added + out->n_removed > 0;
}

bool
tn_show_origin(struct tn_text *out, const struct tn_origin *origin)
{
    if (!origin->line || !origin->path) {
        return false;
    }
    tn_show_text(out, origin->path);
    tn_text_addf(out, ":%u", origin->line);
    return true;
}

struct tn_shown *
tn_show_changes(struct tn_arena *arena, const struct tn_device_plan *device,
                size_t *n)
{
    struct tn_shown *shown =
        tn_new_n(arena, struct tn_shown, device->n_changes);
    struct tn_map removed; /* Key to what the removing half removes. */
    tn_map_init(&removed, arena, 0);
    *n = 0;
    for (size_t i = 0; i < device->n_changes; i++) {
        const struct tn_change *c = &device->changes[i];
        if (c->half == TN_HALF_REMOVE) {
            tn_map_put(&removed, c->key, (void *) (uintptr_t) (i + 1));
            continue;
        }
        struct tn_shown *s = &shown[(*n)++];
        *s = (struct tn_shown){c, c->before, c->after, c->expect};
        if (c->half == TN_HALF_CREATE) {
            size_t r = (uintptr_t) tn_map_get(&removed, c->key);
            s->before = device->changes[r - 1].before;
            s->expect = device->changes[r - 1].expect;
        }
    }
    return shown;
}
