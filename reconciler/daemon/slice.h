/* slice.h - the part of a device that a look is about.
 *
 * What a VPC becomes on a device follows from the VPC, from which of its peers
 * are there too, and from the world (settings, inventory); drivers promise as
 * much (driver.h, render).  So a device in which two networks differ little
 * need be rendered and looked at in little. */
#ifndef TN_DAEMON_SLICE_H
#define TN_DAEMON_SLICE_H

#include "drivers/driver.h"
#include "model/compile/network.h"

/* The scopes in which 'device' is not the same in both networks: '*out' is new
 * in 'arena' and sorted, its names borrowed from the networks; empty: it is the
 * same in all.  False if that cannot be said, or might be all of it: another
 * world, a device that is new, tenants with errors. */
bool tn_slice_changed(const struct tn_network *before,
                      const struct tn_network *after, const char *device,
                      struct tn_arena *arena, struct tn_scope *out);

/* The device as if it had the VPCs of 'scope' and their peers alone: what is
 * rendered of it is right for the scopes named.  New in 'arena', pointing into
 * 'device'. */
const struct tn_device *
tn_slice_device(const struct tn_device *device, const struct tn_scope *scope,
                struct tn_arena *arena) TN_RETURNS_NONNULL;

#endif
