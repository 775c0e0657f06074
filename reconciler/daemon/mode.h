/* mode.h - what may be done to a device, a tenant or a VPC right now.
 *
 * Rules come from tenet.yml (reviewed, in Git) and from 'tenet ctl' (at once,
 * on one machine).  Of all that match and have not run out the strictest
 * counts: hold before observe before heal.  So a command can tighten what Git
 * says and never loosen it; only the caution of a first contact is lifted by a
 * rule that says heal. */
#ifndef TN_DAEMON_MODE_H
#define TN_DAEMON_MODE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/kinds/kinds.h"
#include "reconciler/policy/freeze.h"

enum tn_mode_target { TN_TARGET_DEVICE, TN_TARGET_TENANT, TN_TARGET_VPC };

struct tn_mode_rule {
    enum tn_mode_target target;
    const char *name; /* "hv1", "acme", "acme/web" */
    enum tn_mode mode;
    const char *reason;
    int64_t until; /* Seconds since 1970 UTC; 0: no end. */
    bool command;  /* By 'tenet ctl', not from Git. */
};

/* Immutable; the last to let go frees it. */
struct tn_modes;

/* Copies.  One reference belongs to the caller. */
struct tn_modes *tn_modes_new(const struct tn_mode_rule *rules, size_t n,
                              bool first_heal) TN_RETURNS_NONNULL;
struct tn_modes *tn_modes_ref(struct tn_modes *modes) TN_RETURNS_NONNULL;
/* Accepts null. */
void tn_modes_unref(struct tn_modes *modes);

/* Do both say the same?  Accept null, which is like no other. */
bool tn_modes_same(const struct tn_modes *a, const struct tn_modes *b);

/* The mode of a scope ("tenant/vpc", "" for the device itself) on a device.
 * 'known': tenet applied something to it before.  '*why' (may be null) is the
 * rule that decided, null if none did. */
enum tn_mode tn_modes_get(const struct tn_modes *modes, const char *device,
                          const char *scope, bool known, int64_t now,
                          const struct tn_mode_rule **why);

/* The next moment at which a rule runs out; 0: never. */
int64_t tn_modes_next(const struct tn_modes *modes, int64_t now);

/* The rules of the settings: new in 'arena'. */
const struct tn_mode_rule *
tn_modes_of_settings(const struct tn_settings *settings, struct tn_arena *arena,
                     size_t *n);

/* "observe", "heal", "hold". */
const char *tn_mode_name(enum tn_mode mode);
bool tn_mode_parse(const char *name, enum tn_mode *out) TN_MUST_USE;
/* "device", "tenant", "vpc". */
const char *tn_mode_target_name(enum tn_mode_target target);

#endif
