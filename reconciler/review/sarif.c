/* sarif.c - findings as SARIF 2.1.0 (OASIS), in the subset that GitHub's code
 * scanning reads.
 *
 * A waived finding is a suppressed result.  GitHub wants a location of every
 * result: what has no line is shown at tenet.yml.  A result's fingerprint is
 * made of rule, subject and message and not of the line, so that it stays the
 * same finding when lines above it move. */
#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"
#include "reconciler/review/escape.h"
#include "reconciler/review/formats.h"
#include "reconciler/review/items.h"

/* Of one run; GitHub's bound. */
enum { RESULTS_MAX = 25000, PRINT = 32 };

struct rules {
    const char **names; /* Sorted, each once. */
    size_t n;
};

static struct rules
rules_of(struct tn_arena *arena, const struct tn_review_items *items)
{
    struct rules r = {.names = tn_new_n(arena, const char *, items->n)};
    for (size_t i = 0; i < items->n; i++) {
        r.names[i] = items->items[i].rule;
    }
    tn_texts_sort(r.names, items->n);
    r.n = tn_texts_unique(r.names, items->n);
    return r;
}

static size_t
rule_index(const struct rules *r, const char *name)
{
    size_t lo = 0, hi = r->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(r->names[mid], name) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static const char *
level_of(enum tn_severity severity)
{
    static const char *const words[] = {"error", "warning", "note"};
    return words[severity];
}

static const char *
fingerprint(const struct tn_finding *f, char hex[TN_DIGEST_HEX])
{
    struct tn_digester d;
    tn_digester_init(&d);
    tn_digester_add_str(&d, f->rule);
    tn_digester_add_str(&d, f->tenant ? f->tenant : "");
    tn_digester_add_str(&d, f->subject ? f->subject : "");
    tn_digester_add_str(&d, f->at.path ? f->at.path : "");
    tn_digester_add_str(&d, f->message);
    struct tn_digest digest = tn_digester_end(&d);
    return tn_digest_hex(&digest, hex);
}

static void
location(struct tn_text *out, const struct tn_origin *at)
{
    tn_text_add(out, "\"locations\":[{\"physicalLocation\":"
                     "{\"artifactLocation\":{\"uri\":\"");
    tn_esc_uri(out, at->path ? at->path : "tenet.yml");
    tn_text_addf(out, "\"},\"region\":{\"startLine\":%u",
                 at->path && at->line ? at->line : 1);
    if (at->path && at->column) {
        tn_text_addf(out, ",\"startColumn\":%u", at->column);
    }
    tn_text_add(out, "}}}]");
}

static void
result(struct tn_text *out, const struct tn_finding *f, const struct rules *r)
{
    char hex[TN_DIGEST_HEX];
    TN_CLEANUP(tn_cleanup_text) struct tn_text message = {0};
    tn_text_add(&message, f->message);
    if (f->hint) {
        tn_text_addf(&message, " (%s)", f->hint);
    }
    tn_text_add(out, "{\"ruleId\":");
    tn_show_json(out, f->rule);
    tn_text_addf(out, ",\"ruleIndex\":%zu,\"level\":\"%s\",",
                 rule_index(r, f->rule), level_of(f->severity));
    tn_text_add(out, "\"message\":{\"text\":");
    tn_show_json(out, tn_text_str(&message));
    tn_text_add(out, "},");
    location(out, &f->at);
    tn_text_addf(out, ",\"partialFingerprints\":{\"tenet/v1\":\"%.*s\"}", PRINT,
                 fingerprint(f, hex));
    if (f->waiver) {
        tn_text_add(out, ",\"suppressions\":[{\"kind\":\"external\","
                         "\"justification\":");
        tn_show_json(out, f->waiver);
        tn_text_add(out, "}]");
    }
    tn_text_addc(out, '}');
}

static void
tool(struct tn_text *out, const struct tn_review *review, const struct rules *r)
{
    tn_text_add(out, "\"tool\":{\"driver\":{\"name\":\"tenet\",\"version\":");
    tn_show_json(out, review->version ? review->version : "0");
    tn_text_add(out, ",\"rules\":[");
    for (size_t i = 0; i < r->n; i++) {
        tn_text_add(out, i ? ",\n  {\"id\":" : "\n  {\"id\":");
        tn_show_json(out, r->names[i]);
        tn_text_add(out, ",\"shortDescription\":{\"text\":");
        tn_show_json(out, r->names[i]);
        tn_text_add(out, "}}");
    }
    tn_text_add(out, "]}}");
}

void
tn_review_sarif(struct tn_text *out, const struct tn_review *review)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_review_items items;
    tn_review_items(arena, review, &items);
    struct rules rules = rules_of(arena, &items);
    size_t n = items.n < RESULTS_MAX ? items.n : RESULTS_MAX;
    tn_text_add(out, "{\"$schema\":\"https://json.schemastore.org/"
                     "sarif-2.1.0.json\",\n\"version\":\"2.1.0\",\n"
                     "\"runs\":[{");
    tool(out, review, &rules);
    tn_text_add(out, ",\n\"automationDetails\":{\"id\":");
    tn_show_json(
        out, tn_arena_printf(arena, "tenet/%s/",
                             review->environment ? review->environment : ""));
    tn_text_add(out, "},\n\"columnKind\":\"unicodeCodePoints\",\n"
                     "\"results\":[");
    for (size_t i = 0; i < n; i++) {
        tn_text_add(out, i ? ",\n" : "\n");
        result(out, &items.items[i], &rules);
    }
    tn_text_add(out, "]}]}\n");
}
