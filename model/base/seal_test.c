/* seal_test.c - what was sealed opens with its key and for its purpose only. */
#include "model/base/seal.h"

#include <string.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"

struct pair {
    struct tn_secret *key;
    struct tn_text open;
};

static void
pair_new(struct pair *p)
{
    *p = (struct pair){0};
    cr_assert_eq(tn_seal_keys_new(&p->key, &p->open, NULL), TN_OK);
}

static void
pair_done(struct pair *p)
{
    tn_secret_free(p->key);
    tn_text_done(&p->open);
}

static enum tn_code
open_it(const char *sealed, const struct pair *p, const char *purpose,
        struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *out = NULL;
    enum tn_code code = tn_seal_open(sealed, p->key, purpose, &out, err);
    if (!code) {
        cr_expect_eq(tn_secret_size(out), 8);
        cr_expect_arr_eq(tn_secret_peek(out), "pass\nwd!", 8);
    }
    return code;
}

Test(seal, opens_for_its_purpose_only)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text sealed = {0};
    struct tn_error err = {0};
    struct pair p, other;
    pair_new(&p);
    pair_new(&other);
    cr_assert_eq(tn_seal(tn_text_str(&p.open), "https://nsx", "pass\nwd!", 8,
                         &sealed, &err),
                 TN_OK);
    cr_expect(tn_seal_is(tn_text_str(&sealed)));
    cr_expect_null(strstr(tn_text_str(&sealed), "pass"));
    cr_expect_eq(open_it(tn_text_str(&sealed), &p, "https://nsx", &err), TN_OK);
    cr_expect_eq(open_it(tn_text_str(&sealed), &p, "https://evil", &err),
                 TN_EDENIED);
    cr_expect(strstr(err.text, "sealed for \"https://nsx\""), "%s", err.text);
    cr_expect_null(strstr(err.text, "wd!"));
    cr_expect_eq(open_it(tn_text_str(&sealed), &p, "https://ns", &err),
                 TN_EDENIED);
    cr_expect_eq(open_it(tn_text_str(&sealed), &other, "https://nsx", &err),
                 TN_EDENIED);
    pair_done(&p);
    pair_done(&other);
}

/* No byte of it can be changed, and nothing be cut off. */
Test(seal, whole_or_not_at_all)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text sealed = {0};
    struct pair p;
    pair_new(&p);
    cr_assert_eq(
        tn_seal(tn_text_str(&p.open), "p", "pass\nwd!", 8, &sealed, NULL),
        TN_OK);
    for (size_t i = 0; i < sealed.n; i++) {
        char kept = sealed.s[i];
        sealed.s[i] = kept == 'A' ? 'B' : 'A';
        cr_expect_eq(open_it(sealed.s, &p, "p", NULL), TN_EDENIED, "%zu", i);
        sealed.s[i] = '\0';
        cr_expect_eq(open_it(sealed.s, &p, "p", NULL), TN_EDENIED, "%zu", i);
        sealed.s[i] = kept;
    }
    pair_done(&p);
}

Test(seal, refusals)
{
    static const struct {
        const char *purpose;
        size_t n;
        const char *said;
    } rows[] = {
        {"", 8, "what a secret is for"},
        {"a\nb", 8, "what a secret is for"},
        {"p", 0, "a secret has 1 to 4096 bytes"},
        {"p", TN_SEAL_MAX + 1, "a secret has 1 to 4096 bytes"},
    };
    static const char bytes[TN_SEAL_MAX + 1];
    struct pair p;
    pair_new(&p);
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
        struct tn_error err = {0};
        cr_expect_eq(tn_seal(tn_text_str(&p.open), rows[i].purpose, bytes,
                             rows[i].n, &out, &err),
                     TN_EINTENT);
        cr_expect(strstr(err.text, rows[i].said), "%zu: %s", i, err.text);
        cr_expect_eq(out.n, 0);
    }
    pair_done(&p);
}

/* The two files of a pair are not mistaken for each other. */
Test(seal, keys_in_wrong_places)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *opened = NULL;
    struct tn_error err = {0};
    struct pair p;
    pair_new(&p);
    cr_expect_eq(
        tn_seal((const char *) tn_secret_peek(p.key), "p", "x", 1, &out, &err),
        TN_EINTENT);
    cr_expect_null(strstr(err.text, (const char *) tn_secret_peek(p.key)));
    cr_assert_eq(tn_seal(tn_text_str(&p.open), "p", "x", 1, &out, NULL), TN_OK);
    memcpy(tn_secret_bytes(p.key), "tenet-seal-kex:", 15);
    cr_expect_eq(tn_seal_open(tn_text_str(&out), p.key, "p", &opened, &err),
                 TN_EDENIED);
    cr_expect(!tn_seal_is("tenet-sealed:") && !tn_seal_is("secret") &&
              !tn_seal_is("tenet-sealed:AAAA"));
    pair_done(&p);
}
