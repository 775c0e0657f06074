/* read.h - from a file's bytes to documents, or to what can be said of it. */
#ifndef TN_COMPILE_READ_H
#define TN_COMPILE_READ_H

#include "model/compile/intent.h"
#include "model/compile/worker.h"

/* Reads, parses and decodes 'file', whose path and id are set, into 'arena';
 * its findings go to file->diags.  Resets the worker's scratch arena.  The
 * code is that of an I/O failure of the source. */
enum tn_code tn_read_documents(struct tn_intent_file *file, const char *tenant,
                               struct tn_arena *arena, struct tn_worker *worker,
                               struct tn_error *err) TN_MUST_USE;

/* Reads tenet.yml; TN_EINTENT with findings if it is not there or wrong.
 * '*id' names its content. */
enum tn_code tn_read_settings(struct tn_source *source, struct tn_arena *arena,
                              const struct tn_settings **out, struct tn_oid *id,
                              struct tn_diags *diags,
                              struct tn_error *err) TN_MUST_USE;

/* Reads a tenant's lock; in->lock stays empty if it is broken, which is in
 * in->diags then. */
enum tn_code tn_read_lock(struct tn_intent *in, const struct tn_repo_file *lock,
                          struct tn_worker *worker,
                          struct tn_error *err) TN_MUST_USE;

#endif
