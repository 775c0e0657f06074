/* netns_root_test.c - names of namespaces, and what a crash leaves of them. */
#include "drivers/kernel/netns.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LEFT "/run/netns/left"

/* A folder of names of this process's own. */
static void
own_names(void)
{
    cr_assert_eq(unshare(CLONE_NEWNS), 0);
    cr_assert_eq(mount("", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
    cr_assert_eq(mount("none", "/run", "tmpfs", 0, NULL), 0);
    cr_assert_eq(mkdir("/run/netns", 0755), 0);
}

/* What the daemon is: root that must ask for permission as others do. */
static void
drop_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    memset(data, 0, sizeof data);
    data[0].permitted = data[0].effective = 1u << CAP_SYS_ADMIN;
    cr_assert_eq(syscall(SYS_capset, &head, data), 0);
}

static enum tn_code
furnish(void *ctx TN_UNUSED, struct tn_error *err TN_UNUSED)
{
    return TN_OK;
}

static enum tn_code
create(void *ctx, struct tn_error *err)
{
    return tn_k_netns_create(ctx, furnish, NULL, err);
}

static void
expect_open(const char *name, enum tn_code expected)
{
    int fd = -1;
    char text[256];
    struct tn_error err = {0};
    cr_expect_eq(tn_k_netns_open(name, &fd, &err), expected, "%s: %s", name,
                 tn_error_text(&err, text, sizeof text));
    if (fd >= 0) {
        close(fd);
    }
}

Test(netns, file_that_a_crash_left_is_none_and_is_used)
{
    char name[] = "left";
    struct tn_error err = {0};
    own_names();
    int fd = open(LEFT, O_RDONLY | O_CREAT, 0);
    cr_assert_geq(fd, 0);
    close(fd);
    drop_capabilities();
    cr_assert_lt(open(LEFT, O_RDONLY), 0, "mode 0 must not be readable");
    expect_open(name, TN_ENOENT);
    expect_open("never", TN_ENOENT);
    cr_assert_eq(tn_k_excursion(create, name, &err), TN_OK);
    expect_open(name, TN_OK);
    cr_assert_eq(tn_k_excursion(create, name, &err), TN_ESTALE);
    cr_assert_eq(tn_k_netns_remove(name, &err), TN_OK);
    cr_assert_lt(access(LEFT, F_OK), 0);
    cr_assert_eq(tn_k_netns_remove(name, &err), TN_OK);
}
