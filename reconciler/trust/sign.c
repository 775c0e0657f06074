/* sign.c - see sign.h.  The key is read once; signing touches no file. */
#include "reconciler/trust/sign.h"

#include <stdlib.h>

#include "model/base/cleanup.h"
#include "model/base/crypt.h"
#include "reconciler/trust/sshkey.h"
#include "reconciler/trust/sshsig.h"

struct tn_signer {
    struct tn_secret *seed;
    char *public_key;
    char fingerprint[TN_FINGERPRINT];
};

static void
describe(struct tn_signer *s, const uint8_t key[TN_ED25519_PUBLIC])
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text wire = {0}, line = {0};
    struct tn_sshkey parsed = {0};
    tn_sshkey_add(&wire, key);
    tn_text_add(&line, "ssh-ed25519 ");
    tn_base64_add(&line, wire.s, wire.n, true);
    s->public_key = tn_text_take(&line);
    tn_sha256(wire.s, wire.n, parsed.hash);
    tn_sshkey_fingerprint(&parsed, s->fingerprint);
}

enum tn_code
tn_signer_open(const char *path, struct tn_signer **out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *file = NULL;
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *seed = NULL;
    uint8_t key[TN_ED25519_PUBLIC];
    enum tn_code code = tn_secret_read(path, TN_SSHKEY_FILE_MAX, &file, err);
    if (!code) {
        code = tn_sshkey_file_parse(file, &seed, key, err);
    }
    if (code) {
        return tn_while(err, code, "signing key %s", path);
    }
    struct tn_signer *s = calloc(1, sizeof *s);
    if (!s) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    s->seed = TN_TAKE(seed);
    describe(s, key);
    *out = s;
    return TN_OK;
}

void
tn_signer_close(struct tn_signer *signer)
{
    if (signer) {
        tn_secret_free(signer->seed);
        free(signer->public_key);
        free(signer);
    }
}

enum tn_code
tn_signer_sign(void *signer, const char *text, size_t n, char **armored,
               struct tn_error *err)
{
    const struct tn_signer *s = signer;
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    enum tn_code code =
        tn_sshsig_make(tn_secret_peek(s->seed), text, n, &out, err);
    if (!code) {
        *armored = tn_text_take(&out);
    }
    return code;
}

const char *
tn_signer_public(const struct tn_signer *signer)
{
    return signer->public_key;
}

const char *
tn_signer_fingerprint(const struct tn_signer *signer)
{
    return signer->fingerprint;
}
