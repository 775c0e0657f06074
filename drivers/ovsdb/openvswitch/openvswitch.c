/* openvswitch.c - the driver's members: an OVSDB device with the kinds of
 * kinds.c.
 *
 * As ovs-vsctl does it, each transaction raises next_cfg, and ovs-vswitchd
 * answers with cur_cfg when it has reconfigured itself
 * (ovs-vswitchd.conf.db(5), "Configuration"). */
#include "drivers/ovsdb/openvswitch/openvswitch.h"

#include "drivers/ovsdb/device.h"
#include "drivers/ovsdb/watch.h"
#include "drivers/ovsdb/openvswitch/kinds.h"
#include "drivers/ovsdb/openvswitch/render.h"
#include "model/base/time.h"

enum { FOLLOW_MS = 10000 };

static void
vs_seal(struct tn_session *s TN_UNUSED, json_t *operations)
{
    json_array_append_new(operations,
                          json_pack("{s:s, s:s, s:[], s:[[s, s, i]]}", "op",
                                    "mutate", "table", "Open_vSwitch", "where",
                                    "mutations", "next_cfg", "+=", 1));
    json_array_append_new(operations,
                          json_pack("{s:s, s:s, s:[], s:[s]}", "op", "select",
                                    "table", "Open_vSwitch", "where", "columns",
                                    "next_cfg"));
}

static enum tn_code
vs_settle(struct tn_session *s, const json_t *results,
          const struct tn_step *steps TN_UNUSED, size_t n,
          enum tn_outcome *outcomes, struct tn_error *err)
{
    const json_t *rows = json_object_get(
        json_array_get(results, json_array_size(results) - 1), "rows");
    json_int_t target = json_integer_value(
        json_object_get(json_array_get(rows, 0), "next_cfg"));
    int64_t end = tn_now_ns() + (int64_t) FOLLOW_MS * 1000000;
    while (json_integer_value(
               json_object_get(tn_ovs_root(s, NULL), "cur_cfg")) < target) {
        int64_t left = (end - tn_now_ns()) / 1000000;
        if (left <= 0 || tn_ovsdb_loop_turn(s->loop, (int) left, NULL)) {
            for (size_t i = 0; i < n; i++) {
                outcomes[i] = TN_STEP_WAITING;
            }
            return tn_fail(err, TN_EUNAVAILABLE, 0,
                           "written, but ovs-vswitchd has not followed in %d s",
                           FOLLOW_MS / 1000);
        }
    }
    return TN_OK;
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
