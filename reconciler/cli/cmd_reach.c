/* cmd_reach.c - 'tenet reach': who can talk to whom?
 *
 * Three questions: one pair (--from, --to), one VPC (--matrix), one change
 * (--diff).  Everything is computed by model/reach on the compiled intent; no
 * device is asked. */
#include "reconciler/cli/command.h"

#include <string.h>

#include "reconciler/cli/reaching.h"

static enum tn_exit
usage(const char *text)
{
    fprintf(stderr, "tenet: %s\nSee 'tenet reach --help'.\n", text);
    return TN_EXIT_ERROR;
}

/* Exactly one question, and what belongs to it. */
static enum tn_exit
options_check(const struct tn_cli *cli)
{
    const char *expect = cli->reach.expect;
    int questions = (cli->reach.from || cli->reach.to) +
                    (cli->reach.matrix != NULL) + (cli->reach.diff != NULL);
    if (questions != 1) {
        return usage("reach wants one of --from with --to, --matrix, --diff");
    }
    if (!cli->reach.from != !cli->reach.to) {
        return usage("--from and --to go together");
    }
    if ((expect || cli->reach.port || cli->reach.protocol) &&
        !cli->reach.from) {
        return usage("--proto, --port and --expect are for --from and --to");
    }
    if (expect && strcmp(expect, "yes") != 0 && strcmp(expect, "no") != 0) {
        return usage("--expect wants yes or no");
    }
    return TN_EXIT_OK;
}

static enum tn_exit
traffic_parse(struct tn_cli *cli, const struct tn_traffic **out)
{
    const char *proto = cli->reach.protocol, *port = cli->reach.port;
    const char *text = tn_arena_printf(cli->arena, "%s%s%s",
                                       proto  ? proto
                                       : port ? "tcp"
                                              : "any",
                                       port ? " " : "", port ? port : "");
    if (!tn_traffic_parse(cli->arena, text, out) || tn_traffic_is_none(*out)) {
        fprintf(stderr,
                "tenet: '%s' is no traffic: --proto tcp, udp, sctp, icmp, any; "
                "--port 443 or 80,8000-8100\n",
                text);
        return TN_EXIT_ERROR;
    }
    return TN_EXIT_OK;
}

static enum tn_exit
expected(const struct tn_cli *cli, const struct tn_reach_answer *answer)
{
    const char *expect = cli->reach.expect;
    bool yes = answer->verdict == TN_REACH_YES && answer->whole && !answer->cut;
    bool no = answer->verdict == TN_REACH_NO && !answer->cut;
    if (answer->cut) {
        fprintf(stderr, "tenet: these prefixes are too much for one question: "
                        "the answer is of a part of them\n");
    }
    if (!expect || (strcmp(expect, "yes") == 0 ? yes : no)) {
        return TN_EXIT_OK;
    }
    fprintf(stderr, "tenet: expected %s, but the answer is %s%s\n", expect,
            answer->whole ? "" : "in part ",
            tn_reach_verdict_word(answer->verdict));
    return TN_EXIT_DENIED;
}

static enum tn_exit
ask(struct tn_cli *cli, struct tn_reaching *r, struct tn_reach *reach)
{
    struct tn_error err = {0};
    struct tn_reach_question q = {0};
    struct tn_reach_answer answer;
    enum tn_code code =
        tn_reach_place_parse(reach, cli->reach.from, NULL, &q.from, &err);
    if (code == TN_OK) {
        code =
            tn_reach_place_parse(reach, cli->reach.to, q.from.vpc, &q.to, &err);
    }
    if (code) {
        tn_report_error(cli, &err);
        return TN_EXIT_ERROR;
    }
    enum tn_exit exit = traffic_parse(cli, &q.traffic);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text words = {0}, t = {0};
    tn_traffic_print(&words, q.traffic);
    r->traffic = tn_text_str(&words);
    tn_reach_ask(reach, &q, &answer);
    tn_reaching_answer(&t, r, &answer);
    return tn_report_out(&t) ? expected(cli, &answer) : TN_EXIT_ERROR;
}

static enum tn_exit
matrix(struct tn_cli *cli, struct tn_reaching *r, struct tn_reach *reach)
{
    const char *slash = strchr(cli->reach.matrix, '/');
    const struct tn_net_vpc *vpc = NULL;
    struct tn_reach_matrix m;
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    if (slash) {
        const char *tenant =
            tn_arena_strndup(cli->arena, cli->reach.matrix,
                             (size_t) (slash - cli->reach.matrix));
        vpc = tn_reach_vpc(reach, tenant, slash + 1);
    }
    if (!vpc) {
        fprintf(stderr, "tenet: there is no VPC '%s' (TENANT/VPC)\n",
                cli->reach.matrix);
        return TN_EXIT_ERROR;
    }
    tn_reach_matrix(reach, vpc, &m);
    tn_reaching_matrix(&t, r, &m);
    return tn_report_out(&t) ? TN_EXIT_OK : TN_EXIT_ERROR;
}

static enum tn_exit
diff(const struct tn_cli *cli, struct tn_reaching *r,
     const struct tn_reconcile *after)
{
    struct tn_cli former = *cli;
    struct tn_reach_diff d;
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *before = NULL;
    former.rev = cli->reach.diff;
    former.worktree = false;
    enum tn_exit exit = tn_command_open(&former, TN_RUN_NORMAL, &before);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    tn_reach_diff(r->arena, before->network, after->network, &d);
    tn_reaching_diff(&t, r, &d);
    return tn_report_out(&t) ? TN_EXIT_OK : TN_EXIT_ERROR;
}

enum tn_exit
tn_cmd_reach(struct tn_cli *cli)
{
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    enum tn_exit exit = options_check(cli);
    if (exit == TN_EXIT_OK) {
        exit = tn_command_open(cli, TN_RUN_NORMAL, &run);
    }
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    tn_report_findings(cli, &run->diags);
    struct tn_reaching r = {
        .cli = cli,
        .arena = run->arena,
        .source = run->source,
        .about = tn_command_source(run, run->arena),
    };
    struct tn_reach *reach = tn_reach_new(run->arena, run->network);
    exit = cli->reach.matrix ? matrix(cli, &r, reach)
           : cli->reach.diff ? diff(cli, &r, run)
                             : ask(cli, &r, reach);
    tn_command_stats(cli, run);
    return exit;
}
