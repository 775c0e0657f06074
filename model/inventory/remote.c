/* remote.c - where a database of Open vSwitch or OVN is to be found.
 *
 * The syntax is ovsdb(7)'s, for a client: unix:PATH, tcp:IP:PORT, ssl:IP:PORT,
 * an IPv6 address in brackets, several of them with commas between.  Names of
 * machines are refused: a device must not depend on a resolver.  One spelling
 * is made of all that mean the same, so that two remotes are the same place if
 * and only if their texts are equal. */
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

enum { PATH_BYTES_MAX = 107, PORT_MAX = 65535, PORT_DIGITS_MAX = 5 };

static bool
read_port(const char *s, unsigned *out)
{
    size_t n = strspn(s, "0123456789");
    unsigned long v = n && n <= PORT_DIGITS_MAX ? strtoul(s, NULL, 10) : 0;

    if (s[n] || v == 0 || v > PORT_MAX) {
        return false;
    }
    *out = (unsigned) v;
    return true;
}

/* "192.0.2.1:6640" or "[2001:db8::1]:6640"; changes 's'. */
static bool
read_endpoint(char *s, struct tn_addr *addr, unsigned *port)
{
    char *colon = strrchr(s, ':');
    size_t n = colon ? (size_t) (colon - s) : 0;
    bool six = *s == '[';

    if (n < 2 || (six && s[n - 1] != ']')) {
        return false;
    }
    s[six ? n - 1 : n] = '\0';
    return tn_addr_parse(s + six, addr) &&
           addr->family == (six ? TN_AF_IPV6 : TN_AF_IPV4) &&
           !tn_addr_is_multicast(addr) && read_port(colon + 1, port);
}

static bool
is_socket_path(const char *s)
{
    for (const char *p = s; *p; p++) {
        if ((unsigned char) *p <= ' ' || *p == 0x7f) {
            return false;
        }
    }
    return *s == '/' && strlen(s) <= PATH_BYTES_MAX;
}

/* One remote; changes 's'. */
static bool
remote_add(char *s, struct tn_text *out)
{
    char text[TN_ADDR_TEXT];
    struct tn_addr addr;
    unsigned port;

    if (strncmp(s, "unix:", 5) == 0) {
        tn_text_add(out, s);
        return is_socket_path(s + 5);
    }
    if ((strncmp(s, "tcp:", 4) != 0 && strncmp(s, "ssl:", 4) != 0) ||
        !read_endpoint(s + 4, &addr, &port)) {
        return false;
    }
    tn_addr_format(&addr, text);
    tn_text_addf(out, addr.family == TN_AF_IPV6 ? "%.4s[%s]:%u" : "%.4s%s:%u",
                 s, text, port);
    return true;
}

bool
tn_inv_remotes(const char *text, struct tn_text *out)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text copy = {0};
    bool last = false;

    tn_text_add(&copy, text);
    for (char *s = copy.s; s && !last;) {
        char *end = s + strcspn(s, ",");

        last = *end == '\0';
        *end = '\0';
        s += strspn(s, " ");
        for (char *p = end; p > s && p[-1] == ' '; p--) {
            p[-1] = '\0';
        }
        if (!remote_add(s, out)) {
            return false;
        }
        if (!last) {
            tn_text_addc(out, ',');
        }
        s = end + 1;
    }
    return copy.n > 0;
}

const char *
tn_inv_remote_next(const char *remotes, struct tn_text *out)
{
    size_t n = strcspn(remotes, ",");

    tn_text_clear(out);
    tn_text_addn(out, remotes, n);
    return remotes[n] ? remotes + n + 1 : NULL;
}
