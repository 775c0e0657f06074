/* decode_fuzz.c - any YAML as a document: no crash, findings with places, and
 * what is accepted survives packing unchanged. */
#include <stdlib.h>
#include <string.h>

#include "model/kinds/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

static void
check_findings(const struct tn_diags *diags)
{
    for (size_t i = 0; i < diags->list.n; i++) {
        const struct tn_diag *d = &diags->list.items[i];
        CHECK(d->at.line > 0 && d->at.column > 0 && d->message[0]);
        /* What a terminal would obey must not come through. */
        for (const char *p = d->message; *p; p++) {
            CHECK((unsigned char) *p >= 0x20 && *p != 0x7f);
        }
    }
}

static void
check_packing(const struct tn_document *doc)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text first = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text second = {0};
    struct tn_document back;
    tn_document_pack(&first, doc);
    CHECK(tn_document_unpack(arena, first.s, first.n, "fuzz.yml", &back));
    tn_document_pack(&second, &back);
    CHECK(first.n == second.n && memcmp(first.s, second.s, first.n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_node **docs = NULL;
    struct tn_diags diags;
    size_t n = 0;
    tn_diags_init(&diags, arena);
    if (!tn_yaml_parse(arena, "fuzz.yml", (const char *) data, size,
                       TN_YAML_STRICT, &tn_yaml_limits_default, &docs, &n,
                       &diags)) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct tn_document doc;
        size_t errors = diags.n_errors;
        bool ok = tn_document_decode(arena, "fuzz.yml", docs[i], &doc, &diags);
        CHECK(ok == (diags.n_errors == errors));
        if (ok) {
            check_packing(&doc);
        }
    }
    check_findings(&diags);
    return 0;
}
