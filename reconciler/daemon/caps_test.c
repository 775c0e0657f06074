/* caps_test.c - what is left after tn_caps_limit(), read from /proc. */
#include "reconciler/daemon/caps.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/caps.h"
#include "model/base/cleanup.h"

static const uint64_t driver =
    UINT64_C(1) << CAP_NET_ADMIN | UINT64_C(1) << CAP_SYS_ADMIN |
    UINT64_C(1) << CAP_NET_BROADCAST | UINT64_C(1) << CAP_NET_RAW;

/* A line of /proc/self/status: CapEff, CapBnd, NoNewPrivs, ... */
static uint64_t
status(const char *name)
{
    char line[256];
    size_t n = strlen(name);
    uint64_t value = UINT64_MAX;
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, name, n) == 0 && line[n] == ':') {
            value = strtoull(line + n + 1, NULL, 16);
        }
    }
    return value;
}

static void
limit(const char *source)
{
    struct tn_error err = {0};
    cr_assert_eq(tn_caps_limit(source, &err), TN_OK, "%s", err.text);
}

Test(caps, only_the_needed_are_left)
{
    uint64_t before = status("CapPrm"), bounds = status("CapBnd");
    limit("https://git.example.org/intent.git");
    cr_assert_eq(status("CapPrm"), before & driver);
    cr_assert_eq(status("CapEff"), before & driver);
    cr_assert_eq(status("CapInh"), 0);
    cr_assert_eq(status("CapAmb"), 0);
    cr_assert_eq(status("NoNewPrivs"), 1);
    if (before & UINT64_C(1) << CAP_SETPCAP) {
        cr_assert_eq(status("CapBnd"), bounds & driver);
    }
}

Test(caps, again_is_harmless)
{
    limit(NULL);
    uint64_t once = status("CapPrm");
    limit(NULL);
    cr_assert_eq(status("CapPrm"), once);
}

Test(caps, repository_of_somebody_else)
{
    char dir[] = "/tmp/tn-caps-XXXXXX", url[sizeof dir + 7];
    uint64_t before = status("CapPrm");
    cr_assert(mkdtemp(dir));
    snprintf(url, sizeof url, "file://%s", dir);
    bool given = chown(dir, 12345, 12345) == 0;
    limit(url);
    cr_expect_eq(status("CapPrm"),
                 before &
                     (driver | (given ? UINT64_C(1) << CAP_DAC_OVERRIDE : 0)));
    rmdir(dir);
}

Test(caps, own_repository)
{
    uint64_t before = status("CapPrm");
    char dir[] = "/tmp/tn-caps-XXXXXX";
    cr_assert(mkdtemp(dir));
    limit(dir);
    cr_expect_eq(status("CapPrm"), before & driver);
    rmdir(dir);
}

/* Root that executes something would get all back, without no_new_privs. */
Test(caps, dropped_for_what_is_executed)
{
    limit(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (tn_caps_cut(0) == 0) {
            execl("/bin/sh", "sh", "-c",
                  "grep -q '^CapPrm:.0*$' /proc/self/status", (char *) NULL);
        }
        _exit(9);
    }
    int exit_status = 0;
    cr_assert_eq(waitpid(pid, &exit_status, 0), pid);
    cr_assert(WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0);
}
