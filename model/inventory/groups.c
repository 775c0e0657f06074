/* groups.c - the graph of groups and hosts.
 *
 * hosts.yml may name a group in many places; each adds to it.  Edges and
 * memberships are only collected while files are read; tn_inv_reconcile() then
 * does once what Ansible does at each step: groups without a parent become
 * children of "all", the depth of a group is its longest way from "all", and
 * hosts in no group of their own belong to "ungrouped".  Cycles come to light
 * there, because a group in one is never reached.
 *
 * Most hosts share their set of groups with many others.  Such a set is a
 * chain: its ancestors, their order and the merged variables are worked out
 * once. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

struct tn_inv_group *
tn_inv_group(struct tn_inv *inv, const char *name)
{
    struct tn_inv_group *g = tn_map_get(&inv->group_by_name, name);

    if (g) {
        return g;
    }
    g = tn_new(inv->arena, struct tn_inv_group);
    g->name = name;
    g->layer_name = tn_arena_printf(inv->arena, "group %s", name);
    g->priority = 1;
    g->index = (uint32_t) inv->groups.n;
    *tn_vec_push(inv->arena, &inv->groups) = g;
    tn_map_put(&inv->group_by_name, name, g);
    return g;
}

void
tn_inv_groups_init(struct tn_inv *inv)
{
    tn_map_init(&inv->group_by_name, inv->arena, 64);
    tn_map_init(&inv->host_by_name, inv->arena, 1024);
    tn_map_init(&inv->chain_by_key, inv->arena, 64);
    inv->all = tn_inv_group(inv, "all");
    inv->ungrouped = tn_inv_group(inv, "ungrouped");
}

struct tn_inv_member *
tn_inv_member(struct tn_inv *inv, const char *name, struct tn_origin at,
              bool *is_new)
{
    struct tn_inv_member *h = tn_map_get(&inv->host_by_name, name);

    *is_new = !h;
    if (h || inv->hosts.n >= TN_INV_HOSTS_MAX) {
        return h;
    }
    h = tn_new(inv->arena, struct tn_inv_member);
    h->name = name;
    h->layer_name = tn_arena_printf(inv->arena, "host %s", name);
    h->at = at;
    *tn_vec_push(inv->arena, &inv->hosts) = h;
    tn_map_put(&inv->host_by_name, name, h);
    return h;
}

void
tn_inv_add_child(struct tn_inv *inv, struct tn_inv_group *parent,
                 struct tn_inv_group *child, struct tn_origin at)
{
    *tn_vec_push(inv->arena, &child->parents) =
        (struct tn_inv_edge){parent, at};
}

void
tn_inv_add_member(struct tn_inv *inv, struct tn_inv_group *group,
                  struct tn_inv_member *host)
{
    *tn_vec_push(inv->arena, &host->groups) = group;
}

/* --- depths ----------------------------------------------------------------
 *
 * Peeling: a group is placed when all its parents are, level by level from
 * "all".  'children' is the inverse of 'parents', built once. */

struct peeling {
    struct tn_inv_group **child; /* Of group i: [first[i], first[i + 1]). */
    size_t *first, *waiting;
    struct tn_inv_group **queue;
    size_t n_queue;
};

static void
peel_init(struct tn_inv *inv, struct peeling *p)
{
    size_t n = inv->groups.n, edges = 0;
    size_t *fill;

    p->first = tn_new_n(inv->arena, size_t, n + 2);
    p->waiting = tn_new_n(inv->arena, size_t, n);
    p->queue = tn_new_n(inv->arena, struct tn_inv_group *, n);
    fill = tn_new_n(inv->arena, size_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct tn_inv_group *g = inv->groups.items[i];

        p->waiting[i] = g->parents.n;
        edges += g->parents.n;
        for (size_t k = 0; k < g->parents.n; k++) {
            p->first[g->parents.items[k].parent->index + 1]++;
        }
    }
    for (size_t i = 0; i < n; i++) {
        p->first[i + 1] += p->first[i];
        fill[i] = p->first[i];
    }
    p->child = tn_new_n(inv->arena, struct tn_inv_group *, edges + 1);
    for (size_t i = 0; i < n; i++) {
        const struct tn_inv_group *g = inv->groups.items[i];

        for (size_t k = 0; k < g->parents.n; k++) {
            p->child[fill[g->parents.items[k].parent->index]++] =
                inv->groups.items[i];
        }
    }
}

/* The listing by which a group got a parent that is in the cycle too; one that
 * is written somewhere before one that reconciling made. */
static const struct tn_inv_edge *
unplaced_parent(const struct tn_inv_group *g, const struct peeling *p)
{
    const struct tn_inv_edge *up = NULL;

    for (size_t k = 0; k < g->parents.n; k++) {
        const struct tn_inv_edge *e = &g->parents.items[k];

        if (p->waiting[e->parent->index] && (!up || !up->at.path)) {
            up = e;
        }
    }
    return up;
}

/* Some group was never placed.  Its unplaced parents lead into a cycle within
 * as many steps as there are groups; then the next written listing is told. */
static void
report_cycle(struct tn_inv *inv, const struct peeling *p)
{
    const struct tn_inv_group *g = NULL;
    const struct tn_inv_edge *up = NULL;

    for (size_t i = 0; i < inv->groups.n && !g; i++) {
        g = p->waiting[i] ? inv->groups.items[i] : NULL;
    }
    assert(g);
    for (size_t step = 0; step < 2 * inv->groups.n; step++) {
        up = unplaced_parent(g, p);
        assert(up);
        if (step >= inv->groups.n && up->at.path) {
            break;
        }
        g = up->parent;
    }
    tn_diag(inv->diags, TN_ERROR, up->at,
            "group '%s' as a child of '%s' makes it its own ancestor", g->name,
            up->parent->name);
}

static bool
place_groups(struct tn_inv *inv)
{
    struct peeling p = {0};

    peel_init(inv, &p);
    for (size_t i = 0; i < inv->groups.n; i++) {
        if (p.waiting[i] == 0) {
            p.queue[p.n_queue++] = inv->groups.items[i];
        }
    }
    for (size_t at = 0; at < p.n_queue; at++) {
        const struct tn_inv_group *g = p.queue[at];

        for (size_t k = p.first[g->index]; k < p.first[g->index + 1]; k++) {
            struct tn_inv_group *child = p.child[k];

            if (child->depth < g->depth + 1) {
                child->depth = g->depth + 1;
            }
            if (--p.waiting[child->index] == 0) {
                p.queue[p.n_queue++] = child;
            }
        }
    }
    if (p.n_queue < inv->groups.n) {
        report_cycle(inv, &p);
        return false;
    }
    return true;
}

/* --- chains ------------------------------------------------------------- */

static int
cmp_precedence(const void *a, const void *b)
{
    const struct tn_inv_group *x = *(struct tn_inv_group *const *) a;
    const struct tn_inv_group *y = *(struct tn_inv_group *const *) b;

    if (x->depth != y->depth) {
        return x->depth < y->depth ? -1 : 1;
    }
    if (x->priority != y->priority) {
        return x->priority < y->priority ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

static int
cmp_group_index(const void *a, const void *b)
{
    const struct tn_inv_group *x = *(struct tn_inv_group *const *) a;
    const struct tn_inv_group *y = *(struct tn_inv_group *const *) b;

    return (x->index > y->index) - (x->index < y->index);
}

static char *
chain_key(struct tn_inv *inv, const struct tn_inv_member *host)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text key = {0};

    if (host->groups.n) {
        qsort(host->groups.items, host->groups.n, sizeof *host->groups.items,
              cmp_group_index);
    }
    for (size_t i = 0; i < host->groups.n; i++) {
        if (i == 0 || host->groups.items[i] != host->groups.items[i - 1]) {
            tn_text_addf(&key, "%x.", host->groups.items[i]->index);
        }
    }
    return tn_arena_strdup(inv->arena, tn_text_str(&key));
}

/* All groups of the host and their ancestors, without "all". */
static void
collect(struct tn_inv *inv, const struct tn_inv_member *host,
        struct tn_inv_chain *chain)
{
    TN_VEC(struct tn_inv_group *) found = {0};
    uint32_t mark = ++inv->mark;

    inv->all->mark = mark;
    for (size_t i = 0; i < host->groups.n; i++) {
        struct tn_inv_group *g = host->groups.items[i];

        if (g->mark != mark) {
            g->mark = mark;
            *tn_vec_push(inv->arena, &found) = g;
        }
    }
    for (size_t at = 0; at < found.n; at++) {
        const struct tn_inv_group *g = found.items[at];

        inv->work += 4 * (1 + g->parents.n);
        for (size_t k = 0; k < g->parents.n; k++) {
            struct tn_inv_group *up = g->parents.items[k].parent;

            if (up->mark != mark) {
                up->mark = mark;
                *tn_vec_push(inv->arena, &found) = up;
            }
        }
    }
    if (found.n) {
        qsort(found.items, found.n, sizeof *found.items, cmp_precedence);
    }
    chain->n = found.n + 1;
    chain->groups = tn_new_n(inv->arena, struct tn_inv_group *, chain->n);
    chain->names = tn_new_n(inv->arena, const char *, chain->n);
    chain->groups[0] = inv->all;
    chain->names[0] = inv->all->name;
    for (size_t i = 0; i < found.n; i++) {
        chain->groups[i + 1] = found.items[i];
        chain->names[i + 1] = found.items[i]->name;
    }
}

struct tn_inv_chain *
tn_inv_chain(struct tn_inv *inv, const struct tn_inv_member *host)
{
    const char *key = chain_key(inv, host);
    struct tn_inv_chain *chain = tn_map_get(&inv->chain_by_key, key);

    if (chain) {
        return chain;
    }
    chain = tn_new(inv->arena, struct tn_inv_chain);
    collect(inv, host, chain);
    tn_map_put(&inv->chain_by_key, key, chain);
    return chain;
}

/* --- reconcile ------------------------------------------------------------ */

static bool
is_member(const struct tn_inv_member *host, const struct tn_inv_group *group)
{
    for (size_t i = 0; i < host->groups.n; i++) {
        if (host->groups.items[i] == group) {
            return true;
        }
    }
    return false;
}

static void
leave_ungrouped(const struct tn_inv *inv, struct tn_inv_member *host)
{
    size_t out = 0;

    for (size_t i = 0; i < host->groups.n; i++) {
        if (host->groups.items[i] != inv->ungrouped) {
            host->groups.items[out++] = host->groups.items[i];
        }
    }
    host->groups.n = out;
}

static void
settle_host(struct tn_inv *inv, struct tn_inv_member *host)
{
    bool alone = true;

    for (size_t i = 0; i < host->groups.n; i++) {
        alone = alone && (host->groups.items[i] == inv->all ||
                          host->groups.items[i] == inv->ungrouped);
    }
    if (!alone) {
        leave_ungrouped(inv, host);
    } else if (!is_member(host, inv->ungrouped)) {
        if (tn_map_get(&inv->group_by_name, host->name)) {
            tn_diag(inv->diags, TN_ERROR, host->at,
                    "host '%s' is in no group but has the name of one",
                    host->name);
            host->broken = true;
            return;
        }
        tn_inv_add_member(inv, inv->ungrouped, host);
    }
}

bool
tn_inv_reconcile(struct tn_inv *inv)
{
    const struct tn_inv_edge *up;

    for (size_t i = 0; i < inv->ungrouped->parents.n; i++) {
        up = &inv->ungrouped->parents.items[i];
        if (up->parent != inv->all) {
            tn_diag(inv->diags, TN_ERROR, up->at,
                    "'ungrouped' cannot be a child of group '%s'",
                    up->parent->name);
            return false;
        }
    }
    for (size_t i = 0; i < inv->groups.n; i++) {
        struct tn_inv_group *g = inv->groups.items[i];

        if (g != inv->all && g->parents.n == 0) {
            tn_inv_add_child(inv, inv->all, g, (struct tn_origin){0});
        }
    }
    if (!place_groups(inv)) {
        return false;
    }
    for (size_t i = 0; i < inv->hosts.n; i++) {
        settle_host(inv, inv->hosts.items[i]);
    }
    return true;
}
