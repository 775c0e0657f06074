/* text.h - building text in memory, and small questions about text. */
#ifndef TN_BASE_TEXT_H
#define TN_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"

/* A growing NUL-terminated buffer on the heap.  Start with '= {0}'. */
struct tn_text {
    char *s; /* Null while empty; tn_text_str() never is. */
    size_t n, cap;
};

void tn_text_done(struct tn_text *t);
void tn_text_add(struct tn_text *t, const char *s);
void tn_text_addn(struct tn_text *t, const char *s, size_t n);
void tn_text_addc(struct tn_text *t, char c);
void tn_text_addf(struct tn_text *t, const char *fmt, ...) TN_PRINTF(2, 3);
void tn_text_vaddf(struct tn_text *t, const char *fmt, va_list ap)
    TN_PRINTF(2, 0);
/* 's' as the inside of a double-quoted JSON (and YAML) string, without the
 * quotes; control characters, C1 ones too, and DEL become \u00XX, so that the
 * result is also safe to print on a terminal. */
void tn_text_add_escaped(struct tn_text *t, const char *s);
/* Makes room for 'more' bytes, if it is known how many will come. */
void tn_text_reserve(struct tn_text *t, size_t more);
/* Forgets the text but keeps the buffer. */
void tn_text_clear(struct tn_text *t);
/* Borrowed; "" when empty. */
const char *tn_text_str(const struct tn_text *t);
/* Moved out: malloc'ed, the caller frees; 't' is empty afterwards. */
char *tn_text_take(struct tn_text *t);

static inline void
tn_cleanup_text(struct tn_text *t)
{
    tn_text_done(t);
}

/* Names of tenants, VPCs, ports, ...: an RFC 1123 label,
 * [a-z0-9]([-a-z0-9]{0,61}[a-z0-9])? */
bool tn_is_label(const char *s);

/* The candidate nearest to 'word' by edit distance (a swap of neighbours counts
 * one), or null if none is near enough to be what was meant (about a third of
 * its letters differ, at most).  Letters compare without case. */
const char *tn_nearest(const char *word, const char *const *candidates,
                       size_t n);

/* Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates), no NUL. */
bool tn_is_utf8(const char *s, size_t n);

/* Sets of texts: sorted arrays.  tn_texts_sort() keeps what is there twice;
 * tn_texts_unique() drops it, and returns how many are left. */
void tn_texts_sort(const char **texts, size_t n);
size_t tn_texts_unique(const char **texts, size_t n);
/* 'texts' is sorted. */
bool tn_texts_has(const char *const *texts, size_t n, const char *s);

/* Null-tolerant comparisons. */
bool tn_streq(const char *a, const char *b);
int tn_strcmp0(const char *a, const char *b);

#endif
