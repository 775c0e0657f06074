/* netns_wait.c - how long does another program wait for the kernel?
 *
 *     netns_wait NETNS
 *
 * Sets a link of the namespace up over and over, which takes the rtnl lock,
 * until SIGTERM; then prints the longest single wait in seconds. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void
on_term(int sig)
{
    (void) sig;
    stop = 1;
}

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
    char path[512];
    if (argc != 2) {
        fprintf(stderr, "usage: netns_wait NETNS\n");
        return 1;
    }
    snprintf(path, sizeof path, "/run/netns/%s", argv[1]);
    int ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET)) {
        perror(path);
        return 1;
    }
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct sigaction sa = {.sa_handler = on_term};
    sigaction(SIGTERM, &sa, NULL);
    struct {
        struct nlmsghdr h;
        struct ifinfomsg i;
    } req = {.h = {.nlmsg_len = sizeof req,
                   .nlmsg_type = RTM_NEWLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
             .i = {.ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP}};
    double worst = 0;
    size_t rounds = 0;
    while (!stop) {
        char reply[4096];
        double start = now();
        if (send(fd, &req, sizeof req, 0) < 0 ||
            recv(fd, reply, sizeof reply, 0) < 0) {
            break;
        }
        double took = now() - start;
        worst = took > worst ? took : worst;
        rounds++;
        usleep(2000);
    }
    printf("%zu %.4f\n", rounds, worst);
    return 0;
}
