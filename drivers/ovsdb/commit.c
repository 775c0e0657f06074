/* commit.c - steps as one OVSDB transaction.
 *
 * What a transaction is made of, in this order:
 *
 *     wait     every row that is changed or deleted is as it was observed, and
 *              nobody of our instance has written since (the revision)
 *     insert   new rows; what hangs on a new row comes with it
 *     update, mutate, delete
 *     mutate   one for each column of a row that gets or loses others, however
 *              many these are
 *
 * All of it happens or nothing does; the server checks, so that there is no
 * instant between comparing and writing. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/device.h"
#include "drivers/ovsdb/index.h"
#include "drivers/ovsdb/value.h"
#include "model/base/cleanup.h"

struct tn_stage {
    struct tn_session *session;
    const struct tn_step *steps;
    size_t n;
};

struct build {
    struct tn_session *s;
    const struct tn_step *steps;
    size_t n;
    struct tn_arena *arena;
    json_t *ops;
    TN_VEC(size_t) step_of; /* Of each operation: its step, or n. */
    json_t *named;          /* Key -> name of a row that is inserted. */
    json_t *gone;           /* Keys of rows that are deleted. */
    json_t *gains, *losses; /* Key of the holder -> column -> set. */
    bool *skip;             /* Of each step: nothing is to be done. */
    bool *wait;             /* Of those: as what it needs is not there yet. */
    struct tn_error *late;  /* Says for what the first one waits. */
    char revision[24];
    struct tn_error *err;
    enum tn_code code; /* The first thing that went wrong. */
};

static void
op_add(struct build *b, size_t step, json_t *op)
{
    json_array_append_new(b->ops, op);
    *tn_vec_push(b->arena, &b->step_of) = step;
}

static json_t *
where_uuid(const char *uuid)
{
    return json_pack("[[s, s, o]]", "_uuid", "==", tn_ovsdb_uuid(uuid));
}

static const struct tn_ovs_row *
row_of(const struct tn_resource *r)
{
    return r ? r->native : NULL;
}

/* ---- values ---- */

/* The row of a key: one of this transaction, or one that is there.  'table' as
 * in tn_ovs_index_uuid(). */
static json_t *
ref_json(const struct build *b, const char *table, const char *key)
{
    const char *name = json_string_value(json_object_get(b->named, key));
    const char *uuid = tn_ovs_index_uuid(b->s, table, key);
    if (name) {
        return tn_ovsdb_named_uuid(name);
    }
    if (strcmp(key, TN_OVS_ROOT_KEY) == 0) {
        (void) tn_ovs_root(b->s, &uuid);
    }
    if (!uuid && strncmp(key, "uuid:", 5) == 0) {
        uuid = key + 5;
    }
    return uuid ? tn_ovsdb_uuid(uuid) : NULL;
}

static json_t *
atom_json(const struct build *b, const struct tn_ovs_column *c,
          const char *text)
{
    switch (c->type) {
    case TN_OVS_INTEGER:
        return json_integer(strtoll(text, NULL, 10));
    case TN_OVS_BOOLEAN:
        return json_boolean(strcmp(text, "true") == 0);
    case TN_OVS_REF:
        return ref_json(b, NULL, text);
    case TN_OVS_TEXT:
    case TN_OVS_MAP:
    case TN_OVS_HOLDER:
        break;
    }
    return json_string(text);
}

/* Null: it refers to a row that does not exist; 'err' says so. */
static json_t *
value_json(struct build *b, const struct tn_resource *r, size_t column)
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
            if (!b->code) {
                b->code = tn_fail(b->err, TN_ESTALE, 0,
                                  "%s needs %s, which is not there", r->key,
                                  v->texts[i]);
                tn_error_at(b->err, r->origin);
            }
            return NULL;
        }
        tn_ovsdb_set_add(set, atom);
    }
    return set;
}

/* ---- who has whom ---- */

static json_t *
member(json_t *object, const char *key, json_t *(*make)(void) )
{
    json_t *o = json_object_get(object, key);
    if (!o) {
        o = make();
        json_object_set_new(object, key, o);
    }
    return o;
}

static void
note_holder(const struct build *b, json_t *list, const char *holder,
            const char *column, json_t *ref)
{
    json_t *columns = member(list, holder, json_object);
    (void) b;
    tn_ovsdb_set_add(member(columns, column, tn_ovsdb_set), ref);
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
static void
holders(struct build *b, const struct tn_ovs_row *before,
        const struct tn_ovs_row *after, json_t *self)
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
                note_holder(b, b->gains, is->texts[k], c->name,
                            json_incref(self));
            }
        }
        for (size_t k = 0; was && k < was->n; k++) {
            if (!has_text(is, was->texts[k]) &&
                !json_object_get(b->gone, was->texts[k])) {
                note_holder(b, b->losses, was->texts[k], c->name,
                            json_incref(self));
            }
        }
    }
    json_decref(self);
}

static void
mutate_holder(struct build *b, const char *holder, const char *mutator,
              const char *column, json_t *set)
{
    json_t *ref = NULL;
    const char *uuid = NULL, *table = NULL;
    for (size_t i = 0; !table && i < b->s->model->n_kinds; i++) {
        const char *t = b->s->model->kinds[i]->table;
        json_decref(ref);
        ref = ref_json(b, t, holder);
        uuid = ref ? tn_ovsdb_uuid_of(ref) : NULL;
        table = uuid && tn_ovsdb_row(b->s->db, t, uuid) ? t : NULL;
    }
    if (table) {
        op_add(b, b->n,
               json_pack("{s:s, s:s, s:o, s:[[s, s, O]]}", "op", "mutate",
                         "table", table, "where", where_uuid(uuid), "mutations",
                         column, mutator, set));
    } else if (!b->code) {
        b->code = tn_fail(b->err, TN_ESTALE, 0, "%s is not there", holder);
    }
    json_decref(ref);
}

static void
mutate_holders(struct build *b, json_t *list, const char *mutator)
{
    const char *holder, *column;
    json_t *columns, *set;
    json_object_foreach(list, holder, columns)
    {
        if (!json_object_get(b->named, holder)) {
            json_object_foreach(columns, column, set)
            {
                mutate_holder(b, holder, mutator, column, set);
            }
        }
    }
}

/* ---- operations of a step ---- */

static json_t *
marks(const struct build *b, const struct tn_resource *r)
{
    json_t *map = tn_ovsdb_map();
    tn_ovsdb_map_add(map, json_string(TN_OVS_INSTANCE),
                     json_string(b->s->device->instance));
    tn_ovsdb_map_add(map, json_string(TN_OVS_KEY), json_string(r->key));
    tn_ovsdb_map_add(map, json_string(TN_OVS_REVISION),
                     json_string(b->revision));
    tn_ovsdb_map_add(map, json_string(TN_OVS_SCOPE), json_string(r->scope));
    return map;
}

/* Columns of a new row, or of its child. */
static json_t *
columns_of(struct build *b, const struct tn_resource *r, bool child)
{
    const struct tn_ovs_row *row = r->native;
    json_t *columns = json_object();
    json_object_set_new(columns, "external_ids", marks(b, r));
    for (size_t i = 0; i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        if (c->type == TN_OVS_HOLDER || c->child != child ||
            !row->values[i].n) {
            continue;
        }
        if (c->member) {
            tn_ovsdb_map_add(member(columns, c->name, tn_ovsdb_map),
                             json_string(c->member),
                             json_string(row->values[i].texts[0]));
        } else {
            json_object_set_new(columns, c->name, value_json(b, r, i));
        }
    }
    return columns;
}

static void
op_insert(struct build *b, size_t step, const struct tn_resource *r)
{
    const struct tn_ovs_kind *kind = row_of(r)->kind;
    const char *name = json_string_value(json_object_get(b->named, r->key));
    json_t *columns = columns_of(b, r, false);
    json_object_update(columns, json_object_get(b->gains, r->key));
    if (kind->child) {
        const char *child = tn_arena_printf(b->arena, "%sc", name);
        json_object_set_new(columns, kind->child_column,
                            tn_ovsdb_named_uuid(child));
        op_add(b, step,
               json_pack("{s:s, s:s, s:o, s:s}", "op", "insert", "table",
                         kind->child, "row", columns_of(b, r, true),
                         "uuid-name", child));
    }
    op_add(b, step,
           json_pack("{s:s, s:s, s:o, s:s}", "op", "insert", "table",
                     kind->table, "row", columns, "uuid-name", name));
}

/* The row, or its child, is as observed: in 'columns' of it.  Of a map of which
 * we have single keys, these are a matter of which row is found at all. */
static void
op_wait(struct build *b, size_t step, const struct tn_resource *before,
        const bool *columns, bool child)
{
    const struct tn_ovs_row *row = before->native;
    const char *table = child ? row->kind->child : row->kind->table;
    const char *uuid = child ? row->child : row->uuid;
    json_t *names = json_pack("[s]", "_uuid"), *where = where_uuid(uuid);
    json_t *values = json_pack("{s:o}", "_uuid", tn_ovsdb_uuid(uuid));
    for (size_t i = 0; i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        if (!columns[i] || c->type == TN_OVS_HOLDER || c->child != child ||
            !tn_ovsdb_has(b->s->db, table, c->name)) {
            continue;
        }
        if (!c->member) {
            json_array_append_new(names, json_string(c->name));
            json_object_set_new(values, c->name, value_json(b, before, i));
        } else if (row->values[i].n) {
            json_array_append_new(
                where, json_pack("[s, s, [s, [[s, s]]]]", c->name, "includes",
                                 "map", c->member, row->values[i].texts[0]));
        }
    }
    op_add(b, step,
           json_pack("{s:s, s:s, s:i, s:o, s:o, s:s, s:[o]}", "op", "wait",
                     "table", table, "timeout", 0, "where", where, "columns",
                     names, "until", "==", "rows", values));
}

/* Some keys of a map: those of 'drop' go, then 'map' comes. */
static void
op_mutate_map(struct build *b, size_t step, const char *table, const char *uuid,
              const char *column, json_t *drop, json_t *map)
{
    op_add(b, step,
           json_pack("{s:s, s:s, s:o, s:[[s, s, o], [s, s, o]]}", "op",
                     "mutate", "table", table, "where", where_uuid(uuid),
                     "mutations", column, "delete", drop, column, "insert",
                     map));
}

static void
op_remark(struct build *b, size_t step, const struct tn_resource *r,
          const char *uuid, bool keep)
{
    static const char *const names[] = {TN_OVS_INSTANCE, TN_OVS_KEY,
                                        TN_OVS_REVISION, TN_OVS_SCOPE};
    json_t *drop = tn_ovsdb_set();
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        tn_ovsdb_set_add(drop, json_string(names[i]));
    }
    op_mutate_map(b, step, row_of(r)->kind->table, uuid, "external_ids", drop,
                  keep ? marks(b, r) : tn_ovsdb_map());
}

/* The row that is changed: the resource's own or its child. */
struct target {
    const char *table, *uuid;
    bool child;
};

/* Columns that are one key of a map. */
static void
op_members(struct build *b, size_t step, const struct tn_resource *r,
           const struct target *to, const bool *columns, bool keep)
{
    const struct tn_ovs_row *row = r->native;
    for (size_t i = 0; i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        if (!c->member || !columns[i] || c->child != to->child) {
            continue;
        }
        json_t *drop = tn_ovsdb_set(), *map = tn_ovsdb_map();
        tn_ovsdb_set_add(drop, json_string(c->member));
        if (keep && row->values[i].n) {
            tn_ovsdb_map_add(map, json_string(c->member),
                             json_string(row->values[i].texts[0]));
        }
        op_mutate_map(b, step, to->table, to->uuid, c->name, drop, map);
    }
}

static void
op_update(struct build *b, size_t step, const struct tn_resource *after,
          const struct target *to, const bool *columns)
{
    const struct tn_ovs_row *row = after->native;
    json_t *values = json_object();
    for (size_t i = 0; i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        if (columns[i] && c->type != TN_OVS_HOLDER && !c->member &&
            c->child == to->child) {
            json_object_set_new(values, c->name, value_json(b, after, i));
        }
    }
    op_members(b, step, after, to, columns, true);
    if (json_object_size(values)) {
        op_add(b, step,
               json_pack("{s:s, s:s, s:o, s:o}", "op", "update", "table",
                         to->table, "where", where_uuid(to->uuid), "row",
                         values));
    } else {
        json_decref(values);
    }
}

static bool *
columns_changed(const struct build *b, const struct tn_ovs_row *before,
                const struct tn_ovs_row *after)
{
    size_t n = (before ? before : after)->kind->n_columns;
    bool *changed = tn_new_n(b->arena, bool, n);
    for (size_t i = 0; i < n; i++) {
        changed[i] = !before || !after ||
                     !tn_ovs_value_equal(&before->values[i], &after->values[i]);
    }
    return changed;
}

static void
step_update(struct build *b, size_t i)
{
    const struct tn_step *step = &b->steps[i];
    const struct tn_ovs_row *was = row_of(step->before);
    const struct tn_ovs_row *is = row_of(step->after);
    const char *uuid = was ? was->uuid : NULL;
    if (is->kind->flags & TN_OVS_SINGLE && !uuid) {
        (void) tn_ovs_root(b->s, &uuid);
    }
    const bool *columns = columns_changed(b, was, is);
    const struct target own = {is->kind->table, uuid, false};
    op_update(b, i, step->after, &own, columns);
    if (was && was->child) {
        const struct target child = {is->kind->child, was->child, true};
        op_update(b, i, step->after, &child, columns);
    }
    op_remark(b, i, step->after, uuid, true);
    holders(b, was, is, tn_ovsdb_uuid(uuid));
}

static void
step_delete(struct build *b, size_t i)
{
    const struct tn_step *step = &b->steps[i];
    const struct tn_ovs_row *was = row_of(step->before);
    if (was->kind->flags & TN_OVS_SINGLE) {
        const struct target own = {was->kind->table, was->uuid, false};
        op_members(b, i, step->before, &own, columns_changed(b, was, NULL),
                   false);
        op_remark(b, i, step->before, was->uuid, false);
        return;
    }
    if (was->kind->flags & TN_OVS_ROOT) {
        op_add(b, i,
               json_pack("{s:s, s:s, s:o}", "op", "delete", "table",
                         was->kind->table, "where", where_uuid(was->uuid)));
        return;
    }
    holders(b, was, NULL, tn_ovsdb_uuid(was->uuid));
}

static bool
is_insert(const struct tn_step *step)
{
    const struct tn_ovs_row *row = row_of(step->after);
    return row && !(row->kind->flags & TN_OVS_SINGLE) &&
           (step->op == TN_OP_CREATE || step->op == TN_OP_REPLACE);
}

static bool
is_delete(const struct tn_step *step)
{
    return step->op == TN_OP_DELETE ||
           (step->op == TN_OP_REPLACE &&
            !(row_of(step->before)->kind->flags & TN_OVS_SINGLE));
}

/* A row that others make and that is not there yet; null: all are. */
static const char *
missing(const struct build *b, const struct tn_ovs_row *row)
{
    static const char prefix[] = TN_OVS_BY_NAME;
    for (size_t i = 0; row && i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        for (size_t k = 0; c->type == TN_OVS_HOLDER && k < row->values[i].n;
             k++) {
            const char *text = row->values[i].texts[k];
            if (strncmp(text, prefix, sizeof prefix - 1) == 0 &&
                !tn_ovs_index_uuid(b->s, c->table, text)) {
                return text + sizeof prefix - 1;
            }
        }
    }
    return NULL;
}

static enum tn_code
wait_for(struct build *b, size_t step, const char *what)
{
    const struct tn_resource *r = b->steps[step].after;
    b->skip[step] = b->wait[step] = true;
    if (b->late->code) {
        return TN_OK;
    }
    enum tn_code code =
        tn_fail(b->late, TN_EUNAVAILABLE, 0,
                "%s waits for %s, which others make", r->key, what);
    tn_error_at(b->late, r->origin);
    return code == TN_EUNAVAILABLE ? TN_OK : code;
}

/* Steps that somebody has done already, or that have to wait. */
static enum tn_code
sort_out(struct build *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct tn_step *step = &b->steps[i];
        const char *key = (step->after ? step->after : step->before)->key;
        const char *what = missing(b, row_of(step->after));
        if (what) {
            enum tn_code code = wait_for(b, i, what);
            if (code) {
                return code;
            }
            continue;
        }
        if (step->op == TN_OP_CREATE && tn_ovs_index_key(b->s, key)) {
            const struct tn_resource *have = tn_ovs_lookup(b->s, b->arena, key);
            b->skip[i] = have && tn_resource_same(have, step->after);
            if (!b->skip[i]) {
                enum tn_code code = tn_fail(b->err, TN_ESTALE, 0,
                                            "%s has appeared meanwhile", key);
                tn_error_at(b->err, step->after->origin);
                return code;
            }
        }
        if (step->op == TN_OP_DELETE) {
            const struct tn_ovs_row *was = row_of(step->before);
            b->skip[i] = !tn_ovs_index_ours(b->s, was->uuid);
        }
    }
    return TN_OK;
}

static void
names_give(struct build *b)
{
    char name[24];
    for (size_t i = 0; i < b->n; i++) {
        if (!b->skip[i] && is_insert(&b->steps[i])) {
            snprintf(name, sizeof name, "r%zu", i);
            json_object_set_new(b->named, b->steps[i].after->key,
                                json_string(name));
        }
        if (!b->skip[i] && is_delete(&b->steps[i])) {
            json_object_set_new(b->gone, b->steps[i].before->key, json_true());
        }
    }
}

static void
waits(struct build *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct tn_step *step = &b->steps[i];
        const struct tn_ovs_row *was = row_of(step->before);
        if (b->skip[i] || !was || !was->uuid) {
            continue;
        }
        const bool *columns = columns_changed(
            b, was, step->op == TN_OP_UPDATE ? row_of(step->after) : NULL);
        op_wait(b, i, step->before, columns, false);
        if (was->child) {
            op_wait(b, i, step->before, columns, true);
        }
    }
}

/* Our counter in the root row: it is as we know it, and goes up. */
static void
count_up(struct build *b)
{
    char key[300], was[24];
    const char *uuid = NULL;
    const json_t *root = tn_ovs_root(b->s, &uuid);
    long long revision = tn_ovs_revision(b->s);
    if (!root) {
        return;
    }
    snprintf(key, sizeof key, TN_OVS_REVISION "-%s", b->s->device->instance);
    snprintf(was, sizeof was, "%lld", revision);
    if (revision) {
        op_add(b, b->n,
               json_pack("{s:s, s:s, s:i, s:[[s, s, o], [s, s, [s, [[s, "
                         "s]]]]], s:[s], s:s, s:[{s:o}]}",
                         "op", "wait", "table", b->s->model->root, "timeout", 0,
                         "where", "_uuid", "==", tn_ovsdb_uuid(uuid),
                         "external_ids", "includes", "map", key, was, "columns",
                         "_uuid", "until", "==", "rows", "_uuid",
                         tn_ovsdb_uuid(uuid)));
    }
    json_t *drop = tn_ovsdb_set(), *map = tn_ovsdb_map();
    tn_ovsdb_set_add(drop, json_string(key));
    tn_ovsdb_map_add(map, json_string(key), json_string(b->revision));
    op_mutate_map(b, b->n, b->s->model->root, uuid, "external_ids", drop, map);
}

/* Who is held by new rows must be known before these are written. */
static void
changes(struct build *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct tn_step *step = &b->steps[i];
        if (!b->skip[i] && is_insert(step)) {
            holders(b, NULL, row_of(step->after),
                    ref_json(b, NULL, step->after->key));
        }
        if (!b->skip[i] && is_delete(step)) {
            step_delete(b, i);
        } else if (!b->skip[i] && !is_insert(step)) {
            step_update(b, i);
        }
    }
    for (size_t i = 0; i < b->n; i++) {
        if (!b->skip[i] && is_insert(&b->steps[i])) {
            op_insert(b, i, b->steps[i].after);
        }
    }
    mutate_holders(b, b->losses, "delete");
    mutate_holders(b, b->gains, "insert");
}

static enum tn_code
operations(struct build *b)
{
    enum tn_code code = tn_ovsdb_catch_up(b->s->db, TN_OVS_TIMEOUT_MS, b->err);
    if (!code) {
        code = sort_out(b);
    }
    snprintf(b->revision, sizeof b->revision, "%lld",
             tn_ovs_revision(b->s) + 1);
    if (!code) {
        names_give(b);
        waits(b);
        count_up(b);
        changes(b);
        code = b->code;
    }
    if (!code && b->s->model->seal) {
        b->s->model->seal(b->s, b->ops);
    }
    return code;
}

static void
build_done(struct build *b)
{
    json_decref(b->named);
    json_decref(b->gone);
    json_decref(b->gains);
    json_decref(b->losses);
    json_decref(b->ops);
}

static enum tn_code
send(struct build *b, enum tn_outcome *outcomes, size_t *failed,
     struct tn_error *err)
{
    struct tn_ovsdb_result result = {0};
    enum tn_code code =
        tn_ovsdb_transact(b->s->db, b->ops, TN_OVS_TIMEOUT_MS, &result, err);
    b->ops = NULL;
    if (code && result.op < b->step_of.n) {
        *failed = b->step_of.items[result.op];
        if (*failed < b->n) {
            const struct tn_step *step = &b->steps[*failed];
            const struct tn_resource *r =
                step->after ? step->after : step->before;
            tn_error_at(err, r->origin);
            code = tn_while(err, code, "%s", r->key);
        }
    }
    for (size_t i = 0; i < b->n; i++) {
        outcomes[i] = !code          ? TN_STEP_DONE
                      : i == *failed ? TN_STEP_FAILED
                                     : TN_STEP_PENDING;
    }
    if (!code && b->s->model->settle) {
        struct tn_error late = {0};
        if (b->s->model->settle(b->s, result.results, b->steps, b->n, outcomes,
                                &late)) {
            *b->late = late;
        }
    }
    json_decref(result.results);
    return code;
}

enum tn_code
tn_ovs_stage(struct tn_session *session, const struct tn_step *steps, size_t n,
             struct tn_stage **out, struct tn_error *err)
{
    struct tn_stage *stage = calloc(1, sizeof *stage);
    if (!stage) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    *stage = (struct tn_stage){session, steps, n};
    *out = stage;
    return TN_OK;
}

enum tn_code
tn_ovs_commit(struct tn_stage *stage, enum tn_outcome *outcomes, size_t *failed,
              struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_error late = {0};
    struct build b = {
        .s = stage->session,
        .steps = stage->steps,
        .n = stage->n,
        .arena = arena,
        .ops = json_array(),
        .named = json_object(),
        .gone = json_object(),
        .gains = json_object(),
        .losses = json_object(),
        .skip = tn_new_n(arena, bool, stage->n),
        .wait = tn_new_n(arena, bool, stage->n),
        .late = &late,
        .err = err,
    };
    *failed = b.n;
    memset(outcomes, 0, b.n * sizeof *outcomes);
    enum tn_code code = operations(&b);
    if (!code) {
        code = send(&b, outcomes, failed, err);
    }
    for (size_t i = 0; !code && i < b.n; i++) {
        outcomes[i] = b.wait[i] ? TN_STEP_WAITING : outcomes[i];
    }
    if (!code && late.code) {
        *err = late;
    }
    build_done(&b);
    tn_ovs_rollback(stage);
    return code;
}

void
tn_ovs_rollback(struct tn_stage *stage)
{
    free(stage);
}
