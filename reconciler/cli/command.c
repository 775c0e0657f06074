/* command.c - see command.h. */
#include "reconciler/cli/command.h"

#include <string.h>
#include <sys/resource.h>

#include "model/base/digest.h"
#include "model/base/file.h"

const char *
tn_command_cache(const struct tn_cli *cli)
{
    const char *root = cli->repo;
    struct tn_error ignored = {0};
    if (!cli->cache_dir) {
        return NULL;
    }
    if (tn_source_root(cli->repo, cli->arena, &root, &ignored)) {
        root = cli->repo;
    }
    const char *dir =
        tn_arena_printf(cli->arena, "%s/%016llx", cli->cache_dir,
                        (unsigned long long) tn_hash64(root, strlen(root)));
    if (tn_dirs_make(dir, 0700, &ignored)) {
        fprintf(stderr, "tenet: working without a cache: ");
        tn_report_error(cli, &ignored);
        return NULL;
    }
    return dir;
}

static void
failure_print(const struct tn_cli *cli, const struct tn_reconcile *run,
              const struct tn_error *err)
{
    tn_report_findings(cli, &run->diags);
    /* The findings say it better. */
    if (err->code != TN_EINTENT || run->diags.n_errors == 0) {
        tn_report_error(cli, err);
    }
    if (cli->json) {
        char buf[TN_ERROR_TEXT + 256];
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        tn_text_addf(&t, "{\"format_version\": \"1.0\", \"valid\": false, "
                         "\"error\": \"");
        tn_text_add_escaped(&t, tn_error_text(err, buf, sizeof buf));
        tn_text_add(&t, "\"");
        tn_report_findings_json(&t, &run->diags);
        tn_text_add(&t, "}\n");
        (void) tn_report_out(&t);
    }
}

enum tn_exit
tn_command_open(const struct tn_cli *cli, enum tn_run_mode mode,
                struct tn_reconcile **out)
{
    struct tn_reconcile_options o = {
        .repo = cli->repo,
        .rev = cli->rev,
        .worktree = cli->worktree,
        .environment = cli->environment,
        .cache_dir = tn_command_cache(cli),
        .threads = (unsigned) cli->threads,
        .host = cli->host,
        .offline = cli->offline,
        .verdict_only = mode == TN_RUN_VALIDATE,
        .destroy = mode == TN_RUN_DESTROY,
    };
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    enum tn_code code = tn_reconcile_open(&o, &run, &err);
    if (code) {
        failure_print(cli, run, &err);
        return tn_report_exit(code);
    }
    *out = TN_TAKE(run);
    return TN_EXIT_OK;
}

void
tn_command_stats(const struct tn_cli *cli, const struct tn_reconcile *run)
{
    if (!cli->stats) {
        return;
    }
    const struct tn_compile_stats *s = &run->stats;
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr,
            "tenet: %zu files, %zu parsed (%zu bytes); %zu VPCs, %zu "
            "compiled; peak memory %ld MiB\n",
            s->n_files, s->n_files_parsed, s->n_bytes_parsed, s->n_vpcs,
            s->n_vpcs_compiled, usage.ru_maxrss / 1024);
}

const char *
tn_command_source(const struct tn_reconcile *run, struct tn_arena *arena)
{
    if (run->commit.id[0] == '\0') {
        return "the working tree";
    }
    return tn_arena_printf(arena, "commit %.7s (%s)", run->commit.id,
                           run->commit.subject);
}

size_t
tn_command_failed_tenants(const struct tn_reconcile *run)
{
    size_t n = 0;
    for (size_t i = 0; i < run->network->n_tenants; i++) {
        n += run->network->tenants[i].failed;
    }
    return n;
}

bool
tn_command_over_budget(const struct tn_cli *cli, const struct tn_reconcile *run)
{
    struct tn_budget_result budget = {0};
    tn_budget_check(run->arena, run->plan, run->network->settings,
                    (size_t) cli->allow_deletes, &budget);
    for (size_t i = 0; i < budget.n; i++) {
        fprintf(stderr, "tenet: over budget: %s\n", budget.items[i].text);
    }
    if (budget.n) {
        fprintf(stderr,
                "    hint: if these deletions are meant, "
                "'tenet apply --allow-deletes %zu'\n",
                budget.needed);
    }
    return budget.n > 0;
}
