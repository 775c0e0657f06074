/* render_lab.c - see render_lab.h. */
#include "tests/support/render_lab.h"

#include <string.h>

#include <criterion/criterion.h>

#include "tests/support/memory_source.h"

#define V "apiVersion: tenet/v1\n"

void
tn_lab_init(struct tn_lab *l, const char *hosts)
{
    *l = (struct tn_lab){.source = tn_memory_source_new(),
                         .arena = tn_arena_new()};
    tn_lab_add(l, "tenet.yml",
               V "kind: Settings\nmetadata: {name: lab}\nspec: {}\n");
    tn_lab_add(l, "inventories/lab/hosts.yml", hosts);
    tn_lab_add(l, "tenants/acme/tenant.yml",
               V "kind: Tenant\nmetadata: {name: acme}\nspec: {}\n");
    tn_lab_add(l, "tenants/beta/tenant.yml",
               V "kind: Tenant\nmetadata: {name: beta}\nspec: {}\n");
}

void
tn_lab_done(struct tn_lab *l)
{
    l->source->ops->free(l->source);
    tn_arena_free(l->arena);
    tn_text_done(&l->findings);
}

void
tn_lab_add(struct tn_lab *l, const char *path, const char *text)
{
    tn_memory_source_add(l->source, path, text);
}

void
tn_lab_compile(struct tn_lab *l)
{
    struct tn_compile_options options = {.threads = 1};
    struct tn_error err = {0};
    struct tn_diags diags;
    char why[TN_ERROR_TEXT];
    tn_diags_init(&diags, l->arena);
    enum tn_code code = tn_compile(l->source, &options, l->arena, &l->network,
                                   NULL, &diags, &err);
    cr_assert_eq(diags.n_errors, 0, "%s:%u: %s", diags.list.items[0].at.path,
                 diags.list.items[0].at.line, diags.list.items[0].message);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, why, sizeof why));
}

const struct tn_device *
tn_lab_device(const struct tn_lab *l, const char *name)
{
    for (size_t i = 0; i < l->network->n_devices; i++) {
        if (strcmp(l->network->devices[i].name, name) == 0) {
            return &l->network->devices[i];
        }
    }
    cr_assert_fail("%s is no device", name);
    return NULL;
}

static bool
stays(const struct tn_net_vpc *vpc, const char *scope)
{
    bool yes = strcmp(vpc->scope, scope) == 0;
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        yes = yes || strcmp(vpc->peerings[i].peer->scope, scope) == 0;
    }
    return yes;
}

const struct tn_device *
tn_lab_cut(struct tn_lab *l, const struct tn_device *whole, const char *scope)
{
    struct tn_device *cut = tn_new(l->arena, struct tn_device);
    const struct tn_net_vpc **vpcs =
        tn_new_n(l->arena, const struct tn_net_vpc *, whole->n_vpcs + 1);
    *cut = *whole;
    cut->vpcs = vpcs;
    cut->n_vpcs = 0;
    cut->whole = whole;
    for (size_t i = 0; i < whole->n_vpcs; i++) {
        if (stays(whole->vpcs[i], scope)) {
            vpcs[cut->n_vpcs++] = whole->vpcs[i];
        }
    }
    return cut;
}

const struct tn_state *
tn_lab_render(struct tn_lab *l, const struct tn_driver *driver,
              const struct tn_device *device)
{
    struct tn_error err = {0};
    struct tn_diags diags;
    const struct tn_state *state = NULL;
    char why[TN_ERROR_TEXT];
    tn_diags_init(&diags, l->arena);
    cr_assert_eq(driver->render(device, l->arena, &state, &diags, &err), TN_OK,
                 "%s", tn_error_text(&err, why, sizeof why));
    tn_text_clear(&l->findings);
    for (size_t i = 0; i < diags.list.n; i++) {
        const struct tn_diag *d = &diags.list.items[i];
        tn_text_addf(&l->findings, "%u %s: %s\n", d->at.line,
                     d->tenant ? d->tenant : "-", d->message);
    }
    cr_expect_str_eq(state->device, device->name);
    return state;
}

void
tn_lab_expect(const struct tn_state *state, const char *key, const char *attrs)
{
    struct tn_text t = {0};
    const struct tn_resource *r = tn_state_get(state, key);
    if (!attrs) {
        cr_expect_null(r, "%s should not be there", key);
        return;
    }
    cr_assert_not_null(r, "%s is not there", key);
    for (size_t i = 0; i < r->n_attrs; i++) {
        tn_text_addf(&t, "%s=%s\n", r->attrs[i].name, r->attrs[i].value);
    }
    cr_expect_str_eq(tn_text_str(&t), attrs, "%s:\n%s", key, tn_text_str(&t));
    tn_text_done(&t);
}

const char *
tn_lab_attr(const struct tn_state *state, const char *key, const char *attr)
{
    const struct tn_resource *r = tn_state_get(state, key);
    cr_assert_not_null(r, "%s is not there", key);
    const char *value = tn_resource_attr(r, attr);
    return value ? value : "";
}

size_t
tn_lab_count(const struct tn_state *state, const char *kind)
{
    size_t n = 0;
    for (size_t i = 0; i < state->n; i++) {
        n += strcmp(state->items[i].kind, kind) == 0;
    }
    return n;
}
