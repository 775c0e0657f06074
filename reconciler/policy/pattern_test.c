/* pattern_test.c - patterns that would take all memory, or all time, are not
 * compiled; those that people write are. */
#include "reconciler/policy/pattern.h"

#include <criterion/criterion.h>
#include <string.h>

#include "model/base/arena.h"

struct row {
    const char *pattern;
    const char *says; /* Null: it may be compiled. */
};

static const struct row rows[] = {
    {"[a-z]+(-[a-z0-9]+)*", NULL},
    {"([a-z]{2,8}-){3}[a-z]+", NULL},
    {"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", NULL},
    {"((web|app|db)-(dev|prod)-)?[0-9]{1,3}", NULL},
    {"(a+)+", NULL},
    {"((a+)*b)*", NULL},
    {"[]a-z{}()+]{3}", NULL},
    {"[^][:alpha:]{9}]*(x)", NULL},
    {"\\(a\\)\\{3\\}", NULL},
    {"", NULL},
    {"(", NULL},
    {")", NULL},
    {"*", NULL},
    {"[", NULL},
    {"[a", NULL},
    {"\\", NULL},
    {"a{", NULL},
    {"a{1,1000}", NULL},
    {"a{1,1001}", "repetitions"},
    {"a{99999999999999999999}", "repetitions"},
    {"(a{1,255}){1,255}", "repetitions"},
    {"((a{1,255}){1,255}){1,255}", "repetitions"},
    {"(((a*)*b*){10}){10}", "a group that is repeated"},
    {"((((a)+)+)+)+", "a group that is repeated"},
    {"(a)++++", "a group that is repeated"},
    {"a++++++++++++++++++++", "repetitions"},
    {"a{9}{9}{9}{9}", "repetitions"},
    {"(a)\\1", "refers back"},
    {"((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))",
     "nested too deeply"},
};

Test(pattern, rows)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        const char *excess = tn_pattern_excess(r->pattern);
        cr_expect_eq(excess != NULL, r->says != NULL, "%s: %s", r->pattern,
                     excess ? excess : "fine");
        cr_expect(!excess || !r->says || strstr(excess, r->says), "%s: %s",
                  r->pattern, excess);
    }
}
