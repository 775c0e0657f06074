/* diag.c - a bounded, sortable list of findings. */
#include "model/base/diag.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/text.h"

void
tn_diags_init(struct tn_diags *diags, struct tn_arena *arena)
{
    *diags = (struct tn_diags){.arena = arena};
}

static const char *
copy_or_null(struct tn_arena *arena, const char *s)
{
    return s ? tn_arena_strdup(arena, s) : NULL;
}

/* Findings are many where somebody is hostile: whose errors were not kept is
 * remembered all the same, so that nobody passes in the crowd. */
static void
failed_add(struct tn_diags *diags, const char *tenant)
{
    for (size_t i = 0; i < diags->failed.n; i++) {
        if (tn_streq(diags->failed.items[i], tenant)) {
            return;
        }
    }
    *tn_vec_push(diags->arena, &diags->failed) =
        copy_or_null(diags->arena, tenant);
}

/* Counts a finding; null if there is no room to keep it. */
static struct tn_diag *
slot_new(struct tn_diags *diags, enum tn_diag_severity severity,
         const char *tenant)
{
    if (severity == TN_ERROR) {
        diags->n_errors++;
    } else {
        diags->n_warnings++;
    }
    if (diags->list.n < TN_DIAGS_MAX) {
        return tn_vec_push(diags->arena, &diags->list);
    }
    diags->n_dropped++;
    if (severity == TN_ERROR) {
        failed_add(diags, tenant);
    }
    return NULL;
}

/* Cuts what is too long, between characters, and masks what a terminal would
 * act upon: messages quote hostile input. */
static void
message_clean(char *s)
{
    size_t n = strlen(s);
    if (n > TN_DIAG_TEXT) {
        for (n = TN_DIAG_TEXT; n > 0 && ((unsigned char) s[n] & 0xc0) == 0x80;
             n--) {
        }
        s[n] = '\0';
    }
    for (unsigned char *p = (unsigned char *) s; *p; p++) {
        if (*p < 0x20 || *p == 0x7f) {
            *p = '?';
        } else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
            p[0] = p[1] = '?';
        }
    }
}

struct tn_diag *
tn_diag(struct tn_diags *diags, enum tn_diag_severity severity,
        struct tn_origin at, const char *fmt, ...)
{
    struct tn_diag *d = slot_new(diags, severity, diags->tenant);
    if (!d) {
        return &diags->scratch;
    }
    va_list ap;
    va_start(ap, fmt);
    char *message = tn_arena_vprintf(diags->arena, fmt, ap);
    va_end(ap);
    message_clean(message);
    *d = (struct tn_diag){
        .severity = severity,
        .at = {copy_or_null(diags->arena, at.path), at.line, at.column},
        .tenant = copy_or_null(diags->arena, diags->tenant),
        .message = message,
    };
    return d;
}

void
tn_diags_merge(struct tn_diags *diags, const struct tn_diags *from)
{
    struct tn_arena *arena = diags->arena;
    size_t listed_errors = 0;
    for (size_t i = 0; i < from->list.n; i++) {
        const struct tn_diag *f = &from->list.items[i];
        struct tn_diag *d = slot_new(diags, f->severity, f->tenant);
        listed_errors += f->severity == TN_ERROR;
        if (d) {
            *d = (struct tn_diag){
                .severity = f->severity,
                .at = {copy_or_null(arena, f->at.path), f->at.line,
                       f->at.column},
                .tenant = copy_or_null(arena, f->tenant),
                .message = copy_or_null(arena, f->message),
                .hint = copy_or_null(arena, f->hint),
            };
        }
    }
    size_t unlisted_errors = from->n_errors - listed_errors;
    diags->n_errors += unlisted_errors;
    diags->n_warnings += from->n_dropped - unlisted_errors;
    diags->n_dropped += from->n_dropped;
    for (size_t i = 0; i < from->failed.n; i++) {
        failed_add(diags, from->failed.items[i]);
    }
}

static int
diag_cmp(const void *pa, const void *pb)
{
    const struct tn_diag *a = pa, *b = pb;
    int c = tn_strcmp0(a->at.path, b->at.path);
    if (c == 0) {
        c = (a->at.line > b->at.line) - (a->at.line < b->at.line);
    }
    if (c == 0) {
        c = (a->at.column > b->at.column) - (a->at.column < b->at.column);
    }
    if (c == 0) {
        c = (int) a->severity - (int) b->severity;
    }
    if (c == 0) {
        c = tn_strcmp0(a->message, b->message);
    }
    return c ? c : tn_strcmp0(a->tenant, b->tenant);
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
        if (d->severity == TN_ERROR && tn_streq(d->tenant, tenant)) {
            return true;
        }
    }
    for (size_t i = 0; i < diags->failed.n; i++) {
        if (tn_streq(diags->failed.items[i], tenant)) {
            return true;
        }
    }
    return false;
}
