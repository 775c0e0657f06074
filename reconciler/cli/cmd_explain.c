/* cmd_explain.c - 'tenet explain': where a host's variable comes from. */
#include "reconciler/cli/command.h"

#include <string.h>

#include "model/inventory/inventory.h"

static enum tn_exit
variable_print(const struct tn_host *host, const char *name)
{
    const struct tn_var *var = tn_inventory_var(&host->raw, name);
    if (!var) {
        fprintf(stderr, "tenet: host %s has no variable %s\n", host->raw.name,
                name);
        return TN_EXIT_ERROR;
    }
    const struct tn_node *v = var->value;
    printf("%s = %s\n  set by %s at %s:%u:%u\n", name,
           v->type == TN_NODE_SCALAR ? v->scalar.text : tn_node_type_name(v),
           var->layer, var->path, v->at.line, v->at.column);
    return TN_EXIT_OK;
}

enum tn_exit
tn_cmd_explain(struct tn_cli *cli)
{
    if (cli->n_args == 0) {
        fprintf(stderr, "tenet: explain which host?  'tenet explain HOST "
                        "[VARIABLE]'\n");
        return TN_EXIT_ERROR;
    }
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    enum tn_exit exit = tn_command_open(cli, TN_RUN_NORMAL, &run);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    const struct tn_host *host =
        tn_inventory_host_get(run->network->inventory, cli->args[0]);
    if (!host) {
        fprintf(stderr, "tenet: environment %s has no host %s\n",
                run->network->inventory->environment, cli->args[0]);
        return TN_EXIT_ERROR;
    }
    if (cli->n_args == 2) {
        return variable_print(host, cli->args[1]);
    }
    TN_CLEANUP(tn_cleanup_free)
    char *json = tn_inventory_host_json(&host->raw);
    fputs(json, stdout);
    return TN_EXIT_OK;
}
