/* cmd_info.c - commands about tenet itself: schema, version, help, man. */
#include "reconciler/cli/command.h"

#include <stdlib.h>

#include "drivers/driver.h"
#include "model/kinds/field.h"
#include "reconciler/cli/version.h"

enum tn_exit
tn_cmd_schema(struct tn_cli *cli)
{
    enum tn_kind kind = TN_N_KINDS;
    if (cli->n_args && !tn_kind_parse(cli->args[0], &kind)) {
        fprintf(stderr,
                "tenet: no kind is called '%s'; there are:", cli->args[0]);
        for (int i = 0; i < TN_N_KINDS; i++) {
            fprintf(stderr, " %s", tn_kind_slug((enum tn_kind) i));
        }
        fprintf(stderr, "\n");
        return TN_EXIT_ERROR;
    }
    TN_CLEANUP(tn_cleanup_free) char *json = tn_kind_schema_json(kind);
    puts(json);
    return TN_EXIT_OK;
}

enum tn_exit
tn_cmd_version(struct tn_cli *cli)
{
    size_t n = 0;
    const struct tn_driver *const *drivers = tn_driver_list(&n);
    if (cli->json) {
        printf("{\"version\": \"%s\", \"drivers\": [", TN_VERSION);
    } else {
        printf("tenet %s\ndrivers:", TN_VERSION);
    }
    for (size_t i = 0; i < n; i++) {
        if (cli->json) {
            printf("%s\"%s\"", i ? ", " : "", drivers[i]->name);
        } else {
            printf(" %s", drivers[i]->name);
        }
    }
    puts(cli->json ? "]}" : "");
    return TN_EXIT_OK;
}

enum tn_exit
tn_cmd_help(struct tn_cli *cli)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct tn_command *command = NULL;
    if (cli->n_args) {
        command = tn_command_get(cli->args[0]);
        if (!command) {
            fprintf(stderr, "tenet: no command is called '%s'\n", cli->args[0]);
            return TN_EXIT_ERROR;
        }
    }
    tn_help_print(&t, command);
    return tn_report_out(&t) ? TN_EXIT_OK : TN_EXIT_ERROR;
}

enum tn_exit
tn_cmd_man(struct tn_cli *cli)
{
    (void) cli;
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_man_print(&t);
    return tn_report_out(&t) ? TN_EXIT_OK : TN_EXIT_ERROR;
}
