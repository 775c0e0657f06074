/* server_lab.h - for tests: a real ovsdb-server, and certificates.
 *
 * The server listens on a unix socket in a folder of the test and on loopback,
 * with and without TLS.  It dies with the test. */
#ifndef TN_OVSDB_SERVER_LAB_H
#define TN_OVSDB_SERVER_LAB_H

#include "drivers/ovsdb/rpc.h"
#include "tests/support/peer.h"

struct tn_server_lab {
    char *dir;
    char at_unix[200], at_tcp[100], at_ssl[100]; /* Remotes of clients. */
    struct tn_ovsdb_tls tls;                     /* Of a client. */
    char ca[200], certificate[200], key[200];
    char db[200];
    struct tn_peer server;
};

/* Makes an Open_vSwitch database and starts the server; it listens when the
 * call returns. */
void tn_server_lab_begin(struct tn_server_lab *lab);
void tn_server_lab_end(struct tn_server_lab *lab);
/* The same server again, after tn_peer_stop(&lab->server, ...). */
void tn_server_lab_start(struct tn_server_lab *lab);

/* A new folder with two CAs, "good" and "other" (.pem, .key); of the good one
 * "server" and "client", and "old_server" and "old_client", which have expired;
 * of the other "stranger"; "self", signed by itself; and "locked.key" with a
 * password. */
char *tn_server_lab_certificates(void);

#endif
