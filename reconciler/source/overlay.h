/* overlay.h - a tree in which some directories are those of other trees.
 *
 * Reads like any source: what is below such a directory is read from the other
 * tree, everything else from the base.  The other tree's directory stands in
 * place of whatever the base has of that name; where the base has nothing,
 * there is nothing. */
#ifndef TN_SOURCE_OVERLAY_H
#define TN_SOURCE_OVERLAY_H

#include "model/source.h"

/* Takes 'base' over; label and commit are its. */
struct tn_source *tn_overlay_new(struct tn_source *base) TN_RETURNS_NONNULL;

/* The source of a commit (its whole id) that the overlay has; null. */
struct tn_source *tn_overlay_other(const struct tn_source *overlay,
                                   const char *commit);

/* The directory 'parent'/'name' is that of 'other' from now on, which the
 * overlay takes over (also on failure) unless it has it already.  TN_ENOENT if
 * 'other' has no such directory.  Not while a duplicate is in use. */
enum tn_code tn_overlay_put(struct tn_source *overlay, const char *parent,
                            const char *name, struct tn_source *other,
                            struct tn_error *err) TN_MUST_USE;

#endif
