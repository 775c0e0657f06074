/* layers.c - what every layer says of a host, unmerged.
 *
 * The order is that of merge.c, written down once more: there everything that
 * hosts share is merged once and the losers are gone, here the losers are the
 * point.  tests/inventory compares the two on random inventories.  One host is
 * read a call; nothing is checked that loading did not check. */
#include "model/inventory/inventory.h"

#include "model/inventory/parts.h"

struct layers {
    struct tn_inv *inv;
    TN_VEC(struct tn_var) set;
};

static void
add_all(struct layers *l, const struct tn_var_list *list)
{
    for (size_t i = 0; i < list->set.n; i++) {
        struct tn_var *var = tn_vec_push(l->inv->arena, &l->set);

        *var = list->set.items[i];
        var->order = (uint32_t) (l->set.n - 1);
    }
}

static enum tn_code
add_files(struct layers *l, const char *folder, const char *name,
          const char *layer_name)
{
    struct tn_var_list list = {0};
    bool ok;
    enum tn_code code =
        tn_inv_collect_vars(l->inv, folder, name, layer_name, &list, &ok);

    add_all(l, &list);
    return code;
}

static enum tn_code
collect(struct layers *l, const struct tn_inv_chain *chain,
        const struct tn_inv_member *host)
{
    enum tn_code code = TN_OK;

    for (size_t i = 0; i < chain->n; i++) {
        add_all(l, &chain->groups[i]->inline_vars);
    }
    for (size_t i = 0; !code && i < chain->n; i++) {
        code = add_files(l, "group_vars", chain->groups[i]->name,
                         chain->groups[i]->layer_name);
    }
    add_all(l, &host->inline_vars);
    if (!code && host->name[0] != '/') {
        code = add_files(l, "host_vars", host->name, host->layer_name);
    }
    return code;
}

static void
groups_fill(struct tn_arena *arena, const struct tn_inv_chain *chain,
            struct tn_inventory_layers *out)
{
    struct tn_inventory_group *groups =
        tn_new_n(arena, struct tn_inventory_group, chain->n);

    for (size_t i = 0; i < chain->n; i++) {
        groups[i].name = chain->groups[i]->name;
        groups[i].depth = chain->groups[i]->depth;
        groups[i].priority = chain->groups[i]->priority;
    }
    out->groups = groups;
    out->n_groups = chain->n;
}

enum tn_code
tn_inventory_layers(struct tn_source *source, const char *environment,
                    const char *host, struct tn_arena *arena,
                    struct tn_inventory_layers *out, struct tn_diags *diags,
                    struct tn_error *err)
{
    struct tn_inv inv = {
        .source = source, .arena = arena, .diags = diags, .err = err};
    struct layers l = {.inv = &inv};
    struct tn_inv_member *member;
    struct tn_inv_chain *chain;
    bool found = false;
    enum tn_code code;

    tn_inv_init(&inv, environment);
    code = tn_inv_read_graph(&inv, environment, &found);
    if (code) {
        return tn_while(err, code, "inventory '%s'", environment);
    }
    member = tn_map_get(&inv.host_by_name, host);
    if (!found || inv.broken || !member) {
        return tn_fail(err, TN_ENOENT, 0, "inventory '%s' has no host '%s'",
                       environment, host);
    }
    chain = tn_inv_chain(&inv, member);
    code = collect(&l, chain, member);
    if (code) {
        return tn_while(err, code, "inventory '%s'", environment);
    }
    groups_fill(arena, chain, out);
    out->set = l.set.items;
    out->n = l.set.n;
    return TN_OK;
}
