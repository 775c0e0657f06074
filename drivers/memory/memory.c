/* memory.c - the driver's members, and its faults.
 *
 * See memory.h for what it does.  A commit holds the device's lock from its
 * first operation to its last and writes the file every so often, so that a
 * process that is killed leaves a part of its work, as it would on a real
 * device. */
#include "drivers/memory/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "drivers/memory/render.h"
#include "drivers/memory/store.h"
#include "drivers/memory/watch.h"

/* More seldom when the file is large, or writing would be quadratic. */
enum { FLUSH_LEAST = 64, FLUSH_SHARE = 4 };

struct faults {
    json_int_t fail_at, fail_count, drop_at; /* 0: never */
    bool interfere;
    unsigned delay_ms;
    bool atomic;
};

struct tn_session {
    const struct tn_device *device;
    struct tn_mem_store store;
    struct faults faults;
    bool dropped;
};

struct tn_stage {
    struct tn_session *session;
    const struct tn_step *steps;
    size_t n;
};

static unsigned
option_number(const struct tn_device *device, const char *name)
{
    const char *s = tn_host_option(&device->host->config, name);
    return s ? (unsigned) strtoul(s, NULL, 10) : 0;
}

/* As Ansible reads a boolean. */
static bool
option_bool(const struct tn_device *device, const char *name)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    const char *s = tn_host_option(&device->host->config, name);
    for (size_t i = 0; s && i < TN_ARRAY_SIZE(yes); i++) {
        if (strcasecmp(s, yes[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void
faults_init(struct faults *f, const struct tn_device *device)
{
    *f = (struct faults){
        .fail_at = option_number(device, "tenet_memory_fail_at"),
        .fail_count = 1,
        .drop_at = option_number(device, "tenet_memory_drop_at"),
        .interfere = option_bool(device, "tenet_memory_interfere"),
        .delay_ms = option_number(device, "tenet_memory_delay_ms"),
        .atomic = option_bool(device, "tenet_memory_atomic"),
    };
}

static void
fault_read(const json_t *faults, const char *name, json_int_t *out)
{
    const json_t *v = json_object_get(faults, name);
    if (json_is_integer(v)) {
        *out = json_integer_value(v);
    }
}

/* The faults in force: those of the host, and before them those of the file. */
static struct faults
faults_now(const struct tn_session *s)
{
    struct faults f = s->faults;
    const json_t *in_file = json_object_get(s->store.root, "faults");
    fault_read(in_file, "fail_at", &f.fail_at);
    fault_read(in_file, "fail_count", &f.fail_count);
    fault_read(in_file, "drop_at", &f.drop_at);
    return f;
}

static enum tn_code
lost(const struct tn_session *s, struct tn_error *err)
{
    return tn_fail(err, TN_EUNAVAILABLE, 0, "%s: connection lost",
                   s->device->name);
}

static void
sleep_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long) (ms % 1000) * 1000000};
    while (ms && nanosleep(&t, &t) != 0) {
    }
}

static void
mem_close(struct tn_session *s)
{
    if (s) {
        tn_mem_store_done(&s->store);
        free(s);
    }
}

static enum tn_code
mem_open(const struct tn_device *device,
         const struct tn_driver_env *env TN_UNUSED, struct tn_session **out,
         struct tn_error *err)
{
    struct tn_session *s = calloc(1, sizeof *s);
    if (!s) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    s->device = device;
    faults_init(&s->faults, device);
    enum tn_code code = tn_mem_store_init(
        &s->store, tn_host_option(&device->host->config, "tenet_memory_path"),
        device->instance, err);
    if (code != TN_OK) {
        mem_close(s);
        return tn_while(err, code, "device %s", device->name);
    }
    *out = s;
    return TN_OK;
}

static enum tn_code
mem_observe(struct tn_session *s, const struct tn_scope *scope,
            const struct tn_state *want TN_UNUSED, struct tn_arena *arena,
            const struct tn_state **out, struct tn_error *err)
{
    if (s->dropped) {
        return lost(s, err);
    }
    enum tn_code code = tn_mem_store_read(&s->store, err);
    if (code == TN_OK) {
        code = tn_mem_store_observe(&s->store, s->device->name, scope, arena,
                                    out, err);
    }
    tn_mem_store_release(&s->store);
    return code;
}

static enum tn_code
mem_stage(struct tn_session *s, const struct tn_step *steps, size_t n,
          struct tn_stage **out, struct tn_error *err)
{
    if (s->dropped) {
        return lost(s, err);
    }
    struct tn_stage *stage = calloc(1, sizeof *stage);
    if (!stage) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    *stage = (struct tn_stage){s, steps, n};
    *out = stage;
    return TN_OK;
}

static void
mem_rollback(struct tn_stage *stage)
{
    free(stage);
}

/* Changes a resource as somebody else might, once. */
static void
interfere(const struct tn_stage *stage)
{
    struct tn_mem_store *store = &stage->session->store;
    json_t *faults = json_object_get(store->root, "faults");
    const char *key = json_string_value(json_object_get(faults, "interfere"));
    if (!key && stage->session->faults.interfere &&
        !json_object_get(store->root, "interfered")) {
        for (size_t i = 0; i < stage->n && !key; i++) {
            key = stage->steps[i].before ? stage->steps[i].before->key : NULL;
        }
    }
    json_t *r = key ? json_object_get(store->resources, key) : NULL;
    if (r) {
        json_object_set_new(json_object_get(r, "attrs"), "by_hand",
                            json_string("yes"));
        json_object_set_new(store->root, "interfered", json_true());
        json_object_del(faults, "interfere");
    }
}

static enum tn_code
operate(const struct tn_stage *stage, size_t i, struct tn_error *err)
{
    struct tn_session *s = stage->session;
    const struct faults f = faults_now(s);
    const struct tn_step *step = &stage->steps[i];
    const struct tn_resource *r = step->after ? step->after : step->before;
    json_int_t n = tn_mem_store_count(&s->store);
    if (f.fail_at && n >= f.fail_at && n < f.fail_at + f.fail_count) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "%s: refused on demand",
                       r->key);
    }
    enum tn_code code = tn_mem_store_apply(&s->store, step, err);
    if (code == TN_OK && f.drop_at == n) {
        s->dropped = true;
        code = lost(s, err);
    }
    return code;
}

static enum tn_code
run(const struct tn_stage *stage, enum tn_outcome *outcomes, size_t *failed,
    struct tn_error *err)
{
    struct tn_session *s = stage->session;
    size_t unwritten = 0;
    for (size_t i = 0; i < stage->n; i++) {
        enum tn_code code = operate(stage, i, err);
        if (code != TN_OK) {
            const struct tn_step *step = &stage->steps[i];
            outcomes[i] = TN_STEP_FAILED;
            *failed = i;
            tn_error_at(err, step->after ? step->after->origin
                                         : step->before->origin);
            return code;
        }
        outcomes[i] = TN_STEP_DONE;
        size_t size = json_object_size(s->store.resources);
        if (++unwritten >= FLUSH_LEAST + size / FLUSH_SHARE &&
            !s->faults.atomic) {
            unwritten = 0;
            code = tn_mem_store_write(&s->store, err);
            if (code != TN_OK) {
                *failed = i;
                return code;
            }
        }
    }
    return TN_OK;
}

/* Puts the resources back as they were before a commit that must take effect
 * entirely or not at all. */
static void
undo(struct tn_mem_store *store, json_t *before, enum tn_outcome *outcomes,
     size_t failed)
{
    json_object_set(store->root, "resources", before);
    store->resources = before;
    tn_mem_store_index(store);
    for (size_t i = 0; i < failed; i++) {
        outcomes[i] = TN_STEP_PENDING;
    }
}

static enum tn_code
commit_locked(const struct tn_stage *stage, enum tn_outcome *outcomes,
              size_t *failed, struct tn_error *err)
{
    struct tn_session *s = stage->session;
    enum tn_code code = tn_mem_store_lock(&s->store, err);
    if (code != TN_OK) {
        return code;
    }
    interfere(stage);
    json_t *before =
        s->faults.atomic ? json_deep_copy(s->store.resources) : NULL;
    code = run(stage, outcomes, failed, err);
    if (code != TN_OK && s->faults.atomic && !s->dropped) {
        undo(&s->store, before, outcomes, *failed);
    }
    json_decref(before);
    struct tn_error late = {0};
    enum tn_code written = tn_mem_store_write(&s->store, &late);
    if (code == TN_OK && written != TN_OK) {
        *err = late;
        code = written;
    }
    tn_mem_store_unlock(&s->store);
    tn_mem_store_release(&s->store);
    return code;
}

static enum tn_code
mem_commit(struct tn_stage *stage, enum tn_outcome *outcomes, size_t *failed,
           struct tn_error *err)
{
    struct tn_session *s = stage->session;
    struct tn_error scratch = {0};
    *failed = stage->n;
    for (size_t i = 0; i < stage->n; i++) {
        outcomes[i] = TN_STEP_PENDING;
    }
    sleep_ms(s->faults.delay_ms);
    enum tn_code code = s->dropped ? lost(s, err)
                                   : commit_locked(stage, outcomes, failed,
                                                   err ? err : &scratch);
    free(stage);
    return code;
}

static enum tn_code
mem_watch_open(const struct tn_device *device,
               const struct tn_driver_env *env TN_UNUSED, struct tn_watch **out,
               struct tn_error *err)
{
    return tn_mem_watch_new(
        device, tn_host_option(&device->host->config, "tenet_memory_path"), out,
        err);
}

const struct tn_driver tn_driver_memory = {
    .abi = TN_DRIVER_ABI,
    .name = "memory",
    .caps = TN_CAP_COMPARE | TN_CAP_OWNER | TN_CAP_SCOPED | TN_CAP_EVENTS,
    .render = tn_mem_render,
    .open = mem_open,
    .close = mem_close,
    .observe = mem_observe,
    .stage = mem_stage,
    .commit = mem_commit,
    .rollback = mem_rollback,
    .watch_open = mem_watch_open,
    .watch_fd = tn_mem_watch_fd,
    .watch_read = tn_mem_watch_read,
    .watch_update = tn_mem_watch_update,
    .watch_quiet = tn_mem_watch_quiet,
    .watch_close = tn_mem_watch_close,
};
