/* arena.c - chained blocks, each twice the size of the one before (bounded).
 *
 * Allocation bumps a pointer.  A request larger than a block gets a block of
 * its own; of it and the current one, that with more room left goes on being
 * filled.  Large blocks are whole huge pages (large.h). */
#include "model/base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/large.h"

#ifdef TN_ARENA_DEBUG
enum { DEBUG_ONE_EACH = 1 };
#else
enum { DEBUG_ONE_EACH = 0 };
#endif

enum { FIRST_BLOCK = 8 * 1024 };

struct block {
    struct block *next;
    size_t size;
    alignas(max_align_t) unsigned char data[];
};

struct tn_arena {
    struct block *head; /* Being filled. */
    size_t used;        /* Of head->data. */
    size_t next_size, total;
};

static TN_NORETURN void
out_of_memory(size_t size)
{
    fprintf(stderr, "tenet: out of memory (%zu bytes wanted)\n", size);
    abort();
}

static struct block *
block_new(struct tn_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2) {
        out_of_memory(size);
    }
    size_t whole = sizeof(struct block) + size;
    struct block *b = NULL;
    if (whole >= TN_LARGE_LEAST && !DEBUG_ONE_EACH) {
        whole = tn_large_round(whole);
        b = tn_large_alloc(whole);
    } else {
        b = malloc(whole);
    }
    if (!b) {
        out_of_memory(size);
    }
    b->next = NULL;
    b->size = whole - sizeof *b;
    arena->total += whole;
    return b;
}

struct tn_arena *
tn_arena_new(void)
{
    struct tn_arena *arena = calloc(1, sizeof *arena);
    if (!arena) {
        out_of_memory(sizeof *arena);
    }
    arena->next_size = FIRST_BLOCK;
    return arena;
}

static void
blocks_free(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

void
tn_arena_free(struct tn_arena *arena)
{
    if (arena) {
        blocks_free(arena->head);
        free(arena);
    }
}

void
tn_arena_reset(struct tn_arena *arena)
{
    if (arena->head && !DEBUG_ONE_EACH) {
        blocks_free(arena->head->next);
        arena->head->next = NULL;
        arena->total = sizeof *arena->head + arena->head->size;
    } else {
        blocks_free(arena->head);
        arena->head = NULL;
        arena->total = 0;
    }
    arena->used = 0;
}

void
tn_arena_adopt(struct tn_arena *arena, struct tn_arena *from)
{
    struct block *last = from->head;
    while (last && last->next) {
        last = last->next;
    }
    if (!last) {
        free(from);
        return;
    }
    if (arena->head) {
        /* Behind the block that is being filled, which stays the head. */
        last->next = arena->head->next;
        arena->head->next = from->head;
    } else {
        arena->head = from->head;
        arena->used = from->used;
    }
    arena->total += from->total;
    free(from);
}

size_t
tn_arena_size(const struct tn_arena *arena)
{
    return arena->total;
}

void *
tn_arena_alloc(struct tn_arena *arena, size_t size)
{
    if (DEBUG_ONE_EACH) {
        struct block *b = block_new(arena, size);
        b->next = arena->head;
        arena->head = b;
        return b->data;
    }
    size_t need =
        (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (need < size) {
        out_of_memory(size);
    }
    struct block *head = arena->head;
    if (head && need <= head->size - arena->used) {
        void *p = head->data + arena->used;
        arena->used += need;
        return p;
    }
    bool own = head && need > arena->next_size / 4;
    struct block *b = block_new(
        arena, own || need > arena->next_size ? need : arena->next_size);
    if (own && b->size - need <= head->size - arena->used) {
        b->next = head->next;
        head->next = b;
        return b->data;
    }
    if (!own && arena->next_size < TN_LARGE_LEAST) {
        arena->next_size *= 2;
    }
    b->next = head;
    arena->head = b;
    arena->used = need;
    return b->data;
}

void *
tn_arena_calloc(struct tn_arena *arena, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / 2 / size) {
        out_of_memory(SIZE_MAX);
    }
    void *p = tn_arena_alloc(arena, n * size);
    memset(p, 0, n * size);
    return p;
}

char *
tn_arena_strndup(struct tn_arena *arena, const char *s, size_t len)
{
    char *p = tn_arena_alloc(arena, len + 1);
    memcpy(p, s, len);
    p[len] = '\0';
    return p;
}

char *
tn_arena_strdup(struct tn_arena *arena, const char *s)
{
    return tn_arena_strndup(arena, s, strlen(s));
}

char *
tn_arena_vprintf(struct tn_arena *arena, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    char *p = NULL;
    if (n < 0) {
        p = tn_arena_strdup(arena, "");
    } else if ((size_t) n < sizeof small) {
        p = tn_arena_strndup(arena, small, (size_t) n);
    } else {
        p = tn_arena_alloc(arena, (size_t) n + 1);
        vsnprintf(p, (size_t) n + 1, fmt, again);
    }
    va_end(again);
    return p;
}

char *
tn_arena_printf(struct tn_arena *arena, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *p = tn_arena_vprintf(arena, fmt, ap);
    va_end(ap);
    return p;
}

void *
tn_vec_resize(struct tn_arena *arena, void *items, size_t *cap, size_t most,
              size_t size)
{
    size_t old = *cap;
    if (most > SIZE_MAX / 2 / size) {
        out_of_memory(SIZE_MAX);
    }
    void *p = tn_arena_alloc(arena, most * size);
    if (old) {
        memcpy(p, items, old * size);
    }
    memset((char *) p + old * size, 0, (most - old) * size);
    *cap = most;
    return p;
}

void *
tn_vec_grow(struct tn_arena *arena, void *items, size_t *cap, size_t size)
{
    return tn_vec_resize(arena, items, cap, *cap ? *cap * 2 : 8, size);
}
