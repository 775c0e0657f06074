/* forge.c - which statuses wait, which were posted.
 *
 * One record for each commit and context holds what is wanted and what was
 * posted last; of several wishes before the forge answers the last counts.
 * Records that are settled make room for new ones, the oldest first; while
 * thousands wait, the oldest wish is given up. */
#include "reconciler/notify/forge.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "reconciler/notify/forge_work.h"
#include "reconciler/notify/words.h"

static char *
copy(const char *s)
{
    char *p = strdup(s ? s : "");
    if (!p) {
        abort();
    }
    return p;
}

static void
done_item(struct tn_forge_item *item)
{
    free(item->sha);
    free(item->context);
    free(item->description);
    free(item->target_url);
}

static bool
is_sha(const char *s)
{
    size_t n = s ? strspn(s, "0123456789abcdef") : 0;
    return (n == 40 || n == 64) && !s[n];
}

static struct tn_forge_item *
find(struct tn_forge *forge, const char *sha, const char *context)
{
    for (size_t i = 0; i < forge->n; i++) {
        struct tn_forge_item *it = &forge->items[i];
        if (strcmp(it->sha, sha) == 0 && strcmp(it->context, context) == 0) {
            return it;
        }
    }
    return NULL;
}

/* Forgets the record used longest ago: a settled one if there is any. */
static void
evict(struct tn_forge *forge)
{
    size_t old = 0;
    for (size_t i = 1; i < forge->n; i++) {
        const struct tn_forge_item *a = &forge->items[i];
        const struct tn_forge_item *b = &forge->items[old];
        if (!a->ticket != !b->ticket ? !a->ticket : a->used < b->used) {
            old = i;
        }
    }
    done_item(&forge->items[old]);
    forge->n--;
    memmove(forge->items + old, forge->items + old + 1,
            (forge->n - old) * sizeof *forge->items);
}

static struct tn_forge_item *
add(struct tn_forge *forge, const char *sha, const char *context)
{
    if (forge->n == TN_FORGE_POSTS_MAX) {
        evict(forge);
    }
    if (forge->n == forge->cap) {
        forge->cap = forge->cap ? forge->cap * 2 : 16;
        forge->items = realloc(forge->items, forge->cap * sizeof *forge->items);
        if (!forge->items) {
            abort();
        }
    }
    struct tn_forge_item *it = &forge->items[forge->n++];
    *it = (struct tn_forge_item){
        .used = ++forge->clock,
        .sha = copy(sha),
        .context = copy(context),
        .description = copy(""),
        .target_url = copy(""),
        .wanted = "",
    };
    return it;
}

static void
describe(struct tn_forge_item *it, const char *description, const char *url)
{
    struct tn_arena *arena = tn_arena_new();
    free(it->description);
    free(it->target_url);
    it->description =
        copy(tn_words_clean(arena, description, TN_FORGE_DESCRIPTION, 0));
    /* An address that was cut leads nowhere. */
    it->target_url =
        copy(url && strlen(url) <= TN_ALERT_VALUE_MAX
                 ? tn_words_clean(arena, url, 0, TN_ALERT_VALUE_MAX)
                 : "");
    tn_arena_free(arena);
}

enum tn_code
tn_forge_new(const struct tn_notify_forge *options, struct tn_forge **out,
             struct tn_error *err)
{
    char origin[TN_HTTP_ORIGIN];
    if (!tn_http_origin(options->api, origin)) {
        return tn_fail(err, TN_EINTENT, 0, "%s: the API is not an http(s) URL",
                       options->name ? options->name : "forge");
    }
    const char *repo = options->repository;
    if (!repo || !*repo || strstr(repo, "..") || *repo == '/') {
        return tn_fail(err, TN_EINTENT, 0, "%s: no repository", origin);
    }
    struct tn_forge *forge = calloc(1, sizeof *forge);
    if (!forge) {
        abort();
    }
    forge->kind = options->kind;
    forge->name = copy(options->name ? options->name : repo);
    forge->repository = copy(repo);
    forge->api = copy(options->api);
    for (size_t n = strlen(forge->api); n && forge->api[n - 1] == '/'; n--) {
        forge->api[n - 1] = '\0';
    }
    *out = forge;
    return TN_OK;
}

void
tn_forge_free(struct tn_forge *forge)
{
    if (!forge) {
        return;
    }
    for (size_t i = 0; i < forge->n; i++) {
        done_item(&forge->items[i]);
    }
    free(forge->items);
    free(forge->name);
    free(forge->api);
    free(forge->repository);
    free(forge);
}

const char *
tn_forge_name(const struct tn_forge *forge)
{
    return forge->name;
}

bool
tn_forge_want(struct tn_forge *forge, const struct tn_commit_status *status)
{
    const char *context = status->context;
    if (!is_sha(status->sha) || !context || !*context ||
        strlen(context) > TN_FORGE_CONTEXT ||
        !tn_is_utf8(context, strlen(context))) {
        return false;
    }
    const char *state = tn_forge_state(forge->kind, status->state);
    struct tn_forge_item *it = find(forge, status->sha, context);
    bool waits = it && it->ticket;
    if (it && !waits && (it->posted == state || it->never == state)) {
        it->used = ++forge->clock;
        return false;
    }
    if (waits && it->wanted == state) {
        describe(it, status->description, status->target_url);
        return false;
    }
    it = it ? it : add(forge, status->sha, context);
    it->used = ++forge->clock;
    it->wanted = state;
    forge->dirty = true;
    if (it->posted == state) {
        it->ticket = 0; /* There and back before the forge heard of it. */
        return false;
    }
    it->ticket = forge->clock;
    describe(it, status->description, status->target_url);
    return true;
}

bool
tn_forge_take(struct tn_forge *forge, struct tn_forge_post *out)
{
    struct tn_forge_item *best = NULL;
    for (size_t i = 0; i < forge->n; i++) {
        struct tn_forge_item *it = &forge->items[i];
        if (it->ticket && (!best || it->ticket < best->ticket)) {
            best = it;
        }
    }
    if (!best) {
        return false;
    }
    best->posted = NULL;
    *out = (struct tn_forge_post){best->sha,        best->context,
                                  best->wanted,     best->description,
                                  best->target_url, best->ticket};
    return true;
}

size_t
tn_forge_pending(const struct tn_forge *forge)
{
    size_t n = 0;
    for (size_t i = 0; i < forge->n; i++) {
        n += forge->items[i].ticket != 0;
    }
    return n;
}

void
tn_forge_settle(struct tn_forge *forge, uint64_t ticket,
                enum tn_forge_verdict verdict)
{
    struct tn_forge_item *it = NULL;
    for (size_t i = 0; i < forge->n && !it; i++) {
        it = forge->items[i].ticket == ticket ? &forge->items[i] : NULL;
    }
    if (!it || !ticket) {
        return;
    }
    switch (verdict) {
    case TN_FORGE_POSTED:
        it->posted = it->wanted;
        it->never = NULL;
        it->ticket = 0;
        forge->dirty = true;
        break;
    case TN_FORGE_AGAIN:
        it->ticket = ++forge->clock;
        break;
    case TN_FORGE_NEVER:
        it->never = it->wanted;
        it->ticket = 0;
        forge->dirty = true;
        break;
    }
}

bool
tn_forge_dirty(const struct tn_forge *forge)
{
    return forge->dirty;
}

void
tn_forge_saved(struct tn_forge *forge)
{
    forge->dirty = false;
}

static void
dump_text(struct tn_text *out, const char *key, const char *value)
{
    tn_text_addf(out, ",\"%s\":\"", key);
    tn_text_add_escaped(out, value ? value : "");
    tn_text_addc(out, '"');
}

void
tn_forge_dump(const struct tn_forge *forge, struct tn_text *out)
{
    for (size_t i = 0; i < forge->n; i++) {
        const struct tn_forge_item *it = &forge->items[i];
        tn_text_add(out, "{\"forge\":\"");
        tn_text_add_escaped(out, forge->name);
        tn_text_addc(out, '"');
        dump_text(out, "sha", it->sha);
        dump_text(out, "context", it->context);
        dump_text(out, "posted", it->posted);
        dump_text(out, "never", it->never);
        if (it->ticket) {
            dump_text(out, "wanted", it->wanted);
            dump_text(out, "description", it->description);
            dump_text(out, "target_url", it->target_url);
        }
        tn_text_add(out, "}\n");
    }
}

/* The static text of a state, null if it is none of this forge. */
static const char *
state_of(const struct tn_forge *forge, const char *text)
{
    for (int s = TN_COMMIT_PENDING; s <= TN_COMMIT_CANCELED; s++) {
        const char *known =
            tn_forge_state(forge->kind, (enum tn_commit_state) s);
        if (tn_streq(known, text)) {
            return known;
        }
    }
    return NULL;
}

static const char *
text_of(const json_t *j, const char *key)
{
    return json_string_value(json_object_get(j, key));
}

bool
tn_forge_load(struct tn_forge *forge, const char *line, size_t n)
{
    json_t *j = json_loadb(line, n, 0, NULL);
    const char *sha = text_of(j, "sha"), *context = text_of(j, "context");
    const char *name = text_of(j, "forge");
    bool fine = name && is_sha(sha) && context && *context;
    if (fine && strcmp(name, forge->name) == 0 && !find(forge, sha, context)) {
        struct tn_forge_item *it = add(forge, sha, context);
        const char *wanted = state_of(forge, text_of(j, "wanted"));
        it->posted = state_of(forge, text_of(j, "posted"));
        it->never = state_of(forge, text_of(j, "never"));
        if (wanted) {
            it->wanted = wanted;
            it->ticket = forge->clock;
            describe(it, text_of(j, "description"), text_of(j, "target_url"));
        }
    }
    json_decref(j);
    return fine;
}
