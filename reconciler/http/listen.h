/* listen.h - a listening socket from its text, for server.c. */
#ifndef TN_HTTP_LISTEN_H
#define TN_HTTP_LISTEN_H

#include <sys/socket.h>

#include "model/base/error.h"

/* A socket that listens on 'listen' (see struct tn_http_options), not blocking
 * and closed on exec.  '*path' is new (malloc) for a local socket, else null.
 * Codes as tn_http_server_open(). */
enum tn_code tn_listen(const char *listen, int *out, char **path,
                       struct tn_error *err) TN_MUST_USE;

/* The port that 'fd' is bound to; 0 for a local socket. */
unsigned tn_listen_port(int fd);

/* The address without the port: "192.0.2.1", "2001:db8::1", "unix".  An IPv4
 * address that came to an IPv6 socket is written as IPv4.  Returns 'buf'. */
const char *tn_peer_text(const struct sockaddr *addr, char *buf, size_t size);

#endif
