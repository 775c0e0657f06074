/* markdown.c - the comment of a merge request.
 *
 * In the order of what a reviewer asks: may it be done, what is wrong with it,
 * who reaches whom afterwards, what happens to each tenant.  The whole is
 * bounded.  What does not fit is cut between objects, never inside one, and the
 * comment says how much is missing and where it is: each part has a share of
 * the room, and so has each tenant, so that a large one hides nobody.
 *
 * Objects stand in a fenced block in which every line begins with a sign or a
 * blank of ours; all other words go through escape.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/plan/print_change.h"
#include "reconciler/review/escape.h"
#include "reconciler/review/formats.h"
#include "reconciler/review/items.h"

enum {
    NOTES_SHARE = 10, /* Percent of the limit, at most. */
    FINDINGS_SHARE = 40,
    ACCESS_SHARE = 25,
    TAIL = 700,      /* Room for the words at the end. */
    MORE = 200,      /* For "... and 7 more" and closing tags. */
    OPEN_LINES = 20, /* A single tenant's changes stand unfolded up to this. */
    ARTIFACT = 300,  /* Bytes of its name. */
    TENANT_GUESS = 400, /* Bytes around the objects of a tenant, */
    CHANGE_GUESS = 60,  /* and of each object. */
};

struct comment {
    struct tn_text *out;
    struct tn_arena *arena;
    const struct tn_review *review;
    struct tn_print_options print;
    size_t limit;
    bool cut;
};

void
tn_review_marker(struct tn_text *out, const char *environment)
{
    tn_text_add(out, "<!-- tenet:");
    for (const char *p = environment ? environment : ""; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '_' || *p == '.' ||
                     (*p == '-' && p[1] != '-' && p[1]);
        if (plain) {
            tn_text_addc(out, *p);
        } else {
            tn_text_addf(out, "%%%02X", (unsigned char) *p);
        }
    }
    tn_text_add(out, " -->");
}

/* Appends 'unit' if it ends before 'until'. */
static bool
fit(struct comment *c, const struct tn_text *unit, size_t until)
{
    if (c->out->n + unit->n > until) {
        c->cut = true;
        return false;
    }
    tn_text_addn(c->out, tn_text_str(unit), unit->n);
    return true;
}

/* The end of a part that has 'percent' of the limit to itself. */
static size_t
share(const struct comment *c, size_t percent)
{
    size_t until = c->out->n + c->limit / 100 * percent;
    return until < c->limit - TAIL ? until : c->limit - TAIL;
}

static void
add_more(struct comment *c, size_t n, const char *what)
{
    if (n) {
        tn_text_addf(c->out, "- ... and %zu more %s%s: see the whole plan\n", n,
                     what, n == 1 ? "" : "s");
        c->cut = true;
    }
}

static void
add_place(struct tn_text *t, const struct tn_origin *at)
{
    if (at->path) {
        const char *line = "";
        char buf[16];
        if (at->line) {
            snprintf(buf, sizeof buf, ":%u", at->line);
            line = buf;
        }
        TN_CLEANUP(tn_cleanup_text) struct tn_text place = {0};
        tn_text_add(&place, at->path);
        tn_text_add(&place, line);
        tn_text_addc(t, ' ');
        tn_esc_code(t, tn_text_str(&place));
    }
}

static void
finding_unit(struct tn_text *t, const struct tn_finding *f)
{
    tn_text_addf(t, "- **%s** ",
                 f->waiver ? "waived" : tn_severity_word(f->severity));
    tn_esc_code(t, f->rule);
    add_place(t, &f->at);
    tn_text_add(t, ": ");
    tn_esc_prose(t, f->message);
    if (f->waiver) {
        tn_text_add(t, "; waived: ");
        tn_esc_prose(t, f->waiver);
    }
    tn_text_addc(t, '\n');
    if (f->hint) {
        tn_text_add(t, "  hint: ");
        tn_esc_prose(t, f->hint);
        tn_text_addc(t, '\n');
    }
}

static void
add_findings(struct comment *c, const struct tn_review_items *items)
{
    size_t until = share(c, FINDINGS_SHARE), i = 0;
    if (items->n == 0) {
        return;
    }
    tn_text_add(c->out, "\n**Findings**\n\n");
    for (; i < items->n; i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        finding_unit(&t, &items->items[i]);
        if (!fit(c, &t, until)) {
            break;
        }
    }
    add_more(c, items->n - i, "finding");
}

static void
add_access(struct comment *c)
{
    const struct tn_review *r = c->review;
    size_t until = share(c, ACCESS_SHARE), i = 0;
    if (r->n_access == 0) {
        return;
    }
    tn_text_add(c->out, "\n**Who reaches whom**\n\n");
    for (; i < r->n_access; i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        tn_text_add(&t, r->access[i].opens ? "- **opens** " : "- closes ");
        tn_esc_prose(&t, r->access[i].text);
        add_place(&t, &r->access[i].at);
        tn_text_addc(&t, '\n');
        if (!fit(c, &t, until)) {
            break;
        }
    }
    add_more(c, r->n_access - i, "difference");
}

/* One object as the text form has it, four blanks less deep. */
static void
change_unit(const struct comment *c, struct tn_text *t,
            const struct tn_review_change *change)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text raw = {0};
    struct tn_printer p = {
        .out = &raw,
        .opt = &c->print,
        .arena = c->arena,
        .attrs_of_new = false,
    };
    tn_print_change(&p, change->shown);
    for (const char *s = tn_text_str(&raw); *s;) {
        size_t blanks = strspn(s, " ");
        s += blanks < 4 ? blanks : 4;
        size_t n = strcspn(s, "\n");
        tn_text_addn(t, s, n);
        tn_text_addc(t, '\n');
        s += n + (s[n] == '\n');
    }
}

static bool
same_place(const struct tn_review_change *a, const struct tn_review_change *b)
{
    return strcmp(a->device, b->device) == 0 &&
           strcmp(a->shown->change->scope, b->shown->change->scope) == 0;
}

static void
place_unit(struct tn_text *t, const struct tn_review_change *change)
{
    const char *scope = change->shown->change->scope;
    tn_text_add(t, "@@ ");
    tn_show_text(t, change->device);
    tn_text_add(t, ": ");
    tn_show_text(t, *scope ? scope : "(device)");
    tn_text_add(t, " @@\n");
}

/* Adds the objects of a tenant that end before 'until'. */
static void
add_changes(struct comment *c, const struct tn_review_tenant *tenant,
            size_t until)
{
    size_t i = 0;
    tn_text_add(c->out, "```diff\n");
    for (; i < tenant->n; i++) {
        const struct tn_review_change *ch = &tenant->changes[i];
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        if (i == 0 || !same_place(ch - 1, ch)) {
            place_unit(&t, ch);
        }
        change_unit(c, &t, ch);
        if (!fit(c, &t, until)) {
            break;
        }
    }
    if (i < tenant->n) {
        tn_text_addf(c->out,
                     "# ... and %zu more object%s: see the whole plan\n",
                     tenant->n - i, tenant->n - i == 1 ? "" : "s");
    }
    tn_text_add(c->out, "```\n\n");
}

/* False if there is no room for the tenant's name. */
static bool
add_tenant(struct comment *c, const struct tn_review_tenant *tenant,
           size_t until, bool open)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    size_t last = c->limit - TAIL;
    tn_text_addf(&t, "<details%s><summary>", open ? " open" : "");
    if (*tenant->name) {
        tn_text_add(&t, "<code>");
        tn_esc_html(&t, tenant->name);
        tn_text_add(&t, "</code>: ");
    } else {
        tn_text_add(&t, "of no tenant: ");
    }
    tn_review_counts(&t, &tenant->counts);
    tn_text_add(&t, "</summary>\n\n");
    if (c->out->n + t.n + MORE > last) {
        c->cut = true;
        return false;
    }
    tn_text_addn(c->out, t.s, t.n);
    if (c->out->n + MORE < until) {
        add_changes(c, tenant, until - MORE);
    } else {
        tn_text_add(c->out, "No room here: see the whole plan.\n\n");
        c->cut = true;
    }
    tn_text_add(c->out, "</details>\n");
    return true;
}

static int
size_cmp(const void *pa, const void *pb)
{
    const size_t *a = pa, *b = pb;
    return (*a > *b) - (*a < *b);
}

/* How much must be left for those behind each tenant.  Small ones get what they
 * are guessed to need, the large ones what is left in equal parts. */
static size_t *
rooms_behind(const struct comment *c, const struct tn_review_tenant *tenants,
             size_t n, size_t room)
{
    size_t *need = tn_new_n(c->arena, size_t, n);
    size_t *sorted = tn_new_n(c->arena, size_t, n);
    size_t level = room, behind = 0;
    for (size_t i = 0; i < n; i++) {
        need[i] = sorted[i] = TENANT_GUESS + tenants[i].n * CHANGE_GUESS;
    }
    qsort(sorted, n, sizeof *sorted, size_cmp);
    for (size_t i = 0; i < n; i++) {
        level = room / (n - i);
        if (sorted[i] > level) {
            break;
        }
        room -= sorted[i];
        level = sorted[n - 1];
    }
    for (size_t i = n; i-- > 0;) {
        size_t own = need[i] < level ? need[i] : level;
        need[i] = behind;
        behind += own;
    }
    return need;
}

static void
add_tenants(struct comment *c)
{
    size_t n = 0, i = 0, last = c->limit - TAIL;
    const struct tn_review_tenant *tenants =
        tn_review_tenants(c->arena, c->review->plan, &n);
    if (n == 0) {
        return;
    }
    tn_text_addc(c->out, '\n');
    const size_t *behind =
        rooms_behind(c, tenants, n, last > c->out->n ? last - c->out->n : 0);
    for (; i < n; i++) {
        size_t until = last > behind[i] ? last - behind[i] : 0;
        if (!add_tenant(c, &tenants[i], until,
                        n == 1 && tenants[i].n <= OPEN_LINES)) {
            break;
        }
    }
    if (i < n) {
        tn_text_addf(c->out,
                     "\n... and %zu more tenant%s: see the whole plan\n", n - i,
                     n - i == 1 ? "" : "s");
    }
}

static void
add_head(struct comment *c, const struct tn_review_items *items)
{
    const struct tn_review *r = c->review;
    tn_review_marker(c->out, r->environment);
    tn_text_add(c->out, "\n### tenet ");
    tn_esc_code(c->out, r->environment ? r->environment : "");
    tn_text_addf(c->out, ": %s\n\n%s.\n",
                 tn_review_invalid(r)  ? "invalid"
                 : tn_review_denied(r) ? "denied"
                 : items->n_warn       ? "allowed, with warnings"
                                       : "allowed",
                 tn_review_summary(c->arena, r));
}

static void
add_commits(struct comment *c)
{
    const struct tn_review *r = c->review;
    if (!r->head || !*r->head) {
        return;
    }
    tn_text_addf(c->out, "\n`%.12s`", r->head);
    if (r->base && *r->base) {
        tn_text_addf(c->out, " compared with `%.12s`, where it branched off",
                     r->base);
    }
    tn_text_add(c->out, ".\n");
}

static void
add_notes(struct comment *c)
{
    const struct tn_review *r = c->review;
    size_t until = share(c, NOTES_SHARE), i = 0;
    if (r->n_notes) {
        tn_text_addc(c->out, '\n');
    }
    for (; i < r->n_notes; i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        tn_text_add(&t, "- ");
        tn_esc_prose(&t, r->notes[i]);
        tn_text_addc(&t, '\n');
        if (!fit(c, &t, until)) {
            break;
        }
    }
    add_more(c, r->n_notes - i, "note");
}

/* A link if it is an address that can be one. */
static void
add_artifact(struct comment *c)
{
    const char *a = c->review->artifact;
    bool url =
        a && (strncmp(a, "https://", 8) == 0 || strncmp(a, "http://", 7) == 0);
    tn_text_add(c->out, c->cut ? "\n**This is not all of it.** " : "\n");
    if (!a || strlen(a) > ARTIFACT) {
        tn_text_add(c->out, "`tenet plan --verbose` shows the whole plan.\n");
    } else if (url && !strpbrk(a, " \t\r\n<>()[]`\"'\\")) {
        tn_text_addf(c->out, "The whole plan is in [the artifacts](<%s>).\n",
                     a);
    } else {
        tn_text_add(c->out, "The whole plan is among the artifacts: ");
        tn_esc_code(c->out, a);
        tn_text_add(c->out, ".\n");
    }
}

static void
add_tail(struct comment *c)
{
    const struct tn_review *r = c->review;
    char hex[TN_DIGEST_HEX];
    add_artifact(c);
    tn_text_addf(c->out, "\n<sub>tenet %.32s", r->version ? r->version : "");
    if (r->plan) {
        tn_text_addf(c->out, ", plan <code>%.12s</code>",
                     tn_digest_hex(&r->plan->digest, hex));
    }
    tn_text_add(c->out, "</sub>\n");
}

void
tn_review_markdown(struct tn_text *out, const struct tn_review *review)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    size_t limit = review->limit ? review->limit : TN_REVIEW_LIMIT;
    struct tn_review_items items;
    struct comment c = {
        .out = &t,
        .arena = arena,
        .review = review,
        .print = {.fingerprint_key = review->fingerprint_key},
        .limit = limit > TN_REVIEW_LIMIT_LEAST ? limit : TN_REVIEW_LIMIT_LEAST,
    };
    tn_review_items(arena, review, &items);
    add_head(&c, &items);
    add_commits(&c);
    add_notes(&c);
    add_findings(&c, &items);
    add_access(&c);
    if (review->plan) {
        add_tenants(&c);
    }
    add_tail(&c);
    tn_text_addn(out, tn_text_str(&t), t.n);
}
