/* crypt_test.c - published test vectors, and the rules for secret files. */
#include "model/base/crypt.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/cleanup.h"

static void
unhex(const char *hex, uint8_t *out)
{
    for (size_t i = 0; hex[2 * i]; i++) {
        unsigned byte = 0;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t) byte;
    }
}

static void
is_hex(const uint8_t *bytes, size_t n, const char *hex)
{
    uint8_t want[128];
    cr_assert_eq(strlen(hex), 2 * n);
    unhex(hex, want);
    cr_assert_arr_eq(bytes, want, n);
}

/* FIPS 180-4 and RFC 4231. */
Test(crypt, hashes_as_published)
{
    uint8_t out[TN_SHA512_SIZE];
    tn_sha256("abc", 3, out);
    is_hex(out, TN_SHA256_SIZE,
           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    tn_sha512("abc", 3, out);
    is_hex(out, TN_SHA512_SIZE,
           "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
           "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    tn_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
    is_hex(out, TN_SHA256_SIZE,
           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    uint8_t key[131];
    memset(key, 0xaa, sizeof key);
    tn_hmac_sha256(key, sizeof key,
                   "Test Using Larger Than Block-Size Key - Hash Key First", 54,
                   out);
    is_hex(out, TN_SHA256_SIZE,
           "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 8032, section 7.1, tests 1 and 3. */
static const struct {
    const char *seed, *key, *bytes, *signature;
} ed25519[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821"
     "590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b5"
     "38d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

Test(crypt, signs_as_published)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(ed25519); i++) {
        uint8_t seed[32], key[32], bytes[4], signature[64];
        size_t n = strlen(ed25519[i].bytes) / 2;
        unhex(ed25519[i].seed, seed);
        unhex(ed25519[i].bytes, bytes);
        cr_assert_eq(tn_ed25519_sign(seed, bytes, n, signature, key, NULL),
                     TN_OK);
        is_hex(key, sizeof key, ed25519[i].key);
        is_hex(signature, sizeof signature, ed25519[i].signature);
        cr_assert(tn_ed25519_verify(signature, bytes, n, key));
        for (unsigned bit = 0; bit < 512; bit++) {
            signature[bit / 8] ^= (uint8_t) (1u << bit % 8);
            cr_assert(!tn_ed25519_verify(signature, bytes, n, key));
            signature[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
    }
}

/* With a key of small order one signature fits every text. */
Test(crypt, refuses_keys_of_small_order)
{
    uint8_t key[32] = {1}, signature[64] = {1};
    cr_assert(!tn_ed25519_verify(signature, "a", 1, key));
    uint8_t zero[32] = {0}, none[64] = {0};
    cr_assert(!tn_ed25519_verify(none, "a", 1, zero));
}

static const struct {
    const char *bytes, *padded, *bare;
} base64[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
};

Test(crypt, base64_both_ways)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(base64); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text a = {0}, b = {0};
        uint8_t out[16];
        size_t n = strlen(base64[i].bytes), got = sizeof out;
        tn_base64_add(&a, base64[i].bytes, n, true);
        tn_base64_add(&b, base64[i].bytes, n, false);
        cr_assert_str_eq(tn_text_str(&a), base64[i].padded);
        cr_assert_str_eq(tn_text_str(&b), base64[i].bare);
        cr_assert(tn_base64_decode(tn_text_str(&a), a.n, false, out, &got));
        cr_assert_eq(got, n);
        cr_assert_arr_eq(out, base64[i].bytes, n);
    }
    static uint8_t big[10000], back[10000];
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_random(big, sizeof big);
    tn_base64_add(&t, big, sizeof big, true);
    size_t n = sizeof back;
    cr_assert(tn_base64_decode(t.s, t.n, false, back, &n));
    cr_assert_eq(n, sizeof big);
    cr_assert_arr_eq(back, big, n);
}

static const struct {
    const char *text;
    size_t n;
    bool lines;
} bad_base64[] = {
    {"Zg", 2, false},       {"Zg=", 3, false},   {"Zh==", 4, false},
    {"Zm9=", 4, false},     {"Zm9v=", 5, false}, {"Z", 1, false},
    {"Zm9v====", 8, false}, {"Zm 9v", 5, false}, {"Zm9v\n", 5, false},
    {"Zm9v\r\n", 6, true},  {"Zm\0v", 4, true},  {"Zm9vZm9vZm9vZm9v", 16, true},
    {"Zm-_", 4, false},     {"====", 4, false},
};

Test(crypt, base64_is_strict)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad_base64); i++) {
        uint8_t out[9];
        size_t n = sizeof out;
        cr_assert(!tn_base64_decode(bad_base64[i].text, bad_base64[i].n,
                                    bad_base64[i].lines, out, &n),
                  "row %zu", i);
        cr_assert_eq(n, sizeof out, "row %zu", i);
    }
    uint8_t out[3];
    size_t n = sizeof out;
    cr_assert(tn_base64_decode("Zm\n9v\n\n", 7, true, out, &n));
    cr_assert_eq(n, 3);
}

/* Every byte that is no letter of the alphabet, in every place. */
Test(crypt, base64_has_64_letters)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                  "stuvwxyz0123456789+/";
    for (unsigned c = 0; c < 256; c++) {
        bool letter = c && strchr(letters, (int) c);
        for (size_t at = 0; at < 4; at++) {
            char text[] = "Zm9v";
            uint8_t out[3];
            size_t n = sizeof out;
            text[at] = (char) c;
            if (at == 3 && c == '=') {
                continue; /* Padding, judged elsewhere. */
            }
            cr_assert_eq(tn_base64_decode(text, 4, false, out, &n), letter,
                         "byte %u at %zu", c, at);
        }
    }
}

Test(crypt, compares)
{
    cr_assert(tn_equal_secret("abc", "abc", 3));
    cr_assert(!tn_equal_secret("abc", "abd", 3));
    cr_assert(tn_equal_secret("abc", "abd", 2));
    cr_assert(tn_equal_secret("", "", 0));
}

static char dir[64];

static const char *
put(const char *name, const char *text, mode_t mode)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    cr_assert(f);
    fputs(text, f);
    fclose(f);
    cr_assert_eq(chmod(path, mode), 0);
    return path;
}

static void
files_setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/tenet-crypt-XXXXXX");
    cr_assert(mkdtemp(dir));
}

static void
files_teardown(void)
{
    static const char *const names[] = {"key", "fifo", "link"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    cr_assert_eq(rmdir(dir), 0);
}

TestSuite(secret, .init = files_setup, .fini = files_teardown);

static void
refused(const char *path, size_t max, enum tn_code want, const char *saying)
{
    struct tn_secret *s = NULL;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_secret_read(path, max, &s, &err);
    tn_error_text(&err, text, sizeof text);
    cr_assert_eq(code, want, "%d: %s", code, text);
    cr_assert(strstr(text, saying), "%s", text);
    cr_assert_null(strstr(text, "hunter2"), "%s", text);
    cr_assert_null(s);
}

static void
is_secret(const char *path, const char *want)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *s = NULL;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_secret_read(path, 100, &s, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    tn_secret_chomp(s);
    cr_assert_eq(tn_secret_size(s), strlen(want));
    cr_assert_str_eq((const char *) tn_secret_peek(s), want);
}

Test(secret, reads_what_is_private)
{
    is_secret(put("key", "hunter2\r\n\n", 0600), "hunter2");
    is_secret(put("key", "hunter2", 0400), "hunter2");
    is_secret(put("key", "", 0400), "");
}

Test(secret, refuses_what_others_may_read)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644};
    for (size_t i = 0; i < TN_ARRAY_SIZE(modes); i++) {
        refused(put("key", "hunter2", modes[i]), 100, TN_EDENIED, "chmod go=");
    }
    if (geteuid() == 0) {
        const char *path = put("key", "hunter2", 0600);
        cr_assert_eq(chown(path, 12345, 0), 0);
        refused(path, 100, TN_EDENIED, "belongs to user 12345");
    }
}

Test(secret, takes_credentials_of_systemd)
{
    if (geteuid() != 0) {
        cr_skip("needs files of root");
    }
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    is_secret(put("key", "hunter2", 0440), "hunter2");
    refused(put("key", "hunter2", 0444), 100, TN_EDENIED, "mode is 0444");
    refused(put("key", "hunter2", 0460), 100, TN_EDENIED, "mode is 0460");
    char path[256];
    snprintf(path, sizeof path, "%s/../%s/key", dir, strrchr(dir, '/') + 1);
    put("key", "hunter2", 0440);
    refused(path, 100, TN_EDENIED, "mode is 0440");
}

Test(secret, bounds_and_kinds)
{
    refused(put("key", "hunter2", 0600), 6, TN_EDENIED, "more than 6 bytes");
    refused("/nonexistent/key", 6, TN_ENOENT, "/nonexistent/key");
    refused(dir, 100, TN_EDENIED, "not a regular file");
    refused("/dev/zero", 100, TN_EDENIED, "not a regular file");
    char path[128];
    snprintf(path, sizeof path, "%s/fifo", dir);
    cr_assert_eq(mkfifo(path, 0600), 0);
    refused(path, 100, TN_EDENIED, "not a regular file"); /* And returns. */
}

Test(secret, is_wiped_where_it_was_cut)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *s = NULL;
    cr_assert_eq(tn_secret_new(8, &s, NULL), TN_OK);
    memcpy(tn_secret_bytes(s), "hunter2\n", 8);
    tn_secret_cut(s, 3);
    cr_assert_arr_eq(tn_secret_peek(s), "hun\0\0\0\0\0\0", 9);
    cr_assert_eq(tn_secret_size(s), 3);
    tn_secret_free(NULL);
}
