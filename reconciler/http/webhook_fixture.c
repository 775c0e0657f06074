/* webhook_fixture.c - see webhook_fixture.h. */
#include "reconciler/http/webhook_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

const char tn_push_github[] =
    "{\"ref\":\"refs/heads/main\",\"before\":\"" TN_PUSH_NULL
    "\",\"after\":\"" TN_PUSH_TIP
    "\",\"repository\":{\"id\":186853002,\"name\":\"net\",\"full_name\":"
    "\"Acme/net\",\"private\":true,\"html_url\":\"https://github.com/Acme/net\""
    ",\"url\":\"https://github.com/Acme/net\",\"pushed_at\":1557933657,"
    "\"git_url\":\"git://github.com/Acme/net.git\",\"ssh_url\":"
    "\"git@github.com:Acme/net.git\",\"clone_url\":"
    "\"https://github.com/Acme/net.git\"},\"pusher\":{\"name\":\"amy\"},"
    "\"created\":false,\"deleted\":false,\"forced\":false,\"compare\":"
    "\"https://github.com/Acme/net/compare/a...b\",\"commits\":[],"
    "\"head_commit\":{\"id\":\"" TN_PUSH_TIP "\",\"message\":\"M\xc3\xb6re\"}}";
const char tn_push_github_deleted[] =
    "{\"ref\":\"refs/heads/main\",\"before\":\"" TN_PUSH_TIP
    "\",\"after\":\"" TN_PUSH_NULL
    "\",\"repository\":{\"full_name\":\"Acme/net\"},\"deleted\":true,"
    "\"commits\":[],\"head_commit\":null}";
const char tn_push_gitlab[] =
    "{\"object_kind\":\"push\",\"event_name\":\"push\",\"before\":"
    "\"" TN_PUSH_NULL "\",\"after\":\"" TN_PUSH_TIP
    "\",\"ref\":\"refs/heads/main\",\"ref_protected\":"
    "true,\"checkout_sha\":\"" TN_PUSH_TIP "\",\"user_id\":4,\"project_id\":15,"
    "\"project\":{\"id\":15,\"name\":\"net\",\"web_url\":"
    "\"http://gitlab.example/ops/core/net\",\"git_ssh_url\":"
    "\"ssh://git@gitlab.example:2222/ops/core/net.git\",\"git_http_url\":"
    "\"http://gitlab.example/ops/core/net.git\",\"path_with_namespace\":"
    "\"ops/core/net\",\"default_branch\":\"main\"},\"commits\":[],"
    "\"total_commits_count\":0,\"repository\":{\"name\":\"net\"}}";

struct tn_secret *
tn_push_secret(const char *text)
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

struct tn_webhook_result
tn_push_send(struct tn_webhook *w, const struct tn_push *p, const char *key,
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
