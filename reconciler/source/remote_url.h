/* remote_url.h - where a repository is, taken apart and judged. */
#ifndef TN_SOURCE_REMOTE_URL_H
#define TN_SOURCE_REMOTE_URL_H

#include "model/base/error.h"

enum tn_url_kind { TN_URL_LOCAL, TN_URL_SSH, TN_URL_HTTPS };

struct tn_url {
    enum tn_url_kind kind;
    char user[128]; /* Empty: none given. */
    char host[256]; /* Without the brackets of IPv6; empty if local. */
    unsigned port;
    char wire[1024];  /* For libgit2: without user if HTTPS; a path if local. */
    char shown[1024]; /* For people: without user if HTTPS, where it may be a
                         token. */
};

/* TN_EDENIED, with no part of a secret in the text, for what is not
 * accepted. */
enum tn_code tn_url_parse(const char *url, struct tn_url *out,
                          struct tn_error *err) TN_MUST_USE;

#endif
