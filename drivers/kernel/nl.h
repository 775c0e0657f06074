/* nl.h - netlink by the batch: sockets, dumps that are whole, requests in bulk.
 *
 * The only user of libnl besides the firewall.  Messages are composed in one
 * growing buffer and sent many at a time; the kernel answers only errors and
 * the last one.  Dumps are read message by message as they arrive. */
#ifndef TN_KERNEL_NL_H
#define TN_KERNEL_NL_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "model/base/error.h"
#include "model/base/net.h"

struct nl_sock;

/* A route netlink socket: it belongs to the network namespace that the thread
 * was in when it was opened. */
struct tn_k_sock {
    struct nl_sock *nl; /* Null: not open. */
    uint32_t seq;
};

/* nl_connect() with a descriptor out of the way (tn_k_fd_high): 0, or an error
 * of libnl. */
int tn_k_nl_connect(struct nl_sock *sock, int protocol);

enum tn_code tn_k_sock_open(struct tn_k_sock *out,
                            struct tn_error *err) TN_MUST_USE;
void tn_k_sock_close(struct tn_k_sock *sock);

/* A dump: 'request' is the payload after the header, family first. */
struct tn_k_dump {
    uint16_t type;
    const void *request;
    size_t request_size;
    /* Forgets what 'each' was shown: the dump starts again. */
    void (*reset)(void *ctx);
    void (*each)(void *ctx, const struct nlmsghdr *msg);
    void *ctx;
};

/* Carries it out.  An interrupted dump is discarded and repeated, at most 30
 * times, then TN_EUNAVAILABLE.  'what' is for people: "links". */
enum tn_code tn_k_sock_dump(struct tn_k_sock *sock,
                            const struct tn_k_dump *dump, const char *what,
                            struct tn_error *err) TN_MUST_USE;

/* Errors that are no failure. */
enum tn_k_tolerance {
    TN_K_STRICT,
    TN_K_GONE_IS_FINE,  /* ENODEV, ENOENT, ESRCH, EADDRNOTAVAIL */
    TN_K_THERE_IS_FINE, /* EEXIST */
};

/* What became of a message that the kernel refused. */
struct tn_k_refusal {
    size_t step;    /* As given to tn_k_msg_begin(). */
    int error;      /* errno */
    char text[160]; /* The kernel's own words; "" if it has none. */
};
typedef void (*tn_k_refused)(void *ctx, const struct tn_k_refusal *refusal);

/* Messages for one socket, waiting to be sent.  Start with '= {0}'. */
struct tn_k_batch {
    char *buf; /* Heap. */
    size_t n, cap;
    size_t msg; /* Where the message being composed begins. */
    struct tn_k_sent {
        uint32_t offset; /* Of the message. */
        uint32_t step;
        uint8_t tolerance;
    } * sent; /* Heap; one per message. */
    size_t n_sent, cap_sent;
};

void tn_k_batch_done(struct tn_k_batch *b);

/* Starts a message; 'header' is what follows struct nlmsghdr. */
struct tn_k_msg {
    uint16_t type, flags; /* NLM_F_REQUEST is added. */
    const void *header;
    size_t header_size;
    size_t step;
    enum tn_k_tolerance tolerance;
};
void tn_k_msg_begin(struct tn_k_batch *b, const struct tn_k_msg *msg);
void tn_k_put(struct tn_k_batch *b, uint16_t type, const void *data, size_t n);
void tn_k_put_u8(struct tn_k_batch *b, uint16_t type, uint8_t v);
void tn_k_put_u32(struct tn_k_batch *b, uint16_t type, uint32_t v);
void tn_k_put_str(struct tn_k_batch *b, uint16_t type, const char *s);
void tn_k_put_addr(struct tn_k_batch *b, uint16_t type,
                   const struct tn_addr *a);
/* Returns what tn_k_nest_end() wants.  The second begins with a struct. */
size_t tn_k_nest(struct tn_k_batch *b, uint16_t type);
size_t tn_k_nest_header(struct tn_k_batch *b, uint16_t type, const void *header,
                        size_t n);
void tn_k_nest_end(struct tn_k_batch *b, size_t nest);
/* Completes the message. */
void tn_k_msg_end(struct tn_k_batch *b);

/* Sends everything, waits for the answers, tells 'refused' of each message that
 * failed and empties the batch.  The result is about the socket alone. */
enum tn_code tn_k_batch_send(struct tn_k_batch *b, struct tn_k_sock *sock,
                             tn_k_refused refused, void *ctx,
                             struct tn_error *err) TN_MUST_USE;

/* Attributes of a message, read in place: some hundred thousand in an
 * observation, too many for a call of the library each. */
#define TN_K_EACH_ATTR(a, start, size, left)                                   \
    for ((left) = (size), (a) = (start); tn_k_attr_ok((a), (left));            \
         (left) -= NLA_ALIGN((a)->nla_len),                                    \
        (a) =                                                                  \
             (const struct nlattr *) (const void *) ((const char *) (a) +      \
                                                     NLA_ALIGN((a)->nla_len)))
/* Those after the header of a message, and those within another one. */
#define TN_K_EACH_ATTR_OF(a, msg, header, left)                                \
    TN_K_EACH_ATTR((a), tn_k_msg_attrs((msg), (header)),                       \
                   (int) ((msg)->nlmsg_len - NLMSG_LENGTH(header)), (left))
#define TN_K_EACH_ATTR_IN(a, nest, left)                                       \
    TN_K_EACH_ATTR((a), (const struct nlattr *) tn_k_attr_data(nest),          \
                   tn_k_attr_len(nest), (left))

static inline bool
tn_k_attr_ok(const struct nlattr *a, int left)
{
    return left >= (int) sizeof *a && a->nla_len >= sizeof *a &&
           a->nla_len <= left;
}

static inline int
tn_k_attr_type(const struct nlattr *a)
{
    return a->nla_type & NLA_TYPE_MASK;
}

static inline int
tn_k_attr_len(const struct nlattr *a)
{
    return a->nla_len - (int) sizeof(struct nlattr);
}

static inline const void *
tn_k_attr_data(const struct nlattr *a)
{
    return (const char *) a + (int) sizeof(struct nlattr);
}

static inline const struct nlattr *
tn_k_msg_attrs(const struct nlmsghdr *msg, size_t header)
{
    return (const struct nlattr *) (const void *) ((const char *) msg +
                                                   NLMSG_SPACE(header));
}

/* At most 'n' bytes; what the attribute lacks of them stays as it was. */
static inline void
tn_k_attr_copy(void *out, const struct nlattr *a, size_t n)
{
    size_t have = (size_t) tn_k_attr_len(a);
    memcpy(out, tn_k_attr_data(a), have < n ? have : n);
}

/* An IPv4 or IPv6 address, by its length; of any other '*out' stays. */
static inline void
tn_k_attr_addr(struct tn_addr *out, const struct nlattr *a)
{
    int n = tn_k_attr_len(a);
    if (n == 4 || n == 16) {
        *out = (struct tn_addr){n == 4 ? TN_AF_IPV4 : TN_AF_IPV6, {0}};
        memcpy(out->b, tn_k_attr_data(a), (size_t) n);
    }
}

static inline uint32_t
tn_k_attr_u32(const struct nlattr *a)
{
    uint32_t v = 0;
    tn_k_attr_copy(&v, a, sizeof v);
    return v;
}

/* "" if it is not a text. */
static inline const char *
tn_k_attr_str(const struct nlattr *a)
{
    const char *s = (const char *) tn_k_attr_data(a);
    int n = tn_k_attr_len(a);
    return n > 0 && s[n - 1] == '\0' ? s : "";
}

static inline uint8_t
tn_k_attr_u8(const struct nlattr *a)
{
    uint8_t v = 0;
    tn_k_attr_copy(&v, a, sizeof v);
    return v;
}

/* The class of an error number of the kernel. */
enum tn_code tn_k_code_of(int error);

#endif
