/* node.h - YAML as a tree of nodes that know where they stand.
 *
 * The seam to libyaml.  Bytes are judged before libyaml sees them (size,
 * UTF-8, nesting depth: libyaml 0.2.5 parses nesting in quadratic time), and
 * its events are bounded while the tree is built (nodes, key and scalar
 * length).  Aliases, anchors, tags, merge keys and duplicate keys are errors in
 * the strict profile.  Scalars stay text: what 'no' or '0x10' means is decided
 * by the field that reads it, never by YAML 1.1's guessing. */
#ifndef TN_YAML_NODE_H
#define TN_YAML_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/diag.h"

/* Line and column start at 1; line 0 means "absent". */
struct tn_pos {
    uint32_t line, column;
};

static inline struct tn_origin
tn_at(const char *path, struct tn_pos pos)
{
    return (struct tn_origin){path, pos.line, pos.column};
}

enum tn_node_type { TN_NODE_SCALAR, TN_NODE_LIST, TN_NODE_MAP };

struct tn_node {
    enum tn_node_type type;
    bool quoted; /* Scalar written with quotes or as a block: never null,
                    boolean or number. */
    struct tn_pos at;
    const char *tag; /* "!vault", ...; null if none.  Inventory profile only. */
    union {
        struct {
            const char *text; /* NUL-terminated; contains no other NUL. */
            size_t len;
        } scalar;
        struct {
            const struct tn_node *const *items;
            size_t n;
        } list;
        struct {
            const struct tn_pair *pairs; /* In the order of the document. */
            size_t n;
        } map;
    };
};

struct tn_pair {
    const char *key;
    struct tn_pos at; /* Of the key. */
    bool quoted;      /* Key written with quotes or as a block: always text. */
    const struct tn_node *value;
};

/* All of a file's limits; the defaults are tn_yaml_limits_default. */
struct tn_yaml_limits {
    size_t bytes;  /* 1 MiB */
    size_t depth;  /* 32 */
    size_t nodes;  /* 100,000 per file */
    size_t key;    /* 256 bytes */
    size_t scalar; /* 64 KiB */
    size_t docs;   /* 1,000 per file */
};
extern const struct tn_yaml_limits tn_yaml_limits_default;

enum tn_yaml_profile {
    TN_YAML_STRICT,    /* Tenant documents, settings, locks. */
    TN_YAML_INVENTORY, /* Ansible files: anchors and aliases are resolved
                          within the node bound (a recursive alias is an
                          error), '<<' merges as Ansible's loader does, the
                          tags !vault, !unsafe and !vault-encrypted are kept
                          on the node, duplicate keys: last one wins with a
                          warning, as Ansible does. */
};

/* Parses all documents of a file.  'path' is borrowed and must outlive the
 * nodes.  '*docs' is new in 'arena'; empty documents are left out.  False if
 * any error was added to 'diags'; even then the documents without an error are
 * returned. */
bool tn_yaml_parse(struct tn_arena *arena, const char *path, const char *bytes,
                   size_t n, enum tn_yaml_profile profile,
                   const struct tn_yaml_limits *limits,
                   const struct tn_node ***docs, size_t *n_docs,
                   struct tn_diags *diags) TN_MUST_USE;

/* The value under 'key', or null.  Null also if 'node' is null or no map. */
const struct tn_node *tn_node_get(const struct tn_node *node, const char *key);
/* True for a plain empty scalar, '~', 'null', 'Null', 'NULL'. */
bool tn_node_is_null(const struct tn_node *node);
/* Core-schema readings of a plain scalar; false if it is not one.  Booleans
 * are 'true' and 'false' only. */
bool tn_node_bool(const struct tn_node *node, bool *out);
bool tn_node_uint(const struct tn_node *node, uint64_t *out);
/* "a map", "a list", "text", for messages. */
const char *tn_node_type_name(const struct tn_node *node);

#endif
