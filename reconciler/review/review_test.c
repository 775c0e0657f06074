/* review_test.c - every form against goldens in tests/review/golden
 * (TN_REGEN=1 writes them); tests/review/formats_check.py reads them as their
 * readers would. */
#include "reconciler/review/review.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "tests/plan/fixture.h"

static const char commit[] = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
static const char base[] = "0000111122223333444455556666777788889999";
static const struct tn_digest test_key = {{1, 2, 3}};

/* What a tenant would write who wants to be heard. */
#define EVIL                                                                   \
    "@everyone --> </details><script>alert(1)</script> ``` ~~~ "               \
    "[x](http://evil.example) #1 !2 ::error::pwned ##[error]x ]]> & \" '"

static const struct tn_finding findings[] = {
    {.severity = TN_SEVERITY_DENY,
     .rule = "no-world-open-ports",
     .message = "port 22 of acme/web is open to 0.0.0.0/0",
     .hint = "name the addresses that need it, or ask for a waiver",
     .at = {"tenants/blue/web.yml", 12, 7},
     .law = {"policies/ports.yml", 3, 1},
     .tenant = "blue",
     .subject = "blue/web/sg"},
    {.severity = TN_SEVERITY_WARN,
     .rule = "snapshot-age",
     .message = "hv1 was last seen 40 days ago"},
    {.severity = TN_SEVERITY_INFO,
     .rule = "labels",
     .message = EVIL,
     .hint = EVIL,
     .at = {"tenants/x,y:z/%0A::error::.yml", 1, 0},
     .tenant = "evil\n::error::x",
     .subject = EVIL},
    {.severity = TN_SEVERITY_DENY,
     .rule = "protected",
     .message = "blue/db is protected",
     .at = {"tenants/blue/db.yml", 1, 1},
     .tenant = "blue",
     .waiver = "moved on purpose (ann, until 2026-12-31)"},
};

static const struct tn_review_access reach[] = {
    {true,
     "blue",
     "blue/web1 reaches blue/db1 on tcp 5432",
     {"tenants/blue/web.yml", 30, 1}},
    {false, "blue", "blue/web1 reaches " EVIL, {0}},
};

static void
judge(struct tn_arena *arena, struct tn_verdict *out)
{
    struct tn_findings list = {.arena = arena};
    for (size_t i = 0; i < TN_ARRAY_SIZE(findings); i++) {
        tn_finding_add(&list, &findings[i]);
    }
    tn_verdict_build(&list, out);
}

static const struct tn_plan *
mixed(struct tn_arena *arena)
{
    static const char last[] =
        "blue/web bridge b-front 2 @10 | gateway=10.1.0.1/24; mtu=1500\n"
        "blue/web vxlan x-front 3 @10 claim=vni_5000 | mtu=1500; vni!=5000\n"
        "blue/web port p-old 4 @44 | mac=02:74:6e:00:00:09\n"
        "blue/web rules sg 5 @50 | flood=192.0.2.1, 192.0.2.2, 192.0.2.3\n";
    static const char want[] =
        "blue/web bridge b-front 2 @10 | gateway=10.1.0.1/24; mtu=1450\n"
        "blue/web vxlan x-front 3 @10 claim=vni_6000 | mtu=1450; vni!=6000\n"
        "blue/web vxlan x-back 3 @17 claim=vni_5000 | mtu=1450; vni!=5000\n"
        "blue/web rules sg 5 @50 | flood=192.0.2.1, 192.0.2.3, 192.0.2.9\n"
        "blue/db tunnel t1 2 @9 | key*=new secret\n"
        "green/lab bridge b-lab 2 @5 | mtu=1450\n"
        "- link uplink 1 @3 | mtu=9000\n";
    static const char have[] =
        "blue/web bridge b-front 2 | gateway=10.1.0.1/24; mtu=9000\n"
        "blue/web vxlan x-front 3 claim=vni_5000 | mtu=1500; vni!=5000\n"
        "blue/web port p-old 4 | mac=02:74:6e:00:00:09\n"
        "blue/web rules sg 5 | flood=192.0.2.1, 192.0.2.2, 192.0.2.3\n"
        "blue/db tunnel t1 2 | key*=old secret\n"
        "red/lab bridge b-lab 2 foreign | mtu=1500\n"
        "green/lab bridge b-lab 2 foreign | mtu=1500\n";
    static const struct tn_error down = {.code = TN_EUNAVAILABLE,
                                         .text =
                                             "connect to hv3: no route to host",
                                         .n_frames = 1};
    const struct tn_device_plan *devices[] = {
        tn_plan_unreachable(arena, "hv3", "kernel", &down),
        fixture_plan(arena, "hv1", last, want, have, NULL),
        fixture_plan(arena, "hv2", "",
                     "blue/web bridge b-front 2 @10 | mtu=1450", "", NULL),
    };
    return tn_plan_build(arena, commit, "lab", devices, TN_ARRAY_SIZE(devices));
}

/* Names and values as an attacker would like them. */
static const struct tn_plan *
hostile(struct tn_arena *arena)
{
    static const char bad[] =
        "@all/--> port </details> 1 @3 | a=\033]0;title\007; b=```; "
        "c=<!--_tenet:lab_-->; d=\xff\xfe raw; e=\xe2\x80\xae"
        "gnp.exe; f=@everyone; g=::error::x; h=##[error]x; i=]]>; "
        "j=\xef\xbf\xbf";
    const struct tn_device_plan *devices[] = {
        fixture_plan(arena, "hv1\n```\n@everyone", NULL, bad, "", NULL)};
    return tn_plan_build(arena, commit, "la-->b@everyone", devices, 1);
}

static const struct tn_plan *
nothing(struct tn_arena *arena)
{
    static const char state[] = "blue/web bridge b-front 2 @10 | mtu=1450";
    const struct tn_device_plan *devices[] = {
        fixture_plan(arena, "hv1", state, state, state, NULL)};
    return tn_plan_build(arena, commit, "lab", devices, 1);
}

/* A first apply of 'tenants' tenants with 'each' objects. */
static const struct tn_plan *
large(struct tn_arena *arena, int tenants, int each)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (int v = 0; v < tenants; v++) {
        for (int i = 0; i < each; i++) {
            tn_text_addf(&t, "t%04d/web port o%05d 1 @%d | mtu=1450\n", v, i,
                         i + 1);
        }
    }
    const struct tn_device_plan *devices[] = {
        fixture_plan(arena, "hv1", "", t.s, "", NULL)};
    return tn_plan_build(arena, commit, "prod", devices, 1);
}

static void
check(const char *kind, const char *name, const struct tn_review *review)
{
    char path[200];
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    const struct tn_review_format *f = tn_review_format_get(kind);
    cr_assert_not_null(f, "%s", kind);
    f->print(&out, review);
    snprintf(path, sizeof path, "../../review/golden/%s.%s", name, f->file);
    cr_assert(tn_is_utf8(tn_text_str(&out), out.n), "%s is not UTF-8", path);
    for (size_t i = 0; i < out.n; i++) {
        unsigned char c = (unsigned char) out.s[i];
        cr_assert(c == '\n' || (c >= 0x20 && c != 0x7f),
                  "%s: control character %u at %zu", path, c, i);
    }
    cr_assert_null(strstr(tn_text_str(&out), "new secret"), "%s", path);
    cr_assert_null(strstr(tn_text_str(&out), "old secret"), "%s", path);
    cr_assert(fixture_golden(path, tn_text_str(&out)), "%s differs", path);
}

static void
check_all(const char *name, const struct tn_review *review)
{
    static const char *const kinds[] = {"markdown", "junit",       "sarif",
                                        "gitlab",   "codequality", "github"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++) {
        check(kinds[i], name, review);
    }
}

Test(review, mixed)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    static const char *const notes[] = {
        "hv1: planned against its snapshot, which last differed 2 days ago"};
    struct tn_verdict verdict;
    judge(arena, &verdict);
    struct tn_review r = {
        .plan = mixed(arena),
        .verdict = &verdict,
        .access = reach,
        .n_access = TN_ARRAY_SIZE(reach),
        .environment = "lab",
        .base = base,
        .head = commit,
        .notes = notes,
        .n_notes = 1,
        .artifact = "https://forge.example/acme/net/-/jobs/7/artifacts/browse",
        .version = "1.2.3",
    };
    check_all("mixed", &r);
    cr_assert(tn_review_denied(&r));
    cr_assert_not(tn_review_invalid(&r));
    cr_assert_str_eq(tn_review_summary(arena, &r),
                     "Denied: 1 finding. 3 to add, 3 to change, 1 to replace, "
                     "1 to destroy; 3 warnings");
    r.fingerprint_key = &test_key;
    check("markdown", "secret", &r);
}

Test(review, hostile)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    static const char *const notes[] = {EVIL};
    struct tn_diags diags;
    struct tn_verdict verdict;
    judge(arena, &verdict);
    tn_diags_init(&diags, arena);
    tn_diag(&diags, TN_ERROR, (struct tn_origin){"a`b/@all.yml", 3, 1}, "%s",
            EVIL)
        ->hint = EVIL;
    struct tn_review r = {
        .plan = hostile(arena),
        .verdict = &verdict,
        .diags = &diags,
        .environment = "la-->b@everyone--",
        .notes = notes,
        .n_notes = 1,
        .artifact = "https://x.example/a)[@all](b",
        .version = "1.2.3",
    };
    check_all("hostile", &r);
}

Test(review, nothing_to_do_and_nothing_to_say)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    static const struct tn_verdict fine;
    struct tn_review r = {.plan = nothing(arena),
                          .verdict = &fine,
                          .environment = "lab",
                          .head = commit,
                          .version = "1.2.3"};
    check_all("nothing", &r);
    cr_assert_not(tn_review_denied(&r));
    cr_assert_str_eq(tn_review_summary(arena, &r), "No changes");
}

Test(review, an_intent_that_does_not_compile)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    static const struct tn_verdict fine;
    struct tn_diags diags;
    tn_diags_init(&diags, arena);
    tn_diag(&diags, TN_ERROR, (struct tn_origin){"tenet.yml", 3, 1},
            "unknown field 'spce'")
        ->hint = "did you mean 'spec'?";
    struct tn_review r = {.verdict = &fine,
                          .diags = &diags,
                          .environment = "lab",
                          .head = commit,
                          .version = "1.2.3"};
    check_all("invalid", &r);
    cr_assert(tn_review_invalid(&r) && tn_review_denied(&r));
}

/* Out of reach is a warning; what a device refuses is no valid intent. */
Test(review, devices_without_a_plan)
{
    static const struct {
        enum tn_code code;
        bool invalid;
        const char *summary;
    } rows[] = {
        {TN_EUNAVAILABLE, false, "No changes; 1 warning"},
        {TN_EDENIED, false, "No changes; 1 warning"},
        {TN_EUNSUPPORTED, true, "Invalid: 1 error. No changes"},
        {TN_EINTENT, true, "Invalid: 1 error. No changes"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        static const struct tn_verdict fine;
        struct tn_error why = {
            .code = rows[i].code, .text = "no", .n_frames = 1};
        const struct tn_device_plan *devices[] = {
            tn_plan_unreachable(arena, "hv1", "kernel", &why)};
        struct tn_review r = {
            .plan = tn_plan_build(arena, commit, "lab", devices, 1),
            .verdict = &fine,
            .environment = "lab"};
        cr_expect_eq(tn_review_invalid(&r), rows[i].invalid, "row %zu", i);
        cr_expect_eq(tn_review_denied(&r), rows[i].invalid, "row %zu", i);
        cr_expect_str_eq(tn_review_summary(arena, &r), rows[i].summary);
    }
}

struct bound {
    int tenants, each;
    size_t limit, findings;
};

static size_t
count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *s = text; (s = strstr(s, what)); s++) {
        n++;
    }
    return n;
}

Test(review, a_comment_is_cut_between_objects)
{
    static const struct bound rows[] = {
        {1, 5000, 0, 0},        {3, 2000, 65000, 3000}, {2000, 3, 65000, 0},
        {2000, 3, 8000, 4000},  {50, 50, 4000, 10},     {50, 50, 1, 0},
        {300, 100, 990000, 99}, {1, 20000, 0, 0},       {20000, 1, 990000, 50},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
        struct tn_findings list = {.arena = arena};
        struct tn_verdict verdict;
        for (size_t k = 0; k < rows[i].findings; k++) {
            struct tn_finding f = findings[0];
            f.at.line = (uint32_t) k + 1;
            tn_finding_add(&list, &f);
        }
        tn_verdict_build(&list, &verdict);
        struct tn_review r = {.plan =
                                  large(arena, rows[i].tenants, rows[i].each),
                              .verdict = &verdict,
                              .environment = "prod",
                              .head = commit,
                              .artifact = "tenet-ci/prod",
                              .version = "1.2.3",
                              .limit = rows[i].limit};
        size_t limit = rows[i].limit == 0   ? TN_REVIEW_LIMIT
                       : rows[i].limit == 1 ? TN_REVIEW_LIMIT_LEAST
                                            : rows[i].limit;
        tn_review_format_get("markdown")->print(&out, &r);
        cr_assert_leq(out.n, limit, "row %zu: %zu bytes", i, out.n);
        cr_assert_gt(out.n, limit / 2, "row %zu: only %zu bytes", i, out.n);
        cr_assert_eq(count(out.s, "<details"), count(out.s, "</details>"));
        cr_assert_eq(count(out.s, "```") % 2, 0);
        cr_assert_eq(count(out.s, "This is not all of it"), 1);
        cr_assert_not_null(strstr(out.s, "tenet-ci/prod"));
        const char *more = strstr(out.s, "# ... and ");
        if (rows[i].tenants == 1) { /* What is missing is what is not there. */
            cr_assert_not_null(more);
            cr_assert_eq(count(out.s, "\n+ ") + strtoul(more + 10, NULL, 10),
                         (size_t) rows[i].each);
        }
        cr_assert_eq(strncmp(out.s, "<!-- tenet:prod -->\n", 20), 0);
    }
}

/* One large tenant leaves room for the others. */
Test(review, a_large_tenant_hides_nobody)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0}, out = {0};
    static const struct tn_verdict fine;
    for (int i = 0; i < 3000; i++) {
        tn_text_addf(&t, "aaa/web port o%05d 1 @1 | mtu=1\n", i);
    }
    tn_text_add(&t, "zzz/web port last 1 @1 | mtu=1\n");
    const struct tn_device_plan *devices[] = {
        fixture_plan(arena, "hv1", "", t.s, "", NULL)};
    struct tn_review r = {.plan =
                              tn_plan_build(arena, commit, "prod", devices, 1),
                          .verdict = &fine,
                          .environment = "prod"};
    tn_review_format_get("markdown")->print(&out, &r);
    cr_assert_not_null(strstr(out.s, "port last"));
    cr_assert_lt(out.n, TN_REVIEW_LIMIT);
}
