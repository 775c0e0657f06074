/* bed.h - for tests: a session and a peer that does as it is told.
 *
 * Both are on the caller's thread, the peer on a unix socket in a folder of the
 * test, so that every step is taken when the test says so and nothing hangs on
 * the speed of the machine. */
#ifndef TN_OVSDB_BED_H
#define TN_OVSDB_BED_H

#include <criterion/criterion.h>

#include "drivers/ovsdb/rpc.h"
#include "model/base/text.h"

struct tn_bed {
    struct tn_ovsdb_loop *loop; /* Another bed's, or null: its own. */
    bool guest;
    struct tn_rpc *rpc;
    char *dir, remote[200]; /* The remote is the peer's. */
    char remotes[500];      /* Of the session; the peer's, unless set. */
    int listener, peer;     /* -1: nobody listens, nobody is connected. */
    bool deaf;              /* The peer does not read. */
    bool twice;             /* It is two remotes, by two names. */
    bool ssl;               /* Its remote is "ssl:", but it is not. */
    bool as_text;           /* Updates are told as text. */
    struct tn_text heard, to_say;
    /* What the session has told. */
    unsigned ups, downs, answers, lost;
    char up_remote[300], why[TN_ERROR_TEXT];
    enum tn_code why_code;
    struct tn_text told; /* Notifications: "method params\n"... */
    struct tn_text said; /* Answers: "result\n", "error: ...\n", "lost\n". */
    /* Called, unless null, at the end of each callback. */
    void (*then)(struct tn_bed *bed, const char *event);
};

/* Sets up; 'bed' is zero but for 'loop', 'remotes', what is told of the peer,
 * and 'then'.  Does not connect. */
void tn_bed_begin(struct tn_bed *bed, struct tn_rpc_options options);
/* The same up to the first connection, which is forgotten in the counts. */
void tn_bed_begin_up(struct tn_bed *bed, struct tn_rpc_options options);
void tn_bed_end(struct tn_bed *bed);

/* Lets everybody take a step, waiting for a moment at most. */
void tn_bed_turn(struct tn_bed *bed);
/* Turns until it is so; fails the test after a long time. */
#define TN_BED_UNTIL(bed, condition)                                           \
    do {                                                                       \
        int64_t tn_until_ = tn_bed_patience();                                 \
        while (!(condition)) {                                                 \
            cr_assert(!tn_bed_too_late(tn_until_), "waited for: %s; why: %s",  \
                      #condition, (bed)->why);                                 \
            tn_bed_turn(bed);                                                  \
        }                                                                      \
    } while (0)
int64_t tn_bed_patience(void);
bool tn_bed_too_late(int64_t until);

void tn_bed_say(struct tn_bed *bed, const char *text);
void tn_bed_hang_up(struct tn_bed *bed);
void tn_bed_stop_listening(struct tn_bed *bed);
void tn_bed_listen(struct tn_bed *bed);
/* Turns until the peer has heard the text, and forgets all up to it. */
void tn_bed_hear(struct tn_bed *bed, const char *text);

/* Calls; what is answered goes into 'said'. */
enum tn_code tn_bed_call(struct tn_bed *bed, const char *method,
                         json_t *params);
/* The same, answered as text. */
enum tn_code tn_bed_call_for_text(struct tn_bed *bed, const char *method,
                                  json_t *params);

#endif
