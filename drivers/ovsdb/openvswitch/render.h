/* render.h - see tn_driver.render.  Private to the openvswitch driver. */
#ifndef TN_OPENVSWITCH_RENDER_H
#define TN_OPENVSWITCH_RENDER_H

#include "drivers/driver.h"

enum tn_code tn_vs_render(const struct tn_device *device,
                          struct tn_arena *arena, const struct tn_state **out,
                          struct tn_diags *diags,
                          struct tn_error *err) TN_MUST_USE;

#endif
