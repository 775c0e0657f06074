/* name_test.c - which names are refused, and how texts are cleaned. */
#include "reconciler/source/name.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct {
    const char *name;
    const char *fault; /* Null: accepted. */
} names[] = {
    {"tenet.yml", NULL},
    {"a", NULL},
    {".hidden", NULL},
    {"...", NULL},
    {".gitignore", NULL},
    {".gitattributes", NULL},
    {"M\xc3\xbcnchen.yml", NULL},
    {"\xf0\x9f\x8c\x8d.yml", NULL},
    {"with space", NULL},
    {"", "an empty name"},
    {".", "a reserved name"},
    {"..", "a reserved name"},
    {".git", "a reserved name"},
    {".GiT", "a reserved name"},
    {"a/b", "a slash or a backslash"},
    {"..\\b", "a slash or a backslash"},
    {"a\nb", "control or invisible"},
    {"a\x1b[2Jb", "control or invisible"},
    {"a\x7f", "control or invisible"},
    {"a\xc2\x85", "control or invisible"},
    {"a\xe2\x80\xae\x65xe", "control or invisible"},
    {"a\xe2\x81\xa6", "control or invisible"},
    {"a\xe2\x80\x8b", "control or invisible"},
    {"\xef\xbb\xbf"
     "a",
     "control or invisible"},
    {"a\xff", "not UTF-8"},
    {"a\xc0\xaf", "not UTF-8"},
    {"a\xed\xa0\x80", "not UTF-8"},
    {"a\xf4\x90\x80\x80", "not UTF-8"},
    {"a\xe2\x80", "not UTF-8"},
};

Test(name, refuses_what_hides_or_escapes)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        enum tn_code code =
            tn_name_check("dir", names[i].name, strlen(names[i].name), &err);
        tn_error_text(&err, text, sizeof text);
        if (!names[i].fault) {
            cr_assert_eq(code, TN_OK, "%s: %s", names[i].name, text);
            continue;
        }
        cr_assert_eq(code, TN_EINTENT, "row %zu was accepted", i);
        cr_assert(strstr(text, names[i].fault), "row %zu: %s", i, text);
        cr_assert(strstr(text, "dir/"), "%s", text);
        for (const char *p = text, *end = p + strlen(p); p < end;) {
            bool bad = false;
            cr_assert(!tn_is_unsafe_char(tn_utf8_next(&p, end, &bad)) && !bad,
                      "row %zu: the message is not safe", i);
        }
    }
}

Test(name, refuses_long_names)
{
    char name[257];
    memset(name, 'a', sizeof name);
    cr_assert_eq(tn_name_check("", name, 255, NULL), TN_OK);
    cr_assert_eq(tn_name_check("", name, 256, NULL), TN_EINTENT);
}

static const struct {
    const char *in, *clean, *show;
    size_t size;
} texts[] = {
    {"plain", "plain", "plain", 64},
    {"a\nb", "a?b", "a\\x0ab", 64},
    {"a\xff\xfe", "a??", "a\\xff\\xfe", 64},
    {"\xe2\x80\xae!", "?!", "\\xe2\\x80\\xae!", 64},
    {"\xc3\xbc", "\xc3\xbc", "\xc3\xbc", 64},
    {"\xc3\xbc", "", "", 2},
    {"ab\xc3\xbc", "ab", "ab", 4},
    {"abcdef", "abc", "abc", 4},
    {"ab\x01", "ab?", "ab", 4},
    {"", "", "", 1},
};

Test(name, cleans_and_shows)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(texts); i++) {
        char buf[64];
        size_t n = strlen(texts[i].in);
        cr_assert_str_eq(tn_clean(buf, texts[i].size, texts[i].in, n),
                         texts[i].clean);
        cr_assert_str_eq(tn_show(buf, texts[i].size, texts[i].in, n),
                         texts[i].show);
    }
}

Test(name, sorts_and_finds_case_twins)
{
    struct tn_entry good[] = {
        {.name = "b"}, {.name = "a-b"}, {.name = "a"}, {.name = "A2"}};
    struct tn_entry twins[] = {
        {.name = "web"}, {.name = "db"}, {.name = "Web"}};
    struct tn_entry same[] = {{.name = "web"}, {.name = "web"}};
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    cr_assert_eq(tn_entries_finish("d", good, 4, &err), TN_OK);
    cr_assert_str_eq(good[0].name, "A2");
    cr_assert_str_eq(good[1].name, "a");
    cr_assert_str_eq(good[2].name, "a-b");
    cr_assert_eq(tn_entries_finish("d", twins, 3, &err), TN_EINTENT);
    cr_assert(strstr(tn_error_text(&err, text, sizeof text), "d/Web"), "%s",
              text);
    cr_assert_eq(tn_entries_finish("d", same, 2, &err), TN_EINTENT);
    cr_assert_eq(tn_entries_finish("", NULL, 0, &err), TN_OK);
}
