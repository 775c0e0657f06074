/* realise.h - waiting until NSX has done what it accepted.
 *
 * A request that succeeds says that intent was stored; whether it is in effect
 * its realised state says, a while later.  Files of this folder only. */
#ifndef TN_NSX_REALISE_H
#define TN_NSX_REALISE_H

#include "drivers/nsx/chunk.h"
#include "drivers/nsx/device.h"

/* Awaits those of 'intents' that were written and are of kinds with
 * TN_NSX_REALISED, for as long as the session's settings say.  Sets outcomes of
 * their steps to TN_STEP_WAITING where that was not enough ('late' says for the
 * first one why), and '*failed' with an error where NSX says that it cannot. */
enum tn_code tn_nsx_realise(struct tn_session *s,
                            const struct tn_nsx_intent *intents, size_t n,
                            enum tn_outcome *outcomes, size_t *failed,
                            struct tn_error *late,
                            struct tn_error *err) TN_MUST_USE;

#endif
