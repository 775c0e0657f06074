/* cache.c - the files of the cache, see cache.h.
 *
 * The index is a sequence of sealed records, one a tenant.  Records of tenants
 * that did not change are copied as they are, so that writing it costs one
 * write.  The documents of a large tenant are written anew only when a good
 * part of them was parsed again: until then, those are parsed once more in the
 * next run, which is cheaper than writing all. */
#include "model/compile/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/compile/cache_pack.h"

enum { PATH_TEXT = 4096, DOCS_REWRITE = 16 };
#define FILE_MOST ((off_t) 1 << 31)

struct record {
    struct tn_digest key;
    struct tn_part part;
    const char *raw; /* With its seal. */
    size_t n_raw;
};

struct tn_cache {
    const struct tn_world *world;
    char dir[PATH_TEXT - 512];
    uint64_t id;
    struct record *records; /* By tenant. */
    size_t n;
    bool clean;
    atomic_size_t bytes;
    atomic_uint serial; /* Of temporary names. */
};

/* ---- files -------------------------------------------------------------- */

static bool
file_path(const struct tn_cache *cache, const char *name, const char *suffix,
          char *out)
{
    int n = snprintf(out, PATH_TEXT, "%s/%s%s", cache->dir, name, suffix);
    return n > 0 && n < PATH_TEXT;
}

static bool
all_read(int fd, char *to, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, to, n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        to += got;
        n -= (size_t) got;
    }
    return true;
}

/* Null if the file cannot be read whole. */
static const char *
file_read(const struct tn_cache *cache, const char *path,
          struct tn_arena *arena, size_t *n)
{
    struct stat st;
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        st.st_size <= 0 || st.st_size > FILE_MOST) {
        return NULL;
    }
    *n = (size_t) st.st_size;
    char *bytes = tn_arena_alloc(arena, *n);
    if (!all_read(fd, bytes, *n)) {
        return NULL;
    }
    atomic_fetch_add(&((struct tn_cache *) (uintptr_t) cache)->bytes, *n);
    return bytes;
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

/* A run of bytes of a file to be written. */
struct piece {
    const char *bytes;
    size_t n;
};

static void
file_write(struct tn_cache *cache, const char *path, const struct piece *pieces,
           size_t n_pieces)
{
    char temporary[PATH_TEXT];
    int n = snprintf(temporary, sizeof temporary, "%s/.%ld.%u.tmp", cache->dir,
                     (long) getpid(), atomic_fetch_add(&cache->serial, 1));
    if (n < 0 || n >= PATH_TEXT) {
        return;
    }
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(temporary,
                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return;
    }
    bool good = true;
    for (size_t i = 0; i < n_pieces && good; i++) {
        good = all_written(fd, pieces[i].bytes, pieces[i].n);
        atomic_fetch_add(&cache->bytes, pieces[i].n);
    }
    if (!good || rename(temporary, path) < 0) {
        unlink(temporary);
    }
}

static bool
dir_make(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* ---- the index ---------------------------------------------------------- */

/* The first record of the index. */
struct index_head {
    uint64_t clean;
};

static bool
head_load(struct tn_cache *cache, const char *bytes, size_t n)
{
    const void *body = NULL;
    size_t n_body = 0;
    struct index_head head;
    if (!tn_pack_seal_check(bytes, n, cache->id, &body, &n_body) ||
        n_body != sizeof head) {
        return false;
    }
    memcpy(&head, body, sizeof head);
    cache->clean = head.clean == 1;
    return true;
}

static int
record_cmp(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    return strcmp(x->part.tenant, y->part.tenant);
}

static void
index_load(struct tn_cache *cache, struct tn_arena *arena)
{
    char path[PATH_TEXT];
    size_t n = 0, n_body = 0;
    const void *body = NULL;
    const char *bytes = file_path(cache, "index", "", path)
                            ? file_read(cache, path, arena, &n)
                            : NULL;
    TN_VEC(struct record) list = {0};
    if (!bytes || !head_load(cache, bytes, n)) {
        return;
    }
    bytes += TN_PACK_SEAL_SIZE + sizeof(struct index_head);
    n -= TN_PACK_SEAL_SIZE + sizeof(struct index_head);
    while (n > 0 && tn_pack_seal_check(bytes, n, cache->id, &body, &n_body)) {
        struct record r = {.raw = bytes, .n_raw = n_body + TN_PACK_SEAL_SIZE};
        struct tn_unpacker u = {.arena = arena, .next = body};
        u.end = u.next + n_body;
        if (!tn_unpack_image(&u, &r.key, sizeof r.key) ||
            !tn_part_unpack(&u, &r.part)) {
            break;
        }
        *tn_vec_push(arena, &list) = r;
        bytes += r.n_raw;
        n -= r.n_raw;
    }
    if (list.n > 1) {
        qsort(list.items, list.n, sizeof *list.items, record_cmp);
    }
    cache->records = list.items;
    cache->n = list.n;
}

static const struct record *
record_find(const struct tn_cache *cache, const char *tenant)
{
    const struct record wanted = {.part.tenant = tenant};
    return cache->n ? bsearch(&wanted, cache->records, cache->n,
                              sizeof *cache->records, record_cmp)
                    : NULL;
}

struct tn_cache *
tn_cache_open(const char *dir, const struct tn_world *world,
              struct tn_arena *arena)
{
    char env[TN_DIGEST_HEX];
    const char *name = world->environment;
    if (!dir) {
        return NULL;
    }
    if (!tn_is_label(name)) {
        struct tn_digest d = tn_digest_of(name, strlen(name));
        name = tn_digest_hex(&d, env);
    }
    struct tn_cache *cache = tn_new(arena, struct tn_cache);
    cache->world = world;
    cache->id = tn_cache_layout_id();
    int n = snprintf(cache->dir, sizeof cache->dir, "%s/compile", dir);
    if (n < 0 || (size_t) n + strlen(name) + 2 > sizeof cache->dir ||
        !dir_make(dir) || !dir_make(cache->dir)) {
        return NULL;
    }
    snprintf(cache->dir, sizeof cache->dir, "%s/compile/%s", dir, name);
    if (!dir_make(cache->dir)) {
        return NULL;
    }
    index_load(cache, arena);
    return cache;
}

struct tn_digest
tn_cache_key(const struct tn_world *world, const char *tenant,
             const struct tn_digest *content)
{
    struct tn_digester d;
    size_t n = 0;
    const struct tn_pin *pins =
        tn_pins_of_tenant(world->pins, world->n_pins, tenant, &n);
    tn_digester_init(&d);
    tn_digester_add(&d, &world->digest, sizeof world->digest);
    tn_digester_add(&d, content, sizeof *content);
    tn_digester_add_str(&d, tenant);
    for (size_t i = 0; i < n; i++) {
        tn_digester_add_str(&d, pins[i].object);
        tn_digester_add(&d, &pins[i].vni, sizeof pins[i].vni);
        tn_digester_add(&d, pins[i].mac.b, sizeof pins[i].mac.b);
        tn_digester_add(&d, &pins[i].address.family, 1);
        tn_digester_add(&d, pins[i].address.b, sizeof pins[i].address.b);
        tn_digester_add(&d, &pins[i].address6.family, 1);
        tn_digester_add(&d, pins[i].address6.b, sizeof pins[i].address6.b);
    }
    return tn_digester_end(&d);
}

bool
tn_cache_part(const struct tn_cache *cache, const char *tenant,
              const struct tn_digest *key, struct tn_part *out)
{
    const struct record *r = record_find(cache, tenant);
    if (!r || !tn_digest_eq(&r->key, key)) {
        return false;
    }
    *out = r->part;
    return true;
}

bool
tn_cache_net(const struct tn_cache *cache, const struct tn_digest *key,
             struct tn_arena *arena, struct tn_part *part)
{
    char path[PATH_TEXT];
    size_t n = 0, n_body = 0;
    const void *body = NULL;
    struct tn_digest found;
    if (!file_path(cache, part->tenant, ".net", path)) {
        return false;
    }
    const char *bytes = file_read(cache, path, arena, &n);
    if (!bytes || !tn_pack_seal_check(bytes, n, cache->id, &body, &n_body)) {
        return false;
    }
    struct tn_unpacker u = {.arena = arena, .next = body};
    u.end = u.next + n_body;
    return tn_unpack_image(&u, &found, sizeof found) &&
           tn_digest_eq(&found, key) &&
           tn_net_unpack(&u, part, cache->world->inventory);
}

void
tn_cache_store(struct tn_cache *cache, const struct tn_digest *key,
               const struct tn_part *part, struct tn_text *record)
{
    char path[PATH_TEXT];
    TN_CLEANUP(tn_cleanup_text) struct tn_text net = {0};
    if (!file_path(cache, part->tenant, ".net", path)) {
        return;
    }
    size_t start = tn_pack_seal_begin(&net, cache->id);
    tn_text_addn(&net, (const char *) key->b, sizeof key->b);
    tn_net_pack(&net, part, cache->world->inventory);
    tn_pack_seal_end(&net, start);
    file_write(cache, path, &(struct piece){tn_text_str(&net), net.n}, 1);
    start = tn_pack_seal_begin(record, cache->id);
    tn_text_addn(record, (const char *) key->b, sizeof key->b);
    tn_part_pack(record, part);
    tn_pack_seal_end(record, start);
}

/* ---- documents ---------------------------------------------------------- */

/* Head of a file's documents. */
struct docs_head {
    struct tn_oid id;
    uint64_t bytes;
    uint32_t n_docs, size;
};

static int
cached_cmp(const void *a, const void *b)
{
    const struct tn_cached_file *x = a, *y = b;
    return memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

struct tn_cached_docs
tn_cache_docs(const struct tn_cache *cache, const char *tenant,
              struct tn_arena *arena)
{
    char path[PATH_TEXT];
    size_t n = 0, n_body = 0;
    const void *body = NULL;
    struct tn_cached_docs none = {0};
    const char *bytes = file_path(cache, tenant, ".docs", path)
                            ? file_read(cache, path, arena, &n)
                            : NULL;
    if (!bytes || !tn_pack_seal_check(bytes, n, cache->id, &body, &n_body)) {
        return none;
    }
    TN_VEC(struct tn_cached_file) list = {0};
    const char *next = body, *end = next + n_body;
    while (next < end) {
        struct docs_head head;
        if ((size_t) (end - next) < sizeof head) {
            return none;
        }
        memcpy(&head, next, sizeof head);
        next += sizeof head;
        if (head.size > (size_t) (end - next)) {
            return none;
        }
        *tn_vec_push(arena, &list) = (struct tn_cached_file){
            head.id, head.bytes, next, head.n_docs, head.size};
        next += head.size;
    }
    if (list.n > 1) {
        qsort(list.items, list.n, sizeof *list.items, cached_cmp);
    }
    return (struct tn_cached_docs){list.items, list.n};
}

bool
tn_cached_docs_get(const struct tn_cached_docs *docs, struct tn_arena *arena,
                   struct tn_intent_file *file)
{
    const struct tn_cached_file wanted = {.id = file->id};
    const struct tn_cached_file *found =
        docs->n && tn_oid_known(&file->id)
            ? bsearch(&wanted, docs->files, docs->n, sizeof *docs->files,
                      cached_cmp)
            : NULL;
    if (!found || found->n_docs > found->size) {
        return false;
    }
    struct tn_document *list =
        tn_new_n(arena, struct tn_document, found->n_docs);
    const char *next = found->docs, *end = next + found->size;
    for (uint32_t i = 0; i < found->n_docs; i++) {
        uint32_t size = 0;
        if ((size_t) (end - next) < sizeof size) {
            return false;
        }
        memcpy(&size, next, sizeof size);
        next += sizeof size;
        if (size > (size_t) (end - next) ||
            !tn_document_unpack(arena, next, size, file->path, &list[i])) {
            return false;
        }
        next += size;
    }
    file->docs = list;
    file->n_docs = found->n_docs;
    file->bytes = (size_t) found->bytes;
    file->clean = true;
    return true;
}

static void
file_pack(struct tn_text *out, const struct tn_intent_file *file)
{
    struct docs_head head = {
        .id = file->id,
        .bytes = file->bytes,
        .n_docs = (uint32_t) file->n_docs,
    };
    size_t at = out->n;
    tn_text_addn(out, (const char *) &head, sizeof head);
    for (size_t i = 0; i < file->n_docs; i++) {
        uint32_t size = 0;
        size_t start = out->n;
        tn_text_addn(out, (const char *) &size, sizeof size);
        tn_document_pack(out, &file->docs[i]);
        size = (uint32_t) (out->n - start - sizeof size);
        memcpy(out->s + start, &size, sizeof size);
    }
    head.size = (uint32_t) (out->n - at - sizeof head);
    memcpy(out->s + at, &head, sizeof head);
}

void
tn_cache_store_docs(struct tn_cache *cache, const char *tenant,
                    const struct tn_intent_file *files, size_t n)
{
    char path[PATH_TEXT];
    size_t parsed = 0;
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    for (size_t i = 0; i < n; i++) {
        parsed += files[i].parsed && files[i].clean;
    }
    if (parsed * DOCS_REWRITE <= n ||
        !file_path(cache, tenant, ".docs", path)) {
        return;
    }
    size_t start = tn_pack_seal_begin(&text, cache->id);
    for (size_t i = 0; i < n; i++) {
        if (files[i].clean && tn_oid_known(&files[i].id)) {
            file_pack(&text, &files[i]);
        }
    }
    tn_pack_seal_end(&text, start);
    file_write(cache, path, &(struct piece){tn_text_str(&text), text.n}, 1);
}

/* ---- the next index ----------------------------------------------------- */

/* Drops the files of tenants that are gone. */
static void
gone_remove(const struct tn_cache *cache, const struct tn_cache_record *records,
            size_t n)
{
    char path[PATH_TEXT];
    size_t k = 0;
    for (size_t i = 0; i < cache->n; i++) {
        const char *tenant = cache->records[i].part.tenant;
        while (k < n && strcmp(records[k].tenant, tenant) < 0) {
            k++;
        }
        if (k < n && strcmp(records[k].tenant, tenant) == 0) {
            continue;
        }
        if (tn_is_label(tenant)) {
            if (file_path(cache, tenant, ".net", path)) {
                unlink(path);
            }
            if (file_path(cache, tenant, ".docs", path)) {
                unlink(path);
            }
        }
    }
}

bool
tn_cache_clean(const struct tn_cache *cache)
{
    return cache->clean;
}

/* Joins runs that lie behind each other, so that old records cost one write. */
static size_t
piece_add(struct piece *pieces, size_t n, const char *bytes, size_t size)
{
    if (n > 0 && pieces[n - 1].bytes + pieces[n - 1].n == bytes) {
        pieces[n - 1].n += size;
        return n;
    }
    pieces[n] = (struct piece){bytes, size};
    return n + 1;
}

static size_t
records_add(const struct tn_cache *cache, struct piece *pieces, size_t n_pieces,
            const struct tn_cache_record *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct tn_text *text = records[i].text;
        const struct record *old =
            records[i].same ? record_find(cache, records[i].tenant) : NULL;
        if (old) {
            n_pieces = piece_add(pieces, n_pieces, old->raw, old->n_raw);
        } else if (text && text->n) {
            n_pieces = piece_add(pieces, n_pieces, tn_text_str(text), text->n);
        }
    }
    return n_pieces;
}

void
tn_cache_close(struct tn_cache *cache, const struct tn_cache_record *records,
               size_t n, bool clean)
{
    char path[PATH_TEXT];
    struct index_head head = {clean};
    TN_CLEANUP(tn_cleanup_text) struct tn_text first = {0};
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        same += records[i].same;
    }
    if (same == n && n == cache->n && clean == cache->clean) {
        return;
    }
    TN_CLEANUP(tn_cleanup_free)
    struct piece *pieces = calloc(n + 1, sizeof *pieces);
    if (!pieces || !file_path(cache, "index", "", path)) {
        return;
    }
    size_t start = tn_pack_seal_begin(&first, cache->id);
    tn_text_addn(&first, (const char *) &head, sizeof head);
    tn_pack_seal_end(&first, start);
    size_t n_pieces = piece_add(pieces, 0, tn_text_str(&first), first.n);
    n_pieces = records_add(cache, pieces, n_pieces, records, n);
    file_write(cache, path, pieces, n_pieces);
    gone_remove(cache, records, n);
}

size_t
tn_cache_bytes(const struct tn_cache *cache)
{
    return atomic_load(&((struct tn_cache *) (uintptr_t) cache)->bytes);
}
