/* reload.h - new settings for a daemon that runs.
 *
 * A reload starts the loop anew in the same process.  Before the old one ends,
 * all that the new one will open is opened once and closed again, so that a
 * file with mistakes, a port that is taken or a key that is missing changes
 * nothing. */
#ifndef TN_DAEMON_RELOAD_H
#define TN_DAEMON_RELOAD_H

#include "reconciler/daemon/loop.h"

/* Settings and the arena that they are in. */
struct tn_held_settings {
    struct tn_arena *arena;
    const struct tn_daemon *config;
};
void tn_held_settings_free(struct tn_held_settings *held);

/* Reads the settings; what is wrong with them is printed to standard error as
 * well. */
enum tn_code tn_settings_load(const struct tn_daemon_options *options,
                              struct tn_held_settings *out,
                              struct tn_error *err) TN_MUST_USE;

/* Could a loop be started with these settings in the place of 'loop'?  What
 * that one holds itself (its port, its socket) is no obstacle. */
enum tn_code tn_reload_check(const struct tn_loop *loop,
                             const struct tn_daemon *next,
                             struct tn_error *err) TN_MUST_USE;

#endif
