/* seal.c - see seal.h.  In the box: the purpose, a line end, the secret.
 *
 * The third file of the libsodium seam.  Who has which key is the operator's
 * business: nothing here looks for files. */
#include "model/base/seal.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#include "model/base/cleanup.h"

static const char sealed_prefix[] = "tenet-sealed:";
static const char public_prefix[] = "tenet-seal-public:";
static const char key_prefix[] = "tenet-seal-key:";

enum {
    KEY = crypto_box_SECRETKEYBYTES,
    BOX_MAX = crypto_box_SEALBYTES + TN_SEAL_MAX + 1 + TN_SEAL_MAX,
};

static_assert(crypto_box_PUBLICKEYBYTES == KEY, "keys are of one size");

/* What stands after the prefix, decoded; false: it is not that. */
static bool
decode(const char *text, const char *prefix, uint8_t *out, size_t *n)
{
    size_t skip = strlen(prefix);
    if (strncmp(text, prefix, skip) != 0) {
        return false;
    }
    text += skip;
    return tn_base64_decode(text, strcspn(text, "\r\n"), false, out, n) &&
           text[strcspn(text, "\r\n") +
                strspn(text + strcspn(text, "\r\n"), "\r\n")] == '\0';
}

enum tn_code
tn_seal_keys_new(struct tn_secret **key, struct tn_text *public_key,
                 struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *raw = NULL;
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *text = NULL;
    uint8_t open[KEY];
    enum {
        ENCODED = sodium_base64_ENCODED_LEN(KEY, sodium_base64_VARIANT_ORIGINAL)
    };
    size_t n = sizeof key_prefix - 1;
    enum tn_code code = tn_secret_new(KEY, &raw, err);
    if (!code) {
        code = tn_secret_new(n + ENCODED, &text, err);
    }
    if (code || !raw || !text) {
        return code;
    }
    crypto_box_keypair(open, tn_secret_bytes(raw));
    char *at = (char *) tn_secret_bytes(text);
    memcpy(at, key_prefix, n);
    sodium_bin2base64(at + n, ENCODED, tn_secret_peek(raw), KEY,
                      sodium_base64_VARIANT_ORIGINAL);
    at[n + ENCODED - 1] = '\n';
    tn_text_add(public_key, public_prefix);
    tn_base64_add(public_key, open, sizeof open, true);
    tn_text_add(public_key, "\n");
    *key = TN_TAKE(text);
    return TN_OK;
}

static bool
is_purpose(const char *purpose)
{
    size_t n = strlen(purpose);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char) purpose[i] < 0x20 || purpose[i] == 0x7f) {
            return false;
        }
    }
    return n > 0 && n <= TN_SEAL_MAX;
}

enum tn_code
tn_seal(const char *public_key, const char *purpose, const void *secret,
        size_t n, struct tn_text *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *plain = NULL;
    uint8_t open[KEY], box[BOX_MAX];
    size_t n_open = sizeof open, n_purpose = strlen(purpose);
    if (!decode(public_key, public_prefix, open, &n_open) || n_open != KEY) {
        return tn_fail(err, TN_EINTENT, 0,
                       "this is no public key: it would "
                       "begin with \"%s\"",
                       public_prefix);
    }
    if (!is_purpose(purpose)) {
        return tn_fail(err, TN_EINTENT, 0,
                       "what a secret is for is 1 to %d bytes on one line",
                       TN_SEAL_MAX);
    }
    if (n == 0 || n > TN_SEAL_MAX) {
        return tn_fail(err, TN_EINTENT, 0, "a secret has 1 to %d bytes",
                       TN_SEAL_MAX);
    }
    enum tn_code code = tn_secret_new(n_purpose + 1 + n, &plain, err);
    if (code || !plain) {
        return code;
    }
    uint8_t *at = tn_secret_bytes(plain);
    memcpy(at, purpose, n_purpose);
    at[n_purpose] = '\n';
    memcpy(at + n_purpose + 1, secret, n);
    if (crypto_box_seal(box, at, tn_secret_size(plain), open)) {
        return tn_fail(err, TN_EINTENT, 0,
                       "nothing can be sealed with that "
                       "public key");
    }
    tn_text_add(out, sealed_prefix);
    tn_base64_add(out, box, crypto_box_SEALBYTES + tn_secret_size(plain), true);
    return TN_OK;
}

bool
tn_seal_is(const char *sealed)
{
    uint8_t box[BOX_MAX];
    size_t n = sizeof box;
    return decode(sealed, sealed_prefix, box, &n) &&
           n > crypto_box_SEALBYTES + 1 &&
           sealed[strcspn(sealed, "\r\n")] == '\0';
}

/* The secret of an open box, if it is for that. */
static enum tn_code
take(const struct tn_secret *plain, const char *purpose, struct tn_secret **out,
     struct tn_error *err)
{
    const uint8_t *at = tn_secret_peek(plain);
    size_t n = tn_secret_size(plain), n_purpose = strlen(purpose);
    if (n <= n_purpose + 1 || memcmp(at, purpose, n_purpose) != 0 ||
        at[n_purpose] != '\n') {
        const uint8_t *end = memchr(at, '\n', n);
        return tn_fail(err, TN_EDENIED, 0,
                       "the secret was sealed for \"%.*s\", not for \"%s\"",
                       end ? (int) (end - at) : 0, (const char *) at, purpose);
    }
    enum tn_code code = tn_secret_new(n - n_purpose - 1, out, err);
    if (!code) {
        memcpy(tn_secret_bytes(*out), at + n_purpose + 1, n - n_purpose - 1);
    }
    return code;
}

enum tn_code
tn_seal_open(const char *sealed, const struct tn_secret *key,
             const char *purpose, struct tn_secret **out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *raw = NULL;
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *plain = NULL;
    uint8_t box[BOX_MAX], open[KEY];
    size_t n = sizeof box, n_raw = KEY;
    enum tn_code code = tn_secret_new(KEY, &raw, err);
    if (code || !raw) {
        return code;
    }
    if (!decode((const char *) tn_secret_peek(key), key_prefix,
                tn_secret_bytes(raw), &n_raw) ||
        n_raw != KEY) {
        return tn_fail(err, TN_EDENIED, 0,
                       "the file of the key to open sealed secrets is none: it "
                       "would begin with \"%s\"",
                       key_prefix);
    }
    if (!decode(sealed, sealed_prefix, box, &n) || n <= crypto_box_SEALBYTES) {
        return tn_fail(err, TN_EDENIED, 0, "this is no sealed secret");
    }
    code = tn_secret_new(n - crypto_box_SEALBYTES, &plain, err);
    if (code || !plain) {
        return code;
    }
    crypto_scalarmult_base(open, tn_secret_peek(raw));
    if (crypto_box_seal_open(tn_secret_bytes(plain), box, n, open,
                             tn_secret_peek(raw))) {
        return tn_fail(err, TN_EDENIED, 0,
                       "the sealed secret is for another key, or was changed");
    }
    return take(plain, purpose, out, err);
}
