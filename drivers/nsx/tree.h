/* tree.h - objects by path, and the hierarchical form in which NSX takes and
 * gives many at once.
 *
 *     PATCH /policy/api/v1/infra {"resource_type":"Infra","children":[...]}
 *     PATCH /policy/api/v1/org-root   the same for all below /orgs
 *
 * A child is wrapped as Child<Type>; a parent that is not touched is passed
 * through by a ChildResourceReference.  Answers come in several forms: parents
 * in full or as references, deep objects at the top with paths of their own,
 * rules as children or inside their policy; all become one flat list.  Files
 * of this folder only. */
#ifndef TN_NSX_TREE_H
#define TN_NSX_TREE_H

#include <stdbool.h>

#include <jansson.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/map.h"

enum { TN_NSX_DEPTH = 24 }; /* Of trees and of paths. */

/* An object to write or, without body, to delete. */
struct tn_nsx_node {
    const char *path, *type;
    json_t *body;       /* Taken. */
    long long revision; /* Of one to delete; -1: not known. */
};

/* New: the body of one request about what is below 'root', "/infra" of the
 * system or of a project, or "" for org-root.  Bodies are taken, also on
 * failure; 'nodes' is sorted.  What goes with a parent that is deleted too is
 * left out. */
enum tn_code tn_nsx_tree(const char *root, struct tn_nsx_node *nodes, size_t n,
                         json_t **out, struct tn_error *err) TN_MUST_USE;

/* Where requests about a root go: "/policy/api/v1/infra". */
const char *tn_nsx_root_url(struct tn_arena *arena, const char *root);

/* An object that was read; all borrowed from the answer or in the arena. */
struct tn_nsx_leaf {
    const char *path, *type;
    const json_t *json;
};

struct tn_nsx_leaves {
    struct tn_arena *arena;
    struct tn_map of; /* Path -> it. */
    TN_VEC(struct tn_nsx_leaf) all;
};

void tn_nsx_leaves_init(struct tn_nsx_leaves *leaves, struct tn_arena *arena);
/* Adds all objects of an answer whose root is 'root' ("/infra"; "" for
 * org-root) but those that wait to be purged.  One that is known already is
 * passed over. */
enum tn_code tn_nsx_leaves_add(struct tn_nsx_leaves *leaves, const char *root,
                               const json_t *answer,
                               struct tn_error *err) TN_MUST_USE;
/* Adds one object, as lists tell of them; 'path' is used if it says none. */
void tn_nsx_leaf_add(struct tn_nsx_leaves *leaves, const char *path,
                     const char *type, const json_t *json);

/* The path of what holds it: "/infra/tier-1s/a" for
 * "/infra/tier-1s/a/nat/USER".
 * "" above the roots. */
const char *tn_nsx_path_parent(struct tn_arena *arena, const char *path);

/* "Tier1" for "/infra/tier-1s/a"; null: not known. */
const char *tn_nsx_path_type(const char *path);

/* "Segment" for "SegmentPort"; null: the type stands at the top. */
const char *tn_nsx_type_above(const char *type);
/* "ports" for "SegmentPort"; null: not known. */
const char *tn_nsx_type_collection(const char *type);

/* Sorts what is within a path right behind it. */
int tn_nsx_path_cmp(const char *a, const char *b);

/* True if 'path' is below 'above'. */
bool tn_nsx_path_within(const char *path, const char *above);

#endif
