/* replica.h - a copy of some columns of a database, kept by what the server
 * sends: no input or output, only messages.
 *
 * Rows are packed (packed.h).  The peer is not trusted: a message that does not
 * fit the schema, the copy or a limit is an error, after which the copy is to
 * be made anew by tn_replica_dump(); it can be read until then. */
#ifndef TN_OVSDB_REPLICA_H
#define TN_OVSDB_REPLICA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "drivers/ovsdb/client.h"
#include "drivers/ovsdb/scan.h"
#include "drivers/ovsdb/schema.h"
#include "model/base/error.h"

struct tn_replica;

/* As client.h's 'changed'. */
typedef void tn_replica_changed_fn(void *ctx, const char *table,
                                   const char *uuid,
                                   const struct tn_ovsdb_row *was,
                                   const struct tn_ovsdb_row *now);

/* How rows are told: "old" and "new" (update), or "initial", "insert", "delete"
 * and "modify" (update2 and update3). */
enum tn_replica_form { TN_REPLICA_OLD_NEW, TN_REPLICA_DIFF };

/* More rows, or more elements of values, than this are an error. */
struct tn_replica_limits {
    size_t rows, elements; /* 0: 4 million, 64 million. */
};

struct tn_replica_counts {
    size_t rows, elements;      /* Held now. */
    unsigned long long dumped;  /* Rows taken from dumps, */
    unsigned long long updated; /* and row updates, so far. */
};

/* Copies 'wants'.  'changed' may be null. */
struct tn_replica *tn_replica_new(const struct tn_ovsdb_want *wants,
                                  const struct tn_replica_limits *limits,
                                  tn_replica_changed_fn *changed, void *ctx);
void tn_replica_free(struct tn_replica *r); /* Accepts null. */

/* Must come first, and again whenever the schema may have changed.  'schema' is
 * borrowed until the next call.  '*same': columns and types are those of
 * before.  TN_EUNSUPPORTED names what the schema lacks. */
enum tn_code tn_replica_fit(struct tn_replica *r,
                            const struct tn_ovsdb_schema *schema, bool *same,
                            struct tn_error *err) TN_MUST_USE;

/* The <monitor-cond-requests>, or without 'where' <monitor-requests>; new. */
json_t *tn_replica_requests(const struct tn_replica *r, bool where);

/* The whole content, <table-updates> as the server sends them: takes the place
 * of the copy, and tells what differs. */
enum tn_code tn_replica_dump(struct tn_replica *r, enum tn_replica_form form,
                             struct tn_scan tables,
                             struct tn_error *err) TN_MUST_USE;

/* Changes of the content.  What was done before an error is told. */
enum tn_code tn_replica_update(struct tn_replica *r, enum tn_replica_form form,
                               struct tn_scan tables,
                               struct tn_error *err) TN_MUST_USE;

/* Borrowed until the next message.  Null: no such table, no such row. */
const struct tn_ovsdb_row *tn_replica_row(const struct tn_replica *r,
                                          const char *table, const char *uuid);
/* The first row of a table, in the order in which they came; and the one after
 * a row. */
const struct tn_ovsdb_row *tn_replica_first(const struct tn_replica *r,
                                            const char *table);
const struct tn_ovsdb_row *tn_replica_after(const struct tn_ovsdb_row *row);
/* All rows as an object, by uuid, of what tn_ovsdb_row_json() says; null: no
 * such table. */
json_t *tn_replica_rows(const struct tn_replica *r, const char *table);
struct tn_replica_counts tn_replica_counts(const struct tn_replica *r);

#endif
