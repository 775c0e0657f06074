/* counter.h - telling when those who follow a database have followed.
 *
 * Whoever wants to know raises a counter of the root row in the transaction of
 * the change; a follower copies it to one of its own when it is that far
 * (nb_cfg and sb_cfg of OVN, next_cfg and cur_cfg of Open vSwitch).  For the
 * members seal() and settle() of models. */
#ifndef TN_OVSDB_COUNTER_H
#define TN_OVSDB_COUNTER_H

#include "drivers/ovsdb/device.h"

/* Adds what raises the column, and what tells its new value, as the last
 * operations. */
void tn_ovs_counter_raise(const struct tn_session *s, json_t *operations,
                          const char *column);
/* That value, from the result of the last operation. */
long long tn_ovs_counter_raised(const json_t *result, const char *column);

/* A number in the root row as the copy has it; 0: there is none. */
long long tn_ovs_counter(const struct tn_session *s, const char *column);

/* Turns the loop of the session until it is so, or for that long; is it so? */
bool tn_ovs_wait_until(struct tn_session *s, bool (*done)(const void *ctx),
                       const void *ctx, int ms);

/* All steps become TN_STEP_WAITING. */
void tn_ovs_all_waiting(size_t n, enum tn_outcome *outcomes);

#endif
