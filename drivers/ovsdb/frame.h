/* frame.h - cuts a stream of bytes into JSON texts.
 *
 * JSON-RPC over a stream has no lengths and no separators (RFC 7047, 4): where
 * a message ends is known from its brackets only.  A frame counts them, however
 * the stream is cut into pieces, in linear time, and bounds what a parser will
 * see: only objects; no deeper than TN_FRAME_DEPTH; no longer than its owner
 * says, and in a parser's memory not more than TN_FRAME_SWELL times that; text
 * in UTF-8 without control characters, so that what is binary is refused at its
 * first bytes.  Whether the text is JSON is for the parser. */
#ifndef TN_OVSDB_FRAME_H
#define TN_OVSDB_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/error.h"
#include "model/base/text.h"

/* The server's own replies are 9 deep, and jansson needs ten bytes for each of
 * theirs; for "{}," it would need 78 each. */
enum { TN_FRAME_DEPTH = 64, TN_FRAME_SWELL = 16 };

/* All zero but 'max' in the beginning. */
struct tn_frame {
    size_t max;          /* Bytes of one message. */
    struct tn_text kept; /* The beginning of a message. */
    /* What was fed, and how much of it was looked at. */
    const char *bytes;
    size_t n, at;
    /* Where in a message we are. */
    size_t memory; /* About what a parser will need for it so far. */
    unsigned depth;
    unsigned more_utf8;  /* Bytes missing of a character, */
    uint8_t low, high;   /* and the limits of the next. */
    bool string, escape; /* Within one; behind a backslash. */
    bool handed_out;     /* 'kept' is with the caller. */
    /* Of this message: how much of it lies before the piece, where the member
     * that is open began (from 1; 0: none), and the longest that has ended. */
    size_t passed, began, part_at, part_n;
};

void tn_frame_done(struct tn_frame *frame);

/* More of the stream; borrowed until tn_frame_next() says that there is no
 * further message in it. */
void tn_frame_feed(struct tn_frame *frame, const char *bytes, size_t n);

/* The next message, borrowed until the next call; null: there is none before
 * more is fed.  TN_EUNAVAILABLE: this is not JSON-RPC; the frame is of no use
 * any more. */
enum tn_code tn_frame_next(struct tn_frame *frame, const char **text, size_t *n,
                           struct tn_error *err) TN_MUST_USE;

/* Of the message that was handed out: the longest object or array that is a
 * member of it, as to where it is in its text; 0 bytes: there is none.  (As
 * with the message itself, only brackets were counted.) */
void tn_frame_part(const struct tn_frame *frame, size_t *at, size_t *n);

/* Has a message begun that has not ended? */
bool tn_frame_within(const struct tn_frame *frame);

#endif
