/* observe.c - see device.h: what the copy of a session says.
 *
 * The copy tells of every row that changes, and so the indices are kept and
 * never made anew.  What refers to a row is shown at the row itself (HOLDER):
 * for the rows of a scope that needs the holders of that scope and of the
 * device itself, nothing else. */
#include "drivers/ovsdb/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/index.h"
#include "model/base/cleanup.h"
#include "model/base/map.h"

struct reading {
    struct tn_session *s;
    const struct tn_state *want;
    struct tn_arena *arena;
    const char *root;      /* Uuid of the root row; null: there is none. */
    struct tn_map holders; /* Uuid -> struct held *, of the copy. */
    TN_VEC(struct tn_resource) list;
    /* What the schema lacks, by column of this kind; the last one asked for. */
    const struct tn_ovs_kind *lacks_of;
    const bool *lacks;
};

/* Who has a row, and in which column. */
struct held {
    const char *table, *column, *key;
    struct held *next;
};

/* ---- one row ---- */

const char *
tn_ovs_child(const struct tn_ovs_kind *kind, const struct tn_ovsdb_row *row)
{
    struct tn_ovsdb_texts set = {"", 0};
    if (kind->child) {
        set = tn_ovsdb_get(row, kind->child_column);
    }
    return set.n == 1 ? set.at : NULL;
}

/* The key of ours, or "uuid:..." of a row that is not. */
static const char *
ref_text(struct reading *r, const char *uuid)
{
    const struct tn_ovs_known *ours = tn_ovs_index_ours(r->s, uuid);
    if (r->root && strcmp(r->root, uuid) == 0) {
        return TN_OVS_ROOT_KEY;
    }
    return ours ? tn_arena_strdup(r->arena, ours->key)
                : tn_arena_printf(r->arena, "uuid:%s", uuid);
}

static void
read_texts(struct reading *r, struct tn_ovs_draft *d, size_t column,
           struct tn_ovsdb_texts t)
{
    bool ref = d->kind->columns[column].type == TN_OVS_REF;
    for (size_t i = 0; i < t.n; i++) {
        tn_ovs_draft_push(d, column,
                          ref ? ref_text(r, t.at)
                              : tn_arena_strdup(r->arena, t.at));
        t.at = tn_ovsdb_text_after(t.at);
    }
}

static void
read_column(struct reading *r, struct tn_ovs_draft *d, size_t column,
            const struct tn_ovsdb_row *row, const char *uuid)
{
    const struct tn_ovs_column *c = &d->kind->columns[column];
    if (c->type == TN_OVS_HOLDER) {
        for (struct held *h = tn_map_get(&r->holders, uuid); h; h = h->next) {
            if (strcmp(h->table, c->table) == 0 &&
                strcmp(h->column, c->name) == 0) {
                tn_ovs_draft_push(d, column, h->key);
            }
        }
    } else if (c->member) {
        const char *text = tn_ovsdb_get_key(row, c->name, c->member);
        if (text) {
            tn_ovs_draft_push(d, column, tn_arena_strdup(r->arena, text));
        }
    } else {
        read_texts(r, d, column, tn_ovsdb_get(row, c->name));
    }
}

static struct tn_resource
read_row(struct reading *r, const struct tn_ovs_kind *kind, const char *scope,
         const struct tn_ovsdb_row *row)
{
    struct tn_ovs_draft d;
    const char *child = tn_ovs_child(kind, row);
    const char *uuid = tn_ovsdb_row_uuid(row);
    const struct tn_ovsdb_row *of_child =
        child ? tn_ovsdb_row(r->s->db, kind->child, child) : NULL;
    tn_ovs_draft_init(&d, r->arena, kind, scope);
    for (size_t i = 0; i < kind->n_columns; i++) {
        read_column(r, &d, i, kind->columns[i].child ? of_child : row, uuid);
    }
    struct tn_resource out = tn_ovs_draft_end(&d);
    struct tn_ovs_row *native = (struct tn_ovs_row *) out.native;
    native->uuid = tn_arena_strdup(r->arena, uuid);
    native->child = child ? tn_arena_strdup(r->arena, child) : NULL;
    out.ids =
        child ? tn_arena_printf(r->arena, "%s %s", uuid, child) : native->uuid;
    return out;
}

/* ---- who has whom ---- */

static void
hold(struct reading *r, const struct tn_ovs_column *c,
     const struct tn_ovsdb_row *row, const char *key)
{
    struct tn_ovsdb_texts t = tn_ovsdb_get(row, c->name);
    for (size_t i = 0; i < t.n; i++) {
        struct held *h = tn_new(r->arena, struct held);
        *h = (struct held){c->table, c->name, key,
                           tn_map_get(&r->holders, t.at)};
        tn_map_put(&r->holders, t.at, h);
        t.at = tn_ovsdb_text_after(t.at);
    }
}

/* Is an earlier column the same? */
static bool
held_before(const struct tn_ovs_model *m, size_t kind, size_t column)
{
    const struct tn_ovs_column *c = &m->kinds[kind]->columns[column];
    for (size_t i = 0; i <= kind; i++) {
        size_t n = i == kind ? column : m->kinds[i]->n_columns;
        for (size_t k = 0; k < n; k++) {
            const struct tn_ovs_column *o = &m->kinds[i]->columns[k];
            if (o->type == TN_OVS_HOLDER && strcmp(o->table, c->table) == 0 &&
                strcmp(o->name, c->name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void
holders_of_column(struct reading *r, const struct tn_ovs_column *c,
                  const struct tn_ovs_place *place)
{
    for (const struct tn_ovs_known *k = place->first; k; k = k->next) {
        if (strcmp(k->table, c->table) == 0) {
            hold(r, c, tn_ovsdb_row(r->s->db, c->table, k->uuid),
                 ref_text(r, k->uuid));
        }
    }
}

static void
holders_of_scope(struct reading *r, const char *scope)
{
    const struct tn_ovs_model *m = r->s->model;
    const struct tn_ovs_place *place = tn_ovs_index_place(r->s, scope);
    for (size_t i = 0; place && i < m->n_kinds; i++) {
        for (size_t k = 0; k < m->kinds[i]->n_columns; k++) {
            const struct tn_ovs_column *c = &m->kinds[i]->columns[k];
            if (c->type == TN_OVS_HOLDER && !held_before(m, i, k) &&
                strcmp(c->table, m->root) != 0) {
                holders_of_column(r, c, place);
            }
        }
    }
}

/* Rows that are not ours may hold rows of ours, where that is foreseen. */
static void
holders_of_others(struct reading *r)
{
    const struct tn_ovs_model *m = r->s->model;
    const struct tn_ovsdb_row *row, *root = tn_ovs_root(r->s, &r->root);
    for (size_t i = 0; i < m->n_kinds; i++) {
        for (size_t k = 0; k < m->kinds[i]->n_columns; k++) {
            const struct tn_ovs_column *c = &m->kinds[i]->columns[k];
            if (c->type == TN_OVS_HOLDER && root &&
                strcmp(c->table, m->root) == 0) {
                hold(r, c, root, TN_OVS_ROOT_KEY);
            }
            if (!c->anybody || held_before(m, i, k)) {
                continue;
            }
            for (row = tn_ovsdb_first(r->s->db, c->table); row;
                 row = tn_ovsdb_after(row)) {
                const char *name = tn_ovsdb_get_text(row, "name");
                if (name && !tn_ovs_index_ours(r->s, tn_ovsdb_row_uuid(row))) {
                    hold(r, c, row,
                         tn_arena_printf(r->arena, TN_OVS_BY_NAME "%s", name));
                }
            }
        }
    }
}

/* ---- a scope ---- */

/* Of a key SCOPE/KIND/NAME; what has none is called as its scope is. */
static const char *
name_of(const char *key, const char *scope, const char *kind)
{
    const size_t n = strlen(scope), len = strlen(kind);
    const char *rest = key;
    if (n && strncmp(rest, scope, n) == 0 && rest[n] == '/') {
        rest += n + 1;
    }
    if (strncmp(rest, kind, len) == 0 && rest[len] == '/') {
        return rest + len + 1;
    }
    return rest > key && strcmp(rest, kind) == 0 ? scope : rest;
}

/* A row that bears our mark.  One whose key another row has as well gets one of
 * its own: it is ours, and nobody wants it. */
static void
read_ours(struct reading *r, const char *scope, const struct tn_ovs_known *k)
{
    const struct tn_ovsdb_row *row = tn_ovsdb_row(r->s->db, k->table, k->uuid);
    if (!k->kind || !row) {
        return;
    }
    struct tn_resource res = read_row(r, k->kind, scope, row);
    res.key = tn_ovs_index_key(r->s, k->key) == k
                  ? tn_arena_strdup(r->arena, k->key)
                  : tn_arena_printf(r->arena, "%s#%s", k->key, k->uuid);
    res.name = name_of(res.key, res.name, k->kind->name);
    *tn_vec_push(r->arena, &r->list) = res;
}

static void
read_scope(struct reading *r, const char *scope)
{
    const struct tn_ovs_place *place = tn_ovs_index_place(r->s, scope);
    scope = tn_arena_strdup(r->arena, scope);
    for (const struct tn_ovs_known *k = place ? place->first : NULL; k;
         k = k->next) {
        read_ours(r, scope, k);
    }
}

/* ---- what stands in the way, or serves as well ---- */

static const char *
wanted_name(const struct tn_ovs_row *row)
{
    size_t i = tn_ovs_kind_column(row->kind, "name");
    return i < row->kind->n_columns && row->values[i].n
               ? row->values[i].texts[0]
               : NULL;
}

static const char *
uuid_named(const struct reading *r, const struct tn_ovs_row *row)
{
    const char *name = wanted_name(row);
    const struct tn_ovs_known *known =
        name ? tn_ovs_index_name(r->s, row->kind->table, name) : NULL;
    return known ? known->uuid : NULL;
}

static const bool *
lacks_of(struct reading *r, const struct tn_ovs_kind *kind)
{
    if (r->lacks_of != kind) {
        bool *lacks = tn_new_n(r->arena, bool, kind->n_columns);
        for (size_t i = 0; i < kind->n_columns; i++) {
            const struct tn_ovs_column *c = &kind->columns[i];
            lacks[i] =
                !tn_ovsdb_has(r->s->db, tn_ovs_table_of(kind, c), c->name);
        }
        r->lacks_of = kind;
        r->lacks = lacks;
    }
    return r->lacks;
}

static enum tn_code
check_columns(struct reading *r, const struct tn_resource *want,
              struct tn_error *err)
{
    const struct tn_ovs_row *row = want->native;
    const bool *lacks = lacks_of(r, row->kind);
    for (size_t i = 0; i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        if (row->values[i].n && lacks[i]) {
            enum tn_code code = tn_fail(
                err, TN_EUNSUPPORTED, 0,
                "the schema of %s (%s) has no column '%s' in %s",
                r->s->model->database, tn_ovsdb_schema_version(r->s->db),
                c->name, tn_ovs_table_of(row->kind, c));
            tn_error_at(err, want->origin);
            return code;
        }
    }
    return TN_OK;
}

/* A row that is not ours where one of ours should be. */
static void
read_instead(struct reading *r, const struct tn_resource *want,
             const char *uuid)
{
    const struct tn_ovs_row *wanted = want->native;
    const struct tn_ovs_kind *kind = wanted->kind;
    struct tn_resource res = read_row(
        r, kind, want->scope, tn_ovsdb_row(r->s->db, kind->table, uuid));
    res.key = want->key;
    res.name = want->name;
    res.owner = TN_FOREIGN;
    *tn_vec_push(r->arena, &r->list) = res;
}

/* Is the single row somebody else's?  That of another instance is, and so is
 * one in which somebody has set one of our keys to something else. */
static bool
says_otherwise(const struct tn_ovs_row *row, const struct tn_ovsdb_row *root)
{
    bool other =
        tn_ovsdb_get_key(root, "external_ids", TN_OVS_INSTANCE) != NULL;
    for (size_t i = 0; !other && i < row->kind->n_columns; i++) {
        const struct tn_ovs_column *c = &row->kind->columns[i];
        const char *have =
            c->member ? tn_ovsdb_get_key(root, c->name, c->member) : NULL;
        other = have && row->values[i].n &&
                strcmp(have, row->values[i].texts[0]) != 0;
    }
    return other;
}

/* The row that has the place of what is wanted, and is not ours. */
static const char *
row_instead(const struct reading *r, const struct tn_ovs_row *row)
{
    const char *uuid = NULL;
    if (row->kind->flags & TN_OVS_SINGLE) {
        const struct tn_ovsdb_row *root = tn_ovs_root(r->s, &uuid);
        return says_otherwise(row, root) ? uuid : NULL;
    }
    return row->kind->flags & TN_OVS_NAMED ? uuid_named(r, row) : NULL;
}

static enum tn_code
read_wanted(struct reading *r, const struct tn_resource *want,
            struct tn_error *err)
{
    enum tn_code code = check_columns(r, want, err);
    if (!code && !tn_ovs_index_key(r->s, want->key)) {
        const char *uuid = row_instead(r, want->native);
        if (uuid) {
            read_instead(r, want, uuid);
        }
    }
    return code;
}

/* Index of the first wanted resource whose key is not less. */
static size_t
first_wanted(const struct tn_state *want, const char *key)
{
    size_t low = 0, high = want->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(want->items[mid].key, key) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* What is wanted in a scope, or, if that is null, at all.  But for the device's
 * own, keys begin with their scope. */
static enum tn_code
read_wanted_of(struct reading *r, const char *scope, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    bool some = scope && *scope;
    const char *prefix = some ? tn_arena_printf(r->arena, "%s/", scope) : "";
    size_t n = strlen(prefix);
    for (size_t i = r->want ? first_wanted(r->want, prefix) : 0;
         !code && r->want && i < r->want->n &&
         strncmp(r->want->items[i].key, prefix, n) == 0;
         i++) {
        const struct tn_resource *want = &r->want->items[i];
        if (!scope || strcmp(want->scope, scope) == 0) {
            code = read_wanted(r, want, err);
        }
    }
    return code;
}

static bool
in_scope(const struct tn_scope *scope, const char *name)
{
    bool found = scope->n == 0;
    for (size_t i = 0; !found && i < scope->n; i++) {
        found = strcmp(scope->names[i], name) == 0;
    }
    return found;
}

/* The kind of a row that is held in that way. */
static const struct tn_ovs_kind *
kind_held(const struct reading *r, const struct held *h, const char *uuid)
{
    const struct tn_ovs_model *m = r->s->model;
    for (size_t i = 0; i < m->n_kinds; i++) {
        const struct tn_ovs_kind *kind = m->kinds[i];
        for (size_t k = 0; k < kind->n_columns; k++) {
            const struct tn_ovs_column *c = &kind->columns[k];
            if (c->type == TN_OVS_HOLDER && strcmp(c->name, h->column) == 0 &&
                strcmp(c->table, h->table) == 0 &&
                tn_ovsdb_row(r->s->db, kind->table, uuid)) {
                return kind;
            }
        }
    }
    return NULL;
}

static void
read_stranger(struct reading *r, const struct held *h, const char *uuid,
              const char *scope)
{
    const struct tn_ovs_kind *kind = kind_held(r, h, uuid);
    if (!kind) {
        return;
    }
    struct tn_resource res =
        read_row(r, kind, tn_arena_strdup(r->arena, scope),
                 tn_ovsdb_row(r->s->db, kind->table, uuid));
    const char *name = wanted_name(res.native);
    res.owner = TN_FOREIGN;
    res.key = tn_arena_printf(r->arena, "%s/foreign/%s", h->key, uuid);
    res.name = name ? name : uuid;
    *tn_vec_push(r->arena, &r->list) = res;
}

/* What hangs on rows of ours without being ours. */
static void
read_foreign(struct reading *r, const struct tn_scope *scope)
{
    for (size_t i = 0; i < r->holders.cap; i++) {
        const struct held *h = r->holders.slots[i].value;
        const char *uuid = r->holders.slots[i].key;
        const struct tn_ovs_known *owner =
            h ? tn_ovs_index_key(r->s, h->key) : NULL;
        if (owner && in_scope(scope, owner->scope) &&
            !tn_ovs_index_ours(r->s, uuid)) {
            read_stranger(r, h, uuid, owner->scope);
        }
    }
}

static void
read_others(struct reading *r, const struct tn_ovs_kind *kind)
{
    for (const struct tn_ovsdb_row *row = tn_ovsdb_first(r->s->db, kind->table);
         row; row = tn_ovsdb_after(row)) {
        const char *uuid = tn_ovsdb_row_uuid(row);
        if (tn_ovs_index_ours(r->s, uuid)) {
            continue;
        }
        struct tn_resource res = read_row(r, kind, "", row);
        const char *name = wanted_name(res.native);
        res.owner = TN_FOREIGN;
        res.key = tn_arena_printf(r->arena, "foreign/%s/%s", kind->table, uuid);
        res.name = name ? name : tn_arena_strdup(r->arena, uuid);
        *tn_vec_push(r->arena, &r->list) = res;
    }
}

static enum tn_code
read_all(struct reading *r, const struct tn_scope *scope, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    const struct tn_ovs_place *place = tn_ovs_index_places(r->s), *p;
    bool device_too = scope->n == 0;
    holders_of_others(r);
    for (size_t i = 0; i < scope->n; i++) {
        holders_of_scope(r, scope->names[i]);
        device_too = device_too || !*scope->names[i];
    }
    if (scope->n == 0) {
        for (p = place; p; p = p->next) {
            holders_of_scope(r, p->scope);
        }
        for (p = place; p; p = p->next) {
            read_scope(r, p->scope);
        }
    } else if (!device_too) {
        holders_of_scope(r, "");
    }
    for (size_t i = 0; i < scope->n; i++) {
        read_scope(r, scope->names[i]);
    }
    if (scope->n == 0) {
        code = read_wanted_of(r, NULL, err);
    }
    for (size_t i = 0; !code && i < scope->n; i++) {
        code = read_wanted_of(r, scope->names[i], err);
    }
    read_foreign(r, scope);
    for (size_t i = 0; scope->n == 0 && i < r->s->model->n_kinds; i++) {
        if (r->s->model->kinds[i]->flags & TN_OVS_SHOWN) {
            read_others(r, r->s->model->kinds[i]);
        }
    }
    return code;
}

const struct tn_resource *
tn_ovs_lookup(struct tn_session *s, struct tn_arena *arena, const char *key)
{
    struct reading r = {.s = s, .arena = arena};
    const struct tn_ovs_known *known = tn_ovs_index_key(s, key);
    if (!known) {
        return NULL;
    }
    tn_map_init(&r.holders, arena, 0);
    holders_of_others(&r);
    holders_of_scope(&r, known->scope);
    if (*known->scope) {
        holders_of_scope(&r, "");
    }
    read_ours(&r, tn_arena_strdup(arena, known->scope), known);
    return r.list.n ? &r.list.items[0] : NULL;
}

enum tn_code
tn_ovs_observe(struct tn_session *s, const struct tn_scope *scope,
               const struct tn_state *want, struct tn_arena *arena,
               const struct tn_state **out, struct tn_error *err)
{
    struct reading r = {.s = s, .want = want, .arena = arena};
    tn_map_init(&r.holders, arena, 0);
    enum tn_code code = tn_ovsdb_catch_up(s->db, TN_OVS_TIMEOUT_MS, err);
    if (!code) {
        code = read_all(&r, scope, err);
    }
    if (!code) {
        code = tn_state_sort(r.list.items, r.list.n, err);
    }
    if (code) {
        return tn_while(err, code, "device %s", s->device->name);
    }
    struct tn_state *state = tn_new(arena, struct tn_state);
    *state = (struct tn_state){s->device->name, r.list.items, r.list.n};
    *out = state;
    return TN_OK;
}
