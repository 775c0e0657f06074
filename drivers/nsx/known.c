/* known.c - see known.h: {"unique_id": [created, path, key, scope], ...}. */
#include "drivers/nsx/known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/digest.h"
#include "model/base/file.h"

/* One file a place: instance, manager, root.  False: there is no cache. */
static bool
file_of(const struct tn_session *s, struct tn_text *path)
{
    const struct tn_nsx_options *o = &s->settings.client;
    TN_CLEANUP(tn_cleanup_text) struct tn_text place = {0};
    if (!o->memory || o->n_managers == 0) {
        return false;
    }
    tn_text_addf(&place, "%s\n%s\n%s", s->instance, o->managers[0],
                 s->settings.root);
    tn_text_addf(path, "%s/nsx-known-%016llx", o->memory,
                 (unsigned long long) tn_hash64(tn_text_str(&place), place.n));
    return true;
}

static void
load(struct tn_session *s)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    if (!s->known && file_of(s, &path)) {
        s->known = json_load_file(tn_text_str(&path), 0, NULL);
    }
    if (!json_is_object(s->known)) {
        json_decref(s->known);
        s->known = json_object();
    }
}

bool
tn_nsx_known(struct tn_session *s, const struct tn_nsx_leaf *leaf,
             const char **key, const char **scope)
{
    const char *id =
        json_string_value(json_object_get(leaf->json, "unique_id"));
    const json_t *made = json_object_get(leaf->json, "_create_time");
    load(s);
    const json_t *was = id ? json_object_get(s->known, id) : NULL;
    const char *path = json_string_value(json_array_get(was, 1));
    if (!made || !json_equal(made, json_array_get(was, 0)) ||
        !tn_streq(path, leaf->path)) {
        return false;
    }
    *key = json_string_value(json_array_get(was, 2));
    *scope = json_string_value(json_array_get(was, 3));
    return *key && *scope;
}

void
tn_nsx_known_keep(struct tn_session *s, const struct tn_nsx_view *view)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0}, text = {0};
    json_t *now = json_object();
    struct tn_error ignored = {0};
    load(s);
    for (size_t i = 0; i < view->all.n; i++) {
        const struct tn_nsx_seen *seen = view->all.items[i];
        const char *id =
            json_string_value(json_object_get(seen->json, "unique_id"));
        json_t *made = json_object_get(seen->json, "_create_time");
        if (seen->ours && id && made) {
            json_object_set_new(now, id,
                                json_pack("[O, s, s, s]", made, seen->path,
                                          seen->key, seen->scope));
        }
    }
    bool same = json_equal(now, s->known);
    json_decref(s->known);
    s->known = now;
    char *dump = same || s->watches || !file_of(s, &path)
                     ? NULL
                     : json_dumps(now, JSON_COMPACT | JSON_SORT_KEYS);
    if (dump) {
        tn_text_add(&text, dump);
        (void) !tn_file_replace(tn_text_str(&path), &text, 0600, &ignored);
    }
    free(dump);
}
