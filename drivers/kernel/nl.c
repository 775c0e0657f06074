/* nl.c - see nl.h.
 *
 * Sockets are libnl's, so that port numbers do not collide with those that
 * libnftables and others in the process use; messages are written and read in
 * place, because objects per message cost more than the kernel's own work. */
#include "drivers/kernel/nl.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "drivers/kernel/netns.h"
#include "model/base/cleanup.h"

enum {
    DUMP_ATTEMPTS = 30,
    RECEIVE_SIZE = 64 * 1024,
    SOCKET_BUFFER = 8 * 1024 * 1024,
    CHUNK_BYTES = 96 * 1024,
    CHUNK_MESSAGES = 400,
};

/* Aligned for the headers that are read in place. */
struct receive {
    _Alignas(struct nlmsghdr) char bytes[RECEIVE_SIZE];
};

enum tn_code
tn_k_code_of(int error)
{
    switch (error) {
    case EPERM:
    case EACCES:
        return TN_EDENIED;
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return TN_EUNSUPPORTED;
    case EEXIST:
    case ENODEV:
    case ENOENT:
    case ESRCH:
    case EADDRNOTAVAIL:
        return TN_ESTALE;
    case EBUSY:
    case EAGAIN:
    case EINTR:
    case ENOBUFS:
    case ENOMEM:
    case EADDRINUSE:
    case ENETUNREACH:
    case ENETDOWN:
        return TN_EUNAVAILABLE;
    default:
        return TN_EINTERNAL;
    }
}

void
tn_k_sock_close(struct tn_k_sock *sock)
{
    nl_socket_free(sock->nl);
    sock->nl = NULL;
}

int
tn_k_nl_connect(struct nl_sock *sock, int protocol)
{
    const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0) {
        return -nl_syserr2nlerr(errno);
    }
    fd = tn_k_fd_high(fd);
    int rc = bind(fd, (const struct sockaddr *) &any, sizeof any) < 0
                 ? -nl_syserr2nlerr(errno)
                 : nl_socket_set_fd(sock, protocol, fd);
    if (rc < 0) {
        close(fd);
    }
    return rc;
}

enum tn_code
tn_k_sock_open(struct tn_k_sock *out, struct tn_error *err)
{
    struct tn_k_sock sock = {.nl = nl_socket_alloc(), .seq = 1};
    if (!sock.nl) {
        return tn_fail(err, TN_EINTERNAL, ENOMEM, "no netlink socket");
    }
    int rc = tn_k_nl_connect(sock.nl, NETLINK_ROUTE);
    if (rc < 0) {
        tn_k_sock_close(&sock);
        return tn_fail(err, TN_EUNAVAILABLE, rc, "netlink: %s",
                       nl_geterror(rc));
    }
    int fd = nl_socket_get_fd(sock.nl), on = 1, size = SOCKET_BUFFER;
    /* Each is an improvement only: without it things still work. */
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    (void) setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    (void) setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    (void) setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
    *out = sock;
    return TN_OK;
}

/* The kernel's own words in an error message; "" if there are none. */
static void
error_words(const struct nlmsghdr *msg, char *out, size_t size)
{
    const struct nlmsgerr *e = NLMSG_DATA(msg);
    out[0] = '\0';
    if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS)) {
        return;
    }
    size_t skip = sizeof *e;
    if (!(msg->nlmsg_flags & NLM_F_CAPPED)) {
        skip += NLMSG_ALIGN(e->msg.nlmsg_len - sizeof e->msg);
    }
    size_t all = msg->nlmsg_len - NLMSG_HDRLEN;
    if (skip >= all) {
        return;
    }
    const struct nlattr *a = nla_find(
        (const struct nlattr *) (const void *) ((const char *) e + skip),
        (int) (all - skip), NLMSGERR_ATTR_MSG);
    if (a) {
        nla_strlcpy(out, a, size);
    }
}

/* Receives one datagram: its length, 0 if the queue overflowed or the datagram
 * did not fit, -1 on error (errno). */
static ssize_t
receive(struct tn_k_sock *sock, struct receive *buf)
{
    for (;;) {
        struct sockaddr_nl from = {0};
        struct iovec iov = {buf->bytes, sizeof buf->bytes};
        struct msghdr m = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &iov,
                           .msg_iovlen = 1};
        ssize_t n = recvmsg(nl_socket_get_fd(sock->nl), &m, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == ENOBUFS) {
            return 0;
        }
        if (n < 0) {
            return -1;
        }
        if (m.msg_flags & MSG_TRUNC) {
            return 0;
        }
        if (from.nl_pid == 0) {
            return n;
        }
    }
}

/* What one datagram of a dump says of the whole. */
enum dump_state { DUMP_MORE, DUMP_WHOLE, DUMP_AGAIN, DUMP_FAILED };

struct dump_run {
    const struct tn_k_dump *dump;
    uint32_t seq;
    bool interrupted;
    int error;
    char words[160];
};

static enum dump_state
dump_end(struct dump_run *run, int error)
{
    run->error = -error;
    if (error == -EINTR || error == -EAGAIN) {
        return DUMP_AGAIN;
    }
    /* A routing table that nobody has used yet does not exist. */
    if (error == -ENOENT && run->dump->type == RTM_GETROUTE) {
        return DUMP_WHOLE;
    }
    if (error < 0) {
        return DUMP_FAILED;
    }
    return run->interrupted ? DUMP_AGAIN : DUMP_WHOLE;
}

static enum dump_state
dump_datagram(struct dump_run *run, struct receive *buf, ssize_t size)
{
    int left = (int) size;
    struct nlmsghdr *msg = (struct nlmsghdr *) (void *) buf->bytes;
    for (; nlmsg_ok(msg, left); msg = nlmsg_next(msg, &left)) {
        if (msg->nlmsg_seq != run->seq) {
            continue; /* What is left of a discarded dump. */
        }
        if (msg->nlmsg_flags & NLM_F_DUMP_INTR) {
            run->interrupted = true;
        }
        switch (msg->nlmsg_type) {
        case NLMSG_DONE: {
            int error = 0;
            if (msg->nlmsg_len >= NLMSG_LENGTH(sizeof error)) {
                memcpy(&error, NLMSG_DATA(msg), sizeof error);
            }
            return dump_end(run, error);
        }
        case NLMSG_ERROR: {
            const struct nlmsgerr *e = NLMSG_DATA(msg);
            error_words(msg, run->words, sizeof run->words);
            return dump_end(run, e->error);
        }
        case NLMSG_OVERRUN:
            return DUMP_AGAIN;
        default:
            if (!run->interrupted) {
                run->dump->each(run->dump->ctx, msg);
            }
            break;
        }
    }
    return DUMP_MORE;
}

static enum dump_state
dump_once(struct tn_k_sock *sock, struct dump_run *run, struct receive *buf)
{
    run->seq = ++sock->seq;
    run->interrupted = false;
    run->dump->reset(run->dump->ctx);
    struct nlmsghdr head = {
        .nlmsg_len = (uint32_t) (NLMSG_HDRLEN + run->dump->request_size),
        .nlmsg_type = run->dump->type,
        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
        .nlmsg_seq = run->seq,
    };
    struct iovec iov[2] = {
        {&head, sizeof head},
        {(void *) (uintptr_t) run->dump->request, run->dump->request_size}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    while (sendmsg(nl_socket_get_fd(sock->nl), &m, 0) < 0) {
        if (errno == EBUSY) {
            /* The former dump of this socket is not read to its end. */
            if (receive(sock, buf) < 0) {
                run->error = errno;
                return DUMP_FAILED;
            }
        } else if (errno != EINTR) {
            run->error = errno;
            return DUMP_FAILED;
        }
    }
    for (;;) {
        ssize_t n = receive(sock, buf);
        if (n < 0) {
            run->error = errno;
            return DUMP_FAILED;
        }
        enum dump_state state =
            n == 0 ? DUMP_AGAIN : dump_datagram(run, buf, n);
        if (state != DUMP_MORE) {
            return state;
        }
    }
}

/* Waits a little longer each time, and never twice the same. */
static void
pause_for(int attempt)
{
    struct timespec now, t = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    long most = 1000000L * (attempt < 20 ? attempt + 1 : 20);
    t.tv_nsec = most / 2 + now.tv_nsec % most;
    nanosleep(&t, NULL);
}

enum tn_code
tn_k_sock_dump(struct tn_k_sock *sock, const struct tn_k_dump *dump,
               const char *what, struct tn_error *err)
{
    struct receive buf;
    struct dump_run run = {.dump = dump};
    for (int i = 0; i < DUMP_ATTEMPTS; i++) {
        switch (dump_once(sock, &run, &buf)) {
        case DUMP_WHOLE:
            return TN_OK;
        case DUMP_FAILED:
            return tn_fail_sys(err, tn_k_code_of(run.error), run.error,
                               "cannot list %s%s%s", what,
                               run.words[0] ? ": " : "", run.words);
        case DUMP_MORE:
        case DUMP_AGAIN:
            pause_for(i);
            break;
        }
    }
    return tn_fail(err, TN_EUNAVAILABLE, EINTR,
                   "cannot list %s: they keep changing (%d attempts)", what,
                   DUMP_ATTEMPTS);
}

void
tn_k_batch_done(struct tn_k_batch *b)
{
    free(b->buf);
    free(b->sent);
    *b = (struct tn_k_batch){0};
}

static void *
grow(void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) {
        return p;
    }
    size_t bigger = *cap ? *cap : 512;
    while (bigger < need) {
        bigger *= 2;
    }
    void *q = realloc(p, bigger * size);
    if (!q) {
        abort(); /* As the arena does: docs/decisions.md, "D-oom". */
    }
    *cap = bigger;
    return q;
}

/* Zeroed room for 'n' bytes, padded to the alignment of netlink. */
static void *
room(struct tn_k_batch *b, size_t n)
{
    size_t padded = NLMSG_ALIGN(n);
    b->buf = grow(b->buf, &b->cap, b->n + padded, 1);
    void *p = b->buf + b->n;
    memset(p, 0, padded);
    b->n += padded;
    return p;
}

void
tn_k_msg_begin(struct tn_k_batch *b, const struct tn_k_msg *msg)
{
    b->msg = b->n;
    struct nlmsghdr *h = room(b, sizeof *h);
    h->nlmsg_type = msg->type;
    h->nlmsg_flags = (uint16_t) (msg->flags | NLM_F_REQUEST);
    memcpy(room(b, msg->header_size), msg->header, msg->header_size);
    b->sent = grow(b->sent, &b->cap_sent, b->n_sent + 1, sizeof *b->sent);
    b->sent[b->n_sent++] = (struct tn_k_sent){
        .offset = (uint32_t) b->msg,
        .step = (uint32_t) msg->step,
        .tolerance = (uint8_t) msg->tolerance,
    };
}

void
tn_k_put(struct tn_k_batch *b, uint16_t type, const void *data, size_t n)
{
    struct nlattr *a = room(b, sizeof(struct nlattr) + n);
    a->nla_type = type;
    a->nla_len = (uint16_t) (sizeof(struct nlattr) + n);
    if (n) {
        memcpy((char *) a + sizeof(struct nlattr), data, n);
    }
}

void
tn_k_put_u8(struct tn_k_batch *b, uint16_t type, uint8_t v)
{
    tn_k_put(b, type, &v, sizeof v);
}

void
tn_k_put_u32(struct tn_k_batch *b, uint16_t type, uint32_t v)
{
    tn_k_put(b, type, &v, sizeof v);
}

void
tn_k_put_str(struct tn_k_batch *b, uint16_t type, const char *s)
{
    tn_k_put(b, type, s, strlen(s) + 1);
}

void
tn_k_put_addr(struct tn_k_batch *b, uint16_t type, const struct tn_addr *a)
{
    tn_k_put(b, type, a->b, tn_addr_size(a));
}

size_t
tn_k_nest(struct tn_k_batch *b, uint16_t type)
{
    size_t at = b->n;
    tn_k_put(b, type, NULL, 0);
    return at;
}

size_t
tn_k_nest_header(struct tn_k_batch *b, uint16_t type, const void *header,
                 size_t n)
{
    size_t at = b->n;
    tn_k_put(b, type, header, n);
    return at;
}

void
tn_k_nest_end(struct tn_k_batch *b, size_t nest)
{
    struct nlattr *a = (struct nlattr *) (void *) (b->buf + nest);
    a->nla_len = (uint16_t) (b->n - nest);
}

void
tn_k_msg_end(struct tn_k_batch *b)
{
    struct nlmsghdr *h = (struct nlmsghdr *) (void *) (b->buf + b->msg);
    h->nlmsg_len = (uint32_t) (b->n - b->msg);
}

static bool
tolerated(enum tn_k_tolerance tolerance, int error)
{
    switch (tolerance) {
    case TN_K_STRICT:
        return false;
    case TN_K_GONE_IS_FINE:
        return error == ENODEV || error == ENOENT || error == ESRCH ||
               error == EADDRNOTAVAIL;
    case TN_K_THERE_IS_FINE:
        return error == EEXIST;
    }
    return false;
}

/* A run of messages that goes out in one piece. */
struct chunk {
    const struct tn_k_batch *b;
    size_t first, end; /* Messages. */
    uint32_t seq;      /* Of the first. */
    tn_k_refused refused;
    void *ctx;
};

static void
chunk_answer(const struct chunk *c, const struct nlmsghdr *msg)
{
    const struct nlmsgerr *e = NLMSG_DATA(msg);
    const struct tn_k_sent *sent =
        &c->b->sent[c->first + msg->nlmsg_seq - c->seq];
    if (e->error != 0 &&
        !tolerated((enum tn_k_tolerance) sent->tolerance, -e->error)) {
        struct tn_k_refusal refusal = {.step = sent->step, .error = -e->error};
        error_words(msg, refusal.text, sizeof refusal.text);
        c->refused(c->ctx, &refusal);
    }
}

/* Reads answers until that to the last message has come. */
static enum tn_code
chunk_wait(const struct chunk *c, struct tn_k_sock *sock, struct tn_error *err)
{
    struct receive buf;
    uint32_t n = (uint32_t) (c->end - c->first);
    for (;;) {
        ssize_t size = receive(sock, &buf);
        if (size < 0) {
            return tn_fail_sys(err, TN_EUNAVAILABLE, errno,
                               "no answer from netlink");
        }
        if (size == 0) {
            return tn_fail(err, TN_EUNAVAILABLE, ENOBUFS,
                           "answers of netlink were lost");
        }
        int left = (int) size;
        struct nlmsghdr *msg = (struct nlmsghdr *) (void *) buf.bytes;
        for (; nlmsg_ok(msg, left); msg = nlmsg_next(msg, &left)) {
            uint32_t i = msg->nlmsg_seq - c->seq;
            if (msg->nlmsg_type != NLMSG_ERROR || i >= n) {
                continue;
            }
            chunk_answer(c, msg);
            if (i == n - 1) {
                return TN_OK;
            }
        }
    }
}

/* Numbers the messages from 'first' on that go together; asks for an answer to
 * the last. */
static struct chunk
chunk_make(struct tn_k_batch *b, size_t first, struct tn_k_sock *sock)
{
    struct chunk c = {
        .b = b, .first = first, .end = first, .seq = sock->seq + 1};
    size_t start = b->sent[first].offset;
    struct nlmsghdr *h = NULL;
    while (c.end < b->n_sent && c.end - first < CHUNK_MESSAGES) {
        size_t at = b->sent[c.end].offset;
        h = (struct nlmsghdr *) (void *) (b->buf + at);
        if (c.end > first && at + h->nlmsg_len - start > CHUNK_BYTES) {
            h = (struct nlmsghdr *) (void *) (b->buf +
                                              b->sent[c.end - 1].offset);
            break;
        }
        h->nlmsg_seq = ++sock->seq;
        c.end++;
    }
    h->nlmsg_flags |= NLM_F_ACK;
    return c;
}

enum tn_code
tn_k_batch_send(struct tn_k_batch *b, struct tn_k_sock *sock,
                tn_k_refused refused, void *ctx, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (size_t i = 0; code == TN_OK && i < b->n_sent;) {
        struct chunk c = chunk_make(b, i, sock);
        c.refused = refused;
        c.ctx = ctx;
        size_t from = b->sent[i].offset;
        size_t to = c.end < b->n_sent ? b->sent[c.end].offset : b->n;
        ssize_t n;
        do {
            n = send(nl_socket_get_fd(sock->nl), b->buf + from, to - from, 0);
        } while (n < 0 && errno == EINTR);
        if (n < 0) {
            code = tn_fail_sys(err, TN_EUNAVAILABLE, errno,
                               "cannot send to netlink");
        } else {
            code = chunk_wait(&c, sock, err);
        }
        i = c.end;
    }
    b->n = b->n_sent = 0;
    return code;
}
