/* main.c - starts the libraries, once, and hands over to the command. */
#include <signal.h>
#include <stdio.h>

#include <sodium.h>

#include "reconciler/cli/cli.h"
#include "reconciler/cli/report.h"
#include "reconciler/policy/jq_program.h"
#include "reconciler/source/remote.h"
#include "reconciler/source/source.h"

int
main(int argc, char **argv)
{
    tn_remote_main(argc, argv);
    tn_policy_main(argc, argv);
    struct tn_error err = {0};
    struct tn_cli cli = {.arena = tn_arena_new()};
    /* A reader that went away is an error of write(2), not our death in the
     * middle of an apply. */
    signal(SIGPIPE, SIG_IGN);
    enum tn_exit exit = tn_cli_parse(&cli, argc, argv);
    if (exit == TN_EXIT_OK && cli.help) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        tn_help_print(&t, cli.command);
        exit = tn_report_out(&t) ? TN_EXIT_OK : TN_EXIT_ERROR;
    } else if (exit == TN_EXIT_OK) {
        if (sodium_init() < 0 || tn_git_init(&err)) {
            tn_report_error(&cli, &err);
            exit = TN_EXIT_ERROR;
        } else {
            exit = cli.command->run(&cli);
            tn_git_done();
        }
    }
    tn_arena_free(cli.arena);
    return (int) exit;
}
