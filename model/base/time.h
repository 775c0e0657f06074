/* time.h - moments as text: UTC, whole seconds, one spelling (RFC 3339); and
 * the clock that nobody sets. */
#ifndef TN_BASE_TIME_H
#define TN_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/attr.h"

/* "2026-11-21T01:54:43Z"; 0 is the empty text.  Returns 'buf'. */
enum { TN_TIME_TEXT = 24 };
const char *tn_time_format(int64_t t, char buf[TN_TIME_TEXT]);
/* The reverse; only this spelling of a day that exists is taken. */
bool tn_time_parse(const char *s, int64_t *out) TN_MUST_USE;

/* CLOCK_MONOTONIC: for intervals only. */
int64_t tn_now_ns(void);
int64_t tn_now_ms(void);

#endif
