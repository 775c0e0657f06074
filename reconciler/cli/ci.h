/* ci.h - the two halves of 'tenet ci': judging, and telling. */
#ifndef TN_CLI_CI_H
#define TN_CLI_CI_H

#include "reconciler/cli/reviewing.h"
#include "reconciler/review/pipeline.h"

/* Writes artifacts and the job's summary, posts comment and status.  What fails
 * is said on stderr.  False if an artifact could not be written, which is the
 * only failure that counts. */
bool tn_ci_tell(const struct tn_cli *cli, const struct tn_pipeline *pipeline,
                const struct tn_review *review);

#endif
