/* index.h - what a session knows about the rows of its copy by name: kept while
 * the copy changes.  Files of this folder only. */
#ifndef TN_OVSDB_INDEX_H
#define TN_OVSDB_INDEX_H

#include "drivers/ovsdb/device.h"

void tn_ovs_index_init(struct tn_session *s);
void tn_ovs_index_done(struct tn_session *s);

/* tn_ovsdb_events.changed; 'session' is the struct tn_session. */
void tn_ovs_index_changed(void *session, const char *table, const char *uuid,
                          const json_t *old, const json_t *now);

/* The row of a key or, with 'table', of "name:..."; null: there is none. */
const char *tn_ovs_index_uuid(const struct tn_session *s, const char *table,
                              const char *key);

/* Scope of a row of ours, by its key; null: there is none. */
const char *tn_ovs_index_scope(const struct tn_session *s, const char *key);

/* Does a kind of the model live in that table? */
bool tn_ovs_index_has_kind(const struct tn_ovs_model *model, const char *table);

#endif
