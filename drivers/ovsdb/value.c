/* value.c - see value.h.
 *
 * A value is looked at through a view: an array of elements, and how far apart
 * atoms stand in it.  The server sends sets and maps sorted, and the replica
 * keeps them so, hence a view is sorted only if it has to be. */
#include "drivers/ovsdb/value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"

/* Elements of a set or map: those of an array, or a lone atom. */
struct view {
    const json_t *array; /* Null: 'lone' alone, or nothing. */
    const json_t *lone;
    size_t n;
    bool map;
};

/* Does it stand in a frame ["tag", ...]?  Null: it does not. */
static const char *
tag_of(const json_t *value)
{
    return json_array_size(value) == 2
               ? json_string_value(json_array_get(value, 0))
               : NULL;
}

static bool
is_tag(const json_t *value, const char *tag)
{
    const char *is = tag_of(value);
    return is && strcmp(is, tag) == 0;
}

static struct view
view_of(const json_t *value)
{
    struct view v = {0};
    if (is_tag(value, "set") || is_tag(value, "map")) {
        v.map = is_tag(value, "map");
        v.array = json_array_get(value, 1);
        v.n = json_array_size(v.array);
    } else if (tag_of(value) ||
               (value && !json_is_array(value) && !json_is_object(value))) {
        v.lone = value;
        v.n = 1;
    }
    return v;
}

static json_t *
view_at(const struct view *v, size_t i)
{
    return v->array ? json_array_get(v->array, i) : (json_t *) v->lone;
}

/* json_pack() would do, but reads its format each time. */
static json_t *
pair_new(json_t *first, json_t *second)
{
    json_t *pair = json_array();
    json_array_append_new(pair, first);
    json_array_append_new(pair, second);
    return pair;
}

/* Rank of an atom's type in the order of atoms; numbers are of one type. */
static int
rank(const json_t *atom)
{
    return json_is_boolean(atom)  ? 1
           : json_is_number(atom) ? 2
           : json_is_string(atom) ? 3
                                  : 4;
}

static int
number_cmp(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t x = json_integer_value(a), y = json_integer_value(b);
        return (x > y) - (x < y);
    }
    double x = json_number_value(a), y = json_number_value(b);
    return (x > y) - (x < y);
}

static int
pair_cmp(const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < 2; i++) {
        int d = tn_ovsdb_atom_cmp(json_array_get(a, i), json_array_get(b, i));
        if (d) {
            return d;
        }
    }
    return 0;
}

static int
element_ptr_cmp(const void *a, const void *b)
{
    return tn_ovsdb_atom_cmp(*(const json_t *const *) a,
                             *(const json_t *const *) b);
}

static int
pair_ptr_cmp(const void *a, const void *b)
{
    return pair_cmp(*(const json_t *const *) a, *(const json_t *const *) b);
}

/* The elements in order; to be freed.  Null: they are in order as they are. */
static const json_t **
sorted(const struct view *v)
{
    size_t i = 1;
    while (i < v->n && (v->map ? pair_cmp : tn_ovsdb_atom_cmp)(
                           view_at(v, i - 1), view_at(v, i)) <= 0) {
        i++;
    }
    if (i >= v->n) {
        return NULL;
    }
    const json_t **elements = malloc(v->n * sizeof *elements);
    if (!elements) {
        abort();
    }
    for (i = 0; i < v->n; i++) {
        elements[i] = view_at(v, i);
    }
    qsort(elements, v->n, sizeof *elements,
          v->map ? pair_ptr_cmp : element_ptr_cmp);
    return elements;
}

/* Would the text be read as something else, between others? */
static bool
needs_quotes(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char) s[i];
        if (c < ' ' || c >= 0x7f || strchr(",=\"\\", c)) {
            return true;
        }
    }
    return n == 0 || s[0] == ' ' || s[n - 1] == ' ';
}

static void
print_text(struct tn_text *out, const char *s)
{
    if (needs_quotes(s)) {
        tn_text_addc(out, '"');
        tn_text_add_escaped(out, s);
        tn_text_addc(out, '"');
    } else {
        tn_text_add(out, s);
    }
}

static void
print_atom(struct tn_text *out, const json_t *atom)
{
    if (json_is_string(atom)) {
        print_text(out, json_string_value(atom));
    } else if (json_is_integer(atom)) {
        tn_text_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(atom));
    } else if (json_is_real(atom)) {
        tn_text_addf(out, "%.15g", json_real_value(atom));
    } else if (json_is_boolean(atom)) {
        tn_text_add(out, json_is_true(atom) ? "true" : "false");
    } else {
        print_text(out, tn_ovsdb_text_of(atom));
    }
}

json_t *
tn_ovsdb_uuid(const char *uuid)
{
    return pair_new(json_string("uuid"), json_string(uuid));
}

json_t *
tn_ovsdb_named_uuid(const char *name)
{
    return pair_new(json_string("named-uuid"), json_string(name));
}

json_t *
tn_ovsdb_set(void)
{
    return pair_new(json_string("set"), json_array());
}

void
tn_ovsdb_set_add(json_t *set, json_t *atom)
{
    json_array_append_new(json_array_get(set, 1), atom);
}

json_t *
tn_ovsdb_map(void)
{
    return pair_new(json_string("map"), json_array());
}

void
tn_ovsdb_map_add(json_t *map, json_t *key, json_t *value)
{
    json_array_append_new(json_array_get(map, 1), pair_new(key, value));
}

size_t
tn_ovsdb_set_n(const json_t *value)
{
    struct view v = view_of(value);
    return v.map ? 0 : v.n;
}

json_t *
tn_ovsdb_set_at(const json_t *value, size_t i)
{
    struct view v = view_of(value);
    return v.map || i >= v.n ? NULL : view_at(&v, i);
}

const char *
tn_ovsdb_uuid_of(const json_t *atom)
{
    return is_tag(atom, "uuid") ? json_string_value(json_array_get(atom, 1))
                                : NULL;
}

const char *
tn_ovsdb_text_of(const json_t *atom)
{
    const char *text =
        json_string_value(tag_of(atom) ? json_array_get(atom, 1) : atom);
    return text ? text : "";
}

size_t
tn_ovsdb_map_n(const json_t *map)
{
    struct view v = view_of(map);
    return v.map ? v.n : 0;
}

json_t *
tn_ovsdb_map_at(const json_t *map, size_t i, json_t **value)
{
    struct view v = view_of(map);
    json_t *pair = v.map && i < v.n ? view_at(&v, i) : NULL;
    *value = json_array_get(pair, 1);
    return json_array_get(pair, 0);
}

const char *
tn_ovsdb_map_get(const json_t *map, const char *key)
{
    struct view v = view_of(map);
    for (size_t i = 0; v.map && i < v.n; i++) {
        const json_t *pair = view_at(&v, i);
        const char *is = json_string_value(json_array_get(pair, 0));
        if (is && strcmp(is, key) == 0) {
            return json_string_value(json_array_get(pair, 1));
        }
    }
    return NULL;
}

bool
tn_ovsdb_is_uuid(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        char c = text[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-'
                 : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return text[36] == '\0';
}

int
tn_ovsdb_atom_cmp(const json_t *a, const json_t *b)
{
    if (json_is_string(a) && json_is_string(b)) {
        return strcmp(json_string_value(a), json_string_value(b));
    }
    int r = rank(a);
    if (r != rank(b)) {
        return r - rank(b);
    }
    if (r == 1) {
        return json_is_true(a) - json_is_true(b);
    }
    return r == 2 ? number_cmp(a, b)
                  : strcmp(tn_ovsdb_text_of(a), tn_ovsdb_text_of(b));
}

void
tn_ovsdb_print(struct tn_text *out, const json_t *value)
{
    struct view v = view_of(value);
    TN_CLEANUP(tn_cleanup_free) const json_t **order = sorted(&v);
    for (size_t i = 0; i < v.n; i++) {
        const json_t *e = order ? order[i] : view_at(&v, i);
        tn_text_add(out, i ? ", " : "");
        print_atom(out, v.map ? json_array_get(e, 0) : e);
        if (v.map) {
            tn_text_addc(out, '=');
            print_atom(out, json_array_get(e, 1));
        }
    }
}

bool
tn_ovsdb_equal(const json_t *a, const json_t *b)
{
    struct view va = view_of(a), vb = view_of(b);
    if (a == b || va.n == 0 || vb.n == 0) {
        return va.n == vb.n;
    }
    if (va.n != vb.n || va.map != vb.map) {
        return false;
    }
    TN_CLEANUP(tn_cleanup_free) const json_t **oa = sorted(&va);
    TN_CLEANUP(tn_cleanup_free) const json_t **ob = sorted(&vb);
    for (size_t i = 0; i < va.n; i++) {
        const json_t *x = oa ? oa[i] : view_at(&va, i);
        const json_t *y = ob ? ob[i] : view_at(&vb, i);
        if ((va.map ? pair_cmp : tn_ovsdb_atom_cmp)(x, y) != 0) {
            return false;
        }
    }
    return true;
}
