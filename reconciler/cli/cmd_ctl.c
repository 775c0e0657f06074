/* cmd_ctl.c - 'tenet ctl': ask the daemon on this machine, or tell it. */
#include "reconciler/cli/command.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/time.h"
#include "reconciler/daemon/control.h"

static enum tn_exit
usage(const char *what)
{
    fprintf(stderr, "tenet: %s\nSee 'tenet ctl --help'.\n", what);
    return TN_EXIT_ERROR;
}

static const char *
text_of(const json_t *o, const char *name, const char *fallback)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : fallback;
}

static void
status_print(struct tn_text *t, const json_t *answer)
{
    size_t i;
    json_t *d;
    const char *commit = text_of(answer, "commit", NULL);
    const char *refused = text_of(answer, "refused", NULL);
    const char *git = text_of(answer, "git_error", NULL);
    const char *probation = text_of(answer, "probation", NULL);
    if (commit) {
        tn_text_addf(t, "Following %.12s \"%s\"\n", commit,
                     text_of(answer, "subject", ""));
    } else {
        tn_text_add(t, "No intent yet.\n");
    }
    if (refused) {
        tn_text_addf(t, "The tip %.12s is not followed: %s\n",
                     text_of(answer, "tip", ""), refused);
    }
    if (probation) {
        tn_text_addf(t, "On probation: %s\n", probation);
    }
    if (git) {
        tn_text_addf(t, "Git cannot be read: %s\n", git);
    }
    json_array_foreach(json_object_get(answer, "broken_tenants"), i, d)
    {
        tn_text_addf(t, "Tenant %s: %s\n", text_of(d, "tenant", "?"),
                     text_of(d, "text", ""));
    }
    json_array_foreach(json_object_get(answer, "devices"), i, d)
    {
        const char *why = text_of(d, "why", NULL);
        const char *drift = text_of(d, "drift", NULL);
        tn_text_addf(t, "  %-20s %-12s %-8s looked %.0f s ago%s%s%s%s\n",
                     text_of(d, "device", "?"), text_of(d, "outcome", "?"),
                     text_of(d, "mode", ""),
                     json_number_value(json_object_get(d, "age_seconds")),
                     why ? ": " : "", why ? why : "", drift ? "; drift: " : "",
                     drift ? drift : "");
    }
}

static void
modes_print(struct tn_text *t, const json_t *answer)
{
    size_t i;
    json_t *m;
    json_array_foreach(json_object_get(answer, "modes"), i, m)
    {
        const char *until = text_of(m, "until", "");
        tn_text_addf(t, "%-8s %-7s %s%s%s: %s\n", text_of(m, "mode", "?"),
                     text_of(m, "target", "?"), text_of(m, "name", "?"),
                     until[0] ? " until " : "", until,
                     text_of(m, "reason", ""));
    }
    if (json_array_size(json_object_get(answer, "modes")) == 0) {
        tn_text_add(t, "No modes are set by command.\n");
    }
}

static enum tn_exit
answer_print(const struct tn_cli *cli, const char *command, const char *answer)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    json_t *o = json_loads(answer, 0, NULL);
    bool ok = json_is_true(json_object_get(o, "ok"));
    if (cli->json) {
        tn_text_add(&t, answer);
    } else if (!ok) {
        fprintf(stderr, "tenet: %s\n",
                text_of(o, "error", "the answer makes no sense"));
    } else if (strcmp(command, "status") == 0) {
        status_print(&t, o);
    } else if (strcmp(command, "modes") == 0) {
        modes_print(&t, o);
    }
    json_decref(o);
    bool written = tn_report_out(&t);
    return ok && written ? TN_EXIT_OK : TN_EXIT_ERROR;
}

/* "device/hv1", "tenant/acme", "vpc/acme/web" */
static bool
target_set(json_t *request, const char *target)
{
    const char *slash = strchr(target, '/');
    if (!slash || !slash[1]) {
        return false;
    }
    json_object_set_new(request, "target",
                        json_stringn(target, (size_t) (slash - target)));
    json_object_set_new(request, "name", json_string(slash + 1));
    return true;
}

static bool
until_set(json_t *request, const char *duration)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end = NULL, text[TN_TIME_TEXT];
    long long n = strtoll(duration, &end, 10);
    for (size_t i = 0; i < TN_ARRAY_SIZE(units); i++) {
        if (n > 0 && n < 1000000 && end[0] == units[i].unit && !end[1]) {
            int64_t t = (int64_t) time(NULL) + n * units[i].seconds;
            json_object_set_new(request, "until",
                                json_string(tn_time_format(t, text)));
            return true;
        }
    }
    return false;
}

static enum tn_exit
request_make(const struct tn_cli *cli, json_t *request)
{
    const char *command = cli->args[0];
    const char *arg = cli->n_args > 1 ? cli->args[1] : NULL;
    bool mode = strcmp(command, "observe") == 0 ||
                strcmp(command, "heal") == 0 || strcmp(command, "hold") == 0;
    bool clear = strcmp(command, "clear") == 0;
    json_object_set_new(request, "command",
                        json_string(mode ? "mode" : command));
    if (mode || clear) {
        if (!arg || !target_set(request, arg)) {
            return usage("name what is meant: device/NAME, tenant/NAME or "
                         "vpc/TENANT/NAME");
        }
        if (mode && !cli->reason) {
            return usage("say why, with --reason");
        }
        if (cli->duration && !until_set(request, cli->duration)) {
            return usage("--for wants a duration such as 30m, 2h or 1d");
        }
        json_object_set_new(request, "mode",
                            json_string(mode ? command : "heal"));
        json_object_set_new(request, "reason",
                            json_string(cli->reason ? cli->reason : ""));
    } else if (strcmp(command, "audit") == 0 && arg) {
        json_object_set_new(request, "device", json_string(arg));
    } else if (strcmp(command, "acknowledge") == 0) {
        json_object_set_new(request, "commit", json_string(arg ? arg : ""));
    }
    return TN_EXIT_OK;
}

enum tn_exit
tn_cmd_ctl(struct tn_cli *cli)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_free) char *answer = NULL;
    if (cli->n_args == 0) {
        return usage("say what: status, sync, audit, observe, heal, hold, "
                     "clear, modes or acknowledge");
    }
    json_t *request = json_object();
    enum tn_exit exit = request_make(cli, request);
    TN_CLEANUP(tn_cleanup_free) char *line = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    enum tn_code code = tn_control_ask(
        cli->control ? cli->control : TN_CONTROL_PATH, line, &answer, &err);
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    return answer_print(cli, cli->args[0], answer);
}
