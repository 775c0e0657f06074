/* unpack_fuzz.c - any bytes as a packed document: false, or values that are
 * safe to look at; never more memory than the input is worth. */
#include <stdlib.h>

#include "model/kinds/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_SLACK = 64 * 1024 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text again = {0};
    struct tn_document doc;
    const void *body = NULL;
    size_t n_body = 0;
    if (tn_document_unpack(arena, data, size, "fuzz.yml", &doc)) {
        /* Writing it visits every value and every text. */
        tn_document_pack(&again, &doc);
        if (again.n > size) {
            abort();
        }
    }
    /* Blocks double, and in debug each object has a header of its own. */
    if (tn_arena_size(arena) > 4 * size + ARENA_SLACK) {
        abort();
    }
    if (tn_pack_seal_check(data, size, 0, &body, &n_body) &&
        n_body > size - TN_PACK_SEAL_SIZE) {
        abort();
    }
    return 0;
}
