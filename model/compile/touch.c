/* touch.c - the compile of what a change touches, see touch.h.
 *
 * The documents that are read are put together as if they were a small tenant
 * and go through the same stages as a whole one.  A finding among them ends
 * the attempt: the compile of all documents words it. */
#include "model/compile/touch.h"

#include <string.h>

#include "model/base/text.h"
#include "model/kinds/pack.h"

static bool
is_own(const struct tn_touch *t, const struct tn_peering *doc)
{
    return !doc->peer_tenant.v ||
           strcmp(doc->peer_tenant.v, t->job->repo->name) == 0;
}

/* True if the document is part of what is compiled. */
static bool
is_taken(const struct tn_touch *t, const struct tn_document *doc)
{
    switch (doc->kind) {
    case TN_KIND_VPC:
    case TN_KIND_SECURITY_GROUP:
        return tn_touch_mark_of(t, doc->kind, doc->meta->name.v) != 0;
    case TN_KIND_PORT:
        return tn_touch_mark_of(t, TN_KIND_VPC, doc->as.port->vpc.v) ==
               TN_TOUCH_CHANGED;
    case TN_KIND_PEERING:
        return tn_touch_mark_of(t, TN_KIND_VPC, doc->as.peering->vpc.v) ==
                   TN_TOUCH_CHANGED ||
               (is_own(t, doc->as.peering) &&
                tn_touch_mark_of(t, TN_KIND_VPC, doc->as.peering->peer_vpc.v) ==
                    TN_TOUCH_CHANGED);
    case TN_KIND_SETTINGS:
    case TN_KIND_TENANT:
    case TN_KIND_DAEMON:
    case TN_KIND_POLICY:
    case TN_N_KINDS:
        break;
    }
    return false;
}

/* The Tenant document is that of the base; a file without documents stands
 * for where it is. */
static bool
intent_new(struct tn_touch *t)
{
    const struct tn_tenant_job *job = t->job;
    struct tn_intent *in = &t->in;
    struct tn_document doc;
    if (!t->part->doc ||
        !tn_document_unpack(t->arena, t->part->doc, t->part->n_doc,
                            t->part->doc_path, &doc) ||
        doc.kind != TN_KIND_TENANT) {
        return false;
    }
    *in = (struct tn_intent){
        .world = job->world,
        .tenant = job->repo->name,
        .path = job->repo->path,
        .arena = t->arena,
        .keep = job->keep,
        .diags = &t->diags,
        .files = tn_new_n(t->arena, struct tn_intent_file, t->files.n + 1),
        .n_files = t->files.n + 1,
    };
    in->pins = tn_pins_of_tenant(job->world->pins, job->world->n_pins,
                                 in->tenant, &in->n_pins);
    in->files[0].path = t->part->doc_path;
    in->doc = doc.as.tenant;
    in->doc_file = &in->files[0];
    return true;
}

static void
intent_fill(struct tn_touch *t)
{
    for (size_t i = 0; i < t->files.n; i++) {
        const struct tn_intent_file *from = &t->files.items[i].file;
        struct tn_intent_file *to = &t->in.files[i + 1];
        *to = *from;
        to->index = (uint32_t) i + 1;
        to->docs = tn_new_n(t->arena, struct tn_document, from->n_docs);
        to->n_docs = 0;
        for (size_t k = 0; k < from->n_docs; k++) {
            if (is_taken(t, &from->docs[k])) {
                to->docs[to->n_docs++] = from->docs[k];
            }
        }
    }
}

static bool
made(struct tn_touch *t)
{
    struct tn_intent *in = &t->in;
    if (tn_read_lock(in, &t->job->repo_files.lock, t->worker, NULL)) {
        return false;
    }
    intent_fill(t);
    tn_intent_index(in);
    tn_validate_vpcs(in);
    tn_validate_groups(in);
    tn_validate_ports(in);
    tn_validate_peerings(in);
    tn_validate_externals(in);
    tn_identify_subnets(in);
    tn_identify_ports(in);
    if (t->diags.n_errors + t->diags.n_warnings) {
        return false;
    }
    tn_resolve(in, &t->made);
    return true;
}

static void
statistics(struct tn_touch *t)
{
    for (size_t i = 0; i < t->files.n; i++) {
        const struct tn_intent_file *f = &t->files.items[i].file;
        if (f->parsed) {
            t->job->n_parsed++;
            t->job->bytes_parsed += f->bytes;
        }
    }
}

bool
tn_touch(struct tn_tenant_job *job, struct tn_worker *worker,
         struct tn_arena *arena)
{
    struct tn_digest key;
    struct tn_digest facts =
        tn_cache_facts(job->world, job->repo->name, &job->repo_files.lock.id);
    struct tn_touch t = {
        .job = job,
        .worker = worker,
        .arena = arena,
        .part = tn_cache_last(job->cache, job->repo->name, &key),
        .base = &job->base,
        .docs = &job->cached_docs,
    };
    if (!t.part || t.part->n_findings || !t.docs->store.open ||
        !tn_digest_eq(&key, &t.base->head.key) ||
        !tn_digest_eq(&facts, &t.base->head.facts) ||
        t.base->head.n_nets != t.part->n_vpcs) {
        return false;
    }
    tn_diags_init(&t.diags, arena);
    t.diags.tenant = job->repo->name;
    if (!tn_touch_find(&t) || !intent_new(&t) || !made(&t) ||
        !tn_touch_join(&t)) {
        return false;
    }
    statistics(&t);
    return true;
}
