/* inventory_fuzz.c - hostile inventories: no crash, no leak, and what comes
 * out is sorted, whole and printable.
 *
 * The input is a set of files: a line "=== PATH" begins each, PATH being below
 * inventories/e/; what comes before the first is hosts.yml. */
#include <stdint.h>
#include <stdlib.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "model/inventory/inventory.h"
#include "tests/support/memory_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

static const char marker[] = "=== ";

/* Plain relative paths only: a tree holds no others. */
static bool
is_path(const char *p)
{
    static const char *const bad[] = {"//", "/./", "/../"};
    TN_CLEANUP(tn_cleanup_free) char *framed = NULL;

    if (!*p || *p == '/' || asprintf(&framed, "/%s/", p) < 0) {
        return false;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad); i++) {
        if (strstr(framed, bad[i])) {
            return false;
        }
    }
    return true;
}

static void
add_files(struct tn_source *source, const char *s, const char *end)
{
    char path[256] = "inventories/e/hosts.yml";

    while (s < end) {
        const char *next = s, *line;

        while (next < end && !(strncmp(next, marker, 4) == 0 &&
                               (next == s || next[-1] == '\n'))) {
            next++;
        }
        if (next > s || s[0]) {
            tn_memory_source_add_bytes(source, path, s, (size_t) (next - s));
        }
        if (next == end) {
            return;
        }
        line = memchr(next, '\n', (size_t) (end - next));
        if (!line || line - next > 200) {
            return;
        }
        snprintf(path, sizeof path, "inventories/e/%.*s",
                 (int) (line - next - 4), next + 4);
        if (!is_path(path)) {
            return;
        }
        s = line + 1;
    }
}

static void
check_host(const struct tn_host *host)
{
    TN_CLEANUP(tn_cleanup_free) char *json = NULL;

    CHECK(host->raw.n_groups > 0);
    CHECK(strcmp(host->raw.groups[0], "all") == 0);
    for (size_t i = 0; i < host->raw.n_vars; i++) {
        const struct tn_var *v = &host->raw.vars[i];

        CHECK(v->path && v->layer && v->value);
        CHECK(i == 0 || strcmp(v[-1].name, v->name) < 0);
        CHECK(tn_inventory_var(&host->raw, v->name) == v);
    }
    CHECK(host->config.underlay_mtu >= 576);
    CHECK(!host->cloud || strcmp(host->cloud->config.driver,
                                 host->config.driver ? "ovn" : "nsx") == 0);
    CHECK((tn_strcmp0(host->config.driver, "openvswitch") == 0) ==
          (host->config.ovs_system_id != NULL));
    CHECK((host->config.ovs_system_id || host->config.ovn_encapsulation) ==
          (host->config.ovsdb_remote != NULL));
    json = tn_inventory_host_json(&host->raw);
    CHECK(json[0] == '{');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_source *source = tn_memory_source_new();
    const char *bytes = tn_arena_strndup(arena, (const char *) data, size);
    const struct tn_inventory *inv = NULL;
    struct tn_diags diags;

    tn_diags_init(&diags, arena);
    add_files(source, bytes, bytes + size);
    CHECK(tn_inventory_load(source, "e", arena, &inv, &diags, NULL) == TN_OK);
    CHECK(inv->n_refused == 0 || diags.n_errors > 0);
    for (size_t i = 0; i < inv->n_hosts; i++) {
        CHECK(i == 0 ||
              strcmp(inv->hosts[i - 1].raw.name, inv->hosts[i].raw.name) < 0);
        check_host(&inv->hosts[i]);
    }
    source->ops->free(source);
    tn_arena_free(arena);
    return 0;
}
