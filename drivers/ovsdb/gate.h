/* gate.h - not too many at once to the same server.
 *
 * A server's queue of connections is short (that of ovsdb-server holds 10), and
 * who does not find room in it waits for TCP to try again, for seconds.  When
 * many sessions of a loop want to the same server, a few are let in at a time,
 * in the order of their coming; others are not kept waiting by a server that is
 * not theirs (or nearly never: remotes share doors by hash). */
#ifndef TN_OVSDB_GATE_H
#define TN_OVSDB_GATE_H

#include <stdbool.h>
#include <stdint.h>

enum { TN_GATE_WALLS = 32, TN_GATE_DOORS = 32, TN_GATE_AT_ONCE = 8 };

/* Of a session.  All zero but 'admitted' in the beginning. */
struct tn_gate_pass {
    /* It is inside now; called from another's tn_gate_leave(). */
    void (*admitted)(struct tn_gate_pass *pass);
    /* The gate's own. */
    struct tn_gate_pass *next;
    uint16_t door;
    bool waiting, inside;
};

struct tn_gate_door {
    struct tn_gate_pass *first, *last; /* Waiting. */
    unsigned inside;
};

/* All zero in the beginning.  A loop of one session needs one wall of the
 * many. */
struct tn_gate {
    struct tn_gate_door *walls[TN_GATE_WALLS]; /* Doors; null until used. */
};

/* Nobody may be inside, or wait. */
void tn_gate_done(struct tn_gate *gate);

/* True: the session is inside, and must leave.  False: it waits. */
bool tn_gate_enter(struct tn_gate *gate, struct tn_gate_pass *pass,
                   const char *server);
/* Also of one that waits, or is not there at all. */
void tn_gate_leave(struct tn_gate *gate, struct tn_gate_pass *pass);

#endif
