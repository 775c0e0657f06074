/* saved_plan_fuzz.c - hostile plan files: no crash, no leak; and what is
 * accepted is printed and read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/plan/saved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* Verdicts on a world in which nothing is. */
static void
judge(struct tn_arena *arena, const struct tn_saved *saved)
{
    struct tn_state empty = {0};
    struct tn_saved_result result;
    const struct tn_plan_input in = {
        .device = "hv1", .want = &empty, .have = &empty};
    enum tn_code code = tn_saved_check(arena, saved, &in, 1, &result, NULL);
    CHECK(result.n == saved->n_changes);
    CHECK((code == TN_OK) == (result.n_refused == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text a = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text b = {0};
    const struct tn_saved *saved = NULL;
    struct tn_error err = {0};
    enum tn_code code =
        tn_saved_parse(arena, (const char *) data, size, &saved, &err);
    CHECK(code == TN_OK || (code == TN_EINTENT && err.code == code));
    CHECK((code == TN_OK) == (saved != NULL));
    if (saved) {
        tn_saved_print(&a, saved);
        CHECK(tn_saved_parse(arena, a.s, a.n, &saved, NULL) == TN_OK);
        tn_saved_print(&b, saved);
        CHECK(strcmp(a.s, b.s) == 0);
        judge(arena, saved);
    }
    return 0;
}
