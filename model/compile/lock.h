/* lock.h - pinned identifiers: tenants/<tenant>/tenet.lock and, in the same
 * format, allocations/<tenant>.yml on the status ref.
 *
 *     # Identifiers in use; written by 'tenet lock'.  Do not edit.
 *     apiVersion: tenet/v1
 *     kind: Lock
 *     pins:
 *       subnet/web/front: {vni: 70123}
 *       port/web1: {mac: "02:74:6e:12:34:56", address: 10.1.0.7}
 *
 * One object a line, sorted, so that merges of two branches do not collide. */
#ifndef TN_COMPILE_LOCK_H
#define TN_COMPILE_LOCK_H

#include "model/base/arena.h"
#include "model/base/diag.h"
#include "model/base/net.h"
#include "model/base/text.h"

/* A pin; members that are 0, zero MAC or family NONE are not pinned. */
struct tn_pin {
    const char *tenant;
    const char *object; /* "subnet/<vpc>/<subnet>" or "port/<port>". */
    uint32_t vni;
    struct tn_mac mac;
    struct tn_addr address, address6;
};

/* Reads a lock file; findings go to 'diags'.  False if any was an error.
 * '*out' is new in 'arena', sorted by object.  'path' and 'tenant' are
 * borrowed. */
bool tn_lock_parse(struct tn_arena *arena, const char *path, const char *tenant,
                   const char *bytes, size_t n, const struct tn_pin **out,
                   size_t *n_out, struct tn_diags *diags) TN_MUST_USE;

/* Writes the file of one tenant; 'pins' are sorted by object. */
void tn_lock_print(struct tn_text *out, const struct tn_pin *pins, size_t n);

#endif
