/* client_part.h - what the files of the client share.
 *
 * client.c brings a connection to the point where the copy is whole, and keeps
 * it there; transact.c is transactions and all that waits. */
#ifndef TN_OVSDB_CLIENT_PART_H
#define TN_OVSDB_CLIENT_PART_H

#include "drivers/ovsdb/client.h"
#include "drivers/ovsdb/follow.h"
#include "drivers/ovsdb/replica.h"
#include "drivers/ovsdb/schema.h"
#include "model/base/arena.h"

/* How far a connection has come. */
enum tn_ovsdb_phase {
    TN_OVSDB_DOWN,     /* No connection, or one that ends. */
    TN_OVSDB_GREETING, /* Asked for _Server and for the schema. */
    TN_OVSDB_ABSENT,   /* The server does not have the database yet. */
    TN_OVSDB_UNFIT,    /* Its schema lacks what is wanted. */
    TN_OVSDB_BARRIER,  /* Waiting until the leader has applied its log. */
    TN_OVSDB_DUMP,     /* Asked for the content. */
    TN_OVSDB_WHOLE,
};

enum { TN_OVSDB_ID = 40 };

/* A transaction under way. */
struct tn_pending {
    struct tn_pending *next, **at;
    struct tn_ovsdb *db;
    size_t n_ops;
    tn_ovsdb_answered_fn *answered; /* Null: nobody waits any more. */
    void *ctx;
};

struct tn_ovsdb {
    struct tn_ovsdb_loop *loop;
    struct tn_rpc *rpc;
    struct tn_ovsdb_events events;
    void *ctx;
    char *database;
    bool leader;
    size_t n_remotes;
    size_t hops; /* Servers left in turn since the copy was last whole. */

    enum tn_ovsdb_phase phase;
    struct tn_error why; /* While not whole: why not. */
    struct tn_follow *follow;
    struct tn_replica *copy;

    bool schema_wanted, schema_asked; /* On this connection; just now. */
    struct tn_arena *schema_arena, *fresh_arena; /* In use; not yet. */
    const struct tn_ovsdb_schema *schema, *fresh;

    size_t method;                 /* Of the monitors: index, newest first. */
    unsigned generation;           /* Of our monitor: part of its name. */
    char monitor[TN_OVSDB_ID];     /* Its name; "": none. */
    char transaction[TN_OVSDB_ID]; /* The last in the copy; "": unknown. */
    struct tn_ovsdb_counts counts;

    struct tn_pending *pending;
    size_t n_orphans; /* Of these, nobody waits for. */
};

/* Ends the connection: the copy is not kept any more, which is told. */
void tn_ovsdb_leave(struct tn_ovsdb *db, bool at_once,
                    const struct tn_error *why);

/* Nobody is told of what is pending; when 'db' is closed. */
void tn_ovsdb_forget_pending(struct tn_ovsdb *db);

#endif
