/* table.c - the drivers there are: an explicit table, by name.
 *
 * The only file outside of tests that knows all of them. */
#include <string.h>

#include "drivers/driver.h"
#include "drivers/kernel/kernel.h"
#include "drivers/memory/memory.h"
#include "drivers/nsx/nsx.h"
#include "drivers/ovsdb/openvswitch/openvswitch.h"
#include "drivers/ovsdb/ovn/ovn.h"

static const struct tn_driver *const table[] = {
    &tn_driver_kernel,      &tn_driver_memory, &tn_driver_nsx,
    &tn_driver_openvswitch, &tn_driver_ovn,
};

const struct tn_driver *
tn_driver_get(const char *name)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(table); i++) {
        if (strcmp(table[i]->name, name) == 0) {
            return table[i];
        }
    }
    return NULL;
}

const struct tn_driver *const *
tn_driver_list(size_t *n)
{
    *n = TN_ARRAY_SIZE(table);
    return table;
}
