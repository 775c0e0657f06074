/* attr.h - the only place for compiler attributes. */
#ifndef TN_BASE_ATTR_H
#define TN_BASE_ATTR_H

/* The result must be looked at. */
#define TN_MUST_USE __attribute__((warn_unused_result))
/* printf-like: 'f' is the format's parameter number, 'a' the first value's. */
#define TN_PRINTF(f, a) __attribute__((format(printf, f, a)))
/* Runs 'fn' on the address of the variable when it leaves its scope. */
#define TN_CLEANUP(fn) __attribute__((cleanup(fn)))
#define TN_RETURNS_NONNULL __attribute__((returns_nonnull))
#define TN_NORETURN __attribute__((noreturn))
#define TN_UNUSED __attribute__((unused))

#define TN_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
