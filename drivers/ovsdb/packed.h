/* packed.h - a row of the copy in few bytes.
 *
 * A row is one piece of memory: its uuid, and of each column that does not hold
 * the default of its type (the empty set or map; where a column must have a
 * value "", 0, false) the values, as texts one behind the other, each with its
 * NUL.  A uuid is its digits, a boolean "true" or "false", a number as "%lld"
 * and "%.17g" print it.  Values have one spelling: elements of sets and maps
 * are sorted, those of maps by their keys.
 *
 * A row never changes; what the server changes gets another row in its place.
 */
#ifndef TN_OVSDB_PACKED_H
#define TN_OVSDB_PACKED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct tn_ovsdb_row;

/* The values of a column: 'n' texts, of a map keys and values in turn.
 * Borrowed from the row. */
struct tn_ovsdb_texts {
    const char *at; /* The first; "" if there is none. */
    size_t n;
};

static inline const char *
tn_ovsdb_text_after(const char *text)
{
    return text + strlen(text) + 1;
}

const char *tn_ovsdb_row_uuid(const struct tn_ovsdb_row *row);

/* 'row' may be null: no column has anything. */
struct tn_ovsdb_texts tn_ovsdb_get(const struct tn_ovsdb_row *row,
                                   const char *column);
/* The value, or the first; null: there is none. */
const char *tn_ovsdb_get_text(const struct tn_ovsdb_row *row,
                              const char *column);
/* 0 also if there is none, or it is no number. */
long long tn_ovsdb_get_number(const struct tn_ovsdb_row *row,
                              const char *column);
/* The value of a key of a map; null: absent. */
const char *tn_ovsdb_get_key(const struct tn_ovsdb_row *row, const char *column,
                             const char *key);
/* The same of values of a map. */
const char *tn_ovsdb_texts_key(struct tn_ovsdb_texts map, const char *key);

/* Does the column hold the same in both? */
bool tn_ovsdb_same(const struct tn_ovsdb_row *a, const struct tn_ovsdb_row *b,
                   const char *column);

/* For tests, and where rows are few: the row as an object of columns, without
 * those that hold their default, a set of one without its frame.  New. */
json_t *tn_ovsdb_row_json(const struct tn_ovsdb_row *row);
/* As such an object, what differs in 'now' from 'was', as it is in 'was': a
 * default, too.  New. */
json_t *tn_ovsdb_row_former(const struct tn_ovsdb_row *was,
                            const struct tn_ovsdb_row *now);

#endif
