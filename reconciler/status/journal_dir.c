/* journal_dir.c - the directory of journals: who has no end, closing them,
 * forgetting old ones.
 *
 * Names of runs begin with their time in UTC, so the order of names is the
 * order of runs.  Whether a run has ended is told by its last line alone. */
#include "reconciler/status/journal_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/status/journal_line.h"
#include "reconciler/status/state_lock.h"

enum { TAIL = 8192, JOURNAL_MAX = 512 * 1024 * 1024 };

struct names {
    struct tn_arena *arena;
    TN_VEC(const char *) list;
};

static void
cleanup_dir(DIR **d)
{
    if (*d) {
        closedir(*d);
    }
}

/* All *.jsonl in the directory 'fd' (borrowed), sorted; -1 and errno. */
static int
list_runs(int fd, struct names *out)
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TN_CLEANUP(cleanup_dir) DIR *dir = again < 0 ? NULL : fdopendir(again);
    if (!dir) {
        tn_cleanup_fd(&again);
        return -1;
    }
    for (;;) {
        errno = 0;
        const struct dirent *d = readdir(dir);
        if (!d) {
            break;
        }
        size_t n = strlen(d->d_name);
        if (n > 6 && strcmp(d->d_name + n - 6, ".jsonl") == 0) {
            *tn_vec_push(out->arena, &out->list) =
                tn_arena_strdup(out->arena, d->d_name);
        }
    }
    if (errno) {
        return -1;
    }
    tn_texts_sort(out->list.items, out->list.n);
    return 0;
}

/* Reads up to 'max' bytes of the end of a file into a new buffer. */
static char *
read_tail(int dir, const char *name, size_t max, size_t *n)
{
    TN_CLEANUP(tn_cleanup_fd)
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return NULL;
    }
    size_t size = (size_t) st.st_size;
    size = size < max ? size : max;
    TN_CLEANUP(tn_cleanup_free) char *buf = malloc(size + 1);
    if (!buf) {
        return NULL;
    }
    off_t from = st.st_size - (off_t) size;
    size_t got = 0;
    while (got < size) {
        ssize_t k = pread(fd, buf + got, size - got, from + (off_t) got);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k < 0) {
            return NULL;
        }
        if (k == 0) {
            break;
        }
        got += (size_t) k;
    }
    *n = got;
    return TN_TAKE(buf);
}

static void
run_of(const char *name, char id[TN_RUN_ID])
{
    snprintf(id, TN_RUN_ID, "%.*s", (int) (strlen(name) - 6), name);
}

static bool
ends(const char *tail, size_t n, const char *name)
{
    if (n < 2 || tail[n - 1] != '\n') {
        return false;
    }
    const char *nl = memrchr(tail, '\n', n - 1);
    const char *line = nl ? nl + 1 : tail;
    size_t len = (size_t) (tail + n - 1 - line);
    char id[TN_RUN_ID];
    run_of(name, id);
    return tn_line_is_whole(line, len, id) &&
           memmem(line, len, "\"type\":\"end\"", 12);
}

static bool
has_ended(int dir, const char *name)
{
    size_t n = 0;
    char *tail = read_tail(dir, name, TAIL, &n);
    bool ended = tail && ends(tail, n, name);
    free(tail);
    return ended;
}

void
tn_journal_prune(const struct tn_state_lock *lock, const char *current)
{
    int dir = tn_state_journal_dir(lock);
    struct names names = {.arena = tn_arena_new()};
    size_t kept = 0;
    if (list_runs(dir, &names) == 0) {
        for (size_t i = names.list.n; i-- > 0;) {
            const char *name = names.list.items[i];
            bool mine = strcmp(name, current) == 0;
            if ((mine || has_ended(dir, name)) && ++kept > TN_JOURNAL_KEEP &&
                !mine) {
                unlinkat(dir, name, 0);
            }
        }
    }
    tn_arena_free(names.arena);
}

static enum tn_code
read_run(int dir, const char *dir_path, const char *name,
         struct tn_arena *arena, struct tn_journal_past *out,
         struct tn_error *err)
{
    size_t n = 0;
    char *bytes = read_tail(dir, name, JOURNAL_MAX, &n);
    if (!bytes) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "reading journal %s/%s",
                           dir_path, name);
    }
    const char *path = tn_arena_printf(arena, "%s/%s", dir_path, name);
    tn_journal_read(arena, path, bytes, n, out);
    free(bytes);
    return TN_OK;
}

enum tn_code
tn_journal_unfinished(struct tn_state_lock *lock, struct tn_arena *arena,
                      const struct tn_journal_past **out, size_t *n,
                      struct tn_error *err)
{
    int dir = tn_state_journal_dir(lock);
    const char *path =
        tn_arena_printf(arena, "%s/journal", tn_state_path(lock));
    struct names names = {.arena = arena};
    if (list_runs(dir, &names) < 0) {
        return tn_state_fail(err, errno, tn_state_path(lock));
    }
    TN_VEC(struct tn_journal_past) runs = {0};
    for (size_t i = 0; i < names.list.n; i++) {
        if (has_ended(dir, names.list.items[i])) {
            continue;
        }
        struct tn_journal_past past;
        enum tn_code code =
            read_run(dir, path, names.list.items[i], arena, &past, err);
        if (code) {
            return code;
        }
        *tn_vec_push(arena, &runs) = past;
    }
    *out = runs.items;
    *n = runs.n;
    return TN_OK;
}

/* Cuts the torn tail and appends an end line. */
static int
close_run(int dir, const char *name, const char *run, const char *outcome)
{
    size_t n = 0;
    unsigned long lines = 0;
    TN_CLEANUP(tn_cleanup_free)
    char *bytes = read_tail(dir, name, JOURNAL_MAX, &n);
    TN_CLEANUP(tn_cleanup_fd)
    int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (!bytes || fd < 0) {
        return -1;
    }
    size_t whole = tn_journal_whole(bytes, n, run, &lines);
    TN_CLEANUP(tn_cleanup_text) struct tn_text line = {0};
    tn_line_begin(&line, lines + 1, "end");
    tn_line_add(&line, "outcome", outcome);
    tn_line_end(&line, run);
    if (ftruncate(fd, (off_t) whole) < 0) {
        return -1;
    }
    ssize_t k = pwrite(fd, tn_text_str(&line), line.n, (off_t) whole);
    if (k != (ssize_t) line.n) {
        errno = k < 0 ? errno : ENOSPC;
        return -1;
    }
    return fdatasync(fd);
}

enum tn_code
tn_journal_finish(struct tn_state_lock *lock,
                  const struct tn_journal_past *past, const char *outcome,
                  struct tn_error *err)
{
    int dir = tn_state_journal_dir(lock), rc;
    const char *slash = strrchr(past->path, '/');
    const char *name = slash ? slash + 1 : past->path;
    if (past->damaged) {
        char aside[NAME_MAX + 1];
        snprintf(aside, sizeof aside, "%s.damaged", name);
        rc = renameat(dir, name, dir, aside);
    } else if (!past->went) {
        rc = unlinkat(dir, name, 0);
    } else {
        rc = close_run(dir, name, past->run.id, outcome);
    }
    if (rc < 0 || fsync(dir) < 0) {
        enum tn_code code = tn_state_fail(err, errno, tn_state_path(lock));
        return tn_while(err, code, "closing the journal of run %s",
                        past->run.id);
    }
    return TN_OK;
}

enum tn_code
tn_journal_history(const char *dir_path, size_t max, struct tn_arena *arena,
                   const struct tn_journal_past **out, size_t *n,
                   struct tn_error *err)
{
    const char *path = tn_arena_printf(arena, "%s/journal", dir_path);
    TN_CLEANUP(tn_cleanup_fd)
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 && errno == ENOENT) {
        *out = NULL;
        *n = 0;
        return TN_OK;
    }
    struct names names = {.arena = arena};
    if (dir < 0 || list_runs(dir, &names) < 0) {
        return tn_state_fail(err, errno, dir_path);
    }
    TN_VEC(struct tn_journal_past) runs = {0};
    for (size_t i = names.list.n; i-- > 0 && runs.n < max;) {
        const char *name = names.list.items[i];
        struct tn_journal_past past;
        if (has_ended(dir, name) &&
            !read_run(dir, path, name, arena, &past, NULL)) {
            *tn_vec_push(arena, &runs) = past;
        }
    }
    *out = runs.items;
    *n = runs.n;
    return TN_OK;
}
