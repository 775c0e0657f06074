/* junit.c - findings as test cases.
 *
 * There is no schema that all readers share; this keeps to what GitLab, Gitea's
 * readers and Jenkins agree on: one suite, a case a finding, <failure> for what
 * denies, <skipped> for what is waived, and what only warns passes with words
 * in <system-out>.  Without findings there is one case, which passes: a report
 * without cases counts as a broken one. */
#include <string.h>

#include "reconciler/review/escape.h"
#include "reconciler/review/formats.h"
#include "reconciler/review/items.h"

static void
attribute(struct tn_text *out, const char *name, const char *value)
{
    tn_text_addf(out, " %s=\"", name);
    tn_esc_xml(out, value);
    tn_text_addc(out, '"');
}

static const char *
name_of(struct tn_arena *arena, const struct tn_finding *f)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_add(&t, f->rule);
    if (f->subject) {
        tn_text_addf(&t, ": %s", f->subject);
    }
    if (f->at.path) {
        tn_text_addf(&t, " (%s:%u)", f->at.path, f->at.line);
    }
    return tn_arena_strdup(arena, tn_text_str(&t));
}

static void
words(struct tn_text *out, const struct tn_finding *f)
{
    tn_esc_xml(out, f->message);
    if (f->hint) {
        tn_text_add(out, "\nhint: ");
        tn_esc_xml(out, f->hint);
    }
}

static void
outcome(struct tn_text *out, const struct tn_finding *f)
{
    if (f->waiver) {
        tn_text_add(out, "      <skipped");
        attribute(out, "message", f->waiver);
        tn_text_add(out, "/>\n");
    } else if (f->severity == TN_SEVERITY_DENY) {
        tn_text_add(out, "      <failure");
        attribute(out, "message", f->message);
        attribute(out, "type", tn_severity_word(f->severity));
        tn_text_addc(out, '>');
        words(out, f);
        tn_text_add(out, "</failure>\n");
    } else {
        tn_text_addf(out,
                     "      <system-out>%s: ", tn_severity_word(f->severity));
        words(out, f);
        tn_text_add(out, "</system-out>\n");
    }
}

static void
test_case(struct tn_text *out, struct tn_arena *arena,
          const struct tn_finding *f)
{
    tn_text_add(out, "    <testcase");
    attribute(out, "classname",
              tn_arena_printf(arena, "tenet.%s",
                              f->tenant ? f->tenant : "everybody"));
    attribute(out, "name", name_of(arena, f));
    if (f->at.path) {
        attribute(out, "file", f->at.path);
    }
    tn_text_add(out, " time=\"0\">\n");
    outcome(out, f);
    tn_text_add(out, "    </testcase>\n");
}

void
tn_review_junit(struct tn_text *out, const struct tn_review *review)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_review_items items;
    tn_review_items(arena, review, &items);
    const char *suite = tn_arena_printf(
        arena, "tenet %s", review->environment ? review->environment : "");
    tn_text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<testsuites name=\"tenet\">\n  <testsuite");
    attribute(out, "name", suite);
    tn_text_addf(out,
                 " tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
                 "skipped=\"%zu\" time=\"0\">\n",
                 items.n ? items.n : 1, items.n_deny, items.n_waived);
    for (size_t i = 0; i < items.n; i++) {
        test_case(out, arena, &items.items[i]);
    }
    if (items.n == 0) {
        tn_text_add(out, "    <testcase classname=\"tenet\" "
                         "name=\"nothing to object to\" time=\"0\"/>\n");
    }
    tn_text_add(out, "  </testsuite>\n</testsuites>\n");
}
