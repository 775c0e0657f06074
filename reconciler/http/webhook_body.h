/* webhook_body.h - what a push notification's JSON says, for webhook.c. */
#ifndef TN_HTTP_WEBHOOK_BODY_H
#define TN_HTTP_WEBHOOK_BODY_H

#include <stdbool.h>
#include <stddef.h>

/* How deep the JSON may nest. */
enum { TN_WEBHOOK_DEPTH = 32 };

/* The parsed document. */
struct tn_webhook_body;

/* New; null, and '*why' says so in static text, if it is not one JSON object
 * in UTF-8 within the bounds. */
struct tn_webhook_body *tn_webhook_body_parse(const char *bytes, size_t n,
                                              const char **why);
/* Accepts null. */
void tn_webhook_body_free(struct tn_webhook_body *body);

/* Of GitLab's hooks: the member that names the kind of event, or null.
 * Borrowed, as below. */
const char *tn_webhook_body_kind(const struct tn_webhook_body *body);
/* "refs/heads/main", or null. */
const char *tn_webhook_body_ref(const struct tn_webhook_body *body);
/* The new tip in hexadecimal; null if there is none, also after a deletion. */
const char *tn_webhook_body_tip(const struct tn_webhook_body *body);
/* True if the notification is of 'expected', "group/name" or a URL. */
bool tn_webhook_body_is_of(const struct tn_webhook_body *body,
                           const char *expected);

static inline void
tn_cleanup_webhook_body(struct tn_webhook_body **body)
{
    tn_webhook_body_free(*body);
}

#endif
