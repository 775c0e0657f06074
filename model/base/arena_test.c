/* arena_test.c - allocation, growth, reuse. */
#include "model/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"

Test(arena, objects_do_not_overlap)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    unsigned char *p[2000];
    for (size_t i = 0; i < 2000; i++) {
        size_t n = (i * 37) % 1900;
        p[i] = tn_arena_alloc(arena, n);
        cr_assert_eq((uintptr_t) p[i] % alignof(max_align_t), 0);
        memset(p[i], (int) (i & 255), n);
    }
    for (size_t i = 0; i < 2000; i++) {
        for (size_t k = 0; k < (i * 37) % 1900; k++) {
            cr_assert_eq(p[i][k], i & 255);
        }
    }
}

Test(arena, large_objects_leave_the_block_in_use)
{
    static const size_t large = 10 << 20;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    char *a = tn_arena_strdup(arena, "before");
    char *big = tn_arena_calloc(arena, 1, large);
    char *b = tn_arena_strdup(arena, "after");
    cr_assert_str_eq(a, "before");
    cr_assert_str_eq(b, "after");
    cr_assert_eq(big[large - 1], 0);
    cr_assert_geq(tn_arena_size(arena), large);
}

Test(arena, calloc_zeroes_reused_memory)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    memset(tn_arena_alloc(arena, 4096), 0xff, 4096);
    tn_arena_reset(arena);
    char *p = tn_new_n(arena, char, 4096);
    for (size_t i = 0; i < 4096; i++) {
        cr_assert_eq(p[i], 0);
    }
}

Test(arena, reset_bounds_memory)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    size_t most = 0;
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 1000; k++) {
            tn_arena_strdup(arena, "some text that takes room");
        }
        size_t now = tn_arena_size(arena);
        cr_assert(i < 2 || now <= most, "%zu > %zu", now, most);
        most = now > most ? now : most;
        tn_arena_reset(arena);
    }
    tn_arena_reset(arena);
    tn_arena_free(NULL);
}

Test(arena, formats_short_and_long_text)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    cr_assert_str_eq(tn_arena_printf(arena, "%s-%d", "a", 7), "a-7");
    for (int n = 250; n < 262; n++) {
        char *s = tn_arena_printf(arena, "%*s", n, "x");
        cr_assert_eq(strlen(s), (size_t) n);
        cr_assert_eq(s[n - 1], 'x');
    }
    cr_assert_str_eq(tn_arena_strndup(arena, "abcdef", 3), "abc");
    cr_assert_str_eq(tn_arena_strndup(arena, "", 0), "");
}

Test(arena, vectors_grow)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_VEC(size_t) v = {0};
    for (size_t i = 0; i < 1000; i++) {
        *tn_vec_push(arena, &v) = i * i;
    }
    cr_assert_eq(v.n, 1000);
    for (size_t i = 0; i < v.n; i++) {
        cr_assert_eq(v.items[i], i * i);
    }
}

Test(arena, vectors_are_reserved)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_VEC(size_t) v = {0};
    *tn_vec_push(arena, &v) = 7;
    tn_vec_reserve(arena, &v, 1000);
    const size_t *items = v.items;
    cr_assert_eq(v.n, 1);
    cr_assert_eq(v.items[0], 7);
    cr_assert_eq(v.items[999], 0);
    tn_vec_reserve(arena, &v, 10);
    while (v.n < 1000) {
        *tn_vec_push(arena, &v) = 1;
    }
    cr_assert_eq(v.items, items);
    *tn_vec_push(arena, &v) = 8;
    cr_assert_eq(v.items[0], 7);
    cr_assert_eq(v.items[1000], 8);
}

/* True if a child that asks for too much ends by abort(). */
static bool
child_aborts(size_t n, size_t size)
{
    pid_t pid = fork();
    if (pid == 0) {
        fclose(stderr);
        struct tn_arena *arena = tn_arena_new();
        (void) tn_arena_calloc(arena, n, size);
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

Test(arena, overflow_of_a_product_ends_the_process)
{
    cr_assert(child_aborts(SIZE_MAX / 4, 8));
    cr_assert(child_aborts(SIZE_MAX, SIZE_MAX));
    cr_assert(child_aborts(1, SIZE_MAX - 8));
    cr_assert(!child_aborts(10, 8));
}
