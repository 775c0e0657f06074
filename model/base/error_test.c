/* error_test.c - frames, truncation, rendering. */
#include "model/base/error.h"

#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

Test(error, frames_read_from_the_outside_in)
{
    struct tn_error err = {0};
    char buf[256];
    enum tn_code c = tn_fail(&err, TN_ESTALE, 409, "segment %s changed", "s1");
    c = tn_while(&err, c, "device %s", "hv1");
    c = tn_while(&err, c, "apply");
    cr_assert_eq(c, TN_ESTALE);
    cr_assert_eq(err.code, TN_ESTALE);
    cr_assert_eq(err.sys, 409);
    cr_assert_str_eq(tn_error_text(&err, buf, sizeof buf),
                     "apply: device hv1: segment s1 changed");
    tn_error_at(&err, (struct tn_origin){"a.yml", 3, 7});
    tn_error_at(&err, (struct tn_origin){"b.yml", 1, 1});
    cr_assert_str_eq(tn_error_text(&err, buf, sizeof buf),
                     "a.yml:3:7: apply: device hv1: segment s1 changed");
}

Test(error, a_new_failure_forgets_the_old)
{
    struct tn_error err = {0};
    char buf[256];
    cr_assert_eq(tn_fail(&err, TN_ESTALE, 1, "old"), TN_ESTALE);
    tn_error_at(&err, (struct tn_origin){"a.yml", 3, 7});
    cr_assert_eq(tn_fail_sys(&err, TN_ENOENT, ENOENT, "open %s", "x"),
                 TN_ENOENT);
    cr_assert_eq(err.code, TN_ENOENT);
    cr_assert_eq(err.sys, ENOENT);
    cr_assert_str_eq(tn_error_text(&err, buf, sizeof buf),
                     "open x: No such file or directory");
}

Test(error, null_keeps_the_class)
{
    cr_assert_eq(tn_fail(NULL, TN_EDENIED, 0, "x"), TN_EDENIED);
    cr_assert_eq(tn_fail_sys(NULL, TN_EUNAVAILABLE, EBUSY, "x"),
                 TN_EUNAVAILABLE);
    cr_assert_eq(tn_while(NULL, TN_EDENIED, "x"), TN_EDENIED);
    tn_error_at(NULL, (struct tn_origin){"a", 1, 1});
}

Test(error, too_much_text_is_cut)
{
    struct tn_error err = {0};
    char many[2000], buf[4000], tiny[8];
    memset(many, 'x', sizeof many);
    many[sizeof many - 1] = '\0';
    cr_assert_eq(tn_fail(&err, TN_EINTERNAL, 0, "%s", many), TN_EINTERNAL);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(tn_while(&err, TN_EINTERNAL, "frame %d", i), TN_EINTERNAL);
    }
    cr_assert_leq(err.used, TN_ERROR_TEXT);
    cr_assert_leq(strlen(tn_error_text(&err, buf, sizeof buf)), TN_ERROR_TEXT);
    for (size_t n = 1; n <= sizeof tiny; n++) {
        cr_assert_lt(strlen(tn_error_text(&err, tiny, n)), n);
    }
}

Test(error, too_many_frames_are_cut)
{
    struct tn_error err = {0};
    char buf[512];
    cr_assert_eq(tn_fail(&err, TN_EINTERNAL, 0, "f0"), TN_EINTERNAL);
    for (int i = 1; i < 12; i++) {
        cr_assert_eq(tn_while(&err, TN_EINTERNAL, "f%d", i), TN_EINTERNAL);
    }
    cr_assert_str_eq(tn_error_text(&err, buf, sizeof buf),
                     "f7: f6: f5: f4: f3: f2: f1: f0");
}

Test(error, classes_have_different_names)
{
    for (int a = TN_OK; a <= TN_EINTERNAL; a++) {
        for (int b = TN_OK; b < a; b++) {
            cr_assert_str_neq(tn_code_name((enum tn_code) a),
                              tn_code_name((enum tn_code) b));
        }
    }
    cr_assert_str_eq(tn_code_name(TN_EINTENT), "intent");
}
