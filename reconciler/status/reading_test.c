/* reading_test.c - members that are there, absent and wrong. */
#include "reconciler/status/reading.h"

#include <criterion/criterion.h>
#include <string.h>

#include "model/base/text.h"

#define ID "1111111111111111111111111111111111111111"

static const struct tn_node *
parse(struct tn_arena *arena, const char *text)
{
    struct tn_diags diags;
    const struct tn_node **docs = NULL;
    size_t n = 0;
    tn_diags_init(&diags, arena);
    cr_assert(tn_yaml_parse(arena, "t", text, strlen(text), TN_YAML_STRICT,
                            &tn_yaml_limits_default, &docs, &n, &diags));
    cr_assert_eq(n, 1);
    return docs[0];
}

/* 't' is read as a text, 's' as a time, 'c' as a commit. */
static const struct {
    const char *yaml, *text, *commit;
    int64_t time;
    const char *why;
} rows[] = {
    {"{t: abc, s: \"2026-11-21T06:00:00Z\", c: \"" ID "\"}", "abc", ID,
     1795240800, NULL},
    {"{x: 1}", NULL, NULL, 0, NULL},
    {"{t: null, s: ~, c: }", NULL, NULL, 0, NULL},
    {"{t: \"\"}", NULL, NULL, 0, NULL},
    {"t: [a]", NULL, NULL, 0, "line 1: text is expected"},
    {"x: 1\nt: {a: b}", NULL, NULL, 0, "line 2: text is expected"},
    {"t: 12345678901", NULL, NULL, 0, "line 1: the text is too long"},
    {"s: \"yesterday\"", NULL, NULL, 0, "line 1: not a time like"},
    {"c: abc", NULL, "abc", 0, "line 1: not the id of a commit"},
    {"c: " ID "g", NULL, NULL, 0, "line 1: the text is too long"},
    {"x: 1\nt: {}\ns: later", NULL, NULL, 0, "line 2: text is expected"},
};

Test(reading, keeps_the_first_fault)
{
    struct tn_arena *arena = tn_arena_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct tn_node *map = parse(arena, rows[i].yaml);
        struct tn_reading r = {.arena = arena, .text_max = 10};
        cr_expect(tn_streq(tn_reading_text(&r, map, "t"), rows[i].text), "%s",
                  rows[i].yaml);
        r.text_max = 40;
        cr_expect_eq(tn_reading_time(&r, map, "s"), rows[i].time, "%s",
                     rows[i].yaml);
        cr_expect(tn_streq(tn_reading_commit(&r, map, "c"), rows[i].commit),
                  "%s", rows[i].yaml);
        cr_expect(rows[i].why ? r.why && strstr(r.why, rows[i].why) : !r.why,
                  "%s: %s", rows[i].yaml, r.why ? r.why : "");
    }
    tn_arena_free(arena);
}
