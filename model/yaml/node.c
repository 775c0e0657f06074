/* node.c - questions about a parsed tree; see node.h.
 *
 * Nothing here knows libyaml.  What a plain scalar means is read by the core
 * schema of YAML 1.2, narrowed where YAML 1.1 would read another value: a
 * number with a leading zero is no number here. */
#include "model/yaml/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct tn_yaml_limits tn_yaml_limits_default = {
    .bytes = 1 << 20,
    .depth = 32,
    .nodes = 100000,
    .key = 256,
    .scalar = 64 << 10,
    .docs = 1000,
};

static bool
is_plain(const struct tn_node *node)
{
    return node && node->type == TN_NODE_SCALAR && !node->quoted;
}

const struct tn_node *
tn_node_get(const struct tn_node *node, const char *key)
{
    if (!node || node->type != TN_NODE_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < node->map.n; i++) {
        if (strcmp(node->map.pairs[i].key, key) == 0) {
            return node->map.pairs[i].value;
        }
    }
    return NULL;
}

bool
tn_node_is_null(const struct tn_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (!is_plain(node) || node->tag) {
        return false;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++) {
        if (strcmp(node->scalar.text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool
tn_node_bool(const struct tn_node *node, bool *out)
{
    if (!is_plain(node)) {
        return false;
    }
    if (strcmp(node->scalar.text, "true") == 0) {
        *out = true;
        return true;
    }
    if (strcmp(node->scalar.text, "false") == 0) {
        *out = false;
        return true;
    }
    return false;
}

static bool
digits_parse(const char *s, const char *allowed, int base, uint64_t *out)
{
    size_t n = strlen(s);
    if (n == 0 || strspn(s, allowed) != n) {
        return false;
    }
    errno = 0;
    unsigned long long v = strtoull(s, NULL, base);
    if (errno) {
        return false;
    }
    *out = v;
    return true;
}

bool
tn_node_uint(const struct tn_node *node, uint64_t *out)
{
    if (!is_plain(node)) {
        return false;
    }
    const char *s = node->scalar.text;
    if (strncmp(s, "0x", 2) == 0) {
        return digits_parse(s + 2, "0123456789abcdefABCDEF", 16, out);
    }
    if (strncmp(s, "0o", 2) == 0) {
        return digits_parse(s + 2, "01234567", 8, out);
    }
    if (s[0] == '0' && s[1] != '\0') {
        return false;
    }
    return digits_parse(s, "0123456789", 10, out);
}

const char *
tn_node_type_name(const struct tn_node *node)
{
    if (!node) {
        return "nothing";
    }
    switch (node->type) {
    case TN_NODE_SCALAR:
        return tn_node_is_null(node) ? "nothing" : "text";
    case TN_NODE_LIST:
        return "a list";
    case TN_NODE_MAP:
        return "a map";
    }
    return "?";
}
