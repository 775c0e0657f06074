/* webhook.c - the judge of push notifications.
 *
 * The order of the checks is the design: what costs little comes first, nothing
 * is parsed that is not authentic, and nothing is remembered for a stranger but
 * his bucket.  Argo CD had four denials of service by unauthenticated bodies
 * that were parsed before their signature was checked. */
#include "reconciler/http/webhook.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/base/arena.h"
#include "model/base/attr.h"
#include "reconciler/http/webhook_body.h"
#include "reconciler/http/webhook_guard.h"

enum { DAY_MS = 24 * 3600 * 1000, PEER_RATE = 60, GLOBAL_RATE = 240 };

struct tn_webhook {
    struct tn_arena *arena;
    struct tn_webhook_options options;
    struct tn_webhook_guard guard;
};

static const struct {
    const char *name;
    unsigned status;
} verdicts[] = {
    [TN_WEBHOOK_WAKE] = {"wake", 202},
    [TN_WEBHOOK_IGNORED] = {"ignored", 200},
    [TN_WEBHOOK_MALFORMED] = {"malformed", 400},
    [TN_WEBHOOK_BAD_SIGNATURE] = {"bad-signature", 401},
    [TN_WEBHOOK_REPLAYED] = {"replayed", 409},
    [TN_WEBHOOK_TOO_LARGE] = {"too-large", 413},
    [TN_WEBHOOK_RATE_LIMITED] = {"rate-limited", 429},
};

static const char *const flavours[] = {
    [TN_WEBHOOK_AUTO] = "auto",
    [TN_WEBHOOK_GITHUB] = "github",
    [TN_WEBHOOK_GITLAB] = "gitlab",
    [TN_WEBHOOK_GITEA] = "gitea",
};

/* Headers by which a forge speaks; null ends a list.  Gitea sends GitHub's
 * beside its own, so its own come first. */
static const char *const gitea_signatures[] = {
    "X-Forgejo-Signature", "X-Gitea-Signature", "X-Gogs-Signature",
    "X-Hub-Signature-256", NULL};
static const char *const gitea_events[] = {
    "X-Forgejo-Event", "X-Gitea-Event", "X-Gogs-Event", "X-GitHub-Event", NULL};
static const char *const gitea_deliveries[] = {
    "X-Forgejo-Delivery", "X-Gitea-Delivery", "X-Gogs-Delivery",
    "X-GitHub-Delivery", NULL};
static const char *const github_signatures[] = {"X-Hub-Signature-256", NULL};
static const char *const github_events[] = {"X-GitHub-Event", NULL};
static const char *const github_deliveries[] = {"X-GitHub-Delivery", NULL};
static const char *const gitlab_signatures[] = {"X-Gitlab-Token", NULL};
static const char *const gitlab_events[] = {"X-Gitlab-Event", NULL};
static const char *const gitlab_deliveries[] = {"X-Gitlab-Event-UUID", NULL};

/* How one flavour speaks. */
struct dialect {
    enum tn_webhook_flavour flavour;
    const char *const *signatures, *const *events, *const *deliveries;
};

static const struct dialect dialects[] = {
    {TN_WEBHOOK_GITLAB, gitlab_signatures, gitlab_events, gitlab_deliveries},
    {TN_WEBHOOK_GITEA, gitea_signatures, gitea_events, gitea_deliveries},
    {TN_WEBHOOK_GITHUB, github_signatures, github_events, github_deliveries},
};

static const char *
first_of(const struct tn_http_request *request, const char *const *names)
{
    const char *value = NULL;
    for (size_t i = 0; names[i] && !value; i++) {
        value = tn_http_field(request, names[i]);
    }
    return value;
}

/* The dialect of the request; null if it has no signature that we know. */
static const struct dialect *
dialect_of(enum tn_webhook_flavour flavour,
           const struct tn_http_request *request)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(dialects); i++) {
        if ((flavour == TN_WEBHOOK_AUTO || flavour == dialects[i].flavour) &&
            first_of(request, dialects[i].signatures)) {
            return &dialects[i];
        }
    }
    return NULL;
}

static bool
hex_nibble(char c, uint8_t *out)
{
    if (c >= '0' && c <= '9') {
        *out = (uint8_t) (c - '0');
        return true;
    }
    c = (char) (c | 0x20);
    *out = (uint8_t) (c - 'a' + 10);
    return c >= 'a' && c <= 'f';
}

/* 64 hexadecimal digits, after "sha256=" or not. */
static bool
parse_signature(const char *text, uint8_t out[TN_SHA256_SIZE])
{
    static const char prefix[] = "sha256=";
    if (strncmp(text, prefix, sizeof prefix - 1) == 0) {
        text += sizeof prefix - 1;
    }
    if (strlen(text) != (size_t) 2 * TN_SHA256_SIZE) {
        return false;
    }
    for (size_t i = 0; i < TN_SHA256_SIZE; i++) {
        uint8_t high = 0, low = 0;
        if (!hex_nibble(text[2 * i], &high) ||
            !hex_nibble(text[2 * i + 1], &low)) {
            return false;
        }
        out[i] = (uint8_t) (high << 4 | low);
    }
    return true;
}

static bool
is_authentic_with(const struct tn_secret *secret, const struct dialect *d,
                  const struct tn_http_request *request)
{
    size_t n = secret ? tn_secret_size(secret) : 0;
    const char *said = first_of(request, d->signatures);
    if (n == 0 || !said) {
        return false;
    }
    if (d->flavour == TN_WEBHOOK_GITLAB) {
        return strlen(said) == n &&
               tn_equal_secret(said, tn_secret_peek(secret), n);
    }
    uint8_t given[TN_SHA256_SIZE], right[TN_SHA256_SIZE];
    if (!parse_signature(said, given)) {
        return false;
    }
    tn_hmac_sha256(tn_secret_peek(secret), n, request->body, request->n_body,
                   right);
    return tn_equal_secret(given, right, sizeof right);
}

static bool
is_authentic(const struct tn_webhook *w, const struct dialect *d,
             const struct tn_http_request *request)
{
    return is_authentic_with(w->options.secret, d, request) ||
           is_authentic_with(w->options.old_secret, d, request);
}

/* A body under a valid signature can be sent again under another delivery id,
 * so its bytes count too.  Who can repeat GitLab's token can write any body. */
static bool
is_replay(struct tn_webhook *w, const struct dialect *d,
          const struct tn_http_request *request, int64_t now_ms)
{
    uint8_t body[TN_SHA256_SIZE];
    const char *delivery = first_of(request, d->deliveries);
    bool bytes = d->flavour != TN_WEBHOOK_GITLAB || !delivery;
    tn_sha256(request->body, request->n_body, body);
    return tn_guard_seen(&w->guard, delivery, bytes ? body : NULL, now_ms);
}

static bool
is_push(const struct dialect *d, const char *event)
{
    if (d->flavour != TN_WEBHOOK_GITLAB) {
        return strcmp(event, "push") == 0;
    }
    return strcmp(event, "Push Hook") == 0 ||
           strcmp(event, "Tag Push Hook") == 0 ||
           strcmp(event, "System Hook") == 0;
}

static bool
is_json(const char *type)
{
    static const char json[] = "application/json";
    return !type || strncasecmp(type, json, sizeof json - 1) == 0;
}

static struct tn_webhook_result
say(enum tn_webhook_verdict verdict, const char *reason)
{
    return (struct tn_webhook_result){
        .verdict = verdict,
        .status = verdicts[verdict].status,
        .reason = reason,
    };
}

static bool
is_branch(const char *wanted, const char *ref)
{
    static const char heads[] = "refs/heads/";
    if (strncmp(wanted, "refs/", 5) == 0) {
        return strcmp(wanted, ref) == 0;
    }
    return strncmp(ref, heads, sizeof heads - 1) == 0 &&
           strcmp(wanted, ref + sizeof heads - 1) == 0;
}

/* An authentic, new push: is it about what we watch? */
static struct tn_webhook_result
judge_push(const struct tn_webhook *w, const struct dialect *d,
           const struct tn_http_request *request)
{
    const char *why = NULL;
    if (!is_json(tn_http_field(request, "Content-Type"))) {
        return say(TN_WEBHOOK_MALFORMED,
                   "set the webhook's content type to application/json");
    }
    TN_CLEANUP(tn_cleanup_webhook_body)
    struct tn_webhook_body *body =
        tn_webhook_body_parse(request->body, request->n_body, &why);
    if (!body) {
        return say(TN_WEBHOOK_MALFORMED, why);
    }
    const char *kind = tn_webhook_body_kind(body);
    if (d->flavour == TN_WEBHOOK_GITLAB && kind && strcmp(kind, "push") != 0 &&
        strcmp(kind, "tag_push") != 0) {
        return say(TN_WEBHOOK_IGNORED, "another event");
    }
    const char *ref = tn_webhook_body_ref(body);
    if (!ref) {
        return say(TN_WEBHOOK_MALFORMED, "a push that names no ref");
    }
    if (w->options.repository &&
        !tn_webhook_body_is_of(body, w->options.repository)) {
        return say(TN_WEBHOOK_IGNORED, "another repository");
    }
    if (w->options.branch && !is_branch(w->options.branch, ref)) {
        return say(TN_WEBHOOK_IGNORED, "another branch");
    }
    struct tn_webhook_result result = say(TN_WEBHOOK_WAKE, "looking at it");
    const char *tip = tn_webhook_body_tip(body);
    if (tip) {
        memcpy(result.commit, tip, strlen(tip) + 1);
    }
    return result;
}

struct tn_webhook *
tn_webhook_new(const struct tn_webhook_options *options)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_webhook *w = tn_new(arena, struct tn_webhook);
    struct tn_webhook_options *o = &w->options;
    w->arena = arena;
    *o = *options;
    o->repository =
        o->repository ? tn_arena_strdup(arena, o->repository) : NULL;
    o->branch = o->branch ? tn_arena_strdup(arena, o->branch) : NULL;
    o->max_body = o->max_body ? o->max_body : TN_WEBHOOK_BODY;
    tn_guard_init(&w->guard, o->peer_rate ? o->peer_rate : PEER_RATE,
                  o->global_rate ? o->global_rate : GLOBAL_RATE,
                  o->replay_ms ? o->replay_ms : DAY_MS);
    return w;
}

void
tn_webhook_free(struct tn_webhook *webhook)
{
    if (webhook) {
        tn_arena_free(webhook->arena);
    }
}

struct tn_webhook_result
tn_webhook_judge(struct tn_webhook *webhook,
                 const struct tn_http_request *request, int64_t now_ms)
{
    assert(webhook && request && request->body);
    if (request->n_body > webhook->options.max_body) {
        return say(TN_WEBHOOK_TOO_LARGE, "the body is too large");
    }
    struct tn_peer *peer = NULL;
    unsigned wait = tn_guard_enter(
        &webhook->guard, request->peer ? request->peer : "", now_ms, &peer);
    if (wait) {
        struct tn_webhook_result result =
            say(TN_WEBHOOK_RATE_LIMITED, "too many requests");
        result.retry_after = wait;
        return result;
    }
    const struct dialect *d = dialect_of(webhook->options.flavour, request);
    bool good = d && is_authentic(webhook, d, request);
    tn_guard_verdict(&webhook->guard, peer, good);
    if (!good) {
        return say(TN_WEBHOOK_BAD_SIGNATURE,
                   d ? "the signature is wrong" : "there is no signature");
    }
    if (is_replay(webhook, d, request, now_ms)) {
        return say(TN_WEBHOOK_REPLAYED, "received before");
    }
    const char *event = first_of(request, d->events);
    if (!event) {
        return say(TN_WEBHOOK_MALFORMED, "no header names the event");
    }
    if (!is_push(d, event)) {
        return say(TN_WEBHOOK_IGNORED, "another event");
    }
    return judge_push(webhook, d, request);
}

void
tn_webhook_answer(const struct tn_webhook_result *result,
                  struct tn_http_response *response)
{
    response->status = result->status;
    response->retry_after = result->retry_after;
    response->type = "application/json";
    tn_text_addf(&response->body, "{\"verdict\":\"%s\",\"reason\":\"",
                 tn_webhook_verdict_name(result->verdict));
    tn_text_add_escaped(&response->body, result->reason);
    tn_text_add(&response->body, "\"}\n");
}

const char *
tn_webhook_verdict_name(enum tn_webhook_verdict verdict)
{
    return verdicts[verdict].name;
}

bool
tn_webhook_flavour_parse(const char *name, enum tn_webhook_flavour *out)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(flavours); i++) {
        if (strcmp(name, flavours[i]) == 0) {
            *out = (enum tn_webhook_flavour) i;
            return true;
        }
    }
    return false;
}
