/* sshsig.c - see sshsig.h.
 *
 * A signature covers not the bytes but a frame around their hash, which binds
 * namespace and algorithm:
 *     "SSHSIG" string(namespace) string(reserved) string(hash) string(H(bytes))
 * A signature of a file, of an e-mail or of an ssh login is therefore never
 * one of a commit. */
#include "reconciler/trust/sshsig.h"

#include <string.h>

#include "model/base/cleanup.h"

static const char begin[] = "-----BEGIN SSH SIGNATURE-----\n";
static const char end[] = "-----END SSH SIGNATURE-----";
static const char magic[] = "SSHSIG";
static const char ed25519[] = "ssh-ed25519";
static const char namespace[] = "git";

enum { VERSION = 1, ARMOR_COLUMNS = 70, BLOB_MAX = 12 * 1024 };

static const char *const hash_names[] = {
    [TN_SSHSIG_SHA256] = "sha256",
    [TN_SSHSIG_SHA512] = "sha512",
};

static bool
type_copy(struct tn_slice name, char out[TN_SSHKEY_TYPE])
{
    if (name.n == 0 || name.n >= TN_SSHKEY_TYPE) {
        return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] <= ' ' || name.p[i] > '~') {
            return false;
        }
    }
    memcpy(out, name.p, name.n);
    out[name.n] = '\0';
    return true;
}

bool
tn_sshkey_parse(struct tn_slice wire, struct tn_sshkey *out)
{
    struct tn_wire w = tn_wire_of(wire.p, wire.n);
    struct tn_sshkey k = {0};
    if (!type_copy(tn_wire_string(&w), k.type)) {
        return false;
    }
    if (strcmp(k.type, ed25519) == 0) {
        struct tn_slice key = tn_wire_string(&w);
        if (!tn_wire_end(&w) || key.n != sizeof k.key) {
            return false;
        }
        memcpy(k.key, key.p, sizeof k.key);
        k.ed25519 = true;
    }
    tn_sha256(wire.p, wire.n, k.hash);
    *out = k;
    return true;
}

bool
tn_sshkey_eq(const struct tn_sshkey *a, const struct tn_sshkey *b)
{
    return memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

const char *
tn_sshkey_fingerprint(const struct tn_sshkey *key, char buf[TN_FINGERPRINT])
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_add(&t, "SHA256:");
    tn_base64_add(&t, key->hash, sizeof key->hash, false);
    snprintf(buf, TN_FINGERPRINT, "%s", tn_text_str(&t));
    return buf;
}

void
tn_sshkey_add(struct tn_text *out, const uint8_t key[TN_ED25519_PUBLIC])
{
    tn_wire_add_str(out, ed25519);
    tn_wire_add(out, key, TN_ED25519_PUBLIC);
}

/* The base64 between the two lines: whole lines of 70, and a last one that is
 * not longer. */
static bool
armor_body(const char *s, size_t n, struct tn_slice *body)
{
    size_t n_begin = sizeof begin - 1, n_end = sizeof end - 1;
    if (n && s[n - 1] == '\n') {
        n--;
    }
    if (n < n_begin + n_end + 1 || memcmp(s, begin, n_begin) != 0 ||
        memcmp(s + n - n_end, end, n_end) != 0 || s[n - n_end - 1] != '\n') {
        return false;
    }
    const char *p = s + n_begin, *stop = s + n - n_end;
    *body = (struct tn_slice){(const uint8_t *) p, (size_t) (stop - p)};
    while (p < stop) {
        const char *nl = memchr(p, '\n', (size_t) (stop - p));
        size_t len = nl ? (size_t) (nl - p) : 0;
        if (len == 0 || len > ARMOR_COLUMNS ||
            (len < ARMOR_COLUMNS && nl + 1 != stop)) {
            return false;
        }
        p = nl + 1;
    }
    return body->n > 0;
}

static bool
hash_find(struct tn_slice name, enum tn_sshsig_hash *out)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(hash_names); i++) {
        if (tn_slice_is(name, hash_names[i])) {
            *out = (enum tn_sshsig_hash) i;
            return true;
        }
    }
    return false;
}

static enum tn_code
malformed(struct tn_error *err, const char *what)
{
    return tn_fail(err, TN_EINTENT, 0, "malformed SSH signature: %s", what);
}

static enum tn_code
take_signature(struct tn_slice blob, struct tn_sshsig *sig,
               struct tn_error *err)
{
    struct tn_wire w = tn_wire_of(blob.p, blob.n);
    struct tn_slice type = tn_wire_string(&w);
    struct tn_slice bytes = tn_wire_string(&w);
    if (!tn_wire_end(&w) || !tn_slice_is(type, ed25519) ||
        bytes.n != sizeof sig->signature) {
        return malformed(err, "its parts do not fit together");
    }
    memcpy(sig->signature, bytes.p, sizeof sig->signature);
    return TN_OK;
}

static enum tn_code
parse_blob(struct tn_slice blob, struct tn_sshsig *sig, struct tn_error *err)
{
    struct tn_wire w = tn_wire_of(blob.p, blob.n);
    struct tn_slice head = tn_wire_take(&w, sizeof magic - 1);
    uint32_t version = tn_wire_u32(&w);
    if (w.bad || !tn_slice_is(head, magic)) {
        return malformed(err, "it does not begin with SSHSIG");
    }
    if (version != VERSION) {
        return tn_fail(err, TN_EUNSUPPORTED, 0,
                       "SSH signature of version %u: only 1 is known", version);
    }
    struct tn_slice key = tn_wire_string(&w), space = tn_wire_string(&w);
    struct tn_slice reserved = tn_wire_string(&w), hash = tn_wire_string(&w);
    struct tn_slice signature = tn_wire_string(&w);
    struct tn_sshkey parsed;
    if (!tn_wire_end(&w) || reserved.n || !tn_sshkey_parse(key, &parsed)) {
        return malformed(err, "its parts do not fit together");
    }
    if (!tn_slice_is(space, namespace)) {
        return tn_fail(err, TN_EINTENT, 0,
                       "the SSH signature was not made for Git (its namespace "
                       "is another)");
    }
    if (!parsed.ed25519) {
        sig->key = parsed;
        return tn_fail(err, TN_EUNSUPPORTED, 0,
                       "unsupported key type %s: only ssh-ed25519 is accepted",
                       parsed.type);
    }
    if (!hash_find(hash, &sig->hash)) {
        return tn_fail(err, TN_EUNSUPPORTED, 0,
                       "SSH signature with a hash that is neither sha256 nor "
                       "sha512");
    }
    enum tn_code code = take_signature(signature, sig, err);
    if (!code) {
        sig->key = parsed;
    }
    return code;
}

enum tn_code
tn_sshsig_parse(const char *armored, size_t n, struct tn_sshsig *out,
                struct tn_error *err)
{
    uint8_t blob[BLOB_MAX];
    size_t size = sizeof blob;
    struct tn_slice body;
    struct tn_sshsig sig = {0};
    if (n > TN_SSHSIG_ARMORED_MAX) {
        return malformed(err, "it is too large");
    }
    if (!armor_body(armored, n, &body)) {
        return malformed(err, "no armor as ssh-keygen writes it");
    }
    if (!tn_base64_decode((const char *) body.p, body.n, true, blob, &size)) {
        return malformed(err, "bad base64");
    }
    enum tn_code code = parse_blob((struct tn_slice){blob, size}, &sig, err);
    if (code == TN_OK || code == TN_EUNSUPPORTED) {
        *out = sig;
    }
    return code;
}

/* What is really signed. */
static void
frame(struct tn_text *out, enum tn_sshsig_hash hash, const void *bytes,
      size_t n)
{
    uint8_t digest[TN_SHA512_SIZE];
    size_t size = 0;
    switch (hash) {
    case TN_SSHSIG_SHA256:
        tn_sha256(bytes, n, digest);
        size = TN_SHA256_SIZE;
        break;
    case TN_SSHSIG_SHA512:
        tn_sha512(bytes, n, digest);
        size = TN_SHA512_SIZE;
        break;
    }
    tn_text_add(out, magic);
    tn_wire_add_str(out, namespace);
    tn_wire_add_str(out, "");
    tn_wire_add_str(out, hash_names[hash]);
    tn_wire_add(out, digest, size);
}

bool
tn_sshsig_verify(const struct tn_sshsig *sig, const void *bytes, size_t n)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    if (!sig->key.ed25519) {
        return false;
    }
    frame(&text, sig->hash, bytes, n);
    return tn_ed25519_verify(sig->signature, text.s, text.n, sig->key.key);
}

static void
add_armor(struct tn_text *out, const struct tn_text *blob)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text base64 = {0};
    tn_base64_add(&base64, blob->s, blob->n, true);
    tn_text_add(out, begin);
    for (size_t i = 0; i < base64.n; i += ARMOR_COLUMNS) {
        size_t left = base64.n - i;
        tn_text_addn(out, base64.s + i,
                     left < ARMOR_COLUMNS ? left : ARMOR_COLUMNS);
        tn_text_addc(out, '\n');
    }
    tn_text_add(out, end);
    tn_text_addc(out, '\n');
}

enum tn_code
tn_sshsig_make(const uint8_t seed[TN_ED25519_SEED], const void *bytes, size_t n,
               struct tn_text *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0}, blob = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text key = {0}, inner = {0};
    uint8_t signature[TN_ED25519_SIGNATURE], public_key[TN_ED25519_PUBLIC];
    frame(&text, TN_SSHSIG_SHA512, bytes, n);
    enum tn_code code =
        tn_ed25519_sign(seed, text.s, text.n, signature, public_key, err);
    if (code) {
        return code;
    }
    tn_sshkey_add(&key, public_key);
    tn_wire_add_str(&inner, ed25519);
    tn_wire_add(&inner, signature, sizeof signature);
    tn_text_add(&blob, magic);
    tn_wire_add_u32(&blob, VERSION);
    tn_wire_add(&blob, key.s, key.n);
    tn_wire_add_str(&blob, namespace);
    tn_wire_add_str(&blob, "");
    tn_wire_add_str(&blob, hash_names[TN_SSHSIG_SHA512]);
    tn_wire_add(&blob, inner.s, inner.n);
    add_armor(out, &blob);
    return TN_OK;
}
