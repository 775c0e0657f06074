/* world.h - what is the same for all tenants: settings, inventory, pools. */
#ifndef TN_COMPILE_WORLD_H
#define TN_COMPILE_WORLD_H

#include "model/base/digest.h"
#include "model/compile/compile.h"
#include "model/compile/intent.h"

/* Fills 'out' from tenet.yml, the chosen inventory and the options.  Findings
 * have no tenant; the code is TN_EINTENT if there was an error among them.
 * out->digest names everything that a tenant's compile reads of it, but for
 * the pins. */
enum tn_code tn_world_load(struct tn_source *source,
                           const struct tn_compile_options *options,
                           struct tn_arena *arena, struct tn_world *out,
                           struct tn_diags *diags,
                           struct tn_error *err) TN_MUST_USE;

/* Its last part: the external networks that have chassis in the inventory. */
enum tn_code tn_world_externals(struct tn_arena *arena, struct tn_world *world,
                                struct tn_diags *diags,
                                struct tn_error *err) TN_MUST_USE;

#endif
