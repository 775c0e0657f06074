/* jq_program.h - jq programs of policies, run where they can do no harm.
 *
 * A program is somebody's text: it may loop, eat memory, or print for ever.  So
 * it runs in a process of its own (this program, started anew) that has no
 * environment, can open no file, and is killed when it is late.  The process
 * is asked and answers in lines:
 *
 *     P "text"    compile       C, or E "why"
 *     I {...}     one input     F {...} for each finding, then D; or E "why"
 *     any of them               U "why" if there is no libjq
 *
 * The seam to libjq is jq_child.c. */
#ifndef TN_POLICY_JQ_PROGRAM_H
#define TN_POLICY_JQ_PROGRAM_H

#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/text.h"

enum {
    TN_JQ_FINDINGS = 1000,    /* Of one input. */
    TN_JQ_TEXT = 1000,        /* Of a message, and the like: cut. */
    TN_JQ_LINE = 64 * 1024,   /* Longest reply. */
    TN_JQ_MEMORY = 256 << 20, /* Bytes that a program may take. */
    TN_JQ_TIMEOUT_MS = 10000, /* For one input. */
    TN_JQ_INPUT = 512 << 20,  /* Largest input. */
    TN_JQ_AHEAD = 256 * 1024, /* Bytes that are sent ahead. */
    TN_JQ_ALL_MS = 600000,    /* For all inputs of a program. */
    TN_JQ_SAID = 32 << 20,    /* Bytes of findings about all of them. */
    TN_JQ_CREW = 4,           /* Processes at a time. */
};

/* If 'argv' asks for it, does the child's work and does not return. */
void tn_policy_main(int argc, char **argv);
/* The child's work, over one socket; the result is its exit status. */
int tn_jq_serve(int fd);

struct tn_jq;

struct tn_jq_options {
    const char *helper;  /* This program, which calls tn_policy_main(); null:
                            the process is a fork of the caller (tests). */
    unsigned timeout_ms; /* 0: TN_JQ_TIMEOUT_MS */
};

/* New in 'arena', ended by tn_jq_close(); the process starts with the first
 * program. */
struct tn_jq *tn_jq_new(struct tn_arena *arena,
                        const struct tn_jq_options *options);
void tn_jq_close(struct tn_jq *jq); /* Accepts null. */

/* Compiles; the program stays until the next one.  TN_EINTENT with what is
 * wrong with it; TN_EUNAVAILABLE if no process can be had, or none with libjq.
 */
enum tn_code tn_jq_compile(struct tn_jq *jq, const char *program,
                           struct tn_error *err) TN_MUST_USE;

/* The same in two steps, so that several processes compile at a time.  After a
 * begin that failed the end fails, too. */
enum tn_code tn_jq_compile_begin(struct tn_jq *jq, const char *program,
                                 struct tn_error *err) TN_MUST_USE;
enum tn_code tn_jq_compile_end(struct tn_jq *jq,
                               struct tn_error *err) TN_MUST_USE;

/* One thing that a program objects to. */
struct tn_jq_finding {
    const char *message;
    const char *subject, *hint, *path; /* Null if not said. */
    unsigned line;
};

/* Runs the program over one JSON document on one line.  '*out' is new in the
 * arena.  TN_EINTENT if the program failed, was late, took too much, or yielded
 * something that is no finding; the process is then started anew for the next
 * program. */
enum tn_code tn_jq_run(struct tn_jq *jq, const struct tn_text *json,
                       const struct tn_jq_finding **out, size_t *n,
                       struct tn_error *err) TN_MUST_USE;

/* Many documents. */
struct tn_jq_feed {
    /* Appends the next one, on one line; false: there is none. */
    bool (*next)(void *user, struct tn_text *json);
    /* What the program says of each, in that order; in the arena. */
    void (*found)(void *user, const struct tn_jq_finding *items, size_t n);
    void *user;
};
/* The same as tn_jq_run() for each, but documents are sent ahead, so that
 * making one and judging another is one time and no process waits for the other
 * at each of them.  All of it may take TN_JQ_ALL_MS, and say TN_JQ_SAID bytes.
 * '*n_done' is how many were answered: on failure, the number
 * of the one at fault. */
enum tn_code tn_jq_run_all(struct tn_jq *jq, const struct tn_jq_feed *feed,
                           size_t *n_done, struct tn_error *err) TN_MUST_USE;

/* Programs of several processes at work. */
struct tn_jq_task {
    struct tn_jq *jq; /* With its program; null: nothing is to be done. */
    struct tn_jq_feed feed;
    /* How it ended: as of tn_jq_run_all(). */
    enum tn_code code;
    size_t n_done;
    struct tn_error err;
};
struct tn_jq_crew {
    /* The task ended.  True if it was given more to do: another program of the
     * same process, and its documents. */
    bool (*next)(void *user, struct tn_jq_task *task);
    /* May be null: something else to do, a little (a millisecond), while all of
     * them are busy.  False: nothing is left. */
    bool (*idle)(void *user);
    void *user;
};
/* Runs them to their ends, all at the same time and each as tn_jq_run_all():
 * what one does is no other's fault.  At most TN_JQ_CREW; 'crew' may be
 * null. */
void tn_jq_work(struct tn_jq_task *tasks, size_t n,
                const struct tn_jq_crew *crew);

#endif
