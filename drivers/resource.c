/* resource.c - see resource.h. */
#include "drivers/resource.h"

#include <stdlib.h>
#include <string.h>

static int
resource_cmp(const void *pa, const void *pb)
{
    const struct tn_resource *a = pa, *b = pb;
    return strcmp(a->key, b->key);
}

static bool
sorted(const struct tn_resource *items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (strcmp(items[i - 1].key, items[i].key) > 0) {
            return false;
        }
    }
    return true;
}

enum tn_code
tn_state_sort(struct tn_resource *items, size_t n, struct tn_error *err)
{
    if (n > 1 && !sorted(items, n)) {
        qsort(items, n, sizeof *items, resource_cmp);
    }
    for (size_t i = 1; i < n; i++) {
        if (strcmp(items[i - 1].key, items[i].key) == 0) {
            return tn_fail(err, TN_EINTERNAL, 0, "two resources are named %s",
                           items[i].key);
        }
    }
    return TN_OK;
}

const struct tn_resource *
tn_state_get(const struct tn_state *state, const char *key)
{
    struct tn_resource wanted = {.key = key};
    return state->n ? bsearch(&wanted, state->items, state->n,
                              sizeof *state->items, resource_cmp)
                    : NULL;
}

const char *
tn_resource_attr(const struct tn_resource *r, const char *name)
{
    for (size_t i = 0; i < r->n_attrs; i++) {
        if (strcmp(r->attrs[i].name, name) == 0) {
            return r->attrs[i].value;
        }
    }
    return NULL;
}

bool
tn_resource_same(const struct tn_resource *a, const struct tn_resource *b)
{
    if (a->n_attrs != b->n_attrs || strcmp(a->kind, b->kind) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->n_attrs; i++) {
        const struct tn_attr *x = &a->attrs[i], *y = &b->attrs[i];
        if ((x->name != y->name && strcmp(x->name, y->name) != 0) ||
            strcmp(x->value, y->value) != 0) {
            return false;
        }
    }
    return true;
}

struct tn_digest
tn_resource_digest(const struct tn_resource *r)
{
    struct tn_digester d;
    tn_digester_init(&d);
    tn_digester_add_str(&d, r->key);
    tn_digester_add_str(&d, r->kind);
    for (size_t i = 0; i < r->n_attrs; i++) {
        tn_digester_add_str(&d, r->attrs[i].name);
        tn_digester_add_str(&d, r->attrs[i].value);
    }
    return tn_digester_end(&d);
}
