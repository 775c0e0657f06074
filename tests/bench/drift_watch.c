/* drift_watch.c - how soon is drift detected, and what does watching cost?
 *
 *     drift_watch HOST VPCS idle SECONDS
 *     drift_watch HOST VPCS ROUNDS WHAT 'COMMAND' 'UNDO'
 *
 * Watches the VPCs acme/v0 .. acme/v<VPCS-1> of the lab host HOST.  The first
 * form waits and prints what that took; the second runs COMMAND and UNDO over
 * and over, both split at spaces, and prints when a bare netlink listener in
 * the namespace of acme/v0 had the message about it, when the watch had its
 * first event, and when the command returned. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "drivers/kernel/kernel.h"

extern char **environ;

enum { MOST_ROUNDS = 2000, WAIT_MS = 30000, REST_MS = 30 };

static const struct tn_driver *const driver = &tn_driver_kernel;

struct bare {
    char path[300];
    int protocol;       /* NETLINK_* */
    uint16_t types[2];  /* The message to wait for; 0: any. */
    atomic_llong first; /* Of the first message since it was cleared. */
    atomic_bool ready;
};

static long long
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long) t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
fail(const char *what)
{
    perror(what);
    exit(1);
}

static int
listener(int protocol, uint32_t groups)
{
    struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0 || bind(fd, (struct sockaddr *) &a, sizeof a) < 0) {
        fail("netlink");
    }
    return fd;
}

/* Is there such a message in the datagram? */
static bool
has(const struct bare *bare, const char *buf, size_t left)
{
    while (left >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr h;
        memcpy(&h, buf, sizeof h);
        if (bare->types[0] == 0 || h.nlmsg_type == bare->types[0] ||
            h.nlmsg_type == bare->types[1]) {
            return true;
        }
        size_t step = NLMSG_ALIGN(h.nlmsg_len);
        if (step < sizeof h || step >= left) {
            break;
        }
        buf += step;
        left -= step;
    }
    return false;
}

static void *
listen_bare(void *arg)
{
    struct bare *bare = arg;
    int ns = open(bare->path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) < 0) {
        fail(bare->path);
    }
    uint32_t groups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR |
                      RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR |
                      RTMGRP_IPV6_ROUTE;
    if (bare->protocol == NETLINK_NETFILTER) {
        groups = 1u << (NFNLGRP_NFTABLES - 1);
    }
    int fd = listener(bare->protocol, groups);
    char buf[65536];
    ssize_t n;
    atomic_store(&bare->ready, true);
    while ((n = recv(fd, buf, sizeof buf, 0)) > 0) {
        long long none = 0;
        if (has(bare, buf, (size_t) n)) {
            atomic_compare_exchange_strong(&bare->first, &none, now_ns());
        }
    }
    return NULL;
}

static struct bare
bare_for(const char *what)
{
    static const struct {
        const char *what;
        uint16_t types[2];
    } rows[] = {
        {"link-down", {RTM_NEWLINK, 0}},
        {"link-del", {RTM_DELLINK, 0}},
        {"addr-del", {RTM_DELADDR, 0}},
        {"route-del", {RTM_DELROUTE, 0}},
        {"fdb-del", {RTM_DELNEIGH, 0}},
        {"neigh-del", {RTM_NEWNEIGH, RTM_DELNEIGH}},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].what, what) == 0) {
            return (struct bare){.protocol = NETLINK_ROUTE,
                                 .types = {rows[i].types[0], rows[i].types[1]}};
        }
    }
    return (struct bare){.protocol = NETLINK_NETFILTER};
}

static const struct tn_device *
device_new(struct tn_arena *arena, const char *host, size_t n)
{
    struct tn_host *h = tn_new(arena, struct tn_host);
    struct tn_device *d = tn_new(arena, struct tn_device);
    struct tn_net_vpc *vpcs = tn_new_n(arena, struct tn_net_vpc, n);
    const struct tn_net_vpc **list =
        tn_new_n(arena, const struct tn_net_vpc *, n);
    h->config.kernel_netns = host;
    for (size_t i = 0; i < n; i++) {
        vpcs[i].scope = tn_arena_printf(arena, "acme/v%zu", i);
        list[i] = &vpcs[i];
    }
    *d = (struct tn_device){.name = host,
                            .host = h,
                            .vpcs = list,
                            .n_vpcs = n,
                            .instance = "bench",
                            .vxlan_port = 4789};
    return d;
}

/* When the first event came; 0: none within the time. */
static long long
hear(struct tn_watch *watch, struct tn_arena *arena, int ms)
{
    struct pollfd p = {driver->watch_fd(watch), POLLIN, 0};
    long long deadline = now_ns() + ms * 1000000ll;
    while (now_ns() < deadline) {
        const struct tn_event *events = NULL;
        size_t n = 0;
        if (poll(&p, 1, ms) != 1) {
            return 0;
        }
        if (driver->watch_read(watch, arena, &events, &n, NULL) != TN_OK) {
            exit(1);
        }
        if (n) {
            return now_ns();
        }
    }
    return 0;
}

/* The watch is read by a thread of its own: the other waits for the command. */
struct hearing {
    struct tn_watch *watch;
    struct tn_arena *arena;
    long long heard;
};

static void *
hear_thread(void *arg)
{
    struct hearing *h = arg;
    h->heard = hear(h->watch, h->arena, WAIT_MS);
    return NULL;
}

static pid_t
start(const char *command)
{
    char copy[512], *argv[32], *save = NULL;
    size_t n = 0;
    pid_t pid;
    snprintf(copy, sizeof copy, "%s", command);
    for (char *s = strtok_r(copy, " ", &save); s && n < 31;
         s = strtok_r(NULL, " ", &save)) {
        argv[n++] = s;
    }
    argv[n] = NULL;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0) {
        fail(argv[0]);
    }
    return pid;
}

static void
finish(pid_t pid, const char *command)
{
    int status = 0;
    if (waitpid(pid, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "failed: %s\n", command);
        exit(1);
    }
}

static int
cmp(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static void
rounds(struct tn_watch *watch, const char *const argv[], struct bare *bare)
{
    static double t_bare[MOST_ROUNDS], t_watch[MOST_ROUNDS],
        t_more[MOST_ROUNDS], t_back[MOST_ROUNDS];
    struct tn_arena *arena = tn_arena_new();
    size_t n = 0, want = (size_t) atoi(argv[0]), before = 0;
    want = want > MOST_ROUNDS ? MOST_ROUNDS : want;
    for (size_t i = 0; i < want; i++) {
        struct hearing h = {watch, arena, 0};
        pthread_t thread;
        atomic_store(&bare->first, 0);
        pthread_create(&thread, NULL, hear_thread, &h);
        usleep(1000);
        long long t0 = now_ns();
        finish(start(argv[2]), argv[2]);
        long long back = now_ns();
        pthread_join(thread, NULL);
        long long first;
        while (!(first = atomic_load(&bare->first)) &&
               now_ns() - t0 < WAIT_MS * 1000000ll) {
            usleep(1000);
        }
        if (!h.heard || !first) {
            fprintf(stderr, "%s: round %zu: %s heard nothing\n", argv[1], i,
                    h.heard ? "the bare listener" : "the watch");
            exit(1);
        }
        t_bare[n] = (double) (first - t0) / 1e6;
        t_watch[n] = (double) (h.heard - t0) / 1e6;
        t_more[n] = (double) (h.heard - first) / 1e3;
        t_back[n] = (double) (back - t0) / 1e6;
        before += h.heard < back;
        n++;
        finish(start(argv[3]), argv[3]);
        while (hear(watch, arena, REST_MS)) {
        }
        tn_arena_reset(arena);
    }
    qsort(t_bare, n, sizeof *t_bare, cmp);
    qsort(t_watch, n, sizeof *t_watch, cmp);
    qsort(t_more, n, sizeof *t_more, cmp);
    qsort(t_back, n, sizeof *t_back, cmp);
    size_t p99 = n * 99 / 100;
    printf("%-12s %4zu  bare %6.2f %6.2f  watch %6.2f %6.2f ms  ratio %.2f "
           "%.2f  more %4.0f %5.0f us  command %6.2f ms, before it %3.0f%%\n",
           argv[1], n, t_bare[n / 2], t_bare[p99], t_watch[n / 2], t_watch[p99],
           t_watch[n / 2] / t_bare[n / 2], t_watch[p99] / t_bare[p99],
           t_more[n / 2], t_more[p99], t_back[n / 2],
           100.0 * (double) before / (double) n);
    tn_arena_free(arena);
}

static size_t
count_fds(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n - 3; /* Itself, "." and "..". */
}

static void
print_status(const char *name)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, name, strlen(name)) == 0) {
            fputs(line, stdout);
        }
    }
    fclose(f);
}

static double
cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
idle(struct tn_watch *watch, int seconds)
{
    struct tn_arena *arena = tn_arena_new();
    double before = cpu_seconds();
    long long end = now_ns() + seconds * 1000000000ll;
    size_t n = 0;
    while (now_ns() < end) {
        n += hear(watch, arena, 1000) != 0;
        tn_arena_reset(arena);
    }
    printf("idle: %.4f%% of a processor, %zu reads with events, %zu "
           "descriptors\n",
           100 * (cpu_seconds() - before) / seconds, n, count_fds());
    print_status("VmRSS");
    tn_arena_free(arena);
}

int
main(int argc, char **argv)
{
    struct tn_error err = {0};
    struct tn_driver_env env = {NULL};
    struct tn_watch *watch = NULL;
    char text[TN_ERROR_TEXT];
    if (argc != 5 && argc != 7) {
        fprintf(stderr, "usage: see drift_watch.c\n");
        return 1;
    }
    struct tn_arena *arena = tn_arena_new();
    const struct tn_device *device =
        device_new(arena, argv[1], (size_t) atoi(argv[2]));
    if (argc == 5) {
        print_status("VmRSS");
    }
    long long t0 = now_ns();
    if (driver->watch_open(device, &env, &watch, &err) != TN_OK) {
        fprintf(stderr, "%s\n", tn_error_text(&err, text, sizeof text));
        return 1;
    }
    if (argc == 5) {
        printf("watching %s VPCs after %.3f s\n", argv[2],
               (double) (now_ns() - t0) / 1e9);
        idle(watch, atoi(argv[4]));
    } else {
        struct bare bare = bare_for(argv[4]);
        pthread_t thread;
        snprintf(bare.path, sizeof bare.path, "/run/netns/%s.tn.acme.v0",
                 argv[1]);
        pthread_create(&thread, NULL, listen_bare, &bare);
        while (!atomic_load(&bare.ready)) {
            usleep(1000);
        }
        rounds(watch, (const char *const *) argv + 3, &bare);
    }
    driver->watch_close(watch);
    tn_arena_free(arena);
    return 0;
}
