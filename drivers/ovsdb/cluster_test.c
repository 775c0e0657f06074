/* cluster_test.c - a RAFT cluster of three real servers: its leader is found
 * and followed, killed in the middle of a stream of transactions, stalled; what
 * we were told of each transaction is true; a copy is taken up, not made
 * anew. */
#include "drivers/ovsdb/client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "drivers/ovsdb/value.h"
#include "tests/support/ovsdb_server.h"

enum { PATIENCE = 120000, MEMBERS = 3, ROWS = 600, WINDOW = 20, ALL = 400 };

static const char *const set_columns[] = {"name", "addresses", NULL};
static const struct tn_ovsdb_want wants[] = {
    {.table = "Address_Set", .columns = set_columns}, {0}};

static struct {
    char *dir, *remotes;
    int port;
    struct tn_peer members[MEMBERS];
    struct tn_ovsdb_loop *loop;
    struct tn_ovsdb *db;
    unsigned ready, lost, came, changed, went;
} t;

static void
start_member(int i)
{
    char *name = tn_format("s%d", i + 1);
    char *remote = tn_format("ptcp:%d:127.0.0.%d", t.port, i + 1);
    t.members[i] = tn_ovsdb_start(t.dir, name, remote);
    free(name);
    free(remote);
}

static void
create_cluster(void)
{
    char *address[MEMBERS], *file[MEMBERS];
    int raft = tn_peer_free_port();
    for (int i = 0; i < MEMBERS; i++) {
        address[i] = tn_format("tcp:127.0.0.%d:%d", i + 1, raft);
        file[i] = tn_format("%s/s%d.db", t.dir, i + 1);
        if (i == 0) {
            TN_RUN_QUIETLY("ovsdb-tool", "create-cluster", file[i],
                           TN_SCHEMA_NB, address[i]);
        } else {
            TN_RUN_QUIETLY("ovsdb-tool", "join-cluster", file[i],
                           "OVN_Northbound", address[i], address[0]);
        }
        start_member(i);
    }
    for (int i = 0; i < MEMBERS; i++) {
        char *at = tn_format("unix:%s/s%d.sock", t.dir, i + 1);
        TN_RUN_QUIETLY("ovsdb-client", "wait", at, "OVN_Northbound",
                       "connected");
        free(at);
        free(address[i]);
        free(file[i]);
    }
}

static void
setup(void)
{
    struct tn_error err = {0};
    t.dir = tn_peer_dir();
    do {
        t.port = tn_peer_free_port();
    } while (t.port == 0);
    t.remotes = tn_format("tcp:127.0.0.1:%d,tcp:127.0.0.2:%d,tcp:127.0.0.3:%d",
                          t.port, t.port, t.port);
    cr_assert_eq(tn_ovsdb_loop_new(&t.loop, &err), TN_OK);
    create_cluster();
}

static void
teardown(void)
{
    tn_ovsdb_close(t.db);
    tn_ovsdb_loop_free(t.loop);
    for (int i = 0; i < MEMBERS; i++) {
        tn_peer_stop(&t.members[i], SIGKILL);
    }
    tn_peer_remove(t.dir);
    free(t.remotes);
}

TestSuite(ovsdb_cluster, .init = setup, .fini = teardown, .timeout = 280);

static void
on_changed(void *ctx, const char *table, const char *uuid,
           const struct tn_ovsdb_row *was, const struct tn_ovsdb_row *now)
{
    (void) ctx;
    (void) table;
    (void) uuid;
    t.came += !was;
    t.went += !now;
    t.changed += was && now;
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
    (void) why;
    t.lost++;
}

static void
open_session(bool leader, unsigned probe_ms)
{
    static const struct tn_ovsdb_events events = {
        .changed = on_changed, .ready = on_ready, .lost = on_lost};
    struct tn_error err = {0};
    struct tn_rpc_options options = {
        .remotes = t.remotes, .probe_ms = probe_ms, .backoff_ms = 500};
    cr_assert_eq(tn_ovsdb_open(t.loop, &options, "OVN_Northbound", leader,
                               wants, &events, NULL, &t.db, &err),
                 TN_OK, "%s", err.text);
}

static void
must(enum tn_code code, const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(err, text, sizeof text));
}

static void
wait_whole(void)
{
    struct tn_error err = {0};
    must(tn_ovsdb_wait(t.db, PATIENCE, &err), &err);
}

static bool
is_leader(int i)
{
    char *control = tn_format("%s/s%d.ctl", t.dir, i + 1), *out = NULL;
    const char *argv[] = {
        "ovs-appctl",     "-T", "5", "-t", control, "cluster/status",
        "OVN_Northbound", NULL};
    bool yes = t.members[i].pid > 0 && tn_run_status(argv, &out) == 0 &&
               strstr(out, "Role: leader");
    free(out);
    free(control);
    return yes;
}

static int
find_leader(void)
{
    for (int64_t until = tn_peer_now_ms() + PATIENCE;
         tn_peer_now_ms() < until;) {
        for (int i = 0; i < MEMBERS; i++) {
            if (is_leader(i)) {
                return i;
            }
        }
        usleep(50000);
    }
    cr_assert_fail("no leader");
    return 0;
}

/* Tools give up at once while there is no leader: until it works. */
static char *
run_until_done(const char *const *argv)
{
    char *out = NULL;
    int64_t until = tn_peer_now_ms() + PATIENCE;
    while (tn_run_status(argv, &out) != 0) {
        cr_assert_lt(tn_peer_now_ms(), until, "%s: %s", argv[0], out);
        free(out);
        usleep(100000);
    }
    return out;
}

#define with_leader(...)                                                       \
    run_until_done((const char *const[]){__VA_ARGS__, NULL})

static json_t *
insert(const char *name)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}}", "op", "insert", "table",
                     "Address_Set", "row", "name", name, "addresses",
                     "10.0.0.1");
}

/* In another session than ours, so that it is told to us. */
static void
insert_by(const char *remotes, const char *prefix, int n)
{
    json_t *ops = json_pack("[s]", "OVN_Northbound");
    for (int i = 0; i < n; i++) {
        char *name = tn_format("%s%d", prefix, i);
        json_array_append_new(ops, insert(name));
        free(name);
    }
    char *text = json_dumps(ops, JSON_COMPACT);
    free(with_leader("ovsdb-client", "-t", "5", "transact", remotes, text));
    free(text);
    json_decref(ops);
}

static void
insert_by_others(const char *prefix, int n)
{
    insert_by(t.remotes, prefix, n);
}

/* A transaction of the stream, and what we were told of it. */
struct sent {
    char name[16];
    bool wrong; /* Made so that it must be refused. */
    bool answered;
    enum tn_ovsdb_verdict verdict;
};

struct stream {
    struct sent sent[ALL];
    int n_sent, n_answered;
    int n[4];
};

static struct stream stream;

static void
on_answer(void *ctx, const struct tn_ovsdb_result *result,
          const struct tn_error *err)
{
    struct sent *s = ctx;
    (void) err;
    cr_assert_not(s->answered);
    s->answered = true;
    s->verdict = result->verdict;
    stream.n_answered++;
    stream.n[result->verdict]++;
}

static bool
send_one(void)
{
    struct tn_error err = {0};
    struct sent *s = &stream.sent[stream.n_sent];
    snprintf(s->name, sizeof s->name, "t%d", stream.n_sent);
    json_t *ops = json_array();
    s->wrong = stream.n_sent % 7 == 3;
    json_array_append_new(ops, insert(s->name));
    if (s->wrong) {
        /* The name is taken; or what we expect is not so. */
        json_array_append_new(
            ops,
            stream.n_sent % 2
                ? insert("taken")
                : json_pack("{s:s,s:s,s:[],s:[s],s:s,s:[],s:i}", "op", "wait",
                            "table", "Address_Set", "where", "columns", "name",
                            "until", "==", "rows", "timeout", 0));
    }
    bool sent = tn_ovsdb_submit(t.db, ops, on_answer, s, &err) == TN_OK;
    stream.n_sent += sent;
    return sent;
}

/* Sends until 'until' are answered, with a window under way. */
static void
keep_sending(int until)
{
    struct tn_error err = {0};
    int64_t end = tn_peer_now_ms() + PATIENCE;
    while (stream.n_answered < until) {
        cr_assert_lt(tn_peer_now_ms(), end);
        while (stream.n_sent < ALL &&
               stream.n_sent - stream.n_answered < WINDOW && send_one()) {
        }
        must(tn_ovsdb_loop_turn(t.loop, 50, &err), &err);
    }
}

static void
check_database(void)
{
    char *out = with_leader("ovn-nbctl", "--db", t.remotes, "--bare",
                            "--columns=name", "list", "address_set");
    int n_unknown_done = 0;
    for (int i = 0; i < ALL; i++) {
        const struct sent *s = &stream.sent[i];
        char *line = tn_format("\n%s\n", s->name);
        bool there = strstr(out, line) != NULL ||
                     strncmp(out, line + 1, strlen(line) - 1) == 0;
        free(line);
        cr_expect(s->answered, "%s", s->name);
        cr_expect(s->verdict != TN_TXN_DONE || (there && !s->wrong),
                  "%s: done, but not there", s->name);
        cr_expect(
            (s->verdict != TN_TXN_REFUSED && s->verdict != TN_TXN_RAN_INTO) ||
                (!there && s->wrong),
            "%s: refused, but there", s->name);
        n_unknown_done += s->verdict == TN_TXN_UNKNOWN && there;
    }
    cr_log_info(
        "done %d, refused %d, ran into %d, unknown %d (of these %d done)",
        stream.n[TN_TXN_DONE], stream.n[TN_TXN_REFUSED],
        stream.n[TN_TXN_RAN_INTO], stream.n[TN_TXN_UNKNOWN], n_unknown_done);
    free(out);
}

/* What happens to the leader while transactions are under way. */
enum fate {
    KILLED,         /* While it answers. */
    STOPPED_KILLED, /* It has not read, or not answered. */
    STALLED,        /* Others elect another; then it goes on. */
    N_FATES
};

static void
befall(enum fate fate)
{
    int leader = find_leader();
    keep_sending(stream.n_answered + 5);
    if (fate != KILLED) {
        kill(t.members[leader].pid, SIGSTOP);
        while (stream.n_sent - stream.n_answered < WINDOW && send_one()) {
        }
    }
    if (fate == STALLED) {
        pid_t stalled = t.members[leader].pid;
        t.members[leader].pid = 0; /* It cannot be asked. */
        find_leader();
        t.members[leader].pid = stalled;
        kill(stalled, SIGCONT);
        keep_sending(stream.n_answered + WINDOW + 1);
        return;
    }
    tn_peer_stop(&t.members[leader], SIGKILL);
    keep_sending(stream.n_answered + WINDOW + 1);
    start_member(leader);
}

Test(ovsdb_cluster, tells_the_truth_about_transactions_when_the_leader_dies)
{
    struct tn_error err = {0};
    open_session(true, PATIENCE);
    insert_by_others("taken", 1);
    free(with_leader("ovn-nbctl", "--db", t.remotes, "set", "address_set",
                     "taken0", "name=taken"));
    wait_whole();
    for (enum fate fate = KILLED; fate < N_FATES; fate++) {
        keep_sending(stream.n_answered + 80);
        befall(fate);
    }
    keep_sending(ALL);
    must(tn_ovsdb_catch_up(t.db, PATIENCE, &err), &err);
    cr_assert_geq(t.lost, N_FATES);
    check_database();
    cr_expect_geq(stream.n[TN_TXN_DONE], ALL / 2);
    cr_expect_gt(stream.n[TN_TXN_UNKNOWN], 0);
    cr_expect_gt(stream.n[TN_TXN_REFUSED], 0);
    cr_expect_gt(stream.n[TN_TXN_RAN_INTO], 0);
    /* Our copy is what the cluster holds. */
    char *out = with_leader("ovn-nbctl", "--db", t.remotes, "--bare",
                            "--columns=_uuid", "list", "address_set");
    size_t n = 0;
    for (const char *s = out; (s = strchr(s, '-')); s += strcspn(s, "\n")) {
        n++;
    }
    free(out);
    cr_expect_eq(n, tn_ovsdb_counts(t.db).rows);
    cr_expect_eq(t.came - t.went, n);
}

Test(ovsdb_cluster, takes_the_copy_up_again)
{
    struct tn_error err = {0};
    insert_by_others("a", ROWS);
    open_session(true, PATIENCE);
    wait_whole();
    struct tn_ovsdb_counts first = tn_ovsdb_counts(t.db);
    cr_assert(first.dumps == 1 && first.dumped == ROWS && t.came == ROWS);
    insert_by_others("b", 1);
    must(tn_ovsdb_catch_up(t.db, PATIENCE, &err), &err);
    cr_assert_eq(t.came, ROWS + 1);
    /* The connection is lost, and something happens meanwhile. */
    char *control = tn_format("%s/s%d.ctl", t.dir, find_leader() + 1);
    first = tn_ovsdb_counts(t.db);
    TN_RUN_QUIETLY("ovs-appctl", "-t", control, "ovsdb-server/reconnect");
    insert_by_others("c", 1);
    must(tn_ovsdb_loop_turn(t.loop, PATIENCE, &err), &err);
    must(tn_ovsdb_catch_up(t.db, PATIENCE, &err), &err);
    struct tn_ovsdb_counts c = tn_ovsdb_counts(t.db);
    /* A busy machine may elect another leader at any time. */
    cr_expect(c.resumed >= 1 && c.dumps == 1 && c.dumped == ROWS,
              "resumed %u, dumps %u", c.resumed, c.dumps);
    cr_expect(t.came == ROWS + 2 && t.lost >= 1 && t.ready == t.lost + 1);
    cr_log_info("%zu rows: %llu bytes for the dump, %llu to take it up again",
                c.rows, first.bytes, c.bytes - first.bytes);
    /* The leader dies: the next one can go on from where we are, too. */
    tn_peer_stop(&t.members[find_leader()], SIGKILL);
    first = c;
    insert_by_others("d", 1);
    must(tn_ovsdb_loop_turn(t.loop, PATIENCE, &err), &err);
    must(tn_ovsdb_catch_up(t.db, PATIENCE, &err), &err);
    c = tn_ovsdb_counts(t.db);
    cr_expect(c.resumed >= 2 && c.dumps == 1 && c.dumped == ROWS,
              "resumed %u, dumps %u", c.resumed, c.dumps);
    cr_expect(t.came == ROWS + 3 && t.went == 0 && t.changed == 0);
    free(control);
}

Test(ovsdb_cluster, catches_up_with_what_others_did)
{
    struct tn_error err = {0};
    open_session(true, PATIENCE);
    for (unsigned i = 0; i < 10; i++) {
        char *prefix = tn_format("r%u-", i);
        insert_by_others(prefix, 3);
        free(prefix);
        must(tn_ovsdb_catch_up(t.db, PATIENCE, &err), &err);
        cr_expect_eq(tn_ovsdb_counts(t.db).rows, 3 * (i + 1));
        if (i == 4) {
            tn_peer_stop(&t.members[find_leader()], SIGKILL);
        }
    }
    cr_expect_eq(t.came, 30);
    cr_expect_eq(t.went, 0);
}

Test(ovsdb_cluster, leaves_a_leader_that_stalls)
{
    struct tn_error err = {0};
    open_session(true, 500);
    wait_whole();
    int leader = find_leader();
    char *others =
        tn_format("tcp:127.0.0.%d:%d,tcp:127.0.0.%d:%d", (leader + 1) % 3 + 1,
                  t.port, (leader + 2) % 3 + 1, t.port);
    kill(t.members[leader].pid, SIGSTOP);
    insert_by(others, "a", 1);
    free(others);
    int64_t until = tn_peer_now_ms() + PATIENCE;
    while (t.came == 0 && tn_peer_now_ms() < until) {
        (void) !tn_ovsdb_catch_up(t.db, 1000, &err);
    }
    cr_expect_eq(t.came, 1);
    cr_expect_geq(t.lost, 1);
    kill(t.members[leader].pid, SIGCONT);
}

Test(ovsdb_cluster, says_that_there_is_no_majority)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    tn_peer_stop(&t.members[0], SIGKILL);
    tn_peer_stop(&t.members[1], SIGKILL);
    free(t.remotes);
    t.remotes = tn_format("tcp:127.0.0.3:%d", t.port);
    open_session(true, PATIENCE);
    /* It takes the member a while to notice. */
    int64_t until = tn_peer_now_ms() + PATIENCE;
    do {
        cr_assert_eq(tn_ovsdb_wait(t.db, 500, &err), TN_EUNAVAILABLE);
        tn_error_text(&err, text, sizeof text);
    } while (!strstr(text, "no contact with most of the cluster") &&
             tn_peer_now_ms() < until);
    cr_expect(strstr(text, "no contact with most of the cluster"), "%s", text);
}
