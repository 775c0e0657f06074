/* row.c - see row.h: resources out of columns.
 *
 * Values are kept as text and sorted, as a set and a map have no order in
 * OVSDB; what a plan shows is made of the same texts, so that two rows are
 * equal when their attributes are.  A column that is empty, or as nobody has
 * set it, has no attribute. */
#include "drivers/ovsdb/row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *
tn_ovs_table_of(const struct tn_ovs_kind *kind, const struct tn_ovs_column *c)
{
    return c->type == TN_OVS_HOLDER ? c->table
           : c->child               ? kind->child
                                    : kind->table;
}

size_t
tn_ovs_kind_column(const struct tn_ovs_kind *kind, const char *attr)
{
    size_t i = 0;
    while (i < kind->n_columns && strcmp(kind->columns[i].attr, attr) != 0) {
        i++;
    }
    return i;
}

bool
tn_ovs_value_equal(const struct tn_ovs_value *a, const struct tn_ovs_value *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++) {
        same = strcmp(a->texts[i], b->texts[i]) == 0;
    }
    return same;
}

/* Parts with a slash between any two; null and "" are none. */
static const char *
join(struct tn_arena *arena, const char *const parts[3])
{
    size_t sizes[3], n = 0;
    for (size_t i = 0; i < 3; i++) {
        sizes[i] = parts[i] ? strlen(parts[i]) : 0;
        n += sizes[i] + 1;
    }
    char *out = tn_arena_alloc(arena, n + 1), *to = out;
    for (size_t i = 0; i < 3; i++) {
        if (sizes[i]) {
            *to = '/';
            to += to > out;
            memcpy(to, parts[i], sizes[i]);
            to += sizes[i];
        }
    }
    *to = '\0';
    return out;
}

void
tn_ovs_draft_init(struct tn_ovs_draft *d, struct tn_arena *arena,
                  const struct tn_ovs_kind *kind, const char *scope)
{
    *d = (struct tn_ovs_draft){
        .arena = arena,
        .r = {.kind = kind->name,
              .name = scope,
              .scope = scope,
              .owner = TN_OURS,
              .rank = kind->rank},
        .kind = kind,
        .values = tn_new_n(arena, struct tn_ovs_value, kind->n_columns),
        .cap = tn_new_n(arena, size_t, kind->n_columns),
    };
}

void
tn_ovs_draft_begin(struct tn_ovs_draft *d, struct tn_arena *arena,
                   const struct tn_ovs_kind *kind, const char *scope,
                   const char *name)
{
    tn_ovs_draft_init(d, arena, kind, scope);
    d->r.key = join(arena, (const char *const[]){scope, kind->name, name});
    d->r.name = name ? name : scope;
}

void
tn_ovs_draft_push(struct tn_ovs_draft *d, size_t column, const char *value)
{
    struct tn_ovs_value *v = &d->values[column];
    assert(column < d->kind->n_columns);
    if (v->n == d->cap[column]) {
        v->texts =
            tn_vec_grow(d->arena, v->texts, &d->cap[column], sizeof *v->texts);
    }
    v->texts[v->n++] = value;
}

void
tn_ovs_draft_add(struct tn_ovs_draft *d, const char *attr, const char *value)
{
    tn_ovs_draft_push(d, tn_ovs_kind_column(d->kind, attr), value);
}

void
tn_ovs_draft_put(struct tn_ovs_draft *d, const char *attr, const char *key,
                 const char *value)
{
    tn_ovs_draft_add(d, attr, key);
    tn_ovs_draft_add(d, attr, value);
}

static int
text_cmp(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Servers send texts in order, but not what becomes of references. */
static void
value_sort(struct tn_ovs_value *v, bool map)
{
    size_t step = map ? 2 : 1, i = step;
    while (i < v->n && strcmp(v->texts[i - step], v->texts[i]) <= 0) {
        i += step;
    }
    if (i < v->n) {
        qsort(v->texts, v->n / step, sizeof *v->texts * step, text_cmp);
    }
}

/* "a, b", or of a map "k=v, l=w". */
static const char *
value_text(struct tn_arena *arena, const struct tn_ovs_value *v, bool map)
{
    if (v->n == 1) {
        return v->texts[0];
    }
    size_t size = 1;
    for (size_t i = 0; i < v->n; i++) {
        size += strlen(v->texts[i]) + 2;
    }
    char *out = tn_arena_alloc(arena, size), *to = out;
    for (size_t i = 0; i < v->n; i++) {
        if (i) {
            to = stpcpy(to, map && i % 2 ? "=" : ", ");
        }
        to = stpcpy(to, v->texts[i]);
    }
    *to = '\0';
    return out;
}

/* Inserts it by name; there are few. */
static void
attr_add(struct tn_attr *attrs, size_t n, const struct tn_attr *attr)
{
    for (; n > 0 && strcmp(attrs[n - 1].name, attr->name) > 0; n--) {
        attrs[n] = attrs[n - 1];
    }
    attrs[n] = *attr;
}

const char *
tn_ovs_nothing(const struct tn_ovs_column *c)
{
    return c->type == TN_OVS_INTEGER   ? "0"
           : c->type == TN_OVS_BOOLEAN ? "false"
                                       : "";
}

/* What a column holds that nobody has set; servers do not tell of these. */
static bool
is_nothing(const struct tn_ovs_column *c, const struct tn_ovs_value *v)
{
    return !c->set && v->n == 1 && strcmp(v->texts[0], tn_ovs_nothing(c)) == 0;
}

struct tn_resource
tn_ovs_draft_end(struct tn_ovs_draft *d)
{
    const struct tn_ovs_kind *kind = d->kind;
    struct tn_attr *attrs = tn_new_n(d->arena, struct tn_attr, kind->n_columns);
    size_t n = 0;
    for (size_t i = 0; i < kind->n_columns; i++) {
        const struct tn_ovs_column *c = &kind->columns[i];
        bool map = c->type == TN_OVS_MAP;
        d->values[i].n = is_nothing(c, &d->values[i]) ? 0 : d->values[i].n;
        value_sort(&d->values[i], map);
        if (d->values[i].n) {
            const struct tn_attr attr = {
                .name = c->attr,
                .value = value_text(d->arena, &d->values[i], map),
                .change = c->change,
            };
            attr_add(attrs, n++, &attr);
        }
    }
    struct tn_ovs_row *row = tn_new(d->arena, struct tn_ovs_row);
    *row = (struct tn_ovs_row){.kind = kind, .values = d->values};
    d->r.attrs = attrs;
    d->r.n_attrs = n;
    d->r.native = row;
    return d->r;
}
