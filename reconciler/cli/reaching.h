/* reaching.h - how 'tenet reach' tells its answers. */
#ifndef TN_CLI_REACHING_H
#define TN_CLI_REACHING_H

#include "model/reach/reach.h"
#include "model/source.h"
#include "reconciler/cli/cli.h"

/* 'source' (may be null) is where lines are read from. */
struct tn_reaching {
    const struct tn_cli *cli;
    struct tn_arena *arena;
    struct tn_source *source;
    const char *about; /* "commit 1a2b3c4 (...)" */
    const char *traffic;
};

/* Each appends text or JSON, as --output says. */
void tn_reaching_answer(struct tn_text *out, const struct tn_reaching *r,
                        const struct tn_reach_answer *answer);
void tn_reaching_matrix(struct tn_text *out, const struct tn_reaching *r,
                        const struct tn_reach_matrix *matrix);
void tn_reaching_diff(struct tn_text *out, const struct tn_reaching *r,
                      const struct tn_reach_diff *diff);

#endif
