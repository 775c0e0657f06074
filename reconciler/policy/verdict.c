/* verdict.c - see verdict.h: findings are copied in, sorted once, counted. */
#include "reconciler/policy/verdict.h"

#include <stdlib.h>
#include <string.h>

static const char *
copy(struct tn_arena *arena, const char *text)
{
    return text ? tn_arena_strdup(arena, text) : NULL;
}

void
tn_finding_add(struct tn_findings *findings, const struct tn_finding *finding)
{
    struct tn_arena *arena = findings->arena;
    struct tn_finding *f = tn_vec_push(arena, &findings->list);
    *f = *finding;
    f->rule = copy(arena, finding->rule);
    f->message = copy(arena, finding->message);
    f->hint = copy(arena, finding->hint);
    f->at.path = copy(arena, finding->at.path);
    f->law.path = copy(arena, finding->law.path);
    f->tenant = copy(arena, finding->tenant);
    f->subject = copy(arena, finding->subject);
    f->waiver = copy(arena, finding->waiver);
}

/* Null sorts first. */
static int
cmp_text(const char *a, const char *b)
{
    if (!a || !b) {
        return (a != NULL) - (b != NULL);
    }
    return strcmp(a, b);
}

static int
cmp_place(const struct tn_origin *a, const struct tn_origin *b)
{
    int d = cmp_text(a->path, b->path);
    d = d ? d : (a->line > b->line) - (a->line < b->line);
    return d ? d : (a->column > b->column) - (a->column < b->column);
}

static int
cmp_finding(const void *pa, const void *pb)
{
    const struct tn_finding *a = pa, *b = pb;
    int d = (int) a->severity - (int) b->severity;
    d = d ? d : cmp_text(a->rule, b->rule);
    d = d ? d : cmp_text(a->tenant, b->tenant);
    d = d ? d : cmp_place(&a->at, &b->at);
    d = d ? d : cmp_text(a->subject, b->subject);
    d = d ? d : cmp_text(a->message, b->message);
    d = d ? d : cmp_text(a->waiver, b->waiver);
    return d ? d : cmp_place(&a->law, &b->law);
}

void
tn_verdict_build(struct tn_findings *findings, struct tn_verdict *out)
{
    struct tn_verdict v = {0};
    struct tn_finding *items = findings->list.items;
    if (findings->list.n) {
        qsort(items, findings->list.n, sizeof *items, cmp_finding);
    }
    for (size_t i = 0; i < findings->list.n; i++) {
        if (v.n && cmp_finding(&items[v.n - 1], &items[i]) == 0) {
            continue;
        }
        items[v.n++] = items[i];
    }
    findings->list.n = v.n;
    for (size_t i = 0; i < v.n; i++) {
        v.n_waived += items[i].waiver != NULL;
        size_t *n[] = {&v.n_deny, &v.n_warn, &v.n_info};
        *n[items[i].severity] += items[i].waiver == NULL;
    }
    v.items = items;
    *out = v;
}

const char *
tn_severity_word(enum tn_severity severity)
{
    static const char *const words[] = {"deny", "warn", "info"};
    return words[severity];
}
