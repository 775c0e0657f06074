/* server_test.c - sessions with a real ovsdb-server: each transport, a server
 * that dies, one that hangs, and a thousand sessions at once. */
#include "drivers/ovsdb/rpc.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "drivers/ovsdb/bed.h"
#include "drivers/ovsdb/server_lab.h"

static const char *const schemas[] = {
    "/usr/share/openvswitch/vswitch.ovsschema",
    NULL,
};

static void
begin_at(struct tn_bed *bed, const struct tn_server_lab *lab,
         const char *remotes, unsigned probe_ms)
{
    snprintf(bed->remotes, sizeof bed->remotes, "%s", remotes);
    tn_bed_begin(bed, (struct tn_rpc_options){.tls = lab->tls,
                                              .connect_ms = 60000,
                                              .probe_ms = probe_ms,
                                              .backoff_ms = 100});
}

static void
ask_everything(struct tn_bed *bed)
{
    tn_text_clear(&bed->said);
    bed->answers = 0;
    cr_assert_eq(tn_bed_call(bed, "list_dbs", json_array()), TN_OK);
    cr_assert_eq(tn_bed_call(bed, "echo", json_pack("[i, s]", 1, "x")), TN_OK);
    cr_assert_eq(
        tn_bed_call(bed, "get_schema", json_pack("[s]", "Open_vSwitch")),
        TN_OK);
    cr_assert_eq(tn_bed_call(bed, "no_such_method", json_array()), TN_OK);
    TN_BED_UNTIL(bed, bed->answers == 4);
    const char *said = tn_text_str(&bed->said);
    cr_assert_eq(bed->lost, 0u);
    cr_assert(strstr(said, "[\"Open_vSwitch\",\"_Server\"]\n[1,\"x\"]\n"), "%s",
              said);
    cr_assert(strstr(said, "\"name\":\"Open_vSwitch\""), "%s", said);
    cr_assert(strstr(said, "error: "), "%s", said);
}

Test(server, every_transport, .timeout = 200)
{
    struct tn_server_lab lab;
    tn_server_lab_begin(&lab, schemas);
    const char *const remotes[] = {lab.at_unix, lab.at_tcp, lab.at_ssl};
    for (size_t i = 0; i < TN_ARRAY_SIZE(remotes); i++) {
        struct tn_bed bed = {0};
        begin_at(&bed, &lab, remotes[i], 600000);
        TN_BED_UNTIL(&bed, bed.ups == 1);
        cr_assert_str_eq(bed.up_remote, remotes[i]);
        ask_everything(&bed);
        tn_bed_end(&bed);
    }
    tn_server_lab_end(&lab);
}

/* Over TLS, too, and through messages longer than any buffer. */
Test(server, long_messages, .timeout = 200)
{
    enum { LEN = 2 * 1024 * 1024 };
    struct tn_server_lab lab;
    tn_server_lab_begin(&lab, schemas);
    const char *const remotes[] = {lab.at_unix, lab.at_ssl};
    char *big = malloc(LEN + 1);
    memset(big, 'y', LEN);
    big[LEN] = '\0';
    for (size_t i = 0; i < TN_ARRAY_SIZE(remotes); i++) {
        struct tn_bed bed = {0};
        begin_at(&bed, &lab, remotes[i], 600000);
        TN_BED_UNTIL(&bed, bed.ups == 1);
        for (int n = 0; n < 3; n++) {
            cr_assert_eq(tn_bed_call(&bed, "echo", json_pack("[s]", big)),
                         TN_OK);
        }
        TN_BED_UNTIL(&bed, bed.answers == 3);
        cr_assert_eq(bed.said.n, 3 * ((size_t) LEN + 5));
        cr_assert_eq(bed.downs, 0u);
        tn_bed_end(&bed);
    }
    free(big);
    tn_server_lab_end(&lab);
}

Test(server, a_killed_server_comes_back, .timeout = 200)
{
    struct tn_server_lab lab;
    tn_server_lab_begin(&lab, schemas);
    const char *const remotes[] = {lab.at_unix, lab.at_tcp, lab.at_ssl};
    for (size_t i = 0; i < TN_ARRAY_SIZE(remotes); i++) {
        struct tn_bed bed = {0};
        begin_at(&bed, &lab, remotes[i], 600000);
        TN_BED_UNTIL(&bed, bed.ups == 1);
        cr_assert_eq(kill(lab.server.pid, SIGSTOP), 0);
        cr_assert_eq(tn_bed_call(&bed, "list_dbs", json_array()), TN_OK);
        tn_peer_stop(&lab.server, SIGKILL);
        unsigned before = bed.downs;
        TN_BED_UNTIL(&bed, bed.downs > before);
        cr_assert_eq(bed.lost, 1u, "what was asked is not answered");
        bed.lost = 0;
        tn_server_lab_start(&lab);
        TN_BED_UNTIL(&bed, bed.ups == 2);
        ask_everything(&bed);
        tn_bed_end(&bed);
    }
    tn_server_lab_end(&lab);
}

/* The kernel takes connections for it, but it does not answer. */
Test(server, a_server_that_hangs_is_found_out, .timeout = 200)
{
    struct tn_server_lab lab;
    struct tn_bed bed = {0};
    tn_server_lab_begin(&lab, schemas);
    begin_at(&bed, &lab, lab.at_tcp, 200);
    TN_BED_UNTIL(&bed, bed.ups == 1);
    cr_assert_eq(kill(lab.server.pid, SIGSTOP), 0);
    bed.why[0] = '\0';
    TN_BED_UNTIL(&bed, strstr(bed.why, "silent"));
    TN_BED_UNTIL(&bed, bed.ups >= 2 && bed.downs >= 2);
    cr_assert_eq(kill(lab.server.pid, SIGCONT), 0);
    unsigned ups = bed.ups;
    TN_BED_UNTIL(&bed, bed.ups > ups || tn_rpc_is_up(bed.rpc));
    tn_bed_end(&bed);
    /* It works for who has patience. */
    bed = (struct tn_bed){0};
    begin_at(&bed, &lab, lab.at_tcp, 600000);
    TN_BED_UNTIL(&bed, bed.ups == 1);
    ask_everything(&bed);
    tn_bed_end(&bed);
    tn_server_lab_end(&lab);
}

/* A thousand sessions in one loop. */
enum { SESSIONS = 1000 };

struct many {
    struct tn_ovsdb_loop *loop;
    struct tn_rpc *rpc[SESSIONS];
    unsigned ups, downs, answers, notes;
    char why[TN_ERROR_TEXT];
};

struct one {
    struct many *many;
    size_t i;
};

static void
one_answered(void *ctx, json_t *result, json_t *error)
{
    struct many *many = ctx;
    cr_assert(result && !error);
    many->answers++;
}

static void
one_up(void *ctx, const char *remote)
{
    struct one *one = ctx;
    struct tn_error err = {0};
    (void) remote;
    one->many->ups++;
    json_t *params = json_pack("[s, i, {s: [{s: [s]}]}]", "Open_vSwitch", 0,
                               "Open_vSwitch", "columns", "external_ids");
    cr_assert_eq(tn_rpc_call(one->many->rpc[one->i], "monitor", params,
                             one_answered, one->many, &err),
                 TN_OK);
}

static void
one_down(void *ctx, const struct tn_error *why)
{
    struct one *one = ctx;
    one->many->downs++;
    tn_error_text(why, one->many->why, sizeof one->many->why);
}

static void
one_notified(void *ctx, const char *method, json_t *params)
{
    struct one *one = ctx;
    (void) params;
    one->many->notes += strcmp(method, "update") == 0;
}

static unsigned
open_descriptors(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");
    cr_assert_not_null(dir);
    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n;
}

static void
turn_until(struct many *many, const unsigned *count, unsigned n)
{
    int64_t until = tn_bed_patience() + 60000;
    struct tn_error err = {0};
    while (*count < n) {
        cr_assert(!tn_bed_too_late(until), "%u of %u; %u ups, %u downs: %s",
                  *count, n, many->ups, many->downs, many->why);
        cr_assert_eq(tn_ovsdb_loop_turn(many->loop, 100, &err), TN_OK);
    }
}

static size_t
in_use(void)
{
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void
crowd(const struct tn_server_lab *lab, const char *remote)
{
    static const struct tn_rpc_events events = {one_up, one_down, one_notified};
    static struct many many;
    static struct one ones[SESSIONS];
    struct tn_rpc_options options = {.remotes = remote,
                                     .tls = lab->tls,
                                     .connect_ms = 120000,
                                     .probe_ms = 600000};
    memset(&many, 0, sizeof many);
    unsigned fds = open_descriptors();
    size_t before = in_use();
    cr_assert_eq(tn_ovsdb_loop_new(&many.loop, NULL), TN_OK);
    for (size_t i = 0; i < SESSIONS; i++) {
        ones[i] = (struct one){&many, i};
        cr_assert_eq(tn_rpc_open(many.loop, &options, &events, &ones[i],
                                 &many.rpc[i], NULL),
                     TN_OK);
    }
    turn_until(&many, &many.answers, SESSIONS);
    cr_assert_eq(many.ups, (unsigned) SESSIONS);
    cr_assert_eq(many.downs, 0u, "%s", many.why);
    cr_assert_eq(open_descriptors() - fds, SESSIONS + 2u);
    fprintf(stderr, "%.4s: %zu bytes of heap a session\n", remote,
            (in_use() - before) / SESSIONS);
    /* One row is changed: everybody hears. */
    json_t *params =
        json_pack("[s, {s:s, s:s, s:[], s:{s:[s,[[s,s]]]}}]", "Open_vSwitch",
                  "op", "insert", "table", "Open_vSwitch", "where", "row",
                  "external_ids", "map", "k", "v");
    json_object_del(json_array_get(params, 1), "where");
    cr_assert_eq(tn_rpc_call(many.rpc[SESSIONS / 2], "transact", params,
                             one_answered, &many, NULL),
                 TN_OK);
    turn_until(&many, &many.notes, SESSIONS);
    for (size_t i = 0; i < SESSIONS; i++) {
        tn_rpc_close(many.rpc[i]);
    }
    tn_ovsdb_loop_free(many.loop);
    cr_assert_eq(open_descriptors(), fds);
}

Test(server, a_thousand_sessions, .timeout = 280)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct tn_server_lab lab;
    tn_server_lab_begin(&lab, schemas);
    crowd(&lab, lab.at_unix);
    tn_server_lab_end(&lab);
    tn_server_lab_begin(&lab, schemas);
    crowd(&lab, lab.at_tcp);
    tn_server_lab_end(&lab);
    tn_server_lab_begin(&lab, schemas);
    crowd(&lab, lab.at_ssl);
    tn_server_lab_end(&lab);
}
