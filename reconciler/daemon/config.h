/* config.h - the daemon's own file (kind: Daemon, docs/kinds/daemon.md). */
#ifndef TN_DAEMON_CONFIG_H
#define TN_DAEMON_CONFIG_H

#include "model/base/diag.h"
#include "model/kinds/kinds.h"

/* Reads and decodes; what is wrong goes to 'diags' and is TN_EINTENT. '*out' is
 * new in 'arena'. */
enum tn_code tn_daemon_config_load(const char *path, struct tn_arena *arena,
                                   const struct tn_daemon **out,
                                   struct tn_diags *diags,
                                   struct tn_error *err) TN_MUST_USE;

/* What goes without a file: the repository 'repo' in place, nobody told. */
const struct tn_daemon *tn_daemon_config_default(const char *repo,
                                                 struct tn_arena *arena);

#endif
