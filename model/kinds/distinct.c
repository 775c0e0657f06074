/* distinct.c - items of a list that repeat an earlier one.
 *
 * Sorts pointers to the compared values, so that a list of thousands costs no
 * more than it must; equal ones stay in the order of the document, because
 * that is the order of their memory, and each repetition is reported with the
 * line of the first. */
#include "model/kinds/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ON_STACK = 32 };

static bool
readable(const struct tn_field *key, const void *value)
{
    if (key->type == TN_FIELD_TEXT) {
        return ((const struct tn_vtext *) value)->v != NULL;
    }
    if (key->type == TN_FIELD_CIDR) {
        return tn_addr_present(&((const struct tn_vcidr *) value)->v.addr);
    }
    if (key->type == TN_FIELD_ADDR) {
        return tn_addr_present(&((const struct tn_vaddr *) value)->v);
    }
    return ((const struct tn_vrange *) value)->first != 0;
}

static struct tn_pos
place_of(const struct tn_field *key, const void *value)
{
    if (key->type == TN_FIELD_TEXT) {
        return ((const struct tn_vtext *) value)->at;
    }
    if (key->type == TN_FIELD_CIDR) {
        return ((const struct tn_vcidr *) value)->at;
    }
    if (key->type == TN_FIELD_ADDR) {
        return ((const struct tn_vaddr *) value)->at;
    }
    return ((const struct tn_vrange *) value)->at;
}

static int
value_cmp(const struct tn_field *key, const void *pa, const void *pb)
{
    if (key->type == TN_FIELD_TEXT) {
        const struct tn_vtext *a = pa, *b = pb;
        return strcmp(a->v, b->v);
    }
    if (key->type == TN_FIELD_CIDR) {
        const struct tn_vcidr *a = pa, *b = pb;
        return tn_cidr_cmp(&a->v, &b->v);
    }
    if (key->type == TN_FIELD_ADDR) {
        const struct tn_vaddr *a = pa, *b = pb;
        return tn_addr_cmp(&a->v, &b->v);
    }
    const struct tn_vrange *a = pa, *b = pb;
    int c = (a->first > b->first) - (a->first < b->first);
    return c ? c : (a->last > b->last) - (a->last < b->last);
}

static int
pointer_cmp(const void *pa, const void *pb, void *key)
{
    const char *a = *(const char *const *) pa, *b = *(const char *const *) pb;
    int c = value_cmp(key, a, b);
    return c ? c : (a > b) - (a < b);
}

static const char *
shown_value(const struct tn_field *key, const void *value, char buf[TN_SHOWN])
{
    if (key->type == TN_FIELD_TEXT) {
        return tn_shown(buf, ((const struct tn_vtext *) value)->v);
    }
    if (key->type == TN_FIELD_CIDR) {
        return tn_cidr_format(&((const struct tn_vcidr *) value)->v, buf);
    }
    if (key->type == TN_FIELD_ADDR) {
        return tn_addr_format(&((const struct tn_vaddr *) value)->v, buf);
    }
    const struct tn_vrange *r = value;
    if (r->first == r->last) {
        snprintf(buf, TN_SHOWN, "%u", r->first);
    } else {
        snprintf(buf, TN_SHOWN, "%u-%u", r->first, r->last);
    }
    return buf;
}

static void
report(const struct tn_check *check, const struct tn_field *list,
       const struct tn_field *key, const void *first, const void *again)
{
    char buf[TN_SHOWN];
    const char *value = shown_value(key, first, buf);
    struct tn_pos at = place_of(key, again);
    struct tn_diag *d =
        list == key
            ? tn_check_error(check, at, "'%s' lists %s twice", list->name,
                             value)
            : tn_check_error(check, at, "'%s' has two entries with %s '%s'",
                             list->name, key->name, value);
    tn_check_hint(check, d, "the first is at line %u",
                  place_of(key, first).line);
}

void
tn_distinct_check(const struct tn_check *check, struct tn_arena *arena,
                  const struct tn_field *list, const struct tn_field *key,
                  const struct tn_any_list *items)
{
    const void *stack[ON_STACK], **values = stack;
    size_t size = tn_field_size(list), n = 0;
    size_t offset = list == key ? 0 : key->offset;
    if (items->n < 2) {
        return;
    }
    if (items->n > ON_STACK) {
        values = tn_new_n(arena, const void *, items->n);
    }
    for (size_t i = 0; i < items->n; i++) {
        const void *value = (const char *) items->items + i * size + offset;
        if (readable(key, value)) {
            values[n++] = value;
        }
    }
    qsort_r(values, n, sizeof *values, pointer_cmp, (void *) (uintptr_t) key);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (value_cmp(key, values[first], values[i]) == 0) {
            report(check, list, key, values[first], values[i]);
        } else {
            first = i;
        }
    }
}
