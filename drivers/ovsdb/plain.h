/* plain.h - runs of bytes in a JSON string that mean themselves, eight at a
 * time: most of what a server sends.  Files of this folder only. */
#ifndef TN_OVSDB_PLAIN_H
#define TN_OVSDB_PLAIN_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The first quote, backslash or control character, with 'ascii' also the first
 * byte of any other character; 'end': there is none.
 *
 * Of a word, the highest bit of each byte is set that is one of these; only the
 * lowest of the bits is sure, and it is the one that is asked for. */
static inline const char *
tn_plain_end(const char *at, const char *end, bool ascii)
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones << 7;
    for (; end - at >= 8; at += 8) {
        uint64_t v;
        memcpy(&v, at, sizeof v);
        v = le64toh(v);
        uint64_t quote = v ^ (ones * '"'), back = v ^ (ones * '\\');
        uint64_t marks = ((((quote - ones) & ~quote) | ((back - ones) & ~back) |
                           ((v - ones * 0x20) & ~v)) &
                          tops) |
                         (ascii ? v & tops : 0);
        if (marks) {
            return at + __builtin_ctzll(marks) / 8;
        }
    }
    while (at < end && *at != '"' && *at != '\\' && (uint8_t) *at >= 0x20 &&
           !(ascii && (uint8_t) *at >= 0x80)) {
        at++;
    }
    return at;
}

#endif
