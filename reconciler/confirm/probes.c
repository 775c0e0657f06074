/* probes.c - from names to drivers, and all of them at once.
 *
 * The driver of a device runs its probes at the same time; devices run in a
 * thread each.  A probe whose names lead nowhere is reported as impossible and
 * not as an error of the intent: the port may be gone with this very commit. */
#include "reconciler/confirm/probes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A port and where it is. */
struct place {
    const struct tn_net_vpc *vpc;
    const struct tn_net_subnet *subnet;
    const struct tn_net_port *port;
};

static bool
subnet_find(const struct tn_net_vpc *vpc, const char *name, struct place *out)
{
    for (size_t s = 0; s < vpc->n_subnets; s++) {
        const struct tn_net_subnet *subnet = &vpc->subnets[s];
        for (size_t p = 0; p < subnet->n_ports; p++) {
            if (strcmp(subnet->ports[p].name, name) == 0) {
                *out = (struct place){vpc, subnet, &subnet->ports[p]};
                return true;
            }
        }
    }
    return false;
}

/* 'pair' is "tenant/port". */
static bool
port_find(const struct tn_network *network, const char *pair, struct place *out)
{
    const char *slash = strchr(pair, '/');
    size_t n = slash ? (size_t) (slash - pair) : 0;
    for (size_t i = 0; slash && i < network->n_vpcs; i++) {
        const struct tn_net_vpc *vpc = network->vpcs[i];
        if (strncmp(vpc->tenant, pair, n) == 0 && vpc->tenant[n] == '\0' &&
            subnet_find(vpc, slash + 1, out)) {
            return true;
        }
    }
    return false;
}

static const char *
device_of(const struct tn_network *network, const struct tn_host *host)
{
    for (size_t i = 0; i < network->n_devices; i++) {
        if (network->devices[i].host == host) {
            return network->devices[i].name;
        }
    }
    return NULL;
}

/* An address of 'to' of a family that 'from' has too. */
static bool
address_between(const struct tn_net_port *from, const struct tn_net_port *to,
                struct tn_addr *out)
{
    const struct tn_addr *ours[] = {&from->address, &from->address6};
    const struct tn_addr *theirs[] = {&to->address, &to->address6};
    for (size_t i = 0; i < TN_ARRAY_SIZE(theirs); i++) {
        for (size_t k = 0; k < TN_ARRAY_SIZE(ours); k++) {
            if (tn_addr_present(theirs[i]) &&
                theirs[i]->family == ours[k]->family) {
                *out = *theirs[i];
                return true;
            }
        }
    }
    return false;
}

static void
probe_plan(const struct tn_network *network, struct tn_arena *arena,
           const struct tn_probe_entry *entry, struct tn_probe_plan *out)
{
    struct place from = {0}, to = {0};
    *out = (struct tn_probe_plan){.name = entry->name.v};
    if (!entry->from.v || !port_find(network, entry->from.v, &from)) {
        out->why = tn_arena_printf(arena, "there is no port %s",
                                   entry->from.v ? entry->from.v : "");
        return;
    }
    out->probe = (struct tn_probe){
        .vpc = from.vpc,
        .subnet = from.subnet,
        .from = from.port,
        .to = entry->to_address.v,
        .protocol = entry->tcp.at.line ? TN_PROBE_TCP : TN_PROBE_ICMP,
        .port = (uint16_t) entry->tcp.v,
    };
    if (entry->to_port.v && !port_find(network, entry->to_port.v, &to)) {
        out->why =
            tn_arena_printf(arena, "there is no port %s", entry->to_port.v);
    } else if (to.port &&
               !address_between(from.port, to.port, &out->probe.to)) {
        out->why = tn_arena_printf(arena,
                                   "%s has no address of a family that "
                                   "%s has",
                                   entry->to_port.v, entry->from.v);
    } else {
        out->device = device_of(network, from.port->host);
        out->why = out->device ? NULL
                               : tn_arena_printf(arena, "no device holds %s",
                                                 entry->from.v);
    }
}

void
tn_probes_plan(const struct tn_settings *settings,
               const struct tn_network *network, struct tn_arena *arena,
               const struct tn_probe_plan **out, size_t *n)
{
    size_t n_probes = settings ? settings->probes.n : 0;
    struct tn_probe_plan *plans =
        tn_new_n(arena, struct tn_probe_plan, n_probes);
    for (size_t i = 0; i < n_probes; i++) {
        probe_plan(network, arena, &settings->probes.items[i], &plans[i]);
    }
    *out = plans;
    *n = n_probes;
}

/* The probes of one device. */
struct job {
    const struct tn_probe_device *device;
    struct tn_probe *probes;
    struct tn_probe_outcome *outcomes;
    size_t *index; /* Of each among all. */
    size_t n;
    unsigned timeout_ms;
    pthread_t thread;
    bool started;
};

static void *
job_work(void *context)
{
    struct job *job = context;
    job->device->driver->probe(job->device->session, job->probes, job->n,
                               job->timeout_ms, job->outcomes);
    return NULL;
}

static int
device_cmp(const void *key, const void *item)
{
    return strcmp(key, ((const struct tn_probe_device *) item)->name);
}

/* Why the device cannot be asked; null if it can. */
static const char *
obstacle(const struct tn_probe_plan *plan, const struct tn_probe_device *device)
{
    if (plan->why) {
        return plan->why;
    }
    if (!device || !device->session || !device->driver) {
        return "its device is not reached";
    }
    return device->driver->probe ? NULL : "its driver cannot probe";
}

static void
job_add(struct job *job, struct tn_arena *arena,
        const struct tn_probe_device *device, size_t n_probes)
{
    if (!job->device) {
        job->device = device;
        job->probes = tn_new_n(arena, struct tn_probe, n_probes);
        job->outcomes = tn_new_n(arena, struct tn_probe_outcome, n_probes);
        job->index = tn_new_n(arena, size_t, n_probes);
    }
}

static void
jobs_run(struct job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        jobs[i].started = jobs[i].n && pthread_create(&jobs[i].thread, NULL,
                                                      job_work, &jobs[i]) == 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].started) {
            pthread_join(jobs[i].thread, NULL);
        } else if (jobs[i].n) {
            job_work(&jobs[i]);
        }
    }
}

void
tn_probes_run(const struct tn_probe_plan *probes, size_t n,
              const struct tn_probe_device *devices, size_t n_devices,
              unsigned timeout_ms, struct tn_arena *arena,
              const struct tn_probe_report **out)
{
    struct tn_probe_report *reports =
        tn_new_n(arena, struct tn_probe_report, n);
    struct job *jobs = tn_new_n(arena, struct job, n_devices);
    for (size_t i = 0; i < n; i++) {
        const struct tn_probe_device *device =
            probes[i].device && n_devices
                ? bsearch(probes[i].device, devices, n_devices, sizeof *devices,
                          device_cmp)
                : NULL;
        reports[i].name = probes[i].name;
        reports[i].reason = obstacle(&probes[i], device);
        if (!reports[i].reason) {
            struct job *job = &jobs[device - devices];
            job_add(job, arena, device, n);
            job->timeout_ms = timeout_ms;
            job->index[job->n] = i;
            job->probes[job->n++] = probes[i].probe;
        }
    }
    jobs_run(jobs, n_devices);
    for (size_t i = 0; i < n_devices; i++) {
        for (size_t k = 0; k < jobs[i].n; k++) {
            const struct tn_probe_outcome *o = &jobs[i].outcomes[k];
            struct tn_probe_report *r = &reports[jobs[i].index[k]];
            r->result = o->result;
            r->rtt_us = o->rtt_us;
            r->reason = o->result == TN_PROBE_PASSED
                            ? NULL
                            : tn_arena_strdup(arena, o->reason);
        }
    }
    *out = reports;
}
