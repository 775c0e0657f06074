/* lock.c - reads and writes pinned identifiers.
 *
 * The file is YAML of the strict profile, but of a fixed shape that the printer
 * keeps: one object a line, so that Git merges two branches line by line.  Two
 * branches that pinned one number for two objects merge cleanly and are found
 * here, by line. */
#include "model/compile/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/yaml/node.h"

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

void
tn_lock_print(struct tn_text *out, const struct tn_pin *pins, size_t n)
{
    char buf[TN_ADDR_TEXT];
    tn_text_add(out, "# Identifiers in use; written by 'tenet lock'.  Do not "
                     "edit.\napiVersion: tenet/v1\nkind: Lock\n");
    tn_text_add(out, n ? "pins:\n" : "pins: {}\n");
    for (size_t i = 0; i < n; i++) {
        const struct tn_pin *p = &pins[i];
        const char *comma = "";
        tn_text_addf(out, "  %s: {", p->object);
        if (p->vni) {
            tn_text_addf(out, "vni: %u", p->vni);
            comma = ", ";
        }
        if (!tn_mac_is_zero(&p->mac)) {
            tn_text_addf(out, "%smac: \"%s\"", comma,
                         tn_mac_format(&p->mac, buf));
            comma = ", ";
        }
        if (tn_addr_present(&p->address)) {
            bool six = p->address.family == TN_AF_IPV6;
            tn_text_addf(out, "%saddress: %s%s%s", comma, six ? "\"" : "",
                         tn_addr_format(&p->address, buf), six ? "\"" : "");
            comma = ", ";
        }
        if (tn_addr_present(&p->address6)) {
            tn_text_addf(out, "%saddress6: \"%s\"", comma,
                         tn_addr_format(&p->address6, buf));
        }
        tn_text_add(out, "}\n");
    }
}
