/* shots_test.c - what of the snapshots of a device goes to Git. */
#include <criterion/criterion.h>
#include <string.h>

#include "reconciler/daemon/shots.h"

static void
add(struct tn_shots *shots, bool part, const char *path, const char *bytes,
    const char *more)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_status_folder *folder = tn_new(arena, struct tn_status_folder);
    struct tn_status_file *files = tn_new_n(arena, struct tn_status_file, 2);
    files[0] = (struct tn_status_file){
        .path = tn_arena_strdup(arena, path),
        .bytes = bytes ? tn_arena_strdup(arena, bytes) : NULL,
        .n = bytes ? strlen(bytes) : 0,
    };
    files[1] = (struct tn_status_file){
        .path = "header", .bytes = tn_arena_strdup(arena, more), .n = 1};
    *folder = (struct tn_status_folder){
        .path = "snapshots/hv1", .files = files, .n_files = 2, .part = part};
    tn_shots_add(shots, arena, folder);
}

/* "path=bytes ..." of what would be sent. */
static const char *
sent(struct tn_shots *shots, struct tn_arena *arena, bool *part)
{
    struct tn_status_folder folder;
    const char *all = "";
    if (!tn_shots_send(shots, arena, &folder)) {
        return "none";
    }
    *part = folder.part;
    for (size_t i = 0; i < folder.n_files; i++) {
        const struct tn_status_file *f = &folder.files[i];
        all = tn_arena_printf(arena, "%s%s=%.*s ", all, f->path, (int) f->n,
                              f->bytes ? f->bytes : "");
    }
    return all;
}

Test(shots, parts_add_to_what_came_before)
{
    struct tn_shots shots = {0};
    struct tn_arena *arena = tn_arena_new();
    bool part = true;
    cr_expect_str_eq(sent(&shots, arena, &part), "none");
    add(&shots, false, "a", "1", "x");
    add(&shots, true, "b", "2", "y");
    add(&shots, true, "a", NULL, "z");
    cr_expect_str_eq(sent(&shots, arena, &part), "a= header=z b=2 ");
    cr_expect(!part, "the first was of all");
    tn_shots_sent(&shots, true);
    cr_expect_str_eq(sent(&shots, arena, &part), "none");
    add(&shots, true, "a", "3", "x");
    cr_expect_str_eq(sent(&shots, arena, &part), "a=3 header=x ");
    cr_expect(part);
    tn_shots_done(&shots);
    tn_arena_free(arena);
}

Test(shots, what_did_not_arrive_is_sent_again)
{
    struct tn_shots shots = {0};
    struct tn_arena *arena = tn_arena_new();
    bool part = false;
    add(&shots, true, "a", "1", "x");
    cr_expect_str_eq(sent(&shots, arena, &part), "a=1 header=x ");
    add(&shots, true, "b", "2", "y"); /* While the first is on its way. */
    tn_shots_sent(&shots, false);
    cr_expect_str_eq(sent(&shots, arena, &part), "a=1 header=y b=2 ");
    add(&shots, true, "c", "3", "z");
    tn_shots_sent(&shots, true);
    cr_expect_str_eq(sent(&shots, arena, &part), "c=3 header=z ");
    add(&shots, false, "d", "4", "q"); /* All of it: the rest is told by it. */
    cr_expect_str_eq(sent(&shots, arena, &part), "d=4 header=q ");
    tn_shots_done(&shots);
    tn_arena_free(arena);
}
