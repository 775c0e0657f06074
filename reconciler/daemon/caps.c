/* caps.c - see caps.h.
 *
 * By system calls, not by a library: what is wanted is four of them.  The
 * permitted set is cut to what is kept and never widened, so that the order
 * matters in one place only: the bounding set needs CAP_SETPCAP and goes
 * first.  User and group stay as they are; files of root are root's without any
 * capability. */
#include "reconciler/daemon/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/caps.h"

enum { CAP_MAX = 63 };

static const unsigned char needed[] = {
    CAP_NET_ADMIN,
    CAP_SYS_ADMIN,
    CAP_NET_BROADCAST,
    CAP_NET_RAW,
};

/* Not ours to open without CAP_DAC_OVERRIDE. */
static bool
is_foreign(const char *source)
{
    static const char scheme[] = "file://";
    struct stat st;
    if (!source) {
        return false;
    }
    if (strncmp(source, scheme, sizeof scheme - 1) == 0) {
        source += sizeof scheme - 1;
    }
    return source[0] == '/' && stat(source, &st) == 0 && st.st_uid != geteuid();
}

/* Capabilities that the kernel does not know end the list.  Who may not change
 * the bounding set keeps it, and cannot use it: see no_new_privs. */
static int
bounds_cut(uint64_t keep)
{
    for (unsigned cap = 0; cap <= CAP_MAX; cap++) {
        int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
        if (has < 0) {
            return 0;
        }
        if (has && !(keep & TN_CAP_BIT(cap)) &&
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
            return errno == EPERM ? 0 : -1;
        }
    }
    return 0;
}

enum tn_code
tn_caps_limit(const char *source, struct tn_error *err)
{
    uint64_t keep = is_foreign(source) ? TN_CAP_BIT(CAP_DAC_OVERRIDE) : 0;
    for (size_t i = 0; i < sizeof needed; i++) {
        keep |= TN_CAP_BIT(needed[i]);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
        bounds_cut(keep) < 0 || tn_caps_cut(keep) < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "giving up capabilities");
    }
    return TN_OK;
}
