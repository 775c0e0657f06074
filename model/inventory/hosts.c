/* hosts.c - hosts.yml: groups, their children, hosts and inline variables.
 *
 * What Ansible's 'yaml' inventory plugin does, section by section in the order
 * of the document, so that the last of several values of a variable wins.  An
 * environment without hosts.yml (or hosts.yaml) is an inventory directory: all
 * its files are read in the order of names, but those that Ansible ignores.
 *
 * Stricter than Ansible, which after an error goes on with half an inventory:
 * here an error means that no host of the environment is sure. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

/* A file while it is read. */
struct hosts_file {
    struct tn_inv *inv;
    const char *path;
};

static void TN_PRINTF(3, 4)
    refuse(struct hosts_file *f, struct tn_pos pos, const char *fmt, ...)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text message = {0};
    va_list ap;

    va_start(ap, fmt);
    tn_text_vaddf(&message, fmt, ap);
    va_end(ap);
    tn_diag(f->inv->diags, TN_ERROR, tn_at(f->path, pos), "%s",
            tn_text_str(&message));
    f->inv->broken = true;
}

/* --- ansible_group_priority ------------------------------------------------
 */

/* Python's int() of a text: spaces around, a sign, '_' between digits.  What no
 * priority needs, beyond 64 bits, becomes the greatest or the least. */
static bool
int_of_text(const char *s, int64_t *out)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text digits = {0};
    const char *begin;

    s += strspn(s, " \t\n");
    if (*s == '-' || *s == '+') {
        tn_text_addc(&digits, *s++);
    }
    for (begin = s; (*s >= '0' && *s <= '9') || *s == '_'; s++) {
        if (*s == '_' && (s == begin || s[-1] == '_' || !s[1] ||
                          !strchr("0123456789", s[1]))) {
            return false;
        }
        if (*s != '_') {
            tn_text_addc(&digits, *s);
        }
    }
    *out = strtoll(tn_text_str(&digits), NULL, 10);
    return s > begin && !s[strspn(s, " \t\n")];
}

static bool
read_priority(const struct tn_node *value, int64_t *out)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    enum tn_scalar_type type;
    double number;

    if (!tn_node_scalar_type(value, &type) ||
        !tn_scalar_format(type, value->scalar.text, &text)) {
        return false;
    }
    switch (type) {
    case TN_SCALAR_BOOL:
        *out = strcmp(text.s, "true") == 0;
        return true;
    case TN_SCALAR_INT:
    case TN_SCALAR_TEXT:
        return int_of_text(tn_text_str(&text), out);
    case TN_SCALAR_FLOAT:
        number = strtod(text.s, NULL);
        *out = fabs(number) < 9e18 ? (int64_t) number
               : number > 0        ? INT64_MAX
                                   : INT64_MIN;
        return isfinite(number);
    case TN_SCALAR_NULL:
    case TN_SCALAR_TIME:
    case TN_SCALAR_SPECIAL:
        return false;
    }
    return false;
}

/* --- variables -------------------------------------------------------------
 */

static void
set_group_var(struct hosts_file *f, struct tn_inv_group *g,
              const struct tn_pair *pair)
{
    struct tn_var var = {.name = pair->key,
                         .value = pair->value,
                         .path = f->path,
                         .layer = g->layer_name};

    if (strcmp(pair->key, "ansible_group_priority") == 0) {
        if (!read_priority(pair->value, &g->priority)) {
            refuse(f, pair->value->at,
                   "ansible_group_priority must be a whole number");
        }
        return;
    }
    tn_inv_set_var(f->inv, &g->inline_vars, var);
}

/* As in Ansible, a group of the host's name takes its variables. */
static void
set_host_var(struct hosts_file *f, struct tn_inv_member *h,
             const struct tn_pair *pair)
{
    struct tn_inv_group *g = tn_map_get(&f->inv->group_by_name, h->name);
    struct tn_var var = {.name = pair->key,
                         .value = pair->value,
                         .path = f->path,
                         .layer = h->layer_name};

    if (g) {
        set_group_var(f, g, pair);
    } else {
        tn_inv_set_var(f->inv, &h->inline_vars, var);
    }
}

static bool
check_var(struct hosts_file *f, const struct tn_pair *pair)
{
    if (!tn_pair_is_text(pair)) {
        refuse(f, pair->at, "the name of a variable must be text: quote '%s'",
               pair->key);
        return false;
    }
    if (!tn_inv_check_value(f->inv, f->path, pair->value)) {
        f->inv->broken = true;
        return false;
    }
    return true;
}

/* --- sections --------------------------------------------------------------
 */

/* A section may be a map, nothing, or one name alone: 'hosts: hv1'. */
static const struct tn_node *
section(struct hosts_file *f, const struct tn_pair *pair)
{
    static const struct tn_node null = {.type = TN_NODE_SCALAR,
                                        .scalar = {"", 0}};
    const struct tn_node *node = pair->value;
    enum tn_scalar_type type;
    struct tn_node *map;
    struct tn_pair *only;

    if (node->type == TN_NODE_MAP || tn_node_is_null(node)) {
        return node;
    }
    if (!tn_node_scalar_type(node, &type) || type != TN_SCALAR_TEXT) {
        refuse(f, node->at, "'%s' must be a map, found %s", pair->key,
               tn_node_type_name(node));
        return &null;
    }
    map = tn_new(f->inv->arena, struct tn_node);
    only = tn_new(f->inv->arena, struct tn_pair);
    *only = (struct tn_pair){.key = node->scalar.text,
                             .at = node->at,
                             .quoted = true,
                             .value = &null};
    map->type = TN_NODE_MAP;
    map->at = node->at;
    map->map.pairs = only;
    map->map.n = 1;
    return map;
}

static void
read_vars(struct hosts_file *f, struct tn_inv_group *g,
          const struct tn_node *vars)
{
    for (size_t i = 0; i < vars->map.n; i++) {
        if (check_var(f, &vars->map.pairs[i])) {
            set_group_var(f, g, &vars->map.pairs[i]);
        }
    }
}

static void
add_host(struct hosts_file *f, struct tn_inv_group *g, const char *name,
         const char *port, const struct tn_pair *listing)
{
    bool is_new;
    struct tn_inv_member *h =
        tn_inv_member(f->inv, name, tn_at(f->path, listing->at), &is_new);

    if (!h) {
        refuse(f, listing->at, "an environment has at most %d hosts",
               TN_INV_HOSTS_MAX);
        return;
    }
    tn_inv_add_member(f->inv, g, h);
    if (is_new && port) {
        struct tn_node *node = tn_new(f->inv->arena, struct tn_node);

        node->at = listing->at;
        node->scalar.text = port;
        node->scalar.len = strlen(port);
        tn_inv_set_var(f->inv, &h->inline_vars,
                       (struct tn_var){.name = "ansible_port",
                                       .value = node,
                                       .path = f->path,
                                       .layer = h->layer_name});
    }
    for (size_t i = 0; i < listing->value->map.n; i++) {
        if (listing->value->type == TN_NODE_MAP) {
            set_host_var(f, h, &listing->value->map.pairs[i]);
        }
    }
}

static void
read_host(struct hosts_file *f, struct tn_inv_group *g,
          const struct tn_pair *listing)
{
    static const struct tn_node none = {.type = TN_NODE_MAP};
    struct tn_pattern pattern = {0};
    struct tn_pair it = *listing;
    const char *problem;

    if (!tn_pair_is_text(listing)) {
        refuse(f, listing->at, "the name of a host must be text: quote '%s'",
               listing->key);
        return;
    }
    if (tn_node_is_falsy(it.value)) {
        it.value = &none;
    }
    if (it.value->type != TN_NODE_MAP) {
        refuse(f, it.value->at,
               "the variables of host '%s' must be a map, found %s", it.key,
               tn_node_type_name(it.value));
        return;
    }
    for (size_t i = 0; i < it.value->map.n; i++) {
        if (!check_var(f, &it.value->map.pairs[i])) {
            return;
        }
    }
    problem =
        tn_pattern_expand(f->inv->arena, it.key, TN_INV_HOSTS_MAX, &pattern);
    f->inv->work += pattern.names.n * (1 + it.value->map.n);
    if (!problem && f->inv->work > TN_INV_WORK_MAX) {
        problem = "the hosts and their variables are too many";
    }
    if (problem) {
        refuse(f, it.at, "host '%s': %s", it.key, problem);
        return;
    }
    for (size_t i = 0; i < pattern.names.n; i++) {
        add_host(f, g, pattern.names.items[i], pattern.port, &it);
    }
}

static struct tn_inv_group *read_group(struct hosts_file *f,
                                       const struct tn_pair *pair);

static void
read_children(struct hosts_file *f, struct tn_inv_group *g,
              const struct tn_node *children)
{
    for (size_t i = 0; i < children->map.n; i++) {
        const struct tn_pair *pair = &children->map.pairs[i];
        struct tn_inv_group *child;

        if (pair->value->type != TN_NODE_MAP && !tn_node_is_null(pair->value)) {
            refuse(f, pair->value->at, "group '%s' must be a map, found %s",
                   pair->key, tn_node_type_name(pair->value));
            continue;
        }
        child = read_group(f, pair);
        if (child) {
            tn_inv_add_child(f->inv, g, child, tn_at(f->path, pair->at));
        }
    }
}

static void
read_section(struct hosts_file *f, struct tn_inv_group *g,
             const struct tn_pair *pair)
{
    static const char *const names[] = {"vars", "children", "hosts"};
    const struct tn_node *body;
    const char *near;
    size_t which = 0;

    while (which < 3 &&
           (!tn_pair_is_text(pair) || strcmp(pair->key, names[which]) != 0)) {
        which++;
    }
    if (which == 3) {
        struct tn_diag *d = tn_diag(
            f->inv->diags, TN_WARNING, tn_at(f->path, pair->at),
            "'%s' of group '%s' is ignored: only vars, children and hosts "
            "have a meaning",
            pair->key, g->name);

        near = tn_nearest(pair->key, names, 3);
        d->hint =
            near ? tn_arena_printf(f->inv->arena, "did you mean '%s'?", near)
                 : NULL;
        return;
    }
    body = section(f, pair);
    if (body->type != TN_NODE_MAP) {
        return;
    }
    if (which == 0) {
        read_vars(f, g, body);
    } else if (which == 1) {
        read_children(f, g, body);
    } else {
        for (size_t i = 0; i < body->map.n; i++) {
            read_host(f, g, &body->map.pairs[i]);
        }
    }
}

/* Recursion is bounded by the depth of the file. */
static struct tn_inv_group *
read_group(struct hosts_file *f, const struct tn_pair *pair)
{
    struct tn_inv_group *g;

    if (!tn_pair_is_text(pair) || !*pair->key) {
        refuse(f, pair->at, "the name of a group must be text: quote '%s'",
               pair->key);
        return NULL;
    }
    g = tn_inv_group(f->inv, pair->key);
    if (pair->value->type == TN_NODE_MAP) {
        for (size_t i = 0; i < pair->value->map.n; i++) {
            read_section(f, g, &pair->value->map.pairs[i]);
        }
    }
    return g;
}

static void
read_root(struct hosts_file *f, const struct tn_node *root)
{
    const struct tn_node *plugin = tn_node_get(root, "plugin");

    if (plugin && !tn_node_is_falsy(plugin)) {
        refuse(f, plugin->at, "an inventory plugin cannot be used");
        return;
    }
    for (size_t i = 0; i < root->map.n; i++) {
        const struct tn_pair *pair = &root->map.pairs[i];

        if (pair->value->type != TN_NODE_MAP && !tn_node_is_null(pair->value)) {
            tn_diag(f->inv->diags, TN_WARNING, tn_at(f->path, pair->value->at),
                    "'%s' is ignored: a group must be a map, found %s",
                    pair->key, tn_node_type_name(pair->value));
            continue;
        }
        (void) read_group(f, pair);
    }
}

/* --- files -----------------------------------------------------------------
 */

static enum tn_code
read_file(struct tn_inv *inv, const char *path, const struct tn_entry *entry)
{
    struct hosts_file f = {.inv = inv, .path = path};
    const struct tn_node *root;
    bool ok;
    enum tn_code code = tn_inv_read_map(inv, path, entry, &root, &ok);

    if (code) {
        return code;
    }
    if (!ok) {
        inv->broken = true;
    } else if (!root) {
        tn_diag(inv->diags, TN_WARNING, (struct tn_origin){path, 1, 1},
                "this inventory file is empty");
    } else {
        read_root(&f, root);
    }
    return TN_OK;
}

/* What Ansible skips in an inventory directory. */
static bool
is_ignored(const char *name)
{
    static const char *const names[] = {"host_vars", "group_vars",
                                        "vars_plugins"};
    static const char *const ends[] = {"~",    ".pyc", ".pyo",  ".swp", ".bak",
                                       ".rpm", ".md",  ".txt",  ".rst", ".orig",
                                       ".ini", ".cfg", ".retry"};
    size_t len = strlen(name);

    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(ends); i++) {
        size_t n = strlen(ends[i]);

        if (len >= n && strcmp(name + len - n, ends[i]) == 0) {
            return true;
        }
    }
    return name[0] == '.';
}

static enum tn_code
read_directory(struct tn_inv *inv, const char *path, int depth)
{
    const struct tn_inv_dir *dir;
    enum tn_code code = tn_inv_list(inv, path, &dir);

    if (!code && depth > TN_INV_DIR_DEPTH) {
        tn_diag(inv->diags, TN_ERROR, (struct tn_origin){path, 0, 0},
                "inventory directories are nested too deeply");
        inv->broken = true;
        return TN_OK;
    }
    for (size_t i = 0; !code && i < dir->n; i++) {
        const struct tn_entry *e = &dir->entries[i];
        const char *ext = tn_inv_extension(e->name);
        const char *at = tn_arena_printf(inv->arena, "%s/%s", path, e->name);

        if (is_ignored(e->name)) {
            continue;
        }
        if (e->type == TN_ENTRY_DIR) {
            code = read_directory(inv, at, depth + 1);
        } else if (!*ext || tn_inv_is_yaml_extension(ext)) {
            code = read_file(inv, at, e);
        } else {
            tn_diag(inv->diags, TN_ERROR, (struct tn_origin){at, 0, 0},
                    "this is no YAML inventory, and no other can be read");
            inv->broken = true;
        }
    }
    return code;
}

enum tn_code
tn_inv_read_hosts(struct tn_inv *inv)
{
    const struct tn_inv_dir *dir;
    const struct tn_entry *yml, *yaml;
    enum tn_code code = tn_inv_list(inv, inv->dir, &dir);

    if (code) {
        return code;
    }
    yml = tn_inv_entry(dir, "hosts.yml");
    yaml = tn_inv_entry(dir, "hosts.yaml");
    if (yml && yaml) {
        tn_diag(inv->diags, TN_ERROR, (struct tn_origin){inv->dir, 0, 0},
                "there are both hosts.yml and hosts.yaml: keep one");
        inv->broken = true;
        return TN_OK;
    }
    if (yml || yaml) {
        const char *name = yml ? "hosts.yml" : "hosts.yaml";

        return read_file(inv,
                         tn_arena_printf(inv->arena, "%s/%s", inv->dir, name),
                         yml ? yml : yaml);
    }
    return read_directory(inv, inv->dir, 0);
}
