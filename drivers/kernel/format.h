/* format.h - composing short texts in an arena, without printf.
 *
 * Observation writes some ten thousand keys and values; these writers cost a
 * few nanoseconds a byte less than printf does.  A text starts on the stack
 * and moves to a larger piece of the arena when it outgrows it. */
#ifndef TN_KERNEL_FORMAT_H
#define TN_KERNEL_FORMAT_H

#include <string.h>

#include "model/base/arena.h"
#include "model/base/net.h"

struct tn_k_str {
    struct tn_arena *arena;
    char *s;
    size_t n, cap;
    char first[448];
};

static inline void
tn_k_str_init(struct tn_k_str *t, struct tn_arena *arena)
{
    t->arena = arena;
    t->s = t->first;
    t->n = 0;
    t->cap = sizeof t->first;
}

/* Room for 'n' more bytes; returns where they go. */
char *tn_k_str_room(struct tn_k_str *t, size_t n);

static inline void
tn_k_str_addn(struct tn_k_str *t, const char *s, size_t n)
{
    memcpy(tn_k_str_room(t, n), s, n);
    t->n += n;
}

static inline void
tn_k_str_add(struct tn_k_str *t, const char *s)
{
    tn_k_str_addn(t, s, strlen(s));
}

static inline void
tn_k_str_addc(struct tn_k_str *t, char c)
{
    *tn_k_str_room(t, 1) = c;
    t->n++;
}

void tn_k_str_add_uint(struct tn_k_str *t, uint64_t v);
void tn_k_str_add_addr(struct tn_k_str *t, const struct tn_addr *a);
void tn_k_str_add_cidr(struct tn_k_str *t, const struct tn_cidr *c);
void tn_k_str_add_mac(struct tn_k_str *t, const struct tn_mac *m);
/* ", " unless nothing was added since 'start'. */
void tn_k_str_sep(struct tn_k_str *t, size_t start);

/* The text, new in the arena. */
static inline const char *
tn_k_str_end(struct tn_k_str *t)
{
    return tn_arena_strndup(t->arena, t->s, t->n);
}

#endif
