/* webhook_test.c - notifications as the forges send them, and as enemies do:
 * bodies, signatures and secrets.  Replays and rates are in
 * webhook_guard_test.c. */
#include "reconciler/http/webhook.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/http/webhook_body.h"
#include "reconciler/http/webhook_fixture.h"

static const char gitlab_tag[] =
    "{\"object_kind\":\"tag_push\",\"ref\":\"refs/tags/"
    "v1\",\"after\":\"" TN_PUSH_TIP
    "\",\"project\":{\"path_with_namespace\":\"ops/core/net\"}}";
static const char gitlab_system[] =
    "{\"event_name\":\"user_create\",\"username\":\"x\"}";
static const char gitea[] =
    "{\"ref\":\"refs/heads/main\",\"before\":\"" TN_PUSH_NULL
    "\",\"after\":\"" TN_PUSH_TIP
    "\",\"compare_url\":\"http://gitea.example:3000/ops/net/compare/a...b\","
    "\"commits\":[],\"total_commits\":1,\"repository\":{\"id\":140,"
    "\"full_name\":\"ops/net\",\"html_url\":\"http://gitea.example:3000/ops/net"
    "\",\"ssh_url\":\"ssh://gitea@gitea.example:2222/ops/net.git\","
    "\"clone_url\":\"http://gitea.example:3000/ops/net.git\"},"
    "\"pusher\":{\"login\":\"amy\"}}";

static const struct tn_push pushes[] = {
    {"GitHub push",
     {.repository = "acme/net", .branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     tn_push_github,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
    {"repository by https",
     {.repository = "https://x:y@GitHub.com/acme/net/"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     tn_push_github,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
    {"repository by scp",
     {.repository = "git@github.com:acme/net"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     tn_push_github,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
    {"repository by ssh and port",
     {.repository = "ssh://git@github.com:22/acme/net.git"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     tn_push_github,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
    {"repository of another host",
     {.repository = "https://evil.example/acme/net"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     tn_push_github,
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"another repository",
     {.repository = "acme/network"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     tn_push_github,
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"another branch",
     {.branch = "mai"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     tn_push_github,
     0,
     NULL,
     TN_WEBHOOK_IGNORED,
     ""},
    {"branch as a full ref",
     {.branch = "refs/heads/main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     tn_push_github,
     0,
     "application/json; charset=utf-8",
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
    {"branch deleted",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-GitHub-Event",
     "push",
     tn_push_github_deleted,
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
     tn_push_gitlab,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
    {"GitLab by URL",
     {.repository = "ssh://gitlab.example/ops/core/net"},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "Push Hook",
     tn_push_gitlab,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
    {"GitLab tag",
     {.branch = "refs/tags/v1"},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "Tag Push Hook",
     gitlab_tag,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
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
     tn_push_gitlab,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
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
     tn_push_gitlab,
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
     TN_PUSH_TIP},
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
     TN_PUSH_TIP},
    {"Gogs push",
     {.branch = "main"},
     "X-Gogs-Signature",
     "X-Gogs-Event",
     "push",
     gitea,
     0,
     NULL,
     TN_WEBHOOK_WAKE,
     TN_PUSH_TIP},
    {"another flavour than agreed",
     {.flavour = TN_WEBHOOK_GITHUB},
     "X-Gitlab-Token",
     "X-Gitlab-Event",
     "Push Hook",
     tn_push_gitlab,
     0,
     NULL,
     TN_WEBHOOK_BAD_SIGNATURE,
     ""},
    {"no event",
     {.branch = "main"},
     "X-Hub-Signature-256",
     "X-Other",
     "push",
     tn_push_github,
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
     "{\"after\":\"" TN_PUSH_TIP "\"}",
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

Test(webhook, judges_what_forges_send)
{
    struct tn_secret *secret = tn_push_secret(TN_PUSH_SECRET);
    for (size_t i = 0; i < TN_ARRAY_SIZE(pushes); i++) {
        struct tn_webhook_options options = pushes[i].options;
        options.secret = secret;
        struct tn_webhook *w = tn_webhook_new(&options);
        struct tn_webhook_result r =
            tn_push_send(w, &pushes[i], TN_PUSH_SECRET, "1-2-3", 1000);
        cr_assert_eq(r.verdict, pushes[i].verdict, "%s: %s", pushes[i].what,
                     r.reason);
        cr_assert_str_eq(r.commit, pushes[i].commit, "%s", pushes[i].what);
        /* With another key it is nobody's, whatever it says. */
        r = tn_push_send(w, &pushes[i], "It's a secret to everybody", "4",
                         1000);
        cr_assert_eq(r.verdict, TN_WEBHOOK_BAD_SIGNATURE, "%s", pushes[i].what);
        cr_assert_str_eq(r.commit, "");
        tn_webhook_free(w);
    }
    tn_secret_free(secret);
}

/* From GitHub's documentation of how to validate deliveries. */
Test(webhook, agrees_with_github_on_the_signature)
{
    struct tn_secret *secret = tn_push_secret(TN_PUSH_SECRET);
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
    TN_PUSH_SECRET,
};

Test(webhook, refuses_forged_signatures)
{
    struct tn_secret *secret = tn_push_secret(TN_PUSH_SECRET),
                     *empty = tn_push_secret("");
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
                                .body = tn_push_gitlab,
                                .n_body = strlen(tn_push_gitlab)};
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
    struct tn_secret *new = tn_push_secret("new"), *old = tn_push_secret("old");
    struct tn_webhook_options options = {.secret = new, .old_secret = old};
    struct tn_webhook *w = tn_webhook_new(&options);
    cr_assert_eq(tn_push_send(w, &pushes[11], "new", "1", 0).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(tn_push_send(w, &pushes[11], "old", "2", 0).verdict,
                 TN_WEBHOOK_WAKE);
    cr_assert_eq(tn_push_send(w, &pushes[11], "older", "3", 0).verdict,
                 TN_WEBHOOK_BAD_SIGNATURE);
    tn_webhook_free(w);
    tn_secret_free(new);
    tn_secret_free(old);
}

Test(webhook, bounds_size_and_depth)
{
    struct tn_secret *secret = tn_push_secret(TN_PUSH_SECRET);
    struct tn_webhook_options options = {.secret = secret, .max_body = 4096};
    struct tn_webhook *w = tn_webhook_new(&options);
    static char body[4098];
    struct tn_push p = pushes[0];
    p.body = body;
    memset(body, '[', 4097);
    cr_assert_eq(tn_push_send(w, &p, TN_PUSH_SECRET, "1", 0).verdict,
                 TN_WEBHOOK_TOO_LARGE);
    body[4096] = '\0';
    struct tn_webhook_result r = tn_push_send(w, &p, TN_PUSH_SECRET, "1", 0);
    cr_assert_eq(r.verdict, TN_WEBHOOK_MALFORMED);
    cr_assert_str_eq(r.reason, "the body nests too deep");
    for (size_t i = 0; i < 4096; i += 2) {
        memcpy(body + i, "[]", 2);
    }
    r = tn_push_send(w, &p, TN_PUSH_SECRET, "2", 0);
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
