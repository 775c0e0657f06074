/* log.h - one line for each thing that happened.
 *
 * Text for people, or JSON (an object a line) on request; to standard error,
 * with the priority prefix of journald when that is where it goes.  Lines of
 * several threads never mix.  What is logged is an event, not a state: a thing
 * that stays wrong is said once, and again when it changes. */
#ifndef TN_DAEMON_LOG_H
#define TN_DAEMON_LOG_H

#include <stdbool.h>

#include "model/base/attr.h"

enum tn_log_level {
    TN_LOG_ERROR,
    TN_LOG_WARNING,
    TN_LOG_INFO,
    TN_LOG_DEBUG,
};

/* Whom a line is about; null: nobody in particular. */
struct tn_log_about {
    const char *device, *scope, *commit;
};

struct tn_log;

/* New, owned by the caller. */
struct tn_log *tn_log_new(bool json, bool debug) TN_RETURNS_NONNULL;
/* Accepts null. */
void tn_log_free(struct tn_log *log);

/* 'about' may be null.  Control characters in the message are escaped. */
void tn_log(struct tn_log *log, enum tn_log_level level,
            const struct tn_log_about *about, const char *fmt, ...)
    TN_PRINTF(4, 5);

#endif
