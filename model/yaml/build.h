/* build.h - a tree of nodes in the making: what the readers of events share.
 *
 * parse.c turns events into nodes, build.c keeps count of them and judges keys,
 * alias.c knows what only inventories may use.  None of it is for others. */
#ifndef TN_YAML_BUILD_H
#define TN_YAML_BUILD_H

#include "model/base/map.h"
#include "model/yaml/node.h"

/* A file with more findings than this is not worth reading to its end. */
enum { TN_YAML_FINDINGS_MAX = 50, TN_YAML_KEYS_CACHED = 64 };

/* What an alias can name; 'node' is null until it is complete. */
struct tn_yaml_anchor {
    const struct tn_node *node;
    size_t nodes, height;
    struct tn_pos at;
};

/* An open collection. */
struct tn_yaml_frame {
    struct tn_node *node;
    size_t base;         /* Its first child on the stack of children. */
    size_t height;       /* Of the highest child so far. */
    size_t nodes_before; /* To know how many it has. */
    struct tn_pair key;  /* Of a map: the key that waits for its value. */
    struct tn_yaml_anchor *anchor;
    bool has_key, merges;
};

struct tn_yaml_build {
    struct tn_arena *arena;
    struct tn_diags *diags;
    const struct tn_yaml_limits *limits;
    const char *path;
    enum tn_yaml_profile profile;
    struct tn_yaml_frame *frames; /* limits->depth of them. */
    size_t depth;
    struct tn_pair *children; /* On the heap. */
    size_t n_children, cap_children;
    size_t n_nodes, n_docs, n_findings, n_anchors;
    struct tn_map anchors; /* Inventory only, of this document. */
    const char *keys[TN_YAML_KEYS_CACHED];
    const struct tn_node *root;
    bool spoiled; /* This document has a finding. */
    bool stop;    /* The rest of the file is not read. */
    TN_VEC(const struct tn_node *) docs;
};

/* An error at a place of this file. */
struct tn_diag *tn_yaml_finding(struct tn_yaml_build *p, struct tn_pos at,
                                const char *fmt, ...) TN_PRINTF(3, 4);
/* The same in fixed words; 'hint' may be null. */
void tn_yaml_refuse(struct tn_yaml_build *p, struct tn_pos at, const char *what,
                    const char *hint);
/* Counts 'n' nodes more; false with a finding if these are too many. */
bool tn_yaml_count(struct tn_yaml_build *p, size_t n, struct tn_pos at);
/* Adds a child to the innermost collection. */
void tn_yaml_push(struct tn_yaml_build *p, const struct tn_pair *child);
/* The later of two equal keys takes the place of the earlier; returns how many
 * are left.  'quiet': they come from a merge, which may repeat keys. */
size_t tn_yaml_dedupe(struct tn_yaml_build *p, struct tn_pair *pairs, size_t n,
                      bool quiet);

/* True for the plain key '<<'. */
bool tn_yaml_is_merge(const struct tn_pair *pair);
/* Puts what the '<<' keys of the innermost map name before its own pairs. */
void tn_yaml_merge_keys(struct tn_yaml_build *p, struct tn_yaml_frame *f);
/* New in the arena, or null: 'name' is null, or refused with a finding. */
struct tn_yaml_anchor *tn_yaml_anchor(struct tn_yaml_build *p, const char *name,
                                      struct tn_pos at);
/* What an alias names, or null with a finding. */
const struct tn_yaml_anchor *tn_yaml_alias(struct tn_yaml_build *p,
                                           const char *name, struct tn_pos at);
/* Applies a tag, or refuses it with a finding; 'tag' may be null. */
void tn_yaml_tag(struct tn_yaml_build *p, struct tn_node *node,
                 const char *tag);

#endif
