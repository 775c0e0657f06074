/* remote_test.c - remotes of databases: one spelling, or none. */
#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

struct row {
    const char *given, *spelt; /* Null: refused. */
};

static const struct row rows[] = {
    {"unix:/run/x/db.sock", "unix:/run/x/db.sock"},
    {"tcp:192.0.2.1:6641", "tcp:192.0.2.1:6641"},
    {"ssl:[2001:DB8:0::1]:06641", "ssl:[2001:db8::1]:6641"},
    {"tcp:127.0.0.1:1 , ssl:[::1]:65535", "tcp:127.0.0.1:1,ssl:[::1]:65535"},
    {"", NULL},
    {",", NULL},
    {"tcp:192.0.2.1:6641,", NULL},
    {",tcp:192.0.2.1:6641", NULL},
    {"tcp:192.0.2.1", NULL},
    {"tcp:192.0.2.1:", NULL},
    {"tcp:192.0.2.1:0", NULL},
    {"tcp:192.0.2.1:65536", NULL},
    {"tcp:192.0.2.1:6641x", NULL},
    {"tcp:192.0.2.1:99999999999999999999", NULL},
    {"tcp:[192.0.2.1]:6641", NULL},
    {"tcp:2001:db8::1:6641", NULL},
    {"tcp:[2001:db8::1:6641", NULL},
    {"tcp:[]:6641", NULL},
    {"tcp:[:6641", NULL},
    {"tcp::6641", NULL},
    {"tcp:central:6641", NULL},
    {"tcp:224.0.0.1:6641", NULL},
    {"ptcp:6641:192.0.2.1", NULL},
    {"TCP:192.0.2.1:6641", NULL},
    {"unix:", NULL},
    {"unix:db.sock", NULL},
    {"unix:/a b", NULL},
    {"unix:/a\nb", NULL},
    {"unix:/0123456789012345678901234567890123456789012345678901234567890123456"
     "789012345678901234567890123456789012345",
     "unix:/0123456789012345678901234567890123456789012345678901234567890123456"
     "789012345678901234567890123456789012345"},
    {"unix:/0123456789012345678901234567890123456789012345678901234567890123456"
     "7890123456789012345678901234567890123456",
     NULL},
};

Test(remote, one_spelling)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
        bool good = tn_inv_remotes(rows[i].given, &out);
        cr_expect_eq(good, rows[i].spelt != NULL, "%s", rows[i].given);
        if (good && rows[i].spelt) {
            cr_expect_str_eq(tn_text_str(&out), rows[i].spelt);
        }
    }
}

Test(remote, one_after_the_other)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text one = {0};
    const char *left = tn_inv_remote_next("a,b", &one);
    cr_expect_str_eq(tn_text_str(&one), "a");
    left = tn_inv_remote_next(left, &one);
    cr_expect_str_eq(tn_text_str(&one), "b");
    cr_expect_null(left);
}
