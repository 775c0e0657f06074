/* intent.c - from a heap of documents to an index of a tenant.
 *
 * Finds what is there twice, in the wrong place or too often.  Documents are
 * taken in the order of files and lines, so that of two of a name the second
 * is the one that is refused, wherever it was read. */
#include "model/compile/intent.h"

#include <stdlib.h>
#include <string.h>

const struct tn_pin *
tn_pin_find(const struct tn_pin *pins, size_t n, const char *object)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(pins[mid].object, object);
        if (c == 0) {
            return &pins[mid];
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

static size_t
tenant_bound(const struct tn_pin *pins, size_t n, const char *tenant, int past)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(pins[mid].tenant, tenant) < past) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

const struct tn_pin *
tn_pins_of_tenant(const struct tn_pin *pins, size_t n, const char *tenant,
                  size_t *n_out)
{
    size_t first = tenant_bound(pins, n, tenant, 0);
    *n_out = tenant_bound(pins, n, tenant, 1) - first;
    return *n_out ? &pins[first] : NULL;
}

struct tn_pin
tn_intent_pin(const struct tn_intent *in, const char *object, bool *established)
{
    struct tn_pin pin = {0};
    const struct tn_pin *lock = tn_pin_find(in->lock, in->n_lock, object);
    const struct tn_pin *used = tn_pin_find(in->pins, in->n_pins, object);
    if (used) {
        pin = *used;
    }
    if (lock && lock->vni) {
        pin.vni = lock->vni;
    }
    if (lock && !tn_mac_is_zero(&lock->mac)) {
        pin.mac = lock->mac;
    }
    if (lock && tn_addr_present(&lock->address)) {
        pin.address = lock->address;
    }
    if (lock && tn_addr_present(&lock->address6)) {
        pin.address6 = lock->address6;
    }
    if (established) {
        *established = used != NULL;
    }
    return pin;
}

/* What is common to all kinds when one is put into a map by its name. */
struct named {
    const struct tn_meta *meta;
    const struct tn_intent_file *file;
};

static void
twice_report(struct tn_intent *in, enum tn_kind kind, const struct named *now,
             const struct named *before)
{
    tn_diag(in->diags, TN_ERROR, tn_intent_at(now->file, now->meta->name.at),
            "%s '%s' is defined twice: already in %s:%u", tn_kind_name(kind),
            now->meta->name.v, before->file->path, before->meta->name.at.line);
}

static void
quota_check(struct tn_intent *in, const struct tn_vuint *quota, size_t count,
            const char *what, struct tn_origin at)
{
    if (quota->at.line && count == quota->v + 1) {
        tn_diag(in->diags, TN_ERROR, at,
                "this is more than the quota of %llu %s (%s:%u)",
                (unsigned long long) quota->v, what, in->doc_file->path,
                quota->at.line);
    }
}

static void
tenant_take(struct tn_intent *in, const struct tn_intent_file *file,
            const struct tn_tenant *doc)
{
    const char *name = file->path + strlen(in->path) + 1;
    struct tn_origin at = tn_intent_at(file, doc->meta.name.at);
    if (strcmp(name, "tenant.yml") != 0 && strcmp(name, "tenant.yaml") != 0) {
        tn_diag(in->diags, TN_ERROR, at,
                "kind Tenant belongs in %s/tenant.yml only", in->path);
        return;
    }
    if (in->doc) {
        tn_diag(in->diags, TN_ERROR, at,
                "a second Tenant document: the first is in %s:%u",
                in->doc_file->path, in->doc->meta.at.line);
        return;
    }
    if (strcmp(doc->meta.name.v, in->tenant) != 0) {
        tn_diag(in->diags, TN_ERROR, at,
                "the tenant is '%s', as its directory says, not '%s'",
                in->tenant, doc->meta.name.v);
    }
    in->doc = doc;
    in->doc_file = file;
}

static bool
in_right_tenant(struct tn_intent *in, const struct tn_intent_file *file,
                const struct tn_meta *meta)
{
    if (meta->tenant.v && strcmp(meta->tenant.v, in->tenant) != 0) {
        struct tn_diag *d =
            tn_diag(in->diags, TN_ERROR, tn_intent_at(file, meta->tenant.at),
                    "metadata.tenant is '%s', but the path says '%s'",
                    meta->tenant.v, in->tenant);
        d->hint = "the path decides; leave metadata.tenant out";
        return false;
    }
    return true;
}

/* Sizes of the arrays, so that they need not grow. */
struct counts {
    size_t of[TN_N_KINDS];
};

static void
arrays_new(struct tn_intent *in, struct counts *counts)
{
    for (size_t f = 0; f < in->n_files; f++) {
        for (size_t i = 0; i < in->files[f].n_docs; i++) {
            counts->of[in->files[f].docs[i].kind]++;
        }
    }
    struct tn_arena *a = in->arena;
    in->vpcs = tn_new_n(a, struct tn_intent_vpc, counts->of[TN_KIND_VPC]);
    in->ports = tn_new_n(a, struct tn_intent_port, counts->of[TN_KIND_PORT]);
    in->groups =
        tn_new_n(a, struct tn_intent_group, counts->of[TN_KIND_SECURITY_GROUP]);
    in->peerings =
        tn_new_n(a, struct tn_intent_peering, counts->of[TN_KIND_PEERING]);
}

static void
document_take(struct tn_intent *in, const struct tn_intent_file *file,
              const struct tn_document *doc)
{
    if (!in_right_tenant(in, file, doc->meta)) {
        return;
    }
    switch (doc->kind) {
    case TN_KIND_SETTINGS:
        tn_diag(in->diags, TN_ERROR, tn_intent_at(file, doc->meta->at),
                "kind Settings belongs in tenet.yml only");
        break;
    case TN_KIND_TENANT:
        tenant_take(in, file, doc->as.tenant);
        break;
    case TN_KIND_VPC:
        in->vpcs[in->n_vpcs++] =
            (struct tn_intent_vpc){.doc = doc->as.vpc, .file = file};
        break;
    case TN_KIND_PORT:
        in->ports[in->n_ports] = (struct tn_intent_port){
            .doc = doc->as.port,
            .file = file,
            .order = (uint32_t) in->n_ports,
        };
        in->n_ports++;
        break;
    case TN_KIND_SECURITY_GROUP:
        in->groups[in->n_groups++] = (struct tn_intent_group){
            .doc = doc->as.security_group, .file = file};
        break;
    case TN_KIND_PEERING:
        in->peerings[in->n_peerings++] =
            (struct tn_intent_peering){.doc = doc->as.peering, .file = file};
        break;
    case TN_KIND_DAEMON:
        tn_diag(in->diags, TN_ERROR, tn_intent_at(file, doc->meta->at),
                "kind Daemon configures a service on its machine and is no "
                "intent");
        break;
    case TN_KIND_POLICY:
        tn_diag(in->diags, TN_ERROR, tn_intent_at(file, doc->meta->at),
                "kind Policy belongs in policies/ only");
        break;
    case TN_N_KINDS:
        break;
    }
}

static void
quotas_check(struct tn_intent *in)
{
    const struct tn_quotas *q = &in->doc->quotas;
    size_t subnets = 0, rules = 0;
    for (size_t i = 0; i < in->n_vpcs; i++) {
        const struct tn_intent_vpc *v = &in->vpcs[i];
        quota_check(in, &q->vpcs, i + 1, "vpcs",
                    tn_intent_at(v->file, v->doc->meta.name.at));
        for (size_t k = 0; k < v->doc->subnets.n; k++) {
            quota_check(in, &q->subnets, ++subnets, "subnets",
                        tn_intent_at(v->file, v->doc->subnets.items[k].at));
        }
    }
    for (size_t i = 0; i < in->n_ports; i++) {
        const struct tn_intent_port *p = &in->ports[i];
        quota_check(in, &q->ports, i + 1, "ports",
                    tn_intent_at(p->file, p->doc->meta.name.at));
    }
    for (size_t i = 0; i < in->n_groups; i++) {
        const struct tn_intent_group *g = &in->groups[i];
        quota_check(in, &q->security_groups, i + 1, "security groups",
                    tn_intent_at(g->file, g->doc->meta.name.at));
        for (size_t k = 0; k < g->doc->rules.n; k++) {
            quota_check(in, &q->rules, ++rules, "rules",
                        tn_intent_at(g->file, g->doc->rules.items[k].at));
        }
    }
    for (size_t i = 0; i < in->n_peerings; i++) {
        const struct tn_intent_peering *p = &in->peerings[i];
        quota_check(in, &q->peerings, i + 1, "peerings",
                    tn_intent_at(p->file, p->doc->meta.name.at));
    }
}

/* The four kinds differ in their struct only; each begins with the document,
 * and each document with its meta. */
struct entry {
    const struct tn_meta *meta;
    const struct tn_intent_file *file;
};

static struct named
named_of(const void *item)
{
    struct entry e;
    memcpy(&e, item, sizeof e);
    return (struct named){e.meta, e.file};
}

static int
named_cmp(const void *a, const void *b)
{
    struct named x = named_of(a), y = named_of(b);
    int c = strcmp(x.meta->name.v, y.meta->name.v);
    if (c == 0) {
        c = (x.file->index > y.file->index) - (x.file->index < y.file->index);
    }
    return c ? c
             : (x.meta->at.line > y.meta->at.line) -
                   (x.meta->at.line < y.meta->at.line);
}

/* Sorts by name and drops all but the first of a name. */
static size_t
names_sort(struct tn_intent *in, enum tn_kind kind, void *items, size_t n,
           size_t size)
{
    char *base = items;
    if (n > 1) {
        qsort(items, n, size, named_cmp);
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct named now = named_of(base + i * size);
        if (kept > 0) {
            struct named before = named_of(base + (kept - 1) * size);
            if (strcmp(now.meta->name.v, before.meta->name.v) == 0) {
                twice_report(in, kind, &now, &before);
                /* Which one was meant is not known. */
                tn_map_put(&in->broken,
                           tn_arena_printf(in->arena, "%s/%s",
                                           tn_kind_slug(kind),
                                           now.meta->name.v),
                           in);
                continue;
            }
        }
        if (kept != i) {
            memcpy(base + kept * size, base + i * size, size);
        }
        kept++;
    }
    return kept;
}

static void
map_fill(struct tn_intent *in, struct tn_map *map, void *items, size_t n,
         size_t size)
{
    char *base = items;
    tn_map_init(map, in->arena, n);
    for (size_t i = 0; i < n; i++) {
        struct named item = named_of(base + i * size);
        tn_map_put(map, item.meta->name.v, base + i * size);
    }
}

static int
subnet_cmp(const void *a, const void *b)
{
    const struct tn_intent_subnet *x = a, *y = b;
    return strcmp(x->doc->name.v, y->doc->name.v);
}

static void
subnets_new(struct tn_intent *in)
{
    for (size_t i = 0; i < in->n_vpcs; i++) {
        struct tn_intent_vpc *v = &in->vpcs[i];
        size_t n = v->doc->subnets.n;
        v->subnets = tn_new_n(in->arena, struct tn_intent_subnet, n);
        in->n_subnets += n;
        for (size_t k = 0; k < n; k++) {
            struct tn_intent_subnet *s = &v->subnets[k];
            s->doc = &v->doc->subnets.items[k];
            s->vpc = v;
            s->gateway = s->doc->gateway.at.line
                             ? s->doc->gateway.v
                             : tn_identify_gateway(&s->doc->cidr.v);
            if (s->doc->cidr6.at.line) {
                s->gateway6 = s->doc->gateway6.at.line
                                  ? s->doc->gateway6.v
                                  : tn_identify_gateway(&s->doc->cidr6.v);
            }
            s->gateway_mac = tn_identify_gateway_mac(in, s);
        }
        if (n > 1) {
            qsort(v->subnets, n, sizeof *v->subnets, subnet_cmp);
        }
    }
}

static void
broken_note(struct tn_intent *in)
{
    tn_map_init(&in->broken, in->arena, 0);
    for (size_t f = 0; f < in->n_files; f++) {
        const struct tn_intent_file *file = &in->files[f];
        in->holes |= file->holes;
        for (size_t i = 0; i < file->broken.n; i++) {
            tn_map_put(&in->broken, file->broken.items[i], in);
        }
    }
}

void
tn_intent_index(struct tn_intent *in)
{
    struct counts counts = {0};
    broken_note(in);
    arrays_new(in, &counts);
    for (size_t f = 0; f < in->n_files; f++) {
        for (size_t i = 0; i < in->files[f].n_docs; i++) {
            document_take(in, &in->files[f], &in->files[f].docs[i]);
        }
    }
    if (in->doc) {
        quotas_check(in);
    } else if (!in->holes && !tn_map_get(&in->broken, "tenant")) {
        tn_diag(in->diags, TN_ERROR, (struct tn_origin){in->path, 0, 0},
                "there is no %s/tenant.yml with a document of kind Tenant",
                in->path);
    }
    in->n_vpcs =
        names_sort(in, TN_KIND_VPC, in->vpcs, in->n_vpcs, sizeof *in->vpcs);
    in->n_ports =
        names_sort(in, TN_KIND_PORT, in->ports, in->n_ports, sizeof *in->ports);
    in->n_groups = names_sort(in, TN_KIND_SECURITY_GROUP, in->groups,
                              in->n_groups, sizeof *in->groups);
    in->n_peerings = names_sort(in, TN_KIND_PEERING, in->peerings,
                                in->n_peerings, sizeof *in->peerings);
    map_fill(in, &in->vpc_map, in->vpcs, in->n_vpcs, sizeof *in->vpcs);
    map_fill(in, &in->port_map, in->ports, in->n_ports, sizeof *in->ports);
    map_fill(in, &in->group_map, in->groups, in->n_groups, sizeof *in->groups);
    subnets_new(in);
}
