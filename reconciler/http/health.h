/* health.h - the answers of /healthz and /readyz.
 *
 * /healthz asks "would a restart help?": only a loop that no longer goes round
 * makes it fail.  Git or a device being away does not.
 * /readyz asks "is it doing its work?": intent is known, and every device was
 * seen at least once.  It names what is missing.
 *
 * Both are JSON:
 *     {"status":"ok","checks":[{"name":"loop","ok":true,"detail":"…"}]}
 * with status "ok", "stopping", "stalled" (of /healthz) or "waiting" (of
 * /readyz).  Pure: the caller says what is so. */
#ifndef TN_HTTP_HEALTH_H
#define TN_HTTP_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/http/message.h"

/* Devices not ready that are named one by one; the rest is counted. */
enum { TN_HEALTH_NAMED = 100 };

struct tn_health_device {
    const char *name;
    bool seen;          /* Observed at least once since the start. */
    const char *reason; /* Why not; may be null. */
};

/* All borrowed. */
struct tn_health {
    /* Times of one monotonic clock. */
    int64_t now_ms;
    int64_t last_tick_ms;  /* When the loop last went round. */
    int64_t tick_limit_ms; /* How long ago that may be. */
    bool stopping;         /* A stop was asked for. */

    const char *intent_commit; /* Null: no intent yet. */
    const char *source_error;  /* Why the source cannot be read now; null: it
                                * can.  Told, but no reason to be unready while
                                * there is an intent. */
    const struct tn_health_device *devices;
    size_t n_devices;
};

/* Liveness: 200 or 503, and the JSON. */
void tn_health_live(const struct tn_health *health,
                    struct tn_http_response *response);
/* Readiness, the same. */
void tn_health_ready(const struct tn_health *health,
                     struct tn_http_response *response);

#endif
