/* diag.c - a bounded, sortable list of findings. */
#include "model/base/diag.h"

#include <stdlib.h>
#include <string.h>

void
tn_diags_init(struct tn_diags *diags, struct tn_arena *arena)
{
    *diags = (struct tn_diags){.arena = arena};
}

static struct tn_diag *
slot_new(struct tn_diags *diags, enum tn_severity severity)
{
    if (severity == TN_ERROR) {
        diags->n_errors++;
    } else {
        diags->n_warnings++;
    }
    if (diags->list.n >= TN_DIAGS_MAX) {
        return tn_new(diags->arena, struct tn_diag);
    }
    return tn_vec_push(diags->arena, &diags->list);
}

struct tn_diag *
tn_diag(struct tn_diags *diags, enum tn_severity severity, struct tn_origin at,
        const char *fmt, ...)
{
    struct tn_diag *d = slot_new(diags, severity);
    va_list ap;
    va_start(ap, fmt);
    const char *message = tn_arena_vprintf(diags->arena, fmt, ap);
    va_end(ap);
    *d = (struct tn_diag){
        .severity = severity,
        .at = {at.path ? tn_arena_strdup(diags->arena, at.path) : NULL,
               at.line, at.column},
        .tenant = diags->tenant
                      ? tn_arena_strdup(diags->arena, diags->tenant)
                      : NULL,
        .message = message,
    };
    return d;
}

static const char *
copy_or_null(struct tn_arena *arena, const char *s)
{
    return s ? tn_arena_strdup(arena, s) : NULL;
}

void
tn_diags_merge(struct tn_diags *diags, const struct tn_diags *from)
{
    struct tn_arena *arena = diags->arena;
    for (size_t i = 0; i < from->list.n; i++) {
        const struct tn_diag *f = &from->list.items[i];
        struct tn_diag *d = slot_new(diags, f->severity);
        *d = (struct tn_diag){
            .severity = f->severity,
            .at = {copy_or_null(arena, f->at.path), f->at.line, f->at.column},
            .tenant = copy_or_null(arena, f->tenant),
            .message = copy_or_null(arena, f->message),
            .hint = copy_or_null(arena, f->hint),
        };
    }
    /* What the bound left out of the list still counts. */
    size_t unlisted =
        from->n_errors + from->n_warnings - from->list.n;
    diags->n_errors += unlisted;
}

static int
text_cmp(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int
diag_cmp(const void *pa, const void *pb)
{
    const struct tn_diag *a = pa, *b = pb;
    int c = text_cmp(a->at.path, b->at.path);
    if (c == 0) {
        c = (a->at.line > b->at.line) - (a->at.line < b->at.line);
    }
    if (c == 0) {
        c = (a->at.column > b->at.column) - (a->at.column < b->at.column);
    }
    if (c == 0) {
        c = (int) a->severity - (int) b->severity;
    }
    return c ? c : text_cmp(a->message, b->message);
}

void
tn_diags_sort(struct tn_diags *diags)
{
    if (diags->list.n < 2) {
        return;
    }
    qsort(diags->list.items, diags->list.n, sizeof *diags->list.items,
          diag_cmp);
    size_t kept = 1;
    for (size_t i = 1; i < diags->list.n; i++) {
        struct tn_diag *d = &diags->list.items[i];
        if (diag_cmp(&diags->list.items[kept - 1], d) != 0) {
            diags->list.items[kept++] = *d;
        } else if (d->severity == TN_ERROR) {
            diags->n_errors--;
        } else {
            diags->n_warnings--;
        }
    }
    diags->list.n = kept;
}

bool
tn_diags_failed(const struct tn_diags *diags, const char *tenant)
{
    for (size_t i = 0; i < diags->list.n; i++) {
        const struct tn_diag *d = &diags->list.items[i];
        if (d->severity == TN_ERROR && text_cmp(d->tenant, tenant) == 0) {
            return true;
        }
    }
    return false;
}
