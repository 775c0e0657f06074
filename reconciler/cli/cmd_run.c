/* cmd_run.c - 'tenet run': the daemon, in the foreground as services are. */
#include "reconciler/cli/command.h"

#include <stdlib.h>

#include "reconciler/cli/version.h"
#include "reconciler/daemon/daemon.h"

enum tn_exit
tn_cmd_run(struct tn_cli *cli)
{
    struct tn_error err = {0};
    const char *root = NULL;
    enum tn_code code = TN_OK;
    if (!cli->config) {
        code = tn_source_root(cli->repo, cli->arena, &root, &err);
    }
    if (!code && !cli->state_dir) {
        fprintf(stderr, "tenet: no place for the journal; give --state-dir\n");
        return TN_EXIT_ERROR;
    }
    char *absolute = root ? realpath(root, NULL) : NULL;
    struct tn_daemon_options o = {
        .config_path = cli->config,
        .repo = absolute ? absolute : root,
        .state_dir = cli->state_dir,
        .cache_dir = cli->cache_dir,
        .threads = (unsigned) cli->threads,
        .version = TN_VERSION,
        .json_log = cli->json,
        .debug = cli->verbose,
    };
    if (!code) {
        code = tn_daemon_run(&o, &err);
    }
    free(absolute);
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    return TN_EXIT_OK;
}
