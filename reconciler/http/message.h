/* message.h - an HTTP request and its answer as plain data: what the listener
 * (server.h) hands to a handler, and what a test can make up. */
#ifndef TN_HTTP_MESSAGE_H
#define TN_HTTP_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/text.h"

struct tn_http_field {
    const char *name, *value;
};

/* All borrowed, for the length of the call. */
struct tn_http_request {
    const char *method; /* "GET", "POST"; a HEAD comes as "GET". */
    const char *path;   /* Without the query. */
    /* The sender's address without the port, "192.0.2.1" or "2001:db8::1";
     * "unix" over a local socket. */
    const char *peer;
    const struct tn_http_field *fields; /* Headers, in order of arrival. */
    size_t n_fields;
    const struct tn_http_field *args; /* Of the query, decoded; value may be
                                       * null. */
    size_t n_args;
    const char *body; /* Never null; may contain any byte. */
    size_t n_body;
};

/* Comes to the handler zeroed but for status 200. */
struct tn_http_response {
    unsigned status;
    const char *type;     /* Content-Type, static; null: "text/plain". */
    unsigned retry_after; /* Seconds for Retry-After; 0: no such header. */
    struct tn_text body;  /* The listener frees it. */
};

/* The first header of that name, compared without case; null if absent. */
const char *tn_http_field(const struct tn_http_request *request,
                          const char *name);
/* The first argument of that name; "" if it has no value, null if absent. */
const char *tn_http_arg(const struct tn_http_request *request,
                        const char *name);

#endif
