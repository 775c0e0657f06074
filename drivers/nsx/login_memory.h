/* login_memory.h - refused logins, remembered beyond the life of a client.
 *
 * NSX locks an account after five refusals within a quarter of an hour, for
 * another one and for all who use it.  A daemon whose password has expired
 * would do that within seconds, again and again.  So a file tells when logins
 * were refused: after three of a quarter of an hour none is tried with the same
 * password until the first is that old.  Another password is tried at once; it
 * is told from the old one by 16 bits of a salted digest, from which nobody
 * learns the password.
 *
 * Pure but for the file; time is an argument (seconds of the day's clock).  A
 * file that is not there, or makes no sense, remembers nothing. */
#ifndef TN_NSX_LOGIN_MEMORY_H
#define TN_NSX_LOGIN_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/crypt.h"
#include "model/base/text.h"

enum { TN_NSX_REFUSALS_MOST = 3, TN_NSX_REFUSALS_S = 900 };

/* The file for this account of these managers (origins) in 'dir'. */
void tn_nsx_refusals_path(struct tn_text *out, const char *dir,
                          const char *origin, const char *user);
/* 0: a login may be tried; else in how many seconds. */
int64_t tn_nsx_refusals_wait(const char *path, const struct tn_secret *secret,
                             int64_t now);
/* One was refused.  Says nothing if that cannot be written. */
void tn_nsx_refusals_note(const char *path, const struct tn_secret *secret,
                          int64_t now);
/* One went well. */
void tn_nsx_refusals_forget(const char *path);

#endif
