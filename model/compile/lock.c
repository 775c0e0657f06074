/* lock.c - reads and writes pinned identifiers.
 *
 * The file is YAML of the strict profile, but of a fixed shape that the printer
 * keeps: one object a line, so that Git merges two branches line by line.  Two
 * branches that pinned one number for two objects merge cleanly and are found
 * here, by line.
 *
 * What the printer wrote and nobody touched, which is nearly every file, is
 * read line by line; a tenth of the time that the YAML takes.  Whatever else is
 * in a file, that reader gives up and the YAML is read, which knows what is
 * wrong and where. */
#include "model/compile/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/yaml/node.h"

static const char head[] =
    "# Identifiers in use; written by 'tenet lock'.  Do not edit.\n"
    "apiVersion: tenet/v1\n"
    "kind: Lock\n"
    "pins:\n";

static const char *const members[] = {"vni", "mac", "address", "address6"};

enum { VNI_MAX = (1 << 24) - 1 };

struct reader {
    struct tn_arena *arena;
    struct tn_diags *diags;
    const char *path;
};

static void
refuse(struct reader *r, struct tn_pos at, const char *key, const char *wanted)
{
    tn_diag(r->diags, TN_ERROR, tn_at(r->path, at), "%s: %s expected", key,
            wanted);
}

static bool
is_text(const struct tn_node *node)
{
    return node->type == TN_NODE_SCALAR && !tn_node_is_null(node);
}

static void
address_read(struct reader *r, const struct tn_pair *pair, bool only6,
             struct tn_addr *out)
{
    struct tn_addr a;
    if (!is_text(pair->value) || !tn_addr_parse(pair->value->scalar.text, &a) ||
        (only6 && a.family != TN_AF_IPV6)) {
        refuse(r, pair->value->at, pair->key,
               only6 ? "an IPv6 address" : "an address");
        return;
    }
    *out = a;
}

static void
vni_read(struct reader *r, const struct tn_pair *pair, struct tn_pin *pin)
{
    uint64_t v = 0;
    if (!tn_node_uint(pair->value, &v) || v == 0 || v > VNI_MAX) {
        refuse(r, pair->value->at, pair->key, "a number from 1 to 16777215");
        return;
    }
    pin->vni = (uint32_t) v;
}

static void
mac_read(struct reader *r, const struct tn_pair *pair, struct tn_pin *pin)
{
    struct tn_mac m;
    if (!is_text(pair->value) || !tn_mac_parse(pair->value->scalar.text, &m) ||
        tn_mac_is_multicast(&m) || tn_mac_is_zero(&m)) {
        refuse(r, pair->value->at, pair->key, "a unicast MAC address");
        return;
    }
    pin->mac = m;
}

static void
member_read(struct reader *r, const struct tn_pair *pair, struct tn_pin *pin)
{
    if (strcmp(pair->key, "vni") == 0) {
        vni_read(r, pair, pin);
    } else if (strcmp(pair->key, "mac") == 0) {
        mac_read(r, pair, pin);
    } else if (strcmp(pair->key, "address") == 0) {
        address_read(r, pair, false, &pin->address);
    } else if (strcmp(pair->key, "address6") == 0) {
        address_read(r, pair, true, &pin->address6);
    } else {
        struct tn_diag *d =
            tn_diag(r->diags, TN_ERROR, tn_at(r->path, pair->at),
                    "unknown field '%s'", pair->key);
        const char *near =
            tn_nearest(pair->key, members, TN_ARRAY_SIZE(members));
        if (near) {
            d->hint =
                tn_arena_printf(r->diags->arena, "did you mean '%s'?", near);
        }
    }
}

/* "subnet/<label>/<label>" or "port/<label>" */
static bool
is_object(const char *s)
{
    char part[64];
    bool subnet = strncmp(s, "subnet/", 7) == 0;
    if (!subnet && strncmp(s, "port/", 5) != 0) {
        return false;
    }
    const char *p = s + (subnet ? 7 : 5);
    if (subnet) {
        size_t n = strcspn(p, "/");
        if (n >= sizeof part || p[n] != '/') {
            return false;
        }
        memcpy(part, p, n);
        part[n] = '\0';
        if (!tn_is_label(part)) {
            return false;
        }
        p += n + 1;
    }
    return tn_is_label(p);
}

static int
pin_cmp(const void *a, const void *b)
{
    const struct tn_pin *x = a, *y = b;
    return strcmp(x->object, y->object);
}

static bool
envelope_read(struct reader *r, const struct tn_node *doc)
{
    const struct tn_node *version = tn_node_get(doc, "apiVersion");
    const struct tn_node *kind = tn_node_get(doc, "kind");
    bool good = version && is_text(version) && kind && is_text(kind) &&
                strcmp(version->scalar.text, "tenet/v1") == 0 &&
                strcmp(kind->scalar.text, "Lock") == 0;
    if (!good) {
        tn_diag(r->diags, TN_ERROR, tn_at(r->path, doc->at),
                "'apiVersion: tenet/v1' and 'kind: Lock' expected");
    }
    for (size_t i = 0; doc->type == TN_NODE_MAP && i < doc->map.n; i++) {
        const struct tn_pair *p = &doc->map.pairs[i];
        if (strcmp(p->key, "apiVersion") != 0 && strcmp(p->key, "kind") != 0 &&
            strcmp(p->key, "pins") != 0) {
            tn_diag(r->diags, TN_ERROR, tn_at(r->path, p->at),
                    "unknown field '%s'", p->key);
        }
    }
    return good;
}

/* A pinned VNI and the line that pins it. */
struct pinned {
    uint32_t vni;
    struct tn_pos at;
    const char *object;
};

static int
pinned_cmp(const void *a, const void *b)
{
    const struct pinned *x = a, *y = b;
    int c = (x->vni > y->vni) - (x->vni < y->vni);
    return c ? c : (x->at.line > y->at.line) - (x->at.line < y->at.line);
}

static void
twice_check(struct reader *r, struct pinned *pinned, size_t n)
{
    if (n > 1) {
        qsort(pinned, n, sizeof *pinned, pinned_cmp);
    }
    for (size_t i = 1; i < n; i++) {
        if (pinned[i].vni == pinned[i - 1].vni) {
            tn_diag(r->diags, TN_ERROR, tn_at(r->path, pinned[i].at),
                    "vni %u of '%s' is pinned for '%s' already, in line %u",
                    pinned[i].vni, pinned[i].object, pinned[i - 1].object,
                    pinned[i - 1].at.line);
        }
    }
}

static struct tn_pin *
pins_read(struct reader *r, const char *tenant, const struct tn_node *pins,
          size_t *n_out)
{
    *n_out = 0;
    if (!pins || tn_node_is_null(pins)) {
        return NULL;
    }
    if (pins->type != TN_NODE_MAP) {
        refuse(r, pins->at, "pins", "a map");
        return NULL;
    }
    struct tn_pin *list = tn_new_n(r->arena, struct tn_pin, pins->map.n);
    struct pinned *seen = tn_new_n(r->arena, struct pinned, pins->map.n);
    size_t n_seen = 0;
    for (size_t i = 0; i < pins->map.n; i++) {
        const struct tn_pair *pair = &pins->map.pairs[i];
        if (!is_object(pair->key) || pair->value->type != TN_NODE_MAP) {
            refuse(r, pair->at, pair->key,
                   "'subnet/VPC/SUBNET: {...}' or 'port/PORT: {...}'");
            continue;
        }
        struct tn_pin *pin = &list[(*n_out)++];
        pin->tenant = tenant;
        pin->object = tn_arena_strdup(r->arena, pair->key);
        for (size_t k = 0; k < pair->value->map.n; k++) {
            member_read(r, &pair->value->map.pairs[k], pin);
        }
        if (pin->vni) {
            seen[n_seen++] = (struct pinned){pin->vni, pair->at, pin->object};
        }
    }
    twice_check(r, seen, n_seen);
    return list;
}

/* ---- what the printer wrote ---- */

struct scan {
    const char *at, *end;
};

static bool
skip(struct scan *s, const char *text, size_t n)
{
    if ((size_t) (s->end - s->at) < n || memcmp(s->at, text, n) != 0) {
        return false;
    }
    s->at += n;
    return true;
}
#define SKIP(s, text) skip(s, text, sizeof(text) - 1)

/* Takes the characters before the next 'stop', or as many as can be part of a
 * number or an address if 'stop' is 0.  False if they do not fit. */
static bool
take(struct scan *s, char stop, char *buf, size_t size)
{
    size_t n = 0;
    for (const char *p = s->at; p < s->end; p++, n++) {
        bool mine = stop ? *p != stop && *p != '\n'
                         : (*p >= '0' && *p <= '9') ||
                               (*p >= 'a' && *p <= 'f') || *p == '.' ||
                               *p == ':';
        if (!mine) {
            break;
        }
        if (n + 1 == size) {
            return false;
        }
        buf[n] = *p;
    }
    buf[n] = '\0';
    s->at += n;
    return n > 0;
}

static bool
vni_scan(struct scan *s, uint32_t *out)
{
    uint32_t v = 0;
    const char *from = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9' &&
           s->at - from < 8) {
        v = v * 10 + (uint32_t) (*s->at++ - '0');
    }
    *out = v;
    return v > 0 && v <= VNI_MAX && *from != '0';
}

static bool
mac_scan(struct scan *s, struct tn_mac *out)
{
    char text[TN_MAC_TEXT];
    return take(s, 0, text, sizeof text) && SKIP(s, "\"") &&
           tn_mac_parse(text, out) && !tn_mac_is_multicast(out) &&
           !tn_mac_is_zero(out);
}

/* Those of IPv6 stand in quotes, those of IPv4 do not. */
static bool
address_scan(struct scan *s, bool six, struct tn_addr *out)
{
    char text[TN_ADDR_TEXT];
    return take(s, 0, text, sizeof text) && (!six || SKIP(s, "\"")) &&
           tn_addr_parse(text, out) &&
           out->family == (six ? TN_AF_IPV6 : TN_AF_IPV4);
}

/* Members in the printer's order; 'last' is the place of the one before. */
static bool
member_scan(struct scan *s, unsigned *last, struct tn_pin *pin)
{
    unsigned place = SKIP(s, "vni: ")          ? 1
                     : SKIP(s, "mac: \"")      ? 2
                     : SKIP(s, "address: \"")  ? 3
                     : SKIP(s, "address: ")    ? 4
                     : SKIP(s, "address6: \"") ? 5
                                               : 0;
    bool after = place > *last && !(place == 4 && *last == 3);
    *last = place;
    switch (after ? place : 0) {
    case 1:
        return vni_scan(s, &pin->vni);
    case 2:
        return mac_scan(s, &pin->mac);
    case 3:
    case 4:
        return address_scan(s, place == 3, &pin->address);
    case 5:
        return address_scan(s, true, &pin->address6);
    default:
        return false;
    }
}

static bool
line_scan(struct scan *s, struct tn_arena *arena, const char *before,
          struct tn_pin *pin)
{
    char object[160];
    unsigned last = 0;
    if (!SKIP(s, "  ") || !take(s, ':', object, sizeof object) ||
        !is_object(object) || !SKIP(s, ": {") || strcmp(before, object) >= 0) {
        return false;
    }
    pin->object = tn_arena_strdup(arena, object);
    if (SKIP(s, "}\n")) {
        return true;
    }
    do {
        if (!member_scan(s, &last, pin)) {
            return false;
        }
    } while (SKIP(s, ", "));
    return SKIP(s, "}\n");
}

static int
vni_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
    return (x > y) - (x < y);
}

static bool
is_vni_twice(struct tn_arena *arena, const struct tn_pin *pins, size_t n)
{
    uint32_t *vnis = tn_new_n(arena, uint32_t, n);
    size_t n_vnis = 0;
    for (size_t i = 0; i < n; i++) {
        if (pins[i].vni) {
            vnis[n_vnis++] = pins[i].vni;
        }
    }
    if (n_vnis > 1) {
        qsort(vnis, n_vnis, sizeof *vnis, vni_cmp);
    }
    for (size_t i = 1; i < n_vnis; i++) {
        if (vnis[i] == vnis[i - 1]) {
            return true;
        }
    }
    return false;
}

/* False if the file is not as the printer writes it, or wrong. */
static bool
file_scan(struct tn_arena *arena, const char *tenant, const char *bytes,
          size_t n, const struct tn_pin **out, size_t *n_out)
{
    struct scan s = {bytes, bytes + n};
    const char *before = "";
    size_t n_lines = 0, n_pins = 0;
    if (!SKIP(&s, head)) {
        return false;
    }
    for (const char *p = s.at; (p = memchr(p, '\n', (size_t) (s.end - p)));
         p++) {
        n_lines++;
    }
    struct tn_pin *pins = tn_new_n(arena, struct tn_pin, n_lines);
    while (s.at < s.end) {
        if (n_pins == n_lines || !line_scan(&s, arena, before, &pins[n_pins])) {
            return false;
        }
        pins[n_pins].tenant = tenant;
        before = pins[n_pins++].object;
    }
    if (n_pins == 0 || is_vni_twice(arena, pins, n_pins)) {
        return false;
    }
    *out = pins;
    *n_out = n_pins;
    return true;
}

bool
tn_lock_parse(struct tn_arena *arena, const char *path, const char *tenant,
              const char *bytes, size_t n, const struct tn_pin **out,
              size_t *n_out, struct tn_diags *diags)
{
    struct reader r = {arena, diags, path};
    size_t before = diags->n_errors, n_docs = 0;
    const struct tn_node **docs = NULL;
    struct tn_yaml_limits limits = tn_yaml_limits_default;
    limits.bytes *= 16; /* Generated: a line for each port of the tenant. */
    limits.nodes *= 16;
    if (n <= limits.bytes && file_scan(arena, tenant, bytes, n, out, n_out)) {
        return true;
    }
    struct tn_pin *pins = NULL;
    size_t n_pins = 0;
    if (tn_yaml_parse(arena, path, bytes, n, TN_YAML_STRICT, &limits, &docs,
                      &n_docs, diags) &&
        n_docs != 1) {
        tn_diag(diags, TN_ERROR, (struct tn_origin){path, 1, 1},
                "one document expected, not %zu", n_docs);
    } else if (n_docs == 1 && envelope_read(&r, docs[0])) {
        pins = pins_read(&r, tenant, tn_node_get(docs[0], "pins"), &n_pins);
    }
    if (diags->n_errors > before) {
        return false;
    }
    if (n_pins > 1) {
        qsort(pins, n_pins, sizeof *pins, pin_cmp);
    }
    *out = pins;
    *n_out = n_pins;
    return true;
}

static void
member_print(struct tn_text *out, const char **comma, const char *key,
             const char *value, bool quoted)
{
    tn_text_add(out, *comma);
    tn_text_add(out, key);
    tn_text_add(out, quoted ? "\"" : "");
    tn_text_add(out, value);
    tn_text_add(out, quoted ? "\"" : "");
    *comma = ", ";
}

void
tn_lock_print(struct tn_text *out, const struct tn_pin *pins, size_t n)
{
    char buf[TN_ADDR_TEXT];
    tn_text_addn(out, head, sizeof head - 2);
    tn_text_add(out, n ? "\n" : " {}\n");
    for (size_t i = 0; i < n; i++) {
        const struct tn_pin *p = &pins[i];
        const char *comma = "";
        tn_text_add(out, "  ");
        tn_text_add(out, p->object);
        tn_text_add(out, ": {");
        if (p->vni) {
            tn_text_addf(out, "vni: %u", p->vni);
            comma = ", ";
        }
        if (!tn_mac_is_zero(&p->mac)) {
            member_print(out, &comma, "mac: ", tn_mac_format(&p->mac, buf),
                         true);
        }
        if (tn_addr_present(&p->address)) {
            member_print(out, &comma,
                         "address: ", tn_addr_format(&p->address, buf),
                         p->address.family == TN_AF_IPV6);
        }
        if (tn_addr_present(&p->address6)) {
            member_print(out, &comma,
                         "address6: ", tn_addr_format(&p->address6, buf), true);
        }
        tn_text_add(out, "}\n");
    }
}
