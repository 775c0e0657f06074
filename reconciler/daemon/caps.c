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
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CAP_WORDS = _LINUX_CAPABILITY_U32S_3, CAP_MAX = 63 };

static const unsigned char needed[] = {
    CAP_NET_ADMIN,
    CAP_SYS_ADMIN,
    CAP_NET_BROADCAST,
    CAP_NET_RAW,
};

static uint64_t
bit(unsigned cap)
{
    return UINT64_C(1) << cap;
}

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

/* Permitted and effective become what of 'keep' is permitted.  A sandbox that
 * left nothing to cut may have forbidden the call. */
static int
set_cut(uint64_t keep)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[CAP_WORDS];
    memset(data, 0, sizeof data);
    if (syscall(SYS_capget, &head, data) < 0) {
        return -1;
    }
    bool change = false;
    for (unsigned i = 0; i < CAP_WORDS; i++) {
        uint32_t word = data[i].permitted & (uint32_t) (keep >> (32 * i));
        change = change || word != data[i].permitted ||
                 word != data[i].effective || data[i].inheritable;
        data[i].permitted = word;
        data[i].effective = word;
        data[i].inheritable = 0;
    }
    return change ? (int) syscall(SYS_capset, &head, data) : 0;
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
        if (has && !(keep & bit(cap)) &&
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
            return errno == EPERM ? 0 : -1;
        }
    }
    return 0;
}

enum tn_code
tn_caps_limit(const char *source, struct tn_error *err)
{
    uint64_t keep = is_foreign(source) ? bit(CAP_DAC_OVERRIDE) : 0;
    for (size_t i = 0; i < sizeof needed; i++) {
        keep |= bit(needed[i]);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
        bounds_cut(keep) < 0 || set_cut(keep) < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "giving up capabilities");
    }
    return TN_OK;
}

enum tn_code
tn_caps_drop(void)
{
    return set_cut(0) < 0 ? TN_EINTERNAL : TN_OK;
}
