/* print_test.c - plans as people and programs see them, against goldens in
 * tests/plan/golden (TN_REGEN=1 writes them; read the difference in review). */
#include "reconciler/plan/print.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "tests/plan/fixture.h"

static const char commit[] = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

/* Some of everything, on three devices of which one is not reachable. */
static const struct tn_plan *
mixed(struct tn_arena *arena)
{
    static const char last[] =
        "blue/web bridge b-front 2 @10 | gateway=10.1.0.1/24; mtu=1500\n"
        "blue/web vxlan x-front 3 @10 claim=vni_5000 | mtu=1500; vni!=5000\n"
        "blue/web fdb 02:74:6e:00:00:07 4 @31 parent=vxlan/x-front | "
        "to=192.0.2.7\n"
        "blue/web port p-old 4 @44 | mac=02:74:6e:00:00:09\n"
        "blue/web rules sg 5 @50 | flood=192.0.2.1, 192.0.2.2, 192.0.2.3\n";
    static const char want[] =
        "blue/web bridge b-front 2 @10 | gateway=10.1.0.1/24; mtu=1450\n"
        "blue/web bridge b-back 2 @17 | gateway=10.1.1.1/24; mtu=1450\n"
        "blue/web vxlan x-front 3 @10 claim=vni_6000 | mtu=1450; vni!=6000\n"
        "blue/web vxlan x-back 3 @17 claim=vni_5000 | mtu=1450; vni!=5000\n"
        "blue/web fdb 02:74:6e:00:00:07 4 @31 parent=vxlan/x-front | "
        "to=192.0.2.7\n"
        "blue/web rules sg 5 @50 | flood=192.0.2.1, 192.0.2.3, 192.0.2.9\n"
        "blue/db bridge b-db 2 @5 | mtu=1450\n"
        "blue/db tunnel t1 2 @9 | key*=new secret\n"
        "green/lab bridge b-lab 2 @5 | mtu=1450\n"
        "green/lab port p1 4 @9 | mac=02:74:6e:00:00:01\n";
    static const char have[] =
        "blue/web bridge b-front 2 | gateway=10.1.0.1/24; mtu=9000\n"
        "blue/web vxlan x-front 3 claim=vni_5000 | mtu=1500; vni!=5000\n"
        "blue/web fdb 02:74:6e:00:00:07 4 parent=vxlan/x-front | "
        "to=192.0.2.7\n"
        "blue/web port p-old 4 | mac=02:74:6e:00:00:09\n"
        "blue/web port p-hand 4 | mac=02:74:6e:00:00:0a\n"
        "blue/web rules sg 5 | flood=192.0.2.1, 192.0.2.2, 192.0.2.3\n"
        "blue/db tunnel t1 2 | key*=old secret\n"
        "green/lab bridge b-lab 2 foreign | mtu=1500\n"
        "red/db bridge b-db 2 | mtu=1450\n"
        "red/db port p9 4 | mac=02:74:6e:00:00:0b\n"
        "- link eth0 1 foreign\n"
        "- link docker0 1 foreign | mtu=1500\n";
    static const struct tn_error down = {.code = TN_EUNAVAILABLE,
                                         .text =
                                             "connect to hv3: no route to host",
                                         .n_frames = 1};
    const struct tn_device_plan *devices[] = {
        tn_plan_unreachable(arena, "hv3", "kernel", &down),
        fixture_plan(arena, "hv1", last, want, have, "red"),
        fixture_plan(arena, "hv2", "",
                     "blue/web bridge b-front 2 @10 | mtu=1450",
                     "blue/web bridge b-front 2 | mtu=1450", NULL),
    };
    return tn_plan_build(arena, commit, "lab", devices, TN_ARRAY_SIZE(devices));
}

static const struct tn_plan *
nothing(struct tn_arena *arena)
{
    static const char state[] = "blue/web bridge b-front 2 @10 | mtu=1450";
    const struct tn_device_plan *devices[] = {
        fixture_plan(arena, "hv1", state, state, state, NULL)};
    return tn_plan_build(arena, commit, "lab", devices, 1);
}

/* A first apply: 'vpcs' VPCs of 40 objects; or their removal. */
static const struct tn_plan *
large(struct tn_arena *arena, int vpcs, bool removal)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (int v = 0; v < vpcs; v++) {
        for (int i = 0; i < 40; i++) {
            static const char *const kinds[] = {"fdb", "neighbour", "port",
                                                "route"};
            tn_text_addf(&t, "t%02d/v%d %s o%02d %d @%d | mtu=1450\n", v / 10,
                         v % 10, kinds[i % 4], i, i % 4 + 1, i + 1);
        }
    }
    const struct tn_device_plan *devices[] = {
        fixture_plan(arena, "hv1", removal ? t.s : "", removal ? "" : t.s,
                     removal ? t.s : "", NULL)};
    return tn_plan_build(arena, commit, "prod", devices, 1);
}

/* Names and values as an attacker would like them. */
static const struct tn_plan *
hostile(struct tn_arena *arena)
{
    static const char bad[] =
        "blue/web port \033[31mred 1 @3 | a=\033]0;title\007; b=line\x7f\r; "
        "c=\xc2\x9b"
        "31m; d=\xff\xfe raw; e=\xe2\x80\xae"
        "gnp.exe; "
        "f=\"quote\" \\ back; g=gr\xc3\xbc\xc3\x9f"
        "e";
    const struct tn_device_plan *devices[] = {
        fixture_plan(arena, "hv\0331", NULL, bad, "", NULL)};
    return tn_plan_build(arena, "\033[2J1234567", "la\nb", devices, 1);
}

static const struct tn_digest test_key = {{1, 2, 3}};

static void
check(const char *name, const struct tn_plan *plan,
      struct tn_print_options options)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    size_t n = strlen(name);
    if (strcmp(name + n - 5, ".json") == 0) {
        tn_plan_print_json(&out, plan, &options);
    } else {
        tn_plan_print_text(&out, plan, &options);
    }
    cr_assert(tn_is_utf8(out.s, out.n), "%s is not UTF-8", name);
    for (size_t i = 0; i < out.n; i++) {
        unsigned char c = (unsigned char) out.s[i];
        cr_assert(c == '\n' || (c >= 0x20 && c != 0x7f) ||
                      (c == 033 && options.color),
                  "%s: control character %u at %zu", name, c, i);
    }
    cr_assert(fixture_golden(name, out.s), "%s differs: see %s.new", name,
              name);
}

#define PRINT_TEST(test, file, plan, ...)                                      \
    Test(print, test)                                                          \
    {                                                                          \
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();  \
        check(file, plan, (struct tn_print_options){__VA_ARGS__});             \
    }

PRINT_TEST(mixed_text, "mixed.txt", mixed(arena), .color = false)
PRINT_TEST(mixed_colour, "mixed.colour.txt", mixed(arena), .color = true)
PRINT_TEST(mixed_json, "mixed.json", mixed(arena), .color = false)
PRINT_TEST(secrets, "secret.json", mixed(arena), .fingerprint_key = &test_key)
PRINT_TEST(secrets_text, "secret.txt", mixed(arena), .verbose = true,
           .fingerprint_key = &test_key)
PRINT_TEST(nothing_text, "nothing.txt", nothing(arena), .color = false)
PRINT_TEST(nothing_json, "nothing.json", nothing(arena), .color = false)
PRINT_TEST(large_text, "large.txt", large(arena, 300, false), .color = false)
PRINT_TEST(medium_text, "medium.txt", large(arena, 3, false), .color = false)
PRINT_TEST(removal_text, "removal.txt", large(arena, 5, true), .color = false)
PRINT_TEST(hostile_text, "hostile.txt", hostile(arena), .color = false)
PRINT_TEST(hostile_json, "hostile.json", hostile(arena), .color = false)

Test(print, a_large_plan_stays_readable_and_verbose_shows_all)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_plan *plan = large(arena, 300, false);
    static const size_t most[] = {400, 40000}, least[] = {100, 24000};
    cr_assert_eq(plan->counts.add, 12000);
    for (int verbose = 0; verbose < 2; verbose++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
        struct tn_print_options options = {.verbose = verbose};
        size_t lines = 0;
        tn_plan_print_text(&out, plan, &options);
        for (const char *s = out.s; (s = strchr(s, '\n')); s++) {
            lines++;
        }
        cr_assert_lt(lines, most[verbose]);
        cr_assert_gt(lines, least[verbose]);
    }
}

/* The same whatever order devices come in; and another for another plan. */
Test(print, plans_are_byte_equal_and_have_a_name)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_plan *p = mixed(arena), *q = mixed(arena);
    const struct tn_device_plan *turned[] = {q->devices[2], q->devices[0],
                                             q->devices[1]};
    const struct tn_plan *r = tn_plan_build(arena, commit, "lab", turned, 3);
    const struct tn_plan *s = tn_plan_build(arena, commit, "prod", turned, 3);
    TN_CLEANUP(tn_cleanup_text) struct tn_text a = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text b = {0};
    struct tn_print_options options = {.verbose = true};
    tn_plan_print_json(&a, p, &options);
    tn_plan_print_json(&b, r, &options);
    cr_assert_str_eq(a.s, b.s);
    cr_assert(tn_digest_eq(&p->digest, &r->digest));
    cr_assert(!tn_digest_eq(&p->digest, &s->digest));
}

Test(print, secrets_never_appear)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_plan *plan = mixed(arena);
    for (int i = 0; i < 4; i++) {
        struct tn_print_options options = {
            .verbose = true, .fingerprint_key = i & 1 ? &test_key : NULL};
        TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
        if (i & 2) {
            tn_plan_print_json(&out, plan, &options);
        } else {
            tn_plan_print_text(&out, plan, &options);
        }
        cr_assert_null(strstr(out.s, "old secret"));
        cr_assert_null(strstr(out.s, "new secret"));
    }
}

Test(print, exit_codes)
{
    static const struct {
        const char *last, *want, *have;
        int code;
    } rows[] = {
        {"- k a 1 | m=1", "- k a 1 | m=1", "- k a 1 | m=1", 0},
        {"- k a 1 | m=1", "- k a 1 | m=1", "- k a 1 | m=2", 3},
        {"- k a 1 | m=1", "- k a 1 | m=2", "- k a 1 | m=1", 2},
        {"- k a 1 | m=1", "- k a 1 | m=2", "- k a 1 | m=3", 2},
        {"- k a 1 | m=1", "- k a 1 | m=1\n- k b 1", "- k a 1 | m=2", 2},
        {"", "t/v k a 1 | m=1", "t/v k a 1 foreign", 2},
        {"", "", "- k a 1 foreign", 0},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_device_plan *d = fixture_plan(
            arena, "hv1", rows[i].last, rows[i].want, rows[i].have, NULL);
        const struct tn_plan *p = tn_plan_build(arena, commit, "lab", &d, 1);
        cr_assert_eq(tn_plan_exit_code(p), rows[i].code, "row %zu", i);
    }
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    cr_assert_eq(tn_plan_exit_code(mixed(arena)), 7);
}
