/* write.c - what a transaction says of rows and values: see commit_part.h.
 *
 * New rows, which are most of a large transaction, are written as text; other
 * operations are few, and made of objects. */
#include "drivers/ovsdb/commit_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/index.h"
#include "drivers/ovsdb/value.h"

void
tn_ovs_op_add(struct tn_ovs_build *b, size_t step, json_t *op)
{
    if (!tn_ovs_ops_add(&b->ops, op) && !b->code) {
        b->code =
            tn_fail(b->err, TN_EINTERNAL, 0, "operation cannot be encoded");
    }
    *tn_vec_push(b->arena, &b->step_of) = step;
}

json_t *
tn_ovs_where_uuid(const char *uuid)
{
    return json_pack("[[s, s, o]]", "_uuid", "==", tn_ovsdb_uuid(uuid));
}

const struct tn_ovs_row *
tn_ovs_row_of(const struct tn_resource *r)
{
    return r ? r->native : NULL;
}

/* ---- values ---- */

/* The row of a key: one of this transaction, or one that is there.  'table' as
 * in tn_ovs_index_uuid(). */
struct tn_ovs_ref
tn_ovs_ref_of(const struct tn_ovs_build *b, const char *table, const char *key)
{
    const char *name = tn_map_get(&b->named, key);
    if (name) {
        return (struct tn_ovs_ref){name, true};
    }
    const char *uuid = tn_ovs_index_uuid(b->s, table, key);
    if (strcmp(key, TN_OVS_ROOT_KEY) == 0) {
        (void) tn_ovs_root(b->s, &uuid);
    }
    if (!uuid && strncmp(key, "uuid:", 5) == 0) {
        uuid = key + 5;
    }
    return (struct tn_ovs_ref){uuid, false};
}

static json_t *
ref_json(const struct tn_ovs_ref *ref)
{
    return !ref->text   ? NULL
           : ref->named ? tn_ovsdb_named_uuid(ref->text)
                        : tn_ovsdb_uuid(ref->text);
}

static json_t *
atom_json(const struct tn_ovs_build *b, const struct tn_ovs_column *c,
          const char *text)
{
    switch (c->type) {
    case TN_OVS_INTEGER:
        return json_integer(strtoll(text, NULL, 10));
    case TN_OVS_BOOLEAN:
        return json_boolean(strcmp(text, "true") == 0);
    case TN_OVS_REF: {
        const struct tn_ovs_ref ref = tn_ovs_ref_of(b, NULL, text);
        return ref_json(&ref);
    }
    case TN_OVS_TEXT:
    case TN_OVS_MAP:
    case TN_OVS_HOLDER:
        break;
    }
    return json_string(text);
}

static void
not_there(struct tn_ovs_build *b, const struct tn_resource *r, const char *what)
{
    if (!b->code) {
        b->code = tn_fail(b->err, TN_ESTALE, 0,
                          "%s needs %s, which is not there", r->key, what);
        tn_error_at(b->err, r->origin);
    }
}

/* Null: it refers to a row that does not exist; 'err' says so. */
json_t *
tn_ovs_value_json(struct tn_ovs_build *b, const struct tn_resource *r,
                  size_t column)
{
    const struct tn_ovs_row *row = r->native;
    const struct tn_ovs_column *c = &row->kind->columns[column];
    const struct tn_ovs_value *v = &row->values[column];
    if (c->type == TN_OVS_MAP) {
        json_t *map = tn_ovsdb_map();
        for (size_t i = 0; i + 1 < v->n; i += 2) {
            tn_ovsdb_map_add(map, json_string(v->texts[i]),
                             json_string(v->texts[i + 1]));
        }
        return map;
    }
    if (!c->set) {
        return atom_json(b, c, v->n ? v->texts[0] : tn_ovs_nothing(c));
    }
    json_t *set = tn_ovsdb_set();
    for (size_t i = 0; i < v->n; i++) {
        json_t *atom = atom_json(b, c, v->texts[i]);
        if (!atom) {
            json_decref(set);
            not_there(b, r, v->texts[i]);
            return NULL;
        }
        tn_ovsdb_set_add(set, atom);
    }
    return set;
}

/* ---- who has whom ---- */

static void
note_holder(struct tn_ovs_build *b, struct tn_ovs_shares *list,
            const char *holder, const char *column,
            const struct tn_ovs_ref *ref)
{
    struct tn_ovs_share *first = tn_map_get(&list->of, holder), *at = first;
    while (at && strcmp(at->column, column) != 0) {
        at = at->next;
    }
    if (!at) {
        at = tn_new(b->arena, struct tn_ovs_share);
        at->holder = holder;
        at->column = column;
        at->next = first;
        (void) tn_map_put(&list->of, holder, at);
        *tn_vec_push(b->arena, &list->all) = at;
    }
    *tn_vec_push(b->arena, &at->refs) = *ref;
}

static bool
has_text(const struct tn_ovs_value *v, const char *text)
{
    bool found = false;
    for (size_t i = 0; v && !found && i < v->n; i++) {
        found = strcmp(v->texts[i], text) == 0;
    }
    return found;
}

/* Notes by whom 'self' is to be held in future, and by whom no longer. */
void
tn_ovs_holders(struct tn_ovs_build *b, const struct tn_ovs_row *before,
               const struct tn_ovs_row *after, const struct tn_ovs_ref *self)
{
    const struct tn_ovs_kind *kind = (after ? after : before)->kind;
    for (size_t i = 0; i < kind->n_columns; i++) {
        const struct tn_ovs_column *c = &kind->columns[i];
        const struct tn_ovs_value *was = before ? &before->values[i] : NULL;
        const struct tn_ovs_value *is = after ? &after->values[i] : NULL;
        if (c->type != TN_OVS_HOLDER) {
            continue;
        }
        for (size_t k = 0; is && k < is->n; k++) {
            if (!has_text(was, is->texts[k])) {
                note_holder(b, &b->gains, is->texts[k], c->name, self);
            }
        }
        for (size_t k = 0; was && k < was->n; k++) {
            if (!has_text(is, was->texts[k]) &&
                !tn_map_get(&b->gone, was->texts[k])) {
                note_holder(b, &b->losses, was->texts[k], c->name, self);
            }
        }
    }
}

static void
mutate_holder(struct tn_ovs_build *b, const struct tn_ovs_share *share,
              const char *mutator)
{
    const char *uuid = NULL, *table = NULL;
    for (size_t i = 0; !table && i < b->s->model->n_kinds; i++) {
        const char *t = b->s->model->kinds[i]->table;
        const struct tn_ovs_ref ref = tn_ovs_ref_of(b, t, share->holder);
        uuid = ref.named ? NULL : ref.text;
        table = uuid && tn_ovsdb_row(b->s->db, t, uuid) ? t : NULL;
    }
    if (!table) {
        if (!b->code) {
            b->code =
                tn_fail(b->err, TN_ESTALE, 0, "%s is not there", share->holder);
        }
        return;
    }
    json_t *set = tn_ovsdb_set();
    for (size_t i = 0; i < share->refs.n; i++) {
        tn_ovsdb_set_add(set, ref_json(&share->refs.items[i]));
    }
    tn_ovs_op_add(b, b->n,
                  json_pack("{s:s, s:s, s:o, s:[[s, s, o]]}", "op", "mutate",
                            "table", table, "where", tn_ovs_where_uuid(uuid),
                            "mutations", share->column, mutator, set));
}

void
tn_ovs_mutate_holders(struct tn_ovs_build *b, const struct tn_ovs_shares *list,
                      const char *mutator)
{
    for (size_t i = 0; i < list->all.n; i++) {
        const struct tn_ovs_share *share = list->all.items[i];
        if (!tn_map_get(&b->named, share->holder)) {
            mutate_holder(b, share, mutator);
        }
    }
}

/* ---- inserts ---- */

static void
put_atom(struct tn_ovs_build *b, const struct tn_resource *r,
         const struct tn_ovs_column *c, const char *text)
{
    char number[24];
    switch (c->type) {
    case TN_OVS_INTEGER:
        snprintf(number, sizeof number, "%lld", strtoll(text, NULL, 10));
        tn_ovs_put_plain(&b->ops, number);
        return;
    case TN_OVS_BOOLEAN:
        tn_ovs_put_plain(&b->ops, strcmp(text, "true") == 0 ? "true" : "false");
        return;
    case TN_OVS_REF: {
        const struct tn_ovs_ref ref = tn_ovs_ref_of(b, NULL, text);
        if (ref.text) {
            tn_ovs_put_ref(&b->ops, &ref);
        } else {
            not_there(b, r, text);
        }
        return;
    }
    case TN_OVS_TEXT:
    case TN_OVS_MAP:
    case TN_OVS_HOLDER:
        break;
    }
    tn_ovs_put_string(&b->ops, text);
}

static void
put_value(struct tn_ovs_build *b, const struct tn_resource *r, size_t column)
{
    const struct tn_ovs_row *row = r->native;
    const struct tn_ovs_column *c = &row->kind->columns[column];
    const struct tn_ovs_value *v = &row->values[column];
    bool map = c->type == TN_OVS_MAP;
    if (!map && (!c->set || v->n == 1)) {
        put_atom(b, r, c, v->texts[0]);
        return;
    }
    tn_ovs_insert_open(&b->ops, map ? "map" : "set");
    for (size_t i = 0; i + map < v->n; i += 1u + map) {
        if (map) {
            tn_ovs_put_pair(&b->ops, v->texts[i], v->texts[i + 1]);
        } else {
            put_atom(b, r, c, v->texts[i]);
        }
    }
    tn_ovs_insert_close(&b->ops);
}

/* Those of our keys that are columns, too. */
static void
put_members(struct tn_ovs_build *b, const struct tn_ovs_row *row,
            const char *column, bool child)
{
    for (size_t i = 0; i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        if (c->member && c->child == child && row->values[i].n &&
            strcmp(c->name, column) == 0) {
            tn_ovs_put_pair(&b->ops, c->member, row->values[i].texts[0]);
        }
    }
}

/* Is it the first key of its map, which is not the one of the marks? */
static bool
opens_map(const struct tn_ovs_row *row, size_t column)
{
    const struct tn_ovs_column *c = &row->kind->columns[column];
    bool first = strcmp(c->name, "external_ids") != 0;
    for (size_t i = 0; first && i < column; i++) {
        const struct tn_ovs_column *o = &row->kind->columns[i];
        first = !(o->member && o->child == c->child && row->values[i].n &&
                  strcmp(o->name, c->name) == 0);
    }
    return first;
}

static void
put_marks(struct tn_ovs_build *b, const struct tn_resource *r, bool child)
{
    tn_ovs_insert_column(&b->ops, "external_ids");
    tn_ovs_insert_open(&b->ops, "map");
    tn_ovs_put_pair(&b->ops, TN_OVS_INSTANCE, b->s->device->instance);
    tn_ovs_put_pair(&b->ops, TN_OVS_KEY, r->key);
    tn_ovs_put_pair(&b->ops, TN_OVS_REVISION, b->revision);
    tn_ovs_put_pair(&b->ops, TN_OVS_SCOPE, r->scope);
    put_members(b, r->native, "external_ids", child);
    tn_ovs_insert_close(&b->ops);
}

/* Columns of a new row, or of its child. */
static void
put_columns(struct tn_ovs_build *b, const struct tn_resource *r, bool child)
{
    const struct tn_ovs_row *row = r->native;
    put_marks(b, r, child);
    for (size_t i = 0; i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        if (c->type == TN_OVS_HOLDER || c->child != child ||
            !row->values[i].n || (c->member && !opens_map(row, i))) {
            continue;
        }
        tn_ovs_insert_column(&b->ops, c->name);
        if (c->member) {
            tn_ovs_insert_open(&b->ops, "map");
            put_members(b, row, c->name, child);
            tn_ovs_insert_close(&b->ops);
        } else {
            put_value(b, r, i);
        }
    }
}

static void
put_gains(struct tn_ovs_build *b, const char *key)
{
    for (const struct tn_ovs_share *at = tn_map_get(&b->gains.of, key); at;
         at = at->next) {
        tn_ovs_insert_column(&b->ops, at->column);
        tn_ovs_insert_open(&b->ops, "set");
        for (size_t i = 0; i < at->refs.n; i++) {
            tn_ovs_put_ref(&b->ops, &at->refs.items[i]);
        }
        tn_ovs_insert_close(&b->ops);
    }
}

void
tn_ovs_op_insert(struct tn_ovs_build *b, size_t step,
                 const struct tn_resource *r)
{
    const struct tn_ovs_kind *kind = tn_ovs_row_of(r)->kind;
    const char *name = tn_map_get(&b->named, r->key);
    struct tn_ovs_ref child = {NULL, true};
    if (kind->child) {
        child.text = tn_arena_printf(b->arena, "%sc", name);
        tn_ovs_insert_begin(&b->ops, kind->child);
        put_columns(b, r, true);
        tn_ovs_insert_end(&b->ops, child.text);
        *tn_vec_push(b->arena, &b->step_of) = step;
    }
    tn_ovs_insert_begin(&b->ops, kind->table);
    put_columns(b, r, false);
    put_gains(b, r->key);
    if (child.text) {
        tn_ovs_insert_column(&b->ops, kind->child_column);
        tn_ovs_put_ref(&b->ops, &child);
    }
    tn_ovs_insert_end(&b->ops, name);
    *tn_vec_push(b->arena, &b->step_of) = step;
}
