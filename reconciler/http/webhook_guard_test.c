/* webhook_guard_test.c - deliveries that come again, and senders that knock too
 * often. */
#include "reconciler/http/webhook_guard.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/http/webhook_fixture.h"

static const struct tn_push hub = {"GitHub push",
                                   {.repository = "acme/net", .branch = "main"},
                                   "X-Hub-Signature-256",
                                   "X-GitHub-Event",
                                   "push",
                                   tn_push_github,
                                   0,
                                   NULL,
                                   TN_WEBHOOK_WAKE,
                                   TN_PUSH_TIP};
static const struct tn_push lab = {"GitLab push",
                                   {.flavour = TN_WEBHOOK_GITLAB,
                                    .repository = "ops/core/net",
                                    .branch = "main"},
                                   "X-Gitlab-Token",
                                   "X-Gitlab-Event",
                                   "Push Hook",
                                   tn_push_gitlab,
                                   0,
                                   NULL,
                                   TN_WEBHOOK_WAKE,
                                   TN_PUSH_TIP};

Test(webhook_guard, knows_replays)
{
    struct tn_secret *secret = tn_push_secret(TN_PUSH_SECRET);
    struct tn_webhook_options options = {.secret = secret, .replay_ms = 60000};
    struct tn_webhook *w = tn_webhook_new(&options);
    struct tn_push other = hub;
    other.body = tn_push_github_deleted;
    cr_assert_eq(tn_push_send(w, &hub, TN_PUSH_SECRET, "1", 0).verdict,
                 TN_WEBHOOK_WAKE);
    /* The same id; the same bytes under another id, or none. */
    cr_assert_eq(tn_push_send(w, &other, TN_PUSH_SECRET, "1", 10).verdict,
                 TN_WEBHOOK_REPLAYED);
    cr_assert_eq(tn_push_send(w, &hub, TN_PUSH_SECRET, "2", 60000).verdict,
                 TN_WEBHOOK_REPLAYED);
    cr_assert_eq(tn_push_send(w, &hub, TN_PUSH_SECRET, NULL, 60000).verdict,
                 TN_WEBHOOK_REPLAYED);
    cr_assert_eq(tn_push_send(w, &hub, TN_PUSH_SECRET, "1", 60001).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(tn_push_send(w, &lab, TN_PUSH_SECRET, "1", 60001).verdict,
                 TN_WEBHOOK_REPLAYED);
    cr_assert_eq(tn_push_send(w, &lab, TN_PUSH_SECRET, "3", 60002).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(tn_push_send(w, &lab, TN_PUSH_SECRET, "4", 60002).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(tn_push_send(w, &lab, TN_PUSH_SECRET, "3", 60003).verdict,
                 TN_WEBHOOK_REPLAYED);
    tn_webhook_free(w);
    tn_secret_free(secret);
}

/* A stranger cannot make a delivery known, and so refused. */
Test(webhook_guard, remembers_only_the_authentic)
{
    struct tn_secret *secret = tn_push_secret(TN_PUSH_SECRET);
    struct tn_webhook_options options = {.secret = secret};
    struct tn_webhook *w = tn_webhook_new(&options);
    cr_assert_eq(tn_push_send(w, &hub, "wrong", "1", 0).verdict,
                 TN_WEBHOOK_BAD_SIGNATURE);
    cr_assert_eq(tn_push_send(w, &hub, TN_PUSH_SECRET, "1", 0).verdict,
                 TN_WEBHOOK_WAKE);
    tn_webhook_free(w);
    tn_secret_free(secret);
}

static struct tn_webhook_result
knock(struct tn_webhook *w, const char *peer, int64_t now)
{
    struct tn_http_request r = {.peer = peer, .body = "x", .n_body = 1};
    return tn_webhook_judge(w, &r, now);
}

Test(webhook_guard, limits_the_rate_of_a_sender)
{
    struct tn_webhook_options options = {.peer_rate = 60, .global_rate = 6000};
    struct tn_webhook *w = tn_webhook_new(&options);
    int heard = 0;
    struct tn_webhook_result r = knock(w, "192.0.2.1", 0);
    for (; r.verdict == TN_WEBHOOK_BAD_SIGNATURE; heard++) {
        r = knock(w, "192.0.2.1", 0);
    }
    cr_assert_eq(heard, 60 / TN_WEBHOOK_PENALTY);
    cr_assert_eq(r.status, 429);
    cr_assert(r.retry_after >= 1 && r.retry_after <= 60, "%u", r.retry_after);
    /* The wait that was told is enough, and others are not concerned. */
    cr_assert_eq(knock(w, "192.0.2.2", 0).verdict, TN_WEBHOOK_BAD_SIGNATURE);
    cr_assert_eq(knock(w, "192.0.2.1", r.retry_after * 1000).verdict,
                 TN_WEBHOOK_BAD_SIGNATURE);
    /* A clock that goes back gives nothing. */
    cr_assert_eq(knock(w, "192.0.2.1", 0).verdict, TN_WEBHOOK_RATE_LIMITED);
    struct tn_http_response response = {0};
    tn_webhook_answer(&r, &response);
    cr_assert_eq(response.status, 429);
    cr_assert_eq(response.retry_after, r.retry_after);
    cr_assert_str_eq(tn_text_str(&response.body),
                     "{\"verdict\":\"rate-limited\",\"reason\":"
                     "\"too many requests\"}\n");
    tn_text_done(&response.body);
    tn_webhook_free(w);
}

Test(webhook_guard, counts_an_ipv6_network_as_one)
{
    struct tn_webhook_options options = {.peer_rate = 10, .global_rate = 6000};
    struct tn_webhook *w = tn_webhook_new(&options);
    int heard = 0;
    char peer[64];
    for (int i = 0; i < 100; i++) {
        snprintf(peer, sizeof peer, "2001:db8::%x:1", i);
        heard += knock(w, peer, 0).verdict != TN_WEBHOOK_RATE_LIMITED;
    }
    cr_assert_eq(heard, 2);
    tn_webhook_free(w);
}

/* A crowd of strangers is slowed down as a whole; the forge is heard. */
Test(webhook_guard, a_crowd_does_not_silence_the_forge)
{
    struct tn_secret *secret = tn_push_secret(TN_PUSH_SECRET);
    struct tn_webhook_options options = {.secret = secret};
    struct tn_webhook *w = tn_webhook_new(&options);
    char peer[64];
    int heard = 0;
    cr_assert_eq(tn_push_send(w, &hub, TN_PUSH_SECRET, "0", 0).verdict,
                 TN_WEBHOOK_WAKE);
    for (int i = 0; i < 10000; i++) {
        snprintf(peer, sizeof peer, "10.%d.%d.1", i / 250, i % 250);
        heard += knock(w, peer, 0).verdict != TN_WEBHOOK_RATE_LIMITED;
    }
    cr_assert(heard <= 240 / TN_WEBHOOK_PENALTY, "%d", heard);
    cr_assert_eq(tn_push_send(w, &lab, TN_PUSH_SECRET, "1", 0).verdict,
                 TN_WEBHOOK_WAKE);
    tn_webhook_free(w);
    tn_secret_free(secret);
}
