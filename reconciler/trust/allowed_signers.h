/* allowed_signers.h - who may sign: OpenSSH's file of that name, as in
 * ssh-keygen(1), ALLOWED SIGNERS.
 *
 *     # comment
 *     ada@example.com ssh-ed25519 AAAAC3Nza... any words
 *     bob,ops namespaces="git",valid-before="20270101Z" ssh-ed25519 AAAA...
 *
 * A file is taken whole or not at all: one line that cannot be understood makes
 * it an error, with the line, and no line is ever passed over in silence.
 * Stricter than ssh-keygen: a key may stand in one line only, certificate
 * authorities are refused, and so are negated principals ('!').  Principals are
 * names: '*' and '?' in them match nothing but themselves, because the e-mail
 * address of a commit, which they would be matched with, proves nothing. */
#ifndef TN_TRUST_ALLOWED_SIGNERS_H
#define TN_TRUST_ALLOWED_SIGNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "reconciler/trust/sshsig.h"

enum {
    TN_SIGNERS_BYTES = 1024 * 1024,
    TN_SIGNERS_LINE = 16 * 1024,
    TN_SIGNERS_MAX = 4096,
};

struct tn_allowed_signer {
    const char *const *principals; /* At least one, none twice in a line. */
    size_t n_principals;
    struct tn_sshkey key;
    bool git;                          /* Allowed for the namespace "git". */
    int64_t valid_after, valid_before; /* Seconds since 1970; 0: no limit. */
    uint32_t line;
};

struct tn_allowed_signers {
    const struct tn_allowed_signer *items; /* In the order of the file. */
    size_t n;
};

/* Reads a file's text; '*out' is new in 'arena'.  TN_EINTENT with 'path' and
 * line for what is not as above.  Times without 'Z' are local, as ssh-keygen
 * has it. */
enum tn_code tn_allowed_signers_parse(struct tn_arena *arena, const char *path,
                                      const char *text, size_t n,
                                      struct tn_allowed_signers *out,
                                      struct tn_error *err) TN_MUST_USE;

/* The line with this key; null if there is none. */
const struct tn_allowed_signer *
tn_allowed_signer_find(const struct tn_allowed_signers *signers,
                       const struct tn_sshkey *key);

#endif
