/* watch_sock.c - the descriptors of a watch, and reading from them.
 *
 * What the kernel says about neighbours that it has learned itself is by far
 * the most of all and never of interest: a filter drops it where it arises, so
 * that nobody is woken. */
#include "drivers/kernel/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/net_namespace.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "drivers/kernel/netns.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

enum {
    RECEIVE_BUFFER = 8 * 1024 * 1024,
    DATAGRAM = 64 * 1024,
    MOST_ERRORS = 100,
};

static const int route_groups[] = {
    RTNLGRP_LINK,        RTNLGRP_NEIGH,        RTNLGRP_IPV4_IFADDR,
    RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,   RTNLGRP_IPV6_ROUTE,
    RTNLGRP_NSID,        RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
    RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,    RTNLGRP_TC,
};
static const int rules_groups[] = {NFNLGRP_NFTABLES};

/* Offsets in a message about a neighbour. */
enum {
    AT_TYPE = offsetof(struct nlmsghdr, nlmsg_type),
    AT_WRITER = offsetof(struct nlmsghdr, nlmsg_pid),
    AT_FAMILY = NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_family),
    AT_STATE = NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_state),
    AT_FLAGS = NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_flags),
    AT_ATTRS = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ndmsg)),
};

/* A load turns the bytes around: numbers of the machine's order come out as
 * those of the network's. */
#define SWAP16(v) ((uint32_t) (uint16_t) (((v) << 8 | (v) >> 8)))
#define HOST16(v)                                                              \
    (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? SWAP16(v) : (uint32_t) (v))

/* Drops a neighbour message that nobody has written (port 0), that has no
 * protocol number and is not permanent; and, of forwarding entries, those of a
 * bridge that are neither static nor of an outside source. */
static enum tn_code
set_filter(int fd, struct tn_error *err)
{
    const uint32_t new_type = HOST16(RTM_NEWNEIGH);
    const uint32_t del_type = HOST16(RTM_DELNEIGH);
    const uint32_t fixed = HOST16(NUD_PERMANENT);
    const uint32_t fixed_or_static = HOST16(NUD_PERMANENT | NUD_NOARP);
    const uint32_t nlattr = (uint32_t) (SKF_AD_OFF + SKF_AD_NLATTR);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_TYPE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, new_type, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, del_type, 0, 17),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_FAMILY),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_BRIDGE, 7, 0),
        /* A neighbour. */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_WRITER),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 13),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_STATE),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, fixed, 11, 0),
        BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, NDA_PROTOCOL),
        BPF_STMT(BPF_LD | BPF_W | BPF_IMM, AT_ATTRS),
        BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0),
        /* A forwarding entry. */
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_STATE),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, fixed_or_static, 6, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_FLAGS),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NTF_EXT_LEARNED, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JA, 4, 0, 0),
        /* Has it a protocol? */
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, nlattr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
        /* Of a tunnel's own table, which is no bridge's, or learned. */
        BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, NDA_MASTER),
        BPF_STMT(BPF_LD | BPF_W | BPF_IMM, AT_ATTRS),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, nlattr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {TN_ARRAY_SIZE(code), code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) <
        0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno,
                           "cannot filter netlink events");
    }
    return TN_OK;
}

static enum tn_code
open_listener(int protocol, const int *groups, size_t n, int *out,
              struct tn_error *err)
{
    const int on = 1, size = RECEIVE_BUFFER;
    const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    int fd =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "netlink");
    }
    *out = fd;
    if (bind(fd, (const struct sockaddr *) &any, sizeof any) < 0 ||
        (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0 &&
         setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) < 0)) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "netlink");
    }
    if (setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof on) <
        0) {
        return tn_fail_sys(err, errno == EPERM ? TN_EDENIED : TN_EUNSUPPORTED,
                           errno,
                           "cannot hear events of other network namespaces "
                           "(CAP_NET_BROADCAST)");
    }
    for (size_t i = 0; i < n; i++) {
        if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
                       sizeof groups[i]) < 0) {
            return tn_fail_sys(err, TN_EUNSUPPORTED, errno, "netlink group %d",
                               groups[i]);
        }
    }
    return TN_OK;
}

/* In a namespace of its own, which the thread leaves behind: what keeps
 * that alive are the sockets. */
static enum tn_code
open_inside(void *ctx, struct tn_error *err)
{
    struct tn_watch *w = ctx;
    if (unshare(CLONE_NEWNET) < 0) {
        return tn_fail_sys(err, errno == EPERM ? TN_EDENIED : TN_EUNAVAILABLE,
                           errno, "cannot make a network namespace");
    }
    enum tn_code code = tn_k_sock_open(&w->ask, err);
    if (code == TN_OK) {
        code = open_listener(NETLINK_ROUTE, route_groups,
                             TN_ARRAY_SIZE(route_groups), &w->route, err);
    }
    if (code == TN_OK) {
        code = set_filter(w->route, err);
    }
    if (code == TN_OK) {
        code = open_listener(NETLINK_NETFILTER, rules_groups,
                             TN_ARRAY_SIZE(rules_groups), &w->rules, err);
    }
    return code;
}

static bool
poll_add(const struct tn_watch *w, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    return fd >= 0 && epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* A user has 128 of them by default, and so has root for all its programs. */
enum tn_code
tn_k_watch_folder(struct tn_watch *w, bool *watched, struct tn_error *err)
{
    const uint32_t mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
    TN_CLEANUP(tn_cleanup_fd) int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    *watched = false;
    if (fd < 0) {
        return errno == EMFILE || errno == ENFILE
                   ? TN_OK
                   : tn_fail_sys(err, TN_EUNAVAILABLE, errno, "inotify");
    }
    if (inotify_add_watch(fd, "/run/netns", mask) < 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "/run/netns");
    }
    if (!poll_add(w, fd)) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "epoll");
    }
    w->folder = fd;
    fd = -1;
    *watched = true;
    return TN_OK;
}

enum tn_code
tn_k_watch_sockets(struct tn_watch *w, struct tn_error *err)
{
    enum tn_code code = tn_k_netns_open(NULL, &w->home, err);
    if (code == TN_OK) {
        code = tn_k_excursion(open_inside, w, err);
    }
    if (code != TN_OK) {
        return code;
    }
    /* As 'ip netns' makes it; names come and go in there. */
    (void) mkdir("/run/netns", 0755);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (!poll_add(w, w->timer) || !poll_add(w, w->route) ||
        !poll_add(w, w->rules)) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "epoll");
    }
    bool watched = false;
    code = tn_k_watch_folder(w, &watched, err);
    w->poll_at = watched ? 0 : tn_now_ns();
    return code;
}

void
tn_k_watch_wake(struct tn_watch *w, bool on)
{
    const int fds[] = {w->route, w->rules};
    for (size_t i = 0; i < TN_ARRAY_SIZE(fds); i++) {
        struct epoll_event e = {.events = on ? EPOLLIN : 0, .data.fd = fds[i]};
        (void) epoll_ctl(w->epoll, EPOLL_CTL_MOD, fds[i], &e);
    }
}

struct datagram {
    _Alignas(struct nlmsghdr) char bytes[DATAGRAM];
    ssize_t n;
    int32_t nsid; /* -1: of the watch's own namespace. */
};

/* False: there is none. */
static bool
receive(struct tn_watch *w, int fd, struct datagram *d)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {d->bytes, sizeof d->bytes};
    struct sockaddr_nl from = {0};
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    d->n = recvmsg(fd, &m, 0);
    if (d->n < 0) {
        if (errno == EAGAIN) {
            w->errors = 0;
            return false;
        }
        if (errno != EINTR) {
            w->errors++;
            tn_k_events_lost(w, errno == ENOBUFS ? "too many events at once"
                                                 : "events were lost");
        }
        d->n = 0;
        return w->errors < MOST_ERRORS;
    }
    w->errors = 0;
    d->nsid = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == SOL_NETLINK &&
            c->cmsg_type == NETLINK_LISTEN_ALL_NSID) {
            memcpy(&d->nsid, CMSG_DATA(c), sizeof d->nsid);
        }
    }
    if (m.msg_flags & MSG_TRUNC) {
        tn_k_events_lost(w, "an event was too long");
    }
    if ((m.msg_flags & MSG_TRUNC) || from.nl_pid != 0) {
        d->n = 0; /* Cut, or not from the kernel. */
    }
    return true;
}

static void
nsid_message(struct tn_watch *w, const struct nlmsghdr *msg)
{
    const struct nlattr *a;
    int left;
    if (msg->nlmsg_type != RTM_DELNSID) {
        return;
    }
    TN_K_EACH_ATTR_OF(a, msg, sizeof(struct rtgenmsg), left)
    {
        if (tn_k_attr_type(a) == NETNSA_NSID) {
            tn_k_watched_destroyed(w, (int32_t) tn_k_attr_u32(a));
        }
    }
}

static void
message(struct tn_watch *w, int fd, int32_t nsid, const struct nlmsghdr *msg)
{
    if (nsid < 0) {
        if (fd == w->route) {
            nsid_message(w, msg);
        }
        return;
    }
    if ((size_t) nsid >= w->n_nsids) {
        return;
    }
    for (struct tn_k_watched *s = w->nsids[nsid].first; s; s = s->next) {
        if (fd == w->route) {
            tn_k_watch_route_message(w, s, msg);
        } else {
            tn_k_watch_rules_message(w, s, msg);
        }
    }
}

static size_t
drain(struct tn_watch *w, int fd, size_t most)
{
    struct datagram d;
    size_t count = 0;
    while (count < most && receive(w, fd, &d)) {
        size_t left = (size_t) d.n;
        const struct nlmsghdr *msg = (const void *) d.bytes;
        count++;
        while (left >= sizeof *msg && msg->nlmsg_len >= sizeof *msg &&
               msg->nlmsg_len <= left) {
            message(w, fd, d.nsid, msg);
            size_t step = NLMSG_ALIGN(msg->nlmsg_len);
            if (step >= left) {
                break;
            }
            left -= step;
            msg = (const void *) ((const char *) msg + step);
        }
        if (count % 64 == 0) {
            tn_arena_reset(w->scratch);
        }
    }
    tn_arena_reset(w->scratch);
    return count;
}

size_t
tn_k_watch_drain(struct tn_watch *w, size_t most)
{
    size_t n = drain(w, w->route, most);
    return n + drain(w, w->rules, most);
}
