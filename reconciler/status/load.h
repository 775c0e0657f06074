/* load.h - what the files of the status share; callers include status.h. */
#ifndef TN_STATUS_LOAD_H
#define TN_STATUS_LOAD_H

#include "model/source.h"
#include "reconciler/status/status.h"

/* Opens the tree of the status ref; '*out' is null if the ref is missing. */
enum tn_code tn_status_open(const char *path, const char *ref,
                            struct tn_source **out,
                            struct tn_error *err) TN_MUST_USE;

/* Reads a status tree: never fails, see 'damaged'. */
void tn_status_read(struct tn_source *source, struct tn_arena *arena,
                    struct tn_status *out);

/* One file that the new tree has and the old one has not, or differently. */
struct tn_status_edit {
    const char *path;
    const char *bytes; /* Null: the file goes. */
    size_t n;
};

/* Puts the folders and files of 'update' that other modules fill, and drops the
 * snapshots of the devices that it drops: adds to 'edits', in no order.  For
 * tn_status_diff. */
struct tn_status_edits {
    TN_VEC(struct tn_status_edit) list;
};
enum tn_code tn_status_put_files(struct tn_source *source,
                                 const struct tn_status_update *update,
                                 struct tn_arena *arena,
                                 struct tn_status_edits *edits,
                                 struct tn_error *err) TN_MUST_USE;

/* What 'update' changes in the status tree 'source' (null: none yet), sorted by
 * path: new in 'arena'.  Pure but for reading; n 0 when nothing changed. */
enum tn_code tn_status_diff(struct tn_source *source,
                            const struct tn_status_update *update, int64_t now,
                            struct tn_arena *arena,
                            const struct tn_status_edit **out, size_t *n,
                            struct tn_error *err) TN_MUST_USE;

#endif
