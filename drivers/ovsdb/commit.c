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
#include "drivers/ovsdb/commit_part.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/index.h"
#include "drivers/ovsdb/value.h"
#include "model/base/cleanup.h"

struct tn_stage {
    struct tn_session *session;
    const struct tn_step *steps;
    size_t n;
};

/* ---- operations of a step ---- */

static json_t *
marks(const struct tn_ovs_build *b, const struct tn_resource *r)
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

/* ---- waits and changes ---- */

/* The row, or its child, is as observed: in 'columns' of it.  Of a map of which
 * we have single keys, these are a matter of which row is found at all. */
static void
op_wait(struct tn_ovs_build *b, size_t step, const struct tn_resource *before,
        const bool *columns, bool child)
{
    const struct tn_ovs_row *row = before->native;
    const char *table = child ? row->kind->child : row->kind->table;
    const char *uuid = child ? row->child : row->uuid;
    json_t *names = json_pack("[s]", "_uuid"), *where = tn_ovs_where_uuid(uuid);
    json_t *values = json_pack("{s:o}", "_uuid", tn_ovsdb_uuid(uuid));
    for (size_t i = 0; i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        if (!columns[i] || c->type == TN_OVS_HOLDER || c->child != child ||
            !tn_ovsdb_has(b->s->db, table, c->name)) {
            continue;
        }
        if (!c->member) {
            json_array_append_new(names, json_string(c->name));
            json_object_set_new(values, c->name,
                                tn_ovs_value_json(b, before, i));
        } else if (row->values[i].n) {
            json_array_append_new(
                where, json_pack("[s, s, [s, [[s, s]]]]", c->name, "includes",
                                 "map", c->member, row->values[i].texts[0]));
        }
    }
    tn_ovs_op_add(b, step,
                  json_pack("{s:s, s:s, s:i, s:o, s:o, s:s, s:[o]}", "op",
                            "wait", "table", table, "timeout", 0, "where",
                            where, "columns", names, "until", "==", "rows",
                            values));
}

/* Some keys of a map: those of 'drop' go, then 'map' comes. */
static void
op_mutate_map(struct tn_ovs_build *b, size_t step, const char *table,
              const char *uuid, const char *column, json_t *drop, json_t *map)
{
    tn_ovs_op_add(b, step,
                  json_pack("{s:s, s:s, s:o, s:[[s, s, o], [s, s, o]]}", "op",
                            "mutate", "table", table, "where",
                            tn_ovs_where_uuid(uuid), "mutations", column,
                            "delete", drop, column, "insert", map));
}

static void
op_remark(struct tn_ovs_build *b, size_t step, const struct tn_resource *r,
          const char *uuid, bool keep)
{
    static const char *const names[] = {TN_OVS_INSTANCE, TN_OVS_KEY,
                                        TN_OVS_REVISION, TN_OVS_SCOPE};
    json_t *drop = tn_ovsdb_set();
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        tn_ovsdb_set_add(drop, json_string(names[i]));
    }
    op_mutate_map(b, step, tn_ovs_row_of(r)->kind->table, uuid, "external_ids",
                  drop, keep ? marks(b, r) : tn_ovsdb_map());
}

/* The row that is changed: the resource's own or its child. */
struct target {
    const char *table, *uuid;
    bool child;
};

/* Columns that are one key of a map. */
static void
op_members(struct tn_ovs_build *b, size_t step, const struct tn_resource *r,
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
op_update(struct tn_ovs_build *b, size_t step, const struct tn_resource *after,
          const struct target *to, const bool *columns)
{
    const struct tn_ovs_row *row = after->native;
    json_t *values = json_object();
    for (size_t i = 0; i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        if (columns[i] && c->type != TN_OVS_HOLDER && !c->member &&
            c->child == to->child) {
            json_object_set_new(values, c->name,
                                tn_ovs_value_json(b, after, i));
        }
    }
    op_members(b, step, after, to, columns, true);
    if (json_object_size(values)) {
        tn_ovs_op_add(b, step,
                      json_pack("{s:s, s:s, s:o, s:o}", "op", "update", "table",
                                to->table, "where", tn_ovs_where_uuid(to->uuid),
                                "row", values));
    } else {
        json_decref(values);
    }
}

static bool *
columns_changed(const struct tn_ovs_build *b, const struct tn_ovs_row *before,
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
step_update(struct tn_ovs_build *b, size_t i)
{
    const struct tn_step *step = &b->steps[i];
    const struct tn_ovs_row *was = tn_ovs_row_of(step->before);
    const struct tn_ovs_row *is = tn_ovs_row_of(step->after);
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
    const struct tn_ovs_ref self = {uuid, false};
    tn_ovs_holders(b, was, is, &self);
}

static void
step_delete(struct tn_ovs_build *b, size_t i)
{
    const struct tn_step *step = &b->steps[i];
    const struct tn_ovs_row *was = tn_ovs_row_of(step->before);
    if (was->kind->flags & TN_OVS_SINGLE) {
        const struct target own = {was->kind->table, was->uuid, false};
        op_members(b, i, step->before, &own, columns_changed(b, was, NULL),
                   false);
        op_remark(b, i, step->before, was->uuid, false);
        return;
    }
    if (was->kind->flags & TN_OVS_ROOT) {
        tn_ovs_op_add(b, i,
                      json_pack("{s:s, s:s, s:o}", "op", "delete", "table",
                                was->kind->table, "where",
                                tn_ovs_where_uuid(was->uuid)));
        return;
    }
    const struct tn_ovs_ref self = {was->uuid, false};
    tn_ovs_holders(b, was, NULL, &self);
}

static bool
is_insert(const struct tn_step *step)
{
    const struct tn_ovs_row *row = tn_ovs_row_of(step->after);
    return row && !(row->kind->flags & TN_OVS_SINGLE) &&
           (step->op == TN_OP_CREATE || step->op == TN_OP_REPLACE);
}

static bool
is_delete(const struct tn_step *step)
{
    return step->op == TN_OP_DELETE ||
           (step->op == TN_OP_REPLACE &&
            !(tn_ovs_row_of(step->before)->kind->flags & TN_OVS_SINGLE));
}

/* A row that others make and that is not there yet; null: all are. */
static const char *
missing(const struct tn_ovs_build *b, const struct tn_ovs_row *row)
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

static void
wait_for(struct tn_ovs_build *b, size_t step, const char *what)
{
    const struct tn_resource *r = b->steps[step].after;
    assert(r);
    b->skip[step] = b->wait[step] = true;
    if (!b->waits) {
        b->waits = tn_fail(b->late, TN_EUNAVAILABLE, 0,
                           "%s waits for %s, which others make", r->key, what);
        tn_error_at(b->late, r->origin);
    }
}

/* Steps that somebody has done already, or that have to wait. */
static enum tn_code
sort_out(struct tn_ovs_build *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct tn_step *step = &b->steps[i];
        const char *key = (step->after ? step->after : step->before)->key;
        const char *what = missing(b, tn_ovs_row_of(step->after));
        if (what) {
            wait_for(b, i, what);
            continue;
        }
        if (step->op == TN_OP_CREATE && tn_ovs_index_key(b->s, key)) {
            assert(step->after);
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
            const struct tn_ovs_row *was = tn_ovs_row_of(step->before);
            b->skip[i] = !tn_ovs_index_ours(b->s, was->uuid);
        }
    }
    return TN_OK;
}

static void
names_give(struct tn_ovs_build *b)
{
    for (size_t i = 0; i < b->n; i++) {
        if (!b->skip[i] && is_insert(&b->steps[i])) {
            (void) tn_map_put(&b->named, b->steps[i].after->key,
                              tn_arena_printf(b->arena, "r%zu", i));
        }
        if (!b->skip[i] && is_delete(&b->steps[i])) {
            (void) tn_map_put(&b->gone, b->steps[i].before->key, b);
        }
    }
}

static void
waits(struct tn_ovs_build *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct tn_step *step = &b->steps[i];
        const struct tn_ovs_row *was = tn_ovs_row_of(step->before);
        if (b->skip[i] || !was || !was->uuid) {
            continue;
        }
        const bool *columns = columns_changed(
            b, was,
            step->op == TN_OP_UPDATE ? tn_ovs_row_of(step->after) : NULL);
        op_wait(b, i, step->before, columns, false);
        if (was->child) {
            op_wait(b, i, step->before, columns, true);
        }
    }
}

/* Our counter in the root row: it is as we know it, and goes up. */
static void
count_up(struct tn_ovs_build *b)
{
    char key[300], was[24];
    const char *uuid = NULL;
    const struct tn_ovsdb_row *root = tn_ovs_root(b->s, &uuid);
    long long revision = tn_ovs_revision(b->s);
    if (!root) {
        return;
    }
    snprintf(key, sizeof key, TN_OVS_REVISION "-%s", b->s->device->instance);
    snprintf(was, sizeof was, "%lld", revision);
    if (revision) {
        tn_ovs_op_add(b, b->n,
                      json_pack("{s:s, s:s, s:i, s:[[s, s, o], [s, s, [s, [[s, "
                                "s]]]]], s:[s], s:s, s:[{s:o}]}",
                                "op", "wait", "table", b->s->model->root,
                                "timeout", 0, "where", "_uuid", "==",
                                tn_ovsdb_uuid(uuid), "external_ids", "includes",
                                "map", key, was, "columns", "_uuid", "until",
                                "==", "rows", "_uuid", tn_ovsdb_uuid(uuid)));
    }
    json_t *drop = tn_ovsdb_set(), *map = tn_ovsdb_map();
    tn_ovsdb_set_add(drop, json_string(key));
    tn_ovsdb_map_add(map, json_string(key), json_string(b->revision));
    op_mutate_map(b, b->n, b->s->model->root, uuid, "external_ids", drop, map);
}

/* Who is held by new rows must be known before these are written. */
static void
changes(struct tn_ovs_build *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct tn_step *step = &b->steps[i];
        if (!b->skip[i] && is_insert(step)) {
            const struct tn_ovs_ref self =
                tn_ovs_ref_of(b, NULL, step->after->key);
            tn_ovs_holders(b, NULL, tn_ovs_row_of(step->after), &self);
        }
        if (!b->skip[i] && is_delete(step)) {
            step_delete(b, i);
        } else if (!b->skip[i] && !is_insert(step)) {
            step_update(b, i);
        }
    }
    for (size_t i = 0; i < b->n; i++) {
        if (!b->skip[i] && is_insert(&b->steps[i])) {
            tn_ovs_op_insert(b, i, b->steps[i].after);
        }
    }
    tn_ovs_mutate_holders(b, &b->losses, "delete");
    tn_ovs_mutate_holders(b, &b->gains, "insert");
}

/* What the model adds belongs to no step. */
static void
seal(struct tn_ovs_build *b)
{
    json_t *more = json_array(), *op;
    size_t i;
    b->s->model->seal(b->s, more);
    json_array_foreach(more, i, op)
    {
        tn_ovs_op_add(b, b->n, json_incref(op));
    }
    json_decref(more);
}

static enum tn_code
operations(struct tn_ovs_build *b)
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
        seal(b);
    }
    return code ? code : b->code;
}

static enum tn_code
send(struct tn_ovs_build *b, enum tn_outcome *outcomes, size_t *failed,
     struct tn_error *err)
{
    struct tn_ovsdb_result result = {0};
    const struct tn_ovsdb_text text = {tn_text_str(&b->ops.text), b->ops.text.n,
                                       b->ops.n};
    enum tn_code code = tn_ovsdb_transact_text(b->s->db, &text,
                                               TN_OVS_TIMEOUT_MS, &result, err);
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
        if (b->s->model->settle(b->s, result.last, b->steps, b->n, outcomes,
                                &late)) {
            *b->late = late;
        }
    }
    json_decref(result.last);
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
    struct tn_ovs_build b = {
        .s = stage->session,
        .steps = stage->steps,
        .n = stage->n,
        .arena = arena,
        .skip = tn_new_n(arena, bool, stage->n),
        .wait = tn_new_n(arena, bool, stage->n),
        .late = &late,
        .err = err,
    };
    tn_map_init(&b.named, arena, b.n);
    tn_map_init(&b.gone, arena, 0);
    tn_map_init(&b.gains.of, arena, 0);
    tn_map_init(&b.losses.of, arena, 0);
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
    tn_ovs_ops_done(&b.ops);
    tn_ovs_rollback(stage);
    return code;
}

void
tn_ovs_rollback(struct tn_stage *stage)
{
    free(stage);
}
