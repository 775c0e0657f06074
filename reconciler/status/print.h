/* print.h - 'tenet status' for people and for programs.
 *
 * Pure: equal input, equal bytes.  'now' gives the ages. */
#ifndef TN_STATUS_PRINT_H
#define TN_STATUS_PRINT_H

#include "model/base/text.h"
#include "reconciler/status/status.h"

struct tn_status_view {
    int64_t now;        /* Seconds since 1970 UTC. */
    bool color;         /* ANSI colours. */
    const char *tenant; /* Only this tenant's; null: everybody's. */
    const char *head;   /* Commit wanted now: entries at another one are
                           marked; null: no marks. */
};

/* Tables of devices, tenants and VPCs: condition, commit, age, message. */
void tn_status_print(struct tn_text *out, const struct tn_status *status,
                     const struct tn_status_view *view);

/* {"apiVersion": "tenet/v1", "kind": "Status", "devices": [...], ...}: the
 * members are those of the YAML files on the ref. */
void tn_status_print_json(struct tn_text *out, const struct tn_status *status,
                          const struct tn_status_view *view);

#endif
