/* arena.h - memory by unit of life: one arena per parsed revision, per
 * observation, per plan; freed whole.
 *
 * Out of memory ends the process with a message: a half-built plan has no
 * meaning, and every writer is crash-safe by its journal (docs/architecture.md,
 * "D-oom").  So allocation never returns null.
 *
 * An arena belongs to one thread at a time.  Objects in an arena may point to
 * the same or to a longer-lived arena only.
 *
 * With TN_ARENA_DEBUG each object is a malloc of its own, so that
 * AddressSanitizer sees an overrun between two of them. */
#ifndef TN_BASE_ARENA_H
#define TN_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "model/base/attr.h"

struct tn_arena;

/* New, owned by the caller. */
struct tn_arena *tn_arena_new(void) TN_RETURNS_NONNULL;
/* Accepts null. */
void tn_arena_free(struct tn_arena *arena);
/* Drops all objects but keeps a block for reuse. */
void tn_arena_reset(struct tn_arena *arena);
/* Moves all objects of 'from' into 'arena', where they live on at the same
 * addresses, and frees the emptied 'from'.  For joining what threads built in
 * arenas of their own. */
void tn_arena_adopt(struct tn_arena *arena, struct tn_arena *from);
/* Bytes taken from malloc so far; for statistics. */
size_t tn_arena_size(const struct tn_arena *arena);

/* 'size' bytes, aligned for any object, not initialised. */
void *tn_arena_alloc(struct tn_arena *arena, size_t size) TN_RETURNS_NONNULL;
/* Zeroed array; the product is checked for overflow. */
void *tn_arena_calloc(struct tn_arena *arena, size_t n,
                      size_t size) TN_RETURNS_NONNULL;
char *tn_arena_strdup(struct tn_arena *arena, const char *s) TN_RETURNS_NONNULL;
/* Copies 'len' bytes and adds a NUL. */
char *tn_arena_strndup(struct tn_arena *arena, const char *s,
                       size_t len) TN_RETURNS_NONNULL;
char *tn_arena_printf(struct tn_arena *arena, const char *fmt, ...)
    TN_PRINTF(2, 3) TN_RETURNS_NONNULL;
char *tn_arena_vprintf(struct tn_arena *arena, const char *fmt, va_list ap)
    TN_PRINTF(2, 0) TN_RETURNS_NONNULL;
/* One zeroed object / array of a type. */
#define tn_new(arena, type) ((type *) tn_arena_calloc((arena), 1, sizeof(type)))
#define tn_new_n(arena, type, n)                                               \
    ((type *) tn_arena_calloc((arena), (n), sizeof(type)))

/* A growing array in an arena.
 *     TN_VEC(struct x) v = {0};
 *     *tn_vec_push(arena, &v) = x;      v.items[0 .. v.n) */
#define TN_VEC(type)                                                           \
    struct {                                                                   \
        type *items;                                                           \
        size_t n, cap;                                                         \
    }
#define tn_vec_push(arena, v)                                                  \
    ((v)->n == (v)->cap                                                        \
         ? (void) ((v)->items = tn_vec_grow((arena), (v)->items, &(v)->cap,    \
                                            sizeof(*(v)->items)))              \
         : (void) 0,                                                           \
     &(v)->items[(v)->n++])
/* Makes room for 'most' items in all: what is left behind by growing, and
 * copied, is as much as what is kept. */
#define tn_vec_reserve(arena, v, most)                                         \
    ((v)->cap < (most)                                                         \
         ? (void) ((v)->items = tn_vec_resize((arena), (v)->items, &(v)->cap,  \
                                              (most), sizeof(*(v)->items)))    \
         : (void) 0)
/* For tn_vec_push and tn_vec_reserve only. */
void *tn_vec_grow(struct tn_arena *arena, void *items, size_t *cap,
                  size_t size) TN_RETURNS_NONNULL;
void *tn_vec_resize(struct tn_arena *arena, void *items, size_t *cap,
                    size_t most, size_t size) TN_RETURNS_NONNULL;

static inline void
tn_cleanup_arena(struct tn_arena **arena)
{
    tn_arena_free(*arena);
}

#endif
