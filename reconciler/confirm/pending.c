/* pending.c - when a change is confirmed, waits, or has to go: see pending.h.
 *
 * Pure but for reading the clocks; the files are pending_file.c. */
#include "reconciler/confirm/pending.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model/base/cleanup.h"

void
tn_pending_clock_now(struct tn_pending_clock *out)
{
    struct timespec boot = {0};
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    *out = (struct tn_pending_clock){.wall = (int64_t) time(NULL)};
    ssize_t n = fd < 0 ? 0 : read(fd, out->boot_id, sizeof out->boot_id - 1);
    out->boot_id[n < 0 ? 0 : n] = '\0';
    out->boot_id[strcspn(out->boot_id, "\n")] = '\0';
    clock_gettime(CLOCK_BOOTTIME, &boot);
    out->boot_ms = (int64_t) boot.tv_sec * 1000 + boot.tv_nsec / 1000000;
}

enum tn_pending_phase
tn_pending_judge(const struct tn_pending *p, const struct tn_pending_clock *now,
                 int64_t *left_ms, const char **why)
{
    int64_t left = p->deadline_ms - now->boot_ms;
    *left_ms = 0;
    if (p->boot_id[0] == '\0' || strcmp(p->boot_id, now->boot_id) != 0) {
        *why = "the machine was started anew before it was confirmed";
        return TN_PENDING_DUE;
    }
    /* A file that was tampered with must not keep a change for ever. */
    if (left <= 0 || left > TN_PENDING_MAX_MS) {
        *why = "nobody confirmed it in time";
        return TN_PENDING_DUE;
    }
    *left_ms = left;
    return TN_PENDING_OPEN;
}

/* One number with its unit; false if there is none. */
static bool
part_take(const char **text, uint64_t *ms)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    char *end = NULL;
    if (**text < '0' || **text > '9') {
        return false;
    }
    unsigned long long v = strtoull(*text, &end, 10);
    for (size_t i = 0; i < TN_ARRAY_SIZE(units); i++) {
        size_t n = strlen(units[i].name);
        if (strncmp(end, units[i].name, n) == 0 &&
            (end[n] == '\0' || (end[n] >= '0' && end[n] <= '9')) &&
            v <= TN_PENDING_MAX_MS / units[i].ms) {
            *ms += v * units[i].ms;
            *text = end + n;
            return true;
        }
    }
    return false;
}

bool
tn_pending_parse_window(const char *text, uint64_t *ms)
{
    uint64_t sum = 0;
    do {
        if (!part_take(&text, &sum)) {
            return false;
        }
    } while (*text);
    if (sum < TN_PENDING_MIN_MS || sum > TN_PENDING_MAX_MS) {
        return false;
    }
    *ms = sum;
    return true;
}
