/* stream.h - bytes to and from one server: a socket, with or without TLS.
 *
 * One try, from connecting to closing; nothing waits.  Errors name the remote
 * and say what to look at. */
#ifndef TN_OVSDB_STREAM_H
#define TN_OVSDB_STREAM_H

#include "drivers/ovsdb/remote.h"
#include "drivers/ovsdb/tls.h"

enum tn_stream_state {
    TN_STREAM_CLOSED,
    TN_STREAM_BUSY, /* No socket yet: tn_stream_advance() after a while. */
    TN_STREAM_CONNECTING,
    TN_STREAM_HANDSHAKE, /* Of TLS. */
    TN_STREAM_OPEN,
};

struct tn_stream {
    const struct tn_remote *remote; /* Borrowed. */
    enum tn_stream_state state;
    int fd;             /* -1 while there is none. */
    struct tn_tls *tls; /* Null: without. */
    /* To go on, the descriptor must become writable. */
    bool blocked; /* In connecting, or writing. */
    bool reading_blocked;
};

/* All of it, to begin with: closed. */
#define TN_STREAM_NONE                                                         \
    {                                                                          \
        .fd = -1                                                               \
    }

/* Begins a try: '*stream' is not closed any more.  On failure it is to be
 * closed, too.  'tls' is for remotes with TLS, and must outlive the stream. */
enum tn_code tn_stream_start(struct tn_stream *stream,
                             const struct tn_remote *remote,
                             const struct tn_tls_context *tls,
                             struct tn_error *err) TN_MUST_USE;
/* Goes on until the state is TN_STREAM_OPEN; call it when the descriptor is
 * ready. */
enum tn_code tn_stream_advance(struct tn_stream *stream,
                               const struct tn_tls_context *tls,
                               struct tn_error *err) TN_MUST_USE;

/* '*n' is 0 if nothing can be had, or sent, now.  The end of the stream is
 * TN_EUNAVAILABLE.  The remote's name is in each error. */
enum tn_code tn_stream_read(struct tn_stream *stream, char *buffer, size_t size,
                            size_t *n, struct tn_error *err) TN_MUST_USE;
enum tn_code tn_stream_write(struct tn_stream *stream, const char *bytes,
                             size_t size, size_t *n,
                             struct tn_error *err) TN_MUST_USE;

void tn_stream_close(struct tn_stream *stream);

#endif
