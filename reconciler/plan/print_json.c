/* print_json.c - a plan for programs: docs/plan-format.md.
 *
 * Written as a stream, member by member, in a fixed order: a plan of 100,000
 * changes needs no tree in memory, and equal plans are equal bytes.  Readers
 * ignore members that they do not know; 'format_version' changes its first
 * number only when a member changes its meaning or goes away. */
#include "reconciler/plan/print.h"

#include <string.h>

#include "reconciler/plan/show.h"

struct json {
    struct tn_text *out;
    const struct tn_print_options *opt;
    struct tn_arena *arena; /* Scratch. */
    bool comma;             /* Something stands before in this object. */
};

static void
next(struct json *j)
{
    if (j->comma) {
        tn_text_addc(j->out, ',');
    }
    j->comma = true;
}

static void
name(struct json *j, const char *key)
{
    next(j);
    tn_show_json(j->out, key);
    tn_text_addc(j->out, ':');
}

static void
open(struct json *j, char bracket)
{
    tn_text_addc(j->out, bracket);
    j->comma = false;
}

static void
close(struct json *j, char bracket)
{
    tn_text_addc(j->out, bracket);
    j->comma = true;
}

static void
text(struct json *j, const char *key, const char *value)
{
    name(j, key);
    tn_show_json(j->out, value);
}

static void
number(struct json *j, const char *key, size_t value)
{
    name(j, key);
    tn_text_addf(j->out, "%zu", value);
}

static void
boolean(struct json *j, const char *key, bool value)
{
    name(j, key);
    tn_text_add(j->out, value ? "true" : "false");
}

static void
digest(struct json *j, const char *key, const struct tn_digest *value)
{
    static const struct tn_digest absent;
    char hex[TN_DIGEST_HEX];
    name(j, key);
    if (tn_digest_eq(value, &absent)) {
        tn_text_add(j->out, "null");
    } else {
        tn_text_addf(j->out, "\"%s\"", tn_digest_hex(value, hex));
    }
}

static void
origin(struct json *j, const struct tn_origin *at)
{
    name(j, "origin");
    if (!at->line || !at->path) {
        tn_text_add(j->out, "null");
        return;
    }
    open(j, '{');
    text(j, "path", at->path);
    number(j, "line", at->line);
    number(j, "column", at->column);
    close(j, '}');
}

/* A string; of a secret only its fingerprint. */
static void
attribute(struct json *j, const struct tn_attr *a)
{
    char buf[TN_FINGERPRINT];
    if (!a->secret) {
        text(j, a->name, a->value);
        return;
    }
    name(j, a->name);
    open(j, '{');
    name(j, "secret");
    if (j->opt->fingerprint_key) {
        tn_show_json(j->out, tn_show_fingerprint(j->opt->fingerprint_key,
                                                 a->value, buf));
    } else {
        tn_text_add(j->out, "null");
    }
    close(j, '}');
}

static void
attributes(struct json *j, const char *key, const struct tn_resource *r)
{
    name(j, key);
    if (!r) {
        tn_text_add(j->out, "null");
        return;
    }
    open(j, '{');
    for (size_t i = 0; i < r->n_attrs; i++) {
        attribute(j, &r->attrs[i]);
    }
    close(j, '}');
}

/* Names of the attributes that differ, or of those that force a replacement. */
static void
differing(struct json *j, const char *key, const struct tn_shown *s,
          bool (*which)(const struct tn_attr_pair *))
{
    name(j, key);
    open(j, '[');
    struct tn_attr_pair pair = {0};
    while (s->before && s->after && tn_pair_next(&pair, s->before, s->after)) {
        if (which(&pair)) {
            next(j);
            tn_show_json(j->out, tn_pair_name(&pair));
        }
    }
    close(j, ']');
}

static void
change(struct json *j, const struct tn_shown *s)
{
    const struct tn_change *c = s->change;
    next(j);
    tn_text_add(j->out, "\n");
    open(j, '{');
    text(j, "action", tn_change_action(c));
    text(j, "key", c->key);
    text(j, "kind", c->kind);
    text(j, "name", c->name ? c->name : c->key);
    text(j, "tenant", c->tenant);
    text(j, "scope", c->scope);
    text(j, "cause", tn_cause_name(c->cause));
    number(j, "rule", c->rule);
    text(j, "impact", tn_impact_name(c->impact));
    boolean(j, "in_two_steps", c->half != TN_WHOLE);
    name(j, "with");
    if (c->with) {
        tn_show_json(j->out, c->with);
    } else {
        tn_text_add(j->out, "null");
    }
    origin(j, &c->origin);
    attributes(j, "before", s->before);
    attributes(j, "after", s->after);
    differing(j, "changed", s, tn_pair_differs);
    differing(j, "forces_replacement", s, tn_pair_forces);
    digest(j, "expect", &s->expect);
    digest(j, "target", &c->target);
    close(j, '}');
}

static void
changes(struct json *j, const struct tn_device_plan *d)
{
    size_t n;
    const struct tn_shown *s = tn_show_changes(j->arena, d, &n);
    name(j, "changes");
    open(j, '[');
    for (size_t i = 0; i < n; i++) {
        change(j, &s[i]);
    }
    close(j, ']');
}

static void
object(struct json *j, const struct tn_resource *r)
{
    open(j, '{');
    text(j, "key", r->key);
    text(j, "kind", r->kind);
    text(j, "name", r->name ? r->name : r->key);
    text(j, "scope", r->scope);
    boolean(j, "foreign", r->owner == TN_FOREIGN);
    close(j, '}');
}

static void
conflicts(struct json *j, const struct tn_device_plan *d)
{
    name(j, "conflicts");
    open(j, '[');
    for (size_t i = 0; i < d->n_conflicts; i++) {
        const struct tn_conflict *c = &d->conflicts[i];
        next(j);
        open(j, '{');
        text(j, "key", c->want->key);
        text(j, "scope", c->want->scope);
        number(j, "rule", c->rule);
        name(j, "claim");
        if (c->by_claim) {
            tn_show_json(j->out, c->want->claim);
        } else {
            tn_text_add(j->out, "null");
        }
        number(j, "waiting", c->n_waiting);
        text(j, "message", tn_conflict_text(j->arena, c));
        origin(j, &c->want->origin);
        name(j, "blocker");
        object(j, c->blocker);
        close(j, '}');
    }
    close(j, ']');
}

static void
foreign_and_held(struct json *j, const struct tn_device_plan *d)
{
    name(j, "foreign");
    open(j, '[');
    for (size_t i = 0; i < d->n_foreign; i++) {
        next(j);
        object(j, d->foreign[i]);
    }
    close(j, ']');
    name(j, "held");
    open(j, '[');
    for (size_t i = 0; i < d->n_held; i++) {
        next(j);
        open(j, '{');
        text(j, "scope", d->held[i].scope);
        number(j, "objects", d->held[i].n);
        close(j, '}');
    }
    close(j, ']');
}

static void
counts(struct json *j, const struct tn_counts *c)
{
    number(j, "add", c->add);
    number(j, "change", c->change);
    number(j, "replace", c->replace);
    number(j, "destroy", c->destroy);
    number(j, "drift", c->drift);
}

static void
device(struct json *j, const struct tn_device_plan *d)
{
    next(j);
    tn_text_add(j->out, "\n");
    open(j, '{');
    text(j, "name", d->device);
    text(j, "driver", d->driver ? d->driver : "");
    name(j, "error");
    if (d->code) {
        open(j, '{');
        text(j, "class", tn_code_name(d->code));
        text(j, "message", d->error);
        close(j, '}');
    } else {
        tn_text_add(j->out, "null");
    }
    name(j, "summary");
    open(j, '{');
    counts(j, &d->counts);
    number(j, "unchanged", d->n_unchanged);
    number(j, "ours", d->n_ours);
    close(j, '}');
    changes(j, d);
    conflicts(j, d);
    foreign_and_held(j, d);
    close(j, '}');
}

static void
summary(struct json *j, const struct tn_plan *plan)
{
    name(j, "summary");
    open(j, '{');
    counts(j, &plan->counts);
    number(j, "unchanged", plan->n_unchanged);
    number(j, "foreign", plan->n_foreign);
    number(j, "conflicts", plan->n_conflicts);
    number(j, "held", plan->n_held);
    number(j, "unreachable", plan->n_unreachable);
    close(j, '}');
}

void
tn_plan_print_json(struct tn_text *out, const struct tn_plan *plan,
                   const struct tn_print_options *options)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct json j = {.out = out, .opt = options, .arena = arena};
    open(&j, '{');
    text(&j, "format_version", "1.0");
    text(&j, "commit", plan->commit);
    text(&j, "environment", plan->environment);
    digest(&j, "digest", &plan->digest);
    summary(&j, plan);
    name(&j, "devices");
    open(&j, '[');
    for (size_t i = 0; i < plan->n_devices; i++) {
        device(&j, plan->devices[i]);
    }
    close(&j, ']');
    tn_text_add(out, "}\n");
}
