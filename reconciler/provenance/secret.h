/* secret.h - which values of an inventory are nobody's to read in a report.
 *
 * Ansible's variables have no mark that says so but their names:
 * ansible_password, bmc: {token: ...}.  What such a name holds is not shown; a
 * name of a file is (ansible_ssh_private_key_file). */
#ifndef TN_PROVENANCE_SECRET_H
#define TN_PROVENANCE_SECRET_H

#include "model/base/arena.h"
#include "model/yaml/node.h"

/* "ansible_become_password", "apiToken". */
bool tn_is_secret_name(const char *name);

/* 'value' of the variable 'name', with 'hidden' in place of whatever a secret's
 * name holds, there or in maps below it.  'value' itself, or new in 'arena'. */
const struct tn_node *tn_secrets_hide(struct tn_arena *arena, const char *name,
                                      const struct tn_node *value,
                                      const struct tn_node *hidden);

#endif
