/* comment.c - the sticky comment: see post.h.
 *
 * Listings are paged, and forges differ in how: pages are asked for until one
 * brings nothing new, which ends at forges that have pages, at those that
 * shorten them, and at Gitea, which gives all at once whatever is asked.
 *
 * Who are we?  The forge says (/user); tokens of a pipeline may not ask, and
 * are the robots that the forges document. */
#include <string.h>

#include <jansson.h>

#include "model/base/cleanup.h"
#include "reconciler/review/ask.h"

enum {
    PAGE = 50,
    PAGES_MAX = 200,
    ROUNDS = 3, /* Look, and write. */
    MINE_MAX = 64,
};

/* Our comments, oldest first. */
struct mine {
    json_int_t ids[MINE_MAX];
    size_t n;
    const char *body; /* Of the first; new in the arena. */
};

struct talk {
    struct tn_door *door;
    const struct tn_post_comment *comment;
    struct mine mine;
    const char *body; /* What is to be there: of the comment, or its brief. */
    enum tn_posted posted;
};

static void
cleanup_json(json_t **j)
{
    json_decref(*j);
}

static const char *const robots[][2] = {
    [TN_FORGE_GITLAB] = {NULL, NULL},
    [TN_FORGE_GITHUB] = {"github-actions[bot]", NULL},
    [TN_FORGE_GITEA] = {"gitea-actions", "forgejo-actions"},
};

static const char *
login_of(const json_t *user)
{
    const char *s = json_string_value(json_object_get(user, "login"));
    return s ? s : json_string_value(json_object_get(user, "username"));
}

/* Sets 'user'; "" if we are the pipeline's robot. */
static enum tn_code
who(struct tn_door *door, struct tn_error *err)
{
    struct tn_answer a;
    struct tn_ask ask = {.method = "GET", .path = "/user"};
    if (door->user) {
        return TN_OK;
    }
    enum tn_code code = tn_ask_forge(door, &ask, &a, err);
    bool robot = robots[door->forge][0] != NULL;
    if (code && robot && (a.status == 403 || a.status == 404)) {
        door->user = "";
        return TN_OK;
    }
    if (code) {
        return tn_while(err, code, "asking who the token belongs to");
    }
    TN_CLEANUP(cleanup_json) json_t *j = json_loadb(a.body, a.n_body, 0, NULL);
    const char *login = login_of(j);
    if (!login || !*login) {
        return tn_fail(err, TN_EINTERNAL, a.status,
                       "the forge does not say who the token belongs to");
    }
    door->user = tn_arena_strdup(door->arena, login);
    return TN_OK;
}

static bool
is_ours(const struct tn_door *door, const json_t *comment, const char *marker)
{
    bool gitlab = door->forge == TN_FORGE_GITLAB;
    const char *login =
        login_of(json_object_get(comment, gitlab ? "author" : "user"));
    const char *body = json_string_value(json_object_get(comment, "body"));
    size_t n = strlen(marker);
    if (!login || !body || strncmp(body, marker, n) != 0 ||
        (body[n] && body[n] != '\n' && body[n] != '\r') ||
        json_is_true(json_object_get(comment, "system"))) {
        return false;
    }
    return *door->user ? strcmp(login, door->user) == 0
                       : tn_streq(login, robots[door->forge][0]) ||
                             tn_streq(login, robots[door->forge][1]);
}

static json_int_t
id_of(const json_t *comment)
{
    return json_integer_value(json_object_get(comment, "id"));
}

static const char *
list_path(const struct tn_door *door, const char *request, unsigned page)
{
    bool gitlab = door->forge == TN_FORGE_GITLAB;
    return tn_arena_printf(
        door->arena,
        gitlab ? "%s/merge_requests/%s/notes?sort=asc&order_by=created_at&"
                 "per_page=%d&page=%u"
        : door->forge == TN_FORGE_GITHUB
            ? "%s/issues/%s/comments?per_page=%d&page=%u"
            : "%s/issues/%s/comments?limit=%d&page=%u",
        tn_ask_repository(door), request, PAGE, page);
}

/* Takes ours out of one page; '*first_id' is the id it begins with. */
static enum tn_code
page_read(struct talk *t, const struct tn_answer *a, struct mine *mine,
          json_int_t *first_id, struct tn_error *err)
{
    TN_CLEANUP(cleanup_json)
    json_t *list = json_loadb(a->body, a->n_body, 0, NULL);
    if (!json_is_array(list)) {
        return tn_fail(err, TN_EINTERNAL, a->status,
                       "the list of comments is none");
    }
    *first_id = id_of(json_array_get(list, 0));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        if (is_ours(t->door, c, t->comment->marker) && mine->n < MINE_MAX) {
            if (mine->n == 0) {
                mine->body = tn_arena_strdup(
                    t->door->arena,
                    json_string_value(json_object_get(c, "body")));
            }
            mine->ids[mine->n++] = id_of(c);
        }
    }
    return TN_OK;
}

static enum tn_code
find(struct talk *t, struct tn_error *err)
{
    json_int_t start = 0;
    t->mine = (struct mine){0};
    for (unsigned page = 1; page <= PAGES_MAX; page++) {
        struct tn_answer a;
        json_int_t first_id = 0;
        struct tn_ask ask = {
            .method = "GET",
            .path = list_path(t->door, t->comment->request, page),
        };
        struct mine more = t->mine;
        enum tn_code code = tn_ask_forge(t->door, &ask, &a, err);
        code = code ? code : page_read(t, &a, &more, &first_id, err);
        if (code) {
            return tn_while(err, code, "listing the comments");
        }
        if (first_id == 0 || first_id == start) {
            return TN_OK; /* Empty, or the first one again. */
        }
        start = start ? start : first_id;
        t->mine = more;
    }
    return tn_fail(err, TN_EUNSUPPORTED, 0, "there are too many comments");
}

static const char *
one_path(const struct tn_door *door, const char *request, json_int_t id)
{
    return tn_arena_printf(
        door->arena,
        door->forge == TN_FORGE_GITLAB
            ? "%s/merge_requests/%s/notes/%" JSON_INTEGER_FORMAT
            : "%s/issues/%.0s"
              "comments/%" JSON_INTEGER_FORMAT,
        tn_ask_repository(door), request, id);
}

static const char *
new_path(const struct tn_door *door, const char *request)
{
    return tn_arena_printf(door->arena,
                           door->forge == TN_FORGE_GITLAB
                               ? "%s/merge_requests/%s/notes"
                               : "%s/issues/%s/comments",
                           tn_ask_repository(door), request);
}

static const char *
body_json(struct tn_arena *arena, const char *body)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_add(&t, "{\"body\":\"");
    tn_text_add_escaped(&t, body);
    tn_text_add(&t, "\"}");
    return tn_arena_strdup(arena, tn_text_str(&t));
}

/* Forges drop blanks at the end. */
static bool
same_body(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    while (n && strchr(" \r\n", a[n - 1])) {
        n--;
    }
    while (m && strchr(" \r\n", b[m - 1])) {
        m--;
    }
    return n == m && memcmp(a, b, n) == 0;
}

/* One comment in place of all of ours. */
static enum tn_code
write_one(struct talk *t, struct tn_answer *a, struct tn_error *err)
{
    struct tn_door *door = t->door;
    struct tn_ask ask = {.body = body_json(door->arena, t->body)};
    if (t->mine.n && same_body(t->mine.body, t->body)) {
        t->posted = TN_POSTED_SAME;
        *a = (struct tn_answer){.status = 200, .body = ""};
        return TN_OK;
    }
    if (t->mine.n) {
        ask.method = door->forge == TN_FORGE_GITLAB ? "PUT" : "PATCH";
        ask.path = one_path(door, t->comment->request, t->mine.ids[0]);
        t->posted = TN_POSTED_UPDATED;
    } else {
        ask.method = "POST";
        ask.path = new_path(door, t->comment->request);
        ask.once = true;
        t->posted = TN_POSTED_NEW;
    }
    return tn_ask_forge(door, &ask, a, err);
}

static bool
too_long(const struct tn_answer *a)
{
    return a->status == 413 || a->status == 422 || a->status == 400;
}

/* Whatever was found, somebody may have deleted it, or an answer may be lost:
 * then look again. */
static enum tn_code
settle(struct talk *t, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct tn_answer a;
        code = find(t, err);
        if (code) {
            return code;
        }
        code = write_one(t, &a, err);
        if (!code) {
            return TN_OK;
        }
        if (too_long(&a) && t->body != t->comment->brief) {
            t->body = t->comment->brief;
        } else if (a.status != 0 && a.status < 500 &&
                   !(t->mine.n && (a.status == 404 || a.status == 410))) {
            break;
        }
    }
    return code;
}

enum tn_code
tn_post_comment(struct tn_door *door, const struct tn_post_comment *comment,
                enum tn_posted *out, size_t *n_deleted, struct tn_error *err)
{
    struct talk t = {.door = door, .comment = comment, .body = comment->body};
    size_t deleted = 0;
    enum tn_code code = who(door, err);
    code = code ? code : settle(&t, err);
    for (size_t i = 1; !code && i < t.mine.n; i++) {
        struct tn_answer a;
        struct tn_ask ask = {
            .method = "DELETE",
            .path = one_path(door, comment->request, t.mine.ids[i]),
        };
        code = tn_ask_forge(door, &ask, &a, err);
        if (a.status == 404 || a.status == 410) {
            code = TN_OK; /* Somebody was faster. */
        }
        deleted += code == TN_OK;
    }
    if (!code) {
        *out = t.posted;
        *n_deleted = deleted;
    }
    return code;
}
