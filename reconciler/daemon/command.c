/* command.c - what 'tenet ctl' may ask of the daemon. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/base/time.h"
#include "reconciler/daemon/loop.h"

enum { RULES_MAX = 1000, RULES_BYTES = 1 << 20 };

static const char *
text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static json_t *
text_or_null(const char *s)
{
    return s ? json_string(s) : json_null();
}

/* ---- status ---- */

static json_t *
slot_json(const struct tn_loop *l, const struct tn_slot *s)
{
    const struct tn_unit_report *r = s->report;
    json_t *o = json_object();
    json_object_set_new(o, "device", json_string(s->name));
    json_object_set_new(o, "outcome",
                        json_string(r ? tn_unit_outcome_name(r->outcome)
                                      : "not looked at yet"));
    if (r) {
        bool current = r->intent == l->intent;
        json_object_set_new(o, "mode", json_string(tn_mode_name(r->mode)));
        json_object_set_new(o, "settled", json_boolean(current && r->settled));
        json_object_set_new(o, "why", text_or_null(r->device.why));
        json_object_set_new(o, "drift", text_or_null(r->device.drift));
        json_object_set_new(
            o, "age_seconds",
            json_real((double) (tn_now_ns() - r->end_ns) / 1e9));
    }
    return o;
}

static json_t *
broken_json(const struct tn_reconcile *run)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    json_t *all = json_array();
    for (size_t i = 0; run && i < run->n_kept; i++) {
        const struct tn_kept *k = &run->kept[i];
        json_t *o = json_object();
        json_object_set_new(o, "tenant", json_string(k->tenant));
        json_object_set_new(o, "since", json_string(k->since));
        json_object_set_new(o, "good", text_or_null(k->good));
        json_object_set_new(o, "healed", json_boolean(k->in_force));
        json_object_set_new(o, "text", json_string(tn_kept_text(k, arena)));
        json_array_append_new(all, o);
    }
    return all;
}

static json_t *
status_answer(struct tn_loop *l)
{
    json_t *o = json_object(), *devices = json_array();
    json_object_set_new(o, "ok", json_true());
    json_object_set_new(
        o, "commit",
        text_or_null(l->intent ? l->intent->run->commit.id : NULL));
    json_object_set_new(
        o, "subject",
        text_or_null(l->intent ? l->intent->run->commit.subject : NULL));
    json_object_set_new(o, "tip", json_string(l->tip));
    json_object_set_new(o, "refused", text_or_null(l->refused));
    json_object_set_new(o, "git_error", text_or_null(l->stale));
    json_object_set_new(o, "probation",
                        text_or_null(tn_probation_state(l->probation)));
    for (const struct tn_slot *s = l->slots; s; s = s->next) {
        json_array_append_new(devices, slot_json(l, s));
    }
    json_object_set_new(o, "broken_tenants",
                        broken_json(l->intent ? l->intent->run : NULL));
    json_object_set_new(o, "devices", devices);
    return o;
}

static json_t *
failure(const char *why)
{
    return json_pack("{s:b, s:s}", "ok", 0, "error", why);
}

static json_t *
success(void)
{
    return json_pack("{s:b}", "ok", 1);
}

/* ---- modes ---- */

static json_t *
rule_json(const struct tn_mode_rule *r)
{
    char until[TN_TIME_TEXT];
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "target",
                     tn_mode_target_name(r->target), "name", r->name, "mode",
                     tn_mode_name(r->mode), "reason", r->reason, "until",
                     tn_time_format(r->until, until));
}

static json_t *
rules_json(const struct tn_loop *l)
{
    json_t *rules = json_array();
    for (size_t i = 0; i < l->rules.n; i++) {
        json_array_append_new(rules, rule_json(&l->rules.items[i]));
    }
    return rules;
}

static bool
rule_read(const json_t *o, struct tn_mode_rule *out)
{
    const char *target = text_of(o, "target"), *name = text_of(o, "name");
    const char *mode = text_of(o, "mode"), *reason = text_of(o, "reason");
    const char *until = text_of(o, "until");
    *out =
        (struct tn_mode_rule){.name = name, .reason = reason, .command = true};
    if (!target || !name || !name[0] || !mode ||
        !tn_mode_parse(mode, &out->mode)) {
        return false;
    }
    for (int t = TN_TARGET_DEVICE; t <= TN_TARGET_VPC; t++) {
        if (strcmp(target, tn_mode_target_name((enum tn_mode_target) t)) == 0) {
            out->target = (enum tn_mode_target) t;
            return !until || !until[0] || tn_time_parse(until, &out->until);
        }
    }
    return false;
}

/* Replaces the rules by copies in a new arena; 'but' is left out. */
static void
rules_set(struct tn_loop *l, const struct tn_mode_rule *but,
          const struct tn_mode_rule *add)
{
    struct tn_arena *arena = tn_arena_new();
    TN_VEC(struct tn_mode_rule) all = {0};
    int64_t now = (int64_t) time(NULL);
    for (size_t i = 0; i <= l->rules.n; i++) {
        const struct tn_mode_rule *r =
            i < l->rules.n ? &l->rules.items[i] : add;
        bool same = r && r != add && but && r->target == but->target &&
                    strcmp(r->name, but->name) == 0;
        if (!r || same || (r->until && r->until <= now)) {
            continue;
        }
        struct tn_mode_rule *copy = tn_vec_push(arena, &all);
        *copy = *r;
        copy->name = tn_arena_strdup(arena, r->name);
        copy->reason = tn_arena_strdup(arena, r->reason ? r->reason : "");
    }
    tn_arena_free(l->rules_arena);
    l->rules_arena = arena;
    l->rules.items = all.items;
    l->rules.n = all.n;
    l->rules.cap = all.cap;
}

static void
rules_path(const struct tn_loop *l, struct tn_text *out)
{
    tn_text_addf(out, "%s/daemon/modes.json", l->options->state_dir);
}

static enum tn_code
rules_save(const struct tn_loop *l, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    json_t *rules = rules_json(l);
    char *dump = json_dumps(rules, JSON_INDENT(2));
    json_decref(rules);
    tn_text_addf(&text, "%s\n", dump ? dump : "[]");
    free(dump);
    rules_path(l, &path);
    return tn_file_replace(tn_text_str(&path), &text, 0600, err);
}

void
tn_command_rules_load(struct tn_loop *l)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    json_error_t why;
    rules_path(l, &path);
    if (access(tn_text_str(&path), F_OK) != 0) {
        return;
    }
    json_t *rules =
        json_load_file(tn_text_str(&path), JSON_REJECT_DUPLICATES, &why);
    size_t n = json_array_size(rules);
    if (!rules || n > RULES_MAX) {
        tn_log(l->log, TN_LOG_ERROR, NULL,
               "%s cannot be read (%s): modes set by command are lost",
               tn_text_str(&path), rules ? "too many" : why.text);
    }
    for (size_t i = 0; i < n && n <= RULES_MAX; i++) {
        struct tn_mode_rule r;
        if (rule_read(json_array_get(rules, i), &r)) {
            rules_set(l, &r, &r);
        }
    }
    json_decref(rules);
}

static json_t *
mode_set(struct tn_loop *l, const json_t *request, bool clear)
{
    struct tn_mode_rule rule;
    struct tn_error err = {0};
    if (!rule_read(request, &rule)) {
        return failure("say target (device, tenant, vpc), name and mode");
    }
    if (l->rules.n >= RULES_MAX && !clear) {
        return failure("there are too many rules");
    }
    if (!clear && rule.target == TN_TARGET_DEVICE && l->intent &&
        !tn_network_device(l->intent->run->network, rule.name)) {
        return failure("there is no such device");
    }
    size_t before = l->rules.n;
    rules_set(l, &rule, clear ? NULL : &rule);
    if (clear && before == l->rules.n) {
        return failure("there is no such rule by command");
    }
    if (rules_save(l, &err)) {
        char text[TN_ERROR_TEXT];
        return failure(tn_error_text(&err, text, sizeof text));
    }
    tn_log(l->log, TN_LOG_INFO, NULL, "by command: %s %s %s %s%s%s",
           tn_mode_target_name(rule.target), rule.name,
           clear ? "is as Git says" : "is to",
           clear ? "" : tn_mode_name(rule.mode),
           rule.reason && rule.reason[0] ? ": " : "",
           rule.reason ? rule.reason : "");
    tn_fleet_modes(l);
    return success();
}

/* ---- the others ---- */

static json_t *
audit(struct tn_loop *l, const char *device)
{
    bool any = false;
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        if (!device || strcmp(device, s->name) == 0) {
            tn_unit_audit(s->unit);
            any = true;
        }
    }
    return any ? success() : failure("there is no such device");
}

static json_t *
acknowledge(struct tn_loop *l, const char *commit)
{
    if (!commit || strlen(commit) < 7 ||
        strncmp(l->tip, commit, strlen(commit)) != 0) {
        return failure("name the commit that the branch stands at");
    }
    tn_log(l->log, TN_LOG_WARNING, NULL, "by command: %s is acknowledged",
           l->tip);
    tn_upstream_acknowledge(l->upstream, l->tip);
    return success();
}

static json_t *
answer_make(struct tn_loop *l, const json_t *request)
{
    const char *command = text_of(request, "command");
    if (!command) {
        return failure("a request is an object with 'command'");
    }
    if (strcmp(command, "status") == 0) {
        return status_answer(l);
    }
    if (strcmp(command, "sync") == 0) {
        tn_upstream_wake(l->upstream);
        return success();
    }
    if (strcmp(command, "audit") == 0) {
        return audit(l, text_of(request, "device"));
    }
    if (strcmp(command, "mode") == 0) {
        return mode_set(l, request, false);
    }
    if (strcmp(command, "clear") == 0) {
        return mode_set(l, request, true);
    }
    if (strcmp(command, "modes") == 0) {
        return json_pack("{s:b, s:o}", "ok", 1, "modes", rules_json(l));
    }
    if (strcmp(command, "acknowledge") == 0) {
        return acknowledge(l, text_of(request, "commit"));
    }
    return failure("there is no such command");
}

void
tn_command_answer(void *ctx, const char *request, struct tn_text *answer)
{
    json_error_t why;
    json_t *in = json_loads(request, JSON_REJECT_DUPLICATES, &why);
    json_t *out = json_is_object(in) ? answer_make(ctx, in)
                                     : failure("this is no JSON object");
    char *dump = json_dumps(out, JSON_COMPACT);
    tn_text_add(answer, dump ? dump : "{\"ok\":false}");
    free(dump);
    json_decref(out);
    json_decref(in);
}
