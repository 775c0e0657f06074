/* scan.c - see scan.h.
 What a string means is asked for apart from where it ends, as most
 * of them have no escapes. */
#include "drivers/ovsdb/scan.h"

#include <string.h>

#include "drivers/ovsdb/plain.h"

enum { HIGH_FIRST = 0xd800, LOW_FIRST = 0xdc00, SURROGATES_END = 0xe000 };

bool
tn_scan_string(struct tn_scan *scan, struct tn_scan_string *out)
{
    if (!tn_scan_sign(scan, '"')) {
        return false;
    }
    const char *begin = scan->at, *at = tn_plain_end(begin, scan->end, false);
    bool escaped = false;
    while (scan->end - at >= 2 && *at == '\\') {
        escaped = true;
        at = tn_plain_end(at + 2, scan->end, false);
    }
    if (at == scan->end || *at != '"') {
        scan->at = scan->end;
        return false;
    }
    *out = (struct tn_scan_string){begin, (size_t) (at - begin), escaped};
    scan->at = at + 1;
    return true;
}

static int
hex_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits behind "\u"; negative: they are none. */
static int
unit_of(const char *at, const char *end)
{
    int unit = end - at >= 4 ? 0 : -1;
    for (int i = 0; unit >= 0 && i < 4; i++) {
        int digit = hex_of(at[i]);
        unit = digit < 0 ? -1 : unit * 16 + digit;
    }
    return unit;
}

static void
add_utf8(struct tn_text *out, unsigned c)
{
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1;) {
        b[i] = (char) (0x80 | (c & 0x3f));
        c >>= 6;
    }
    b[0] = (char) (first[n] | c);
    tn_text_addn(out, b, n);
}

/* A character behind "\u", which may need two of them; null: it is none. */
static const char *
add_unit(struct tn_text *out, const char *at, const char *end)
{
    int high = unit_of(at, end);
    unsigned c = (unsigned) high;
    if (high <= 0 || (high >= LOW_FIRST && high < SURROGATES_END)) {
        return NULL;
    }
    at += 4;
    if (high >= HIGH_FIRST && high < LOW_FIRST) {
        int low = end - at >= 6 && at[0] == '\\' && at[1] == 'u'
                      ? unit_of(at + 2, end)
                      : -1;
        if (low < LOW_FIRST || low >= SURROGATES_END) {
            return NULL;
        }
        c = 0x10000 + ((c - HIGH_FIRST) << 10) + (unsigned) (low - LOW_FIRST);
        at += 6;
    }
    add_utf8(out, c);
    return at;
}

/* What stands behind the backslash at 'at'; null: no such escape. */
static const char *
add_escape(struct tn_text *out, const char *at, const char *end)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *which = at[0] ? strchr(names, at[0]) : NULL;
    if (at[0] == 'u') {
        return add_unit(out, at + 1, end);
    }
    if (!which) {
        return NULL;
    }
    tn_text_addc(out, values[which - names]);
    return at + 1;
}

bool
tn_scan_add(struct tn_text *out, const struct tn_scan_string *string)
{
    const char *at = string->s, *end = at + string->n;
    if (!string->escaped) {
        tn_text_addn(out, at, string->n);
        return true;
    }
    while (at && at < end) {
        const char *back = memchr(at, '\\', (size_t) (end - at));
        tn_text_addn(out, at, (size_t) ((back ? back : end) - at));
        at = back ? add_escape(out, back + 1, end) : end;
    }
    return at != NULL;
}

bool
tn_scan_word(struct tn_scan *scan, const char *word)
{
    size_t n = strlen(word);
    (void) tn_scan_peek(scan);
    if ((size_t) (scan->end - scan->at) < n || memcmp(scan->at, word, n) != 0) {
        return false;
    }
    scan->at += n;
    return true;
}

static const char *
digits_end(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

/* Behind the sign that begins a fraction or an exponent: its end; null: there
 * is no digit. */
static const char *
part_end(const char *at, const char *end)
{
    const char *stop = digits_end(at, end);
    return stop > at ? stop : NULL;
}

bool
tn_scan_number(struct tn_scan *scan, struct tn_scan_string *out, bool *real)
{
    (void) tn_scan_peek(scan);
    const char *begin = scan->at, *end = scan->end, *at = begin;
    at += at < end && *at == '-';
    const char *stop = at < end && *at == '0' ? at + 1 : part_end(at, end);
    *real = false;
    if (stop && stop < end && *stop == '.') {
        *real = true;
        stop = part_end(stop + 1, end);
    }
    if (stop && stop < end && (*stop == 'e' || *stop == 'E')) {
        *real = true;
        stop++;
        stop += stop < end && (*stop == '+' || *stop == '-');
        stop = part_end(stop, end);
    }
    if (!stop) {
        return false;
    }
    *out = (struct tn_scan_string){begin, (size_t) (stop - begin), false};
    scan->at = stop;
    return true;
}

bool
tn_scan_more(struct tn_scan *scan, char closing, bool first)
{
    if (first || !tn_scan_sign(scan, ',')) {
        if (tn_scan_sign(scan, closing)) {
            return false;
        }
        scan->at = first ? scan->at : scan->end;
    }
    return true;
}
