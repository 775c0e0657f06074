/* scope.h - patterns of paths: what a signer may change. */
#ifndef TN_TRUST_SCOPE_H
#define TN_TRUST_SCOPE_H

#include <stdbool.h>

/* Whether 'path' (of a file, from the top, without a leading slash) matches.
 * '?' is one byte and '*' any number of them, both within a name; '**' as a
 * whole name is any number of directories, at the end at least one name:
 * "a/" + "**" is all below 'a' and not 'a' itself.  Letter case counts.  The
 * time is at worst the product of both lengths. */
bool tn_scope_match(const char *pattern, const char *path);

#endif
