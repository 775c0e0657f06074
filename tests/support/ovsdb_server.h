/* ovsdb_server.h - real OVSDB servers for a test, in a directory of the test's
 * own: nothing of the machine's Open vSwitch is touched.
 *
 * For tests only.  Failures end the test; what is missing is told by the name
 * of its package. */
#ifndef TN_TESTS_OVSDB_SERVER_H
#define TN_TESTS_OVSDB_SERVER_H

#include "tests/support/peer.h"

#define TN_SCHEMA_NB "/usr/share/ovn/ovn-nb.ovsschema"
#define TN_SCHEMA_OVS "/usr/share/openvswitch/vswitch.ovsschema"

/* Runs a program to its end and returns what it printed; malloc'ed.  Its status
 * must be 0. */
char *tn_run(const char *const *argv);
/* The same; any status, which is returned. */
int tn_run_status(const char *const *argv, char **out);
#define TN_RUN(...) tn_run((const char *const[]){__VA_ARGS__, NULL})
/* Nobody wants to see what it printed. */
#define TN_RUN_QUIETLY(...) free(TN_RUN(__VA_ARGS__))

/* DIR/NAME.db of this schema. */
void tn_ovsdb_create(const char *dir, const char *name, const char *schema);

/* ovsdb-server on DIR/NAME.db with the socket DIR/NAME.sock, and a second
 * remote (null: none) as "ptcp:6641:127.0.0.1".  DIR/NAME.ctl is its control
 * socket, DIR/NAME.log its log.  It takes connections when this returns. */
struct tn_peer tn_ovsdb_start(const char *dir, const char *name,
                              const char *remote);

/* "unix:DIR/NAME.sock" and other texts; malloc'ed. */
char *tn_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
