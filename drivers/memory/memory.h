/* memory.h - the driver that keeps a device in a file: for tests, demos and
 * for trying out a repository without touching a network.
 *
 * Host variables (all optional):
 *
 *     tenet_memory_path       the file; without it the device lives and dies
 *                             with the session
 *     tenet_memory_atomic     a commit takes effect entirely or not at all
 *     tenet_memory_delay_ms   wait before each commit
 *     tenet_memory_fail_at    refuse the n-th operation
 *     tenet_memory_drop_at    lose the connection at the n-th operation, after
 *                             it took effect: only looking again tells
 *     tenet_memory_interfere  once, when a commit begins, change one of the
 *                             objects that it is about to touch
 *
 * Operations are counted from 1 over the life of the device, those that failed
 * included, so that a second try gets past a fault.
 *
 * The file is JSON and may be written by hand:
 *
 *     {"format": "tenet-memory/1", "operations": 12,
 *      "faults": {"fail_at": 14, "fail_count": 2, "drop_at": 20,
 *                 "interfere": "acme/web/vpc"},
 *      "resources": {"acme/web/vpc": {"kind": "vpc", "name": "web",
 *          "scope": "acme/web", "owner": "prod", "parent": null,
 *          "claim": null, "attrs": {"encapsulation": "vxlan"}}}}
 *
 * 'faults' go before the host's variables.  What has another 'owner' than our
 * instance is foreign.  A file that exists and is no such file is refused and
 * left alone. */
#ifndef TN_MEMORY_MEMORY_H
#define TN_MEMORY_MEMORY_H

#include "drivers/driver.h"

extern const struct tn_driver tn_driver_memory;

#endif
