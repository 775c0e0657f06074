/* store.c - reading and writing the file of a device.
 *
 * The file is replaced by renaming, so that a reader never sees half of it,
 * and writers exclude each other by a lock on a second file.  It is not synced:
 * this is no network. */
#include "drivers/memory/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "drivers/memory/kind.h"
#include "model/base/cleanup.h"
#include "model/base/file.h"

static const char format[] = "tenet-memory/1";

static void
cleanup_json(json_t **json)
{
    json_decref(*json);
}

static json_t *
root_new(void)
{
    return json_pack("{s:s, s:i, s:{}}", "format", format, "operations", 0,
                     "resources");
}

static enum tn_code
resource_check(const char *key, const json_t *r, const char *path,
               struct tn_error *err)
{
    static const char *const required[] = {"kind", "scope", "owner"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(required); i++) {
        if (!tn_mem_member(r, required[i])) {
            return tn_fail(err, TN_EUNAVAILABLE, 0, "%s: %s has no %s", path,
                           key, required[i]);
        }
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(json_object_get(r, "attrs"), name, value)
    {
        if (!json_is_string(value)) {
            return tn_fail(err, TN_EUNAVAILABLE, 0, "%s: %s: %s is not text",
                           path, key, name);
        }
    }
    return TN_OK;
}

static enum tn_code
root_check(const json_t *root, const char *path, struct tn_error *err)
{
    const char *key = NULL;
    json_t *r = NULL;
    json_t *resources = json_object_get(root, "resources");
    if (!tn_streq(tn_mem_member(root, "format"), format) ||
        !json_is_object(resources)) {
        return tn_fail(err, TN_EDENIED, 0,
                       "%s is not a file of the memory driver", path);
    }
    json_object_foreach(resources, key, r)
    {
        enum tn_code code = resource_check(key, r, path, err);
        if (code != TN_OK) {
            return code;
        }
    }
    return TN_OK;
}

void
tn_mem_store_index(struct tn_mem_store *store)
{
    json_object_clear(store->claims);
    json_object_clear(store->children);
    const char *key = NULL;
    json_t *r = NULL;
    json_object_foreach(store->resources, key, r)
    {
        tn_mem_store_index_add(store, key, r);
    }
}

enum tn_code
tn_mem_store_init(struct tn_mem_store *store, const char *path,
                  const char *owner, struct tn_error *err)
{
    *store = (struct tn_mem_store){
        .path = path ? strdup(path) : NULL, .owner = owner, .lock = -1};
    store->root = root_new();
    store->claims = json_object();
    store->children = json_object();
    store->resources = json_object_get(store->root, "resources");
    if (!store->resources || !store->claims || !store->children ||
        (path && !store->path)) {
        return tn_fail(err, TN_EINTERNAL, ENOMEM, "out of memory");
    }
    return tn_mem_store_read(store, err);
}

void
tn_mem_store_release(struct tn_mem_store *store)
{
    if (store->path) {
        json_decref(store->root);
        store->root = NULL;
        store->resources = NULL;
        json_object_clear(store->claims);
        json_object_clear(store->children);
    }
}

void
tn_mem_store_done(struct tn_mem_store *store)
{
    tn_mem_store_unlock(store);
    free(store->path);
    json_decref(store->claims);
    json_decref(store->children);
    json_decref(store->root);
}

enum tn_code
tn_mem_store_read(struct tn_mem_store *store, struct tn_error *err)
{
    if (!store->path) {
        return TN_OK;
    }
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(store->path, "re");
    if (!f && errno != ENOENT) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "%s", store->path);
    }
    json_error_t why = {0};
    TN_CLEANUP(cleanup_json) json_t *root = NULL;
    root = f ? json_loadf(f, JSON_REJECT_DUPLICATES, &why) : root_new();
    if (!root) {
        return tn_fail(err, TN_EDENIED, 0,
                       "%s is not a file of the memory driver: %s", store->path,
                       why.text);
    }
    enum tn_code code = root_check(root, store->path, err);
    if (code == TN_OK) {
        json_decref(store->root);
        store->root = TN_TAKE(root);
        store->resources = json_object_get(store->root, "resources");
        tn_mem_store_index(store);
    }
    return code;
}

static void
path_with(char *out, size_t size, const char *path, const char *suffix)
{
    snprintf(out, size, "%s%s", path, suffix);
}

enum tn_code
tn_mem_store_lock(struct tn_mem_store *store, struct tn_error *err)
{
    char path[4096];
    if (!store->path || store->lock >= 0) {
        return TN_OK;
    }
    path_with(path, sizeof path, store->path, ".lock");
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock < 0 || flock(store->lock, LOCK_EX) != 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "lock %s", path);
    }
    return tn_mem_store_read(store, err);
}

void
tn_mem_store_unlock(struct tn_mem_store *store)
{
    if (store->lock >= 0) {
        close(store->lock);
        store->lock = -1;
    }
}

enum tn_code
tn_mem_store_write(struct tn_mem_store *store, struct tn_error *err)
{
    if (!store->path) {
        return TN_OK;
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    TN_CLEANUP(tn_cleanup_free)
    char *json = json_dumps(store->root, JSON_INDENT(1) | JSON_SORT_KEYS);
    tn_text_add(&text, json ? json : "");
    return tn_file_replace(store->path, &text, 0600, err);
}

json_int_t
tn_mem_store_operations(const struct tn_mem_store *store)
{
    return json_integer_value(json_object_get(store->root, "operations"));
}

json_int_t
tn_mem_store_count(struct tn_mem_store *store)
{
    json_int_t n = tn_mem_store_operations(store) + 1;
    json_object_set_new(store->root, "operations", json_integer(n));
    return n;
}

/* --- observing ---------------------------------------------------------- */

static bool
in_scope(const struct tn_scope *scope, const char *name)
{
    if (!scope || !scope->names || scope->n == 0) {
        return true;
    }
    for (size_t i = 0; i < scope->n; i++) {
        if (strcmp(scope->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *
copy(struct tn_arena *arena, const char *s)
{
    return s ? tn_arena_strdup(arena, s) : NULL;
}

static int
attr_cmp(const void *pa, const void *pb)
{
    const struct tn_attr *a = pa, *b = pb;
    return strcmp(a->name, b->name);
}

static void
attrs_of(json_t *attrs, const struct tn_mem_kind *kind, struct tn_arena *arena,
         struct tn_resource *r)
{
    size_t n = json_object_size(attrs);
    struct tn_attr *out = tn_new_n(arena, struct tn_attr, n + 1);
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(attrs, name, value)
    {
        out[r->n_attrs++] = (struct tn_attr){
            .name = tn_arena_strdup(arena, name),
            .value = tn_arena_strdup(arena, json_string_value(value)),
            .change = (uint8_t) tn_mem_attr_change(kind, name)};
    }
    qsort(out, r->n_attrs, sizeof *out, attr_cmp);
    r->attrs = out;
}

static struct tn_resource
resource_of(const struct tn_mem_store *store, const char *key, json_t *json,
            struct tn_arena *arena)
{
    const struct tn_mem_kind *kind =
        tn_mem_kind_get(tn_mem_member(json, "kind"));
    bool ours = strcmp(tn_mem_member(json, "owner"), store->owner) == 0;
    struct tn_resource r = {
        .key = tn_arena_strdup(arena, key),
        .kind = kind ? kind->name : copy(arena, tn_mem_member(json, "kind")),
        .name = copy(arena, tn_mem_member(json, "name")),
        .scope = copy(arena, tn_mem_member(json, "scope")),
        .owner = ours ? TN_OURS : TN_FOREIGN,
        .rank = kind ? kind->rank : 0,
        .claim = copy(arena, tn_mem_member(json, "claim")),
        .parent = copy(arena, tn_mem_member(json, "parent")),
    };
    if (!r.name) {
        r.name = r.key;
    }
    attrs_of(json_object_get(json, "attrs"), kind, arena, &r);
    return r;
}

enum tn_code
tn_mem_store_observe(const struct tn_mem_store *store, const char *device,
                     const struct tn_scope *scope, struct tn_arena *arena,
                     const struct tn_state **out, struct tn_error *err)
{
    TN_VEC(struct tn_resource) list = {0};
    const char *key = NULL;
    json_t *json = NULL;
    json_object_foreach(store->resources, key, json)
    {
        if (in_scope(scope, tn_mem_member(json, "scope"))) {
            *tn_vec_push(arena, &list) = resource_of(store, key, json, arena);
        }
    }
    enum tn_code code = tn_state_sort(list.items, list.n, err);
    if (code == TN_OK) {
        struct tn_state *state = tn_new(arena, struct tn_state);
        *state = (struct tn_state){device, list.items, list.n};
        *out = state;
    }
    return code;
}
