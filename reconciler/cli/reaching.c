/* reaching.c - what 'tenet reach' found, as text and as JSON.
 *
 * Text is for people: the verdict first, then the steps with their lines of
 * YAML.  JSON has the same and all of it: nothing is folded there. */
#include "reconciler/cli/reaching.h"

#include <string.h>

#include "model/compile/repository.h"

enum { LINE_SHOWN = 100, NAMES_SHOWN = 6, FILE_MAX = 1 << 24 };

/* ---- lines of files -------------------------------------------------------
 */

/* The file's bytes; null if it cannot be read. */
static const char *
file_read(const struct tn_reaching *r, const char *path)
{
    const char *slash = strrchr(path, '/'), *bytes = NULL;
    char *folder = tn_arena_strdup(r->arena, path);
    struct tn_entry entry;
    struct tn_error ignored = {0};
    size_t n = 0;
    folder[slash ? slash - path : 0] = '\0';
    if (!r->source ||
        tn_repo_entry(r->source, folder, slash ? slash + 1 : path, r->arena,
                      &entry, &ignored) ||
        r->source->ops->read(r->source, path, &entry.id, FILE_MAX, r->arena,
                             &bytes, &n, &ignored)) {
        return NULL;
    }
    return bytes;
}

/* The line without what it is indented by; null if it cannot be had. */
static const char *
line_of(const struct tn_reaching *r, const struct tn_origin *at)
{
    const char *s = at->path ? file_read(r, at->path) : NULL;
    for (uint32_t i = 1; s && i < at->line; i++) {
        s = strchr(s, '\n');
        s = s ? s + 1 : NULL;
    }
    if (!s || at->line == 0) {
        return NULL;
    }
    s += strspn(s, " \t");
    if (strncmp(s, "apiVersion:", 11) == 0) {
        return NULL; /* A document as a whole: the step names it. */
    }
    size_t n = strcspn(s, "\r\n");
    return tn_arena_strndup(r->arena, s, n < LINE_SHOWN ? n : LINE_SHOWN);
}

/* ---- small pieces ---------------------------------------------------------
 */

static void
add_string(struct tn_text *out, const char *name, const char *value)
{
    tn_text_addf(out, "\"%s\": ", name);
    if (!value) {
        tn_text_add(out, "null");
        return;
    }
    tn_text_addc(out, '"');
    tn_text_add_escaped(out, value);
    tn_text_addc(out, '"');
}

static const char *
traffic_text(const struct tn_reaching *r, const struct tn_traffic *t)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_traffic_print(&text, t);
    return tn_arena_strdup(r->arena, tn_text_str(&text));
}

/* "10.0.0.1", or "10.0.0.0-10.0.0.9". */
static const char *
range_text(const struct tn_reaching *r, const struct tn_addr *first,
           const struct tn_addr *last)
{
    char a[TN_ADDR_TEXT], b[TN_ADDR_TEXT];
    if (!tn_addr_present(first)) {
        return "-";
    }
    if (tn_addr_cmp(first, last) == 0) {
        return tn_arena_strdup(r->arena, tn_addr_format(first, a));
    }
    return tn_arena_printf(r->arena, "%s-%s", tn_addr_format(first, a),
                           tn_addr_format(last, b));
}

static void
add_origin(struct tn_text *out, const struct tn_origin *at)
{
    if (!at->path) {
        tn_text_add(out, "\"origin\": null");
        return;
    }
    tn_text_add(out, "\"origin\": {");
    add_string(out, "path", at->path);
    tn_text_addf(out, ", \"line\": %u, \"column\": %u}", at->line, at->column);
}

static void
begin_json(struct tn_text *out, const struct tn_reaching *r, const char *kind)
{
    tn_text_add(out, "{\"format_version\": \"1.0\", ");
    add_string(out, "kind", kind);
    tn_text_add(out, ", ");
    add_string(out, "source", r->about);
}

/* ---- one question ---------------------------------------------------------
 */

static void
part_json(struct tn_text *out, const struct tn_reaching *r,
          const struct tn_reach_part *p)
{
    tn_text_add(out, "{");
    add_string(out, "from", range_text(r, &p->from_first, &p->from_last));
    tn_text_add(out, ", ");
    add_string(out, "to", range_text(r, &p->to_first, &p->to_last));
    tn_text_add(out, ", ");
    add_string(out, "vpc", p->to_vpc ? p->to_vpc->scope : NULL);
    tn_text_add(out, ", ");
    add_string(out, "port", p->to_port ? p->to_port->name : NULL);
    tn_text_add(out, ", ");
    add_string(out, "verdict", tn_reach_verdict_word(p->verdict));
    tn_text_add(out, ", ");
    add_string(out, "passes", traffic_text(r, p->traffic));
    tn_text_addf(out, ", \"answered\": %s, \"steps\": [",
                 p->answered ? "true" : "false");
    for (size_t i = 0; i < p->n_steps; i++) {
        const struct tn_reach_step *s = &p->steps[i];
        tn_text_add(out, i ? ", {" : "{");
        add_string(out, "role", tn_reach_role_word(s->role));
        tn_text_addf(out, ", \"passes\": %s, ", s->passes ? "true" : "false");
        add_string(out, "text", s->text);
        tn_text_add(out, ", ");
        add_origin(out, &s->at);
        tn_text_add(out, ", ");
        add_string(out, "line", line_of(r, &s->at));
        tn_text_add(out, "}");
    }
    tn_text_add(out, "]}");
}

static void
part_text(struct tn_text *out, const struct tn_reaching *r,
          const struct tn_reach_part *p)
{
    bool color = r->cli->color_out;
    tn_text_addf(out, "%s -> %s", range_text(r, &p->from_first, &p->from_last),
                 range_text(r, &p->to_first, &p->to_last));
    if (p->to_port) {
        tn_text_addf(out, " (%s port %s)", p->to_vpc->scope, p->to_port->name);
    }
    tn_text_addf(out, ", %s: %s%s%s\n", r->traffic,
                 !color                       ? ""
                 : p->verdict == TN_REACH_YES ? "\033[32m"
                                              : "\033[31m",
                 tn_reach_verdict_word(p->verdict), color ? "\033[0m" : "");
    for (size_t i = 0; i < p->n_steps; i++) {
        const struct tn_reach_step *s = &p->steps[i];
        const char *line = line_of(r, &s->at);
        tn_text_addf(out, "  %c %-8s %s\n", s->passes ? ' ' : '!',
                     tn_reach_role_word(s->role), s->text);
        if (s->at.path) {
            tn_text_addf(out, "             %s:%u%s", s->at.path, s->at.line,
                         line ? ": " : "");
            tn_text_add_escaped(out, line ? line : "");
            tn_text_addc(out, '\n');
        }
    }
    if (p->verdict == TN_REACH_NO && !tn_traffic_is_none(p->traffic)) {
        tn_text_addf(out, "    what passes is %s\n",
                     traffic_text(r, p->traffic));
    }
}

void
tn_reaching_answer(struct tn_text *out, const struct tn_reaching *r,
                   const struct tn_reach_answer *answer)
{
    if (!r->cli->json) {
        for (size_t i = 0; i < answer->n_parts; i++) {
            part_text(out, r, &answer->parts[i]);
        }
        return;
    }
    begin_json(out, r, "reach");
    tn_text_add(out, ", ");
    add_string(out, "traffic", r->traffic);
    tn_text_add(out, ", ");
    add_string(out, "verdict", tn_reach_verdict_word(answer->verdict));
    tn_text_addf(out, ", \"whole\": %s, \"cut\": %s, \"parts\": [",
                 answer->whole ? "true" : "false",
                 answer->cut ? "true" : "false");
    for (size_t i = 0; i < answer->n_parts; i++) {
        tn_text_add(out, i ? ", " : "");
        part_json(out, r, &answer->parts[i]);
    }
    tn_text_add(out, "]}\n");
}

/* ---- matrix ---------------------------------------------------------------
 */

static const char *
kind_word(enum tn_reach_end_kind kind)
{
    switch (kind) {
    case TN_REACH_OWN:
        return "own";
    case TN_REACH_BEHIND:
        return "behind";
    case TN_REACH_ALLOWED:
        return "allowed";
    }
    return "";
}

static void
class_json(struct tn_text *out, const struct tn_reaching *r,
           const struct tn_reach_class *c)
{
    tn_text_add(out, "{");
    add_string(out, "label", c->label);
    tn_text_add(out, ", ");
    add_string(out, "subnet", c->ends[0]->subnet->name);
    tn_text_add(out, ", ");
    add_string(out, "kind", kind_word(c->ends[0]->kind));
    tn_text_add(out, ", \"ends\": [");
    for (size_t i = 0; i < c->n_ends; i++) {
        tn_text_add(out, i ? ", {" : "{");
        add_string(out, "port", c->ends[i]->port->name);
        tn_text_add(out, ", ");
        add_string(out, "addresses",
                   range_text(r, &c->ends[i]->first, &c->ends[i]->last));
        tn_text_add(out, "}");
    }
    tn_text_add(out, "]}");
}

static void
matrix_json(struct tn_text *out, const struct tn_reaching *r,
            const struct tn_reach_matrix *m)
{
    begin_json(out, r, "matrix");
    tn_text_add(out, ", \"classes\": [");
    for (size_t i = 0; i < m->n_classes; i++) {
        tn_text_add(out, i ? ", " : "");
        class_json(out, r, &m->classes[i]);
    }
    tn_text_add(out, "], \"cells\": [");
    for (size_t i = 0; i < m->n_cells; i++) {
        const struct tn_reach_cell *c = &m->cells[i];
        tn_text_addf(out, "%s{\"from\": %u, \"to\": %u, \"answered\": %s, ",
                     i ? ", " : "", c->from, c->to,
                     c->answered ? "true" : "false");
        add_string(out, "traffic", traffic_text(r, c->traffic));
        tn_text_add(out, "}");
    }
    tn_text_add(out, "]}\n");
}

/* "web1, web2, web3 and 9 more" */
static void
ports_text(struct tn_text *out, const struct tn_reach_class *c, bool all)
{
    size_t shown = 0;
    for (size_t i = 0; i < c->n_ends; i++) {
        if (i && c->ends[i]->port == c->ends[i - 1]->port) {
            continue;
        }
        if (!all && shown == NAMES_SHOWN) {
            tn_text_addf(out, " and %zu more", c->n_ports - shown);
            return;
        }
        tn_text_addf(out, "%s%s", shown++ ? ", " : "", c->ends[i]->port->name);
    }
}

void
tn_reaching_matrix(struct tn_text *out, const struct tn_reaching *r,
                   const struct tn_reach_matrix *m)
{
    if (r->cli->json) {
        matrix_json(out, r, m);
        return;
    }
    for (size_t i = 0; i < m->n_classes; i++) {
        const struct tn_reach_class *c = &m->classes[i];
        tn_text_addf(out, "[%zu] %s, subnet %s, IPv%u: ", i + 1, c->label,
                     c->ends[0]->subnet->name, c->ends[0]->first.family);
        ports_text(out, c, r->cli->verbose);
        tn_text_addc(out, '\n');
    }
    for (size_t i = 0; i < m->n_cells; i++) {
        const struct tn_reach_cell *c = &m->cells[i];
        tn_text_addf(out, "[%u] -> [%u] %s%s\n", c->from + 1, c->to + 1,
                     traffic_text(r, c->traffic),
                     c->answered ? "" : " (one way: no answer returns)");
    }
}

/* ---- differential ---------------------------------------------------------
 */

static bool
is_shown(const struct tn_reaching *r, const struct tn_reach_difference *d)
{
    return !r->cli->tenant || strcmp(r->cli->tenant, d->tenant) == 0;
}

static void
difference_json(struct tn_text *out, const struct tn_reaching *r,
                const struct tn_reach_difference *d)
{
    tn_text_add(out, "{");
    add_string(out, "tenant", d->tenant);
    tn_text_add(out, ", ");
    add_string(out, "change", d->widens ? "reachable" : "unreachable");
    tn_text_addf(out, ", \"widens\": %s, \"crosses_tenants\": %s, ",
                 d->widens ? "true" : "false", d->crosses ? "true" : "false");
    add_string(out, "from", d->from);
    tn_text_add(out, ", ");
    add_string(out, "to", d->to);
    tn_text_add(out, ", ");
    add_string(out, "traffic", traffic_text(r, d->traffic));
    tn_text_addf(out,
                 ", \"from_ports\": %zu, \"to_ports\": %zu, \"pairs\": %zu, "
                 "\"whole\": %s, ",
                 d->n_from_ports, d->n_to_ports, d->n_pairs,
                 d->whole ? "true" : "false");
    add_string(out, "example", d->example);
    tn_text_add(out, ", \"origins\": [");
    for (size_t i = 0; i < d->n_origins; i++) {
        tn_text_add(out, i ? ", {" : "{");
        add_string(out, "path", d->origins[i].path);
        tn_text_addf(out, ", \"line\": %u}", d->origins[i].line);
    }
    tn_text_add(out, "]}");
}

static void
difference_text(struct tn_text *out, const struct tn_reaching *r,
                const struct tn_reach_difference *d)
{
    tn_text_addf(out, "%c %s -> %s: %s%s\n", d->widens ? '+' : '-', d->from,
                 d->to, traffic_text(r, d->traffic),
                 d->crosses ? " (between tenants)" : "");
    tn_text_addf(out, "    %zu x %zu ports%s, such as %s\n", d->n_from_ports,
                 d->n_to_ports, d->whole ? "" : " of those", d->example);
    for (size_t i = 0; i < d->n_origins; i++) {
        tn_text_addf(out, "    %s:%u\n", d->origins[i].path,
                     d->origins[i].line);
    }
}

void
tn_reaching_diff(struct tn_text *out, const struct tn_reaching *r,
                 const struct tn_reach_diff *diff)
{
    size_t shown = 0;
    if (r->cli->json) {
        begin_json(out, r, "diff");
        tn_text_addf(out,
                     ", \"vpcs\": %zu, \"touched\": %zu, \"widen\": %zu, "
                     "\"narrow\": %zu, \"differences\": [",
                     diff->n_vpcs, diff->n_touched, diff->n_widen,
                     diff->n_narrow);
    }
    for (size_t i = 0; i < diff->n; i++) {
        const struct tn_reach_difference *d = &diff->items[i];
        if (is_shown(r, d) && r->cli->json) {
            tn_text_add(out, shown++ ? ", " : "");
            difference_json(out, r, d);
        } else if (is_shown(r, d)) {
            difference_text(out, r, d);
        }
    }
    if (r->cli->json) {
        tn_text_add(out, "]}\n");
    } else {
        tn_text_addf(out,
                     "%s: %zu became reachable, %zu unreachable; %zu of %zu "
                     "VPCs differ\n",
                     r->about, diff->n_widen, diff->n_narrow, diff->n_touched,
                     diff->n_vpcs);
    }
}
