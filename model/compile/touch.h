/* touch.h - compiles a tenant from the base of an earlier compile.
 *
 * Only VPCs that read a changed document are compiled again; everything else
 * of the part is taken over.  This works for good tenants only: whatever may
 * be wrong, or is not certain from hashes, is left to the compile of all
 * documents, so that findings are always those of a cold compile.
 *
 * A VPC reads its document, its ports, the groups that these name and that the
 * rules of groups name in turn, and the peerings of it or with it; and of its
 * tenant the Tenant document, the lock, the pins, settings and inventory. */
#ifndef TN_COMPILE_TOUCH_H
#define TN_COMPILE_TOUCH_H

#include "model/compile/tenant.h"

/* Documents by what has to be done about them. */
enum tn_touch_mark {
    TN_TOUCH_NEEDED = 1, /* It is read, but is as it was. */
    TN_TOUCH_CHANGED,    /* It is not as it was, or reads what is not. */
};

/* A file that the compile reads. */
struct tn_touch_file {
    struct tn_intent_file file;
    const struct tn_base_file *old; /* Null: it is new. */
    struct tn_intent_file was;      /* Of a changed file: as 'old' was. */
    bool changed;
    bool gone;
};

struct tn_touch {
    struct tn_tenant_job *job;
    struct tn_worker *worker;
    struct tn_arena *arena;
    const struct tn_part *part; /* Of the base. */
    const struct tn_base *base;
    const struct tn_cached_docs *docs;
    struct tn_diags diags;
    TN_VEC(struct tn_touch_file) files;
    bool *loaded; /* Of each file of the base: it is among 'files'. */
    struct tn_map vpcs, groups;   /* Names to marks. */
    struct tn_base_counts counts; /* Of the base without changed files. */
    struct tn_intent in;          /* Of what is compiled. */
    struct tn_part made;          /* From it. */
};

/* 0: none. */
int tn_touch_mark_of(const struct tn_touch *t, enum tn_kind kind,
                     const char *name);

/* Finds what must be compiled: files and marks.  False if that is too much or
 * too uncertain. */
bool tn_touch_find(struct tn_touch *t);
/* Joins what was made with the rest of the base's part to job->part, and
 * stores it.  False if something of it is in conflict. */
bool tn_touch_join(struct tn_touch *t);

/* Makes job->part, whose files are listed, in job->keep; 'arena' is scratch.
 * False if it cannot; nothing has happened then. */
bool tn_touch(struct tn_tenant_job *job, struct tn_worker *worker,
              struct tn_arena *arena);

#endif
