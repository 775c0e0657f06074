/* table_test.c - the drivers there are. */
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/driver.h"

Test(table, is_sorted_and_complete)
{
    size_t n = 0;
    const struct tn_driver *const *drivers = tn_driver_list(&n);
    cr_assert_gt(n, 0);
    for (size_t i = 0; i < n; i++) {
        const struct tn_driver *d = drivers[i];
        cr_assert(i == 0 || strcmp(drivers[i - 1]->name, d->name) < 0);
        cr_assert_eq(tn_driver_get(d->name), d);
        cr_assert_eq(d->abi, (uint32_t) TN_DRIVER_ABI, "%s", d->name);
        cr_assert(d->render && d->open && d->close && d->observe && d->stage &&
                      d->commit && d->rollback,
                  "%s lacks a member", d->name);
    }
    cr_assert_not_null(tn_driver_get("memory"));
    cr_assert_null(tn_driver_get("no such driver"));
    cr_assert_null(tn_driver_get(""));
}
