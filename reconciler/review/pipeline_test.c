/* pipeline_test.c - what pipelines say, one row a pipeline. */
#include "reconciler/review/pipeline.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"

struct variable {
    const char *name, *value;
};

struct row {
    const char *what, *forced;
    struct variable vars[16];
    enum tn_code code;
    bool found, commands;
    enum tn_forge_kind forge;
    const char *api, *repository, *status_repository, *request, *sha, *token;
    const char *target; /* The best. */
    size_t n_targets;
};

#define SHA "1111111111111111111111111111111111111111"
#define HEAD "2222222222222222222222222222222222222222"

static const struct row rows[] = {
    {.what = "no pipeline"},
    {.what = "a pipeline that nobody knows", .vars = {{"CI", "true"}}},
    {.what = "forced to none",
     .forced = "none",
     .vars = {{"GITLAB_CI", "true"}}},
    {.what = "forced to something else", .forced = "svn", .code = TN_EINTENT},
    {.what = "a merge request of a fork",
     .vars = {{"GITLAB_CI", "true"},
              {"CI_API_V4_URL", "https://g.example/api/v4"},
              {"CI_PROJECT_ID", "9"},
              {"CI_MERGE_REQUEST_PROJECT_ID", "4"},
              {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "9"},
              {"CI_MERGE_REQUEST_IID", "12"},
              {"CI_COMMIT_SHA", SHA},
              {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"},
              {"CI_MERGE_REQUEST_DIFF_BASE_SHA", HEAD},
              {"GITLAB_TOKEN", "x"}},
     .found = true,
     .forge = TN_FORGE_GITLAB,
     .api = "https://g.example/api/v4",
     .repository = "4",
     .status_repository = "9",
     .request = "12",
     .sha = SHA,
     .token = "GITLAB_TOKEN",
     .target = "refs/remotes/origin/main",
     .n_targets = 2},
    {.what = "merged results",
     .vars = {{"GITLAB_CI", "true"},
              {"CI_PROJECT_ID", "4"},
              {"CI_COMMIT_SHA", SHA},
              {"CI_MERGE_REQUEST_IID", "1"},
              {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", HEAD},
              {"CI_MERGE_REQUEST_TARGET_BRANCH_SHA", SHA},
              {"TENET_FORGE_TOKEN", "y"},
              {"GITLAB_TOKEN", "x"}},
     .found = true,
     .forge = TN_FORGE_GITLAB,
     .repository = "4",
     .status_repository = "4",
     .request = "1",
     .sha = HEAD,
     .token = "TENET_FORGE_TOKEN",
     .target = SHA,
     .n_targets = 1},
    {.what = "a number that is none",
     .vars = {{"GITLAB_CI", "true"}, {"CI_MERGE_REQUEST_IID", "1/../2"}},
     .code = TN_EINTENT},
    {.what = "a push at GitLab",
     .vars = {{"GITLAB_CI", "true"},
              {"CI_PROJECT_ID", "4"},
              {"CI_COMMIT_SHA", SHA}},
     .found = true,
     .forge = TN_FORGE_GITLAB,
     .repository = "4",
     .status_repository = "4",
     .sha = SHA},
    {.what = "a pull request at GitHub",
     .vars = {{"GITHUB_ACTIONS", "true"},
              {"GITHUB_API_URL", "https://api.github.com"},
              {"GITHUB_REPOSITORY", "acme/net"},
              {"GITHUB_BASE_REF", "main"},
              {"GITHUB_SHA", SHA},
              {"GITHUB_EVENT_PATH", "EVENT"},
              {"GITHUB_TOKEN", "z"}},
     .found = true,
     .commands = true,
     .forge = TN_FORGE_GITHUB,
     .api = "https://api.github.com",
     .repository = "acme/net",
     .status_repository = "acme/net",
     .request = "7",
     .sha = HEAD,
     .token = "GITHUB_TOKEN",
     .target = "refs/remotes/origin/main",
     .n_targets = 2},
    {.what = "an event that is not there",
     .vars = {{"GITHUB_ACTIONS", "true"},
              {"GITHUB_BASE_REF", "main"},
              {"GITHUB_EVENT_PATH", "/nowhere/event.json"}},
     .code = TN_EINTENT},
    {.what = "a push at GitHub",
     .vars = {{"GITHUB_ACTIONS", "true"},
              {"GITHUB_REPOSITORY", "acme/net"},
              {"GITHUB_BASE_REF", ""},
              {"GITHUB_SHA", SHA},
              {"GITHUB_EVENT_PATH", "EVENT"}},
     .found = true,
     .commands = true,
     .forge = TN_FORGE_GITHUB,
     .repository = "acme/net",
     .status_repository = "acme/net",
     .sha = SHA},
    {.what = "Gitea, which says that it is GitHub, too",
     .vars = {{"GITHUB_ACTIONS", "true"},
              {"GITEA_ACTIONS", "true"},
              {"GITHUB_SERVER_URL", "https://gitea.example"},
              {"GITHUB_REPOSITORY", "acme/net"},
              {"GITHUB_BASE_REF", "main"},
              {"GITHUB_EVENT_PATH", "EVENT"},
              {"GITEA_TOKEN", "z"}},
     .found = true,
     .commands = true,
     .forge = TN_FORGE_GITEA,
     .api = "https://gitea.example/api/v1",
     .repository = "acme/net",
     .status_repository = "acme/net",
     .request = "7",
     .sha = HEAD,
     .token = "GITEA_TOKEN",
     .target = "refs/remotes/origin/main",
     .n_targets = 2},
};

struct world {
    const struct row *row;
    const char *event;
};

static const char *
get(void *ctx, const char *name)
{
    const struct world *w = ctx;
    for (size_t i = 0; i < TN_ARRAY_SIZE(w->row->vars); i++) {
        const struct variable *v = &w->row->vars[i];
        if (v->name && strcmp(v->name, name) == 0) {
            return strcmp(v->value, "EVENT") == 0 ? w->event : v->value;
        }
    }
    return NULL;
}

static void
check(const struct row *row, const char *event)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct world w = {row, event};
    struct tn_pipeline p = {0};
    struct tn_error err = {0};
    cr_expect_eq(tn_pipeline_recognise(arena, row->forced, get, &w, &p, &err),
                 row->code, "%s", row->what);
    cr_expect_eq(p.found, row->found, "%s: found", row->what);
    if (!row->found) {
        return;
    }
    cr_expect_eq(p.forge, row->forge, "%s: forge", row->what);
    cr_expect_eq(p.commands, row->commands, "%s: commands", row->what);
    cr_expect_eq(p.n_targets, row->n_targets, "%s: targets", row->what);
    const char *pairs[][2] = {{p.api, row->api},
                              {p.repository, row->repository},
                              {p.request, row->request},
                              {p.status_repository, row->status_repository},
                              {p.sha, row->sha},
                              {p.token, row->token},
                              {p.targets[0], row->target}};
    for (size_t i = 0; i < TN_ARRAY_SIZE(pairs); i++) {
        cr_expect(tn_streq(pairs[i][0], pairs[i][1]), "%s: %s, not %s",
                  row->what, pairs[i][0] ? pairs[i][0] : "(null)",
                  pairs[i][1] ? pairs[i][1] : "(null)");
    }
}

Test(pipeline, rows)
{
    char event[] = "/tmp/tenet-test-event-XXXXXX";
    FILE *f = fdopen(mkstemp(event), "w");
    cr_assert_not_null(f);
    fprintf(f,
            "{\"pull_request\": {\"number\": 7, \"head\": {\"sha\": \"%s\"},"
            " \"base\": {\"sha\": \"%s\"}}}",
            HEAD, SHA);
    fclose(f);
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        check(&rows[i], event);
    }
    unlink(event);
}
