/* cmd_validate.c - 'tenet validate': is the intent sound, and are the policies
 * that it will be judged by?  Nothing is judged here. */
#include "reconciler/cli/command.h"
#include "reconciler/policy/run.h"

static void
summary_print(const struct tn_cli *cli, const struct tn_reconcile *run,
              size_t policies, bool valid)
{
    size_t vpcs = 0, subnets = 0, ports = 0;
    const struct tn_network *net = run->network;
    for (size_t i = 0; i < net->n_tenants; i++) {
        vpcs += net->tenants[i].n_vpcs;
        subnets += net->tenants[i].n_subnets;
        ports += net->tenants[i].n_ports;
    }
    size_t failed = tn_command_failed_tenants(run);
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    if (cli->json) {
        tn_text_addf(&t,
                     "{\"format_version\": \"1.0\", \"valid\": %s, "
                     "\"commit\": \"%s\", \"environment\": \"%s\", "
                     "\"tenants\": %zu, \"failed_tenants\": %zu, "
                     "\"vpcs\": %zu, \"subnets\": %zu, \"ports\": %zu, "
                     "\"policies\": %zu",
                     valid ? "true" : "false", run->commit.id,
                     net->inventory->environment, net->n_tenants, failed, vpcs,
                     subnets, ports, policies);
        tn_report_findings_json(&t, &run->diags);
        tn_text_add(&t, "}\n");
    } else {
        tn_text_addf(&t,
                     "%s: %zu tenants, %zu VPCs, %zu subnets, %zu ports "
                     "in environment %s",
                     tn_command_source(run, run->arena), net->n_tenants, vpcs,
                     subnets, ports, net->inventory->environment);
        if (policies) {
            tn_text_addf(&t, ", %zu polic%s", policies,
                         policies == 1 ? "y" : "ies");
        }
        if (failed) {
            tn_text_addf(&t, "; %zu tenant%s with errors", failed,
                         failed == 1 ? "" : "s");
        }
        if (!valid && !failed) {
            tn_text_add(&t, "; the policies have errors");
        }
        tn_text_add(&t, valid ? "; valid" : "");
        tn_text_addc(&t, '\n');
    }
    (void) tn_report_out(&t);
}

enum tn_exit
tn_cmd_validate(struct tn_cli *cli)
{
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    enum tn_exit exit = tn_command_open(cli, TN_RUN_VALIDATE, &run);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    size_t errors = run->diags.n_errors;
    size_t policies = tn_policy_run_check(run, TN_POLICY_HELPER, &run->diags);
    tn_diags_sort(&run->diags);
    bool valid =
        tn_command_failed_tenants(run) == 0 && run->diags.n_errors == errors;
    tn_report_findings(cli, &run->diags);
    summary_print(cli, run, policies, valid);
    tn_command_stats(cli, run);
    return valid ? TN_EXIT_OK : TN_EXIT_INVALID;
}
