/* canon.c - see canon.h.
 *
 * A value that is not of the type that the table says is kept as it is: it then
 * differs from what is wanted, and a plan shows it. */
#include "drivers/nsx/canon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/net.h"

static json_t *
copy(const json_t *value)
{
    return json_deep_copy(value);
}

/* ---- single values ---- */

/* Addresses, prefixes with host bits or, of a network, without. */
static json_t *
spell(const char *text, bool network)
{
    struct tn_addr addr;
    struct tn_cidr cidr;
    char buf[TN_ADDR_TEXT], out[TN_ADDR_TEXT + 8];
    const char *slash = strchr(text, '/');
    if (!slash) {
        return json_string(
            tn_addr_parse(text, &addr) ? tn_addr_format(&addr, buf) : text);
    }
    size_t n = (size_t) (slash - text);
    if (n >= sizeof buf || tn_cidr_parse(text, &cidr) == TN_CIDR_SYNTAX) {
        return json_string(text);
    }
    memcpy(buf, text, n);
    buf[n] = '\0';
    if (network || !tn_addr_parse(buf, &addr)) {
        addr = cidr.addr;
    }
    snprintf(out, sizeof out, "%s/%u", tn_addr_format(&addr, buf), cidr.len);
    return json_string(out);
}

static json_t *
number(const json_t *value)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    if (!text) {
        return copy(value);
    }
    errno = 0;
    long long n = strtoll(text, &end, 10);
    return *text && !*end && !errno ? json_integer(n) : copy(value);
}

static json_t *
numeral(const json_t *value)
{
    char buf[32];
    json_t *n = number(value);
    if (!json_is_integer(n)) {
        return n;
    }
    snprintf(buf, sizeof buf, "%lld", (long long) json_integer_value(n));
    json_decref(n);
    return json_string(buf);
}

static json_t *
boolean(const json_t *value)
{
    const char *text = json_string_value(value);
    if (text && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
        return json_boolean(*text == 't');
    }
    return copy(value);
}

/* Empty is absent. */
static json_t *
text_value(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && !*text ? NULL : copy(value);
}

/* ---- lists ---- */

static char *
dump(const json_t *value)
{
    char *text =
        json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (!text) {
        abort(); /* Out of memory. */
    }
    return text;
}

struct element {
    char *text;
    json_t *value;
};

static int
element_cmp(const void *a, const void *b)
{
    return strcmp(((const struct element *) a)->text,
                  ((const struct element *) b)->text);
}

/* Takes 'list' and returns it sorted; 'unique' drops what is there twice. */
static json_t *
sorted(json_t *list, bool unique)
{
    size_t n = json_array_size(list);
    struct element *all = calloc(n + 1, sizeof *all);
    json_t *out = json_array();
    if (!all) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        json_t *value = json_array_get(list, i);
        all[i] = (struct element){dump(value), value};
    }
    qsort(all, n, sizeof *all, element_cmp);
    for (size_t i = 0; i < n; i++) {
        if (!unique || i == 0 || strcmp(all[i - 1].text, all[i].text) != 0) {
            json_array_append(out, all[i].value);
        }
    }
    for (size_t i = 0; i < n; i++) {
        free(all[i].text);
    }
    free(all);
    json_decref(list);
    return out;
}

/* Null if it is empty; takes 'list'. */
static json_t *
unless_empty(json_t *list)
{
    if (json_array_size(list) == 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *
texts(const json_t *value, bool set)
{
    json_t *out = json_array(), *element;
    size_t i;
    if (!json_is_array(value)) {
        json_array_append_new(out, copy(value));
    }
    json_array_foreach(value, i, element)
    {
        const char *text = json_string_value(element);
        json_array_append_new(out, text ? spell(text, false) : copy(element));
    }
    return unless_empty(set ? sorted(out, true) : out);
}

/* ---- objects ---- */

json_t *
tn_nsx_member(const json_t *object, const char *name)
{
    const char *dot;
    char part[64];
    while (object && (dot = strchr(name, '.'))) {
        snprintf(part, sizeof part, "%.*s", (int) (dot - name), name);
        object = json_object_get(object, part);
        name = dot + 1;
    }
    return json_object_get(object, name);
}

void
tn_nsx_member_set(json_t *object, const char *name, json_t *value)
{
    const char *dot;
    char part[64];
    while ((dot = strchr(name, '.'))) {
        snprintf(part, sizeof part, "%.*s", (int) (dot - name), name);
        json_t *inner = json_object_get(object, part);
        if (!json_is_object(inner)) {
            if (!value) {
                return;
            }
            inner = json_object();
            json_object_set_new(object, part, inner);
        }
        object = inner;
        name = dot + 1;
    }
    if (value) {
        json_object_set_new(object, name, value);
    } else {
        json_object_del(object, name);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table of shapes. */
static json_t *
object(const struct tn_nsx_shape *shape, const json_t *value)
{
    json_t *out = json_object();
    if (!json_is_object(value) || !shape) {
        json_decref(out);
        return copy(value);
    }
    for (size_t i = 0; i < shape->n; i++) {
        const struct tn_nsx_field *f = &shape->fields[i];
        json_t *member = tn_nsx_canon(f, tn_nsx_member(value, f->name));
        if (member) {
            tn_nsx_member_set(out, f->name, member);
        }
    }
    return out;
}

/* NOLINTNEXTLINE(misc-no-recursion): as above. */
static json_t *
objects(const struct tn_nsx_shape *shape, const json_t *value, bool ordered)
{
    json_t *out = json_array(), *element;
    size_t i;
    if (!json_is_array(value)) {
        json_decref(out);
        return copy(value);
    }
    json_array_foreach(value, i, element)
    {
        json_array_append_new(out, object(shape, element));
    }
    return unless_empty(ordered ? out : sorted(out, false));
}

/* NOLINTNEXTLINE(misc-no-recursion): as above. */
static json_t *
by_type(const struct tn_nsx_field *f, const json_t *value)
{
    const char *text = json_string_value(value);
    json_t *out = NULL;
    if (!value || json_is_null(value)) {
        return NULL;
    }
    switch (f->type) {
    case TN_NSX_TEXT:
        return text_value(value);
    case TN_NSX_NUMBER:
        return number(value);
    case TN_NSX_NUMERAL:
        return numeral(value);
    case TN_NSX_BOOLEAN:
        return boolean(value);
    case TN_NSX_ADDRESS:
    case TN_NSX_PREFIX:
    case TN_NSX_NETWORK:
        return text && *text ? spell(text, f->type == TN_NSX_NETWORK)
                             : text_value(value);
    case TN_NSX_SET:
    case TN_NSX_LABELS:
        return texts(value, true);
    case TN_NSX_SEQUENCE:
        return texts(value, false);
    case TN_NSX_OBJECT:
        out = object(f->shape, value);
        if (json_is_object(out) && json_object_size(out) == 0) {
            json_decref(out);
            out = NULL;
        }
        return out;
    case TN_NSX_OBJECTS:
    case TN_NSX_ORDERED:
        return objects(f->shape, value, f->type == TN_NSX_ORDERED);
    }
    return NULL;
}

json_t *
tn_nsx_canon_read(const struct tn_nsx_field *f, const char *text)
{
    json_t *out = NULL;
    if (f->type == TN_NSX_OBJECT || f->type == TN_NSX_OBJECTS ||
        f->type == TN_NSX_ORDERED || *text == '[') {
        out = json_loads(text, JSON_DECODE_ANY, NULL);
    }
    return out ? out : json_string(text);
}

/* NOLINTNEXTLINE(misc-no-recursion): as above. */
static bool
is_fallback(const struct tn_nsx_field *f, const json_t *canonical)
{
    if (!f->fallback || strcmp(f->fallback, TN_NSX_ANY) == 0) {
        return false;
    }
    json_t *given = tn_nsx_canon_read(f, f->fallback);
    json_t *same = by_type(f, given);
    bool equal = same ? json_equal(same, canonical) : false;
    json_decref(same);
    json_decref(given);
    return equal;
}

/* NOLINTNEXTLINE(misc-no-recursion): as above. */
json_t *
tn_nsx_canon(const struct tn_nsx_field *f, const json_t *value)
{
    json_t *out = by_type(f, value);
    if (out && is_fallback(f, out)) {
        json_decref(out);
        out = NULL;
    }
    return out;
}

/* ---- text ---- */

const char *
tn_nsx_canon_text(struct tn_arena *arena, const json_t *value)
{
    if (!value) {
        return NULL;
    }
    char *text = dump(value);
    const char *out = tn_arena_strdup(arena, text);
    free(text);
    return out;
}

static void
show_one(struct tn_text *t, const json_t *value)
{
    if (json_is_string(value)) {
        tn_text_add(t, json_string_value(value));
        return;
    }
    char *text = dump(value);
    tn_text_add(t, text);
    free(text);
}

const char *
tn_nsx_canon_show(struct tn_arena *arena, const struct tn_nsx_field *f,
                  const json_t *value)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const json_t *element;
    size_t i;
    bool list = json_is_array(value) &&
                (f->type == TN_NSX_SET || f->type == TN_NSX_SEQUENCE ||
                 f->type == TN_NSX_LABELS || json_array_size(value) == 1);
    if (!list) {
        show_one(&t, value);
    }
    for (i = 0; list && i < json_array_size(value); i++) {
        element = json_array_get(value, i);
        tn_text_add(&t, i ? ", " : "");
        show_one(&t, element);
    }
    return tn_arena_strndup(arena, tn_text_str(&t), t.n);
}

/* ---- writing ---- */

/* Elements that mean what is wanted stay as they are. */
static json_t *
merge_list(const struct tn_nsx_shape *shape, const json_t *have,
           const json_t *want)
{
    json_t *out = json_array(), *rest = json_array(), *element;
    size_t i;
    json_array_foreach(have, i, element)
    {
        json_array_append(rest, element);
    }
    json_array_foreach(want, i, element)
    {
        size_t k = 0;
        bool found = false;
        while (!found && k < json_array_size(rest)) {
            json_t *same = object(shape, json_array_get(rest, k));
            found = json_equal(same, element);
            json_decref(same);
            k += !found;
        }
        json_array_append_new(out,
                              copy(found ? json_array_get(rest, k) : element));
        if (found) {
            json_array_remove(rest, k);
        }
    }
    json_decref(rest);
    return out;
}

/* NOLINTNEXTLINE(misc-no-recursion): as above. */
static json_t *
merge_object(const struct tn_nsx_shape *shape, const json_t *have,
             const json_t *want)
{
    json_t *out = copy(have);
    for (size_t i = 0; i < shape->n; i++) {
        const struct tn_nsx_field *f = &shape->fields[i];
        tn_nsx_member_set(out, f->name,
                          tn_nsx_canon_merge(f, tn_nsx_member(have, f->name),
                                             tn_nsx_member(want, f->name)));
    }
    return out;
}

/* NOLINTNEXTLINE(misc-no-recursion): as above. */
json_t *
tn_nsx_canon_merge(const struct tn_nsx_field *f, const json_t *have,
                   const json_t *want)
{
    json_t *is = have ? tn_nsx_canon(f, have) : NULL;
    bool keep =
        !f->secret && (is && want ? json_equal(is, want) : !is && !want);
    bool any = tn_streq(f->fallback, TN_NSX_ANY);
    json_decref(is);
    if (keep || (!want && (any || f->secret))) {
        return have ? copy(have) : NULL;
    }
    if (f->type == TN_NSX_OBJECT && f->shape && json_is_object(have)) {
        return merge_object(f->shape, have, want);
    }
    if (!want) {
        return NULL;
    }
    if ((f->type == TN_NSX_OBJECTS || f->type == TN_NSX_ORDERED) &&
        json_is_array(have)) {
        return merge_list(f->shape, have, want);
    }
    return copy(want);
}
