/* verdict_test.c - a row a meaning: bodies as NSX and what stands before it
 * write them. */
#include "drivers/nsx/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/attr.h"
#include "model/base/text.h"

#define BODY(status, code, text)                                               \
    "{\"httpStatus\":\"" status "\",\"error_code\":" code                      \
    ",\"module_name\":\"policy\",\"error_message\":\"" text "\"}"
#define BAD(code, text) BODY("BAD_REQUEST", code, text)

struct row {
    const char *name;
    int status;
    const char *body;
    enum tn_nsx_action action;
    long long code;
    enum tn_code class;
};

static const struct row rows[] = {
    {"stored", 200, "", TN_NSX_DONE, 0, TN_OK},
    {"no content", 204, "", TN_NSX_DONE, 0, TN_OK},
    {"field validation", 400,
     BAD("255", "Field level validation errors: {required property X is "
                "missing}"),
     TN_NSX_FAIL, 255, TN_EDENIED},
    {"page overflow", 400,
     BAD("255", "Field level validation errors: {page_size 1000 is too big}"),
     TN_NSX_SMALLER, 255, TN_EUNAVAILABLE},
    {"unknown property", 400,
     "{\"httpStatus\":\"BAD_REQUEST\",\"error_code\":287,\"module_name\":"
     "\"common-services\",\"error_message\":\"Json de-serialization error: "
     "property pool_allocation is unrecognized.\"}",
     TN_NSX_FAIL, 287, TN_EUNSUPPORTED},
    {"not the owner", 400,
     BAD("8327", "Principal 'b' with role '[enterprise_admin]' attempts to "
                 "delete or modify an object of type Segment it doesn't own. "
                 "(createUser=a, allowOverwrite=null)"),
     TN_NSX_DENIED, 8327, TN_EDENIED},
    {"overlapping VLAN", 400, BAD("640873", "x"), TN_NSX_FAIL, 640873,
     TN_EDENIED},
    {"migration coordinator", 400, BAD("30722", "busy"), TN_NSX_RETRY, 30722,
     TN_EUNAVAILABLE},
    {"search: indexing", 400, BAD("60508", "x"), TN_NSX_RETRY, 60508,
     TN_EUNAVAILABLE},
    {"search: timeout", 400, BAD("60514", "x"), TN_NSX_RETRY, 60514,
     TN_EUNAVAILABLE},
    {"search: out of sync", 400, BAD("60515", "x"), TN_NSX_RETRY, 60515,
     TN_EUNAVAILABLE},
    {"no such path", 400, BAD("500012", "The path=[/infra/x] is invalid"),
     TN_NSX_ABSENT, 500012, TN_ENOENT},
    {"no such path, as 404", 404,
     BODY("NOT_FOUND", "500012", "The path=[/infra/x] is invalid"),
     TN_NSX_ABSENT, 500012, TN_ENOENT},
    {"no such path, as 500 without its number", 500,
     BODY("INTERNAL_SERVER_ERROR", "1",
          "The path=[/infra/x] is invalid and so on"),
     TN_NSX_ABSENT, 1, TN_ENOENT},
    {"referred to", 400,
     BAD("500030", "The object path=[/infra/x] cannot be deleted as either it "
                   "has children or it is being referenced by other objects "
                   "path=[/infra/y,/infra/z]."),
     TN_NSX_REFERRED, 500030, TN_ESTALE},
    {"not purged", 400,
     BAD("500045", "same path is pending delete, wait for the purge cycle"),
     TN_NSX_WAIT, 500045, TN_EUNAVAILABLE},
    {"stale 500087", 400, BAD("500087", "x"), TN_NSX_REREAD, 500087, TN_ESTALE},
    {"stale 500232", 400, BAD("500232", "x"), TN_NSX_REREAD, 500232, TN_ESTALE},
    {"stale 100148", 400, BAD("100148", "x"), TN_NSX_REREAD, 100148, TN_ESTALE},
    {"overlapping address", 400,
     BAD("500105", "Address 10.200.10.30 overlaps with Segment path=[/infra/s] "
                   "that has subnet 10.200.10.0/24."),
     TN_NSX_FAIL, 500105, TN_EDENIED},
    {"exists", 400,
     BAD("500127", "Cannot create an object with "
                   "path=[/infra/domains/default/groups/x] as it already "
                   "exists."),
     TN_NSX_EXISTS, 500127, TN_ESTALE},
    {"VIFs", 400, BAD("503040", "x"), TN_NSX_WAIT, 503040, TN_EUNAVAILABLE},
    {"IP block", 400, BAD("520100", "x"), TN_NSX_WAIT, 520100, TN_EUNAVAILABLE},
    {"hierarchy under way", 400,
     "{\"httpStatus\":\"BAD_REQUEST\",\"error_message\":\"The object "
     "AtomicRequest/1234 is already present in the system\"}",
     TN_NSX_RETRY, 0, TN_EUNAVAILABLE},
    {"hierarchy under way, as 409", 409,
     BODY("CONFLICT", "7", "AtomicRequest/1 is already present in the system"),
     TN_NSX_RETRY, 7, TN_EUNAVAILABLE},
    {"internal framework", 400, BAD("2602", "x"), TN_NSX_DENIED, 2602,
     TN_EDENIED},
    {"400 of which nothing is known", 400, BAD("123456", "x"), TN_NSX_FAIL,
     123456, TN_EDENIED},
    {"XSRF token", 403, BODY("FORBIDDEN", "98", "x"), TN_NSX_LOGIN, 98,
     TN_EDENIED},
    {"credentials", 403,
     "{\"module_name\":\"common-services\",\"error_message\":\"The credentials "
     "were incorrect or the account specified has been "
     "locked.\",\"error_code\":403}",
     TN_NSX_LOGIN, 403, TN_EDENIED},
    {"licence", 403, BODY("FORBIDDEN", "505", "x"), TN_NSX_DENIED, 505,
     TN_EDENIED},
    {"no longer authenticated", 403,
     "You are no longer authenticated. Please login again", TN_NSX_LOGIN, 0,
     TN_EDENIED},
    {"role", 403, BODY("FORBIDDEN", "289", "x"), TN_NSX_LOGIN, 289, TN_EDENIED},
    {"401 of a proxy", 401, "<html>Unauthorized</html>", TN_NSX_LOGIN, 0,
     TN_EDENIED},
    {"no such object", 404,
     BODY("NOT_FOUND", "600",
          "The requested object : x could not be found. Object identifiers "
          "are case sensitive."),
     TN_NSX_ABSENT, 600, TN_ENOENT},
    {"no such backend object", 404, BODY("NOT_FOUND", "202", "x"), TN_NSX_RETRY,
     202, TN_EUNAVAILABLE},
    {"stale as 404", 404, BODY("NOT_FOUND", "500090", "x"), TN_NSX_REREAD,
     500090, TN_ESTALE},
    {"404 without a number", 404, "{\"httpStatus\":\"NOT_FOUND\"}",
     TN_NSX_ABSENT, 0, TN_ENOENT},
    {"404 without a body", 404, "", TN_NSX_ABSENT, 0, TN_ENOENT},
    {"404 of a proxy", 404, "<html><body>404 Not Found nginx</body></html>",
     TN_NSX_RETRY, 0, TN_EUNAVAILABLE},
    {"405", 405, "{}", TN_NSX_FAIL, 0, TN_EUNSUPPORTED},
    {"concurrent change", 409, BODY("CONFLICT", "206", "x"), TN_NSX_REREAD, 206,
     TN_ESTALE},
    {"409 alone", 409, "", TN_NSX_REREAD, 0, TN_ESTALE},
    {"stale PUT", 412,
     BODY("PRECONDITION_FAILED", "604",
          "Object _revision mismatch! (current: 3, requested: 2). Fetch the "
          "latest copy of the object and retry!"),
     TN_NSX_REREAD, 604, TN_ESTALE},
    {"412 206", 412, BODY("PRECONDITION_FAILED", "206", "x"), TN_NSX_REREAD,
     206, TN_ESTALE},
    {"rate, its number a text and no httpStatus", 429,
     "{\"module_name\":\"common-services\",\"error_message\":\"Client 'admin' "
     "exceeded request rate of 100 per second\",\"error_code\":\"102\"}",
     TN_NSX_SLOWER, 102, TN_EUNAVAILABLE},
    {"rate, in plain text", 429, "Too Many Requests", TN_NSX_SLOWER, 0,
     TN_EUNAVAILABLE},
    {"cannot connect", 500, BODY("INTERNAL_SERVER_ERROR", "98", "x"),
     TN_NSX_RETRY, 98, TN_EUNAVAILABLE},
    {"client certificate", 500, BODY("INTERNAL_SERVER_ERROR", "99", "x"),
     TN_NSX_DENIED, 99, TN_EDENIED},
    {"transaction aborted", 500, BODY("INTERNAL_SERVER_ERROR", "607", "x"),
     TN_NSX_RETRY, 607, TN_EUNAVAILABLE},
    {"500 in HTML", 500, "<h1>Oops</h1>", TN_NSX_RETRY, 0, TN_EUNAVAILABLE},
    {"page too large", 503, BODY("SERVICE_UNAVAILABLE", "60576", "x"),
     TN_NSX_SMALLER, 60576, TN_EUNAVAILABLE},
    {"busy", 503, BODY("SERVICE_UNAVAILABLE", "607", "x"), TN_NSX_RETRY, 607,
     TN_EUNAVAILABLE},
    {"503 in plain text", 503, "no healthy upstream", TN_NSX_RETRY, 0,
     TN_EUNAVAILABLE},
    {"502", 502, "<html>Bad Gateway", TN_NSX_RETRY, 0, TN_EUNAVAILABLE},
    {"504", 504, "upstream request timeout", TN_NSX_RETRY, 0, TN_EUNAVAILABLE},
    {"501", 501, "", TN_NSX_FAIL, 0, TN_EUNSUPPORTED},
    {"301", 301, "<html>Moved", TN_NSX_ELSEWHERE, 0, TN_EUNAVAILABLE},
    {"307", 307, "", TN_NSX_ELSEWHERE, 0, TN_EUNAVAILABLE},
    {"no answer", 0, "", TN_NSX_RETRY, 0, TN_EUNAVAILABLE},
    {"nonsense", 999, "", TN_NSX_FAIL, 0, TN_EDENIED},
    {"more nonsense", -5, "", TN_NSX_FAIL, 0, TN_EDENIED},
    /* Numbers in other clothes. */
    {"a number as text", 400, BAD("\"500127\"", "x"), TN_NSX_EXISTS, 500127,
     TN_ESTALE},
    {"a number with a point", 400, BAD("500127.0", "x"), TN_NSX_EXISTS, 500127,
     TN_ESTALE},
    {"a number larger than any", 400, BAD("99999999999999999999", "x"),
     TN_NSX_FAIL, 0, TN_EDENIED},
    {"a number that is none", 400, BAD("{}", "x"), TN_NSX_FAIL, 0, TN_EDENIED},
    {"a text that is no number", 429, BAD("\"1x\"", "x"), TN_NSX_SLOWER, 0,
     TN_EUNAVAILABLE},
    /* Nested. */
    {"only in related_errors", 400,
     "{\"httpStatus\":\"BAD_REQUEST\",\"error_code\":1,\"error_message\":"
     "\"several\",\"related_errors\":[{\"error_code\":2,\"error_message\":"
     "\"a\"},{\"httpStatus\":\"BAD_REQUEST\",\"error_code\":500127,"
     "\"error_message\":\"b\"}]}",
     TN_NSX_EXISTS, 500127, TN_ESTALE},
    {"with a status of its own", 400,
     "{\"error_message\":\"several\",\"related_errors\":[{\"httpStatus\":"
     "\"NOT_FOUND\",\"error_code\":600,\"error_message\":\"gone\"}]}",
     TN_NSX_ABSENT, 600, TN_ENOENT},
    {"the gravest counts", 400,
     "{\"error_code\":500045,\"error_message\":\"purge\",\"related_errors\":["
     "{\"error_code\":30722},{\"error_code\":500105,\"error_message\":"
     "\"overlap\"},{\"error_code\":520100}]}",
     TN_NSX_FAIL, 500105, TN_EDENIED},
    {"related_errors is no list", 400,
     "{\"error_code\":255,\"related_errors\":7}", TN_NSX_FAIL, 255, TN_EDENIED},
    {"related_errors of no objects", 400,
     "{\"error_code\":255,\"related_errors\":[null,3,\"x\",[]]}", TN_NSX_FAIL,
     255, TN_EDENIED},
    {"a number only in related_errors, unknown", 400,
     "{\"related_errors\":[{\"error_code\":4711}]}", TN_NSX_FAIL, 4711,
     TN_EDENIED},
    {"a rate is a rate", 429,
     "{\"error_code\":\"102\",\"related_errors\":[{\"error_code\":500105}]}",
     TN_NSX_SLOWER, 500105, TN_EUNAVAILABLE},
    /* Small numbers mean different things under different statuses. */
    {"98 is no XSRF token in 400", 400, BAD("98", "x"), TN_NSX_FAIL, 98,
     TN_EDENIED},
    {"600 is nothing absent in 400", 400, BAD("600", "x"), TN_NSX_FAIL, 600,
     TN_EDENIED},
};

Test(nsx_verdict, rows)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        struct tn_arena *arena = tn_arena_new();
        struct tn_nsx_verdict v =
            tn_nsx_verdict_of(arena, r->status, r->body, strlen(r->body));
        cr_expect_eq(v.action, r->action, "%s: %s", r->name,
                     tn_nsx_action_name(v.action));
        cr_expect_eq(v.code, r->code, "%s: %lld", r->name, v.code);
        cr_expect_eq(v.class, r->class, "%s: %s", r->name,
                     tn_code_name(v.class));
        cr_expect_eq(v.status, r->status, "%s", r->name);
        tn_arena_free(arena);
    }
}

struct text_row {
    const char *body, *text;
};

static const struct text_row texts[] = {
    {"{\"error_message\":\"a\\n\\tb  c \"}", "a b c"},
    {"{\"error_message\":\"a\",\"details\":\"b\"}", "a (b)"},
    {"{\"error_message\":\"a b\",\"details\":\"b\"}", "a b"},
    {"{\"details\":\"b\"}", "b"},
    {"{\"error_code\":1}", ""},
    {"{\"related_errors\":[{\"error_message\":\"inner\"}]}", "inner"},
    {"<html><head><title>502 Bad Gateway</title></head>\r\n<body>x",
     "502 Bad Gateway x"},
    {"no healthy upstream\n", "no healthy upstream"},
    {"", ""},
    {"[1,2]", "[1,2]"},
    {"\xff\xfe\x00\x01", "(an answer that is no text)"},
};

Test(nsx_verdict, texts_are_one_line)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(texts); i++) {
        struct tn_arena *arena = tn_arena_new();
        struct tn_nsx_verdict v =
            tn_nsx_verdict_of(arena, 500, texts[i].body, strlen(texts[i].body));
        cr_expect_str_eq(v.text, texts[i].text, "%zu: %s", i, v.text);
        tn_arena_free(arena);
    }
}

Test(nsx_verdict, texts_are_bounded_between_letters)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_text body = {0};
    for (int i = 0; i < 4; i++) {
        tn_text_clear(&body);
        tn_text_add(&body, &"aaaa"[i]);
        while (body.n < 4000) {
            tn_text_add(&body, "\xe2\x82\xac");
        }
        struct tn_nsx_verdict v = tn_nsx_verdict_of(arena, 500, body.s, body.n);
        cr_expect_lt(strlen(v.text), 910);
        cr_expect_gt(strlen(v.text), 890);
        cr_expect(tn_is_utf8(v.text, strlen(v.text)), "%d", i);
    }
    tn_text_done(&body);
    tn_arena_free(arena);
}

struct referrers_row {
    const char *message;
    size_t n;
    const char *first, *last;
};

static const struct referrers_row referrers[] = {
    {"The object path=[/infra/domains/default/groups/g] cannot be deleted as "
     "either it has children or it is being referenced by other objects "
     "path=[/infra/domains/default/security-policies/p/rules/r].",
     1, "/infra/domains/default/security-policies/p/rules/r",
     "/infra/domains/default/security-policies/p/rules/r"},
    {"The object path=[/x] cannot be deleted as either it has children or it "
     "is being referenced by other objects path=[/infra/a, /infra/b,/infra/c].",
     3, "/infra/a", "/infra/c"},
    {"The object path=[/x] cannot be deleted as it has children.", 0, NULL,
     NULL},
    {"referenced by other objects path=[].", 0, NULL, NULL},
    {"referenced by other objects path=[,,/,x,/a", 1, "/a", "/a"},
    {"referenced by other objects", 0, NULL, NULL},
};

Test(nsx_verdict, referrers_are_read_out_of_the_sentence)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(referrers); i++) {
        const struct referrers_row *r = &referrers[i];
        struct tn_arena *arena = tn_arena_new();
        char body[600];
        snprintf(body, sizeof body,
                 "{\"httpStatus\":\"BAD_REQUEST\",\"error_code\":500030,"
                 "\"error_message\":\"%s\"}",
                 r->message);
        struct tn_nsx_verdict v =
            tn_nsx_verdict_of(arena, 400, body, strlen(body));
        cr_expect_eq(v.action, TN_NSX_REFERRED);
        cr_assert_eq(v.n_referrers, r->n, "%zu: %zu", i, v.n_referrers);
        if (r->n > 0) {
            cr_expect_str_eq(v.referrers[0], r->first);
            cr_expect_str_eq(v.referrers[r->n - 1], r->last);
        }
        tn_arena_free(arena);
    }
}

struct method_row {
    int status;
    const char *body, *method;
    enum tn_nsx_action action;
};

static const struct method_row methods[] = {
    {404, "{\"error_code\":202}", "GET", TN_NSX_ABSENT},
    {404, "{\"error_code\":202}", "DELETE", TN_NSX_ABSENT},
    {404, "{\"error_code\":202}", "PATCH", TN_NSX_RETRY},
    {504, "timeout", "GET", TN_NSX_RETRY},
    {504, "timeout", "PATCH", TN_NSX_LOST},
    {502, "gone", "DELETE", TN_NSX_LOST},
    {503, "busy", "PATCH", TN_NSX_RETRY},
    {500, "oops", "PATCH", TN_NSX_RETRY},
    {412, "", "PUT", TN_NSX_REREAD},
};

Test(nsx_verdict, what_depends_on_what_was_asked)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(methods); i++) {
        const struct method_row *r = &methods[i];
        struct tn_arena *arena = tn_arena_new();
        struct tn_nsx_verdict v =
            tn_nsx_verdict_of(arena, r->status, r->body, strlen(r->body));
        cr_expect_eq(tn_nsx_action_for(&v, r->method), r->action, "%zu", i);
        tn_arena_free(arena);
    }
}

Test(nsx_verdict, alarms)
{
    static const long long for_people[] = {8212,   508134, 508135,
                                           508128, 0,      4711};
    cr_expect_eq(tn_nsx_alarm_action(500042), TN_NSX_RETRY);
    for (size_t i = 0; i < TN_ARRAY_SIZE(for_people); i++) {
        cr_expect_eq(tn_nsx_alarm_action(for_people[i]), TN_NSX_FAIL);
    }
}

Test(nsx_verdict, as_errors)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_error err = {0};
    static const char body[] =
        BAD("500105", "Address 10.0.0.1 overlaps with Segment path=[/infra/s]");
    struct tn_nsx_verdict v =
        tn_nsx_verdict_of(arena, 400, body, sizeof body - 1);
    cr_expect_eq(tn_nsx_fail(&err, &v, "segment web"), TN_EDENIED);
    cr_expect_str_eq(err.text,
                     "segment web: 400/500105: Address 10.0.0.1 overlaps with "
                     "Segment path=[/infra/s]");
    cr_expect_eq(err.sys, 400);
    v = tn_nsx_verdict_of(arena, 503, "no healthy upstream", 19);
    cr_expect_eq(tn_nsx_fail(&err, &v, "x"), TN_EUNAVAILABLE);
    cr_expect_str_eq(err.text, "x: answered 503: no healthy upstream");
    v = (struct tn_nsx_verdict){.action = TN_NSX_LOST, .text = "reset"};
    cr_expect_eq(tn_nsx_fail(&err, &v, "x"), TN_EUNAVAILABLE);
    cr_expect_str_eq(err.text, "x: the answer was lost: reset");
    tn_arena_free(arena);
}
