/* session.h - one device while it is worked on: its namespaces, kept open.
 *
 * A session is used by one thread at a time; what must be done inside a
 * namespace is done on an excursion to it (netns.h).  Namespaces stay open,
 * with a netlink socket each, from the first use to the end of the session. */
#ifndef TN_KERNEL_SESSION_H
#define TN_KERNEL_SESSION_H

#include <pthread.h>

#include "drivers/driver.h"
#include "drivers/kernel/netns.h"
#include "drivers/kernel/table.h"
#include "model/base/map.h"

/* What is read of a namespace: its links; also addresses and routes; also
 * neighbours, forwarding entries, policy rules and queueing disciplines. */
enum tn_k_depth { TN_K_LINKS, TN_K_PORTS, TN_K_VPC };

struct tn_k_doomed {
    uint32_t index; /* Of the link. */
    uint32_t step;  /* Who wants it gone. */
};

/* Requests of one level go out before those of the next, in all namespaces;
 * between namespaces of one level there is no order. */
enum { TN_K_LEVELS = 3 };

/* A namespace: the underlay, one of a VPC, or one of ports. */
struct tn_k_space {
    const char *name; /* "": the underlay, when it is the process's own. */
    int fd;           /* -1: not open. */
    uint64_t inode;   /* Which namespace 'fd' is. */
    struct tn_k_sock sock;
    struct tn_k_table table; /* As last read, in the session's epoch. */
    uint32_t epoch;          /* When; 0: never. */
    enum tn_k_depth depth;   /* How much of it. */
    struct tn_map made;      /* Links made since: name to index. */
    bool proved;             /* Its mark was lost, and it was seen to be ours
                                all the same. */
    uint32_t next_index;     /* For the next link. */
    struct tn_k_batch lanes[TN_K_LEVELS]; /* Of a commit; else empty. */
    bool waiting;                         /* Some lane is not empty. */
    bool ipv6;  /* New links have it; see tn_k_new_links(). */
    bool tuned; /* Its settings were as wanted, when they were last read. */
    bool left;  /* A port that had its far end here was deleted. */
    TN_VEC(struct tn_k_doomed) doomed; /* Links to be deleted. */
};

struct tn_session {
    const struct tn_device *device;
    struct tn_arena *arena; /* Namespaces and their names. */
    struct tn_arena *seen;  /* Tables; renewed with each observation. */
    uint32_t epoch;
    struct tn_map spaces; /* Name to struct tn_k_space. */
    TN_VEC(struct tn_k_space *) all;
    struct tn_k_space *underlay;
    int home; /* The namespace of the thread that opened the session. */
    struct tn_nft *nft;
    pthread_t reader; /* While 'ahead': all but 'device' is its alone. */
    bool ahead;
    const char *mark;       /* "tenet:<instance>:" begins all our aliases. */
    const char *ports_mark; /* The same of namespaces of ports, up to the scope
                               of the port that they were made for. */
};

/* Where what is known of a namespace is kept, open or not. */
struct tn_k_space *tn_k_space_slot(struct tn_session *s, const char *name);

/* In these, the calling thread may end up in another namespace. */

/* Opens it if it is not, or if its name now stands for another one.  TN_ENOENT
 * if there is none.  Writes nothing but '*space': different ones may be opened
 * by several threads at the same time. */
enum tn_code tn_k_space_open(const struct tn_session *s,
                             struct tn_k_space *space,
                             struct tn_error *err) TN_MUST_USE;

/* Both in one. */
enum tn_code tn_k_space_get(struct tn_session *s, const char *name,
                            struct tn_k_space **out,
                            struct tn_error *err) TN_MUST_USE;

/* Adopts a namespace that was just made and that the thread is in. */
enum tn_code tn_k_space_adopt(struct tn_session *s, const char *name,
                              struct tn_k_space **out,
                              struct tn_error *err) TN_MUST_USE;

/* Forgets what is open of it. */
void tn_k_space_close(struct tn_k_space *space);

/* Reads it unless that happened in this epoch. */
enum tn_code tn_k_space_read(struct tn_session *s, struct tn_k_space *space,
                             enum tn_k_depth depth,
                             struct tn_error *err) TN_MUST_USE;

/* The same into 'arena' and whether or not it was read; writes nothing but
 * '*space'.  tn_k_space_keep() makes it count, once the session's arena of
 * tables has adopted 'arena'. */
enum tn_code tn_k_space_load(struct tn_k_space *space, enum tn_k_depth depth,
                             struct tn_arena *arena,
                             struct tn_error *err) TN_MUST_USE;
void tn_k_space_keep(struct tn_session *s, struct tn_k_space *space,
                     enum tn_k_depth depth);

/* The namespace if it was read in this epoch, else null. */
const struct tn_k_space *tn_k_space_seen(const struct tn_session *s,
                                         const char *name);

/* Is the other end of a pair of which 'l' is one end in that namespace, as it
 * was read in this epoch?  With 'name' not null, under that name. */
bool tn_k_space_joins(const struct tn_session *s,
                      const struct tn_k_seen_link *l, const char *ns,
                      const char *name);

/* Waits for what tn_k_read_ahead() began, if it did: what it read counts as
 * read in this epoch.  False if there is no such thing. */
bool tn_k_ahead_join(struct tn_session *s);

/* A new epoch: nothing has been read. */
void tn_k_session_renew(struct tn_session *s);

/* The index of a link, made since or read before; 0 if there is none. */
uint32_t tn_k_space_index(const struct tn_k_space *space, const char *name);

/* Notes that a link has, or will have, that index under that name. */
void tn_k_space_note_index(struct tn_session *s, struct tn_k_space *space,
                           const char *name, uint32_t index);

/* Chooses the index of a link to be made, and notes it. */
uint32_t tn_k_space_new_index(struct tn_session *s, struct tn_k_space *space,
                              const char *name);

/* Does the namespace bear that mark?  By the alias of its loopback, which was
 * read. */
bool tn_k_space_marked(const struct tn_k_space *space, const char *mark);
const char *tn_k_space_alias(const struct tn_k_space *space);

/* Has a namespace of a VPC's name that bears no mark only lost ours?  So if it
 * says of no other instance that it is its, and has a bridge with our whole
 * mark: group, and alias with the bridge's own name.  A bridge cannot be moved
 * from one namespace to another, so we made it there. */
bool tn_k_space_lost_mark(const struct tn_k_space *space, const char *mark);

/* The driver's members. */
enum tn_code tn_k_open(const struct tn_device *device,
                       const struct tn_driver_env *env, struct tn_session **out,
                       struct tn_error *err) TN_MUST_USE;
void tn_k_close(struct tn_session *session);
void tn_k_read_ahead(struct tn_session *session);
enum tn_code tn_k_observe(struct tn_session *session,
                          const struct tn_scope *scope,
                          const struct tn_state *want, struct tn_arena *arena,
                          const struct tn_state **out,
                          struct tn_error *err) TN_MUST_USE;

#endif
