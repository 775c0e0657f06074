/* replica.c - see replica.h: what is copied, and questions about the copy. */
#include "drivers/ovsdb/replica_part.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/value.h"
#include "model/base/cleanup.h"

enum { MAX_ROWS = 4 * 1000 * 1000, MAX_ELEMENTS = 64 * 1000 * 1000 };

static int
column_cmp(const void *a, const void *b)
{
    return strcmp(((const struct tn_ovsdb_column *) a)->name,
                  ((const struct tn_ovsdb_column *) b)->name);
}

static void
fit_table(struct tn_copied_table *t, const struct tn_ovsdb_table *schema,
          const char **lacks)
{
    size_t n = 0;
    while (t->wanted[n]) {
        n++;
    }
    t->there = schema != NULL;
    t->columns = calloc(n + 1, sizeof *t->columns);
    if (!t->columns) {
        abort();
    }
    t->n_columns = 0;
    *lacks = !schema && !t->optional ? "" : NULL;
    for (size_t i = 0; schema && i < n; i++) {
        const struct tn_ovsdb_column *c =
            tn_ovsdb_table_column(schema, t->wanted[i]);
        if (c) {
            t->columns[t->n_columns++] = *c;
        } else if (!t->optional) {
            *lacks = t->wanted[i];
        }
    }
    qsort(t->columns, t->n_columns, sizeof *t->columns, column_cmp);
}

static bool
same_type(const struct tn_ovsdb_type *a, const struct tn_ovsdb_type *b)
{
    return a->key == b->key && a->value == b->value && a->min == b->min &&
           a->max == b->max;
}

static bool
same_columns(const struct tn_copied_table *a, const struct tn_copied_table *b)
{
    bool same = a->there == b->there && a->n_columns == b->n_columns;
    for (size_t i = 0; same && i < a->n_columns; i++) {
        same = strcmp(a->columns[i].name, b->columns[i].name) == 0 &&
               same_type(&a->columns[i].type, &b->columns[i].type);
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
        .rows = json_object(),
        .optional = want->optional,
    };
}

struct tn_replica *
tn_replica_new(const struct tn_ovsdb_want *wants,
               const struct tn_replica_limits *limits,
               tn_replica_changed_fn *changed, void *ctx)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_replica *r = tn_new(arena, struct tn_replica);
    *r = (struct tn_replica){.arena = arena, .changed = changed, .ctx = ctx};
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
    r->nothing[TN_NO_ELEMENT] = tn_ovsdb_set();
    r->nothing[TN_NO_PAIR] = tn_ovsdb_map();
    r->nothing[TN_NO_NUMBER] = json_integer(0);
    r->nothing[TN_NO_REAL] = json_real(0);
    r->nothing[TN_NO_TRUTH] = json_false();
    r->nothing[TN_NO_TEXT] = json_string("");
    r->nothing[TN_NO_ROW] =
        tn_ovsdb_uuid("00000000-0000-0000-0000-000000000000");
    return r;
}

void
tn_replica_free(struct tn_replica *r)
{
    if (!r) {
        return;
    }
    for (size_t i = 0; i < r->n_tables; i++) {
        json_decref(r->tables[i].rows);
        json_decref(r->tables[i].where);
        free(r->tables[i].columns);
    }
    for (size_t i = 0; i < TN_N_NOTHING; i++) {
        json_decref(r->nothing[i]);
    }
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
        struct tn_copied_table *t = &r->tables[i], old = *t;
        const char *lacks = NULL;
        fit_table(t, tn_ovsdb_schema_table(schema, t->name), &lacks);
        *same = *same && same_columns(&old, t);
        free(old.columns);
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
        for (size_t k = 0; k < t->n_columns; k++) {
            json_array_append_new(columns, json_string(t->columns[k].name));
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

json_t *
tn_replica_rows(const struct tn_replica *r, const char *table)
{
    const struct tn_copied_table *t = tn_copied_table_find(r, table);
    return t && t->there ? t->rows : NULL;
}

json_t *
tn_replica_row(const struct tn_replica *r, const char *table, const char *uuid)
{
    return json_object_get(tn_replica_rows(r, table), uuid);
}

json_t *
tn_replica_column(const struct tn_replica *r, const char *table,
                  const json_t *row, const char *column)
{
    const struct tn_copied_table *t = tn_copied_table_find(r, table);
    const struct tn_ovsdb_column *c =
        t ? tn_copied_column_find(t, column) : NULL;
    json_t *value = json_object_get(row, column);
    return !c ? NULL : value ? value : tn_replica_default(r, &c->type);
}

struct tn_replica_counts
tn_replica_counts(const struct tn_replica *r)
{
    return r->counts;
}

struct tn_copied_table *
tn_copied_table_find(const struct tn_replica *r, const char *name)
{
    for (size_t i = 0; i < r->n_tables; i++) {
        if (strcmp(r->tables[i].name, name) == 0) {
            return &r->tables[i];
        }
    }
    return NULL;
}

const struct tn_ovsdb_column *
tn_copied_column_find(const struct tn_copied_table *t, const char *name)
{
    struct tn_ovsdb_column key = {.name = name};
    return t->n_columns
               ? bsearch(&key, t->columns, t->n_columns, sizeof key, column_cmp)
               : NULL;
}

json_t *
tn_replica_default(const struct tn_replica *r, const struct tn_ovsdb_type *type)
{
    if (tn_ovsdb_type_is_map(type)) {
        return r->nothing[TN_NO_PAIR];
    }
    if (type->min == 0) {
        return r->nothing[TN_NO_ELEMENT];
    }
    switch (type->key) {
    case TN_OVSDB_INTEGER:
        return r->nothing[TN_NO_NUMBER];
    case TN_OVSDB_REAL:
        return r->nothing[TN_NO_REAL];
    case TN_OVSDB_BOOLEAN:
        return r->nothing[TN_NO_TRUTH];
    case TN_OVSDB_STRING:
        return r->nothing[TN_NO_TEXT];
    case TN_OVSDB_UUID:
        return r->nothing[TN_NO_ROW];
    case TN_OVSDB_VOID:
        return NULL;
    }
    return NULL;
}
