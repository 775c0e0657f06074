/* cmd_lock.c - 'tenet lock': pin identifiers beside the documents.
 *
 * Reads the working tree, because that is where it writes: the lock belongs
 * into the same commit as the documents. */
#include "reconciler/cli/command.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"

struct tally {
    size_t written, same, stale;
};

static bool
file_is(struct tn_arena *arena, const char *path, const struct tn_text *want)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    if (!f) {
        return false;
    }
    char *have = tn_arena_alloc(arena, want->n + 1);
    size_t n = fread(have, 1, want->n + 1, f);
    return n == want->n && memcmp(have, tn_text_str(want), n) == 0;
}

static enum tn_code
tenant_lock(const struct tn_cli *cli, const char *tenant,
            const struct tn_pin *pins, size_t n, struct tally *tally)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    const char *path = tn_arena_printf(cli->arena, "%s/tenants/%s/tenet.lock",
                                       cli->repo, tenant);
    tn_lock_print(&text, pins, n);
    if (file_is(cli->arena, path, &text)) {
        tally->same++;
        return TN_OK;
    }
    tally->stale++;
    printf("%s tenants/%s/tenet.lock: %zu identifiers\n",
           cli->check ? "stale" : "wrote", tenant, n);
    if (cli->check) {
        return TN_OK;
    }
    enum tn_code code = tn_file_replace(path, &text, 0644, &err);
    if (code) {
        tn_report_error(cli, &err);
        return code;
    }
    tally->written++;
    return TN_OK;
}

/* The pins are sorted by tenant: each run of them is one file. */
static enum tn_code
tenants_lock(const struct tn_cli *cli, const struct tn_network *net,
             struct tally *tally)
{
    for (size_t i = 0, end = 0; i < net->n_pins; i = end) {
        const char *tenant = net->pins[i].tenant;
        end = i;
        while (end < net->n_pins &&
               strcmp(net->pins[end].tenant, tenant) == 0) {
            end++;
        }
        if (cli->tenant && strcmp(cli->tenant, tenant) != 0) {
            continue;
        }
        enum tn_code code =
            tenant_lock(cli, tenant, net->pins + i, end - i, tally);
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

enum tn_exit
tn_cmd_lock(struct tn_cli *cli)
{
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    struct tally tally = {0};
    cli->worktree = true;
    enum tn_exit exit = tn_command_open(cli, TN_RUN_NORMAL, &run);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    tn_report_findings(cli, &run->diags);
    enum tn_code code = tenants_lock(cli, run->network, &tally);
    if (code) {
        return tn_report_exit(code);
    }
    if (tn_command_failed_tenants(run)) {
        return TN_EXIT_INVALID;
    }
    if (tally.stale == 0) {
        printf("All %zu locks are up to date.\n", tally.same);
    }
    return cli->check && tally.stale ? TN_EXIT_DENIED : TN_EXIT_OK;
}
