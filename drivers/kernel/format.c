/* format.c - see format.h.  IPv6 addresses go through the C library, which
 * knows RFC 5952; everything else is written by hand. */
#include "drivers/kernel/format.h"

char *
tn_k_str_room(struct tn_k_str *t, size_t n)
{
    if (t->cap - t->n < n) {
        size_t cap = 2 * (t->cap + n);
        char *s = tn_arena_alloc(t->arena, cap);
        memcpy(s, t->s, t->n);
        t->s = s;
        t->cap = cap;
    }
    return t->s + t->n;
}

void
tn_k_str_add_uint(struct tn_k_str *t, uint64_t v)
{
    char digits[20];
    char *p = digits + sizeof digits;
    do {
        *--p = (char) ('0' + v % 10);
        v /= 10;
    } while (v);
    tn_k_str_addn(t, p, (size_t) (digits + sizeof digits - p));
}

void
tn_k_str_add_addr(struct tn_k_str *t, const struct tn_addr *a)
{
    char *p = tn_k_str_room(t, TN_ADDR_TEXT);
    t->n += strlen(tn_addr_format(a, p));
}

void
tn_k_str_add_cidr(struct tn_k_str *t, const struct tn_cidr *c)
{
    tn_k_str_add_addr(t, &c->addr);
    tn_k_str_addc(t, '/');
    tn_k_str_add_uint(t, c->len);
}

void
tn_k_str_add_mac(struct tn_k_str *t, const struct tn_mac *m)
{
    static const char hex[] = "0123456789abcdef";
    char *p = tn_k_str_room(t, TN_MAC_TEXT);
    for (int i = 0; i < 6; i++) {
        *p++ = hex[m->b[i] >> 4];
        *p++ = hex[m->b[i] & 15];
        *p++ = ':';
    }
    t->n += TN_MAC_TEXT - 1;
}

void
tn_k_str_sep(struct tn_k_str *t, size_t start)
{
    if (t->n > start) {
        tn_k_str_addn(t, ", ", 2);
    }
}
