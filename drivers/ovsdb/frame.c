/* frame.c - one pass over the bytes: see frame.h.
 *
 * The state between two pieces of the stream is a depth, whether we are in a
 * string, and what is missing of a character; no byte is looked at twice.  A
 * message that lies within one piece is handed out where it is, without a copy;
 * only one that goes on in the next piece is kept.  The kinds of brackets are
 * not matched: "[}" ends a message here and is refused by the parser. */
#include "drivers/ovsdb/frame.h"

#include "drivers/ovsdb/plain.h"

void
tn_frame_done(struct tn_frame *frame)
{
    tn_text_done(&frame->kept);
}

void
tn_frame_feed(struct tn_frame *frame, const char *bytes, size_t n)
{
    frame->bytes = bytes;
    frame->n = n;
    frame->at = 0;
}

static enum tn_code
refuse(const struct tn_frame *frame, const char *what, struct tn_error *err)
{
    return tn_fail(err, TN_EUNAVAILABLE, 0,
                   "what the peer sends is not JSON-RPC: %s (byte 0x%02x)",
                   what, (unsigned) (uint8_t) frame->bytes[frame->at]);
}

/* A byte of a character of several (RFC 3629); false: it cannot be there. */
static bool
utf8(struct tn_frame *frame, uint8_t c)
{
    if (frame->more_utf8) {
        if (c < frame->low || c > frame->high) {
            return false;
        }
        frame->more_utf8--;
    } else if (c >= 0xc2 && c <= 0xdf) {
        frame->more_utf8 = 1;
    } else if (c >= 0xe0 && c <= 0xef) {
        frame->more_utf8 = 2;
    } else if (c >= 0xf0 && c <= 0xf4) {
        frame->more_utf8 = 3;
    } else {
        return false;
    }
    /* Overlong forms, surrogates and what is beyond U+10FFFF. */
    frame->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    frame->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    return true;
}

/* Goes to the end of the string, or of the bytes. */
static enum tn_code
skip_string(struct tn_frame *frame, struct tn_error *err)
{
    for (; frame->at < frame->n; frame->at++) {
        if (!frame->escape && !frame->more_utf8) {
            const char *at = frame->bytes + frame->at;
            at = tn_plain_end(at, frame->bytes + frame->n, true);
            frame->at = (size_t) (at - frame->bytes);
            if (frame->at == frame->n) {
                break;
            }
        }
        uint8_t c = (uint8_t) frame->bytes[frame->at];
        if (c >= 0x80 || frame->more_utf8) {
            if (frame->escape || !utf8(frame, c)) {
                return refuse(frame, "no UTF-8", err);
            }
        } else if (c < 0x20) {
            return refuse(frame, "a control character in a string", err);
        } else if (frame->escape) {
            frame->escape = false;
        } else if (c == '\\') {
            frame->escape = true;
        } else if (c == '"') {
            frame->string = false;
            frame->at++;
            break;
        }
    }
    return TN_OK;
}

/* jansson's needs, malloc's included. */
static size_t
weight(uint8_t c)
{
    switch (c) {
    case '{':
        return 220;
    case '[':
        return 130;
    case '"':
        return 50;
    case ',':
    case ':':
        return 40;
    default:
        return 1;
    }
}

/* A member of the message begins or ends with this bracket. */
static void
note_member(struct tn_frame *frame, bool opens, size_t from)
{
    size_t at = frame->passed + (frame->at - from);
    if (opens) {
        frame->began = at + 1;
        return;
    }
    size_t n = at + 2 - frame->began;
    if (n > frame->part_n) {
        frame->part_at = frame->began - 1;
        frame->part_n = n;
    }
}

/* Goes behind the end of the message ('*whole'), or to the end of the bytes. */
static enum tn_code
skip_message(struct tn_frame *frame, bool *whole, struct tn_error *err)
{
    size_t from = frame->at;
    while (frame->at < frame->n) {
        if (frame->string) {
            enum tn_code code = skip_string(frame, err);
            if (code != TN_OK) {
                return code;
            }
            continue;
        }
        uint8_t c = (uint8_t) frame->bytes[frame->at];
        if (c == '"') {
            frame->string = true;
        } else if (c == '{' || c == '[') {
            if (++frame->depth > TN_FRAME_DEPTH) {
                return refuse(frame, "a message too deep", err);
            }
            if (frame->depth == 2) {
                note_member(frame, true, from);
            }
        } else if (c == '}' || c == ']') {
            if (frame->depth-- == 2) {
                note_member(frame, false, from);
            }
        } else if (c >= 0x7f ||
                   (c < 0x20 && c != '\n' && c != '\r' && c != '\t')) {
            return refuse(frame, "neither a sign nor a space", err);
        }
        frame->memory += weight(c);
        if (frame->memory / TN_FRAME_SWELL > frame->max) {
            return refuse(frame, "a message of too many parts", err);
        }
        frame->at++;
        if (frame->depth == 0) {
            frame->memory = 0;
            frame->passed = 0;
            *whole = true;
            return TN_OK;
        }
    }
    frame->passed += frame->at - from;
    *whole = false;
    return TN_OK;
}

/* Goes to the beginning of the next message, or to the end of the bytes. */
static enum tn_code
skip_between(struct tn_frame *frame, struct tn_error *err)
{
    for (; frame->at < frame->n; frame->at++) {
        char c = frame->bytes[frame->at];
        if (c == '{') {
            break;
        }
        if (c == 0x15 || c == 0x16) {
            return refuse(frame, "it looks like TLS", err);
        }
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            return refuse(frame, "a message is an object", err);
        }
    }
    return TN_OK;
}

enum tn_code
tn_frame_next(struct tn_frame *frame, const char **text, size_t *n,
              struct tn_error *err)
{
    bool whole = false;
    enum tn_code code = TN_OK;
    if (frame->handed_out) {
        /* A session that is idle holds no buffer. */
        tn_text_done(&frame->kept);
        frame->handed_out = false;
    }
    if (frame->depth == 0) {
        frame->part_at = frame->part_n = 0;
        code = skip_between(frame, err);
    }
    size_t from = frame->at;
    if (code == TN_OK && from < frame->n) {
        code = skip_message(frame, &whole, err);
    }
    if (code != TN_OK) {
        return code;
    }
    const char *part = frame->bytes + from;
    size_t len = frame->at - from;
    if (len > frame->max - frame->kept.n) {
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "a message of more than %zu bytes", frame->max);
    }
    if (frame->kept.n || (len && !whole)) {
        tn_text_addn(&frame->kept, part, len);
        part = frame->kept.s;
        len = frame->kept.n;
        frame->handed_out = whole;
    }
    *text = whole ? part : NULL;
    *n = whole ? len : 0;
    return TN_OK;
}

void
tn_frame_part(const struct tn_frame *frame, size_t *at, size_t *n)
{
    *at = frame->part_at;
    *n = frame->part_n;
}

bool
tn_frame_within(const struct tn_frame *frame)
{
    return frame->depth > 0;
}
