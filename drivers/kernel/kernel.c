/* kernel.c - the members of the driver, each in a file of its own.
 *
 *     render.c   intent to objects           names.c, object.h, attrs.c
 *     session.c  namespaces kept open        netns.c, sysctl.c
 *     observe.c  dumps to objects            table.c, nl.c
 *     commit.c   steps to batches of requests
 *     nft.c      packet rules
 *     watch.c    events
 *
 * Not atomic: the kernel has no transaction over links.  What a step expects to
 * find is compared by the core between observing and committing. */
#include "drivers/kernel/kernel.h"

#include "drivers/kernel/commit.h"
#include "drivers/kernel/reach.h"
#include "drivers/kernel/render.h"
#include "drivers/kernel/session.h"
#include "drivers/kernel/watch.h"

static const char *const guards[] = {"nft", NULL};

const struct tn_driver tn_driver_kernel = {
    .abi = TN_DRIVER_ABI,
    .name = "kernel",
    .caps = TN_CAP_OWNER | TN_CAP_SCOPED | TN_CAP_EVENTS,
    .guards = guards,
    .render = tn_k_render,
    .open = tn_k_open,
    .close = tn_k_close,
    .observe = tn_k_observe,
    .stage = tn_k_stage,
    .commit = tn_k_commit,
    .rollback = tn_k_rollback,
    .watch_open = tn_k_events_open,
    .watch_fd = tn_k_events_fd,
    .watch_read = tn_k_events_read,
    .watch_update = tn_k_events_update,
    .watch_quiet = tn_k_events_quiet,
    .watch_close = tn_k_events_close,
    .probe = tn_k_reach,
    .read_ahead = tn_k_read_ahead,
};
