/* pack.c - see pack.h: values as they are sent become rows, and differences
 * (ovsdb-server(7), 4.1.14) new rows of old ones.
 *
 * The server sends elements in order, mostly: whether they are is seen while
 * they are read, and only if not they are sorted.  Where the server itself
 * replaces a value (at most one element), so does a difference; elsewhere its
 * elements that are there go, others come, and a key of a map with another
 * value is changed: the two are merged, and what lies between two elements of
 * the difference is copied in one piece. */
#include "drivers/ovsdb/pack.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "drivers/ovsdb/value.h"

static const char zero_uuid[] = "00000000-0000-0000-0000-000000000000";
static const char another_type[] = "a value of another type";

static struct tn_packed
packed_at(const char *at)
{
    struct tn_packed h;
    memcpy(&h, at, sizeof h);
    return h;
}

/* ---- atoms ---- */

/* What an atom is that nobody has set. */
static const char *
nothing(enum tn_ovsdb_base base)
{
    switch (base) {
    case TN_OVSDB_INTEGER:
    case TN_OVSDB_REAL:
        return "0";
    case TN_OVSDB_BOOLEAN:
        return "false";
    case TN_OVSDB_UUID:
        return zero_uuid;
    case TN_OVSDB_STRING:
    case TN_OVSDB_VOID:
        break;
    }
    return "";
}

/* The order of the server: numbers by what they are, all else by bytes. */
static int
atom_cmp(enum tn_ovsdb_base base, const char *a, const char *b)
{
    if (base == TN_OVSDB_INTEGER) {
        long long x = strtoll(a, NULL, 10), y = strtoll(b, NULL, 10);
        return (x > y) - (x < y);
    }
    if (base == TN_OVSDB_REAL) {
        double x = strtod(a, NULL), y = strtod(b, NULL);
        return (x > y) - (x < y);
    }
    return strcmp(a, b);
}

static int
text_ptr_cmp(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static int
integer_ptr_cmp(const void *a, const void *b)
{
    return atom_cmp(TN_OVSDB_INTEGER, *(const char *const *) a,
                    *(const char *const *) b);
}

static int
real_ptr_cmp(const void *a, const void *b)
{
    return atom_cmp(TN_OVSDB_REAL, *(const char *const *) a,
                    *(const char *const *) b);
}

static const char *
atom_after(enum tn_ovsdb_base base, const char *at)
{
    return base == TN_OVSDB_UUID ? at + TN_UUID + 1 : tn_ovsdb_text_after(at);
}

/* Behind the element at 'at'. */
static const char *
element_after(const struct tn_ovsdb_type *type, const char *at)
{
    at = atom_after(type->key, at);
    return tn_ovsdb_type_is_map(type) ? atom_after(type->value, at) : at;
}

/* ---- reading ---- */

static void
end_text(struct tn_text *out)
{
    tn_text_addn(out, "", 1);
}

static bool
take_text(struct tn_text *out, struct tn_scan *scan)
{
    struct tn_scan_string s;
    if (!tn_scan_string(scan, &s) || !tn_scan_add(out, &s)) {
        return false;
    }
    end_text(out);
    return true;
}

static bool
take_number(struct tn_text *out, struct tn_scan *scan, bool may_be_real)
{
    struct tn_scan_string s;
    char text[64];
    bool real = false;
    if (!tn_scan_number(scan, &s, &real) || (real && !may_be_real)) {
        return false;
    }
    json_t *number = json_loadb(s.s, s.n, JSON_DECODE_ANY, NULL);
    int n = may_be_real ? snprintf(text, sizeof text, "%.17g",
                                   json_number_value(number))
                        : snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT,
                                   json_integer_value(number));
    bool fits = number != NULL;
    json_decref(number);
    tn_text_addn(out, text, (size_t) n + 1);
    return fits;
}

static bool
take_boolean(struct tn_text *out, struct tn_scan *scan)
{
    bool yes = tn_scan_word(scan, "true");
    if (!yes && !tn_scan_word(scan, "false")) {
        return false;
    }
    tn_text_add(out, yes ? "true" : "false");
    end_text(out);
    return true;
}

/* Behind ["uuid" */
static bool
take_digits(struct tn_text *out, struct tn_scan *scan)
{
    size_t at = out->n;
    return tn_scan_sign(scan, ',') && take_text(out, scan) &&
           out->n - at == TN_UUID + 1 && tn_ovsdb_is_uuid(out->s + at) &&
           tn_scan_sign(scan, ']');
}

static bool
is_word(const struct tn_scan_string *s, const char *word)
{
    return s->n == strlen(word) && memcmp(s->s, word, s->n) == 0;
}

static bool
take_atom(struct tn_text *out, enum tn_ovsdb_base base, struct tn_scan *scan)
{
    struct tn_scan_string tag;
    switch (base) {
    case TN_OVSDB_INTEGER:
        return take_number(out, scan, false);
    case TN_OVSDB_REAL:
        return take_number(out, scan, true);
    case TN_OVSDB_BOOLEAN:
        return take_boolean(out, scan);
    case TN_OVSDB_STRING:
        return take_text(out, scan);
    case TN_OVSDB_UUID:
        return tn_scan_sign(scan, '[') && tn_scan_string(scan, &tag) &&
               is_word(&tag, "uuid") && take_digits(out, scan);
    case TN_OVSDB_VOID:
        return false;
    }
    return false;
}

static bool
take_element(struct tn_text *out, const struct tn_ovsdb_type *type,
             struct tn_scan *scan)
{
    if (!tn_ovsdb_type_is_map(type)) {
        return take_atom(out, type->key, scan);
    }
    return tn_scan_sign(scan, '[') && take_atom(out, type->key, scan) &&
           tn_scan_sign(scan, ',') && take_atom(out, type->value, scan) &&
           tn_scan_sign(scan, ']');
}

/* Sorts the 'n' elements from 'at' on; false: one is there twice. */
static bool
sort(struct tn_packing *p, const struct tn_ovsdb_type *type, size_t at,
     size_t n)
{
    const char **all = calloc(n + 1, sizeof *all), *e = p->data.s + at;
    bool rising = true;
    if (!all) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        all[i] = e;
        e = element_after(type, e);
    }
    qsort(all, n, sizeof *all,
          type->key == TN_OVSDB_INTEGER ? integer_ptr_cmp
          : type->key == TN_OVSDB_REAL  ? real_ptr_cmp
                                        : text_ptr_cmp);
    tn_text_clear(&p->order);
    for (size_t i = 0; i < n; i++) {
        rising =
            rising && (i == 0 || atom_cmp(type->key, all[i - 1], all[i]) < 0);
        tn_text_addn(&p->order, all[i],
                     (size_t) (element_after(type, all[i]) - all[i]));
    }
    free(all);
    memcpy(p->data.s + at, p->order.s, p->order.n);
    return rising;
}

/* The elements between brackets. */
static bool
take_elements(struct tn_packing *p, const struct tn_ovsdb_type *type,
              struct tn_scan *scan, size_t *n, const char **why)
{
    size_t begin = p->data.n, before = begin;
    bool rising = true;
    *n = 0;
    if (!tn_scan_sign(scan, '[')) {
        *why = another_type;
        return false;
    }
    while (tn_scan_more(scan, ']', *n == 0)) {
        size_t at = p->data.n;
        if (!take_element(&p->data, type, scan)) {
            *why = "an element of another type";
            return false;
        }
        rising = rising && (*n == 0 || atom_cmp(type->key, p->data.s + before,
                                                p->data.s + at) < 0);
        before = at;
        ++*n;
    }
    *why = "an element twice";
    return rising || sort(p, type, begin, *n);
}

/* ["uuid", ...], ["set", ...], ["map", ...] */
static bool
take_framed(struct tn_packing *p, const struct tn_ovsdb_type *type,
            struct tn_scan *scan, size_t *n, const char **why)
{
    bool map = tn_ovsdb_type_is_map(type);
    struct tn_scan_string tag;
    *why = another_type;
    if (!tn_scan_sign(scan, '[') || !tn_scan_string(scan, &tag)) {
        return false;
    }
    if (!map && type->key == TN_OVSDB_UUID && is_word(&tag, "uuid")) {
        *n = 1;
        return take_digits(&p->data, scan);
    }
    if (!is_word(&tag, map ? "map" : "set") || !tn_scan_sign(scan, ',') ||
        !take_elements(p, type, scan, n, why)) {
        return false;
    }
    *why = another_type;
    return tn_scan_sign(scan, ']');
}

void
tn_packing_begin(struct tn_packing *p, const struct tn_layout *layout)
{
    p->layout = layout;
    tn_text_clear(&p->data);
    memset(p->columns, 0, sizeof p->columns);
}

void
tn_packing_done(struct tn_packing *p)
{
    tn_text_done(&p->data);
    tn_text_done(&p->order);
}

bool
tn_packing_take(struct tn_packing *p, size_t column, struct tn_scan *scan,
                bool diff, const char **why)
{
    const struct tn_ovsdb_type *type = &p->layout->columns[column].type;
    struct tn_packed h = {.column = (uint32_t) column};
    size_t at = p->data.n, n = 1;
    bool fits = true, composite = type->max > 1;
    if (p->columns[column]) {
        *why = "a column twice";
        return false;
    }
    tn_text_addn(&p->data, (const char *) &h, sizeof h);
    if (tn_scan_peek(scan) == '[') {
        fits = take_framed(p, type, scan, &n, why);
    } else {
        *why = another_type;
        fits =
            !tn_ovsdb_type_is_map(type) && take_atom(&p->data, type->key, scan);
    }
    if (fits && (n > type->max || n < type->min) && !(diff && composite)) {
        *why = "a number of elements that cannot be";
        fits = false;
    }
    if (fits && p->data.n > INT32_MAX) {
        *why = "a value larger than we can take";
        fits = false;
    }
    h.n = (uint32_t) (tn_ovsdb_type_is_map(type) ? 2 * n : n);
    h.size = (uint32_t) (p->data.n - at - sizeof h);
    memcpy(p->data.s + at, &h, sizeof h);
    p->columns[column] = at + 1;
    return fits;
}

/* ---- rows ---- */

static bool
is_default(const struct tn_ovsdb_type *type, const struct tn_packed *h,
           const char *texts)
{
    if (type->min == 0 || tn_ovsdb_type_is_map(type)) {
        return h->n == 0;
    }
    return h->n == 1 && atom_cmp(type->key, texts, nothing(type->key)) == 0;
}

/* A column at 'at', where its header stands.  Appends it, if it is not
 * default. */
static void
put_column(struct tn_text *out, const struct tn_layout *layout, const char *at,
           uint32_t *n_elements)
{
    struct tn_packed h = packed_at(at);
    const struct tn_ovsdb_type *type = &layout->columns[h.column].type;
    if (!is_default(type, &h, at + sizeof h)) {
        tn_text_addn(out, at, sizeof h + h.size);
        *n_elements += tn_ovsdb_type_is_map(type) ? h.n / 2 : h.n;
    }
}

static struct tn_ovsdb_row *
row_new(const struct tn_layout *layout, const char *uuid, size_t size)
{
    struct tn_ovsdb_row *row = malloc(sizeof *row + size);
    if (!row) {
        fputs("tenet: out of memory\n", stderr);
        abort();
    }
    memset(row, 0, sizeof *row);
    row->layout = layout;
    row->size = (uint32_t) size;
    memcpy(row->uuid, uuid, TN_UUID);
    row->uuid[TN_UUID] = '\0';
    return row;
}

struct tn_ovsdb_row *
tn_packing_row(struct tn_packing *p, const char *uuid)
{
    size_t size = 0;
    uint32_t n = 0;
    for (size_t i = 0; i < p->layout->n; i++) {
        const struct tn_ovsdb_type *type = &p->layout->columns[i].type;
        if (!p->columns[i]) {
            continue;
        }
        const char *at = p->data.s + p->columns[i] - 1;
        const struct tn_packed h = packed_at(at);
        if (is_default(type, &h, at + sizeof h)) {
            p->columns[i] = 0;
        } else {
            size += sizeof h + h.size;
            n += tn_ovsdb_type_is_map(type) ? h.n / 2 : h.n;
        }
    }
    struct tn_ovsdb_row *row = row_new(p->layout, uuid, size);
    row->n_elements = n;
    for (size_t i = 0, to = 0; i < p->layout->n; i++) {
        if (p->columns[i]) {
            const char *at = p->data.s + p->columns[i] - 1;
            size_t part = sizeof(struct tn_packed) + packed_at(at).size;
            memcpy(row->data + to, at, part);
            to += part;
        }
    }
    return row;
}

/* Where the column begins; null: it has its default. */
static const char *
column_of(const struct tn_ovsdb_row *row, size_t column)
{
    const char *at = row->data, *end = row->data + row->size;
    while (at < end) {
        struct tn_packed h = packed_at(at);
        if (h.column >= column) {
            return h.column == column ? at : NULL;
        }
        at += sizeof h + h.size;
    }
    return NULL;
}

/* Elements that wait for their neighbours, to be copied in one piece. */
struct run {
    struct tn_text *out;
    const char *from;
};

static void
run_end(struct run *run, const char *to)
{
    if (run->from) {
        tn_text_addn(run->out, run->from, (size_t) (to - run->from));
        run->from = NULL;
    }
}

/* Both in order; returns the number of elements. */
static size_t
merge(struct tn_text *out, const struct tn_ovsdb_type *type,
      struct tn_ovsdb_texts old, struct tn_ovsdb_texts diff)
{
    size_t step = tn_ovsdb_type_is_map(type) ? 2 : 1, n = 0;
    size_t i = 0, k = 0;
    struct run run = {out, NULL};
    const char *x = old.at, *y = diff.at;
    while (i < old.n || k < diff.n) {
        int d = i == old.n ? 1 : k == diff.n ? -1 : atom_cmp(type->key, x, y);
        const char *after_x = d <= 0 ? element_after(type, x) : x;
        const char *after_y = d >= 0 ? element_after(type, y) : y;
        if (d < 0) {
            run.from = run.from ? run.from : x;
        } else {
            run_end(&run, x);
        }
        bool other =
            d == 0 && step == 2 &&
            strcmp(atom_after(type->key, x), atom_after(type->key, y)) != 0;
        if (d > 0 || other) {
            tn_text_addn(out, y, (size_t) (after_y - y));
        }
        n += d != 0 || other;
        i += d <= 0 ? step : 0;
        k += d >= 0 ? step : 0;
        x = after_x;
        y = after_y;
    }
    run_end(&run, x);
    return n;
}

/* The column of the row with the difference that was taken.  False: it would
 * have a number of elements that cannot be. */
static bool
put_patched(struct tn_packing *p, const struct tn_ovsdb_row *row, size_t column,
            uint32_t *n_elements)
{
    const struct tn_ovsdb_type *type = &p->layout->columns[column].type;
    const char *diff = p->data.s + p->columns[column] - 1;
    const char *old = column_of(row, column);
    struct tn_packed h = packed_at(diff), was = {.n = 0};
    size_t at = p->order.n;
    if (type->max <= 1) {
        put_column(&p->order, p->layout, diff, n_elements);
        return true;
    }
    struct tn_ovsdb_texts of = {nothing(type->key), type->min};
    if (old) {
        was = packed_at(old);
        of = (struct tn_ovsdb_texts){old + sizeof was, was.n};
    }
    tn_text_addn(&p->order, (const char *) &h, sizeof h);
    size_t n = merge(&p->order, type, of,
                     (struct tn_ovsdb_texts){diff + sizeof h, h.n});
    h.n = (uint32_t) (tn_ovsdb_type_is_map(type) ? 2 * n : n);
    h.size = (uint32_t) (p->order.n - at - sizeof h);
    memcpy(p->order.s + at, &h, sizeof h);
    if (is_default(type, &h, p->order.s + at + sizeof h)) {
        p->order.n = at;
    } else {
        *n_elements += (uint32_t) n;
    }
    return n >= type->min && n <= type->max;
}

struct tn_ovsdb_row *
tn_packing_patched(struct tn_packing *p, const struct tn_ovsdb_row *row,
                   const char **column)
{
    uint32_t n = 0;
    assert(row->layout == p->layout);
    tn_text_clear(&p->order);
    for (size_t i = 0; i < p->layout->n; i++) {
        const char *old = column_of(row, i);
        if (p->columns[i]) {
            *column = p->layout->columns[i].name;
            if (!put_patched(p, row, i, &n)) {
                return NULL;
            }
        } else if (old) {
            put_column(&p->order, p->layout, old, &n);
        }
    }
    struct tn_ovsdb_row *now = row_new(p->layout, row->uuid, p->order.n);
    now->n_elements = n;
    if (p->order.n) {
        memcpy(now->data, p->order.s, p->order.n);
    }
    return now;
}

bool
tn_ovsdb_row_equal(const struct tn_ovsdb_row *a, const struct tn_ovsdb_row *b)
{
    if (a->layout == b->layout) {
        return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
    }
    bool same = true;
    for (size_t i = 0; same && i < a->layout->n; i++) {
        same = tn_ovsdb_same(a, b, a->layout->columns[i].name);
    }
    for (size_t i = 0; same && i < b->layout->n; i++) {
        same = tn_ovsdb_same(a, b, b->layout->columns[i].name);
    }
    return same;
}
