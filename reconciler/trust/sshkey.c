/* sshkey.c - see sshkey.h.
 *
 *     "openssh-key-v1\0" string(cipher) string(kdf) string(kdf options)
 *     u32(1) string(public key) string(private section)
 * and in the private section, which without a passphrase is plain:
 *     u32(check) u32(check) string("ssh-ed25519") string(public)
 *     string(seed, public) string(comment) 1 2 3 ... up to a multiple of 8
 * Everything decoded stays in secret memory; errors say what is wrong with the
 * form and never quote a byte. */
#include "reconciler/trust/sshkey.h"

#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/trust/sshsig.h"
#include "reconciler/trust/wire.h"

static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
static const char end[] = "-----END OPENSSH PRIVATE KEY-----\n";
static const char magic[] = "openssh-key-v1"; /* With its NUL. */

enum { BLOCK = 8 };

static enum tn_code
damaged(struct tn_error *err)
{
    return tn_fail(err, TN_EINTENT, 0, "the OpenSSH private key is damaged");
}

static enum tn_code
unarmor(const struct tn_secret *file, struct tn_secret **out,
        struct tn_error *err)
{
    const char *s = (const char *) tn_secret_peek(file);
    size_t n = tn_secret_size(file);
    size_t n_begin = sizeof begin - 1, n_end = sizeof end - 1;
    if (n < n_begin + n_end || memcmp(s, begin, n_begin) != 0 ||
        memcmp(s + n - n_end, end, n_end) != 0) {
        return tn_fail(err, TN_EINTENT, 0,
                       "not an OpenSSH private key (ssh-keygen -t ed25519 -N "
                       "'' makes one)");
    }
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *blob = NULL;
    enum tn_code code = tn_secret_new(n, &blob, err);
    if (code) {
        return code;
    }
    size_t size = n;
    if (!tn_base64_decode(s + n_begin, n - n_begin - n_end, true,
                          tn_secret_bytes(blob), &size)) {
        return damaged(err);
    }
    tn_secret_cut(blob, size);
    *out = TN_TAKE(blob);
    return TN_OK;
}

static bool
padding_ok(const struct tn_wire *w)
{
    size_t n = (size_t) (w->end - w->p);
    for (size_t i = 0; i < n; i++) {
        if (w->p[i] != i + 1) {
            return false;
        }
    }
    return !w->bad && n < BLOCK;
}

static enum tn_code
take_private(struct tn_slice section, const struct tn_sshkey *key,
             struct tn_secret **seed, struct tn_error *err)
{
    struct tn_wire w = tn_wire_of(section.p, section.n);
    uint32_t check = tn_wire_u32(&w), again = tn_wire_u32(&w);
    struct tn_slice type = tn_wire_string(&w);
    struct tn_slice public_key = tn_wire_string(&w);
    struct tn_slice private_key = tn_wire_string(&w);
    tn_wire_string(&w); /* The comment. */
    if (check != again || section.n % BLOCK || !padding_ok(&w) ||
        !tn_slice_is(type, key->type) || public_key.n != TN_ED25519_PUBLIC ||
        private_key.n != TN_ED25519_SEED + TN_ED25519_PUBLIC ||
        memcmp(public_key.p, key->key, public_key.n) != 0) {
        return damaged(err);
    }
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *s = NULL;
    uint8_t derived[TN_ED25519_PUBLIC];
    enum tn_code code = tn_secret_new(TN_ED25519_SEED, &s, err);
    if (!code) {
        memcpy(tn_secret_bytes(s), private_key.p, TN_ED25519_SEED);
        code = tn_ed25519_sign(tn_secret_peek(s), "", 0, NULL, derived, err);
    }
    if (code) {
        return code;
    }
    if (memcmp(derived, key->key, sizeof derived) != 0 ||
        memcmp(derived, private_key.p + TN_ED25519_SEED, sizeof derived) != 0) {
        return damaged(err);
    }
    *seed = TN_TAKE(s);
    return TN_OK;
}

enum tn_code
tn_sshkey_file_parse(const struct tn_secret *file, struct tn_secret **seed,
                     uint8_t key[TN_ED25519_PUBLIC], struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *blob = NULL;
    enum tn_code code = unarmor(file, &blob, err);
    if (code) {
        return code;
    }
    struct tn_wire w = tn_wire_of(tn_secret_peek(blob), tn_secret_size(blob));
    struct tn_slice head = tn_wire_take(&w, sizeof magic);
    struct tn_slice cipher = tn_wire_string(&w), kdf = tn_wire_string(&w);
    struct tn_slice options = tn_wire_string(&w);
    uint32_t n_keys = tn_wire_u32(&w);
    struct tn_slice public_key = tn_wire_string(&w);
    struct tn_slice section = tn_wire_string(&w);
    struct tn_sshkey parsed;
    if (!tn_wire_end(&w) || head.n != sizeof magic ||
        memcmp(head.p, magic, sizeof magic) != 0 || n_keys != 1 ||
        !tn_sshkey_parse(public_key, &parsed)) {
        return damaged(err);
    }
    if (!tn_slice_is(cipher, "none") || !tn_slice_is(kdf, "none") ||
        options.n) {
        return tn_fail(err, TN_EUNSUPPORTED, 0,
                       "the private key has a passphrase, which nobody is "
                       "there to type; use one without (ssh-keygen -p)");
    }
    if (!parsed.ed25519) {
        return tn_fail(err, TN_EUNSUPPORTED, 0,
                       "unsupported key type %s: only ssh-ed25519 is accepted",
                       parsed.type);
    }
    code = take_private(section, &parsed, seed, err);
    if (!code) {
        memcpy(key, parsed.key, TN_ED25519_PUBLIC);
    }
    return code;
}
