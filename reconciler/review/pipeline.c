/* pipeline.c - see pipeline.h.
 *
 * Gitea's and Forgejo's runners set GitHub's variables too, so they are looked
 * for first.  A merge request from a fork is judged like any other; its token
 * may not write, and then nothing is posted. */
#include "reconciler/review/pipeline.h"

#include <string.h>

#include <jansson.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"

struct reader {
    struct tn_arena *arena;
    tn_pipeline_get_fn *get;
    void *ctx;
    struct tn_pipeline *p;
};

/* Null if it is not set, or empty. */
static const char *
var(const struct reader *r, const char *name)
{
    const char *value = r->get(r->ctx, name);
    return value && *value ? tn_arena_strdup(r->arena, value) : NULL;
}

static const char *
first(const struct reader *r, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = var(r, names[i]);
        if (value) {
            return value;
        }
    }
    return NULL;
}

static void
add_target(const struct reader *r, const char *revision)
{
    if (revision && r->p->n_targets < TN_PIPELINE_TARGETS) {
        r->p->targets[r->p->n_targets++] = revision;
    }
}

static const char *
token_of(const struct reader *r, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (var(r, names[i])) {
            return names[i];
        }
    }
    return NULL;
}

static void
read_gitlab(const struct reader *r)
{
    static const char *const repositories[] = {"CI_MERGE_REQUEST_PROJECT_ID",
                                               "CI_PROJECT_ID"};
    static const char *const sources[] = {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID",
                                          "CI_PROJECT_ID"};
    static const char *const shas[] = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
                                       "CI_COMMIT_SHA"};
    static const char *const tokens[] = {"TENET_FORGE_TOKEN", "GITLAB_TOKEN"};
    struct tn_pipeline *p = r->p;
    p->forge = TN_FORGE_GITLAB;
    p->name = "GitLab";
    p->api = var(r, "CI_API_V4_URL");
    p->repository = first(r, repositories, 2);
    p->status_repository = first(r, sources, 2);
    p->request = var(r, "CI_MERGE_REQUEST_IID");
    p->sha = first(r, shas, 2);
    p->job_url = var(r, "CI_JOB_URL");
    if (p->job_url) {
        p->artifacts_url =
            tn_arena_printf(r->arena, "%s/artifacts/browse", p->job_url);
    }
    p->ca_file = var(r, "CI_SERVER_TLS_CA_FILE");
    p->token = token_of(r, tokens, TN_ARRAY_SIZE(tokens));
    p->tokens = "the variable TENET_FORGE_TOKEN is not set here (protected "
                "ones are hidden from branches that are not)";
    p->depth = "set GIT_DEPTH: \"0\" for the job";
    add_target(r, var(r, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA"));
    const char *branch = var(r, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME");
    if (branch) {
        add_target(r,
                   tn_arena_printf(r->arena, "refs/remotes/origin/%s", branch));
    }
    add_target(r, var(r, "CI_MERGE_REQUEST_DIFF_BASE_SHA"));
}

static const char *
event_text(const struct reader *r, const json_t *event, const char *name)
{
    const json_t *request = json_object_get(event, "pull_request");
    const char *s = json_string_value(
        json_object_get(json_object_get(request, name), "sha"));
    return s && *s ? tn_arena_strdup(r->arena, s) : NULL;
}

static enum tn_code
read_event(const struct reader *r, const char *path, struct tn_error *err)
{
    json_error_t why;
    json_t *event = json_load_file(path, 0, &why);
    if (!event) {
        return tn_fail(err, TN_EINTENT, 0, "the event in %s: %s", path,
                       why.text);
    }
    json_int_t number = json_integer_value(
        json_object_get(json_object_get(event, "pull_request"), "number"));
    if (number > 0) {
        r->p->request =
            tn_arena_printf(r->arena, "%" JSON_INTEGER_FORMAT, number);
        const char *head = event_text(r, event, "head");
        r->p->sha = head ? head : r->p->sha;
        add_target(r, event_text(r, event, "base"));
    }
    json_decref(event);
    return TN_OK;
}

/* GitHub's variables; Gitea's are named alike. */
static enum tn_code
read_actions(const struct reader *r, bool gitea, struct tn_error *err)
{
    static const char *const tokens[][3] = {
        {"TENET_FORGE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"},
        {"TENET_FORGE_TOKEN", "GITEA_TOKEN", "GITHUB_TOKEN"}};
    struct tn_pipeline *p = r->p;
    p->forge = gitea ? TN_FORGE_GITEA : TN_FORGE_GITHUB;
    p->name = gitea ? "Gitea" : "GitHub";
    p->api = var(r, "GITHUB_API_URL");
    p->repository = p->status_repository = var(r, "GITHUB_REPOSITORY");
    p->sha = var(r, "GITHUB_SHA");
    p->token = token_of(r, tokens[gitea], 3);
    p->tokens = gitea ? "give the step 'TENET_FORGE_TOKEN: ${{ "
                        "secrets.TENET_FORGE_TOKEN }}' in its env"
                      : "give the step 'GITHUB_TOKEN: ${{ github.token }}' in "
                        "its env";
    p->depth = "give actions/checkout 'fetch-depth: 0'";
    p->commands = true;
    const char *server = var(r, "GITHUB_SERVER_URL");
    const char *run = var(r, gitea ? "GITHUB_RUN_NUMBER" : "GITHUB_RUN_ID");
    if (gitea && !p->api && server) {
        p->api = tn_arena_printf(r->arena, "%s/api/v1", server);
    }
    if (server && run && p->repository) {
        p->job_url = tn_arena_printf(r->arena, "%s/%s/actions/runs/%s", server,
                                     p->repository, run);
        p->artifacts_url = p->job_url;
    }
    const char *branch = var(r, "GITHUB_BASE_REF");
    if (branch) {
        add_target(r,
                   tn_arena_printf(r->arena, "refs/remotes/origin/%s", branch));
    }
    const char *event = var(r, "GITHUB_EVENT_PATH");
    return branch && event ? read_event(r, event, err) : TN_OK;
}

static const char *
forge_of(const struct reader *r)
{
    return tn_streq(var(r, "GITLAB_CI"), "true")         ? "gitlab"
           : tn_streq(var(r, "GITEA_ACTIONS"), "true")   ? "gitea"
           : tn_streq(var(r, "FORGEJO_ACTIONS"), "true") ? "gitea"
           : tn_streq(var(r, "GITHUB_ACTIONS"), "true")  ? "github"
                                                         : "none";
}

enum tn_code
tn_pipeline_recognise(struct tn_arena *arena, const char *forced,
                      tn_pipeline_get_fn *get, void *ctx,
                      struct tn_pipeline *out, struct tn_error *err)
{
    struct tn_pipeline p = {.found = true};
    struct reader r = {.arena = arena, .get = get, .ctx = ctx, .p = &p};
    const char *which = forced ? forced : forge_of(&r);
    enum tn_code code = TN_OK;
    if (strcmp(which, "gitlab") == 0) {
        read_gitlab(&r);
    } else if (strcmp(which, "github") == 0) {
        code = read_actions(&r, false, err);
    } else if (strcmp(which, "gitea") == 0) {
        code = read_actions(&r, true, err);
    } else if (strcmp(which, "none") == 0) {
        p = (struct tn_pipeline){0};
    } else {
        code = tn_fail(err, TN_EINTENT, 0,
                       "no forge '%s': gitlab, github, gitea or none", which);
    }
    if (!code && p.request && p.request[strspn(p.request, "0123456789")]) {
        code = tn_fail(err, TN_EINTENT, 0,
                       "the number of the merge request is none");
    }
    if (!code) {
        *out = p;
    }
    return code;
}
