/* webhook_out.h - alerts for whoever listens: JSON with a signature.
 * docs/alerts.md states the schema and how to check the signature. */
#ifndef TN_NOTIFY_WEBHOOK_OUT_H
#define TN_NOTIFY_WEBHOOK_OUT_H

#include "reconciler/notify/alerts.h"

enum {
    TN_WEBHOOK_SIGNATURE = 7 + 64 + 1, /* "sha256=..." and NUL. */
    TN_WEBHOOK_DELIVERY = 36 + 1,      /* A UUID and NUL. */
};

/* The body.  It holds no time of sending: a repeated delivery is equal. */
void tn_webhook_body(struct tn_text *out, const struct tn_alert_out *alerts,
                     size_t n);

/* Names the delivery by its body: repetitions have the same name.  Returns
 * 'buf'. */
const char *tn_webhook_delivery(const struct tn_text *body,
                                char buf[TN_WEBHOOK_DELIVERY]);

/* "sha256=" and the HMAC over "<timestamp>.<body>".  Returns 'buf'. */
const char *tn_webhook_sign(const void *key, size_t n_key, int64_t timestamp,
                            const struct tn_text *body,
                            char buf[TN_WEBHOOK_SIGNATURE]);

#endif
