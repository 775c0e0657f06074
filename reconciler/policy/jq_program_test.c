/* jq_program_test.c - programs that behave, and programs that try to pass by
 * failing, looping, eating, printing, halting or looking around. */
#include "reconciler/policy/jq_program.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *program;
    const char *says; /* First finding's message, or part of the error. */
    size_t n;         /* Findings. */
    bool fails;
};

static const struct row rows[] = {
    {"\"no\"", "no", 1, false},
    {"\"a\", \"b\"", "a", 2, false},
    {"empty", NULL, 0, false},
    {".ports[] | select(. > 1) | \"port \\(.)\"", "port 2", 2, false},
    {"{message: \"m\", subject: \"s\", origin: {path: \"p\", line: 3}}", "m", 1,
     false},
    {"# a comment\n\"x\"", "x", 1, false},
    /* What is no finding is a mistake, not silence. */
    {"null", "null", 0, true},
    {"false", "a boolean", 0, true},
    {"1", "a number", 0, true},
    {"[]", "a list", 0, true},
    {"{}", "an object without 'message'", 0, true},
    {"{message: 1}", "an object without 'message'", 0, true},
    {"\"fine\", 7", "a number", 0, true},
    {".nothing[]", "Cannot iterate over null", 0, true},
    {"error(\"mine\")", "mine", 0, true},
    {"error({a: 1})", "{\"a\":1}", 0, true},
    {"error(null)", "null", 0, true},
    /* Does not compile. */
    {"..ports[", "syntax error", 0, true},
    {"", NULL, 0, true},
    {"nosuch", "nosuch/0 is not defined", 0, true},
    {"$nosuch", "nosuch", 0, true},
    {"import \"a\" as a; \"x\"", "syntax error", 0, true},
    {"include \"a\"; \"x\"", "syntax error", 0, true},
    {"module {a: 1}; \"x\"", "syntax error", 0, true},
    /* Looks around. */
    {"env.HOME", "policies have no 'env'", 0, true},
    {"$ENV | length | \"n=\\(.)\"", "policies have no 'ENV'", 0, true},
    {"$ #\n ENV.HOME", "policies have no 'ENV'", 0, true},
    {".ENVIRONMENT | \"x\"", "x", 1, false},
    {"input", "policies have no 'input'", 0, true},
    {"[inputs] | \"x\"", "policies have no 'inputs'", 0, true},
    {"input_filename", "policies have no", 0, true},
    {"\"a\" | modulemeta", "policies have no", 0, true},
    {"now", "policies have no 'now'", 0, true},
    {"debug", "policies have no 'debug'", 0, true},
    {"\"x\" | stderr", "policies have no 'stderr'", 0, true},
    {"get_search_list", "policies have no", 0, true},
    /* Ends, loops, eats, prints. */
    {"halt", "policies have no 'halt'", 0, true},
    {"\"x\" | halt_error", "policies have no 'halt_error'", 0, true},
    {"\"x\" | halt_error(0)", "policies have no 'halt_error'", 0, true},
    {"def f: f; f", "it took over", 0, true},
    {"[range(1e9)]", "it", 0, true},
    {"\"x\" * 1e9", "it", 0, true},
    {"repeat(\"x\")", "too much to say", 0, true},
    {"\"x\" * 100000", "too much to say", 0, true},
    {"range(5000) | \"x\"", "too much to say", 0, true},
};

static void
check(const struct row *row)
{
    struct tn_arena *arena = tn_arena_new();
    /* Only those that go on for ever are waited for less. */
    bool endless = row->says && (strncmp(row->says, "it", 2) == 0);
    struct tn_jq_options options = {.timeout_ms = endless ? 1500 : 60000};
    struct tn_jq *jq = tn_jq_new(arena, &options);
    struct tn_text json = {0};
    struct tn_error err = {0};
    const struct tn_jq_finding *f = NULL;
    char text[TN_ERROR_TEXT];
    size_t n = 0;
    tn_text_add(&json, "{\"ports\": [1, 2, 3], \"secret\": null}");
    enum tn_code code = tn_jq_compile(jq, row->program, &err);
    code = code ? code : tn_jq_run(jq, &json, &f, &n, &err);
    const char *said =
        code ? tn_error_text(&err, text, sizeof text) : (n ? f[0].message : "");
    cr_expect_eq(code, row->fails ? TN_EINTENT : TN_OK, "%s: %s", row->program,
                 said);
    cr_expect_eq(n, row->n, "%s: %zu", row->program, n);
    cr_expect(!row->says || strstr(said, row->says), "%s: %s", row->program,
              said);
    tn_jq_close(jq);
    tn_text_done(&json);
    tn_arena_free(arena);
}

Test(jq_program, rows)
{
    setenv("HOME", "/", 1);
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        check(&rows[i]);
    }
}

/* The next program gets a process of its own. */
Test(jq_program, goes_on_after_one_that_died)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_jq_options options = {.timeout_ms = 300};
    struct tn_jq *jq = tn_jq_new(arena, &options);
    struct tn_text json = {0};
    struct tn_error err = {0};
    const struct tn_jq_finding *f = NULL;
    size_t n = 0;
    tn_text_add(&json, "{}");
    cr_assert_eq(tn_jq_compile(jq, "def f: f; f", &err), TN_OK);
    cr_expect_eq(tn_jq_run(jq, &json, &f, &n, &err), TN_EINTENT);
    cr_expect_eq(tn_jq_run(jq, &json, &f, &n, &err), TN_EINTENT);
    options.timeout_ms = 0;
    tn_jq_close(jq);
    jq = tn_jq_new(arena, &options);
    cr_assert_eq(tn_jq_compile(jq,
                               "{message: \"m\", hint: \"h\", "
                               "origin: {path: \"p\", line: 3}}",
                               &err),
                 TN_OK);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(tn_jq_run(jq, &json, &f, &n, &err), TN_OK);
        cr_assert_eq(n, 1);
        cr_expect_str_eq(f[0].hint, "h");
        cr_expect_str_eq(f[0].path, "p");
        cr_expect_eq(f[0].line, 3);
    }
    cr_assert_eq(tn_jq_compile(jq, "empty", &err), TN_OK);
    cr_assert_eq(tn_jq_run(jq, &json, &f, &n, &err), TN_OK);
    cr_expect_eq(n, 0);
    tn_jq_close(jq);
    tn_text_done(&json);
    tn_arena_free(arena);
}

Test(jq_program, a_helper_that_is_not_there)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_jq_options options = {.helper = "/nonexistent"};
    struct tn_jq *jq = tn_jq_new(arena, &options);
    struct tn_error err = {0};
    cr_expect_neq(tn_jq_compile(jq, "empty", &err), TN_OK);
    tn_jq_close(jq);
    tn_arena_free(arena);
}
