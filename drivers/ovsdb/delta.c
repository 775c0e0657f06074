/* delta.c - see delta.h.
 *
 * Where the server itself replaces a value (at most one element), so do we;
 * elsewhere elements of the difference that are there go, others come, and a
 * key of a map with another value is changed. */
#include "drivers/ovsdb/delta.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/value.h"

/* With so many times fewer elements than the value, a difference is searched
 * for in it; else the two are merged. */
enum { FEW = 16 };

static const char zero_uuid[] = "00000000-0000-0000-0000-000000000000";

static bool
is_atom(enum tn_ovsdb_base base, const json_t *v)
{
    switch (base) {
    case TN_OVSDB_INTEGER:
        return json_is_integer(v);
    case TN_OVSDB_REAL:
        return json_is_number(v);
    case TN_OVSDB_BOOLEAN:
        return json_is_boolean(v);
    case TN_OVSDB_STRING:
        return json_is_string(v);
    case TN_OVSDB_UUID: {
        const char *uuid = tn_ovsdb_uuid_of(v);
        return uuid && tn_ovsdb_is_uuid(uuid);
    }
    case TN_OVSDB_VOID:
        return false;
    }
    return false;
}

static bool
is_element(const struct tn_ovsdb_type *type, const json_t *e)
{
    return tn_ovsdb_type_is_map(type)
               ? json_array_size(e) == 2 &&
                     is_atom(type->key, json_array_get(e, 0)) &&
                     is_atom(type->value, json_array_get(e, 1))
               : is_atom(type->key, e);
}

/* Elements of maps are compared by their keys. */
static const json_t *
key_of(bool map, const json_t *e)
{
    return map ? json_array_get(e, 0) : e;
}

static int
key_cmp(bool map, const json_t *a, const json_t *b)
{
    return tn_ovsdb_atom_cmp(key_of(map, a), key_of(map, b));
}

static int
atom_ptr_cmp(const void *a, const void *b)
{
    return key_cmp(false, *(json_t *const *) a, *(json_t *const *) b);
}

static int
pair_ptr_cmp(const void *a, const void *b)
{
    return key_cmp(true, *(json_t *const *) a, *(json_t *const *) b);
}

static void
array_sort(bool map, json_t *array)
{
    size_t n = json_array_size(array);
    json_t **all = malloc(n * sizeof *all);
    if (!all) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        all[i] = json_incref(json_array_get(array, i));
    }
    qsort(all, n, sizeof(json_t *), map ? pair_ptr_cmp : atom_ptr_cmp);
    json_array_clear(array);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(array, all[i]);
    }
    free(all);
}

/* Is every element greater than the one before? */
static bool
is_rising(bool map, const json_t *array)
{
    size_t n = json_array_size(array);
    for (size_t i = 1; i < n; i++) {
        if (key_cmp(map, json_array_get(array, i),
                    json_array_get(array, i - 1)) <= 0) {
            return false;
        }
    }
    return true;
}

/* JSON has one kind of number: 1 may stand for 1.0. */
static void
make_real(enum tn_ovsdb_base base, json_t *array, size_t i)
{
    const json_t *v = base == TN_OVSDB_REAL ? json_array_get(array, i) : NULL;
    if (json_is_integer(v)) {
        json_array_set_new(array, i, json_real(json_number_value(v)));
    }
}

static bool
elements_check(const struct tn_ovsdb_type *type, json_t *array,
               const char **why)
{
    bool map = tn_ovsdb_type_is_map(type);
    size_t i;
    json_t *e;
    json_array_foreach(array, i, e)
    {
        if (!is_element(type, e)) {
            *why = "an element of another type";
            return false;
        }
        if (!map) {
            make_real(type->key, array, i);
        } else if (type->key == TN_OVSDB_REAL || type->value == TN_OVSDB_REAL) {
            make_real(type->key, e, 0);
            make_real(type->value, e, 1);
        }
    }
    if (is_rising(map, array)) {
        return true;
    }
    array_sort(map, array);
    *why = "an element twice";
    return is_rising(map, array);
}

bool
tn_ovsdb_check(const struct tn_ovsdb_type *type, json_t *value, bool diff,
               json_t **other, const char **why)
{
    bool map = tn_ovsdb_type_is_map(type);
    if (!map && is_atom(type->key, value)) {
        if (type->key == TN_OVSDB_REAL && json_is_integer(value)) {
            *other = json_real(json_number_value(value));
        }
        return true;
    }
    const char *tag = json_string_value(json_array_get(value, 0));
    json_t *array = json_array_get(value, 1);
    *why = "a value of another type";
    if (json_array_size(value) != 2 || !tag || !json_is_array(array) ||
        strcmp(tag, map ? "map" : "set") != 0) {
        return false;
    }
    size_t n = json_array_size(array);
    bool composite = type->max > 1;
    if ((n > type->max && !(diff && composite)) ||
        (n < type->min && !(diff && composite))) {
        *why = "a number of elements that cannot be";
        return false;
    }
    if (!elements_check(type, array, why)) {
        return false;
    }
    if (!map && n == 1) {
        *other = json_incref(json_array_get(array, 0));
    }
    return true;
}

bool
tn_ovsdb_is_default(const struct tn_ovsdb_type *type, const json_t *value)
{
    if (!value) {
        return true;
    }
    if (type->min == 0 || tn_ovsdb_type_is_map(type)) {
        return tn_ovsdb_value_n(value) == 0;
    }
    switch (type->key) {
    case TN_OVSDB_INTEGER:
    case TN_OVSDB_REAL:
        return json_is_number(value) &&
               !(json_number_value(value) < 0 || json_number_value(value) > 0);
    case TN_OVSDB_BOOLEAN:
        return json_is_false(value);
    case TN_OVSDB_STRING:
        return json_is_string(value) && json_string_length(value) == 0;
    case TN_OVSDB_UUID:
        return strcmp(tn_ovsdb_text_of(value), zero_uuid) == 0;
    case TN_OVSDB_VOID:
        return false;
    }
    return false;
}

/* Index of the first element not less than 'e'. */
static size_t
lower_bound(bool map, const json_t *array, const json_t *e)
{
    size_t low = 0, high = json_array_size(array);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (key_cmp(map, json_array_get(array, mid), e) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* Of a map: is it the same key with another value? */
static bool
is_new_value(bool map, const json_t *old, const json_t *diff)
{
    return map && tn_ovsdb_atom_cmp(json_array_get(old, 1),
                                    json_array_get(diff, 1)) != 0;
}

static void
patch_few(bool map, json_t *array, json_t *diff)
{
    size_t i;
    json_t *e;
    json_array_foreach(diff, i, e)
    {
        size_t at = lower_bound(map, array, e);
        json_t *is = json_array_get(array, at);
        if (!is || key_cmp(map, is, e) != 0) {
            json_array_insert(array, at, e);
        } else if (is_new_value(map, is, e)) {
            json_array_set(array, at, e);
        } else {
            json_array_remove(array, at);
        }
    }
}

/* A lone atom and null as arrays, too; new. */
static json_t *
elements_of(json_t *value)
{
    const char *tag = json_string_value(json_array_get(value, 0));
    if (tag && (strcmp(tag, "set") == 0 || strcmp(tag, "map") == 0)) {
        return json_incref(json_array_get(value, 1));
    }
    json_t *array = json_array();
    if (value) {
        json_array_append(array, value);
    }
    return array;
}

static json_t *
merge(bool map, const json_t *a, const json_t *diff)
{
    json_t *out = json_array();
    size_t i = 0, k = 0, n = json_array_size(a), m = json_array_size(diff);
    while (i < n || k < m) {
        json_t *x = json_array_get(a, i), *y = json_array_get(diff, k);
        int d = !x ? 1 : !y ? -1 : key_cmp(map, x, y);
        if (d < 0) {
            json_array_append(out, x);
        } else if (d > 0 || is_new_value(map, x, y)) {
            json_array_append(out, y);
        }
        i += d <= 0;
        k += d >= 0;
    }
    return out;
}

/* Takes 'array'. */
static json_t *
framed(bool map, json_t *array)
{
    json_t *value = NULL;
    if (!map && json_array_size(array) == 1) {
        value = json_incref(json_array_get(array, 0));
        json_decref(array);
        return value;
    }
    value = map ? tn_ovsdb_map() : tn_ovsdb_set();
    json_array_set_new(value, 1, array);
    return value;
}

json_t *
tn_ovsdb_patched(const struct tn_ovsdb_type *type, json_t *value, json_t *diff)
{
    bool map = tn_ovsdb_type_is_map(type);
    if (type->max <= 1) {
        return json_incref(diff);
    }
    json_t *old = elements_of(value), *change = elements_of(diff), *now = NULL;
    if (json_array_size(change) < json_array_size(old) / FEW) {
        patch_few(map, old, change);
        now = json_incref(value);
    } else {
        now = framed(map, merge(map, old, change));
    }
    json_decref(old);
    json_decref(change);
    size_t n = tn_ovsdb_value_n(now);
    if (n > type->max || n < type->min) {
        json_decref(now);
        now = NULL;
    }
    return now;
}

json_t *
tn_ovsdb_value_keep(json_t *value)
{
    const char *tag = json_string_value(json_array_get(value, 0));
    if (!tag || (strcmp(tag, "set") != 0 && strcmp(tag, "map") != 0)) {
        return json_incref(value);
    }
    json_t *copy = json_copy(value);
    json_array_set_new(copy, 1, json_copy(json_array_get(value, 1)));
    return copy;
}

size_t
tn_ovsdb_value_n(const json_t *value)
{
    const char *tag = json_string_value(json_array_get(value, 0));
    return !value ? 0
           : tag && (strcmp(tag, "set") == 0 || strcmp(tag, "map") == 0)
               ? json_array_size(json_array_get(value, 1))
               : 1;
}
