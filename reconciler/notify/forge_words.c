/* forge_words.c - what differs between GitLab, GitHub and Gitea: names of
 * states, addresses, headers, and what their answers mean. */
#include <string.h>
#include <strings.h>

#include "reconciler/notify/forge_work.h"

enum { SECONDARY_LIMIT_S = 60 };

static const char *const states[][5] = {
    [TN_FORGE_GITLAB] = {"pending", "running", "success", "failed", "canceled"},
    [TN_FORGE_GITHUB] = {"pending", "pending", "success", "failure", "error"},
    [TN_FORGE_GITEA] = {"pending", "pending", "success", "failure", "error"},
};

const char *
tn_forge_state(enum tn_forge_kind kind, enum tn_commit_state state)
{
    return states[kind][state];
}

const char *
tn_forge_auth(enum tn_forge_kind kind, const char **prefix)
{
    switch (kind) {
    case TN_FORGE_GITLAB:
        *prefix = "";
        return "PRIVATE-TOKEN";
    case TN_FORGE_GITHUB:
        *prefix = "Bearer ";
        break;
    case TN_FORGE_GITEA:
        *prefix = "token ";
        break;
    }
    return "Authorization";
}

/* Percent-encodes all but unreserved characters, and 'keep'. */
static void
add_encoded(struct tn_text *out, const char *s, char keep)
{
    for (; *s; s++) {
        bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
                     (*s >= '0' && *s <= '9') || strchr("-._~", *s) ||
                     *s == keep;
        if (plain) {
            tn_text_addc(out, *s);
        } else {
            tn_text_addf(out, "%%%02X", (unsigned char) *s);
        }
    }
}

void
tn_forge_url(const struct tn_forge *forge, const struct tn_forge_post *post,
             struct tn_text *out)
{
    bool gitlab = forge->kind == TN_FORGE_GITLAB;
    tn_text_addf(out, "%s/%s/", forge->api, gitlab ? "projects" : "repos");
    add_encoded(out, forge->repository, gitlab ? '\0' : '/');
    tn_text_addf(out, "/statuses/%s", post->sha);
}

static void
add_member(struct tn_text *out, const char *key, const char *value)
{
    tn_text_addf(out, ",\"%s\":\"", key);
    tn_text_add_escaped(out, value);
    tn_text_addc(out, '"');
}

void
tn_forge_body(const struct tn_forge *forge, const struct tn_forge_post *post,
              struct tn_text *out)
{
    tn_text_addf(out, "{\"state\":\"%s\"", post->state);
    add_member(out, forge->kind == TN_FORGE_GITLAB ? "name" : "context",
               post->context);
    if (*post->description) {
        add_member(out, "description", post->description);
    }
    if (*post->target_url) {
        add_member(out, "target_url", post->target_url);
    }
    tn_text_addc(out, '}');
}

/* GitHub and its kind say 403 for "too fast" and for "not you". */
static bool
is_limited(const struct tn_http_reply *reply, uint32_t *wait_s)
{
    if (reply->status == 429 || (reply->status == 403 && *wait_s)) {
        return true;
    }
    if (reply->status == 403 && strcasestr(reply->body, "rate limit")) {
        *wait_s = SECONDARY_LIMIT_S;
        return true;
    }
    return false;
}

enum tn_forge_verdict
tn_forge_judge(enum tn_forge_kind kind, const struct tn_http_reply *reply,
               int64_t now_s, uint32_t *wait_s)
{
    *wait_s = 0;
    if (reply->code == TN_OK) {
        return TN_FORGE_POSTED;
    }
    *wait_s = tn_http_reply_wait(reply, now_s);
    if (is_limited(reply, wait_s) || reply->code == TN_EUNAVAILABLE ||
        reply->code == TN_ESTALE || reply->status == 0) {
        return TN_FORGE_AGAIN;
    }
    /* GitLab's word for "it is so already", or for a state that it does not
     * leave any more. */
    if (kind == TN_FORGE_GITLAB && reply->status == 400 &&
        strstr(reply->body, "Cannot transition status")) {
        return TN_FORGE_POSTED;
    }
    return TN_FORGE_NEVER;
}
