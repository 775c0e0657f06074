/* index.c - see index.h.
 *
 * A row is ours if it bears the mark of our instance with a scope and a key
 * that begins with it.  Of two rows with one key the first one seen has it. */
#include "drivers/ovsdb/index.h"

#include <string.h>

#include "drivers/ovsdb/value.h"
#include "model/base/text.h"

struct mark {
    const char *scope, *key; /* Null: not ours. */
};

void
tn_ovs_index_init(struct tn_session *s)
{
    s->scopes = json_object();
    s->keys = json_object();
    s->places = json_object();
    s->uuids = json_object();
    s->names = json_object();
}

void
tn_ovs_index_done(struct tn_session *s)
{
    json_decref(s->scopes);
    json_decref(s->keys);
    json_decref(s->places);
    json_decref(s->uuids);
    json_decref(s->names);
}

bool
tn_ovs_index_has_kind(const struct tn_ovs_model *model, const char *table)
{
    bool found = false;
    for (size_t i = 0; !found && i < model->n_kinds; i++) {
        found = strcmp(model->kinds[i]->table, table) == 0;
    }
    return found;
}

static struct mark
mark_of(const struct tn_session *s, const json_t *row)
{
    const json_t *ids = json_object_get(row, "external_ids");
    const char *scope = tn_ovsdb_map_get(ids, TN_OVS_SCOPE);
    const char *key = tn_ovsdb_map_get(ids, TN_OVS_KEY);
    if (!scope || !key || !*key ||
        !tn_streq(tn_ovsdb_map_get(ids, TN_OVS_INSTANCE),
                  s->device->instance) ||
        strncmp(key, scope, strlen(scope)) != 0) {
        return (struct mark){0};
    }
    return (struct mark){scope, key};
}

static void
forget(struct tn_session *s, const char *uuid)
{
    const char *key = json_string_value(json_object_get(s->keys, uuid));
    const char *scope = json_string_value(json_object_get(s->places, uuid));
    if (!key || !scope) {
        return;
    }
    json_t *rows = json_object_get(s->scopes, scope);
    json_object_del(rows, uuid);
    if (json_object_size(rows) == 0) {
        json_object_del(s->scopes, scope);
    }
    if (tn_streq(json_string_value(json_object_get(s->uuids, key)), uuid)) {
        json_object_del(s->uuids, key);
    }
    json_object_del(s->keys, uuid);
    json_object_del(s->places, uuid);
}

static void
learn(struct tn_session *s, const char *table, const char *uuid,
      const struct mark *m)
{
    json_t *rows = json_object_get(s->scopes, m->scope);
    if (!rows) {
        rows = json_object();
        json_object_set_new(s->scopes, m->scope, rows);
    }
    json_object_set_new(rows, uuid, json_string(table));
    json_object_set_new(s->keys, uuid, json_string(m->key));
    json_object_set_new(s->places, uuid, json_string(m->scope));
    if (!json_object_get(s->uuids, m->key)) {
        json_object_set_new(s->uuids, m->key, json_string(uuid));
    }
}

static void
rename_row(struct tn_session *s, const char *table, const char *uuid,
           const json_t *old, const json_t *now)
{
    json_t *names = json_object_get(s->names, table);
    const char *was = json_string_value(json_object_get(old, "name"));
    const char *is = json_string_value(json_object_get(now, "name"));
    if (!names) {
        names = json_object();
        json_object_set_new(s->names, table, names);
    }
    if (was && tn_streq(json_string_value(json_object_get(names, was)), uuid)) {
        json_object_del(names, was);
    }
    if (is) {
        json_object_set_new(names, is, json_string(uuid));
    }
}

const char *
tn_ovs_index_uuid(const struct tn_session *s, const char *table,
                  const char *key)
{
    static const char prefix[] = TN_OVS_BY_NAME;
    const json_t *list = s->uuids;
    if (table && strncmp(key, prefix, sizeof prefix - 1) == 0) {
        list = json_object_get(s->names, table);
        key += sizeof prefix - 1;
    }
    return json_string_value(json_object_get(list, key));
}

const char *
tn_ovs_index_scope(const struct tn_session *s, const char *key)
{
    const char *uuid = json_string_value(json_object_get(s->uuids, key));
    return uuid ? json_string_value(json_object_get(s->places, uuid)) : NULL;
}

void
tn_ovs_index_changed(void *session, const char *table, const char *uuid,
                     const json_t *old, const json_t *now)
{
    struct tn_session *s = session;
    if (!tn_ovs_index_has_kind(s->model, table)) {
        return;
    }
    if (!now || !old || json_object_get(old, "external_ids")) {
        const struct mark m = mark_of(s, now);
        forget(s, uuid);
        if (m.key) {
            learn(s, table, uuid, &m);
        }
    }
    rename_row(s, table, uuid, old, now);
}
