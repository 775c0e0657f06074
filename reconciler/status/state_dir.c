/* state_dir.c - see state_dir.h. */
#include "reconciler/status/state_dir.h"

const char *
tn_state_dir(struct tn_arena *arena, const char *base, const char *instance)
{
    return tn_arena_printf(arena, "%s/%s", base, instance);
}
