/* shots.h - snapshots of a device on their way to the status ref.
 *
 * A snapshot is of all of the device or of a part; parts add to what came
 * before.  They are kept until it is known that Git has them: most of the time
 * there are none, and they are the largest things that a device has here. */
#ifndef TN_DAEMON_SHOTS_H
#define TN_DAEMON_SHOTS_H

#include "model/base/arena.h"
#include "reconciler/status/status.h"

struct tn_shot;

/* All zero is none. */
struct tn_shots {
    struct tn_shot *first; /* In the order of arrival. */
};

/* Takes over 'arena', in which 'folder' is. */
void tn_shots_add(struct tn_shots *shots, struct tn_arena *arena,
                  const struct tn_status_folder *folder);
/* All that is kept as one folder, copied to 'arena'; false: there is none. From
 * here on it is on its way. */
bool tn_shots_send(struct tn_shots *shots, struct tn_arena *arena,
                   struct tn_status_folder *out);
/* What was on its way is there, or is to be sent once more. */
void tn_shots_sent(struct tn_shots *shots, bool arrived);
void tn_shots_done(struct tn_shots *shots);

#endif
