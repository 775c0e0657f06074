/* nsx.c - the driver: an NSX, or a project of one, is one device.
 *
 * Requests are atomic, a whole apply need not be: what a later one refuses is
 * undone by the core, which puts back what was there. */
#include "drivers/nsx/nsx.h"

#include "drivers/nsx/device.h"
#include "drivers/nsx/render.h"
#include "drivers/nsx/watch.h"

static enum tn_code
nsx_open(const struct tn_device *device, const struct tn_driver_env *env,
         struct tn_session **out, struct tn_error *err)
{
    return tn_nsx_open(device, env, 0, out, err);
}

const struct tn_driver tn_driver_nsx = {
    .abi = TN_DRIVER_ABI,
    .name = "nsx",
    .caps = TN_CAP_COMPARE | TN_CAP_OWNER | TN_CAP_EVENTS,
    .guards = tn_nsx_guards,
    .render = tn_nsx_render,
    .open = nsx_open,
    .close = tn_nsx_close,
    .observe = tn_nsx_observe,
    .stage = tn_nsx_stage,
    .commit = tn_nsx_commit,
    .rollback = tn_nsx_rollback,
    .watch_open = tn_nsx_watch_open,
    .watch_fd = tn_nsx_watch_fd,
    .watch_read = tn_nsx_watch_read,
    .watch_update = tn_nsx_watch_update,
    .watch_quiet = tn_nsx_watch_quiet,
    .watch_close = tn_nsx_watch_close,
};
