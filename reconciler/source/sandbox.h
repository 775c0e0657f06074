/* sandbox.h - a directory of its own for a test, and git to make things in it.
 *
 * For tests only.  Commands run by the shell in the directory, with an
 * identity, fixed dates and no configuration of this machine. */
#ifndef TN_SOURCE_SANDBOX_H
#define TN_SOURCE_SANDBOX_H

#include "model/base/attr.h"

struct sandbox {
    char dir[64];
};

/* Starts libgit2, makes the directory and lets HOME point there. */
void sandbox_init(struct sandbox *box);
void sandbox_done(struct sandbox *box);

/* Runs a command; the test ends if it fails. */
void sandbox_sh(const struct sandbox *box, const char *fmt, ...)
    TN_PRINTF(2, 3);
/* The exit status of a command. */
int sandbox_try(const struct sandbox *box, const char *fmt, ...)
    TN_PRINTF(2, 3);
/* What a command prints, without the last newline: malloc'ed. */
char *sandbox_out(const struct sandbox *box, const char *fmt, ...)
    TN_PRINTF(2, 3);

#endif
