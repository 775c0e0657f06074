/* netlink_dump.c - the yardstick of the no-op bench: dump links, addresses,
 * routes, neighbours and FDB of network namespaces by plain netlink, looking
 * at nothing but the end of each dump.
 *
 *     netlink_dump NETNS...      prints "BYTES SECONDS" */
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];

static size_t
dump(int fd, int type, int family)
{
    struct {
        struct nlmsghdr h;
        union {
            struct ifinfomsg link;
            struct ndmsg neigh;
            struct ifaddrmsg addr;
            struct rtmsg route;
        } u;
    } req = {.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
                   .nlmsg_type = (__u16) type,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    req.u.link.ifi_family = (unsigned char) family;
    if (send(fd, &req, req.h.nlmsg_len, 0) < 0) {
        perror("send");
        exit(1);
    }
    for (size_t total = 0;;) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) {
            perror("recv");
            exit(1);
        }
        total += (size_t) n;
        unsigned left = (unsigned) n;
        for (struct nlmsghdr *h = (void *) buffer; NLMSG_OK(h, left);
             h = NLMSG_NEXT(h, left)) {
            if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
                return total;
            }
        }
    }
}

static size_t
namespace_dump(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "/run/netns/%s", name);
    int ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET)) {
        perror(path);
        exit(1);
    }
    close(ns);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    size_t n = dump(fd, RTM_GETLINK, AF_UNSPEC);
    n += dump(fd, RTM_GETADDR, AF_UNSPEC);
    n += dump(fd, RTM_GETROUTE, AF_INET);
    n += dump(fd, RTM_GETROUTE, AF_INET6);
    n += dump(fd, RTM_GETNEIGH, AF_UNSPEC);
    n += dump(fd, RTM_GETNEIGH, AF_BRIDGE);
    close(fd);
    return n;
}

int
main(int argc, char **argv)
{
    struct timespec a, b;
    size_t total = 0;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 1; i < argc; i++) {
        total += namespace_dump(argv[i]);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%zu %.4f\n", total,
           (double) (b.tv_sec - a.tv_sec) +
               (double) (b.tv_nsec - a.tv_nsec) / 1e9);
    return 0;
}
