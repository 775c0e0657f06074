/* cmd_graph.c - 'tenet graph': the network as a picture.
 *
 * By itself a picture of the intent; no device is asked.  With --offline or
 * --live there is a plan, and the picture shows what is about to happen. */
#include "reconciler/cli/command.h"

#include <string.h>
#include <unistd.h>

#include "reconciler/graph/graph.h"

enum { GRAPHVIZ_SECONDS = 120 };

static bool
is_format(const struct tn_cli *cli, const char *format)
{
    return cli->format && strcmp(cli->format, format) == 0;
}

/* What was applied last, of the first device that says so. */
static const struct tn_network *
past_of(const struct tn_reconcile *run)
{
    for (size_t i = 0; i < run->status->n_devices; i++) {
        const char *id = run->status->devices[i].head.commit;
        if (id && strcmp(id, run->commit.id) == 0) {
            continue;
        }
        if (id) {
            return tn_reconcile_past(run, id, run->arena);
        }
    }
    return run->status->n_devices ? run->network : NULL;
}

static enum tn_exit
graph_print(const struct tn_cli *cli, const struct tn_graph *graph)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text dot = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text svg = {0};
    struct tn_error err = {0};
    if (cli->json) {
        tn_graph_json(&dot, graph);
    } else {
        tn_graph_dot(&dot, graph, cli->links);
    }
    if (!is_format(cli, "svg")) {
        return tn_report_out(&dot) ? TN_EXIT_OK : TN_EXIT_ERROR;
    }
    enum tn_code code = tn_graph_svg(&dot, GRAPHVIZ_SECONDS, &svg, &err);
    if (code) {
        tn_report_error(cli, &err);
        return TN_EXIT_ERROR;
    }
    return tn_report_out(&svg) ? TN_EXIT_OK : TN_EXIT_ERROR;
}

static enum tn_exit
nothing_there(const struct tn_cli *cli)
{
    fprintf(stderr, "tenet: there is no VPC to draw%s\n",
            cli->tenant || cli->vpc || cli->host
                ? ": nothing is left by --tenant, --vpc and --host"
                : "");
    return TN_EXIT_ERROR;
}

enum tn_exit
tn_cmd_graph(struct tn_cli *cli)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    enum tn_code code = TN_OK;
    enum tn_exit exit = tn_command_open(cli, TN_RUN_NORMAL, &run);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    bool planned = cli->live || cli->offline;
    if (planned) {
        code = tn_reconcile_observe(run, &err);
    }
    tn_report_findings(cli, &run->diags);
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    struct tn_graph_input in = {
        .network = run->network,
        .past = planned ? past_of(run) : NULL,
        .plan = planned ? run->plan : NULL,
        .title = tn_arena_printf(run->arena, "%s, environment %s",
                                 tn_command_source(run, run->arena),
                                 run->network->inventory->environment),
        .tenant = cli->tenant,
        .vpc = cli->vpc,
        .host = cli->host,
    };
    const struct tn_graph *graph = tn_graph_build(run->arena, &in);
    return graph->vpcs.n || (!cli->tenant && !cli->vpc && !cli->host)
               ? graph_print(cli, graph)
               : nothing_there(cli);
}
