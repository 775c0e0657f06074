/* wire.h - reading what SSH writes: big-endian numbers, and strings behind
 * their length (RFC 4251, section 5).
 *
 * A reader goes bad at the first fault and stays so: everything read after it
 * is zero or empty.  Read all, then ask once. */
#ifndef TN_TRUST_WIRE_H
#define TN_TRUST_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/attr.h"
#include "model/base/text.h"

/* Bytes that belong to somebody else. */
struct tn_slice {
    const uint8_t *p;
    size_t n;
};

struct tn_wire {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct tn_wire
tn_wire_of(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    return (struct tn_wire){p, p + n, false};
}

/* The next 'n' bytes, borrowed. */
struct tn_slice tn_wire_take(struct tn_wire *w, size_t n);
uint32_t tn_wire_u32(struct tn_wire *w);
struct tn_slice tn_wire_string(struct tn_wire *w);
/* Everything was well-formed and nothing is left. */
bool tn_wire_end(const struct tn_wire *w) TN_MUST_USE;

bool tn_slice_is(struct tn_slice b, const char *text) TN_MUST_USE;

/* Appends a string behind its length. */
void tn_wire_add(struct tn_text *out, const void *bytes, size_t n);
void tn_wire_add_str(struct tn_text *out, const char *s);
void tn_wire_add_u32(struct tn_text *out, uint32_t v);

#endif
