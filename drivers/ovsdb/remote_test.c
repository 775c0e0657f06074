/* remote_test.c - what is a remote, and what is none. */
#include "drivers/ovsdb/remote.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/attr.h"

struct row {
    const char *text;
    const char *parsed; /* "tcp 192.0.2.1 6640;..." */
    const char *why;    /* ... or why not. */
};

static const struct row rows[] = {
    {"unix:/run/db.sock", "unix /run/db.sock;", NULL},
    {"unix:db.sock", "unix db.sock;", NULL},
    {"unix:/a path/with:colons", "unix /a path/with:colons;", NULL},
    {"tcp:192.0.2.1:6641", "tcp 192.0.2.1 6641;", NULL},
    {"tcp:192.0.2.1", "tcp 192.0.2.1 6640;", NULL},
    {"ssl:192.0.2.1:65535", "ssl 192.0.2.1 65535;", NULL},
    {"ssl:[2001:db8::1]:6642", "ssl 2001:db8::1 6642;", NULL},
    {"tcp:[::1]", "tcp ::1 6640;", NULL},
    {"tcp:[fe80::1%lo]:1", "tcp fe80::1 1;", NULL},
    {"tcp:1.1.1.1:1,ssl:2.2.2.2:2, unix:/x",
     "tcp 1.1.1.1 1;ssl 2.2.2.2 2;"
     "unix /x;",
     NULL},
    {" tcp:1.1.1.1:1\t,\n,", "tcp 1.1.1.1 1;", NULL},
    {"", NULL, "no remote"},
    {" , ,", NULL, "no remote"},
    {"unix:", NULL, "unix:PATH"},
    {"punix:/x", NULL, "expected unix:, tcp: or ssl:"},
    {"ptcp:6640", NULL, "expected unix:, tcp: or ssl:"},
    {"TCP:1.1.1.1:1", NULL, "expected unix:, tcp: or ssl:"},
    {"1.1.1.1:6640", NULL, "expected unix:, tcp: or ssl:"},
    {"tcp:", NULL, "no IP address"},
    {"tcp:localhost:6640", NULL, "names of hosts are not looked up"},
    {"tcp:1.2.3:6640", NULL, "no IP address"},
    {"tcp:01.2.3.4:6640", NULL, "no IP address"},
    {"tcp:1.2.3.4:", NULL, "ADDRESS:PORT"},
    {"tcp:1.2.3.4:0", NULL, "ADDRESS:PORT"},
    {"tcp:1.2.3.4:65536", NULL, "ADDRESS:PORT"},
    {"tcp:1.2.3.4:99999999999999999999", NULL, "ADDRESS:PORT"},
    {"tcp:1.2.3.4:12x", NULL, "ADDRESS:PORT"},
    {"tcp:1.2.3.4:+1", NULL, "ADDRESS:PORT"},
    {"tcp:2001:db8::1:6640", NULL, "brackets"},
    {"tcp:[::1:6640", NULL, "[ADDRESS]:PORT"},
    {"tcp:[::1]6640", NULL, "[ADDRESS]:PORT"},
    {"tcp:[1.2.3.4]:6640", NULL, "no IPv6 address"},
    {"tcp:[fe80::1%no-such-if]:1", NULL, "no such interface"},
    {"tcp:[::1%"
     "01234567890123456789012345678901234567890123456789012345678901234"
     "56789012345678901234567890123456789012345678901234567890123456789]:1",
     NULL, "too long"},
    {"tcp:1.1.1.1:1,udp:1.1.1.1:1", NULL, "\"udp:1.1.1.1:1\""},
};

static void
print(const struct tn_remotes *remotes, char *out, size_t size)
{
    size_t n = 0;
    *out = '\0';
    for (size_t i = 0; i < remotes->n && n < size; i++) {
        const struct tn_remote *r = &remotes->items[i];
        const struct sockaddr_in *v4 = (const void *) &r->address;
        const struct sockaddr_in6 *v6 = (const void *) &r->address;
        char text[INET6_ADDRSTRLEN];
        if (r->path) {
            n += (size_t) snprintf(out + n, size - n, "unix %s;", r->path);
            continue;
        }
        bool is_v6 = r->address.ss_family == AF_INET6;
        inet_ntop(r->address.ss_family,
                  is_v6 ? (const void *) &v6->sin6_addr
                        : (const void *) &v4->sin_addr,
                  text, sizeof text);
        n += (size_t) snprintf(out + n, size - n, "%s %s %u;",
                               r->tls ? "ssl" : "tcp", text,
                               ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
    }
}

Test(remote, texts)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_remotes remotes = {0};
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        enum tn_code code = tn_remotes_parse(rows[i].text, &remotes, &err);
        tn_error_text(&err, text, sizeof text);
        if (rows[i].why) {
            cr_expect_eq(code, TN_EINTENT, "%s", rows[i].text);
            cr_expect(strstr(text, rows[i].why), "%s: %s", rows[i].text, text);
        } else {
            cr_assert_eq(code, TN_OK, "%s: %s", rows[i].text, text);
            print(&remotes, text, sizeof text);
            cr_expect_str_eq(text, rows[i].parsed);
            tn_remotes_done(&remotes);
        }
    }
}

Test(remote, not_too_many)
{
    struct tn_remotes remotes = {0};
    char text[65 * 8 + 1];
    for (size_t i = 0; i < 65; i++) {
        memcpy(text + 8 * i, "unix:/x,", 9);
    }
    cr_expect_eq(tn_remotes_parse(text, &remotes, NULL), TN_EINTENT);
    cr_assert_eq(tn_remotes_parse(text + 8, &remotes, NULL), TN_OK);
    cr_expect_eq(remotes.n, 64u);
    tn_remotes_done(&remotes);
}
