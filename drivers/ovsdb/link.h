/* link.h - a connection that comes back: what is below the calls of rpc.h.
 *
 * A link connects to its remotes in turn, cuts what comes into messages, sends
 * what is queued, probes a peer that is silent and, when a connection has
 * ended, tries again.  What the messages mean is not known here, but for the
 * probe, which is an echo request that anybody may answer with anything. */
#ifndef TN_OVSDB_LINK_H
#define TN_OVSDB_LINK_H

#include "drivers/ovsdb/loop.h"
#include "drivers/ovsdb/rpc.h"
#include "model/base/text.h"

/* The id of the probes' requests. */
#define TN_LINK_PROBE_ID "echo"

struct tn_link;

/* A message, and its longest part as tn_frame_part() has it. */
struct tn_link_message {
    const char *text;
    size_t n, part_at, part_n;
};

/* All from tn_ovsdb_loop_turn(); none may free the link. */
struct tn_link_events {
    void (*up)(void *ctx, const char *remote);
    /* Borrowed.  Not called any more after tn_link_drop(). */
    void (*message)(void *ctx, const struct tn_link_message *message);
    void (*down)(void *ctx, const struct tn_error *why);
};

enum tn_code tn_link_new(struct tn_ovsdb_loop *loop,
                         const struct tn_rpc_options *options,
                         const struct tn_link_events *events, void *ctx,
                         struct tn_link **out,
                         struct tn_error *err) TN_MUST_USE;
void tn_link_free(struct tn_link *link); /* Accepts null. */

bool tn_link_is_up(const struct tn_link *link);
unsigned long long tn_link_received(const struct tn_link *link);

/* Sending, while the link is up: append a message to the text, then
 * tn_link_send().  If it fails the message is dropped: TN_EUNAVAILABLE, the
 * queue is full.  'whole' is false to drop it on purpose. */
struct tn_text *tn_link_compose(struct tn_link *link);
enum tn_code tn_link_send(struct tn_link *link, bool whole,
                          struct tn_error *err) TN_MUST_USE;
/* Bytes that wait for being sent. */
size_t tn_link_queued(const struct tn_link *link);

/* Ends the connection: it is not up any more; down() comes with the next turn
 * at the latest.  While the link is not up, nothing happens. */
void tn_link_drop(struct tn_link *link, bool at_once, const char *why);

#endif
