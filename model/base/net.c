/* net.c - see net.h.  Parsing is strict: what inet_pton refuses, we refuse. */
#include "model/base/net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
tn_addr_parse(const char *s, struct tn_addr *out)
{
    struct tn_addr a = {0};
    if (inet_pton(AF_INET, s, a.b) == 1) {
        a.family = TN_AF_IPV4;
    } else if (inet_pton(AF_INET6, s, a.b) == 1) {
        a.family = TN_AF_IPV6;
    } else {
        return false;
    }
    *out = a;
    return true;
}

static char *
octet_format(char *p, unsigned v)
{
    if (v >= 100) {
        *p++ = (char) ('0' + v / 100);
    }
    if (v >= 10) {
        *p++ = (char) ('0' + v / 10 % 10);
    }
    *p++ = (char) ('0' + v % 10);
    return p;
}

const char *
tn_addr_format(const struct tn_addr *a, char buf[TN_ADDR_TEXT])
{
    if (a->family == TN_AF_IPV4) {
        char *p = buf;
        for (int i = 0; i < 4; i++) {
            p = octet_format(p, a->b[i]);
            *p++ = i < 3 ? '.' : '\0';
        }
    } else if (a->family == TN_AF_IPV6) {
        inet_ntop(AF_INET6, a->b, buf, TN_ADDR_TEXT);
    } else {
        buf[0] = '\0';
    }
    return buf;
}

int
tn_addr_cmp(const struct tn_addr *a, const struct tn_addr *b)
{
    if (a->family != b->family) {
        return a->family < b->family ? -1 : 1;
    }
    return memcmp(a->b, b->b, sizeof a->b);
}

size_t
tn_addr_size(const struct tn_addr *a)
{
    return a->family == TN_AF_IPV4 ? 4 : 16;
}

unsigned
tn_addr_bits(const struct tn_addr *a)
{
    return a->family == TN_AF_IPV4 ? 32 : 128;
}

bool
tn_addr_is_multicast(const struct tn_addr *a)
{
    return a->family == TN_AF_IPV4 ? (a->b[0] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool
tn_addr_add(const struct tn_addr *a, uint64_t offset, struct tn_addr *out)
{
    struct tn_addr r = *a;
    for (size_t i = tn_addr_size(a); i > 0 && offset; i--) {
        uint64_t sum = (uint64_t) r.b[i - 1] + (offset & 0xff);
        r.b[i - 1] = (uint8_t) sum;
        offset = (offset >> 8) + (sum >> 8);
    }
    if (offset) {
        return false;
    }
    *out = r;
    return true;
}

static void
addr_mask(struct tn_addr *a, unsigned len)
{
    for (unsigned i = 0; i < tn_addr_size(a); i++) {
        unsigned keep = len > i * 8 ? len - i * 8 : 0;
        if (keep < 8) {
            a->b[i] = (uint8_t) (a->b[i] & (0xff00u >> keep));
        }
    }
}

enum tn_cidr_error
tn_cidr_parse(const char *s, struct tn_cidr *out)
{
    char addr[TN_ADDR_TEXT];
    const char *slash = strchr(s, '/');
    if (!slash || (size_t) (slash - s) >= sizeof addr) {
        return TN_CIDR_SYNTAX;
    }
    memcpy(addr, s, (size_t) (slash - s));
    addr[slash - s] = '\0';
    struct tn_cidr c = {0};
    size_t digits = strspn(slash + 1, "0123456789");
    if (!tn_addr_parse(addr, &c.addr) || digits == 0 || digits > 3 ||
        slash[1 + digits] != '\0' || (digits > 1 && slash[1] == '0')) {
        return TN_CIDR_SYNTAX;
    }
    unsigned long len = strtoul(slash + 1, NULL, 10);
    if (len > tn_addr_bits(&c.addr)) {
        return TN_CIDR_SYNTAX;
    }
    struct tn_addr given = c.addr;
    c.len = (uint8_t) len;
    addr_mask(&c.addr, c.len);
    *out = c;
    return tn_addr_cmp(&given, &c.addr) ? TN_CIDR_HOST_BITS : TN_CIDR_OK;
}

const char *
tn_cidr_format(const struct tn_cidr *c, char buf[TN_CIDR_TEXT])
{
    tn_addr_format(&c->addr, buf);
    if (c->addr.family != TN_AF_NONE) {
        char *p = buf + strlen(buf);
        *p++ = '/';
        *octet_format(p, c->len) = '\0';
    }
    return buf;
}

int
tn_cidr_cmp(const struct tn_cidr *a, const struct tn_cidr *b)
{
    int c = tn_addr_cmp(&a->addr, &b->addr);
    return c ? c : (a->len > b->len) - (a->len < b->len);
}

bool
tn_cidr_contains(const struct tn_cidr *c, const struct tn_addr *a)
{
    if (c->addr.family != a->family || a->family == TN_AF_NONE) {
        return false;
    }
    struct tn_addr masked = *a;
    addr_mask(&masked, c->len);
    return tn_addr_cmp(&masked, &c->addr) == 0;
}

bool
tn_cidr_within(const struct tn_cidr *inner, const struct tn_cidr *outer)
{
    return inner->len >= outer->len && tn_cidr_contains(outer, &inner->addr);
}

bool
tn_cidr_overlap(const struct tn_cidr *a, const struct tn_cidr *b)
{
    return tn_cidr_within(a, b) || tn_cidr_within(b, a);
}

uint64_t
tn_cidr_count(const struct tn_cidr *c)
{
    unsigned host = tn_addr_bits(&c->addr) - c->len;
    return host >= 64 ? UINT64_MAX : (uint64_t) 1 << host;
}

struct tn_addr
tn_cidr_last(const struct tn_cidr *c)
{
    struct tn_addr a = c->addr;
    for (unsigned i = 0; i < tn_addr_size(&a); i++) {
        unsigned keep = c->len > i * 8 ? c->len - i * 8 : 0;
        if (keep < 8) {
            a.b[i] = (uint8_t) (a.b[i] | (0xffu >> keep));
        }
    }
    return a;
}

struct tn_cidr
tn_cidr_of_addr(const struct tn_addr *a)
{
    return (struct tn_cidr){*a, (uint8_t) tn_addr_bits(a)};
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
tn_mac_parse(const char *s, struct tn_mac *out)
{
    struct tn_mac m;
    if (strlen(s) != 17) {
        return false;
    }
    for (size_t i = 0; i < 6; i++) {
        int hi = hex_digit(s[i * 3]), lo = hex_digit(s[i * 3 + 1]);
        if (hi < 0 || lo < 0 || (i < 5 && s[i * 3 + 2] != ':')) {
            return false;
        }
        m.b[i] = (uint8_t) (hi * 16 + lo);
    }
    *out = m;
    return true;
}

const char *
tn_mac_format(const struct tn_mac *m, char buf[TN_MAC_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < 6; i++) {
        buf[i * 3] = hex[m->b[i] >> 4];
        buf[i * 3 + 1] = hex[m->b[i] & 15];
        buf[i * 3 + 2] = i < 5 ? ':' : '\0';
    }
    return buf;
}

int
tn_mac_cmp(const struct tn_mac *a, const struct tn_mac *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

bool
tn_mac_is_multicast(const struct tn_mac *m)
{
    return m->b[0] & 1;
}

bool
tn_mac_is_zero(const struct tn_mac *m)
{
    static const struct tn_mac zero;
    return tn_mac_cmp(m, &zero) == 0;
}
