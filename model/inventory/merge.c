/* merge.c - the variables of a host from all its layers.
 *
 * Ansible's order (VARIABLE_PRECEDENCE), lowest first:
 *
 *     hosts file   "all", then the other groups
 *     group_vars/  "all", then the other groups
 *     hosts file   the host
 *     host_vars/   the host
 *
 * where groups come by depth, ansible_group_priority and name.  So group_vars/
 * of a parent beats what the hosts file says of a child.  Values replace each
 * other; nothing is merged inside of them.  What a host inherits is merged
 * once for all hosts of the same groups. */
#include <stdlib.h>
#include <string.h>

#include "model/inventory/parts.h"

struct tn_layer
tn_inv_merge(struct tn_inv *inv, struct tn_layer under, struct tn_layer over)
{
    struct tn_layer out = {.span = under.span + over.span};
    struct tn_var *vars;
    size_t i = 0, k = 0;

    inv->work += under.n + over.n;
    if (over.n == 0) {
        return under;
    }
    vars = tn_new_n(inv->arena, struct tn_var, under.n + over.n);
    while (i < under.n || k < over.n) {
        int c = i == under.n  ? 1
                : k == over.n ? -1
                              : strcmp(under.vars[i].name, over.vars[k].name);

        if (c < 0) {
            vars[out.n++] = under.vars[i++];
            continue;
        }
        vars[out.n] = over.vars[k++];
        vars[out.n].order =
            c == 0 ? under.vars[i++].order : under.span + vars[out.n].order;
        out.n++;
    }
    out.vars = vars;
    return out;
}

static void
set_all(struct tn_inv *inv, struct tn_var_list *list,
        const struct tn_layer *layer)
{
    /* In the order of the file: it decides the order of first appearance. */
    struct tn_var *vars = tn_new_n(inv->arena, struct tn_var, layer->span + 1);

    for (size_t i = 0; i < layer->n; i++) {
        vars[layer->vars[i].order] = layer->vars[i];
    }
    for (size_t i = 0; i < layer->span; i++) {
        if (vars[i].name) {
            tn_inv_set_var(inv, list, vars[i]);
        }
    }
    inv->work += layer->span;
}

static enum tn_code
read_group(struct tn_inv *inv, struct tn_inv_group *g)
{
    bool ok;
    enum tn_code code;

    if (g->files_read) {
        return TN_OK;
    }
    g->files_read = true;
    code = tn_inv_read_vars(inv, "group_vars", g->name, g->layer_name,
                            &g->in_files, &ok);
    g->broken = g->broken || !ok;
    g->in_hosts = tn_inv_layer(inv, &g->inline_vars);
    tn_inv_check_tenet_vars(inv, &g->in_hosts);
    return code;
}

static enum tn_code
merge_chain(struct tn_inv *inv, struct tn_inv_chain *chain)
{
    struct tn_var_list list = {0};
    enum tn_code code = TN_OK;

    for (size_t i = 0; !code && i < chain->n; i++) {
        code = read_group(inv, chain->groups[i]);
        chain->broken = chain->broken || chain->groups[i]->broken;
        set_all(inv, &list, &chain->groups[i]->in_hosts);
    }
    for (size_t i = 0; i < chain->n; i++) {
        set_all(inv, &list, &chain->groups[i]->in_files);
    }
    chain->merged = tn_inv_layer(inv, &list);
    chain->read = true;
    return code;
}

enum tn_code
tn_inv_merge_host(struct tn_inv *inv, struct tn_inv_member *host,
                  struct tn_inventory_host *out, bool *ok)
{
    struct tn_inv_chain *chain = tn_inv_chain(inv, host);
    struct tn_layer own = tn_inv_layer(inv, &host->inline_vars), files = {0};
    enum tn_code code = TN_OK;

    if (!chain->read) {
        code = merge_chain(inv, chain);
    }
    tn_inv_check_tenet_vars(inv, &own);
    *ok = true;
    if (!code && host->name[0] != '/') {
        code = tn_inv_read_vars(inv, "host_vars", host->name, host->layer_name,
                                &files, ok);
    }
    *ok = *ok && !host->broken && !chain->broken;
    own = tn_inv_merge(inv, chain->merged, own);
    files = tn_inv_merge(inv, own, files);
    *out = (struct tn_inventory_host){.name = host->name,
                                      .at = host->at,
                                      .vars = files.vars,
                                      .n_vars = files.n,
                                      .groups = chain->names,
                                      .n_groups = chain->n};
    return code;
}
