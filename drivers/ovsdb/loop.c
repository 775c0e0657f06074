/* loop.c - sockets and deadlines of many sessions: see loop.h and source.h.
 *
 * Deadlines are in a binary heap, the earliest in a timerfd that is part of the
 * epoll set, so that the set's descriptor alone says that there is something to
 * do.  A session that has heard from its peer does not move its deadline, it
 * looks at the clock when that has come: the heap and the timer are touched
 * once a probe interval, not once a message. */
#include "drivers/ovsdb/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "drivers/ovsdb/source.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

enum { BATCH = 64, BUFFER = 128 * 1024 };

struct tn_ovsdb_loop {
    int epoll, timer;
    int64_t armed;   /* What the timer is set to; 0: off, -1: it has run. */
    uint64_t random; /* Never 0. */
    bool turning;
    /* Heap: each is due no earlier than the one at half its place. */
    struct tn_ovsdb_source **due;
    size_t n_due, cap_due;
    /* Events of this turn that are still to be handled. */
    struct epoll_event batch[BATCH];
    int n_batch;
    char *buffer; /* Null until first used. */
    struct tn_gate gate;
    struct tn_tls_context *tls; /* A list. */
};

static void
put(struct tn_ovsdb_loop *loop, size_t place, struct tn_ovsdb_source *source)
{
    loop->due[place] = source;
    source->place = place;
}

static void
sift_up(struct tn_ovsdb_loop *loop, struct tn_ovsdb_source *source)
{
    size_t at = source->place;
    while (at > 1 && loop->due[at / 2]->due_ms > source->due_ms) {
        put(loop, at, loop->due[at / 2]);
        at /= 2;
    }
    put(loop, at, source);
}

static void
sift_down(struct tn_ovsdb_loop *loop, struct tn_ovsdb_source *source)
{
    size_t at = source->place;
    for (;;) {
        size_t child = 2 * at;
        if (child < loop->n_due &&
            loop->due[child + 1]->due_ms < loop->due[child]->due_ms) {
            child++;
        }
        if (child > loop->n_due || loop->due[child]->due_ms >= source->due_ms) {
            break;
        }
        put(loop, at, loop->due[child]);
        at = child;
    }
    put(loop, at, source);
}

static void
heap_add(struct tn_ovsdb_loop *loop, struct tn_ovsdb_source *source)
{
    if (loop->n_due + 1 >= loop->cap_due) {
        loop->cap_due = loop->cap_due ? 2 * loop->cap_due : 16;
        loop->due = reallocarray(loop->due, loop->cap_due, sizeof *loop->due);
        if (!loop->due) {
            fputs("tenet: out of memory\n", stderr);
            abort();
        }
    }
    put(loop, ++loop->n_due, source);
    sift_up(loop, source);
}

static void
heap_remove(struct tn_ovsdb_loop *loop, struct tn_ovsdb_source *source)
{
    struct tn_ovsdb_source *last = loop->due[loop->n_due--];
    if (last != source) {
        put(loop, source->place, last);
        sift_up(loop, last);
        sift_down(loop, last);
    }
    source->place = 0;
}

/* Sets the timer to the earliest deadline, if that is not its setting. */
static void
arm(struct tn_ovsdb_loop *loop)
{
    int64_t first = loop->n_due ? loop->due[1]->due_ms : 0;
    if (first == loop->armed) {
        return;
    }
    struct itimerspec at = {.it_value = {.tv_sec = (time_t) (first / 1000),
                                         .tv_nsec = first % 1000 * 1000000}};
    (void) timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &at, NULL);
    loop->armed = first;
}

void
tn_ovsdb_source_init(struct tn_ovsdb_source *source)
{
    source->fd = -1;
}

enum tn_code
tn_ovsdb_source_watch(struct tn_ovsdb_loop *loop,
                      struct tn_ovsdb_source *source, int fd, unsigned wants,
                      struct tn_error *err)
{
    struct epoll_event e = {.data.ptr = source};
    if (source->fd == fd && source->wants == wants) {
        return TN_OK;
    }
    assert(fd >= 0 && (source->fd < 0 || source->fd == fd));
    e.events |= wants & TN_SOURCE_IN ? (uint32_t) EPOLLIN : 0;
    e.events |= wants & TN_SOURCE_OUT ? (uint32_t) EPOLLOUT : 0;
    if (epoll_ctl(loop->epoll, source->fd < 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
                  fd, &e) < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "epoll");
    }
    source->fd = fd;
    source->wants = wants;
    return TN_OK;
}

void
tn_ovsdb_source_unwatch(struct tn_ovsdb_loop *loop,
                        struct tn_ovsdb_source *source)
{
    if (source->fd >= 0) {
        (void) epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
        source->fd = -1;
        source->wants = 0;
    }
    for (int i = 0; i < loop->n_batch; i++) {
        if (loop->batch[i].data.ptr == source) {
            loop->batch[i].data.ptr = NULL;
        }
    }
}

void
tn_ovsdb_source_set_due(struct tn_ovsdb_loop *loop,
                        struct tn_ovsdb_source *source, int64_t due_ms)
{
    if (source->due_ms == due_ms) {
        return;
    }
    if (source->place) {
        heap_remove(loop, source);
    }
    source->due_ms = due_ms;
    if (due_ms) {
        heap_add(loop, source);
    }
    if (!loop->turning) {
        arm(loop);
    }
}

void
tn_ovsdb_source_remove(struct tn_ovsdb_loop *loop,
                       struct tn_ovsdb_source *source)
{
    tn_ovsdb_source_unwatch(loop, source);
    tn_ovsdb_source_set_due(loop, source, 0);
}

char *
tn_loop_buffer(struct tn_ovsdb_loop *loop, size_t *size)
{
    if (!loop->buffer) {
        loop->buffer = malloc(BUFFER);
        if (!loop->buffer) {
            fputs("tenet: out of memory\n", stderr);
            abort();
        }
    }
    *size = BUFFER;
    return loop->buffer;
}

uint64_t
tn_loop_random(struct tn_ovsdb_loop *loop, uint64_t n)
{
    loop->random ^= loop->random << 13;
    loop->random ^= loop->random >> 7;
    loop->random ^= loop->random << 17;
    return loop->random % n;
}

struct tn_gate *
tn_loop_gate(struct tn_ovsdb_loop *loop)
{
    return &loop->gate;
}

struct tn_tls_context **
tn_loop_tls(struct tn_ovsdb_loop *loop)
{
    return &loop->tls;
}

static void
handle_sockets(struct tn_ovsdb_loop *loop)
{
    for (int i = 0; i < loop->n_batch; i++) {
        struct tn_ovsdb_source *source = loop->batch[i].data.ptr;
        uint64_t ignored;
        if (loop->batch[i].data.ptr == loop) {
            (void) !read(loop->timer, &ignored, sizeof ignored);
            loop->armed = -1;
        } else if (source) {
            source->ready(source);
        }
    }
    loop->n_batch = 0;
}

/* Not more than there are at the beginning: a callback that is due again at
 * once does not keep the loop. */
static void
handle_deadlines(struct tn_ovsdb_loop *loop)
{
    int64_t now = tn_now_ms();
    for (size_t left = loop->n_due; left > 0 && loop->n_due > 0; left--) {
        struct tn_ovsdb_source *first = loop->due[1];
        if (first->due_ms > now) {
            break;
        }
        heap_remove(loop, first);
        first->due_ms = 0;
        first->due(first);
    }
}

enum tn_code
tn_ovsdb_loop_new(struct tn_ovsdb_loop **out, struct tn_error *err)
{
    struct tn_ovsdb_loop *loop = calloc(1, sizeof *loop);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = loop};
    if (!loop) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (loop->epoll < 0 || loop->timer < 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->timer, &e) < 0) {
        int sys = errno;
        tn_ovsdb_loop_free(loop);
        return tn_fail_sys(err, TN_EINTERNAL, sys, "epoll");
    }
    (void) !getrandom(&loop->random, sizeof loop->random, GRND_NONBLOCK);
    loop->random = (loop->random ^ (uint64_t) tn_now_ns()) | 1;
    *out = loop;
    return TN_OK;
}

void
tn_ovsdb_loop_free(struct tn_ovsdb_loop *loop)
{
    if (!loop) {
        return;
    }
    assert(loop->n_due == 0 && !loop->tls && !loop->turning);
    if (loop->epoll >= 0) {
        close(loop->epoll);
    }
    if (loop->timer >= 0) {
        close(loop->timer);
    }
    tn_gate_done(&loop->gate);
    free(loop->due);
    free(loop->buffer);
    free(loop);
}

int
tn_ovsdb_loop_fd(const struct tn_ovsdb_loop *loop)
{
    return loop->epoll;
}

enum tn_code
tn_ovsdb_loop_turn(struct tn_ovsdb_loop *loop, int timeout_ms,
                   struct tn_error *err)
{
    assert(!loop->turning);
    int n = epoll_wait(loop->epoll, loop->batch, BATCH, timeout_ms);
    if (n < 0 && errno != EINTR) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "epoll");
    }
    loop->turning = true;
    loop->n_batch = n > 0 ? n : 0;
    handle_sockets(loop);
    handle_deadlines(loop);
    loop->turning = false;
    arm(loop);
    return TN_OK;
}
