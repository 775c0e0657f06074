/* file.h - directories and whole files, written so that a reader sees the old
 * or the new and never a part. */
#ifndef TN_BASE_FILE_H
#define TN_BASE_FILE_H

#include <sys/types.h>

#include "model/base/error.h"
#include "model/base/text.h"

/* Makes 'path' and what is missing above it, with 'mode'.  An existing
 * directory is fine. */
enum tn_code tn_dirs_make(const char *path, mode_t mode,
                          struct tn_error *err) TN_MUST_USE;

/* Puts 'text' into 'path': written beside under a name of its own, fsync,
 * rename, and the directory synced.  After a crash there is the old or the new
 * file, and at most a left-over "<path>.XXXXXX".  TN_ENOENT if there is no such
 * directory, TN_EDENIED without permission or on a read-only file system, else
 * TN_EINTERNAL. */
enum tn_code tn_file_replace(const char *path, const struct tn_text *text,
                             mode_t mode, struct tn_error *err) TN_MUST_USE;

/* Removes such left-overs, "<name>.XXXXXX" beside "<name>", from the directory
 * 'dir'; those of writers that live stay. */
void tn_files_sweep(const char *dir);

#endif
