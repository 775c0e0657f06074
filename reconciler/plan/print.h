/* print.h - a plan for people and for programs.
 *
 * Both forms are functions of the plan alone: equal plans, equal bytes.  The
 * JSON form is described in docs/plan-format.md and
 * docs/schema/plan.schema.json. Control characters of names and values never
 * reach a terminal, and values of secret attributes appear as a fingerprint, or
 * not at all. */
#ifndef TN_RECONCILER_PLAN_PRINT_H
#define TN_RECONCILER_PLAN_PRINT_H

#include "reconciler/plan/plan.h"

struct tn_print_options {
    bool color;   /* ANSI colours. */
    bool verbose; /* Everything; else long lists of creations and deletions are
                     folded per VPC, and the output stays within some hundred
                     lines. */
    const struct tn_digest *fingerprint_key; /* Secret values are shown as a
                     keyed fingerprint under it; null: as "(secret)". */
};

/* As 'tenet plan' prints it.  Ends with "Plan: 3 to add, ..." or "No changes.
 * ..." and a newline. */
void tn_plan_print_text(struct tn_text *out, const struct tn_plan *plan,
                        const struct tn_print_options *options);

/* One JSON document, with a newline at its end. */
void tn_plan_print_json(struct tn_text *out, const struct tn_plan *plan,
                        const struct tn_print_options *options);

#endif
