/* forge_work.h - what the files of forge*.c share. */
#ifndef TN_NOTIFY_FORGE_WORK_H
#define TN_NOTIFY_FORGE_WORK_H

#include "reconciler/notify/forge.h"

/* Owned by the forge; texts are malloc'ed in one piece behind it. */
struct tn_forge_item {
    uint64_t ticket; /* 0: nothing to post. */
    uint64_t used;   /* When it was last asked for, for forgetting. */
    char *sha, *context, *description, *target_url;
    const char *wanted; /* Static; never null. */
    const char *posted; /* Static; null: nothing yet. */
    const char *never;  /* Static; the state that was refused, or null. */
};

struct tn_forge {
    enum tn_forge_kind kind;
    char *name, *api, *repository;
    struct tn_forge_item *items; /* In the order they were first asked for. */
    size_t n, cap;
    uint64_t clock; /* Counts; gives tickets. */
    bool dirty;
};

#endif
