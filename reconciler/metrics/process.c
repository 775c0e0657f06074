/* process.c - what every Prometheus client says about its process, read from
 * /proc.  Not portable, and meant not to be: tenet's kernel driver is not
 * either.  Where /proc is hidden (ProtectProc) our own entry still shows. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/metrics/metrics.h"

static void
read_memory(struct tn_metrics *m)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen("/proc/self/statm", "re");
    char line[128];
    if (f && fgets(line, sizeof line, f)) {
        char *end = line;
        double page = (double) sysconf(_SC_PAGESIZE);
        double size = (double) strtoull(end, &end, 10);
        double resident = (double) strtoull(end, &end, 10);
        tn_metric_set(m, TN_M_PROCESS_VSIZE, NULL, size * page);
        tn_metric_set(m, TN_M_PROCESS_RSS, NULL, resident * page);
    }
}

static void
read_cpu(struct tn_metrics *m)
{
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) == 0) {
        double seconds = (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec);
        double micro = (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec);
        tn_metric_set(m, TN_M_PROCESS_CPU, NULL, seconds + micro / 1e6);
    }
}

static void
read_descriptors(struct tn_metrics *m)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        tn_metric_set(m, TN_M_PROCESS_MAX_FDS, NULL, (double) limit.rlim_cur);
    }
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) {
        return;
    }
    unsigned n = 0;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        n += e->d_name[0] != '.';
    }
    closedir(dir);
    /* Without the one that was opened for looking. */
    tn_metric_set(m, TN_M_PROCESS_FDS, NULL, n - 1);
}

/* The start in ticks after boot is field 22 of stat, after a name that may
 * contain anything; the boot in seconds of wall clock is btime. */
static double
start_time(void)
{
    TN_CLEANUP(tn_cleanup_file) FILE *stat = fopen("/proc/self/stat", "re");
    TN_CLEANUP(tn_cleanup_file) FILE *boot = fopen("/proc/stat", "re");
    char line[1024];
    if (!stat || !boot || !fgets(line, sizeof line, stat)) {
        return 0;
    }
    char *p = strrchr(line, ')');
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p + 1, ' ');
    }
    if (!p) {
        return 0;
    }
    double ticks = (double) strtoull(p + 1, NULL, 10);
    while (fgets(line, sizeof line, boot)) {
        if (strncmp(line, "btime ", 6) == 0) {
            return (double) strtoull(line + 6, NULL, 10) +
                   ticks / (double) sysconf(_SC_CLK_TCK);
        }
    }
    return 0;
}

void
tn_metrics_process(struct tn_metrics *m)
{
    if (!m) {
        return;
    }
    read_memory(m);
    read_cpu(m);
    read_descriptors(m);
    if (tn_metric_get(m, TN_M_PROCESS_START, NULL) == 0) {
        tn_metric_set(m, TN_M_PROCESS_START, NULL, start_time());
    }
}
