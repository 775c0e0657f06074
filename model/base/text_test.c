/* text_test.c - building text, and small questions about it. */
#include "model/base/text.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"

Test(text, grows)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    cr_assert_str_eq(tn_text_str(&t), "");
    for (int i = 0; i < 1000; i++) {
        tn_text_addf(&t, "%d,", i);
    }
    cr_assert_eq(t.n, strlen(t.s));
    cr_assert_not_null(strstr(t.s, ",998,999,"));
    tn_text_clear(&t);
    cr_assert_str_eq(tn_text_str(&t), "");
    tn_text_addn(&t, "abc", 2);
    tn_text_addc(&t, 'x');
    tn_text_add(&t, "");
    cr_assert_str_eq(tn_text_str(&t), "abx");
}

/* Past the size from which on memory comes in large pages. */
Test(text, keeps_what_it_has_while_it_grows_large)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    enum { N = 400000 };
    tn_text_reserve(&t, 3000);
    cr_assert_geq(t.cap, 3001);
    for (unsigned i = 0; i < N; i++) {
        tn_text_addn(&t, (const char *) &i, sizeof i);
    }
    cr_assert_eq(t.n, N * sizeof(unsigned));
    for (unsigned i = 0, got; i < N; i++) {
        memcpy(&got, t.s + i * sizeof got, sizeof got);
        cr_assert_eq(got, i);
    }
    cr_assert_eq(t.s[t.n], '\0');
}

Test(text, formats_at_every_length)
{
    for (int n = 0; n < 400; n++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        tn_text_add(&t, "<");
        tn_text_addf(&t, "%*s", n, "");
        tn_text_add(&t, ">");
        cr_assert_eq(t.n, (size_t) n + 2);
        cr_assert_eq(strlen(t.s), t.n);
    }
}

Test(text, moves_out)
{
    struct tn_text t = {0};
    tn_text_add(&t, "abc");
    TN_CLEANUP(tn_cleanup_free) char *s = tn_text_take(&t);
    TN_CLEANUP(tn_cleanup_free) char *empty = tn_text_take(&t);
    cr_assert_str_eq(s, "abc");
    cr_assert_str_eq(empty, "");
    cr_assert_null(t.s);
    tn_text_done(&t);
}

static const struct escape {
    const char *in, *out;
} escapes[] = {
    {"plain", "plain"},
    {"a\"b\\c", "a\\\"b\\\\c"},
    {"a\nb\tc\r", "a\\nb\\tc\\u000d"},
    {"\x1b[31m\x7f\x01", "\\u001b[31m\\u007f\\u0001"},
    {"\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac"},
    {"\xc2\x9b"
     "31m\xc2\xa0",
     "\\u009b31m\xc2\xa0"},
    {"\xc2", "\xc2"},
};

Test(text, escapes_for_json_and_terminals)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(escapes); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        tn_text_add_escaped(&t, escapes[i].in);
        cr_assert_str_eq(tn_text_str(&t), escapes[i].out);
    }
}

static const struct label {
    const char *s;
    bool ok;
} labels[] = {
    {"a", true},
    {"web-1", true},
    {"0", true},
    {"a--b", true},
    {"", false},
    {"-a", false},
    {"a-", false},
    {"A", false},
    {"a_b", false},
    {"a.b", false},
    {"a b", false},
    {"a\n", false},
    {"\xc3\xa9", false},
    {"../a", false},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
};

Test(text, labels)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(labels); i++) {
        cr_assert_eq(tn_is_label(labels[i].s), labels[i].ok, "%s", labels[i].s);
    }
}

Test(text, nearest_word)
{
    static const char *const words[] = {"cidr", "gateway", "mtu", "name",
                                        "securityGroups"};
    static const struct {
        const char *word, *expect;
    } rows[] = {
        {"cidrs", "cidr"},
        {"gatway", "gateway"},
        {"getaway", "gateway"},
        {"cdir", "cidr"},
        {"mut", "mtu"},
        {"MTU", "mtu"},
        {"names", "name"},
        {"securitygroup", "securityGroups"},
        {"banana", NULL},
        {"x", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const char *got = tn_nearest(rows[i].word, words, TN_ARRAY_SIZE(words));
        cr_assert(tn_streq(got, rows[i].expect), "%s: %s", rows[i].word,
                  got ? got : "nothing");
    }
    char many[200];
    memset(many, 'a', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    cr_assert_null(tn_nearest(many, words, 1));
    cr_assert_null(tn_nearest("a", words, 0));
}

static const struct utf8 {
    const char *s;
    size_t n;
    bool ok;
} utf8s[] = {
    {"", 0, true},
    {"abc", 3, true},
    {"\x7f", 1, true},
    {"\xc2\x80", 2, true},
    {"\xdf\xbf", 2, true},
    {"\xe0\xa0\x80", 3, true},
    {"\xed\x9f\xbf", 3, true},
    {"\xee\x80\x80", 3, true},
    {"\xf0\x90\x80\x80", 4, true},
    {"\xf4\x8f\xbf\xbf", 4, true},
    {"a\0b", 3, false},
    {"\x80", 1, false},
    {"\xc0\x80", 2, false},
    {"\xc1\xbf", 2, false},
    {"\xe0\x9f\xbf", 3, false},
    {"\xed\xa0\x80", 3, false},
    {"\xf0\x8f\xbf\xbf", 4, false},
    {"\xf4\x90\x80\x80", 4, false},
    {"\xf5\x80\x80\x80", 4, false},
    {"\xff", 1, false},
    {"\xc3", 1, false},
    {"\xe2\x82", 2, false},
    {"\xf0\x9f\x98", 3, false},
    {"\xc3(", 2, false},
};

Test(text, utf8)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(utf8s); i++) {
        char *exact = malloc(utf8s[i].n + !utf8s[i].n);
        memcpy(exact, utf8s[i].s, utf8s[i].n);
        cr_assert_eq(tn_is_utf8(exact, utf8s[i].n), utf8s[i].ok, "row %zu", i);
        free(exact);
    }
}

Test(text, null_tolerant_comparison)
{
    cr_assert(tn_streq(NULL, NULL) && tn_streq("a", "a"));
    cr_assert(!tn_streq(NULL, "") && !tn_streq("", NULL));
    cr_assert_eq(tn_strcmp0(NULL, ""), 0);
    cr_assert_lt(tn_strcmp0(NULL, "a"), 0);
    cr_assert_gt(tn_strcmp0("b", "a"), 0);
}
