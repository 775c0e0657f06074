/* commit_text.h - a commit object's bytes, read strictly: what is signed and
 * what is used must be the same thing. */
#ifndef TN_TRUST_COMMIT_TEXT_H
#define TN_TRUST_COMMIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/source.h"

enum { TN_COMMIT_PARENTS = 64, TN_COMMIT_BYTES = 1024 * 1024 };

struct tn_commit_text {
    struct tn_oid tree;
    const struct tn_oid *parents;
    size_t n_parents;
    int64_t time; /* Of the committer. */
    /* Value of the header 'gpgsig', lines joined by line feeds; null: none. */
    const char *signature;
    size_t n_signature;
    /* The object without that header: what the signature covers. */
    const char *signed_text;
    size_t n_signed_text;
};

/* Reads an object of a repository with SHA-1 ids; all is new in 'arena'.  The
 * headers must come as Git writes them: tree, parents, author, committer, then
 * others, of which 'gpgsig' may stand once.  Anything else, a NUL byte, an
 * object of more than TN_COMMIT_BYTES or a commit with more than
 * TN_COMMIT_PARENTS parents is TN_EINTENT, with the reason. */
enum tn_code tn_commit_text_parse(struct tn_arena *arena, const char *bytes,
                                  size_t n, struct tn_commit_text *out,
                                  struct tn_error *err) TN_MUST_USE;

#endif
