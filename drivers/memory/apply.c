/* apply.c - carrying steps out on the resources in memory.
 *
 * What a real device would refuse is refused here too: a resource whose parent
 * is not there, a claim that another holds, a change in place of what cannot
 * change, anything that is not as it was observed.  Deleting takes along what
 * is below. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "drivers/memory/kind.h"
#include "drivers/memory/store.h"

enum { DEPTH_MAX = 16 };

void
tn_mem_store_index_add(struct tn_mem_store *store, const char *key,
                       const json_t *resource)
{
    const char *claim = tn_mem_member(resource, "claim");
    const char *parent = tn_mem_member(resource, "parent");
    if (claim) {
        json_object_set_new(store->claims, claim, json_string(key));
    }
    if (parent) {
        json_t *children = json_object_get(store->children, parent);
        if (!children) {
            children = json_object();
            json_object_set_new(store->children, parent, children);
        }
        json_object_set_new(children, key, json_true());
    }
}

static json_t *
json_of(const struct tn_mem_store *store, const struct tn_resource *r)
{
    json_t *attrs = json_object();
    for (size_t i = 0; i < r->n_attrs; i++) {
        json_object_set_new(attrs, r->attrs[i].name,
                            json_string(r->attrs[i].value));
    }
    return json_pack("{s:s, s:s?, s:s, s:s, s:s?, s:s?, s:o}", "kind", r->kind,
                     "name", r->name, "scope", r->scope, "owner", store->owner,
                     "parent", r->parent, "claim", r->claim, "attrs", attrs);
}

static bool
is_ours(const struct tn_mem_store *store, const json_t *json)
{
    return strcmp(tn_mem_member(json, "owner"), store->owner) == 0;
}

/* Null if 'json' is as 'r' says, else the name of what is not. */
static const char *
difference(json_t *json, const struct tn_resource *r)
{
    json_t *attrs = json_object_get(json, "attrs");
    if (strcmp(tn_mem_member(json, "kind"), r->kind) != 0) {
        return "kind";
    }
    for (size_t i = 0; i < r->n_attrs; i++) {
        if (!tn_streq(tn_mem_member(attrs, r->attrs[i].name),
                      r->attrs[i].value)) {
            return r->attrs[i].name;
        }
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(attrs, name, value)
    {
        if (!tn_resource_attr(r, name)) {
            return name;
        }
    }
    return NULL;
}

static void
index_drop(struct tn_mem_store *store, const char *key, const json_t *r)
{
    const char *claim = tn_mem_member(r, "claim");
    const char *parent = tn_mem_member(r, "parent");
    if (claim && tn_streq(tn_mem_member(store->claims, claim), key)) {
        json_object_del(store->claims, claim);
    }
    if (parent) {
        json_object_del(json_object_get(store->children, parent), key);
    }
}

static enum tn_code
put(struct tn_mem_store *store, const struct tn_resource *r,
    struct tn_error *err)
{
    const char *holder =
        r->claim ? tn_mem_member(store->claims, r->claim) : NULL;
    if (r->parent && !json_object_get(store->resources, r->parent)) {
        return tn_fail(err, TN_ESTALE, ENOENT, "%s: %s is not there", r->key,
                       r->parent);
    }
    if (holder && strcmp(holder, r->key) != 0) {
        return tn_fail(err, TN_EDENIED, EEXIST, "%s: %s has %s already", r->key,
                       holder, r->claim);
    }
    json_t *json = json_of(store, r);
    json_t *former = json_object_get(store->resources, r->key);
    if (!json) {
        return tn_fail(err, TN_EINTERNAL, 0, "%s is not UTF-8", r->key);
    }
    if (former) {
        index_drop(store, r->key, former);
    }
    tn_mem_store_index_add(store, r->key, json);
    json_object_set_new(store->resources, r->key, json);
    return TN_OK;
}

/* The key of something foreign below 'key', null if there is none.  A file
 * written by hand may have a circle of parents: 'depth' ends it. */
static const char *
foreign_below(const struct tn_mem_store *store, const char *key, int depth)
{
    const char *child = NULL;
    json_t *unused = NULL;
    json_object_foreach(json_object_get(store->children, key), child, unused)
    {
        const json_t *r = json_object_get(store->resources, child);
        if (r && !is_ours(store, r)) {
            return child;
        }
        const char *below =
            depth ? foreign_below(store, child, depth - 1) : NULL;
        if (below) {
            return below;
        }
    }
    return NULL;
}

static void
remove_below(struct tn_mem_store *store, const char *key)
{
    json_t *children = json_incref(json_object_get(store->children, key));
    const char *child = NULL;
    json_t *unused = NULL;
    /* First of all, so that a circle ends here. */
    json_object_del(store->children, key);
    json_object_foreach(children, child, unused)
    {
        remove_below(store, child);
        const json_t *r = json_object_get(store->resources, child);
        const char *claim = r ? tn_mem_member(r, "claim") : NULL;
        if (claim) {
            json_object_del(store->claims, claim);
        }
        json_object_del(store->resources, child);
    }
    json_decref(children);
}

/* Removes what is below 'key' and then itself, as a real device would; refuses
 * if something foreign is below. */
static enum tn_code
remove_tree(struct tn_mem_store *store, const char *key, struct tn_error *err)
{
    const char *foreign = foreign_below(store, key, DEPTH_MAX);
    if (foreign) {
        return tn_fail(err, TN_EDENIED, EBUSY, "%s holds %s, not ours", key,
                       foreign);
    }
    remove_below(store, key);
    const json_t *r = json_object_get(store->resources, key);
    if (r) {
        index_drop(store, key, r);
        json_object_del(store->resources, key);
    }
    return TN_OK;
}

static enum tn_code
stale(const struct tn_resource *r, const char *what, struct tn_error *err)
{
    return tn_fail(err, TN_ESTALE, 0, "%s: %s is not as observed", r->key,
                   what);
}

static enum tn_code
apply_update(struct tn_mem_store *store, const struct tn_step *step,
             json_t *json, struct tn_error *err)
{
    const struct tn_mem_kind *kind = tn_mem_kind_get(step->after->kind);
    json_t *attrs = json_object_get(json, "attrs");
    for (size_t i = 0; kind && kind->replaced[i]; i++) {
        const char *name = kind->replaced[i];
        if (!tn_streq(tn_mem_member(attrs, name),
                      tn_resource_attr(step->after, name))) {
            return tn_fail(err, TN_EUNSUPPORTED, 0,
                           "%s: %s cannot change in place", step->after->key,
                           name);
        }
    }
    return put(store, step->after, err);
}

static enum tn_code
apply_known(struct tn_mem_store *store, const struct tn_step *step,
            json_t *json, struct tn_error *err)
{
    const char *moved =
        step->before ? difference(json, step->before) : "existence";
    enum tn_code code = TN_OK;
    if (step->after && !difference(json, step->after)) {
        return TN_OK;
    }
    if (moved) {
        return stale(step->before ? step->before : step->after, moved, err);
    }
    switch (step->op) {
    case TN_OP_CREATE:
        return stale(step->after, "existence", err);
    case TN_OP_UPDATE:
        return apply_update(store, step, json, err);
    case TN_OP_REPLACE:
        code = remove_tree(store, step->before->key, err);
        return code == TN_OK ? put(store, step->after, err) : code;
    case TN_OP_DELETE:
        return remove_tree(store, step->before->key, err);
    }
    return code;
}

enum tn_code
tn_mem_store_apply(struct tn_mem_store *store, const struct tn_step *step,
                   struct tn_error *err)
{
    assert(step->op == TN_OP_DELETE ? step->before : step->after);
    const struct tn_resource *r = step->after ? step->after : step->before;
    json_t *json = json_object_get(store->resources, r->key);
    if (json && !is_ours(store, json)) {
        return tn_fail(err, TN_EDENIED, EEXIST, "%s is not ours", r->key);
    }
    if (json) {
        return apply_known(store, step, json, err);
    }
    switch (step->op) {
    case TN_OP_CREATE:
    case TN_OP_REPLACE:
        return put(store, step->after, err);
    case TN_OP_UPDATE:
        return stale(r, "existence", err);
    case TN_OP_DELETE:
        return TN_OK;
    }
    return TN_OK;
}
