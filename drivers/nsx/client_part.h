/* client_part.h - what the parts of the client share; not for others.
 *
 * A call is a task until it has its reply.  client.c decides when it is sent
 * and to whom, task.c what becomes of it when it was answered. */
#ifndef TN_NSX_CLIENT_PART_H
#define TN_NSX_CLIENT_PART_H

#include "drivers/nsx/client.h"
#include "drivers/nsx/http.h"
#include "drivers/nsx/limit.h"
#include "drivers/nsx/manager.h"

enum { TN_NSX_DENIALS = 16 };

struct tn_nsx {
    struct tn_nsx_options options;
    struct tn_nsx_http *http;
    struct tn_nsx_managers managers;
    struct tn_nsx_limit limit;
    struct tn_secret *form, *basic; /* Of a login; null: not that kind. */
    unsigned generations;           /* Sessions so far. */
    bool heard;                     /* Any manager ever answered. */
    bool greeted;                   /* The version was asked for. */
    /* One connection: sessions do not hold over several.  'narrowed': since
     * when; 'to_narrow': as soon as nothing is under way. */
    bool narrow, to_narrow;
    int64_t narrowed;
    /* The login under way: its manager; null: none. */
    struct tn_nsx_manager *login;
    int64_t login_sent, login_after;
    unsigned login_tries, login_hops;
    struct tn_text refusals; /* File of login_memory.h; "": none. */
    bool refused;            /* The login, for good. */
    char refusal[640];       /* Why. */
    /* Numbers of 403 that a new session did not mend: the role's. */
    long long denials[TN_NSX_DENIALS];
    size_t n_denials;
    char version[48];
    struct tn_nsx_counts counts;
};

struct tn_nsx_task {
    const struct tn_nsx_call *call;
    struct tn_nsx_reply *reply;
    const char *path; /* The call's, or where a redirect sent us. */
    bool started, under_way, done;
    bool renewed; /* A new session was made for it. */
    unsigned tries, hops;
    struct tn_nsx_manager *at;
    unsigned generation; /* Of the session it was sent with. */
    int64_t sent, due, deadline;
};

/* All that is asked at once. */
struct tn_nsx_run {
    struct tn_nsx *nsx;
    struct tn_arena *arena;
    struct tn_nsx_task *tasks;
    size_t n, left, first; /* Before 'first' all are done. */
    size_t under_way;
    int64_t heard; /* When a manager last answered, or the beginning. */
};

/* Takes an answer; the task is done, or due again. */
enum tn_code tn_nsx_task_answered(struct tn_nsx_run *run,
                                  struct tn_nsx_task *task,
                                  const struct tn_nsx_answer *a,
                                  struct tn_error *err) TN_MUST_USE;
/* The same for the login under way. */
enum tn_code tn_nsx_login_answered(struct tn_nsx *nsx,
                                   const struct tn_nsx_answer *a,
                                   struct tn_error *err) TN_MUST_USE;

#endif
