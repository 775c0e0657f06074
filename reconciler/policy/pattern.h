/* pattern.h - regular expressions that cost too much.
 *
 * Private to reconciler/policy. */
#ifndef TN_POLICY_PATTERN_H
#define TN_POLICY_PATTERN_H

/* Why the pattern (POSIX, extended) is not even compiled, as a part of a
 * sentence; null: it may be. */
const char *tn_pattern_excess(const char *pattern);

#endif
