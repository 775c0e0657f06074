/* mode.c - see mode.h: a list that is searched from one end to the other, for
 * there are few rules and they are asked for few scopes. */
#include "reconciler/daemon/mode.h"

#include <stdatomic.h>
#include <string.h>

#include "model/base/time.h"

struct tn_modes {
    atomic_uint refs;
    struct tn_arena *arena;
    struct tn_mode_rule *rules;
    size_t n;
    bool first_heal;
};

static const char *const mode_names[] = {
    [TN_MODE_OBSERVE] = "observe",
    [TN_MODE_HEAL] = "heal",
    [TN_MODE_HOLD] = "hold",
};

struct tn_modes *
tn_modes_new(const struct tn_mode_rule *rules, size_t n, bool first_heal)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_modes *m = tn_new(arena, struct tn_modes);
    m->arena = arena;
    m->rules = tn_new_n(arena, struct tn_mode_rule, n);
    m->n = n;
    m->first_heal = first_heal;
    atomic_init(&m->refs, 1);
    for (size_t i = 0; i < n; i++) {
        m->rules[i] = rules[i];
        m->rules[i].name = tn_arena_strdup(arena, rules[i].name);
        m->rules[i].reason =
            tn_arena_strdup(arena, rules[i].reason ? rules[i].reason : "");
    }
    return m;
}

struct tn_modes *
tn_modes_ref(struct tn_modes *modes)
{
    atomic_fetch_add(&modes->refs, 1);
    return modes;
}

void
tn_modes_unref(struct tn_modes *modes)
{
    if (modes && atomic_fetch_sub(&modes->refs, 1) == 1) {
        tn_arena_free(modes->arena);
    }
}

static bool
rule_same(const struct tn_mode_rule *a, const struct tn_mode_rule *b)
{
    return a->target == b->target && a->mode == b->mode &&
           a->until == b->until && a->command == b->command &&
           strcmp(a->name, b->name) == 0 && strcmp(a->reason, b->reason) == 0;
}

bool
tn_modes_same(const struct tn_modes *a, const struct tn_modes *b)
{
    bool same = a && b && a->n == b->n && a->first_heal == b->first_heal;
    for (size_t i = 0; same && i < a->n; i++) {
        same = rule_same(&a->rules[i], &b->rules[i]);
    }
    return same;
}

static bool
rule_matches(const struct tn_mode_rule *r, const char *device,
             const char *scope)
{
    size_t n = strlen(r->name);
    switch (r->target) {
    case TN_TARGET_DEVICE:
        return strcmp(r->name, device) == 0;
    case TN_TARGET_TENANT:
        return strncmp(r->name, scope, n) == 0 && scope[n] == '/';
    case TN_TARGET_VPC:
        return strcmp(r->name, scope) == 0;
    }
    return false;
}

static int
strictness(enum tn_mode mode)
{
    switch (mode) {
    case TN_MODE_HEAL:
        return 0;
    case TN_MODE_OBSERVE:
        return 1;
    case TN_MODE_HOLD:
        return 2;
    }
    return 2;
}

enum tn_mode
tn_modes_get(const struct tn_modes *modes, const char *device,
             const char *scope, bool known, int64_t now,
             const struct tn_mode_rule **why)
{
    const struct tn_mode_rule *best = NULL;
    for (size_t i = 0; i < modes->n; i++) {
        const struct tn_mode_rule *r = &modes->rules[i];
        if ((r->until && r->until <= now) || !rule_matches(r, device, scope)) {
            continue;
        }
        if (!best || strictness(r->mode) > strictness(best->mode)) {
            best = r;
        }
    }
    if (why) {
        *why = best;
    }
    if (best) {
        return best->mode;
    }
    return known || modes->first_heal ? TN_MODE_HEAL : TN_MODE_OBSERVE;
}

int64_t
tn_modes_next(const struct tn_modes *modes, int64_t now)
{
    int64_t next = 0;
    for (size_t i = 0; i < modes->n; i++) {
        int64_t until = modes->rules[i].until;
        if (until > now && (next == 0 || until < next)) {
            next = until;
        }
    }
    return next;
}

const struct tn_mode_rule *
tn_modes_of_settings(const struct tn_settings *settings, struct tn_arena *arena,
                     size_t *n)
{
    struct tn_mode_rule *rules =
        tn_new_n(arena, struct tn_mode_rule, settings->modes.n);
    for (size_t i = 0; i < settings->modes.n; i++) {
        const struct tn_mode_entry *e = &settings->modes.items[i];
        struct tn_mode_rule *r = &rules[i];
        r->mode = (enum tn_mode) e->mode.v;
        r->reason = e->reason.v;
        r->target = e->device.v   ? TN_TARGET_DEVICE
                    : e->tenant.v ? TN_TARGET_TENANT
                                  : TN_TARGET_VPC;
        r->name =
            e->device.v ? e->device.v : (e->tenant.v ? e->tenant.v : e->vpc.v);
        if (e->until.v && !tn_time_parse(e->until.v, &r->until)) {
            r->until = 0;
        }
    }
    *n = settings->modes.n;
    return rules;
}

const char *
tn_mode_name(enum tn_mode mode)
{
    return mode_names[mode];
}

bool
tn_mode_parse(const char *name, enum tn_mode *out)
{
    for (unsigned i = 0; i < TN_ARRAY_SIZE(mode_names); i++) {
        if (strcmp(name, mode_names[i]) == 0) {
            *out = (enum tn_mode) i;
            return true;
        }
    }
    return false;
}

const char *
tn_mode_target_name(enum tn_mode_target target)
{
    static const char *const names[] = {"device", "tenant", "vpc"};
    return names[target];
}
