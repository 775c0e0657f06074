/* chunk.c - see chunk.h. */
#include "drivers/nsx/chunk.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/nsx/part.h"
#include "drivers/nsx/tree.h"

const char *
tn_nsx_intent_path(const struct tn_nsx_intent *intent)
{
    return ((const struct tn_nsx_object *) intent->r->native)->path;
}

static struct tn_nsx_intent
deletion(const struct tn_step *steps, size_t i)
{
    return (struct tn_nsx_intent){.step = i,
                                  .gone = true,
                                  .r = steps[i].before,
                                  .before = steps[i].before};
}

static struct tn_nsx_intent
writing(const struct tn_step *steps, size_t i)
{
    return (struct tn_nsx_intent){
        .step = i,
        .r = steps[i].after,
        .before = steps[i].op == TN_OP_UPDATE ? steps[i].before : NULL};
}

struct tn_nsx_intent *
tn_nsx_intents(struct tn_arena *arena, const struct tn_step *steps, size_t n,
               size_t *n_out)
{
    struct tn_nsx_intent *all = tn_new_n(arena, struct tn_nsx_intent, 2 * n);
    size_t k = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && steps[end].op == TN_OP_REPLACE) {
            end++;
        }
        for (size_t d = end; d > i; d--) {
            all[k++] = deletion(steps, d - 1);
        }
        for (; i < end; i++) {
            all[k++] = writing(steps, i);
        }
        if (i < n) {
            all[k++] = steps[i].op == TN_OP_DELETE ? deletion(steps, i)
                                                   : writing(steps, i);
            i++;
        }
    }
    *n_out = k;
    return all;
}

/* NSX counts what stands in an object's own body, too: entries of services. */
static size_t
weight(const struct tn_nsx_intent *intent)
{
    const struct tn_nsx_object *native = intent->r->native;
    size_t n = 1;
    for (size_t i = 0; !intent->gone && i < native->kind->n_fields; i++) {
        const char *value = native->values[i];
        bool entries =
            strcmp(native->kind->fields[i].name, "service_entries") == 0;
        for (; entries && value && (value = strstr(value, "\"id\":"));
             value++) {
            n++;
        }
    }
    return n;
}

size_t
tn_nsx_chunk_end(const struct tn_nsx_intent *intents, size_t n, size_t begin,
                 size_t most)
{
    size_t end = begin, sum = 0;
    while (end < n && intents[end].gone == intents[begin].gone) {
        sum += weight(&intents[end]);
        if (sum > most && end > begin) {
            break;
        }
        end++;
    }
    return end;
}

/* Where 'name' stands in 'text' as a whole; null: it does not. */
static const char *
mention(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + 1, name)) {
        const char after = at[n];
        bool begins = at == text || (!isalnum((unsigned char) at[-1]) &&
                                     !strchr("_-./", at[-1]));
        bool ends = !isalnum((unsigned char) after) &&
                    (!after || !strchr("_-/", after)) &&
                    (after != '.' || !isalnum((unsigned char) at[n + 1]));
        if (begins && ends) {
            return at;
        }
    }
    return NULL;
}

static size_t
first_named(const struct tn_nsx_intent *intents, size_t n, const char *text,
            bool by_id)
{
    size_t found = n;
    const char *where = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *path = tn_nsx_intent_path(&intents[i]);
        const char *at =
            intents[i].fate == TN_NSX_TODO
                ? mention(text, by_id ? tn_nsx_path_id(path) : path)
                : NULL;
        if (at && (!where || at < where)) {
            where = at;
            found = i;
        }
    }
    return found;
}

size_t
tn_nsx_blame(const struct tn_nsx_intent *intents, size_t n, const char *text)
{
    size_t found = first_named(intents, n, text, false);
    return found < n ? found : first_named(intents, n, text, true);
}

static bool
speaks_of(const struct tn_nsx_object *object, const char *path)
{
    for (size_t i = 0; i < object->kind->n_fields; i++) {
        if (object->values[i] && mention(object->values[i], path)) {
            return true;
        }
    }
    return false;
}

bool
tn_nsx_needs(const struct tn_nsx_intent *a, const struct tn_nsx_intent *b)
{
    const char *path = tn_nsx_intent_path(a), *other = tn_nsx_intent_path(b);
    if (a->gone) {
        return b->gone && tn_nsx_path_within(other, path);
    }
    return strcmp(path, other) == 0 || tn_nsx_path_within(path, other) ||
           (!b->gone && speaks_of(a->r->native, other));
}

size_t
tn_nsx_flat(const struct tn_nsx_intent *intents, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            const char *a = tn_nsx_intent_path(&intents[k]);
            const char *b = tn_nsx_intent_path(&intents[i]);
            if (intents[k].fate == TN_NSX_TODO &&
                intents[i].fate == TN_NSX_TODO &&
                (tn_nsx_path_within(a, b) || tn_nsx_path_within(b, a))) {
                return i;
            }
        }
    }
    return n;
}
