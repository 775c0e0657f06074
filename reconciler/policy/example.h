/* example.h - the intent repository of an example of a policy.
 *
 * Private to reconciler/policy. */
#ifndef TN_POLICY_EXAMPLE_H
#define TN_POLICY_EXAMPLE_H

#include "model/source.h"

enum { TN_EXAMPLE_FILES = 4 };

struct tn_example_file {
    const char *path, *text; /* Borrowed. */
};

/* A source over the files, which are sorted by path; the caller frees it. */
enum tn_code tn_example_source(const struct tn_example_file *files, size_t n,
                               struct tn_source **out,
                               struct tn_error *err) TN_MUST_USE;

#endif
