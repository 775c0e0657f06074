/* trust.h - may this commit be applied?
 *
 * Between the last trusted commit and the new one, every commit must carry an
 * SSH signature of an allowed signer whose path scopes cover all that the
 * commit changes.  docs/trust.md is the contract for operators; in short:
 *
 * - Judged are all commits that can be reached from the new one and not from
 *   the trusted one, side branches included, parents before children.
 * - Who may sign a commit is decided by its parents, never by itself; a parent
 *   that is older than the trusted commit counts as the trusted commit, so that
 *   a key that was taken away cannot come back on an old branch.
 * - A merge needs a scope for what it decides itself, and none for what it only
 *   takes from the one side that changed it.
 * - A commit is as old as it says, but not older than its parents; one from the
 *   future (five minutes are forgiven) is refused.
 * - Signatures of tags do not count.
 *
 * No I/O but reading the repository and the one file that is named in the
 * options; nothing is cached between calls. */
#ifndef TN_TRUST_TRUST_H
#define TN_TRUST_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

enum tn_trust_reason {
    TN_TRUST_FINE,
    TN_TRUST_UNSIGNED,
    TN_TRUST_BAD_SIGNATURE,   /* Malformed, forged, or of other bytes. */
    TN_TRUST_UNKNOWN_SIGNER,  /* A key that nobody allowed for Git. */
    TN_TRUST_OUT_OF_SCOPE,    /* 'path' is not the signer's to change. */
    TN_TRUST_EXPIRED,         /* Before valid-after or after valid-before. */
    TN_TRUST_FROM_FUTURE,     /* Its time has not come; later it may pass. */
    TN_TRUST_UNSUPPORTED_KEY, /* RSA, ECDSA, FIDO, GPG, X.509: no Ed25519. */
    TN_TRUST_NOT_DESCENDANT,  /* The history does not go through the trusted
                                 commit: a force-push.  To accept it, an
                                 operator names a new root of trust. */
    TN_TRUST_BAD_SIGNERS,     /* Nobody can say who may sign: the signers in
                                 force cannot be read. */
    TN_TRUST_NO_ROOT,         /* The first contact, and signers are wanted, but
                                 nothing outside the repository vouches. */
    TN_TRUST_BAD_COMMIT,      /* The object is not as Git writes commits. */
    TN_TRUST_TOO_MANY,        /* More to judge than the limits allow. */
};

/* "Fine", "Unsigned", "BadSignature", ...: one CamelCase word, for conditions
 * and metrics. */
const char *tn_trust_reason_name(enum tn_trust_reason reason);

struct tn_trust_options {
    /* Root of trust for the first contact (full id, hexadecimal): it is taken
     * as trusted without being judged.  Null: none. */
    const char *root;
    /* An allowed_signers file outside the repository, read at each call; it
     * replaces the one of the repository and makes signatures mandatory.  Path
     * scopes still come from the trusted commits.  Null: none. */
    const char *signers_file;
    int64_t now;      /* Seconds since 1970 UTC; 0: the clock. */
    size_t n_commits; /* At most so many are judged; 0: 10,000. */
};

struct tn_trust_verdict {
    bool trusted;  /* The new commit may be applied. */
    bool enforced; /* Signatures were asked for, of at least one commit.  A
                      verdict that is trusted and not enforced says nothing. */
    enum tn_trust_reason reason; /* Of the first offender. */
    const char *message;         /* One sentence for people, safe to print;
                                    empty if trusted. */
    char commit[65];    /* The first offending commit; empty if none. */
    const char *path;   /* Out of scope; null otherwise. */
    const char *signer; /* First principal of the signer, or the fingerprint of
                           a key that is not known; null: neither. */
    char good[65];      /* The new commit, or the last one on its first-parent
                           line up to which (with all that was merged) all is
                           fine and which descends from the trusted one; the
                           trusted one at worst.  Empty at a failed first
                           contact. */
    size_t n_judged;    /* Commits found fine. */
    const char *note;   /* Something an operator should know though it is no
                           offence: signers that could not be read and were
                           passed over for older ones.  Null: nothing. */
};

/* Judges 'commit' (full id, hexadecimal) of the repository that 'path' is in.
 * 'trusted' is the last trusted commit, null at the first contact: then
 *   - options->root, if given, is the last trusted commit;
 *   - else, with options->signers_file, the new commit itself must be signed by
 *     a signer in it who has no path scope; this vouches for its history;
 *   - else, if its tenet.yml has no 'signers', it is trusted and not enforced;
 *   - else TN_TRUST_NO_ROOT.
 * '*out' is set if TN_OK is returned: a refusal is a verdict and no error.
 * Texts are new in 'arena'.  TN_ENOENT if there is no such repository or
 * commit; TN_EINTENT if the file of the options is malformed, with its line
 * (the path is borrowed from the options); TN_EDENIED if others than root and
 * the running user may write that file; TN_EUNAVAILABLE if history is missing,
 * as in a shallow clone; else an error of reading. */
enum tn_code
tn_trust_check(const char *path, const char *trusted, const char *commit,
               const struct tn_trust_options *options, struct tn_arena *arena,
               struct tn_trust_verdict *out, struct tn_error *err) TN_MUST_USE;

#endif
