/* reviewing.c - see reviewing.h. */
#include "reconciler/cli/reviewing.h"

#include <string.h>

#include "model/base/file.h"
#include "model/base/time.h"
#include "reconciler/cli/version.h"
#include "reconciler/policy/run.h"

void
tn_reviewing_fill(const struct tn_cli *cli, const struct tn_reconcile *run,
                  const struct tn_verdict *verdict, struct tn_review *out)
{
    *out = (struct tn_review){
        .plan = run->plan,
        .verdict = verdict,
        .diags = &run->diags,
        .environment = run->network
                           ? run->network->inventory->environment
                           : (cli->environment ? cli->environment : "default"),
        .head = run->commit.id,
        .version = TN_VERSION,
        .color = cli->color_out,
        .verbose = cli->verbose,
    };
}

void
tn_reviewing_budget(const struct tn_cli *cli, const struct tn_reconcile *run,
                    const struct tn_plan *plan, struct tn_findings *out)
{
    struct tn_budget_result budget = {0};
    tn_budget_check(run->arena, plan, run->network->settings,
                    (size_t) cli->allow_deletes, &budget);
    for (size_t i = 0; i < budget.n; i++) {
        const struct tn_excess *e = &budget.items[i];
        struct tn_finding f = {
            .severity = TN_SEVERITY_DENY,
            .rule = "budget",
            .message = e->text,
            .hint = "if these deletions are meant, raise budgets in tenet.yml "
                    "in an earlier commit, or delete in smaller steps",
            .tenant = e->kind == TN_BUDGET_TENANT ? e->who : NULL,
            .subject = e->who,
        };
        tn_finding_add(out, &f);
    }
}

void
tn_reviewing_policies(const struct tn_cli *cli, const struct tn_reconcile *run,
                      struct tn_findings *out)
{
    struct tn_policy_run judged = {
        .run = run,
        .plan = run->plan,
        .allow_deletes = (size_t) cli->allow_deletes,
        .helper = TN_POLICY_HELPER,
    };
    int64_t start = tn_now_ns();
    tn_policy_run_judge(&judged, out);
    if (cli->stats) {
        fprintf(stderr, "tenet: judged in %.4f s\n",
                (double) (tn_now_ns() - start) / 1e9);
    }
}

bool
tn_reviewing_print(const struct tn_cli *cli, const struct tn_review *review)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_review_format_get(cli->format ? cli->format : "text")->print(&t, review);
    return tn_report_out(&t);
}

bool
tn_reviewing_write(const struct tn_cli *cli, const struct tn_review *review,
                   const struct tn_review_format *format, const char *path)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    struct tn_review r = *review;
    struct tn_error err = {0};
    r.color = false;
    format->print(&t, &r);
    enum tn_code code = tn_file_replace(path, &t, 0644, &err);
    if (code) {
        code = tn_while(&err, code, "writing %s", path);
        tn_report_error(cli, &err);
    }
    return code == TN_OK;
}

bool
tn_reviewing_report(const struct tn_cli *cli, const struct tn_review *review)
{
    bool fine = true;
    for (size_t i = 0; i < cli->reports.n; i++) {
        const char *at = strchr(cli->reports.items[i], '=');
        const char *name =
            tn_arena_strndup(cli->arena, cli->reports.items[i],
                             (size_t) (at - cli->reports.items[i]));
        fine = tn_reviewing_write(cli, review, tn_review_format_get(name),
                                  at + 1) &&
               fine;
    }
    return fine;
}
