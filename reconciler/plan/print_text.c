/* print_text.c - a plan for people.
 *
 * Per device, grouped by VPC and inside one in the order of execution.  What
 * changes or replaces is shown by attribute, what is added or destroyed by
 * name; in a small plan additions show their attributes too.  Long lists are
 * folded per VPC, so that a first apply of 12,000 objects is still a page that
 * somebody reads: deletions, which hurt, are repeated at the end, and the very
 * last line is the sum. */
#include "reconciler/plan/print.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/plan/print_change.h"

/* Bounds of the folded form. */
enum {
    SMALL_PLAN = 30,     /* Up to so many changes additions show attributes. */
    FOLD_ADD = 8,        /* Additions by name in one VPC. */
    FOLD_CHANGE = 25,    /* Updates and replacements in one VPC. */
    FOLD_DESTROY = 25,   /* Deletions in one VPC. */
    FOLD_DETAIL = 150,   /* Lines in all; then each VPC is one line. */
    FOLD_VPCS = 300,     /* Lines in all; then VPCs are only counted. */
    FOLD_LITTLE = 3,     /* Changes of a VPC that are no longer than a line. */
    FOLD_REPEAT = 100,   /* Deletions repeated at the end. */
    FOLD_NAMES = 5,      /* Foreign objects by name. */
    FOLD_CONFLICTS = 20, /* On one device. */
};

static bool
full(const struct tn_printer *p, size_t lines)
{
    return !p->opt->verbose && p->lines >= lines;
}

/* "12 fdb, 8 neighbour": of the changes 'which' in 's'. */
struct tally {
    const char *kind;
    size_t n;
};

static int
tally_cmp(const void *pa, const void *pb)
{
    const struct tally *a = pa, *b = pb;
    return strcmp(a->kind, b->kind);
}

static void
print_tally(struct tn_printer *p, struct tally *t, size_t n)
{
    qsort(t, n, sizeof *t, tally_cmp);
    const char *comma = "";
    for (size_t i = 0; i < n;) {
        size_t sum = 0, j = i;
        for (; j < n && strcmp(t[j].kind, t[i].kind) == 0; j++) {
            sum += t[j].n;
        }
        tn_text_addf(p->out, "%s%zu ", comma, sum);
        tn_show_text(p->out, t[i].kind);
        comma = ", ";
        i = j;
    }
}

/* Lists of one VPC that are folded on their own. */
enum list { LIST_ADD, LIST_CHANGE, LIST_DESTROY, N_LISTS };

static enum list
list_of(const struct tn_change *c)
{
    if (c->half != TN_WHOLE) {
        return LIST_CHANGE;
    }
    switch (c->op) {
    case TN_OP_CREATE:
        return LIST_ADD;
    case TN_OP_UPDATE:
    case TN_OP_REPLACE:
        return LIST_CHANGE;
    case TN_OP_DELETE:
        break;
    }
    return LIST_DESTROY;
}

/* "+ 37 more: 12 fdb, ..." of what is in one list.  False if nothing is. */
static bool
print_folded(struct tn_printer *p, const struct tn_shown *const *hidden,
             size_t n, enum list list, const char *more)
{
    static const enum tn_op ops[N_LISTS] = {TN_OP_CREATE, TN_OP_UPDATE,
                                            TN_OP_DELETE};
    struct tally *t = tn_new_n(p->arena, struct tally, n);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (list_of(hidden[i]->change) == list) {
            t[k++] = (struct tally){hidden[i]->change->kind, 1};
        }
    }
    if (k > 0) {
        tn_print_op(p, ops[list]);
        tn_text_addf(p->out, "%zu%s: ", k, more);
        print_tally(p, t, k);
        p->folded = true;
    }
    return k > 0;
}

static void
print_scope_name(struct tn_printer *p, const char *scope)
{
    tn_text_add(p->out, "  ");
    tn_print_colour(p, TN_BOLD);
    tn_show_text(p->out, *scope ? scope : "(device)");
    tn_print_colour(p, TN_PLAIN);
}

/* The changes of one VPC as one line. */
static void
print_scope_line(struct tn_printer *p, const struct tn_shown *s, size_t n)
{
    const struct tn_shown **all =
        tn_new_n(p->arena, const struct tn_shown *, n);
    for (size_t i = 0; i < n; i++) {
        all[i] = &s[i];
    }
    print_scope_name(p, s->change->scope);
    for (enum list list = LIST_ADD; list < N_LISTS; list++) {
        tn_text_add(p->out, "  ");
        (void) print_folded(p, all, n, list, "");
    }
    while (p->out->s[p->out->n - 1] == ' ') {
        p->out->s[--p->out->n] = '\0';
    }
    tn_print_end_line(p);
}

/* The changes of one VPC. */
static void
print_scope(struct tn_printer *p, const struct tn_shown *s, size_t n)
{
    static const size_t fold[N_LISTS] = {FOLD_ADD, FOLD_CHANGE, FOLD_DESTROY};
    const struct tn_shown **hidden =
        tn_new_n(p->arena, const struct tn_shown *, n);
    size_t shown[N_LISTS] = {0}, total[N_LISTS] = {0}, n_hidden = 0;
    tn_print_end_line(p);
    print_scope_name(p, s->change->scope);
    tn_print_end_line(p);
    for (size_t i = 0; i < n; i++) {
        total[list_of(s[i].change)]++;
    }
    for (size_t i = 0; i < n; i++) {
        enum list list = list_of(s[i].change);
        /* One that is left over is shown rather than counted. */
        if (p->opt->verbose || p->attrs_of_new || shown[list] < fold[list] ||
            total[list] == fold[list] + 1) {
            tn_print_change(p, &s[i]);
            shown[list]++;
        } else {
            hidden[n_hidden++] = &s[i];
        }
    }
    for (enum list list = LIST_ADD; list < N_LISTS; list++) {
        if (total[list] > shown[list]) {
            tn_text_add(p->out, "    ");
            (void) print_folded(p, hidden, n_hidden, list, " more");
            tn_print_end_line(p);
        }
    }
}

static int
scope_cmp(const void *pa, const void *pb)
{
    const struct tn_shown *a = pa, *b = pb;
    int c = strcmp(a->change->scope, b->change->scope);
    if (c != 0) {
        return c;
    }
    return a->change < b->change ? -1 : a->change > b->change;
}

static void
print_changes(struct tn_printer *p, const struct tn_device_plan *d)
{
    size_t n, scopes = 0;
    struct tn_shown *s = tn_show_changes(p->arena, d, &n);
    if (n > 1) {
        qsort(s, n, sizeof *s, scope_cmp);
    }
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n; j++) {
            if (strcmp(s[i].change->scope, s[j].change->scope) != 0) {
                break;
            }
        }
        if (full(p, FOLD_VPCS)) {
            scopes++;
        } else if (full(p, FOLD_DETAIL) && j - i > FOLD_LITTLE) {
            print_scope_line(p, s + i, j - i);
        } else {
            print_scope(p, s + i, j - i);
        }
    }
    if (scopes) {
        tn_text_addf(p->out, "  ... and %zu more VPCs", scopes);
        tn_print_end_line(p);
        p->folded = true;
    }
}

static void
print_foreign(struct tn_printer *p, const struct tn_device_plan *d)
{
    size_t n = d->n_foreign;
    if (n == 0) {
        return;
    }
    tn_print_end_line(p);
    tn_text_addf(p->out, "  foreign, left alone: ");
    if (n <= FOLD_NAMES || p->opt->verbose) {
        for (size_t i = 0; i < n; i++) {
            tn_text_add(p->out, i ? ", " : "");
            tn_print_object(p, d->foreign[i]->kind, d->foreign[i]->name,
                            d->foreign[i]->key);
        }
    } else {
        struct tally *t = tn_new_n(p->arena, struct tally, n);
        for (size_t i = 0; i < n; i++) {
            t[i] = (struct tally){d->foreign[i]->kind, 1};
        }
        print_tally(p, t, n);
    }
    tn_print_end_line(p);
}

static void
print_held(struct tn_printer *p, const struct tn_device_plan *d)
{
    for (size_t i = 0; i < d->n_held && !full(p, FOLD_VPCS); i++) {
        if (i == 0) {
            tn_print_end_line(p);
        }
        tn_text_add(p->out, "  ");
        tn_print_colour(p, TN_YELLOW);
        tn_text_add(p->out, "held");
        tn_print_colour(p, TN_PLAIN);
        tn_text_add(p->out, ": ");
        tn_show_text(p->out, *d->held[i].scope ? d->held[i].scope : "(device)");
        tn_text_addf(p->out, ", %zu object%s as %s", d->held[i].n,
                     d->held[i].n == 1 ? " stays" : "s stay",
                     d->held[i].n == 1 ? "it is" : "they are");
        tn_print_end_line(p);
    }
}

static void
print_conflicts(struct tn_printer *p, const struct tn_device_plan *d)
{
    for (size_t i = 0; i < d->n_conflicts; i++) {
        const struct tn_conflict *c = &d->conflicts[i];
        if (i == 0) {
            tn_print_end_line(p);
        }
        if (i == FOLD_CONFLICTS && !p->opt->verbose) {
            tn_text_addf(p->out, "  %zu more conflicts", d->n_conflicts - i);
            p->folded = true;
            tn_print_end_line(p);
            return;
        }
        tn_text_add(p->out, "  ");
        tn_print_colour(p, TN_RED);
        tn_text_add(p->out, "conflict");
        tn_print_colour(p, TN_PLAIN);
        tn_text_add(p->out, ": ");
        tn_text_add(p->out, tn_conflict_text(p->arena, c));
        tn_print_end_line(p);
        if (c->n_waiting) {
            tn_text_addf(p->out, "    until then nothing is done in %s here: ",
                         *c->want->scope ? c->want->scope : "any scope");
            tn_text_addf(p->out, "%zu change%s wait%s", c->n_waiting,
                         c->n_waiting == 1 ? "" : "s",
                         c->n_waiting == 1 ? "s" : "");
            tn_print_end_line(p);
        }
    }
}

static void
add_counts(struct tn_text *out, const struct tn_counts *c)
{
    tn_text_addf(out, "%zu to add, %zu to change, ", c->add, c->change);
    if (c->replace) {
        tn_text_addf(out, "%zu to replace, ", c->replace);
    }
    tn_text_addf(out, "%zu to destroy", c->destroy);
}

static bool
worth_showing(const struct tn_printer *p, const struct tn_device_plan *d)
{
    return d->code || d->n_changes || d->n_conflicts || d->n_held ||
           p->opt->verbose;
}

static void
print_device(struct tn_printer *p, const struct tn_device_plan *d)
{
    tn_print_end_line(p);
    tn_print_colour(p, TN_BOLD);
    tn_show_text(p->out, d->device);
    tn_print_colour(p, TN_PLAIN);
    tn_text_add(p->out, " (");
    tn_show_text(p->out, d->driver ? d->driver : "?");
    tn_text_add(p->out, "): ");
    if (d->code) {
        tn_print_colour(p, TN_RED);
        tn_text_add(p->out, "could not be read: ");
        tn_print_colour(p, TN_PLAIN);
        tn_show_text(p->out, d->error);
        tn_print_end_line(p);
        return;
    }
    if (d->n_changes) {
        add_counts(p->out, &d->counts);
    } else {
        tn_text_add(p->out, "no changes");
    }
    tn_text_addf(p->out, ", %zu unchanged", d->n_unchanged);
    tn_print_end_line(p);
    print_conflicts(p, d);
    print_changes(p, d);
    print_held(p, d);
    print_foreign(p, d);
}

/* Deletions once more, in one place. */
static void
print_deletions(struct tn_printer *p, const struct tn_plan *plan)
{
    size_t left = plan->counts.destroy, shown = 0;
    if (left == 0) {
        return;
    }
    tn_print_end_line(p);
    tn_print_colour(p, TN_RED);
    tn_text_addf(p->out, "To be destroyed, %zu:", left);
    tn_print_colour(p, TN_PLAIN);
    tn_print_end_line(p);
    for (size_t i = 0; i < plan->n_devices; i++) {
        const struct tn_device_plan *d = plan->devices[i];
        for (size_t k = 0; k < d->n_changes; k++) {
            const struct tn_change *c = &d->changes[k];
            if (c->op != TN_OP_DELETE || c->half != TN_WHOLE) {
                continue;
            }
            if (shown == FOLD_REPEAT && left > 1 && !p->opt->verbose) {
                tn_text_addf(p->out, "  ... and %zu more", left);
                p->folded = true;
                tn_print_end_line(p);
                return;
            }
            tn_text_add(p->out, "  ");
            tn_print_symbol(p, c);
            tn_show_text(p->out, d->device);
            tn_text_addc(p->out, ' ');
            tn_show_text(p->out, *c->scope ? c->scope : "(device)");
            tn_text_addc(p->out, ' ');
            tn_print_object(p, c->kind, c->name, c->key);
            tn_print_end_line(p);
            shown++;
            left--;
        }
    }
}

static const char *
plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void
print_commit(struct tn_printer *p, const struct tn_plan *plan)
{
    if (*plan->commit) {
        tn_text_add(p->out, "commit ");
        tn_show_textn(p->out, plan->commit, strnlen(plan->commit, 7));
    } else {
        tn_text_add(p->out, "working tree");
    }
}

/* What spoils an otherwise good plan. */
static void
print_warnings(struct tn_printer *p, const struct tn_plan *plan)
{
    size_t drift = plan->counts.drift;
    if (p->folded) {
        tn_text_add(p->out, "Some lists are shortened: --verbose shows all.\n");
    }
    if (drift) {
        tn_text_addf(p->out, "%zu change%s undo%s what was done outside Git.\n",
                     drift, plural(drift), drift == 1 ? "es" : "");
    }
    if (plan->n_foreign) {
        tn_text_addf(p->out,
                     "%zu foreign object%s on the devices: left alone.\n",
                     plan->n_foreign, plural(plan->n_foreign));
    }
    if (plan->n_held) {
        tn_text_addf(p->out, "%zu object%s held: left as %s.\n", plan->n_held,
                     plan->n_held == 1 ? " is" : "s are",
                     plan->n_held == 1 ? "it is" : "they are");
    }
    if (plan->n_conflicts) {
        tn_text_addf(p->out,
                     "%zu conflict%s with what is not to be touched: see "
                     "above.\n",
                     plan->n_conflicts, plural(plan->n_conflicts));
    }
    if (plan->n_unreachable) {
        tn_text_addf(p->out, "%zu device%s could not be read.\n",
                     plan->n_unreachable, plural(plan->n_unreachable));
    }
}

static void
print_sum(struct tn_printer *p, const struct tn_plan *plan)
{
    const struct tn_counts *c = &plan->counts;
    bool changes = c->add + c->change + c->replace + c->destroy > 0;
    tn_print_end_line(p);
    print_warnings(p, plan);
    tn_print_colour(p, TN_BOLD);
    if (changes) {
        tn_text_add(p->out, "Plan: ");
        add_counts(p->out, c);
        tn_text_addc(p->out, '.');
    } else if (plan->n_conflicts || plan->n_unreachable) {
        tn_text_add(p->out, "No changes can be made (");
        print_commit(p, plan);
        tn_text_add(p->out, ").");
    } else {
        tn_text_add(p->out, "No changes. Network matches the intent (");
        print_commit(p, plan);
        tn_text_add(p->out, ").");
    }
    tn_print_colour(p, TN_PLAIN);
    tn_print_end_line(p);
}

void
tn_plan_print_text(struct tn_text *out, const struct tn_plan *plan,
                   const struct tn_print_options *options)
{
    const struct tn_counts *c = &plan->counts;
    size_t all = c->add + c->change + c->replace + c->destroy;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_printer p = {
        .out = out,
        .opt = options,
        .arena = arena,
        .attrs_of_new = all <= SMALL_PLAN,
    };
    tn_text_add(out, "Planned from ");
    print_commit(&p, plan);
    if (*plan->environment) {
        tn_text_add(out, ", environment ");
        tn_show_text(out, plan->environment);
    }
    tn_text_addc(out, '.');
    tn_print_end_line(&p);
    for (size_t i = 0; i < plan->n_devices; i++) {
        if (worth_showing(&p, plan->devices[i])) {
            print_device(&p, plan->devices[i]);
        }
    }
    print_deletions(&p, plan);
    print_sum(&p, plan);
}
