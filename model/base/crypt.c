/* crypt.c - see crypt.h.
 *
 * The second file of the libsodium seam (digest.c is the first).  Hashing,
 * verifying and decoding need no initialisation; whoever asks for secret memory
 * or random bytes starts libsodium, which is idempotent and thread-safe.  What
 * is not here: key formats, which are reconciler/trust's, and anything that
 * would choose between algorithms. */
#include "model/base/crypt.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "model/base/cleanup.h"

static_assert(TN_SHA256_SIZE == crypto_hash_sha256_BYTES, "SHA-256");
static_assert(TN_SHA512_SIZE == crypto_hash_sha512_BYTES, "SHA-512");
static_assert(TN_ED25519_SEED == crypto_sign_SEEDBYTES, "seed");
static_assert(TN_ED25519_PUBLIC == crypto_sign_PUBLICKEYBYTES, "public key");
static_assert(TN_ED25519_SIGNATURE == crypto_sign_BYTES, "signature");

/* In secret memory itself, at its start. */
struct tn_secret {
    size_t n;
    uint8_t bytes[];
};

enum { SECRET_MAX = 16 * 1024 * 1024 };

enum tn_code
tn_secret_new(size_t n, struct tn_secret **out, struct tn_error *err)
{
    if (sodium_init() < 0) {
        return tn_fail(err, TN_EINTERNAL, 0, "libsodium does not start");
    }
    if (n > SECRET_MAX) {
        return tn_fail(err, TN_EINTERNAL, 0, "a secret of %zu bytes", n);
    }
    /* libsodium puts the end of the block at a guard page and the start at no
     * particular alignment: a multiple of the size of size_t keeps 'n' where
     * it belongs. */
    size_t size = sizeof(struct tn_secret) + n + 1;
    size = (size + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1);
    struct tn_secret *s = sodium_malloc(size);
    if (!s) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "no memory for a secret");
    }
    sodium_memzero(s, size);
    s->n = n;
    *out = s;
    return TN_OK;
}

void
tn_secret_free(struct tn_secret *secret)
{
    sodium_free(secret);
}

uint8_t *
tn_secret_bytes(struct tn_secret *secret)
{
    return secret->bytes;
}

const uint8_t *
tn_secret_peek(const struct tn_secret *secret)
{
    return secret->bytes;
}

size_t
tn_secret_size(const struct tn_secret *secret)
{
    return secret->n;
}

void
tn_secret_cut(struct tn_secret *secret, size_t n)
{
    assert(n <= secret->n);
    sodium_memzero(secret->bytes + n, secret->n - n);
    secret->n = n;
}

void
tn_secret_chomp(struct tn_secret *secret)
{
    size_t n = secret->n;
    while (n &&
           (secret->bytes[n - 1] == '\n' || secret->bytes[n - 1] == '\r')) {
        n--;
    }
    tn_secret_cut(secret, n);
}

static bool
is_credential(const char *path)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    size_t n = dir ? strlen(dir) : 0;
    while (n > 1 && dir[n - 1] == '/') {
        n--;
    }
    return n && dir[0] == '/' && strncmp(path, dir, n) == 0 && path[n] == '/' &&
           path[n + 1] && !strchr(path + n + 1, '/');
}

static enum tn_code
judge_file(const char *path, const struct stat *st, size_t max,
           struct tn_error *err)
{
    bool credential = st->st_uid == 0 && is_credential(path);
    mode_t refused = credential ? 0037 : 0077;
    if (!S_ISREG(st->st_mode)) {
        return tn_fail(err, TN_EDENIED, 0, "%s is not a regular file", path);
    }
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        return tn_fail(err, TN_EDENIED, 0,
                       "%s belongs to user %u, neither root nor us", path,
                       (unsigned) st->st_uid);
    }
    if (st->st_mode & refused) {
        return tn_fail(err, TN_EDENIED, 0,
                       "%s holds a secret but its mode is %04o; make it 0600 "
                       "(chmod go= %s)",
                       path, (unsigned) st->st_mode & 07777u, path);
    }
    if (st->st_size < 0 || (uintmax_t) st->st_size > max) {
        return tn_fail(err, TN_EDENIED, 0, "%s: more than %zu bytes", path,
                       max);
    }
    return TN_OK;
}

/* Reads to the end, one byte further than allowed to see that there is none. */
static enum tn_code
read_all(int fd, const char *path, size_t max, struct tn_secret *s,
         struct tn_error *err)
{
    size_t have = 0;
    while (have <= max) {
        ssize_t got = read(fd, s->bytes + have, max + 1 - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "reading %s", path);
        }
        if (got == 0) {
            tn_secret_cut(s, have);
            return TN_OK;
        }
        have += (size_t) got;
    }
    return tn_fail(err, TN_EDENIED, 0, "%s: more than %zu bytes", path, max);
}

enum tn_code
tn_secret_read(const char *path, size_t max, struct tn_secret **out,
               struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *s = NULL;
    TN_CLEANUP(tn_cleanup_fd) int fd = -1;
    struct stat st;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        enum tn_code code =
            errno == ENOENT || errno == ENOTDIR ? TN_ENOENT
            : errno == EACCES || errno == EPERM || errno == ELOOP
                ? TN_EDENIED
                : TN_EINTERNAL;
        return tn_fail_sys(err, code, errno, "cannot read %s", path);
    }
    enum tn_code code = judge_file(path, &st, max, err);
    if (!code) {
        max = (size_t) st.st_size; /* Not more than it had when judged. */
        code = tn_secret_new(max + 1, &s, err);
    }
    if (!code && s) {
        code = read_all(fd, path, max, s, err);
    }
    if (!code) {
        *out = TN_TAKE(s);
    }
    return code;
}

void
tn_sha256(const void *bytes, size_t n, uint8_t out[TN_SHA256_SIZE])
{
    crypto_hash_sha256(out, bytes, n);
}

void
tn_sha512(const void *bytes, size_t n, uint8_t out[TN_SHA512_SIZE])
{
    crypto_hash_sha512(out, bytes, n);
}

void
tn_hmac_sha256(const void *key, size_t n_key, const void *bytes, size_t n,
               uint8_t out[TN_SHA256_SIZE])
{
    crypto_auth_hmacsha256_state st;
    crypto_auth_hmacsha256_init(&st, key, n_key);
    crypto_auth_hmacsha256_update(&st, bytes, n);
    crypto_auth_hmacsha256_final(&st, out);
    sodium_memzero(&st, sizeof st);
}

bool
tn_equal_secret(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

bool
tn_ed25519_verify(const uint8_t signature[TN_ED25519_SIGNATURE],
                  const void *bytes, size_t n,
                  const uint8_t key[TN_ED25519_PUBLIC])
{
    return crypto_sign_verify_detached(signature, bytes, n, key) == 0;
}

enum tn_code
tn_ed25519_sign(const uint8_t seed[TN_ED25519_SEED], const void *bytes,
                size_t n, uint8_t signature[TN_ED25519_SIGNATURE],
                uint8_t key[TN_ED25519_PUBLIC], struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *whole = NULL;
    uint8_t public_key[TN_ED25519_PUBLIC];
    enum tn_code code = tn_secret_new(crypto_sign_SECRETKEYBYTES, &whole, err);
    if (code || !whole) {
        return code;
    }
    crypto_sign_seed_keypair(public_key, whole->bytes, seed);
    if (signature) {
        crypto_sign_detached(signature, NULL, bytes, n, whole->bytes);
    }
    if (key) {
        memcpy(key, public_key, sizeof public_key);
    }
    return TN_OK;
}

void
tn_random(void *out, size_t n)
{
    if (sodium_init() < 0) {
        abort(); /* No source of random bytes: nothing may go on. */
    }
    randombytes_buf(out, n);
}

void
tn_base64_add(struct tn_text *out, const void *bytes, size_t n, bool padded)
{
    enum { STEP = 3 * 1024 };
    int variant = padded ? sodium_base64_VARIANT_ORIGINAL
                         : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    const uint8_t *p = bytes;
    char buf[sodium_base64_ENCODED_LEN(STEP, sodium_base64_VARIANT_ORIGINAL)];
    while (n) {
        size_t part = n < STEP ? n : STEP;
        tn_text_add(out, sodium_bin2base64(buf, sizeof buf, p, part, variant));
        p += part;
        n -= part;
    }
    sodium_memzero(buf, sizeof buf);
}

/* libsodium skips NULs along with what it is told to ignore, and takes some
 * bytes above 127 for letters. */
static bool
is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char) text[i];
        if (c == 0 || c > 127) {
            return false;
        }
    }
    return true;
}

bool
tn_base64_decode(const char *text, size_t n, bool lines, uint8_t *out,
                 size_t *n_out)
{
    size_t done = 0;
    const char *end = NULL;
    if (n == 0) {
        *n_out = 0;
        return true;
    }
    if (!is_plain(text, n) ||
        sodium_base642bin(out, *n_out, text, n, lines ? "\n" : NULL, &done,
                          &end, sodium_base64_VARIANT_ORIGINAL) ||
        end != text + n) {
        return false;
    }
    *n_out = done;
    return true;
}

void
tn_wipe(void *bytes, size_t n)
{
    sodium_memzero(bytes, n);
}
