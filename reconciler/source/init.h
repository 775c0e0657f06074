/* init.h - a first commit, for 'tenet init --commit'. */
#ifndef TN_SOURCE_INIT_H
#define TN_SOURCE_INIT_H

#include "reconciler/source/source.h"

/* Makes 'dir' a repository unless it is one, with the branch 'main', and
 * commits all files of it that are not ignored as its first commit.  TN_ESTALE
 * if there is a commit already, TN_ENOENT if Git does not know who the user
 * is. */
enum tn_code tn_source_init(const char *dir, const char *message,
                            struct tn_commit *out,
                            struct tn_error *err) TN_MUST_USE;

#endif
