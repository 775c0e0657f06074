/* watch_space.c - namespaces as they come and go, and the links in them.
 *
 * A namespace is known by the number it has in the watch's own: one that has
 * none yet is new, whatever its file is called and whatever its inode.  Links
 * are remembered because most messages name them by index only, and because
 * the kernel announces a link again and again without anything having changed
 * that observe() reads. */
#include "drivers/kernel/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/kernel/netns.h"
#include "model/base/cleanup.h"

enum { RETRY_FIRST_MS = 1, RETRY_LAST_MS = 2000, FOLDER_MS = 500 };

struct tn_k_heard_link *
tn_k_watched_link(const struct tn_k_watched *space, uint32_t index)
{
    size_t low = 0, high = space->n_links;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (space->links[mid].index == index) {
            return &space->links[mid];
        }
        if (space->links[mid].index < index) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

/* Room for a link of that index, which is not there. */
static struct tn_k_heard_link *
insert_link(struct tn_k_watched *space, uint32_t index)
{
    if (space->n_links == space->cap_links) {
        size_t cap = space->cap_links ? 2 * space->cap_links : 8;
        void *links = realloc(space->links, cap * sizeof *space->links);
        if (!links) {
            abort(); /* As the arena does: docs/architecture.md, "D-oom". */
        }
        space->links = links;
        space->cap_links = cap;
    }
    size_t at = space->n_links++;
    for (; at > 0 && space->links[at - 1].index > index; at--) {
        space->links[at] = space->links[at - 1];
    }
    space->links[at] = (struct tn_k_heard_link){.index = index};
    return &space->links[at];
}

void
tn_k_watched_forget(struct tn_k_watched *space, uint32_t index)
{
    struct tn_k_heard_link *l = tn_k_watched_link(space, index);
    if (l) {
        size_t at = (size_t) (l - space->links);
        memmove(l, l + 1, (--space->n_links - at) * sizeof *l);
    }
}

static bool
has_settings(const struct tn_k_seen_link *seen)
{
    const char *name = seen->link.name;
    return (name[0] == TN_K_BRIDGE || name[0] == TN_K_LINK) && name[1] == '-';
}

/* All that observe() takes from a link, and nothing else. */
static uint64_t
state_of(const struct tn_k_seen_link *seen)
{
    const uint64_t numbers[] = {
        seen->link.mtu,
        seen->link.up,
        seen->link.options,
        seen->group,
        seen->master_index,
        seen->peer_index,
        seen->vni,
        seen->port,
        seen->dying,
        seen->xdp,
        tn_hash64(seen->alias, strlen(seen->alias)),
        tn_hash64(seen->type_name, strlen(seen->type_name)),
        tn_hash64(seen->link.name, strlen(seen->link.name)),
        tn_hash64(&seen->mac, sizeof seen->mac),
        tn_hash64(seen->local.b, sizeof seen->local.b),
        has_settings(seen) ? tn_hash64(&seen->settings, sizeof seen->settings)
                           : 0,
    };
    return tn_hash64(numbers, sizeof numbers) | 1;
}

static const struct nlattr *
slave_data(const struct nlmsghdr *msg)
{
    const struct nlattr *a, *in;
    int left, left_in;
    TN_K_EACH_ATTR_OF(a, msg, sizeof(struct ifinfomsg), left)
    {
        if (tn_k_attr_type(a) != IFLA_LINKINFO) {
            continue;
        }
        TN_K_EACH_ATTR_IN(in, a, left_in)
        {
            if (tn_k_attr_type(in) == IFLA_INFO_SLAVE_DATA) {
                return in;
            }
        }
    }
    return NULL;
}

struct tn_k_heard_link
tn_k_watched_hear(struct tn_k_watched *space, const struct nlmsghdr *msg,
                  const struct tn_k_seen_link *seen)
{
    struct tn_k_heard_link was = {0};
    struct tn_k_heard_link *l = tn_k_watched_link(space, seen->link.index);
    const struct nlattr *slave = slave_data(msg);
    if (l) {
        was = *l;
    } else {
        l = insert_link(space, seen->link.index);
    }
    l->master_index = seen->master_index;
    memcpy(l->name, seen->link.name, sizeof l->name);
    l->mac = seen->mac;
    l->type = (uint8_t) seen->type;
    l->loopback = seen->loopback;
    l->state = state_of(seen);
    l->options = slave ? tn_k_watch_port_options(slave) : 0;
    return was;
}

/* Reading what is there when a namespace is met.  By a socket inside of it: one
 * in the watch's own would make the kernel give numbers to all namespaces that
 * links lead to. */
struct listing {
    struct tn_watch *w;
    struct tn_k_watched *space;
    int fd;
};

static void
list_again(void *ctx)
{
    ((struct listing *) ctx)->space->n_links = 0;
}

static void
list_link(void *ctx, const struct nlmsghdr *msg)
{
    struct listing *listing = ctx;
    struct tn_k_seen_link seen;
    if (msg->nlmsg_type == RTM_NEWLINK) {
        tn_k_table_parse_link(listing->w->scratch, msg, &seen);
        tn_k_watched_hear(listing->space, msg, &seen);
    }
}

static enum tn_code
list_links(struct listing *listing, struct tn_k_sock *sock,
           struct tn_error *err)
{
    struct {
        struct ifinfomsg ifi;
        struct nlattr head;
        uint32_t mask;
    } request = {
        .head = {8, IFLA_EXT_MASK},
        .mask = RTEXT_FILTER_SKIP_STATS,
    };
    struct tn_k_dump dump = {RTM_GETLINK, &request,  sizeof request,
                             list_again,  list_link, listing};
    return tn_k_sock_dump(sock, &dump, "links", err);
}

static void
no_reset(void *ctx)
{
    (void) ctx;
}

static void
list_address(void *ctx, const struct nlmsghdr *msg)
{
    struct tn_watch *w = ctx;
    const struct ifaddrmsg *ifa = NLMSG_DATA(msg);
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_OF(a, msg, sizeof *ifa, left)
    {
        bool is_address =
            tn_k_attr_type(a) == IFA_LOCAL || tn_k_attr_type(a) == IFA_ADDRESS;
        if (is_address &&
            (size_t) tn_k_attr_len(a) == tn_addr_size(&w->plan.address) &&
            memcmp(tn_k_attr_data(a), w->plan.address.b,
                   tn_addr_size(&w->plan.address)) == 0) {
            w->underlay_index = ifa->ifa_index;
        }
    }
}

/* Which interface do tunnels start from? */
static enum tn_code
list_addresses(struct listing *listing, struct tn_k_sock *sock,
               struct tn_error *err)
{
    struct ifaddrmsg request = {0};
    struct tn_k_dump dump = {RTM_GETADDR, &request,     sizeof request,
                             no_reset,    list_address, listing->w};
    return tn_k_sock_dump(sock, &dump, "addresses", err);
}

static enum tn_code
list_inside(void *ctx, struct tn_error *err)
{
    struct listing *listing = ctx;
    struct tn_k_sock sock = {0};
    enum tn_code code = tn_k_netns_enter(listing->fd, err);
    if (code == TN_OK) {
        code = tn_k_sock_open(&sock, err);
    }
    if (code != TN_OK) {
        return code;
    }
    code = list_links(listing, &sock, err);
    if (code == TN_OK && listing->space->underlay) {
        code = list_addresses(listing, &sock, err);
    }
    tn_k_sock_close(&sock);
    tn_arena_reset(listing->w->scratch);
    return code;
}

static void
note_refusal(void *ctx, const struct tn_k_refusal *refusal)
{
    *(int *) ctx = refusal->error;
}

/* Gives the namespace a number: 0, or what the kernel says (EEXIST: it has
 * one). */
static enum tn_code
number(struct tn_watch *w, int fd, int32_t nsid, int *refusal,
       struct tn_error *err)
{
    struct rtgenmsg head = {0};
    struct tn_k_batch b = {0};
    struct tn_k_msg msg = {
        .type = RTM_NEWNSID, .header = &head, .header_size = sizeof head};
    *refusal = 0;
    tn_k_msg_begin(&b, &msg);
    tn_k_put_u32(&b, NETNSA_NSID, (uint32_t) nsid);
    tn_k_put_u32(&b, NETNSA_FD, (uint32_t) fd);
    tn_k_msg_end(&b);
    enum tn_code code =
        tn_k_batch_send(&b, &w->ask, note_refusal, refusal, err);
    tn_k_batch_done(&b);
    return code;
}

static int32_t
free_number(struct tn_watch *w)
{
    for (size_t i = 0; i < w->n_nsids; i++) {
        if (!w->nsids[i].used) {
            return (int32_t) i;
        }
    }
    size_t n = w->n_nsids ? 2 * w->n_nsids : 64;
    struct tn_k_nsid *nsids = realloc(w->nsids, n * sizeof *nsids);
    if (!nsids) {
        abort(); /* As the arena does: docs/architecture.md, "D-oom". */
    }
    memset(nsids + w->n_nsids, 0, (n - w->n_nsids) * sizeof *nsids);
    int32_t first = (int32_t) w->n_nsids;
    w->nsids = nsids;
    w->n_nsids = n;
    return first;
}

/* Namespaces that are alive differ in their inodes. */
static int32_t
number_of(const struct tn_watch *w, uint64_t inode)
{
    for (size_t i = 0; i < w->n_nsids; i++) {
        if (w->nsids[i].used && w->nsids[i].inode == inode) {
            return (int32_t) i;
        }
    }
    return -1;
}

static void
detach(struct tn_watch *w, struct tn_k_watched *space)
{
    if (space->nsid < 0) {
        return;
    }
    struct tn_k_watched **p = &w->nsids[space->nsid].first;
    while (*p != space) {
        p = &(*p)->next;
    }
    *p = space->next;
    space->next = NULL;
    space->nsid = -1;
    space->n_links = 0;
}

static enum tn_code
attach(struct tn_watch *w, struct tn_k_watched *space, int32_t nsid, int fd,
       struct tn_error *err)
{
    struct listing listing = {w, space, fd};
    space->nsid = nsid;
    space->next = w->nsids[nsid].first;
    w->nsids[nsid].first = space;
    space->pending = false;
    return tn_k_excursion(list_inside, &listing, err);
}

static void
tell(struct tn_watch *w, const struct tn_k_watched *space, bool gone)
{
    struct tn_event event = {
        .type = gone ? TN_EVENT_GONE : TN_EVENT_APPEARED,
        .what = tn_arena_printf(w->scratch, "namespace %s %s", space->name,
                                gone ? "deleted" : "appeared"),
    };
    if (space->scope) {
        event.scope = space->scope;
        event.key = tn_arena_printf(w->scratch, "%s/netns", space->scope);
        tn_k_events_add(w, &event);
    }
    if (space->underlay) {
        event.scope = "";
        tn_k_events_add(w, &event);
    }
    for (size_t i = 0; i < space->ends.n; i++) {
        event.scope = space->ends.items[i].scope;
        event.key = space->ends.items[i].key;
        tn_k_events_add(w, &event);
    }
    tn_arena_reset(w->scratch);
}

/* What its name stands for now; TN_ENOENT: nothing. */
static enum tn_code
open_space(const struct tn_watch *w, const struct tn_k_watched *space, int *fd,
           struct tn_error *err)
{
    if (space->name[0]) {
        return tn_k_netns_open(space->name, fd, err);
    }
    *fd = fcntl(w->home, F_DUPFD_CLOEXEC, 0);
    return *fd >= 0 ? TN_OK
                    : tn_fail_sys(err, TN_EUNAVAILABLE, errno,
                                  "the own network namespace");
}

static bool
has_file(const struct tn_k_watched *space)
{
    char path[300];
    struct stat st;
    return snprintf(path, sizeof path, "/run/netns/%s", space->name) <
               (int) sizeof path &&
           lstat(path, &st) == 0;
}

enum tn_code
tn_k_watched_check(struct tn_watch *w, struct tn_k_watched *space,
                   bool tell_of_it, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd) int fd = -1;
    struct tn_error none = {0};
    bool was_there = space->nsid >= 0;
    enum tn_code code = open_space(w, space, &fd, &none);
    space->pending = code != TN_OK && space->name[0] && has_file(space);
    if (code != TN_OK) {
        detach(w, space);
        if (was_there && tell_of_it) {
            tell(w, space, true);
        }
        return TN_OK;
    }
    struct stat st;
    int refusal = 0;
    int32_t nsid = free_number(w);
    code = fstat(fd, &st) == 0 ? number(w, fd, nsid, &refusal, err)
                               : tn_fail_sys(err, TN_EINTERNAL, errno, "fstat");
    if (code != TN_OK) {
        return code;
    }
    if (refusal == EEXIST) {
        nsid = number_of(w, st.st_ino);
    } else if (refusal == 0) {
        w->nsids[nsid] = (struct tn_k_nsid){true, st.st_ino, NULL};
    }
    if (nsid < 0 || (refusal != 0 && refusal != EEXIST)) {
        return tn_fail_sys(err, tn_k_code_of(refusal), refusal,
                           "namespace %s cannot be watched", space->name);
    }
    if (nsid == space->nsid) {
        return TN_OK;
    }
    detach(w, space);
    if (was_there && tell_of_it) {
        tell(w, space, true);
    }
    code = attach(w, space, nsid, fd, err);
    if (code == TN_OK && tell_of_it) {
        tell(w, space, false);
    }
    return code;
}

void
tn_k_watched_retry(struct tn_watch *w)
{
    w->retry_ms = RETRY_FIRST_MS;
    w->retry_at = w->now + w->retry_ms * 1000000;
}

/* Looks at those whose files were no namespaces yet: later each time, and in
 * the end no more, for a crash may have left such a file. */
static void
check_pending(struct tn_watch *w)
{
    bool any = false;
    for (size_t i = 0; i < w->plan.all.n; i++) {
        struct tn_k_watched *space = w->plan.all.items[i];
        struct tn_error err = {0};
        if (space->pending &&
            tn_k_watched_check(w, space, true, &err) != TN_OK) {
            tn_k_events_lost(w, "a namespace could not be watched");
        }
        any |= space->pending;
    }
    if (w->now >= w->retry_at) {
        w->retry_ms *= 2;
        w->retry_at = w->now + w->retry_ms * 1000000;
    }
    if (!any || w->retry_ms > RETRY_LAST_MS) {
        w->retry_at = 0;
    }
}

/* Looks at all namespaces again. */
static void
check_all(struct tn_watch *w)
{
    for (size_t i = 0; i < w->plan.all.n; i++) {
        struct tn_k_watched *space = w->plan.all.items[i];
        struct tn_error err = {0};
        if (space->name[0] &&
            tn_k_watched_check(w, space, true, &err) != TN_OK) {
            tn_k_events_lost(w, "a namespace could not be watched");
        }
        if (space->pending) {
            tn_k_watched_retry(w);
        }
    }
}

/* Without inotify: did the folder change?  A change leads to two looks, for
 * another one may follow that is not a tick of the clock later. */
static void
folder_poll(struct tn_watch *w)
{
    struct stat st;
    bool watched = false;
    struct tn_error err = {0};
    if (w->now < w->poll_at) {
        return;
    }
    bool changed = stat("/run/netns", &st) != 0 ||
                   st.st_mtim.tv_sec != w->folder_time.tv_sec ||
                   st.st_mtim.tv_nsec != w->folder_time.tv_nsec;
    w->folder_time = st.st_mtim;
    w->poll_at = w->now + (int64_t) FOLDER_MS * 1000000;
    if (tn_k_watch_folder(w, &watched, &err) == TN_OK && watched) {
        w->poll_at = 0; /* There is one now: what came before is not told. */
    }
    if (changed || w->folder_again || watched) {
        w->folder_again = changed;
        check_all(w);
    }
}

void
tn_k_watched_folder(struct tn_watch *w)
{
    if (w->poll_at) {
        folder_poll(w);
    }
    _Alignas(struct inotify_event) char buf[4096];
    ssize_t n;
    while (w->folder >= 0 && (n = read(w->folder, buf, sizeof buf)) > 0) {
        for (char *p = buf; p < buf + n;) {
            const struct inotify_event *e =
                (const struct inotify_event *) (void *) p;
            p += sizeof *e + e->len;
            if (e->mask & IN_Q_OVERFLOW) {
                tn_k_events_lost(w, "too many namespaces came and went");
                for (size_t i = 0; i < w->plan.all.n; i++) {
                    w->plan.all.items[i]->pending = true;
                }
                tn_k_watched_retry(w);
                continue;
            }
            struct tn_k_watched *space =
                e->len ? tn_map_get(&w->plan.by_name, e->name) : NULL;
            struct tn_error err = {0};
            if (space && tn_k_watched_check(w, space, true, &err) != TN_OK) {
                tn_k_events_lost(w, "a namespace could not be watched");
            }
            if (space && space->pending) {
                tn_k_watched_retry(w);
            }
        }
    }
    if (w->retry_at) {
        check_pending(w);
    }
}

void
tn_k_watched_destroyed(struct tn_watch *w, int32_t nsid)
{
    if (nsid < 0 || (size_t) nsid >= w->n_nsids || !w->nsids[nsid].used) {
        return;
    }
    struct tn_k_watched *space;
    while ((space = w->nsids[nsid].first)) {
        detach(w, space);
        tell(w, space, true);
        space->pending = true; /* Its name may stand for another one. */
        tn_k_watched_retry(w);
    }
    w->nsids[nsid].used = false;
    if (w->retry_at) {
        check_pending(w);
    }
}
