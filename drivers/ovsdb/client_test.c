/* client_test.c - against the real ovsdb-server: what others do is seen, with
 * old values; servers that die, lack the database or change its schema;
 * transactions and what becomes of them. */
#include "drivers/ovsdb/client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/ovsdb/value_lab.h"
#include "tests/support/ovsdb_server.h"

/* For a machine that does a hundred other things. */
enum { PATIENCE = 60000 };

static const char *const switch_columns[] = {"name", "ports", "external_ids",
                                             NULL};
static const char *const port_columns[] = {"name", "addresses", "tag",
                                           "enabled", NULL};
static const char *const set_columns[] = {"name", "addresses", NULL};
static const char *const bridge_columns[] = {"name", "other_config", "ports",
                                             NULL};

static const struct tn_ovsdb_want nb_wants[] = {
    {.table = "Logical_Switch", .columns = switch_columns},
    {.table = "Logical_Switch_Port", .columns = port_columns},
    {.table = "Address_Set", .columns = set_columns},
    {0}};
static const struct tn_ovsdb_want ovs_wants[] = {
    {.table = "Bridge", .columns = bridge_columns}, {0}};

static struct {
    char *dir, *remote;
    struct tn_peer server;
    struct tn_ovsdb_loop *loop;
    struct tn_ovsdb *db;
    struct tn_text log; /* What was told. */
    unsigned ready, lost;
} t;

static void
setup(void)
{
    struct tn_error err = {0};
    t.dir = tn_peer_dir();
    t.remote = tn_format("unix:%s/x.sock", t.dir);
    cr_assert_eq(tn_ovsdb_loop_new(&t.loop, &err), TN_OK);
}

static void
teardown(void)
{
    tn_ovsdb_close(t.db);
    tn_ovsdb_loop_free(t.loop);
    tn_peer_stop(&t.server, SIGKILL);
    tn_peer_remove(t.dir);
    free(t.remote);
    tn_text_done(&t.log);
}

TestSuite(ovsdb_client, .init = setup, .fini = teardown);

/* Columns in the order of their names; takes 'row'. */
static void
log_row(json_t *row)
{
    static const char *const names[] = {
        "addresses",    "enabled", "external_ids", "name",
        "other_config", "ports",   "tag"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        const json_t *value = json_object_get(row, names[i]);
        if (value && strcmp(names[i], "ports") == 0) {
            tn_text_addf(&t.log, " ports={%zu}", tn_value_elements(value));
        } else if (value) {
            tn_text_addf(&t.log, " %s={", names[i]);
            tn_value_print(&t.log, value);
            tn_text_addc(&t.log, '}');
        }
    }
    json_decref(row);
}

static void
on_changed(void *ctx, const char *table, const char *uuid,
           const struct tn_ovsdb_row *was, const struct tn_ovsdb_row *now)
{
    (void) ctx;
    /* The copy is as it was told. */
    cr_expect_eq(tn_ovsdb_row(t.db, table, uuid), now);
    tn_text_addf(&t.log, "%s%s", !was ? "+" : !now ? "-" : "~", table);
    if (was) {
        log_row(now ? tn_ovsdb_row_former(was, now) : tn_ovsdb_row_json(was));
    }
    if (was && now) {
        tn_text_add(&t.log, " ->");
    }
    if (now) {
        log_row(tn_ovsdb_row_json(now));
    }
    tn_text_addc(&t.log, '\n');
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
    (void) ctx;
    cr_expect_eq(why->code, TN_EUNAVAILABLE);
    t.lost++;
}

static const struct tn_ovsdb_events events = {
    .changed = on_changed, .ready = on_ready, .lost = on_lost};

static void
open_at(const char *remote, const char *database,
        const struct tn_ovsdb_want *wants)
{
    struct tn_error err = {0};
    struct tn_rpc_options options = {.remotes = remote, .probe_ms = PATIENCE};
    cr_assert_eq(tn_ovsdb_open(t.loop, &options, database, true, wants, &events,
                               NULL, &t.db, &err),
                 TN_OK, "%s", err.text);
}

static void
serve(const char *schema)
{
    if (schema) {
        tn_ovsdb_create(t.dir, "x", schema);
    }
    t.server = tn_ovsdb_start(t.dir, "x", NULL);
}

static void
wait_whole(void)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_ovsdb_wait(t.db, PATIENCE, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
}

static int
line_cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Objects of rows have no order. */
static void
sort_log(void)
{
    char *copy = strdup(tn_text_str(&t.log)), *save = NULL;
    const char *lines[16];
    size_t n = 0;
    for (char *s = strtok_r(copy, "\n", &save); s && n < 16;
         s = strtok_r(NULL, "\n", &save)) {
        lines[n++] = s;
    }
    qsort(lines, n, sizeof *lines, line_cmp);
    tn_text_clear(&t.log);
    for (size_t i = 0; i < n; i++) {
        tn_text_addf(&t.log, "%s\n", lines[i]);
    }
    free(copy);
}

/* What was told since the last time, after a barrier; lines in order. */
static void
expect_told(const char *told)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_ovsdb_catch_up(t.db, PATIENCE, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    sort_log();
    cr_expect_str_eq(tn_text_str(&t.log), told);
    tn_text_clear(&t.log);
}

/* Turns the loop until the copy is not kept any more. */
static void
wait_lost(unsigned n)
{
    struct tn_error err = {0};
    int64_t until = tn_peer_now_ms() + PATIENCE;
    while (t.lost < n && tn_peer_now_ms() < until) {
        cr_assert_eq(tn_ovsdb_loop_turn(t.loop, 100, &err), TN_OK);
    }
    cr_assert_eq(t.lost, n);
}

#define NBCTL(...) TN_RUN_QUIETLY("ovn-nbctl", "--db", t.remote, __VA_ARGS__)
#define VSCTL(...)                                                             \
    TN_RUN_QUIETLY("ovs-vsctl", "--no-wait", "--db", t.remote, __VA_ARGS__)

Test(ovsdb_client, sees_what_others_do_with_old_values)
{
    serve(TN_SCHEMA_NB);
    NBCTL("ls-add", "first");
    open_at(t.remote, "OVN_Northbound", nb_wants);
    cr_assert_str_eq(tn_ovsdb_schema_version(t.db), "");
    wait_whole();
    cr_assert_eq(t.ready, 1);
    cr_assert_str_eq(tn_ovsdb_counts(t.db).method, "monitor_cond_since");
    cr_assert(tn_ovsdb_has(t.db, "Logical_Switch", NULL));
    cr_assert(tn_ovsdb_has(t.db, "Logical_Switch", "ports"));
    cr_assert_not(tn_ovsdb_has(t.db, "Logical_Switch", "port"));
    cr_assert_not(tn_ovsdb_has(t.db, "Logical_Swatch", NULL));
    cr_assert_str_neq(tn_ovsdb_schema_version(t.db), "");
    expect_told("+Logical_Switch name={first}\n");
    NBCTL("lsp-add", "first", "p1", "--", "lsp-set-addresses", "p1",
          "02:00:00:00:00:01 10.0.0.1");
    expect_told("+Logical_Switch_Port addresses={02:00:00:00:00:01 10.0.0.1} "
                "name={p1}\n"
                "~Logical_Switch ports={0} -> name={first} ports={1}\n");
    NBCTL("set", "logical_switch_port", "p1", "tag=7", "enabled=false");
    expect_told("~Logical_Switch_Port enabled={} tag={} -> "
                "addresses={02:00:00:00:00:01 10.0.0.1} enabled={false} "
                "name={p1} tag={7}\n");
    NBCTL("set", "logical_switch", "first", "external_ids:a=1",
          "external_ids:b=2");
    expect_told("~Logical_Switch external_ids={} -> external_ids={a=1, b=2} "
                "name={first} ports={1}\n");
    NBCTL("set", "logical_switch", "first", "external_ids:a=3", "--", "remove",
          "logical_switch", "first", "external_ids", "b");
    expect_told("~Logical_Switch external_ids={a=1, b=2} -> "
                "external_ids={a=3} name={first} ports={1}\n");
    NBCTL("ls-del", "first");
    cr_assert_eq(tn_ovsdb_catch_up(t.db, PATIENCE, NULL), TN_OK);
    cr_assert(strstr(tn_text_str(&t.log), "-Logical_Switch external_ids={a=3} "
                                          "name={first} ports={1}\n"));
    cr_assert(strstr(tn_text_str(&t.log), "-Logical_Switch_Port addresses="));
    cr_assert_eq(tn_ovsdb_counts(t.db).rows, 0);
    cr_assert_eq(tn_ovsdb_counts(t.db).elements, 0);
    cr_assert_eq(t.lost, 0);
}

Test(ovsdb_client, sees_bridges)
{
    serve(TN_SCHEMA_OVS);
    open_at(t.remote, "Open_vSwitch", ovs_wants);
    wait_whole();
    VSCTL("init");
    VSCTL("add-br", "br0");
    expect_told("+Bridge name={br0} ports={1}\n");
    VSCTL("set", "bridge", "br0", "other_config:x=y");
    expect_told("~Bridge other_config={} -> name={br0} "
                "other_config={x=y} ports={1}\n");
    VSCTL("del-br", "br0");
    expect_told("-Bridge name={br0} other_config={x=y} ports={1}\n");
}

/* The difference between sets large and small, changed by many and by few. */
Test(ovsdb_client, keeps_large_sets)
{
    serve(TN_SCHEMA_NB);
    open_at(t.remote, "OVN_Northbound", nb_wants);
    wait_whole();
    struct tn_text list = {0};
    for (int i = 0; i < 300; i++) {
        tn_text_addf(&list, "%s10.0.%d.%d", i ? "," : "addresses=", i / 100,
                     i % 100);
    }
    NBCTL("create", "address_set", "name=s", list.s);
    tn_text_done(&list);
    static const char *const edits[][4] = {
        {"add", "addresses", "10.0.0.500", "10.9.9.9"},
        {"remove", "addresses", "10.0.0.0", "10.0.2.99"},
        {"remove", "addresses", "10.9.9.9", "10.0.1.50"},
        {"add", "addresses", "10.0.0.0", "10.0.1.50"},
    };
    for (size_t i = 0; i <= TN_ARRAY_SIZE(edits); i++) {
        cr_assert_eq(tn_ovsdb_catch_up(t.db, PATIENCE, NULL), TN_OK);
        json_t *rows = tn_ovsdb_rows(t.db, "Address_Set");
        json_t *row = json_object_iter_value(json_object_iter(rows));
        const json_t *mine = json_object_get(row, "addresses");
        char *text = TN_RUN("ovn-nbctl", "--db", t.remote, "--format=json",
                            "--columns=addresses", "list", "address_set");
        json_t *list_json = json_loads(text, 0, NULL);
        const json_t *theirs = json_array_get(
            json_array_get(json_object_get(list_json, "data"), 0), 0);
        cr_expect(json_equal(mine, theirs), "after %zu edits", i);
        free(text);
        json_decref(list_json);
        if (i < TN_ARRAY_SIZE(edits)) {
            NBCTL(edits[i][0], "address_set", "s", edits[i][1], edits[i][2],
                  edits[i][3]);
        }
    }
}

Test(ovsdb_client, survives_kill_and_tells_only_what_changed)
{
    serve(TN_SCHEMA_NB);
    NBCTL("ls-add", "a", "--", "ls-add", "b", "--", "ls-add", "c");
    open_at(t.remote, "OVN_Northbound", nb_wants);
    wait_whole();
    tn_text_clear(&t.log);
    tn_peer_stop(&t.server, SIGKILL);
    wait_lost(1);
    cr_assert_eq(json_object_size(tn_ovsdb_rows(t.db, "Logical_Switch")), 3,
                 "the copy can still be read");
    struct tn_error err = {0};
    cr_assert_eq(tn_ovsdb_wait(t.db, 100, &err), TN_EUNAVAILABLE);
    cr_assert_eq(tn_ovsdb_catch_up(t.db, 100, &err), TN_EUNAVAILABLE);
    struct tn_ovsdb_result result;
    cr_assert_eq(tn_ovsdb_transact(t.db, json_array(), 100, &result, &err),
                 TN_EUNAVAILABLE);
    cr_assert_eq(result.verdict, TN_TXN_REFUSED, "nothing was sent");
    cr_assert_null(result.last);
    /* Behind the server's back, b is renamed and c goes. */
    char *file = tn_format("%s/x.db", t.dir);
    TN_RUN_QUIETLY(
        "ovsdb-tool", "transact", file,
        "[\"OVN_Northbound\",{\"op\":\"update\",\"table\":\"Logical_Switch\","
        "\"where\":[[\"name\",\"==\",\"b\"]],\"row\":{\"name\":\"d\"}},"
        "{\"op\":\"delete\",\"table\":\"Logical_Switch\","
        "\"where\":[[\"name\",\"==\",\"c\"]]}]");
    free(file);
    serve(NULL);
    wait_whole();
    expect_told("-Logical_Switch name={c}\n"
                "~Logical_Switch name={b} -> name={d}\n");
    cr_assert(t.ready == 2 && t.lost == 1);
    cr_assert_eq(tn_ovsdb_counts(t.db).dumps, 2);
}

struct txn {
    const char *ops;
    enum tn_ovsdb_verdict verdict;
    enum tn_code code;
    size_t op;
    const char *says;
};

#define WAIT_FOR(name)                                                         \
    "{\"op\":\"wait\",\"timeout\":0,\"table\":\"Address_Set\",\"where\":[],"   \
    "\"columns\":[\"name\"],\"until\":\"==\",\"rows\":[{\"name\":\"" name      \
    "\"}]}"
#define INSERT(name)                                                           \
    "{\"op\":\"insert\",\"table\":\"Address_Set\",\"row\":{\"name\":\"" name   \
    "\"}}"

static const struct txn txns[] = {
    {"[" INSERT("one") "]", TN_TXN_DONE, TN_OK, 0, ""},
    {"[" WAIT_FOR("one") "," INSERT("two") ",{\"op\":\"abort\"}]",
     TN_TXN_RAN_INTO, TN_ESTALE, 2, "aborted"},
    {"[" INSERT("two") "," WAIT_FOR("three") "]", TN_TXN_RAN_INTO, TN_ESTALE, 1,
     "timed out"},
    {"[{\"op\":\"assert\",\"lock\":\"x\"}]", TN_TXN_RAN_INTO, TN_ESTALE, 0,
     "not owner"},
    {"[" INSERT("one") "]", TN_TXN_REFUSED, TN_EDENIED, 1,
     "constraint violation"},
    {"[" INSERT("x") ",{\"op\":\"insert\",\"table\":\"Logical_Switch\",\"row\":"
                     "{\"ports\":[\"uuid\",\"11111111-1111-1111-1111-"
                     "111111111111\"]}}]",
     TN_TXN_REFUSED, TN_ESTALE, 2, "referential integrity violation"},
    {"[{\"op\":\"insert\",\"table\":\"Nope\",\"row\":{}}]", TN_TXN_REFUSED,
     TN_EUNSUPPORTED, 0, "No table named Nope"},
    {"[{\"op\":\"insert\",\"table\":\"Address_Set\",\"row\":{\"name\":1}}]",
     TN_TXN_REFUSED, TN_EUNSUPPORTED, 0, "syntax error"},
    {"[{\"op\":\"frob\"}]", TN_TXN_REFUSED, TN_EUNSUPPORTED, 0, "frob"},
    {"[1]", TN_TXN_REFUSED, TN_EUNSUPPORTED, 0, "syntax error"},
    {"[]", TN_TXN_DONE, TN_OK, 0, ""},
};

Test(ovsdb_client, knows_what_became_of_a_transaction)
{
    serve(TN_SCHEMA_NB);
    open_at(t.remote, "OVN_Northbound", nb_wants);
    wait_whole();
    for (size_t i = 0; i < TN_ARRAY_SIZE(txns); i++) {
        struct tn_ovsdb_result result;
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        enum tn_code code = tn_ovsdb_transact(
            t.db, json_loads(txns[i].ops, 0, NULL), PATIENCE, &result, &err);
        tn_error_text(&err, text, sizeof text);
        cr_expect_eq(code, txns[i].code, "row %zu: %s", i, text);
        cr_expect_eq(result.verdict, txns[i].verdict, "row %zu: %s", i, text);
        cr_expect_eq(result.op, txns[i].op, "row %zu: %s", i, text);
        cr_expect(strstr(text, txns[i].says), "row %zu: %s", i, text);
        json_decref(result.last);
        /* What it did is in the copy already. */
        cr_expect_eq(json_object_size(tn_ovsdb_rows(t.db, "Address_Set")), 1);
    }
    expect_told("+Address_Set name={one}\n");
}

Test(ovsdb_client, does_not_know_what_a_silent_server_did)
{
    serve(TN_SCHEMA_NB);
    open_at(t.remote, "OVN_Northbound", nb_wants);
    wait_whole();
    struct tn_ovsdb_result result;
    struct tn_error err = {0};
    kill(t.server.pid, SIGSTOP);
    for (int i = 0; i < 2; i++) {
        char *op = tn_format("[{\"op\":\"insert\",\"table\":\"Address_Set\","
                             "\"row\":{\"name\":\"s%d\"}}]",
                             i);
        cr_assert_eq(
            tn_ovsdb_transact(t.db, json_loads(op, 0, NULL), 50, &result, &err),
            TN_EUNAVAILABLE);
        free(op);
        cr_assert_eq(result.verdict, TN_TXN_UNKNOWN);
        cr_assert_null(result.last);
    }
    cr_assert_eq(tn_ovsdb_catch_up(t.db, 50, &err), TN_EUNAVAILABLE);
    kill(t.server.pid, SIGCONT);
    /* The answers that nobody waits for do no harm. */
    expect_told("+Address_Set name={s0}\n+Address_Set name={s1}\n");
    cr_assert_eq(t.lost, 0);
    /* And what is under way when the client goes is forgotten. */
    kill(t.server.pid, SIGSTOP);
    cr_assert_eq(tn_ovsdb_transact(t.db, json_array(), 0, &result, &err),
                 TN_EUNAVAILABLE);
    /* What is under way when the server dies is unknown, too. */
    tn_peer_stop(&t.server, SIGKILL);
}

Test(ovsdb_client, leaves_a_server_that_answers_nothing)
{
    serve(TN_SCHEMA_NB);
    open_at(t.remote, "OVN_Northbound", nb_wants);
    wait_whole();
    struct tn_ovsdb_result result;
    struct tn_error err = {0};
    kill(t.server.pid, SIGSTOP);
    for (int i = 0; i < 64; i++) {
        cr_assert_eq(tn_ovsdb_transact(t.db, json_array(), 0, &result, &err),
                     TN_EUNAVAILABLE);
        cr_assert_eq(result.verdict, TN_TXN_UNKNOWN);
    }
    cr_assert_eq(t.lost, 0);
    cr_assert_eq(tn_ovsdb_transact(t.db, json_array(), 0, &result, &err),
                 TN_EUNAVAILABLE);
    cr_assert_eq(t.lost, 1);
    kill(t.server.pid, SIGCONT);
    wait_whole();
    cr_assert_eq(tn_ovsdb_transact(t.db, json_array(), PATIENCE, &result, &err),
                 TN_OK);
    json_decref(result.last);
}

static void
on_answer(void *ctx, const struct tn_ovsdb_result *result,
          const struct tn_error *err)
{
    unsigned *n = ctx;
    n[result->verdict]++;
    cr_expect_eq(err == NULL, result->verdict == TN_TXN_DONE);
    cr_expect(!result->last || result->verdict == TN_TXN_DONE);
}

Test(ovsdb_client, does_not_wait_if_not_asked_to)
{
    unsigned n[4] = {0};
    struct tn_error err = {0};
    serve(TN_SCHEMA_NB);
    open_at(t.remote, "OVN_Northbound", nb_wants);
    cr_assert_eq(tn_ovsdb_submit(t.db, json_array(), on_answer, n, &err),
                 TN_EUNAVAILABLE);
    wait_whole();
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(tn_ovsdb_submit(t.db, json_array(), on_answer, n, &err),
                     TN_OK);
    }
    int64_t until = tn_peer_now_ms() + PATIENCE;
    while (n[TN_TXN_DONE] < 100 && tn_peer_now_ms() < until) {
        cr_assert_eq(tn_ovsdb_loop_turn(t.loop, 100, &err), TN_OK);
    }
    cr_assert_eq(n[TN_TXN_DONE], 100);
    kill(t.server.pid, SIGSTOP);
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(tn_ovsdb_submit(t.db, json_array(), on_answer, n, &err),
                     TN_OK);
    }
    tn_peer_stop(&t.server, SIGKILL);
    wait_lost(1);
    cr_assert_eq(n[TN_TXN_UNKNOWN], 100);
}

Test(ovsdb_client, waits_for_a_database_that_is_not_there)
{
    serve(TN_SCHEMA_OVS);
    tn_ovsdb_create(t.dir, "nb", TN_SCHEMA_NB);
    char *file = tn_format("%s/nb.db", t.dir);
    char *control = tn_format("%s/x.ctl", t.dir);
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    open_at(t.remote, "OVN_Northbound", nb_wants);
    cr_assert_eq(tn_ovsdb_wait(t.db, 300, &err), TN_EUNAVAILABLE);
    tn_error_text(&err, text, sizeof text);
    cr_assert(strstr(text, "OVN_Northbound: the server does not have it"), "%s",
              text);
    for (unsigned i = 1; i <= 2; i++) {
        TN_RUN_QUIETLY("ovs-appctl", "-t", control, "ovsdb-server/add-db",
                       file);
        wait_whole();
        NBCTL("ls-add", "a");
        expect_told("+Logical_Switch name={a}\n");
        NBCTL("ls-del", "a");
        expect_told("-Logical_Switch name={a}\n");
        TN_RUN_QUIETLY("ovs-appctl", "-t", control, "ovsdb-server/remove-db",
                       "OVN_Northbound");
        wait_lost(i);
        cr_assert_eq(tn_ovsdb_wait(t.db, 100, &err), TN_EUNAVAILABLE);
        tn_error_text(&err, text, sizeof text);
        cr_assert(strstr(text, "the server does not have it"), "%s", text);
    }
    free(file);
    free(control);
}

/* The Northbound schema without a column. */
static char *
write_old_schema(const char *table, const char *column)
{
    char *path = tn_format("%s/old.ovsschema", t.dir);
    json_t *schema = json_load_file(TN_SCHEMA_NB, 0, NULL);
    cr_assert(schema, "apt-get install ovn-central");
    json_object_del(schema, "cksum");
    json_object_set_new(schema, "version", json_string("1.0.0"));
    json_t *columns = json_object_get(
        json_object_get(json_object_get(schema, "tables"), table), "columns");
    cr_assert_eq(json_object_del(columns, column), 0);
    cr_assert_eq(json_dump_file(schema, path, 0), 0);
    json_decref(schema);
    return path;
}

Test(ovsdb_client, follows_a_change_of_the_schema)
{
    static const char *const columns[] = {"name", "enabled", NULL};
    static const struct tn_ovsdb_want wants[] = {
        {.table = "Logical_Switch_Port", .columns = columns, .optional = true},
        {.table = "Logical_Switch", .columns = switch_columns},
        {0}};
    char *old = write_old_schema("Logical_Switch_Port", "enabled");
    serve(old);
    open_at(t.remote, "OVN_Northbound", wants);
    wait_whole();
    cr_assert_str_eq(tn_ovsdb_schema_version(t.db), "1.0.0");
    cr_assert_not(tn_ovsdb_has(t.db, "Logical_Switch_Port", "enabled"));
    NBCTL("ls-add", "a", "--", "lsp-add", "a", "p");
    cr_assert_eq(tn_ovsdb_catch_up(t.db, PATIENCE, NULL), TN_OK);
    tn_text_clear(&t.log);
    TN_RUN_QUIETLY("ovsdb-client", "convert", t.remote, TN_SCHEMA_NB);
    wait_lost(1);
    wait_whole();
    cr_assert(tn_ovsdb_has(t.db, "Logical_Switch_Port", "enabled"));
    expect_told("");
    NBCTL("set", "logical_switch_port", "p", "enabled=true");
    expect_told("~Logical_Switch_Port enabled={} -> enabled={true} name={p}\n");
    TN_RUN_QUIETLY("ovsdb-client", "convert", t.remote, old);
    wait_lost(2);
    wait_whole();
    expect_told("~Logical_Switch_Port enabled={true} -> name={p}\n");
    free(old);
}

Test(ovsdb_client, names_what_an_old_schema_lacks)
{
    char *old = write_old_schema("Logical_Switch_Port", "enabled");
    struct tn_error err = {0};
    serve(old);
    open_at(t.remote, "OVN_Northbound", nb_wants);
    cr_assert_eq(tn_ovsdb_wait(t.db, PATIENCE, &err), TN_EUNSUPPORTED);
    cr_assert(strstr(err.text, "OVN_Northbound, version 1.0.0, has no "
                               "Logical_Switch_Port.enabled"));
    cr_assert_eq(tn_ovsdb_wait(t.db, PATIENCE, &err), TN_EUNSUPPORTED);
    TN_RUN_QUIETLY("ovsdb-client", "convert", t.remote, TN_SCHEMA_NB);
    int64_t until = tn_peer_now_ms() + PATIENCE;
    while (tn_ovsdb_wait(t.db, 100, &err) != TN_OK) {
        cr_assert_eq(tn_ovsdb_loop_turn(t.loop, 100, &err), TN_OK);
        cr_assert_lt(tn_peer_now_ms(), until);
    }
    cr_assert(tn_ovsdb_has(t.db, "Logical_Switch_Port", "enabled"));
    free(old);
}

Test(ovsdb_client, copies_only_rows_that_are_asked_for)
{
    struct tn_ovsdb_want wants[] = {
        {.table = "Logical_Switch",
         .columns = switch_columns,
         .where = json_pack("[[s,s,[s,[[s,s]]]]]", "external_ids", "includes",
                            "map", "owner", "me")},
        {0}};
    serve(TN_SCHEMA_NB);
    NBCTL("ls-add", "a", "--", "ls-add", "b", "--", "set", "logical_switch",
          "a", "external_ids:owner=me");
    open_at(t.remote, "OVN_Northbound", wants);
    json_decref(wants[0].where);
    wait_whole();
    expect_told("+Logical_Switch external_ids={owner=me} name={a}\n");
    NBCTL("set", "logical_switch", "b", "external_ids:owner=me");
    expect_told("+Logical_Switch external_ids={owner=me} name={b}\n");
    NBCTL("set", "logical_switch", "a", "external_ids:owner=you");
    expect_told("-Logical_Switch external_ids={owner=me} name={a}\n");
}

Test(ovsdb_client, opens_only_what_is_well_formed)
{
    struct tn_error err = {0};
    struct tn_rpc_options options = {.remotes = "nonsense"};
    cr_assert_eq(tn_ovsdb_open(t.loop, &options, "x", true, nb_wants, NULL,
                               NULL, &t.db, &err),
                 TN_EINTENT);
    cr_assert_null(t.db);
    tn_ovsdb_close(NULL);
}
