/* nft_world.c - see nft_world.h.
 *
 *     guest eth0 -- p-X [b-front] [b-back] x-front -- (underlay) -- x-front ...
 *
 * The netlink part of the driver is not used: what is tested here are rules. */
#include "drivers/kernel/nft_world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>

#include "drivers/kernel/nft_fixture.h"

enum { PATIENCE = 400 /* ms */, MESSAGE_MAX = 8192 };

void
tn_nft_world_run(const char *fmt, ...)
{
    char command[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    cr_assert(system(command) == 0, "failed: %s", command);
}

int
tn_nft_world_netns(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/run/netns/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0, "%s", path);
    return fd;
}

static void
subnet(const char *ns, const char *name, const struct tn_net_subnet *s)
{
    char mac[TN_MAC_TEXT], four[TN_ADDR_TEXT], six[TN_ADDR_TEXT];
    tn_nft_world_run("ip -n %s link add b-%s type bridge mcast_snooping 0 && "
                     "ip -n %s link set b-%s address %s mtu 1400 up && "
                     "ip -n %s addr add %s/24 dev b-%s && "
                     "ip -n %s addr add %s/64 dev b-%s nodad",
                     ns, name, ns, name, tn_mac_format(&s->gateway_mac, mac),
                     ns, tn_addr_format(&s->gateway, four), name, ns,
                     tn_addr_format(&s->gateway6, six), name);
}

static void
guest(const char *ns, const char *bridge, const struct tn_net_subnet *s,
      const struct tn_net_port *p)
{
    char mac[TN_MAC_TEXT], four[TN_ADDR_TEXT], six[TN_ADDR_TEXT];
    char gw[TN_ADDR_TEXT], gw6[TN_ADDR_TEXT];
    tn_mac_format(&p->mac, mac);
    tn_nft_world_run(
        "ip netns add %s && ip -n %s link add p-%s type veth peer name eth0 "
        "address %s netns %s && ip -n %s link set p-%s master %s mtu 1400 up "
        "&& ip -n %s link set p-%s type bridge_slave flood off learning off "
        "&& bridge -n %s fdb replace %s dev p-%s master static",
        p->name, ns, p->name, mac, p->name, ns, p->name, bridge, ns, p->name,
        ns, mac, p->name);
    tn_nft_world_run(
        "ip -n %s link set lo up; ip -n %s link set eth0 mtu 1400 up && "
        "ip -n %s addr add %s/24 dev eth0 && "
        "ip -n %s addr add %s/64 dev eth0 nodad && "
        "ip -n %s route add default via %s && "
        "ip -n %s -6 route add default via %s",
        p->name, p->name, p->name, tn_addr_format(&p->address, four), p->name,
        tn_addr_format(&p->address6, six), p->name,
        tn_addr_format(&s->gateway, gw), p->name,
        tn_addr_format(&s->gateway6, gw6));
}

static void
tunnel(int host, const char *name, unsigned vni, int peer)
{
    tn_nft_world_run(
        "ip -n u%d link add x-%s type vxlan id %u local 192.0.2.%d remote "
        "192.0.2.%d dstport 4789 nolearning udp6zerocsumrx && "
        "ip -n u%d link set x-%s netns v%d && "
        "ip -n v%d link set x-%s master b-%s mtu 1400 up",
        host, name, vni, host, peer, host, name, host, host, name, name);
}

/* What the netlink part installs for a port of another host. */
static void
remote(const char *ns, const char *name, const struct tn_net_port *p)
{
    char mac[TN_MAC_TEXT], four[TN_ADDR_TEXT], six[TN_ADDR_TEXT];
    tn_mac_format(&p->mac, mac);
    tn_nft_world_run(
        "bridge -n %s fdb replace %s dev x-%s master static && "
        "ip -n %s neigh replace %s lladdr %s dev b-%s nud permanent && "
        "ip -n %s neigh replace %s lladdr %s dev b-%s nud permanent",
        ns, mac, name, ns, tn_addr_format(&p->address, four), mac, name, ns,
        tn_addr_format(&p->address6, six), mac, name);
}

static void
host(int n, const struct tn_nft_input *in)
{
    char ns[8];
    snprintf(ns, sizeof ns, "v%d", n);
    tn_nft_world_run(
        "ip netns add v%d && ip -n v%d link set lo up && "
        "ip netns add u%d && ip netns exec v%d sysctl -qw "
        "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
        "net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 "
        "net.bridge.bridge-nf-call-iptables=1 "
        "net.bridge.bridge-nf-call-ip6tables=1",
        n, n, n, n);
    for (size_t i = 0; i < in->vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &in->vpc->subnets[i];
        subnet(ns, s->name, s);
        for (size_t k = 0; k < s->n_ports; k++) {
            if (in->subnets[i].ports[k]) {
                guest(ns, in->subnets[i].bridge, s, &s->ports[k]);
            }
        }
    }
}

static void
remotes(int n, const struct tn_nft_input *in)
{
    char ns[8];
    snprintf(ns, sizeof ns, "v%d", n);
    for (size_t i = 0; i < in->vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &in->vpc->subnets[i];
        tunnel(n, s->name, s->vni, 3 - n);
        for (size_t k = 0; k < s->n_ports; k++) {
            if (!in->subnets[i].ports[k]) {
                remote(ns, s->name, &s->ports[k]);
            }
        }
    }
}

static void
lab(void)
{
    const struct tn_net_subnet *s = &tn_nft_lab.vpc->subnets[0];
    tn_nft_world_run(
        "ip netns add lab && ip -n lab link set lo up && "
        "ip netns exec lab sysctl -qw "
        "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
        "net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 "
        "net.bridge.bridge-nf-call-iptables=1 "
        "net.bridge.bridge-nf-call-ip6tables=1");
    subnet("lab", "lab", s);
    guest("lab", "b-lab", s, &s->ports[0]);
    tn_nft_world_run(
        "ip -n v1 link add l-peer type veth peer name l-peer netns lab && "
        "ip -n v1 addr add fe80::1/64 dev l-peer nodad && "
        "ip -n lab addr add fe80::2/64 dev l-peer nodad && "
        "ip -n v1 link set l-peer up && ip -n lab link set l-peer up && "
        "ip -n v1 route add 192.168.7.0/24 via inet6 fe80::2 dev l-peer && "
        "ip -n v1 route add fd00:0:0:7::/64 via fe80::2 dev l-peer && "
        "ip -n lab route add 10.0.0.0/16 via inet6 fe80::1 dev l-peer && "
        "ip -n lab route add fd00::/62 via fe80::1 dev l-peer");
}

static void
apply(const char *ns, const struct tn_nft_input *in)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    struct tn_nft *nft;
    struct tn_arena *arena = tn_arena_new();
    int fd = tn_nft_world_netns(ns);
    cr_assert(tn_nft_new(NULL, &nft, &err) == TN_OK);
    cr_assert(tn_nft_apply(nft, fd, tn_nft_render(arena, in), &err) == TN_OK,
              "%s", tn_error_text(&err, text, sizeof text));
    tn_nft_free(nft);
    close(fd);
    tn_arena_free(arena);
}

void
tn_nft_world_new(void)
{
    cr_assert(unshare(CLONE_NEWNS) == 0, "needs root");
    cr_assert(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    tn_nft_world_run("mkdir -p /run/netns && mount -t tmpfs tenet /run/netns");
    host(1, &tn_nft_host1);
    host(2, &tn_nft_host2);
    tn_nft_world_run(
        "ip -n u1 link add eth0 type veth peer name eth0 netns u2 && "
        "ip -n u1 addr add 192.0.2.1/24 dev eth0 && "
        "ip -n u2 addr add 192.0.2.2/24 dev eth0 && "
        "ip -n u1 link set eth0 up && ip -n u2 link set eth0 up");
    remotes(1, &tn_nft_host1);
    remotes(2, &tn_nft_host2);
    lab();
    /* What "r" routes, by the VPC's static route. */
    tn_nft_world_run("ip -n v1 route add 172.16.0.0/16 via 10.0.1.30 && "
                     "ip -n r addr add 172.16.0.1/32 dev lo");
    apply("v1", &tn_nft_host1);
    apply("v2", &tn_nft_host2);
    apply("lab", &tn_nft_lab);
}

static void
go_to(const char *name)
{
    int fd = tn_nft_world_netns(name);
    if (setns(fd, CLONE_NEWNET)) {
        _exit(99);
    }
    close(fd);
}

static bool
wait_for(int fd, short events)
{
    struct pollfd p = {fd, events, 0};
    return poll(&p, 1, PATIENCE) == 1 && (p.revents & events);
}

static socklen_t
address_of(const struct tn_nft_flow *f, struct sockaddr_storage *out)
{
    struct sockaddr_in *four = (struct sockaddr_in *) out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *) out;
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, f->address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t) f->port);
        return sizeof *four;
    }
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t) f->port);
    char plain[64];
    snprintf(plain, sizeof plain, "%s", f->address);
    char *zone = strchr(plain, '%');
    if (zone) {
        *zone = '\0';
        six->sin6_scope_id = if_nametoindex(zone + 1);
    }
    cr_assert(inet_pton(AF_INET6, plain, &six->sin6_addr) == 1);
    return sizeof *six;
}

/* Answers one message, then ends.  A byte in 'ready' says that it listens. */
static void
serve(const struct tn_nft_flow *f, int ready)
{
    static char buf[MESSAGE_MAX];
    struct sockaddr_in6 any = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t) f->port)};
    go_to(f->to);
    bool tcp = f->what == TN_FLOW_TCP;
    int s = socket(AF_INET6, tcp ? SOCK_STREAM : SOCK_DGRAM, 0), on = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(s, (struct sockaddr *) &any, sizeof any) ||
        (tcp && listen(s, 4))) {
        _exit(98);
    }
    if (write(ready, "x", 1) != 1 || !wait_for(s, POLLIN)) {
        _exit(1);
    }
    int c = tcp ? accept(s, NULL, NULL) : s;
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    ssize_t n;
    while (wait_for(c, POLLIN) &&
           (n = recvfrom(c, buf, sizeof buf, 0, (struct sockaddr *) &from,
                         &size)) > 0) {
        if (sendto(c, buf, (size_t) n, 0,
                   tcp ? NULL : (struct sockaddr *) &from,
                   tcp ? 0 : size) != n) {
            _exit(1);
        }
    }
    _exit(0);
}

static bool
answered(int s, size_t size)
{
    static char buf[MESSAGE_MAX];
    memset(buf, 'x', sizeof buf);
    if (send(s, buf, size, 0) != (ssize_t) size) {
        return false;
    }
    for (size_t got = 0; got < size;) {
        ssize_t n = wait_for(s, POLLIN) ? recv(s, buf, sizeof buf, 0) : 0;
        if (n <= 0) {
            return false;
        }
        got += (size_t) n;
    }
    return true;
}

static void
call(const struct tn_nft_flow *f)
{
    go_to(f->from);
    struct sockaddr_storage to;
    socklen_t n = address_of(f, &to);
    bool tcp = f->what == TN_FLOW_TCP;
    int s = socket(to.ss_family,
                   (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
    int failed = 0;
    socklen_t size = sizeof failed;
    if (connect(s, (struct sockaddr *) &to, n) &&
        (errno != EINPROGRESS || !wait_for(s, POLLOUT) ||
         getsockopt(s, SOL_SOCKET, SO_ERROR, &failed, &size) || failed)) {
        _exit(1);
    }
    _exit(answered(s, f->size ? f->size : 4) ? 0 : 1);
}

static uint16_t
checksum(const uint8_t *b, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (uint32_t) b[i] << (i % 2 ? 0 : 8);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~sum;
}

static void
ping(const struct tn_nft_flow *f)
{
    go_to(f->from);
    struct sockaddr_storage to;
    socklen_t n = address_of(f, &to);
    bool four = to.ss_family == AF_INET;
    ((struct sockaddr_in *) &to)->sin_port = 0;
    int s = socket(to.ss_family, SOCK_RAW,
                   four ? (int) IPPROTO_ICMP : (int) IPPROTO_ICMPV6);
    static uint8_t out[MESSAGE_MAX], in[MESSAGE_MAX];
    size_t size = 8 + f->size;
    out[0] = four ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
    out[4] = 't';
    out[5] = (uint8_t) getpid();
    uint16_t sum = checksum(out, size);
    if (four) {
        out[2] = (uint8_t) (sum >> 8);
        out[3] = (uint8_t) sum;
    }
    if (sendto(s, out, size, 0, (struct sockaddr *) &to, n) < 0) {
        _exit(1);
    }
    while (wait_for(s, POLLIN)) {
        ssize_t got = recv(s, in, sizeof in, 0);
        const uint8_t *icmp = in + (four ? (in[0] & 15) * 4 : 0);
        if (got >= 28 - (four ? 0 : 20) &&
            icmp[0] == (four ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) &&
            icmp[4] == 't' && icmp[5] == out[5]) {
            _exit(0);
        }
    }
    _exit(1);
}

static int
ended(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

bool
tn_nft_world_flows(const struct tn_nft_flow *f)
{
    pid_t server = 0;
    if (f->what != TN_FLOW_PING) {
        int ready[2];
        char c;
        cr_assert(pipe(ready) == 0);
        server = fork();
        if (server == 0) {
            serve(f, ready[1]);
        }
        close(ready[1]);
        cr_assert(read(ready[0], &c, 1) == 1, "no server in %s", f->to);
        close(ready[0]);
    }
    pid_t client = fork();
    if (client == 0) {
        if (f->what == TN_FLOW_PING) {
            ping(f);
        }
        call(f);
    }
    int rc = ended(client);
    if (server) {
        cr_assert(ended(server) < 90);
    }
    cr_assert(rc < 90, "helper failed: %d", rc);
    return rc == 0;
}

static int
packet_socket(const char *ns)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    go_to(ns);
    int s = socket(AF_PACKET, SOCK_RAW, htons(0x0003 /* all */));
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(0x0003),
                             .sll_ifindex = (int) if_nametoindex("eth0")};
    cr_assert(s >= 0 && bind(s, (struct sockaddr *) &at, sizeof at) == 0);
    cr_assert(setns(home, CLONE_NEWNET) == 0);
    close(home);
    return s;
}

bool
tn_nft_world_frame(const char *from, const char *to, const uint8_t *frame,
                   size_t n)
{
    int in = packet_socket(to), out = packet_socket(from);
    bool seen = false;
    uint8_t buf[2048];
    struct pollfd p = {in, POLLIN, 0};
    cr_assert(send(out, frame, n, 0) == (ssize_t) n);
    while (!seen && poll(&p, 1, PATIENCE / 4) == 1) {
        ssize_t got = recv(in, buf, sizeof buf, 0);
        seen = got >= TN_FRAME_MARK &&
               memcmp(buf + got - TN_FRAME_MARK, frame + n - TN_FRAME_MARK,
                      TN_FRAME_MARK) == 0;
    }
    close(in);
    close(out);
    return seen;
}
