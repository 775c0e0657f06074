/* lazy.h - a shared library that is loaded when it is first used.
 *
 * The dynamic linker's work at start grows with the libraries of a program, and
 * most commands use neither HTTP nor TLS nor an event loop.  A library that
 * only some commands need is therefore not linked; its functions are called
 * through pointers, which tn_lazy_load() sets.  In the one file that uses it:
 *
 *     #include <zlib.h>
 *
 *     #define ZLIB(X)                                                        \
 *         X(compress)                                                        \
 *         X(uncompress)
 *     TN_LAZY(zlib, ZLIB, TN_SONAME_ZLIB, TN_PACKAGE_ZLIB);
 *
 *     enum tn_code code = tn_lazy_load(&zlib, err);
 *     if (!code) {
 *         sym_compress(...);
 *     }
 *
 * Types are those of the library's own header.  The two names come from the
 * build, which reads them from the library that it found: tn_lazy() in
 * ci/cmake/TenetModule.cmake, and TenetLazy::ZLIB in the module's LIBS.
 *
 * The pointers and the state are mutable at file scope: the one exception from
 * the rule.  They are what the linker's own table of functions would be, are
 * written once, all to the same values whoever comes first, and say nothing
 * about a run.
 *
 * The Debian package depends on these libraries because a second object is
 * made of each such file with TN_LAZY_LINK, where the pointers begin as the
 * functions themselves: what dpkg-shlibdeps(1) reads (TenetPackage.cmake). */
#ifndef TN_BASE_LAZY_H
#define TN_BASE_LAZY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/base/error.h"

struct tn_lazy_symbol {
    const char *name;
    void *pointer; /* Of the variable that will hold its address. */
};

struct tn_lazy_state {
    pthread_mutex_t lock;
    bool loaded; /* Atomic. */
};

/* Not to be made by hand: TN_LAZY() does it. */
struct tn_lazy {
    const char *soname;  /* "libz.so.1" */
    const char *package; /* "zlib1g": Debian's; "" if not known. */
    const struct tn_lazy_symbol *symbols;
    size_t n_symbols;
    struct tn_lazy_state *state;
};

#ifdef TN_LAZY_LINK
#define TN_LAZY_POINTER(fn) static __typeof__(fn) *sym_##fn = fn;
#else
#define TN_LAZY_POINTER(fn) static __typeof__(fn) *sym_##fn;
#endif
#define TN_LAZY_SYMBOL(fn) {#fn, (void *) &sym_##fn},

/* Declares the pointers 'sym_FUNCTION' of all functions in 'LIST', and the
 * library itself as 'id', all static. */
#define TN_LAZY(id, LIST, so, deb)                                             \
    LIST(TN_LAZY_POINTER)                                                      \
    static const struct tn_lazy_symbol id##_symbols[] = {                      \
        LIST(TN_LAZY_SYMBOL)};                                                 \
    static struct tn_lazy_state id##_state = {                                 \
        .lock = PTHREAD_MUTEX_INITIALIZER,                                     \
    };                                                                         \
    static const struct tn_lazy id = {                                         \
        .soname = (so),                                                        \
        .package = (deb),                                                      \
        .symbols = id##_symbols,                                               \
        .n_symbols = TN_ARRAY_SIZE(id##_symbols),                              \
        .state = &id##_state,                                                  \
    }

/* Loads the library for good and sets the pointers of all its functions; does
 * nothing if that was done before.  Any thread may call it at any time, and the
 * functions may be called by whoever saw it succeed.  TN_EUNSUPPORTED, with the
 * library or the function that is missing and the package that has it. */
enum tn_code tn_lazy_load(const struct tn_lazy *library,
                          struct tn_error *err) TN_MUST_USE;

#endif
