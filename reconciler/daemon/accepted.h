/* accepted.h - the commit that is followed, written down for the next start.
 *
 *     <commit>
 *     <since> <good> <tenant>      a line a tenant with broken documents
 *
 * Commit and tenants are one file, so that after a crash they belong together.
 * '-' is a good commit that is not known. */
#ifndef TN_DAEMON_ACCEPTED_H
#define TN_DAEMON_ACCEPTED_H

#include "reconciler/apply/keep.h"

struct tn_accepted {
    char commit[65]; /* "": none. */
    struct tn_kept *kept;
    size_t n_kept;
};

/* New in 'arena'.  What cannot be read is not there; lines that make no sense
 * are left out. */
void tn_accepted_load(const char *path, struct tn_arena *arena,
                      struct tn_accepted *out);
enum tn_code tn_accepted_save(const char *path, const char *commit,
                              const struct tn_kept *kept, size_t n,
                              struct tn_error *err) TN_MUST_USE;

#endif
