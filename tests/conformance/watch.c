/* watch.c - checks of drivers that tell what happens (TN_CAP_EVENTS).
 *
 * The hand that is not tenet's is the subject's tamper(): what observe() must
 * see changed, an event must have told. */
#include <poll.h>

#include <criterion/criterion.h>

#include "tests/conformance/trial.h"

TestSuite(conformance_watch, .timeout = 300);

enum { AT_ONCE_MS = 500, SILENCE_MS = 200 };

static int
at_once(const struct tn_subject *subject)
{
    return subject->at_once_ms ? subject->at_once_ms : AT_ONCE_MS;
}

struct watched {
    struct tn_trial t;
    const struct tn_driver *driver;
    const struct tn_device *device;
    struct tn_watch *watch;
};

static void
must(enum tn_code code, const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(err, text, sizeof text));
}

/* False: the driver does not tell. */
static bool
start(struct watched *w, enum tn_variant variant)
{
    const struct tn_driver_env env = {NULL};
    struct tn_error err = {0};
    tn_trial_init(&w->t);
    w->driver = w->t.subject->driver;
    w->device = tn_trial_device(&w->t, variant, "hv1");
    if (!(w->driver->caps & TN_CAP_EVENTS)) {
        cr_assert_null(w->driver->watch_open);
        tn_trial_done(&w->t);
        return false;
    }
    if (w->t.subject->always) {
        tn_trial_reach(&w->t, tn_trial_device(&w->t, TN_V_NOTHING, "hv1"));
    }
    must(w->driver->watch_open(w->device, &env, &w->watch, &err), &err);
    return true;
}

static void
end(struct watched *w)
{
    w->driver->watch_close(w->watch);
    tn_trial_done(&w->t);
}

/* Whether that scope, or if null any, is told of within that time. */
static bool
hears(struct watched *w, const char *scope, int ms)
{
    struct pollfd p = {w->driver->watch_fd(w->watch), POLLIN, 0};
    bool heard = false;
    while (!heard && poll(&p, 1, ms) == 1) {
        const struct tn_event *events = NULL;
        struct tn_error err = {0};
        size_t n = 0;
        must(w->driver->watch_read(w->watch, w->t.arena, &events, &n, &err),
             &err);
        for (size_t i = 0; i < n; i++) {
            cr_assert(events[i].what && events[i].time_ns > 0);
            heard |= !events[i].scope || !scope ||
                     strcmp(events[i].scope, scope) == 0;
        }
    }
    return heard;
}

/* One in a row of a kind is; where events take long, one of a kind is. */
static bool
is_enough(const struct watched *w, const struct tn_state *want, size_t i)
{
    const struct tn_resource *items = want->items;
    bool found = i > 0 && strcmp(items[i - 1].kind, items[i].kind) == 0;
    for (size_t k = 0; w->t.subject->at_once_ms && !found && k < i; k++) {
        found = strcmp(items[k].kind, items[i].kind) == 0;
    }
    return found;
}

Test(conformance_watch, every_change_is_told)
{
    struct watched w;
    size_t n_told = 0;
    if (!start(&w, TN_V_BASE)) {
        return;
    }
    tn_trial_reach(&w.t, w.device);
    const struct tn_state *want = tn_trial_want(&w.t, w.device);
    for (size_t i = 0; i < want->n; i++) {
        const struct tn_resource *r = &want->items[i];
        if (is_enough(&w, want, i)) {
            continue;
        }
        w.driver->watch_quiet(w.watch, NULL, false);
        if (w.t.subject->tamper(w.t.world, w.device, r)) {
            cr_assert(hears(&w, r->scope, at_once(w.t.subject)), "%s", r->key);
            tn_trial_reach(&w.t, w.device);
            n_told++;
        }
    }
    cr_assert_gt(n_told, w.t.subject->blind ? 1 : 2);
    end(&w);
}

Test(conformance_watch, our_own_changes_are_not_told)
{
    struct watched w;
    if (!start(&w, TN_V_BASE)) {
        return;
    }
    for (int v = TN_V_BASE; v < TN_V_NOTHING; v++) {
        struct tn_error err = {0};
        const struct tn_device *d =
            tn_trial_device(&w.t, (enum tn_variant) v, "hv1");
        must(w.driver->watch_update(w.watch, d, &err), &err);
        w.driver->watch_quiet(w.watch, NULL, true);
        tn_trial_reach(&w.t, d);
        w.driver->watch_quiet(w.watch, NULL, false);
        cr_assert(!hears(&w, NULL, SILENCE_MS), "variant %d", v);
    }
    end(&w);
}

/* A change by others while a scope is quiet is seen by the observe() after. */
Test(conformance_watch, what_is_not_told_is_seen)
{
    struct watched w;
    if (!start(&w, TN_V_BASE)) {
        return;
    }
    tn_trial_reach(&w.t, w.device);
    const struct tn_state *want = tn_trial_want(&w.t, w.device);
    size_t i = 0;
    w.driver->watch_quiet(w.watch, NULL, true);
    while (!w.t.subject->tamper(w.t.world, w.device, &want->items[i])) {
        i++;
    }
    w.driver->watch_quiet(w.watch, NULL, false);
    cr_assert_not(hears(&w, want->items[i].scope, SILENCE_MS));
    const struct tn_state *have = tn_trial_look(&w.t, NULL, w.device);
    const struct tn_resource *r = tn_state_get(have, want->items[i].key);
    cr_assert(!r || !tn_resource_same(r, &want->items[i]));
    end(&w);
}

Test(conformance_watch, what_is_not_ours_to_watch)
{
    struct watched w;
    struct tn_error err = {0};
    if (!start(&w, TN_V_NOTHING)) {
        return;
    }
    const struct tn_device *d = tn_trial_device(&w.t, TN_V_BASE, "hv1");
    tn_trial_reach(&w.t, d);
    cr_assert_not(hears(&w, NULL, SILENCE_MS));
    must(w.driver->watch_update(w.watch, d, &err), &err);
    w.driver->watch_quiet(w.watch, NULL, false);
    const struct tn_state *want = tn_trial_want(&w.t, d);
    cr_assert(w.t.subject->tamper(w.t.world, d, &want->items[0]));
    cr_assert(hears(&w, want->items[0].scope, at_once(w.t.subject)));
    end(&w);
}
