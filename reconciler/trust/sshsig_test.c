/* sshsig_test.c - our signatures against ssh-keygen's, both ways, and what must
 * not pass. */
#include "reconciler/trust/sshsig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/source/sandbox.h"
#include "reconciler/trust/sign.h"
#include "reconciler/trust/sshkey.h"

static struct tn_sandbox box;
static const char text[] = "tree of a commit\n\nand its message\n";

static void
setup(void)
{
    tn_sandbox_init(&box);
    tn_sandbox_sh(&box, "ssh-keygen -q -t ed25519 -N '' -C 'a comment' -f k");
}

static void
teardown(void)
{
    tn_sandbox_done(&box);
}

TestSuite(sshsig, .init = setup, .fini = teardown);

static const char *
in_box(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", box.dir, name);
    return path;
}

static void
put(const char *name, const char *s, size_t n)
{
    FILE *f = fopen(in_box(name), "w");
    cr_assert(f);
    cr_assert_eq(fwrite(s, 1, n, f), n);
    fclose(f);
}

static struct tn_signer *
open_signer(const char *name)
{
    struct tn_signer *s = NULL;
    struct tn_error err = {0};
    char said[TN_ERROR_TEXT];
    enum tn_code code = tn_signer_open(in_box(name), &s, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, said, sizeof said));
    return s;
}

/* Parse and verify; true if both went well. */
static bool
accepts(const char *armored, size_t n, const char *bytes, size_t n_bytes)
{
    struct tn_sshsig sig;
    return tn_sshsig_parse(armored, n, &sig, NULL) == TN_OK &&
           tn_sshsig_verify(&sig, bytes, n_bytes);
}

static void
refuses(const char *armored, enum tn_code want, const char *saying)
{
    struct tn_sshsig sig = {0};
    struct tn_error err = {0};
    char said[TN_ERROR_TEXT];
    enum tn_code code = tn_sshsig_parse(armored, strlen(armored), &sig, &err);
    tn_error_text(&err, said, sizeof said);
    cr_assert_eq(code, want, "%d: %s", code, said);
    cr_assert(strstr(said, saying), "%s", said);
}

Test(sshsig, is_byte_for_byte_what_ssh_keygen_makes)
{
    TN_CLEANUP(tn_cleanup_signer) struct tn_signer *s = open_signer("k");
    static const char *const texts[] = {"", "a", text};
    for (size_t i = 0; i < TN_ARRAY_SIZE(texts); i++) {
        TN_CLEANUP(tn_cleanup_free) char *ours = NULL, *theirs = NULL;
        put("text", texts[i], strlen(texts[i]));
        theirs = tn_sandbox_out(
            &box, "ssh-keygen -Y sign -n git -f k < text 2>/dev/null");
        cr_assert_eq(tn_signer_sign(s, texts[i], strlen(texts[i]), &ours, NULL),
                     TN_OK);
        size_t n = strlen(ours);
        cr_assert_eq(ours[n - 1], '\n');
        cr_assert(accepts(ours, n, texts[i], strlen(texts[i])));
        ours[n - 1] = '\0';
        cr_assert_str_eq(ours, theirs);
        cr_assert(accepts(theirs, strlen(theirs), texts[i], strlen(texts[i])));
    }
}

Test(sshsig, tells_its_public_key)
{
    TN_CLEANUP(tn_cleanup_signer) struct tn_signer *s = open_signer("k");
    TN_CLEANUP(tn_cleanup_free)
    char *line = tn_sandbox_out(&box, "cut -d' ' -f1,2 k.pub");
    TN_CLEANUP(tn_cleanup_free)
    char *print = tn_sandbox_out(&box, "ssh-keygen -lf k.pub | cut -d' ' -f2");
    cr_assert_str_eq(tn_signer_public(s), line);
    cr_assert_str_eq(tn_signer_fingerprint(s), print);
    tn_signer_close(NULL);
}

/* Whatever byte of the armored text changes, nothing verifies any more. */
Test(sshsig, any_flipped_bit_breaks_it)
{
    TN_CLEANUP(tn_cleanup_signer) struct tn_signer *s = open_signer("k");
    TN_CLEANUP(tn_cleanup_free) char *armored = NULL;
    size_t n_text = strlen(text);
    cr_assert_eq(tn_signer_sign(s, text, n_text, &armored, NULL), TN_OK);
    size_t n = strlen(armored);
    for (size_t i = 0; i < 8 * n; i++) {
        armored[i / 8] = (char) (armored[i / 8] ^ (1 << i % 8));
        cr_assert(!accepts(armored, n, text, n_text), "bit %zu", i);
        armored[i / 8] = (char) (armored[i / 8] ^ (1 << i % 8));
    }
    char other[sizeof text];
    memcpy(other, text, sizeof text);
    for (size_t i = 0; i < 8 * n_text; i++) {
        other[i / 8] = (char) (other[i / 8] ^ (1 << i % 8));
        cr_assert(!accepts(armored, n, other, n_text), "bit %zu", i);
        other[i / 8] = (char) (other[i / 8] ^ (1 << i % 8));
    }
    for (size_t i = 0; i + 1 < n; i++) {
        cr_assert(!accepts(armored, i, text, n_text), "cut at %zu", i);
    }
    cr_assert(accepts(armored, n - 1, text, n_text)); /* The line feed. */
    cr_assert(accepts(armored, n, text, n_text));
    cr_assert(!accepts(armored, n, text, n_text - 1));
}

Test(sshsig, takes_sha256_too)
{
    TN_CLEANUP(tn_cleanup_free) char *sig = NULL;
    put("text", text, strlen(text));
    sig = tn_sandbox_out(&box, "ssh-keygen -Y sign -n git -f k -O "
                               "hashalg=sha256 < text 2>/dev/null");
    cr_assert(accepts(sig, strlen(sig), text, strlen(text)));
}

static const struct {
    const char *make, *sign;
    enum tn_code code;
    const char *saying;
} others[] = {
    {"true", "-n file -f k", TN_EINTENT, "not made for Git"},
    {"true", "-n gitx -f k", TN_EINTENT, "not made for Git"},
    {"true", "-n gi -f k", TN_EINTENT, "not made for Git"},
    {"ssh-keygen -q -t rsa -b 2048 -N '' -f r", "-n git -f r", TN_EUNSUPPORTED,
     "unsupported key type ssh-rsa"},
    {"ssh-keygen -q -t rsa -b 4096 -N '' -f r", "-n git -f r", TN_EUNSUPPORTED,
     "unsupported key type ssh-rsa"},
    {"ssh-keygen -q -t ecdsa -N '' -f e", "-n git -f e", TN_EUNSUPPORTED,
     "unsupported key type ecdsa-sha2-nistp256"},
};

Test(sshsig, refuses_other_signatures_of_ssh_keygen)
{
    put("text", text, strlen(text));
    for (size_t i = 0; i < TN_ARRAY_SIZE(others); i++) {
        tn_sandbox_sh(&box, "rm -f r e r.pub e.pub; %s", others[i].make);
        TN_CLEANUP(tn_cleanup_free)
        char *sig = tn_sandbox_out(
            &box, "ssh-keygen -Y sign %s < text 2>/dev/null", others[i].sign);
        refuses(sig, others[i].code, others[i].saying);
    }
}

Test(sshsig, refuses_what_is_no_armor)
{
    refuses("", TN_EINTENT, "no armor");
    refuses("-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
            TN_EINTENT, "no armor");
    refuses("-----BEGIN SSH SIGNATURE-----\nAAAA\n"
            "-----END SSH SIGNATURE-----\n",
            TN_EINTENT, "does not begin with SSHSIG");
    refuses("-----BEGIN SSH SIGNATURE-----\n\nAAAA\n"
            "-----END SSH SIGNATURE-----\n",
            TN_EINTENT, "no armor");
    refuses("-----BEGIN SSH SIGNATURE-----\nAAA\n"
            "-----END SSH SIGNATURE-----\n",
            TN_EINTENT, "bad base64");
    refuses("-----BEGIN SSH SIGNATURE-----\nAAAA\n"
            "-----END SSH SIGNATURE-----\nx",
            TN_EINTENT, "no armor");
    refuses("-----BEGIN PGP SIGNATURE-----\n", TN_EINTENT, "no armor");
    TN_CLEANUP(tn_cleanup_text) struct tn_text huge = {0};
    tn_text_add(&huge, "-----BEGIN SSH SIGNATURE-----\n");
    for (size_t i = 0; i < 100000; i++) {
        tn_text_add(&huge, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                           "AAAAAAAAAAAAAAAAAAAA\n");
    }
    tn_text_add(&huge, "-----END SSH SIGNATURE-----\n");
    refuses(tn_text_str(&huge), TN_EINTENT, "too large");
    refuses("-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAg==\n"
            "-----END SSH SIGNATURE-----\n",
            TN_EUNSUPPORTED, "version 2");
}

static const struct {
    const char *make;
    enum tn_code code;
    const char *saying;
} bad_keys[] = {
    {"ssh-keygen -q -t ed25519 -N secret -f b", TN_EUNSUPPORTED,
     "has a passphrase"},
    {"ssh-keygen -q -t rsa -b 2048 -N '' -f b", TN_EUNSUPPORTED,
     "unsupported key type ssh-rsa"},
    {"ssh-keygen -q -t ecdsa -N '' -f b", TN_EUNSUPPORTED,
     "unsupported key type ecdsa"},
    {"ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f b", TN_EINTENT,
     "not an OpenSSH private key"},
    {"cp k.pub b; chmod 600 b", TN_EINTENT, "not an OpenSSH private key"},
    {": > b; chmod 600 b", TN_EINTENT, "not an OpenSSH private key"},
    {"sed '3d' k > b; chmod 600 b", TN_EINTENT, "is damaged"},
    {"cp k b; chmod 644 b", TN_EDENIED, "its mode is 0644"},
    {"true", TN_ENOENT, "/b"},
    {"mkdir b", TN_EDENIED, "not a regular file"},
    {"head -c 20000 /dev/zero > b; chmod 600 b", TN_EDENIED, "more than"},
};

Test(sshsig, refuses_other_keys)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad_keys); i++) {
        struct tn_signer *s = NULL;
        struct tn_error err = {0};
        char said[TN_ERROR_TEXT];
        tn_sandbox_sh(&box, "rm -rf b b.pub; %s", bad_keys[i].make);
        enum tn_code code = tn_signer_open(in_box("b"), &s, &err);
        tn_error_text(&err, said, sizeof said);
        cr_assert_eq(code, bad_keys[i].code, "row %zu: %d %s", i, code, said);
        cr_assert(strstr(said, bad_keys[i].saying), "row %zu: %s", i, said);
        cr_assert(strstr(said, "signing key"), "row %zu: %s", i, said);
    }
}

/* A key file with a flipped bit is refused, or its comment or padding of check
 * numbers is hit; it never becomes another key. */
Test(sshsig, a_damaged_key_is_no_other_key)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *file = NULL;
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *seed = NULL;
    uint8_t key[TN_ED25519_PUBLIC];
    cr_assert_eq(tn_secret_read(in_box("k"), TN_SSHKEY_FILE_MAX, &file, NULL),
                 TN_OK);
    cr_assert_eq(tn_sshkey_file_parse(file, &seed, key, NULL), TN_OK);
    size_t accepted = 0;
    for (size_t i = 0; i < 8 * tn_secret_size(file); i++) {
        TN_CLEANUP(tn_cleanup_secret) struct tn_secret *other = NULL;
        uint8_t got[TN_ED25519_PUBLIC];
        tn_secret_bytes(file)[i / 8] ^= (uint8_t) (1u << i % 8);
        if (tn_sshkey_file_parse(file, &other, got, NULL) == TN_OK) {
            accepted++;
            cr_assert_arr_eq(got, key, sizeof key, "bit %zu", i);
            cr_assert_arr_eq(tn_secret_peek(other), tn_secret_peek(seed),
                             TN_ED25519_SEED, "bit %zu", i);
        }
        tn_secret_bytes(file)[i / 8] ^= (uint8_t) (1u << i % 8);
    }
    cr_assert_lt(accepted, 150, "%zu", accepted);
}

/* Comments change the padding: 0 to 7 bytes of it. */
Test(sshsig, keys_with_any_comment)
{
    for (unsigned i = 0; i < 9; i++) {
        tn_sandbox_sh(&box,
                      "rm -f c c.pub; ssh-keygen -q -t ed25519 -N '' -C "
                      "'%.*s' -f c",
                      (int) i, "abcdefgh");
        tn_signer_close(open_signer("c"));
    }
}
