/* compile.h - from a tree of files to a network, incrementally.
 *
 * Pure but for reading the source and the cache: equal trees, equal pins and
 * equal environment give equal networks, whatever the cache holds and however
 * many threads work. */
#ifndef TN_COMPILE_COMPILE_H
#define TN_COMPILE_COMPILE_H

#include "model/compile/lock.h"
#include "model/compile/network.h"

struct tn_compile_options {
    const char *environment;   /* Null: settings.defaultEnvironment, or the
                                  only one there is. */
    const char *cache_dir;     /* Null: no cache.  Safe to delete at any time;
                                  a damaged cache is ignored and rewritten. */
    unsigned threads;          /* 0: as many as there are processors. */
    const struct tn_pin *pins; /* From the status ref; tenet.lock files win.
                                  Sorted by tenant, object. */
    size_t n_pins;
    bool verdict_only; /* Validate: networks of tenants proven good by
                          the cache need not be loaded; 'vpcs',
                          'devices' and 'pins' of the result are then
                          incomplete, the findings are not. */
};

struct tn_compile_stats {
    size_t n_files, n_files_parsed, n_vpcs, n_vpcs_compiled;
    size_t n_bytes_parsed;
    size_t cache_bytes; /* Read from and written to the cache. */
};

/* Compiles.  What is wrong with documents goes to 'diags', each finding under
 * its tenant; findings with tenant null (settings, inventory) make the whole
 * intent unusable: the result is TN_EINTENT.  Otherwise TN_OK, and tenants
 * with errors are marked failed.  TN_EINTENT also when the tree has no
 * tenet.yml or no tenants/ at all: an empty tree is never an empty intent.
 * '*out' is new in 'arena'; 'stats' may be null. */
enum tn_code tn_compile(struct tn_source *source,
                        const struct tn_compile_options *options,
                        struct tn_arena *arena, const struct tn_network **out,
                        struct tn_compile_stats *stats, struct tn_diags *diags,
                        struct tn_error *err) TN_MUST_USE;

#endif
