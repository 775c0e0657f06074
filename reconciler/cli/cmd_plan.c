/* cmd_plan.c - 'tenet plan': what would an apply change? */
#include "reconciler/cli/command.h"

#include <time.h>

#include "reconciler/cli/reviewing.h"
#include "reconciler/cli/version.h"
#include "reconciler/snapshot/snapshot.h"

/* On stdout, and into the files of --report. */
static bool
plan_print(const struct tn_cli *cli, const struct tn_reconcile *run,
           const struct tn_verdict *found)
{
    struct tn_review review;
    tn_reviewing_fill(cli, run, found, &review);
    bool fine = tn_reviewing_print(cli, &review);
    return tn_reviewing_report(cli, &review) && fine;
}

static enum tn_exit
verdict(const struct tn_cli *cli, const struct tn_reconcile *run, bool denied)
{
    if (run->plan->n_unreachable) {
        return TN_EXIT_UNREACHABLE;
    }
    if (run->diags.n_errors) {
        return TN_EXIT_INVALID;
    }
    if (denied) {
        return TN_EXIT_DENIED;
    }
    return cli->detailed_exitcode ? (enum tn_exit) tn_plan_exit_code(run->plan)
                                  : TN_EXIT_OK;
}

/* How old what was planned against is, and what could not be told. */
static void
snapshots_say(const struct tn_reconcile *run)
{
    char age[TN_SNAPSHOT_AGE];
    for (size_t i = 0; i < run->n_devices; i++) {
        const struct tn_device_run *d = &run->devices[i];
        if (d->have) {
            fprintf(stderr,
                    "tenet: %s: planned against its snapshot, which last "
                    "differed %s ago\n",
                    d->device->name,
                    tn_snapshot_age(d->seen, (int64_t) time(NULL), age));
        }
        if (d->n_unknown) {
            fprintf(stderr, "tenet: %s: %zu secrets not compared\n",
                    d->device->name, d->n_unknown);
        }
    }
}

enum tn_exit
tn_cmd_plan(struct tn_cli *cli)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    enum tn_exit exit = tn_command_open(cli, TN_RUN_NORMAL, &run);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    enum tn_code code = tn_reconcile_observe(run, &err);
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    tn_report_findings(cli, &run->diags);
    if (cli->offline) {
        snapshots_say(run);
    }
    struct tn_findings findings = {.arena = run->arena};
    struct tn_verdict found;
    tn_reviewing_budget(cli, run, run->plan, &findings);
    tn_reviewing_policies(cli, run, &findings);
    tn_verdict_build(&findings, &found);
    if (!plan_print(cli, run, &found)) {
        return TN_EXIT_ERROR;
    }
    bool denied =
        tn_command_over_budget(cli, run) || !tn_verdict_allows(&found);
    tn_command_stats(cli, run);
    if (!cli->out) {
        return verdict(cli, run, denied);
    }
    if (cli->worktree) {
        fprintf(stderr, "tenet: a plan of a working tree cannot be saved: it "
                        "names no commit\n");
        return TN_EXIT_ERROR;
    }
    code = tn_saved_write(run->plan, TN_VERSION, cli->out, &err);
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    fprintf(stderr, "Saved to %s; 'tenet apply %s' does exactly this.\n",
            cli->out, cli->out);
    return verdict(cli, run, denied);
}
