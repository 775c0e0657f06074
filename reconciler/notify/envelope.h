/* envelope.h - a file of state that shows its own damage.
 *
 * One line with format, version and the digest of the rest, then the rest.
 * Replaced as a whole, synced. */
#ifndef TN_NOTIFY_ENVELOPE_H
#define TN_NOTIFY_ENVELOPE_H

#include <stdbool.h>

#include "model/base/error.h"
#include "model/base/text.h"

enum { TN_ENVELOPE_FILE_MAX = 64 * 1024 * 1024 };

/* Adds the first line and 'body' to 'out'. */
void tn_envelope_add(struct tn_text *out, const char *format, unsigned version,
                     const struct tn_text *body);

/* Finds the body in 'bytes'; false if anything differs from what
 * tn_envelope_add() wrote for that format and version.  Borrowed. */
bool tn_envelope_open(const char *bytes, size_t n, const char *format,
                      unsigned version, const char **body, size_t *n_body);

/* Reads a whole file: '*out' is malloc'ed.  TN_ENOENT if there is none. */
enum tn_code tn_envelope_read(const char *path, char **out, size_t *n,
                              struct tn_error *err) TN_MUST_USE;

/* Keeps an unreadable file as "<path>.damaged", instead of an older one. */
void tn_envelope_set_aside(const char *path);

#endif
