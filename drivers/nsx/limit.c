/* limit.c - see limit.h.
 *
 * Two things decide.  The adapted rate spaces requests evenly; whoever comes
 * late may catch up for a tenth of a second, no more, so that a busy machine
 * does not lose what it is allowed and a pause is not followed by a burst.  And
 * the bound: of the last 'most' requests the first must be more than a second
 * old. */
#include "drivers/nsx/limit.h"

static const int64_t second = 1000000000, catch_up = 100000000;

static void
rise(struct tn_nsx_limit *l, int64_t now)
{
    double step = l->most >= 10 ? l->most / 10.0 : 1;
    while (l->rate < l->most && now - l->risen >= second) {
        l->rate += step;
        l->risen += second;
    }
    if (l->rate >= l->most) {
        l->rate = l->most;
        l->risen = now;
    }
}

void
tn_nsx_limit_init(struct tn_nsx_limit *l, unsigned most, int64_t now)
{
    most = most < 1 ? 1 : most;
    most = most > TN_NSX_LIMIT_MOST ? TN_NSX_LIMIT_MOST : most;
    l->most = most;
    l->rate = most;
    l->next = l->risen = now;
    l->fell = INT64_MIN;
    l->n_recent = l->head = 0;
}

int64_t
tn_nsx_limit_take(struct tn_nsx_limit *l, int64_t now)
{
    rise(l, now);
    int64_t wait = l->next - now;
    if (l->n_recent == l->most) {
        int64_t bound = l->recent[l->head] + second + 1 - now;
        wait = bound > wait ? bound : wait;
    }
    if (wait > 0) {
        return wait;
    }
    if (l->n_recent < l->most) {
        l->n_recent++;
    }
    l->recent[l->head] = now;
    l->head = (l->head + 1) % l->most;
    l->next = l->next < now - catch_up ? now - catch_up : l->next;
    l->next += (int64_t) ((double) second / l->rate);
    return 0;
}

void
tn_nsx_limit_slower(struct tn_nsx_limit *l, int64_t sent, int64_t now)
{
    if (sent < l->fell) {
        return;
    }
    rise(l, now);
    l->rate = l->rate / 2 < 1 ? 1 : l->rate / 2;
    l->fell = l->risen = now;
    int64_t gap = (int64_t) ((double) second / l->rate);
    l->next = l->next < now + gap ? now + gap : l->next;
}
