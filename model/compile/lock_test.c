/* lock_test.c - lock files: what the printer wrote, and what people made of it.
 *
 * There are two readers, one for the printer's own lines and one for YAML. A
 * comment in front of a file keeps the first away, so that the second says what
 * the first should have read. */
#include "model/compile/lock.h"

#include <string.h>

#include <criterion/criterion.h>

#define HEAD                                                                   \
    "# Identifiers in use; written by 'tenet lock'.  Do not edit.\n"           \
    "apiVersion: tenet/v1\nkind: Lock\n"

struct reading {
    bool fine;
    const struct tn_pin *pins;
    size_t n, n_errors;
};

static struct reading
parse(struct tn_arena *arena, const char *prefix, const char *bytes, size_t n)
{
    struct tn_diags diags;
    struct tn_text text = {0};
    struct reading r = {0};
    tn_diags_init(&diags, arena);
    tn_text_add(&text, prefix);
    tn_text_addn(&text, bytes, n);
    const char *copy = tn_arena_strndup(arena, tn_text_str(&text), text.n);
    r.fine = tn_lock_parse(arena, "a.yml", "acme", copy, text.n, &r.pins, &r.n,
                           &diags);
    r.n_errors = diags.n_errors;
    tn_text_done(&text);
    return r;
}

static bool
same_pin(const struct tn_pin *a, const struct tn_pin *b)
{
    return strcmp(a->tenant, b->tenant) == 0 &&
           strcmp(a->object, b->object) == 0 && a->vni == b->vni &&
           tn_mac_cmp(&a->mac, &b->mac) == 0 &&
           tn_addr_cmp(&a->address, &b->address) == 0 &&
           tn_addr_cmp(&a->address6, &b->address6) == 0;
}

/* Both readers think the same of it. */
static struct reading
parse_both(struct tn_arena *arena, const char *bytes, size_t n)
{
    struct reading a = parse(arena, "", bytes, n);
    struct reading b = parse(arena, "# by hand\n", bytes, n);
    cr_assert_eq(a.fine, b.fine, "%.*s", (int) n, bytes);
    cr_assert_eq(a.n_errors, b.n_errors, "%.*s", (int) n, bytes);
    if (a.fine) {
        cr_assert_eq(a.n, b.n, "%.*s", (int) n, bytes);
        for (size_t i = 0; i < a.n; i++) {
            cr_assert(same_pin(&a.pins[i], &b.pins[i]), "%.*s", (int) n, bytes);
        }
    }
    return a;
}

static const char whole[] =
    HEAD "pins:\n"
         "  port/a: {}\n"
         "  port/b: {mac: \"02:be:00:00:00:01\"}\n"
         "  port/c: {mac: \"02:be:00:00:00:02\", address: 10.0.0.1}\n"
         "  port/d: {mac: \"02:be:00:00:00:03\", address: 10.0.0.2, address6: "
         "\"2001:db8::1\"}\n"
         "  port/e: {address: \"2001:db8::2\"}\n"
         "  subnet/web/back: {vni: 16777215}\n"
         "  subnet/web/front: {vni: 1}\n";

Test(lock, what_was_printed_is_read)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_text text = {0};
    struct reading r = parse_both(arena, whole, sizeof whole - 1);
    cr_assert(r.fine);
    cr_assert_eq(r.n, 7);
    cr_expect_eq(r.pins[5].vni, 16777215);
    cr_expect_eq(r.pins[3].address6.family, TN_AF_IPV6);
    tn_lock_print(&text, r.pins, r.n);
    cr_expect_str_eq(tn_text_str(&text), whole);
    tn_text_clear(&text);
    tn_lock_print(&text, NULL, 0);
    cr_expect_str_eq(tn_text_str(&text), HEAD "pins: {}\n");
    cr_expect(parse_both(arena, text.s, text.n).fine);
    tn_text_done(&text);
    tn_arena_free(arena);
}

/* That the first reader reads at all: a tree of nodes is larger. */
Test(lock, what_was_printed_is_read_in_lines)
{
    struct tn_text text = {0};
    size_t taken[2] = {0};
    static const char *const prefix[] = {"", "# by hand\n"};
    tn_text_add(&text, HEAD "pins:\n");
    for (unsigned i = 1000; i < 3000; i++) {
        tn_text_addf(&text, "  port/p%u: {vni: %u}\n", i, i);
    }
    for (size_t i = 0; i < 2; i++) {
        struct tn_arena *arena = tn_arena_new();
        struct reading r = parse(arena, prefix[i], text.s, text.n);
        cr_assert(r.fine);
        cr_expect_eq(r.n, 2000);
        taken[i] = tn_arena_size(arena);
        tn_arena_free(arena);
    }
    cr_expect(taken[0] * 2 < taken[1], "%zu, %zu", taken[0], taken[1]);
    tn_text_done(&text);
}

struct row {
    const char *lines;
    size_t n; /* Pins. */
    bool wrong;
};

static const struct row rows[] = {
    {"", 0, false},
    {"  port/a: {}", 1, false},
    {"  port/b: {}\n  port/a: {}\n", 2, false},
    {"  port/a: {address: 10.0.0.1, mac: \"02:be:00:00:00:01\"}\n", 1, false},
    {"  port/a: {vni: 7, vni: 8}\n", 0, true},
    {"  port/a: {address: 10.0.0.1, address: 10.0.0.2}\n", 0, true},
    {"  port/a: {address: \"::1\", address: 10.0.0.2}\n", 0, true},
    {"  port/a: {address6: \"::1\", address: 10.0.0.2}\n", 1, false},
    {"  port/a: {}\n  port/a: {}\n", 0, true},
    {"  port/a: {vni: 7}\n  port/b: {vni: 7}\n", 0, true},
    {"  port/a: {vni: 0}\n", 0, true},
    {"  port/a: {vni: 16777216}\n", 0, true},
    {"  port/a: {vni: 99999999999}\n", 0, true},
    {"  port/a: {vni: 007}\n", 0, true},
    {"  port/a: {vni: \"7\"}\n", 0, true},
    {"  port/a: {mac: \"01:be:00:00:00:01\"}\n", 0, true},
    {"  port/a: {mac: \"00:00:00:00:00:00\"}\n", 0, true},
    {"  port/a: {mac: \"02:be:00:00:00:0\"}\n", 0, true},
    {"  port/a: {mac: 02:be:00:00:00:01}\n", 1, false},
    {"  port/a: {mac: \"02:BE:00:00:00:01\"}\n", 1, false},
    {"  port/a: {address: \"10.0.0.1\"}\n", 1, false},
    {"  port/a: {address: 10.0.0.256}\n", 0, true},
    {"  port/a: {address6: \"10.0.0.1\"}\n", 0, true},
    {"  port/a: {address6: ::1}\n", 0, true},
    {"  port/a: {colour: red}\n", 0, true},
    {"  port/a: {vni: 7,}\n", 1, false},
    {"  port/a: {vni: 7} # mine\n", 1, false},
    {"  port/a: {vni: 7}\r\n", 1, false},
    {"  port/a: 7\n", 0, true},
    {"  port/A: {}\n", 0, true},
    {"  port/: {}\n", 0, true},
    {"  lan/a: {}\n", 0, true},
    {"  subnet/a: {}\n", 0, true},
    {"  subnet/a/b/c: {}\n", 0, true},
    {"  ? port/a\n  : {}\n", 1, false},
    {"  port/a: {}\ncolour: red\n", 0, true},
    {"  port/a: {}\n---\n{}\n", 0, true},
};

Test(lock, other_lines_are_yaml)
{
    struct tn_arena *arena = tn_arena_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_text text = {0};
        tn_text_add(&text, HEAD "pins:\n");
        tn_text_add(&text, rows[i].lines);
        struct reading r = parse_both(arena, text.s, text.n);
        cr_expect_eq(r.fine, !rows[i].wrong, "%s", rows[i].lines);
        cr_expect(!r.fine || r.n == rows[i].n, "%s", rows[i].lines);
        tn_text_done(&text);
    }
    tn_arena_free(arena);
}

/* Any byte may be any other, be missing, or be there twice. */
Test(lock, both_readers_agree)
{
    static const char bytes[] = "\n \"'{}[]:,#-/.0179abfz\t\\&*!|>%@`\x80";
    for (size_t at = sizeof HEAD - 1; at < sizeof whole - 1; at++) {
        struct tn_arena *arena = tn_arena_new();
        char text[sizeof whole];
        for (size_t k = 0; k < sizeof bytes - 1; k++) {
            memcpy(text, whole, sizeof whole);
            text[at] = bytes[k];
            (void) parse_both(arena, text, sizeof whole - 1);
        }
        memcpy(text, whole, at);
        memcpy(text + at, whole + at + 1, sizeof whole - 1 - at);
        (void) parse_both(arena, text, sizeof whole - 2);
        (void) parse_both(arena, whole, at);
        tn_arena_free(arena);
    }
}
