/* command.h - what several commands do alike. */
#ifndef TN_CLI_COMMAND_H
#define TN_CLI_COMMAND_H

#include "model/base/cleanup.h"
#include "reconciler/apply/reconcile.h"
#include "reconciler/cli/cli.h"
#include "reconciler/cli/report.h"

enum tn_run_mode { TN_RUN_VALIDATE, TN_RUN_NORMAL, TN_RUN_DESTROY };

/* Opens and compiles what the options name.  Findings and failures are printed
 * (stderr, and in JSON mode as a document on stdout); then the result is their
 * exit code and '*out' null.  TN_EXIT_OK: '*out' is new, its findings are not
 * printed yet. */
enum tn_exit tn_command_open(const struct tn_cli *cli, enum tn_run_mode mode,
                             struct tn_reconcile **out);

/* The cache of this repository below the directory of --cache-dir: new in the
 * arena; null: none. */
const char *tn_command_cache(const struct tn_cli *cli);

/* --stats: what was read and compiled, on stderr. */
void tn_command_stats(const struct tn_cli *cli, const struct tn_reconcile *run);

/* "commit 1a2b3c4 (Move web to 10.2/16)", or "the working tree". */
const char *tn_command_source(const struct tn_reconcile *run,
                              struct tn_arena *arena);

/* How many tenants have errors. */
size_t tn_command_failed_tenants(const struct tn_reconcile *run);

/* Prints exceeded budgets on stderr; true if there are any. */
bool tn_command_over_budget(const struct tn_cli *cli,
                            const struct tn_reconcile *run);

static inline void
tn_cleanup_reconcile(struct tn_reconcile **run)
{
    tn_reconcile_free(*run);
}

#endif
