/* frame_fuzz.c - hostile streams: however they are cut, the same messages come
 * out, or the same refusal.
 *
 * The first byte is the length of the pieces, the rest the stream.  A parser
 * gets what comes out, as in a session; what it takes is printed, and must be
 * one message again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "drivers/ovsdb/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

enum { MAX_MESSAGE = 512 };

struct outcome {
    struct tn_text messages; /* One behind the other. */
    struct tn_text parts;    /* Where the longest member of each is. */
    size_t n;
    bool refused, within;
};

static struct outcome
cut(const char *stream, size_t size, size_t step)
{
    struct tn_frame frame = {.max = MAX_MESSAGE};
    struct outcome out = {0};
    struct tn_error err = {0};
    const char *text = NULL;
    size_t n = 0;
    for (size_t at = 0; at < size && !out.refused; at += step) {
        size_t len = size - at < step ? size - at : step;
        char *piece = malloc(len);
        memcpy(piece, stream + at, len);
        tn_frame_feed(&frame, piece, len);
        do {
            out.refused = tn_frame_next(&frame, &text, &n, &err) != TN_OK;
            if (!out.refused && text) {
                CHECK(n >= 2 && n <= MAX_MESSAGE && text[0] == '{');
                CHECK(tn_is_utf8(text, n));
                size_t part = 0, part_n = 0;
                tn_frame_part(&frame, &part, &part_n);
                CHECK(part + part_n < n);
                CHECK(part_n == 0 || strchr("{[", text[part]));
                CHECK(part_n == 0 || strchr("}]", text[part + part_n - 1]));
                tn_text_addf(&out.parts, "%zu %zu\n", part, part_n);
                tn_text_addn(&out.messages, text, n);
                tn_text_addc(&out.messages, '\n');
                out.n++;
            }
        } while (!out.refused && text);
        free(piece);
    }
    CHECK(!out.refused || err.code == TN_EUNAVAILABLE);
    out.within = tn_frame_within(&frame);
    tn_frame_done(&frame);
    return out;
}

static void
parse(const char *text, size_t n)
{
    json_t *message = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    char *printed = message ? json_dumps(message, JSON_COMPACT) : NULL;
    if (printed && strlen(printed) <= MAX_MESSAGE) {
        struct outcome out = cut(printed, strlen(printed), SIZE_MAX / 2);
        CHECK(out.n == 1 && !out.refused && !out.within);
        tn_text_done(&out.messages);
        tn_text_done(&out.parts);
    }
    free(printed);
    json_decref(message);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    const char *stream = (const char *) data + 1;
    struct outcome whole = cut(stream, size - 1, SIZE_MAX / 2);
    struct outcome pieces = cut(stream, size - 1, data[0] ? data[0] : 1);
    CHECK(whole.n == pieces.n && whole.refused == pieces.refused);
    CHECK(whole.refused || whole.within == pieces.within);
    CHECK(
        tn_streq(tn_text_str(&whole.messages), tn_text_str(&pieces.messages)));
    CHECK(tn_streq(tn_text_str(&whole.parts), tn_text_str(&pieces.parts)));
    const char *at = tn_text_str(&whole.messages);
    struct tn_frame frame = {.max = SIZE_MAX};
    const char *text = NULL;
    size_t n = 0;
    tn_frame_feed(&frame, at, whole.messages.n);
    do {
        CHECK(tn_frame_next(&frame, &text, &n, NULL) == TN_OK);
        if (text) {
            parse(text, n);
        }
    } while (text);
    tn_frame_done(&frame);
    tn_text_done(&whole.messages);
    tn_text_done(&pieces.messages);
    tn_text_done(&whole.parts);
    tn_text_done(&pieces.parts);
    return 0;
}
