/* base.c - see base.h.
 *
 * The file is an image: a head, arrays in place, texts.  It is sealed by the
 * cache; the sizes are still checked, so that nothing is read past the end
 * whatever the bytes are. */
#include "model/compile/base.h"

#include <string.h>

#include "model/base/text.h"

enum { SALT_ATTACH = 101, SALT_DEFAULT_ROUTE = 102 };

static uint32_t
fold(uint64_t hash, uint32_t salt)
{
    return (uint32_t) ((hash + salt) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

uint32_t
tn_base_name(enum tn_kind kind, const char *name)
{
    return fold(tn_hash64(name, strlen(name)), kind);
}

void
tn_base_count(struct tn_base_counts *counts, const struct tn_document *doc,
              int times)
{
    uint64_t one = (uint64_t) times;
    counts->of[doc->kind] += one;
    if (doc->kind == TN_KIND_VPC) {
        counts->subnets += one * doc->as.vpc->subnets.n;
    } else if (doc->kind == TN_KIND_SECURITY_GROUP) {
        counts->rules += one * doc->as.security_group->rules.n;
    }
}

/* ---- building ----------------------------------------------------------- */

void
tn_base_builder_init(struct tn_base_builder *b, struct tn_arena *arena,
                     size_t files, const struct tn_base *like)
{
    *b = (struct tn_base_builder){.arena = arena};
    b->files.items = tn_new_n(arena, struct tn_base_file, files);
    b->files.cap = files;
    if (like) {
        const struct tn_base_head *h = &like->head;
        const size_t some = 4096; /* Of what may come in addition. */
        tn_text_reserve(&b->uniques,
                        h->n_uniques * sizeof *like->uniques + some);
        tn_text_reserve(&b->refs, h->n_refs * sizeof *like->refs + some);
        tn_text_reserve(&b->paths, (size_t) h->n_paths + some);
    }
}

void
tn_base_builder_done(struct tn_base_builder *b)
{
    tn_text_done(&b->uniques);
    tn_text_done(&b->refs);
    tn_text_done(&b->attaches);
    tn_text_done(&b->paths);
}

static void
ref_add(struct tn_base_builder *b, enum tn_kind kind, const char *name)
{
    uint32_t hash = tn_base_name(kind, name);
    for (size_t i = 0; i < b->file_refs.n; i++) {
        if (b->file_refs.items[i] == hash) {
            return;
        }
    }
    *tn_vec_push(b->arena, &b->file_refs) = hash;
}

static void
unique_add(struct tn_base_builder *b, uint32_t hash)
{
    *tn_vec_push(b->arena, &b->file_uniques) = hash;
}

/* True if the port is on a host of this environment. */
static bool
port_add(struct tn_base_builder *b, const struct tn_intent *in,
         const struct tn_port *doc)
{
    bool here = false;
    uint64_t attach = tn_intent_attach(in, doc, &here);
    unique_add(b, fold(attach | TN_ATTACH_ESTABLISHED, SALT_ATTACH));
    if (tn_intent_sets_default_route(doc)) {
        unique_add(b, fold(tn_intent_namespace(doc), SALT_DEFAULT_ROUTE));
    }
    if (here) {
        tn_text_addn(&b->attaches, (const char *) &attach, sizeof attach);
    }
    ref_add(b, TN_KIND_VPC, doc->vpc.v);
    for (size_t i = 0; i < doc->security_groups.n; i++) {
        ref_add(b, TN_KIND_SECURITY_GROUP, doc->security_groups.items[i].v);
    }
    return here;
}

static void
group_add(struct tn_base_builder *b, const struct tn_security_group *doc)
{
    for (size_t i = 0; i < doc->rules.n; i++) {
        if (doc->rules.items[i].remote_group.v) {
            ref_add(b, TN_KIND_SECURITY_GROUP,
                    doc->rules.items[i].remote_group.v);
        }
    }
}

static void
peering_add(struct tn_base_builder *b, const struct tn_intent *in,
            const struct tn_peering *doc)
{
    ref_add(b, TN_KIND_VPC, doc->vpc.v);
    if (!doc->peer_tenant.v || strcmp(doc->peer_tenant.v, in->tenant) == 0) {
        ref_add(b, TN_KIND_VPC, doc->peer_vpc.v);
    }
}

/* What a file says of its own names matters to nobody else. */
static void
own_refs_drop(struct tn_base_builder *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->file_refs.n; i++) {
        bool own = false;
        for (size_t k = 0; k < b->file_uniques.n && !own; k++) {
            own = b->file_uniques.items[k] == b->file_refs.items[i];
        }
        if (!own) {
            b->file_refs.items[kept++] = b->file_refs.items[i];
        }
    }
    b->file_refs.n = kept;
}

static void
hashes_move(struct tn_text *to, const uint32_t *items, size_t n)
{
    if (n) {
        tn_text_addn(to, (const char *) items, n * sizeof *items);
    }
}

void
tn_base_add_plain(struct tn_base_builder *b, const struct tn_intent_file *file,
                  const struct tn_chunk *docs)
{
    *tn_vec_push(b->arena, &b->files) = (struct tn_base_file){
        .id = file->id,
        .docs = *docs,
        .bytes = file->bytes,
        .n_docs = (uint32_t) file->n_docs,
        .path = (uint32_t) b->paths.n,
    };
    tn_text_addn(&b->paths, file->path, strlen(file->path) + 1);
}

void
tn_base_add(struct tn_base_builder *b, const struct tn_intent *in,
            const struct tn_intent_file *file, const struct tn_chunk *docs)
{
    tn_base_add_plain(b, file, docs);
    struct tn_base_file *f = &b->files.items[b->files.n - 1];
    b->file_uniques.n = b->file_refs.n = 0;
    for (size_t i = 0; i < file->n_docs; i++) {
        const struct tn_document *doc = &file->docs[i];
        unique_add(b, tn_base_name(doc->kind, doc->meta->name.v));
        tn_base_count(&b->head.counts, doc, 1);
        if (doc->kind == TN_KIND_PORT) {
            f->n_attaches += port_add(b, in, doc->as.port);
        } else if (doc->kind == TN_KIND_SECURITY_GROUP) {
            group_add(b, doc->as.security_group);
        } else if (doc->kind == TN_KIND_PEERING) {
            peering_add(b, in, doc->as.peering);
        }
    }
    own_refs_drop(b);
    f->n_uniques = (uint32_t) b->file_uniques.n;
    f->n_refs = (uint32_t) b->file_refs.n;
    hashes_move(&b->uniques, b->file_uniques.items, b->file_uniques.n);
    hashes_move(&b->refs, b->file_refs.items, b->file_refs.n);
}

void
tn_base_skip(struct tn_base_cursor *c, size_t file)
{
    for (; c->file < file; c->file++) {
        const struct tn_base_file *f = &c->base->files[c->file];
        c->unique += f->n_uniques;
        c->ref += f->n_refs;
        c->attach += f->n_attaches;
    }
}

void
tn_base_copy(struct tn_base_builder *b, struct tn_base_cursor *c, size_t file)
{
    struct tn_base_cursor from = *c;
    const struct tn_base *base = c->base;
    if (file == c->file) {
        return;
    }
    tn_base_skip(c, file);
    size_t start = base->files[from.file].path;
    size_t end = file < base->head.n_files ? base->files[file].path
                                           : (size_t) base->head.n_paths;
    for (size_t i = from.file; i < file; i++) {
        struct tn_base_file *f = tn_vec_push(b->arena, &b->files);
        *f = base->files[i];
        f->path += (uint32_t) (b->paths.n - start);
    }
    tn_text_addn(&b->paths, base->paths + start, end - start);
    hashes_move(&b->uniques, base->uniques + from.unique,
                c->unique - from.unique);
    hashes_move(&b->refs, base->refs + from.ref, c->ref - from.ref);
    tn_text_addn(&b->attaches, (const char *) (c->attaches + from.attach),
                 (c->attach - from.attach) * sizeof *c->attaches);
}

struct tn_base
tn_base_built(const struct tn_base_builder *b, const struct tn_chunk *nets,
              size_t n_nets)
{
    struct tn_base base = {
        .head = b->head,
        .files = b->files.items,
        .uniques = (const void *) b->uniques.s,
        .refs = (const void *) b->refs.s,
        .nets = nets,
        .paths = b->paths.s,
    };
    base.head.n_files = b->files.n;
    base.head.n_uniques = b->uniques.n / sizeof *base.uniques;
    base.head.n_refs = b->refs.n / sizeof *base.refs;
    base.head.n_paths = b->paths.n;
    base.head.n_nets = n_nets;
    return base;
}

/* ---- bytes -------------------------------------------------------------- */

void
tn_base_runs(const struct tn_base *base, struct tn_bytes out[TN_BASE_RUNS])
{
    const struct tn_base_head *h = &base->head;
    const struct tn_bytes runs[TN_BASE_RUNS] = {
        {h, sizeof *h},
        {base->files, (size_t) h->n_files * sizeof *base->files},
        {base->nets, (size_t) h->n_nets * sizeof *base->nets},
        {base->uniques, (size_t) h->n_uniques * sizeof *base->uniques},
        {base->refs, (size_t) h->n_refs * sizeof *base->refs},
        {base->paths, (size_t) h->n_paths},
    };
    memcpy(out, runs, sizeof runs);
}

/* Null if there are not so many. */
static const void *
array_take(const char **next, size_t *left, uint64_t n, size_t size)
{
    const void *items = *next;
    if (n > *left / size) {
        return NULL;
    }
    *next += n * size;
    *left -= (size_t) n * size;
    return items;
}

static bool
sizes_agree(const struct tn_base *base)
{
    const struct tn_base_head *h = &base->head;
    uint64_t uniques = 0, refs = 0, path = 0;
    for (uint64_t i = 0; i < h->n_files; i++) {
        const struct tn_base_file *f = &base->files[i];
        uniques += f->n_uniques;
        refs += f->n_refs;
        if (f->path < path || f->path >= h->n_paths) {
            return false;
        }
        path = f->path;
    }
    return uniques == h->n_uniques && refs == h->n_refs &&
           (h->n_paths == 0 || base->paths[h->n_paths - 1] == '\0');
}

bool
tn_base_unpack(const void *bytes, size_t n, struct tn_base *out)
{
    struct tn_base base;
    const char *next = bytes;
    if (n < sizeof base.head || (uintptr_t) bytes % 8) {
        return false;
    }
    memcpy(&base.head, next, sizeof base.head);
    next += sizeof base.head;
    n -= sizeof base.head;
    const struct tn_base_head *h = &base.head;
    base.files = array_take(&next, &n, h->n_files, sizeof *base.files);
    base.nets = array_take(&next, &n, h->n_nets, sizeof *base.nets);
    base.uniques = array_take(&next, &n, h->n_uniques, sizeof *base.uniques);
    base.refs = array_take(&next, &n, h->n_refs, sizeof *base.refs);
    base.paths = array_take(&next, &n, h->n_paths, 1);
    if (!base.files || !base.nets || !base.uniques || !base.refs ||
        !base.paths || n || !sizes_agree(&base)) {
        return false;
    }
    *out = base;
    return true;
}
