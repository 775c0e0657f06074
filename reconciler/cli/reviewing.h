/* reviewing.h - a plan in the forms of reconciler/review, for 'plan' and 'ci'.
 */
#ifndef TN_CLI_REVIEWING_H
#define TN_CLI_REVIEWING_H

#include "reconciler/cli/command.h"
#include "reconciler/review/review.h"

/* What 'run' knows; the caller sets what it knows better.  'verdict' is
 * borrowed. */
void tn_reviewing_fill(const struct tn_cli *cli, const struct tn_reconcile *run,
                       const struct tn_verdict *verdict, struct tn_review *out);

/* Exceeded budgets, as findings. */
void tn_reviewing_budget(const struct tn_cli *cli,
                         const struct tn_reconcile *run,
                         const struct tn_plan *plan, struct tn_findings *out);

/* What policies, and the proof of isolation, find in what is planned; that
 * they could not be asked is a finding that denies. */
void tn_reviewing_policies(const struct tn_cli *cli,
                           const struct tn_reconcile *run,
                           struct tn_findings *out);

/* The form of --output on stdout; false if it could not be written. */
bool tn_reviewing_print(const struct tn_cli *cli,
                        const struct tn_review *review);

/* The files of --report; what cannot be written is said, and false. */
bool tn_reviewing_report(const struct tn_cli *cli,
                         const struct tn_review *review);

/* One form into one file. */
bool tn_reviewing_write(const struct tn_cli *cli,
                        const struct tn_review *review,
                        const struct tn_review_format *format,
                        const char *path);

#endif
