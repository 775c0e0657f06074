/* watch.h - telling when somebody has changed rows of ours.
 *
 * A watch is a session of its own whose copy the server keeps up to date; what
 * arrives is told by the scope of the row.  After a lost connection the copy is
 * compared with what is there then: nothing is lost in between.
 *
 * Not seen: rows of others that take a name which is unique in the database;
 * audits find those. */
#ifndef TN_OVSDB_WATCH_H
#define TN_OVSDB_WATCH_H

#include "drivers/ovsdb/device.h"

/* The driver's members. */
enum tn_code tn_ovs_watch_open(const struct tn_ovs_model *model,
                               const struct tn_device *device,
                               struct tn_watch **out,
                               struct tn_error *err) TN_MUST_USE;
int tn_ovs_watch_fd(const struct tn_watch *watch);
enum tn_code tn_ovs_watch_read(struct tn_watch *watch, struct tn_arena *arena,
                               const struct tn_event **out, size_t *n,
                               struct tn_error *err) TN_MUST_USE;
enum tn_code tn_ovs_watch_update(struct tn_watch *watch,
                                 const struct tn_device *device,
                                 struct tn_error *err) TN_MUST_USE;
void tn_ovs_watch_quiet(struct tn_watch *watch, const struct tn_scope *scope,
                        bool quiet);
void tn_ovs_watch_close(struct tn_watch *watch);

#endif
