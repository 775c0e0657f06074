/* gitlab.c - the two JSON reports that GitLab shows beside a merge request.
 *
 * "terraform": three numbers.  As in the script that GitLab gives to users of
 * Terraform, a replacement counts as a creation and as a deletion.
 * "codequality": a list of findings at lines; what has no line is left out,
 * because GitLab drops the whole report otherwise. */
#include "model/base/digest.h"
#include "reconciler/review/escape.h"
#include "reconciler/review/formats.h"
#include "reconciler/review/items.h"

void
tn_review_terraform(struct tn_text *out, const struct tn_review *review)
{
    static const struct tn_counts none;
    const struct tn_counts *c = review->plan ? &review->plan->counts : &none;
    tn_text_addf(out, "{\"create\":%zu,\"update\":%zu,\"delete\":%zu}\n",
                 c->add + c->replace, c->change, c->destroy + c->replace);
}

static void
issue(struct tn_text *out, const struct tn_finding *f)
{
    static const char *const severities[] = {"blocker", "major", "info"};
    char hex[TN_DIGEST_HEX];
    struct tn_digester d;
    tn_digester_init(&d);
    tn_digester_add_str(&d, f->rule);
    tn_digester_add_str(&d, f->subject ? f->subject : "");
    tn_digester_add_str(&d, f->at.path);
    tn_digester_add_str(&d, f->message);
    struct tn_digest digest = tn_digester_end(&d);
    tn_text_add(out, "{\"description\":");
    tn_show_json(out, f->message);
    tn_text_add(out, ",\"check_name\":");
    tn_show_json(out, f->rule);
    tn_text_addf(out, ",\"fingerprint\":\"%.32s\",\"severity\":\"%s\",",
                 tn_digest_hex(&digest, hex),
                 severities[f->waiver ? TN_SEVERITY_INFO : f->severity]);
    tn_text_add(out, "\"location\":{\"path\":");
    tn_show_json(out, f->at.path);
    tn_text_addf(out, ",\"lines\":{\"begin\":%u}}}",
                 f->at.line ? f->at.line : 1);
}

void
tn_review_codequality(struct tn_text *out, const struct tn_review *review)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_review_items items;
    bool first = true;
    tn_review_items(arena, review, &items);
    tn_text_addc(out, '[');
    for (size_t i = 0; i < items.n; i++) {
        if (items.items[i].at.path) {
            tn_text_add(out, first ? "\n" : ",\n");
            issue(out, &items.items[i]);
            first = false;
        }
    }
    tn_text_add(out, "]\n");
}
