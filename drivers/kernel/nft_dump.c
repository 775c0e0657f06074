/* nft_dump.c - raw dumps of nf_tables over nfnetlink.
 *
 * Four dumps and one per set; no object is asked for by name otherwise.  First
 * of all the generation is asked for.  Each message carries the low half of the
 * generation it was read in: all of them being equal proves that the parts
 * belong together. */
#include "drivers/kernel/nft_kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <netinet/in.h> /* Before linux/netfilter.h. */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "drivers/kernel/nl.h"
#include "model/base/cleanup.h"

enum { TRIES = 10, BUFFER = 1 << 16 };

struct tn_nft_reader {
    struct nl_sock *sock;
    struct tn_digest namespace; /* Boot and cookie. */
};

/* One attempt to read everything. */
struct attempt {
    struct nl_sock *sock;
    struct tn_nft_raw *raw;
    uint32_t sequence; /* Of the request that is being answered. */
    uint32_t generation;
    bool moved; /* Somebody wrote: try again. */
};

static void
cleanup_sock(struct nl_sock **sock)
{
    nl_socket_free(*sock); /* Accepts null. */
}

static void
cleanup_msg(struct nl_msg **msg)
{
    nlmsg_free(*msg); /* Accepts null. */
}

/* The cookie is unique to a namespace until the next boot. */
static void
name_namespace(struct tn_nft_reader *reader)
{
    struct tn_digester d;
    char boot[64] = "";
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    TN_CLEANUP(tn_cleanup_file)
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    bool named = f && fgets(boot, sizeof boot, f) &&
                 getsockopt(nl_socket_get_fd(reader->sock), SOL_SOCKET,
                            SO_NETNS_COOKIE, &cookie, &size) == 0;
    if (!named && getrandom(boot, sizeof boot - 1, 0) < 0) {
        abort(); /* A name that is not unique would hide changes. */
    }
    tn_digester_init(&d);
    tn_digester_add(&d, boot, sizeof boot);
    tn_digester_add(&d, &cookie, sizeof cookie);
    reader->namespace = tn_digester_end(&d);
}

static enum tn_code
request(struct attempt *a, int type, const struct tn_nft_raw_set *set,
        struct tn_error *err)
{
    TN_CLEANUP(cleanup_msg)
    struct nl_msg *msg =
        nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | type,
                           type == NFT_MSG_GETGEN ? 0 : NLM_F_DUMP);
    const struct nfgenmsg head = {set ? set->family : NFPROTO_UNSPEC,
                                  NFNETLINK_V0, 0};
    if (!msg || nlmsg_append(msg, (void *) (uintptr_t) &head, sizeof head,
                             NLMSG_ALIGNTO)) {
        return tn_fail(err, TN_EINTERNAL, 0, "no netlink message");
    }
    if (set && (nla_put_string(msg, NFTA_SET_ELEM_LIST_TABLE, set->table) ||
                nla_put_string(msg, NFTA_SET_ELEM_LIST_SET, set->name))) {
        return tn_fail(err, TN_EINTERNAL, 0, "no room in a netlink message");
    }
    int rc = nl_send_auto(a->sock, msg);
    if (rc < 0) {
        return tn_fail(err, TN_EUNAVAILABLE, -rc, "nfnetlink: %s",
                       nl_geterror(rc));
    }
    a->sequence = nlmsg_hdr(msg)->nlmsg_seq;
    return TN_OK;
}

static enum tn_code
take_error(struct attempt *a, int sys, struct tn_error *err)
{
    switch (sys) {
    case 0:
        return TN_OK;
    case ENOENT: /* A set that went away since it was listed. */
    case EINTR:
    case EAGAIN:
    case EBUSY:
        a->moved = true;
        return TN_OK;
    case EPERM:
        return tn_fail_sys(err, TN_EDENIED, sys, "cannot read the rules");
    default:
        return tn_fail_sys(err, TN_EUNAVAILABLE, sys, "cannot read the rules");
    }
}

static enum tn_code
take_message(struct attempt *a, const struct nlmsghdr *h, struct tn_error *err)
{
    const char *payload = nlmsg_data(h);
    size_t n = (size_t) nlmsg_datalen(h);
    int type = h->nlmsg_type & 0xff;
    if (h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
        n < sizeof(struct nfgenmsg)) {
        return TN_OK;
    }
    struct nfgenmsg head;
    memcpy(&head, payload, sizeof head);
    if (type == NFT_MSG_NEWGEN) {
        struct nlattr *id = nla_find(
            (const struct nlattr *) (const void *) (payload + sizeof head),
            (int) (n - sizeof head), NFTA_GEN_ID);
        a->generation = id && nla_len(id) >= 4 ? ntohl(nla_get_u32(id)) : 0;
        return TN_OK;
    }
    a->moved = a->moved || ntohs(head.res_id) != (uint16_t) a->generation;
    if (!tn_nft_raw_add(a->raw, type, payload, n)) {
        return tn_fail(err, TN_EINTERNAL, 0,
                       "the kernel's message of type %d is malformed", type);
    }
    return TN_OK;
}

/* Takes all messages of one buffer; '*done' when the answer is complete. */
static enum tn_code
take_buffer(struct attempt *a, unsigned char *buf, int n, bool *done,
            struct tn_error *err)
{
    const uint32_t port = nl_socket_get_local_port(a->sock);
    struct nlmsghdr *h = (struct nlmsghdr *) (void *) buf;
    for (; nlmsg_ok(h, n); h = nlmsg_next(h, &n)) {
        enum tn_code code;
        if (h->nlmsg_pid != port || h->nlmsg_seq != a->sequence) {
            continue;
        }
        a->moved = a->moved || (h->nlmsg_flags & NLM_F_DUMP_INTR);
        if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
            int sys = 0;
            if (nlmsg_datalen(h) >= (int) sizeof sys) {
                memcpy(&sys, nlmsg_data(h), sizeof sys);
            }
            *done = true;
            code = take_error(a, -sys, err);
        } else {
            code = take_message(a, h, err);
            *done = *done || !(h->nlmsg_flags & NLM_F_MULTI);
        }
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

static enum tn_code
ask(struct attempt *a, int type, const struct tn_nft_raw_set *set,
    struct tn_error *err)
{
    enum tn_code code = request(a, type, set, err);
    for (bool done = false; !code && !done;) {
        TN_CLEANUP(tn_cleanup_free) unsigned char *buf = NULL;
        struct sockaddr_nl from;
        int n = nl_recv(a->sock, &from, &buf, NULL);
        if (n <= 0) {
            return tn_fail(err, TN_EUNAVAILABLE, -n, "nfnetlink: %s",
                           n ? nl_geterror(n) : "closed");
        }
        code = take_buffer(a, buf, n, &done, err);
    }
    return code;
}

static enum tn_code
read_all(struct attempt *a, enum tn_nft_extent extent, struct tn_error *err)
{
    static const int types[] = {NFT_MSG_GETGEN, NFT_MSG_GETTABLE,
                                NFT_MSG_GETCHAIN, NFT_MSG_GETRULE,
                                NFT_MSG_GETSET};
    for (size_t i = 0; i < TN_ARRAY_SIZE(types) && !a->moved; i++) {
        enum tn_code code = ask(a, types[i], NULL, err);
        if (code) {
            return code;
        }
        if (types[i] == NFT_MSG_GETTABLE &&
            (extent == TN_NFT_TABLES ||
             (!tn_nft_raw_has(a->raw, NFPROTO_INET) &&
              !tn_nft_raw_has(a->raw, NFPROTO_BRIDGE)))) {
            return TN_OK;
        }
    }
    size_t n;
    const struct tn_nft_raw_set *sets = tn_nft_raw_sets(a->raw, &n);
    for (size_t i = 0; i < n && !a->moved; i++) {
        enum tn_code code = ask(a, NFT_MSG_GETSETELEM, &sets[i], err);
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

enum tn_code
tn_nft_reader_new(int netns, struct tn_nft_reader **out, struct tn_error *err)
{
    TN_CLEANUP(cleanup_sock) struct nl_sock *sock = nl_socket_alloc();
    TN_CLEANUP(tn_cleanup_free)
    struct tn_nft_reader *reader = calloc(1, sizeof *reader);
    if (!sock || !reader) {
        return tn_fail(err, TN_EINTERNAL, 0, "no netlink socket");
    }
    struct tn_nft_visit visit = {-1};
    enum tn_code code = tn_nft_enter(&visit, netns, err);
    if (code) {
        return code;
    }
    int rc = tn_k_nl_connect(sock, NETLINK_NETFILTER);
    tn_nft_leave(&visit);
    if (rc < 0) {
        return tn_fail(err, TN_EUNSUPPORTED, -rc, "nfnetlink: %s",
                       nl_geterror(rc));
    }
    nl_socket_set_msg_buf_size(sock, BUFFER);
    nl_socket_disable_msg_peek(sock);
    nl_socket_disable_auto_ack(sock);
    reader->sock = TN_TAKE(sock);
    name_namespace(reader);
    *out = TN_TAKE(reader);
    return TN_OK;
}

void
tn_nft_reader_free(struct tn_nft_reader *reader)
{
    if (reader) {
        nl_socket_free(reader->sock);
        free(reader);
    }
}

enum tn_code
tn_nft_read(struct tn_nft_reader *reader, enum tn_nft_extent extent,
            struct tn_arena *arena, struct tn_nft_snapshot *out,
            struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (int i = 0; !code && i < TRIES; i++) {
        struct attempt a = {.sock = reader->sock, .raw = tn_nft_raw_new(arena)};
        code = read_all(&a, extent, err);
        if (!code && !a.moved) {
            struct tn_digester d;
            tn_digester_init(&d);
            tn_digester_add(&d, &reader->namespace, sizeof reader->namespace);
            tn_digester_add(&d, &a.generation, sizeof a.generation);
            *out = (struct tn_nft_snapshot){a.raw, a.generation,
                                            tn_digester_end(&d)};
            return TN_OK;
        }
    }
    return code ? code
                : tn_fail(err, TN_EUNAVAILABLE, EBUSY,
                          "somebody keeps changing the rules");
}
