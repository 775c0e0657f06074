/* print_change.h - one change of a plan, in text.
 *
 * Private to reconciler/plan and reconciler/review. */
#ifndef TN_RECONCILER_PLAN_PRINT_CHANGE_H
#define TN_RECONCILER_PLAN_PRINT_CHANGE_H

#include "reconciler/plan/print.h"
#include "reconciler/plan/show.h"

struct tn_printer {
    struct tn_text *out;
    const struct tn_print_options *opt;
    struct tn_arena *arena; /* Scratch. */
    bool attrs_of_new;      /* Additions show their attributes. */
    bool folded;            /* Something was left out. */
    size_t lines;           /* So far. */
};

enum tn_colour {
    TN_PLAIN,
    TN_BOLD,
    TN_DIM,
    TN_RED,
    TN_GREEN,
    TN_YELLOW,
};

/* Nothing unless colours were asked for. */
void tn_print_colour(struct tn_printer *p, enum tn_colour c);
void tn_print_end_line(struct tn_printer *p);
/* "+ ", "~ ", "-/+ " or "- ". */
void tn_print_symbol(struct tn_printer *p, const struct tn_change *c);
/* The same for an operation. */
void tn_print_op(struct tn_printer *p, enum tn_op op);
/* "bridge b-front". */
void tn_print_object(struct tn_printer *p, const char *kind, const char *name,
                     const char *key);
/* One change: a line, and its attributes below. */
void tn_print_change(struct tn_printer *p, const struct tn_shown *s);

#endif
