/* frame_test.c - messages come out whole however the stream is cut, and what
 * is hostile is refused. */
#include "drivers/ovsdb/frame.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

enum { MOST = 8 };

struct row {
    const char *stream;
    const char *messages[MOST];
};

static const struct row rows[] = {
    {"", {0}},
    {" \r\n\t ", {0}},
    {"{}", {"{}"}},
    {"{}{}", {"{}", "{}"}},
    {" {} \n {}", {"{}", "{}"}},
    {"{\"id\":1,\"result\":[[],{}],\"error\":null}{\"id\":2}",
     {"{\"id\":1,\"result\":[[],{}],\"error\":null}", "{\"id\":2}"}},
    /* Brackets, quotes and backslashes within strings. */
    {"{\"a\":\"}{][\"}{\"\\\"}\":\"\\\\\"}",
     {"{\"a\":\"}{][\"}", "{\"\\\"}\":\"\\\\\"}"}},
    {"{\"\\u00e9\\\\\\\"\":[\"\\\\\\\\\",\"\\\\\\\"]\"]}{}",
     {"{\"\\u00e9\\\\\\\"\":[\"\\\\\\\\\",\"\\\\\\\"]\"]}", "{}"}},
    /* Characters of two, three and four bytes; the first and last of each. */
    {"{\"\xc2\x80\xdf\xbf\":\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"
     "\"}{\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\":\"\x7f\"}",
     {"{\"\xc2\x80\xdf\xbf\":\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf"
      "\xbf\"}",
      "{\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\":\"\x7f\"}"}},
    /* Whether it is JSON is not for us. */
    {"{]{[}]", {"{]", "{[}]"}},
};

/* Feeds the stream in pieces that end at 'cut' (sorted); compares. */
static void
check(const struct row *row, const size_t *cut, size_t n_cuts)
{
    struct tn_frame frame = {.max = 1000};
    size_t from = 0, len = strlen(row->stream), count = 0;
    for (size_t i = 0; i <= n_cuts; i++) {
        size_t to = i < n_cuts ? cut[i] : len, n;
        /* A copy, so that reading beyond the piece is seen. */
        char *piece = malloc(to - from + 1);
        const char *text;
        memcpy(piece, row->stream + from, to - from);
        piece = realloc(piece, to - from ? to - from : 1);
        tn_frame_feed(&frame, piece, to - from);
        for (;;) {
            cr_assert_eq(tn_frame_next(&frame, &text, &n, NULL), TN_OK, "%s",
                         row->stream);
            if (!text) {
                break;
            }
            cr_assert_lt(count, (size_t) MOST);
            const char *expected = row->messages[count++];
            cr_assert_not_null(expected, "too many: %.*s", (int) n, text);
            cr_assert(n == strlen(expected) && !memcmp(text, expected, n),
                      "%s: got %.*s", expected, (int) n, text);
        }
        free(piece);
        from = to;
    }
    cr_assert(count == MOST || !row->messages[count], "message %zu of \"%s\"",
              count, row->stream);
    cr_assert_not(tn_frame_within(&frame));
    tn_frame_done(&frame);
}

static void
check_every_split(const struct row *row)
{
    size_t len = strlen(row->stream), bytes[256];
    check(row, NULL, 0);
    for (size_t i = 0; i <= len; i++) {
        for (size_t j = i; j <= len; j++) {
            check(row, (const size_t[]){i, j}, 2);
        }
    }
    cr_assert_lt(len, TN_ARRAY_SIZE(bytes));
    for (size_t i = 0; i < len; i++) {
        bytes[i] = i;
    }
    check(row, bytes, len);
}

Test(frame, every_split)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        check_every_split(&rows[i]);
    }
}

struct bad {
    const char *stream;
    size_t n;      /* 0: of the text. */
    size_t before; /* Messages that are fine. */
    const char *why;
};

static const struct bad bads[] = {
    {"[]", 0, 0, "object"},
    {"1", 0, 0, "object"},
    {"null", 0, 0, "object"},
    {"\"{}\"", 0, 0, "object"},
    {"{},{}", 0, 1, "object"},
    {"{}}", 0, 1, "object"},
    {"HTTP/1.1 200 OK\r\n", 0, 0, "object"},
    {"\x16\x03\x01\x02", 0, 0, "TLS"},
    {"\x15\x03\x03", 0, 0, "TLS"},
    {"\0{}", 3, 0, "0x00"},
    {"{\0}", 3, 0, "0x00"},
    {"{\"\0\"}", 5, 0, "0x00"},
    {"{}\0", 3, 1, "0x00"},
    {"{\"\\\0\"}", 6, 0, "0x00"},
    {"\xef\xbb\xbf{}", 0, 0, "0xef"}, /* A mark of the byte order. */
    {"{\x01}", 0, 0, "0x01"},
    {"{\x7f}", 0, 0, "0x7f"},
    {"{\"\n\"}", 0, 0, "control"},
    {"{\"\x1f\"}", 0, 0, "control"},
    {"{\xc3\xa9:1}", 0, 0, "0xc3"}, /* Outside a string. */
    {"{\"\x80\"}", 0, 0, "UTF-8"},
    {"{\"\xc0\x80\"}", 0, 0, "UTF-8"}, /* Overlong. */
    {"{\"\xc1\xbf\"}", 0, 0, "UTF-8"},
    {"{\"\xe0\x9f\xbf\"}", 0, 0, "UTF-8"},
    {"{\"\xf0\x8f\xbf\xbf\"}", 0, 0, "UTF-8"},
    {"{\"\xed\xa0\x80\"}", 0, 0, "UTF-8"},     /* A surrogate. */
    {"{\"\xf4\x90\x80\x80\"}", 0, 0, "UTF-8"}, /* Beyond U+10FFFF. */
    {"{\"\xf5\x80\x80\x80\"}", 0, 0, "UTF-8"},
    {"{\"\xff\"}", 0, 0, "UTF-8"},
    {"{\"\xc3\"}", 0, 0, "UTF-8"}, /* Cut short by the quote. */
    {"{\"\xe2\x82\"}", 0, 0, "UTF-8"},
    {"{\"\xc3\xc3\"}", 0, 0, "UTF-8"},
    {"{\"\\\xc3\xa9\"}", 0, 0, "UTF-8"},
    {"{\"0123456789012345678901234567890123456789\"", 0, 0, "32 bytes"},
    {"{}{\"01234567890123456789012345678\"}", 0, 1, "32 bytes"},
};

/* Feeds pieces of 'step' bytes; returns how many messages were fine. */
static size_t
feed(struct tn_frame *frame, const struct bad *bad, size_t step,
     struct tn_error *err)
{
    size_t len = bad->n ? bad->n : strlen(bad->stream), count = 0, n;
    for (size_t at = 0; at < len; at += step) {
        const char *text;
        tn_frame_feed(frame, bad->stream + at,
                      len - at < step ? len - at : step);
        do {
            if (tn_frame_next(frame, &text, &n, err) != TN_OK) {
                return count;
            }
            count += text != NULL;
        } while (text);
    }
    return count;
}

static void
check_refused(const struct bad *bad, size_t step)
{
    struct tn_frame frame = {.max = 32};
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    cr_assert_eq(feed(&frame, bad, step, &err), bad->before, "%s", bad->stream);
    cr_assert_eq(err.code, TN_EUNAVAILABLE, "%s", bad->stream);
    tn_error_text(&err, text, sizeof text);
    cr_assert(strstr(text, bad->why), "%s: %s", bad->stream, text);
    tn_frame_done(&frame);
}

Test(frame, hostile)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(bads); i++) {
        for (size_t step = 1; step < 60; step++) {
            check_refused(&bads[i], step);
        }
    }
}

static size_t
nested(size_t depth, char bracket, enum tn_code *code)
{
    struct tn_frame frame = {.max = SIZE_MAX};
    const char *text;
    size_t n = 0;
    char *stream = malloc(2 * depth);
    stream[0] = '{';
    memset(stream + 1, bracket, depth - 1);
    memset(stream + depth, ']', depth);
    tn_frame_feed(&frame, stream, 2 * depth);
    *code = tn_frame_next(&frame, &text, &n, NULL);
    tn_frame_done(&frame);
    free(stream);
    return n;
}

Test(frame, depth_is_bounded)
{
    enum tn_code code;
    cr_assert_eq(nested(TN_FRAME_DEPTH, '[', &code), 2u * TN_FRAME_DEPTH);
    cr_assert_eq(code, TN_OK);
    cr_assert_eq(nested(TN_FRAME_DEPTH, '{', &code), 2u * TN_FRAME_DEPTH);
    cr_assert_eq(code, TN_OK);
    nested(TN_FRAME_DEPTH + 1, '[', &code);
    cr_assert_eq(code, TN_EUNAVAILABLE);
    nested(1000000, '{', &code);
    cr_assert_eq(code, TN_EUNAVAILABLE);
}

/* What is small in the stream but large in a parser's memory. */
Test(frame, parts_are_bounded)
{
    static const char *const parts[] = {"{},", "[],", "1,", "\"\","};
    for (size_t i = 0; i < TN_ARRAY_SIZE(parts); i++) {
        struct tn_frame frame = {.max = 100000};
        struct tn_text stream = {0};
        struct tn_error err = {0};
        const char *text;
        size_t n;
        tn_text_add(&stream, "{\"\":[");
        while (stream.n < frame.max - 100) {
            tn_text_add(&stream, parts[i]);
        }
        tn_text_add(&stream, "1]}");
        tn_frame_feed(&frame, stream.s, stream.n);
        enum tn_code code = tn_frame_next(&frame, &text, &n, &err);
        cr_expect_eq(code, TN_EUNAVAILABLE, "%s", parts[i]);
        cr_expect(strstr(err.text, "too many parts"), "%s", err.text);
        tn_frame_done(&frame);
        tn_text_done(&stream);
    }
}

/* However the stream is cut. */
Test(frame, tells_the_longest_member)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"{}", ""},
        {"{\"a\":1}", ""},
        {"{\"a\":[]}", "[]"},
        {"{\"a\":{\"b\":[1]},\"c\":[[]]}", "{\"b\":[1]}"},
        {"{\"a\":[1],\"c\":{\"x\":\"]}\"} }", "{\"x\":\"]}\"}"},
        {"{\"a\":[1,{\"b\":{}}],\"c\":{}}", "[1,{\"b\":{}}]"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(cases); i++) {
        size_t len = strlen(cases[i].text);
        for (size_t step = 1; step <= len; step++) {
            struct tn_frame frame = {.max = 1000};
            const char *text = NULL;
            size_t n = 0, at = 0, part_n = 0;
            /* Something before it, which is forgotten. */
            tn_frame_feed(&frame, "{\"q\":[1,2,3,4,5,6,7]}", 21);
            cr_assert_eq(tn_frame_next(&frame, &text, &n, NULL), TN_OK);
            cr_assert_not_null(text);
            for (size_t k = 0; k < len; k += step) {
                tn_frame_feed(&frame, cases[i].text + k,
                              len - k < step ? len - k : step);
                cr_assert_eq(tn_frame_next(&frame, &text, &n, NULL), TN_OK);
            }
            cr_assert_not_null(text);
            tn_frame_part(&frame, &at, &part_n);
            cr_expect_eq(part_n, strlen(cases[i].part), "row %zu, %zu", i,
                         step);
            cr_expect(part_n == 0 ||
                          memcmp(text + at, cases[i].part, part_n) == 0,
                      "row %zu, %zu", i, step);
            tn_frame_done(&frame);
        }
    }
}

/* Would take hours if a byte were looked at as often as there are pieces. */
Test(frame, a_long_message_in_single_bytes)
{
    enum { LEN = 4 * 1024 * 1024 };
    struct tn_frame frame = {.max = LEN};
    const char *text = NULL;
    size_t n = 0;
    char *stream = malloc(LEN);
    memset(stream, 'x', LEN);
    memcpy(stream, "{\"", 2);
    memcpy(stream + LEN - 2, "\"}", 2);
    for (size_t i = 0; i < LEN; i++) {
        cr_assert_null(text);
        tn_frame_feed(&frame, stream + i, 1);
        cr_assert_eq(tn_frame_next(&frame, &text, &n, NULL), TN_OK);
    }
    cr_assert_eq(n, (size_t) LEN);
    cr_assert_eq(memcmp(text, stream, LEN), 0);
    tn_frame_feed(&frame, "", 0);
    cr_assert_eq(tn_frame_next(&frame, &text, &n, NULL), TN_OK);
    cr_assert_null(text);
    cr_assert_null(frame.kept.s, "an idle frame holds no buffer");
    tn_frame_done(&frame);
    free(stream);
}
