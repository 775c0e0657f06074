/* index.h - what a session knows about the rows of its copy by name: kept while
 * the copy changes.  Files of this folder only.
 *
 * It holds names only, so that rows are always asked of the copy. */
#ifndef TN_OVSDB_INDEX_H
#define TN_OVSDB_INDEX_H

#include "drivers/ovsdb/device.h"

/* A row of a table in which a kind lives.  Borrowed until the loop turns, as
 * all that is returned here. */
struct tn_ovs_known {
    const char *uuid, *table;
    const char *name; /* Null: it has none. */
    /* Of a row of ours; else null. */
    const char *key, *scope;
    const struct tn_ovs_kind *kind; /* Null also: no kind is called so. */
    struct tn_ovs_known *next;      /* Of the same scope. */
};

/* The rows of ours in a scope. */
struct tn_ovs_place {
    const char *scope;
    struct tn_ovs_known *first;
    struct tn_ovs_place *next;
};

struct tn_ovs_index *tn_ovs_index_new(const struct tn_ovs_model *model,
                                      const char *instance); /* Borrowed. */
void tn_ovs_index_free(struct tn_ovs_index *index);          /* Or null. */

/* tn_ovsdb_events.changed; 'session' is the struct tn_session. */
void tn_ovs_index_changed(void *session, const char *table, const char *uuid,
                          const struct tn_ovsdb_row *was,
                          const struct tn_ovsdb_row *now);

/* The row of ours; null: it is none. */
const struct tn_ovs_known *tn_ovs_index_ours(const struct tn_session *s,
                                             const char *uuid);
/* The row of ours with that key, the first one seen; null: there is none. */
const struct tn_ovs_known *tn_ovs_index_key(const struct tn_session *s,
                                            const char *key);
/* The row of that name, whoever's it is: the last one seen. */
const struct tn_ovs_known *tn_ovs_index_name(const struct tn_session *s,
                                             const char *table,
                                             const char *name);

/* Null: nothing of ours is there. */
const struct tn_ovs_place *tn_ovs_index_place(const struct tn_session *s,
                                              const char *scope);
/* The first one of all; null: there is none. */
const struct tn_ovs_place *tn_ovs_index_places(const struct tn_session *s);

/* The row of a key or, with 'table', of "name:..."; null: there is none. */
const char *tn_ovs_index_uuid(const struct tn_session *s, const char *table,
                              const char *key);

#endif
