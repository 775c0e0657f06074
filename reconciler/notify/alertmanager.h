/* alertmanager.h - alerts in the words of Alertmanager's API v2. */
#ifndef TN_NOTIFY_ALERTMANAGER_H
#define TN_NOTIFY_ALERTMANAGER_H

#include "reconciler/notify/alerts.h"

/* Body of POST /api/v2/alerts: an array.  'generator' is the generatorURL of
 * all of them; null: none. */
void tn_alertmanager_body(struct tn_text *out,
                          const struct tn_alert_out *alerts, size_t n,
                          const char *generator);

/* "<base>/api/v2/alerts", whether or not 'base' ends in a slash. */
void tn_alertmanager_url(struct tn_text *out, const char *base);

#endif
