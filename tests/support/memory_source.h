/* memory_source.h - a tree of files in memory, as a tn_source for tests.
 *
 *     struct tn_source *s = tn_memory_source_new();
 *     tn_memory_source_add(s, "inventories/lab/hosts.yml", "all:\n");
 *     ...
 *     s->ops->free(s);
 *
 * Directories come into being with the files below them.  Ids of files are
 * derived from their content, those of directories from all that is below.
 * Everything is copied. */
#ifndef TN_TESTS_SUPPORT_MEMORY_SOURCE_H
#define TN_TESTS_SUPPORT_MEMORY_SOURCE_H

#include "model/source.h"

/* New and empty; freed by ops->free.  Its label is "memory". */
struct tn_source *tn_memory_source_new(void) TN_RETURNS_NONNULL;

/* Adds or replaces a file.  'path' is relative, without "." and "..". */
void tn_memory_source_add(struct tn_source *source, const char *path,
                          const char *text);
void tn_memory_source_add_bytes(struct tn_source *source, const char *path,
                                const void *bytes, size_t n);
/* Adds an entry that is no plain file: listed as TN_ENTRY_OTHER. */
void tn_memory_source_add_other(struct tn_source *source, const char *path);
/* Removes a file, or all files below a directory. */
void tn_memory_source_remove(struct tn_source *source, const char *path);

/* Copies the files of the directory 'from' of this machine to 'path' ("" is
 * the root); links and devices become "other" entries. */
enum tn_code tn_memory_source_add_tree(struct tn_source *source,
                                       const char *path, const char *from,
                                       struct tn_error *err) TN_MUST_USE;

/* Lets every list and read of 'path' fail with TN_EUNAVAILABLE; null ends
 * it. */
void tn_memory_source_fail(struct tn_source *source, const char *path);

#endif
