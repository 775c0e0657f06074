/* base.h - what is kept of a tenant's last good compile, to start from.
 *
 * In <tenant>.base: for each file its content id, where its decoded documents
 * are, and hashes of what it says that other files' meaning can depend on; for
 * each VPC where its compiled image is.  With it, and the tenant's part in the
 * index, the next compile does again only what read a changed file (touch.h).
 *
 * Hashes have 32 bits.  Equal ones only ever make a compile do more than it
 * must; that they differ proves something. */
#ifndef TN_COMPILE_BASE_H
#define TN_COMPILE_BASE_H

#include "model/compile/intent.h"
#include "model/compile/store.h"

/* One file.  The hashes of all files lie behind each other. */
struct tn_base_file {
    struct tn_oid id;
    struct tn_chunk docs;
    uint64_t bytes; /* Of the file itself. */
    uint32_t n_docs;
    uint32_t path; /* Offset in tn_base.paths. */
    uint32_t n_uniques;
    uint32_t n_refs;
    uint32_t n_attaches; /* Of tn_part.attaches. */
    uint32_t zero;
};

/* Documents by kind, and what quotas count besides. */
struct tn_base_counts {
    uint64_t of[TN_N_KINDS];
    uint64_t subnets, rules;
};

struct tn_base_head {
    struct tn_digest key;   /* Of the part; zero: only documents are here. */
    struct tn_digest facts; /* All that was read but documents. */
    uint64_t docs, net;     /* Generations of these stores. */
    uint64_t n_files, n_uniques, n_refs, n_nets, n_paths;
    struct tn_base_counts counts;
};

struct tn_base {
    struct tn_base_head head;
    const struct tn_base_file *files; /* By path. */
    const uint32_t *uniques;     /* What no two files of a tenant may both say:
                                    names of documents, places of ports, default
                                    routes. */
    const uint32_t *refs;        /* Names of documents of other files. */
    const struct tn_chunk *nets; /* Of the part's VPCs, in their order. */
    const char *paths;
};

/* False if 'bytes' are not one.  Points into 'bytes', aligned to 8. */
bool tn_base_unpack(const void *bytes, size_t n, struct tn_base *out);
/* The bytes of a base, borrowed from it. */
enum { TN_BASE_RUNS = 6 };
void tn_base_runs(const struct tn_base *base,
                  struct tn_bytes out[TN_BASE_RUNS]);

/* A base in the making.  The texts hold arrays. */
struct tn_base_builder {
    struct tn_arena *arena;
    struct tn_base_head head;
    TN_VEC(struct tn_base_file) files;
    struct tn_text uniques, refs, attaches, paths;
    TN_VEC(uint32_t) file_uniques; /* Of the file that is added. */
    TN_VEC(uint32_t) file_refs;
};

/* 'files': how many there will be.  'like': about so much will be said; may be
 * null. */
void tn_base_builder_init(struct tn_base_builder *b, struct tn_arena *arena,
                          size_t files, const struct tn_base *like);
void tn_base_builder_done(struct tn_base_builder *b);
/* Adds a file and what its documents say; files come in the order of their
 * paths. */
void tn_base_add(struct tn_base_builder *b, const struct tn_intent *in,
                 const struct tn_intent_file *file,
                 const struct tn_chunk *docs);
/* The same without what they say: only to find its documents. */
void tn_base_add_plain(struct tn_base_builder *b,
                       const struct tn_intent_file *file,
                       const struct tn_chunk *docs);

/* A place in a base: a file, and where what is said of it begins. */
struct tn_base_cursor {
    const struct tn_base *base;
    const uint64_t *attaches; /* Of the part. */
    size_t file, unique, ref, attach;
};
/* Goes on to the file of that number, which is not before. */
void tn_base_skip(struct tn_base_cursor *c, size_t file);
/* The same, and adds the files between as they are. */
void tn_base_copy(struct tn_base_builder *b, struct tn_base_cursor *c,
                  size_t file);
/* Borrows from the builder. */
struct tn_base tn_base_built(const struct tn_base_builder *b,
                             const struct tn_chunk *nets, size_t n_nets);

/* Adds what a document counts for, 'times' (which may be -1). */
void tn_base_count(struct tn_base_counts *counts, const struct tn_document *doc,
                   int times);
/* Of a document's name, as in uniques and refs. */
uint32_t tn_base_name(enum tn_kind kind, const char *name);

#endif
