/* webhook_test.c - notifications as the forges send them, and as enemies do. */
#include "reconciler/http/webhook.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/http/webhook_body.h"

#define SECRET "It's a Secret to Everybody"
#define TIP "5f6b7a8c9d0e1f23456789abcdef0123456789ab"
#define NULL_ID "0000000000000000000000000000000000000000"

/* The members of a push that forges document, shortened where nobody looks. */
static const char github[] =
    "{\"ref\":\"refs/heads/main\",\"before\":\"" NULL_ID "\",\"after\":\"" TIP
    "\",\"repository\":{\"id\":186853002,\"name\":\"net\",\"full_name\":"
    "\"Acme/net\",\"private\":true,\"html_url\":\"https://github.com/Acme/net\""
    ",\"url\":\"https://github.com/Acme/net\",\"pushed_at\":1557933657,"
    "\"git_url\":\"git://github.com/Acme/net.git\",\"ssh_url\":"
    "\"git@github.com:Acme/net.git\",\"clone_url\":"
    "\"https://github.com/Acme/net.git\"},\"pusher\":{\"name\":\"amy\"},"
    "\"created\":false,\"deleted\":false,\"forced\":false,\"compare\":"
    "\"https://github.com/Acme/net/compare/a...b\",\"commits\":[],"
    "\"head_commit\":{\"id\":\"" TIP "\",\"message\":\"M\xc3\xb6re\"}}";
static const char github_deleted[] =
    "{\"ref\":\"refs/heads/main\",\"before\":\"" TIP "\",\"after\":\"" NULL_ID
    "\",\"repository\":{\"full_name\":\"Acme/net\"},\"deleted\":true,"
    "\"commits\":[],\"head_commit\":null}";
static const char gitlab[] =
    "{\"object_kind\":\"push\",\"event_name\":\"push\",\"before\":\"" NULL_ID
    "\",\"after\":\"" TIP "\",\"ref\":\"refs/heads/main\",\"ref_protected\":"
    "true,\"checkout_sha\":\"" TIP "\",\"user_id\":4,\"project_id\":15,"
    "\"project\":{\"id\":15,\"name\":\"net\",\"web_url\":"
    "\"http://gitlab.example/ops/core/net\",\"git_ssh_url\":"
    "\"ssh://git@gitlab.example:2222/ops/core/net.git\",\"git_http_url\":"
    "\"http://gitlab.example/ops/core/net.git\",\"path_with_namespace\":"
    "\"ops/core/net\",\"default_branch\":\"main\"},\"commits\":[],"
    "\"total_commits_count\":0,\"repository\":{\"name\":\"net\"}}";
static const char gitlab_tag[] =
    "{\"object_kind\":\"tag_push\",\"ref\":\"refs/tags/v1\",\"after\":\"" TIP
    "\",\"project\":{\"path_with_namespace\":\"ops/core/net\"}}";
static const char gitlab_system[] =
    "{\"event_name\":\"user_create\",\"username\":\"x\"}";
static const char gitea[] =
    "{\"ref\":\"refs/heads/main\",\"before\":\"" NULL_ID "\",\"after\":\"" TIP
    "\",\"compare_url\":\"http://gitea.example:3000/ops/net/compare/a...b\","
    "\"commits\":[],\"total_commits\":1,\"repository\":{\"id\":140,"
    "\"full_name\":\"ops/net\",\"html_url\":\"http://gitea.example:3000/ops/net"
    "\",\"ssh_url\":\"ssh://gitea@gitea.example:2222/ops/net.git\","
    "\"clone_url\":\"http://gitea.example:3000/ops/net.git\"},"
    "\"pusher\":{\"login\":\"amy\"}}";

/* One request: 'sign' names the header for the right signature, 'bad' spoils
 * it.  Headers are pairs. */
struct push {
    const char *what;
    struct tn_webhook_options options;
    const char *sign, *event_header, *event;
    const char *body;
    size_t n_body; /* 0: the length of the text. */
    const char *type;
    enum tn_webhook_verdict verdict;
    const char *commit;
};

static const struct push pushes[] = {
    {"GitHub push",
     {.repository = "acme/net", .branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     github,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"repository by https",
     {.repository = "https://x:y@GitHub.com/acme/net/"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     github,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"repository by scp",
     {.repository = "git@github.com:acme/net"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     github,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"repository by ssh and port",
     {.repository = "ssh://git@github.com:22/acme/net.git"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     github,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"repository of another host",
     {.repository = "https://evil.example/acme/net"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     github,
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"another repository",
     {.repository = "acme/network"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     github,
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"another branch",
     {.branch = "mai"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     github,
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"branch as a full ref",
     {.branch = "refs/heads/main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     github,
     0,
     "application/json; charset=utf-8",
     TN_WEBHOOK_WAKE,
     TIP},
    {"branch deleted",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     github_deleted,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     ""},
    {"ping",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "ping",
     "{\"zen\":\"x\",\"hook_id\":1}",
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"form body",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "payload=%7B%7D",
     0,
     "application/x-www-form-urlencoded",
     TN_WEBHOOK_MALFORMED,
     ""},
    {"GitLab push",
     {.flavour = TN_WEBHOOK_GITLAB,
      .repository = "ops/core/net",
      .branch = "main"},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "Push Hook",
     gitlab,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"GitLab by URL",
     {.repository = "ssh://gitlab.example/ops/core/net"},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "Push Hook",
     gitlab,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"GitLab tag",
     {.branch = "refs/tags/v1"},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "Tag Push Hook",
     gitlab_tag,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"GitLab tag, watching a branch",
     {.branch = "v1"},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "Tag Push Hook",
     gitlab_tag,
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"GitLab system hook",
     {.branch = "main"},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "System Hook",
     gitlab,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"GitLab system hook of another kind",
     {.branch = "main"},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "System Hook",
     gitlab_system,
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"GitLab issue",
     {.branch = "main"},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "Issue Hook",
     gitlab,
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"Gitea push",
     {.repository = "ops/net", .branch = "main"},
     "X-Gitea-Signature",
     "X-Gitea-Event",
     "push",
     gitea,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"Forgejo push",
     {.flavour = TN_WEBHOOK_GITEA,
      .repository = "http://gitea.example:3000/ops/net"},
     "X-Forgejo-Signature",
     "X-Forgejo-Event",
     "push",
     gitea,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"Gogs push",
     {.branch = "main"},
     "X-Gogs-Signature",
     "X-Gogs-Event",
     "push",
     gitea,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TIP},
    {"another flavour than agreed",
     {.flavour = TN_WEBHOOK_GITHUB},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "Push Hook",
     gitlab,
     0,
     NULL,
     TN_WEBHOOK_BAD_SIGNATURE,
     ""},
    {"no event",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-Other",
     "push",
     github,
     0,
     NULL,
     TN_WEBHOOK_MALFORMED,
     ""},
    {"empty body",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "",
     0,
     NULL,
     TN_WEBHOOK_MALFORMED,
     ""},
    {"no object",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "[1]",
     0,
     NULL,
     TN_WEBHOOK_MALFORMED,
     ""},
    {"no ref",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "{\"after\":\"" TIP "\"}",
     0,
     NULL,
     TN_WEBHOOK_MALFORMED,
     ""},
    {"ref of another type",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "{\"ref\":[\"refs/heads/main\"]}",
     0,
     NULL,
     TN_WEBHOOK_MALFORMED,
     ""},
    {"ref twice",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "{\"ref\":\"refs/heads/x\",\"ref\":\"refs/heads/main\"}",
     0,
     NULL,
     TN_WEBHOOK_MALFORMED,
     ""},
    {"bad UTF-8",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "{\"ref\":\"refs/heads/\xff\"}",
     0,
     NULL,
     TN_WEBHOOK_MALFORMED,
     ""},
    {"NUL in the ref",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "{\"ref\":\"refs/heads/main\\u0000x\"}",
     0,
     NULL,
     TN_WEBHOOK_MALFORMED,
     ""},
    {"bytes after the end",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "{\"ref\":\"refs/heads/main\"}\0x",
     28,
     NULL,
     TN_WEBHOOK_MALFORMED,
     ""},
    {"a commit that is none",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "{\"ref\":\"refs/heads/main\",\"after\":\"$(reboot)\"}",
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     ""},
    {"repository of another type",
     {.repository = "acme/net"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     "{\"ref\":\"refs/heads/main\",\"repository\":[{}],\"project\":7}",
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
};

static struct tn_secret *
secret_of(const char *text)
{
    struct tn_secret *s = NULL;
    cr_assert_eq(tn_secret_new(strlen(text), &s, NULL), TN_OK);
    memcpy(tn_secret_bytes(s), text, strlen(text));
    return s;
}

static const char *
sign(const char *header, const char *key, const char *body, size_t n,
     char buf[80])
{
    uint8_t mac[TN_SHA256_SIZE];
    if (strcmp(header, "X-Gitlab-Token") == 0) {
        snprintf(buf, 80, "%s", key);
        return buf;
    }
    size_t at = 0;
    if (strcmp(header, "X-Hub-Signature-256") == 0) {
        at = (size_t) snprintf(buf, 80, "sha256=");
    }
    tn_hmac_sha256(key, strlen(key), body, n, mac);
    for (size_t i = 0; i < sizeof mac; i++) {
        snprintf(buf + at + 2 * i, 3, "%02x", mac[i]);
    }
    return buf;
}

static struct tn_webhook_result
send_push(struct tn_webhook *w, const struct push *p, const char *key,
          const char *delivery, int64_t now)
{
    char signature[80];
    size_t n = p->n_body ? p->n_body : strlen(p->body);
    const char *id = strncmp(p->sign, "X-Gitlab", 8) == 0
                         ? "X-Gitlab-Event-UUID"
                         : "x-github-delivery";
    struct tn_http_field fields[] = {
        {p->sign, sign(p->sign, key, p->body, n, signature)},
        {p->event_header, p->event},
        {"Content-Type", p->type ? p->type : "application/json"},
        {id, delivery},
    };
    struct tn_http_request r = {.method = "POST",
                                .path = "/webhook",
                                .peer = "192.0.2.7",
                                .fields = fields,
                                .n_fields = delivery ? 4 : 3,
                                .body = p->body,
                                .n_body = n};
    return tn_webhook_judge(w, &r, now);
}

Test(webhook, judges_what_forges_send)
{
    struct tn_secret *secret = secret_of(SECRET);
    for (size_t i = 0; i < TN_ARRAY_SIZE(pushes); i++) {
        struct tn_webhook_options options = pushes[i].options;
        options.secret = secret;
        struct tn_webhook *w = tn_webhook_new(&options);
        struct tn_webhook_result r =
            send_push(w, &pushes[i], SECRET, "1-2-3", 1000);
        cr_assert_eq(r.verdict, pushes[i].verdict, "%s: %s", pushes[i].what,
                     r.reason);
        cr_assert_str_eq(r.commit, pushes[i].commit, "%s", pushes[i].what);
        /* With another key it is nobody's, whatever it says. */
        r = send_push(w, &pushes[i], "It's a secret to everybody", "4", 1000);
        cr_assert_eq(r.verdict, TN_WEBHOOK_BAD_SIGNATURE, "%s", pushes[i].what);
        cr_assert_str_eq(r.commit, "");
        tn_webhook_free(w);
    }
    tn_secret_free(secret);
}

/* From GitHub's documentation of how to validate deliveries. */
Test(webhook, agrees_with_github_on_the_signature)
{
    struct tn_secret *secret = secret_of(SECRET);
    struct tn_webhook_options options = {.secret = secret};
    struct tn_webhook *w = tn_webhook_new(&options);
    struct tn_http_field fields[] = {
        {"X-HUB-SIGNATURE-256",
         "sha256="
         "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        {"x-github-event", "ping"},
    };
    struct tn_http_request r = {.peer = "::1",
                                .fields = fields,
                                .n_fields = 2,
                                .body = "Hello, World!",
                                .n_body = 13};
    cr_assert_eq(tn_webhook_judge(w, &r, 0).verdict, TN_WEBHOOK_IGNORED);
    tn_webhook_free(w);
    tn_secret_free(secret);
}

static const char *const forged[] = {
    "",
    "sha256=",
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e1",
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e16",
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e177",
    "sha256=z57107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    "sha1=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    "sha256= 57107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    SECRET,
};

Test(webhook, refuses_forged_signatures)
{
    struct tn_secret *secret = secret_of(SECRET), *empty = secret_of("");
    struct tn_webhook_options options = {
        .secret = secret, .peer_rate = 1000, .global_rate = 1000};
    struct tn_webhook_options none = {.peer_rate = 1000, .global_rate = 1000};
    struct tn_webhook_options blank = {.secret = empty,
                                       .old_secret = empty,
                                       .peer_rate = 1000,
                                       .global_rate = 1000};
    struct tn_webhook *w[] = {tn_webhook_new(&options), tn_webhook_new(&none),
                              tn_webhook_new(&blank)};
    static const char *const headers[] = {"X-Hub-Signature-256",
                                          "X-Gitea-Signature", "X-Other"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(forged); i++) {
        for (size_t k = 0; k < TN_ARRAY_SIZE(headers) * 3; k++) {
            struct tn_http_field fields[] = {{headers[k % 3], forged[i]},
                                             {"X-GitHub-Event", "push"}};
            struct tn_http_request r = {.peer = "::1",
                                        .fields = fields,
                                        .n_fields = 2,
                                        .body = "Hello, World!",
                                        .n_body = 13};
            cr_assert_eq(tn_webhook_judge(w[k / 3], &r, 0).verdict,
                         TN_WEBHOOK_BAD_SIGNATURE, "%s", forged[i]);
        }
    }
    /* No secret is not an empty secret. */
    struct tn_http_field token[] = {{"X-Gitlab-Token", ""},
                                    {"X-Gitlab-Event", "Push Hook"}};
    struct tn_http_request r = {.peer = "::1",
                                .fields = token,
                                .n_fields = 2,
                                .body = gitlab,
                                .n_body = strlen(gitlab)};
    for (size_t k = 0; k < 3; k++) {
        cr_assert_eq(tn_webhook_judge(w[k], &r, 0).verdict,
                     TN_WEBHOOK_BAD_SIGNATURE);
        tn_webhook_free(w[k]);
    }
    tn_secret_free(secret);
    tn_secret_free(empty);
}

Test(webhook, exchanges_secrets)
{
    struct tn_secret *new = secret_of("new"), *old = secret_of("old");
    struct tn_webhook_options options = {.secret = new, .old_secret = old};
    struct tn_webhook *w = tn_webhook_new(&options);
    cr_assert_eq(send_push(w, &pushes[11], "new", "1", 0).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(send_push(w, &pushes[11], "old", "2", 0).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(send_push(w, &pushes[11], "older", "3", 0).verdict,
                 TN_WEBHOOK_BAD_SIGNATURE);
    tn_webhook_free(w);
    tn_secret_free(new);
    tn_secret_free(old);
}

Test(webhook, knows_replays)
{
    struct tn_secret *secret = secret_of(SECRET);
    struct tn_webhook_options options = {.secret = secret, .replay_ms = 60000};
    struct tn_webhook *w = tn_webhook_new(&options);
    const struct push *hub = &pushes[0], *lab = &pushes[11];
    struct push other = *hub;
    other.body = github_deleted;
    cr_assert_eq(send_push(w, hub, SECRET, "1", 0).verdict, TN_WEBHOOK_WAKE);
    /* The same id; the same bytes under another id, or none. */
    cr_assert_eq(send_push(w, &other, SECRET, "1", 10).verdict,
                 TN_WEBHOOK_REPLAYED);
    cr_assert_eq(send_push(w, hub, SECRET, "2", 60000).verdict,
                 TN_WEBHOOK_REPLAYED);
    cr_assert_eq(send_push(w, hub, SECRET, NULL, 60000).verdict,
                 TN_WEBHOOK_REPLAYED);
    cr_assert_eq(send_push(w, hub, SECRET, "1", 60001).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(send_push(w, lab, SECRET, "1", 60001).verdict,
                 TN_WEBHOOK_REPLAYED);
    cr_assert_eq(send_push(w, lab, SECRET, "3", 60002).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(send_push(w, lab, SECRET, "4", 60002).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(send_push(w, lab, SECRET, "3", 60003).verdict,
                 TN_WEBHOOK_REPLAYED);
    tn_webhook_free(w);
    tn_secret_free(secret);
}

/* A stranger cannot make a delivery known, and so refused. */
Test(webhook, remembers_only_the_authentic)
{
    struct tn_secret *secret = secret_of(SECRET);
    struct tn_webhook_options options = {.secret = secret};
    struct tn_webhook *w = tn_webhook_new(&options);
    cr_assert_eq(send_push(w, &pushes[0], "wrong", "1", 0).verdict,
                 TN_WEBHOOK_BAD_SIGNATURE);
    cr_assert_eq(send_push(w, &pushes[0], SECRET, "1", 0).verdict,
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

Test(webhook, limits_the_rate_of_a_sender)
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

Test(webhook, counts_an_ipv6_network_as_one)
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
Test(webhook, a_crowd_does_not_silence_the_forge)
{
    struct tn_secret *secret = secret_of(SECRET);
    struct tn_webhook_options options = {.secret = secret};
    struct tn_webhook *w = tn_webhook_new(&options);
    char peer[64];
    int heard = 0;
    cr_assert_eq(send_push(w, &pushes[0], SECRET, "0", 0).verdict,
                 TN_WEBHOOK_WAKE);
    for (int i = 0; i < 10000; i++) {
        snprintf(peer, sizeof peer, "10.%d.%d.1", i / 250, i % 250);
        heard += knock(w, peer, 0).verdict != TN_WEBHOOK_RATE_LIMITED;
    }
    cr_assert(heard <= 240 / TN_WEBHOOK_PENALTY, "%d", heard);
    cr_assert_eq(send_push(w, &pushes[11], SECRET, "1", 0).verdict,
                 TN_WEBHOOK_WAKE);
    tn_webhook_free(w);
    tn_secret_free(secret);
}

Test(webhook, bounds_size_and_depth)
{
    struct tn_secret *secret = secret_of(SECRET);
    struct tn_webhook_options options = {.secret = secret, .max_body = 4096};
    struct tn_webhook *w = tn_webhook_new(&options);
    static char body[4098];
    struct push p = pushes[0];
    p.body = body;
    memset(body, '[', 4097);
    cr_assert_eq(send_push(w, &p, SECRET, "1", 0).verdict,
                 TN_WEBHOOK_TOO_LARGE);
    body[4096] = '\0';
    struct tn_webhook_result r = send_push(w, &p, SECRET, "1", 0);
    cr_assert_eq(r.verdict, TN_WEBHOOK_MALFORMED);
    cr_assert_str_eq(r.reason, "the body nests too deep");
    for (size_t i = 0; i < 4096; i += 2) {
        memcpy(body + i, "[]", 2);
    }
    r = send_push(w, &p, SECRET, "2", 0);
    cr_assert_eq(r.verdict, TN_WEBHOOK_MALFORMED);
    cr_assert_str_neq(r.reason, "the body nests too deep");
    tn_webhook_free(w);
    tn_secret_free(secret);
}

Test(webhook, knows_flavours)
{
    enum tn_webhook_flavour f = TN_WEBHOOK_AUTO;
    cr_assert(tn_webhook_flavour_parse("gitea", &f));
    cr_assert_eq(f, TN_WEBHOOK_GITEA);
    cr_assert(!tn_webhook_flavour_parse("svn", &f));
    cr_assert_eq(f, TN_WEBHOOK_GITEA);
}
