/* print_change.c - one change, by attribute: see print_change.h.
 *
 * Attributes of sets show what joined and what left; of two long values only
 * the part that differs is shown, unless everything is asked for. */
#include "reconciler/plan/print_change.h"

#include <string.h>

/* Bounds of the folded form. */
enum {
    FOLD_MEMBERS = 12, /* Members of a set, added or removed. */
    LONG_VALUE = 72,   /* Of longer values only what differs is shown. */
    CONTEXT = 16,      /* Characters around it. */
};

void
tn_print_colour(struct tn_printer *p, enum tn_colour c)
{
    static const char *const code[] = {
        [TN_PLAIN] = "\033[0m",  [TN_BOLD] = "\033[1m",
        [TN_DIM] = "\033[2m",    [TN_RED] = "\033[31m",
        [TN_GREEN] = "\033[32m", [TN_YELLOW] = "\033[33m",
    };
    if (p->opt->color) {
        tn_text_add(p->out, code[c]);
    }
}

void
tn_print_end_line(struct tn_printer *p)
{
    tn_text_addc(p->out, '\n');
    p->lines++;
}

void
tn_print_op(struct tn_printer *p, enum tn_op op)
{
    static const struct {
        const char *text;
        enum tn_colour colour;
    } symbols[] = {
        [TN_OP_CREATE] = {"+", TN_GREEN},
        [TN_OP_UPDATE] = {"~", TN_YELLOW},
        [TN_OP_REPLACE] = {"-/+", TN_YELLOW},
        [TN_OP_DELETE] = {"-", TN_RED},
    };
    tn_print_colour(p, symbols[op].colour);
    tn_text_add(p->out, symbols[op].text);
    tn_print_colour(p, TN_PLAIN);
    tn_text_addc(p->out, ' ');
}

void
tn_print_symbol(struct tn_printer *p, const struct tn_change *c)
{
    tn_print_op(p, c->half == TN_WHOLE ? c->op : TN_OP_REPLACE);
}

static const char *
drift_words(const struct tn_change *c)
{
    if (c->cause == TN_CAUSE_BOTH) {
        return "changed in Git and outside Git";
    }
    if (c->cause != TN_CAUSE_DRIFT) {
        return NULL;
    }
    if (c->half == TN_WHOLE && c->op == TN_OP_CREATE) {
        return "removed outside Git";
    }
    return c->op == TN_OP_DELETE && c->half == TN_WHOLE ? "not from any commit"
                                                        : "changed outside Git";
}

/* "b-front", with a hint at the key where the name says little. */
void
tn_print_object(struct tn_printer *p, const char *kind, const char *name,
                const char *key)
{
    tn_show_text(p->out, kind);
    tn_text_addc(p->out, ' ');
    tn_show_text(p->out, name && *name ? name : key);
}

static void
print_origin(struct tn_printer *p, const struct tn_change *c)
{
    if (c->origin.line && c->origin.path) {
        tn_print_colour(p, TN_DIM);
        tn_text_add(p->out, " (");
        if (!c->after && c->op == TN_OP_DELETE) {
            tn_text_add(p->out, "was ");
        }
        tn_show_origin(p->out, &c->origin);
        tn_text_addc(p->out, ')');
        tn_print_colour(p, TN_PLAIN);
    }
}

static void
print_value(struct tn_printer *p, const struct tn_attr *a)
{
    char buf[TN_FINGERPRINT];
    if (!a) {
        tn_text_add(p->out, "(none)");
    } else if (a->secret && p->opt->fingerprint_key) {
        tn_text_add(p->out, "(secret ");
        tn_text_add(p->out, tn_show_fingerprint(p->opt->fingerprint_key,
                                                a->value, buf));
        tn_text_addc(p->out, ')');
    } else if (a->secret) {
        tn_text_add(p->out, "(secret)");
    } else if (*a->value == '\0') {
        tn_text_add(p->out, "\"\"");
    } else {
        size_t n = strlen(a->value);
        if (p->opt->verbose || n <= LONG_VALUE) {
            tn_show_textn(p->out, a->value, n);
        } else {
            tn_show_textn(p->out, a->value, LONG_VALUE);
            tn_text_addf(p->out, "... (%zu bytes)", n);
        }
    }
}

/* Of two long values: what differs, with some context. */
static void
print_window(struct tn_printer *p, const char *s, size_t from, size_t to)
{
    size_t n = strlen(s);
    size_t start = from > CONTEXT ? from - CONTEXT : 0;
    size_t end = to + CONTEXT < n ? to + CONTEXT : n;
    if (end - start > 2 * LONG_VALUE) {
        end = start + 2 * LONG_VALUE;
    }
    tn_text_add(p->out, start ? "..." : "");
    tn_show_textn(p->out, s + start, end - start);
    tn_text_add(p->out, end < n ? "..." : "");
}

static void
print_long_pair(struct tn_printer *p, const char *before, const char *after)
{
    size_t n = strlen(before), m = strlen(after), same = 0, tail = 0;
    while (before[same] && before[same] == after[same]) {
        same++;
    }
    while (tail < n - same && tail < m - same &&
           before[n - 1 - tail] == after[m - 1 - tail]) {
        tail++;
    }
    tn_print_end_line(p);
    tn_text_add(p->out, "            ");
    tn_print_op(p, TN_OP_DELETE);
    print_window(p, before, same, n - tail);
    tn_print_end_line(p);
    tn_text_add(p->out, "            ");
    tn_print_op(p, TN_OP_CREATE);
    print_window(p, after, same, m - tail);
}

static void
print_members(struct tn_printer *p, enum tn_op op, const char *const *names,
              size_t n)
{
    size_t shown = p->opt->verbose || n <= FOLD_MEMBERS ? n : FOLD_MEMBERS;
    for (size_t i = 0; i < shown; i++) {
        tn_print_end_line(p);
        tn_text_add(p->out, "            ");
        tn_print_op(p, op);
        tn_show_text(p->out, names[i]);
    }
    if (shown < n) {
        tn_print_end_line(p);
        tn_text_add(p->out, "            ");
        tn_print_op(p, op);
        tn_text_addf(p->out, "%zu more", n - shown);
    }
}

static void
print_difference(struct tn_printer *p, const struct tn_attr_pair *pair)
{
    struct tn_set_diff set;
    bool open = pair->before && pair->after && !tn_pair_secret(pair);
    tn_text_add(p->out, "        ");
    tn_show_text(p->out, tn_pair_name(pair));
    tn_text_addc(p->out, ':');
    if (tn_pair_forces(pair)) {
        tn_print_colour(p, TN_RED);
        tn_text_add(p->out, " [forces replacement]");
        tn_print_colour(p, TN_PLAIN);
    }
    if (open &&
        tn_set_diff(p->arena, pair->before->value, pair->after->value, &set)) {
        print_members(p, TN_OP_CREATE, set.added, set.n_added);
        print_members(p, TN_OP_DELETE, set.removed, set.n_removed);
    } else if (open && !p->opt->verbose &&
               strlen(pair->before->value) + strlen(pair->after->value) >
                   LONG_VALUE) {
        print_long_pair(p, pair->before->value, pair->after->value);
    } else {
        tn_text_addc(p->out, ' ');
        print_value(p, pair->before);
        tn_text_add(p->out, " -> ");
        print_value(p, pair->after);
    }
    tn_print_end_line(p);
}

static void
print_differences(struct tn_printer *p, const struct tn_shown *s)
{
    if (strcmp(s->before->kind, s->after->kind) != 0) {
        tn_text_add(p->out, "        kind: [forces replacement] ");
        tn_show_text(p->out, s->before->kind);
        tn_text_add(p->out, " -> ");
        tn_show_text(p->out, s->after->kind);
        tn_print_end_line(p);
    }
    struct tn_attr_pair pair = {0};
    while (tn_pair_next(&pair, s->before, s->after)) {
        if (tn_pair_differs(&pair)) {
            print_difference(p, &pair);
        }
    }
}

static void
print_attrs(struct tn_printer *p, const struct tn_resource *r)
{
    size_t width = 0;
    for (size_t i = 0; i < r->n_attrs; i++) {
        size_t n = strlen(r->attrs[i].name);
        width = n > width ? n : width;
    }
    for (size_t i = 0; i < r->n_attrs; i++) {
        size_t n = strlen(r->attrs[i].name);
        tn_text_add(p->out, "        ");
        tn_show_text(p->out, r->attrs[i].name);
        tn_text_addf(p->out, "%*s = ", (int) (width - n), "");
        print_value(p, &r->attrs[i]);
        tn_print_end_line(p);
    }
}

static void
print_with(struct tn_printer *p, const struct tn_change *c)
{
    if (c->with) {
        tn_text_add(p->out, c->half == TN_WHOLE ? ", together with "
                                                : ", to make room for ");
        tn_show_text(p->out, c->with);
    }
}

void
tn_print_change(struct tn_printer *p, const struct tn_shown *s)
{
    const struct tn_change *c = s->change;
    const char *drift = drift_words(c);
    tn_text_add(p->out, "    ");
    tn_print_symbol(p, c);
    tn_print_object(p, c->kind, c->name, c->key);
    print_with(p, c);
    print_origin(p, c);
    if (drift) {
        tn_print_colour(p, TN_YELLOW);
        tn_text_addf(p->out, " [%s]", drift);
        tn_print_colour(p, TN_PLAIN);
    }
    tn_print_end_line(p);
    if (s->before && s->after) {
        print_differences(p, s);
    } else if (s->after && (p->attrs_of_new || p->opt->verbose)) {
        print_attrs(p, s->after);
    }
}
