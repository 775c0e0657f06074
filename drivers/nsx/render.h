/* render.h - what intent becomes in NSX: see tn_driver.render, and docs/nsx.md.
 */
#ifndef TN_NSX_RENDER_H
#define TN_NSX_RENDER_H

#include "drivers/driver.h"

enum tn_code tn_nsx_render(const struct tn_device *device,
                           struct tn_arena *arena, const struct tn_state **out,
                           struct tn_diags *diags,
                           struct tn_error *err) TN_MUST_USE;

/* Where the device's objects are: "/infra", or that of a project. */
const char *tn_nsx_base(struct tn_arena *arena, const struct tn_device *device);
/* Do VPCs become VPCs of NSX (tenet_nsx_vpc)?  These are in the project. */
bool tn_nsx_in_vpcs(const struct tn_device *device);

#endif
