/* webhook_body.c - the few members of a push body that matter.
 *
 * GitHub, Gitea, Forgejo and Gogs agree on "ref", "after" and "repository";
 * GitLab has "ref", "after" and "project" (and an older "repository").  So one
 * reader serves all: it looks for both objects and takes what is text.  What is
 * of another type counts as absent; nothing is believed anyway. */
#include "reconciler/http/webhook_body.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/base/attr.h"
#include "model/base/cleanup.h"
#include "model/base/text.h"

struct tn_webhook_body {
    json_t *root;
};

static const char *const holders[] = {"repository", "project"};
static const char *const names[] = {"full_name", "path_with_namespace"};
static const char *const urls[] = {
    "clone_url",   "ssh_url",  "html_url", "git_url", "git_http_url",
    "git_ssh_url", "http_url", "web_url",  "url",     "homepage"};

/* jansson recurses up to 2,048 levels; far fewer are enough here. */
static bool
nests_too_deep(const char *bytes, size_t n)
{
    size_t depth = 0;
    bool text = false;
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        if (text) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                text = false;
            }
        } else if (c == '"') {
            text = true;
        } else if (c == '{' || c == '[') {
            if (++depth > TN_WEBHOOK_DEPTH) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static const char *
member(const struct tn_webhook_body *body, const char *name)
{
    return json_string_value(json_object_get(body->root, name));
}

/* "https://user@host:1/group/name.git/" and "git@host:group/name" become
 * "host/group/name"; "group/name" stays.  False if 'text' is no URL. */
static bool
simplify(const char *text, struct tn_text *out)
{
    const char *scheme = strstr(text, "://");
    const char *rest = scheme ? scheme + 3 : text;
    size_t host = strcspn(rest, "/");
    const char *at = memchr(rest, '@', host);
    if (at) {
        host -= (size_t) (at + 1 - rest);
        rest = at + 1;
    }
    const char *colon = rest[0] == '[' ? strstr(rest, "]:") : NULL;
    colon = colon ? colon + 1 : memchr(rest, ':', host);
    bool url = scheme || colon;
    if (colon && rest[0] != '[') {
        tn_text_addn(out, rest, (size_t) (colon - rest));
        rest = scheme ? rest + host : colon + 1;
        if (!scheme && rest[0] != '/') {
            tn_text_addc(out, '/');
        }
    }
    size_t n = strlen(rest);
    while (n > 0 && rest[n - 1] == '/') {
        n--;
    }
    if (n > 4 && strncasecmp(rest + n - 4, ".git", 4) == 0) {
        n -= 4;
    }
    tn_text_addn(out, rest, n);
    return url;
}

static bool
same(const char *wanted, const char *said)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    simplify(said, &text);
    return strcasecmp(tn_text_str(&text), wanted) == 0;
}

struct tn_webhook_body *
tn_webhook_body_parse(const char *bytes, size_t n, const char **why)
{
    if (nests_too_deep(bytes, n)) {
        *why = "the body nests too deep";
        return NULL;
    }
    json_error_t at;
    json_t *root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &at);
    if (!json_is_object(root)) {
        *why = root ? "the body is JSON but no object"
                    : "the body is not JSON in UTF-8, without duplicates";
        json_decref(root);
        return NULL;
    }
    struct tn_webhook_body *body = calloc(1, sizeof *body);
    if (!body) {
        *why = "out of memory";
        json_decref(root);
        return NULL;
    }
    body->root = root;
    return body;
}

void
tn_webhook_body_free(struct tn_webhook_body *body)
{
    if (body) {
        json_decref(body->root);
        free(body);
    }
}

const char *
tn_webhook_body_kind(const struct tn_webhook_body *body)
{
    const char *kind = member(body, "object_kind");
    return kind ? kind : member(body, "event_name");
}

const char *
tn_webhook_body_ref(const struct tn_webhook_body *body)
{
    return member(body, "ref");
}

const char *
tn_webhook_body_tip(const struct tn_webhook_body *body)
{
    const char *id = member(body, "after");
    size_t n = id ? strlen(id) : 0;
    if ((n != 40 && n != 64) || strspn(id, "0123456789abcdef") != n ||
        strspn(id, "0") == n) {
        return NULL;
    }
    return id;
}

bool
tn_webhook_body_is_of(const struct tn_webhook_body *body, const char *expected)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text wanted = {0};
    bool url = simplify(expected, &wanted);
    const char *const *keys = url ? urls : names;
    size_t n = url ? TN_ARRAY_SIZE(urls) : TN_ARRAY_SIZE(names);
    for (size_t h = 0; h < TN_ARRAY_SIZE(holders); h++) {
        const json_t *holder = json_object_get(body->root, holders[h]);
        for (size_t i = 0; i < n; i++) {
            const char *said =
                json_string_value(json_object_get(holder, keys[i]));
            if (said && same(tn_text_str(&wanted), said)) {
                return true;
            }
        }
    }
    return false;
}
