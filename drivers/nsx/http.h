/* http.h - HTTPS requests to managers, several under way: libcurl's seam.
 *
 * TLS is verified, TLS 1.2 at least; HTTP/1.1 with connections kept; nothing of
 * the environment (proxies, .netrc) counts; no redirect is followed; bodies and
 * times are bounded.  A request is sent once: where a kept connection turns out
 * to be dead, a read is sent again on another, a write is not.
 *
 * What is told of failures holds no header, no body and no URL. */
#ifndef TN_NSX_HTTP_H
#define TN_NSX_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"
#include "model/base/text.h"

struct tn_nsx_http;

enum {
    TN_NSX_BODY_MAX = 256 * 1024 * 1024,
    TN_NSX_LINES_MAX = 8,
    TN_NSX_LINE_MAX = 2048, /* Of what is kept of one header. */
};

/* Files are borrowed for the life of the client. */
struct tn_nsx_http_options {
    const char *ca, *certificate, *key; /* PEM; null: the system's, none. */
    unsigned connections;               /* To be kept. */
};

enum tn_code tn_nsx_http_new(const struct tn_nsx_http_options *options,
                             struct tn_nsx_http **out,
                             struct tn_error *err) TN_MUST_USE;
/* Drops what is under way.  Accepts null. */
void tn_nsx_http_free(struct tn_nsx_http *http);

/* Control characters are refused. */
struct tn_nsx_line {
    const char *name, *value;
};

/* 'body' is borrowed until it is answered, all else for the call; copies of
 * lines are wiped. */
struct tn_nsx_request {
    const char *method, *url;
    const struct tn_nsx_line *lines;
    size_t n_lines; /* At most TN_NSX_LINES_MAX. */
    const char *body;
    size_t n_body;
    unsigned timeout_ms; /* Without a byte either way; four times that in all.
                          */
    size_t most;         /* Of the answer's body; 0: TN_NSX_BODY_MAX. */
    void *tag;
};

enum tn_nsx_fate {
    TN_NSX_ANSWERED,
    TN_NSX_UNSENT,    /* Nothing of it was sent. */
    TN_NSX_CUT,       /* It was sent, and no whole answer came. */
    TN_NSX_UNTRUSTED, /* TLS: the peer's certificate, or ours. */
    TN_NSX_TOO_LARGE, /* 'status' holds, the body is not whole. */
};

/* Texts are never null. */
struct tn_nsx_answer {
    void *tag;
    enum tn_nsx_fate fate;
    int status;
    struct tn_text body;
    char why[256];                  /* Of a failure. */
    char location[TN_NSX_LINE_MAX]; /* Headers; "": none. */
    char cookies[TN_NSX_LINE_MAX];  /* "name=value; name=value" */
    char token[TN_NSX_LINE_MAX];    /* X-XSRF-TOKEN */
    unsigned retry_after_s;
};

/* TN_EINTERNAL: it was not begun, and will not be answered. */
enum tn_code tn_nsx_http_begin(struct tn_nsx_http *http,
                               const struct tn_nsx_request *request,
                               struct tn_error *err) TN_MUST_USE;
/* Waits at most 'ms' for an answer to any of them, also where none is under
 * way; null: none.  Borrowed until the next call with 'http'. */
const struct tn_nsx_answer *tn_nsx_http_wait(struct tn_nsx_http *http,
                                             int64_t ms);
size_t tn_nsx_http_busy(const struct tn_nsx_http *http);
/* Closes all connections, and from now on keeps one.  None is under way. */
enum tn_code tn_nsx_http_narrow(struct tn_nsx_http *http,
                                struct tn_error *err) TN_MUST_USE;
/* Drops what is under way. */
void tn_nsx_http_drop(struct tn_nsx_http *http);

#endif
