/* caps.c - see caps.h.
 *
 * A sandbox that left nothing to cut may have forbidden the call that cuts:
 * then it is not made. */
#include "model/base/caps.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CAP_WORDS = _LINUX_CAPABILITY_U32S_3 };

int
tn_caps_cut(uint64_t keep)
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
