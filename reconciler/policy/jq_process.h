/* jq_process.h - the process of a program, as its parent sees it.
 *
 * Private to jq_program.c, which starts and asks it, and jq_run.c, which gives
 * it documents. */
#ifndef TN_POLICY_JQ_PROCESS_H
#define TN_POLICY_JQ_PROCESS_H

#include <sys/types.h>

#include "reconciler/policy/jq_program.h"

struct tn_jq {
    struct tn_arena *arena;
    struct tn_jq_options options;
    pid_t pid; /* 0: none. */
    int fd;
    struct tn_text got; /* Read, and not yet understood. */
    size_t at;
    bool compiling;   /* What was asked for last. */
    int64_t deadline; /* Of that. */
};

/* Kills and reaps it. */
void tn_jq_stop(struct tn_jq *jq);

/* It is gone without a word. */
enum tn_code tn_jq_ended(struct tn_error *err) TN_MUST_USE;
/* It took too long. */
enum tn_code tn_jq_late(const struct tn_jq *jq,
                        struct tn_error *err) TN_MUST_USE;
/* It said no: the line says why. */
enum tn_code tn_jq_refused(const char *line, struct tn_error *err) TN_MUST_USE;

#endif
