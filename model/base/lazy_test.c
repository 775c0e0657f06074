/* lazy_test.c - libraries that are there, that are not, and threads. */
#include "model/base/lazy.h"

#include <dlfcn.h>
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>
#include <microhttpd.h>

/* In no library. */
double tn_no_such(double x);

#define MATHS(X)                                                               \
    X(floor)                                                                   \
    X(hypot)
#define SURPLUS(X)                                                             \
    X(cosh)                                                                    \
    X(tn_no_such)
#define NOTHING(X) X(sinh)
#define NOTHING_ELSE(X) X(tanh)
#define LISTENER(X) X(MHD_get_version)

TN_LAZY(maths, MATHS, "libm.so.6", "libc6");
TN_LAZY(surplus, SURPLUS, "libm.so.6", "libc-that-has-it");
TN_LAZY(nothing, NOTHING, "libtn-nothing.so.7", "libtn-nothing7");
TN_LAZY(elsewhere, NOTHING_ELSE, "libtn-nothing.so.7", "");
TN_LAZY(listener, LISTENER, TN_SONAME_MHD, TN_PACKAGE_MHD);

Test(lazy, functions_are_called)
{
    struct tn_error err = {0};
    cr_assert_null(sym_floor);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(tn_lazy_load(&maths, &err), TN_OK);
        cr_expect_eq(sym_hypot(3, 4), 5.0);
        cr_expect_eq(sym_floor(3.5), 3.0);
    }
}

Test(lazy, a_missing_library_is_named_with_its_package)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(tn_lazy_load(&nothing, &err), TN_EUNSUPPORTED);
        tn_error_text(&err, text, sizeof text);
        cr_expect(strstr(text, "libtn-nothing.so.7: "), "%s", text);
        cr_expect(strstr(text, "(Debian package libtn-nothing7)"), "%s", text);
    }
    cr_assert_eq(tn_lazy_load(&elsewhere, &err), TN_EUNSUPPORTED);
    tn_error_text(&err, text, sizeof text);
    cr_expect(!strstr(text, "Debian"), "%s", text);
}

Test(lazy, a_missing_function_is_named_with_its_library)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    cr_assert_eq(tn_lazy_load(&surplus, &err), TN_EUNSUPPORTED);
    tn_error_text(&err, text, sizeof text);
    cr_expect(strstr(text, "libm.so.6"), "%s", text);
    cr_expect(strstr(text, "tn_no_such"), "%s", text);
    cr_expect(strstr(text, "libc-that-has-it"), "%s", text);
}

/* Its names do not meet those of the program. */
Test(lazy, names_stay_its_own)
{
    struct tn_error err = {0};
    cr_assert_eq(tn_lazy_load(&listener, &err), TN_OK);
    cr_expect_not_null(sym_MHD_get_version());
    cr_expect_null(dlsym(RTLD_DEFAULT, "MHD_get_version"));
}

static void *
load_and_call(void *barrier)
{
    struct tn_error err = {0};
    pthread_barrier_wait(barrier);
    enum tn_code code = tn_lazy_load(&maths, &err);
    return code || sym_hypot(6, 8) != 10.0 ? barrier : NULL;
}

Test(lazy, many_threads_at_once)
{
    pthread_t threads[16];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, TN_ARRAY_SIZE(threads));
    for (size_t i = 0; i < TN_ARRAY_SIZE(threads); i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, load_and_call, &barrier),
                     0);
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(threads); i++) {
        void *bad = NULL;
        pthread_join(threads[i], &bad);
        cr_expect_null(bad);
    }
    pthread_barrier_destroy(&barrier);
}
