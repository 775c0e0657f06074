/* barrier.c - see barrier.h. */
#include "drivers/ovsdb/ovn/barrier.h"

#include <limits.h>
#include <string.h>

#include "drivers/ovsdb/counter.h"
#include "drivers/ovsdb/index.h"
#include "drivers/ovsdb/ovn/kinds.h"
#include "model/base/cleanup.h"

enum { NORTHD_MS = 15000, CHASSIS_MS = 10000, SOUTHBOUND_MS = 3000 };

/* What is waited for. */
struct wait {
    const struct tn_session *s;
    struct tn_ovsdb *south; /* Null: only hv_cfg tells. */
    long long before, target;
};

void
tn_ovn_seal(struct tn_session *s, json_t *operations)
{
    tn_ovs_counter_raise(s, operations, "nb_cfg");
}

/* 'own' of a session is this. */
static struct tn_ovsdb *
southbound(struct tn_session *s)
{
    static const char *const columns[] = {"name", "nb_cfg", NULL};
    static const struct tn_ovsdb_want wants[] = {
        {.table = "Chassis_Private", .columns = columns, .optional = true},
        {.table = NULL},
    };
    static const struct tn_ovsdb_events none = {0};
    const char *remote = s->device->host->config.ovn_southbound;
    if (!remote) {
        return NULL;
    }
    struct tn_ovsdb *south = s->own;
    struct tn_error ignored = {0};
    if (!south) {
        const struct tn_rpc_options options = tn_ovs_rpc_options(remote);
        if (tn_ovsdb_open(s->loop, &options, "OVN_Southbound", false, wants,
                          &none, NULL, &south, &ignored)) {
            return NULL;
        }
        s->own = south;
    }
    return tn_ovsdb_wait(south, SOUTHBOUND_MS, &ignored) ? NULL : south;
}

void
tn_ovn_forget(struct tn_session *s)
{
    tn_ovsdb_close(s->own);
    s->own = NULL;
}

static bool
northd_done(const void *ctx)
{
    const struct wait *w = ctx;
    return tn_ovs_counter(w->s, "sb_cfg") >= w->target;
}

/* Is the row one that we still wait for? */
static bool
is_late(const struct wait *w, const json_t *row)
{
    return json_integer_value(json_object_get(row, "nb_cfg")) < w->target;
}

static bool
is_dead(const struct wait *w, const json_t *row)
{
    return json_integer_value(json_object_get(row, "nb_cfg")) < w->before;
}

static bool
chassis_done(const void *ctx)
{
    const struct wait *w = ctx;
    const char *uuid;
    json_t *row,
        *rows = w->south ? tn_ovsdb_rows(w->south, "Chassis_Private") : NULL;
    if (!rows) {
        return tn_ovs_counter(w->s, "hv_cfg") >= w->target;
    }
    json_object_foreach(rows, uuid, row)
    {
        if (is_late(w, row) && !is_dead(w, row)) {
            return false;
        }
    }
    return true;
}

/* The port of a step; null: it is none of a port. */
static const struct tn_net_port *
port_of(const struct tn_device *device, const struct tn_step *step)
{
    const struct tn_resource *r = step->after;
    if (!r || strcmp(r->kind, tn_ovn_port.name) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < device->n_vpcs; i++) {
        const struct tn_net_vpc *vpc = device->vpcs[i];
        for (size_t k = 0;
             strcmp(vpc->scope, r->scope) == 0 && k < vpc->n_subnets; k++) {
            const struct tn_net_subnet *s = &vpc->subnets[k];
            for (size_t p = 0; p < s->n_ports; p++) {
                if (strcmp(s->ports[p].name, r->name) == 0) {
                    return &s->ports[p];
                }
            }
        }
    }
    return NULL;
}

/* The hypervisors that are late, each false: none of the ports is on it. */
static json_t *
late_ones(const struct wait *w)
{
    json_t *late = json_object(), *row;
    const char *uuid;
    json_object_foreach(tn_ovsdb_rows(w->south, "Chassis_Private"), uuid, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        if (name && is_late(w, row)) {
            json_object_set_new(late, name, json_false());
        }
    }
    return late;
}

static enum tn_code
name_late(const struct wait *w, const struct tn_step *steps, size_t n,
          enum tn_outcome *outcomes, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text names = {0};
    const char *name;
    json_t *late = late_ones(w), *has;
    for (size_t i = 0; json_object_size(late) && i < n; i++) {
        const struct tn_net_port *port = port_of(w->s->device, &steps[i]);
        const char *id = port ? port->host->config.ovs_system_id : NULL;
        if (id && json_object_get(late, id)) {
            outcomes[i] = TN_STEP_WAITING;
            json_object_set_new(late, id, json_true());
        }
    }
    json_object_foreach(late, name, has)
    {
        if (json_is_true(has)) {
            tn_text_addf(&names, "%s%s", names.n ? ", " : "", name);
        }
    }
    json_decref(late);
    return names.n
               ? tn_fail(err, TN_EUNAVAILABLE, 0,
                         "written, but these hypervisors have not followed: %s",
                         tn_text_str(&names))
               : TN_OK;
}

/* As of a hypervisor that is known: nobody waits for what is to go, as from one
 * that has left the cloud with it.  True if there is anything else. */
static bool
wanted_waiting(const struct tn_step *steps, size_t n, enum tn_outcome *outcomes)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (steps[i].after) {
            outcomes[i] = TN_STEP_WAITING;
            any = true;
        }
    }
    return any;
}

/* How many rows of ours there are, up to 'most'. */
static size_t
ours(const struct tn_session *s, size_t most)
{
    size_t n = 0;
    const struct tn_ovs_place *p = tn_ovs_index_places(s);
    for (; p; p = p->next) {
        for (const struct tn_ovs_known *k = p->first; k && n < most;
             k = k->next) {
            n++;
        }
    }
    return n;
}

/* Is all that is ours new?  Hypervisors may come back to the cloud with it, as
 * far behind as when they left. */
static bool
is_first(const struct tn_session *s, const struct tn_step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (steps[i].op != TN_OP_CREATE) {
            return false;
        }
    }
    return ours(s, n + 1) == n;
}

enum tn_code
tn_ovn_settle(struct tn_session *s, const json_t *results,
              const struct tn_step *steps, size_t n, enum tn_outcome *outcomes,
              struct tn_error *err)
{
    struct wait w = {
        .s = s,
        .target = tn_ovs_counter_raised(results, "nb_cfg"),
    };
    w.before = w.target - 1;
    const char *who = s->device->host->config.ovn_wait;
    if (strcmp(who, "none") == 0) {
        return TN_OK;
    }
    if (!tn_ovs_wait_until(s, northd_done, &w, NORTHD_MS)) {
        tn_ovs_all_waiting(n, outcomes);
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "written, but ovn-northd has not followed in %d s",
                       NORTHD_MS / 1000);
    }
    /* Nobody needs to follow where nothing is left; those who leave the cloud
     * with it would be waited for. */
    if (strcmp(who, "northd") == 0 || !ours(s, 1)) {
        return TN_OK;
    }
    w.before = is_first(s, steps, n) ? LLONG_MIN : w.before;
    w.south = southbound(s);
    if (tn_ovs_wait_until(s, chassis_done, &w, CHASSIS_MS) && !w.south) {
        return TN_OK;
    }
    if (w.south) {
        return name_late(&w, steps, n, outcomes, err);
    }
    if (!wanted_waiting(steps, n, outcomes)) {
        return TN_OK;
    }
    return tn_fail(err, TN_EUNAVAILABLE, 0,
                   "written, but not all hypervisors have followed in %d s",
                   CHASSIS_MS / 1000);
}
