/* text.c - see text.h.  Out of memory ends the process, as in arena.c. */
#include "model/base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/large.h"

enum { NEAREST_MAX = 64 };

/* The same text in a buffer of 'cap' bytes. */
static char *
buffer_new(const struct tn_text *t, size_t cap)
{
    if (cap < TN_LARGE_LEAST) {
        return realloc(t->s, cap);
    }
    char *s = tn_large_alloc(cap);
    if (s && t->s) {
        memcpy(s, t->s, t->n + 1);
        free(t->s);
    }
    return s;
}

void
tn_text_reserve(struct tn_text *t, size_t more)
{
    if (t->cap - t->n > more) {
        return;
    }
    size_t cap = t->cap ? t->cap : 128;
    while (cap - t->n <= more) {
        cap *= 2;
    }
    cap = cap < TN_LARGE_LEAST ? cap : tn_large_round(cap);
    char *s = buffer_new(t, cap);
    if (!s) {
        fprintf(stderr, "tenet: out of memory (%zu bytes wanted)\n", cap);
        abort();
    }
    t->s = s;
    t->cap = cap;
}

void
tn_text_done(struct tn_text *t)
{
    free(t->s);
    *t = (struct tn_text){0};
}

void
tn_text_addn(struct tn_text *t, const char *s, size_t n)
{
    tn_text_reserve(t, n);
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = '\0';
}

void
tn_text_add(struct tn_text *t, const char *s)
{
    tn_text_addn(t, s, strlen(s));
}

void
tn_text_addc(struct tn_text *t, char c)
{
    tn_text_addn(t, &c, 1);
}

void
tn_text_vaddf(struct tn_text *t, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    tn_text_reserve(t, 128);
    int n = vsnprintf(t->s + t->n, t->cap - t->n, fmt, ap);
    if (n > 0 && (size_t) n >= t->cap - t->n) {
        tn_text_reserve(t, (size_t) n);
        vsnprintf(t->s + t->n, t->cap - t->n, fmt, again);
    }
    va_end(again);
    if (n > 0) {
        t->n += (size_t) n;
    }
}

void
tn_text_addf(struct tn_text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tn_text_vaddf(t, fmt, ap);
    va_end(ap);
}

/* Bytes that mean themselves; 0xc2 begins C1 characters, and others. */
static size_t
plain_run(const unsigned char *p)
{
    size_t n = 0;
    while (p[n] >= 0x20 && p[n] != '"' && p[n] != '\\' && p[n] != 0x7f &&
           p[n] != 0xc2) {
        n++;
    }
    return n;
}

void
tn_text_add_escaped(struct tn_text *t, const char *s)
{
    for (const unsigned char *p = (const unsigned char *) s; *p; p++) {
        size_t n = plain_run(p);
        if (n) {
            tn_text_addn(t, (const char *) p, n);
            p += n;
        }
        if (!*p) {
            break;
        }
        if (*p == '"' || *p == '\\') {
            tn_text_addc(t, '\\');
            tn_text_addc(t, (char) *p);
        } else if (*p == '\n') {
            tn_text_add(t, "\\n");
        } else if (*p == '\t') {
            tn_text_add(t, "\\t");
        } else if (*p < 0x20 || *p == 0x7f) {
            tn_text_addf(t, "\\u%04x", *p);
        } else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
            tn_text_addf(t, "\\u%04x", *++p);
        } else {
            tn_text_addc(t, (char) *p);
        }
    }
}

void
tn_text_clear(struct tn_text *t)
{
    t->n = 0;
    if (t->s) {
        t->s[0] = '\0';
    }
}

const char *
tn_text_str(const struct tn_text *t)
{
    return t->s ? t->s : "";
}

char *
tn_text_take(struct tn_text *t)
{
    tn_text_reserve(t, 0);
    t->s[t->n] = '\0';
    char *s = t->s;
    *t = (struct tn_text){0};
    return s;
}

static bool
is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
tn_is_label(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > 63 || !is_label_char(s[0]) || !is_label_char(s[n - 1])) {
        return false;
    }
    for (size_t i = 1; i + 1 < n; i++) {
        if (!is_label_char(s[i]) && s[i] != '-') {
            return false;
        }
    }
    return true;
}

static char
fold(char c)
{
    return (char) (c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Optimal string alignment: insertions, deletions, substitutions, and swaps of
 * two neighbours. */
static size_t
edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
    size_t rows[3][NEAREST_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= nb; j++) {
        above[j] = before[j] = j;
    }
    for (size_t i = 1; i <= na; i++) {
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            char x = fold(a[i - 1]), y = fold(b[j - 1]);
            size_t best = above[j - 1] + (x != y);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && x == fold(b[j - 2]) && y == fold(a[i - 2]) &&
                before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[nb];
}

const char *
tn_nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t nw = strlen(word), best = SIZE_MAX;
    const char *found = NULL;
    if (nw > NEAREST_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        size_t nc = strlen(candidates[i]);
        if (nc > NEAREST_MAX) {
            continue;
        }
        size_t d = edit_distance(word, nw, candidates[i], nc);
        size_t longer = nw > nc ? nw : nc;
        if (d < best && d * 3 <= longer + 1) {
            best = d;
            found = candidates[i];
        }
    }
    return found;
}

static size_t
utf8_length(unsigned char c)
{
    if (c < 0x80) {
        return 1;
    }
    if (c >= 0xc2 && c < 0xe0) {
        return 2;
    }
    if (c >= 0xe0 && c < 0xf0) {
        return 3;
    }
    return c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

bool
tn_is_utf8(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *) text;
    for (size_t i = 0; i < n;) {
        size_t len = utf8_length(s[i]);
        if (len == 0 || s[i] == 0 || len > n - i) {
            return false;
        }
        for (size_t k = 1; k < len; k++) {
            if ((s[i + k] & 0xc0) != 0x80) {
                return false;
            }
        }
        if ((s[i] == 0xe0 && s[i + 1] < 0xa0) ||
            (s[i] == 0xed && s[i + 1] > 0x9f) ||
            (s[i] == 0xf0 && s[i + 1] < 0x90) ||
            (s[i] == 0xf4 && s[i + 1] > 0x8f)) {
            return false;
        }
        i += len;
    }
    return true;
}

static int
text_cmp(const void *pa, const void *pb)
{
    return strcmp(*(const char *const *) pa, *(const char *const *) pb);
}

void
tn_texts_sort(const char **texts, size_t n)
{
    if (n) {
        qsort(texts, n, sizeof *texts, text_cmp);
    }
}

size_t
tn_texts_unique(const char **texts, size_t n)
{
    size_t kept = 0;
    tn_texts_sort(texts, n);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || strcmp(texts[kept - 1], texts[i]) != 0) {
            texts[kept++] = texts[i];
        }
    }
    return kept;
}

bool
tn_texts_has(const char *const *texts, size_t n, const char *s)
{
    return n && bsearch(&s, texts, n, sizeof *texts, text_cmp);
}

bool
tn_streq(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

int
tn_strcmp0(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}
