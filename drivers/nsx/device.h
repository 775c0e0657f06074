/* device.h - an NSX, or a project of one, as a device: the members of struct
 * tn_driver but render(), for a table of kinds.
 *
 * A session reads everything of its kinds in bulk, a handful of requests
 * whatever there is, and keeps what it read last: commit() is judged by it.
 * Files of this folder only. */
#ifndef TN_NSX_DEVICE_H
#define TN_NSX_DEVICE_H

#include <jansson.h>

#include "drivers/driver.h"
#include "drivers/nsx/client.h"
#include "drivers/nsx/kinds.h"
#include "drivers/nsx/part.h"
#include "drivers/nsx/tree.h"
#include "model/base/map.h"

/* What is read of the host's variables; in the session's arena. */
struct tn_nsx_settings {
    struct tn_nsx_options client;
    const char *urls;          /* tenet_nsx_url as it stands. */
    const char *password;      /* Sealed; null: none. */
    const char *password_file; /* Null: none. */
    const char *root;    /* Of all paths: "/infra", "/orgs/.../infra", or "" for
                            those of VPCs. */
    const char *project; /* "/orgs/default/projects/p"; null: none. */
    unsigned chunk, wait_s, poll_s;
};

/* An object that was read. */
struct tn_nsx_seen {
    const struct tn_nsx_kind *kind; /* Null: of none. */
    const char *path;
    const json_t *json;
    const char *key, *scope; /* Of our tags; null: it is not ours. */
    bool ours;               /* Bears the mark of our instance. */
    bool system;             /* NSX made it itself. */
    bool gone;               /* We have deleted it since. */
    bool unmarked;           /* Ours, but somebody took the mark (known.h). */
};

/* All that one reading found; borrows nothing. */
struct tn_nsx_view {
    struct tn_arena *arena;
    TN_VEC(json_t *) documents;
    TN_VEC(struct tn_nsx_seen *) all; /* By path (tn_nsx_path_cmp). */
    struct tn_map by_path, by_key;    /* The latter: ours, the first of each. */
    int64_t time_ns;                  /* CLOCK_MONOTONIC, when it began. */
};

struct tn_session {
    struct tn_arena *arena;
    const char *name, *instance;
    struct tn_nsx_settings settings;
    struct tn_secret *secret;
    struct tn_nsx *nsx;
    struct tn_nsx_view *view; /* Null: nothing was read yet. */
    json_t *known;            /* See known.h; null: not read yet. */
    bool watches;             /* It remembers nothing. */
    bool entries_apart;       /* Entries of services must be asked for. */
    bool shallow;             /* No type but ours may be asked for. */
    bool leaves_first; /* What is within is deleted by a request before. */
};

/* session.c.  Nothing of 'device' is borrowed once it returns; 'env' outlives
 * the session.  'patience_s' is that of the client; 0: its own. */
enum tn_code tn_nsx_open(const struct tn_device *device,
                         const struct tn_driver_env *env, unsigned patience_s,
                         struct tn_session **out,
                         struct tn_error *err) TN_MUST_USE;
void tn_nsx_close(struct tn_session *session); /* Accepts null. */

/* view.c: reads all and puts it in place of what the session knew; 'deep': also
 * what others may have put in ours that is of none of our kinds. */
enum tn_code tn_nsx_view_read(struct tn_session *session, bool deep,
                              struct tn_error *err) TN_MUST_USE;
void tn_nsx_view_free(struct tn_nsx_view *view); /* Accepts null. */
/* What is there; null: nothing, as far as is known. */
struct tn_nsx_seen *tn_nsx_view_at(const struct tn_nsx_view *view,
                                   const char *path);

/* observe.c: the member of that name. */
enum tn_code tn_nsx_observe(struct tn_session *session,
                            const struct tn_scope *scope,
                            const struct tn_state *want, struct tn_arena *arena,
                            const struct tn_state **out,
                            struct tn_error *err) TN_MUST_USE;
/* What was seen as a resource of ours, to be compared with 'want'. */
struct tn_resource tn_nsx_seen_resource(struct tn_arena *arena,
                                        const struct tn_nsx_seen *seen,
                                        const struct tn_nsx_object *want);

/* commit.c: the members of that name. */
enum tn_code tn_nsx_stage(struct tn_session *session,
                          const struct tn_step *steps, size_t n,
                          struct tn_stage **out,
                          struct tn_error *err) TN_MUST_USE;
enum tn_code tn_nsx_commit(struct tn_stage *stage, enum tn_outcome *outcomes,
                           size_t *failed, struct tn_error *err) TN_MUST_USE;
void tn_nsx_rollback(struct tn_stage *stage);

#endif
