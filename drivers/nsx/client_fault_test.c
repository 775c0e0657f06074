/* client_fault_test.c - asking managers that do not behave. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "drivers/nsx/client.h"
#include "drivers/nsx/client_bed.h"
#include "model/base/attr.h"

#define PATCHES "\"method\": \"PATCH\""
#define LOGINS "/api/session/create"

static void
expect(struct bed *b, enum tn_code code, enum tn_nsx_action action)
{
    cr_assert_eq(code, TN_OK, "%s", b->text);
    cr_assert_eq(b->reply.verdict.action, action, "%s %d: %s",
                 tn_nsx_action_name(b->reply.verdict.action),
                 b->reply.verdict.status, b->reply.verdict.text);
}

/* Logs in. */
static void
warm(struct bed *b)
{
    expect(b, bed_ask(b, "GET", "/whoami", NULL), TN_NSX_DONE);
}

/* What comes first of a PATCH of /x, and how often that is sent and logged in
 * for then. */
struct once_row {
    const char *rules;
    size_t sent, logins;
};

static const struct once_row mended[] = {
    {"[{'path':'/x','times':1,'expire':true}]", 2, 2},
    {"[{'path':'/x','times':1,'status':401,'body':'who?'}]", 2, 2},
    {"[{'path':'/x','times':1,'status':403,'body':'You are no longer "
     "authenticated. Please login again'}]",
     2, 2},
    {"[{'path':'/x','times':1,'status':403,'body':'{\\'error_code\\':403}'}]",
     2, 2},
    {"[{'path':'/x','times':2,'status':429,'body':'{\\'error_code\\':"
     "\\'102\\'}'}]",
     3, 1},
    {"[{'path':'/x','times':2,'status':503,'body':'no healthy upstream'}]", 3,
     1},
    {"[{'path':'/x','times':1,'status':500,'body':'{\\'error_code\\':607}'}]",
     2, 1},
    {"[{'path':'/x','times':1,'status':400,'body':'{\\'error_code\\':30722}'}]",
     2, 1},
    {"[{'path':'/x','times':1,'status':400,'body':'{\\'error_code\\':500045}'}"
     "]",
     2, 1},
    {"[{'path':'/x','times':1,'status':404,'body':'{\\'error_code\\':202}'}]",
     2, 1},
    {"[{'path':'/x','times':1,'status':400,'body':'{\\'error_message\\':\\'The "
     "object AtomicRequest/1 is already present in the system\\'}'}]",
     2, 1},
    {"[{'path':'/x','times':1,'status':503,'body':'{\\'error_code\\':60576}'}]",
     2, 1},
};

/* A new client of the same managers. */
static void
renew(struct bed *b)
{
    tn_nsx_free(b->nsx);
    b->nsx = NULL;
    warm(b);
}

Test(nsx_client_fault, what_is_mended_by_asking_again)
{
    struct bed b = bed_begin(1, NULL);
    for (size_t i = 0; i < TN_ARRAY_SIZE(mended); i++) {
        renew(&b);
        size_t sent = bed_count(&b, 0, PATCHES, "\"/x\"");
        size_t logins = bed_count(&b, 0, LOGINS, NULL);
        bed_rules(&b, 0, mended[i].rules);
        expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DONE);
        sent = bed_count(&b, 0, PATCHES, "\"/x\"") - sent;
        logins = bed_count(&b, 0, LOGINS, NULL) - logins + 1;
        cr_expect_eq(sent, mended[i].sent, "%zu: %zu times", i, sent);
        cr_expect_eq(logins, mended[i].logins, "%zu: %zu logins", i, logins);
    }
    cr_expect_eq(tn_nsx_counts(b.nsx).repeated, 1);
    bed_end(&b);
}

/* What is not: 'sent' times, and then told. */
struct told_row {
    const char *method, *rules;
    enum tn_nsx_action action;
    size_t sent;
};

static const struct told_row told[] = {
    {"PATCH", "[{'path':'/x','status':412}]", TN_NSX_REREAD, 1},
    {"PATCH", "[{'path':'/x','status':409}]", TN_NSX_REREAD, 1},
    {"PUT", "[{'path':'/x','status':400,'body':'{\\'error_code\\':500127}'}]",
     TN_NSX_EXISTS, 1},
    {"DELETE",
     "[{'path':'/x','status':400,'body':'{\\'error_code\\':500030,"
     "\\'error_message\\':\\'referenced by other objects path=[/a]\\'}'}]",
     TN_NSX_REFERRED, 1},
    {"GET", "[{'path':'/x','status':404,'body':'{\\'error_code\\':600}'}]",
     TN_NSX_ABSENT, 1},
    {"DELETE", "[{'path':'/x','status':404,'body':'{\\'error_code\\':202}'}]",
     TN_NSX_ABSENT, 1},
    {"PATCH", "[{'path':'/x','status':400,'body':'{\\'error_code\\':287}'}]",
     TN_NSX_FAIL, 1},
    {"PATCH", "[{'path':'/x','status':403,'body':'{\\'error_code\\':505}'}]",
     TN_NSX_DENIED, 1},
    {"PATCH", "[{'path':'/x','status':400,'body':'{\\'error_code\\':8327}'}]",
     TN_NSX_DENIED, 1},
    {"PATCH", "[{'path':'/x','status':504,'body':'timeout'}]", TN_NSX_LOST, 1},
    {"PATCH", "[{'path':'/x','do':'commit-reset'}]", TN_NSX_LOST, 1},
    {"PATCH", "[{'path':'/x','do':'close'}]", TN_NSX_LOST, 1},
    {"DELETE", "[{'path':'/x','do':'close'}]", TN_NSX_LOST, 1},
    {"POST", "[{'path':'/x','do':'reset'}]", TN_NSX_LOST, 1},
    {"PUT", "[{'path':'/x','do':'half'}]", TN_NSX_LOST, 1},
    {"GET", "[{'path':'/x','do':'reset','times':1}]", TN_NSX_DONE, 2},
    {"GET", "[{'path':'/x','do':'close','times':1}]", TN_NSX_DONE, 2},
    {"GET", "[{'path':'/x','do':'half','times':1}]", TN_NSX_DONE, 2},
    {"GET", "[{'path':'/x','status':504,'times':1}]", TN_NSX_DONE, 2},
};

Test(nsx_client_fault, what_is_told)
{
    struct bed b = bed_begin(1, NULL);
    for (size_t i = 0; i < TN_ARRAY_SIZE(told); i++) {
        /* The connection that breaks is one that was kept. */
        renew(&b);
        size_t sent = bed_count(&b, 0, "\"/x\"", NULL);
        bed_rules(&b, 0, told[i].rules);
        expect(&b, bed_ask(&b, told[i].method, "/x", NULL), told[i].action);
        sent = bed_count(&b, 0, "\"/x\"", NULL) - sent;
        cr_expect_eq(sent, told[i].sent, "%zu: %zu times", i, sent);
    }
    bed_end(&b);
}

Test(nsx_client_fault, a_role_is_not_mended_by_logging_in)
{
    struct bed b = bed_begin(1, NULL);
    warm(&b);
    bed_rules(&b, 0,
              "[{'path':'/x','status':403,'body':'{\\'error_code\\':289,"
              "\\'error_message\\':\\'not permitted\\'}'}]");
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DENIED);
    cr_expect_str_eq(b.reply.verdict.text, "not permitted");
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), 2);
    /* It is known by now. */
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DENIED);
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), 2);
    /* A session that is over is something else. */
    bed_rules(&b, 0, "[{'path':'/y','times':1,'expire':true}]");
    expect(&b, bed_ask(&b, "PATCH", "/y", "{}"), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), 3);
    bed_end(&b);
}

static void
ask_many(struct bed *b, const char *path, size_t n, enum tn_code want)
{
    struct tn_nsx_call *calls = tn_new_n(b->arena, struct tn_nsx_call, n);
    struct tn_nsx_reply *replies = tn_new_n(b->arena, struct tn_nsx_reply, n);
    for (size_t i = 0; i < n; i++) {
        calls[i].method = "GET";
        calls[i].path = path;
    }
    bed_client(b);
    cr_assert_eq(tn_nsx_ask_all(b->nsx, calls, n, b->arena, replies, &b->err),
                 want, "%s", b->err.text);
    for (size_t i = 0; i < n && !want; i++) {
        cr_expect_eq(replies[i].verdict.action, TN_NSX_DONE);
    }
}

Test(nsx_client_fault, one_login_serves_all_that_found_it_over)
{
    struct bed b = bed_begin(1, NULL);
    warm(&b);
    /* The first of eight ends the session under the others. */
    bed_rules(&b, 0,
              "[{'path':'/m','times':1,'delay':0.2,'expire':true},"
              "{'path':'/m','times':7,'delay':0.6}]");
    ask_many(&b, "/m", 24, TN_OK);
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), 2, "%zu",
                 bed_count(&b, 0, LOGINS, NULL));
    bed_end(&b);
}

static const enum tn_nsx_login schemes[] = {TN_NSX_SESSION, TN_NSX_BASIC};

Test(nsx_client_fault, a_wrong_password_is_tried_once)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(schemes); i++) {
        struct bed b = bed_begin(2, NULL);
        b.options.login = schemes[i];
        b.options.user = "mallory";
        if (schemes[i] == TN_NSX_BASIC) {
            bed_rules(&b, 0,
                      "[{'path':'/','status':403,'body':'{\\'error_code\\':"
                      "403}'}]");
        }
        ask_many(&b, "/x", 20, TN_EDENIED);
        cr_expect(strstr(b.err.text, "mallory") &&
                      strstr(b.err.text, "403/403"),
                  "%s", b.err.text);
        cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EDENIED);
        cr_expect_eq(bed_count(&b, 0, NULL, NULL), 1, "%d", (int) i);
        cr_expect_eq(bed_count(&b, 1, NULL, NULL), 0);
        bed_end(&b);
    }
}

Test(nsx_client_fault, an_account_is_not_locked_by_trying_on_and_on)
{
    struct bed b = bed_begin(1, NULL);
    b.options.memory = b.dir;
    bed_rules(&b, 0,
              "[{'path':'/api/session','status':403,'body':'{\\'error_code\\':"
              "403}'}]");
    for (int i = 0; i < 6; i++) {
        cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EDENIED);
        tn_nsx_free(b.nsx);
        b.nsx = NULL;
    }
    cr_expect(strstr(b.text, "is not locked"), "%s", b.text);
    cr_expect_eq(bed_count(&b, 0, NULL, NULL), 3);
    bed_rules(&b, 0, "[]");
    /* Another password is tried at once, and if it is right all is well. */
    tn_secret_bytes(b.secret)[0] ^= 1;
    cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EDENIED);
    cr_expect_eq(bed_count(&b, 0, NULL, NULL), 4);
    tn_secret_bytes(b.secret)[0] ^= 1;
    renew(&b);
    bed_end(&b);
}

Test(nsx_client_fault, a_node_that_is_down)
{
    struct bed b = bed_begin(3, NULL);
    warm(&b);
    bed_kill(&b, 0);
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 1, LOGINS, NULL), 1, "a session of its own");
    cr_expect_eq(bed_count(&b, 1, PATCHES, NULL), 1);
    cr_expect_geq(tn_nsx_counts(b.nsx).failovers, 1);
    bed_kill(&b, 1);
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 2, PATCHES, NULL), 1);
    bed_revive(&b, 0);
    bed_kill(&b, 2);
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 0, PATCHES, NULL), 2, "its session is over");
    bed_end(&b);
}

Test(nsx_client_fault, a_node_that_is_not_well)
{
    struct bed b = bed_begin(2, NULL);
    warm(&b);
    bed_rules(&b, 0, "[{'path':'/','status':503,'body':'<h1>503</h1>'}]");
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 1, PATCHES, NULL), 1);
    cr_expect_leq(bed_count(&b, 0, PATCHES, NULL), 3);
    bed_end(&b);
}

Test(nsx_client_fault, a_node_that_cannot_log_in)
{
    struct bed b = bed_begin(2, NULL);
    bed_rules(&b, 0,
              "[{'path':'/api/session','status':503,'body':'starting'}]");
    warm(&b);
    cr_expect_eq(bed_count(&b, 0, NULL, NULL), 1);
    bed_end(&b);
}

Test(nsx_client_fault, an_address_of_something_else)
{
    struct bed b = bed_begin(1, NULL);
    bed_rules(&b, 0, "[{'status':404,'body':'<h1>404 Not Found</h1>'}]");
    cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EUNAVAILABLE);
    cr_expect(strstr(b.text, "NSX manager") && strstr(b.text, b.urls[0]), "%s",
              b.text);
    cr_expect_leq(bed_count(&b, 0, NULL, NULL), 4);
    bed_end(&b);
}

Test(nsx_client_fault, logins_that_are_too_many)
{
    struct bed b = bed_begin(1, NULL);
    bed_rules(&b, 0,
              "[{'path':'/api/session','times':2,'status':429,'body':'slow'}]");
    warm(&b);
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), 3);
    bed_end(&b);
}

Test(nsx_client_fault, silence)
{
    struct bed b = bed_begin(2, NULL);
    b.options.timeout_s = 1;
    warm(&b);
    bed_rules(&b, 0, "[{'path':'/x','do':'hang'}]");
    expect(&b, bed_ask(&b, "GET", "/x", NULL), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 1, "\"/x\"", NULL), 1);
    bed_rules(&b, 1, "[{'path':'/x','do':'hang'}]");
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_LOST);
    cr_expect(strstr(b.reply.verdict.text, "nothing was heard"), "%s",
              b.reply.verdict.text);
    cr_expect_eq(bed_count(&b, 1, PATCHES, NULL), 1);
    cr_expect_eq(bed_count(&b, 0, PATCHES, NULL), 0);
    bed_end(&b);
}

Test(nsx_client_fault, nobody_there_is_told_soon)
{
    struct bed b = bed_begin(2, NULL);
    bed_kill(&b, 0);
    bed_kill(&b, 1);
    b.options.patience_s = 600;
    int64_t began = tn_peer_now_ms();
    cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EUNAVAILABLE);
    cr_expect_lt(tn_peer_now_ms() - began, 60000);
    cr_expect(strstr(b.text, b.urls[0]) && strstr(b.text, b.urls[1]), "%s",
              b.text);
    bed_end(&b);
}

struct revival {
    struct bed *bed;
    sem_t end;
};

/* The node ends with the thread that started it. */
static void *
revive_soon(void *ctx)
{
    struct revival *r = ctx;
    usleep(800000);
    bed_revive(r->bed, 0);
    sem_wait(&r->end);
    return NULL;
}

Test(nsx_client_fault, a_restart_is_waited_for)
{
    struct bed b = bed_begin(1, NULL);
    struct revival r = {.bed = &b};
    pthread_t thread;
    b.options.patience_s = 60;
    warm(&b);
    bed_kill(&b, 0);
    sem_init(&r.end, 0, 0);
    cr_assert_eq(pthread_create(&thread, NULL, revive_soon, &r), 0);
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 0, PATCHES, NULL), 2, "its session is over");
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), 2);
    bed_kill(&b, 0);
    sem_post(&r.end);
    pthread_join(thread, NULL);
    bed_end(&b);
}

Test(nsx_client_fault, patience_ends)
{
    struct bed b = bed_begin(1, NULL);
    b.options.patience_s = 2;
    warm(&b);
    bed_rules(&b, 0,
              "[{'path':'/x','status':400,'body':'{\\'error_code\\':30722,"
              "\\'error_message\\':\\'busy\\'}'}]");
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_RETRY);
    cr_expect_str_eq(b.reply.verdict.text, "busy");
    cr_expect_geq(bed_count(&b, 0, PATCHES, NULL), 2);
    cr_expect_leq(bed_count(&b, 0, PATCHES, NULL), 5);
    bed_rules(&b, 0,
              "[{'path':'/x','status':503,'headers':{'Retry-After':"
              "'60'}}]");
    expect(&b, bed_ask(&b, "GET", "/x", NULL), TN_NSX_RETRY);
    cr_expect_eq(bed_count(&b, 0, "\"GET\"", "\"/x\""), 1, "as asked");
    bed_end(&b);
}

static void
redirect(struct bed *b, const char *to)
{
    char rules[400];
    snprintf(rules, sizeof rules,
             "[{'path':'/x','times':1,'status':307,'headers':{'Location':'%s'}}"
             "]",
             to);
    bed_rules(b, 0, rules);
}

Test(nsx_client_fault, redirects_within_the_list)
{
    struct bed b = bed_begin(2, NULL);
    char to[128];
    warm(&b);
    snprintf(to, sizeof to, "%s/x", b.urls[1]);
    redirect(&b, to);
    expect(&b, bed_ask(&b, "PATCH", "/x", "{\"k\":1}"), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 1, LOGINS, NULL), 1);
    cr_expect_eq(bed_count(&b, 1, PATCHES, "{\\\"k\\\":1}"), 1);
    /* And stays there. */
    expect(&b, bed_ask(&b, "PATCH", "/z", "{}"), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 1, PATCHES, "\"/z\""), 1);
    bed_end(&b);
}

Test(nsx_client_fault, a_redirect_without_a_host)
{
    struct bed b = bed_begin(1, NULL);
    warm(&b);
    redirect(&b, "/y");
    expect(&b, bed_ask(&b, "PUT", "/x", "{}"), TN_NSX_DONE);
    cr_expect_eq(bed_count(&b, 0, "\"PUT\"", "\"/y\""), 1);
    bed_end(&b);
}

static const char *const elsewhere[] = {
    "https://evil.example/x?JSESSIONID=1",
    "http://127.0.0.1/x",
    "//127.0.0.1/x",
    "https://user:p&ss@127.0.0.1/",
    "ftp://127.0.0.1",
    "",
};

Test(nsx_client_fault, redirects_out_of_the_list)
{
    struct bed b = bed_begin(1, NULL);
    for (size_t i = 0; i < TN_ARRAY_SIZE(elsewhere); i++) {
        renew(&b);
        redirect(&b, elsewhere[i]);
        cr_expect_eq(bed_ask(&b, "PUT", "/x", "{}"), TN_EDENIED, "%s",
                     elsewhere[i]);
        cr_expect_eq(bed_count(&b, 0, "\"PUT\"", NULL), i + 1);
    }
    bed_end(&b);
}

Test(nsx_client_fault, redirects_in_a_circle)
{
    struct bed b = bed_begin(1, NULL);
    warm(&b);
    bed_rules(&b, 0,
              "[{'path':'/x','status':301,'headers':{'Location':'/x'}}]");
    cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EUNAVAILABLE);
    cr_expect_leq(bed_count(&b, 0, "\"/x\"", NULL), 6);
    bed_end(&b);
}

Test(nsx_client_fault, a_login_is_redirected)
{
    struct bed b = bed_begin(2, NULL);
    char rules[300];
    snprintf(rules, sizeof rules,
             "[{'path':'/','status':307,'headers':{'Location':'%s/login'}}]",
             b.urls[1]);
    bed_rules(&b, 0, rules);
    warm(&b);
    cr_expect_eq(bed_count(&b, 0, NULL, NULL), 1);
    cr_expect_eq(bed_count(&b, 1, LOGINS, NULL), 1);
    bed_end(&b);
}

Test(nsx_client_fault, authorities)
{
    struct bed b = bed_begin(1, NULL);
    b.options.ca = b.other_ca;
    cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EDENIED);
    cr_expect(strstr(b.text, "certificate"), "%s", b.text);
    cr_expect_eq(bed_count(&b, 0, NULL, NULL), 0, "nothing was sent");
    bed_end(&b);
    b = bed_begin(1, NULL);
    snprintf(b.urls[0], sizeof b.urls[0], "https://localhost:%d",
             b.nodes[0].port);
    cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EDENIED, "another name");
    bed_end(&b);
    b = bed_begin(1, NULL);
    b.options.ca = "/nonexistent/ca.pem";
    cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EDENIED, "no such file");
    bed_end(&b);
}

Test(nsx_client_fault, one_node_that_is_not_trusted)
{
    struct bed b = bed_begin(2, NULL);
    snprintf(b.urls[0], sizeof b.urls[0], "https://localhost:%d",
             b.nodes[0].port);
    warm(&b);
    cr_expect_eq(bed_count(&b, 1, LOGINS, NULL), 1);
    cr_expect_eq(bed_count(&b, 0, NULL, NULL), 0);
    bed_end(&b);
}

Test(nsx_client_fault, a_certificate_that_is_not_shown_or_not_ours)
{
    static const char *const more[] = {"--ca", "CA", NULL};
    struct bed b = bed_begin(1, more);
    /* The alert that says so is lost where the server is too quick. */
    enum tn_code code = bed_ask(&b, "GET", "/x", NULL);
    cr_expect(code == TN_EDENIED || code == TN_EUNAVAILABLE);
    cr_expect(strstr(b.text, "certificate"), "%s", b.text);
    bed_end(&b);
    b = bed_begin(1, more);
    b.options.login = TN_NSX_CERTIFICATE;
    b.options.certificate = b.other_ca;
    static char key[300];
    snprintf(key, sizeof key, "%s/other.key", b.dir);
    b.options.key = key;
    code = bed_ask(&b, "GET", "/x", NULL);
    cr_expect(code == TN_EDENIED || code == TN_EUNAVAILABLE);
    cr_expect(strstr(b.text, "certificate") || strstr(b.text, "unknown ca"),
              "%s", b.text);
    bed_end(&b);
    b = bed_begin(1, more);
    b.options.login = TN_NSX_CERTIFICATE;
    b.options.certificate = b.certificate;
    b.options.key = key; /* Of another certificate. */
    snprintf(key, sizeof key, "%s/other.key", b.dir);
    cr_expect_eq(bed_ask(&b, "GET", "/x", NULL), TN_EDENIED, "%s", b.text);
    bed_end(&b);
}

Test(nsx_client_fault, secrets_that_are_written_back)
{
    struct bed b = bed_begin(1, NULL);
    warm(&b);
    bed_rules(&b, 0,
              "[{'path':'/x','status':400,'body':'{\\'error_code\\':255,"
              "\\'error_message\\':\\'what is p&ss %+=w\\\\\\'rd ?\\'}'}]");
    expect(&b, bed_ask(&b, "PUT", "/x", "{}"), TN_NSX_FAIL);
    cr_expect(!strstr(b.reply.verdict.text, "p&ss"), "%s",
              b.reply.verdict.text);
    cr_expect(strstr(b.reply.verdict.text, "withheld"), "%s",
              b.reply.verdict.text);
    bed_rules(&b, 0,
              "[{'path':'/x','status':400,'body':'{\\'error_code\\':255,"
              "\\'error_message\\':\\'you sent COOKIE\\'}'}]");
    expect(&b, bed_ask(&b, "PUT", "/x", "{}"), TN_NSX_FAIL);
    cr_expect(strstr(b.reply.verdict.text, "withheld"), "%s",
              b.reply.verdict.text);
    bed_end(&b);
}

Test(nsx_client_fault, a_balancer_that_spreads_connections)
{
    static const char *const more[] = {"--bind-connection", NULL};
    struct bed b = bed_begin(1, more);
    warm(&b);
    bed_rules(&b, 0, "[{'path':'/m','delay':0.05}]");
    ask_many(&b, "/m", 16, TN_OK);
    size_t logins = bed_count(&b, 0, LOGINS, NULL);
    cr_expect_leq(logins, 4, "%zu logins", logins);
    ask_many(&b, "/m", 16, TN_OK);
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), logins);
    bed_end(&b);
}

Test(nsx_client_fault, a_balancer_that_sets_a_cookie)
{
    static const char *const more[] = {"--sticky", NULL};
    struct bed b = bed_begin(1, more);
    warm(&b);
    ask_many(&b, "/m", 16, TN_OK);
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), 1);
    bed_end(&b);
}

Test(nsx_client_fault, a_kept_connection_that_the_server_closed)
{
    struct bed b = bed_begin(1, NULL);
    warm(&b);
    bed_rules(&b, 0, "[{'path':'/y','do':'answer-close'}]");
    for (int i = 0; i < 5; i++) {
        expect(&b, bed_ask(&b, "GET", "/y", NULL), TN_NSX_DONE);
        usleep(50000);
        expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DONE);
    }
    cr_expect_eq(bed_count(&b, 0, PATCHES, NULL), 5);
    bed_end(&b);
}

Test(nsx_client_fault, a_slow_login)
{
    struct bed b = bed_begin(2, NULL);
    b.options.patience_s = 2;
    b.options.timeout_s = 10;
    /* Longer than patience: what was not asked yet has not begun to wait. */
    bed_rules(&b, 0, "[{'path':'/api/session','delay':3}]");
    ask_many(&b, "/x", 10, TN_OK);
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), 1);
    cr_expect_eq(bed_count(&b, 1, NULL, NULL), 0);
    bed_end(&b);
}

Test(nsx_client_fault, an_address_that_moves_to_another_node)
{
    struct bed b = bed_begin(1, NULL);
    warm(&b);
    bed_kill(&b, 0);
    bed_revive(&b, 0); /* It knows nothing of the session. */
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DONE);
    cr_expect_str_eq(b.reply.body, "{\"n\": 1}");
    cr_expect_eq(bed_count(&b, 0, LOGINS, NULL), 2);
    bed_end(&b);
}

Test(nsx_client_fault, a_certificate_of_nobody)
{
    struct bed b = bed_begin(2, NULL);
    b.options.login = TN_NSX_CERTIFICATE;
    b.options.certificate = b.certificate;
    b.options.key = b.key;
    bed_rules(&b, 0, "[{'status':403,'body':'{\\'error_code\\':403}'}]");
    ask_many(&b, "/x", 10, TN_EDENIED);
    cr_expect_eq(bed_count(&b, 0, NULL, NULL), 1);
    cr_expect_eq(bed_count(&b, 1, NULL, NULL), 0);
    bed_end(&b);
}

Test(nsx_client_fault, all_nodes_are_not_well_for_a_while)
{
    struct bed b = bed_begin(3, NULL);
    warm(&b);
    for (size_t i = 0; i < 3; i++) {
        bed_rules(&b, i,
                  "[{'path':'/','times':4,'status':503,'body':'starting'}]");
    }
    expect(&b, bed_ask(&b, "PATCH", "/x", "{}"), TN_NSX_DONE);
    size_t sent = 0;
    for (size_t i = 0; i < 3; i++) {
        sent += bed_count(&b, i, PATCHES, NULL);
    }
    cr_expect_leq(sent, 13, "%zu", sent);
    bed_end(&b);
}

/* One that fails ends all: what became of the others is told. */
Test(nsx_client_fault, an_error_among_many)
{
    enum { N = 4 };
    static const char *const paths[N] = {"/a", "/bad", "/slow", "/slow"};
    static struct tn_nsx_call calls[N];
    static struct tn_nsx_reply replies[N];
    struct bed b = bed_begin(1, NULL);
    warm(&b);
    bed_rules(&b, 0,
              "[{'path':'/bad','delay':0.5,'status':301,'headers':{'Location':"
              "'https://evil.example/'}},{'path':'/slow','delay':20}]");
    for (int i = 0; i < N; i++) {
        calls[i] = (struct tn_nsx_call){.method = i == 3 ? "GET" : "PUT",
                                        .path = paths[i]};
    }
    cr_expect_eq(tn_nsx_ask_all(b.nsx, calls, N, b.arena, replies, &b.err),
                 TN_EDENIED);
    cr_expect_eq(replies[0].verdict.action, TN_NSX_DONE);
    cr_expect_eq(replies[2].verdict.action, TN_NSX_LOST);
    cr_expect_eq(replies[3].verdict.action, TN_NSX_RETRY);
    cr_expect_eq(replies[3].verdict.status, 0);
    bed_end(&b);
}
