/* formats.c - the table of forms, and what they say in one line. */
#include "reconciler/review/formats.h"

#include <string.h>

#include "reconciler/review/items.h"

static struct tn_print_options
options_of(const struct tn_review *review)
{
    return (struct tn_print_options){
        .color = review->color,
        .verbose = review->verbose,
        .fingerprint_key = review->fingerprint_key,
    };
}

static void
print_text(struct tn_text *out, const struct tn_review *review)
{
    struct tn_print_options o = options_of(review);
    if (review->plan) {
        tn_plan_print_text(out, review->plan, &o);
    }
}

static void
print_json(struct tn_text *out, const struct tn_review *review)
{
    struct tn_print_options o = options_of(review);
    if (review->plan) {
        tn_plan_print_json(out, review->plan, &o);
    }
}

const struct tn_review_format tn_review_formats[] = {
    {"text", "plan.txt", print_text},
    {"json", "plan.json", print_json},
    {"markdown", "comment.md", tn_review_markdown},
    {"junit", "junit.xml", tn_review_junit},
    {"sarif", "tenet.sarif", tn_review_sarif},
    {"gitlab", "terraform.json", tn_review_terraform},
    {"codequality", "codequality.json", tn_review_codequality},
    {"github", "annotations.txt", tn_review_annotations},
};
const size_t tn_review_n_formats = TN_ARRAY_SIZE(tn_review_formats);

const struct tn_review_format *
tn_review_format_get(const char *name)
{
    for (size_t i = 0; i < tn_review_n_formats; i++) {
        if (strcmp(tn_review_formats[i].name, name) == 0) {
            return &tn_review_formats[i];
        }
    }
    return NULL;
}

bool
tn_review_invalid(const struct tn_review *review)
{
    return !review->plan || (review->diags && review->diags->n_errors);
}

bool
tn_review_denied(const struct tn_review *review)
{
    return tn_review_invalid(review) || !tn_verdict_allows(review->verdict);
}

const char *
tn_review_summary(struct tn_arena *arena, const struct tn_review *review)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct tn_verdict *v = review->verdict;
    struct tn_review_items items;
    tn_review_items(arena, review, &items);
    if (tn_review_invalid(review)) {
        size_t n = review->diags ? review->diags->n_errors : 0;
        tn_text_addf(&t, "Invalid: %zu error%s. ", n, n == 1 ? "" : "s");
    }
    if (v->n_deny) {
        tn_text_addf(&t, "Denied: %zu finding%s. ", v->n_deny,
                     v->n_deny == 1 ? "" : "s");
    }
    if (!review->plan) {
        tn_text_add(&t, "There is no plan");
    } else {
        size_t at = t.n;
        tn_review_counts(&t, &review->plan->counts);
        if (t.s[at] == 'n') {
            t.s[at] = 'N';
        }
    }
    if (items.n_warn) {
        tn_text_addf(&t, "; %zu warning%s", items.n_warn,
                     items.n_warn == 1 ? "" : "s");
    }
    return tn_arena_strdup(arena, tn_text_str(&t));
}
