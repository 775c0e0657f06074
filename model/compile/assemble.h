/* assemble.h - the network of all tenants from their parts. */
#ifndef TN_COMPILE_ASSEMBLE_H
#define TN_COMPILE_ASSEMBLE_H

#include "model/compile/settle.h"

/* Fills devices, vpcs, tenants and pins of 'out', whose settings and inventory
 * are set, from settled parts.  New in 'arena', pointing into the parts. */
void tn_assemble(const struct tn_parts *parts, struct tn_arena *arena,
                 struct tn_network *out);

#endif
