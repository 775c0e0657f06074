/* jq_program_test.c - programs that behave, and programs that try to pass by
 * failing, looping, eating, printing, halting or looking around. */
#include "reconciler/policy/jq_program.h"

#include <criterion/criterion.h>
#include <stdio.h>
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
    /* What cannot be read is still an objection. */
    {"\"/w==\" | @base64d", "\xef\xbf\xbd", 1, false},
    {"\"a\\u0000b\"", "(not readable)", 1, false},
    {"\"\\ud800\"", "surrogate", 0, true},
    {"\"\"", NULL, 1, false},
    {"{message: \"m\", message2: nan, subject: nan, origin: []}", "m", 1,
     false},
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
    {"def f: [f]; f", "it", 0, true},
    {"reduce range(3000000) as $i (0; [.]) | tostring", "it", 0, true},
    {"[limit(100000; repeat(\"a\"))] | getpath([range(100000)])", "it", 0,
     true},
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

/* Documents 0 to 'n' - 1, each with some bytes beside its number. */
struct many {
    unsigned n, at, heard;
    size_t bytes;
};

static bool
many_next(void *user, struct tn_text *json)
{
    struct many *m = user;
    if (m->at == m->n) {
        return false;
    }
    tn_text_addf(json, "{\"n\": %u, \"text\": \"", m->at++);
    for (size_t i = 0; i < m->bytes; i++) {
        tn_text_addc(json, 'x');
    }
    tn_text_add(json, "\"}");
    return true;
}

static void
many_found(void *user, const struct tn_jq_finding *items, size_t n)
{
    struct many *m = user;
    char want[32];
    snprintf(want, sizeof want, "document %u", m->heard);
    cr_assert_eq(n, m->heard % 3, "%u: %zu", m->heard, n);
    for (size_t i = 0; i < n; i++) {
        cr_assert_str_eq(items[i].message, want);
    }
    m->heard++;
}

static void
many_ignored(void *user, const struct tn_jq_finding *items, size_t n)
{
    (void) user;
    (void) items;
    (void) n;
}

/* Small and large documents, with little and much to say about each: neither
 * side may wait for the other for ever. */
Test(jq_program, many_documents)
{
    static const struct {
        unsigned n;
        size_t bytes;
        const char *hint;
    } sizes[] = {{3000, 10, "\"h\""}, {40, 300000, ".text"}, {0, 0, "\"h\""}};
    for (size_t i = 0; i < TN_ARRAY_SIZE(sizes); i++) {
        struct tn_arena *arena = tn_arena_new();
        struct tn_jq_options options = {.timeout_ms = 60000};
        struct tn_jq *jq = tn_jq_new(arena, &options);
        struct many m = {.n = sizes[i].n, .bytes = sizes[i].bytes};
        struct tn_jq_feed feed = {many_next, many_found, &m};
        struct tn_error err = {0};
        char program[200];
        size_t n_done = 1;
        snprintf(program, sizeof program,
                 "range(.n %% 3) as $i | {message: \"document \\(.n)\", "
                 "hint: (%s[0:20000])}",
                 sizes[i].hint);
        cr_assert_eq(tn_jq_compile(jq, program, &err), TN_OK);
        cr_assert_eq(tn_jq_run_all(jq, &feed, &n_done, &err), TN_OK);
        cr_expect_eq(n_done, sizes[i].n);
        cr_expect_eq(m.heard, sizes[i].n);
        tn_jq_close(jq);
        tn_arena_free(arena);
    }
}

/* One of many is at fault: those before it were heard, and it is named. */
Test(jq_program, one_of_many)
{
    static const char *const faults[] = {"error(\"x\")", "1", "def f: f; f",
                                         "[range(1e9)]", "\"x\" * 200000"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(faults); i++) {
        struct tn_arena *arena = tn_arena_new();
        struct tn_jq_options options = {.timeout_ms = 3000};
        struct tn_jq *jq = tn_jq_new(arena, &options);
        struct many m = {.n = 200};
        struct tn_jq_feed feed = {many_next, many_found, &m};
        struct tn_error err = {0};
        char program[200];
        size_t n_done = 0;
        snprintf(program, sizeof program,
                 "if .n == 77 then (%s) else range(.n %% 3) as $i | "
                 "\"document \\(.n)\" end",
                 faults[i]);
        cr_assert_eq(tn_jq_compile(jq, program, &err), TN_OK);
        cr_expect_eq(tn_jq_run_all(jq, &feed, &n_done, &err), TN_EINTENT);
        cr_expect_eq(n_done, 77, "%s: %zu", faults[i], n_done);
        cr_expect_eq(m.heard, 77);
        tn_jq_close(jq);
        tn_arena_free(arena);
    }
}

/* ---- several at a time -------------------------------------------------- */

enum { PROGRAMS = 7 };

struct crew {
    struct tn_jq_task *tasks;
    struct many docs[TN_JQ_CREW];
    enum tn_code code[PROGRAMS];
    size_t done[PROGRAMS];
    unsigned at[TN_JQ_CREW]; /* The program that the place is at. */
    unsigned next, ended;
};

/* Good ones, and such that loop, die, or say too much. */
static const struct {
    const char *program;
    enum tn_code code;
    size_t done;
} team[PROGRAMS] = {
    {"range(.n % 3) as $i | \"document \\(.n)\"", TN_OK, 300},
    {"if .n == 20 then def f: f; f else range(.n % 3) as $i | "
     "\"document \\(.n)\" end",
     TN_EINTENT, 20},
    {"if .n == 30 then [range(1e9)] else range(.n % 3) as $i | "
     "\"document \\(.n)\" end",
     TN_EINTENT, 30},
    {"range(.n % 3) as $i | \"document \\(.n)\"", TN_OK, 300},
    {"if .n == 7 then repeat(\"x\") else range(.n % 3) as $i | "
     "\"document \\(.n)\" end",
     TN_EINTENT, 7},
    {"range(.n % 3) as $i | \"document \\(.n)\"", TN_OK, 300},
    {"range(.n % 3) as $i | \"document \\(.n)\"", TN_OK, 300},
};

static bool
crew_begin(struct crew *c, struct tn_jq_task *task, size_t place)
{
    struct tn_error err = {0};
    if (c->next == PROGRAMS) {
        return false;
    }
    c->at[place] = c->next;
    c->docs[place] = (struct many){.n = 300, .bytes = 100};
    task->feed = (struct tn_jq_feed){many_next, many_found, &c->docs[place]};
    cr_assert_eq(tn_jq_compile(task->jq, team[c->next++].program, &err), TN_OK);
    return true;
}

static bool
crew_next(void *user, struct tn_jq_task *task)
{
    struct crew *c = user;
    size_t place = (size_t) (task - c->tasks);
    c->code[c->at[place]] = task->code;
    c->done[c->at[place]] = task->n_done;
    cr_expect_eq(c->docs[place].heard, task->n_done);
    c->ended++;
    return crew_begin(c, task, place);
}

/* What one does is no other's fault, and each is heard of. */
Test(jq_program, a_crew)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_jq_task tasks[3] = {{0}};
    struct crew c = {.tasks = tasks};
    struct tn_jq_options options = {.timeout_ms = 3000};
    struct tn_jq *started[3];
    struct tn_jq_crew crew = {crew_next, NULL, &c};
    for (size_t i = 0; i < TN_ARRAY_SIZE(tasks); i++) {
        started[i] = tasks[i].jq = tn_jq_new(arena, &options);
        cr_assert(crew_begin(&c, &tasks[i], i));
    }
    tn_jq_work(tasks, TN_ARRAY_SIZE(tasks), &crew);
    cr_expect_eq(c.ended, PROGRAMS);
    for (size_t i = 0; i < PROGRAMS; i++) {
        cr_expect_eq(c.code[i], team[i].code, "%zu", i);
        cr_expect_eq(c.done[i], team[i].done, "%zu: %zu", i, c.done[i]);
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(started); i++) {
        tn_jq_close(started[i]);
    }
    tn_arena_free(arena);
}

/* Small answers without end are too much in the end. */
Test(jq_program, all_that_it_says_is_bounded)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_jq_options options = {.timeout_ms = 60000};
    struct tn_jq *jq = tn_jq_new(arena, &options);
    struct many m = {.n = 10000};
    struct tn_jq_feed feed = {many_next, many_ignored, &m};
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    size_t n_done = 0;
    cr_assert_eq(tn_jq_compile(jq, "\"x\" * 60000", &err), TN_OK);
    cr_expect_eq(tn_jq_run_all(jq, &feed, &n_done, &err), TN_EINTENT);
    cr_expect(strstr(tn_error_text(&err, text, sizeof text), "MiB in all"),
              "%s", text);
    cr_expect_lt(n_done, 1000);
    tn_jq_close(jq);
    tn_arena_free(arena);
}
