/* barrier.h - waiting until OVN has done what the database says.  Private to
 * the OVN driver.
 *
 * Source: ovn-nb(5), NB_Global: whoever wants to know raises nb_cfg in the
 * transaction of the change; northd copies it to sb_cfg when the Southbound
 * database follows from it, and each hypervisor's controller to its row of
 * Chassis_Private when its flows do. */
#ifndef TN_OVN_BARRIER_H
#define TN_OVN_BARRIER_H

#include "drivers/ovsdb/device.h"

/* struct tn_ovs_model.seal, settle, forget.
 *
 * A hypervisor that had not even followed what was there before the change is
 * dead: it is named and not waited for.  Without tenet_ovn_southbound single
 * hypervisors cannot be told, and all are waited for. */
void tn_ovn_seal(struct tn_session *session, json_t *operations);
enum tn_code tn_ovn_settle(struct tn_session *session, const json_t *results,
                           const struct tn_step *steps, size_t n,
                           enum tn_outcome *outcomes, struct tn_error *err);
void tn_ovn_forget(struct tn_session *session);

#endif
