/* reach.c - is there an answer from over there?
 *
 * One thread enters the namespace of each probe in turn and makes a socket
 * there, which stays in that namespace wherever the thread goes next; then all
 * sockets wait in one poll until the deadline.  The source is the port's own
 * address, so that the packet takes the way of the port's packets, through its
 * security groups.  Nothing is written on the device.
 *
 * An echo is sent again while there is no answer: the first packet of a new
 * path may be lost to address resolution. */
#include "drivers/kernel/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "drivers/kernel/names.h"
#include "drivers/kernel/netns.h"
#include "drivers/kernel/session.h"
#include "model/base/time.h"

enum { RESEND_MS = 250, REPLY_BYTES = 2048 };

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* One probe on its way. */
struct flight {
    const struct tn_probe *probe;
    struct tn_probe_outcome *outcome;
    union address to;
    socklen_t to_size;
    int fd;            /* -1: over. */
    uint16_t id, next; /* Of the echo: identifier, next sequence number. */
    bool raw;          /* Replies come with headers, and those of others. */
    int64_t sent_us, first_us;
};

struct run {
    const struct tn_device *device;
    struct flight *flights;
    size_t n, n_open;
    struct pollfd *polled;
    unsigned timeout_ms;
    struct tn_arena *arena;
};

static int64_t
now_us(void)
{
    return tn_now_ns() / 1000;
}

static void
land(struct run *run, struct flight *f, enum tn_probe_result result,
     const char *reason)
{
    f->outcome->result = result;
    snprintf(f->outcome->reason, sizeof f->outcome->reason, "%s", reason);
    if (result == TN_PROBE_PASSED) {
        f->outcome->rtt_us = (uint32_t) (now_us() - f->first_us);
    }
    if (f->fd >= 0) {
        close(f->fd);
        f->fd = -1;
        run->n_open--;
    }
}

static socklen_t
sockaddr_of(const struct tn_addr *a, uint16_t port, union address *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == TN_AF_IPV6) {
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = htons(port);
        memcpy(&out->in6.sin6_addr, a->b, 16);
        return sizeof out->in6;
    }
    out->in.sin_family = AF_INET;
    out->in.sin_port = htons(port);
    memcpy(&out->in.sin_addr, a->b, 4);
    return sizeof out->in;
}

/* Where a probe starts: namespace and source address. */
static const char *
start_of(const struct run *run, const struct tn_probe *p,
         const struct tn_addr **source)
{
    if (p->from->netns) {
        *source = p->from->address.family == p->to.family ? &p->from->address
                                                          : &p->from->address6;
        return p->from->netns;
    }
    const struct tn_net_subnet *s = p->subnet;
    *source = s->gateway.family == p->to.family ? &s->gateway : &s->gateway6;
    return tn_k_netns_name(run->arena, run->device, p->vpc->scope);
}

static int
socket_make(struct flight *f)
{
    int family = f->to.any.sa_family;
    int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (f->probe->protocol == TN_PROBE_TCP) {
        return socket(family, SOCK_STREAM | flags, IPPROTO_TCP);
    }
    int protocol = family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    /* Unprivileged echoes are off by default, even for root. */
    int fd = socket(family, SOCK_RAW | flags, protocol);
    f->raw = fd >= 0;
    return fd >= 0 ? fd : socket(family, SOCK_DGRAM | flags, protocol);
}

static bool
echo_send(struct flight *f)
{
    struct icmphdr echo = {0};
    bool six = f->to.any.sa_family == AF_INET6;
    echo.type = six ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
    echo.un.echo.id = htons(f->id);
    echo.un.echo.sequence = htons(f->next++);
    if (!six) {
        /* One's complement sum of three words that are not zero; the kernel
         * does it for ICMPv6 and for datagram sockets. */
        uint32_t sum = (uint32_t) htons((uint16_t) (echo.type << 8)) +
                       echo.un.echo.id + echo.un.echo.sequence;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        echo.checksum = (uint16_t) ~sum;
    }
    union address to = f->to;
    if (six) {
        to.in6.sin6_port = 0;
    }
    f->sent_us = now_us();
    return sendto(f->fd, &echo, sizeof echo, 0, &to.any, f->to_size) ==
           (ssize_t) sizeof echo;
}

/* Refusals of the network are an answer, if not the one that was hoped for. */
static void
refuse(struct run *run, struct flight *f, int sys)
{
    bool ours = sys == EMFILE || sys == ENFILE || sys == EPERM ||
                sys == EACCES || sys == EAFNOSUPPORT || sys == ENOMEM ||
                sys == ENOBUFS;
    land(run, f, ours ? TN_PROBE_IMPOSSIBLE : TN_PROBE_FAILED, strerror(sys));
}

static void
take_off(struct run *run, struct flight *f)
{
    const struct tn_probe *p = f->probe;
    const struct tn_addr *source = NULL;
    union address from;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    int netns = -1;
    const char *name = start_of(run, p, &source);
    enum tn_code code = tn_k_netns_open(name, &netns, &err);
    if (!code) {
        code = tn_k_netns_enter(netns, &err);
        close(netns);
    }
    if (code) {
        land(run, f, TN_PROBE_IMPOSSIBLE,
             tn_error_text(&err, text, sizeof text));
        return;
    }
    if (source->family != p->to.family) {
        land(run, f, TN_PROBE_IMPOSSIBLE, "no address of that family here");
        return;
    }
    f->to_size = sockaddr_of(&p->to, p->port, &f->to);
    f->fd = socket_make(f);
    run->n_open += f->fd >= 0;
    socklen_t size = sockaddr_of(source, 0, &from);
    if (f->fd < 0 || bind(f->fd, &from.any, size)) {
        refuse(run, f, errno);
        return;
    }
    f->first_us = now_us();
    if (p->protocol == TN_PROBE_ICMP) {
        if (!echo_send(f)) {
            refuse(run, f, errno);
        }
    } else if (connect(f->fd, &f->to.any, f->to_size) == 0) {
        land(run, f, TN_PROBE_PASSED, "");
    } else if (errno != EINPROGRESS) {
        refuse(run, f, errno);
    }
}

/* True if the packet is the answer. */
static bool
is_reply(const struct flight *f, const uint8_t *bytes, size_t n,
         const union address *from)
{
    struct icmphdr h;
    bool six = f->to.any.sa_family == AF_INET6;
    bool same =
        six ? memcmp(&from->in6.sin6_addr, &f->to.in6.sin6_addr, 16) == 0
            : from->in.sin_addr.s_addr == f->to.in.sin_addr.s_addr;
    if (f->raw && !six) {
        size_t skip = n ? (size_t) (bytes[0] & 15) * 4 : 0;
        if (n < skip) {
            return false;
        }
        bytes += skip;
        n -= skip;
    }
    if (!same || n < sizeof h) {
        return false;
    }
    memcpy(&h, bytes, sizeof h);
    return h.type == (six ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) &&
           (!f->raw || ntohs(h.un.echo.id) == f->id);
}

static void
echo_receive(struct run *run, struct flight *f)
{
    uint8_t bytes[REPLY_BYTES];
    union address from = {0};
    for (;;) {
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(f->fd, bytes, sizeof bytes, 0, &from.any, &size);
        if (n < 0) {
            /* A datagram socket tells here that the network refused. */
            if (errno != EAGAIN && errno != EINTR) {
                refuse(run, f, errno);
            }
            return;
        }
        if (is_reply(f, bytes, (size_t) n, &from)) {
            land(run, f, TN_PROBE_PASSED, "");
            return;
        }
    }
}

static void
tcp_look(struct run *run, struct flight *f)
{
    int sys = 0;
    socklen_t size = sizeof sys;
    if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &sys, &size)) {
        sys = errno;
    }
    if (sys) {
        refuse(run, f, sys);
    } else {
        land(run, f, TN_PROBE_PASSED, "");
    }
}

static void
resend(struct run *run)
{
    int64_t now = now_us();
    for (size_t i = 0; i < run->n; i++) {
        struct flight *f = &run->flights[i];
        if (f->fd >= 0 && f->probe->protocol == TN_PROBE_ICMP &&
            now - f->sent_us >= (int64_t) RESEND_MS * 1000) {
            /* What fails now may go later. */
            (void) echo_send(f);
        }
    }
}

static void
fly(struct run *run)
{
    int64_t end = now_us() + (int64_t) run->timeout_ms * 1000;
    for (;;) {
        int64_t left_ms = (end - now_us()) / 1000;
        if (run->n_open == 0 || left_ms <= 0) {
            return;
        }
        for (size_t i = 0; i < run->n; i++) {
            const struct flight *f = &run->flights[i];
            bool tcp = f->probe->protocol == TN_PROBE_TCP;
            run->polled[i] = (struct pollfd){f->fd, tcp ? POLLOUT : POLLIN, 0};
        }
        int wait = left_ms < RESEND_MS ? (int) left_ms : RESEND_MS;
        int rc = poll(run->polled, run->n, wait);
        for (size_t i = 0; rc > 0 && i < run->n; i++) {
            struct flight *f = &run->flights[i];
            if (f->fd < 0 || run->polled[i].revents == 0) {
                continue;
            }
            if (f->probe->protocol == TN_PROBE_TCP) {
                tcp_look(run, f);
            } else {
                echo_receive(run, f);
            }
        }
        resend(run);
    }
}

static enum tn_code
run_all(void *context, struct tn_error *err)
{
    struct run *run = context;
    char text[64];
    (void) err;
    for (size_t i = 0; i < run->n; i++) {
        take_off(run, &run->flights[i]);
    }
    fly(run);
    snprintf(text, sizeof text, "no answer in %u ms", run->timeout_ms);
    for (size_t i = 0; i < run->n; i++) {
        if (run->flights[i].fd >= 0) {
            land(run, &run->flights[i], TN_PROBE_FAILED, text);
        }
    }
    return TN_OK;
}

void
tn_k_reach(struct tn_session *session, const struct tn_probe *probes, size_t n,
           unsigned timeout_ms, struct tn_probe_outcome *outcomes)
{
    struct tn_arena *arena = tn_arena_new();
    struct run run = {
        .device = session->device,
        .flights = tn_new_n(arena, struct flight, n),
        .n = n,
        .polled = tn_new_n(arena, struct pollfd, n),
        .timeout_ms = timeout_ms,
        .arena = arena,
    };
    uint16_t id = 0;
    if (getrandom(&id, sizeof id, 0) != sizeof id) {
        id = (uint16_t) getpid();
    }
    for (size_t i = 0; i < n; i++) {
        outcomes[i] = (struct tn_probe_outcome){0};
        run.flights[i] = (struct flight){.probe = &probes[i],
                                         .outcome = &outcomes[i],
                                         .fd = -1,
                                         .id = (uint16_t) (id + i)};
    }
    struct tn_error err = {0};
    if (tn_k_excursion(run_all, &run, &err)) {
        char text[TN_ERROR_TEXT];
        for (size_t i = 0; i < n; i++) {
            land(&run, &run.flights[i], TN_PROBE_IMPOSSIBLE,
                 tn_error_text(&err, text, sizeof text));
        }
    }
    tn_arena_free(arena);
}
