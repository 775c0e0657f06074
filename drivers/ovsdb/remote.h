/* remote.h - where a server is, as ovsdb(7) writes it, and sockets to it.
 *
 * unix:PATH, tcp:ADDRESS[:PORT], ssl:ADDRESS[:PORT]; several are separated by
 * commas.  The port is 6640 unless given; an IPv6 address stands in brackets
 * and may have a zone.  Names of hosts are refused: looking them up would
 * wait. */
#ifndef TN_OVSDB_REMOTE_H
#define TN_OVSDB_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "model/base/error.h"

struct tn_remote {
    char *text; /* As it was written. */
    bool tls;
    char *path; /* Of a unix socket; null: an address. */
    struct sockaddr_storage address;
    socklen_t n_address;
};

struct tn_remotes {
    struct tn_remote *items;
    size_t n; /* At least 1. */
};

/* '*out' is new.  TN_EINTENT: not well formed. */
enum tn_code tn_remotes_parse(const char *text, struct tn_remotes *out,
                              struct tn_error *err) TN_MUST_USE;
void tn_remotes_done(struct tn_remotes *remotes);

/* What became of a try. */
enum tn_remote_try {
    TN_REMOTE_CONNECTED,
    TN_REMOTE_UNDER_WAY, /* Ask again when the descriptor can be written. */
    TN_REMOTE_BUSY,      /* Too many wait for the server: try again soon. */
};

/* '*fd' is a new descriptor, -1 with TN_REMOTE_BUSY.  Does not wait. */
enum tn_code tn_remote_connect(const struct tn_remote *remote, int *fd,
                               enum tn_remote_try *out,
                               struct tn_error *err) TN_MUST_USE;
/* After TN_REMOTE_UNDER_WAY. */
enum tn_code tn_remote_connected(const struct tn_remote *remote, int fd,
                                 enum tn_remote_try *out,
                                 struct tn_error *err) TN_MUST_USE;

#endif
