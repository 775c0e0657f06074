/* escape_test.c - other people's words, one row a trick. */
#include "reconciler/review/escape.h"

#include <criterion/criterion.h>

struct row {
    void (*escape)(struct tn_text *out, const char *s);
    const char *in, *out;
};

static void
property(struct tn_text *out, const char *s)
{
    tn_esc_command(out, s, true);
}

static void
message(struct tn_text *out, const char *s)
{
    tn_esc_command(out, s, false);
}

Test(escape, rows)
{
    static const struct row rows[] = {
        {tn_esc_code, "web", "`web`"},
        {tn_esc_code, "", "`-`"},
        {tn_esc_code, "a`b", "``a`b``"},
        {tn_esc_code, "``", "``` `` ```"},
        {tn_esc_code, " x ", "`  x  `"},
        {tn_esc_code, "a\nb", "`a\\u000ab`"},
        {tn_esc_prose, "port 22 is open, and wide.",
         "port 22 is open, and wide."},
        {tn_esc_prose, "open to 0.0.0.0/0.", "open to `0.0.0.0/0`."},
        {tn_esc_prose, "ask @everyone, now", "ask `@everyone`, now"},
        {tn_esc_prose, "see #1 and !2 ~3 %4 &5 $6",
         "see `#1` and `!2` `~3` `%4` `&5` `$6`"},
        {tn_esc_prose, "/close it", "`/close` it"},
        {tn_esc_prose, "http://evil.example", "`http://evil.example`"},
        {tn_esc_prose, "www.evil.example", "`www.evil.example`"},
        {tn_esc_prose, "GH-12 JIRA-7", "`GH-12` `JIRA-7`"},
        {tn_esc_prose, "*a* _b_ <b>", "`*a*` `_b_` `<b>`"},
        {tn_esc_prose, "x\n\n@all", "`x\\u000a\\u000a@all`"},
        {tn_esc_prose, ":tada: a:b fd00::1", "`:tada`: a:b `fd00::1`"},
        {tn_esc_prose, "``` x", "```` ``` ```` x"},
        {tn_esc_prose, "a - b", "a - b"},
        {tn_esc_html, "</code>@x", "&#60;/code&#62;&#64;x"},
        {tn_esc_html, "a-b.c", "a-b.c"},
        {tn_esc_xml, "<a b=\"c\"> & ]]> '",
         "&#60;a b=&#34;c&#34;&#62; &#38; ]]&#62; &#39;"},
        {tn_esc_xml, "\x01\xef\xbf\xbf", "\\u0001?"},
        {tn_esc_uri, "//evil/a b%2.yml", "evil/a%20b%252.yml"},
        {tn_esc_uri, "javascript:x", "javascript%3Ax"},
        {message, "50% ::x\n##[group]", "50%25 ::x\\u000a# #[group]"},
        {property, "a:b,c", "a%3Ab%2Cc"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_text t = {0};
        rows[i].escape(&t, rows[i].in);
        cr_expect_str_eq(tn_text_str(&t), rows[i].out, "row %zu: %s", i,
                         tn_text_str(&t));
        tn_text_done(&t);
    }
}
