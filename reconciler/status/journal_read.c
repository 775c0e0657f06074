/* journal_read.c - reading a journal back after a crash.
 *
 * Lines are taken in order until one is not whole.  What a crash tears is the
 * last line, before its newline was written: that is dropped.  Anything else
 * that is not whole was damaged later, and says so.  Pure: bytes in, a past run
 * out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "model/base/cleanup.h"
#include "model/base/map.h"
#include "reconciler/status/journal.h"
#include "reconciler/status/journal_dir.h"
#include "reconciler/status/journal_line.h"

static const char *const state_names[] = {
    [TN_JOURNAL_INTENDED] = "intended",
    [TN_JOURNAL_STARTED] = "started",
    [TN_JOURNAL_VERIFIED] = "verified",
    [TN_JOURNAL_ROLLED_BACK] = "rolled-back",
    [TN_JOURNAL_BROKEN] = "broken",
};

/* A device while it is read; steps grow. */
struct device {
    struct tn_journal_past_device d;
    TN_VEC(struct tn_journal_past_step) steps;
};

struct slot {
    struct device *device;
};

struct reader {
    struct tn_arena *arena;
    struct tn_journal_past *out;
    struct tn_map by_name;
    TN_VEC(struct slot) devices;
    unsigned long n;
};

static void
cleanup_json(json_t **v)
{
    json_decref(*v);
}

const char *
tn_journal_state_name(enum tn_journal_device_state state)
{
    return state_names[state];
}

static const char *
text_of(const struct reader *r, const json_t *line, const char *name)
{
    const char *s = json_string_value(json_object_get(line, name));
    return s ? tn_arena_strdup(r->arena, s) : NULL;
}

static bool
read_run(struct reader *r, const json_t *line)
{
    const char *id = json_string_value(json_object_get(line, "run"));
    const json_t *version = json_object_get(line, "version");
    struct tn_journal_run *run = &r->out->run;
    run->commit = text_of(r, line, "commit");
    run->environment = text_of(r, line, "environment");
    run->time = json_integer_value(json_object_get(line, "time"));
    return id && strcmp(id, run->id) == 0 && run->commit && run->environment &&
           json_integer_value(version) == 1;
}

static struct device *
device_of(struct reader *r, const json_t *line, bool make)
{
    const char *name = json_string_value(json_object_get(line, "device"));
    if (!name) {
        return NULL;
    }
    struct device *d = tn_map_get(&r->by_name, name);
    if (!d && make) {
        d = tn_new(r->arena, struct device);
        d->d.name = tn_arena_strdup(r->arena, name);
        tn_map_put(&r->by_name, d->d.name, d);
        *tn_vec_push(r->arena, &r->devices) = (struct slot){d};
    }
    return d;
}

static bool
read_intend(struct reader *r, const json_t *line)
{
    struct device *d = device_of(r, line, true);
    const json_t *first = json_object_get(line, "first");
    const json_t *steps = json_object_get(line, "steps");
    if (!d || r->out->went || !json_is_array(steps) ||
        !json_is_integer(first) ||
        json_integer_value(first) != (json_int_t) d->steps.n) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        const char *op = json_string_value(json_array_get(step, 0));
        const char *key = json_string_value(json_array_get(step, 1));
        if (!op || !key) {
            return false;
        }
        *tn_vec_push(r->arena, &d->steps) = (struct tn_journal_past_step){
            .op = tn_arena_strdup(r->arena, op),
            .key = tn_arena_strdup(r->arena, key)};
    }
    return true;
}

static bool
read_steps(struct reader *r, const json_t *line)
{
    struct device *d = device_of(r, line, false);
    const json_t *first = json_object_get(line, "first");
    const json_t *outcomes = json_object_get(line, "outcomes");
    const char *letters = json_string_value(outcomes);
    if (!d || !r->out->went || !letters || !json_is_integer(first)) {
        return false;
    }
    json_int_t at = json_integer_value(first);
    size_t n = strlen(letters);
    if (at < 0 || (size_t) at > d->steps.n || n > d->steps.n - (size_t) at) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        d->steps.items[(size_t) at + i].outcome =
            letters[i] == 'd'   ? TN_JOURNAL_DONE
            : letters[i] == 'f' ? TN_JOURNAL_FAILED
                                : TN_JOURNAL_PENDING;
    }
    if (d->d.state == TN_JOURNAL_INTENDED) {
        d->d.state = TN_JOURNAL_STARTED;
    }
    return true;
}

static bool
read_device(struct reader *r, const json_t *line)
{
    struct device *d = device_of(r, line, true);
    const char *state = json_string_value(json_object_get(line, "state"));
    if (!d || !state) {
        return false;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(state_names); i++) {
        if (strcmp(state, state_names[i]) == 0) {
            d->d.state = (enum tn_journal_device_state) i;
            d->d.message = text_of(r, line, "message");
            return true;
        }
    }
    return false;
}

static bool
read_go(struct reader *r, TN_UNUSED const json_t *line)
{
    r->out->went = true;
    return true;
}

static bool
read_end(struct reader *r, const json_t *line)
{
    r->out->ended = true;
    r->out->outcome = text_of(r, line, "outcome");
    return r->out->outcome;
}

/* A whole line; false if it makes no sense (a bug, or a newer tenet). */
static bool
read_line(struct reader *r, const char *bytes, size_t n)
{
    static const struct {
        const char *type;
        bool (*read)(struct reader *, const json_t *);
    } types[] = {
        {"run", read_run},     {"intend", read_intend}, {"go", read_go},
        {"steps", read_steps}, {"device", read_device}, {"end", read_end},
    };
    TN_CLEANUP(cleanup_json)
    json_t *line = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(line, "type"));
    const json_t *number = json_object_get(line, "n");
    if (!type || !json_is_integer(number) ||
        json_integer_value(number) != (json_int_t) r->n ||
        (strcmp(type, "run") == 0) != (r->n == 1) || r->out->ended) {
        return false;
    }
    r->n++;
    for (size_t i = 0; i < TN_ARRAY_SIZE(types); i++) {
        if (strcmp(type, types[i].type) == 0) {
            return types[i].read(r, line);
        }
    }
    return false;
}

size_t
tn_journal_whole(const char *bytes, size_t n, const char *run,
                 unsigned long *n_lines)
{
    const char *p = bytes, *end = bytes + n;
    *n_lines = 0;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        if (!nl || !tn_line_is_whole(p, (size_t) (nl - p), run)) {
            break;
        }
        p = nl + 1;
        ++*n_lines;
    }
    return (size_t) (p - bytes);
}

/* The run's id is the file's name. */
static void
id_of(const char *path, char id[TN_RUN_ID])
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t n = strcspn(name, ".");
    n = n < TN_RUN_ID ? n : TN_RUN_ID - 1;
    memcpy(id, name, n);
    id[n] = '\0';
}

void
tn_journal_read(struct tn_arena *arena, const char *path, const char *bytes,
                size_t n, struct tn_journal_past *out)
{
    *out = (struct tn_journal_past){.path = tn_arena_strdup(arena, path)};
    id_of(path, out->run.id);
    out->run.commit = out->run.environment = "";
    struct reader r = {.arena = arena, .out = out, .n = 1};
    tn_map_init(&r.by_name, arena, 0);

    unsigned long n_lines = 0;
    size_t whole = tn_journal_whole(bytes, n, out->run.id, &n_lines);
    const char *end = bytes + whole;
    for (const char *p = bytes; p < end && !out->damaged;) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        out->damaged = !read_line(&r, p, (size_t) (nl - p));
        p = nl + 1;
    }
    out->torn = whole < n;
    out->damaged = out->damaged || memchr(end, '\n', n - whole);
    if (!out->run.commit) {
        out->run.commit = "";
    }
    if (!out->run.environment) {
        out->run.environment = "";
    }

    struct tn_journal_past_device *devices =
        tn_new_n(arena, struct tn_journal_past_device, r.devices.n);
    for (size_t i = 0; i < r.devices.n; i++) {
        devices[i] = r.devices.items[i].device->d;
        devices[i].steps = r.devices.items[i].device->steps.items;
        devices[i].n_steps = r.devices.items[i].device->steps.n;
    }
    out->devices = devices;
    out->n_devices = r.devices.n;
}
