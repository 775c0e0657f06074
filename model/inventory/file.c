/* file.c - from the name of a file to a map of values that we can answer for.
 *
 * Reads through the source, with the bounds of this folder, and refuses what
 * is not modelled: encrypted files and values, programs, entries that are no
 * plain files, more than one document.  As in Ansible, an empty file counts as
 * no variables, and so does one that holds only "[]", "0" or the like. */
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

static const struct tn_yaml_limits limits = {
    .bytes = TN_INV_FILE_MAX,
    .depth = 32,
    .nodes = 1000000,
    .key = 256,
    .scalar = 65536,
    .docs = 8,
};

static bool
refuse(struct tn_inv *inv, const char *path, struct tn_pos pos,
       const char *message)
{
    tn_diag(inv->diags, TN_ERROR, tn_at(path, pos), "%s", message);
    return false;
}

static enum tn_code
fail(struct tn_inv *inv, const struct tn_error *problem, const char *verb,
     const char *path)
{
    if (inv->err) {
        *inv->err = *problem;
    }
    return tn_while(inv->err, problem->code, "%s %s", verb, path);
}

static bool
refuse_bytes(struct tn_inv *inv, const char *path, const char *bytes)
{
    static const struct tn_pos top = {1, 1};

    if (strncmp(bytes, "$ANSIBLE_VAULT", 14) == 0) {
        return !refuse(inv, path, top,
                       "an encrypted file (Ansible Vault) cannot be read");
    }
    if (strncmp(bytes, "#!", 2) == 0) {
        return !refuse(inv, path, top,
                       "a program cannot serve as a file of the inventory");
    }
    return false;
}

static bool
parse(struct tn_inv *inv, const char *path, const char *bytes, size_t n,
      const struct tn_node **root)
{
    const struct tn_node **docs = NULL;
    size_t n_docs = 0;

    *root = tn_json_read(inv->arena, bytes, n, &limits);
    if (*root) {
        return true;
    }
    if (!tn_yaml_parse(inv->arena, path, bytes, n, TN_YAML_INVENTORY, &limits,
                       &docs, &n_docs, inv->diags)) {
        return false;
    }
    if (n_docs > 1) {
        return refuse(inv, path, docs[1]->at,
                      "a file of the inventory holds one document only");
    }
    *root = n_docs ? docs[0] : NULL;
    return true;
}

static bool
check_scalar(struct tn_inv *inv, const char *path, const struct tn_node *node)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text value = {0};
    enum tn_scalar_type type = TN_SCALAR_TEXT;

    (void) tn_node_scalar_type(node, &type);
    if (type == TN_SCALAR_TEXT ||
        tn_scalar_format(type, node->scalar.text, &value)) {
        return true;
    }
    tn_diag(inv->diags, TN_ERROR, tn_at(path, node->at),
            "this looks like %s to YAML 1.1 but has no value: quote it",
            type == TN_SCALAR_TIME      ? "a date"
            : type == TN_SCALAR_SPECIAL ? "a directive"
                                        : "a number");
    return false;
}

bool
tn_inv_is_vault(const struct tn_node *node)
{
    return node->tag && strcmp(node->tag, "!unsafe") != 0;
}

static bool
check_key(struct tn_inv *inv, const char *path, const struct tn_pair *pair)
{
    if (tn_pair_is_text(pair)) {
        return strncmp(pair->key, "__ansible_", 10) != 0 ||
               refuse(inv, path, pair->at,
                      "keys that begin with '__ansible_' are Ansible's own");
    }
    if (tn_scalar_type(pair->key) == TN_SCALAR_TIME) {
        return refuse(inv, path, pair->at, "a key cannot be a date: quote it");
    }
    return check_scalar(
        inv, path,
        &(struct tn_node){.type = TN_NODE_SCALAR,
                          .at = pair->at,
                          .scalar = {pair->key, strlen(pair->key)}});
}

static bool
check_tag(struct tn_inv *inv, const char *path, const struct tn_node *node)
{
    if (!node->tag) {
        return true;
    }
    if (tn_inv_is_vault(node)) {
        return node->type == TN_NODE_SCALAR ||
               refuse(inv, path, node->at, "!vault is for texts");
    }
    /* Ansible loses what is below the second level. */
    for (size_t i = 0; node->type == TN_NODE_LIST && i < node->list.n; i++) {
        if (node->list.items[i]->type != TN_NODE_SCALAR) {
            return refuse(inv, path, node->at,
                          "!unsafe is for texts and flat collections");
        }
    }
    for (size_t i = 0; node->type == TN_NODE_MAP && i < node->map.n; i++) {
        if (node->map.pairs[i].value->type != TN_NODE_SCALAR) {
            return refuse(inv, path, node->at,
                          "!unsafe is for texts and flat collections");
        }
    }
    return true;
}

bool
tn_inv_check_value(struct tn_inv *inv, const char *path,
                   const struct tn_node *value)
{
    bool ok = check_tag(inv, path, value);

    switch (value->type) {
    case TN_NODE_SCALAR:
        return ok && check_scalar(inv, path, value);
    case TN_NODE_LIST:
        for (size_t i = 0; i < value->list.n; i++) {
            ok &= tn_inv_check_value(inv, path, value->list.items[i]);
        }
        return ok;
    case TN_NODE_MAP:
        for (size_t i = 0; i < value->map.n; i++) {
            ok &= check_key(inv, path, &value->map.pairs[i]);
            ok &= tn_inv_check_value(inv, path, value->map.pairs[i].value);
        }
        return ok;
    }
    return ok;
}

enum tn_code
tn_inv_read_map(struct tn_inv *inv, const char *path,
                const struct tn_entry *entry, const struct tn_node **root,
                bool *ok)
{
    static const struct tn_pos unknown;
    const char *bytes;
    struct tn_error problem = {0};
    enum tn_code code;
    size_t n;

    *root = NULL;
    *ok = false;
    if (entry->type != TN_ENTRY_FILE) {
        refuse(inv, path, unknown, "this is not a plain file");
        return TN_OK;
    }
    code =
        inv->source->ops->read(inv->source, path, &entry->id, TN_INV_FILE_MAX,
                               inv->arena, &bytes, &n, &problem);
    if (code == TN_EINTENT) {
        refuse(inv, path, unknown, "this file is larger than 8 MiB");
        return TN_OK;
    }
    if (code) {
        return fail(inv, &problem, "read", path);
    }
    tn_digester_add_str(&inv->digester, path);
    tn_digester_add(&inv->digester, &n, sizeof n);
    tn_digester_add(&inv->digester, bytes, n);
    if (refuse_bytes(inv, path, bytes) || !parse(inv, path, bytes, n, root)) {
        *root = NULL;
        return TN_OK;
    }
    if (*root && (*root)->type != TN_NODE_MAP && !tn_node_is_falsy(*root)) {
        tn_diag(inv->diags, TN_ERROR, tn_at(path, (*root)->at),
                "expected a map, found %s", tn_node_type_name(*root));
        *root = NULL;
        return TN_OK;
    }
    if (*root && ((*root)->type != TN_NODE_MAP || (*root)->map.n == 0)) {
        *root = NULL;
    }
    *ok = true;
    return TN_OK;
}

enum tn_code
tn_inv_list(struct tn_inv *inv, const char *path, const struct tn_inv_dir **out)
{
    struct tn_inv_dir *dir = tn_map_get(&inv->dir_by_path, path);
    struct tn_error problem = {0};
    enum tn_code code;

    if (!dir) {
        dir = tn_new(inv->arena, struct tn_inv_dir);
        code = inv->source->ops->list(inv->source, path, inv->arena,
                                      &dir->entries, &dir->n, &problem);
        if (code == TN_ENOENT) {
            dir->n = 0;
        } else if (code) {
            return fail(inv, &problem, "list", path);
        }
        tn_map_put(&inv->dir_by_path, path, dir);
    }
    *out = dir;
    return TN_OK;
}

static int
cmp_entry(const void *name, const void *entry)
{
    return strcmp(name, ((const struct tn_entry *) entry)->name);
}

const struct tn_entry *
tn_inv_entry(const struct tn_inv_dir *dir, const char *name)
{
    return dir->n ? bsearch(name, dir->entries, dir->n, sizeof *dir->entries,
                            cmp_entry)
                  : NULL;
}

const char *
tn_inv_extension(const char *name)
{
    const char *dot = strrchr(name, '.');

    /* Leading dots belong to the name. */
    return dot && dot > name + strspn(name, ".") ? dot : "";
}

bool
tn_inv_is_yaml_extension(const char *extension)
{
    return strcmp(extension, ".yml") == 0 || strcmp(extension, ".yaml") == 0 ||
           strcmp(extension, ".json") == 0;
}
