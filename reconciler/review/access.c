/* access.c - see access.h. */
#include "reconciler/review/access.h"

#include <string.h>

/* "acme/web1 -> acme/db1" with a word in place of the arrow, which Markdown
 * would show as code. */
static void
add_example(struct tn_text *out, const char *example)
{
    const char *arrow = strstr(example, " -> ");
    size_t n = arrow ? (size_t) (arrow - example) : strlen(example);
    tn_text_addn(out, example, n);
    if (arrow) {
        tn_text_addf(out, " to %s", arrow + 4);
    }
}

/* "acme/web group app to acme/db group db: tcp 5432 (2 to 1 ports, for instance
 * acme/web1 to acme/db1)" */
static const char *
words(struct tn_arena *arena, const struct tn_reach_difference *d)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(&t, "%s to %s: ", d->from, d->to);
    tn_traffic_print(&t, d->traffic);
    if (d->example) {
        tn_text_addf(&t, " (%zu to %zu port%s, for instance ", d->n_from_ports,
                     d->n_to_ports, d->n_to_ports == 1 ? "" : "s");
        add_example(&t, d->example);
        tn_text_addc(&t, ')');
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
