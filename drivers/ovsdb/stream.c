/* stream.c - one connection: see stream.h. */
#include "drivers/ovsdb/stream.h"

#include <errno.h>
#include <unistd.h>

static enum tn_code
broken(const struct tn_stream *stream, int sys, struct tn_error *err)
{
    return tn_fail_sys(err, TN_EUNAVAILABLE, sys, "connection to %s",
                       stream->remote->text);
}

static enum tn_code
shake_hands(struct tn_stream *stream, struct tn_error *err)
{
    enum tn_tls_wants wants = TN_TLS_DONE;
    enum tn_code code = tn_tls_handshake(stream->tls, &wants, err);
    if (code != TN_OK) {
        return tn_while(err, code, "%s", stream->remote->text);
    }
    stream->state = wants == TN_TLS_DONE ? TN_STREAM_OPEN : TN_STREAM_HANDSHAKE;
    stream->blocked = wants == TN_TLS_OUT;
    return TN_OK;
}

static enum tn_code
proceed(struct tn_stream *stream, enum tn_remote_try got,
        const struct tn_tls_context *tls, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    switch (got) {
    case TN_REMOTE_BUSY:
        stream->state = TN_STREAM_BUSY;
        break;
    case TN_REMOTE_UNDER_WAY:
        stream->state = TN_STREAM_CONNECTING;
        stream->blocked = true;
        break;
    case TN_REMOTE_CONNECTED:
        stream->state = TN_STREAM_OPEN;
        stream->blocked = false;
        if (stream->remote->tls) {
            code = tn_tls_new(tls, stream->fd, &stream->tls, err);
            code = code ? code : shake_hands(stream, err);
        }
        break;
    }
    return code;
}

enum tn_code
tn_stream_start(struct tn_stream *stream, const struct tn_remote *remote,
                const struct tn_tls_context *tls, struct tn_error *err)
{
    enum tn_remote_try got;
    stream->remote = remote;
    enum tn_code code = tn_remote_connect(remote, &stream->fd, &got, err);
    return code == TN_OK ? proceed(stream, got, tls, err) : code;
}

enum tn_code
tn_stream_advance(struct tn_stream *stream, const struct tn_tls_context *tls,
                  struct tn_error *err)
{
    enum tn_remote_try got;
    enum tn_code code = TN_OK;
    switch (stream->state) {
    case TN_STREAM_CLOSED:
    case TN_STREAM_OPEN:
        return TN_OK;
    case TN_STREAM_BUSY:
        return tn_stream_start(stream, stream->remote, tls, err);
    case TN_STREAM_CONNECTING:
        code = tn_remote_connected(stream->remote, stream->fd, &got, err);
        return code == TN_OK ? proceed(stream, got, tls, err) : code;
    case TN_STREAM_HANDSHAKE:
        return shake_hands(stream, err);
    }
    return code;
}

static enum tn_code
read_tls(struct tn_stream *stream, char *buffer, size_t size, size_t *n,
         struct tn_error *err)
{
    enum tn_tls_wants wants = TN_TLS_DONE;
    enum tn_code code = tn_tls_read(stream->tls, buffer, size, n, &wants, err);
    stream->reading_blocked = wants == TN_TLS_OUT;
    return code ? tn_while(err, code, "%s", stream->remote->text) : TN_OK;
}

enum tn_code
tn_stream_read(struct tn_stream *stream, char *buffer, size_t size, size_t *n,
               struct tn_error *err)
{
    if (stream->tls) {
        return read_tls(stream, buffer, size, n, err);
    }
    ssize_t got = recv(stream->fd, buffer, size, 0);
    if (got == 0) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "%s has closed the connection",
                       stream->remote->text);
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
        return broken(stream, errno, err);
    }
    *n = got > 0 ? (size_t) got : 0;
    return TN_OK;
}

static enum tn_code
write_tls(struct tn_stream *stream, const char *bytes, size_t size, size_t *n,
          struct tn_error *err)
{
    enum tn_tls_wants wants = TN_TLS_DONE;
    enum tn_code code = tn_tls_write(stream->tls, bytes, size, n, &wants, err);
    stream->blocked = wants == TN_TLS_OUT;
    return code ? tn_while(err, code, "%s", stream->remote->text) : TN_OK;
}

enum tn_code
tn_stream_write(struct tn_stream *stream, const char *bytes, size_t size,
                size_t *n, struct tn_error *err)
{
    if (stream->tls) {
        return write_tls(stream, bytes, size, n, err);
    }
    ssize_t got = send(stream->fd, bytes, size, MSG_NOSIGNAL);
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
        return broken(stream, errno, err);
    }
    stream->blocked = got < 0 || (size_t) got < size;
    *n = got > 0 ? (size_t) got : 0;
    return TN_OK;
}

void
tn_stream_close(struct tn_stream *stream)
{
    tn_tls_free(stream->tls);
    if (stream->fd >= 0) {
        close(stream->fd);
    }
    *stream = (struct tn_stream) TN_STREAM_NONE;
}
