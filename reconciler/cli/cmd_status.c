/* cmd_status.c - 'tenet status': the status ref for people and programs. */
#include "reconciler/cli/command.h"

#include <time.h>

#include "reconciler/status/print.h"

enum tn_exit
tn_cmd_status(struct tn_cli *cli)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct tn_status *status = NULL;
    const char *ref = NULL;
    struct tn_commit head = {0};
    enum tn_code code = tn_source_resolve(cli->repo, cli->rev, &head, &err);
    if (!code) {
        code = tn_reconcile_status_ref(cli->repo, cli->rev, cli->arena, &ref,
                                       &err);
    }
    if (!code) {
        code = tn_status_load(cli->repo, ref, cli->arena, &status, &err);
    }
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    for (size_t i = 0; i < status->n_damaged; i++) {
        fprintf(stderr, "tenet: %s: %s: %s\n", ref, status->damaged[i].path,
                status->damaged[i].message);
    }
    struct tn_status_view view = {
        .now = (int64_t) time(NULL),
        .color = cli->color_out,
        .tenant = cli->tenant,
        .head = head.id,
    };
    if (cli->json) {
        tn_status_print_json(&t, status, &view);
    } else if (!status->id) {
        tn_text_addf(&t, "Nothing was applied yet: there is no %s.\n", ref);
    } else {
        tn_status_print(&t, status, &view);
    }
    return tn_report_out(&t) ? TN_EXIT_OK : TN_EXIT_ERROR;
}
