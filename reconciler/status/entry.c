/* entry.c - the forms of the status files, printing them, and laying an update
 * over what was there.
 *
 * Reading them is entry_parse.c.  All text is double-quoted, with JSON's
 * escapes, which YAML shares: no reader takes 'no' or '1e3' for anything
 * else. */
#include "reconciler/status/entry.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reconciler/source/name.h"

enum { MESSAGE_MAX = 2000, WORD_MAX = 256 };

#define MEMBER(type, field, key)                                               \
    {                                                                          \
        key, offsetof(struct type, field)                                      \
    }

const struct tn_entry_form tn_entry_forms[TN_N_STATUS_KINDS] = {
    [TN_STATUS_DEVICE] =
        {
            .kind = "DeviceStatus",
            .dir = "devices",
            .list = "devices",
            .size = sizeof(struct tn_status_device),
            .head = offsetof(struct tn_status_device, head),
            .names = {MEMBER(tn_status_device, name, "name")},
            .texts = {MEMBER(tn_status_device, environment, "environment"),
                      MEMBER(tn_status_device, driver, "driver")},
            .counts = {MEMBER(tn_status_device, n_vpcs, "vpcs"),
                       MEMBER(tn_status_device, n_resources, "resources"),
                       MEMBER(tn_status_device, n_foreign, "foreign")},
        },
    [TN_STATUS_TENANT] =
        {
            .kind = "TenantStatus",
            .dir = "tenants",
            .list = "tenants",
            .size = sizeof(struct tn_status_tenant),
            .head = offsetof(struct tn_status_tenant, head),
            .names = {MEMBER(tn_status_tenant, name, "name")},
            .counts = {MEMBER(tn_status_tenant, n_vpcs, "vpcs"),
                       MEMBER(tn_status_tenant, n_subnets, "subnets"),
                       MEMBER(tn_status_tenant, n_ports, "ports")},
        },
    [TN_STATUS_VPC] =
        {
            .kind = "VpcStatus",
            .dir = "vpcs",
            .list = "vpcs",
            .size = sizeof(struct tn_status_vpc),
            .head = offsetof(struct tn_status_vpc, head),
            .names = {MEMBER(tn_status_vpc, tenant, "tenant"),
                      MEMBER(tn_status_vpc, name, "name")},
            .counts = {MEMBER(tn_status_vpc, n_subnets, "subnets"),
                       MEMBER(tn_status_vpc, n_ports, "ports")},
            .has_devices = true,
        },
};

static void
set_text(void *entry, size_t offset, const char *value)
{
    *(const char **) (void *) ((char *) entry + offset) = value;
}

static void
set_count(void *entry, size_t offset, uint64_t value)
{
    *(uint64_t *) (void *) ((char *) entry + offset) = value;
}

static bool
is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static void
add_component(struct tn_text *out, const char *name)
{
    for (const char *p = name; *p; p++) {
        if (is_plain(*p) && !(p == name && *p == '.')) {
            tn_text_addc(out, *p);
        } else {
            tn_text_addf(out, "%%%02X", (unsigned) (unsigned char) *p);
        }
    }
}

const char *
tn_entry_component(struct tn_arena *arena, const char *name)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    add_component(&t, name);
    return tn_arena_strdup(arena, tn_text_str(&t));
}

const char *
tn_entry_file(struct tn_arena *arena, const char *name)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    add_component(&t, name);
    tn_text_add(&t, ".yml");
    return tn_arena_strdup(arena, tn_text_str(&t));
}

const char *
tn_entry_path(struct tn_arena *arena, const struct tn_entry_form *form,
              const void *entry)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_add(&t, form->dir);
    for (const struct tn_entry_member *m = form->names; m->name; m++) {
        tn_text_addc(&t, '/');
        add_component(&t, tn_entry_text(entry, m->offset));
    }
    tn_text_add(&t, ".yml");
    return tn_arena_strdup(arena, tn_text_str(&t));
}

static void
add_member(struct tn_text *out, const char *indent, const char *name,
           const char *value)
{
    if (value && value[0]) {
        tn_text_addf(out, "%s%s: \"", indent, name);
        tn_text_add_escaped(out, value);
        tn_text_add(out, "\"\n");
    }
}

static void
print_conditions(struct tn_text *out, const struct tn_status_head *head)
{
    tn_text_add(out, "  conditions:\n");
    for (unsigned i = 0; i < TN_N_CONDITIONS; i++) {
        const struct tn_condition *c = &head->conditions[i];
        char since[TN_TIME_TEXT];
        tn_text_addf(out, "    - type: \"%s\"\n", tn_condition_name(i));
        add_member(out, "      ", "status",
                   tn_condition_status_name(c->status));
        add_member(out, "      ", "reason", c->reason);
        add_member(out, "      ", "message", c->message);
        add_member(out, "      ", "since", tn_time_format(c->since, since));
    }
}

void
tn_entry_print(struct tn_text *out, const struct tn_entry_form *form,
               const void *entry)
{
    const struct tn_status_head *head = tn_entry_head(form, entry);
    char applied[TN_TIME_TEXT];
    tn_text_add(out, "# Written by tenet; changes made here are lost.\n"
                     "apiVersion: \"tenet/v1\"\n");
    add_member(out, "", "kind", form->kind);
    tn_text_add(out, "metadata:\n");
    for (const struct tn_entry_member *m = form->names; m->name; m++) {
        add_member(out, "  ", m->name, tn_entry_text(entry, m->offset));
    }
    tn_text_add(out, "status:\n");
    for (const struct tn_entry_member *m = form->texts; m->name; m++) {
        add_member(out, "  ", m->name, tn_entry_text(entry, m->offset));
    }
    add_member(out, "  ", "commit", head->commit);
    add_member(out, "  ", "applied", tn_time_format(head->applied, applied));
    print_conditions(out, head);
    tn_text_add(out, "  counts:\n");
    for (const struct tn_entry_member *m = form->counts; m->name; m++) {
        tn_text_addf(out, "    %s: %llu\n", m->name,
                     (unsigned long long) tn_entry_count(entry, m->offset));
    }
    if (form->has_devices) {
        const struct tn_status_vpc *vpc = entry;
        tn_text_add(out, vpc->n_devices ? "  devices:\n" : "  devices: []\n");
        for (size_t i = 0; i < vpc->n_devices; i++) {
            tn_text_add(out, "    - \"");
            tn_text_add_escaped(out, vpc->devices[i]);
            tn_text_add(out, "\"\n");
        }
    }
}

/* One line, valid UTF-8, nothing invisible, at most 'max' bytes; null if there
 * is nothing left. */
static const char *
one_line(struct tn_arena *arena, const char *s, size_t max)
{
    if (!s || !s[0]) {
        return NULL;
    }
    char buf[MESSAGE_MAX + 1];
    char *copy = tn_arena_strdup(arena, s);
    for (char *p = copy; *p; p++) {
        if (*p == '\n' || *p == '\r' || *p == '\t') {
            *p = ' ';
        }
    }
    size_t size = max < MESSAGE_MAX ? max + 1 : sizeof buf;
    return tn_arena_strdup(arena, tn_clean(buf, size, copy, strlen(copy)));
}

static void
clean_head(struct tn_arena *arena, struct tn_status_head *head)
{
    head->commit = one_line(arena, head->commit, WORD_MAX);
    for (size_t i = 0; i < TN_N_CONDITIONS; i++) {
        struct tn_condition *c = &head->conditions[i];
        c->reason = one_line(arena, c->reason, WORD_MAX);
        c->message = one_line(arena, c->message, MESSAGE_MAX);
    }
}

/* Takes over what 'keep' says, and decides all times. */
static void
settle(const struct tn_entry_form *form, const void *former, int64_t now,
       void *out)
{
    struct tn_status_head *head = (void *) ((char *) out + form->head);
    const struct tn_status_head *old =
        former ? tn_entry_head(form, former) : NULL;
    if (head->keep && old) {
        head->commit = old->commit;
        for (const struct tn_entry_member *m = form->counts; m->name; m++) {
            set_count(out, m->offset, tn_entry_count(former, m->offset));
        }
        if (form->has_devices) {
            struct tn_status_vpc *vpc = out;
            const struct tn_status_vpc *was = former;
            vpc->devices = was->devices;
            vpc->n_devices = was->n_devices;
        }
    } else if (head->keep) {
        head->commit = NULL;
    }
    bool same = old && tn_streq(old->commit, head->commit);
    head->applied = same ? old->applied : head->commit ? now : 0;
    for (size_t i = 0; i < TN_N_CONDITIONS; i++) {
        struct tn_condition *c = &head->conditions[i];
        const struct tn_condition *was = old ? &old->conditions[i] : NULL;
        same =
            was && was->status == c->status && tn_streq(was->reason, c->reason);
        c->since = same && was->since ? was->since : now;
    }
}

static bool
heads_equal(const struct tn_status_head *a, const struct tn_status_head *b)
{
    for (size_t i = 0; i < TN_N_CONDITIONS; i++) {
        const struct tn_condition *x = &a->conditions[i];
        const struct tn_condition *y = &b->conditions[i];
        if (x->status != y->status || !tn_streq(x->reason, y->reason) ||
            !tn_streq(x->message, y->message)) {
            return false;
        }
    }
    return tn_streq(a->commit, b->commit);
}

static bool
same_meaning(const struct tn_entry_form *form, const void *a, const void *b)
{
    for (const struct tn_entry_member *m = form->texts; m->name; m++) {
        if (!tn_streq(tn_entry_text(a, m->offset),
                      tn_entry_text(b, m->offset))) {
            return false;
        }
    }
    for (const struct tn_entry_member *m = form->counts; m->name; m++) {
        if (tn_entry_count(a, m->offset) != tn_entry_count(b, m->offset)) {
            return false;
        }
    }
    if (form->has_devices) {
        const struct tn_status_vpc *x = a, *y = b;
        if (x->n_devices != y->n_devices) {
            return false;
        }
        for (size_t i = 0; i < x->n_devices; i++) {
            if (strcmp(x->devices[i], y->devices[i]) != 0) {
                return false;
            }
        }
    }
    return heads_equal(tn_entry_head(form, a), tn_entry_head(form, b));
}

bool
tn_entry_merge(struct tn_arena *arena, const struct tn_entry_form *form,
               const void *former, const void *update, int64_t now, void *out)
{
    memcpy(out, update, form->size);
    for (const struct tn_entry_member *m = form->texts; m->name; m++) {
        set_text(out, m->offset,
                 one_line(arena, tn_entry_text(out, m->offset), WORD_MAX));
    }
    clean_head(arena, (void *) ((char *) out + form->head));
    settle(form, former, now, out);
    return !former || !same_meaning(form, former, out);
}
