/* index.c - see index.h.
 *
 * A row is ours if it bears the mark of our instance with a scope and a key
 * that begins with it.  Of two rows with one key the first one seen has it, and
 * if that goes, the next one.  Every row of a table of ours has a record, which
 * hangs in a chain for its uuid, and in others for its key, its name and its
 * scope as far as it has these. */
#include "drivers/ovsdb/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/base/text.h"

enum { UUID_LEN = 36, CHAINS_MIN = 64 };

/* What hangs in a chain, and the hash by which it does. */
struct link {
    struct link *next;
    void *of;
    uint64_t hash;
};

struct chains {
    struct link **heads;
    size_t n, cap; /* A power of two. */
};

struct place {
    struct tn_ovs_place is; /* First: a place is what is told of it. */
    struct link by_scope;
    struct place *before;
    struct record *last;
    char scope[];
};

struct record {
    struct tn_ovs_known is; /* First, likewise. */
    struct link by_uuid, by_key, by_name;
    struct place *place;
    struct record *before; /* Of the same scope. */
    char uuid[UUID_LEN + 1];
};

struct tn_ovs_index {
    const struct tn_ovs_model *model;
    const char *instance;
    struct chains uuids, keys, names, scopes;
    struct tn_ovs_place *places;
    /* Of the table that was asked for last. */
    const char *asked, *table;
};

struct mark {
    const char *scope, *key; /* Null: not ours. */
};

static void *
must(void *p)
{
    if (!p) {
        fputs("tenet: out of memory\n", stderr);
        abort();
    }
    return p;
}

/* ---- chains ---- */

static struct link **
head_of(const struct chains *c, uint64_t hash)
{
    return &c->heads[hash & (c->cap - 1)];
}

static void
append(const struct chains *c, struct link *link)
{
    struct link **at = head_of(c, link->hash);
    while (*at) {
        at = &(*at)->next;
    }
    link->next = NULL;
    *at = link;
}

/* Order within a chain is kept. */
static void
grow(struct chains *c)
{
    struct chains old = *c;
    c->cap = old.cap ? 2 * old.cap : CHAINS_MIN;
    c->heads = must(calloc(c->cap, sizeof(struct link *)));
    for (size_t i = 0; i < old.cap; i++) {
        struct link *next;
        for (struct link *l = old.heads[i]; l; l = next) {
            next = l->next;
            append(c, l);
        }
    }
    free(old.heads);
}

static void
hang(struct chains *c, struct link *link, const char *text, void *of)
{
    if (c->n == c->cap) {
        grow(c);
    }
    *link = (struct link){.of = of, .hash = tn_hash64(text, strlen(text))};
    append(c, link);
    c->n++;
}

static void
unhang(struct chains *c, struct link *link)
{
    struct link **at = head_of(c, link->hash);
    while (*at != link) {
        at = &(*at)->next;
    }
    *at = link->next;
    c->n--;
}

/* The first one with that hash from 'text'. */
static const struct link *
chain_of(const struct chains *c, const char *text, uint64_t *hash)
{
    *hash = tn_hash64(text, strlen(text));
    return c->cap ? *head_of(c, *hash) : NULL;
}

/* ---- looking up ---- */

static struct record *
record_of(const struct tn_ovs_index *x, const char *uuid)
{
    uint64_t hash;
    for (const struct link *l = chain_of(&x->uuids, uuid, &hash); l;
         l = l->next) {
        struct record *r = l->of;
        if (l->hash == hash && strcmp(r->uuid, uuid) == 0) {
            return r;
        }
    }
    return NULL;
}

static struct place *
place_of(const struct tn_ovs_index *x, const char *scope)
{
    uint64_t hash;
    for (const struct link *l = chain_of(&x->scopes, scope, &hash); l;
         l = l->next) {
        struct place *p = l->of;
        if (l->hash == hash && strcmp(p->scope, scope) == 0) {
            return p;
        }
    }
    return NULL;
}

const struct tn_ovs_known *
tn_ovs_index_ours(const struct tn_session *s, const char *uuid)
{
    const struct record *r = record_of(s->index, uuid);
    return r && r->is.key ? &r->is : NULL;
}

const struct tn_ovs_known *
tn_ovs_index_key(const struct tn_session *s, const char *key)
{
    uint64_t hash;
    for (const struct link *l = chain_of(&s->index->keys, key, &hash); l;
         l = l->next) {
        const struct record *r = l->of;
        if (l->hash == hash && strcmp(r->is.key, key) == 0) {
            return &r->is;
        }
    }
    return NULL;
}

const struct tn_ovs_known *
tn_ovs_index_name(const struct tn_session *s, const char *table,
                  const char *name)
{
    uint64_t hash;
    const struct record *last = NULL;
    for (const struct link *l = chain_of(&s->index->names, name, &hash); l;
         l = l->next) {
        const struct record *r = l->of;
        if (l->hash == hash && strcmp(r->is.name, name) == 0 &&
            strcmp(r->is.table, table) == 0) {
            last = r;
        }
    }
    return last ? &last->is : NULL;
}

const struct tn_ovs_place *
tn_ovs_index_place(const struct tn_session *s, const char *scope)
{
    const struct place *p = place_of(s->index, scope);
    return p ? &p->is : NULL;
}

const struct tn_ovs_place *
tn_ovs_index_places(const struct tn_session *s)
{
    return s->index->places;
}

const char *
tn_ovs_index_uuid(const struct tn_session *s, const char *table,
                  const char *key)
{
    static const char prefix[] = TN_OVS_BY_NAME;
    const struct tn_ovs_known *row =
        table && strncmp(key, prefix, sizeof prefix - 1) == 0
            ? tn_ovs_index_name(s, table, key + sizeof prefix - 1)
            : tn_ovs_index_key(s, key);
    return row ? row->uuid : NULL;
}

/* ---- keeping ---- */

/* The model's own word for a table in which a kind lives; null: none does. */
static const char *
table_of(const struct tn_ovs_model *model, const char *table)
{
    for (size_t i = 0; i < model->n_kinds; i++) {
        if (strcmp(model->kinds[i]->table, table) == 0) {
            return model->kinds[i]->table;
        }
    }
    return NULL;
}

static const struct tn_ovs_kind *
kind_of(const struct tn_ovs_model *m, const char *table, const struct mark *of)
{
    size_t skip = *of->scope ? strlen(of->scope) + 1 : 0;
    const char *name = strlen(of->key) > skip ? of->key + skip : "";
    size_t n = strcspn(name, "/");
    for (size_t i = 0; i < m->n_kinds; i++) {
        if (strncmp(m->kinds[i]->name, name, n) == 0 &&
            m->kinds[i]->name[n] == '\0' &&
            strcmp(m->kinds[i]->table, table) == 0) {
            return m->kinds[i];
        }
    }
    return NULL;
}

static struct mark
mark_of(const struct tn_ovs_index *x, const struct tn_ovsdb_row *row)
{
    struct tn_ovsdb_texts ids = tn_ovsdb_get(row, "external_ids");
    const char *scope = tn_ovsdb_texts_key(ids, TN_OVS_SCOPE);
    const char *key = scope ? tn_ovsdb_texts_key(ids, TN_OVS_KEY) : NULL;
    if (!key || !*key ||
        !tn_streq(tn_ovsdb_texts_key(ids, TN_OVS_INSTANCE), x->instance) ||
        strncmp(key, scope, strlen(scope)) != 0) {
        return (struct mark){0};
    }
    return (struct mark){scope, key};
}

static struct place *
place_make(struct tn_ovs_index *x, const char *scope)
{
    struct place *p = place_of(x, scope);
    if (p) {
        return p;
    }
    size_t size = strlen(scope) + 1;
    p = must(calloc(1, sizeof *p + size));
    memcpy(p->scope, scope, size);
    p->is.scope = p->scope;
    p->is.next = x->places;
    if (x->places) {
        ((struct place *) x->places)->before = p;
    }
    x->places = &p->is;
    hang(&x->scopes, &p->by_scope, p->scope, p);
    return p;
}

static void
place_drop(struct tn_ovs_index *x, struct place *p)
{
    struct place *after = (struct place *) p->is.next;
    *(p->before ? &p->before->is.next : &x->places) = p->is.next;
    if (after) {
        after->before = p->before;
    }
    unhang(&x->scopes, &p->by_scope);
    free(p);
}

static void
disown(struct tn_ovs_index *x, struct record *r)
{
    struct place *p = r->place;
    struct record *after = (struct record *) r->is.next;
    if (!r->is.key) {
        return;
    }
    *(r->before ? &r->before->is.next : &p->is.first) = r->is.next;
    *(after ? &after->before : &p->last) = r->before;
    if (!p->is.first) {
        place_drop(x, p);
    }
    unhang(&x->keys, &r->by_key);
    free((char *) r->is.key);
    r->is.key = r->is.scope = NULL;
    r->is.kind = NULL;
    r->is.next = NULL;
    r->before = NULL;
    r->place = NULL;
}

static void
own(struct tn_ovs_index *x, struct record *r, const struct mark *m)
{
    struct place *p = place_make(x, m->scope);
    r->is.key = must(strdup(m->key));
    r->is.scope = p->scope;
    r->is.kind = kind_of(x->model, r->is.table, m);
    r->place = p;
    r->before = p->last;
    *(p->last ? &p->last->is.next : &p->is.first) = &r->is;
    p->last = r;
    hang(&x->keys, &r->by_key, r->is.key, r);
}

static void
name_set(struct tn_ovs_index *x, struct record *r, const char *name)
{
    if (tn_streq(r->is.name, name)) {
        return;
    }
    if (r->is.name) {
        unhang(&x->names, &r->by_name);
        free((char *) r->is.name);
    }
    r->is.name = name ? must(strdup(name)) : NULL;
    if (name) {
        hang(&x->names, &r->by_name, r->is.name, r);
    }
}

static void
mark_set(struct tn_ovs_index *x, struct record *r, const struct mark *m)
{
    if (!tn_streq(r->is.key, m->key) || !tn_streq(r->is.scope, m->scope)) {
        disown(x, r);
        if (m->key) {
            own(x, r, m);
        }
    }
}

static struct record *
record_make(struct tn_ovs_index *x, const char *table, const char *uuid)
{
    struct record *r = must(calloc(1, sizeof *r));
    memcpy(r->uuid, uuid, sizeof r->uuid);
    r->is.uuid = r->uuid;
    r->is.table = table;
    hang(&x->uuids, &r->by_uuid, r->uuid, r);
    return r;
}

static void
record_drop(struct tn_ovs_index *x, struct record *r)
{
    mark_set(x, r, &(struct mark){0});
    name_set(x, r, NULL);
    unhang(&x->uuids, &r->by_uuid);
    free(r);
}

void
tn_ovs_index_changed(void *session, const char *table, const char *uuid,
                     const struct tn_ovsdb_row *was,
                     const struct tn_ovsdb_row *now)
{
    struct tn_session *s = session;
    struct tn_ovs_index *x = s->index;
    if (x->asked != table) {
        x->asked = table;
        x->table = table_of(x->model, table);
    }
    if (!x->table || (was && now && tn_ovsdb_same(was, now, "external_ids") &&
                      tn_ovsdb_same(was, now, "name"))) {
        return;
    }
    struct record *r = record_of(x, uuid);
    if (!now) {
        if (r) {
            record_drop(x, r);
        }
        return;
    }
    r = r ? r : record_make(x, x->table, uuid);
    const struct mark m = mark_of(x, now);
    mark_set(x, r, &m);
    name_set(x, r, tn_ovsdb_get_text(now, "name"));
}

struct tn_ovs_index *
tn_ovs_index_new(const struct tn_ovs_model *model, const char *instance)
{
    struct tn_ovs_index *x = must(calloc(1, sizeof *x));
    x->model = model;
    x->instance = instance;
    return x;
}

void
tn_ovs_index_free(struct tn_ovs_index *x)
{
    if (!x) {
        return;
    }
    for (size_t i = 0; i < x->uuids.cap; i++) {
        struct link *next;
        for (struct link *l = x->uuids.heads[i]; l; l = next) {
            struct record *r = l->of;
            next = l->next;
            free((char *) r->is.key);
            free((char *) r->is.name);
            free(r);
        }
    }
    struct tn_ovs_place *after;
    for (struct tn_ovs_place *p = x->places; p; p = after) {
        after = p->next;
        free(p);
    }
    free(x->uuids.heads);
    free(x->keys.heads);
    free(x->names.heads);
    free(x->scopes.heads);
    free(x);
}
