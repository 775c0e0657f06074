/* source.h - what a session is to its loop: a descriptor and a deadline.
 *
 * For the sessions of this folder; who uses them needs loop.h only. */
#ifndef TN_OVSDB_SOURCE_H
#define TN_OVSDB_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/ovsdb/gate.h"
#include "drivers/ovsdb/loop.h"
#include "drivers/ovsdb/tls.h"

enum { TN_SOURCE_IN = 1, TN_SOURCE_OUT = 2 };

/* Part of the session; all zero but the functions before it is added. */
struct tn_ovsdb_source {
    /* The descriptor can be read or written, or has failed. */
    void (*ready)(struct tn_ovsdb_source *source);
    /* The deadline has come; it is unset before the call.  Descriptors that
     * are ready are looked at before deadlines. */
    void (*due)(struct tn_ovsdb_source *source);

    /* The loop's own. */
    int64_t due_ms; /* 0: none. */
    size_t place;   /* In the heap of deadlines, from 1; 0: not there. */
    int fd;         /* -1: none. */
    unsigned wants; /* TN_SOURCE_*. */
};

void tn_ovsdb_source_init(struct tn_ovsdb_source *source);
/* Watches 'fd', which stays the session's own, or changes what is waited for.
 * One source has one descriptor at a time. */
enum tn_code tn_ovsdb_source_watch(struct tn_ovsdb_loop *loop,
                                   struct tn_ovsdb_source *source, int fd,
                                   unsigned wants,
                                   struct tn_error *err) TN_MUST_USE;
/* Before the descriptor is closed. */
void tn_ovsdb_source_unwatch(struct tn_ovsdb_loop *loop,
                             struct tn_ovsdb_source *source);
/* A moment of tn_now_ms(); 0: none. */
void tn_ovsdb_source_set_due(struct tn_ovsdb_loop *loop,
                             struct tn_ovsdb_source *source, int64_t due_ms);
/* Nothing of it is called any more; also from within a callback. */
void tn_ovsdb_source_remove(struct tn_ovsdb_loop *loop,
                            struct tn_ovsdb_source *source);

/* A buffer that all sessions read into, one after the other. */
char *tn_loop_buffer(struct tn_ovsdb_loop *loop, size_t *size);
struct tn_gate *tn_loop_gate(struct tn_ovsdb_loop *loop);
/* The list of tls.h that all sessions share. */
struct tn_tls_context **tn_loop_tls(struct tn_ovsdb_loop *loop);
/* A number below 'n', which is not 0; for jitter, not for secrets. */
uint64_t tn_loop_random(struct tn_ovsdb_loop *loop, uint64_t n);

#endif
