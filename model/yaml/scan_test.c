/* scan_test.c - the judgement of bytes: what is refused, where, how fast. */
#include "model/yaml/scan.h"

#include <stdlib.h>
#include <time.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"

/* Text with its length, so that it may hold NUL. */
#define BYTES(s) (s), sizeof(s) - 1

static bool
scan(const char *s, size_t n, struct tn_yaml_shape *shape,
     struct tn_yaml_fault *fault)
{
    *fault = (struct tn_yaml_fault){0};
    return tn_yaml_scan(s, n, &tn_yaml_limits_default, shape, fault);
}

static const struct refused {
    const char *bytes;
    size_t n;
    uint32_t line, column;
    const char *message;
} refused[] = {
    {BYTES("\xff\xfe"
           "a\0"),
     1, 1, "the file is UTF-16 or UTF-32"},
    {BYTES("\xfe\xff\0a"), 1, 1, "the file is UTF-16 or UTF-32"},
    {BYTES("\xef\xbb\xbf"
           "a: 1\n"),
     1, 1, "the file begins with a byte order mark"},
    {BYTES("a: 1\nb: \0\n"), 2, 4, "character U+0000 is a control character"},
    {BYTES("a: \x1b[31m\n"), 1, 4, "character U+001B is a control character"},
    {BYTES("\xc3\xa9: \x7f\n"), 1, 4,
     "character U+007F is a control character"},
    {BYTES("a\rb\n"), 1, 2, "a carriage return without a line feed"},
    {BYTES("a\r"), 1, 2, "a carriage return without a line feed"},
    {BYTES("a: \xc0\xaf\n"), 1, 4, "not valid UTF-8"},
    {BYTES("a: \xed\xa0\x80\n"), 1, 4, "not valid UTF-8"},
    {BYTES("a: \xe0\x80\xaf\n"), 1, 4, "not valid UTF-8"},
    {BYTES("a: \xf4\x90\x80\x80\n"), 1, 4, "not valid UTF-8"},
    {BYTES("a: \x80\n"), 1, 4, "not valid UTF-8"},
    {BYTES("a: \xf0\x9f\x98"), 1, 4, "not valid UTF-8"},
    {BYTES("a: \xc3"), 1, 4, "not valid UTF-8"},
    {BYTES("# x\xe2\x80\xa8[[[\n"), 1, 4,
     "character U+2028 is a line break to YAML but not to an editor"},
    {BYTES("# x\xc2\x85[[[\n"), 1, 4,
     "character U+0085 is a line break to YAML but not to an editor"},
    {BYTES("a: \xc2\x9b\n"), 1, 4, "character U+009B is a control character"},
    {BYTES("a: \xef\xbb\xbf\n"), 1, 4,
     "character U+FEFF is a control character"},
    {BYTES("a: \xe2\x80\xae"
           "b\n"),
     1, 4, "character U+202E makes text look like what it is not"},
};

Test(scan, refuses_characters)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(refused); i++) {
        const struct refused *r = &refused[i];
        struct tn_yaml_fault fault;
        cr_assert(!scan(r->bytes, r->n, NULL, &fault), "row %zu", i);
        cr_assert_str_eq(fault.message, r->message);
        cr_assert_eq(fault.at.line, r->line, "row %zu", i);
        cr_assert_eq(fault.at.column, r->column, "row %zu", i);
    }
}

/* A bad byte is found wherever it stands in a block of clean ones. */
Test(scan, refuses_at_every_offset)
{
    char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++) {
        struct tn_yaml_fault fault;
        memset(bytes, 'a', sizeof bytes);
        bytes[i] = '\x01';
        cr_assert(!scan(bytes, sizeof bytes, NULL, &fault));
        cr_assert_eq(fault.at.column, i + 1);
        bytes[i] = '\xc3';
        cr_assert(!scan(bytes, sizeof bytes, NULL, &fault));
        cr_assert_eq(fault.at.column, i + 1);
        if (i + 1 < sizeof bytes) {
            bytes[i + 1] = '\xa9';
            cr_assert(scan(bytes, sizeof bytes, NULL, &fault));
        }
    }
}

static const struct shape {
    const char *text;
    size_t depth;
} shapes[] = {
    {"", 0},
    {"a", 0},
    {"a: b\n", 1},
    {"a: b\r\nc:\r\n  d: e\r\n", 2},
    {"a:\n  b:\n    c: d\n", 3},
    {"- - - a\n", 3},
    {"? ? ? a\n", 3},
    {"a: [b, {c: d}]\n", 3},
    {"a: [b]\nc: [d]\n", 2},
    /* Text, not nesting. */
    {"a: it's [[[[ here\n", 1},
    {"a: \"[[[[ \\\" [[[\"\n", 1},
    {"a: '[[[ '' [['\n", 1},
    {"a: '\n  [[[\n\n  [['\n", 1},
    {"a: b # [[[ '\"\nc: [d]\n", 2},
    {"a: b#[[\n", 1},
    {"a: b\n  [[[ 'c\n  ]\nd: e\n", 1},
    {"a: |\n  [[[ \"\n  ' [[\nb: [c]\n", 2},
    {"a: >2-\n   [[[\n  [[\nb: [c]\n", 2},
    {"- |\n [[[\n- [a]\n", 2},
    {"- a: |\n   [[[\n  b: [c]\n", 3},
    {"--- |\n [[[\n", 0},
    {"a: http://[::1]:80/x\n", 1},
    {"a: !<tag:x,[['> b\n", 1},
    {"{a: 'b]', c: \"d}\"}\n", 1},
    /* Nesting that hides. */
    {"a: it's\nb: [[c]]\n", 3},
    {"a: 'b'\nc: [[d]] # '\n", 3},
    {"a: |\nb: [[c]]\n", 3},
    {"a: |\n\n\n  text\nb: [[c]]\n", 3},
    {"a: |\n      \n  b: [[c]]\n", 4},
    {"a: x |\n  [[c\n", 1},
    {"'a': [[b]]\n", 3},
    {"[a, 'b]', [[c]]]\n", 3},
    {"[a'b, [[c]], d']\n", 3},
    {"\"a\"#b\n", 0},
    {"a: !x 'b [[' \nc: [[d]]\n", 3},
    {"a: !x'y\nc: [[d]] # '\n", 3},
    {"a: &x'y\nc: [[d]] # '\n", 3},
    {"a:\n- b\n- - c\n", 2},
    {"? a\n: - b\n", 2},
    {"--- 'a\n b'\n---\n[[c]]\n", 2},
    {"a: 'x\n y'\n", 1},
    {"%YAML 1.1\n---\n[[a]]\n", 2},
};

Test(scan, measures_depth)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(shapes); i++) {
        struct tn_yaml_shape shape = {0};
        struct tn_yaml_fault fault;
        cr_assert(scan(shapes[i].text, strlen(shapes[i].text), &shape, &fault),
                  "%s: %s", shapes[i].text, fault.message);
        cr_assert_eq(shape.depth, shapes[i].depth, "%zu, not %zu: %s",
                     shape.depth, shapes[i].depth, shapes[i].text);
    }
}

static const char *const deepeners[] = {"[", "{", "- ", "? ", "{a: [", "[{"};

Test(scan, depth_at_the_limit)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(deepeners); i++) {
        size_t levels = strlen(deepeners[i]) > 2 ? 2 : 1;
        levels = strcmp(deepeners[i], "[{") == 0 ? 2 : levels;
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        size_t n = 0;
        for (; n < 32; n += levels) {
            tn_text_add(&t, deepeners[i]);
        }
        struct tn_yaml_shape shape = {0};
        struct tn_yaml_fault fault;
        cr_assert(scan(t.s, t.n, &shape, &fault), "%s", deepeners[i]);
        cr_assert_eq(shape.depth, n);
        size_t column = t.n + 1;
        tn_text_add(&t, deepeners[i]);
        cr_assert(!scan(t.s, t.n, NULL, &fault), "%s", deepeners[i]);
        cr_assert_str_eq(fault.message, "nested deeper than 32 levels");
        cr_assert_eq(fault.at.column, column);
    }
}

Test(scan, depth_by_indentation)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    struct tn_yaml_fault fault;
    for (int i = 0; i < 33; i++) {
        cr_assert(scan(tn_text_str(&t), t.n, NULL, &fault));
        tn_text_addf(&t, "%*sa:\n", i * 2, "");
    }
    cr_assert(!scan(t.s, t.n, NULL, &fault));
    cr_assert_eq(fault.at.line, 33);
    cr_assert_eq(fault.at.column, 66);
}

Test(scan, size_at_the_limit)
{
    size_t n = tn_yaml_limits_default.bytes;
    TN_CLEANUP(tn_cleanup_free) char *bytes = malloc(n + 1);
    struct tn_yaml_fault fault;
    memset(bytes, 'a', n + 1);
    cr_assert(scan(bytes, n, NULL, &fault));
    cr_assert(!scan(bytes, n + 1, NULL, &fault));
    cr_assert_str_eq(
        fault.message,
        "the file has 1048577 bytes, more than the 1048576 allowed");
}

/* What would make a quadratic scanner slow must not take a second here, under
 * sanitizers too. */
static const char *const slow[] = {
    "[",      "[]",  "{}",       "- ",  "? ",   "- a\n", "'",  "''",
    "\"\\\"", "|\n", "a: |\n\n", "#",   "%T\n", "a:",    ": ", "\n",
    "\n ",    "a\n", "!<",       "&a ", ",",    "[a,\n",
};

Test(scan, cost_is_linear)
{
    size_t n = tn_yaml_limits_default.bytes;
    TN_CLEANUP(tn_cleanup_free) char *bytes = malloc(n);
    for (size_t i = 0; i < TN_ARRAY_SIZE(slow); i++) {
        size_t len = strlen(slow[i]);
        for (size_t k = 0; k < n; k++) {
            bytes[k] = slow[i][k % len];
        }
        struct tn_yaml_fault fault;
        struct timespec a, b;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        (void) scan(bytes, n, NULL, &fault);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        double s = (double) (b.tv_sec - a.tv_sec) +
                   (double) (b.tv_nsec - a.tv_nsec) / 1e9;
        cr_assert_lt(s, 1.0, "%s: %f s", slow[i], s);
    }
}
