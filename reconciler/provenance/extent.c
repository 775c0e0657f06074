/* extent.c - where in a YAML file an object ends.
 *
 * Origins are the place where an object begins.  Who changed it last is the
 * question, so its other lines count too.  Indentation tells: the parser has
 * judged the file already, so no more than that is needed. */
#include <string.h>

#include "reconciler/provenance/find.h"

struct line {
    const char *s;
    size_t n, indent;
    bool blank; /* Nothing, or a comment alone. */
};

/* The next line; false at the end. */
static bool
line_next(const char **p, const char *end, struct line *out)
{
    const char *eol;
    if (*p >= end) {
        return false;
    }
    eol = memchr(*p, '\n', (size_t) (end - *p));
    out->s = *p;
    out->n = (size_t) ((eol ? eol : end) - *p);
    for (out->indent = 0; out->indent < out->n && out->s[out->indent] == ' ';) {
        out->indent++;
    }
    out->blank = out->indent == out->n || out->s[out->indent] == '#' ||
                 out->s[out->indent] == '\r';
    *p = eol ? eol + 1 : end;
    return true;
}

static bool
is_document_end(const struct line *line)
{
    return line->n >= 3 &&
           (memcmp(line->s, "---", 3) == 0 || memcmp(line->s, "...", 3) == 0);
}

/* How far a line must be indented to belong to what begins at 'column' of
 * 'first'; SIZE_MAX: none does. */
static size_t
indent_wanted(const struct line *first, uint32_t column)
{
    size_t before = column - 1;
    if (before == 0) {
        return 0; /* A document. */
    }
    if (before > first->n) {
        return SIZE_MAX;
    }
    if (first->indent == before) {
        return before + 1; /* A key: what is below it. */
    }
    for (size_t i = first->indent; i < before; i++) {
        if (first->s[i] != '-' && first->s[i] != ' ') {
            return SIZE_MAX; /* In the middle of a line. */
        }
    }
    return before; /* An item of a list. */
}

uint32_t
tn_extent(const char *bytes, size_t n, struct tn_origin at)
{
    const char *p = bytes;
    struct line line = {0};
    size_t wanted;
    uint32_t last = at.line, number = 1;
    while (number < at.line && line_next(&p, bytes + n, &line)) {
        number++;
    }
    if (at.column == 0 || !line_next(&p, bytes + n, &line)) {
        return at.line;
    }
    wanted = indent_wanted(&line, at.column);
    while (wanted != SIZE_MAX && line_next(&p, bytes + n, &line)) {
        number++;
        if (is_document_end(&line) || (!line.blank && line.indent < wanted)) {
            break;
        }
        last = line.blank ? last : number;
    }
    return last;
}
