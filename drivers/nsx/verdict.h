/* verdict.h - what an answer of NSX means: one table, a row a meaning.
 *
 * NSX answers failures with a status, a number (sometimes as a text, sometimes
 * only in related_errors, sometimes not at all: proxies answer in plain text
 * or HTML) and a sentence.  Here they become one thing to do. */
#ifndef TN_NSX_VERDICT_H
#define TN_NSX_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/error.h"

enum tn_nsx_action {
    TN_NSX_DONE,      /* 2xx. */
    TN_NSX_FAIL,      /* As it is it will never do. */
    TN_NSX_DENIED,    /* Credentials, role, licence, not the owner. */
    TN_NSX_LOGIN,     /* The session is over: log in and ask once more. */
    TN_NSX_SLOWER,    /* The rate was exceeded. */
    TN_NSX_RETRY,     /* Busy, or not yet: the same again, after a while. */
    TN_NSX_WAIT,      /* Something deleted is not gone yet, or something that is
                         in the way will go: the same again, for minutes. */
    TN_NSX_REREAD,    /* Somebody changed it: read again and plan anew. */
    TN_NSX_EXISTS,    /* Cannot be created: it is there. */
    TN_NSX_ABSENT,    /* It is not there. */
    TN_NSX_REFERRED,  /* Others refer to it: 'referrers'. */
    TN_NSX_SMALLER,   /* Ask for smaller pages. */
    TN_NSX_ELSEWHERE, /* Another manager: 'location'. */
    TN_NSX_LOST,      /* No answer to a write: it may have been carried out. */
};

struct tn_nsx_verdict {
    enum tn_nsx_action action;
    enum tn_code class;           /* What it is to the core. */
    int status;                   /* HTTP; 0: no answer. */
    long long code;               /* error_code; 0: none. */
    bool known;                   /* A row of the table says so, not the status
                                     alone. */
    const char *text;             /* error_message, bounded, one line; never
                                     null. */
    const char *const *referrers; /* Policy paths. */
    size_t n_referrers;
    const char *location; /* Of a redirect; else null. */
};

/* Of an answer: 'body' may be anything at all.  Texts are copied to 'arena'.
 * Of several errors in one body the one that is hardest to mend counts.
 * 'location' is left null: it is in no body. */
struct tn_nsx_verdict tn_nsx_verdict_of(struct tn_arena *arena, int status,
                                        const char *body, size_t n_body);

/* The action where it depends on what was asked: a backend object that is not
 * found (404/202) is absent to who reads or deletes, and will come for who
 * writes; a gateway that gave up waiting (502, 504) leaves a write's outcome
 * unknown. */
enum tn_nsx_action tn_nsx_action_for(const struct tn_nsx_verdict *v,
                                     const char *method);

/* Of an alarm of a realised entity: TN_NSX_RETRY, goes on waiting, or
 * TN_NSX_FAIL. */
enum tn_nsx_action tn_nsx_alarm_action(long long code);

/* As an error for the core: TN_ESTALE, TN_EDENIED, ... with text and number. */
enum tn_code tn_nsx_fail(struct tn_error *err, const struct tn_nsx_verdict *v,
                         const char *what) TN_MUST_USE;

/* "fail", "reread", ...: static text. */
const char *tn_nsx_action_name(enum tn_nsx_action action);

#endif
