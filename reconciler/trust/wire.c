/* wire.c - see wire.h. */
#include "reconciler/trust/wire.h"

#include <assert.h>
#include <string.h>

struct tn_slice
tn_wire_take(struct tn_wire *w, size_t n)
{
    if (w->bad || n > (size_t) (w->end - w->p)) {
        w->bad = true;
        return (struct tn_slice){w->end, 0};
    }
    struct tn_slice b = {w->p, n};
    w->p += n;
    return b;
}

uint32_t
tn_wire_u32(struct tn_wire *w)
{
    struct tn_slice b = tn_wire_take(w, 4);
    return b.n ? (uint32_t) b.p[0] << 24 | (uint32_t) b.p[1] << 16 |
                     (uint32_t) b.p[2] << 8 | b.p[3]
               : 0;
}

struct tn_slice
tn_wire_string(struct tn_wire *w)
{
    return tn_wire_take(w, tn_wire_u32(w));
}

bool
tn_wire_end(const struct tn_wire *w)
{
    return !w->bad && w->p == w->end;
}

bool
tn_slice_is(struct tn_slice b, const char *text)
{
    return b.n == strlen(text) && memcmp(b.p, text, b.n) == 0;
}

void
tn_wire_add_u32(struct tn_text *out, uint32_t v)
{
    const char b[4] = {(char) (v >> 24), (char) (v >> 16), (char) (v >> 8),
                       (char) v};
    tn_text_addn(out, b, sizeof b);
}

void
tn_wire_add(struct tn_text *out, const void *bytes, size_t n)
{
    assert(n <= UINT32_MAX);
    tn_wire_add_u32(out, (uint32_t) n);
    tn_text_addn(out, bytes, n);
}

void
tn_wire_add_str(struct tn_text *out, const char *s)
{
    tn_wire_add(out, s, strlen(s));
}
