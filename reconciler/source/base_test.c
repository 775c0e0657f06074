/* base_test.c - where lines of commits parted; tests/review/ci_test.py
 * has the shallow clones. */
#include "reconciler/source/source.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/source/sandbox.h"

static struct tn_sandbox box;

static void
setup(void)
{
    tn_sandbox_init(&box);
    tn_sandbox_sh(&box,
                  "git init -q -b main r && cd r && "
                  "for i in 1 2 3; do git commit -q --allow-empty -m $i; done; "
                  "git checkout -q -b mr HEAD~1 && "
                  "git commit -q --allow-empty -m change && "
                  "git checkout -q --orphan alien && "
                  "git commit -q --allow-empty -m alien");
    tn_sandbox_sh(&box,
                  "git clone -q --depth=1 --no-single-branch "
                  "file://%s/r shallow",
                  box.dir);
}

static void
teardown(void)
{
    tn_sandbox_done(&box);
}

TestSuite(base, .init = setup, .fini = teardown);

struct row {
    const char *repo, *one, *two, *subject; /* Of the base; null: none. */
    const char *says;
};

Test(base, rows)
{
    static const struct row rows[] = {
        {"r", "main", "mr", "2", NULL},
        {"r", "mr", "main", "2", NULL},
        {"r", "mr", "mr", "change", NULL},
        {"r", "main~1", "mr", "2", NULL},
        {"r", "main", "alien", NULL, "no common ancestor"},
        {"r", "main", "nowhere", NULL, "no revision 'nowhere'"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        char path[128], text[TN_ERROR_TEXT + 256];
        struct tn_commit base;
        struct tn_error err = {0};
        snprintf(path, sizeof path, "%s/%s", box.dir, rows[i].repo);
        enum tn_code code =
            tn_source_merge_base(path, rows[i].one, rows[i].two, &base, &err);
        cr_expect_eq(code, rows[i].subject ? TN_OK : TN_ENOENT, "row %zu", i);
        if (rows[i].subject && !code) {
            cr_expect_str_eq(base.subject, rows[i].subject, "row %zu", i);
        } else if (code) {
            tn_error_text(&err, text, sizeof text);
            cr_expect_not_null(strstr(text, rows[i].says), "row %zu: %s", i,
                               text);
        }
    }
}
