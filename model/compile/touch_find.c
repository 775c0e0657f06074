/* touch_find.c - which files and documents a change concerns, see touch.h.
 *
 * Marks spread in rounds: a changed port changes its VPC, a changed group the
 * groups and VPCs that name it; a changed VPC needs its ports, groups and
 * peerings.  After each round the files that say a marked name, as far as
 * hashes tell, are loaded, until no round marks anything new. */
#include "model/compile/touch.h"

#include <string.h>

#include "model/base/text.h"
#include "model/kinds/pack.h"

enum { FILES_LEAST = 64, FILES_SHARE = 8, FILTER_BITS = 1 << 16 };

static const int levels[] = {0, TN_TOUCH_NEEDED, TN_TOUCH_CHANGED};

/* A name that was marked since the last look at all files. */
struct asked {
    uint32_t hash;
    bool refs; /* Files that only refer to it are wanted too. */
};

struct finder {
    struct tn_touch *t;
    TN_VEC(struct asked) asked;
    uint64_t filter[FILTER_BITS / 64];
    bool more; /* Something was marked in this round. */
};

int
tn_touch_mark_of(const struct tn_touch *t, enum tn_kind kind, const char *name)
{
    const int *mark =
        tn_map_get(kind == TN_KIND_VPC ? &t->vpcs : &t->groups, name);
    return mark ? *mark : 0;
}

static void
mark(struct finder *f, enum tn_kind kind, const char *name,
     enum tn_touch_mark level)
{
    struct tn_touch *t = f->t;
    if (tn_touch_mark_of(t, kind, name) >= (int) level) {
        return;
    }
    tn_map_put(kind == TN_KIND_VPC ? &t->vpcs : &t->groups, name,
               (void *) (uintptr_t) &levels[level]);
    *tn_vec_push(t->arena, &f->asked) =
        (struct asked){tn_base_name(kind, name), level == TN_TOUCH_CHANGED};
    f->more = true;
}

/* ---- changed files ------------------------------------------------------ */

static bool
document_same(const struct tn_document *a, const struct tn_document *b)
{
    if (a->kind != b->kind || strcmp(a->meta->name.v, b->meta->name.v) != 0) {
        return false;
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text x = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text y = {0};
    tn_document_pack(&x, a);
    tn_document_pack(&y, b);
    return x.n == y.n && memcmp(x.s, y.s, x.n) == 0;
}

/* Marks what a changed document concerns; false if that is everything. */
static bool
document_mark(struct finder *f, const struct tn_document *doc)
{
    switch (doc->kind) {
    case TN_KIND_VPC:
    case TN_KIND_SECURITY_GROUP:
        mark(f, doc->kind, doc->meta->name.v, TN_TOUCH_CHANGED);
        return true;
    case TN_KIND_PORT:
        mark(f, TN_KIND_VPC, doc->as.port->vpc.v, TN_TOUCH_CHANGED);
        return true;
    case TN_KIND_PEERING:
        mark(f, TN_KIND_VPC, doc->as.peering->vpc.v, TN_TOUCH_CHANGED);
        return true;
    case TN_KIND_SETTINGS:
    case TN_KIND_TENANT:
    case TN_KIND_DAEMON:
    case TN_KIND_POLICY:
    case TN_N_KINDS:
        break;
    }
    return false;
}

/* Marks the documents of 'a' that are not in 'b'. */
static bool
difference_mark(struct finder *f, const struct tn_intent_file *a,
                const struct tn_intent_file *b)
{
    for (size_t i = 0; i < a->n_docs; i++) {
        bool same = false;
        for (size_t k = 0; k < b->n_docs && !same; k++) {
            same = document_same(&a->docs[i], &b->docs[k]);
        }
        if (!same && !document_mark(f, &a->docs[i])) {
            return false;
        }
    }
    return true;
}

static bool
file_read_new(struct tn_touch *t, const struct tn_repo_file *from,
              struct tn_intent_file *file)
{
    *file = (struct tn_intent_file){.path = from->path, .id = from->id};
    if (!tn_oid_known(&from->id)) {
        return false;
    }
    if (tn_cached_docs_get(t->docs, t->arena, file)) {
        return true;
    }
    return tn_read_documents(file, t->job->repo->name, t->arena, t->worker,
                             NULL) == TN_OK &&
           file->clean && !file->holes && file->broken.n == 0;
}

static bool
file_read_old(struct tn_touch *t, const struct tn_base_file *old,
              struct tn_intent_file *file)
{
    *file = (struct tn_intent_file){
        .path = t->base->paths + old->path,
        .id = old->id,
    };
    return tn_cached_file_get(t->docs, t->arena, old, file);
}

/* Either may be null, not both. */
static bool
file_changed(struct finder *f, const struct tn_base_file *old,
             const struct tn_repo_file *now)
{
    struct tn_touch *t = f->t;
    struct tn_touch_file *file = tn_vec_push(t->arena, &t->files);
    *file = (struct tn_touch_file){.old = old, .changed = true, .gone = !now};
    if (old) {
        t->loaded[old - t->base->files] = true;
    }
    if ((old && !file_read_old(t, old, &file->was)) ||
        (now && !file_read_new(t, now, &file->file))) {
        return false;
    }
    file->file.path = now ? now->path : file->was.path;
    for (size_t i = 0; i < file->was.n_docs; i++) {
        tn_base_count(&t->counts, &file->was.docs[i], -1);
    }
    return difference_mark(f, &file->was, &file->file) &&
           difference_mark(f, &file->file, &file->was);
}

static bool
is_too_much(const struct tn_touch *t)
{
    return t->files.n > FILES_LEAST &&
           t->files.n > t->base->head.n_files / FILES_SHARE;
}

static bool
changes_find(struct finder *f)
{
    struct tn_touch *t = f->t;
    const struct tn_base *base = t->base;
    const struct tn_repo_files *now = &t->job->repo_files;
    size_t i = 0, k = 0;
    while (i < base->head.n_files || k < now->n) {
        const struct tn_base_file *old =
            i < base->head.n_files ? &base->files[i] : NULL;
        const struct tn_repo_file *new = k < now->n ? &now->items[k] : NULL;
        int c = !old   ? 1
                : !new ? -1
                       : strcmp(base->paths + old->path, new->path);
        i += c <= 0;
        k += c >= 0;
        if (c == 0 && memcmp(&old->id, &new->id, sizeof old->id) == 0) {
            continue;
        }
        if (is_too_much(t) ||
            !file_changed(f, c <= 0 ? old : NULL, c >= 0 ? new : NULL)) {
            return false;
        }
    }
    return true;
}

/* ---- what they concern -------------------------------------------------- */

static void
port_spread(struct finder *f, const struct tn_port *doc)
{
    bool changed =
        tn_touch_mark_of(f->t, TN_KIND_VPC, doc->vpc.v) == TN_TOUCH_CHANGED;
    for (size_t i = 0; i < doc->security_groups.n; i++) {
        const char *group = doc->security_groups.items[i].v;
        int level = tn_touch_mark_of(f->t, TN_KIND_SECURITY_GROUP, group);
        if (level == TN_TOUCH_CHANGED) {
            mark(f, TN_KIND_VPC, doc->vpc.v, TN_TOUCH_CHANGED);
        } else if (changed) {
            mark(f, TN_KIND_SECURITY_GROUP, group, TN_TOUCH_NEEDED);
        }
    }
}

static void
group_spread(struct finder *f, const struct tn_security_group *doc)
{
    const char *name = doc->meta.name.v;
    for (size_t i = 0; i < doc->rules.n; i++) {
        const char *remote = doc->rules.items[i].remote_group.v;
        int level =
            remote ? tn_touch_mark_of(f->t, TN_KIND_SECURITY_GROUP, remote) : 0;
        if (level == TN_TOUCH_CHANGED) {
            mark(f, TN_KIND_SECURITY_GROUP, name, TN_TOUCH_CHANGED);
        } else if (remote &&
                   tn_touch_mark_of(f->t, TN_KIND_SECURITY_GROUP, name)) {
            mark(f, TN_KIND_SECURITY_GROUP, remote, TN_TOUCH_NEEDED);
        }
    }
}

static void
peering_spread(struct finder *f, const struct tn_peering *doc)
{
    const char *peer = !doc->peer_tenant.v || strcmp(doc->peer_tenant.v,
                                                     f->t->job->repo->name) == 0
                           ? doc->peer_vpc.v
                           : NULL;
    bool changed =
        tn_touch_mark_of(f->t, TN_KIND_VPC, doc->vpc.v) == TN_TOUCH_CHANGED ||
        (peer && tn_touch_mark_of(f->t, TN_KIND_VPC, peer) == TN_TOUCH_CHANGED);
    if (changed) {
        mark(f, TN_KIND_VPC, doc->vpc.v, TN_TOUCH_NEEDED);
    }
    if (changed && peer) {
        mark(f, TN_KIND_VPC, peer, TN_TOUCH_NEEDED);
    }
}

static void
files_spread(struct finder *f)
{
    for (size_t i = 0; i < f->t->files.n; i++) {
        const struct tn_intent_file *file = &f->t->files.items[i].file;
        for (size_t k = 0; k < file->n_docs; k++) {
            const struct tn_document *doc = &file->docs[k];
            if (doc->kind == TN_KIND_PORT) {
                port_spread(f, doc->as.port);
            } else if (doc->kind == TN_KIND_SECURITY_GROUP) {
                group_spread(f, doc->as.security_group);
            } else if (doc->kind == TN_KIND_PEERING) {
                peering_spread(f, doc->as.peering);
            }
        }
    }
}

static bool
is_asked(const struct finder *f, uint32_t hash, bool ref)
{
    if (!(f->filter[hash % FILTER_BITS / 64] >> hash % 64 & 1)) {
        return false;
    }
    for (size_t i = 0; i < f->asked.n; i++) {
        if (f->asked.items[i].hash == hash &&
            (f->asked.items[i].refs || !ref)) {
            return true;
        }
    }
    return false;
}

/* Loads the files that say a name which was asked for. */
static bool
files_load(struct finder *f)
{
    struct tn_touch *t = f->t;
    const struct tn_base *base = t->base;
    const uint32_t *unique = base->uniques, *ref = base->refs;
    memset(f->filter, 0, sizeof f->filter);
    for (size_t i = 0; i < f->asked.n; i++) {
        uint32_t hash = f->asked.items[i].hash;
        f->filter[hash % FILTER_BITS / 64] |= UINT64_C(1) << hash % 64;
    }
    for (size_t i = 0; i < base->head.n_files; i++) {
        const struct tn_base_file *file = &base->files[i];
        bool hit = false;
        for (uint32_t k = 0; k < file->n_uniques; k++) {
            hit |= is_asked(f, unique[k], false);
        }
        for (uint32_t k = 0; k < file->n_refs; k++) {
            hit |= is_asked(f, ref[k], true);
        }
        unique += file->n_uniques;
        ref += file->n_refs;
        if (!hit || t->loaded[i]) {
            continue;
        }
        struct tn_touch_file *loaded = tn_vec_push(t->arena, &t->files);
        *loaded = (struct tn_touch_file){.old = file};
        t->loaded[i] = true;
        if (is_too_much(t) || !file_read_old(t, file, &loaded->file)) {
            return false;
        }
    }
    f->asked.n = 0;
    return true;
}

bool
tn_touch_find(struct tn_touch *t)
{
    struct finder f = {.t = t};
    tn_map_init(&t->vpcs, t->arena, 0);
    tn_map_init(&t->groups, t->arena, 0);
    t->loaded = tn_new_n(t->arena, bool, t->base->head.n_files);
    t->counts = t->base->head.counts;
    if (!changes_find(&f)) {
        return false;
    }
    while (f.asked.n) {
        do {
            f.more = false;
            files_spread(&f);
        } while (f.more);
        if (!files_load(&f)) {
            return false;
        }
        files_spread(&f);
    }
    return true;
}
