/* watch.h - telling when somebody has changed objects of ours.
 *
 * NSX pushes nothing, so that a thread with a session of its own reads all
 * every tenet_nsx_poll seconds and compares revisions and times of change of
 * what is ours and of what stands in it.  After readings that failed the next
 * one that does not says that events were lost.
 *
 * Not seen: objects of others that stand nowhere in ours; audits find those. */
#ifndef TN_NSX_WATCH_H
#define TN_NSX_WATCH_H

#include "drivers/driver.h"

/* The driver's members. */
enum tn_code tn_nsx_watch_open(const struct tn_device *device,
                               const struct tn_driver_env *env,
                               struct tn_watch **out,
                               struct tn_error *err) TN_MUST_USE;
int tn_nsx_watch_fd(const struct tn_watch *watch);
enum tn_code tn_nsx_watch_read(struct tn_watch *watch, struct tn_arena *arena,
                               const struct tn_event **out, size_t *n,
                               struct tn_error *err) TN_MUST_USE;
enum tn_code tn_nsx_watch_update(struct tn_watch *watch,
                                 const struct tn_device *device,
                                 struct tn_error *err) TN_MUST_USE;
void tn_nsx_watch_quiet(struct tn_watch *watch, const struct tn_scope *scope,
                        bool quiet);
void tn_nsx_watch_close(struct tn_watch *watch);

#endif
