/* freeze.h - times in which drift is healed and new intent waits. */
#ifndef TN_POLICY_FREEZE_H
#define TN_POLICY_FREEZE_H

#include <stdint.h>

#include "model/kinds/kinds.h"

/* The freeze of tenet.yml that holds at 'now', null if none does. */
const struct tn_freeze *tn_freeze_now(const struct tn_settings *settings,
                                      int64_t now);

#endif
