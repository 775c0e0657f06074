/* cmd_policy.c - 'tenet policy': what plans are judged by, and does it judge
 * as its authors think?
 *
 * Both look at files as they are, so that a policy can be tried before it is
 * committed; --rev names a commit instead.  No device and no status is read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/cli/command.h"
#include "reconciler/plan/show.h"
#include "reconciler/policy/judge.h"
#include "reconciler/policy/print.h"
#include "reconciler/policy/run.h"

enum { FILE_BYTES = 1 << 20 };

struct tally {
    const struct tn_cli *cli;
    struct tn_text out;
    size_t n, n_failed, n_policies, n_without;
};

static void
tally_done(struct tally *t)
{
    tn_text_done(&t->out);
}

static bool
file_read(const struct tn_cli *cli, const char *path, struct tn_text *out)
{
    struct tn_error err = {0};
    char block[16384];
    size_t n;
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    while (f && out->n <= FILE_BYTES &&
           (n = fread(block, 1, sizeof block, f)) > 0) {
        tn_text_addn(out, block, n);
    }
    if (!f || ferror(f) || out->n > FILE_BYTES) {
        enum tn_code code =
            f && !ferror(f)
                ? tn_fail(&err, TN_EINTENT, 0, "%s: larger than %d bytes", path,
                          FILE_BYTES)
                : tn_fail_sys(&err, TN_ENOENT, errno, "%s", path);
        (void) code;
        tn_report_error(cli, &err);
        return false;
    }
    return true;
}

/* The policies of the repository: of its files, or of a commit. */
static enum tn_code
repository_load(struct tn_cli *cli, struct tn_policies *out,
                struct tn_findings *findings, struct tn_error *err)
{
    struct tn_source *source = NULL;
    const char *root = cli->repo;
    enum tn_code code = TN_OK;
    if (cli->rev) {
        code = tn_source_open_commit(cli->repo, cli->rev, &source, NULL, err);
    } else {
        struct tn_error ignored = {0};
        if (tn_source_root(cli->repo, cli->arena, &root, &ignored)) {
            root = cli->repo;
        }
        code = tn_source_open_worktree(root, &source, err);
    }
    if (!code) {
        code = tn_policies_load(source, cli->arena, out, findings, err);
        source->ops->free(source);
    }
    return code;
}

static void
result_print(struct tally *t, const struct tn_example_result *r)
{
    struct tn_text *out = &t->out;
    if (t->cli->json) {
        tn_text_add(out, t->n ? ",\n{\"policy\":" : "\n{\"policy\":");
        tn_show_json(out, r->rule->name);
        tn_text_add(out, ",\"example\":");
        tn_show_json(out, r->example->name.v);
        tn_text_addf(out,
                     ",\"passes\":%s,\"why\":", r->passes ? "true" : "false");
        if (r->why) {
            tn_show_json(out, r->why);
        } else {
            tn_text_add(out, "null");
        }
        tn_text_addc(out, '}');
    } else {
        tn_text_addf(out, "%s ", r->passes ? "ok    " : "FAILED");
        tn_show_text(out, r->rule->name);
        tn_text_add(out, ": ");
        tn_show_text(out, r->example->name.v);
        tn_text_addc(out, '\n');
        if (r->why) {
            tn_text_addf(out, "       %s:%u: ", r->rule->law.path,
                         r->example->at.line);
            tn_show_text(out, r->why);
            tn_text_addc(out, '\n');
        }
    }
    t->n++;
    t->n_failed += !r->passes;
}

static void
policies_try(struct tally *t, const struct tn_policies *policies)
{
    for (size_t i = 0; i < policies->n; i++) {
        const struct tn_policy_rule *r = &policies->items[i];
        t->n_policies++;
        t->n_without += r->doc->examples.n == 0;
        for (size_t k = 0; k < r->doc->examples.n; k++) {
            struct tn_example_result result;
            tn_example_run(t->cli->arena, r, &r->doc->examples.items[k],
                           &(struct tn_example_how){TN_POLICY_HELPER, NULL},
                           &result);
            result_print(t, &result);
        }
    }
}

static enum tn_exit
conclude(struct tally *t, struct tn_findings *findings)
{
    struct tn_verdict broken;
    tn_verdict_build(findings, &broken);
    bool fine = t->n_failed == 0 && tn_verdict_allows(&broken);
    if (t->cli->json) {
        tn_text_addf(&t->out, "],\n\"passes\":%s,", fine ? "true" : "false");
        tn_verdict_print_json(&t->out, &broken);
        tn_text_add(&t->out, "}\n");
    } else {
        tn_verdict_print_text(&t->out, &broken, t->cli->color_out);
        tn_text_addf(&t->out, "%zu examples of %zu policies: ", t->n,
                     t->n_policies);
        if (t->n_failed) {
            tn_text_addf(&t->out, "%zu failed", t->n_failed);
        } else {
            tn_text_add(&t->out, "all pass");
        }
        if (t->n_without) {
            tn_text_addf(&t->out, "; %zu policies have none", t->n_without);
        }
        tn_text_add(&t->out, ".\n");
    }
    if (!tn_report_out(&t->out)) {
        return TN_EXIT_ERROR;
    }
    return fine ? TN_EXIT_OK : TN_EXIT_INVALID;
}

static enum tn_exit
policy_test(struct tn_cli *cli)
{
    TN_CLEANUP(tally_done) struct tally t = {.cli = cli};
    struct tn_findings findings = {.arena = cli->arena};
    struct tn_policies policies = {0};
    struct tn_error err = {0};
    if (cli->json) {
        tn_text_add(&t.out, "{\"format_version\":\"1.0\",\"results\":[");
    }
    for (size_t i = 1; i < cli->n_args; i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
        if (!file_read(cli, cli->args[i], &text)) {
            return TN_EXIT_ERROR;
        }
        const char *bytes =
            tn_arena_strndup(cli->arena, tn_text_str(&text), text.n);
        tn_policies_parse(cli->arena, cli->args[i], bytes, text.n, &policies,
                          &findings);
        policies_try(&t, &policies);
    }
    if (cli->n_args == 1) {
        enum tn_code code = repository_load(cli, &policies, &findings, &err);
        if (code) {
            tn_report_error(cli, &err);
            return tn_report_exit(code);
        }
        policies_try(&t, &policies);
    }
    return conclude(&t, &findings);
}

/* ---- list --------------------------------------------------------------- */

static bool
is_used(const struct tn_policies *policies, const char *name)
{
    for (size_t i = 0; i < policies->n; i++) {
        if (tn_streq(policies->items[i].used, name)) {
            return true;
        }
    }
    return false;
}

static void
rule_text(struct tn_text *out, const struct tn_policy_rule *r)
{
    tn_text_addf(out, "%-24s %-5s %-16s ", r->name,
                 tn_severity_word(tn_policy_rule_severity(r)),
                 tn_policy_rule_word(r));
    tn_show_text(out, r->law.path);
    tn_text_addf(out, ":%u", r->law.line);
    if (r->doc->waivers.n) {
        tn_text_addf(out, "  (%zu waivers)", r->doc->waivers.n);
    }
    tn_text_addc(out, '\n');
}

static void
rule_json(struct tn_text *out, const struct tn_policy_rule *r, bool used)
{
    tn_text_add(out, "\n{\"name\":");
    tn_show_json(out, r->name);
    tn_text_addf(out,
                 ",\"severity\":\"%s\",\"rule\":\"%s\",\"examples\":%zu,"
                 "\"waivers\":%zu,\"in_use\":%s,\"origin\":{\"path\":",
                 tn_severity_word(tn_policy_rule_severity(r)),
                 tn_policy_rule_word(r), r->doc->examples.n, r->doc->waivers.n,
                 used ? "true" : "false");
    tn_show_json(out, r->law.path);
    tn_text_addf(out, ",\"line\":%u},\"description\":", r->law.line);
    if (r->doc->description.v) {
        tn_show_json(out, r->doc->description.v);
    } else {
        tn_text_add(out, "null");
    }
    tn_text_addc(out, '}');
}

static void
list_json(struct tn_text *out, const struct tn_policies *policies,
          const struct tn_policies *shipped, const struct tn_verdict *broken)
{
    bool comma = false;
    tn_text_add(out, "{\"format_version\":\"1.0\",\"policies\":[");
    for (size_t i = 0; i < policies->n; i++, comma = true) {
        tn_text_add(out, comma ? "," : "");
        rule_json(out, &policies->items[i], true);
    }
    tn_text_add(out, "],\n\"shipped\":[");
    comma = false;
    for (size_t i = 0; i < shipped->n; i++, comma = true) {
        const struct tn_policy_rule *r = &shipped->items[i];
        tn_text_add(out, comma ? "," : "");
        rule_json(out, r, is_used(policies, r->name));
    }
    tn_text_add(out, "],\n");
    tn_verdict_print_json(out, broken);
    tn_text_add(out, "}\n");
}

static void
list_text(struct tn_text *out, const struct tn_policies *policies,
          const struct tn_policies *shipped)
{
    bool head = false;
    if (policies->n == 0) {
        tn_text_add(out, "No policy is in use: there is no document in "
                         "policies/.\n");
    }
    for (size_t i = 0; i < policies->n; i++) {
        rule_text(out, &policies->items[i]);
    }
    for (size_t i = 0; i < shipped->n; i++) {
        const struct tn_policy_rule *r = &shipped->items[i];
        if (is_used(policies, r->name)) {
            continue;
        }
        if (!head) {
            tn_text_add(out, "\nShipped and not in use (rule: {use: NAME}):\n");
            head = true;
        }
        tn_text_addf(out, "%-24s %-5s %s\n", r->name,
                     tn_severity_word(tn_policy_rule_severity(r)),
                     r->doc->description.v ? r->doc->description.v : "");
    }
}

static enum tn_exit
policy_list(struct tn_cli *cli)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    struct tn_findings findings = {.arena = cli->arena};
    struct tn_policies policies = {0}, shipped = {0};
    struct tn_verdict broken;
    struct tn_error err = {0};
    enum tn_code code = repository_load(cli, &policies, &findings, &err);
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    tn_policies_shipped(cli->arena, &shipped, &findings);
    tn_verdict_build(&findings, &broken);
    if (cli->json) {
        list_json(&out, &policies, &shipped, &broken);
    } else {
        list_text(&out, &policies, &shipped);
        tn_verdict_print_text(&out, &broken, cli->color_out);
    }
    if (!tn_report_out(&out)) {
        return TN_EXIT_ERROR;
    }
    return tn_verdict_allows(&broken) ? TN_EXIT_OK : TN_EXIT_INVALID;
}

enum tn_exit
tn_cmd_policy(struct tn_cli *cli)
{
    const char *what = cli->n_args ? cli->args[0] : "list";
    if (strcmp(what, "test") == 0) {
        return policy_test(cli);
    }
    if (strcmp(what, "list") == 0 && cli->n_args <= 1) {
        return policy_list(cli);
    }
    fprintf(stderr, "tenet: 'tenet policy' takes 'test [FILE...]' or 'list'\n");
    return TN_EXIT_ERROR;
}
