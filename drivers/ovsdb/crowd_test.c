/* crowd_test.c - a thousand sessions with one ovsdb-server in one loop, over
 * each transport: what they cost, and that one change reaches all. */
#include "drivers/ovsdb/rpc.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "drivers/ovsdb/bed.h"
#include "drivers/ovsdb/server_lab.h"

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
    static const struct tn_rpc_events events = {
        .up = one_up, .down = one_down, .notified = one_notified};
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
    /* AddressSanitizer's malloc does not tell: 0. */
    size_t each = (in_use() - before) / SESSIONS;
    fprintf(stderr, "%.4s: %zu bytes of heap a session\n", remote, each);
    cr_assert_lt(each, strncmp(remote, "ssl", 3) ? 2000u : 60000u);
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

Test(crowd, a_thousand_sessions)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct tn_server_lab lab;
    tn_server_lab_begin(&lab);
    crowd(&lab, lab.at_unix);
    tn_server_lab_end(&lab);
    tn_server_lab_begin(&lab);
    crowd(&lab, lab.at_tcp);
    tn_server_lab_end(&lab);
    tn_server_lab_begin(&lab);
    crowd(&lab, lab.at_ssl);
    tn_server_lab_end(&lab);
}
