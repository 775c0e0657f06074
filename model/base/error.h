/* error.h - one failure: filled at the failing seam, framed on the way up.
 *
 * A function that can fail returns 'enum tn_code' and takes 'struct tn_error
 * *err' last.  The caller owns the error, on its stack.  'err' may be null
 * where only the class matters.  Errors of documents, of which a run reports
 * all and not only the first, are collected as diagnostics: see diag.h. */
#ifndef TN_BASE_ERROR_H
#define TN_BASE_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/attr.h"

/* The class answers one question: what may the caller do next? */
enum tn_code {
    TN_OK = 0,
    TN_EINTENT,      /* The document is wrong.  Only a commit can fix it. */
    TN_ESTALE,       /* The world moved since observed.  Observe, replan. */
    TN_EUNAVAILABLE, /* Timeout, 5xx, locked, busy.  Retry with backoff. */
    TN_EDENIED,      /* Credentials, policy or budget.  No use to retry. */
    TN_EUNSUPPORTED, /* This driver or kernel cannot express that object. */
    TN_ENOENT,       /* What was asked for does not exist (file, ref, ...). */
    TN_EINTERNAL,    /* A bug of ours, or a resource of the machine ran out. */
};

/* A place in somebody's file.  'path' is borrowed from the arena of the parsed
 * document; line and column start at 1, and 0 is unknown. */
struct tn_origin {
    const char *path;
    uint32_t line, column;
};

enum { TN_ERROR_FRAMES = 8, TN_ERROR_TEXT = 1024 };

/* Lives on the caller's stack.  It has no destructor and never allocates, so
 * that reporting an error cannot itself fail.  Start with '= {0}'. */
struct tn_error {
    enum tn_code code;
    int sys;                 /* errno, HTTP status or NLE_*; 0 if none. */
    struct tn_origin origin; /* First known origin wins. */
    uint16_t used, n_frames; /* NUL-separated frames, innermost first. */
    uint16_t frame[TN_ERROR_FRAMES];
    char text[TN_ERROR_TEXT]; /* Truncated, never overrun. */
};

/* Starts an error (whatever was in it before is dropped) and returns 'code'.
 *     return tn_fail(err, TN_ESTALE, 409, "segment %s: changed", id); */
enum tn_code tn_fail(struct tn_error *err, enum tn_code code, int sys,
                     const char *fmt, ...) TN_PRINTF(4, 5) TN_MUST_USE;

/* The same for a system call: appends ": " and strerror(sys). */
enum tn_code tn_fail_sys(struct tn_error *err, enum tn_code code, int sys,
                         const char *fmt, ...) TN_PRINTF(4, 5) TN_MUST_USE;

/* Adds one frame of context and returns 'code' unchanged. */
enum tn_code tn_while(struct tn_error *err, enum tn_code code, const char *fmt,
                      ...) TN_PRINTF(3, 4) TN_MUST_USE;

/* Sets the origin unless one is known already. */
void tn_error_at(struct tn_error *err, struct tn_origin at);

/* Renders "path:line:col: outer: inner" into 'buf' and returns it. */
const char *tn_error_text(const struct tn_error *err, char *buf, size_t size);

/* "stale", "unavailable", ...: static text, for logs and JSON. */
const char *tn_code_name(enum tn_code code);

#endif
