/* status.h - what became of the intent, kept in Git on a ref of its own.
 *
 * The status ref (default refs/heads/tenet/status) is an orphan branch, never
 * the watched one, with small YAML files that any YAML reader takes:
 *
 *     README.md                    what this branch is
 *     devices/<device>.yml         applied commit, conditions, counts
 *     tenants/<tenant>.yml
 *     vpcs/<tenant>/<vpc>.yml
 *     allocations/<tenant>.yml     identifiers in use (model/compile/lock.h)
 *     snapshots/<device>/...       what it was seen to hold (snapshot.h)
 *     quarantine.yml               commits that are not applied (rollback.h)
 *
 * A commit is made only when something changed in meaning: times alone are no
 * change, and a condition keeps its 'since' while status and reason stay.
 * Writers may race: the ref moves by compare-and-swap, and who loses reads the
 * new state, puts its own entries over it and tries again.  An update replaces
 * the entries that it names and no others. */
#ifndef TN_STATUS_STATUS_H
#define TN_STATUS_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/compile/lock.h"

#define TN_STATUS_REF_DEFAULT "refs/heads/tenet/status"

enum tn_condition_type {
    TN_COND_READY,    /* Holds what the commit asks for, verified. */
    TN_COND_DRIFTED,  /* Somebody else changed it since. */
    TN_COND_DEGRADED, /* Something could not be applied or reached. */
    TN_N_CONDITIONS,
};

enum tn_condition_status {
    TN_COND_UNKNOWN, /* The zero value: nothing was said. */
    TN_COND_FALSE,
    TN_COND_TRUE,
};

struct tn_condition {
    enum tn_condition_status status;
    const char *reason;  /* One CamelCase word: "Verified"; null: none. */
    const char *message; /* For people; null: none.  Cut at 2,000 bytes. */
    int64_t since;       /* Seconds since 1970 UTC.  Ignored in an update. */
};

/* Members common to devices, tenants and VPCs. */
struct tn_status_head {
    const char *commit; /* The one applied, hexadecimal; null: never one. */
    int64_t applied;    /* When.  Ignored in an update: the time of the update
                           is taken when 'commit' changes. */
    bool keep;          /* Update only: 'commit' and all counts (and of a VPC
                           'devices') stay what they are on the ref; only the
                           conditions are new.  For devices that are held or
                           out of reach, and tenants whose documents failed. */
    struct tn_condition conditions[TN_N_CONDITIONS];
};

struct tn_status_device {
    const char *name;
    const char *environment;
    const char *driver;
    struct tn_status_head head;
    uint64_t n_vpcs, n_resources, n_foreign; /* n_foreign: seen, not touched. */
};

struct tn_status_tenant {
    const char *name;
    struct tn_status_head head;
    uint64_t n_vpcs, n_subnets, n_ports;
};

struct tn_status_vpc {
    const char *tenant, *name;
    struct tn_status_head head;
    uint64_t n_subnets, n_ports;
    const char *const *devices; /* Names of those that hold it, sorted. */
    size_t n_devices;
};

/* A file of the ref that could not be understood; it counts as absent. */
struct tn_status_damage {
    const char *path, *message;
};

struct tn_status {
    const char *id; /* Commit of the status ref; null: the ref is missing. */
    const struct tn_status_device *devices; /* By name. */
    size_t n_devices;
    const struct tn_status_tenant *tenants; /* By name. */
    size_t n_tenants;
    const struct tn_status_vpc *vpcs; /* By tenant, name. */
    size_t n_vpcs;
    const struct tn_pin *pins; /* By tenant, object: for tn_compile. */
    size_t n_pins;
    const struct tn_status_damage *damaged;
    size_t n_damaged;
    struct tn_status_pins *shared; /* Who holds 'pins'; null: the arena. */
};

/* Loads the ref of the repository that 'path' is in; 'ref' null is the
 * default.  A missing ref is an empty status and TN_OK.  '*out' is new in
 * 'arena'. */
enum tn_code tn_status_load(const char *path, const char *ref,
                            struct tn_arena *arena,
                            const struct tn_status **out,
                            struct tn_error *err) TN_MUST_USE;

/* For who reads the ref again and again: 'memo' spares reading what was read
 * before; one thread at a time.  load_again: devices, tenants and pins, but no
 * VPCs.  load_lent: VPCs too, which are the memo's until it is used next.  Pins
 * are shared: give them back. */
struct tn_status_memo;
struct tn_status_memo *tn_status_memo_new(void) TN_RETURNS_NONNULL;
void tn_status_memo_free(struct tn_status_memo *memo); /* Accepts null. */
enum tn_code tn_status_load_again(const char *path, const char *ref,
                                  struct tn_status_memo *memo,
                                  struct tn_arena *arena,
                                  const struct tn_status **out,
                                  struct tn_error *err) TN_MUST_USE;
enum tn_code tn_status_load_lent(const char *path, const char *ref,
                                 struct tn_status_memo *memo,
                                 struct tn_arena *arena,
                                 const struct tn_status **out,
                                 struct tn_error *err) TN_MUST_USE;
/* Gives back what is shared.  Accepts null, and a status that shares nothing.
 */
void tn_status_done(const struct tn_status *status);

/* The ref to read from: 'ref' (null: the default) if it exists, else what a
 * clone has of it under refs/remotes/origin/, else 'ref'.  For readers only: a
 * status is never written to a remote-tracking ref.  '*out' is new in 'arena'
 * or is 'ref'. */
enum tn_code tn_status_find(const char *path, const char *ref,
                            struct tn_arena *arena, const char **out,
                            struct tn_error *err) TN_MUST_USE;

/* Null if there is none. */
const struct tn_status_device *
tn_status_device_get(const struct tn_status *status, const char *name);
const struct tn_status_vpc *tn_status_vpc_get(const struct tn_status *status,
                                              const char *tenant,
                                              const char *name);
const struct tn_status_tenant *
tn_status_tenant_get(const struct tn_status *status, const char *name);

/* Signs the 'n' bytes of a commit: '*signature' is malloc'ed, armored (SSH or
 * OpenPGP), and goes into the commit as its gpgsig header. */
typedef enum tn_code tn_status_sign_fn(void *ctx, const char *commit, size_t n,
                                       char **signature, struct tn_error *err);

/* A file that another module fills. */
struct tn_status_file {
    const char *path;  /* From the top of the ref, or below the folder. */
    const char *bytes; /* Null: the file goes. */
    size_t n;
    size_t n_meaning; /* Of a folder's file: so many bytes from the start are
                         what it means, the rest (a time) is written along when
                         these, or another file of the folder, change; 0: all
                         of it. */
    /* Of a file at the top; null: it replaces the one before.  Else it is
     * called with the former bytes (null: none) each time the ref is tried, and
     * says what is written: so nothing of a racing writer is lost.  '*out' has
     * bytes and n, new in 'arena'. */
    void (*join)(const struct tn_status_file *file, const char *former,
                 size_t n_former, struct tn_arena *arena,
                 struct tn_status_file *out);
};

/* A folder of which the update knows everything: afterwards it holds these
 * files and no others.  Of one of which it knows a part, other files stay; it
 * is left alone if it is not there yet. */
struct tn_status_folder {
    const char *path; /* "snapshots/hv1" */
    const struct tn_status_file *files;
    size_t n_files;
    bool part;
};

/* What one writer has to say.  Arrays in any order; names are not repeated.
 * The cost goes with what is named here: an apply names the VPCs that it
 * touched and not all there are, so that the commit of a VPC is the one that
 * last changed it. */
struct tn_status_update {
    const struct tn_status_device *devices;
    size_t n_devices;
    const struct tn_status_tenant *tenants;
    size_t n_tenants;
    const struct tn_status_vpc *vpcs;
    size_t n_vpcs;
    /* Sorted by tenant, object.  The allocations of each tenant that has a pin
     * here are replaced whole; those of a tenant that is among 'tenants', is
     * not kept as it was and has none go; those of others stay. */
    const struct tn_pin *pins;
    size_t n_pins;
    /* What the writer read of the ref before; may be null.  As long as the ref
     * stands there, allocations that equal these are not read again. */
    const struct tn_status *since;
    /* Entries to forget: devices that left the inventory, VPCs ("tenant/vpc")
     * and tenants that left the intent and are gone from all devices.  A
     * tenant takes its allocations and VPCs along. */
    const char *const *drop_devices;
    size_t n_drop_devices;
    const char *const *drop_vpcs;
    size_t n_drop_vpcs;
    const char *const *drop_tenants;
    size_t n_drop_tenants;
    /* A dropped device takes its snapshot along. */
    const struct tn_status_folder *folders;
    size_t n_folders;
    const struct tn_status_file *files;
    size_t n_files;

    int64_t now;         /* Seconds since 1970 UTC; 0: the clock. */
    const char *author;  /* Null: "tenet". */
    const char *email;   /* Null: "tenet@localhost". */
    const char *message; /* Subject, and body if any; null: "Update status". */

    tn_status_sign_fn *sign; /* Null: commits are not signed. */
    void *sign_ctx;
};

struct tn_status_result {
    char id[65];  /* The ref's commit now; empty if it is still missing. */
    bool changed; /* A commit was made. */
    unsigned tries;
};

/* Writes 'update' to the ref.  TN_EDENIED when the ref is a branch that is
 * checked out (the watched one), holds an intent tree, or is no valid name
 * under refs/; TN_EUNAVAILABLE when it could not be moved for longer than the
 * lock of a writer that was killed lasts.  'result' may be null. */
enum tn_code tn_status_commit(const char *path, const char *ref,
                              const struct tn_status_update *update,
                              struct tn_status_result *result,
                              struct tn_error *err) TN_MUST_USE;

/* "Ready", "Drifted", "Degraded"; "True", "False", "Unknown". */
const char *tn_condition_name(enum tn_condition_type type);
const char *tn_condition_status_name(enum tn_condition_status status);

#endif
