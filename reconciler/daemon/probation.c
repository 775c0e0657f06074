/* probation.c - see probation.h.
 *
 * What has to be proved is a list of names.  It grows when a commit comes while
 * another is still on probation: the former is never judged, but what it may
 * have broken has to work again under its successor.
 *
 * After a verdict "failed" the file stays as it is until the next commit: the
 * quarantine is written by another thread, and a crash before that must lead to
 * the same verdict again. */
#include "reconciler/daemon/probation.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "model/base/text.h"
#include "reconciler/daemon/probe_rounds.h"

enum {
    BEFORE_MS = 5000,  /* So long a commit waits for the probes before it. */
    SILENT_MS = 60000, /* So long a device may say nothing. */
    PROBES_MAX = 1000,
};

enum phase {
    PHASE_NONE,   /* Nothing is on probation. */
    PHASE_BEFORE, /* The probes are asked; 'intent' is not followed yet. */
    PHASE_APPLYING,
    PHASE_AFTER, /* All settled: the probes are asked again. */
};

struct tn_probation {
    struct tn_probation_options options;
    char *path;
    struct tn_probe_rounds *rounds;
    enum phase phase;
    uint64_t serial;
    char commit[65];          /* On probation. */
    char proven[65];          /* The last one that is not, any more. */
    struct tn_intent *intent; /* Of 'commit'; null: not seen since the start. */
    struct tn_intent *former; /* What was followed before; null: not known. */
    struct tn_arena *arena;   /* Of the names. */
    TN_VEC(const char *) required;
    bool filed;          /* There is a file. */
    int64_t deadline_ms; /* PHASE_BEFORE: not longer. */
    int64_t heard_ms;    /* PHASE_APPLYING: the last word of a device. */
};

/* ---- the file ---- */

static void
commit_set(char out[65], const char *id)
{
    size_t n = id ? strlen(id) : 0;
    memcpy(out, id ? id : "", n < 65 ? n : 0);
    out[n < 65 ? n : 0] = '\0';
}

static void
required_add(struct tn_probation *p, const char *name)
{
    for (size_t i = 0; i < p->required.n; i++) {
        if (strcmp(p->required.items[i], name) == 0) {
            return;
        }
    }
    *tn_vec_push(p->arena, &p->required) = tn_arena_strdup(p->arena, name);
}

static void
file_load(struct tn_probation *p)
{
    json_error_t why;
    if (access(p->path, F_OK) != 0) {
        return;
    }
    p->filed = true;
    json_t *o = json_load_file(p->path, JSON_REJECT_DUPLICATES, &why);
    const json_t *names = json_object_get(o, "required");
    size_t n = json_array_size(names);
    commit_set(p->proven, json_string_value(json_object_get(o, "proven")));
    commit_set(p->commit, json_string_value(json_object_get(o, "commit")));
    for (size_t i = 0; i < n && i < PROBES_MAX; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name) {
            required_add(p, name);
        }
    }
    if (!json_is_object(o)) {
        tn_log(p->options.log, TN_LOG_WARNING, NULL,
               "%s cannot be read: what was on probation is not judged",
               p->path);
    }
    p->phase = p->commit[0] ? PHASE_APPLYING : PHASE_NONE;
    json_decref(o);
}

static void
file_save(struct tn_probation *p)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    struct tn_error err = {0};
    json_t *names = json_array();
    for (size_t i = 0; i < p->required.n; i++) {
        json_array_append_new(names, json_string(p->required.items[i]));
    }
    json_t *o =
        json_pack("{s:s, s:s, s:o}", "proven", p->proven, "commit",
                  p->phase == PHASE_NONE ? "" : p->commit, "required", names);
    TN_CLEANUP(tn_cleanup_free) char *dump = json_dumps(o, JSON_INDENT(2));
    json_decref(o);
    tn_text_addf(&text, "%s\n", dump ? dump : "{}");
    if (tn_file_replace(p->path, &text, 0600, &err)) {
        char said[TN_ERROR_TEXT];
        tn_log(p->options.log, TN_LOG_WARNING, NULL, "%s",
               tn_error_text(&err, said, sizeof said));
    }
    p->filed = true;
}

/* ---- from phase to phase ---- */

static const char *
id_of(const struct tn_intent *intent)
{
    return intent->run->commit.id;
}

static void
intent_set(struct tn_intent **where, struct tn_intent *intent)
{
    struct tn_intent *old = *where;
    *where = intent ? tn_intent_ref(intent) : NULL;
    tn_intent_unref(old);
}

static void
required_forget(struct tn_probation *p)
{
    tn_arena_reset(p->arena);
    p->required.items = NULL;
    p->required.n = p->required.cap = 0;
}

/* Nothing is on probation: 'commit' is what is held. */
static void
end(struct tn_probation *p, const char *commit)
{
    bool changed =
        p->phase != PHASE_NONE || (p->filed && strcmp(p->proven, commit) != 0);
    p->phase = PHASE_NONE;
    p->serial++;
    commit_set(p->proven, commit);
    intent_set(&p->intent, NULL);
    intent_set(&p->former, NULL);
    required_forget(p);
    if (changed) {
        file_save(p);
    }
}

static void
ask(struct tn_probation *p, struct tn_intent *where, unsigned window_ms)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_probe_round *round = tn_new(arena, struct tn_probe_round);
    const char **names = tn_new_n(arena, const char *, p->required.n);
    for (size_t i = 0; i < p->required.n; i++) {
        names[i] = tn_arena_strdup(arena, p->required.items[i]);
    }
    *round = (struct tn_probe_round){
        .arena = arena,
        .serial = ++p->serial,
        .intent = tn_intent_ref(p->intent),
        .where = tn_intent_ref(where),
        .window_ms = window_ms,
        .required = names,
        .n_required = p->required.n,
    };
    tn_probe_rounds_ask(p->rounds, round);
}

bool
tn_probation_begin(struct tn_probation *p, struct tn_intent *intent,
                   struct tn_intent *current, bool back)
{
    const struct tn_settings *settings = intent->run->network->settings;
    const char *id = id_of(intent);
    if (back || settings->probes.n == 0 || strcmp(p->proven, id) == 0) {
        end(p, id);
        return false;
    }
    if (p->phase >= PHASE_APPLYING && strcmp(p->commit, id) == 0) {
        /* After a start: it is judged where that was left off. */
        intent_set(&p->intent, intent);
        p->phase = PHASE_APPLYING;
        p->heard_ms = tn_now_ms();
        p->serial++;
        return false;
    }
    if (p->phase == PHASE_NONE) {
        required_forget(p);
        intent_set(&p->former, current);
    }
    p->phase = PHASE_BEFORE;
    p->deadline_ms = tn_now_ms() + BEFORE_MS;
    commit_set(p->commit, id);
    intent_set(&p->intent, intent);
    ask(p, current ? current : intent, 0);
    return true;
}

/* The probes before have been asked, or do not answer. */
static void
follow(struct tn_probation *p, const struct tn_probe_round *round,
       struct tn_probation_verdict *out)
{
    for (size_t i = 0; round && i < round->n_passed; i++) {
        required_add(p, round->passed[i]);
    }
    out->word = TN_PROBATION_FOLLOW;
    out->intent = tn_intent_ref(p->intent);
    if (p->required.n == 0) {
        char id[65];
        memcpy(id, p->commit, sizeof id);
        end(p, id);
        return;
    }
    p->phase = PHASE_APPLYING;
    p->heard_ms = tn_now_ms();
    p->serial++;
    file_save(p);
}

static void
judged(struct tn_probation *p, const struct tn_probe_round *round,
       struct tn_probation_verdict *out)
{
    char id[65];
    memcpy(id, p->commit, sizeof id);
    out->intent = tn_intent_ref(p->intent);
    snprintf(out->text, sizeof out->text, "%s", round->text);
    if (round->fine) {
        out->word = TN_PROBATION_PASSED;
        end(p, id);
        return;
    }
    out->word = TN_PROBATION_FAILED;
    out->former = p->former ? tn_intent_ref(p->former) : NULL;
    commit_set(out->former_commit, p->former ? id_of(p->former) : p->proven);
    commit_set(p->proven, out->former_commit);
    p->phase = PHASE_NONE;
    intent_set(&p->intent, NULL);
    intent_set(&p->former, NULL);
}

void
tn_probation_take(struct tn_probation *p, struct tn_probe_round *round,
                  struct tn_probation_verdict *out)
{
    *out = (struct tn_probation_verdict){0};
    if (round->serial == p->serial && p->phase == PHASE_BEFORE) {
        follow(p, round, out);
    } else if (round->serial == p->serial && p->phase == PHASE_AFTER) {
        judged(p, round, out);
    }
    tn_probe_round_free(round);
}

static void
judge(struct tn_probation *p)
{
    p->phase = PHASE_AFTER;
    ask(p, p->intent, p->options.window_ms);
}

void
tn_probation_tick(struct tn_probation *p, struct tn_probation_verdict *out)
{
    int64_t now = tn_now_ms();
    *out = (struct tn_probation_verdict){0};
    if (p->phase == PHASE_BEFORE && now >= p->deadline_ms) {
        struct tn_log_about about = {.commit = p->commit};
        tn_log(p->options.log, TN_LOG_WARNING, &about,
               "the probes do not end; it is applied without them");
        follow(p, NULL, out);
    } else if (p->phase == PHASE_APPLYING && p->intent &&
               now - p->heard_ms >= SILENT_MS) {
        judge(p);
    }
}

void
tn_probation_heard(struct tn_probation *p)
{
    p->heard_ms = tn_now_ms();
}

bool
tn_probation_settled(struct tn_probation *p, const struct tn_intent *intent)
{
    if (p->phase < PHASE_APPLYING || p->intent != intent) {
        return false;
    }
    if (p->phase == PHASE_APPLYING) {
        judge(p);
    }
    return true;
}

const char *
tn_probation_state(const struct tn_probation *p)
{
    switch (p->phase) {
    case PHASE_NONE:
        break;
    case PHASE_BEFORE:
        return "the probes before it are run";
    case PHASE_APPLYING:
        return "it is applied, then probed";
    case PHASE_AFTER:
        return "the probes after it are run";
    }
    return NULL;
}

/* ---- start and end ---- */

static void
probation_free(struct tn_probation *p)
{
    intent_set(&p->intent, NULL);
    intent_set(&p->former, NULL);
    tn_arena_free(p->arena);
    free(p->path);
    free(p);
}

enum tn_code
tn_probation_open(const struct tn_probation_options *options,
                  struct tn_probation **out, struct tn_error *err)
{
    static const char name[] = "/probation.json";
    struct tn_probation *p = calloc(1, sizeof *p);
    size_t size = strlen(options->state_dir) + sizeof name;
    char *path = malloc(size);
    if (!p || !path) {
        abort();
    }
    snprintf(path, size, "%s%s", options->state_dir, name);
    p->options = *options;
    p->path = path;
    p->arena = tn_arena_new();
    file_load(p);
    enum tn_code code = tn_probe_rounds_new(options, &p->rounds, err);
    if (code) {
        probation_free(p);
        return code;
    }
    *out = p;
    return TN_OK;
}

bool
tn_probation_close(struct tn_probation *p, int64_t deadline_ms)
{
    if (!p) {
        return true;
    }
    if (!tn_probe_rounds_close(p->rounds, deadline_ms)) {
        return false;
    }
    probation_free(p);
    return true;
}
