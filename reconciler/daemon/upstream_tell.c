/* upstream_tell.c - what the Git thread says to the loop, and what it writes
 * down for the next start: one commit a file, replaced whole. */
#include <stdio.h>
#include <string.h>

#include "model/base/file.h"
#include "reconciler/daemon/upstream_inside.h"

enum { FILE_BYTES = 256 };

void
tn_up_state_path(const struct tn_upstream *u, const char *name,
                 struct tn_text *out)
{
    tn_text_addf(out, "%s/daemon/%s", u->options.state_dir, name);
}

void
tn_up_state_read(const struct tn_upstream *u, const char *name, char id[65])
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_up_state_path(u, name, &path);
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(tn_text_str(&path), "re");
    char line[FILE_BYTES] = "";
    id[0] = '\0';
    if (f && fgets(line, sizeof line, f)) {
        size_t n = strspn(line, "0123456789abcdef");
        if ((n == 40 || n == 64) && line[n] == '\n') {
            memcpy(id, line, n);
            id[n] = '\0';
        }
    }
}

void
tn_up_state_write(struct tn_upstream *u, const char *name, const char *id)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text line = {0};
    struct tn_error err = {0};
    tn_up_state_path(u, name, &path);
    tn_text_addf(&line, "%s\n", id);
    if (tn_file_replace(tn_text_str(&path), &line, 0600, &err)) {
        char text[TN_ERROR_TEXT];
        tn_log(u->options.log, TN_LOG_WARNING, NULL, "%s",
               tn_error_text(&err, text, sizeof text));
    }
}

struct tn_upstream_event *
tn_up_event(enum tn_upstream_event_type type, const char *commit)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_upstream_event *e = tn_new(arena, struct tn_upstream_event);
    e->arena = arena;
    e->type = type;
    e->fetch_s = e->verify_s = e->compile_s = e->publish_s = -1;
    size_t n = commit ? strlen(commit) : 0;
    memcpy(e->commit, commit ? commit : "", n < 65 ? n : 64);
    return e;
}

void
tn_up_post(struct tn_upstream *u, struct tn_upstream_event *e)
{
    u->options.post(u->options.ctx, e);
}

void
tn_up_post_error(struct tn_upstream *u, enum tn_upstream_event_type type,
                 const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    struct tn_upstream_event *e = tn_up_event(type, NULL);
    e->text = tn_arena_strdup(e->arena, tn_error_text(err, text, sizeof text));
    tn_up_post(u, e);
}

double
tn_up_seconds_since(int64_t start_ns)
{
    return (double) (tn_now_ns() - start_ns) / 1e9;
}
