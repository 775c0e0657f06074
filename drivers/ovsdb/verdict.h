/* verdict.h - what the answer to a transaction means: no input or output. */
#ifndef TN_OVSDB_VERDICT_H
#define TN_OVSDB_VERDICT_H

#include <jansson.h>
#include <stddef.h>

#include "drivers/ovsdb/client.h"

/* Judges the answer to a transaction of 'n_ops' operations; one of 'result',
 * which is JSON, and 'error' is there, or none if the connection was lost.  The
 * class says what to do next:
 *     TN_OK            it is done
 *     TN_ESTALE        others have changed what we relied on: observe, replan
 *     TN_EDENIED       no right to it, or a constraint: no use to retry
 *     TN_EUNSUPPORTED  the schema does not have it
 *     TN_EUNAVAILABLE  retry, once it is known what became of it
 * '*nonsense': what came is no answer at all, the peer is not to be trusted. */
enum tn_code tn_ovsdb_judge(size_t n_ops, struct tn_scan result,
                            const json_t *error, struct tn_ovsdb_result *out,
                            bool *nonsense, struct tn_error *err) TN_MUST_USE;

#endif
