/* digest_test.c - published vectors, and what must differ. */
#include "model/base/digest.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static const struct vector {
    const char *text, *hex;
} vectors[] = {
    {"", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
    {"abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
};

Test(digest, is_blake2b_256)
{
    char hex[TN_DIGEST_HEX];
    for (size_t i = 0; i < TN_ARRAY_SIZE(vectors); i++) {
        struct tn_digest d =
            tn_digest_of(vectors[i].text, strlen(vectors[i].text));
        cr_assert_str_eq(tn_digest_hex(&d, hex), vectors[i].hex);
    }
}

/* The state is aligned inside of a struct that need not be. */
Test(digest, streams_at_any_alignment)
{
    char text[1000];
    memset(text, 'q', sizeof text);
    struct tn_digest whole = tn_digest_of(text, sizeof text);
    char *room = malloc(sizeof(struct tn_digester) + 128);
    for (size_t offset = 0; offset < 128; offset += 8) {
        struct tn_digester *d = (void *) (room + offset);
        tn_digester_init(d);
        for (size_t i = 0; i < sizeof text; i += 7) {
            size_t n = sizeof text - i;
            tn_digester_add(d, text + i, n < 7 ? n : 7);
        }
        struct tn_digest parts = tn_digester_end(d);
        cr_assert(tn_digest_eq(&parts, &whole));
    }
    free(room);
}

static struct tn_digest
of_two(const char *a, const char *b)
{
    struct tn_digester d;
    tn_digester_init(&d);
    tn_digester_add_str(&d, a);
    tn_digester_add_str(&d, b);
    return tn_digester_end(&d);
}

Test(digest, text_keeps_its_borders)
{
    struct tn_digest x = of_two("ab", "c"), y = of_two("a", "bc"),
                     z = of_two("ab", "c"), w = of_two("", "abc");
    cr_assert(tn_digest_eq(&x, &z));
    cr_assert(!tn_digest_eq(&x, &y));
    cr_assert(!tn_digest_eq(&x, &w));
}

Test(digest, parses_what_it_prints)
{
    struct tn_digest d = tn_digest_of("x", 1), back = {0};
    char hex[TN_DIGEST_HEX];
    tn_digest_hex(&d, hex);
    cr_assert(tn_digest_parse(hex, &back));
    cr_assert(tn_digest_eq(&d, &back));
    cr_assert(!tn_digest_parse("", &back));
    cr_assert(!tn_digest_parse("00", &back));
    hex[63] = 'g';
    cr_assert(!tn_digest_parse(hex, &back));
    hex[63] = '\0';
    cr_assert(!tn_digest_parse(hex, &back));
    cr_assert(tn_digest_eq(&d, &back), "untouched on failure");
}

/* Part of our file formats: derived identifiers.  XXH3_64bits, seed 0. */
Test(digest, fast_hash_never_changes)
{
    cr_assert_eq(tn_hash64("", 0), 0x2d06800538d394c2u);
    cr_assert_eq(tn_hash64("a", 1), 0xe6c632b61e964e1fu);
    cr_assert_eq(tn_hash64("abc", 3), 0x78af5f94892f3950u);
}

Test(digest, fast_hash_of_runs_is_that_of_the_whole)
{
    char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char) (i * 31 % 251);
    }
    for (size_t n = 0; n < sizeof bytes; n += 1 + n / 7) {
        const size_t a = n / 3, b = n / 2;
        const struct tn_bytes runs[] = {
            {bytes, a}, {NULL, 0}, {bytes + a, b - a}, {bytes + b, n - b}};
        cr_expect_eq(tn_hash64_of(runs, TN_ARRAY_SIZE(runs)),
                     tn_hash64(bytes, n), "%zu", n);
    }
}
