/* scan.h - JSON read where it stands, from left to right, without a tree.
 *
 * For the one thing that comes by the megabyte: the rows of a database, whose
 * types are known before they are read.  As strict as jansson with
 * JSON_REJECT_DUPLICATES, but that who reads objects must see himself that no
 * name comes twice.  The text is UTF-8 (frame.h sees to that).
 *
 * Each function skips white space, takes one thing and says whether it was
 * there; if not, the scan is where it was, or at an end: false never becomes
 * true by trying again. */
#ifndef TN_OVSDB_SCAN_H
#define TN_OVSDB_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/text.h"

struct tn_scan {
    const char *at, *end;
};

/* The inside of a string, as it is spelled. */
struct tn_scan_string {
    const char *s;
    size_t n;
    bool escaped; /* There is a backslash in it. */
};

/* The next sign, which is not taken; 0: the end. */
static inline char
tn_scan_peek(struct tn_scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' ||
                                    *scan->at == '\t' || *scan->at == '\r')) {
        scan->at++;
    }
    if (scan->at == scan->end) {
        return '\0';
    }
    return *scan->at;
}

static inline bool
tn_scan_sign(struct tn_scan *scan, char sign)
{
    bool there = tn_scan_peek(scan) == sign && scan->at < scan->end;
    scan->at += there;
    return there;
}

bool tn_scan_string(struct tn_scan *scan, struct tn_scan_string *out);

/* Appends what the string means; false: that is nothing (a lone surrogate, a
 * NUL, an escape that does not exist). */
bool tn_scan_add(struct tn_text *out, const struct tn_scan_string *string);

/* "null", "true", ... */
bool tn_scan_word(struct tn_scan *scan, const char *word);

/* A number, as it is spelled; '*real': it has a fraction or an exponent. */
bool tn_scan_number(struct tn_scan *scan, struct tn_scan_string *out,
                    bool *real);

/* For the elements of an array or object that ends with 'closing': is another
 * one to be read?  If commas are not as they should be, it says so, too, and
 * that one is not found. */
bool tn_scan_more(struct tn_scan *scan, char closing, bool first);

#endif
