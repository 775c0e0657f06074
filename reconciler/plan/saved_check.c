/* saved_check.c - does the world still fit a saved plan?
 *
 * Compare-and-swap per object: what is as it was expected may be changed; what
 * is at its target already needs nothing; anything else has moved since the
 * review, and is named with the attribute, the value the reviewer saw and the
 * value that is there now.  Objects that the plan does not touch are not looked
 * at, so that a change elsewhere does not spoil a review. */
#include "reconciler/plan/saved.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/plan/show.h"

enum { MOVED_NAMES = 3 }; /* Attributes named for one object. */

static const struct tn_digest absent;

static struct tn_digest
digest_of(const struct tn_resource *r)
{
    return r ? tn_resource_digest(r) : absent;
}

static const struct tn_plan_input *
find_input(const struct tn_plan_input *inputs, size_t n, const char *device)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(inputs[mid].device, device);
        if (c == 0) {
            return &inputs[mid];
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

static void
add_value(struct tn_text *out, const char *value)
{
    if (value) {
        tn_text_addc(out, '\'');
        tn_show_text(out, value);
        tn_text_addc(out, '\'');
    } else {
        tn_text_add(out, "absent");
    }
}

/* Names what differs between the saved and the observed attributes. */
static size_t
add_moved(struct tn_text *out, const struct tn_saved_change *c,
          const struct tn_resource *have)
{
    size_t n = 0, i = 0, j = 0;
    while (i < c->n_before || j < have->n_attrs) {
        const struct tn_saved_attr *b = i < c->n_before ? &c->before[i] : NULL;
        const struct tn_attr *a = j < have->n_attrs ? &have->attrs[j] : NULL;
        int order = !b ? 1 : !a ? -1 : strcmp(b->name, a->name);
        /* What was not kept (secret, long) cannot be compared. */
        bool kept = order > 0
                        ? !a->secret && strlen(a->value) <= TN_SAVED_TEXT / 4
                        : true;
        bool moved = order != 0 ? kept : strcmp(b->value, a->value) != 0;
        if (moved && n < MOVED_NAMES) {
            tn_text_add(out, n ? "; " : "");
            tn_show_text(out, order <= 0 ? b->name : a->name);
            tn_text_add(out, " was ");
            add_value(out, order <= 0 ? b->value : NULL);
            tn_text_add(out, ", is ");
            if (order >= 0 && a->secret) {
                tn_text_add(out, "a secret");
            } else {
                add_value(out, order >= 0 ? a->value : NULL);
            }
        }
        n += moved;
        i += order <= 0;
        j += order >= 0;
    }
    return n;
}

static void
add_stale(struct tn_text *out, const struct tn_saved_change *c,
          const struct tn_resource *have)
{
    if (!have) {
        tn_text_add(out, "it was there when the plan was made and is gone");
        return;
    }
    if (have->owner == TN_FOREIGN) {
        tn_text_add(out, "a foreign object is in its place now");
        return;
    }
    if (tn_digest_eq(&c->expect, &absent)) {
        tn_text_add(out, "it was absent when the plan was made and is there "
                         "now, not as planned");
        return;
    }
    size_t n = add_moved(out, c, have);
    if (n == 0) {
        tn_text_add(out, "a secret or a long attribute moved");
    } else if (n > MOVED_NAMES) {
        tn_text_addf(out, "; and %zu more", n - MOVED_NAMES);
    }
}

static enum tn_saved_verdict
judge(const struct tn_saved_change *c, const struct tn_plan_input *in,
      struct tn_text *why)
{
    if (!in || !in->want || !in->have) {
        tn_text_add(why, in ? "the device could not be read"
                            : "there is no such device any more");
        return TN_SAVED_UNKNOWN;
    }
    struct tn_digest target = digest_of(tn_state_get(in->want, c->key));
    if (!tn_digest_eq(&target, &c->target)) {
        tn_text_add(why, tn_digest_eq(&target, &absent)
                             ? "it is not wanted any more"
                             : "the intent now asks for something else");
        return TN_SAVED_RETARGET;
    }
    const struct tn_resource *have = tn_state_get(in->have, c->key);
    bool foreign = have && have->owner == TN_FOREIGN;
    struct tn_digest now = digest_of(have);
    if (!foreign && tn_digest_eq(&now, &c->expect)) {
        return TN_SAVED_PENDING;
    }
    if (!foreign && tn_digest_eq(&now, &c->target)) {
        return TN_SAVED_DONE;
    }
    if (foreign && tn_digest_eq(&c->target, &absent)) {
        return TN_SAVED_DONE; /* Ours is gone; that one is not ours. */
    }
    add_stale(why, c, have);
    return TN_SAVED_STALE;
}

static enum tn_code
verdict_code(const struct tn_saved_result *r, struct tn_error *err)
{
    const struct tn_saved_finding *first = NULL;
    bool stale = false;
    for (size_t i = 0; i < r->n; i++) {
        if (r->items[i].text) {
            first = first ? first : &r->items[i];
            stale |= r->items[i].verdict != TN_SAVED_UNKNOWN;
        }
    }
    if (!first) {
        return TN_OK;
    }
    return tn_fail(err, stale ? TN_ESTALE : TN_EUNAVAILABLE, 0,
                   "the plan is stale in %zu of %zu changes, first: %s",
                   r->n_refused, r->n, first->text);
}

enum tn_code
tn_saved_check(struct tn_arena *arena, const struct tn_saved *saved,
               const struct tn_plan_input *inputs, size_t n_inputs,
               struct tn_saved_result *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text why = {0};
    struct tn_saved_finding *items =
        tn_new_n(arena, struct tn_saved_finding, saved->n_changes);
    *out = (struct tn_saved_result){.items = items, .n = saved->n_changes};
    for (size_t i = 0; i < saved->n_changes; i++) {
        const struct tn_saved_change *c = &saved->changes[i];
        tn_text_clear(&why);
        tn_show_text(&why, c->device);
        tn_text_addc(&why, ' ');
        tn_show_text(&why, c->key);
        tn_text_add(&why, ": ");
        items[i].change = c;
        items[i].verdict =
            judge(c, find_input(inputs, n_inputs, c->device), &why);
        if (items[i].verdict == TN_SAVED_PENDING) {
            out->n_pending++;
        } else if (items[i].verdict == TN_SAVED_DONE) {
            out->n_done++;
        } else {
            out->n_refused++;
            items[i].text = tn_arena_strdup(arena, tn_text_str(&why));
        }
    }
    return verdict_code(out, err);
}

static int
saved_cmp(const void *pa, const void *pb)
{
    const struct tn_saved_change *a = pa, *b = pb;
    int c = strcmp(a->device, b->device);
    return c ? c : strcmp(a->key, b->key);
}

static const struct tn_device_plan *
select_device(struct tn_arena *arena, const struct tn_saved *saved,
              const struct tn_device_plan *from)
{
    bool *keep = tn_new_n(arena, bool, from->n_changes);
    for (size_t i = 0; i < from->n_changes; i++) {
        struct tn_saved_change key = {.device = from->device,
                                      .key = from->changes[i].key};
        keep[i] =
            saved->n_changes && bsearch(&key, saved->changes, saved->n_changes,
                                        sizeof *saved->changes, saved_cmp);
    }
    return tn_plan_pick(arena, from, keep);
}

const struct tn_plan *
tn_saved_select(struct tn_arena *arena, const struct tn_saved *saved,
                const struct tn_plan *plan)
{
    const struct tn_device_plan **devices =
        tn_new_n(arena, const struct tn_device_plan *, plan->n_devices);
    for (size_t i = 0; i < plan->n_devices; i++) {
        devices[i] = select_device(arena, saved, plan->devices[i]);
    }
    return tn_plan_build(arena, plan->commit, plan->environment, devices,
                         plan->n_devices);
}
