/* tls_test.c - who trusts whom, with real certificates and OpenSSL's own
 * server; and peers that do not speak TLS at all. */
#include "drivers/ovsdb/rpc.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/bed.h"
#include "drivers/ovsdb/server_lab.h"

struct row {
    const char *ca, *ours;        /* At the session. */
    const char *server, *more[5]; /* At the server, and its options. */
    enum tn_code code;            /* TN_OK: it works. */
    const char *why;
};

static const struct row rows[] = {
    {"good", "client", "server", {0}, TN_OK, NULL},
    {"good", "client", "server", {"-tls1_2"}, TN_OK, NULL},
    {"good", "client", "server", {"-tls1_3"}, TN_OK, NULL},
    /* A certificate that is its own CA may be trusted as that. */
    {"self", "client", "self", {0}, TN_OK, NULL},
    {"other", "client", "server", {0}, TN_EDENIED, "not trusted"},
    {"other", "client", "server", {"-tls1_2"}, TN_EDENIED, "not trusted"},
    {"good", "client", "self", {0}, TN_EDENIED, "self-signed certificate"},
    {"good", "client", "stranger", {0}, TN_EDENIED, "local issuer"},
    {"good", "client", "old_server", {0}, TN_EDENIED, "has expired"},
    {"good", NULL, "server", {0}, TN_EDENIED, "demands a certificate of ours"},
    {"good",
     NULL,
     "server",
     {"-tls1_2"},
     TN_EDENIED,
     "perhaps it demands a certificate of ours"},
    {"good", "stranger", "server", {0}, TN_EDENIED, "refuses our certificate"},
    {"good",
     "stranger",
     "server",
     {"-tls1_2"},
     TN_EDENIED,
     "refuses our certificate"},
    {"good", "self", "server", {0}, TN_EDENIED, "refuses our certificate"},
    {"good", "old_client", "server", {0}, TN_EDENIED, "expired"},
    {"good",
     "client",
     "server",
     {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"},
     TN_EDENIED,
     "TLS 1.2 or newer"},
    {"good",
     "client",
     "server",
     {"-tls1", "-cipher", "ALL:@SECLEVEL=0"},
     TN_EDENIED,
     "TLS 1.2 or newer"},
};

struct paths {
    char ca[200], certificate[200], key[200];
};

static struct tn_ovsdb_tls
paths_of(const char *dir, const char *ca, const char *ours, struct paths *p)
{
    snprintf(p->ca, sizeof p->ca, "%s/%s.pem", dir, ca);
    snprintf(p->certificate, sizeof p->certificate, "%s/%s.pem", dir,
             ours ? ours : "");
    snprintf(p->key, sizeof p->key, "%s/%s.key", dir, ours ? ours : "");
    return (struct tn_ovsdb_tls){p->ca, ours ? p->certificate : NULL,
                                 ours ? p->key : NULL};
}

static struct tn_peer
start_server(const char *dir, const struct row *row, int port)
{
    struct paths p, clients;
    char address[50];
    paths_of(dir, "good", "client", &clients);
    paths_of(dir, "good", row->server, &p);
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    const char *argv[] = {"openssl",     "s_server",
                          "-quiet",      "-accept",
                          address,       "-cert",
                          p.certificate, "-key",
                          p.key,         "-CAfile",
                          clients.ca,    "-Verify",
                          "3",           "-verify_return_error",
                          row->more[0],  row->more[1],
                          row->more[2],  NULL};
    return tn_peer_start(argv, 0);
}

/* Until the server listens, tries are refused. */
static bool
has_begun(const struct tn_bed *bed)
{
    return bed->ups || (bed->downs && !strstr(bed->why, "Connection refused"));
}

static void
check(const char *dir, const struct row *row)
{
    static const char note[] = "{\"method\":\"hello\",\"params\":[]}\n";
    struct paths p;
    int port = tn_peer_free_port();
    struct tn_bed bed = {0};
    struct tn_peer server = start_server(dir, row, port);
    snprintf(bed.remotes, sizeof bed.remotes, "ssl:127.0.0.1:%d", port);
    tn_bed_begin(&bed, (struct tn_rpc_options){
                           .tls = paths_of(dir, row->ca, row->ours, &p),
                           .connect_ms = 60000,
                           .probe_ms = 600000,
                           .backoff_ms = 50});
    TN_BED_UNTIL(&bed, has_begun(&bed));
    if (row->code == TN_OK) {
        TN_BED_UNTIL(&bed, bed.ups == 1);
        cr_assert_eq(write(server.input, note, sizeof note - 1),
                     (ssize_t) sizeof note - 1);
        TN_BED_UNTIL(&bed, bed.told.n);
        cr_assert(tn_rpc_is_up(bed.rpc));
    } else {
        /* TLS 1.3 tells us only after the handshake. */
        TN_BED_UNTIL(&bed, !bed.ups || bed.downs);
        TN_BED_UNTIL(&bed, !strstr(bed.why, "Connection refused"));
        cr_assert(strstr(bed.why, row->why), "%s: %s", row->why, bed.why);
        cr_assert_eq(bed.why_code, row->code, "%s", bed.why);
        cr_assert(strstr(bed.why, bed.remotes), "%s", bed.why);
    }
    tn_bed_end(&bed);
    tn_peer_stop(&server, SIGKILL);
}

Test(tls, who_trusts_whom)
{
    char *dir = tn_server_lab_certificates();
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        check(dir, &rows[i]);
    }
    tn_peer_remove(dir);
}

/* Renewed certificates are used by the next try. */
Test(tls, files_are_read_again)
{
    static const struct row row = {.server = "server"};
    char *dir = tn_server_lab_certificates(), from[200], to[200];
    struct paths p;
    int port = tn_peer_free_port();
    struct tn_bed bed = {0};
    struct tn_peer server = start_server(dir, &row, port);
    snprintf(bed.remotes, sizeof bed.remotes, "ssl:127.0.0.1:%d", port);
    tn_bed_begin(&bed, (struct tn_rpc_options){
                           .tls = paths_of(dir, "other", "client", &p),
                           .probe_ms = 600000,
                           .backoff_ms = 50});
    TN_BED_UNTIL(&bed, strstr(bed.why, "not trusted"));
    tn_peer_write(dir, "new.pem", "no certificate");
    snprintf(from, sizeof from, "%s/new.pem", dir);
    snprintf(to, sizeof to, "%s/other.pem", dir);
    cr_assert_eq(rename(from, to), 0);
    TN_BED_UNTIL(&bed, strstr(bed.why, "other.pem cannot be used"));
    cr_assert_eq(bed.why_code, TN_EDENIED);
    snprintf(from, sizeof from, "%s/good.pem", dir);
    cr_assert_eq(rename(from, to), 0);
    TN_BED_UNTIL(&bed, bed.ups);
    tn_bed_end(&bed);
    tn_peer_stop(&server, SIGKILL);
    tn_peer_remove(dir);
}

Test(tls, a_key_must_fit_and_be_open)
{
    char *dir = tn_server_lab_certificates();
    struct paths p, other;
    struct tn_ovsdb_tls files = paths_of(dir, "good", "client", &p);
    struct tn_ovsdb_loop *loop;
    static const struct tn_rpc_events events = {0};
    static const char *const names[] = {"server", "locked", "missing"};
    cr_assert_eq(tn_ovsdb_loop_new(&loop, NULL), TN_OK);
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        struct tn_rpc *rpc;
        struct tn_error err = {0};
        files.key = paths_of(dir, "good", names[i], &other).key;
        struct tn_rpc_options options = {.remotes = "ssl:127.0.0.1",
                                         .tls = files};
        cr_assert_eq(tn_rpc_open(loop, &options, &events, NULL, &rpc, &err),
                     TN_EDENIED, "%s", names[i]);
        cr_assert(strstr(err.text, names[i]), "%s", err.text);
    }
    tn_ovsdb_loop_free(loop);
    tn_peer_remove(dir);
}

enum { CROWD = 100 };

struct crowd {
    unsigned ups, moved_on;
};

static void
one_up(void *ctx, const char *remote)
{
    struct crowd *crowd = ctx;
    crowd->ups++;
    cr_assert_eq(strncmp(remote, "unix:", 5), 0, "%s", remote);
}

static void
one_down(void *ctx, const struct tn_error *why)
{
    struct crowd *crowd = ctx;
    char text[TN_ERROR_TEXT];
    tn_error_text(why, text, sizeof text);
    crowd->moved_on += strstr(text, "others have been connecting") != NULL;
}

/* A member of a cluster that hangs does not keep those waiting who could go to
 * another one. */
Test(tls, a_crowd_does_not_wait_for_one_that_hangs)
{
    static const struct tn_rpc_events events = {.up = one_up, .down = one_down};
    struct tn_server_lab lab;
    struct tn_bed hanging = {.ssl = true};
    struct crowd crowd = {0};
    struct tn_rpc *rpc[CROWD];
    char remotes[500];
    tn_server_lab_begin(&lab);
    tn_bed_begin(&hanging, (struct tn_rpc_options){.tls = lab.tls});
    snprintf(remotes, sizeof remotes, "%s,%s", hanging.remote, lab.at_unix);
    struct tn_rpc_options options = {
        .remotes = remotes, .tls = lab.tls, .connect_ms = 500};
    for (size_t i = 0; i < CROWD; i++) {
        cr_assert_eq(
            tn_rpc_open(hanging.loop, &options, &events, &crowd, &rpc[i], NULL),
            TN_OK);
    }
    TN_BED_UNTIL(&hanging, crowd.ups >= CROWD);
    cr_assert_gt(crowd.moved_on, 0u);
    for (size_t i = 0; i < CROWD; i++) {
        tn_rpc_close(rpc[i]);
    }
    tn_bed_end(&hanging);
    tn_server_lab_end(&lab);
}

static void
begin_plain_peer(struct tn_bed *bed, const char *dir, unsigned connect_ms)
{
    struct paths p;
    *bed = (struct tn_bed){.ssl = true, .deaf = true};
    tn_bed_begin(
        bed, (struct tn_rpc_options){.tls = paths_of(dir, "good", "client", &p),
                                     .connect_ms = connect_ms});
    TN_BED_UNTIL(bed, bed->peer >= 0);
}

Test(tls, a_peer_without_tls)
{
    char *dir = tn_server_lab_certificates();
    struct tn_bed bed;
    begin_plain_peer(&bed, dir, 60000);
    tn_bed_say(&bed, "{\"method\":\"hello\",\"params\":[]}");
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert(strstr(bed.why, "does not speak TLS"), "%s", bed.why);
    tn_bed_end(&bed);
    begin_plain_peer(&bed, dir, 60000);
    tn_bed_hang_up(&bed);
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert(strstr(bed.why, "TLS"), "%s", bed.why);
    tn_bed_end(&bed);
    begin_plain_peer(&bed, dir, 100);
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert(strstr(bed.why, "no TLS handshake with"), "%s", bed.why);
    cr_assert_eq(bed.ups, 0u);
    tn_bed_end(&bed);
    tn_peer_remove(dir);
}
