/* names.h - what our objects are called in NSX.
 *
 * Ids are readable and say whose they are: the names of the repository, the
 * tenant, the VPC and the object, joined by '_', which no name has in it.  Two
 * objects of one collection never have one id.  An id that would be longer than
 * NSX allows is cut and ends in a digest. */
#ifndef TN_NSX_NAMES_H
#define TN_NSX_NAMES_H

#include "model/base/arena.h"

/* Parts up to a null; "" is a part, so that ids of another form ("__all") can
 * be told from those of names. */
const char *tn_nsx_id(struct tn_arena *arena, const char *first, ...)
    __attribute__((sentinel));

/* 'text' if it has at most 'max' bytes, else its begin and a digest of all of
 * it. */
const char *tn_nsx_short(struct tn_arena *arena, const char *text, size_t max);

/* A prefix as a part of an id: "10.0.0.0_8", "fd00--_8". */
const char *tn_nsx_word(struct tn_arena *arena, const char *prefix);

/* What a port without 'attach.vif' is attached to: a UUID (RFC 9562, version 8)
 * that follows from its name and never changes. */
const char *tn_nsx_vif(struct tn_arena *arena, const char *instance,
                       const char *scope, const char *port);

#endif
