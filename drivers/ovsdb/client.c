/* client.c - see client.h: from a connection to a copy that is whole.
 *
 *     up -> greeting -+-> (barrier) -> dump -> whole
 *                     +-> absent, unfit: until the server tells of a change
 *
 * The greeting asks for all that is needed to decide: the server's standing
 * (follow.c) and the schema; at once, but if there are several servers, the
 * schema of that one only which is used.  On the leader of a cluster an empty
 * transaction comes first: it is answered when the leader has applied all of
 * its log, so that a fresh leader does not show us a past.  Then the newest
 * kind of monitor that the server knows is started.
 *
 * What comes unasked or does not fit ends the connection; the copy is then made
 * anew, for it may be half of something. */
#include "drivers/ovsdb/client_part.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/value.h"
#include "model/base/cleanup.h"
#include "model/base/text.h"

static const char zero_uuid[] = "00000000-0000-0000-0000-000000000000";

/* Kinds of monitors, the newest first. */
struct method {
    const char *ask, *told;
    enum tn_replica_form form;
    bool since, where;
};

static const struct method methods[] = {
    {"monitor_cond_since", "update3", TN_REPLICA_DIFF, true, true},
    {"monitor_cond", "update2", TN_REPLICA_DIFF, false, true},
    {"monitor", "update", TN_REPLICA_OLD_NEW, false, false},
};

static const struct method *
method_of(const struct tn_ovsdb *db)
{
    return &methods[db->method];
}

/* The peer is at fault: what it said is in 'why'. */
static void
reject(struct tn_ovsdb *db, const struct tn_error *why)
{
    db->transaction[0] = '\0';
    tn_ovsdb_leave(db, false, why);
}

static void
reject_for(struct tn_ovsdb *db, const char *what)
{
    struct tn_error err = {0};
    (void) !tn_fail(&err, TN_EUNAVAILABLE, 0, "%s", what);
    reject(db, &err);
}

/* <error>, which is an object, or text. */
static const char *
error_tag(const json_t *error)
{
    const char *tag = json_string_value(
        json_is_string(error) ? error : json_object_get(error, "error"));
    return tag ? tag : "an error without a name";
}

/* Does a server say so that does not know the method?  Others say anything, but
 * ours says these of a request that it understands. */
static bool
is_unknown_method(const json_t *error)
{
    const char *tag = error_tag(error);
    return strcmp(tag, "unknown database") != 0 &&
           strcmp(tag, "syntax error") != 0;
}

static void
ask(struct tn_ovsdb *db, const char *method, json_t *params,
    tn_rpc_answered_fn *answered)
{
    struct tn_error err = {0};
    if (db->phase == TN_OVSDB_DOWN) {
        json_decref(params);
    } else if (tn_rpc_call(db->rpc, method, params, answered, db, &err) !=
               TN_OK) {
        tn_ovsdb_leave(db, false, &err);
    }
}

/* The same, of what answers with tables. */
static void
ask_text(struct tn_ovsdb *db, const char *method, json_t *params,
         tn_rpc_answered_text_fn *answered)
{
    struct tn_error err = {0};
    if (db->phase == TN_OVSDB_DOWN) {
        json_decref(params);
    } else if (tn_rpc_call_for_text(db->rpc, method, params, answered, db,
                                    &err) != TN_OK) {
        tn_ovsdb_leave(db, false, &err);
    }
}

static void
be_whole(struct tn_ovsdb *db)
{
    db->phase = TN_OVSDB_WHOLE;
    db->hops = 0;
    db->why = (struct tn_error){0};
    if (db->events.ready) {
        db->events.ready(db->ctx);
    }
}

/* Keeps the number of the transaction up to which the copy goes.  False: it is
 * none. */
static bool
keep_transaction(struct tn_ovsdb *db, const struct tn_scan_string *id)
{
    char text[TN_OVSDB_ID];
    if (id->n >= sizeof text) {
        return false;
    }
    memcpy(text, id->s, id->n);
    text[id->n] = '\0';
    if (!tn_ovsdb_is_uuid(text)) {
        return false;
    }
    bool known = strcmp(text, zero_uuid) != 0;
    snprintf(db->transaction, sizeof db->transaction, "%s", known ? text : "");
    return true;
}

/* What is left of an array behind a comma: its last element. */
static struct tn_scan
last_of(struct tn_scan array)
{
    if (!tn_scan_sign(&array, ',')) {
        return (struct tn_scan){0};
    }
    array.end--; /* An array ends with its bracket. */
    return array;
}

/* The first content of a monitor: 'tables' is all of it, or what happened since
 * the transaction that we named. */
static void
take_content(struct tn_ovsdb *db, struct tn_scan tables, bool since)
{
    const struct method *m = method_of(db);
    struct tn_error err = {0};
    enum tn_code code = since
                            ? tn_replica_update(db->copy, m->form, tables, &err)
                            : tn_replica_dump(db->copy, m->form, tables, &err);
    if (code) {
        reject(db, &err);
        return;
    }
    db->counts.resumed += since;
    db->counts.dumps += !since;
    be_whole(db);
}

/* [found, last transaction, tables] */
static void
take_content_since(struct tn_ovsdb *db, struct tn_scan result)
{
    bool asked = db->transaction[0] != '\0';
    struct tn_scan_string id;
    bool array = tn_scan_sign(&result, '[');
    bool found = array && tn_scan_word(&result, "true");
    if (!array || (!found && !tn_scan_word(&result, "false")) ||
        (found && !asked) || !tn_scan_sign(&result, ',') ||
        !tn_scan_string(&result, &id) || tn_scan_peek(&result) != ',' ||
        !keep_transaction(db, &id)) {
        reject_for(db, "an answer to monitor_cond_since that is none");
        return;
    }
    take_content(db, last_of(result), found);
}

static void monitor(struct tn_ovsdb *db);

static void
on_content(void *ctx, struct tn_scan result, json_t *error)
{
    struct tn_ovsdb *db = ctx;
    struct tn_error err = {0};
    if (db->phase != TN_OVSDB_DUMP) {
        return;
    }
    if (error && db->method + 1 < TN_ARRAY_SIZE(methods) &&
        is_unknown_method(error)) {
        db->method++;
        monitor(db);
    } else if (error) {
        const char *details =
            json_string_value(json_object_get(error, "details"));
        (void) !tn_fail(&err, TN_EUNAVAILABLE, 0, "%s: %.200s%s%.300s",
                        method_of(db)->ask, error_tag(error),
                        details ? ": " : "", details ? details : "");
        reject(db, &err);
    } else if (result.at && method_of(db)->since) {
        take_content_since(db, result);
    } else if (result.at) {
        db->transaction[0] = '\0';
        take_content(db, result, false);
    }
}

/* A new name; borrowed. */
static const char *
name_monitor(struct tn_ovsdb *db)
{
    snprintf(db->monitor, sizeof db->monitor, "tenet-%u", ++db->generation);
    return db->monitor;
}

static void
monitor(struct tn_ovsdb *db)
{
    const struct method *m = method_of(db);
    db->phase = TN_OVSDB_DUMP;
    db->counts.method = m->ask;
    snprintf(db->monitor, sizeof db->monitor, "tenet-%u", ++db->generation);
    json_t *params = json_pack("[s,s,o]", db->database, db->monitor,
                               tn_replica_requests(db->copy, m->where));
    if (m->since) {
        json_array_append_new(
            params,
            json_string(db->transaction[0] ? db->transaction : zero_uuid));
    }
    ask_text(db, m->ask, params, on_content);
}

static void
on_barrier(void *ctx, json_t *result, json_t *error)
{
    struct tn_ovsdb *db = ctx;
    if (db->phase != TN_OVSDB_BARRIER) {
        return;
    }
    if (error) {
        reject_for(db, "the leader does not take a transaction");
    } else if (result) {
        monitor(db);
    }
}

/* The fresh schema becomes the one in use. */
static enum tn_code
adopt_schema(struct tn_ovsdb *db, struct tn_error *err)
{
    bool same = false;
    enum tn_code code = tn_replica_fit(db->copy, db->fresh, &same, err);
    tn_arena_free(db->schema_arena);
    db->schema_arena = TN_TAKE(db->fresh_arena);
    db->schema = TN_TAKE(db->fresh);
    if (!same) {
        db->transaction[0] = '\0';
    }
    return code;
}

static void
on_ignored(void *ctx, json_t *result, json_t *error)
{
    (void) ctx;
    (void) result;
    (void) error;
}

/* A monitor of nothing is canceled when the schema is another. */
static void
stay_unfit(struct tn_ovsdb *db, const struct tn_error *why)
{
    db->phase = TN_OVSDB_UNFIT;
    db->why = *why;
    ask(db, "monitor", json_pack("[s,s,{}]", db->database, name_monitor(db)),
        on_ignored);
}

/* The server and its schema are known: what now? */
static void
begin(struct tn_ovsdb *db)
{
    struct tn_error err = {0};
    if (adopt_schema(db, &err) != TN_OK) {
        stay_unfit(db, &err);
    } else if (db->leader && tn_follow_clustered(db->follow)) {
        db->phase = TN_OVSDB_BARRIER;
        ask(db, "transact", json_pack("[s]", db->database), on_barrier);
    } else {
        monitor(db);
    }
}

static void ask_schema(struct tn_ovsdb *db);

/* Goes on if all of the greeting is answered. */
static void
advance(struct tn_ovsdb *db)
{
    struct tn_error err = {0};
    if (db->phase == TN_OVSDB_DOWN || db->schema_asked ||
        !tn_follow_known(db->follow)) {
        return;
    }
    switch (tn_follow_judge(db->follow, &err)) {
    case TN_FOLLOW_USE:
        if (db->fresh) {
            begin(db);
        } else if (!db->schema_wanted) {
            ask_schema(db);
        } else {
            tn_ovsdb_leave(db, false, &db->why);
        }
        break;
    case TN_FOLLOW_STAY:
        db->phase = TN_OVSDB_ABSENT;
        db->why = err;
        break;
    case TN_FOLLOW_NEXT:
        tn_ovsdb_leave(db, ++db->hops < db->n_remotes, &err);
        break;
    }
}

static void
on_schema(void *ctx, json_t *result, json_t *error)
{
    struct tn_ovsdb *db = ctx;
    struct tn_error err = {0};
    db->schema_asked = false;
    tn_arena_free(TN_TAKE(db->fresh_arena));
    db->fresh = NULL;
    if (error) {
        (void) !tn_fail(&db->why, TN_EUNAVAILABLE, 0, "get_schema: %s: %.200s",
                        db->database, error_tag(error));
    } else if (result) {
        db->fresh_arena = tn_arena_new();
        enum tn_code code =
            tn_ovsdb_schema_parse(db->fresh_arena, result, &db->fresh, &err);
        if (!code && strcmp(db->fresh->name, db->database) != 0) {
            code = tn_fail(&err, TN_EUNAVAILABLE, 0,
                           "the schema is that of another database");
        }
        if (code) {
            reject(db, &err);
        }
    }
    if (result || error) {
        advance(db);
    }
}

static void
ask_schema(struct tn_ovsdb *db)
{
    db->phase = TN_OVSDB_GREETING;
    db->schema_asked = db->schema_wanted = true;
    ask(db, "get_schema", json_pack("[s]", db->database), on_schema);
}

static void
on_standing(void *ctx, struct tn_scan result, json_t *error)
{
    struct tn_ovsdb *db = ctx;
    struct tn_error err = {0};
    if (!result.at && !error) {
        return;
    }
    if (tn_follow_take(db->follow, result.at ? &result : NULL, &err) != TN_OK) {
        reject(db, &err);
    }
    advance(db);
}

/* Something about the server has changed. */
static void
standing_changed(struct tn_ovsdb *db, struct tn_scan tables)
{
    struct tn_error err = {0};
    if (tn_follow_update(db->follow, tables, &err) != TN_OK) {
        reject(db, &err);
        return;
    }
    switch (db->phase) {
    case TN_OVSDB_ABSENT:
        ask_schema(db);
        break;
    case TN_OVSDB_UNFIT:
    case TN_OVSDB_BARRIER:
    case TN_OVSDB_DUMP:
    case TN_OVSDB_WHOLE:
        if (tn_follow_judge(db->follow, &err) == TN_FOLLOW_NEXT) {
            tn_ovsdb_leave(db, ++db->hops < db->n_remotes, &err);
        }
        break;
    case TN_OVSDB_DOWN:
    case TN_OVSDB_GREETING:
        break;
    }
}

/* The copy is not kept any more. */
static void
lose(struct tn_ovsdb *db, enum tn_ovsdb_phase phase, const struct tn_error *why)
{
    bool whole = db->phase == TN_OVSDB_WHOLE;
    if (why != &db->why) {
        db->why = *why;
    }
    db->phase = phase;
    db->monitor[0] = '\0';
    if (whole && db->events.lost) {
        db->events.lost(db->ctx, &db->why);
    }
}

/* The database was removed, or its schema converted. */
static void
canceled(struct tn_ovsdb *db, const char *id)
{
    struct tn_error err = {0};
    if ((db->phase != TN_OVSDB_WHOLE && db->phase != TN_OVSDB_UNFIT) ||
        strcmp(id, db->monitor) != 0) {
        reject_for(db, "monitor_canceled, of no monitor of ours");
        return;
    }
    (void) !tn_fail(&err, TN_EUNAVAILABLE, 0,
                    "%s: removed, or its schema has changed", db->database);
    db->transaction[0] = '\0';
    lose(db, TN_OVSDB_GREETING, &err);
    ask_schema(db);
}

/* [name, last transaction, tables], or without the second; behind the name. */
static void
updated(struct tn_ovsdb *db, struct tn_scan params)
{
    const struct method *m = method_of(db);
    struct tn_scan_string id = {"", 0, false};
    struct tn_error err = {0};
    db->counts.messages++;
    if (db->phase != TN_OVSDB_WHOLE ||
        (m->since &&
         (!tn_scan_sign(&params, ',') || !tn_scan_string(&params, &id))) ||
        tn_scan_peek(&params) != ',') {
        reject_for(db, "an update that was not asked for");
        return;
    }
    if (tn_replica_update(db->copy, m->form, last_of(params), &err) != TN_OK) {
        reject(db, &err);
    } else if (m->since && !keep_transaction(db, &id)) {
        reject_for(db, "an update without a transaction");
    }
}

static void
on_notified(void *ctx, const char *method, json_t *params)
{
    struct tn_ovsdb *db = ctx;
    const char *id = json_string_value(json_array_get(params, 0));
    if (db->phase == TN_OVSDB_DOWN) {
        return;
    }
    if (id && strcmp(method, "monitor_canceled") == 0) {
        canceled(db, id);
    }
}

static bool
is_text(const struct tn_scan_string *s, const char *text)
{
    return s->n == strlen(text) && memcmp(s->s, text, s->n) == 0;
}

static void
on_updated(void *ctx, const char *method, struct tn_scan params)
{
    struct tn_ovsdb *db = ctx;
    struct tn_scan_string id;
    bool named = tn_scan_sign(&params, '[') && tn_scan_string(&params, &id);
    if (db->phase == TN_OVSDB_DOWN) {
        return;
    }
    if (named && strcmp(method, "update2") == 0 &&
        is_text(&id, tn_follow_monitor)) {
        standing_changed(db, last_of(params));
    } else if (named && strcmp(method, method_of(db)->told) == 0 &&
               is_text(&id, db->monitor)) {
        updated(db, params);
    } else {
        reject_for(db, "an update that was not asked for");
    }
}

static void
on_up(void *ctx, const char *remote)
{
    struct tn_ovsdb *db = ctx;
    (void) remote;
    db->method = 0;
    tn_follow_reset(db->follow);
    db->phase = TN_OVSDB_GREETING;
    ask(db, "set_db_change_aware", json_pack("[b]", 1), on_ignored);
    ask_text(db, "monitor_cond", tn_follow_request(db->follow), on_standing);
    db->schema_wanted = false;
    if (db->n_remotes == 1) {
        ask_schema(db);
    }
}

static void
on_down(void *ctx, const struct tn_error *why)
{
    lose(ctx, TN_OVSDB_DOWN, why);
}

static size_t
count_remotes(const char *remotes)
{
    size_t n = 1;
    for (const char *s = remotes; *s; s++) {
        n += *s == ',';
    }
    return n;
}

void
tn_ovsdb_leave(struct tn_ovsdb *db, bool at_once, const struct tn_error *why)
{
    char text[TN_ERROR_TEXT];
    if (db->phase != TN_OVSDB_DOWN) {
        lose(db, TN_OVSDB_DOWN, why);
        tn_rpc_drop(db->rpc, at_once,
                    tn_error_text(&db->why, text, sizeof text));
    }
}

enum tn_code
tn_ovsdb_open(struct tn_ovsdb_loop *loop, const struct tn_rpc_options *options,
              const char *database, bool leader,
              const struct tn_ovsdb_want *wants,
              const struct tn_ovsdb_events *events, void *ctx,
              struct tn_ovsdb **out, struct tn_error *err)
{
    static const struct tn_rpc_events rpc_events = {.up = on_up,
                                                    .down = on_down,
                                                    .notified = on_notified,
                                                    .updated = on_updated};
    struct tn_ovsdb *db = calloc(1, sizeof *db);
    if (!db || !(db->database = strdup(database))) {
        abort();
    }
    db->loop = loop;
    db->events = events ? *events : (struct tn_ovsdb_events){0};
    db->ctx = ctx;
    db->leader = leader;
    db->n_remotes = count_remotes(options->remotes);
    db->follow = tn_follow_new(database, leader, db->n_remotes);
    db->copy = tn_replica_new(wants, NULL, db->events.changed, ctx);
    db->counts.method = "";
    (void) !tn_fail(&db->why, TN_EUNAVAILABLE, 0, "not connected yet");
    enum tn_code code =
        tn_rpc_open(loop, options, &rpc_events, db, &db->rpc, err);
    if (code) {
        tn_ovsdb_close(db);
        return code;
    }
    *out = db;
    return TN_OK;
}

void
tn_ovsdb_close(struct tn_ovsdb *db)
{
    if (!db) {
        return;
    }
    tn_rpc_close(db->rpc);
    tn_ovsdb_forget_pending(db);
    tn_follow_free(db->follow);
    tn_replica_free(db->copy);
    tn_arena_free(db->schema_arena);
    tn_arena_free(db->fresh_arena);
    free(db->database);
    free(db);
}

bool
tn_ovsdb_has(const struct tn_ovsdb *db, const char *table, const char *column)
{
    const struct tn_ovsdb_table *t = tn_ovsdb_schema_table(db->schema, table);
    return t && (!column || tn_ovsdb_table_column(t, column));
}

const char *
tn_ovsdb_schema_version(const struct tn_ovsdb *db)
{
    return db->schema ? db->schema->version : "";
}

const struct tn_ovsdb_row *
tn_ovsdb_row(const struct tn_ovsdb *db, const char *table, const char *uuid)
{
    return tn_replica_row(db->copy, table, uuid);
}

const struct tn_ovsdb_row *
tn_ovsdb_first(const struct tn_ovsdb *db, const char *table)
{
    return tn_replica_first(db->copy, table);
}

const struct tn_ovsdb_row *
tn_ovsdb_after(const struct tn_ovsdb_row *row)
{
    return tn_replica_after(row);
}

json_t *
tn_ovsdb_rows(const struct tn_ovsdb *db, const char *table)
{
    return tn_replica_rows(db->copy, table);
}

struct tn_ovsdb_counts
tn_ovsdb_counts(const struct tn_ovsdb *db)
{
    struct tn_ovsdb_counts c = db->counts;
    struct tn_replica_counts r = tn_replica_counts(db->copy);
    c.rows = r.rows;
    c.elements = r.elements;
    c.dumped = r.dumped;
    c.updated = r.updated;
    c.bytes = tn_rpc_received(db->rpc);
    return c;
}
