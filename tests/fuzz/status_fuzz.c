/* status_fuzz.c - hostile status files: what is accepted prints to a file that
 * reads back as the same, and lays over itself without a change.
 *
 * The first byte picks the kind of the file, the rest is its content. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/status/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

union entry {
    struct tn_status_device device;
    struct tn_status_tenant tenant;
    struct tn_status_vpc vpc;
};

static const char *const paths[TN_N_STATUS_KINDS] = {
    [TN_STATUS_DEVICE] = "devices/hv1.yml",
    [TN_STATUS_TENANT] = "tenants/acme.yml",
    [TN_STATUS_VPC] = "vpcs/acme/web.yml",
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    unsigned kind = data[0] % TN_N_STATUS_KINDS;
    const struct tn_entry_form *form = &tn_entry_forms[kind];
    struct tn_arena *arena = tn_arena_new();
    struct tn_text text = {0}, again = {0};
    union entry first = {0}, second = {0}, merged = {0}, settled = {0};
    const char *why = NULL;
    if (tn_entry_parse(arena, form, paths[kind], (const char *) data + 1,
                       size - 1, &first, &why)) {
        CHECK(strcmp(tn_entry_path(arena, form, &first), paths[kind]) == 0);
        /* As the next writer would: cleaned first, then stable for ever. */
        bool changed = tn_entry_merge(arena, form, NULL, &first, 5, &merged);
        CHECK(changed);
        tn_entry_print(&text, form, &merged);
        CHECK(tn_entry_parse(arena, form, paths[kind], tn_text_str(&text),
                             text.n, &second, &why));
        CHECK(!tn_entry_merge(arena, form, &second, &first, 9, &settled));
        tn_entry_print(&again, form, &settled);
        CHECK(strcmp(tn_text_str(&text), tn_text_str(&again)) == 0);
    } else {
        CHECK(why);
    }
    tn_text_done(&text);
    tn_text_done(&again);
    tn_arena_free(arena);
    return 0;
}
