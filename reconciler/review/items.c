/* items.c - see items.h.
 *
 * Forms differ in how they say things, not in what they say: what is told is
 * decided here, once. */
#include "reconciler/review/items.h"

#include <stdlib.h>
#include <string.h>

struct collector {
    struct tn_arena *arena;
    TN_VEC(struct tn_finding) all;
};

static void
collect_diags(struct collector *c, const struct tn_diags *diags)
{
    for (size_t i = 0; diags && i < diags->list.n; i++) {
        const struct tn_diag *d = &diags->list.items[i];
        *tn_vec_push(c->arena, &c->all) = (struct tn_finding){
            .severity =
                d->severity == TN_ERROR ? TN_SEVERITY_DENY : TN_SEVERITY_WARN,
            .rule = "intent",
            .message = d->message,
            .hint = d->hint,
            .at = d->at,
            .tenant = d->tenant,
        };
    }
}

bool
tn_review_refused(const struct tn_device_plan *device)
{
    switch (device->code) {
    case TN_EINTENT:
    case TN_EUNSUPPORTED:
    case TN_EINTERNAL:
        return true;
    case TN_OK:
    case TN_ESTALE:
    case TN_EUNAVAILABLE:
    case TN_EDENIED:
    case TN_ENOENT:
        break;
    }
    return false;
}

static void
collect_plan(struct collector *c, const struct tn_plan *plan)
{
    for (size_t i = 0; plan && i < plan->n_devices; i++) {
        const struct tn_device_plan *d = plan->devices[i];
        if (d->code) {
            *tn_vec_push(c->arena, &c->all) = (struct tn_finding){
                .severity =
                    tn_review_refused(d) ? TN_SEVERITY_DENY : TN_SEVERITY_WARN,
                .rule = tn_review_refused(d) ? "device" : "unreachable",
                .message = tn_arena_printf(c->arena,
                                           tn_review_refused(d)
                                               ? "%s cannot be planned: %s"
                                               : "%s could not be read: %s",
                                           d->device, d->error),
                .subject = d->device,
            };
        }
        for (size_t k = 0; k < d->n_conflicts; k++) {
            *tn_vec_push(c->arena, &c->all) = (struct tn_finding){
                .severity = TN_SEVERITY_WARN,
                .rule = "conflict",
                .message = tn_arena_printf(
                    c->arena, "%s: %s", d->device,
                    tn_conflict_text(c->arena, &d->conflicts[k])),
                .at = d->conflicts[k].want->origin,
                .subject = d->conflicts[k].want->key,
            };
        }
    }
}

void
tn_review_items(struct tn_arena *arena, const struct tn_review *review,
                struct tn_review_items *out)
{
    struct collector c = {.arena = arena};
    collect_diags(&c, review->diags);
    for (size_t i = 0; i < review->verdict->n; i++) {
        *tn_vec_push(arena, &c.all) = review->verdict->items[i];
    }
    collect_plan(&c, review->plan);
    struct tn_finding *sorted = tn_new_n(arena, struct tn_finding, c.all.n);
    *out = (struct tn_review_items){.items = sorted};
    size_t *counts[] = {&out->n_deny, &out->n_warn, &out->n_info,
                        &out->n_waived};
    for (size_t pass = 0; pass < TN_ARRAY_SIZE(counts); pass++) {
        for (size_t i = 0; i < c.all.n; i++) {
            const struct tn_finding *f = &c.all.items[i];
            size_t of = f->waiver ? 3 : (size_t) f->severity;
            if (of == pass) {
                sorted[out->n++] = *f;
                ++*counts[pass];
            }
        }
    }
}

static int
change_cmp(const void *pa, const void *pb)
{
    const struct tn_review_change *a = pa, *b = pb;
    int c = strcmp(a->shown->change->tenant, b->shown->change->tenant);
    c = c ? c : strcmp(a->device, b->device);
    c = c ? c : strcmp(a->shown->change->scope, b->shown->change->scope);
    return c ? c : (a->order > b->order) - (a->order < b->order);
}

struct tn_review_tenant *
tn_review_tenants(struct tn_arena *arena, const struct tn_plan *plan, size_t *n)
{
    TN_VEC(struct tn_review_change) all = {0};
    TN_VEC(struct tn_review_tenant) tenants = {0};
    for (size_t i = 0; i < plan->n_devices; i++) {
        size_t k = 0;
        const struct tn_shown *s = tn_show_changes(arena, plan->devices[i], &k);
        for (size_t j = 0; j < k; j++) {
            *tn_vec_push(arena, &all) =
                (struct tn_review_change){plan->devices[i]->device, &s[j], j};
        }
    }
    if (all.n > 1) {
        qsort(all.items, all.n, sizeof *all.items, change_cmp);
    }
    struct tn_review_tenant *t = NULL;
    for (size_t i = 0; i < all.n; i++) {
        const struct tn_change *c = all.items[i].shown->change;
        if (!t || strcmp(t->name, c->tenant) != 0) {
            t = tn_vec_push(arena, &tenants);
            *t = (struct tn_review_tenant){.name = c->tenant,
                                           .changes = &all.items[i]};
        }
        t->n++;
        tn_counts_add(&t->counts, c->half == TN_WHOLE ? c->op : TN_OP_REPLACE,
                      false);
    }
    *n = tenants.n;
    return tenants.items;
}

void
tn_review_counts(struct tn_text *out, const struct tn_counts *counts)
{
    const struct {
        size_t n;
        const char *verb;
    } parts[] = {{counts->add, "add"},
                 {counts->change, "change"},
                 {counts->replace, "replace"},
                 {counts->destroy, "destroy"}};
    const char *comma = "";
    for (size_t i = 0; i < TN_ARRAY_SIZE(parts); i++) {
        if (parts[i].n) {
            tn_text_addf(out, "%s%zu to %s", comma, parts[i].n, parts[i].verb);
            comma = ", ";
        }
    }
    if (!*comma) {
        tn_text_add(out, "no changes");
    }
}
