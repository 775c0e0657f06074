/* ci_tell.c - 'tenet ci' leaves artifacts and tells the forge.
 *
 * The status comes before the comment: it is small, and it is what merging
 * waits for; long comments are what rate limits stop.  A verdict stands whether
 * or not it can be told. */
#include "reconciler/cli/ci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"
#include "model/base/time.h"
#include "reconciler/notify/forge.h"
#include "reconciler/review/post.h"

enum { TOKEN_MAX = 4096, SUMMARY_LIMIT = 900000, BRIEF = 8000 };

/* '*out' stays null if there is no token. */
static enum tn_code
token_get(const struct tn_cli *cli, const struct tn_pipeline *p,
          struct tn_secret **out, struct tn_error *err)
{
    const char *file =
        cli->token_file ? cli->token_file : getenv("TENET_FORGE_TOKEN_FILE");
    if (file && *file) {
        enum tn_code code = tn_secret_read(file, TOKEN_MAX, out, err);
        if (!code) {
            tn_secret_chomp(*out);
        }
        return code;
    }
    const char *value = p->token ? getenv(p->token) : NULL;
    size_t n = value ? strlen(value) : 0;
    if (n == 0 || n > TOKEN_MAX) {
        return TN_OK;
    }
    enum tn_code code = tn_secret_new(n, out, err);
    if (!code) {
        memcpy(tn_secret_bytes(*out), value, n);
        tn_secret_chomp(*out);
    }
    return code;
}

static void
complain(const struct tn_cli *cli, const struct tn_pipeline *p,
         const char *what, struct tn_error *err)
{
    if (tn_while(err, err->code, "%s: %s; the verdict stands", p->name, what)) {
        tn_report_error(cli, err);
    }
}

static void
status_tell(const struct tn_cli *cli, const struct tn_pipeline *p,
            const struct tn_review *review, struct tn_door *door)
{
    struct tn_error err = {0};
    enum tn_posted posted;
    char context[TN_FORGE_CONTEXT + 1];
    snprintf(context, sizeof context, "tenet/plan/%s", review->environment);
    struct tn_commit_status status = {
        .sha = p->sha,
        .context = context,
        .state =
            tn_review_denied(review) ? TN_COMMIT_FAILED : TN_COMMIT_SUCCESS,
        .description = tn_review_summary(cli->arena, review),
        .target_url = p->job_url,
    };
    door->repository = p->status_repository;
    if (tn_post_status(door, &status, &posted, &err)) {
        complain(cli, p, "no commit status was posted", &err);
        return;
    }
    fprintf(stderr, "tenet: %s: commit status %s\n", p->name,
            posted == TN_POSTED_SAME ? "is as it was" : "posted");
}

static void
comment_tell(const struct tn_cli *cli, const struct tn_pipeline *p,
             const struct tn_review *review, struct tn_door *door)
{
    static const char *const done[] = {"made", "updated", "is as it was"};
    TN_CLEANUP(tn_cleanup_text)
    struct tn_text body = {0}, brief = {0}, marker = {0};
    struct tn_error err = {0};
    enum tn_posted posted;
    size_t deleted = 0;
    struct tn_review r = *review;
    const struct tn_review_format *markdown = tn_review_format_get("markdown");
    markdown->print(&body, &r);
    r.limit = BRIEF;
    markdown->print(&brief, &r);
    tn_review_marker(&marker, r.environment);
    struct tn_post_comment comment = {
        .request = p->request,
        .marker = tn_text_str(&marker),
        .body = tn_text_str(&body),
        .brief = tn_text_str(&brief),
    };
    door->repository = p->repository;
    if (tn_post_comment(door, &comment, &posted, &deleted, &err)) {
        complain(cli, p, "no comment was posted", &err);
        return;
    }
    fprintf(stderr, "tenet: %s: comment %s", p->name, done[posted]);
    if (deleted) {
        fprintf(stderr, ", %zu of ours that were there twice deleted", deleted);
    }
    fputc('\n', stderr);
}

static void
post(const struct tn_cli *cli, const struct tn_pipeline *p,
     const struct tn_review *review)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *token = NULL;
    if (!p->api || !p->repository || !p->sha) {
        fprintf(stderr,
                "tenet: %s: nothing is posted: the pipeline does not say "
                "where\n",
                p->name);
        return;
    }
    if (token_get(cli, p, &token, &err) ||
        tn_http_library_init(err.code ? NULL : &err)) {
        complain(cli, p, "nothing is posted", &err);
        return;
    }
    if (!token) {
        fprintf(stderr, "tenet: %s: nothing is posted: there is no token: %s\n",
                p->name, p->tokens);
        return;
    }
    const char *user = getenv("TENET_FORGE_USER");
    const char *ca = getenv("TENET_FORGE_CA_FILE");
    size_t n = strlen(p->api);
    while (n && p->api[n - 1] == '/') {
        n--;
    }
    struct tn_door door = {
        .arena = cli->arena,
        .forge = p->forge,
        .api = tn_arena_strndup(cli->arena, p->api, n),
        .token = token,
        .ca_file = ca && *ca ? ca : p->ca_file,
        .deadline_ms = tn_now_ms() + (int64_t) TN_POST_SECONDS * 1000,
        .user = user && *user ? user : NULL,
    };
    status_tell(cli, p, review, &door);
    if (p->request) {
        comment_tell(cli, p, review, &door);
    }
}

/* A page that GitHub's and Gitea's runners show with the job; forks, whose
 * tokens may not comment, have at least this. */
static void
summary_add(const struct tn_review *review)
{
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    FILE *f = path && *path ? fopen(path, "ae") : NULL;
    if (!f) {
        return;
    }
    struct tn_review r = *review;
    r.limit = SUMMARY_LIMIT;
    tn_review_format_get("markdown")->print(&t, &r);
    if (fwrite(t.s, 1, t.n, f) != t.n || fclose(f) != 0) {
        fprintf(stderr, "tenet: the summary of the job is incomplete\n");
    }
}

static bool
artifacts_write(const struct tn_cli *cli, const struct tn_review *review)
{
    struct tn_error err = {0};
    const char *dir = tn_arena_printf(
        cli->arena, "%s/%s", cli->artifacts ? cli->artifacts : "tenet-ci",
        review->environment);
    if (strchr(review->environment, '/') || tn_dirs_make(dir, 0755, &err)) {
        tn_report_error(cli, &err);
        return false;
    }
    bool fine = true;
    for (size_t i = 0; i < tn_review_n_formats; i++) {
        const struct tn_review_format *f = &tn_review_formats[i];
        struct tn_review r = *review;
        r.verbose = true; /* The artifact is where all of it is. */
        fine = tn_reviewing_write(
                   cli, &r, f,
                   tn_arena_printf(cli->arena, "%s/%s", dir, f->file)) &&
               fine;
    }
    return fine;
}

bool
tn_ci_tell(const struct tn_cli *cli, const struct tn_pipeline *pipeline,
           const struct tn_review *review)
{
    bool fine = artifacts_write(cli, review);
    fine = tn_reviewing_report(cli, review) && fine;
    if (pipeline->found && pipeline->commands) {
        summary_add(review);
    }
    if (pipeline->found && !cli->no_post) {
        post(cli, pipeline, review);
    }
    return fine;
}
