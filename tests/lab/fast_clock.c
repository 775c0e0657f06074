/* fast_clock.c - a day in minutes: preloaded into the daemon, its clocks run
 * FAST_CLOCK times as fast, and its waits are as much shorter.
 *
 * Both halves belong together: every clock that can be read (monotonic, boot,
 * wall) and everything that waits (poll, epoll, timers, sleeps, conditions). So
 * that nothing in the daemon is set to other values than in service: it polls
 * each minute, audits each five, and doubles its back-off up to minutes, by the
 * only clock it sees. Clocks of CPU time are left alone. Children inherit both
 * the factor and the moment from which is counted.
 *
 * Not scaled: how long the kernel and the disk take. With a factor of 60, 10 ms
 * of work look like 0.6 s, so limits of time are harder to keep than in
 * service, never easier.
 *
 * System calls are made directly: no symbol is looked up but of conditions. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

enum { CLOCKS = 16, MASK_BYTES = 8 };

typedef int wait_fn(pthread_cond_t *, pthread_mutex_t *,
                    const struct timespec *);

static int64_t factor = 1;
static int64_t since[CLOCKS]; /* Of each clock, in nanoseconds. */

static int64_t
ns_of(const struct timespec *t)
{
    return t->tv_sec * SECOND + t->tv_nsec;
}

static struct timespec
timespec_of(int64_t ns)
{
    return (struct timespec){ns / SECOND, ns % SECOND};
}

static int64_t
real_now(clockid_t clock)
{
    struct timespec t = {0};
    syscall(SYS_clock_gettime, clock, &t);
    return ns_of(&t);
}

static bool
is_fast(clockid_t clock)
{
    return clock >= 0 && clock < CLOCKS && since[clock] != 0;
}

static int64_t
to_fast(clockid_t clock, int64_t real)
{
    return since[clock] + (real - since[clock]) * factor;
}

static int64_t
to_real(clockid_t clock, int64_t fast)
{
    return since[clock] + (fast - since[clock]) / factor;
}

/* A wait that is not zero stays one. */
static int64_t
shorter(int64_t ns)
{
    return ns > 0 ? (ns + factor - 1) / factor : ns;
}

__attribute__((constructor)) static void
begin(void)
{
    static const clockid_t clocks[] = {
        CLOCK_REALTIME,         CLOCK_MONOTONIC,     CLOCK_BOOTTIME,
        CLOCK_MONOTONIC_RAW,    CLOCK_TAI,           CLOCK_REALTIME_COARSE,
        CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_ALARM};
    const char *asked = getenv("FAST_CLOCK");
    const char *from = getenv("FAST_CLOCK_SINCE");
    factor = asked && atoll(asked) > 0 ? atoll(asked) : 1;
    int64_t start = from ? atoll(from) : real_now(CLOCK_MONOTONIC);
    int64_t ago = real_now(CLOCK_MONOTONIC) - start;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        since[clocks[i]] = real_now(clocks[i]) - ago;
    }
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long) start);
    setenv("FAST_CLOCK_SINCE", text, 1);
}

int
clock_gettime(clockid_t clock, struct timespec *t)
{
    if (syscall(SYS_clock_gettime, clock, t) < 0) {
        return -1;
    }
    if (is_fast(clock)) {
        *t = timespec_of(to_fast(clock, ns_of(t)));
    }
    return 0;
}

time_t
time(time_t *out)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) {
        *out = t.tv_sec;
    }
    return t.tv_sec;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void) zone;
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    *tv = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}

int
ppoll(struct pollfd *fds, nfds_t n, const struct timespec *wait,
      const sigset_t *mask)
{
    struct timespec t = {0};
    if (wait) {
        t = timespec_of(shorter(ns_of(wait)));
    }
    return (int) syscall(SYS_ppoll, fds, n, wait ? &t : NULL, mask, MASK_BYTES);
}

int
poll(struct pollfd *fds, nfds_t n, int ms)
{
    struct timespec t = timespec_of((ms > 0 ? ms : 0) * (SECOND / 1000));
    return ppoll(fds, n, ms < 0 ? NULL : &t, NULL);
}

int
epoll_pwait2(int epoll, struct epoll_event *events, int n,
             const struct timespec *wait, const sigset_t *mask)
{
    struct timespec t = {0};
    if (wait) {
        t = timespec_of(shorter(ns_of(wait)));
    }
    return (int) syscall(SYS_epoll_pwait2, epoll, events, n, wait ? &t : NULL,
                         mask, MASK_BYTES);
}

int
epoll_pwait(int epoll, struct epoll_event *events, int n, int ms,
            const sigset_t *mask)
{
    struct timespec t = timespec_of((ms > 0 ? ms : 0) * (SECOND / 1000));
    return epoll_pwait2(epoll, events, n, ms < 0 ? NULL : &t, mask);
}

int
epoll_wait(int epoll, struct epoll_event *events, int n, int ms)
{
    return epoll_pwait(epoll, events, n, ms, NULL);
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *in,
                struct itimerspec *before)
{
    struct itimerspec t = {
        .it_interval = timespec_of(shorter(ns_of(&in->it_interval))),
        .it_value = timespec_of(shorter(ns_of(&in->it_value))),
    };
    int64_t when = ns_of(&in->it_value);
    if (flags & TFD_TIMER_ABSTIME && when > 0) {
        /* Of which clock the timer is, is not told; they are years apart. */
        clockid_t clock =
            when > since[CLOCK_REALTIME] / 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
        int64_t at = to_real(clock, when);
        t.it_value = timespec_of(at > 1 ? at : 1);
    }
    return (int) syscall(SYS_timerfd_settime, fd, flags, &t, before);
}

int
clock_nanosleep(clockid_t clock, int flags, const struct timespec *t,
                struct timespec *left)
{
    struct timespec until =
        timespec_of(!(flags & TIMER_ABSTIME) ? shorter(ns_of(t))
                    : is_fast(clock)         ? to_real(clock, ns_of(t))
                                             : ns_of(t));
    long rc = syscall(SYS_clock_nanosleep, clock, flags, &until, left);
    return rc < 0 ? errno : 0;
}

int
nanosleep(const struct timespec *t, struct timespec *left)
{
    errno = clock_nanosleep(CLOCK_MONOTONIC, 0, t, left);
    return errno ? -1 : 0;
}

int
usleep(useconds_t us)
{
    struct timespec t = timespec_of(us * 1000LL);
    return nanosleep(&t, NULL);
}

unsigned
sleep(unsigned s)
{
    struct timespec t = {.tv_sec = s};
    return nanosleep(&t, NULL) ? s : 0;
}

int
pthread_cond_timedwait(pthread_cond_t *restrict cond,
                       pthread_mutex_t *restrict mutex,
                       const struct timespec *restrict until)
{
    static wait_fn *next;
    if (!next) {
        *(void **) &next =
            dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    }
    clockid_t clock = ns_of(until) > since[CLOCK_REALTIME] / 2
                          ? CLOCK_REALTIME
                          : CLOCK_MONOTONIC;
    struct timespec t = timespec_of(to_real(clock, ns_of(until)));
    return next(cond, mutex, &t);
}
