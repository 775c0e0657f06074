/* diag.h - what is wrong with documents: all of it, with file:line:column.
 *
 * A list of findings that validation fills and the command line prints.  Each
 * worker thread fills a list of its own; tn_diags_merge joins them and
 * tn_diags_sort puts them in the order of files and lines, so that the report
 * does not depend on scheduling. */
#ifndef TN_BASE_DIAG_H
#define TN_BASE_DIAG_H

#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/error.h"

enum tn_diag_severity { TN_ERROR, TN_WARNING };

struct tn_diag {
    enum tn_diag_severity severity;
    struct tn_origin at;
    const char *tenant;  /* Whose failure it is; null: everybody's. */
    const char *message; /* One sentence, no newline, no trailing dot; control
                            characters of quoted input become '?'. */
    const char *hint;    /* "did you mean 'cidr'?"; null if none. */
};

/* Bounded: past TN_DIAGS_MAX findings are counted, not kept. */
enum { TN_DIAGS_MAX = 10000, TN_DIAG_TEXT = 1000 };

struct tn_diags {
    struct tn_arena *arena; /* Borrowed; messages and paths are copied in. */
    const char *tenant;     /* Given to each new finding; may be null. */
    TN_VEC(struct tn_diag) list;
    size_t n_errors, n_warnings; /* Also those that were not kept. */
    size_t n_dropped;            /* Of them, those that were not kept. */
    TN_VEC(const char *)
    failed; /* Whose errors were not kept; null as above. */
    struct tn_diag scratch;
};

void tn_diags_init(struct tn_diags *diags, struct tn_arena *arena);

/* Adds a finding and returns it so that a hint can be set; never null, but
 * past the bound it is a scratch object.  A message is cut after TN_DIAG_TEXT
 * bytes. */
struct tn_diag *tn_diag(struct tn_diags *diags, enum tn_diag_severity severity,
                        struct tn_origin at, const char *fmt, ...)
    TN_PRINTF(4, 5) TN_RETURNS_NONNULL;

/* Copies all of 'from' to the end of 'diags'. */
void tn_diags_merge(struct tn_diags *diags, const struct tn_diags *from);
/* By path, line, column, message; equal ones are dropped. */
void tn_diags_sort(struct tn_diags *diags);
/* True if some error belongs to 'tenant' (null: to everybody). */
bool tn_diags_failed(const struct tn_diags *diags, const char *tenant);

#endif
