/* intake.c - see replica.h: what the server sends becomes the copy.
 *
 * A message is applied whole before anybody hears of it, so that who is told of
 * one row sees the others as they are, too.  A dump is turned into a copy in
 * place, row by row; if there was a copy before, the two are compared, each row
 * looked up once.  So both cost what the message is long, whatever the copy
 * holds. */
#include "drivers/ovsdb/replica_part.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/delta.h"
#include "drivers/ovsdb/value.h"

/* The row at work, for the message. */
struct place {
    struct tn_replica *r;
    struct tn_copied_table *table;
    const char *name, *uuid; /* As far as it is known; never null. */
    struct tn_error *err;
};

static enum tn_code
bad(const struct place *p, const char *column, const char *what)
{
    (void) !tn_fail(p->err, TN_EUNAVAILABLE, 0, "%s %.36s%s%s: %s", p->name,
                    p->uuid, column ? ": " : "", column ? column : "", what);
    return TN_EUNAVAILABLE;
}

/* Takes 'old' and 'now'. */
static void
note(const struct place *p, json_t *old, json_t *now)
{
    struct tn_replica *r = p->r;
    if (!r->changed) {
        json_decref(old);
        json_decref(now);
        return;
    }
    if (r->n_changes == r->cap_changes) {
        r->cap_changes = r->cap_changes ? 2 * r->cap_changes : 8;
        r->changes = realloc(r->changes, r->cap_changes * sizeof *r->changes);
        if (!r->changes) {
            abort();
        }
    }
    r->changes[r->n_changes++] =
        (struct tn_row_change){p->table->name, p->uuid, old, now};
}

static void
tell(struct tn_replica *r)
{
    for (size_t i = 0; r->changed && i < r->n_changes; i++) {
        struct tn_row_change *c = &r->changes[i];
        r->changed(r->ctx, c->table, c->uuid, c->old, c->now);
        json_decref(c->old);
        json_decref(c->now);
    }
    r->n_changes = 0;
    if (r->cap_changes > 1024) {
        free(r->changes);
        r->changes = NULL;
        r->cap_changes = 0;
    }
}

static size_t
elements_in(json_t *row)
{
    size_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach(row, name, value)
    {
        n += tn_ovsdb_value_n(value);
    }
    return n;
}

static enum tn_code
count(const struct place *p, size_t rows, size_t elements)
{
    struct tn_replica_counts *c = &p->r->counts;
    c->rows += rows;
    c->elements += elements;
    return c->rows > p->r->limits.rows || c->elements > p->r->limits.elements
               ? bad(p, NULL, "the database is larger than we can take")
               : TN_OK;
}

/* Checks a whole row as sent, drops from it what is default, and counts the
 * elements of the rest. */
static enum tn_code
row_check(const struct place *p, json_t *row, size_t *elements)
{
    void *next;
    const char *name;
    json_t *value;
    *elements = 0;
    if (!json_is_object(row)) {
        return bad(p, NULL, "a row that is none");
    }
    json_object_foreach_safe(row, next, name, value)
    {
        const struct tn_ovsdb_column *c = tn_copied_column_find(p->table, name);
        const char *why = "";
        json_t *other = NULL;
        if (!c) {
            return bad(p, NULL, "a column that was not asked for");
        }
        if (!tn_ovsdb_check(&c->type, value, false, &other, &why)) {
            return bad(p, c->name, why);
        }
        json_t *is = other ? other : value;
        if (tn_ovsdb_is_default(&c->type, is)) {
            json_decref(other);
            json_object_del(row, name);
            continue;
        }
        *elements += tn_ovsdb_value_n(is);
        if (other) {
            json_object_iter_set_new(row, json_object_key_to_iter(name), other);
        }
    }
    return TN_OK;
}

static void
set_old(json_t **out, const char *column, json_t *value)
{
    *out = *out ? *out : json_object();
    json_object_set_nocheck(*out, column, value);
}

/* Columns of 'old' that 'now' has otherwise, with their old values; new, null:
 * there are none.  Those that the schema does not have any more are gone. */
static json_t *
row_difference(const struct place *p, json_t *old, const json_t *now)
{
    json_t *out = NULL, *value;
    const char *name;
    size_t known = 0;
    for (size_t i = 0; i < p->table->n_columns; i++) {
        const struct tn_ovsdb_column *c = &p->table->columns[i];
        json_t *a = json_object_get(old, c->name);
        json_t *b = json_object_get(now, c->name);
        known += a != NULL;
        /* One spelling: what is equal looks so. */
        if (a != b && !(a && b && json_equal(a, b))) {
            set_old(&out, c->name, a ? a : tn_replica_default(p->r, &c->type));
        }
    }
    if (known < json_object_size(old)) {
        json_object_foreach(old, name, value)
        {
            if (!tn_copied_column_find(p->table, name)) {
                set_old(&out, name, value);
            }
        }
    }
    return out;
}

/* Takes 'row', which was checked. */
static enum tn_code
row_insert(const struct place *p, json_t *row, size_t elements)
{
    json_object_set_new_nocheck(p->table->rows, p->uuid, row);
    enum tn_code code = count(p, 1, elements);
    note(p, NULL, json_incref(row));
    return code;
}

static enum tn_code
row_delete(const struct place *p)
{
    json_t *row = json_incref(json_object_get(p->table->rows, p->uuid));
    if (!row) {
        return bad(p, NULL, "went but was not there");
    }
    p->r->counts.rows--;
    p->r->counts.elements -= elements_in(row);
    json_object_del(p->table->rows, p->uuid);
    note(p, row, NULL);
    return TN_OK;
}

static enum tn_code
column_patch(const struct place *p, json_t *row, const char *name, json_t *diff,
             json_t *old)
{
    const struct tn_ovsdb_column *c = tn_copied_column_find(p->table, name);
    const char *why = "";
    json_t *other = NULL;
    if (!c) {
        return bad(p, NULL, "a column that was not asked for");
    }
    if (!tn_ovsdb_check(&c->type, diff, true, &other, &why)) {
        return bad(p, c->name, why);
    }
    json_t *was = json_object_get(row, c->name);
    json_t *value = was ? was : tn_replica_default(p->r, &c->type);
    size_t n = tn_ovsdb_value_n(was);
    if (old) {
        json_object_set_new_nocheck(old, c->name, tn_ovsdb_value_keep(value));
    }
    json_t *now = tn_ovsdb_patched(&c->type, value, other ? other : diff);
    json_decref(other);
    if (!now) {
        return bad(p, c->name, "a difference that does not fit");
    }
    p->r->counts.elements -= n;
    if (tn_ovsdb_is_default(&c->type, now)) {
        json_decref(now);
        json_object_del(row, c->name);
        return TN_OK;
    }
    n = tn_ovsdb_value_n(now);
    if (now == was) {
        json_decref(now);
    } else {
        json_object_set_new_nocheck(row, c->name, now);
    }
    return count(p, 0, n);
}

static enum tn_code
row_modify(const struct place *p, json_t *diff)
{
    json_t *row = json_object_get(p->table->rows, p->uuid), *value;
    const char *name;
    enum tn_code code = TN_OK;
    if (!row || !json_is_object(diff)) {
        return bad(p, NULL,
                   row ? "a difference that is none"
                       : "changed but was not there");
    }
    json_t *old = p->r->changed ? json_object() : NULL;
    json_object_foreach(diff, name, value)
    {
        code = code ? code : column_patch(p, row, name, value, old);
    }
    note(p, old, json_incref(row));
    return code;
}

/* The row as it is now stands in the message. */
static enum tn_code
row_replace(const struct place *p, json_t *now, size_t elements)
{
    json_t *was = json_incref(json_object_get(p->table->rows, p->uuid));
    if (!was) {
        return bad(p, NULL, "changed but was not there");
    }
    size_t n = elements_in(was);
    json_t *old = row_difference(p, was, now);
    json_object_set_nocheck(p->table->rows, p->uuid, now);
    json_decref(was);
    p->r->counts.elements -= n;
    if (old) {
        note(p, old, json_incref(now));
    }
    return count(p, 0, elements);
}

static enum tn_code
row_update_old_new(const struct place *p, json_t *update)
{
    json_t *old = json_object_get(update, "old");
    json_t *now = json_object_get(update, "new");
    if (!old && !now) {
        return bad(p, NULL, "an update that is none");
    }
    if (!now) {
        return row_delete(p);
    }
    size_t n = 0;
    enum tn_code code = row_check(p, now, &n);
    if (code) {
        return code;
    }
    if (old) {
        return row_replace(p, now, n);
    }
    return json_object_get(p->table->rows, p->uuid)
               ? bad(p, NULL, "came but was there")
               : row_insert(p, json_incref(now), n);
}

static enum tn_code
row_update_diff(const struct place *p, json_t *update)
{
    json_t *row = json_object_get(update, "insert");
    row = row ? row : json_object_get(update, "initial");
    if (row) {
        size_t n = 0;
        enum tn_code code = row_check(p, row, &n);
        return code ? code
               : json_object_get(p->table->rows, p->uuid)
                   ? bad(p, NULL, "came but was there")
                   : row_insert(p, json_incref(row), n);
    }
    row = json_object_get(update, "modify");
    if (row) {
        return row_modify(p, row);
    }
    return json_object_get(update, "delete")
               ? row_delete(p)
               : bad(p, NULL, "an update that is none");
}

static enum tn_code
table_enter(struct place *p, const char *name, const json_t *table)
{
    struct tn_copied_table *t = tn_copied_table_find(p->r, name);
    p->name = "update";
    p->uuid = "";
    if (!t || !t->there || !json_is_object(table)) {
        return bad(p, NULL, "a table that was not asked for");
    }
    p->table = t;
    p->name = t->name;
    return TN_OK;
}

static enum tn_code
row_enter(struct place *p, const char *uuid)
{
    p->uuid = "";
    if (!tn_ovsdb_is_uuid(uuid)) {
        return bad(p, NULL, "a row without a uuid");
    }
    p->uuid = uuid;
    return TN_OK;
}

/* The row in a part of a dump, checked; borrowed. */
static enum tn_code
dumped_row(const struct place *p, enum tn_replica_form form,
           const json_t *update, json_t **out, size_t *elements)
{
    *out =
        json_object_get(update, form == TN_REPLICA_OLD_NEW ? "new" : "initial");
    if (!*out && form == TN_REPLICA_DIFF) {
        *out = json_object_get(update, "insert");
    }
    return row_check(p, *out, elements);
}

/* Turns the table of a dump into rows, in place. */
static enum tn_code
table_unwrap(struct place *p, enum tn_replica_form form, json_t *table)
{
    const char *uuid;
    json_t *update;
    json_object_foreach(table, uuid, update)
    {
        json_t *row = NULL;
        size_t n = 0;
        enum tn_code code = row_enter(p, uuid);
        if (!code) {
            code = dumped_row(p, form, update, &row, &n);
        }
        if (!code) {
            code = count(p, 1, n);
        }
        if (code) {
            return code;
        }
        json_object_iter_set(table, json_object_key_to_iter(uuid), row);
    }
    return TN_OK;
}

/* Tells how the rows came to be what they are. */
static void
table_compare(struct place *p, json_t *old_rows)
{
    const char *uuid;
    json_t *row;
    json_object_foreach(p->table->rows, uuid, row)
    {
        json_t *was = json_object_get(old_rows, uuid);
        p->uuid = uuid;
        json_t *old = was ? row_difference(p, was, row) : NULL;
        if (!was || old) {
            note(p, old, json_incref(row));
        }
    }
    json_object_foreach(old_rows, uuid, row)
    {
        p->uuid = uuid;
        if (!json_object_get(p->table->rows, uuid)) {
            note(p, json_incref(row), NULL);
        }
    }
}

static enum tn_code
dump_unwrap(struct tn_replica *r, enum tn_replica_form form, json_t *tables,
            struct tn_error *err)
{
    struct place p = {.r = r, .name = "update", .uuid = "", .err = err};
    const char *name;
    json_t *table;
    if (!json_is_object(tables)) {
        return bad(&p, NULL, "not an object of tables");
    }
    json_object_foreach(tables, name, table)
    {
        enum tn_code code = table_enter(&p, name, table);
        if (!code) {
            code = table_unwrap(&p, form, table);
        }
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

static enum tn_code
table_update(struct place *p, enum tn_replica_form form, json_t *table)
{
    const char *uuid;
    json_t *update;
    json_object_foreach(table, uuid, update)
    {
        enum tn_code code = row_enter(p, uuid);
        if (!code) {
            p->r->counts.updated++;
            code = form == TN_REPLICA_DIFF ? row_update_diff(p, update)
                                           : row_update_old_new(p, update);
        }
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

enum tn_code
tn_replica_dump(struct tn_replica *r, enum tn_replica_form form, json_t *tables,
                struct tn_error *err)
{
    struct tn_replica_counts before = r->counts;
    r->counts.rows = r->counts.elements = 0;
    enum tn_code code = dump_unwrap(r, form, tables, err);
    if (code) {
        r->counts = before;
        return code;
    }
    r->counts.dumped += r->counts.rows;
    json_t *old = json_object();
    for (size_t i = 0; i < r->n_tables; i++) {
        struct tn_copied_table *t = &r->tables[i];
        json_t *rows = json_incref(json_object_get(tables, t->name));
        json_object_set_new_nocheck(old, t->name, t->rows);
        t->rows = rows ? rows : json_object();
    }
    for (size_t i = 0; r->changed && i < r->n_tables; i++) {
        struct place p = {.r = r, .table = &r->tables[i]};
        table_compare(&p, json_object_get(old, r->tables[i].name));
    }
    tell(r);
    json_decref(old);
    return TN_OK;
}

enum tn_code
tn_replica_update(struct tn_replica *r, enum tn_replica_form form,
                  json_t *tables, struct tn_error *err)
{
    struct place p = {.r = r, .name = "update", .uuid = "", .err = err};
    enum tn_code code = TN_OK;
    const char *name;
    json_t *table;
    if (!json_is_object(tables)) {
        return bad(&p, NULL, "not an object of tables");
    }
    json_object_foreach(tables, name, table)
    {
        code = table_enter(&p, name, table);
        if (!code) {
            code = table_update(&p, form, table);
        }
        if (code) {
            break;
        }
    }
    tell(r);
    return code;
}
