/* trial.h - a driver under trial: looking, planning, committing. */
#ifndef TN_TESTS_CONFORMANCE_TRIAL_H
#define TN_TESTS_CONFORMANCE_TRIAL_H

#include "reconciler/plan/plan.h"
#include "tests/conformance/intent.h"

struct tn_trial {
    const struct tn_subject *subject;
    void *world;
    struct tn_arena *arena; /* All that the functions below return. */
};

void tn_trial_init(struct tn_trial *t);
/* Removes the hosts.  Also what a failed check leaves is the next setup's to
 * cope with. */
void tn_trial_done(struct tn_trial *t);

const struct tn_device *tn_trial_device_of(const struct tn_network *network,
                                           const char *host);
/* A host as a variant of the intent wants it. */
const struct tn_device *
tn_trial_device(struct tn_trial *t, enum tn_variant variant, const char *host);
/* What render() makes of it; no finding is tolerated. */
const struct tn_state *tn_trial_want(struct tn_trial *t,
                                     const struct tn_device *device);

struct tn_session *tn_trial_open(struct tn_trial *t,
                                 const struct tn_device *device);
/* All of the device, in a session that is given or, if null, made for it. */
const struct tn_state *tn_trial_look(struct tn_trial *t,
                                     struct tn_session *session,
                                     const struct tn_device *device);
/* Those of a state that are ours, or those that are not. */
const struct tn_state *tn_trial_owned(struct tn_trial *t,
                                      const struct tn_state *state,
                                      enum tn_owner owner);

/* What the core would do to get from 'have' to what 'device' wants. */
const struct tn_device_plan *tn_trial_plan(struct tn_trial *t,
                                           const struct tn_device *device,
                                           const struct tn_state *have);

/* How a commit ended. */
struct tn_trial_end {
    enum tn_code code;
    size_t failed; /* Index, or the number of steps. */
    size_t n_done;
    struct tn_error err;
};

/* Stages and commits the first 'n' steps of a plan. */
struct tn_trial_end tn_trial_commit(struct tn_trial *t,
                                    struct tn_session *session,
                                    const struct tn_step *steps, size_t n);

/* Brings the device to what it wants, in a new session; asserts that it is then
 * just so and that nothing is left to do.  Returns the plan that did it. */
const struct tn_device_plan *tn_trial_reach(struct tn_trial *t,
                                            const struct tn_device *device);

/* What 'have' becomes by the first 'n' steps, as the contract has it: the
 * reference for what a driver leaves when it stops there. */
const struct tn_state *tn_trial_model(struct tn_trial *t,
                                      const struct tn_state *have,
                                      const struct tn_step *steps, size_t n);

/* Asserts that two states hold the same keys, and the same under each. */
void tn_trial_expect_same(const struct tn_state *have,
                          const struct tn_state *want, const char *when);

#endif
