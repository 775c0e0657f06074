/* content.c - see content.h.
 *
 * A digest of the tree: a map is the sorted digests of its pairs, so that their
 * order is none.  Depth and size are bounded by whoever parsed it. */
#include "reconciler/policy/content.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"

static int
digest_cmp(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct tn_digest));
}

static void
digest_add(struct tn_digester *d, const struct tn_digest *part)
{
    tn_digester_add(d, part->b, sizeof part->b);
}

static void
map_add(struct tn_digester *d, const struct tn_node *node)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *scratch = NULL;
    struct tn_digest few[16], *pairs = few;
    if (node->map.n > TN_ARRAY_SIZE(few)) {
        scratch = tn_arena_new();
        pairs = tn_new_n(scratch, struct tn_digest, node->map.n);
    }
    for (size_t i = 0; i < node->map.n; i++) {
        const struct tn_pair *pair = &node->map.pairs[i];
        struct tn_digest value = tn_content_digest(pair->value);
        struct tn_digester one;
        tn_digester_init(&one);
        tn_digester_add_str(&one, pair->key);
        digest_add(&one, &value);
        pairs[i] = tn_digester_end(&one);
    }
    if (node->map.n) {
        qsort(pairs, node->map.n, sizeof *pairs, digest_cmp);
    }
    for (size_t i = 0; i < node->map.n; i++) {
        digest_add(d, &pairs[i]);
    }
}

struct tn_digest
tn_content_digest(const struct tn_node *node)
{
    struct tn_digester d;
    tn_digester_init(&d);
    switch (node->type) {
    case TN_NODE_SCALAR:
        tn_digester_add(&d, tn_node_is_null(node) ? "n" : "s", 1);
        tn_digester_add(&d, node->scalar.text,
                        tn_node_is_null(node) ? 0 : node->scalar.len);
        break;
    case TN_NODE_LIST:
        tn_digester_add(&d, "l", 1);
        for (size_t i = 0; i < node->list.n; i++) {
            struct tn_digest item = tn_content_digest(node->list.items[i]);
            digest_add(&d, &item);
        }
        break;
    case TN_NODE_MAP:
        tn_digester_add(&d, "m", 1);
        map_add(&d, node);
        break;
    }
    return tn_digester_end(&d);
}
