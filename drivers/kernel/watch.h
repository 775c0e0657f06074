/* watch.h - what the parts of a watch share.
 *
 * One socket for rtnetlink and one for packet rules, in a network namespace
 * made for the watch.  In it, and only there, the namespaces to be watched have
 * numbers (nsid), and a socket with NETLINK_LISTEN_ALL_NSID hears all that
 * happens in those: seven descriptors, however many VPCs; nothing of other
 * namespaces; and no namespace is kept alive by being watched.
 *
 *     watch.c          the driver's members, what is pending, storms
 *     watch_plan.c     which namespaces, and whom what is in them concerns
 *     watch_space.c    namespaces coming and going, the links in them
 *     watch_sock.c     sockets, the filter of noise, reading
 *     watch_message.c  a message: does it concern us, and what does it say?
 *     watch_rules.c    the same of packet rules
 */
#ifndef TN_KERNEL_WATCH_H
#define TN_KERNEL_WATCH_H

#include <pthread.h>
#include <time.h>

#include "drivers/driver.h"
#include "drivers/kernel/table.h"
#include "model/base/map.h"

/* An interface that a port leads to; in the plan's arena. */
struct tn_k_end {
    const char *interface;
    const char *scope, *key; /* Of the port. */
};

/* A link as it was last heard of. */
struct tn_k_heard_link {
    uint32_t index, master_index;
    char name[TN_K_IFNAME];
    struct tn_mac mac;
    uint8_t type; /* enum tn_k_type */
    bool loopback;
    uint64_t state;   /* Hash of what observe() reads of it; 0: not known. */
    uint64_t options; /* The same of its options as a bridge's port. */
};

/* A namespace to be watched; in the plan's arena but for 'links'. */
struct tn_k_watched {
    const char *name;  /* "": that of the process. */
    const char *scope; /* Of a VPC, else null. */
    bool underlay;
    TN_VEC(struct tn_k_end) ends;
    int32_t nsid;                  /* -1: it is not there. */
    struct tn_k_watched *next;     /* Another name of the same namespace. */
    struct tn_k_heard_link *links; /* Heap; sorted by index. */
    size_t n_links, cap_links;
    bool pending; /* Its file is there, and is no namespace yet. */
};

/* What a watch is for: built anew by each update. */
struct tn_k_watch_plan {
    struct tn_arena *arena;
    TN_VEC(struct tn_k_watched *) all;
    struct tn_map by_name;  /* struct tn_k_watched; without the process's. */
    struct tn_map quiet;    /* Scope to bool. */
    struct tn_addr address; /* To tunnel from. */
    uint16_t vxlan_port;
    TN_VEC(uint32_t) vnis; /* Sorted. */
};

/* A number in the watch's own namespace. */
struct tn_k_nsid {
    bool used;
    uint64_t inode;
    struct tn_k_watched *first;
};

struct tn_watch {
    pthread_mutex_t lock;
    struct tn_k_watch_plan plan;
    struct tn_k_sock ask; /* In the watch's own namespace, as are: */
    int route, rules;
    int epoll, timer, folder; /* The last: inotify of /run/netns; -1: there is
                                 none to be had, and the folder is polled. */
    int home;                 /* The namespace of the process. */
    struct tn_k_nsid *nsids;  /* Heap. */
    size_t n_nsids;
    uint32_t underlay_index; /* Of the link with the address to tunnel from. */
    struct tn_arena *scratch;

    struct tn_arena *pending_arena;
    TN_VEC(struct tn_event) pending;
    struct tn_map seen;      /* What is pending: "type scope key". */
    struct tn_map per_scope; /* Scope to size_t: how many are pending. */

    int64_t now;      /* Of the read that is going on. */
    double tokens;    /* Reads that may follow at once. */
    int64_t refilled; /* When they were counted. */
    bool paused;      /* The sockets do not wake: only the timer does. */
    int64_t retry_at; /* When to look for pending namespaces; 0: never. */
    int64_t retry_ms; /* The last pause. */
    int64_t poll_at;  /* When to look whether the folder changed; 0: never. */
    struct timespec folder_time; /* When it did, the last time. */
    bool folder_again;           /* It may have once more in the same tick. */
    unsigned errors;             /* Of the sockets, one after the other. */
};

/* watch.c: takes note of an event unless its scope is quiet.  Texts are
 * copied. */
void tn_k_events_add(struct tn_watch *w, const struct tn_event *event);
/* Enough is known of that scope: the next event would tell nothing new. */
bool tn_k_events_full(const struct tn_watch *w, const char *scope);
/* Everything must be observed; what is known of links counts no more. */
void tn_k_events_lost(struct tn_watch *w, const char *why);

/* watch_plan.c: new in plan->arena, which is made. */
void tn_k_watch_plan_build(struct tn_k_watch_plan *plan,
                           const struct tn_device *device);

/* watch_space.c */

/* Looks whether the namespace is what it was; says so if 'tell'. */
enum tn_code tn_k_watched_check(struct tn_watch *w, struct tn_k_watched *space,
                                bool tell, struct tn_error *err) TN_MUST_USE;
/* Its file is about to become a namespace: looks again soon. */
void tn_k_watched_retry(struct tn_watch *w);
/* Names in /run/netns that changed. */
void tn_k_watched_folder(struct tn_watch *w);
/* The kernel has destroyed a namespace. */
void tn_k_watched_destroyed(struct tn_watch *w, int32_t nsid);
/* Null if it is not known. */
struct tn_k_heard_link *tn_k_watched_link(const struct tn_k_watched *space,
                                          uint32_t index);
/* As the message says, which is parsed as 'seen'.  Returns what was known
 * before; all zero: nothing. */
struct tn_k_heard_link tn_k_watched_hear(struct tn_k_watched *space,
                                         const struct nlmsghdr *msg,
                                         const struct tn_k_seen_link *seen);
void tn_k_watched_forget(struct tn_k_watched *space, uint32_t index);

/* watch_sock.c */

/* Opens all descriptors. */
enum tn_code tn_k_watch_sockets(struct tn_watch *w,
                                struct tn_error *err) TN_MUST_USE;
/* Reads what is there, at most 'most' messages; returns how many there
 * were. */
size_t tn_k_watch_drain(struct tn_watch *w, size_t most);
/* Watches the folder by inotify; false: the system has no more of those. */
enum tn_code tn_k_watch_folder(struct tn_watch *w, bool *watched,
                               struct tn_error *err) TN_MUST_USE;
/* Lets the sockets wake who polls, or not. */
void tn_k_watch_wake(struct tn_watch *w, bool on);

/* watch_message.c: one message of a namespace. */
void tn_k_watch_route_message(struct tn_watch *w, struct tn_k_watched *space,
                              const struct nlmsghdr *msg);
/* watch_rules.c */
void tn_k_watch_rules_message(struct tn_watch *w, struct tn_k_watched *space,
                              const struct nlmsghdr *msg);
/* Of what is an option of a bridge's port; 0 if there is none. */
uint64_t tn_k_watch_port_options(const struct nlattr *nest);

/* The driver's members. */
enum tn_code tn_k_events_open(const struct tn_device *device,
                              const struct tn_driver_env *env,
                              struct tn_watch **out,
                              struct tn_error *err) TN_MUST_USE;
int tn_k_events_fd(const struct tn_watch *watch);
enum tn_code tn_k_events_read(struct tn_watch *watch, struct tn_arena *arena,
                              const struct tn_event **out, size_t *n,
                              struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_events_update(struct tn_watch *watch,
                                const struct tn_device *device,
                                struct tn_error *err) TN_MUST_USE;
void tn_k_events_quiet(struct tn_watch *watch, const struct tn_scope *scope,
                       bool quiet);
void tn_k_events_close(struct tn_watch *watch);

#endif
