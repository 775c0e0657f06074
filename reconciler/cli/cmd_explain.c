/* cmd_explain.c - 'tenet explain': where a host's variables come from.
 *
 * Only settings and inventory are read: the question is asked most when the
 * rest is broken.  Every assignment of every layer is shown in the order in
 * which they override each other, so that the last one is the value that
 * 'ansible-inventory --host' prints.  What a secret's name holds is hidden. */
#include "reconciler/cli/command.h"

#include <string.h>

#include <jansson.h>

#include "model/compile/world.h"
#include "reconciler/provenance/secret.h"

enum { VALUE_SHOWN = 60, NAME_COLUMN = 28 };

struct explain {
    const struct tn_cli *cli;
    struct tn_arena *arena;
    const struct tn_inventory *inventory;
    const struct tn_host *host;
    struct tn_inventory_layers layers;
};

static void
source_free(struct tn_source **source)
{
    if (*source) {
        (*source)->ops->free(*source);
    }
}

/* Text of documents may hold anything; what a terminal would obey is shown. */
static void
add_clean(struct tn_text *out, const char *s)
{
    for (; *s; s++) {
        if ((unsigned char) *s < 0x20 || *s == 0x7f) {
            tn_text_addf(out, "\\x%02x", (unsigned char) *s);
        } else {
            tn_text_addc(out, *s);
        }
    }
}

static void
add_place(struct tn_text *out, const struct tn_var *var)
{
    add_clean(out, var->layer);
    tn_text_add(out, " at ");
    add_clean(out, var->path);
    tn_text_addf(out, ":%u:%u", var->value->at.line, var->value->at.column);
}

/* On one line, cut at a character. */
static void
add_value(struct tn_text *out, const struct explain *x,
          const struct tn_var *var, size_t max)
{
    static const struct tn_node hidden = {
        .type = TN_NODE_SCALAR, .quoted = true, .scalar = {"(hidden)", 8}};
    TN_CLEANUP(tn_cleanup_free)
    char *json = tn_inventory_value_json(
        tn_secrets_hide(x->arena, var->name, var->value, &hidden));
    size_t n = strlen(json);
    bool cut = n > max;
    for (n = cut ? max : n; cut && ((unsigned char) json[n] & 0xc0) == 0x80;) {
        n--;
    }
    json[n] = '\0';
    add_clean(out, json);
    tn_text_add(out, cut ? "..." : "");
}

static void
add_groups(struct tn_text *out, const struct explain *x)
{
    for (size_t i = 0; i < x->layers.n_groups; i++) {
        const struct tn_inventory_group *g = &x->layers.groups[i];
        add_clean(out, g->name);
        if (g->priority != 1) {
            tn_text_addf(out, " (priority %lld)", (long long) g->priority);
        }
        tn_text_add(out, " < ");
    }
}

static void
variable_text(struct tn_text *out, const struct explain *x,
              const struct tn_var *winner)
{
    bool color = x->cli->color_out;
    add_clean(out, x->host->raw.name);
    tn_text_add(out, ": ");
    add_clean(out, winner->name);
    tn_text_add(out, " = ");
    add_value(out, x, winner, SIZE_MAX - 1);
    tn_text_add(out, "\n\n");
    for (size_t i = 0; i < x->layers.n; i++) {
        const struct tn_var *v = &x->layers.set[i];
        bool wins = v == winner;
        if (strcmp(v->name, winner->name) != 0) {
            continue;
        }
        tn_text_add(out, wins && color ? "\033[1m" : "");
        tn_text_add(out, wins ? "* " : "  ");
        add_place(out, v);
        tn_text_add(out, ": ");
        add_value(out, x, v, VALUE_SHOWN);
        tn_text_add(out, wins && color ? "\033[0m" : "");
        tn_text_addc(out, '\n');
    }
    tn_text_add(out, "\nPrecedence: ");
    add_groups(out, x);
    tn_text_add(out, "the host; what the hosts file says of groups < "
                     "group_vars/ < the hosts file of the host < "
                     "host_vars/.\n");
}

/* The assignment that counts: the last one; null if there is none. */
static const struct tn_var *
winner_of(const struct explain *x, const char *name)
{
    for (size_t i = x->layers.n; i > 0; i--) {
        if (strcmp(x->layers.set[i - 1].name, name) == 0) {
            return &x->layers.set[i - 1];
        }
    }
    return NULL;
}

static void
all_text(struct tn_text *out, const struct explain *x)
{
    add_groups(out, x);
    add_clean(out, x->host->raw.name);
    tn_text_add(out, "\n\n");
    for (size_t i = 0; i < x->host->raw.n_vars; i++) {
        const struct tn_var *var = &x->host->raw.vars[i];
        size_t before = out->n, n_lost = 0;
        for (size_t k = 0; k < x->layers.n; k++) {
            n_lost += strcmp(x->layers.set[k].name, var->name) == 0;
        }
        add_clean(out, var->name);
        while (out->n - before < NAME_COLUMN) {
            tn_text_addc(out, ' ');
        }
        tn_text_addc(out, ' ');
        add_value(out, x, var, VALUE_SHOWN);
        tn_text_add(out, "\n    ");
        add_place(out, var);
        if (n_lost > 1) {
            tn_text_addf(out, ", over %zu other%s", n_lost - 1,
                         n_lost > 2 ? "s" : "");
        }
        tn_text_addc(out, '\n');
    }
}

/* A secret is {"secret": null}, as in plans. */
static json_t *
value_json(const struct explain *x, const struct tn_var *var)
{
    static const struct tn_node null = {.type = TN_NODE_SCALAR,
                                        .scalar = {"null", 4}};
    static const struct tn_pair pair = {.key = "secret", .value = &null};
    static const struct tn_node hidden = {.type = TN_NODE_MAP,
                                          .map = {&pair, 1}};
    TN_CLEANUP(tn_cleanup_free)
    char *text = tn_inventory_value_json(
        tn_secrets_hide(x->arena, var->name, var->value, &hidden));
    json_error_t ignored;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &ignored);
    /* Numbers beyond 64 bits, NaN: as they are printed. */
    return json ? json : json_string(text);
}

static json_t *
assignment_json(const struct explain *x, const struct tn_var *v, bool wins)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:o, s:b}", "layer", v->layer,
                     "path", v->path, "line", (int) v->value->at.line, "column",
                     (int) v->value->at.column, "value", value_json(x, v),
                     "wins", (int) wins);
}

static json_t *
variable_json(const struct explain *x, const struct tn_var *winner)
{
    json_t *layers = json_array();
    for (size_t i = 0; i < x->layers.n; i++) {
        const struct tn_var *v = &x->layers.set[i];
        if (strcmp(v->name, winner->name) == 0) {
            json_array_append_new(layers, assignment_json(x, v, v == winner));
        }
    }
    return json_pack("{s:o, s:o}", "value", value_json(x, winner), "layers",
                     layers);
}

static void
json_add(struct tn_text *out, const struct explain *x, const char *only)
{
    json_t *groups = json_array(), *variables = json_object();
    for (size_t i = 0; i < x->layers.n_groups; i++) {
        const struct tn_inventory_group *g = &x->layers.groups[i];
        json_array_append_new(groups,
                              json_pack("{s:s, s:i, s:I}", "name", g->name,
                                        "depth", (int) g->depth, "priority",
                                        (json_int_t) g->priority));
    }
    for (size_t i = 0; i < x->host->raw.n_vars; i++) {
        const char *name = x->host->raw.vars[i].name;
        if (!only || strcmp(only, name) == 0) {
            json_object_set_new(variables, name,
                                variable_json(x, winner_of(x, name)));
        }
    }
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:o, s:o}", "format_version", "1.0",
                  "environment", x->inventory->environment, "host",
                  x->host->raw.name, "groups", groups, "variables", variables);
    TN_CLEANUP(tn_cleanup_free)
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
    tn_text_add(out, text ? text : "{}");
    tn_text_addc(out, '\n');
    json_decref(root);
}

static void
missing_say(const char *what, const char *name, const char *const *names,
            size_t n)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text shown = {0};
    const char *near = tn_nearest(name, names, n);
    add_clean(&shown, name);
    if (near) {
        tn_text_addf(&shown, "'; did you mean '%s", near);
    }
    fprintf(stderr, "tenet: %s '%s'%s\n", what, tn_text_str(&shown),
            near ? "?" : "");
}

static enum tn_exit
host_missing(const struct explain *x, const char *name)
{
    const struct tn_inventory *inv = x->inventory;
    const char **names = tn_new_n(x->arena, const char *, inv->n_hosts + 1);
    for (size_t i = 0; i < inv->n_hosts; i++) {
        names[i] = inv->hosts[i].raw.name;
    }
    missing_say(tn_arena_printf(x->arena, "environment %s has no host",
                                inv->environment),
                name, names, inv->n_hosts);
    return TN_EXIT_ERROR;
}

static enum tn_exit
variable_missing(const struct explain *x, const char *name)
{
    const struct tn_inventory_host *host = &x->host->raw;
    const char **names = tn_new_n(x->arena, const char *, host->n_vars + 1);
    for (size_t i = 0; i < host->n_vars; i++) {
        names[i] = host->vars[i].name;
    }
    missing_say("the host has no variable", name, names, host->n_vars);
    return TN_EXIT_ERROR;
}

static enum tn_exit
explain_print(const struct explain *x, const char *only)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct tn_var *winner = only ? winner_of(x, only) : NULL;
    if (only && !winner) {
        return variable_missing(x, only);
    }
    if (x->cli->json) {
        json_add(&t, x, only);
    } else if (only) {
        variable_text(&t, x, winner);
    } else {
        all_text(&t, x);
    }
    return tn_report_out(&t) ? TN_EXIT_OK : TN_EXIT_ERROR;
}

/* Opens the source and reads settings and inventory. */
static enum tn_code
world_open(const struct tn_cli *cli, struct tn_source **source,
           struct tn_world *world, struct tn_error *err)
{
    struct tn_compile_options o = {.environment = cli->environment};
    struct tn_diags diags;
    tn_diags_init(&diags, cli->arena);
    enum tn_code code =
        cli->worktree
            ? tn_source_open_worktree(cli->repo, source, err)
            : tn_source_open_commit(cli->repo, cli->rev, source, NULL, err);
    if (!code) {
        code = tn_world_load(*source, &o, cli->arena, world, &diags, err);
        tn_diags_sort(&diags);
        tn_report_findings(cli, &diags);
    }
    if (code && (code != TN_EINTENT || diags.n_errors == 0)) {
        tn_report_error(cli, err);
    }
    return code;
}

enum tn_exit
tn_cmd_explain(struct tn_cli *cli)
{
    TN_CLEANUP(source_free) struct tn_source *source = NULL;
    struct tn_error err = {0};
    struct tn_world world;
    struct tn_diags unheard;
    struct explain x = {.cli = cli, .arena = cli->arena};
    if (cli->n_args == 0) {
        fprintf(stderr, "tenet: explain which host?  'tenet explain HOST "
                        "[VARIABLE]'\n");
        return TN_EXIT_ERROR;
    }
    enum tn_code code = world_open(cli, &source, &world, &err);
    if (code) {
        return tn_report_exit(code);
    }
    x.inventory = world.inventory;
    x.host = tn_inventory_host_get(x.inventory, cli->args[0]);
    if (!x.host) {
        return host_missing(&x, cli->args[0]);
    }
    tn_diags_init(&unheard, cli->arena);
    code = tn_inventory_layers(source, world.environment, cli->args[0],
                               cli->arena, &x.layers, &unheard, &err);
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    return explain_print(&x, cli->n_args > 1 ? cli->args[1] : NULL);
}
