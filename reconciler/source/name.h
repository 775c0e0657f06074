/* name.h - names and texts that come from outside: what is safe to keep, and
 * how to show what is not. */
#ifndef TN_SOURCE_NAME_H
#define TN_SOURCE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/source.h"

/* The code point at '*p', which it advances; U+FFFD for each byte that does not
 * begin a well-formed sequence ('*bad' is then set, if not null). */
uint32_t tn_utf8_next(const char **p, const char *end, bool *bad);

/* Control, bidirectional formatting, invisible or non-character: may not be
 * shown to people or left to YAML readers as it is. */
bool tn_is_unsafe_char(uint32_t c);

/* Writes 'n' bytes of 's' to 'buf' with unsafe characters and malformed bytes
 * replaced by '?', cut at a character; returns 'buf'. */
const char *tn_clean(char *buf, size_t size, const char *s, size_t n);

/* The same with \xNN in place of '?', so that a person sees what is there. */
const char *tn_show(char *buf, size_t size, const char *s, size_t n);

/* Refuses (TN_EINTENT) a name that is no plain component of a path. */
enum tn_code tn_name_check(const char *dir, const char *name, size_t n,
                           struct tn_error *err) TN_MUST_USE;

/* Sorts a directory by the bytes of its names; refuses two names that differ
 * in ASCII case only, or not at all. */
enum tn_code tn_entries_finish(const char *dir, struct tn_entry *entries,
                               size_t n, struct tn_error *err) TN_MUST_USE;

#endif
