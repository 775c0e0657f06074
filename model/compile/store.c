/* store.c - see store.h.
 *
 * A store begins with the id of the layouts and its generation.  An append is
 * one write to a file opened for appending, after which the position tells
 * where the bytes went, whatever others append meanwhile.  Nothing is synced:
 * checksums find what a power failure left out. */
#include "model/compile/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/digest.h"

#define FILE_MOST ((off_t) 1 << 31)

/* What a hand takes of a file at once. */
enum { EXTENT = 224 * 1024 };

struct store_head {
    uint64_t id, generation;
};

static bool
path_of(const struct tn_store_dir *dir, const char *name, const char *suffix,
        char *out)
{
    int n = snprintf(out, TN_STORE_PATH, "%s/%s%s", dir->path, name, suffix);
    return n > 0 && n < TN_STORE_PATH;
}

static bool
all_read(int fd, char *to, size_t n, off_t at)
{
    while (n > 0) {
        ssize_t got = pread(fd, to, n, at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        to += got;
        at += got;
        n -= (size_t) got;
    }
    return true;
}

static bool
all_written_at(int fd, const char *from, size_t n, off_t at)
{
    while (n > 0) {
        ssize_t put = pwrite(fd, from, n, at);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        from += put;
        at += put;
        n -= (size_t) put;
    }
    return true;
}

static bool
all_written(int fd, const char *from, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, from, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        from += put;
        n -= (size_t) put;
    }
    return true;
}

static bool
is_usable(int fd, struct stat *st)
{
    return fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
           st->st_size > 0 && st->st_size <= FILE_MOST;
}

const char *
tn_store_load(struct tn_store_dir *dir, const char *name, const char *suffix,
              struct tn_arena *arena, size_t *n)
{
    char path[TN_STORE_PATH];
    struct stat st;
    if (!path_of(dir, name, suffix, path)) {
        return NULL;
    }
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (!is_usable(fd, &st)) {
        return NULL;
    }
    *n = (size_t) st.st_size;
    char *bytes = tn_arena_alloc(arena, *n);
    if (!all_read(fd, bytes, *n, 0)) {
        return NULL;
    }
    atomic_fetch_add(&dir->bytes, *n);
    return bytes;
}

/* A new file beside the others; its path is in 'path'. */
static int
temporary_open(struct tn_store_dir *dir, char path[TN_STORE_PATH])
{
    int length = snprintf(path, TN_STORE_PATH, "%s/.%ld.%u.tmp", dir->path,
                          (long) getpid(), atomic_fetch_add(&dir->serial, 1));
    if (length < 0 || length >= TN_STORE_PATH) {
        return -1;
    }
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                0600);
}

/* Puts a new file in its place.  Two that change places are not waited for; a
 * file that is renamed over another is first sent to the disk. */
static bool
file_place(const char *temporary, const char *path)
{
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
        unlink(temporary);
        return true;
    }
    return rename(temporary, path) == 0;
}

bool
tn_store_replace(struct tn_store_dir *dir, const char *name, const char *suffix,
                 const struct tn_bytes *runs, size_t n)
{
    char path[TN_STORE_PATH], temporary[TN_STORE_PATH];
    if (!path_of(dir, name, suffix, path)) {
        return false;
    }
    TN_CLEANUP(tn_cleanup_fd) int fd = temporary_open(dir, temporary);
    if (fd < 0) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < n && good; i++) {
        good = all_written(fd, runs[i].at, runs[i].n);
        atomic_fetch_add(&dir->bytes, runs[i].n);
    }
    if (!good || !file_place(temporary, path)) {
        unlink(temporary);
        return false;
    }
    return true;
}

void
tn_store_remove(const struct tn_store_dir *dir, const char *name,
                const char *suffix)
{
    char path[TN_STORE_PATH];
    if (path_of(dir, name, suffix, path)) {
        unlink(path);
    }
}

bool
tn_store_open(struct tn_store *store, const struct tn_store_dir *dir,
              const char *name, const char *suffix, uint64_t generation)
{
    char path[TN_STORE_PATH];
    struct stat st;
    struct store_head head;
    *store = (struct tn_store){0};
    if (!generation || !path_of(dir, name, suffix, path)) {
        return false;
    }
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && (errno == EACCES || errno == EROFS)) {
        /* Then it can be read, and appending fails. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    bool good = is_usable(fd, &st) &&
                all_read(fd, (char *) &head, sizeof head, 0) &&
                head.id == dir->id && head.generation == generation;
    if (good) {
        *store = (struct tn_store){true, fd, generation, (uint64_t) st.st_size};
    } else if (fd >= 0) {
        close(fd);
    }
    return good;
}

void
tn_store_close(struct tn_store *store)
{
    if (store->open) {
        close(store->fd);
    }
    *store = (struct tn_store){0};
}

const char *
tn_store_get(const struct tn_store *store, struct tn_store_dir *dir,
             const struct tn_chunk *chunk, struct tn_arena *arena)
{
    if (!store->open || chunk->at > store->size ||
        chunk->size > store->size - chunk->at) {
        return NULL;
    }
    char *bytes = tn_arena_alloc(arena, (size_t) chunk->size + 1);
    if (!all_read(store->fd, bytes, (size_t) chunk->size, (off_t) chunk->at) ||
        tn_hash64(bytes, (size_t) chunk->size) != chunk->check) {
        return NULL;
    }
    atomic_fetch_add(&dir->bytes, (size_t) chunk->size);
    return bytes;
}

const char *
tn_store_all(const struct tn_store *store, struct tn_store_dir *dir,
             struct tn_arena *arena, size_t *n)
{
    if (!store->open) {
        return NULL;
    }
    *n = (size_t) store->size;
    char *bytes = tn_arena_alloc(arena, *n);
    if (!all_read(store->fd, bytes, *n, 0)) {
        return NULL;
    }
    atomic_fetch_add(&dir->bytes, *n);
    return bytes;
}

const char *
tn_chunk_in(const struct tn_chunk *chunk, const char *all, size_t n)
{
    if (chunk->at > n || chunk->size > n - chunk->at ||
        tn_hash64(all + chunk->at, (size_t) chunk->size) != chunk->check) {
        return NULL;
    }
    return all + chunk->at;
}

struct tn_chunk
tn_chunk_of(const struct tn_text *text, size_t start)
{
    size_t n = text->n - start;
    return (struct tn_chunk){start, tn_hash64(tn_text_str(text) + start, n), n};
}

bool
tn_store_create(struct tn_store_writer *writer, struct tn_store_dir *dir)
{
    struct store_head head = {.id = dir->id};
    *writer = (struct tn_store_writer){.dir = dir, .end = sizeof head};
    if (getrandom(&head.generation, sizeof head.generation, GRND_NONBLOCK) !=
            (ssize_t) sizeof head.generation ||
        !head.generation) {
        return false;
    }
    writer->generation = head.generation;
    writer->fd = temporary_open(dir, writer->temporary);
    writer->open = writer->fd >= 0;
    if (writer->open &&
        !all_written_at(writer->fd, (const char *) &head, sizeof head, 0)) {
        tn_store_abandon(writer);
    }
    return writer->open;
}

static void
hand_write(struct tn_store_writer *writer, struct tn_store_hand *hand, size_t n)
{
    if (n && !all_written_at(writer->fd, hand->text.s, n, (off_t) hand->at)) {
        atomic_store(&writer->bad, true);
    }
    atomic_fetch_add(&writer->dir->bytes, n);
}

struct tn_chunk
tn_store_put(struct tn_store_writer *writer, struct tn_store_hand *hand,
             size_t start)
{
    struct tn_text *text = &hand->text;
    size_t n = text->n - start;
    if (text->n > hand->room) {
        hand_write(writer, hand, start);
        if (n) {
            memmove(text->s, text->s + start, n);
        }
        text->n = n;
        start = 0;
        hand->room = n > EXTENT ? n : EXTENT;
        hand->at = atomic_fetch_add(&writer->end, hand->room);
        if (hand->at + hand->room > (uint64_t) FILE_MOST) {
            atomic_store(&writer->bad, true);
            hand->at = 0;
        }
    }
    struct tn_chunk chunk = tn_chunk_of(text, start);
    chunk.at += hand->at;
    return chunk;
}

void
tn_store_hand_done(struct tn_store_writer *writer, struct tn_store_hand *hand)
{
    if (writer->open) {
        hand_write(writer, hand, hand->text.n);
    }
    tn_text_done(&hand->text);
    *hand = (struct tn_store_hand){0};
}

uint64_t
tn_store_finish(struct tn_store_writer *writer, const char *name,
                const char *suffix)
{
    char path[TN_STORE_PATH];
    if (!writer->open || atomic_load(&writer->bad) ||
        !path_of(writer->dir, name, suffix, path) ||
        rename(writer->temporary, path) < 0) {
        tn_store_abandon(writer);
        return 0;
    }
    uint64_t generation = writer->generation;
    close(writer->fd);
    *writer = (struct tn_store_writer){0};
    return generation;
}

void
tn_store_abandon(struct tn_store_writer *writer)
{
    if (writer->open) {
        unlink(writer->temporary);
        close(writer->fd);
    }
    *writer = (struct tn_store_writer){0};
}

bool
tn_store_append(struct tn_store *store, struct tn_store_dir *dir,
                const struct tn_text *text, uint64_t *at)
{
    if (!store->open) {
        return false;
    }
    if (text->n == 0) {
        *at = store->size;
        return true;
    }
    if (write(store->fd, text->s, text->n) != (ssize_t) text->n) {
        return false;
    }
    off_t end = lseek(store->fd, 0, SEEK_CUR);
    if (end < (off_t) text->n || end > FILE_MOST) {
        return false;
    }
    atomic_fetch_add(&dir->bytes, text->n);
    store->size = (uint64_t) end;
    *at = (uint64_t) end - text->n;
    return true;
}

uint64_t
tn_store_compact(const struct tn_store *store, struct tn_store_dir *dir,
                 const char *name, const char *suffix,
                 struct tn_chunk *const *chunks, size_t n)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_store_writer) struct tn_store_writer writer = {0};
    struct tn_store_hand hand = {0};
    size_t n_all = 0;
    const char *all = tn_store_all(store, dir, arena, &n_all);
    struct tn_chunk *moved = tn_new_n(arena, struct tn_chunk, n);
    bool good = all && tn_store_create(&writer, dir);
    for (size_t i = 0; i < n && good; i++) {
        const char *bytes = tn_chunk_in(chunks[i], all, n_all);
        size_t start = hand.text.n;
        good = bytes != NULL;
        if (good) {
            tn_text_addn(&hand.text, bytes, (size_t) chunks[i]->size);
            moved[i] = tn_store_put(&writer, &hand, start);
        }
    }
    tn_store_hand_done(&writer, &hand);
    uint64_t generation = good ? tn_store_finish(&writer, name, suffix) : 0;
    for (size_t i = 0; generation && i < n; i++) {
        *chunks[i] = moved[i];
    }
    return generation;
}
