/* inventory.c - loading an environment, and questions about it.
 *
 * tn_inventory_load() is the order of events: the hosts files, the graph, then
 * per host its variables and what tenet makes of them.  Files of variables are
 * read when the first host needs them, as Ansible does: those of a group
 * without hosts are never looked at. */
#include "model/inventory/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "model/inventory/parts.h"

static int
cmp_member(const void *a, const void *b)
{
    return strcmp((*(struct tn_inv_member *const *) a)->name,
                  (*(struct tn_inv_member *const *) b)->name);
}

static int
cmp_name(const void *name, const void *host)
{
    return strcmp(name, ((const struct tn_host *) host)->raw.name);
}

static int
cmp_var_name(const void *name, const void *var)
{
    return strcmp(name, ((const struct tn_var *) var)->name);
}

static bool
is_component(const char *s)
{
    return *s && !strchr(s, '/') && strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

/* True if inventories/ has such a directory; else says what it has. */
static enum tn_code
find_environment(struct tn_inv *inv, const char *environment, bool *found)
{
    const struct tn_inv_dir *dir;
    const struct tn_entry *e;
    TN_VEC(const char *) names = {0};
    enum tn_code code = tn_inv_list(inv, "inventories", &dir);
    const char *near;
    struct tn_diag *d;

    *found = false;
    if (code) {
        return code;
    }
    e = is_component(environment) ? tn_inv_entry(dir, environment) : NULL;
    if (e && e->type == TN_ENTRY_DIR) {
        *found = true;
        return TN_OK;
    }
    for (size_t i = 0; i < dir->n; i++) {
        if (dir->entries[i].type == TN_ENTRY_DIR) {
            *tn_vec_push(inv->arena, &names) = dir->entries[i].name;
        }
    }
    d = tn_diag(inv->diags, TN_ERROR, (struct tn_origin){inv->dir, 0, 0},
                "there is no environment '%s'", environment);
    near = tn_nearest(environment, names.items, names.n);
    d->hint =
        near ? tn_arena_printf(inv->arena, "did you mean '%s'?", near) : NULL;
    return TN_OK;
}

/* group_vars and host_vars must be directories of their own. */
static enum tn_code
check_folders(struct tn_inv *inv)
{
    static const char *const folders[] = {"group_vars", "host_vars"};
    const struct tn_inv_dir *dir;
    enum tn_code code = tn_inv_list(inv, inv->dir, &dir);

    for (size_t i = 0; !code && i < TN_ARRAY_SIZE(folders); i++) {
        const struct tn_entry *e = tn_inv_entry(dir, folders[i]);
        struct tn_origin at = {0};

        if (!e || e->type == TN_ENTRY_DIR) {
            continue;
        }
        at.path = tn_arena_printf(inv->arena, "%s/%s", inv->dir, folders[i]);
        tn_diag(inv->diags, e->type == TN_ENTRY_FILE ? TN_WARNING : TN_ERROR,
                at, "this is not a directory, and is not read");
        inv->broken = inv->broken || e->type != TN_ENTRY_FILE;
    }
    return code;
}

static enum tn_code
load_host(struct tn_inv *inv, struct tn_inv_member *member,
          struct tn_host *host, bool *ok)
{
    enum tn_code code;

    if (inv->work > TN_INV_WORK_MAX) {
        if (!inv->broken) {
            tn_diag(inv->diags, TN_ERROR, member->at,
                    "the groups and variables of this inventory multiply "
                    "beyond bounds");
        }
        inv->broken = true;
        *ok = false;
        return TN_OK;
    }
    code = tn_inv_merge_host(inv, member, &host->raw, ok);
    if (!code && *ok) {
        *ok = tn_inv_config(inv, &host->raw, &host->config);
    }
    return code;
}

static enum tn_code
load_hosts(struct tn_inv *inv, struct tn_inventory *out)
{
    struct tn_host *hosts = tn_new_n(inv->arena, struct tn_host, inv->hosts.n);
    struct tn_inv_names refused = {0};
    enum tn_code code = TN_OK;
    size_t n = 0;

    if (inv->hosts.n) {
        qsort(inv->hosts.items, inv->hosts.n, sizeof *inv->hosts.items,
              cmp_member);
    }
    for (size_t i = 0; !code && i < inv->hosts.n; i++) {
        struct tn_host *host = &hosts[n];
        bool ok = !inv->broken;

        memset(host, 0, sizeof *host);
        if (ok) {
            code = load_host(inv, inv->hosts.items[i], host, &ok);
        }
        if (ok && !code) {
            n++;
        } else {
            *tn_vec_push(inv->arena, &refused.list) = inv->hosts.items[i]->name;
        }
    }
    out->hosts = hosts;
    out->n_hosts = tn_inv_claims(inv, hosts, n, &refused);
    out->refused = refused.list.items;
    out->n_refused = refused.list.n;
    tn_texts_sort(refused.list.items, refused.list.n);
    return code;
}

/* ------------------------------------------------------------- public ---- */

void
tn_inv_init(struct tn_inv *inv, const char *environment)
{
    inv->dir = tn_arena_printf(inv->arena, "inventories/%s", environment);
    tn_digester_init(&inv->digester);
    tn_digester_add_str(&inv->digester, inv->dir);
    tn_map_init(&inv->dir_by_path, inv->arena, 16);
    tn_inv_groups_init(inv);
}

enum tn_code
tn_inv_read_graph(struct tn_inv *inv, const char *environment, bool *found)
{
    enum tn_code code = find_environment(inv, environment, found);

    if (code || !*found) {
        return code;
    }
    code = tn_inv_read_hosts(inv);
    if (!code) {
        code = check_folders(inv);
    }
    if (!code && !tn_inv_reconcile(inv)) {
        inv->broken = true;
    }
    return code;
}

enum tn_code
tn_inventory_load(struct tn_source *source, const char *environment,
                  struct tn_arena *arena, const struct tn_inventory **out,
                  struct tn_diags *diags, struct tn_error *err)
{
    struct tn_inventory *result = tn_new(arena, struct tn_inventory);
    struct tn_inv inv = {
        .source = source, .arena = arena, .diags = diags, .err = err};
    const char *tenant = diags->tenant;
    bool found = false;
    enum tn_code code;

    result->environment = tn_arena_strdup(arena, environment);
    tn_inv_init(&inv, environment);
    diags->tenant = NULL;
    code = tn_inv_read_graph(&inv, environment, &found);
    if (!code && found) {
        code = load_hosts(&inv, result);
    }
    diags->tenant = tenant;
    if (code) {
        return tn_while(err, code, "inventory '%s'", environment);
    }
    result->digest = tn_digester_end(&inv.digester);
    *out = result;
    return TN_OK;
}

const struct tn_host *
tn_inventory_host_get(const struct tn_inventory *inv, const char *name)
{
    return inv->n_hosts ? bsearch(name, inv->hosts, inv->n_hosts,
                                  sizeof *inv->hosts, cmp_name)
                        : NULL;
}

const struct tn_var *
tn_inventory_var(const struct tn_inventory_host *host, const char *name)
{
    return host->n_vars ? bsearch(name, host->vars, host->n_vars,
                                  sizeof *host->vars, cmp_var_name)
                        : NULL;
}
