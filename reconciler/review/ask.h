/* ask.h - one question to a forge's API, and again if it wants to be asked
 * later.
 *
 * Private to reconciler/review. */
#ifndef TN_REVIEW_ASK_H
#define TN_REVIEW_ASK_H

#include "reconciler/review/post.h"

struct tn_ask {
    const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE". */
    const char *path;   /* Behind the API's address. */
    const char *body;   /* JSON; null: none. */
    bool once; /* Not again if nobody knows whether it was done: a creation. */
};

struct tn_answer {
    int status;       /* 0: none came. */
    const char *body; /* New in the door's arena. */
    size_t n_body;
};

/* TN_OK: 2xx.  'err' names the forge, the method and the status, never the
 * token.  '*out' is set also on failure. */
enum tn_code tn_ask_forge(struct tn_door *door, const struct tn_ask *ask,
                          struct tn_answer *out,
                          struct tn_error *err) TN_MUST_USE;

/* "/repos/acme/net", "/projects/acme%2Fnet": new in the arena. */
const char *tn_ask_repository(const struct tn_door *door);

#endif
