/* scan_test.c - what is read, and what is not. */
#include "drivers/ovsdb/scan.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

static struct tn_scan
scan_of(const char *text)
{
    return (struct tn_scan){text, text + strlen(text)};
}

struct string_row {
    const char *json, *means; /* Null: nothing. */
};

static const struct string_row strings[] = {
    {"\"\"", ""},
    {" \n\t\r\"a b\"", "a b"},
    {"\"12345678\"", "12345678"},
    {"\"1234567\\\"8\"", "1234567\"8"},
    {"\"12345678901234\\\\\"", "12345678901234\\"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
    {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac"},
    {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
    {"\"\xc3\xa9\x7f\"", "\xc3\xa9\x7f"},
    {"", NULL},
    {"a", NULL},
    {"\"", NULL},
    {"\"abc", NULL},
    {"\"abcdefghijk", NULL},
    {"\"abc\\", NULL},
    {"\"abc\\\"", NULL},
    {"\"a\nb\"", NULL},
    {"\"1234567890\x1f\"", NULL},
    {"\"\\q\"", NULL},
    {"\"\\u\"", NULL},
    {"\"\\u12\"", NULL},
    {"\"\\u12g4\"", NULL},
    {"\"\\u0000\"", NULL},
    {"\"\\ud83d\"", NULL},
    {"\"\\ud83dx\"", NULL},
    {"\"\\ud83d\\n\"", NULL},
    {"\"\\ud83d\\u0041\"", NULL},
    {"\"\\ude00\"", NULL},
};

Test(scan, reads_strings_as_jansson_does)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(strings); i++) {
        const struct string_row *r = &strings[i];
        struct tn_scan scan = scan_of(r->json);
        struct tn_scan_string s;
        struct tn_text out = {0};
        bool fits = tn_scan_string(&scan, &s) && tn_scan_add(&out, &s);
        json_t *judge = json_loads(r->json, JSON_DECODE_ANY, NULL);
        cr_expect_eq(fits, r->means != NULL, "row %zu", i);
        cr_expect_eq(fits, json_is_string(judge), "row %zu", i);
        if (fits) {
            cr_expect_str_eq(tn_text_str(&out), r->means, "row %zu", i);
            cr_expect_str_eq(json_string_value(judge), r->means, "row %zu", i);
            cr_expect_eq(scan.at, scan.end, "row %zu", i);
        }
        json_decref(judge);
        tn_text_done(&out);
    }
}

struct number_row {
    const char *json;
    size_t n; /* Bytes of a number; 0: there is none. */
    bool real;
};

static const struct number_row numbers[] = {
    {"0", 1, false},     {"-0", 2, false},  {"12,", 2, false},
    {"-345]", 4, false}, {"01", 1, false},  {"0.5", 3, true},
    {"1e5", 3, true},    {"1E+5", 4, true}, {"-1.25e-3x", 8, true},
    {"", 0, false},      {"-", 0, false},   {"+1", 0, false},
    {".5", 0, false},    {"1.", 0, false},  {"1.e5", 0, false},
    {"1e", 0, false},    {"1e+", 0, false}, {"x", 0, false},
};

Test(scan, reads_numbers)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(numbers); i++) {
        const struct number_row *r = &numbers[i];
        struct tn_scan scan = scan_of(r->json);
        struct tn_scan_string s = {0};
        bool real = false, fits = tn_scan_number(&scan, &s, &real);
        cr_expect_eq(fits, r->n > 0, "row %zu", i);
        cr_expect(!fits || (s.n == r->n && real == r->real), "row %zu", i);
        cr_expect(!fits || scan.at == r->json + r->n, "row %zu", i);
    }
}

/* [1,1] and such; the number of elements, or -1. */
static int
count(const char *json)
{
    struct tn_scan scan = scan_of(json);
    int n = 0;
    if (!tn_scan_sign(&scan, '[')) {
        return -1;
    }
    while (tn_scan_more(&scan, ']', n == 0)) {
        if (!tn_scan_word(&scan, "1")) {
            return -1;
        }
        n++;
    }
    return scan.at == scan.end ? n : -1;
}

Test(scan, reads_lists)
{
    cr_expect_eq(count("[]"), 0);
    cr_expect_eq(count(" [ ] "), -1, "the end is not looked for");
    cr_expect_eq(count(" [\n1 , 1\t,1 ]"), 3);
    cr_expect_eq(count("["), -1);
    cr_expect_eq(count("[1"), -1);
    cr_expect_eq(count("[1,"), -1);
    cr_expect_eq(count("[1,]"), -1);
    cr_expect_eq(count("[,1]"), -1);
    cr_expect_eq(count("[1 1]"), -1);
    cr_expect_eq(count("[1]]"), -1);
    cr_expect_eq(count("{1}"), -1);
    struct tn_scan nothing = {0};
    cr_expect_eq(tn_scan_peek(&nothing), '\0');
    cr_expect_not(tn_scan_sign(&nothing, '\0'));
    cr_expect_not(tn_scan_word(&nothing, "null"));
}
