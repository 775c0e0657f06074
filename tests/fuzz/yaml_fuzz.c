/* yaml_fuzz.c - hostile YAML: no crash, no leak, and what is accepted holds
 * what node.h promises.
 *
 * The first byte picks the profile and the limits, the rest is the file.  For
 * a file that is accepted, the tree is walked as consumers do, by recursion,
 * and checked: depth, number of nodes, lengths, no key twice.  The nesting
 * that the byte scan measures must never be more than the tree has, or real
 * files would be refused. */
#include <assert.h>
#include <stdlib.h>

#include "model/base/cleanup.h"
#include "model/yaml/node.h"
#include "model/yaml/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct walk {
    const struct tn_yaml_limits *limits;
    bool strict;
    size_t nodes, depth, deepest;
};

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

static void
walk_node(struct walk *w, const struct tn_node *node)
{
    CHECK(++w->nodes <= w->limits->nodes);
    CHECK(node->at.line > 0 && node->at.column > 0);
    CHECK(!w->strict || !node->tag);
    if (node->type == TN_NODE_SCALAR) {
        CHECK(strlen(node->scalar.text) == node->scalar.len);
        CHECK(node->scalar.len <= w->limits->scalar);
        return;
    }
    w->depth++;
    CHECK(w->depth <= w->limits->depth);
    w->deepest = w->depth > w->deepest ? w->depth : w->deepest;
    if (node->type == TN_NODE_LIST) {
        for (size_t i = 0; i < node->list.n; i++) {
            walk_node(w, node->list.items[i]);
        }
    } else {
        for (size_t i = 0; i < node->map.n; i++) {
            const struct tn_pair *p = &node->map.pairs[i];
            CHECK(p->key[0] && strlen(p->key) <= w->limits->key);
            CHECK(p->at.line > 0 && p->at.column > 0);
            CHECK(!w->strict || tn_node_get(node, p->key) == p->value);
            walk_node(w, p->value);
        }
    }
    w->depth--;
}

static void
ask(const struct tn_node *node)
{
    bool b = false;
    uint64_t v = 0;
    CHECK(*tn_node_type_name(node));
    CHECK(!(tn_node_bool(node, &b) && tn_node_uint(node, &v)));
    CHECK(!(tn_node_is_null(node) && tn_node_uint(node, &v)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tn_yaml_limits small = {4096, 6, 200, 16, 64, 4};
    if (size == 0) {
        return 0;
    }
    bool strict = data[0] & 1;
    const struct tn_yaml_limits *limits =
        data[0] & 2 ? &small : &tn_yaml_limits_default;
    const char *bytes = (const char *) data + 1;
    size_t n = size - 1, n_docs = 0;
    struct tn_arena *arena = tn_arena_new();
    struct tn_diags diags;
    const struct tn_node **docs = NULL;
    tn_diags_init(&diags, arena);
    bool ok = tn_yaml_parse(arena, "fuzz.yml", bytes, n,
                            strict ? TN_YAML_STRICT : TN_YAML_INVENTORY, limits,
                            &docs, &n_docs, &diags);
    CHECK(ok == (diags.n_errors == 0));
    struct walk w = {.limits = limits, .strict = strict};
    for (size_t i = 0; i < n_docs; i++) {
        ask(docs[i]);
        walk_node(&w, docs[i]);
    }
    struct tn_yaml_shape shape;
    struct tn_yaml_fault fault;
    if (ok && strict) {
        CHECK(tn_yaml_scan(bytes, n, limits, &shape, &fault));
        CHECK(shape.depth <= w.deepest);
        /* An indented level may hold a sequence at its own column, a flow
         * level a pair that is a map: no more may hide. */
        CHECK(w.deepest <= 2 * shape.depth + 1);
    }
    tn_arena_free(arena);
    return 0;
}
