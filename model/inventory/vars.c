/* vars.c - the files of variables: group_vars/ and host_vars/.
 *
 * What Ansible's host_group_vars plugin does: of NAME, NAME.yml, NAME.yaml and
 * NAME.json the first that exists counts, the others are not read.  A
 * directory is walked in the order of names, files and subdirectories alike;
 * hidden entries, backups ('~') and foreign extensions are skipped, and so are
 * subdirectories with a dot in their name.  A later file replaces what an
 * earlier one set. */
#include <stdlib.h>
#include <string.h>

#include "model/inventory/parts.h"

struct collector {
    struct tn_inv *inv;
    const char *layer_name;
    struct tn_var_list list;
    bool ok;
};

/* What ansible-inventory removes before it prints (its INTERNAL_VARS): the
 * inventory cannot set these. */
static bool
is_internal(const char *name)
{
    static const char *const names[] = {
        "ansible_config_file",
        "ansible_diff_mode",
        "ansible_facts",
        "ansible_forks",
        "ansible_inventory_sources",
        "ansible_limit",
        "ansible_playbook_python",
        "ansible_run_tags",
        "ansible_skip_tags",
        "ansible_verbosity",
        "ansible_version",
        "group_names",
        "groups",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "inventory_hostname_short",
        "omit",
        "playbook_dir",
    };

    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        if (names[i][0] == name[0] && strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void
tn_inv_set_var(struct tn_inv *inv, struct tn_var_list *list, struct tn_var var)
{
    if (!is_internal(var.name)) {
        var.order = (uint32_t) list->set.n;
        *tn_vec_push(inv->arena, &list->set) = var;
    }
}

static int
cmp_set(const void *a, const void *b)
{
    const struct tn_var *x = a, *y = b;
    int c = strcmp(x->name, y->name);

    return c ? c : (x->order > y->order) - (x->order < y->order);
}

struct tn_layer
tn_inv_layer(struct tn_inv *inv, const struct tn_var_list *list)
{
    struct tn_layer layer = {0};
    struct tn_var *vars;

    layer.span = (uint32_t) list->set.n;
    if (list->set.n == 0) {
        return layer;
    }
    vars = tn_new_n(inv->arena, struct tn_var, list->set.n);
    memcpy(vars, list->set.items, list->set.n * sizeof *vars);
    qsort(vars, list->set.n, sizeof *vars, cmp_set);
    for (size_t i = 0; i < list->set.n; i++) {
        if (layer.n && strcmp(vars[layer.n - 1].name, vars[i].name) == 0) {
            uint32_t order = vars[layer.n - 1].order;

            vars[layer.n - 1] = vars[i];
            vars[layer.n - 1].order = order;
        } else {
            vars[layer.n++] = vars[i];
        }
    }
    layer.vars = vars;
    return layer;
}

static enum tn_code
read_file(struct collector *c, const char *path, const struct tn_entry *entry)
{
    const struct tn_node *root;
    bool ok;
    enum tn_code code = tn_inv_read_map(c->inv, path, entry, &root, &ok);

    c->ok = c->ok && ok;
    for (size_t i = 0; !code && root && i < root->map.n; i++) {
        const struct tn_pair *pair = &root->map.pairs[i];

        if (!tn_pair_is_text(pair)) {
            tn_diag(c->inv->diags, TN_ERROR, tn_at(path, pair->at),
                    "the name of a variable must be text: quote '%s'",
                    pair->key);
            c->ok = false;
            continue;
        }
        c->ok &= tn_inv_check_value(c->inv, path, pair->value);
        tn_inv_set_var(c->inv, &c->list,
                       (struct tn_var){.name = pair->key,
                                       .value = pair->value,
                                       .path = path,
                                       .layer = c->layer_name});
    }
    return code;
}

static bool
ends_with_tilde(const char *name)
{
    return name[0] && name[strlen(name) - 1] == '~';
}

static enum tn_code
read_dir(struct collector *c, const char *path, int depth)
{
    const struct tn_inv_dir *dir;
    enum tn_code code = tn_inv_list(c->inv, path, &dir);

    if (!code && depth > TN_INV_DIR_DEPTH) {
        tn_diag(c->inv->diags, TN_ERROR, (struct tn_origin){path, 0, 0},
                "directories of variables are nested too deeply");
        c->ok = false;
        return TN_OK;
    }
    for (size_t i = 0; !code && i < dir->n; i++) {
        const struct tn_entry *e = &dir->entries[i];
        const char *ext = tn_inv_extension(e->name);
        const char *at;

        if (e->name[0] == '.' || ends_with_tilde(e->name)) {
            continue;
        }
        at = tn_arena_printf(c->inv->arena, "%s/%s", path, e->name);
        if (e->type == TN_ENTRY_DIR) {
            code = *ext ? TN_OK : read_dir(c, at, depth + 1);
        } else if (!*ext || tn_inv_is_yaml_extension(ext)) {
            code = read_file(c, at, e);
        }
    }
    return code;
}

/* The directory in which 'NAME.yml' is looked for, and the last component of
 * the name: a group may be called "net/10.0.0.0".  Null if the name leads
 * elsewhere. */
static const char *
place_of(struct tn_inv *inv, const char *folder, const char *name,
         const char **last)
{
    const char *dir = tn_arena_printf(inv->arena, "%s/%s", inv->dir, folder);
    const char *slash;

    for (; (slash = strchr(name, '/')); name = slash + 1) {
        char *part =
            tn_arena_strndup(inv->arena, name, (size_t) (slash - name));

        if (!*part || strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
            return NULL;
        }
        dir = tn_arena_printf(inv->arena, "%s/%s", dir, part);
    }
    *last = name;
    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 ? dir
                                                                      : NULL;
}

enum tn_code
tn_inv_collect_vars(struct tn_inv *inv, const char *folder, const char *name,
                    const char *layer_name, struct tn_var_list *out, bool *ok)
{
    static const char *const extensions[] = {"", ".yml", ".yaml", ".json"};
    struct collector c = {.inv = inv, .layer_name = layer_name, .ok = true};
    const char *last = NULL, *place = place_of(inv, folder, name, &last);
    const struct tn_inv_dir *dir = NULL;
    enum tn_code code = place ? tn_inv_list(inv, place, &dir) : TN_OK;

    for (size_t i = 0; !code && dir && i < TN_ARRAY_SIZE(extensions); i++) {
        const char *file =
            tn_arena_printf(inv->arena, "%s%s", last, extensions[i]);
        const struct tn_entry *e = tn_inv_entry(dir, file);

        if (e) {
            const char *at = tn_arena_printf(inv->arena, "%s/%s", place, file);

            code = e->type == TN_ENTRY_DIR ? read_dir(&c, at, 0)
                                           : read_file(&c, at, e);
            break;
        }
    }
    *out = c.list;
    *ok = c.ok;
    return code;
}

enum tn_code
tn_inv_read_vars(struct tn_inv *inv, const char *folder, const char *name,
                 const char *layer_name, struct tn_layer *out, bool *ok)
{
    struct tn_var_list list = {0};
    enum tn_code code =
        tn_inv_collect_vars(inv, folder, name, layer_name, &list, ok);

    *out = tn_inv_layer(inv, &list);
    if (!code && *ok) {
        tn_inv_check_tenet_vars(inv, out);
    }
    return code;
}
