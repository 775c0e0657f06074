/* watch.h - what happens to a device while nobody is looking.
 *
 * A watch tells that something of ours was changed, and where; what it is now,
 * only observe() tells.  An event is thus a reason to observe its scope, never
 * a substitute for it.  Drivers with TN_CAP_EVENTS have the members watch_*
 * (driver.h); of the others the core learns by audits alone.
 *
 * Promises of a driver.  Every change that observe() would show, in what the
 * watch was opened for or last updated to, leads to an event that names its
 * scope or to TN_EVENT_LOST, at once; what watching cannot see is listed in
 * the driver's document and is found by audits.  What observe() would not show
 * (a neighbour confirmed, a counter) leads to none, most of the time: an event
 * too many is a cost, never an error.
 *
 * How the core keeps its own applies from looking like drift:
 *
 *     watch_quiet(w, scope, true)      their scopes are not reported from here
 *     commit(...)
 *     watch_quiet(w, scope, false)     what happened until here is forgotten
 *     observe(..., scope, ...)         and this sees all of it
 *
 * A change that somebody else makes during the commit is seen by that observe,
 * one that comes after the second call is reported: nothing is ever lost in
 * between.  The second call alone, before any other observe(), forgets what
 * that observe will see.  What is new on a device is to be made known by
 * watch_update() before it is applied. */
#ifndef TN_DRIVERS_WATCH_H
#define TN_DRIVERS_WATCH_H

#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

struct tn_watch;

enum tn_event_type {
    TN_EVENT_CHANGED,
    TN_EVENT_GONE,
    TN_EVENT_APPEARED, /* Also: something that a step may be waiting for. */
    TN_EVENT_LOST,     /* Events were lost: observe everything. */
};

struct tn_event {
    enum tn_event_type type;
    const char *scope; /* "tenant/vpc"; "": the device itself; null: it cannot
                          be told, observe everything. */
    const char *key;   /* Of the resource, as far as it can be told; a hint. */
    const char *what;  /* For people: "link x-front deleted"; never null. */
    uint32_t writer;   /* Kernel: netlink port of who did it, most often a
                          process id; 0: not known. */
    int64_t time_ns;   /* CLOCK_MONOTONIC, when it was read. */
};

#endif
