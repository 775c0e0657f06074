/* known.h - what has borne our mark, and may have lost it.
 *
 * Who writes an object of NSX without its tags, as every PATCH by hand that
 * does not repeat them, takes our mark from it.  It is the same object all the
 * same: NSX names it by a unique_id and by when it was made.  Those of ours are
 * remembered in a file of the cache, so that what happened to it is drift and
 * not somebody else's object.  Without the file, it is somebody else's.  Files
 * of this folder only. */
#ifndef TN_NSX_KNOWN_H
#define TN_NSX_KNOWN_H

#include "drivers/nsx/device.h"

/* Key and scope that the object had when it was last seen with our mark,
 * borrowed until the next tn_nsx_known_keep(); false: it never was. */
bool tn_nsx_known(struct tn_session *session, const struct tn_nsx_leaf *leaf,
                  const char **key, const char **scope);

/* Remembers what is ours in 'view', and nothing else.  That it cannot be
 * written is no error. */
void tn_nsx_known_keep(struct tn_session *session,
                       const struct tn_nsx_view *view);

#endif
