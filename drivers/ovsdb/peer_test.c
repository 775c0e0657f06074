/* peer_test.c - servers that are old, members of a cluster, or hostile: what is
 * made of them, and which reason is given. */
#include "drivers/ovsdb/client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/ovsdb/value_lab.h"
#include "tests/support/ovsdb_server.h"

enum { PATIENCE = 60000 };

#define PROGRAM "tests/support/ovsdb_fake.py"
#define ROW "aaaaaaaa-0000-0000-0000-000000000000"
#define OTHER "bbbbbbbb-0000-0000-0000-000000000000"
#define ZERO "00000000-0000-0000-0000-000000000000"

static const char *const columns[] = {"name", "ports", "tag", NULL};
static const struct tn_ovsdb_want wants[] = {{.table = "T", .columns = columns},
                                             {0}};
static const char *const set_columns[] = {"name", "addresses", "external_ids",
                                          NULL};
static const struct tn_ovsdb_want nb_wants[] = {
    {.table = "Address_Set", .columns = set_columns}, {0}};

static struct {
    struct tn_peer peer;
    struct tn_ovsdb_loop *loop;
    struct tn_ovsdb *db;
    struct tn_text told, why; /* Changes; reasons why the copy was lost. */
    unsigned ready;
} t;

static void
teardown(void)
{
    tn_ovsdb_close(t.db);
    tn_ovsdb_loop_free(t.loop);
    tn_peer_stop(&t.peer, SIGKILL);
    tn_text_done(&t.told);
    tn_text_done(&t.why);
    memset(&t, 0, sizeof t);
}

static void
on_changed(void *ctx, const char *table, const char *uuid,
           const struct tn_ovsdb_row *was, const struct tn_ovsdb_row *now)
{
    (void) ctx;
    (void) table;
    const char *name = tn_ovsdb_get_text(now ? now : was, "name");
    tn_text_addf(&t.told, "%s%.1s %s\n",
                 !was   ? "+"
                 : !now ? "-"
                        : "~",
                 uuid, name ? name : "");
}

static void
on_ready(void *ctx)
{
    (void) ctx;
    t.ready++;
}

static void
on_lost(void *ctx, const struct tn_error *why)
{
    char text[TN_ERROR_TEXT];
    (void) ctx;
    tn_text_addf(&t.why, "%s\n", tn_error_text(why, text, sizeof text));
}

static void
open_at(const char *database, bool leader, const struct tn_ovsdb_want *want)
{
    static const struct tn_ovsdb_events events = {
        .changed = on_changed, .ready = on_ready, .lost = on_lost};
    struct tn_error err = {0};
    char *remote = tn_format("tcp:127.0.0.1:%d", t.peer.port);
    struct tn_rpc_options options = {
        .remotes = remote, .probe_ms = PATIENCE, .backoff_ms = 200};
    cr_assert_eq(tn_ovsdb_loop_new(&t.loop, &err), TN_OK);
    cr_assert_eq(tn_ovsdb_open(t.loop, &options, database, leader, want,
                               &events, NULL, &t.db, &err),
                 TN_OK, "%s", err.text);
    free(remote);
}

static void
serve(const char *script)
{
    const char *argv[] = {"python3", PROGRAM, "fake", script, NULL};
    t.peer = tn_peer_start(argv, 1);
}

/* A fault, and what is said of it: when there is no copy, or it is lost. */
struct fault {
    const char *script, *says;
};

#define SERVER(row)                                                            \
    "{\"answers\":{\"server\":{\"result\":{\"Database\":{\"" ROW               \
    "\":{\"initial\":" row "}}}}}}"
#define ANSWER(method, answer) "{\"answers\":{\"" method "\":" answer "}}"
#define THEN(messages) "{\"then\":[" messages "]}"
#define TELL(method, params)                                                   \
    "{\"method\":\"" method "\",\"params\":" params ",\"id\":null}"

static const struct fault faults[] = {
    /* Its standing. */
    {SERVER("{\"name\":\"D\",\"model\":\"clustered\",\"leader\":true}"),
     "D: the server has no contact with most of the cluster"},
    {SERVER("{\"name\":\"D\",\"model\":\"clustered\",\"connected\":true}"),
     "D: the server is not the leader"},
    {SERVER("{\"name\":\"D\",\"model\":\"relay\",\"connected\":true}"),
     "D: the server is not the leader"},
    {SERVER("{\"name\":\"E\",\"model\":\"standalone\",\"connected\":true}"),
     "D: the server does not have it"},
    {SERVER("{\"name\":7}"), "name: a value of another type"},
    {SERVER("{\"secret\":7}"), "a column that was not asked for"},
    {ANSWER("server", "{\"result\":[]}"), "not an object of tables"},
    {ANSWER("server", "{\"result\":{\"T\":{}}}"),
     "a table that was not asked for"},
    /* The schema. */
    {ANSWER("get_schema", "{\"result\":[]}"), "not a schema"},
    {ANSWER("get_schema", "{\"result\":{\"name\":\"E\",\"tables\":{}}}"),
     "the schema is that of another database"},
    {ANSWER("get_schema", "{\"error\":\"unknown database\"}"),
     "get_schema: D: unknown database"},
    {ANSWER("get_schema", "{\"error\":{\"a\":1}}"),
     "get_schema: D: an error without a name"},
    {ANSWER("get_schema", "{\"result\":{\"name\":\"D\",\"tables\":{}}}"),
     "has no T"},
    /* The content. */
    {ANSWER("monitor_cond_since", "{\"result\":{}}"),
     "an answer to monitor_cond_since that is none"},
    {ANSWER("monitor_cond_since", "{\"result\":[true,\"" ZERO "\",{}]}"),
     "an answer to monitor_cond_since that is none"},
    {ANSWER("monitor_cond_since", "{\"result\":[0,\"" ZERO "\",{}]}"),
     "an answer to monitor_cond_since that is none"},
    {ANSWER("monitor_cond_since", "{\"result\":[false,\"x\",{}]}"),
     "an answer to monitor_cond_since that is none"},
    {ANSWER("monitor_cond_since", "{\"result\":[false,\"" ZERO "\",[]]}"),
     "not an object of tables"},
    {ANSWER("monitor_cond_since", "{\"error\":\"unknown database\"}"),
     "monitor_cond_since: unknown database"},
    {ANSWER("monitor_cond_since",
            "{\"error\":{\"error\":\"syntax error\",\"details\":\"x\"}}"),
     "monitor_cond_since: syntax error: x"},
    {ANSWER("monitor_cond_since", "{\"error\":\"what is that\"}"),
     "monitor: unknown method"},
    /* Updates. */
    {THEN(TELL("update3",
               "[\"@\",\"" ZERO "\",{\"T\":{\"" OTHER "\":{\"modify\":{}}}}]")),
     "T " OTHER ": changed but was not there"},
    {THEN(TELL("update3", "[\"@\",\"" ZERO "\",[]]")),
     "not an object of tables"},
    {THEN(TELL("update3", "[\"@\",\"x\",{}]")),
     "an update without a transaction"},
    {THEN(TELL("update3", "[\"@\",{}]")), "an update that was not asked for"},
    {THEN(TELL("update3", "[\"x\",\"" ZERO "\",{}]")),
     "an update that was not asked for"},
    {THEN(TELL("update3", "[]")), "an update that was not asked for"},
    {THEN(TELL("update2", "[\"@\",{}]")), "an update that was not asked for"},
    {THEN(TELL("update", "[null,{}]")), "an update that was not asked for"},
    {THEN(TELL("update2", "[\"_Server\",{\"Database\":{\"" ROW
                          "\":{\"modify\":{\"leader\":1}}}}]")),
     "leader: a value of another type"},
    {THEN(TELL("update2", "[\"_Server\"]")), "not an object of tables"},
    {THEN(TELL("update2", "[\"_Server\",{\"Database\":{\"" ROW
                          "\":{\"modify\":{\"leader\":false}}}}]")),
     "the server is not the leader"},
    {THEN(TELL("monitor_canceled", "[\"x\"]")),
     "monitor_canceled, of no monitor of ours"},
    {THEN(TELL("monitor_canceled", "[\"@\"]")),
     "D: removed, or its schema has changed"},
};

static bool
is_said(const char *what)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT] = "";
    if (tn_ovsdb_wait(t.db, 20, &err) != TN_OK) {
        tn_error_text(&err, text, sizeof text);
        cr_expect(err.code == TN_EUNAVAILABLE || err.code == TN_EUNSUPPORTED);
    } else {
        cr_assert_eq(tn_ovsdb_loop_turn(t.loop, 20, &err), TN_OK);
    }
    return strstr(text, what) || strstr(tn_text_str(&t.why), what);
}

Test(ovsdb_peer, says_what_is_wrong, .fini = teardown)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(faults); i++) {
        serve(faults[i].script);
        open_at("D", true, wants);
        int64_t until = tn_peer_now_ms() + PATIENCE / 4;
        bool said = false;
        while (!said && tn_peer_now_ms() < until) {
            said = is_said(faults[i].says);
        }
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        (void) !tn_ovsdb_wait(t.db, 0, &err);
        cr_expect(said, "%s: %s %s", faults[i].says,
                  tn_error_text(&err, text, sizeof text), tn_text_str(&t.why));
        teardown();
    }
}

Test(ovsdb_peer, ignores_what_it_does_not_know, .fini = teardown)
{
    struct tn_error err = {0};
    serve(THEN(TELL("locked", "[\"x\"]") "," TELL(
        "update3", "[\"@\",\"" ZERO "\",{\"T\":{\"" OTHER
                   "\":{\"insert\":{\"name\":\"b\"}}}}]")));
    open_at("D", true, wants);
    cr_assert_eq(tn_ovsdb_catch_up(t.db, PATIENCE, &err), TN_OK);
    cr_assert_str_eq(tn_text_str(&t.told), "+a a\n+b b\n");
    cr_assert_str_eq(tn_text_str(&t.why), "");
}

Test(ovsdb_peer, uses_a_server_without_server_database, .fini = teardown)
{
    struct tn_error err = {0};
    serve(ANSWER("server", "{\"error\":\"unknown database\"}"));
    open_at("D", true, wants);
    cr_assert_eq(tn_ovsdb_wait(t.db, PATIENCE, &err), TN_OK, "%s", err.text);
    cr_assert_str_eq(tn_text_str(&t.told), "+a a\n");
}

Test(ovsdb_peer, uses_a_follower_if_that_will_do, .fini = teardown)
{
    struct tn_error err = {0};
    serve(
        SERVER("{\"name\":\"D\",\"model\":\"clustered\",\"connected\":true}"));
    open_at("D", false, wants);
    cr_assert_eq(tn_ovsdb_wait(t.db, PATIENCE, &err), TN_OK, "%s", err.text);
}

/* A member whose log is shorter than what we have seen is left alone for a
 * while; if there is no other, the past is lost. */
#define MEMBER(index)                                                          \
    "{\"server\":{\"result\":{\"Database\":{\"" ROW                            \
    "\":{\"initial\":{\"name\":\"D\",\"model\":\"clustered\",\"connected\":"   \
    "true,\"leader\":true,\"cid\":[\"uuid\",\"" ROW "\"],\"index\":" index     \
    "}}}}}"

Test(ovsdb_peer, does_not_go_back_in_time, .fini = teardown)
{
    struct tn_error err = {0};
    serve("{\"each\":[" MEMBER("7") ",\"transact\":{\"result\":7}}," MEMBER(
        "6") "}]}");
    open_at("D", false, wants);
    cr_assert_eq(tn_ovsdb_wait(t.db, PATIENCE, &err), TN_OK, "%s", err.text);
    struct tn_ovsdb_result result;
    cr_assert_eq(tn_ovsdb_transact(t.db, json_array(), PATIENCE, &result, &err),
                 TN_EUNAVAILABLE);
    cr_assert_eq(result.verdict, TN_TXN_UNKNOWN);
    json_decref(result.last);
    cr_assert(strstr(err.text, "an answer that does not fit"));
    int64_t until = tn_peer_now_ms() + PATIENCE;
    while (!is_said("the server is behind what we have seen")) {
        cr_assert_lt(tn_peer_now_ms(), until);
    }
    cr_assert_eq(tn_ovsdb_wait(t.db, PATIENCE, &err), TN_OK, "%s", err.text);
    cr_assert_eq(t.ready, 2);
}

/* In front of a real server, without its newer methods. */
struct old {
    const char *lacks[2], *method;
};

static const struct old old[] = {
    {{NULL, NULL}, "monitor_cond_since"},
    {{"monitor_cond_since", NULL}, "monitor_cond"},
    {{"monitor_cond_since", "monitor_cond"}, "monitor"},
};

#define NBCTL(...) TN_RUN_QUIETLY("ovn-nbctl", "--db", at, __VA_ARGS__)

static void
live_through(const char *dir, const struct old *o)
{
    char *path = tn_format("%s/x.sock", dir), *at = tn_format("unix:%s", path);
    const char *argv[] = {"python3",   PROGRAM,     "proxy", path,
                          o->lacks[0], o->lacks[1], NULL};
    struct tn_error err = {0};
    NBCTL("create", "address_set", "name=a", "addresses=10.0.0.1");
    t.peer = tn_peer_start(argv, 1);
    open_at("OVN_Northbound", true, nb_wants);
    cr_assert_eq(tn_ovsdb_wait(t.db, PATIENCE, &err), TN_OK, "%s", err.text);
    cr_expect_str_eq(tn_ovsdb_counts(t.db).method, o->method);
    NBCTL("create", "address_set", "name=b");
    NBCTL("add", "address_set", "a", "addresses", "10.0.0.2", "10.0.0.3");
    NBCTL("remove", "address_set", "a", "addresses", "10.0.0.1");
    NBCTL("set", "address_set", "a", "external_ids:k=v");
    NBCTL("destroy", "address_set", "b");
    cr_assert_eq(tn_ovsdb_catch_up(t.db, PATIENCE, &err), TN_OK, "%s",
                 err.text);
    json_t *rows = tn_ovsdb_rows(t.db, "Address_Set");
    cr_expect_eq(json_object_size(rows), 1);
    json_t *row = json_object_iter_value(json_object_iter(rows));
    struct tn_text text = {0};
    tn_value_print(&text, json_object_get(row, "addresses"));
    cr_expect_str_eq(tn_text_str(&text), "10.0.0.2, 10.0.0.3", "%s", o->method);
    const struct tn_ovsdb_row *first = tn_ovsdb_first(t.db, "Address_Set");
    cr_expect_str_eq(tn_ovsdb_get_key(first, "external_ids", "k"), "v");
    cr_expect_eq(json_object_size(row), 3);
    tn_text_done(&text);
    NBCTL("destroy", "address_set", "a");
    free(path);
    free(at);
    teardown();
}

Test(ovsdb_peer, falls_back_to_older_monitors, .fini = teardown)
{
    char *dir = tn_peer_dir();
    tn_ovsdb_create(dir, "x", TN_SCHEMA_NB);
    struct tn_peer server = tn_ovsdb_start(dir, "x", NULL);
    for (size_t i = 0; i < TN_ARRAY_SIZE(old); i++) {
        live_through(dir, &old[i]);
    }
    tn_peer_stop(&server, SIGKILL);
    tn_peer_remove(dir);
}
