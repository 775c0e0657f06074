/* journal_fuzz.c - hostile journals: no crash, no leak, and no belief.
 *
 * With an even first byte the rest is the file as it is; almost everything is
 * then stopped by the checksums.  With an odd one each line gets the checksum
 * it needs, so that what stands behind them is reached.  Whatever is read is
 * walked, and closing the file as tn_journal_finish does must leave whole lines
 * only. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/status/journal.h"
#include "reconciler/status/journal_dir.h"
#include "reconciler/status/journal_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

static void
seal_lines(struct tn_text *out, const char *bytes, size_t n)
{
    struct tn_text line = {0};
    for (const char *p = bytes, *end = bytes + n; p < end;) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        const char *stop = nl ? nl : end;
        tn_text_clear(&line);
        tn_text_addn(&line, p, (size_t) (stop - p));
        tn_line_end(&line, "r");
        tn_text_addn(out, tn_text_str(&line), line.n);
        p = nl ? nl + 1 : end;
    }
    tn_text_done(&line);
}

static void
walk(const struct tn_journal_past *p, size_t n)
{
    size_t length = 0;
    CHECK(p->run.commit && p->run.environment);
    CHECK(strcmp(p->run.id, "r") == 0);
    CHECK(!p->outcome || p->ended);
    CHECK(n || (!p->went && !p->torn && !p->damaged));
    for (size_t i = 0; i < p->n_devices; i++) {
        const struct tn_journal_past_device *d = &p->devices[i];
        CHECK(d->state <= TN_JOURNAL_BROKEN);
        CHECK(d->state != TN_JOURNAL_STARTED || p->went);
        length += strlen(d->name) + (d->message ? strlen(d->message) : 0);
        for (size_t k = 0; k < d->n_steps; k++) {
            CHECK(d->steps[k].outcome <= TN_JOURNAL_FAILED);
            length += strlen(d->steps[k].op) + strlen(d->steps[k].key);
        }
    }
    CHECK(length <= n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct tn_arena *arena = tn_arena_new();
    struct tn_text text = {0};
    if (data[0] & 1) {
        seal_lines(&text, (const char *) data + 1, size - 1);
    } else {
        tn_text_addn(&text, (const char *) data + 1, size - 1);
    }
    struct tn_journal_past past;
    tn_journal_read(arena, "x/r.jsonl", tn_text_str(&text), text.n, &past);
    walk(&past, text.n);
    unsigned long lines = 0;
    size_t whole = tn_journal_whole(tn_text_str(&text), text.n, "r", &lines);
    CHECK(whole <= text.n && (whole == text.n || past.torn));
    CHECK(lines <= whole);
    tn_text_done(&text);
    tn_arena_free(arena);
    return 0;
}
