/* fixture.h - states of devices written as text, for the tests of plans.
 *
 *     blue/web bridge b1 1 @12 | mtu=1500; vni!=5000
 *
 * One resource a line: scope ("-" is the device itself), kind, name, rank, then
 * any of  @LINE (origin), claim=TEXT (with '_' for a space), parent=KIND/NAME
 * (in the same scope), foreign;  after '|' the attributes, separated by "; ".
 * 'NAME!=' can only be replaced, 'NAME*=' is secret.  Lines that are empty are
 * skipped.  The key is SCOPE/KIND/NAME. */
#ifndef TN_TESTS_PLAN_FIXTURE_H
#define TN_TESTS_PLAN_FIXTURE_H

#include "reconciler/plan/plan.h"

/* Aborts on text that is wrong. */
const struct tn_state *fixture_state(struct tn_arena *arena, const char *text);

/* Plans one device from three texts; 'last' may be null.  'held' names one
 * scope or tenant, or is null.  Aborts on failure. */
const struct tn_device_plan *fixture_plan(struct tn_arena *arena,
                                          const char *device, const char *last,
                                          const char *want, const char *have,
                                          const char *held);

/* The file 'name' of tests/plan/golden must hold 'text'; with TN_REGEN=1 in the
 * environment it is written instead.  False if they differ: the new text is
 * then beside it as NAME.new. */
bool fixture_golden(const char *name, const char *text);

/* Reads a file whole; null if it cannot be read.  The caller frees. */
char *fixture_read(const char *path);

#endif
