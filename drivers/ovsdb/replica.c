/* replica.c - see replica.h: what is copied, and questions about the copy. */
#include "drivers/ovsdb/replica_part.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { MAX_ROWS = 4 * 1000 * 1000, MAX_ELEMENTS = 64 * 1000 * 1000 };

static int
column_cmp(const void *a, const void *b)
{
    return strcmp(((const struct tn_ovsdb_column *) a)->name,
                  ((const struct tn_ovsdb_column *) b)->name);
}

static struct tn_layout *
layout_new(const struct tn_copied_table *t, const struct tn_ovsdb_table *schema,
           const char **lacks)
{
    size_t n = 0;
    while (t->wanted[n]) {
        n++;
    }
    assert(n <= TN_LAYOUT_MAX);
    struct tn_layout *l = calloc(1, sizeof *l + n * sizeof l->columns[0]);
    if (!l) {
        abort();
    }
    *lacks = !schema && !t->optional ? "" : NULL;
    for (size_t i = 0; schema && i < n; i++) {
        const struct tn_ovsdb_column *c =
            tn_ovsdb_table_column(schema, t->wanted[i]);
        if (c) {
            /* The schema may go before the rows do. */
            l->columns[l->n++] =
                (struct tn_ovsdb_column){.name = t->wanted[i], .type = c->type};
        } else if (!t->optional) {
            *lacks = t->wanted[i];
        }
    }
    qsort(l->columns, l->n, sizeof l->columns[0], column_cmp);
    return l;
}

static bool
same_type(const struct tn_ovsdb_type *a, const struct tn_ovsdb_type *b)
{
    return a->key == b->key && a->value == b->value && a->min == b->min &&
           a->max == b->max;
}

static bool
same_columns(const struct tn_layout *a, const struct tn_layout *b)
{
    bool same = a && a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++) {
        same = strcmp(a->columns[i].name, b->columns[i].name) == 0 &&
               same_type(&a->columns[i].type, &b->columns[i].type);
    }
    return same;
}

/* True: it is as it was. */
static bool
fit_table(struct tn_copied_table *t, const struct tn_ovsdb_table *schema,
          const char **lacks)
{
    struct tn_layout *fresh = layout_new(t, schema, lacks);
    bool same = t->there == (schema != NULL) && same_columns(t->layout, fresh);
    t->there = schema != NULL;
    if (same) {
        free(fresh);
    } else {
        if (t->rows.n && !t->former) {
            t->former = t->layout;
        } else {
            free(t->layout);
        }
        t->layout = fresh;
    }
    return same;
}

static void
table_init(struct tn_replica *r, struct tn_copied_table *t,
           const struct tn_ovsdb_want *want)
{
    size_t n = 0;
    while (want->columns[n]) {
        n++;
    }
    const char **wanted = tn_new_n(r->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        wanted[i] = tn_arena_strdup(r->arena, want->columns[i]);
    }
    *t = (struct tn_copied_table){
        .name = tn_arena_strdup(r->arena, want->table),
        .wanted = wanted,
        .where = want->where ? json_deep_copy(want->where) : NULL,
        .optional = want->optional,
    };
    tn_rows_init(&t->rows, r->secret);
}

struct tn_replica *
tn_replica_new(const struct tn_ovsdb_want *wants,
               const struct tn_replica_limits *limits,
               tn_replica_changed_fn *changed, void *ctx)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_replica *r = tn_new(arena, struct tn_replica);
    *r = (struct tn_replica){.arena = arena, .changed = changed, .ctx = ctx};
    (void) !getrandom(&r->secret, sizeof r->secret, GRND_NONBLOCK);
    tn_rows_init(&r->gone, r->secret);
    r->limits.rows = limits && limits->rows ? limits->rows : MAX_ROWS;
    r->limits.elements =
        limits && limits->elements ? limits->elements : MAX_ELEMENTS;
    while (wants[r->n_tables].table) {
        r->n_tables++;
    }
    r->tables = tn_new_n(arena, struct tn_copied_table, r->n_tables + 1);
    for (size_t i = 0; i < r->n_tables; i++) {
        table_init(r, &r->tables[i], &wants[i]);
    }
    return r;
}

void
tn_replica_free(struct tn_replica *r)
{
    if (!r) {
        return;
    }
    for (size_t i = 0; i < r->n_tables; i++) {
        struct tn_copied_table *t = &r->tables[i];
        tn_rows_done(&t->rows);
        json_decref(t->where);
        json_decref(t->shown);
        free(t->layout);
        free(t->former);
    }
    tn_packing_done(&r->packing);
    tn_packing_done(&r->ignored);
    free(r->changes);
    tn_arena_free(r->arena);
}

enum tn_code
tn_replica_fit(struct tn_replica *r, const struct tn_ovsdb_schema *schema,
               bool *same, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    *same = true;
    for (size_t i = 0; i < r->n_tables; i++) {
        struct tn_copied_table *t = &r->tables[i];
        const char *lacks = NULL;
        bool as_before =
            fit_table(t, tn_ovsdb_schema_table(schema, t->name), &lacks);
        *same = *same && as_before;
        if (lacks && !code) {
            code = tn_fail(err, TN_EUNSUPPORTED, 0,
                           "%s, version %s, has no %s%s%s", schema->name,
                           schema->version, t->name, *lacks ? "." : "", lacks);
        }
    }
    return code;
}

json_t *
tn_replica_requests(const struct tn_replica *r, bool where)
{
    json_t *out = json_object();
    for (size_t i = 0; i < r->n_tables; i++) {
        const struct tn_copied_table *t = &r->tables[i];
        json_t *request = json_object(), *columns = json_array();
        for (size_t k = 0; t->layout && k < t->layout->n; k++) {
            json_array_append_new(columns,
                                  json_string(t->layout->columns[k].name));
        }
        json_object_set_new_nocheck(request, "columns", columns);
        if (where && t->where) {
            json_object_set_nocheck(request, "where", t->where);
        }
        if (t->there) {
            json_object_set_new_nocheck(out, t->name,
                                        json_pack("[o]", request));
        } else {
            json_decref(request);
        }
    }
    return out;
}

const struct tn_ovsdb_row *
tn_replica_row(const struct tn_replica *r, const char *table, const char *uuid)
{
    const struct tn_copied_table *t =
        tn_copied_table_find(r, table, strlen(table));
    return t && t->there ? tn_rows_find(&t->rows, uuid) : NULL;
}

const struct tn_ovsdb_row *
tn_replica_first(const struct tn_replica *r, const char *table)
{
    const struct tn_copied_table *t =
        tn_copied_table_find(r, table, strlen(table));
    return t && t->there ? t->rows.first : NULL;
}

const struct tn_ovsdb_row *
tn_replica_after(const struct tn_ovsdb_row *row)
{
    return row->after;
}

json_t *
tn_replica_rows(const struct tn_replica *r, const char *table)
{
    struct tn_copied_table *t = tn_copied_table_find(r, table, strlen(table));
    if (!t || !t->there || t->shown) {
        return t && t->there ? t->shown : NULL;
    }
    t->shown = json_object();
    for (const struct tn_ovsdb_row *row = t->rows.first; row;
         row = row->after) {
        json_object_set_new_nocheck(t->shown, row->uuid,
                                    tn_ovsdb_row_json(row));
    }
    return t->shown;
}

struct tn_replica_counts
tn_replica_counts(const struct tn_replica *r)
{
    return r->counts;
}

struct tn_copied_table *
tn_copied_table_find(const struct tn_replica *r, const char *name, size_t n)
{
    for (size_t i = 0; i < r->n_tables; i++) {
        if (strlen(r->tables[i].name) == n &&
            memcmp(r->tables[i].name, name, n) == 0) {
            return &r->tables[i];
        }
    }
    return NULL;
}
