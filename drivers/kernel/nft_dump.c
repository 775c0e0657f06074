/* nft_dump.c - raw dumps of nf_tables over nfnetlink.
 *
 * Four dumps and one per set; no object is asked for by name otherwise.  Each
 * message carries the low half of the generation it was read in: all of them
 * being equal proves that the parts belong together. */
#include "drivers/kernel/nft_kernel.h"

#include <errno.h>
#include <string.h>

#include <netinet/in.h> /* Before linux/netfilter.h. */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "model/base/cleanup.h"

enum { TRIES = 10, BUFFER = 1 << 16 };

/* One attempt to read everything. */
struct attempt {
    struct nl_sock *sock;
    struct tn_nft_raw *raw;
    bool any;   /* 'generation' is known. */
    bool moved; /* Somebody wrote: try again. */
    uint16_t generation;
    uint32_t id; /* Of NFT_MSG_NEWGEN. */
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

static enum tn_code
connect_in(int netns, struct nl_sock **out, struct tn_error *err)
{
    TN_CLEANUP(cleanup_sock) struct nl_sock *sock = nl_socket_alloc();
    if (!sock) {
        return tn_fail(err, TN_EINTERNAL, 0, "no netlink socket");
    }
    struct tn_nft_visit visit = {-1};
    enum tn_code code = tn_nft_enter(&visit, netns, err);
    if (code) {
        return code;
    }
    int rc = nl_connect(sock, NETLINK_NETFILTER);
    tn_nft_leave(&visit);
    if (rc < 0) {
        return tn_fail(err, TN_EUNSUPPORTED, -rc, "nfnetlink: %s",
                       nl_geterror(rc));
    }
    nl_socket_set_msg_buf_size(sock, BUFFER);
    nl_socket_disable_msg_peek(sock);
    *out = TN_TAKE(sock);
    return TN_OK;
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
        struct nlattr *id =
            nla_find((const struct nlattr *) (payload + sizeof head),
                     (int) (n - sizeof head), NFTA_GEN_ID);
        a->id = id && nla_len(id) >= 4 ? ntohl(nla_get_u32(id)) : 0;
        return TN_OK;
    }
    a->moved = a->moved || (a->any && a->generation != ntohs(head.res_id)) ||
               (h->nlmsg_flags & NLM_F_DUMP_INTR);
    a->any = true;
    a->generation = ntohs(head.res_id);
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
        if (h->nlmsg_pid != port) {
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
read_all(struct attempt *a, struct tn_error *err)
{
    static const int types[] = {NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN,
                                NFT_MSG_GETRULE, NFT_MSG_GETSET};
    for (size_t i = 0; i < TN_ARRAY_SIZE(types); i++) {
        enum tn_code code = ask(a, types[i], NULL, err);
        if (code) {
            return code;
        }
        if (!tn_nft_raw_has(a->raw, NFPROTO_INET) &&
            !tn_nft_raw_has(a->raw, NFPROTO_BRIDGE)) {
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
tn_nft_generation(int netns, uint32_t *out, struct tn_error *err)
{
    TN_CLEANUP(cleanup_sock) struct nl_sock *sock = NULL;
    enum tn_code code = connect_in(netns, &sock, err);
    struct attempt a = {.sock = sock};
    if (!code) {
        code = ask(&a, NFT_MSG_GETGEN, NULL, err);
    }
    if (!code) {
        *out = a.id;
    }
    return code;
}

enum tn_code
tn_nft_dump(int netns, struct tn_arena *arena, struct tn_nft_raw **out,
            uint16_t *generation, struct tn_error *err)
{
    TN_CLEANUP(cleanup_sock) struct nl_sock *sock = NULL;
    enum tn_code code = connect_in(netns, &sock, err);
    for (int i = 0; !code && i < TRIES; i++) {
        struct attempt a = {.sock = sock, .raw = tn_nft_raw_new(arena)};
        code = read_all(&a, err);
        if (!code && !a.moved) {
            *out = a.raw;
            if (generation) {
                *generation = a.generation;
            }
            return TN_OK;
        }
    }
    return code ? code
                : tn_fail(err, TN_EUNAVAILABLE, EBUSY,
                          "somebody keeps changing the rules");
}
