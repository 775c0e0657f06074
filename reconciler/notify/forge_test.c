/* forge_test.c - what is posted, when, and in whose words. */
#include "reconciler/notify/forge.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#define SHA "0123456789abcdef0123456789abcdef01234567"

static struct tn_forge *
make(enum tn_forge_kind kind)
{
    struct tn_notify_forge o = {
        .name = "net",
        .kind = kind,
        .api = "https://forge.example/api/v4/",
        .repository = "group/sub/net work",
        .token_file = "/none",
    };
    struct tn_forge *forge = NULL;
    cr_assert_eq(tn_forge_new(&o, &forge, NULL), TN_OK);
    return forge;
}

static bool
want(struct tn_forge *forge, const char *context, enum tn_commit_state state)
{
    return tn_forge_want(forge, &(struct tn_commit_status){
                                    .sha = SHA,
                                    .context = context,
                                    .state = state,
                                    .description = "d",
                                });
}

static const char *
take(struct tn_forge *forge, enum tn_forge_verdict verdict)
{
    struct tn_forge_post post;
    if (!tn_forge_take(forge, &post)) {
        return "nothing";
    }
    tn_forge_settle(forge, post.ticket, verdict);
    return post.state;
}

Test(forge, transitions_only)
{
    struct tn_forge *f = make(TN_FORGE_GITLAB);
    cr_expect(want(f, "a", TN_COMMIT_PENDING));
    cr_expect(!want(f, "a", TN_COMMIT_PENDING));
    cr_expect_eq(tn_forge_pending(f), 1);
    cr_expect(want(f, "a", TN_COMMIT_RUNNING), "the last wish counts");
    cr_expect_str_eq(take(f, TN_FORGE_POSTED), "running");
    cr_expect(!want(f, "a", TN_COMMIT_RUNNING));
    cr_expect(want(f, "a", TN_COMMIT_SUCCESS));
    cr_expect(!want(f, "a", TN_COMMIT_RUNNING), "there and back");
    cr_expect_str_eq(take(f, TN_FORGE_POSTED), "nothing");
    cr_expect(want(f, "b", TN_COMMIT_FAILED));
    cr_expect(want(f, "c", TN_COMMIT_CANCELED));
    cr_expect_str_eq(take(f, TN_FORGE_AGAIN), "failed");
    cr_expect_str_eq(take(f, TN_FORGE_NEVER), "canceled");
    cr_expect(!want(f, "c", TN_COMMIT_CANCELED), "refused for good");
    cr_expect_str_eq(take(f, TN_FORGE_POSTED), "failed");
    cr_expect(want(f, "c", TN_COMMIT_SUCCESS));
    tn_forge_free(f);
}

Test(forge, a_wish_during_a_request_is_not_lost)
{
    struct tn_forge *f = make(TN_FORGE_GITLAB);
    struct tn_forge_post post;
    want(f, "a", TN_COMMIT_SUCCESS);
    take(f, TN_FORGE_POSTED);
    want(f, "a", TN_COMMIT_RUNNING);
    cr_assert(tn_forge_take(f, &post));
    cr_expect(want(f, "a", TN_COMMIT_SUCCESS), "the forge may say running");
    tn_forge_settle(f, post.ticket, TN_FORGE_POSTED);
    cr_expect_str_eq(take(f, TN_FORGE_POSTED), "success");
    cr_expect_eq(tn_forge_pending(f), 0);
    tn_forge_free(f);
}

Test(forge, github_has_one_word_for_pending_and_running)
{
    struct tn_forge *f = make(TN_FORGE_GITHUB);
    want(f, "a", TN_COMMIT_PENDING);
    cr_expect_str_eq(take(f, TN_FORGE_POSTED), "pending");
    cr_expect(!want(f, "a", TN_COMMIT_RUNNING));
    tn_forge_free(f);
}

Test(forge, remembers_over_restarts)
{
    struct tn_forge *f = make(TN_FORGE_GITEA), *g = make(TN_FORGE_GITEA);
    want(f, "a", TN_COMMIT_SUCCESS);
    take(f, TN_FORGE_POSTED);
    want(f, "b\"", TN_COMMIT_FAILED);
    want(f, "c", TN_COMMIT_FAILED);
    take(f, TN_FORGE_NEVER);
    cr_expect(tn_forge_dirty(f));
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_forge_dump(f, &text);
    for (const char *s = text.s, *nl; (nl = strchr(s, '\n')); s = nl + 1) {
        cr_expect(tn_forge_load(g, s, (size_t) (nl - s)));
    }
    cr_expect(!want(g, "a", TN_COMMIT_SUCCESS));
    cr_expect_eq(tn_forge_pending(g), 1, "what waited still waits");
    TN_CLEANUP(tn_cleanup_text) struct tn_text second = {0};
    tn_forge_dump(g, &second);
    cr_expect_str_eq(text.s, second.s);
    cr_expect(!tn_forge_load(g, "{}", 2));
    cr_expect(!tn_forge_load(g, "nonsense", 8));
    tn_forge_free(f);
    tn_forge_free(g);
}

Test(forge, memory_is_bounded)
{
    struct tn_forge *f = make(TN_FORGE_GITLAB);
    char context[16];
    for (int i = 0; i < TN_FORGE_POSTS_MAX + 10; i++) {
        snprintf(context, sizeof context, "c%d", i);
        want(f, context, TN_COMMIT_SUCCESS);
        if (i < TN_FORGE_POSTS_MAX) {
            take(f, TN_FORGE_POSTED);
        }
    }
    cr_expect_eq(tn_forge_pending(f), 10, "waiting ones are kept");
    cr_expect(want(f, "c0", TN_COMMIT_SUCCESS), "the oldest are forgotten");
    cr_expect(!want(f, "c100", TN_COMMIT_SUCCESS));
    tn_forge_free(f);
}

static const struct {
    enum tn_forge_kind kind;
    const char *url, *body, *header, *prefix;
} requests[] = {
    {TN_FORGE_GITLAB,
     "https://forge.example/api/v4/projects/group%2Fsub%2Fnet%20work/"
     "statuses/" SHA,
     "{\"state\":\"failed\",\"name\":\"tenet/apply\",\"description\":\"d\","
     "\"target_url\":\"https://t/\"}",
     "PRIVATE-TOKEN", ""},
    {TN_FORGE_GITHUB,
     "https://forge.example/api/v4/repos/group/sub/net%20work/statuses/" SHA,
     "{\"state\":\"failure\",\"context\":\"tenet/apply\","
     "\"description\":\"d\",\"target_url\":\"https://t/\"}",
     "Authorization", "Bearer "},
    {TN_FORGE_GITEA,
     "https://forge.example/api/v4/repos/group/sub/net%20work/statuses/" SHA,
     "{\"state\":\"failure\",\"context\":\"tenet/apply\","
     "\"description\":\"d\",\"target_url\":\"https://t/\"}",
     "Authorization", "token "},
};

Test(forge, each_is_spoken_to_in_its_words)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(requests); i++) {
        struct tn_forge *f = make(requests[i].kind);
        cr_assert(tn_forge_want(f, &(struct tn_commit_status){
                                       .sha = SHA,
                                       .context = "tenet/apply",
                                       .state = TN_COMMIT_FAILED,
                                       .description = "d",
                                       .target_url = "https://t/",
                                   }));
        struct tn_forge_post post;
        cr_assert(tn_forge_take(f, &post));
        TN_CLEANUP(tn_cleanup_text) struct tn_text url = {0};
        TN_CLEANUP(tn_cleanup_text) struct tn_text body = {0};
        tn_forge_url(f, &post, &url);
        tn_forge_body(f, &post, &body);
        cr_expect_str_eq(url.s, requests[i].url);
        cr_expect_str_eq(body.s, requests[i].body);
        const char *prefix;
        cr_expect_str_eq(tn_forge_auth(requests[i].kind, &prefix),
                         requests[i].header);
        cr_expect_str_eq(prefix, requests[i].prefix);
        tn_forge_free(f);
    }
}

Test(forge, descriptions_are_cut_at_a_character)
{
    struct tn_forge *f = make(TN_FORGE_GITHUB);
    char longest[1001] = "";
    for (int i = 0; i < 500; i++) {
        strcat(longest, "\xc3\xa4");
    }
    cr_assert(tn_forge_want(f, &(struct tn_commit_status){
                                   .sha = SHA,
                                   .context = "a",
                                   .state = TN_COMMIT_SUCCESS,
                                   .description = longest,
                               }));
    struct tn_forge_post post;
    cr_assert(tn_forge_take(f, &post));
    cr_expect_eq(strlen(post.description), 137 * 2 + 3);
    cr_expect(tn_is_utf8(post.description, strlen(post.description)));
    tn_forge_free(f);
}

static const char *const bad_shas[] = {
    NULL,
    "",
    "HEAD",
    "0123456789abcdef0123456789abcdef0123456",
    "0123456789ABCDEF0123456789ABCDEF01234567",
    SHA "/../x"};

Test(forge, malformed_wishes_are_dropped)
{
    struct tn_forge *f = make(TN_FORGE_GITLAB);
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad_shas); i++) {
        cr_expect(!tn_forge_want(f, &(struct tn_commit_status){
                                        .sha = bad_shas[i],
                                        .context = "a",
                                    }));
    }
    cr_expect(!want(f, "", TN_COMMIT_SUCCESS));
    cr_expect(!want(f, NULL, TN_COMMIT_SUCCESS));
    cr_expect(!want(f, "\xff", TN_COMMIT_SUCCESS));
    tn_forge_free(f);
}

static const struct {
    enum tn_forge_kind kind;
    int status;
    const char *body;
    enum tn_forge_verdict verdict;
    uint32_t wait;
} verdicts[] = {
    {TN_FORGE_GITLAB, 201, "", TN_FORGE_POSTED, 0},
    {TN_FORGE_GITLAB, 400, "Cannot transition status via :run from :running",
     TN_FORGE_POSTED, 0},
    {TN_FORGE_GITHUB, 400, "Cannot transition status", TN_FORGE_NEVER, 0},
    {TN_FORGE_GITLAB, 400, "bad", TN_FORGE_NEVER, 0},
    {TN_FORGE_GITLAB, 404, "", TN_FORGE_NEVER, 0},
    {TN_FORGE_GITHUB, 422, "", TN_FORGE_NEVER, 0},
    {TN_FORGE_GITHUB, 401, "", TN_FORGE_NEVER, 0},
    {TN_FORGE_GITHUB, 403, "", TN_FORGE_NEVER, 0},
    {TN_FORGE_GITHUB, 403, "You have exceeded a secondary rate limit",
     TN_FORGE_AGAIN, 60},
    {TN_FORGE_GITHUB, 429, "", TN_FORGE_AGAIN, 0},
    {TN_FORGE_GITEA, 500, "", TN_FORGE_AGAIN, 0},
    {TN_FORGE_GITLAB, 409, "", TN_FORGE_AGAIN, 0},
    {TN_FORGE_GITLAB, 0, "", TN_FORGE_AGAIN, 0},
    {TN_FORGE_GITLAB, 302, "", TN_FORGE_NEVER, 0},
};

Test(forge, answers_are_understood)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(verdicts); i++) {
        struct tn_http_reply reply = {
            .status = verdicts[i].status,
            .code = verdicts[i].status ? tn_http_status_code(verdicts[i].status)
                                       : TN_EDENIED,
            .body = verdicts[i].body,
        };
        uint32_t wait;
        cr_expect_eq(tn_forge_judge(verdicts[i].kind, &reply, 0, &wait),
                     verdicts[i].verdict, "row %zu", i);
        cr_expect_eq(wait, verdicts[i].wait, "row %zu", i);
    }
}
