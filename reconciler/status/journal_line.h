/* journal_line.h - one line of a journal: a JSON object that ends with the
 * checksum of what stands before it.
 *
 *     {"n":2,"type":"go","sum":"0123456789abcdef"}
 *
 * The sum is tn_hash64 of the run's id and the bytes before ',"sum":', so that
 * a line of another run is no line of this one. */
#ifndef TN_STATUS_JOURNAL_LINE_H
#define TN_STATUS_JOURNAL_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/text.h"

/* Bytes that the checksum adds, with the closing brace. */
enum { TN_LINE_SUM = 26 };

/* Begins line number 'n' in the empty 'line'. */
void tn_line_begin(struct tn_text *line, unsigned long n, const char *type);
/* ,"name":"value"; bytes that are not UTF-8 become \xNN. */
void tn_line_add(struct tn_text *line, const char *name, const char *value);
/* "value" alone. */
void tn_line_add_string(struct tn_text *line, const char *value);
/* Checksum, closing brace, newline. */
void tn_line_end(struct tn_text *line, const char *run);

/* True if 'n' bytes, without the newline, are a whole line of 'run'. */
bool tn_line_is_whole(const char *line, size_t n, const char *run);

#endif
