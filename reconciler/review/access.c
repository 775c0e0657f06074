/* access.c - see access.h. */
#include "reconciler/review/access.h"

#include <string.h>

/* "acme/web group app -> acme/db group db: tcp 5432 (2 ports to 1, for instance
 * acme/web1 -> acme/db1)" */
static const char *
words(struct tn_arena *arena, const struct tn_reach_difference *d)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(&t, "%s -> %s: ", d->from, d->to);
    tn_traffic_print(&t, d->traffic);
    if (d->example) {
        tn_text_addf(&t, " (%zu to %zu port%s, for instance %s)",
                     d->n_from_ports, d->n_to_ports,
                     d->n_to_ports == 1 ? "" : "s", d->example);
    }
    if (d->crosses) {
        tn_text_add(&t, ", between tenants");
    }
    return tn_arena_strdup(arena, tn_text_str(&t));
}

/* 0: opens between tenants, 1: opens, 2: closes. */
static size_t
rank(const struct tn_reach_difference *d)
{
    return !d->widens ? 2 : d->crosses ? 0 : 1;
}

void
tn_review_access_of(struct tn_arena *arena, const struct tn_reach_diff *diff,
                    const struct tn_review_access **out, size_t *n)
{
    struct tn_review_access *all =
        tn_new_n(arena, struct tn_review_access, diff->n);
    size_t k = 0;
    for (size_t pass = 0; pass < 3; pass++) {
        for (size_t i = 0; i < diff->n; i++) {
            const struct tn_reach_difference *d = &diff->items[i];
            if (rank(d) == pass) {
                all[k++] = (struct tn_review_access){
                    .opens = d->widens,
                    .tenant = d->tenant,
                    .text = words(arena, d),
                    .at = d->n_origins ? d->origins[0] : (struct tn_origin){0},
                };
            }
        }
    }
    *out = all;
    *n = k;
}
