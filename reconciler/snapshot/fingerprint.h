/* fingerprint.h - a secret as it appears in a snapshot. */
#ifndef TN_SNAPSHOT_FINGERPRINT_H
#define TN_SNAPSHOT_FINGERPRINT_H

#include "model/base/digest.h"

/* 32 hexadecimal digits and a NUL. */
enum { TN_SNAPSHOT_FINGERPRINT = 33 };

/* Of the value of an attribute of a resource, so that equal secrets of two
 * objects do not look equal.  Returns 'buf'; the empty text without a key. */
const char *tn_snapshot_fingerprint(const struct tn_digest *key,
                                    const char *resource, const char *attr,
                                    const char *value,
                                    char buf[TN_SNAPSHOT_FINGERPRINT]);

#endif
