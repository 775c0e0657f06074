/* print.h - a verdict for people and for programs. */
#ifndef TN_POLICY_PRINT_H
#define TN_POLICY_PRINT_H

#include "model/base/text.h"
#include "reconciler/policy/verdict.h"

/* "Policies: 1 denies, 2 warn." and the findings below it; nothing if there is
 * none.  Ends with a newline. */
void tn_verdict_print_text(struct tn_text *out,
                           const struct tn_verdict *verdict, bool color);
/* The members of a JSON object without its braces: "allowed", "summary",
 * "findings" (docs/policies.md). */
void tn_verdict_print_json(struct tn_text *out,
                           const struct tn_verdict *verdict);

#endif
