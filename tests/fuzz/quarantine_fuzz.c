/* quarantine_fuzz.c - hostile quarantines: what is accepted is a fixed point of
 * joining and of printing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/confirm/rollback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_text text = {0}, again = {0};
    struct tn_rollback first, second, joined;
    const char *why = NULL;
    if (tn_rollback_parse(arena, (const char *) data, size, &first, &why)) {
        tn_rollback_print(&text, &first);
        CHECK(tn_rollback_parse(arena, tn_text_str(&text), text.n, &second,
                                &why));
        tn_rollback_join(arena, &first, &second, &joined);
        tn_rollback_print(&again, &joined);
        CHECK(strcmp(tn_text_str(&text), tn_text_str(&again)) == 0);
    } else {
        CHECK(why);
    }
    tn_text_done(&text);
    tn_text_done(&again);
    tn_arena_free(arena);
    return 0;
}
