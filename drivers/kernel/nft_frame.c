/* nft_frame.c - see nft_frame.h.  Checksums are right, so that only what a
 * test is about can be a reason to drop. */
#include "drivers/kernel/nft_frame.h"

#include <stdio.h>
#include <string.h>

#include "drivers/kernel/nft_world.h"
#include "model/base/net.h"

struct build {
    uint8_t *b;
    size_t n;
};

static void
byte(struct build *o, unsigned v)
{
    o->b[o->n++] = (uint8_t) v;
}

static void
word(struct build *o, unsigned v)
{
    byte(o, v >> 8);
    byte(o, v & 0xff);
}

static void
mac(struct build *o, const char *text)
{
    struct tn_mac m = {{0}};
    if (text && tn_mac_parse(text, &m)) {
        memcpy(o->b + o->n, m.b, 6);
    }
    o->n += 6;
}

static void
address(struct build *o, const char *text)
{
    struct tn_addr a = {0};
    if (text && tn_addr_parse(text, &a)) {
        memcpy(o->b + o->n, a.b, tn_addr_size(&a));
    }
    o->n += tn_addr_size(&a);
}

static void
mark_with(struct build *o, unsigned mark)
{
    char text[TN_FRAME_MARK + 1];
    snprintf(text, sizeof text, "tenet%07u", mark % 10000000u);
    memcpy(o->b + o->n, text, TN_FRAME_MARK);
    o->n += TN_FRAME_MARK;
}

static uint32_t
sum(const uint8_t *b, size_t n, uint32_t s)
{
    for (size_t i = 0; i < n; i++) {
        s += (uint32_t) b[i] << (i % 2 ? 0 : 8);
    }
    return s;
}

static void
put_sum(uint8_t *at, uint32_t s)
{
    s = (s & 0xffff) + (s >> 16);
    s = ~((s & 0xffff) + (s >> 16));
    at[0] = (uint8_t) (s >> 8);
    at[1] = (uint8_t) s;
}

/* The header; the length is set by finish(). */
static void
header(struct build *o, const struct tn_frame *f, bool six, unsigned proto)
{
    if (six) {
        word(o, 0x6000);
        word(o, 0);
        word(o, 0);
        byte(o, proto);
        byte(o, 255);
    } else {
        word(o, 0x4500);
        word(o, 0);
        word(o, 0);
        word(o, 0);
        byte(o, 64);
        byte(o, proto);
        word(o, 0);
    }
    address(o, f->from);
    address(o, f->to);
}

static void
finish(struct build *o, size_t ip, bool six, unsigned proto, size_t sum_at)
{
    uint8_t *h = o->b + ip;
    size_t head = six ? 40 : 20, body = o->n - ip - head;
    uint8_t *length = h + (six ? 4 : 2);
    size_t n = six ? body : body + head;
    length[0] = (uint8_t) (n >> 8);
    length[1] = (uint8_t) n;
    if (!six) {
        put_sum(h + 10, sum(h, 20, 0));
    }
    bool pseudo = six || proto == 17;
    uint32_t s = pseudo ? (uint32_t) body + proto : 0;
    s = pseudo ? sum(h + (six ? 8 : 12), six ? 32 : 8, s) : s;
    put_sum(h + head + sum_at, sum(h + head, body, s));
}

static void
echo(struct build *o, const struct tn_frame *f, unsigned mark)
{
    bool six = strchr(f->to, ':') != NULL;
    unsigned proto = six ? 58 : 1;
    size_t ip = o->n;
    header(o, f, six, proto);
    byte(o, six ? 128 : 8);
    byte(o, 0);
    word(o, 0);
    word(o, mark);
    word(o, 1);
    mark_with(o, mark);
    finish(o, ip, six, proto, 2);
}

static void
dhcp(struct build *o, const struct tn_frame *f, unsigned mark)
{
    bool six = strchr(f->to, ':') != NULL;
    size_t ip = o->n;
    header(o, f, six, 17);
    word(o, six ? 547 : 67);
    word(o, six ? 546 : 68);
    word(o, 8 + TN_FRAME_MARK);
    word(o, 0);
    mark_with(o, mark);
    finish(o, ip, six, 17, 6);
}

static void
arp(struct build *o, const struct tn_frame *f, unsigned mark)
{
    word(o, 1);
    word(o, 0x0800);
    word(o, 0x0604);
    word(o, f->kind == TN_FRAME_ARP_REPLY ? 2 : 1);
    mac(o, f->claim_mac);
    address(o, f->claim);
    mac(o, f->kind == TN_FRAME_ARP_REPLY ? f->mac_to : NULL);
    address(o, f->to);
    mark_with(o, mark);
}

/* All of ND; the mark is in a last option of an unknown type. */
static void
nd(struct build *o, const struct tn_frame *f, unsigned mark)
{
    static const uint8_t types[] = {[TN_FRAME_NA] = 136,
                                    [TN_FRAME_NS] = 135,
                                    [TN_FRAME_RA] = 134,
                                    [TN_FRAME_REDIRECT] = 137};
    size_t ip = o->n;
    header(o, f, true, 58);
    byte(o, types[f->kind]);
    byte(o, 0);
    word(o, 0);
    word(o, f->kind == TN_FRAME_NA ? 0x2000 : 0);
    word(o, 0);
    if (f->kind == TN_FRAME_RA) {
        o->n += 8;
    } else {
        address(o, f->claim);
    }
    if (f->kind == TN_FRAME_REDIRECT) {
        address(o, f->claim);
    }
    if (f->claim_mac) {
        byte(o, f->kind == TN_FRAME_NA ? 2 : 1);
        byte(o, 1);
        mac(o, f->claim_mac);
    }
    byte(o, 253);
    byte(o, 2);
    word(o, 0);
    mark_with(o, mark);
    finish(o, ip, true, 58, 2);
}

size_t
tn_frame_build(const struct tn_frame *f, unsigned mark, uint8_t out[512])
{
    struct build o = {out, 0};
    memset(out, 0, 512);
    mac(&o, f->mac_to);
    mac(&o, f->mac_from);
    if (f->vlan) {
        word(&o, 0x8100);
        word(&o, (unsigned) f->vlan);
    }
    switch (f->kind) {
    case TN_FRAME_ECHO:
    case TN_FRAME_DHCP:
        word(&o, strchr(f->to, ':') ? 0x86dd : 0x0800);
        (f->kind == TN_FRAME_ECHO ? echo : dhcp)(&o, f, mark);
        break;
    case TN_FRAME_ARP_REPLY:
    case TN_FRAME_ARP_REQUEST:
        word(&o, 0x0806);
        arp(&o, f, mark);
        break;
    case TN_FRAME_NA:
    case TN_FRAME_NS:
    case TN_FRAME_RA:
    case TN_FRAME_REDIRECT:
        word(&o, 0x86dd);
        nd(&o, f, mark);
        break;
    case TN_FRAME_LLDP:
        word(&o, 0x88cc);
        mark_with(&o, mark);
        break;
    }
    return o.n;
}
