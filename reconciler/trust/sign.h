/* sign.h - signs commits with the key of this instance, in Git's SSH format, so
 * that 'git verify-commit' accepts them. */
#ifndef TN_TRUST_SIGN_H
#define TN_TRUST_SIGN_H

#include <stddef.h>

#include "model/base/error.h"
#include "model/base/text.h"

struct tn_signer;

/* Reads an OpenSSH private key as 'ssh-keygen -t ed25519' writes it; '*out' is
 * new.  TN_EDENIED if the file may be read by others (tn_secret_read);
 * TN_EUNSUPPORTED if the key has a passphrase or is not Ed25519; TN_EINTENT if
 * it is no such key at all or damaged.  The private part stays in locked
 * memory. */
enum tn_code tn_signer_open(const char *path, struct tn_signer **out,
                            struct tn_error *err) TN_MUST_USE;
/* Wipes.  Accepts null. */
void tn_signer_close(struct tn_signer *signer);

/* Signs the text of a commit (the object's bytes without a signature).
 * 'signer' is a struct tn_signer: a void pointer, so that the function fits
 * callbacks of who makes commits.  '*armored' is malloc'ed, NUL-terminated, and
 * ends with a line feed; it is the value of the header 'gpgsig'.  A signer may
 * be used by several threads at once. */
enum tn_code tn_signer_sign(void *signer, const char *text, size_t n,
                            char **armored, struct tn_error *err) TN_MUST_USE;

/* "ssh-ed25519 AAAA...": the public key as a line of allowed_signers has it
 * after the principals; borrowed. */
const char *tn_signer_public(const struct tn_signer *signer);
/* "SHA256:...", as ssh-keygen -l prints it; borrowed. */
const char *tn_signer_fingerprint(const struct tn_signer *signer);

static inline void
tn_cleanup_signer(struct tn_signer **signer)
{
    tn_signer_close(*signer);
}

#endif
