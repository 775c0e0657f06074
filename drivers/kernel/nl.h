/* nl.h - netlink by the batch: sockets, dumps that are whole, requests in bulk.
 *
 * The only user of libnl besides the firewall.  Messages are composed in one
 * growing buffer and sent many at a time; the kernel answers only errors and
 * the last one.  Dumps are read message by message as they arrive. */
#ifndef TN_KERNEL_NL_H
#define TN_KERNEL_NL_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "model/base/error.h"
#include "model/base/net.h"

struct nl_sock;

/* A route netlink socket: it belongs to the network namespace that the thread
 * was in when it was opened. */
struct tn_k_sock {
    struct nl_sock *nl; /* Null: not open. */
    uint32_t seq;
};

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

/* The class of an error number of the kernel. */
enum tn_code tn_k_code_of(int error);

#endif
