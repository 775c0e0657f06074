/* state_dir.h - where an instance of tenet keeps its state.
 *
 * One state directory of a machine may serve several instances (metadata.name
 * of tenet.yml): each has a folder of its own in it, with journal, lock,
 * quarantine and what waits to be confirmed. */
#ifndef TN_STATUS_STATE_DIR_H
#define TN_STATUS_STATE_DIR_H

#include "model/base/arena.h"

/* The folder of 'instance' below 'base': new in 'arena'.  It need not exist. */
const char *tn_state_dir(struct tn_arena *arena, const char *base,
                         const char *instance) TN_RETURNS_NONNULL;

#endif
