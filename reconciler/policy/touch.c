/* touch.c - what a commit touches: what rules of VPCs and tenants look at.
 *
 * VPCs that differ as compiled, and those that have a document in a file that
 * differs (a label changes nothing that is compiled).  Folders of tenants are
 * compared by their id in Git, so that files are looked at only where some
 * differ. */
#include "reconciler/policy/work.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile/repository.h"

struct toucher {
    struct tn_judgement *j;
    struct tn_map seen; /* Scope to its number in 'touched', plus one. */
    struct tn_map tenants;
};

static void
tenant_touch(struct toucher *t, const char *name)
{
    tn_map_put(&t->tenants, name, t->j);
}

static void
touch(struct toucher *t, const struct tn_net_vpc *before,
      const struct tn_net_vpc *after, struct tn_docs *old)
{
    const struct tn_net_vpc *any = after ? after : before;
    assert(any);
    tenant_touch(t, any->tenant);
    if (tn_map_get(&t->seen, any->scope)) {
        return;
    }
    tn_map_put(&t->seen, any->scope, t->j);
    *tn_vec_push(t->j->arena, &t->j->touched) = (struct tn_touch){
        .scope = any->scope,
        .tenant = any->tenant,
        .before = before,
        .after = after,
        .old = old,
    };
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
static bool
files_differ(const struct tn_repo_files *a, const struct tn_repo_files *b,
             struct tn_map *out)
{
    size_t i = 0, k = 0;
    bool any = false;
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
            any = true;
        }
        i += c <= 0;
        k += c >= 0;
    }
    return any;
}

/* The VPCs of a tenant with a document in files that differ. */
static enum tn_code
tenant_compare(struct toucher *t, const struct tn_judge_past *past,
               const struct tn_repo_tenant *a, const struct tn_repo_tenant *b,
               struct tn_error *err)
{
    struct tn_judgement *j = t->j;
    struct tn_repo_files before, after;
    struct tn_map files;
    assert(a || b);
    const char *name = a ? a->name : b->name;
    if (a && b && tn_oid_known(&a->id) &&
        memcmp(&a->id, &b->id, sizeof a->id) == 0) {
        return TN_OK;
    }
    enum tn_code code = tenant_files(past->source, a, j->arena, &before, err);
    code = code ? code : tenant_files(j->in->source, b, j->arena, &after, err);
    tn_map_init(&files, j->arena, 0);
    if (code || !files_differ(&before, &after, &files)) {
        return code;
    }
    tenant_touch(t, name);
    struct tn_docs *old = &j->past_docs[past - j->in->pasts];
    for (size_t i = 0; i < j->in->network->n_vpcs; i++) {
        const struct tn_net_vpc *vpc = j->in->network->vpcs[i];
        if (strcmp(vpc->tenant, name) == 0 && vpc_in_files(vpc, &files)) {
            touch(t, tn_network_vpc(past->network, vpc->scope), vpc, old);
        }
    }
    return TN_OK;
}

static enum tn_code
files_compare(struct toucher *t, const struct tn_judge_past *past,
              struct tn_error *err)
{
    struct tn_judgement *j = t->j;
    struct tn_repo_tenant *a = NULL, *b = NULL;
    size_t n_a = 0, n_b = 0;
    struct tn_diags unheard;
    tn_diags_init(&unheard, j->arena);
    enum tn_code code =
        tn_repo_tenants(past->source, j->arena, &a, &n_a, &unheard, err);
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
compiled_compare(struct toucher *t, const struct tn_judge_past *past)
{
    struct tn_judgement *j = t->j;
    struct tn_reach_changes changes;
    struct tn_docs *old = past ? &j->past_docs[past - j->in->pasts] : NULL;
    tn_reach_changes_find(j->arena, past ? past->network : NULL, j->in->network,
                          &changes);
    for (size_t i = 0; i < changes.n; i++) {
        const struct tn_reach_touched *c = &changes.items[i];
        if (c->after || !is_held(j->in->network, c->before)) {
            touch(t, c->before, c->after, old);
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
        const struct tn_judge_past *past = &j->in->pasts[i];
        bool known = past->network && past->source;
        compiled_compare(&t, known ? past : NULL);
        code = known ? files_compare(&t, past, err) : TN_OK;
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
    /* Those that are touched anyway keep what they were. */
    memset(&j->touched, 0, sizeof j->touched);
    for (size_t i = 0; i < changed.touched.n; i++) {
        const struct tn_touch *c = &changed.touched.items[i];
        touch(&t, c->before, c->after, c->old);
    }
    for (size_t i = 0; i < j->in->network->n_vpcs; i++) {
        const struct tn_net_vpc *v = j->in->network->vpcs[i];
        const struct tn_network *past =
            j->in->n_pasts ? j->in->pasts[0].network : NULL;
        touch(&t, tn_network_vpc(past, v->scope), v,
              past ? &j->past_docs[0] : NULL);
    }
    for (size_t i = 0; i < j->in->network->n_tenants; i++) {
        tenant_touch(&t, j->in->network->tenants[i].name);
    }
    finish(&t);
}
