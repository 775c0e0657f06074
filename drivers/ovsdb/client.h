/* client.h - one database of an OVSDB server: its schema, a live copy of the
 * columns we want, and transactions.
 *
 * The copy is made and kept by monitor_cond_since; where the server is too old
 * for it, by monitor_cond or monitor (RFC 7047, 4.1.5).  After a reconnect a
 * clustered database is resumed from the last transaction seen; elsewhere the
 * copy is made anew and compared with the former one, so that 'changed' tells
 * of the real differences only.  With 'leader' a clustered database is used
 * through its leader alone, found by the database _Server.
 *
 * Rows of the copy are packed: see packed.h.
 *
 * Nothing here waits but the functions that take a deadline, which turn the
 * loop themselves. */
#ifndef TN_OVSDB_CLIENT_H
#define TN_OVSDB_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/ovsdb/loop.h"
#include "drivers/ovsdb/packed.h"
#include "drivers/ovsdb/rpc.h"

/* Columns of a table that are to be copied. */
struct tn_ovsdb_want {
    const char *table;
    const char *const *columns; /* Ends with null. */
    bool optional;              /* An older schema without the table, or (see
                                   tn_ovsdb_has) a column, is fine. */
    json_t *where; /* Conditions of monitor_cond; null: all rows, as
                      also with a server that knows monitor only.
                      Borrowed for the call. */
};

struct tn_ovsdb;

/* Called from tn_ovsdb_loop_turn() and the functions with a deadline. */
struct tn_ovsdb_events {
    /* A row came (was null), was changed, or went (now null).  'was' is the
     * whole row as it was before; both are borrowed for the call, 'now' as
     * long as the copy has it.  Called when all of the server's message is in
     * the copy; must neither turn the loop nor close 'db'.  Null: not
     * called. */
    void (*changed)(void *ctx, const char *table, const char *uuid,
                    const struct tn_ovsdb_row *was,
                    const struct tn_ovsdb_row *now);
    /* The copy is whole, for the first time or again. */
    void (*ready)(void *ctx);
    /* The copy was whole and is not kept any more; it can still be read. */
    void (*lost)(void *ctx, const struct tn_error *why);
};

/* 'wants' (ended by a null table) is borrowed for the call.  'database' as
 * "OVN_Northbound". */
enum tn_code tn_ovsdb_open(struct tn_ovsdb_loop *loop,
                           const struct tn_rpc_options *options,
                           const char *database, bool leader,
                           const struct tn_ovsdb_want *wants,
                           const struct tn_ovsdb_events *events, void *ctx,
                           struct tn_ovsdb **out,
                           struct tn_error *err) TN_MUST_USE;
void tn_ovsdb_close(struct tn_ovsdb *db); /* Accepts null. */

/* Turns the loop until the content is asked for, if the copy is not whole: what
 * remains is the server's to do.  Fails as tn_ovsdb_wait(). */
enum tn_code tn_ovsdb_ask(struct tn_ovsdb *db, unsigned timeout_ms,
                          struct tn_error *err) TN_MUST_USE;

/* Turns the loop until the copy is whole.  TN_EUNAVAILABLE says why not.
 * TN_EUNSUPPORTED: the schema lacks a table or column that is wanted. */
enum tn_code tn_ovsdb_wait(struct tn_ovsdb *db, unsigned timeout_ms,
                           struct tn_error *err) TN_MUST_USE;

/* Turns the loop until everything that was committed before the call, by
 * whomever, is in the copy.  Of a cluster this holds for a session that follows
 * the leader, except that a leader cut off from the others is believed until it
 * notices that itself (its election timer); without 'leader', the copy is as
 * new as the server it comes from.  A transaction's own guards are judged by
 * the majority in any case. */
enum tn_code tn_ovsdb_catch_up(struct tn_ovsdb *db, unsigned timeout_ms,
                               struct tn_error *err) TN_MUST_USE;

/* Does the server's schema have the table, and the column (null: only the
 * table)?  Known once the copy is whole. */
bool tn_ovsdb_has(const struct tn_ovsdb *db, const char *table,
                  const char *column);
const char *tn_ovsdb_schema_version(const struct tn_ovsdb *db);

/* One row; null: there is none.  Borrowed until the loop turns, as are all rows
 * of the copy. */
const struct tn_ovsdb_row *tn_ovsdb_row(const struct tn_ovsdb *db,
                                        const char *table, const char *uuid);
/* The rows of a table, in the order in which they came; null: there is none, or
 * no further. */
const struct tn_ovsdb_row *tn_ovsdb_first(const struct tn_ovsdb *db,
                                          const char *table);
const struct tn_ovsdb_row *tn_ovsdb_after(const struct tn_ovsdb_row *row);
/* Where they are few: all rows of a table as an object: uuid to what
 * tn_ovsdb_row_json() says.  Borrowed likewise; null: no such table. */
json_t *tn_ovsdb_rows(const struct tn_ovsdb *db, const char *table);

struct tn_ovsdb_counts {
    size_t rows, elements;       /* Held by the copy; elements of values. */
    unsigned long long dumped;   /* Rows taken from dumps, */
    unsigned long long updated;  /* and changes of rows, */
    unsigned long long messages; /* in so many notifications. */
    unsigned long long bytes;    /* Received in all. */
    unsigned dumps, resumed;     /* Copies made anew; taken up again. */
    const char *method;          /* "monitor_cond_since", ...; "" before. */
};
struct tn_ovsdb_counts tn_ovsdb_counts(const struct tn_ovsdb *db);

/* What became of a transaction. */
enum tn_ovsdb_verdict {
    TN_TXN_DONE,
    TN_TXN_REFUSED,  /* Nothing was changed: a constraint, a bad value. */
    TN_TXN_RAN_INTO, /* Nothing was changed: a 'wait' or 'assert' of ours found
                        another state than we expect. */
    TN_TXN_UNKNOWN,  /* There was no answer (the connection was lost), or one
                        that leaves it open: it may have been carried out. */
};

struct tn_ovsdb_result {
    enum tn_ovsdb_verdict verdict;
    size_t op;    /* Index of the operation that failed; their number if
                     they could not be committed together. */
    json_t *last; /* The result of the last operation, if it is done and there
                     is one; else null.  Owned, free with json_decref. */
};

/* Carries out the operations (RFC 7047, 5.2; takes 'operations', an array
 * without the database's name) as one transaction and turns the loop until it
 * is answered.  TN_OK only with TN_TXN_DONE; 'err' says what the server
 * said. */
enum tn_code tn_ovsdb_transact(struct tn_ovsdb *db, json_t *operations,
                               unsigned timeout_ms, struct tn_ovsdb_result *out,
                               struct tn_error *err) TN_MUST_USE;

/* The same with operations as JSON: so many objects, each after a comma. */
struct tn_ovsdb_text {
    const char *s;
    size_t n, n_ops;
};
enum tn_code tn_ovsdb_transact_text(struct tn_ovsdb *db,
                                    const struct tn_ovsdb_text *operations,
                                    unsigned timeout_ms,
                                    struct tn_ovsdb_result *out,
                                    struct tn_error *err) TN_MUST_USE;

/* The same without waiting: 'answered' is called once, from
 * tn_ovsdb_loop_turn(), and not at all if 'db' is closed before or if this
 * function fails, which means that nothing was sent.  'result' and 'err' are
 * borrowed, 'err' is null with TN_TXN_DONE. */
typedef void tn_ovsdb_answered_fn(void *ctx,
                                  const struct tn_ovsdb_result *result,
                                  const struct tn_error *err);
enum tn_code tn_ovsdb_submit(struct tn_ovsdb *db, json_t *operations,
                             tn_ovsdb_answered_fn *answered, void *ctx,
                             struct tn_error *err) TN_MUST_USE;

#endif
