/* print_kinds.c - the driver's tables of fields, for kinds_test.py: one field a
 * line, with its type and all that it is part of.
 *
 *     Segment segments subnets.gateway_address */
#include <stdio.h>
#include <string.h>

#include "drivers/nsx/kinds.h"

static void
print_field(const struct tn_nsx_kind *kind, const char *within,
            const struct tn_nsx_field *f)
{
    if (f->type == TN_NSX_LABELS) {
        return; /* A tag. */
    }
    printf("%s %s %s%s\n", kind->type, kind->collection, within, f->name);
    for (size_t i = 0; f->shape && i < f->shape->n; i++) {
        char below[200];
        snprintf(below, sizeof below, "%s%s.", within, f->name);
        printf("%s %s %s%s\n", kind->type, kind->collection, below,
               f->shape->fields[i].name);
        for (size_t k = 0;
             f->shape->fields[i].shape && k < f->shape->fields[i].shape->n;
             k++) {
            printf("%s %s %s%s.%s\n", kind->type, kind->collection, below,
                   f->shape->fields[i].name,
                   f->shape->fields[i].shape->fields[k].name);
        }
    }
}

int
main(void)
{
    for (size_t i = 0; i < TN_NSX_KINDS; i++) {
        for (size_t k = 0; k < tn_nsx_kinds[i]->n_fields; k++) {
            print_field(tn_nsx_kinds[i], "", &tn_nsx_kinds[i]->fields[k]);
        }
    }
    return 0;
}
