/* manager.h - the managers of one cluster: which is used, which had failed.
 *
 * One is used until it fails, then the next in the order of the list that is
 * not known to be down.  A manager that failed is left alone for a while, twice
 * as long each time; one whose certificate is not trusted for good.
 *
 * Pure: time is an argument (CLOCK_MONOTONIC, nanoseconds), chance too. */
#ifndef TN_NSX_MANAGER_H
#define TN_NSX_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/nsx/http.h"
#include "model/base/error.h"

enum {
    TN_NSX_ORIGIN = 288, /* "https://host:port" and NUL. */
    TN_NSX_TROUBLES = 3, /* Answers 5xx in a row that make a failure. */
};

struct tn_nsx_manager {
    char origin[TN_NSX_ORIGIN];
    /* The session, which is this node's alone; secret.  Besides the manager's
     * own cookie there may be one by which a balancer knows the node. */
    char cookies[TN_NSX_LINE_MAX], token[TN_NSX_LINE_MAX];
    unsigned generation; /* Of the session; 0: none. */
    unsigned failures;   /* In a row. */
    unsigned troubles;   /* In a row: answers that say that it is not well. */
    int64_t down_until, failed;
    bool untrusted;
    char why[256]; /* It failed; "" if it never did. */
};

struct tn_nsx_managers {
    struct tn_nsx_manager *all;
    size_t n, at; /* 'at': the one in use. */
};

/* "https://host:port" of an https URL without user and password, host in lower
 * case, into 'out'; returns what follows ("/path?query", maybe ""), or null if
 * it is none. */
const char *tn_nsx_origin(const char *url, char out[TN_NSX_ORIGIN]);

/* TN_EINTENT: one is no https address of a host, or stands there twice. */
enum tn_code tn_nsx_managers_init(struct tn_nsx_managers *ms,
                                  const char *const *urls, size_t n,
                                  struct tn_error *err) TN_MUST_USE;
/* Wipes. */
void tn_nsx_managers_done(struct tn_nsx_managers *ms);

/* The one to use now; else null, and in '*until' when to ask again (INT64_MAX:
 * none is trusted). */
struct tn_nsx_manager *tn_nsx_managers_pick(struct tn_nsx_managers *ms,
                                            int64_t now, int64_t *until);
/* By its origin; null: not of the list. */
struct tn_nsx_manager *tn_nsx_managers_find(const struct tn_nsx_managers *ms,
                                            const char *origin);
/* From now on it is the one to use, though it may have failed before. */
void tn_nsx_managers_use(struct tn_nsx_managers *ms, struct tn_nsx_manager *m);
/* Each with why it failed, into 'buf', which is returned. */
const char *tn_nsx_managers_why(const struct tn_nsx_managers *ms, char *buf,
                                size_t size);

/* It did not answer what was sent at 'sent'; says whether that is news: what
 * was under way fails together.  'chance' is 0 ... 255. */
bool tn_nsx_manager_failed(struct tn_nsx_manager *m, int64_t sent, int64_t now,
                           unsigned chance, const char *why);
void tn_nsx_manager_distrust(struct tn_nsx_manager *m, const char *why);
/* It answered like a manager that is well. */
void tn_nsx_manager_well(struct tn_nsx_manager *m);
void tn_nsx_manager_forget_session(struct tn_nsx_manager *m);

#endif
