/* openvswitch.c - the driver's members: an OVSDB device with the kinds of
 * kinds.c.
 *
 * As ovs-vsctl does it, each transaction raises next_cfg, and ovs-vswitchd
 * answers with cur_cfg when it has reconfigured itself
 * (ovs-vswitchd.conf.db(5), "Configuration"). */
#include "drivers/ovsdb/openvswitch/openvswitch.h"

#include "drivers/ovsdb/counter.h"
#include "drivers/ovsdb/device.h"
#include "drivers/ovsdb/openvswitch/kinds.h"
#include "drivers/ovsdb/openvswitch/render.h"
#include "drivers/ovsdb/watch.h"

enum { FOLLOW_MS = 10000 };

static void
vs_seal(struct tn_session *s, json_t *operations)
{
    tn_ovs_counter_raise(s, operations, "next_cfg");
}

struct wait {
    const struct tn_session *s;
    long long target;
};

static bool
vswitchd_done(const void *ctx)
{
    const struct wait *w = ctx;
    return tn_ovs_counter(w->s, "cur_cfg") >= w->target;
}

static enum tn_code
vs_settle(struct tn_session *s, const json_t *results,
          const struct tn_step *steps TN_UNUSED, size_t n,
          enum tn_outcome *outcomes, struct tn_error *err)
{
    const struct wait w = {s, tn_ovs_counter_raised(results, "next_cfg")};
    if (tn_ovs_wait_until(s, vswitchd_done, &w, FOLLOW_MS)) {
        return TN_OK;
    }
    tn_ovs_all_waiting(n, outcomes);
    return tn_fail(err, TN_EUNAVAILABLE, 0,
                   "written, but ovs-vswitchd has not followed in %d s",
                   FOLLOW_MS / 1000);
}

static const char *const root_columns[] = {"next_cfg", "cur_cfg", NULL};

static const struct tn_ovs_model model = {
    .database = "Open_vSwitch",
    .root = "Open_vSwitch",
    .root_columns = root_columns,
    .kinds = tn_vs_kinds,
    .n_kinds = TN_VS_KINDS,
    .seal = vs_seal,
    .settle = vs_settle,
};

static enum tn_code
vs_open(const struct tn_device *device,
        const struct tn_driver_env *env TN_UNUSED, struct tn_session **out,
        struct tn_error *err)
{
    return tn_ovs_open(&model, device, out, err);
}

static enum tn_code
vs_watch_open(const struct tn_device *device,
              const struct tn_driver_env *env TN_UNUSED, struct tn_watch **out,
              struct tn_error *err)
{
    return tn_ovs_watch_open(&model, device, out, err);
}

const struct tn_driver tn_driver_openvswitch = {
    .abi = TN_DRIVER_ABI,
    .name = "openvswitch",
    .caps = TN_CAP_ATOMIC | TN_CAP_COMPARE | TN_CAP_OWNER | TN_CAP_SCOPED |
            TN_CAP_EVENTS,
    .render = tn_vs_render,
    .open = vs_open,
    .close = tn_ovs_close,
    .observe = tn_ovs_observe,
    .stage = tn_ovs_stage,
    .commit = tn_ovs_commit,
    .rollback = tn_ovs_rollback,
    .watch_open = vs_watch_open,
    .watch_fd = tn_ovs_watch_fd,
    .watch_read = tn_ovs_watch_read,
    .watch_update = tn_ovs_watch_update,
    .watch_quiet = tn_ovs_watch_quiet,
    .watch_close = tn_ovs_watch_close,
};
