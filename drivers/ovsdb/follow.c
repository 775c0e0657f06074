/* follow.c - see follow.h.
 *
 * The log's index is asked for once, as it changes with every transaction: a
 * member of the cluster that is behind what we have seen would take us back in
 * time.  The schema is not asked for: it is long, and of a conversion ovsdb-
 * server (3.1) tells by a canceled monitor, not here. */
#include "drivers/ovsdb/follow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/replica.h"
#include "drivers/ovsdb/value.h"
#include "model/base/text.h"

const char tn_follow_monitor[] = "_Server";

static const struct tn_ovsdb_column columns[] = {
    {.name = "cid", .type = {TN_OVSDB_UUID, TN_OVSDB_VOID, 0, 1}},
    {.name = "connected", .type = {TN_OVSDB_BOOLEAN, TN_OVSDB_VOID, 1, 1}},
    {.name = "index", .type = {TN_OVSDB_INTEGER, TN_OVSDB_VOID, 0, 1}},
    {.name = "leader", .type = {TN_OVSDB_BOOLEAN, TN_OVSDB_VOID, 1, 1}},
    {.name = "model", .type = {TN_OVSDB_STRING, TN_OVSDB_VOID, 1, 1}},
    {.name = "name", .type = {TN_OVSDB_STRING, TN_OVSDB_VOID, 1, 1}},
};

static const struct tn_ovsdb_table tables_of_server[] = {
    {.name = "Database",
     .columns = columns,
     .n_columns = TN_ARRAY_SIZE(columns),
     .root = true},
};

static const struct tn_ovsdb_schema schema = {"_Server", "1.2.0",
                                              tables_of_server, 1};

static const char *const wanted[] = {"cid",   "connected", "index", "leader",
                                     "model", "name",      NULL};

/* A row for each database: few, but whatever the peer says. */
static const struct tn_replica_limits limits = {1000, 10000};

struct tn_follow {
    char *database;
    bool leader;
    size_t n_remotes;
    struct tn_replica *rows;
    bool known, has_server; /* Answered; and not with an error. */
    char cid[40];           /* Of the cluster last used; "": none. */
    json_int_t index;       /* The greatest seen in it. */
    size_t n_behind;        /* Servers refused in turn for being behind. */
};

static json_t *
row_of(const struct tn_follow *f)
{
    json_t *rows = tn_replica_rows(f->rows, "Database"), *row;
    const char *uuid;
    json_object_foreach(rows, uuid, row)
    {
        if (tn_streq(json_string_value(json_object_get(row, "name")),
                     f->database)) {
            return row;
        }
    }
    return NULL;
}

/* Does its log end before what we have seen?  After a round of servers that all
 * do, the past is lost (restored from a backup): we begin anew. */
static bool
is_behind(struct tn_follow *f, const json_t *row)
{
    const char *cid = tn_ovsdb_uuid_of(json_object_get(row, "cid"));
    json_int_t index = json_integer_value(json_object_get(row, "index"));
    if (!cid) {
        return false;
    }
    bool same = strcmp(cid, f->cid) == 0;
    if (same && index < f->index && f->n_behind < 2 * f->n_remotes) {
        f->n_behind++;
        return true;
    }
    if (!same || f->n_behind || index > f->index) {
        f->index = index;
    }
    f->n_behind = 0;
    snprintf(f->cid, sizeof f->cid, "%s", cid);
    return false;
}

static enum tn_follow_advice
advise(enum tn_follow_advice advice, struct tn_error *why, const char *database,
       const char *what)
{
    (void) !tn_fail(why, TN_EUNAVAILABLE, 0, "%s: %s", database, what);
    return advice;
}

/* {"columns": [...], "where": the database, "select": {...}} */
static json_t *
request_for(const struct tn_follow *f, json_t *names, bool changes)
{
    return json_pack("{s:o, s:[[s,s,s]], s:{s:b}}", "columns", names, "where",
                     "name", "==", f->database, "select", "modify",
                     (int) changes);
}

struct tn_follow *
tn_follow_new(const char *database, bool leader, size_t n_remotes)
{
    static const struct tn_ovsdb_want wants[] = {
        {.table = "Database", .columns = wanted}, {0}};
    struct tn_follow *f = calloc(1, sizeof *f);
    struct tn_error err;
    bool same = false;
    if (!f || !(f->database = strdup(database))) {
        abort();
    }
    f->leader = leader;
    f->n_remotes = n_remotes;
    f->rows = tn_replica_new(wants, &limits, NULL, NULL);
    enum tn_code code = tn_replica_fit(f->rows, &schema, &same, &err);
    assert(code == TN_OK);
    (void) code;
    return f;
}

void
tn_follow_free(struct tn_follow *f)
{
    if (f) {
        tn_replica_free(f->rows);
        free(f->database);
        free(f);
    }
}

void
tn_follow_reset(struct tn_follow *f)
{
    f->known = f->has_server = false;
}

json_t *
tn_follow_request(const struct tn_follow *f)
{
    json_t *state =
        json_pack("[s,s,s,s,s]", "name", "model", "connected", "leader", "cid");
    return json_pack("[s, s, {s: [o, o]}]", "_Server", tn_follow_monitor,
                     "Database", request_for(f, state, true),
                     request_for(f, json_pack("[s]", "index"), false));
}

enum tn_code
tn_follow_take(struct tn_follow *f, const struct tn_scan *tables,
               struct tn_error *err)
{
    f->known = true;
    f->has_server = tables != NULL;
    return tables ? tn_replica_dump(f->rows, TN_REPLICA_DIFF, *tables, err)
                  : TN_OK;
}

enum tn_code
tn_follow_update(struct tn_follow *f, struct tn_scan tables,
                 struct tn_error *err)
{
    return f->known && f->has_server
               ? tn_replica_update(f->rows, TN_REPLICA_DIFF, tables, err)
               : tn_fail(err, TN_EUNAVAILABLE, 0,
                         "an update that was not asked for");
}

bool
tn_follow_known(const struct tn_follow *f)
{
    return f->known;
}

enum tn_follow_advice
tn_follow_judge(struct tn_follow *f, struct tn_error *why)
{
    const json_t *row = row_of(f);
    enum tn_follow_advice stay =
        f->n_remotes > 1 ? TN_FOLLOW_NEXT : TN_FOLLOW_STAY;
    if (!f->has_server) {
        return TN_FOLLOW_USE;
    }
    if (!row) {
        return advise(stay, why, f->database, "the server does not have it");
    }
    if (!json_is_true(json_object_get(row, "connected"))) {
        return advise(TN_FOLLOW_NEXT, why, f->database,
                      "the server has no contact with most of the cluster");
    }
    if (f->leader && !json_is_true(json_object_get(row, "leader"))) {
        return advise(TN_FOLLOW_NEXT, why, f->database,
                      "the server is not the leader");
    }
    if (is_behind(f, row)) {
        return advise(TN_FOLLOW_NEXT, why, f->database,
                      "the server is behind what we have seen");
    }
    return TN_FOLLOW_USE;
}

bool
tn_follow_clustered(const struct tn_follow *f)
{
    const char *model = json_string_value(json_object_get(row_of(f), "model"));
    return f->has_server && tn_streq(model, "clustered");
}
