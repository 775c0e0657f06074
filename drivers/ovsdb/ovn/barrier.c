/* barrier.c - see barrier.h. */
#include "drivers/ovsdb/ovn/barrier.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/names.h"
#include "drivers/ovsdb/ovn/kinds.h"
#include "drivers/ovsdb/value.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

enum { NORTHD_MS = 15000, CHASSIS_MS = 10000, SOUTHBOUND_MS = 3000 };

/* 'own' of a session. */
struct south {
    struct tn_ovsdb *db; /* Null: it could not be opened. */
};

/* What is waited for. */
struct wait {
    struct tn_session *s;
    struct tn_ovsdb *south; /* Null: only hv_cfg tells. */
    long long before, target;
};

void
tn_ovn_seal(struct tn_session *s, json_t *operations)
{
    (void) s;
    json_array_append_new(operations,
                          json_pack("{s:s, s:s, s:[], s:[[s, s, i]]}", "op",
                                    "mutate", "table", "NB_Global", "where",
                                    "mutations", "nb_cfg", "+=", 1));
    json_array_append_new(operations, json_pack("{s:s, s:s, s:[], s:[s]}", "op",
                                                "select", "table", "NB_Global",
                                                "where", "columns", "nb_cfg"));
}

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
    struct south *south = s->own;
    if (!south) {
        south = calloc(1, sizeof *south);
        s->own = south;
    }
    if (south && !south->db) {
        const struct tn_rpc_options options = tn_ovs_rpc_options(remote);
        struct tn_error ignored = {0};
        if (tn_ovsdb_open(s->loop, &options, "OVN_Southbound", false, wants,
                          &none, NULL, &south->db, &ignored)) {
            south->db = NULL;
        }
    }
    struct tn_error ignored = {0};
    bool up = south && south->db &&
              tn_ovsdb_wait(south->db, SOUTHBOUND_MS, &ignored) == TN_OK;
    return up ? south->db : NULL;
}

void
tn_ovn_forget(struct tn_session *s)
{
    struct south *south = s->own;
    if (south) {
        tn_ovsdb_close(south->db);
        free(south);
        s->own = NULL;
    }
}

static long long
global(const struct tn_session *s, const char *column)
{
    return json_integer_value(json_object_get(tn_ovs_root(s, NULL), column));
}

static bool
northd_done(const struct wait *w)
{
    return global(w->s, "sb_cfg") >= w->target;
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
chassis_done(const struct wait *w)
{
    const char *uuid;
    json_t *row,
        *rows = w->south ? tn_ovsdb_rows(w->south, "Chassis_Private") : NULL;
    if (!rows) {
        return global(w->s, "hv_cfg") >= w->target;
    }
    json_object_foreach(rows, uuid, row)
    {
        if (is_late(w, row) && !is_dead(w, row)) {
            return false;
        }
    }
    return true;
}

static bool
wait_until(const struct wait *w, bool (*done)(const struct wait *), int ms)
{
    int64_t end = tn_now_ns() + (int64_t) ms * 1000000;
    struct tn_error ignored = {0};
    while (!done(w)) {
        int64_t left = (end - tn_now_ns()) / 1000000;
        if (left <= 0 || tn_ovsdb_loop_turn(w->s->loop, (int) left, &ignored)) {
            return done(w);
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

/* Marks the ports on the hypervisor; true if there are any. */
static bool
mark_waiting(const struct wait *w, const char *chassis,
             const struct tn_step *steps, size_t n, enum tn_outcome *outcomes)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        const struct tn_net_port *port = port_of(w->s->device, &steps[i]);
        const char *id = port ? port->host->config.ovs_system_id : NULL;
        if (id && strcmp(id, chassis) == 0) {
            outcomes[i] = TN_STEP_WAITING;
            any = true;
        }
    }
    return any;
}

static enum tn_code
name_late(const struct wait *w, const struct tn_step *steps, size_t n,
          enum tn_outcome *outcomes, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text names = {0};
    const char *uuid;
    json_t *row;
    json_object_foreach(tn_ovsdb_rows(w->south, "Chassis_Private"), uuid, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        if (name && is_late(w, row) &&
            mark_waiting(w, name, steps, n, outcomes)) {
            tn_text_addf(&names, "%s%s", names.n ? ", " : "", name);
        }
    }
    return names.n
               ? tn_fail(err, TN_EUNAVAILABLE, 0,
                         "written, but these hypervisors have not followed: %s",
                         tn_text_str(&names))
               : TN_OK;
}

static void
all_waiting(size_t n, enum tn_outcome *outcomes)
{
    for (size_t i = 0; i < n; i++) {
        outcomes[i] = TN_STEP_WAITING;
    }
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

enum tn_code
tn_ovn_settle(struct tn_session *s, const json_t *results,
              const struct tn_step *steps, size_t n, enum tn_outcome *outcomes,
              struct tn_error *err)
{
    const json_t *rows = json_object_get(
        json_array_get(results, json_array_size(results) - 1), "rows");
    struct wait w = {
        .s = s,
        .target = json_integer_value(
            json_object_get(json_array_get(rows, 0), "nb_cfg")),
    };
    w.before = w.target - 1;
    const char *who = s->device->host->config.ovn_wait;
    if (strcmp(who, "none") == 0) {
        return TN_OK;
    }
    if (!wait_until(&w, northd_done, NORTHD_MS)) {
        all_waiting(n, outcomes);
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "written, but ovn-northd has not followed in %d s",
                       NORTHD_MS / 1000);
    }
    if (strcmp(who, "northd") == 0) {
        return TN_OK;
    }
    w.south = southbound(s);
    if (wait_until(&w, chassis_done, CHASSIS_MS) && !w.south) {
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
