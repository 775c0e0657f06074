/* trace.c - see trace.h.  Reads the file once for its extent, and blames all
 * lines of the object in one walk through history. */
#include "reconciler/provenance/trace.h"

#include <string.h>

enum { FILE_MAX = 16 * 1024 * 1024, LINES_MAX = 2000, TEXT_MAX = 100 };

static const char *
line_text(struct tn_arena *arena, const char *bytes, size_t n, uint32_t line)
{
    const char *p = bytes, *end = bytes + n;
    for (uint32_t i = 1; i < line && p < end; i++) {
        const char *eol = memchr(p, '\n', (size_t) (end - p));
        p = eol ? eol + 1 : end;
    }
    while (p < end && *p == ' ') {
        p++;
    }
    const char *eol = memchr(p, '\n', (size_t) (end - p));
    size_t len = (size_t) ((eol ? eol : end) - p);
    if (len > TEXT_MAX) {
        for (len = TEXT_MAX; ((unsigned char) p[len] & 0xc0) == 0x80;) {
            len--;
        }
    }
    return tn_arena_strndup(arena, p, len);
}

static const char *
problem_text(struct tn_arena *arena, const struct tn_error *err)
{
    char buf[TN_ERROR_TEXT + 256];
    return tn_arena_strdup(arena, tn_error_text(err, buf, sizeof buf));
}

/* What is only on disk is newest, what is older than the search went last. */
static size_t
age_of(const struct tn_blame_line *line)
{
    return line->uncommitted ? 0 : line->commit ? line->age : SIZE_MAX;
}

static void
blame_judge(const struct tn_trace_from *from, const struct tn_blame *blame,
            struct tn_trace *out)
{
    if (blame->n == 0) {
        out->problem = "the file has no such line";
        return;
    }
    out->written = out->changed = blame->lines[0];
    for (size_t i = 1; i < blame->n; i++) {
        if (age_of(&blame->lines[i]) < age_of(&out->changed)) {
            out->changed = blame->lines[i];
        }
    }
    out->several = out->changed.commit != out->written.commit ||
                   out->changed.uncommitted != out->written.uncommitted;
    out->cut = blame->cut && (!out->written.commit || !out->changed.commit) &&
               !out->written.uncommitted;
    out->oldest = tn_arena_strdup(from->arena, blame->oldest);
}

void
tn_trace(const struct tn_trace_from *from, const struct tn_match_line *line,
         struct tn_trace *out)
{
    static const struct tn_oid unknown;
    struct tn_error err = {0};
    struct tn_blame blame = {0};
    const char *bytes = NULL;
    size_t n = 0;
    *out = (struct tn_trace){.line = line, .last_line = line->at.line};
    if (!line->at.path || !line->at.line) {
        out->problem = "no line of the intent asks for it by itself";
        return;
    }
    enum tn_code code =
        from->source->ops->read(from->source, line->at.path, &unknown, FILE_MAX,
                                from->arena, &bytes, &n, &err);
    if (code) {
        out->problem = problem_text(from->arena, &err);
        return;
    }
    out->last_line = tn_extent(bytes, n, line->at);
    struct tn_blame_ask ask = {.repo = from->repo,
                               .rev = from->rev,
                               .path = line->at.path,
                               .first = line->at.line,
                               .last = out->last_line,
                               .bytes = from->worktree ? bytes : NULL,
                               .n_bytes = n};
    if (ask.last - ask.first >= LINES_MAX) {
        ask.last = ask.first + LINES_MAX - 1;
    }
    code = tn_source_blame(&ask, from->arena, &blame, &err);
    if (code == TN_ENOENT && from->worktree) {
        out->written = out->changed =
            (struct tn_blame_line){.line = ask.first, .uncommitted = true};
    } else if (code) {
        out->problem = problem_text(from->arena, &err);
    } else {
        blame_judge(from, &blame, out);
    }
    out->changed_text = line_text(from->arena, bytes, n, out->changed.line);
}
