/* store_test.c - chunks come back as they were written, or not at all. */
#include "model/compile/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"

enum { N = 20 };

struct setup {
    struct tn_store_dir dir;
    struct tn_arena *arena;
    struct tn_chunk chunks[N];
    uint64_t generation;
};

static void
chunk_text(int i, char out[64])
{
    snprintf(out, 64, "chunk number %d%*s", i, i, "");
}

static void
setup_init(struct setup *s)
{
    char path[] = "/tmp/tenet-store-XXXXXX", bytes[64];
    struct tn_store_writer writer;
    struct tn_store_hand hand = {0};
    *s = (struct setup){.arena = tn_arena_new()};
    cr_assert(mkdtemp(path));
    memcpy(s->dir.path, path, sizeof path);
    s->dir.id = 7;
    cr_assert(tn_store_create(&writer, &s->dir));
    for (int i = 0; i < N; i++) {
        size_t start = hand.text.n;
        chunk_text(i, bytes);
        tn_text_add(&hand.text, bytes);
        s->chunks[i] = tn_store_put(&writer, &hand, start);
    }
    tn_store_hand_done(&writer, &hand);
    s->generation = tn_store_finish(&writer, "a", ".x");
    cr_assert_neq(s->generation, 0);
}

static void
setup_done(struct setup *s)
{
    tn_store_remove(&s->dir, "a", ".x");
    cr_expect_eq(rmdir(s->dir.path), 0);
    tn_arena_free(s->arena);
}

static void
expect_chunk(struct setup *s, const struct tn_store *store,
             const struct tn_chunk *chunk, int i)
{
    char want[64];
    chunk_text(i, want);
    const char *got = tn_store_get(store, &s->dir, chunk, s->arena);
    cr_assert(got);
    cr_expect_eq(chunk->size, strlen(want));
    cr_expect_eq(memcmp(got, want, strlen(want)), 0);
}

Test(store, chunks_come_back)
{
    struct setup s;
    TN_CLEANUP(tn_cleanup_store) struct tn_store store = {0};
    setup_init(&s);
    cr_assert(tn_store_open(&store, &s.dir, "a", ".x", s.generation));
    for (int i = 0; i < N; i++) {
        expect_chunk(&s, &store, &s.chunks[i], i);
    }
    setup_done(&s);
}

/* Two threads that write one store, each far more than it keeps. */
struct writing {
    struct tn_store_writer *writer;
    struct tn_chunk *chunks;
    unsigned char fill;
};

enum { MANY = 300 };

static size_t
many_size(int i)
{
    return i == 77 ? 1 << 20 : (size_t) i * 37 % 9000;
}

static void *
many_write(void *arg)
{
    const struct writing *w = arg;
    struct tn_store_hand hand = {0};
    TN_CLEANUP(tn_cleanup_free) char *bytes = malloc(1 << 20);
    cr_assert(bytes);
    memset(bytes, w->fill, 1 << 20);
    for (int i = 0; i < MANY; i++) {
        size_t start = hand.text.n;
        tn_text_addn(&hand.text, bytes, many_size(i));
        w->chunks[i] = tn_store_put(w->writer, &hand, start);
    }
    tn_store_hand_done(w->writer, &hand);
    return NULL;
}

Test(store, two_may_write)
{
    struct setup s;
    struct tn_chunk chunks[2][MANY];
    struct tn_store_writer writer;
    TN_CLEANUP(tn_cleanup_store) struct tn_store store = {0};
    pthread_t threads[2];
    struct writing both[2];
    setup_init(&s);
    cr_assert(tn_store_create(&writer, &s.dir));
    for (int k = 0; k < 2; k++) {
        both[k] = (struct writing){&writer, chunks[k], (unsigned char) (k + 1)};
        cr_assert_eq(pthread_create(&threads[k], NULL, many_write, &both[k]),
                     0);
    }
    for (int k = 0; k < 2; k++) {
        pthread_join(threads[k], NULL);
    }
    uint64_t generation = tn_store_finish(&writer, "a", ".x");
    cr_assert(generation && !writer.open);
    cr_assert(tn_store_open(&store, &s.dir, "a", ".x", generation));
    for (int i = 0; i < 2 * MANY; i++) {
        const struct tn_chunk *chunk = &chunks[i % 2][i / 2];
        const char *got = tn_store_get(&store, &s.dir, chunk, s.arena);
        cr_assert(got);
        cr_assert_eq(chunk->size, many_size(i / 2));
        for (size_t k = 0; k < chunk->size; k += 101) {
            cr_assert_eq(got[k], i % 2 + 1);
        }
    }
    setup_done(&s);
}

Test(store, what_is_abandoned_leaves_nothing)
{
    struct setup s;
    struct tn_store_writer writer;
    struct tn_store_hand hand = {0};
    setup_init(&s);
    cr_assert(tn_store_create(&writer, &s.dir));
    tn_text_add(&hand.text, "text");
    (void) tn_store_put(&writer, &hand, 0);
    tn_store_hand_done(&writer, &hand);
    tn_store_abandon(&writer);
    cr_expect_eq(tn_store_finish(&writer, "a", ".x"), 0);
    TN_CLEANUP(tn_cleanup_store) struct tn_store store = {0};
    cr_assert(tn_store_open(&store, &s.dir, "a", ".x", s.generation));
    setup_done(&s);
}

Test(store, two_may_append)
{
    struct setup s;
    TN_CLEANUP(tn_cleanup_store) struct tn_store a = {0};
    TN_CLEANUP(tn_cleanup_store) struct tn_store b = {0};
    setup_init(&s);
    cr_assert(tn_store_open(&a, &s.dir, "a", ".x", s.generation));
    cr_assert(tn_store_open(&b, &s.dir, "a", ".x", s.generation));
    for (int i = 0; i < N; i++) {
        struct tn_store *store = i % 2 ? &a : &b;
        TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
        char bytes[64];
        uint64_t at = 0;
        chunk_text(i, bytes);
        tn_text_add(&text, bytes);
        struct tn_chunk chunk = tn_chunk_of(&text, 0);
        cr_assert(tn_store_append(store, &s.dir, &text, &at));
        chunk.at += at;
        expect_chunk(&s, store, &chunk, i);
    }
    setup_done(&s);
}

Test(store, compacting_keeps_what_is_named)
{
    struct setup s;
    struct tn_chunk *kept[] = {&s.chunks[3], &s.chunks[1], &s.chunks[19]};
    static const int numbers[] = {3, 1, 19};
    TN_CLEANUP(tn_cleanup_store) struct tn_store old = {0};
    TN_CLEANUP(tn_cleanup_store) struct tn_store store = {0};
    setup_init(&s);
    cr_assert(tn_store_open(&old, &s.dir, "a", ".x", s.generation));
    uint64_t next = tn_store_compact(&old, &s.dir, "a", ".x", kept, 3);
    cr_assert(next && next != s.generation);
    cr_expect_not(tn_store_open(&store, &s.dir, "a", ".x", s.generation));
    cr_assert(tn_store_open(&store, &s.dir, "a", ".x", next));
    for (int i = 0; i < 3; i++) {
        expect_chunk(&s, &store, kept[i], numbers[i]);
    }
    cr_expect(store.size < old.size);
    setup_done(&s);
}

Test(store, damage_is_found)
{
    struct setup s;
    TN_CLEANUP(tn_cleanup_store) struct tn_store store = {0};
    setup_init(&s);
    cr_assert(tn_store_open(&store, &s.dir, "a", ".x", s.generation));
    static const struct tn_chunk past[] = {
        {.at = UINT64_MAX, .size = 1},
        {.at = 16, .size = UINT64_MAX},
        {.at = 1 << 20, .size = 0},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(past); i++) {
        cr_expect_null(tn_store_get(&store, &s.dir, &past[i], s.arena));
    }
    struct tn_chunk off = s.chunks[4];
    off.at++;
    cr_expect_null(tn_store_get(&store, &s.dir, &off, s.arena));
    struct tn_chunk *damaged[] = {&off};
    cr_expect_eq(tn_store_compact(&store, &s.dir, "a", ".x", damaged, 1), 0);
    s.dir.id = 8;
    cr_expect_not(
        tn_store_open(&(struct tn_store){0}, &s.dir, "a", ".x", s.generation));
    setup_done(&s);
}
