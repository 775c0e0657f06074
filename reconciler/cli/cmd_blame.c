/* cmd_blame.c - 'tenet blame': which line asked for this, and who wrote it?
 *
 * The intent is compiled and rendered as for a plan, but no device is asked:
 * the name is looked up in what drivers would have the devices hold.  What is
 * not in this commit is looked for in those that were applied last.  Only a
 * uuid means nothing without its database: that is asked if --host names it. */
#include "reconciler/cli/command.h"

#include <ctype.h>

#include "drivers/driver.h"
#include "reconciler/provenance/trace.h"

enum { SHOWN = 20, MATCHES_SHOWN = 6 };

struct blame {
    const struct tn_cli *cli;
    const struct tn_reconcile *run;
    struct tn_arena *arena;
    const char *query;
    TN_VEC(struct tn_trace) traces;
    size_t n_all;
};

/* ------------------------------------------------------------- uuids ---- */

static bool
is_uuid(const char *s)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;
    while (form[i] &&
           (form[i] == '-' ? s[i] == '-' : isxdigit((unsigned char) s[i]))) {
        i++;
    }
    return !form[i] && !s[i];
}

static bool
has_id(const struct tn_resource *r, const char *uuid)
{
    const char *at = r->ids ? strstr(r->ids, uuid) : NULL;
    return r->owner == TN_OURS && at;
}

/* The key of the row of that uuid; null: the device has none of ours. */
static enum tn_code
key_observe(const struct blame *b, const struct tn_device *d, const char **out,
            struct tn_error *err)
{
    static const struct tn_scope everything = {0};
    const struct tn_driver *driver = tn_driver_get(d->host->config.driver);
    const struct tn_driver_env env = {0};
    const struct tn_state *want = NULL, *have = NULL;
    struct tn_session *session = NULL;
    struct tn_diags unheard;
    if (!driver) {
        return TN_OK;
    }
    tn_diags_init(&unheard, b->arena);
    enum tn_code code = driver->render(d, b->arena, &want, &unheard, err);
    if (!code) {
        code = driver->open(d, &env, &session, err);
    }
    if (!code) {
        code =
            driver->observe(session, &everything, want, b->arena, &have, err);
    }
    for (size_t i = 0; !code && i < have->n && !*out; i++) {
        *out = has_id(&have->items[i], b->query) ? have->items[i].key : NULL;
    }
    driver->close(session);
    return code;
}

/* Of a uuid, the key of its row is what is looked for, where that is known. */
static enum tn_code
query_resolve(struct blame *b, struct tn_error *err)
{
    const struct tn_network *network = b->run->network;
    const char *key = NULL;
    enum tn_code code = TN_OK;
    if (!b->cli->host || !is_uuid(b->query)) {
        return TN_OK;
    }
    for (size_t i = 0; i < network->n_devices && !code; i++) {
        if (strcmp(network->devices[i].name, b->cli->host) == 0) {
            code = key_observe(b, &network->devices[i], &key, err);
        }
    }
    b->query = key ? key : b->query;
    return code;
}

/* ------------------------------------------------------------ search ---- */

/* What the drivers make of the network; findings of drivers are those of a
 * plan, and are not repeated here. */
static enum tn_code
states_search(const struct blame *b, const struct tn_network *network,
              struct tn_find *find, struct tn_error *err)
{
    for (size_t i = 0; i < network->n_devices; i++) {
        const struct tn_device *d = &network->devices[i];
        const struct tn_driver *driver = tn_driver_get(d->host->config.driver);
        const struct tn_state *state = NULL;
        struct tn_diags unheard;
        if (!driver || (b->cli->host && strcmp(b->cli->host, d->name) != 0)) {
            continue;
        }
        tn_diags_init(&unheard, b->arena);
        enum tn_code code = driver->render(d, b->arena, &state, &unheard, err);
        if (code) {
            return code;
        }
        tn_find_in_state(find, d->name, state);
    }
    return TN_OK;
}

static enum tn_code
network_search(const struct blame *b, const struct tn_network *network,
               struct tn_find *out, struct tn_error *err)
{
    *out = (struct tn_find){.query = b->query,
                            .tenant = b->cli->tenant,
                            .host = b->cli->host,
                            .arena = b->arena};
    tn_find_init(out);
    tn_find_in_network(out, network);
    enum tn_code code = states_search(b, network, out, err);
    tn_find_finish(out);
    return code;
}

static void
lines_trace(struct blame *b, const struct tn_find *find,
            const struct tn_trace_from *from, const struct tn_commit *of)
{
    size_t max = b->cli->verbose ? find->lines.n : SHOWN;
    b->n_all += find->lines.n;
    for (size_t i = 0; i < find->lines.n && i < max; i++) {
        struct tn_trace *t = tn_vec_push(b->arena, &b->traces);
        tn_trace(from, find->lines.items[i], t);
        t->rev = of;
    }
}

/* Who took it away, between 'from' and the commit that was asked for. */
static void
removal_trace(struct blame *b, const struct tn_trace_from *from)
{
    for (size_t i = 0; i < b->traces.n; i++) {
        struct tn_trace *t = &b->traces.items[i];
        struct tn_blame_ask ask = {.repo = from->repo,
                                   .rev = b->run->commit.id,
                                   .path = t->line->at.path,
                                   .first = t->line->at.line};
        struct tn_commit *by = tn_new(b->arena, struct tn_commit);
        struct tn_error ignored = {0};
        if (t->line->at.path && b->run->commit.id[0] &&
            !tn_source_removed_by(&ask, from->rev, by, &ignored)) {
            t->removed = by;
        }
    }
}

/* In what was applied last, commit by commit, until it is found. */
static enum tn_code
past_search(struct blame *b, struct tn_error *err)
{
    const struct tn_status *status = b->run->status;
    const char *before = b->run->commit.id;
    enum tn_code code = TN_OK;
    for (size_t i = 0; i < status->n_devices && !b->n_all && !code; i++) {
        const char *id = status->devices[i].head.commit;
        const struct tn_network *network = NULL;
        struct tn_commit *of = tn_new(b->arena, struct tn_commit);
        struct tn_trace_from from = {
            .repo = b->run->root, .rev = id, .arena = b->arena};
        struct tn_error gone = {0};
        struct tn_find find;
        if (!id || tn_streq(id, before)) {
            continue;
        }
        before = id;
        network = tn_reconcile_past(b->run, id, b->arena);
        if (!network ||
            tn_source_open_commit(from.repo, id, &from.source, of, &gone)) {
            continue;
        }
        code = network_search(b, network, &find, err);
        if (!code) {
            lines_trace(b, &find, &from, of);
            removal_trace(b, &from);
        }
        from.source->ops->free(from.source);
    }
    return code;
}

static enum tn_code
search(struct blame *b, struct tn_error *err)
{
    struct tn_find find;
    struct tn_trace_from from = {.repo = b->run->root,
                                 .rev = b->run->commit.id[0] ? b->run->commit.id
                                                             : NULL,
                                 .source = b->run->source,
                                 .worktree = b->cli->worktree,
                                 .arena = b->arena};
    enum tn_code code = network_search(b, b->run->network, &find, err);
    if (code) {
        return code;
    }
    lines_trace(b, &find, &from, NULL);
    return b->n_all ? TN_OK : past_search(b, err);
}

static bool
has_device(const struct tn_network *network, const char *name)
{
    bool has = false;
    for (size_t i = 0; i < network->n_devices && !has; i++) {
        has = strcmp(network->devices[i].name, name) == 0;
    }
    return has;
}

static enum tn_exit
not_found(const struct blame *b)
{
    const char *source = tn_command_source(b->run, b->arena);
    const char *further = "'tenet blame --rev OLD' looks at an older commit";
    struct tn_error err = {0};
    if (b->cli->host && !has_device(b->run->network, b->cli->host)) {
        further =
            tn_arena_printf(b->arena, "there is no device '%s'", b->cli->host);
    } else if (is_uuid(b->query)) {
        further = b->cli->host
                      ? "no row of that uuid there is ours"
                      : "with --host NAME the database of that device is asked "
                        "for the row, or look up its external_ids:tenet-key";
    }
    /* Escapes what it prints. */
    (void) !tn_fail(&err, TN_ENOENT, 0,
                    "nothing in %s%s%s is called '%s', nor in what was applied "
                    "last; %s",
                    source, b->cli->host ? " on host " : "",
                    b->cli->host ? b->cli->host : "", b->cli->args[0], further);
    tn_report_error(b->cli, &err);
    return TN_EXIT_ERROR;
}

static enum tn_exit
traces_print(const struct blame *b)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    struct tn_trace_print p = {.query = b->cli->args[0],
                               .source = tn_command_source(b->run, b->arena),
                               .traces = b->traces.items,
                               .n = b->traces.n,
                               .n_all = b->n_all,
                               .max_matches =
                                   b->cli->verbose ? SIZE_MAX : MATCHES_SHOWN,
                               .color = b->cli->color_out};
    if (b->cli->json) {
        tn_trace_print_json(&t, &p);
    } else {
        tn_trace_print_text(&t, &p);
    }
    return tn_report_out(&t) ? TN_EXIT_OK : TN_EXIT_ERROR;
}

enum tn_exit
tn_cmd_blame(struct tn_cli *cli)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    if (cli->n_args == 0 || !cli->args[0][0]) {
        fprintf(stderr, "tenet: blame what?  'tenet blame RESOURCE': an "
                        "interface, a key of a plan, acme/web/front, a port, "
                        "an address, a MAC, a VNI\n");
        return TN_EXIT_ERROR;
    }
    enum tn_exit exit = tn_command_open(cli, TN_RUN_NORMAL, &run);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    tn_report_findings(cli, &run->diags);
    struct blame b = {
        .cli = cli, .run = run, .arena = run->arena, .query = cli->args[0]};
    enum tn_code code = query_resolve(&b, &err);
    if (!code) {
        code = search(&b, &err);
    }
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    return b.n_all ? traces_print(&b) : not_found(&b);
}
