/* health.c - /healthz and /readyz as JSON.
 *
 * What decides and what is only told are kept apart: a probe that fails for
 * something a restart cannot cure makes an orchestrator kill a daemon that was
 * busy healing. */
#include "reconciler/http/health.h"

#include <inttypes.h>

#include "model/base/text.h"

/* The array of checks as it grows. */
struct report {
    struct tn_text *out;
    bool first;
};

static void
begin(struct report *r, struct tn_http_response *response, bool ok,
      const char *status)
{
    *r = (struct report){.out = &response->body, .first = true};
    response->status = ok ? 200 : 503;
    response->type = "application/json";
    tn_text_addf(r->out, "{\"status\":\"%s\",\"checks\":[", ok ? "ok" : status);
}

static void
check(struct report *r, const char *kind, const char *name, bool ok,
      const char *detail)
{
    tn_text_addf(r->out, "%s{\"name\":\"%s", r->first ? "" : ",", kind);
    if (name) {
        tn_text_addc(r->out, ':');
        tn_text_add_escaped(r->out, name);
    }
    tn_text_addf(r->out, "\",\"ok\":%s,\"detail\":\"", ok ? "true" : "false");
    tn_text_add_escaped(r->out, detail ? detail : "");
    tn_text_add(r->out, "\"}");
    r->first = false;
}

static void
check_devices(struct report *r, const struct tn_health *h, size_t missing)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    size_t named = 0;
    for (size_t i = 0; i < h->n_devices && named < TN_HEALTH_NAMED; i++) {
        const struct tn_health_device *d = &h->devices[i];
        if (!d->seen) {
            check(r, "device", d->name, false,
                  d->reason ? d->reason : "not seen yet");
            named++;
        }
    }
    tn_text_addf(&text, "%zu of %zu seen", h->n_devices - missing,
                 h->n_devices);
    check(r, "devices", NULL, missing == 0, tn_text_str(&text));
}

void
tn_health_live(const struct tn_health *health,
               struct tn_http_response *response)
{
    struct report r;
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    int64_t ago = health->now_ms - health->last_tick_ms;
    bool ok = ago <= health->tick_limit_ms;
    begin(&r, response, ok, "stalled");
    tn_text_addf(&text,
                 "went round %" PRId64 " ms ago, allowed are %" PRId64 " ms",
                 ago, health->tick_limit_ms);
    check(&r, "loop", NULL, ok, tn_text_str(&text));
    tn_text_add(&response->body, "]}\n");
}

void
tn_health_ready(const struct tn_health *health,
                struct tn_http_response *response)
{
    struct report r;
    size_t missing = 0;
    for (size_t i = 0; i < health->n_devices; i++) {
        missing += !health->devices[i].seen;
    }
    bool intent = health->intent_commit != NULL;
    begin(&r, response, intent && missing == 0 && !health->stopping,
          health->stopping ? "stopping" : "waiting");
    if (health->stopping) {
        check(&r, "running", NULL, false, "a stop was asked for");
    }
    check(&r, "intent", NULL, intent,
          intent ? health->intent_commit : "no commit was accepted yet");
    check(&r, "source", NULL, !health->source_error,
          health->source_error ? health->source_error : "readable");
    check_devices(&r, health, missing);
    tn_text_add(&response->body, "]}\n");
}
