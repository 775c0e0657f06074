/* memory_subject.c - the memory driver under conformance.
 *
 * A directory of its own for each test, one file a host.  Hands that are not
 * tenet's edit the file. */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "drivers/memory/memory.h"
#include "model/base/cleanup.h"
#include "tests/conformance/conformance.h"

static void *
setup(void)
{
    char name[] = "/tmp/tenet-conformance-XXXXXX";
    cr_assert_not_null(mkdtemp(name));
    return strdup(name);
}

static void
teardown(void *world)
{
    DIR *dir = opendir(world);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        unlinkat(dirfd(dir), e->d_name, 0);
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(world);
    free(world);
}

static void
host_vars(void *world, const char *host, struct tn_text *out)
{
    tn_text_addf(out, "tenet_memory_path: %s/%s.json\n", (const char *) world,
                 host);
}

static char *
path_of(void *world, const struct tn_device *device)
{
    char *path = NULL;
    cr_assert_gt(
        asprintf(&path, "%s/%s.json", (const char *) world, device->name), 0);
    return path;
}

static json_t *
load(void *world, const struct tn_device *device)
{
    TN_CLEANUP(tn_cleanup_free) char *path = path_of(world, device);
    json_t *root = json_load_file(path, 0, NULL);
    return root ? root
                : json_pack("{s:s, s:i, s:{}}", "format", "tenet-memory/1",
                            "operations", 0, "resources");
}

static void
save(void *world, const struct tn_device *device, json_t *root)
{
    TN_CLEANUP(tn_cleanup_free) char *path = path_of(world, device);
    cr_assert_eq(json_dump_file(root, path, 0), 0);
    json_decref(root);
}

/* One beside ours, and one inside of a scope of ours. */
static void
foreign_make(void *world, const struct tn_device *device,
             const struct tn_state *applied)
{
    json_t *root = load(world, device);
    json_t *resources = json_object_get(root, "resources");
    json_object_set_new(resources,
                        applied ? "acme/web/subnet/by-hand" : "by-hand/vpc",
                        json_pack("{s:s, s:s, s:s, s:{s:s}}", "kind",
                                  applied ? "subnet" : "vpc", "scope",
                                  applied ? "acme/web" : "by-hand", "owner",
                                  "somebody", "attrs", "cidr", "10.9.0.0/24"));
    save(world, device, root);
}

static void
foreign_dump(void *world, const struct tn_device *device, struct tn_text *out)
{
    json_t *root = load(world, device), *resources = NULL, *r = NULL;
    const char *key = NULL;
    void *next = NULL;
    resources = json_object_get(root, "resources");
    json_object_foreach_safe(resources, next, key, r)
    {
        const char *owner = json_string_value(json_object_get(r, "owner"));
        if (!tn_streq(owner, "somebody")) {
            json_object_del(resources, key);
        }
    }
    TN_CLEANUP(tn_cleanup_free)
    char *text = json_dumps(resources, JSON_SORT_KEYS | JSON_INDENT(1));
    tn_text_add(out, text);
    json_decref(root);
}

/* Every other resource is removed, the rest get another value. */
static bool
tamper(void *world, const struct tn_device *device, const struct tn_resource *r)
{
    json_t *root = load(world, device);
    json_t *resources = json_object_get(root, "resources");
    json_t *attrs =
        json_object_get(json_object_get(resources, r->key), "attrs");
    if (strlen(r->key) % 2 && r->n_attrs) {
        json_object_set_new(attrs, r->attrs[0].name, json_string("by hand"));
    } else {
        json_object_del(resources, r->key);
    }
    save(world, device, root);
    return true;
}

static void
fail_at(void *world, const struct tn_device *device, size_t n)
{
    json_t *root = load(world, device);
    json_int_t done = json_integer_value(json_object_get(root, "operations"));
    json_object_set_new(root, "faults",
                        json_pack("{s:I}", "fail_at", done + (json_int_t) n));
    save(world, device, root);
}

const struct tn_subject *
tn_conformance_subject(void)
{
    static const struct tn_subject subject = {
        .driver = &tn_driver_memory,
        .setup = setup,
        .teardown = teardown,
        .host_vars = host_vars,
        .foreign_make = foreign_make,
        .foreign_dump = foreign_dump,
        .tamper = tamper,
        .fail_at = fail_at,
    };
    return &subject;
}
