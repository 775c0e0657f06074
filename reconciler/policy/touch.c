/* touch.c - what a commit touches: what rules of VPCs and tenants look at.
 *
 * VPCs that differ as compiled, and those of which a document says something
 * else (a label changes nothing that is compiled).  Folders of tenants are
 * compared by their id in Git and files by theirs, so that documents are looked
 * at only where bytes differ; whether they say something else is decided one by
 * one (changed.c). */
#include "reconciler/policy/work.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile/repository.h"

struct toucher {
    struct tn_judgement *j;
    struct tn_map seen;    /* Scope to its number in 'touched', plus one. */
    struct tn_map tenants; /* Names. */
};

static void
tenant_touch(struct toucher *t, const char *name)
{
    tn_map_put(&t->tenants, name, t->j);
}

/* How it was in each of the pasts. */
static void
remember(struct tn_judgement *j, struct tn_touch *touch)
{
    size_t n = j->in->n_pasts;
    const struct tn_net_vpc **was =
        tn_new_n(j->arena, const struct tn_net_vpc *, n + 1);
    for (size_t i = 0; i < n; i++) {
        was[i] = tn_network_vpc(j->pasts[i].network, touch->scope);
        if (was[i] && !touch->before) {
            touch->before = was[i];
            touch->old = &j->pasts[i].docs;
        }
    }
    touch->was = was;
}

/* 'any' is the VPC as it is, or was; 'labels' as of struct tn_touch. */
static void
touch(struct toucher *t, const struct tn_net_vpc *any, bool labels)
{
    struct tn_judgement *j = t->j;
    tenant_touch(t, any->tenant);
    uintptr_t at = (uintptr_t) tn_map_get(&t->seen, any->scope);
    if (at) {
        j->touched.items[at - 1].labels &= labels;
        return;
    }
    struct tn_touch *new = tn_vec_push(j->arena, &j->touched);
    *new = (struct tn_touch){
        .scope = any->scope,
        .tenant = any->tenant,
        .after = tn_network_vpc(j->in->network, any->scope),
        .labels = labels,
    };
    remember(j, new);
    tn_map_put(&t->seen, any->scope, (void *) (uintptr_t) j->touched.n);
}

/* Has the VPC a document in one of the files?  Paths are shared: most are the
 * one that was looked up before. */
static bool
vpc_in_files(const struct tn_net_vpc *vpc, const struct tn_map *files)
{
    const char *last = vpc->origin.path;
    if (last && tn_map_get(files, last)) {
        return true;
    }
    for (size_t s = 0; s < vpc->n_subnets; s++) {
        const struct tn_net_subnet *subnet = &vpc->subnets[s];
        for (size_t i = 0; i < subnet->n_ports; i++) {
            const char *path = subnet->ports[i].origin.path;
            if (path && path != last && tn_map_get(files, path)) {
                return true;
            }
            last = path;
        }
    }
    for (size_t i = 0; i < vpc->n_groups; i++) {
        const char *path = vpc->groups[i].origin.path;
        if (path && path != last && tn_map_get(files, path)) {
            return true;
        }
        last = path;
    }
    return false;
}

static enum tn_code
tenant_files(struct tn_source *source, const struct tn_repo_tenant *tenant,
             struct tn_arena *arena, struct tn_repo_files *out,
             struct tn_error *err)
{
    struct tn_diags unheard;
    *out = (struct tn_repo_files){0};
    if (!tenant) {
        return TN_OK;
    }
    tn_diags_init(&unheard, arena);
    return tn_repo_walk(source, tenant, arena, out, &unheard, err);
}

/* Paths that only one side has, or whose content differs. */
static void
files_differ(const struct tn_repo_files *a, const struct tn_repo_files *b,
             struct tn_map *out)
{
    size_t i = 0, k = 0;
    while (i < a->n || k < b->n) {
        int c = i == a->n   ? 1
                : k == b->n ? -1
                            : strcmp(a->items[i].path, b->items[k].path);
        bool same = c == 0 && tn_oid_known(&a->items[i].id) &&
                    memcmp(&a->items[i].id, &b->items[k].id,
                           sizeof a->items[i].id) == 0;
        if (!same) {
            const char *path = c <= 0 ? a->items[i].path : b->items[k].path;
            tn_map_put(out, path, out);
        }
        i += c <= 0;
        k += c >= 0;
    }
}

static bool
same_labels(const struct tn_meta *a, const struct tn_meta *b)
{
    bool same = a->labels.n == b->labels.n;
    for (size_t i = 0; same && i < a->labels.n; i++) {
        const struct tn_meta_label *l = &a->labels.items[i];
        same = tn_streq(tn_label_get(b, l->key.v), l->value.v);
    }
    return same;
}

/* The first VPC of the tenant; they are next to each other. */
static size_t
tenant_vpcs(const struct tn_network *network, const char *name)
{
    size_t lo = 0, hi = network->n_vpcs, n = strlen(name);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const char *scope = network->vpcs[mid]->scope;
        int c = strncmp(scope, name, n);
        if (c < 0 || (c == 0 && scope[n] < '/')) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* Documents of the tenant that say something else than they did. */
static void
documents_compare(struct toucher *t, struct tn_past *past, const char *name)
{
    const struct tn_network *network = t->j->in->network;
    const struct tn_tenant_result *b = tn_network_tenant(network, name);
    const struct tn_tenant_result *a = tn_network_tenant(past->network, name);
    bool known = a && b && a->tenant && b->tenant;
    bool labels = known && !same_labels(&a->tenant->meta, &b->tenant->meta);
    if (!b || tn_changed_tenant(t->j, b)) {
        tenant_touch(t, name);
    }
    for (size_t i = tenant_vpcs(network, name); i < network->n_vpcs; i++) {
        const struct tn_net_vpc *vpc = network->vpcs[i];
        if (strcmp(vpc->tenant, name) != 0) {
            break;
        }
        const struct tn_net_vpc *was =
            tn_network_vpc(past->network, vpc->scope);
        if (was && vpc_in_files(vpc, &past->files) &&
            tn_changed_documents(t->j, past, was, vpc)) {
            touch(t, vpc, false);
        } else if (labels) {
            touch(t, vpc, true);
        }
    }
}

static enum tn_code
tenant_compare(struct toucher *t, size_t past, const struct tn_repo_tenant *a,
               const struct tn_repo_tenant *b, struct tn_error *err)
{
    struct tn_judgement *j = t->j;
    struct tn_repo_files before, after;
    assert(a || b);
    if (a && b && tn_oid_known(&a->id) &&
        memcmp(&a->id, &b->id, sizeof a->id) == 0) {
        return TN_OK;
    }
    enum tn_code code =
        tenant_files(j->in->pasts[past].source, a, j->arena, &before, err);
    code = code ? code : tenant_files(j->in->source, b, j->arena, &after, err);
    if (!code) {
        files_differ(&before, &after, &j->pasts[past].files);
        documents_compare(t, &j->pasts[past], a ? a->name : b->name);
    }
    return code;
}

static enum tn_code
files_compare(struct toucher *t, size_t past, struct tn_error *err)
{
    struct tn_judgement *j = t->j;
    struct tn_repo_tenant *a = NULL, *b = NULL;
    size_t n_a = 0, n_b = 0;
    struct tn_diags unheard;
    tn_diags_init(&unheard, j->arena);
    enum tn_code code = tn_repo_tenants(j->in->pasts[past].source, j->arena, &a,
                                        &n_a, &unheard, err);
    code = code ? code
                : tn_repo_tenants(j->in->source, j->arena, &b, &n_b, &unheard,
                                  err);
    for (size_t i = 0, k = 0; !code && (i < n_a || k < n_b);) {
        int c = i == n_a ? 1 : k == n_b ? -1 : strcmp(a[i].name, b[k].name);
        code = tenant_compare(t, past, c <= 0 ? &a[i] : NULL,
                              c >= 0 ? &b[k] : NULL, err);
        i += c <= 0;
        k += c >= 0;
    }
    return code;
}

/* A tenant that failed to compile is left as it is: nothing of it is gone. */
static bool
is_held(const struct tn_network *network, const struct tn_net_vpc *vpc)
{
    const struct tn_tenant_result *t = tn_network_tenant(network, vpc->tenant);
    return (t && t->failed) ||
           tn_texts_has(network->held_scopes, network->n_held, vpc->scope);
}

static void
compiled_compare(struct toucher *t, const struct tn_network *past)
{
    const struct tn_network *now = t->j->in->network;
    size_t i = 0, k = 0, n = past ? past->n_vpcs : 0;
    bool same_world = past && tn_digest_eq(&past->world, &now->world);
    while (i < n || k < now->n_vpcs) {
        const struct tn_net_vpc *a = i < n ? past->vpcs[i] : NULL;
        const struct tn_net_vpc *b = k < now->n_vpcs ? now->vpcs[k] : NULL;
        int c = !a ? 1 : !b ? -1 : strcmp(a->scope, b->scope);
        i += c <= 0;
        k += c >= 0;
        if (c > 0 || (c == 0 && !tn_same_vpc(a, b, same_world))) {
            touch(t, b, false);
        } else if (c < 0 && !is_held(now, a)) {
            touch(t, a, false);
        }
    }
}

static int
touch_cmp(const void *a, const void *b)
{
    const struct tn_touch *x = a, *y = b;
    return strcmp(x->scope, y->scope);
}

static void
finish(struct toucher *t)
{
    struct tn_judgement *j = t->j;
    TN_VEC(const char *) names = {0};
    for (size_t i = 0; i < t->tenants.cap; i++) {
        if (t->tenants.slots[i].key) {
            *tn_vec_push(j->arena, &names) = t->tenants.slots[i].key;
        }
    }
    tn_texts_sort(names.items, names.n);
    j->tenants = names.items;
    j->n_tenants = names.n;
    if (j->touched.n) {
        qsort(j->touched.items, j->touched.n, sizeof *j->touched.items,
              touch_cmp);
    }
}

enum tn_code
tn_judge_touch(struct tn_judgement *j, struct tn_error *err)
{
    struct toucher t = {.j = j};
    enum tn_code code = TN_OK;
    tn_map_init(&t.seen, j->arena, 0);
    tn_map_init(&t.tenants, j->arena, 0);
    for (size_t i = 0; i < j->in->n_pasts && !code; i++) {
        compiled_compare(&t, j->pasts[i].network);
        code = j->pasts[i].network ? files_compare(&t, i, err) : TN_OK;
    }
    if (j->in->n_pasts == 0) {
        compiled_compare(&t, NULL);
    }
    finish(&t);
    return code;
}

void
tn_judge_touch_all(struct tn_judgement *j)
{
    struct toucher t = {.j = j};
    struct tn_judgement changed = *j;
    tn_map_init(&t.seen, j->arena, 0);
    tn_map_init(&t.tenants, j->arena, 0);
    memset(&j->touched, 0, sizeof j->touched);
    j->whole = true;
    for (size_t i = 0; i < changed.touched.n; i++) {
        const struct tn_touch *c = &changed.touched.items[i];
        touch(&t, c->after ? c->after : c->before, false);
    }
    for (size_t i = 0; i < j->in->network->n_vpcs; i++) {
        touch(&t, j->in->network->vpcs[i], false);
    }
    for (size_t i = 0; i < j->in->network->n_tenants; i++) {
        tenant_touch(&t, j->in->network->tenants[i].name);
    }
    finish(&t);
}
