/* alias.c - what inventories may use and documents of tenants may not: anchors
 * and aliases, merge keys and tags.
 *
 * An alias is the node that it names, not a copy; its nodes count every time,
 * so that what a file unfolds to stays within the bound of nodes. */
#include "model/yaml/build.h"

#include <string.h>

enum { ANCHORS_MAX = 1000 };

bool
tn_yaml_is_merge(const struct tn_pair *pair)
{
    return !pair->quoted && strcmp(pair->key, "<<") == 0;
}

static void
merge_map(struct tn_yaml_build *p, const struct tn_node *map, struct tn_pos at)
{
    if (map->type != TN_NODE_MAP) {
        tn_yaml_refuse(p, at, "'<<' merges a map or a list of maps", NULL);
        return;
    }
    for (size_t i = 0; i < map->map.n; i++) {
        tn_yaml_push(p, &map->map.pairs[i]);
    }
}

/* As PyYAML's flatten_mapping: of a list, the first has the last word. */
void
tn_yaml_merge_keys(struct tn_yaml_build *p, struct tn_yaml_frame *f)
{
    size_t end = p->n_children;
    for (size_t i = f->base; i < end; i++) {
        struct tn_pair pair = p->children[i];
        if (!tn_yaml_is_merge(&pair)) {
            continue;
        }
        if (pair.value->type != TN_NODE_LIST) {
            merge_map(p, pair.value, pair.at);
            continue;
        }
        for (size_t k = pair.value->list.n; k > 0; k--) {
            merge_map(p, pair.value->list.items[k - 1], pair.at);
        }
    }
    for (size_t i = f->base; i < end; i++) {
        struct tn_pair pair = p->children[i];
        if (!tn_yaml_is_merge(&pair)) {
            tn_yaml_push(p, &pair);
        }
    }
    size_t n = p->n_children - end;
    memmove(p->children + f->base, p->children + end, n * sizeof *p->children);
    p->n_children = f->base + tn_yaml_dedupe(p, p->children + f->base, n, true);
}

struct tn_yaml_anchor *
tn_yaml_anchor(struct tn_yaml_build *p, const char *name, struct tn_pos at)
{
    if (!name) {
        return NULL;
    }
    if (p->profile == TN_YAML_STRICT) {
        tn_yaml_refuse(p, at, "anchors are not allowed here",
                       "write the value out where it is used");
        return NULL;
    }
    struct tn_yaml_anchor *former = tn_map_get(&p->anchors, name);
    if (former) {
        tn_yaml_finding(p, at, "duplicate anchor '%s', first given on line %u",
                        name, former->at.line);
        return NULL;
    }
    if (++p->n_anchors > ANCHORS_MAX) {
        tn_yaml_refuse(p, at, "too many anchors in one file", NULL);
        p->stop = true;
        return NULL;
    }
    struct tn_yaml_anchor *anchor = tn_new(p->arena, struct tn_yaml_anchor);
    anchor->at = at;
    tn_map_put(&p->anchors, tn_arena_strdup(p->arena, name), anchor);
    return anchor;
}

const struct tn_yaml_anchor *
tn_yaml_alias(struct tn_yaml_build *p, const char *name, struct tn_pos at)
{
    if (p->profile == TN_YAML_STRICT) {
        tn_yaml_refuse(p, at, "aliases are not allowed here",
                       "write the value out");
        return NULL;
    }
    const struct tn_yaml_anchor *anchor = tn_map_get(&p->anchors, name);
    if (!anchor) {
        tn_yaml_finding(p, at,
                        "this begins with '*' and names no anchor: quote it");
    } else if (!anchor->node) {
        tn_yaml_finding(p, at, "alias '%s' stands inside of what it names",
                        name);
        anchor = NULL;
    }
    return anchor;
}

/* Sets the tags that Ansible knows; those of the core schema only say what is
 * there anyhow, but for '!!str' and '!', which make text of anything. */
void
tn_yaml_tag(struct tn_yaml_build *p, struct tn_node *node, const char *tag)
{
    static const char *const kept[] = {"!vault", "!vault-encrypted", "!unsafe"};
    static const char core[] = "tag:yaml.org,2002:";
    static const char *const of_type[] = {"str", "seq", "map"};
    if (!tag) {
        return;
    }
    if (p->profile == TN_YAML_STRICT) {
        tn_yaml_refuse(p, node->at, "tags are not allowed here",
                       "put text that looks like a number in quotes");
        return;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(kept); i++) {
        if (strcmp(tag, kept[i]) == 0) {
            node->tag = kept[i];
            return;
        }
    }
    if (strcmp(tag, "!") == 0 ||
        (strncmp(tag, core, sizeof core - 1) == 0 &&
         strcmp(tag + sizeof core - 1, of_type[node->type]) == 0)) {
        node->quoted |= node->type == TN_NODE_SCALAR;
        return;
    }
    tn_yaml_finding(p, node->at,
                    "this begins with '!' and is no known tag: quote it");
}
