/* status_bench.c - see status_bench.h. */
#include "reconciler/status/status_bench.h"

#include <criterion/criterion.h>

static struct tn_status_bench bench;

void
tn_status_bench_setup(void)
{
    tn_sandbox_init(&bench.box);
    bench.arena = tn_arena_new();
    tn_sandbox_sh(&bench.box,
                  "git init -q -b main r && cd r && echo x > tenet.yml && "
                  "git add . && git commit -qm First");
    bench.repo = tn_arena_printf(bench.arena, "%s/r", bench.box.dir);
}

void
tn_status_bench_teardown(void)
{
    tn_arena_free(bench.arena);
    tn_sandbox_done(&bench.box);
}

struct tn_status_bench *
tn_status_bench(void)
{
    return &bench;
}

const struct tn_status *
tn_status_bench_load(void)
{
    const struct tn_status *s = NULL;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_status_load(bench.repo, NULL, bench.arena, &s, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    return s;
}

struct tn_status_result
tn_status_bench_commit(const struct tn_status_update *update)
{
    struct tn_status_result r;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_status_commit(bench.repo, NULL, update, &r, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    return r;
}
