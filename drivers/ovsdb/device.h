/* device.h - an OVSDB database as a device: the members of struct tn_driver but
 * render(), for drivers that are a table of kinds.
 *
 * A session has a live copy of the columns that the kinds name.  open() asks
 * for it and does not wait: the server has its content ready when other work is
 * done.  observe() first lets the copy catch up with what is committed, then
 * reads only it; of few scopes it reads the rows of these alone, however many
 * others there are.
 * Files of this folder only. */
#ifndef TN_OVSDB_DEVICE_H
#define TN_OVSDB_DEVICE_H

#include "drivers/driver.h"
#include "drivers/ovsdb/client.h"
#include "drivers/ovsdb/row.h"

struct tn_ovs_model {
    const char *database;            /* "OVN_Northbound" */
    const char *root;                /* The table of which there is one row. */
    const char *const *root_columns; /* More of it to copy; ends with null. */
    const struct tn_ovs_kind *const *kinds;
    size_t n_kinds;
    bool leader; /* Of a cluster, only the leader will do. */

    /* Optional: adds operations to a transaction that changes something. */
    void (*seal)(struct tn_session *session, json_t *operations);
    /* Optional, after it was carried out ('result' is that of the last
     * operation of seal()): waits, not for ever, until what was written is in
     * effect.  Steps that are not yet so become TN_STEP_WAITING, and 'err' says
     * for whom; that is what the result is about. */
    enum tn_code (*settle)(struct tn_session *session, const json_t *result,
                           const struct tn_step *steps, size_t n,
                           enum tn_outcome *outcomes, struct tn_error *err);
    /* Optional: releases 'own' of a session. */
    void (*forget)(struct tn_session *session);
};

struct tn_ovs_index; /* See index.h. */

struct tn_session {
    const struct tn_ovs_model *model;
    const struct tn_device *device;
    struct tn_ovsdb_loop *loop;
    struct tn_ovsdb *db;
    struct tn_ovs_index *index;
    void *own; /* The model's. */
};

/* Marks in external_ids. */
#define TN_OVS_INSTANCE "tenet-instance"
#define TN_OVS_KEY "tenet-key"
#define TN_OVS_SCOPE "tenet-scope"
#define TN_OVS_REVISION "tenet-revision"

enum { TN_OVS_TIMEOUT_MS = 30000 };

/* How a remote is spoken to: the files of TLS are what TENET_OVSDB_CA,
 * TENET_OVSDB_CERTIFICATE and TENET_OVSDB_KEY name. */
struct tn_rpc_options tn_ovs_rpc_options(const char *remote);

/* The two halves of opening, for the watch: a session that is nowhere yet, and
 * its copy asked for.  'events' must pass 'changed' on to
 * tn_ovs_index_changed(). */
enum tn_code tn_ovs_session_new(const struct tn_ovs_model *model,
                                const struct tn_device *device,
                                struct tn_session **out,
                                struct tn_error *err) TN_MUST_USE;
enum tn_code tn_ovs_session_start(struct tn_session *session,
                                  const struct tn_ovsdb_events *events,
                                  void *ctx, struct tn_error *err) TN_MUST_USE;

enum tn_code tn_ovs_open(const struct tn_ovs_model *model,
                         const struct tn_device *device,
                         struct tn_session **out,
                         struct tn_error *err) TN_MUST_USE;
void tn_ovs_close(struct tn_session *session); /* Accepts null. */

/* The member of that name; see driver.h. */
enum tn_code tn_ovs_observe(struct tn_session *session,
                            const struct tn_scope *scope,
                            const struct tn_state *want, struct tn_arena *arena,
                            const struct tn_state **out,
                            struct tn_error *err) TN_MUST_USE;

/* The root row and its uuid; null: there is none. */
const struct tn_ovsdb_row *tn_ovs_root(const struct tn_session *session,
                                       const char **uuid);

/* How often this instance has written to the database. */
long long tn_ovs_revision(const struct tn_session *session);

/* The uuid of a row's child; null: the kind has none, or this row not one. */
const char *tn_ovs_child(const struct tn_ovs_kind *kind,
                         const struct tn_ovsdb_row *row);

/* The row of ours with that key as it is in the copy now; null: there is
 * none. */
const struct tn_resource *tn_ovs_lookup(struct tn_session *session,
                                        struct tn_arena *arena,
                                        const char *key);

/* commit.c: the members of that name. */
enum tn_code tn_ovs_stage(struct tn_session *session,
                          const struct tn_step *steps, size_t n,
                          struct tn_stage **out,
                          struct tn_error *err) TN_MUST_USE;
enum tn_code tn_ovs_commit(struct tn_stage *stage, enum tn_outcome *outcomes,
                           size_t *failed, struct tn_error *err) TN_MUST_USE;
void tn_ovs_rollback(struct tn_stage *stage);

#endif
