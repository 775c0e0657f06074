/* trust_fuzz.c - hostile signatures, commits, key files and files of signers:
 * no crash, no leak, and what is accepted keeps its promises.
 *
 * The first byte picks the reader, the rest is its input. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/trust/allowed_signers.h"
#include "reconciler/trust/commit_text.h"
#include "reconciler/trust/scope.h"
#include "reconciler/trust/sshkey.h"
#include "reconciler/trust/sshsig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

static void
signature(struct tn_arena *arena, const char *s, size_t n)
{
    struct tn_sshsig sig;
    struct tn_error err = {0};
    enum tn_code code = tn_sshsig_parse(s, n, &sig, &err);
    (void) arena;
    CHECK(code == TN_OK || code == TN_EINTENT || code == TN_EUNSUPPORTED);
    CHECK(code == err.code);
    if (code == TN_OK) {
        char print[TN_FINGERPRINT];
        CHECK(sig.key.ed25519);
        CHECK(strlen(tn_sshkey_fingerprint(&sig.key, print)) == 50);
        CHECK(!tn_sshsig_verify(&sig, "x", 1));
    }
}

static void
signers(struct tn_arena *arena, const char *s, size_t n)
{
    struct tn_allowed_signers all = {0};
    struct tn_error err = {0};
    if (tn_allowed_signers_parse(arena, "f", s, n, &all, &err)) {
        CHECK(err.code == TN_EINTENT && strcmp(err.origin.path, "f") == 0);
        CHECK(all.n == 0);
        return;
    }
    for (size_t i = 0; i < all.n; i++) {
        const struct tn_allowed_signer *a = &all.items[i];
        CHECK(tn_allowed_signer_find(&all, &a->key) == a);
        CHECK(a->n_principals > 0 && a->line > 0);
        CHECK(i == 0 || a[-1].line < a->line);
        for (size_t k = 0; k < a->n_principals; k++) {
            CHECK(a->principals[k][0] && a->principals[k][0] != '!');
        }
    }
}

static void
commit(struct tn_arena *arena, const char *s, size_t n)
{
    struct tn_commit_text c, again;
    struct tn_error err = {0};
    if (tn_commit_text_parse(arena, s, n, &c, &err)) {
        CHECK(err.code == TN_EINTENT);
        return;
    }
    CHECK(strlen(c.signed_text) == c.n_signed_text);
    CHECK((c.signature != NULL) == (c.n_signed_text < n));
    CHECK(c.n_parents <= TN_COMMIT_PARENTS && c.time >= 0);
    /* Without the signature it is the same commit, unsigned. */
    CHECK(tn_commit_text_parse(arena, c.signed_text, c.n_signed_text, &again,
                               NULL) == TN_OK);
    CHECK(!again.signature && again.n_parents == c.n_parents);
    CHECK(memcmp(&again.tree, &c.tree, sizeof c.tree) == 0);
    CHECK(again.time == c.time && again.n_signed_text == c.n_signed_text);
}

static void
key_file(struct tn_arena *arena, const char *s, size_t n)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *file = NULL;
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *seed = NULL;
    uint8_t key[TN_ED25519_PUBLIC], derived[TN_ED25519_PUBLIC];
    (void) arena;
    CHECK(tn_secret_new(n, &file, NULL) == TN_OK);
    memcpy(tn_secret_bytes(file), s, n);
    if (tn_sshkey_file_parse(file, &seed, key, NULL) == TN_OK) {
        CHECK(tn_secret_size(seed) == TN_ED25519_SEED);
        CHECK(tn_ed25519_sign(tn_secret_peek(seed), "", 0, NULL, derived,
                              NULL) == TN_OK);
        CHECK(memcmp(key, derived, sizeof key) == 0);
    } else {
        CHECK(!seed);
    }
}

/* Two texts behind each other, the first up to a NUL. */
static void
scope(struct tn_arena *arena, const char *s, size_t n)
{
    size_t first = strnlen(s, n);
    const char *pattern = tn_arena_strndup(arena, s, first);
    const char *path = tn_arena_strndup(arena, s + first, n - first);
    path = n > first ? tn_arena_strndup(arena, s + first + 1, n - first - 1)
                     : path;
    if (strlen(pattern) > 300 || strlen(path) > 300) {
        return;
    }
    tn_scope_match(pattern, path);
    CHECK(!path[0] || tn_scope_match("**", path));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct tn_arena *, const char *, size_t) = {
        signature, signers, commit, key_file, scope};
    if (size == 0) {
        return 0;
    }
    struct tn_arena *arena = tn_arena_new();
    readers[data[0] % TN_ARRAY_SIZE(readers)](arena, (const char *) data + 1,
                                              size - 1);
    tn_arena_free(arena);
    return 0;
}
