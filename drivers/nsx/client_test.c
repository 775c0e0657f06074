/* client_test.c - asking managers that behave. */
#include "drivers/nsx/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/nsx/client_bed.h"
#include "drivers/nsx/http.h"
#include "model/base/attr.h"

static void
expect_done(const struct bed *b, enum tn_code code)
{
    cr_assert_eq(code, TN_OK, "%s", b->text);
    cr_assert_eq(b->reply.verdict.action, TN_NSX_DONE, "%s %d: %s",
                 tn_nsx_action_name(b->reply.verdict.action),
                 b->reply.verdict.status, b->reply.verdict.text);
}

Test(nsx_client, a_session_is_made_used_and_ended)
{
    struct bed b = bed_begin(1, NULL);
    expect_done(&b, bed_ask(&b, "GET", "/whoami", NULL));
    cr_expect_str_eq(b.reply.body, "{\"user\": \"admin\"}");
    expect_done(&b, bed_ask(&b, "PATCH", "/policy/api/v1/infra", "{\"a\":1}"));
    cr_expect_str_eq(tn_nsx_version(b.nsx), "4.2.1.0.0.1");
    struct tn_nsx_counts counts = tn_nsx_counts(b.nsx);
    cr_expect_eq(counts.logins, 1);
    cr_expect_eq(counts.requests, 4);
    cr_expect_eq(counts.repeated, 0);
    tn_nsx_free(b.nsx);
    b.nsx = NULL;
    cr_expect_eq(bed_count(&b, 0, NULL, NULL), 5);
    cr_expect_eq(bed_count(&b, 0, "/api/session/create",
                           "j_username=admin&j_password="
                           "p%26ss%20%25%2B%3Dw%22rd"),
                 1);
    cr_expect_eq(
        bed_count(&b, 0, "/api/session/destroy", "\"user\": \"admin\""), 1);
    cr_expect_eq(bed_count(&b, 0, "\"method\": \"PATCH\"",
                           "\"content-type\": \"application/json\""),
                 1);
    cr_expect_eq(bed_count(&b, 0, "\"body\": \"{\\\"a\\\":1}\"", NULL), 1);
    cr_expect_eq(bed_count(&b, 0, "expect", NULL), 0);
    cr_expect_eq(bed_count(&b, 0, "authorization", NULL), 0);
    cr_expect_eq(bed_count(&b, 0, "x-allow-overwrite", NULL), 0);
    bed_end(&b);
}

Test(nsx_client, basic_authentication)
{
    struct bed b = bed_begin(1, NULL);
    b.options.login = TN_NSX_BASIC;
    expect_done(&b, bed_ask(&b, "GET", "/whoami", NULL));
    cr_expect_str_eq(b.reply.body, "{\"user\": \"admin\"}");
    cr_expect_eq(tn_nsx_counts(b.nsx).logins, 0);
    tn_nsx_free(b.nsx);
    b.nsx = NULL;
    cr_expect_eq(bed_count(&b, 0, NULL, NULL), 2);
    cr_expect_eq(bed_count(&b, 0, "cookie", NULL), 0, "schemes were mixed");
    bed_end(&b);
}

Test(nsx_client, a_certificate)
{
    static const char *const more[] = {"--ca", "CA", NULL};
    struct bed b = bed_begin(1, more);
    b.options.login = TN_NSX_CERTIFICATE;
    b.options.user = NULL;
    b.options.certificate = b.certificate;
    b.options.key = b.key;
    expect_done(&b, bed_ask(&b, "GET", "/whoami", NULL));
    cr_expect_str_eq(b.reply.body, "{\"user\": \"tenet\"}");
    bed_end(&b);
}

Test(nsx_client, many_at_the_same_time)
{
    enum { N = 60 };
    struct bed b = bed_begin(1, NULL);
    static struct tn_nsx_call calls[N];
    static struct tn_nsx_reply replies[N];
    static char paths[N][32];
    bed_rules(&b, 0, "[{'path': '/slow', 'delay': 0.05}]");
    for (int i = 0; i < N; i++) {
        snprintf(paths[i], sizeof paths[i], "/slow/%d", i);
        calls[i] = (struct tn_nsx_call){.method = "PUT",
                                        .path = paths[i],
                                        .body = "{}",
                                        .n_body = 2,
                                        .overwrite = i == 7};
    }
    bed_client(&b);
    cr_assert_eq(tn_nsx_ask_all(b.nsx, calls, N, b.arena, replies, &b.err),
                 TN_OK, "%s", b.err.text);
    for (int i = 0; i < N; i++) {
        cr_expect_eq(replies[i].verdict.action, TN_NSX_DONE);
        cr_expect_str_eq(replies[i].body, "{\"n\": 1}", "%d", i);
    }
    cr_expect_eq(bed_count(&b, 0, "\"method\": \"PUT\"", NULL), N);
    cr_expect_eq(bed_count(&b, 0, "/slow/7\"", "x-allow-overwrite"), 1);
    cr_expect_eq(bed_count(&b, 0, "x-allow-overwrite", NULL), 1);
    bed_end(&b);
}

static const size_t sizes[] = {0, 1, 999, 1000, 1001, 3500};

Test(nsx_client, lists_are_read_by_pages)
{
    struct bed b = bed_begin(1, NULL);
    bed_client(&b);
    for (size_t i = 0; i < TN_ARRAY_SIZE(sizes); i++) {
        char path[64], last[128];
        const char *const *items = NULL;
        size_t n = 77, pages = sizes[i] ? (sizes[i] + 999) / 1000 : 1;
        struct tn_nsx_reply refused;
        snprintf(path, sizeof path, "/list/%zu", sizes[i]);
        cr_assert_eq(
            tn_nsx_list(b.nsx, path, b.arena, &items, &n, &refused, &b.err),
            TN_OK, "%s", b.err.text);
        cr_expect_eq(refused.verdict.action, TN_NSX_DONE);
        cr_assert_eq(n, sizes[i], "%zu of %zu", n, sizes[i]);
        cr_expect_eq(bed_count(&b, 0, path, NULL), pages);
        if (n > 0) {
            snprintf(last, sizeof last,
                     "{\"id\":\"e%zu\",\"path\":\"/infra/e%zu\"}", n - 1,
                     n - 1);
            cr_expect_str_eq(items[n - 1], last);
        }
    }
    bed_end(&b);
}

static const struct {
    const char *url;
    const char *what;
} bad_managers[] = {
    {"http://127.0.0.1", "no https"}, {"https://", "no host"},
    {"127.0.0.1", "no scheme"},       {"https://user:pw@h", "a password in it"},
    {"https://h:0", "port"},          {"https://h:99999", "port"},
    {"https://h:4x", "port"},         {"https://h/policy", "a path"},
    {"https://h?x", "a query"},       {"https://h h", "a space"},
};

Test(nsx_client, addresses_are_checked)
{
    struct tn_secret *secret;
    cr_assert_eq(tn_secret_new(3, &secret, NULL), TN_OK);
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad_managers); i++) {
        struct tn_nsx *nsx;
        struct tn_error err = {0};
        struct tn_nsx_options o = {.managers = &bad_managers[i].url,
                                   .n_managers = 1,
                                   .user = "u",
                                   .secret = secret};
        cr_expect_eq(tn_nsx_new(&o, &nsx, &err), TN_EINTENT, "%s",
                     bad_managers[i].what);
        cr_expect(!strstr(err.text, "pw"), "%s", err.text);
    }
    static const char *const twice[] = {"https://H:443/", "https://h"};
    struct tn_nsx *nsx;
    struct tn_nsx_options o = {
        .managers = twice, .n_managers = 2, .user = "u", .secret = secret};
    cr_expect_eq(tn_nsx_new(&o, &nsx, NULL), TN_EINTENT);
    o.n_managers = 1;
    o.secret = NULL;
    cr_expect_eq(tn_nsx_new(&o, &nsx, NULL), TN_EINTENT, "no password");
    o.login = TN_NSX_CERTIFICATE;
    cr_expect_eq(tn_nsx_new(&o, &nsx, NULL), TN_EINTENT, "no certificate");
    o.n_managers = 0;
    cr_expect_eq(tn_nsx_new(&o, &nsx, NULL), TN_EINTENT, "no manager");
    tn_secret_free(secret);
}

Test(nsx_client, large_bodies)
{
    struct bed b = bed_begin(1, NULL);
    enum { LARGE = 24 * 1024 * 1024 };
    char *body = malloc(LARGE + 1);
    memset(body, 'a', LARGE);
    body[LARGE] = '\0';
    expect_done(&b, bed_ask(&b, "PATCH", "/x", body));
    free(body);
    expect_done(&b, bed_ask(&b, "GET", "/big/67108864", NULL));
    cr_expect_eq(b.reply.n_body, 67108864);
    cr_expect_eq(strlen(b.reply.body), 67108864);
    bed_end(&b);
}

Test(nsx_client, answers_are_bounded)
{
    struct bed b = bed_begin(1, NULL);
    struct tn_nsx_http *http;
    const struct tn_nsx_http_options options = {.ca = b.ca, .connections = 1};
    char url[128];
    snprintf(url, sizeof url, "%s/api/session/create", b.urls[0]);
    const struct tn_nsx_request r = {.method = "POST",
                                     .url = url,
                                     .body = "j_username=x&j_password=y",
                                     .n_body = 25,
                                     .timeout_ms = 60000,
                                     .most = 100};
    cr_assert_eq(tn_nsx_http_new(&options, &http, NULL), TN_OK);
    cr_assert_eq(tn_nsx_http_begin(http, &r, NULL), TN_OK);
    const struct tn_nsx_answer *a = tn_nsx_http_wait(http, 60000);
    cr_assert(a);
    cr_expect_eq(a->fate, TN_NSX_TOO_LARGE);
    cr_expect_eq(a->status, 403);
    cr_expect_leq(a->body.n, 100);
    cr_expect_null(tn_nsx_http_wait(http, 0));
    tn_nsx_http_free(http);
    bed_end(&b);
}

Test(nsx_client, proxies_of_the_environment_are_ignored)
{
    struct bed b = bed_begin(1, NULL);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    expect_done(&b, bed_ask(&b, "GET", "/whoami", NULL));
    bed_end(&b);
}

Test(nsx_client, the_version_may_be_a_secret)
{
    struct bed b = bed_begin(1, NULL);
    bed_rules(&b, 0,
              "[{'path':'/api/v1/node','status':403,'body':"
              "'{\\'error_code\\':289}'}]");
    expect_done(&b, bed_ask(&b, "GET", "/whoami", NULL));
    expect_done(&b, bed_ask(&b, "GET", "/whoami", NULL));
    cr_expect_str_eq(tn_nsx_version(b.nsx), "");
    cr_expect_eq(bed_count(&b, 0, "/api/v1/node", NULL), 2);
    bed_end(&b);
}

Test(nsx_client, paths_with_any_characters)
{
    struct bed b = bed_begin(1, NULL);
    expect_done(&b,
                bed_ask(&b, "GET", "/a b/\xc3\xbc/{x|y}%2F..#?q=\"1\"", NULL));
    cr_expect_eq(bed_count(&b, 0,
                           "\"/a%20b/%C3%BC/%7Bx%7Cy%7D%2F..%23?q=%221%22\"",
                           NULL),
                 1);
    bed_end(&b);
}
