/* map_test.c - put, get, growth. */
#include "model/base/map.h"

#include <stdio.h>

#include <criterion/criterion.h>

Test(map, keeps_many_keys)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    static const size_t expected[] = {0, 1, 5000, 100000};
    for (size_t e = 0; e < TN_ARRAY_SIZE(expected); e++) {
        struct tn_map map;
        static int values[5000];
        tn_map_init(&map, arena, expected[e]);
        for (int i = 0; i < 5000; i++) {
            char *key = tn_arena_printf(arena, "key-%d", i);
            cr_assert_null(tn_map_get(&map, key));
            cr_assert_null(tn_map_put(&map, key, &values[i]));
        }
        cr_assert_eq(map.n, 5000);
        for (int i = 0; i < 5000; i++) {
            char key[32];
            snprintf(key, sizeof key, "key-%d", i);
            cr_assert_eq(tn_map_get(&map, key), &values[i]);
        }
        cr_assert_null(tn_map_get(&map, "key-5000"));
        cr_assert_null(tn_map_get(&map, ""));
    }
}

Test(map, put_replaces)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_map map;
    int a = 0, b = 0;
    tn_map_init(&map, arena, 0);
    cr_assert_null(tn_map_put(&map, "", &a));
    cr_assert_eq(tn_map_put(&map, "", &b), &a);
    cr_assert_eq(tn_map_get(&map, ""), &b);
    cr_assert_eq(map.n, 1);
}

Test(map, an_empty_one_has_nothing)
{
    struct tn_map map = {0};
    cr_assert_null(tn_map_get(&map, "x"));
}
