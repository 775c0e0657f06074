/* driver.h - what a backend provides.
 *
 *     render                                            pure, no session
 *     open -> observe -> stage -+-> commit   -> close
 *                               +-> rollback -> close
 *
 * The core renders intent with the driver, observes the device, diffs the two
 * states itself, and hands the steps back to be staged and committed.  A dry
 * run is the same path ended by rollback.  The core adapts to 'caps' and never
 * asks which driver it has.
 *
 * Rules for all members.  Arguments are borrowed for the call; results are new
 * in 'arena' and may point into arguments that the comment says outlive them.
 * Sessions and stages are owned by the driver until closed or consumed.
 * Different sessions are used by different threads at the same time; one
 * session by one thread at a time.  A driver keeps no state outside its
 * sessions and never logs.  A refusal of the backend carries the origin of the
 * step that caused it (tn_error_at). */
#ifndef TN_DRIVERS_DRIVER_H
#define TN_DRIVERS_DRIVER_H

#include "drivers/probe.h"
#include "drivers/resource.h"
#include "drivers/watch.h"
#include "model/base/diag.h"
#include "model/compile/network.h"

/* Raised when a member changes; out-of-tree drivers are refused on mismatch. */
enum { TN_DRIVER_ABI = 4 };

enum tn_driver_caps {
    TN_CAP_ATOMIC = 1u << 0,  /* A stage commits entirely or not at all. */
    TN_CAP_COMPARE = 1u << 1, /* The backend itself enforces 'before'. */
    TN_CAP_OWNER = 1u << 2,   /* Objects carry our ownership mark. */
    TN_CAP_SCOPED = 1u << 3,  /* observe() of few scopes is cheaper. */
    TN_CAP_EVENTS = 1u << 4,  /* Has the members watch_*. */
};

struct tn_session;
struct tn_stage;

/* What a driver may know of the process it lives in. */
struct tn_driver_env {
    const char *cache_dir; /* For what can be recomputed; null: none. */
};

/* Names of the scopes to read; n 0 with names null: everything.  'keys' are the
 * resources in them that are said to have changed since the session last read
 * them, null: that is not known.  Of the others a driver may tell what it knows
 * already, where reading it again would take long. */
struct tn_scope {
    const char *const *names;
    size_t n;
    const char *const *keys;
    size_t n_keys;
};

enum tn_op { TN_OP_CREATE, TN_OP_UPDATE, TN_OP_REPLACE, TN_OP_DELETE };

/* One step, in the order given.  'before' comes from the last observe() of the
 * same session (null: create), 'after' from render() or, when a failed apply is
 * undone, from an earlier observe() of the device (null: delete). */
struct tn_step {
    enum tn_op op;
    const struct tn_resource *before, *after;
};

/* What became of a step. */
enum tn_outcome {
    TN_STEP_PENDING, /* Not tried. */
    TN_STEP_DONE,    /* Now as 'after' says. */
    TN_STEP_FAILED,  /* Refused by the backend. */
    TN_STEP_WAITING, /* Cannot be done before something of others appears or
                        goes: the tap of a machine that is not started, an
                        interface in a namespace that is to be removed.  It
                        changed nothing, and no other step needs it. */
};

struct tn_driver {
    uint32_t abi;              /* TN_DRIVER_ABI */
    const char *name;          /* As written in tenet_driver. */
    uint32_t caps;             /* TN_CAP_* */
    const char *const *guards; /* Kinds of resources that keep traffic out,
                                  ended by null: without one of them more may
                                  pass than intended.  Null: none. */

    /* Pure.  Turns the device's slice of the network into the device's own
     * resources, sorted.  What the backend cannot express becomes a finding
     * at the YAML line, under its tenant; the resources of that VPC are then
     * left out.  The result points into 'device', which outlives it.  Of a
     * device that is cut down to some VPCs and those of their peers that it
     * has, the resources of these VPCs (not of the peers) are the same. */
    enum tn_code (*render)(const struct tn_device *device,
                           struct tn_arena *arena, const struct tn_state **out,
                           struct tn_diags *diags,
                           struct tn_error *err) TN_MUST_USE;

    /* Connects.  'device' and 'env' outlive the session. */
    enum tn_code (*open)(const struct tn_device *device,
                         const struct tn_driver_env *env,
                         struct tn_session **out,
                         struct tn_error *err) TN_MUST_USE;
    void (*close)(struct tn_session *session); /* Accepts null. */

    /* Reads in bulk all that bears our mark in 'scope', and the foreign
     * objects that stand among or in the way of it.  'want' (may be null) is
     * what will be compared: a driver may use it to put what it reads into
     * the same normal form.  A dump that was cut short or kept being
     * interrupted is an error, never a smaller world. */
    enum tn_code (*observe)(struct tn_session *session,
                            const struct tn_scope *scope,
                            const struct tn_state *want, struct tn_arena *arena,
                            const struct tn_state **out,
                            struct tn_error *err) TN_MUST_USE;

    /* Prepares; nothing becomes visible.  'steps' outlive the stage. */
    enum tn_code (*stage)(struct tn_session *session,
                          const struct tn_step *steps, size_t n,
                          struct tn_stage **out,
                          struct tn_error *err) TN_MUST_USE;

    /* Carries the stage out and consumes it, even on failure.  Writes one
     * outcome per step to 'outcomes'.  Deleting what is gone already and
     * creating what is there already just so counts as done.  Stops at the
     * first refusal (with TN_CAP_ATOMIC nothing is then visible); '*failed' is
     * the index of that step, or n.  A step that waits is no refusal: the
     * others go on, the result is TN_OK, and 'err' says for what the first
     * one waits. */
    enum tn_code (*commit)(struct tn_stage *stage, enum tn_outcome *outcomes,
                           size_t *failed, struct tn_error *err) TN_MUST_USE;

    /* Drops a stage that was not committed; accepts null. */
    void (*rollback)(struct tn_stage *stage);

    /* The watch (watch.h); all null without TN_CAP_EVENTS.  It is independent
     * of sessions.  watch_quiet() may be called while another thread is in any
     * of the others but watch_close(); these are called by one at a time. */

    /* Starts to watch what concerns 'device', which is borrowed for the call;
     * 'env' outlives the watch.  What happens from its return on is
     * reported. */
    enum tn_code (*watch_open)(const struct tn_device *device,
                               const struct tn_driver_env *env,
                               struct tn_watch **out,
                               struct tn_error *err) TN_MUST_USE;
    /* Always the same one; poll it for reading.  It is readable while there
     * is, or may be, something to read; in a storm it wakes at most some tens
     * of times a second. */
    int (*watch_fd)(const struct tn_watch *watch);
    /* Never waits.  Events in order of arrival, equal ones (type, scope, key)
     * once; new in 'arena', text included.  '*n' may be 0.  An error: the watch
     * is of no use any more; close it and open a new one. */
    enum tn_code (*watch_read)(struct tn_watch *watch, struct tn_arena *arena,
                               const struct tn_event **out, size_t *n,
                               struct tn_error *err) TN_MUST_USE;
    /* The same device with other VPCs or ports.  What stays is watched without
     * interruption; of what is new, as from watch_open(). */
    enum tn_code (*watch_update)(struct tn_watch *watch,
                                 const struct tn_device *device,
                                 struct tn_error *err) TN_MUST_USE;
    /* True: events of these scopes are dropped from now on.  False: those until
     * now are, those to come are reported.  TN_EVENT_LOST always is. */
    void (*watch_quiet)(struct tn_watch *watch, const struct tn_scope *scope,
                        bool quiet);
    void (*watch_close)(struct tn_watch *watch); /* Accepts null. */

    /* Optional.  Runs all probes at the same time and writes one outcome each;
     * returns after 'timeout_ms' at the latest, and changes nothing on the
     * device.  What cannot be run is an outcome too. */
    void (*probe)(struct tn_session *session, const struct tn_probe *probes,
                  size_t n, unsigned timeout_ms,
                  struct tn_probe_outcome *outcomes);

    /* Optional.  Begins to read in the background what observe() of everything
     * needs, and returns at once.  The next call with the session must be
     * observe() or close().  That observe() may tell what was there at any
     * moment since this call, and tells of whatever went wrong; all later ones
     * read anew. */
    void (*read_ahead)(struct tn_session *session);
};

/* Null if there is none of that name. */
const struct tn_driver *tn_driver_get(const char *name);
/* All of them, by name; '*n' is set. */
const struct tn_driver *const *tn_driver_list(size_t *n);

#endif
