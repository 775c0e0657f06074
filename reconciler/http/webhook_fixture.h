/* webhook_fixture.h - pushes as the forges send them, for tests. */
#ifndef TN_HTTP_WEBHOOK_FIXTURE_H
#define TN_HTTP_WEBHOOK_FIXTURE_H

#include "model/base/crypt.h"
#include "reconciler/http/webhook.h"

#define TN_PUSH_SECRET "It's a Secret to Everybody"
#define TN_PUSH_TIP "5f6b7a8c9d0e1f23456789abcdef0123456789ab"
#define TN_PUSH_NULL "0000000000000000000000000000000000000000"

/* The members of a push that forges document, shortened where nobody looks. */
extern const char tn_push_github[], tn_push_github_deleted[], tn_push_gitlab[];

/* One request: 'sign' names the header for the right signature, 'bad' spoils
 * it.  Headers are pairs. */
struct tn_push {
    const char *what;
    struct tn_webhook_options options;
    const char *sign, *event_header, *event;
    const char *body;
    size_t n_body; /* 0: the length of the text. */
    const char *type;
    enum tn_webhook_verdict verdict;
    const char *commit;
};

/* A secret with this text; the caller's. */
struct tn_secret *tn_push_secret(const char *text);

/* Signs the request with 'key', sends it at 'now' (ms), and says what is
 * thought of it.  'delivery' may be null. */
struct tn_webhook_result tn_push_send(struct tn_webhook *w,
                                      const struct tn_push *p, const char *key,
                                      const char *delivery, int64_t now);

#endif
