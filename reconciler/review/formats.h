/* formats.h - the forms of review.h, one file each.
 *
 * Private to reconciler/review. */
#ifndef TN_REVIEW_FORMATS_H
#define TN_REVIEW_FORMATS_H

#include "reconciler/review/review.h"

void tn_review_markdown(struct tn_text *out, const struct tn_review *review);
void tn_review_junit(struct tn_text *out, const struct tn_review *review);
void tn_review_sarif(struct tn_text *out, const struct tn_review *review);
void tn_review_terraform(struct tn_text *out, const struct tn_review *review);
void tn_review_codequality(struct tn_text *out, const struct tn_review *review);
void tn_review_annotations(struct tn_text *out, const struct tn_review *review);

#endif
