/* watch.h - telling when somebody else has written the file of a device. */
#ifndef TN_MEMORY_WATCH_H
#define TN_MEMORY_WATCH_H

#include "drivers/driver.h"

/* The driver's members.  'path' is the device's file; null: nothing ever
 * happens. */
enum tn_code tn_mem_watch_new(const struct tn_device *device, const char *path,
                              struct tn_watch **out,
                              struct tn_error *err) TN_MUST_USE;
int tn_mem_watch_fd(const struct tn_watch *watch);
enum tn_code tn_mem_watch_read(struct tn_watch *watch, struct tn_arena *arena,
                               const struct tn_event **out, size_t *n,
                               struct tn_error *err) TN_MUST_USE;
enum tn_code tn_mem_watch_update(struct tn_watch *watch,
                                 const struct tn_device *device,
                                 struct tn_error *err) TN_MUST_USE;
void tn_mem_watch_quiet(struct tn_watch *watch, const struct tn_scope *scope,
                        bool quiet);
void tn_mem_watch_close(struct tn_watch *watch);

#endif
