/* schema.c - see schema.h.
 *
 * Everything is bounded by what the server sent.  Names are checked to be
 * identifiers (RFC 7047, 3.1: <id>), as they end in messages for people. */
#include "drivers/ovsdb/schema.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/text.h"

struct base_name {
    const char *name;
    enum tn_ovsdb_base base;
};

static const struct base_name base_names[] = {
    {"integer", TN_OVSDB_INTEGER}, {"real", TN_OVSDB_REAL},
    {"boolean", TN_OVSDB_BOOLEAN}, {"string", TN_OVSDB_STRING},
    {"uuid", TN_OVSDB_UUID},
};

/* What is read at the moment, for the message. */
struct reading {
    struct tn_arena *arena;
    const char *table, *column;
    struct tn_error *err;
};

static enum tn_code
bad(const struct reading *r, const char *what)
{
    return tn_fail(r->err, TN_EUNAVAILABLE, 0, "schema: %s%s%s%s%s",
                   r->table ? r->table : "", r->column ? "." : "",
                   r->column ? r->column : "", r->table ? ": " : "", what);
}

static bool
is_id(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_");
    return n > 0 && n < 256 && !s[n] && !(s[0] >= '0' && s[0] <= '9');
}

static enum tn_code
base_parse(const struct reading *r, const json_t *json,
           enum tn_ovsdb_base *base, struct tn_ovsdb_column *c)
{
    const json_t *type =
        json_is_object(json) ? json_object_get(json, "type") : json;
    const char *name = json_string_value(type);
    for (size_t i = 0; name && i < TN_ARRAY_SIZE(base_names); i++) {
        if (strcmp(name, base_names[i].name) == 0) {
            *base = base_names[i].base;
            const char *table =
                json_string_value(json_object_get(json, "refTable"));
            const char *how =
                json_string_value(json_object_get(json, "refType"));
            if (table && is_id(table) && !c->refers) {
                c->refers = tn_arena_strdup(r->arena, table);
                c->weak = tn_streq(how, "weak");
            }
            return TN_OK;
        }
    }
    return bad(r, "a type that is not known");
}

static enum tn_code
count_parse(const struct reading *r, const json_t *json, unsigned *out)
{
    if (!json) {
        return TN_OK;
    }
    json_int_t n = json_integer_value(json);
    if (tn_streq(json_string_value(json), "unlimited")) {
        *out = UINT_MAX;
        return TN_OK;
    }
    if (!json_is_integer(json) || n < 0 || n >= UINT_MAX) {
        return bad(r, "a number of elements that is none");
    }
    *out = (unsigned) n;
    return TN_OK;
}

static enum tn_code
type_parse(const struct reading *r, const json_t *json,
           struct tn_ovsdb_column *c)
{
    struct tn_ovsdb_type *t = &c->type;
    const json_t *value = json_object_get(json, "value");
    *t = (struct tn_ovsdb_type){.min = 1, .max = 1};
    enum tn_code code = base_parse(
        r, json_is_object(json) ? json_object_get(json, "key") : json, &t->key,
        c);
    if (!code && value) {
        code = base_parse(r, value, &t->value, c);
    }
    if (!code) {
        code = count_parse(r, json_object_get(json, "min"), &t->min);
    }
    if (!code) {
        code = count_parse(r, json_object_get(json, "max"), &t->max);
    }
    if (!code && (t->min > 1 || t->max < 1)) {
        code = bad(r, "a number of elements that cannot be");
    }
    return code;
}

static enum tn_code
column_parse(struct reading *r, const char *name, const json_t *json,
             struct tn_ovsdb_column *c)
{
    r->column = name;
    if (!is_id(name) || !json_is_object(json)) {
        r->column = NULL;
        return bad(r, "a column that is none");
    }
    c->name = tn_arena_strdup(r->arena, name);
    c->ephemeral = json_is_true(json_object_get(json, "ephemeral"));
    c->immutable = json_is_false(json_object_get(json, "mutable"));
    return type_parse(r, json_object_get(json, "type"), c);
}

static int
column_cmp(const void *a, const void *b)
{
    return strcmp(((const struct tn_ovsdb_column *) a)->name,
                  ((const struct tn_ovsdb_column *) b)->name);
}

static int
table_cmp(const void *a, const void *b)
{
    return strcmp(((const struct tn_ovsdb_table *) a)->name,
                  ((const struct tn_ovsdb_table *) b)->name);
}

static enum tn_code
table_parse(struct reading *r, const char *name, json_t *json,
            struct tn_ovsdb_table *t)
{
    json_t *columns = json_object_get(json, "columns"), *column;
    const char *column_name;
    size_t n = 0;
    if (!is_id(name) || !json_is_object(columns)) {
        return bad(r, "a table that is none");
    }
    r->table = name;
    struct tn_ovsdb_column *all = tn_new_n(r->arena, struct tn_ovsdb_column,
                                           json_object_size(columns) + 1);
    json_object_foreach(columns, column_name, column)
    {
        enum tn_code code = column_parse(r, column_name, column, &all[n]);
        if (code) {
            return code;
        }
        n++;
    }
    qsort(all, n, sizeof *all, column_cmp);
    *t = (struct tn_ovsdb_table){
        .name = tn_arena_strdup(r->arena, name),
        .columns = all,
        .n_columns = n,
        .root = json_is_true(json_object_get(json, "isRoot")),
    };
    r->table = r->column = NULL;
    return TN_OK;
}

/* A schema from before there were roots has none: all are (RFC 7047, 3.2). */
static void
roots_set(struct tn_ovsdb_table *tables, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        any = any || tables[i].root;
    }
    for (size_t i = 0; i < n; i++) {
        tables[i].root = tables[i].root || !any;
    }
}

enum tn_code
tn_ovsdb_schema_parse(struct tn_arena *arena, const json_t *json,
                      const struct tn_ovsdb_schema **out, struct tn_error *err)
{
    struct reading r = {.arena = arena, .err = err};
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *version = json_string_value(json_object_get(json, "version"));
    json_t *tables = json_object_get(json, "tables"), *table;
    const char *table_name;
    size_t n = 0;
    if (!name || !is_id(name) || !json_is_object(tables)) {
        return bad(&r, "not a schema");
    }
    struct tn_ovsdb_table *all =
        tn_new_n(arena, struct tn_ovsdb_table, json_object_size(tables) + 1);
    json_object_foreach(tables, table_name, table)
    {
        enum tn_code code = table_parse(&r, table_name, table, &all[n]);
        if (code) {
            return code;
        }
        n++;
    }
    qsort(all, n, sizeof *all, table_cmp);
    roots_set(all, n);
    struct tn_ovsdb_schema *schema = tn_new(arena, struct tn_ovsdb_schema);
    *schema = (struct tn_ovsdb_schema){
        .name = tn_arena_strdup(arena, name),
        .version = tn_arena_strdup(arena, version ? version : ""),
        .tables = all,
        .n_tables = n,
    };
    *out = schema;
    return TN_OK;
}

const struct tn_ovsdb_table *
tn_ovsdb_schema_table(const struct tn_ovsdb_schema *schema, const char *table)
{
    struct tn_ovsdb_table key = {.name = table};
    return schema ? bsearch(&key, schema->tables, schema->n_tables, sizeof key,
                            table_cmp)
                  : NULL;
}

const struct tn_ovsdb_column *
tn_ovsdb_table_column(const struct tn_ovsdb_table *table, const char *column)
{
    struct tn_ovsdb_column key = {.name = column};
    return table ? bsearch(&key, table->columns, table->n_columns, sizeof key,
                           column_cmp)
                 : NULL;
}
