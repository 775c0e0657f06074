/* probes.h - is the network that was just changed still of use?
 *
 * Probes are named in tenet.yml, by the operator: whoever writes a probe can
 * have a change rolled back, which is not for tenants to decide.  Each sends an
 * ICMP echo or opens a TCP connection from a port to a port or an address.  The
 * driver does it from inside the namespace of the port (driver.h, 'probe'): no
 * command is run and nothing is resolved by name. */
#ifndef TN_CONFIRM_PROBES_H
#define TN_CONFIRM_PROBES_H

#include "drivers/driver.h"
#include "model/compile/network.h"

/* A probe with its names looked up. */
struct tn_probe_plan {
    const char *name;
    const char *device;    /* Where it starts; null: it cannot be run, */
    const char *why;       /* and this is why. */
    struct tn_probe probe; /* For the driver. */
};

/* Looks the probes of 'settings' up in a network, which may be that of another
 * commit, in the order of tenet.yml: '*out' is new in 'arena' and points into
 * both.  Pure. */
void tn_probes_plan(const struct tn_settings *settings,
                    const struct tn_network *network, struct tn_arena *arena,
                    const struct tn_probe_plan **out, size_t *n);

struct tn_probe_report {
    const char *name;
    enum tn_probe_result result;
    const char *reason; /* Null if it passed. */
    uint32_t rtt_us;    /* If it passed. */
};

/* A device on which probes may start. */
struct tn_probe_device {
    const char *name;
    const struct tn_driver *driver;
    struct tn_session *session; /* Null: not reached. */
};

/* Runs all probes at once, each with 'timeout_ms' to answer, one thread a
 * device: '*out' has a report for each, new in 'arena'.  Never fails: what
 * cannot be run is TN_PROBE_IMPOSSIBLE with a reason.  'devices' is sorted by
 * name. */
void tn_probes_run(const struct tn_probe_plan *probes, size_t n,
                   const struct tn_probe_device *devices, size_t n_devices,
                   unsigned timeout_ms, struct tn_arena *arena,
                   const struct tn_probe_report **out);

#endif
