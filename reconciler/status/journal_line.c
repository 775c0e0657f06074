/* journal_line.c - writing a line with its checksum, and judging one.
 *
 * The checksum is found by its fixed length at the end, so that a line is
 * judged before any JSON parser sees it. */
#include "reconciler/status/journal_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/arena.h"
#include "model/base/digest.h"
#include "reconciler/source/name.h"

static uint64_t
sum_of(const char *run, const char *line, size_t n)
{
    uint64_t h[2] = {tn_hash64(run, strlen(run)), tn_hash64(line, n)};
    return tn_hash64(h, sizeof h);
}

void
tn_line_begin(struct tn_text *line, unsigned long n, const char *type)
{
    tn_text_clear(line);
    tn_text_addf(line, "{\"n\":%lu,\"type\":\"%s\"", n, type);
}

void
tn_line_add_string(struct tn_text *line, const char *value)
{
    size_t n = strlen(value);
    tn_text_addc(line, '"');
    if (tn_is_utf8(value, n)) {
        tn_text_add_escaped(line, value);
    } else {
        char *shown = malloc(4 * n + 1);
        tn_text_add_escaped(line,
                            shown ? tn_show(shown, 4 * n + 1, value, n) : "");
        free(shown);
    }
    tn_text_addc(line, '"');
}

void
tn_line_add(struct tn_text *line, const char *name, const char *value)
{
    tn_text_addf(line, ",\"%s\":", name);
    tn_line_add_string(line, value);
}

void
tn_line_end(struct tn_text *line, const char *run)
{
    uint64_t sum = sum_of(run, tn_text_str(line), line->n);
    tn_text_addf(line, ",\"sum\":\"%016" PRIx64 "\"}\n", sum);
}

bool
tn_line_is_whole(const char *line, size_t n, const char *run)
{
    if (n <= TN_LINE_SUM) {
        return false;
    }
    char want[TN_LINE_SUM + 1];
    size_t body = n - TN_LINE_SUM;
    snprintf(want, sizeof want, ",\"sum\":\"%016" PRIx64 "\"}",
             sum_of(run, line, body));
    return memcmp(line + body, want, TN_LINE_SUM) == 0;
}
