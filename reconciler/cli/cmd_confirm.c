/* cmd_confirm.c - 'tenet confirm': the change that was just applied is good.
 *
 * Needs no lock: whoever applied it holds that and waits. */
#include "reconciler/cli/command.h"

#include "reconciler/confirm/pending.h"
#include "reconciler/status/state_dir.h"

/* Why there is nothing to be confirmed, in the words of the one who asked. */
static enum tn_exit
refused(const struct tn_cli *cli, enum tn_code code, struct tn_error *err)
{
    tn_report_error(cli, err);
    if (code == TN_EUNAVAILABLE) {
        fprintf(stderr, "    hint: run 'tenet confirm' when it is done\n");
    }
    return code == TN_ENOENT ? TN_EXIT_ERROR : tn_report_exit(code);
}

enum tn_exit
tn_cmd_confirm(struct tn_cli *cli)
{
    struct tn_error err = {0};
    struct tn_pending_clock now;
    struct tn_pending_state state = {0};
    const char *instance = NULL;
    const char *dir = NULL;
    enum tn_code code =
        tn_reconcile_instance(cli->repo, cli->rev, cli->arena, &instance, &err);
    if (!code) {
        dir = tn_state_dir(cli->arena, cli->state_dir, instance);
        tn_pending_clock_now(&now);
        code = tn_pending_load(dir, &now, cli->arena, &state, &err);
    }
    if (!code) {
        code = tn_pending_confirm(dir, cli->n_args ? cli->args[0] : NULL, &now,
                                  &err);
    }
    if (code) {
        return refused(cli, code, &err);
    }
    printf("Commit %.12s is confirmed on %zu device%s.\n", state.about.commit,
           state.about.n_devices, state.about.n_devices == 1 ? "" : "s");
    return TN_EXIT_OK;
}
