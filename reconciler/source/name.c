/* name.c - judging names of files and texts before anybody sees them.
 *
 * Git allows nearly every byte in a name, and so do file systems.  A name that
 * hides (bidirectional overrides, zero-width characters), that escapes (a
 * slash, '..') or that means another file elsewhere (case twins) has no use in
 * an intent repository, so it is refused rather than handled.  Messages show
 * such a name escaped.
 *
 * Case is that of ASCII; names that differ in Unicode normalisation only are
 * two names here. */
#include "reconciler/source/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"

enum { NAME_MAX_BYTES = 255, SHOWN = 400 };

/* Length of a well-formed sequence at 'p', 0 if it is not one (RFC 3629). */
static size_t
sequence(const unsigned char *p, size_t room)
{
    static const struct {
        unsigned char first, last, low, high;
        size_t n;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(forms); i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last) {
            continue;
        }
        size_t n = forms[i].n;
        if (n > room ||
            (n > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))) {
            return 0;
        }
        for (size_t k = 2; k < n; k++) {
            if ((p[k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return n;
    }
    return 0;
}

uint32_t
tn_utf8_next(const char **p, const char *end, bool *bad)
{
    const unsigned char *s = (const unsigned char *) *p;
    size_t n = sequence(s, (size_t) (end - *p));
    if (n == 0) {
        *p += 1;
        if (bad) {
            *bad = true;
        }
        return 0xfffd;
    }
    *p += n;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        c = c << 6 | (s[i] & 0x3fu);
    }
    return c;
}

bool
tn_is_unsafe_char(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad},
        {0x061c, 0x061c}, {0x180e, 0x180e}, {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfdd0, 0xfdef},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
    };
    if ((c & 0xfffe) == 0xfffe) {
        return true;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(ranges); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static const char *
render(char *buf, size_t size, const char *s, size_t n, bool escape)
{
    size_t used = 0;
    for (const char *p = s, *end = s + n; p < end;) {
        const char *from = p;
        bool bad = false;
        bool unsafe = tn_is_unsafe_char(tn_utf8_next(&p, end, &bad)) || bad;
        size_t len = (size_t) (p - from);
        size_t need = unsafe ? (escape ? 4 * len : 1) : len;
        if (used + need >= size) {
            break;
        }
        if (!unsafe) {
            memcpy(buf + used, from, len);
        } else if (!escape) {
            buf[used] = '?';
        } else {
            for (size_t i = 0; i < len; i++) {
                snprintf(buf + used + 4 * i, 5, "\\x%02x",
                         (unsigned) (unsigned char) from[i]);
            }
        }
        used += need;
    }
    buf[used] = '\0';
    return buf;
}

const char *
tn_clean(char *buf, size_t size, const char *s, size_t n)
{
    return render(buf, size, s, n, false);
}

const char *
tn_show(char *buf, size_t size, const char *s, size_t n)
{
    return render(buf, size, s, n, true);
}

static unsigned char
fold(char c)
{
    return (unsigned char) (c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static int
fold_cmp(const char *a, const char *b)
{
    while (*a && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return fold(*a) - fold(*b);
}

/* Why the name is refused, null if it is not. */
static const char *
name_fault(const char *name, size_t n)
{
    if (n == 0) {
        return "an empty name";
    }
    if (n > NAME_MAX_BYTES) {
        return "a name of more than 255 bytes";
    }
    if (memchr(name, '/', n) || memchr(name, '\\', n) || name[0] == '\0' ||
        memchr(name, '\0', n)) {
        return "a slash or a backslash in a name";
    }
    if ((n == 1 && name[0] == '.') || (n == 2 && memcmp(name, "..", 2) == 0) ||
        (n == 4 && name[0] == '.' && fold(name[1]) == 'g' &&
         fold(name[2]) == 'i' && fold(name[3]) == 't')) {
        return "a reserved name";
    }
    for (const char *p = name, *end = name + n; p < end;) {
        bool bad = false;
        if (*p >= 0x20 && *p < 0x7f) {
            p++;
            continue;
        }
        uint32_t c = tn_utf8_next(&p, end, &bad);
        if (bad) {
            return "a name that is not UTF-8";
        }
        if (tn_is_unsafe_char(c)) {
            return "a control or invisible character in a name";
        }
    }
    return NULL;
}

enum tn_code
tn_name_check(const char *dir, const char *name, size_t n, struct tn_error *err)
{
    const char *fault = name_fault(name, n);
    if (!fault) {
        return TN_OK;
    }
    char shown[SHOWN];
    return tn_fail(err, TN_EINTENT, 0, "%s%s%s: %s is refused", dir,
                   dir[0] ? "/" : "", tn_show(shown, sizeof shown, name, n),
                   fault);
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(((const struct tn_entry *) a)->name,
                  ((const struct tn_entry *) b)->name);
}

static int
by_folded(const void *a, const void *b)
{
    return fold_cmp(*(const char *const *) a, *(const char *const *) b);
}

/* True only if no name is there twice. */
static bool
is_sorted(const struct tn_entry *entries, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (strcmp(entries[i - 1].name, entries[i].name) >= 0) {
            return false;
        }
    }
    return true;
}

static bool
has_upper(const struct tn_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (const char *p = entries[i].name; *p; p++) {
            if (*p >= 'A' && *p <= 'Z') {
                return true;
            }
        }
    }
    return false;
}

enum tn_code
tn_entries_finish(const char *dir, struct tn_entry *entries, size_t n,
                  struct tn_error *err)
{
    if (!is_sorted(entries, n)) {
        qsort(entries, n, sizeof *entries, by_bytes);
    }
    if (is_sorted(entries, n) && !has_upper(entries, n)) {
        return TN_OK;
    }
    TN_CLEANUP(tn_cleanup_free) const char **names = malloc(n * sizeof *names);
    if (!names) {
        return tn_fail_sys(err, TN_EINTERNAL, 12, "listing %s", dir);
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = entries[i].name;
    }
    qsort(names, n, sizeof *names, by_folded);
    for (size_t i = 1; i < n; i++) {
        if (fold_cmp(names[i - 1], names[i]) == 0) {
            return tn_fail(err, TN_EINTENT, 0,
                           "%s%s%s: '%s' differs from it in case only; one of "
                           "the two must be renamed",
                           dir, dir[0] ? "/" : "", names[i - 1], names[i]);
        }
    }
    return TN_OK;
}
