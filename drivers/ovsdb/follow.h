/* follow.h - is this server the one to use?  The database _Server
 * (ovsdb-server(5)) says what a server has, and who leads a cluster.
 *
 * A copy of one row, kept by messages as any other copy; who owns the
 * connection sends the request and brings the answers. */
#ifndef TN_OVSDB_FOLLOW_H
#define TN_OVSDB_FOLLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "drivers/ovsdb/scan.h"
#include "model/base/error.h"

enum tn_follow_advice {
    TN_FOLLOW_USE,
    TN_FOLLOW_STAY, /* Not there yet: the server will tell. */
    TN_FOLLOW_NEXT, /* Try another server. */
};

struct tn_follow;

/* 'leader': of a cluster, only its leader will do.  'n_remotes': how many there
 * are to choose from. */
struct tn_follow *tn_follow_new(const char *database, bool leader,
                                size_t n_remotes);
void tn_follow_free(struct tn_follow *f); /* Accepts null. */

/* A new connection: nothing is known. */
void tn_follow_reset(struct tn_follow *f);

/* The monitor's name, and the request's 'params' for "monitor_cond"; new. */
extern const char tn_follow_monitor[];
json_t *tn_follow_request(const struct tn_follow *f);

/* The answer: 'tables' null: the server has no _Server. */
enum tn_code tn_follow_take(struct tn_follow *f, const struct tn_scan *tables,
                            struct tn_error *err) TN_MUST_USE;
enum tn_code tn_follow_update(struct tn_follow *f, struct tn_scan tables,
                              struct tn_error *err) TN_MUST_USE;

/* Is it answered? */
bool tn_follow_known(const struct tn_follow *f);
/* With any other advice than to use it, 'why' says why; always TN_EUNAVAILABLE.
 */
enum tn_follow_advice tn_follow_judge(struct tn_follow *f,
                                      struct tn_error *why);
/* Is it a member of a cluster? */
bool tn_follow_clustered(const struct tn_follow *f);

#endif
