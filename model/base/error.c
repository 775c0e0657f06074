/* error.c - frames in a fixed buffer.
 *
 * The text area holds NUL-terminated frames one after the other, innermost
 * first.  What does not fit is cut; nothing here allocates or fails. */
#include "model/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static TN_PRINTF(2, 0) void frame_add(struct tn_error *err, const char *fmt,
                                      va_list ap)
{
    if (err->n_frames == TN_ERROR_FRAMES || err->used >= TN_ERROR_TEXT - 1) {
        return;
    }
    size_t room = (size_t) (TN_ERROR_TEXT - err->used);
    int n = vsnprintf(err->text + err->used, room, fmt, ap);
    if (n < 0) {
        return;
    }
    size_t len = (size_t) n < room ? (size_t) n : room - 1;
    err->frame[err->n_frames++] = err->used;
    err->used = (uint16_t) (err->used + len + 1);
}

enum tn_code
tn_fail(struct tn_error *err, enum tn_code code, int sys, const char *fmt, ...)
{
    if (err) {
        *err = (struct tn_error){.code = code, .sys = sys};
        va_list ap;
        va_start(ap, fmt);
        frame_add(err, fmt, ap);
        va_end(ap);
    }
    return code;
}

enum tn_code
tn_fail_sys(struct tn_error *err, enum tn_code code, int sys, const char *fmt,
            ...)
{
    if (err) {
        char what[512];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(what, sizeof what, fmt, ap);
        va_end(ap);
        char name[128];
        const char *why = strerror_r(sys, name, sizeof name);
        return tn_fail(err, code, sys, "%s: %s", what, why);
    }
    return code;
}

enum tn_code
tn_while(struct tn_error *err, enum tn_code code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        frame_add(err, fmt, ap);
        va_end(ap);
    }
    return code;
}

void
tn_error_at(struct tn_error *err, struct tn_origin at)
{
    if (err && !err->origin.path) {
        err->origin = at;
    }
}

const char *
tn_error_text(const struct tn_error *err, char *buf, size_t size)
{
    size_t used = 0;
    int n = 0;
    buf[0] = '\0';
    if (err->origin.path) {
        n = snprintf(buf, size, "%s:%u:%u: ", err->origin.path,
                     err->origin.line, err->origin.column);
        used = n > 0 ? (size_t) n : 0;
    }
    for (unsigned i = err->n_frames; i > 0 && used < size; i--) {
        n = snprintf(buf + used, size - used, "%s%s",
                     err->text + err->frame[i - 1], i > 1 ? ": " : "");
        used += n > 0 ? (size_t) n : 0;
    }
    return buf;
}

const char *
tn_code_name(enum tn_code code)
{
    switch (code) {
    case TN_OK:
        return "ok";
    case TN_EINTENT:
        return "intent";
    case TN_ESTALE:
        return "stale";
    case TN_EUNAVAILABLE:
        return "unavailable";
    case TN_EDENIED:
        return "denied";
    case TN_EUNSUPPORTED:
        return "unsupported";
    case TN_ENOENT:
        return "not-found";
    case TN_EINTERNAL:
        return "internal";
    }
    return "?";
}
