/* github.c - annotations: workflow commands of GitHub's and Gitea's runners.
 *
 * A step may leave ten errors, ten warnings and ten notices; the runner drops
 * the rest without a word, so it is counted here. */
#include "reconciler/review/escape.h"
#include "reconciler/review/formats.h"
#include "reconciler/review/items.h"

enum { EACH = 10 };

static void
annotation(struct tn_text *out, const struct tn_finding *f)
{
    static const char *const commands[] = {"error", "warning", "notice"};
    TN_CLEANUP(tn_cleanup_text) struct tn_text title = {0};
    const char *comma = " ";
    tn_text_addf(out, "::%s", commands[f->severity]);
    if (f->at.path) {
        tn_text_add(out, " file=");
        tn_esc_command(out, f->at.path, true);
        comma = ",";
        if (f->at.line) {
            tn_text_addf(out, ",line=%u", f->at.line);
        }
        if (f->at.column) {
            tn_text_addf(out, ",col=%u", f->at.column);
        }
    }
    tn_text_addf(&title, "tenet: %s", f->rule);
    tn_text_addf(out, "%stitle=", comma);
    tn_esc_command(out, tn_text_str(&title), true);
    tn_text_add(out, "::");
    tn_esc_command(out, f->message, false);
    if (f->hint) {
        tn_text_add(out, "%0Ahint: ");
        tn_esc_command(out, f->hint, false);
    }
    tn_text_addc(out, '\n');
}

void
tn_review_annotations(struct tn_text *out, const struct tn_review *review)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_review_items items;
    size_t shown[3] = {0}, dropped = 0;
    tn_review_items(arena, review, &items);
    for (size_t i = 0; i < items.n; i++) {
        const struct tn_finding *f = &items.items[i];
        /* One notice is kept for the count. */
        size_t most = f->severity == TN_SEVERITY_INFO ? EACH - 1 : EACH;
        if (f->waiver) {
            continue;
        }
        if (shown[f->severity] == most) {
            dropped++;
            continue;
        }
        shown[f->severity]++;
        annotation(out, f);
    }
    if (dropped) {
        tn_text_addf(out,
                     "::notice title=tenet::%zu more findings are in the "
                     "artifacts\n",
                     dropped);
    }
}
