/* session.c - see device.h: a session with a database, and its copy of what the
 * kinds name. */
#include "drivers/ovsdb/device.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/index.h"

/* A server is silent while it works on a long transaction. */
enum { PROBE_MS = 20000 };
enum { WANTS_MAX = 16, COLUMNS_MAX = 24 };

struct wants {
    struct tn_ovsdb_want list[WANTS_MAX + 1];
    const char *columns[WANTS_MAX][COLUMNS_MAX + 1];
    size_t n;
};

static void
want_column(struct wants *w, const char *table, const char *column)
{
    size_t i = 0, k = 0;
    while (i < w->n && strcmp(w->list[i].table, table) != 0) {
        i++;
    }
    if (i == WANTS_MAX) {
        return;
    }
    if (i == w->n) {
        w->list[w->n++] = (struct tn_ovsdb_want){
            .table = table, .columns = w->columns[i], .optional = true};
    }
    while (w->columns[i][k] && strcmp(w->columns[i][k], column) != 0) {
        k++;
    }
    if (k < COLUMNS_MAX) {
        w->columns[i][k] = column;
    }
}

static void
wants_of(const struct tn_ovs_model *model, struct wants *w)
{
    want_column(w, model->root, "external_ids");
    for (const char *const *c = model->root_columns; c && *c; c++) {
        want_column(w, model->root, *c);
    }
    for (size_t i = 0; i < model->n_kinds; i++) {
        const struct tn_ovs_kind *kind = model->kinds[i];
        want_column(w, kind->table, "external_ids");
        for (size_t k = 0; k < kind->n_columns; k++) {
            const struct tn_ovs_column *c = &kind->columns[k];
            want_column(w, tn_ovs_table_of(kind, c), c->name);
        }
        if (kind->child) {
            want_column(w, kind->table, kind->child_column);
        }
    }
}

struct tn_rpc_options
tn_ovs_rpc_options(const char *remote)
{
    return (struct tn_rpc_options){
        .remotes = remote,
        .probe_ms = PROBE_MS,
        .tls = {.ca = getenv("TENET_OVSDB_CA"),
                .certificate = getenv("TENET_OVSDB_CERTIFICATE"),
                .key = getenv("TENET_OVSDB_KEY")},
    };
}

enum tn_code
tn_ovs_session_new(const struct tn_ovs_model *model,
                   const struct tn_device *device, struct tn_session **out,
                   struct tn_error *err)
{
    struct tn_session *s = calloc(1, sizeof *s);
    if (!s) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    s->model = model;
    s->device = device;
    s->index = tn_ovs_index_new(model, device->instance);
    *out = s;
    return TN_OK;
}

enum tn_code
tn_ovs_session_start(struct tn_session *s, const struct tn_ovsdb_events *events,
                     void *ctx, struct tn_error *err)
{
    assert(s);
    const struct tn_rpc_options options =
        tn_ovs_rpc_options(s->device->host->config.ovsdb_remote);
    struct wants wants = {.n = 0};
    wants_of(s->model, &wants);
    enum tn_code code = tn_ovsdb_loop_new(&s->loop, err);
    if (!code) {
        code = tn_ovsdb_open(s->loop, &options, s->model->database,
                             s->model->leader, wants.list, events, ctx, &s->db,
                             err);
    }
    if (!code) {
        code = tn_ovsdb_ask(s->db, TN_OVS_TIMEOUT_MS, err);
    }
    return code ? tn_while(err, code, "device %s", s->device->name) : TN_OK;
}

enum tn_code
tn_ovs_open(const struct tn_ovs_model *model, const struct tn_device *device,
            struct tn_session **out, struct tn_error *err)
{
    static const struct tn_ovsdb_events events = {.changed =
                                                      tn_ovs_index_changed};
    struct tn_session *s = NULL;
    enum tn_code code = tn_ovs_session_new(model, device, &s, err);
    if (!code) {
        code = tn_ovs_session_start(s, &events, s, err);
    }
    if (code) {
        tn_ovs_close(s);
        return code;
    }
    *out = s;
    return TN_OK;
}

void
tn_ovs_close(struct tn_session *s)
{
    if (s) {
        if (s->own) {
            s->model->forget(s);
        }
        tn_ovsdb_close(s->db);
        tn_ovsdb_loop_free(s->loop);
        tn_ovs_index_free(s->index);
        free(s);
    }
}

const struct tn_ovsdb_row *
tn_ovs_root(const struct tn_session *s, const char **uuid)
{
    const struct tn_ovsdb_row *row = tn_ovsdb_first(s->db, s->model->root);
    if (uuid) {
        *uuid = row ? tn_ovsdb_row_uuid(row) : NULL;
    }
    return row;
}

long long
tn_ovs_revision(const struct tn_session *s)
{
    char name[300];
    snprintf(name, sizeof name, TN_OVS_REVISION "-%s", s->device->instance);
    const char *text =
        tn_ovsdb_get_key(tn_ovs_root(s, NULL), "external_ids", name);
    return text ? strtoll(text, NULL, 10) : 0;
}
