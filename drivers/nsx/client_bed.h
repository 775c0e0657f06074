/* client_bed.h - managers that a test scripts, and a client of them.
 *
 * client_peer.py says what rules can do. */
#ifndef TN_NSX_CLIENT_BED_H
#define TN_NSX_CLIENT_BED_H

#include <stddef.h>

#include "drivers/nsx/client.h"
#include "tests/support/peer.h"

enum { BED_NODES = 3 };

struct bed {
    char *dir;
    char ca[256], other_ca[256], certificate[256], key[256];
    struct tn_peer nodes[BED_NODES];
    char urls[BED_NODES][64];
    const char *managers[BED_NODES];
    size_t n;
    struct tn_secret *secret;
    struct tn_nsx_options options; /* To be changed before bed_client(). */
    struct tn_nsx *nsx;
    struct tn_arena *arena;
    struct tn_nsx_reply reply; /* The last. */
    struct tn_error err;
    char text[TN_ERROR_TEXT]; /* Of 'err'. */
};

/* 'n' nodes; 'more' are further arguments of each, ended by null, or null. */
struct bed bed_begin(size_t n, const char *const *more);
/* Ends the client and the nodes; fails the test if a secret was told. */
void bed_end(struct bed *bed);
/* Makes the client, if there is none. */
void bed_client(struct bed *bed);
/* What this node does from now on: JSON, with ' for ". */
void bed_rules(struct bed *bed, size_t node, const char *rules);
/* Asks and keeps reply and error. */
enum tn_code bed_ask(struct bed *bed, const char *method, const char *path,
                     const char *body);
/* How many requests this node had that have all of these words (null: not
 * asked for) in their line of the log. */
size_t bed_count(const struct bed *bed, size_t node, const char *word,
                 const char *other);
/* Stops a node, or starts it again at its port. */
void bed_kill(struct bed *bed, size_t node);
void bed_revive(struct bed *bed, size_t node);

#endif
