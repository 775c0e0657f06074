/* status.c - the commit status: see post.h.
 *
 * What the forge shows now is read first.  If it cannot be read the status is
 * posted all the same: a token may be allowed the one and not the other. */
#include <string.h>

#include <jansson.h>

#include "model/base/cleanup.h"
#include "reconciler/notify/forge.h"
#include "reconciler/review/ask.h"

enum { PAGE = 50, PAGES_MAX = 40 };

static void
cleanup_json(json_t **j)
{
    json_decref(*j);
}

static void
cleanup_forge(struct tn_forge **forge)
{
    tn_forge_free(*forge);
}

static const char *
text_of(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "";
}

/* GitLab lists the latest of each name; the others have them under "statuses"
 * of the combined status. */
static const char *
list_path(const struct tn_door *door, const struct tn_forge_post *post,
          unsigned page)
{
    if (door->forge == TN_FORGE_GITLAB) {
        return tn_arena_printf(
            door->arena,
            "%s/repository/commits/%s/statuses?per_page=%d&page=%u",
            tn_ask_repository(door), post->sha, PAGE, page);
    }
    return tn_arena_printf(
        door->arena, "%s/commits/%s/status?%s=%d&page=%u",
        tn_ask_repository(door), post->sha,
        door->forge == TN_FORGE_GITHUB ? "per_page" : "limit", PAGE, page);
}

/* 1: the forge shows it so; -1: it shows something else; 0: go on. */
static int
page_judge(const struct tn_door *door, const json_t *list,
           const struct tn_forge_post *post)
{
    bool gitlab = door->forge == TN_FORGE_GITLAB;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *s = json_array_get(list, i);
        const char *state =
            text_of(s, door->forge == TN_FORGE_GITEA ? "status" : "state");
        if (strcmp(text_of(s, gitlab ? "name" : "context"), post->context) !=
            0) {
            continue;
        }
        state = gitlab ? text_of(s, "status") : state;
        return strcmp(state, post->state) == 0 &&
                       strcmp(text_of(s, "description"), post->description) == 0
                   ? 1
                   : -1;
    }
    return 0;
}

static bool
is_shown(struct tn_door *door, const struct tn_forge_post *post)
{
    json_int_t start = 0;
    for (unsigned page = 1; page <= PAGES_MAX; page++) {
        struct tn_error ignored = {0};
        struct tn_answer a;
        struct tn_ask ask = {.method = "GET",
                             .path = list_path(door, post, page)};
        if (tn_ask_forge(door, &ask, &a, &ignored)) {
            return false;
        }
        TN_CLEANUP(cleanup_json)
        json_t *j = json_loadb(a.body, a.n_body, 0, NULL);
        const json_t *list =
            json_is_array(j) ? j : json_object_get(j, "statuses");
        int said = page_judge(door, list, post);
        json_int_t id =
            json_integer_value(json_object_get(json_array_get(list, 0), "id"));
        if (said || json_array_size(list) == 0 || id == start) {
            return said > 0;
        }
        start = start ? start : id;
    }
    return false;
}

enum tn_code
tn_post_status(struct tn_door *door, const struct tn_commit_status *status,
               enum tn_posted *out, struct tn_error *err)
{
    TN_CLEANUP(cleanup_forge) struct tn_forge *forge = NULL;
    TN_CLEANUP(tn_cleanup_text) struct tn_text url = {0}, body = {0};
    struct tn_notify_forge options = {
        .kind = door->forge, .api = door->api, .repository = door->repository};
    struct tn_forge_post post;
    enum tn_code code = tn_forge_new(&options, &forge, err);
    if (code) {
        return code;
    }
    if (!tn_forge_want(forge, status) || !tn_forge_take(forge, &post)) {
        return tn_fail(err, TN_EINTENT, 0, "no commit '%.12s' to mark",
                       status->sha ? status->sha : "");
    }
    if (is_shown(door, &post)) {
        *out = TN_POSTED_SAME;
        return TN_OK;
    }
    tn_forge_url(forge, &post, &url);
    tn_forge_body(forge, &post, &body);
    struct tn_answer a;
    struct tn_ask ask = {
        .method = "POST",
        .path = tn_text_str(&url) + strlen(door->api),
        .body = tn_text_str(&body),
    };
    code = tn_ask_forge(door, &ask, &a, err);
    /* GitLab's word for "it is so already". */
    if (code && door->forge == TN_FORGE_GITLAB && a.status == 400 &&
        strstr(a.body, "Cannot transition status")) {
        code = TN_OK;
    }
    *out = TN_POSTED_NEW;
    return code;
}
