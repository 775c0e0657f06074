/* accepted.c - see accepted.h. */
#include "reconciler/daemon/accepted.h"

#include <stdio.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"

enum { LINE_BYTES = 2048, FILE_MODE = 0600 };

/* The length of a commit's whole id at the start of 's'; 0: there is none. */
static size_t
id_length(const char *s)
{
    size_t n = strspn(s, "0123456789abcdef");
    return n == 40 || n == 64 ? n : 0;
}

static bool
kept_read(char *line, struct tn_arena *arena, struct tn_kept *out)
{
    size_t since = id_length(line);
    char *good = line + since + 1;
    if (!since || line[since] != ' ') {
        return false;
    }
    size_t n = good[0] == '-' ? 1 : id_length(good);
    char *tenant = good + n + 1;
    if (!n || good[n] != ' ' || !tenant[0]) {
        return false;
    }
    *out = (struct tn_kept){
        .tenant = tn_arena_strdup(arena, tenant),
        .since = tn_arena_strndup(arena, line, since),
        .good = n > 1 ? tn_arena_strndup(arena, good, n) : NULL,
    };
    return true;
}

void
tn_accepted_load(const char *path, struct tn_arena *arena,
                 struct tn_accepted *out)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    TN_VEC(struct tn_kept) all = {0};
    char line[LINE_BYTES];
    *out = (struct tn_accepted){0};
    for (bool first = true; f && fgets(line, sizeof line, f); first = false) {
        size_t n = strcspn(line, "\n");
        struct tn_kept kept;
        if (line[n] != '\n') {
            break; /* Cut: we write whole lines, and none as long. */
        }
        line[n] = '\0';
        if (first && id_length(line) == n) {
            memcpy(out->commit, line, n + 1);
        } else if (first) {
            break;
        } else if (kept_read(line, arena, &kept)) {
            *tn_vec_push(arena, &all) = kept;
        }
    }
    out->kept = all.items;
    out->n_kept = all.n;
}

enum tn_code
tn_accepted_save(const char *path, const char *commit,
                 const struct tn_kept *kept, size_t n, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_text_addf(&text, "%s\n", commit);
    for (size_t i = 0; i < n; i++) {
        tn_text_addf(&text, "%s %s %s\n", kept[i].since,
                     kept[i].good ? kept[i].good : "-", kept[i].tenant);
    }
    return tn_file_replace(path, &text, FILE_MODE, err);
}
