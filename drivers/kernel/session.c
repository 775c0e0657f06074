/* session.c - see session.h. */
#include "drivers/kernel/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/kernel/nft.h"
#include "drivers/kernel/probe.h"

/* What the aliases of all instances begin with. */
#define ANY_MARK "tenet:"

/* The index of the loopback in every namespace. */
enum { LOOPBACK = 1 };

void
tn_k_space_close(struct tn_k_space *space)
{
    tn_k_sock_close(&space->sock);
    if (space->fd >= 0) {
        close(space->fd);
    }
    space->fd = -1;
    space->epoch = 0;
    space->next_index = 0;
    space->proved = false;
    space->ipv6 = false;
    space->tuned = false;
}

/* From so many links on, two threads read a namespace. */
enum { LARGE = 1000 };

struct tn_k_space *
tn_k_space_slot(struct tn_session *s, const char *name)
{
    struct tn_k_space *space = tn_map_get(&s->spaces, name);
    if (!space) {
        space = tn_new(s->arena, struct tn_k_space);
        space->name = tn_arena_strdup(s->arena, name);
        space->fd = -1;
        tn_map_put(&s->spaces, space->name, space);
        *tn_vec_push(s->arena, &s->all) = space;
    }
    return space;
}

/* Takes 'fd' over; the thread is inside. */
static enum tn_code
space_use(struct tn_k_space *space, int fd, struct tn_error *err)
{
    struct stat st;
    tn_k_space_close(space);
    space->fd = fd;
    if (fstat(fd, &st) < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "network namespace");
    }
    space->inode = st.st_ino;
    return tn_k_sock_open(&space->sock, err);
}

/* Its name stands for nothing, or for another one: nothing of ours must keep
 * alive what is in it. */
static void
space_lost(const struct tn_session *s, struct tn_k_space *space)
{
    if (space->fd >= 0) {
        tn_k_space_close(space);
        tn_nft_settle(s->nft);
    }
}

enum tn_code
tn_k_space_open(const struct tn_session *s, struct tn_k_space *space,
                struct tn_error *err)
{
    if (space->fd >= 0 && space->epoch == s->epoch) {
        return TN_OK;
    }
    int fd = -1;
    enum tn_code code = TN_OK;
    if (space->name[0]) {
        code = tn_k_netns_open(space->name, &fd, err);
    } else {
        fd = fcntl(s->home, F_DUPFD_CLOEXEC, 0);
    }
    if (code != TN_OK) {
        space_lost(s, space);
        return code;
    }
    struct stat st;
    if (space->fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == space->inode) {
        close(fd);
        return TN_OK;
    }
    space_lost(s, space);
    code = tn_k_netns_enter(fd, err);
    if (code != TN_OK) {
        close(fd);
        return code;
    }
    code = space_use(space, fd, err);
    if (code != TN_OK) {
        tn_k_space_close(space);
    }
    return code;
}

enum tn_code
tn_k_space_get(struct tn_session *s, const char *name, struct tn_k_space **out,
               struct tn_error *err)
{
    struct tn_k_space *space = tn_k_space_slot(s, name);
    enum tn_code code = tn_k_space_open(s, space, err);
    if (code == TN_OK) {
        *out = space;
    }
    return code;
}

enum tn_code
tn_k_space_adopt(struct tn_session *s, const char *name,
                 struct tn_k_space **out, struct tn_error *err)
{
    struct tn_k_space *space = tn_k_space_slot(s, name);
    int fd = -1;
    enum tn_code code = tn_k_netns_open(NULL, &fd, err);
    if (code == TN_OK) {
        code = space_use(space, fd, err);
    }
    if (code == TN_OK) {
        *out = space;
    }
    return code;
}

/* Everything of a VPC but links, neighbours and forwarding entries. */
static enum tn_code
load_layer3(struct tn_k_table *t, enum tn_k_depth depth, struct tn_k_sock *sock,
            struct tn_error *err)
{
    enum tn_code code = tn_k_table_addrs(t, sock, err);
    if (code == TN_OK) {
        code = tn_k_table_routes(t, sock, err);
    }
    if (code == TN_OK && depth >= TN_K_VPC) {
        code = tn_k_table_rules(t, sock, err);
    }
    if (code == TN_OK && depth >= TN_K_VPC) {
        code = tn_k_table_other_routes(t, sock, err);
    }
    if (code == TN_OK && depth >= TN_K_VPC) {
        code = tn_k_table_qdiscs(t, sock, err);
    }
    return code;
}

static enum tn_code
load_layer2(struct tn_k_table *t, struct tn_k_sock *sock, struct tn_error *err)
{
    enum tn_code code = tn_k_table_neighs(t, sock, err);
    return code == TN_OK ? tn_k_table_fdb(t, sock, err) : code;
}

/* One half of a large namespace, read by a thread of its own. */
struct beside {
    const struct tn_k_space *space;
    struct tn_k_table table; /* Borrows the links; the rest is in its arena. */
    enum tn_code code;
    struct tn_error err;
};

static void *
beside_main(void *arg)
{
    struct beside *b = arg;
    struct tn_k_sock sock = {0};
    b->code = tn_k_netns_enter(b->space->fd, &b->err);
    if (b->code == TN_OK) {
        b->code = tn_k_sock_open(&sock, &b->err);
    }
    if (b->code == TN_OK) {
        b->code = load_layer3(&b->table, TN_K_VPC, &sock, &b->err);
    }
    tn_k_sock_close(&sock);
    return NULL;
}

static enum tn_code
load_halves(struct tn_k_space *space, struct tn_arena *arena,
            struct tn_error *err)
{
    struct tn_k_table *t = &space->table;
    struct beside b = {.space = space, .table = *t};
    pthread_t thread;
    b.table.arena = tn_arena_new();
    if (pthread_create(&thread, NULL, beside_main, &b) != 0) {
        tn_arena_free(b.table.arena);
        enum tn_code code = load_layer3(t, TN_K_VPC, &space->sock, err);
        return code == TN_OK ? load_layer2(t, &space->sock, err) : code;
    }
    enum tn_code code = load_layer2(t, &space->sock, err);
    pthread_join(thread, NULL);
    tn_arena_adopt(arena, b.table.arena);
    if (code == TN_OK && b.code != TN_OK && err) {
        *err = b.err;
    }
    struct tn_k_table whole = b.table;
    whole.arena = t->arena;
    whole.neighs.items = t->neighs.items;
    whole.neighs.n = t->neighs.n;
    whole.neighs.cap = t->neighs.cap;
    whole.fdb.items = t->fdb.items;
    whole.fdb.n = t->fdb.n;
    whole.fdb.cap = t->fdb.cap;
    whole.fdb_start = t->fdb_start;
    *t = whole;
    return code == TN_OK ? b.code : code;
}

enum tn_code
tn_k_space_load(struct tn_k_space *space, enum tn_k_depth depth,
                struct tn_arena *arena, struct tn_error *err)
{
    struct tn_k_table *t = &space->table;
    enum tn_code code = tn_k_table_links(t, arena, &space->sock, err);
    if (code == TN_OK && depth >= TN_K_VPC && t->links.n >= LARGE) {
        code = load_halves(space, arena, err);
    } else if (code == TN_OK && depth >= TN_K_PORTS) {
        code = load_layer3(t, depth, &space->sock, err);
        if (code == TN_OK && depth >= TN_K_VPC) {
            code = load_layer2(t, &space->sock, err);
        }
    }
    if (code != TN_OK) {
        return tn_while(err, code, "namespace %s",
                        space->name[0] ? space->name : "of this process");
    }
    return TN_OK;
}

void
tn_k_space_keep(struct tn_session *s, struct tn_k_space *space,
                enum tn_k_depth depth)
{
    space->table.arena = s->seen;
    space->epoch = s->epoch;
    space->depth = depth;
    space->next_index = 0;
    tn_map_init(&space->made, s->seen, 0);
}

enum tn_code
tn_k_space_read(struct tn_session *s, struct tn_k_space *space,
                enum tn_k_depth depth, struct tn_error *err)
{
    if (space->epoch == s->epoch) {
        return TN_OK;
    }
    enum tn_code code = tn_k_space_load(space, depth, s->seen, err);
    if (code == TN_OK) {
        tn_k_space_keep(s, space, depth);
    }
    return code;
}

const struct tn_k_space *
tn_k_space_seen(const struct tn_session *s, const char *name)
{
    const struct tn_k_space *space = tn_map_get(&s->spaces, name);
    return space && space->epoch == s->epoch ? space : NULL;
}

bool
tn_k_space_joins(const struct tn_session *s, const struct tn_k_seen_link *l,
                 const char *ns, const char *name)
{
    const struct tn_k_space *space = tn_k_space_seen(s, ns);
    const struct tn_k_seen_link *other =
        space ? tn_k_table_by_index(&space->table, l->peer_index) : NULL;
    return other && l->type == TN_K_TYPE_VETH &&
           other->type == TN_K_TYPE_VETH &&
           other->peer_index == l->link.index &&
           (!name || strcmp(other->link.name, name) == 0);
}

bool
tn_k_ahead_join(struct tn_session *s)
{
    bool ahead = s->ahead;
    if (ahead) {
        pthread_join(s->reader, NULL);
        s->ahead = false;
    }
    return ahead;
}

void
tn_k_session_renew(struct tn_session *s)
{
    tn_arena_reset(s->seen);
    s->epoch++;
    for (size_t i = 0; i < s->all.n; i++) {
        s->all.items[i]->table = (struct tn_k_table){0};
        s->all.items[i]->epoch = 0;
    }
}

uint32_t
tn_k_space_index(const struct tn_k_space *space, const char *name)
{
    if (space->epoch == 0) {
        return 0;
    }
    const uint32_t *made = tn_map_get(&space->made, name);
    if (made) {
        return *made;
    }
    const struct tn_k_seen_link *l = tn_k_table_by_name(&space->table, name);
    return l ? l->link.index : 0;
}

void
tn_k_space_note_index(struct tn_session *s, struct tn_k_space *space,
                      const char *name, uint32_t index)
{
    uint32_t *noted = tn_new(s->seen, uint32_t);
    *noted = index;
    tn_map_put(&space->made, tn_arena_strdup(s->seen, name), noted);
}

uint32_t
tn_k_space_new_index(struct tn_session *s, struct tn_k_space *space,
                     const char *name)
{
    if (space->next_index == 0) {
        space->next_index = space->table.top_index + 1;
    }
    uint32_t index = space->next_index++;
    tn_k_space_note_index(s, space, name, index);
    return index;
}

const char *
tn_k_space_alias(const struct tn_k_space *space)
{
    const struct tn_k_seen_link *lo =
        tn_k_table_by_index(&space->table, LOOPBACK);
    return lo ? lo->alias : "";
}

bool
tn_k_space_marked(const struct tn_k_space *space, const char *mark)
{
    return strncmp(tn_k_space_alias(space), mark, strlen(mark)) == 0;
}

static bool
is_marked_bridge(const struct tn_k_seen_link *l, const char *mark)
{
    static const char kind[] = "bridge/";
    size_t n = strlen(mark), n_kind = sizeof kind - 1;
    return l->type == TN_K_TYPE_BRIDGE && l->group == TN_K_GROUP &&
           strncmp(l->alias, mark, n) == 0 &&
           strncmp(l->alias + n, kind, n_kind) == 0 &&
           strcmp(l->alias + n + n_kind, l->link.name) == 0;
}

bool
tn_k_space_lost_mark(const struct tn_k_space *space, const char *mark)
{
    const struct tn_k_table *t = &space->table;
    if (strncmp(tn_k_space_alias(space), ANY_MARK, sizeof ANY_MARK - 1) == 0) {
        return false;
    }
    for (size_t i = 0; i < t->links.n; i++) {
        if (is_marked_bridge(&t->links.items[i], mark)) {
            return true;
        }
    }
    return false;
}

/* Two descriptors a namespace: the usual soft limit of 1024 is soon reached. */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

struct open_args {
    struct tn_session *s;
};

static enum tn_code
open_underlay(void *ctx, struct tn_error *err)
{
    struct tn_session *s = ((struct open_args *) ctx)->s;
    const char *lab = s->device->host->config.kernel_netns;
    enum tn_code code = tn_k_space_get(s, lab ? lab : "", &s->underlay, err);
    return code == TN_ENOENT ? TN_EUNAVAILABLE : code;
}

enum tn_code
tn_k_open(const struct tn_device *device, const struct tn_driver_env *env,
          struct tn_session **out, struct tn_error *err)
{
    struct tn_session *s = calloc(1, sizeof *s);
    if (!s) {
        return tn_fail(err, TN_EINTERNAL, ENOMEM, "out of memory");
    }
    raise_descriptor_limit();
    s->device = device;
    s->arena = tn_arena_new();
    s->seen = tn_arena_new();
    s->epoch = 1;
    s->home = -1;
    s->mark = tn_arena_printf(s->arena, ANY_MARK "%s:", device->instance);
    s->ports_mark =
        tn_arena_printf(s->arena, "%sports-of/%s/", s->mark, device->name);
    tn_map_init(&s->spaces, s->arena, 0);
    enum tn_code code = tn_k_netns_open(NULL, &s->home, err);
    if (code == TN_OK) {
        code = tn_k_probe(env, err);
    }
    if (code == TN_OK) {
        code = tn_nft_new(env, &s->nft, err);
    }
    if (code == TN_OK) {
        struct open_args args = {s};
        code = tn_k_excursion(open_underlay, &args, err);
    }
    if (code != TN_OK) {
        tn_k_close(s);
        return code;
    }
    *out = s;
    return TN_OK;
}

void
tn_k_close(struct tn_session *s)
{
    if (!s) {
        return;
    }
    tn_k_ahead_join(s);
    for (size_t i = 0; i < s->all.n; i++) {
        for (int level = 0; level < TN_K_LEVELS; level++) {
            tn_k_batch_done(&s->all.items[i]->lanes[level]);
        }
        tn_k_space_close(s->all.items[i]);
    }
    if (s->home >= 0) {
        close(s->home);
    }
    tn_nft_free(s->nft);
    tn_arena_free(s->seen);
    tn_arena_free(s->arena);
    free(s);
}
