/* sandbox.h - a directory of its own for a test, and git to make things in it.
 *
 * For tests only.  Commands run by the shell in the directory, with an
 * identity, fixed dates and no configuration of this machine. */
#ifndef TN_SOURCE_SANDBOX_H
#define TN_SOURCE_SANDBOX_H

#include "model/base/attr.h"

struct tn_sandbox {
    char dir[64];
};

/* Starts libgit2, makes the directory and lets HOME point there. */
void tn_sandbox_init(struct tn_sandbox *box);
void tn_sandbox_done(struct tn_sandbox *box);

/* Runs a command; the test ends if it fails. */
void tn_sandbox_sh(const struct tn_sandbox *box, const char *fmt, ...)
    TN_PRINTF(2, 3);
/* The exit status of a command. */
int tn_sandbox_try(const struct tn_sandbox *box, const char *fmt, ...)
    TN_PRINTF(2, 3);
/* What a command prints, without the last newline: malloc'ed. */
char *tn_sandbox_out(const struct tn_sandbox *box, const char *fmt, ...)
    TN_PRINTF(2, 3);

#endif
