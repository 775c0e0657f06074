/* nsx_tree_fuzz.c - what a hostile NSX answers when it is asked for all.
 *
 * Input: JSON, the answer to a hierarchical reading.  Whatever is in it becomes
 * a flat list of objects, of each path one.  Each of them, taken for any kind,
 * becomes a resource; what would be written to make it so is read back as the
 * same resource, and all of it together makes one hierarchical body that tells
 * of nothing that was not put in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/nsx/kinds.h"
#include "drivers/nsx/part.h"
#include "drivers/nsx/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

static struct tn_resource
resource(struct tn_arena *arena, const struct tn_nsx_kind *kind,
         const struct tn_nsx_leaf *leaf, const json_t *json)
{
    const struct tn_nsx_found found = {.kind = kind,
                                       .path = leaf->path,
                                       .json = json,
                                       .key = "acme/web/x/y",
                                       .name = "y",
                                       .scope = "acme/web",
                                       .owner = TN_OURS};
    return tn_nsx_resource(arena, &found);
}

/* Null: it has more tags than NSX can hold. */
static json_t *
written(struct tn_arena *arena, const struct tn_nsx_kind *kind,
        const struct tn_nsx_leaf *leaf)
{
    struct tn_error err = {0};
    json_t *body = NULL;
    struct tn_resource r = resource(arena, kind, leaf, leaf->json);
    if (tn_nsx_body(&r, r.native, "fuzz", &body, &err)) {
        return NULL;
    }
    struct tn_resource again = resource(arena, kind, leaf, body);
    CHECK(tn_resource_same(&r, &again));
    return body;
}

static void
leaf_try(struct tn_arena *arena, const struct tn_nsx_leaf *leaf)
{
    for (size_t i = 0; i < TN_NSX_KINDS; i++) {
        json_decref(written(arena, tn_nsx_kinds[i], leaf));
    }
}

static void
tree_try(struct tn_arena *arena, const struct tn_nsx_leaves *leaves)
{
    struct tn_error err = {0};
    json_t *tree = NULL;
    size_t n = 0;
    struct tn_nsx_node *nodes =
        tn_new_n(arena, struct tn_nsx_node, leaves->all.n + 1);
    for (size_t i = 0; i < leaves->all.n; i++) {
        const struct tn_nsx_leaf *leaf = &leaves->all.items[i];
        const char *type = tn_nsx_path_type(leaf->path);
        if (type && tn_nsx_path_within(leaf->path, "/infra")) {
            nodes[n++] = (struct tn_nsx_node){
                leaf->path, type,
                i % 3 ? written(arena, tn_nsx_kinds[0], leaf) : NULL, 1};
        }
    }
    if (tn_nsx_tree("/infra", nodes, n, &tree, &err)) {
        return;
    }
    struct tn_nsx_leaves back;
    tn_nsx_leaves_init(&back, arena);
    if (!tn_nsx_leaves_add(&back, "/infra", tree, &err)) {
        CHECK(back.all.n <= n);
    }
    json_decref(tree);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_nsx_leaves leaves;
    struct tn_error err = {0};
    json_t *json = json_loadb((const char *) data, size, 0, NULL);
    tn_nsx_leaves_init(&leaves, arena);
    if (json && !tn_nsx_leaves_add(&leaves, "/infra", json, &err)) {
        for (size_t i = 0; i < leaves.all.n; i++) {
            leaf_try(arena, &leaves.all.items[i]);
        }
        tree_try(arena, &leaves);
    }
    json_decref(json);
    tn_arena_free(arena);
    return 0;
}
