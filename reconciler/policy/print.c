/* print.c - see print.h.  Findings quote what others wrote: nothing of it
 * reaches a terminal as a control character. */
#include "reconciler/policy/print.h"

#include "reconciler/plan/show.h"

enum { SHOWN = 100 };

static const char *
colour(bool color, const struct tn_finding *f)
{
    static const char *const of[] = {"\033[1;31m", "\033[33m", "\033[36m"};
    return !color ? "" : f->waiver ? "\033[2m" : of[f->severity];
}

static void
place(struct tn_text *out, const char *before, const struct tn_origin *at)
{
    if (at->path) {
        tn_text_add(out, before);
        tn_show_text(out, at->path);
        if (at->line) {
            tn_text_addf(out, ":%u", at->line);
        }
    }
}

static void
finding_text(struct tn_text *out, const struct tn_finding *f, bool color)
{
    tn_text_addf(out, "  %s%s%s ", colour(color, f),
                 f->waiver ? "waived" : tn_severity_word(f->severity),
                 color ? "\033[0m" : "");
    tn_show_text(out, f->rule);
    tn_text_add(out, ": ");
    tn_show_text(out, f->message);
    tn_text_addc(out, '\n');
    if (f->at.path || f->law.path) {
        tn_text_add(out, "      ");
        place(out, "", &f->at);
        if (f->law.path &&
            (f->law.path != f->at.path || f->law.line != f->at.line)) {
            place(out, f->at.path ? "  policy " : "policy ", &f->law);
        }
        tn_text_addc(out, '\n');
    }
    if (f->waiver) {
        tn_text_add(out, "      waived: ");
        tn_show_text(out, f->waiver);
        tn_text_addc(out, '\n');
    } else if (f->hint) {
        tn_text_add(out, "      hint: ");
        tn_show_text(out, f->hint);
        tn_text_addc(out, '\n');
    }
}

static void
count(struct tn_text *out, size_t n, const char *one, const char *many,
      bool *some)
{
    if (n) {
        tn_text_addf(out, "%s%zu %s", *some ? ", " : " ", n,
                     n == 1 ? one : many);
        *some = true;
    }
}

void
tn_verdict_print_text(struct tn_text *out, const struct tn_verdict *verdict,
                      bool color)
{
    bool some = false;
    if (verdict->n == 0) {
        return;
    }
    tn_text_add(out, "\nPolicies:");
    count(out, verdict->n_deny, "denies", "deny", &some);
    count(out, verdict->n_warn, "warns", "warn", &some);
    count(out, verdict->n_info, "informs", "inform", &some);
    count(out, verdict->n_waived, "is waived", "are waived", &some);
    tn_text_add(out, ".\n");
    for (size_t i = 0; i < verdict->n && i < SHOWN; i++) {
        finding_text(out, &verdict->items[i], color);
    }
    if (verdict->n > SHOWN) {
        tn_text_addf(out, "  and %zu more; --output json has all\n",
                     verdict->n - SHOWN);
    }
}

static void
text(struct tn_text *out, const char *key, const char *value)
{
    tn_text_addf(out, "\"%s\":", key);
    if (value) {
        tn_show_json(out, value);
    } else {
        tn_text_add(out, "null");
    }
}

static void
origin(struct tn_text *out, const char *key, const struct tn_origin *at)
{
    tn_text_addf(out, ",\"%s\":", key);
    if (!at->path) {
        tn_text_add(out, "null");
        return;
    }
    tn_text_addc(out, '{');
    text(out, "path", at->path);
    tn_text_addf(out, ",\"line\":%u,\"column\":%u}", at->line, at->column);
}

void
tn_verdict_print_json(struct tn_text *out, const struct tn_verdict *verdict)
{
    tn_text_addf(out,
                 "\"allowed\":%s,\"summary\":{\"deny\":%zu,\"warn\":%zu,"
                 "\"info\":%zu,\"waived\":%zu},\"findings\":[",
                 tn_verdict_allows(verdict) ? "true" : "false", verdict->n_deny,
                 verdict->n_warn, verdict->n_info, verdict->n_waived);
    for (size_t i = 0; i < verdict->n; i++) {
        const struct tn_finding *f = &verdict->items[i];
        tn_text_add(out, i ? ",\n{" : "\n{");
        text(out, "severity", tn_severity_word(f->severity));
        tn_text_addc(out, ',');
        text(out, "rule", f->rule);
        tn_text_addc(out, ',');
        text(out, "message", f->message);
        tn_text_addc(out, ',');
        text(out, "hint", f->hint);
        tn_text_addc(out, ',');
        text(out, "tenant", f->tenant);
        tn_text_addc(out, ',');
        text(out, "subject", f->subject);
        tn_text_addc(out, ',');
        text(out, "waiver", f->waiver);
        origin(out, "origin", &f->at);
        origin(out, "policy", &f->law);
        tn_text_addc(out, '}');
    }
    tn_text_addc(out, ']');
}
