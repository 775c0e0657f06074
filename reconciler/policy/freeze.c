/* freeze.c - see freeze.h: asked by the daemon and by the rule of that name. */
#include "reconciler/policy/freeze.h"

#include "model/base/time.h"

const struct tn_freeze *
tn_freeze_now(const struct tn_settings *settings, int64_t now)
{
    for (size_t i = 0; i < settings->freezes.n; i++) {
        const struct tn_freeze *f = &settings->freezes.items[i];
        int64_t from, until;
        if (tn_time_parse(f->from.v, &from) &&
            tn_time_parse(f->until.v, &until) && from <= now && now < until) {
            return f;
        }
    }
    return NULL;
}
