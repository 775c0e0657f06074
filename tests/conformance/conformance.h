/* conformance.h - what every driver must do, as tests.
 *
 * To run the suite for a driver, write one file that defines
 * tn_conformance_subject() and add it in CMakeLists.txt:
 *
 *     tn_conformance(memory SOURCES memory_subject.c DEPS memory)
 *     tn_conformance(kernel SOURCES kernel_subject.c DEPS kernel LABELS root)
 *
 * Each check is a Criterion test in a process of its own: setup(), the check,
 * teardown().  The intent is fixed (intent.c): two hosts, "hv1" and "hv2",
 * three VPCs of two tenants with overlapping addresses, dual-stack subnets,
 * security groups, a static route, a peering, and the ports named in
 * tn_conformance_netns[], whose far ends are in network namespaces of those
 * names; a driver that needs them makes them in setup().
 *
 * A hook that fails calls cr_assert itself. */
#ifndef TN_TESTS_CONFORMANCE_CONFORMANCE_H
#define TN_TESTS_CONFORMANCE_CONFORMANCE_H

#include "drivers/driver.h"
#include "model/base/text.h"

struct tn_subject {
    const struct tn_driver *driver;

    /* Makes both hosts as they are before tenet first sees them, and returns
     * what the other hooks get as 'world'. */
    void *(*setup)(void);
    /* Removes every trace of both hosts. */
    void (*teardown)(void *world);

    /* Adds lines to the host's variables: "tenet_kernel_netns: hv1\n".  The
     * suite sets tenet_driver, if 'hosts' is null, and tenet_underlay_address
     * (192.0.2.1 and .2). */
    void (*host_vars)(void *world, const char *host, struct tn_text *out);
    /* Optional.  Adds further hosts: lines of the inventory's "hosts:". */
    void (*hosts)(void *world, struct tn_text *out);
    /* The device that is tested, if it is not "hv1"; there is no other one to
     * be kept apart from then. */
    const char *device;

    /* Makes objects of somebody else.  Called twice: before anything is
     * applied ('applied' is null), and after all of it was.  At least the
     * first must be such that observe() shows it as foreign, and at least one
     * should stand among ours. */
    void (*foreign_make)(void *world, const struct tn_device *device,
                         const struct tn_state *applied);
    /* Describes these objects, everything that could be changed about them. */
    void (*foreign_dump)(void *world, const struct tn_device *device,
                         struct tn_text *out);

    /* Changes 'r', which is as the driver made it, behind the driver's back, so
     * that the next observe() must see it changed or gone.  False if there is
     * no way to: that resource is then passed over. */
    bool (*tamper)(void *world, const struct tn_device *device,
                   const struct tn_resource *r);

    /* Optional.  Lets the n-th (from 1) of the operations to come fail. */
    void (*fail_at)(void *world, const struct tn_device *device, size_t n);

    /* What this intent changes leads to no update in place (rules may be
     * objects of their own, which come and go), or to no replacement. */
    bool nothing_in_place, nothing_replaced;

    /* The driver makes little of this intent, and the same of the variants
     * "base", "updated" and "replaced". */
    bool blind;
    /* How many resources the device has whatever is on it. */
    size_t always;

    /* Checks that try every n of a commit's steps try every 'stride'-th; 0 is
     * 1.  For drivers whose steps take long. */
    size_t stride;

    /* How long an event may take, in milliseconds; 0: half a second.  For
     * drivers that can only ask now and then. */
    int at_once_ms;
};

/* Defined by the file that runs the suite. */
const struct tn_subject *tn_conformance_subject(void);

/* Namespaces of the ports' far ends; ends with null. */
extern const char *const tn_conformance_netns[];

#endif
