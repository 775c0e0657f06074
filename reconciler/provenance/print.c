/* print.c - traces as text for people and as JSON (docs/provenance.md). */
#include <string.h>

#include <jansson.h>

#include "model/base/cleanup.h"
#include "model/base/time.h"
#include "reconciler/provenance/trace.h"

/* Names come from documents, which may hold anything. */
static void
add_clean(struct tn_text *out, const char *s)
{
    for (; s && *s; s++) {
        if ((unsigned char) *s < 0x20 || *s == 0x7f) {
            tn_text_addf(out, "\\x%02x", (unsigned char) *s);
        } else {
            tn_text_addc(out, *s);
        }
    }
}

static void
add_commit(struct tn_text *out, const struct tn_commit *c)
{
    char when[TN_TIME_TEXT];
    tn_text_addf(out, "%.10s  %.10s  %s: ", c->id,
                 tn_time_format(c->author_time, when), c->author);
    tn_text_add(out, c->subject);
    tn_text_addc(out, '\n');
}

static void
add_line(struct tn_text *out, const char *label, const struct tn_blame_line *l,
         const struct tn_trace *t)
{
    tn_text_addf(out, "    %-12s ", label);
    if (l->uncommitted) {
        tn_text_add(out, "not committed yet\n");
    } else if (!l->commit) {
        tn_text_addf(out, "before %.10s, where the search ended\n",
                     t->oldest ? t->oldest : "?");
    } else {
        add_commit(out, l->commit);
    }
    if (l->merge) {
        tn_text_addf(out, "    %-12s ", "merged by");
        add_commit(out, l->merge);
    }
}

static void
add_match(struct tn_text *out, const struct tn_match *m)
{
    tn_text_add(out, "    ");
    if (!m->device) {
        add_clean(out, m->kind);
        tn_text_addc(out, ' ');
        add_clean(out, m->scope);
        tn_text_add(out, m->scope[0] && strcmp(m->kind, "vpc") != 0 ? "/" : "");
        add_clean(out, strcmp(m->kind, "vpc") == 0 ? "" : m->name);
    } else {
        add_clean(out, m->device);
        tn_text_add(out, ": ");
        add_clean(out, m->kind);
        tn_text_addc(out, ' ');
        add_clean(out, m->name);
        tn_text_add(out, " (");
        add_clean(out, m->key);
        tn_text_add(out, m->mentioned ? "), mentions it" : ")");
    }
    tn_text_addc(out, '\n');
}

/* Lines of inventories are not shown: they may hold anything of a host, of
 * which passwords are a part. */
static bool
is_inventory(const char *path)
{
    return path && strncmp(path, "inventories/", 12) == 0;
}

static void
add_trace(struct tn_text *out, const struct tn_trace *t,
          const struct tn_trace_print *p)
{
    const struct tn_origin *at = &t->line->at;
    tn_text_add(out, p->color ? "\033[1m" : "");
    add_clean(out, at->path ? at->path : "(no file)");
    if (at->line) {
        tn_text_addf(out, ":%u", at->line);
    }
    if (t->last_line > at->line) {
        tn_text_addf(out, "-%u", t->last_line);
    }
    tn_text_add(out, p->color ? "\033[0m" : "");
    if (t->rev) {
        tn_text_addf(out, " of %.10s", t->rev->id);
    }
    tn_text_addc(out, '\n');
    for (size_t i = 0; i < t->line->matches.n && i < p->max_matches; i++) {
        add_match(out, &t->line->matches.items[i]);
    }
    if (t->line->matches.n > p->max_matches) {
        tn_text_addf(out, "    ... and %zu more (--verbose)\n",
                     t->line->matches.n - p->max_matches);
    }
    if (t->problem) {
        tn_text_add(out, "    ");
        add_clean(out, t->problem);
        tn_text_addc(out, '\n');
        return;
    }
    add_line(out, "written by", &t->written, t);
    if (t->several) {
        add_line(out, "changed by", &t->changed, t);
        tn_text_addf(out, "    %-12s line %u", "", t->changed.line);
        if (!is_inventory(at->path)) {
            tn_text_add(out, ": ");
            add_clean(out, t->changed_text);
        }
        tn_text_addc(out, '\n');
    }
    if (t->removed) {
        tn_text_addf(out, "    %-12s ", "removed by");
        add_commit(out, t->removed);
    }
}

void
tn_trace_print_text(struct tn_text *out, const struct tn_trace_print *p)
{
    for (size_t i = 0; i < p->n; i++) {
        tn_text_add(out, i ? "\n" : "");
        add_trace(out, &p->traces[i], p);
    }
    if (p->n_all > p->n) {
        tn_text_addf(out,
                     "\n... and %zu more places; --host, --tenant or a longer "
                     "name (acme/web/front) narrow it down, --verbose shows "
                     "all\n",
                     p->n_all - p->n);
    }
}

/* ------------------------------------------------------------- JSON ---- */

static json_t *
text_json(const char *s)
{
    json_t *json = s ? json_string(s) : NULL;
    return json ? json : json_null();
}

static json_t *
commit_json(const struct tn_commit *c)
{
    char when[TN_TIME_TEXT];
    return c ? json_pack("{s:s, s:o, s:s, s:o}", "id", c->id, "author",
                         text_json(c->author), "date",
                         tn_time_format(c->author_time, when), "subject",
                         text_json(c->subject))
             : json_null();
}

static json_t *
line_json(const struct tn_blame_line *l)
{
    return json_pack("{s:i, s:b, s:o, s:o}", "line", (int) l->line,
                     "uncommitted", (int) l->uncommitted, "commit",
                     commit_json(l->commit), "merge", commit_json(l->merge));
}

static json_t *
matches_json(const struct tn_match_line *line)
{
    json_t *list = json_array();
    for (size_t i = 0; i < line->matches.n; i++) {
        const struct tn_match *m = &line->matches.items[i];
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "device",
                      text_json(m->device), "kind", text_json(m->kind), "name",
                      text_json(m->name), "scope", text_json(m->scope), "key",
                      text_json(m->key), "mentioned", (int) m->mentioned));
    }
    return list;
}

static json_t *
trace_json(const struct tn_trace *t)
{
    json_t *json =
        json_pack("{s:o, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:b}", "path",
                  text_json(t->line->at.path), "line", (int) t->line->at.line,
                  "column", (int) t->line->at.column, "last_line",
                  (int) t->last_line, "objects", matches_json(t->line),
                  "problem", text_json(t->problem), "of", commit_json(t->rev),
                  "removed", commit_json(t->removed), "cut", (int) t->cut);
    json_object_set_new(json, "written",
                        t->problem ? json_null() : line_json(&t->written));
    json_object_set_new(json, "changed",
                        t->problem ? json_null() : line_json(&t->changed));
    return json;
}

void
tn_trace_print_json(struct tn_text *out, const struct tn_trace_print *p)
{
    json_t *places = json_array();
    for (size_t i = 0; i < p->n; i++) {
        json_array_append_new(places, trace_json(&p->traces[i]));
    }
    json_t *root =
        json_pack("{s:s, s:o, s:o, s:I, s:o}", "format_version", "1.0", "query",
                  text_json(p->query), "source", text_json(p->source),
                  "n_places", (json_int_t) p->n_all, "places", places);
    TN_CLEANUP(tn_cleanup_free)
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
    tn_text_add(out, text ? text : "{}");
    tn_text_addc(out, '\n');
    json_decref(root);
}
