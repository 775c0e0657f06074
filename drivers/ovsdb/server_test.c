/* server_test.c - sessions with a real ovsdb-server: each transport, a server
 * that dies, and one that hangs. */
#include "drivers/ovsdb/rpc.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/bed.h"
#include "drivers/ovsdb/server_lab.h"

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

Test(server, every_transport)
{
    struct tn_server_lab lab;
    tn_server_lab_begin(&lab);
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
Test(server, long_messages)
{
    enum { LEN = 2 * 1024 * 1024 };
    struct tn_server_lab lab;
    tn_server_lab_begin(&lab);
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

Test(server, a_killed_server_comes_back)
{
    struct tn_server_lab lab;
    tn_server_lab_begin(&lab);
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
Test(server, a_server_that_hangs_is_found_out)
{
    struct tn_server_lab lab;
    struct tn_bed bed = {0};
    tn_server_lab_begin(&lab);
    begin_at(&bed, &lab, lab.at_tcp, 200);
    TN_BED_UNTIL(&bed, bed.ups == 1);
    cr_assert_eq(kill(lab.server.pid, SIGSTOP), 0);
    bed.why[0] = '\0';
    TN_BED_UNTIL(&bed, strstr(bed.why, "said nothing"));
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
