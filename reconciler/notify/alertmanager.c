/* alertmanager.c - the body that Alertmanager 0.22 and later take.
 *
 * Version 1 of the API is gone since 0.27; version 2 wants an array of alerts,
 * each with labels, annotations, start and end.  An end in the future means
 * firing until then, one that has passed means resolved. */
#include "reconciler/notify/alertmanager.h"

#include <string.h>

#include "reconciler/notify/words.h"

void
tn_alertmanager_body(struct tn_text *out, const struct tn_alert_out *alerts,
                     size_t n, const char *generator)
{
    char starts[TN_WORDS_TIME], ends[TN_WORDS_TIME];
    tn_text_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        const struct tn_alert_out *a = &alerts[i];
        tn_text_addf(out,
                     "%s{\"labels\":%s,\"annotations\":%s,"
                     "\"startsAt\":\"%s\",\"endsAt\":\"%s\"",
                     i ? "," : "", a->labels, a->annotations,
                     tn_words_time(a->starts_ms, starts),
                     tn_words_time(a->ends_ms, ends));
        if (generator) {
            tn_text_add(out, ",\"generatorURL\":\"");
            tn_text_add_escaped(out, generator);
            tn_text_addc(out, '"');
        }
        tn_text_addc(out, '}');
    }
    tn_text_addc(out, ']');
}

void
tn_alertmanager_url(struct tn_text *out, const char *base)
{
    size_t n = strlen(base);
    while (n && base[n - 1] == '/') {
        n--;
    }
    tn_text_addn(out, base, n);
    tn_text_add(out, "/api/v2/alerts");
}
