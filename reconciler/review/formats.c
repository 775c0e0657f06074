/* formats.c - the table of forms, and what they say in one line. */
#include "reconciler/review/formats.h"

#include <string.h>

#include "reconciler/policy/print.h"
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
text_access(struct tn_text *out, const struct tn_review *review)
{
    if (review->n_access) {
        tn_text_add(out, "\nWho reaches whom:\n");
    }
    for (size_t i = 0; i < review->n_access; i++) {
        const struct tn_review_access *a = &review->access[i];
        tn_text_add(out, a->opens ? "  opens  " : "  closes ");
        tn_show_text(out, a->text);
        if (a->at.line && a->at.path) {
            tn_text_add(out, " (");
            tn_show_origin(out, &a->at);
            tn_text_addc(out, ')');
        }
        tn_text_addc(out, '\n');
    }
}

static void
text_notes(struct tn_text *out, const struct tn_review *review)
{
    for (size_t i = 0; i < review->n_notes; i++) {
        tn_text_add(out, i ? "  " : "\nNotes:\n  ");
        tn_show_text(out, review->notes[i]);
        tn_text_addc(out, '\n');
    }
}

static void
print_text(struct tn_text *out, const struct tn_review *review)
{
    struct tn_print_options o = options_of(review);
    if (review->plan) {
        tn_plan_print_text(out, review->plan, &o);
    }
    tn_verdict_print_text(out, review->verdict, review->color);
    text_access(out, review);
    text_notes(out, review);
}

static void
json_origin(struct tn_text *out, const struct tn_origin *at)
{
    tn_text_add(out, ",\"origin\":");
    if (!at->path) {
        tn_text_add(out, "null");
        return;
    }
    tn_text_add(out, "{\"path\":");
    tn_show_json(out, at->path);
    tn_text_addf(out, ",\"line\":%u,\"column\":%u}", at->line, at->column);
}

static void
json_access(struct tn_text *out, const struct tn_review *review)
{
    tn_text_add(out, ",\n\"access\":[");
    for (size_t i = 0; i < review->n_access; i++) {
        const struct tn_review_access *a = &review->access[i];
        tn_text_addf(out, "%s\n{\"opens\":%s,\"tenant\":", i ? "," : "",
                     a->opens ? "true" : "false");
        if (a->tenant) {
            tn_show_json(out, a->tenant);
        } else {
            tn_text_add(out, "null");
        }
        tn_text_add(out, ",\"text\":");
        tn_show_json(out, a->text);
        json_origin(out, &a->at);
        tn_text_addc(out, '}');
    }
    tn_text_addc(out, ']');
}

static void
json_member(struct tn_text *out, const char *name, const char *value)
{
    if (value) {
        tn_text_addf(out, ",\"%s\":", name);
        tn_show_json(out, value);
    }
}

/* What is wrong with documents, as 'validate' prints it, where there is no plan
 * to say it. */
static void
json_invalid(struct tn_text *out, const struct tn_review *review)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_review_items items;
    tn_review_items(arena, review, &items);
    tn_text_add(out, "{\"format_version\":\"1.0\",\"valid\":false,"
                     "\"environment\":");
    tn_show_json(out, review->environment ? review->environment : "");
    tn_text_add(out, ",\"findings\":[");
    for (size_t i = 0; i < items.n; i++) {
        const struct tn_finding *f = &items.items[i];
        tn_text_addf(out, "%s\n{\"severity\":\"%s\"", i ? "," : "",
                     f->severity == TN_SEVERITY_DENY ? "error" : "warning");
        json_member(out, "path", f->at.path);
        if (f->at.line) {
            tn_text_addf(out, ",\"line\":%u,\"column\":%u", f->at.line,
                         f->at.column);
        }
        json_member(out, "tenant", f->tenant);
        json_member(out, "message", f->message);
        json_member(out, "hint", f->hint);
        tn_text_addc(out, '}');
    }
    tn_text_add(out, "]}\n");
}

/* The plan's own document, with members added before its last brace. */
static void
print_json(struct tn_text *out, const struct tn_review *review)
{
    struct tn_print_options o = options_of(review);
    TN_CLEANUP(tn_cleanup_text) struct tn_text plan = {0};
    if (!review->plan) {
        json_invalid(out, review);
        return;
    }
    tn_plan_print_json(&plan, review->plan, &o);
    size_t n = plan.n;
    while (n && plan.s[n - 1] != '}') {
        n--;
    }
    tn_text_addn(out, plan.s, n ? n - 1 : 0);
    json_access(out, review);
    tn_text_add(out, ",\n\"verdict\":{");
    tn_verdict_print_json(out, review->verdict);
    tn_text_add(out, "}}\n");
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
    if (!review->plan || (review->diags && review->diags->n_errors)) {
        return true;
    }
    for (size_t i = 0; i < review->plan->n_devices; i++) {
        if (tn_review_refused(review->plan->devices[i])) {
            return true;
        }
    }
    return false;
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
        size_t kept = items.n_deny - v->n_deny;
        size_t all = review->diags ? review->diags->n_errors : 0;
        size_t n = all > kept ? all : kept;
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
