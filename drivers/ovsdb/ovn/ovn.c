/* ovn.c - the driver's members: an OVSDB device with the kinds of kinds.c. */
#include "drivers/ovsdb/ovn/ovn.h"

#include "drivers/ovsdb/device.h"
#include "drivers/ovsdb/ovn/barrier.h"
#include "drivers/ovsdb/ovn/kinds.h"
#include "drivers/ovsdb/ovn/render.h"
#include "drivers/ovsdb/watch.h"

static const char *const global_columns[] = {"nb_cfg", "sb_cfg", "hv_cfg",
                                             NULL};

static const struct tn_ovs_model model = {
    .database = "OVN_Northbound",
    .root = "NB_Global",
    .root_columns = global_columns,
    .kinds = tn_ovn_kinds,
    .n_kinds = TN_OVN_KINDS,
    .leader = true,
    .seal = tn_ovn_seal,
    .settle = tn_ovn_settle,
    .forget = tn_ovn_forget,
};

static enum tn_code
ovn_open(const struct tn_device *device,
         const struct tn_driver_env *env TN_UNUSED, struct tn_session **out,
         struct tn_error *err)
{
    return tn_ovs_open(&model, device, out, err);
}

static enum tn_code
ovn_watch_open(const struct tn_device *device,
               const struct tn_driver_env *env TN_UNUSED, struct tn_watch **out,
               struct tn_error *err)
{
    return tn_ovs_watch_open(&model, device, out, err);
}

/* What keeps traffic out: ports are open without it. */
static const char *const guards[] = {"guard", "filter", "policy", NULL};

const struct tn_driver tn_driver_ovn = {
    .abi = TN_DRIVER_ABI,
    .name = "ovn",
    .caps = TN_CAP_ATOMIC | TN_CAP_COMPARE | TN_CAP_OWNER | TN_CAP_SCOPED |
            TN_CAP_EVENTS,
    .guards = guards,
    .render = tn_ovn_render,
    .open = ovn_open,
    .close = tn_ovs_close,
    .observe = tn_ovs_observe,
    .stage = tn_ovs_stage,
    .commit = tn_ovs_commit,
    .rollback = tn_ovs_rollback,
    .watch_open = ovn_watch_open,
    .watch_fd = tn_ovs_watch_fd,
    .watch_read = tn_ovs_watch_read,
    .watch_update = tn_ovs_watch_update,
    .watch_quiet = tn_ovs_watch_quiet,
    .watch_close = tn_ovs_watch_close,
};
