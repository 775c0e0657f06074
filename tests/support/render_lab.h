/* render_lab.h - intent that becomes a device's resources, for tests.
 *
 *     struct tn_lab l;
 *     tn_lab_init(&l, "all:\n  hosts:\n ...");
 *     tn_lab_add(&l, "tenants/acme/net.yml", ...);
 *     tn_lab_compile(&l);
 *     const struct tn_state *s = tn_lab_render(&l, &driver, device);
 *     tn_lab_expect(s, "acme/web/router", "name=lab/acme/web");
 *
 * The repository has the tenants 'acme' and 'beta' and is the instance "lab".
 * Failures end the test. */
#ifndef TN_TESTS_SUPPORT_RENDER_LAB_H
#define TN_TESTS_SUPPORT_RENDER_LAB_H

#include "drivers/driver.h"
#include "model/base/text.h"
#include "model/compile/compile.h"

struct tn_lab {
    struct tn_source *source;
    struct tn_arena *arena;
    const struct tn_network *network;
    struct tn_text findings; /* Of the last render: "line tenant: message". */
};

/* 'hosts' is the inventory. */
void tn_lab_init(struct tn_lab *l, const char *hosts);
void tn_lab_done(struct tn_lab *l);
/* Adds or replaces a file. */
void tn_lab_add(struct tn_lab *l, const char *path, const char *text);
/* No finding is tolerated. */
void tn_lab_compile(struct tn_lab *l);
const struct tn_device *tn_lab_device(const struct tn_lab *l, const char *name);
/* Cut down to one VPC and those of its peers that the device has. */
const struct tn_device *
tn_lab_cut(struct tn_lab *l, const struct tn_device *whole, const char *scope);
const struct tn_state *tn_lab_render(struct tn_lab *l,
                                     const struct tn_driver *driver,
                                     const struct tn_device *device);
/* 'attrs' are all attributes of the resource, "name=value" a line; null: there
 * is no such resource. */
void tn_lab_expect(const struct tn_state *state, const char *key,
                   const char *attrs);
/* An attribute of a resource that must be there; "" if it is absent. */
const char *tn_lab_attr(const struct tn_state *state, const char *key,
                        const char *attr);
/* How many resources are of this kind. */
size_t tn_lab_count(const struct tn_state *state, const char *kind);

#endif
