/* snapshot_fuzz.c - hostile snapshots: what is accepted is written again to
 * what reads back as the same.
 *
 * A 0xff byte starts the next file; files are called header.jsonl, 1.jsonl, ...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/snapshot/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

enum { FILES = 8 };

static void
again(struct tn_arena *arena, const struct tn_snapshot *first)
{
    struct tn_status_folder folder, folder2;
    struct tn_snapshot second, third;
    /* Fingerprints are not kept without a key, only that there is one. */
    tn_snapshot_encode(arena, first->state, NULL, &first->meta, NULL, &folder);
    CHECK(tn_snapshot_decode(arena, folder.files, folder.n_files, &second,
                             NULL) == TN_OK);
    CHECK(second.n_secrets <= first->n_secrets);
    CHECK(strcmp(second.meta.device, first->meta.device) == 0);
    CHECK(second.meta.observed == first->meta.observed);
    tn_snapshot_encode(arena, second.state, NULL, &second.meta, NULL, &folder2);
    CHECK(tn_snapshot_decode(arena, folder2.files, folder2.n_files, &third,
                             NULL) == TN_OK);
    CHECK(third.state->n == second.state->n);
    for (size_t i = 0; i < third.state->n; i++) {
        CHECK(
            tn_resource_same(&third.state->items[i], &second.state->items[i]));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_status_file files[FILES];
    size_t n = 0;
    while (n < FILES && (size || n == 0)) {
        const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
        size_t len = end ? (size_t) (end - data) : size;
        files[n] = (struct tn_status_file){
            .path = n ? tn_arena_printf(arena, "%zu.jsonl", n) : "header.jsonl",
            .bytes = tn_arena_strndup(arena, (const char *) data, len),
            .n = len,
        };
        n++;
        len += end != NULL;
        data += len;
        size -= len;
    }
    struct tn_snapshot first;
    struct tn_error err = {0};
    if (tn_snapshot_decode(arena, files, n, &first, &err) == TN_OK) {
        if (first.meta.observed > 0) {
            again(arena, &first);
        }
    } else {
        CHECK(err.code == TN_EINTENT);
    }
    tn_arena_free(arena);
    return 0;
}
