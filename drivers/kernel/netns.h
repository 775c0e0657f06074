/* netns.h - network namespaces as 'ip netns' keeps them: files in /run/netns.
 *
 * Whatever changes the namespace of a thread happens inside tn_k_excursion(),
 * so that the caller's never changes. */
#ifndef TN_KERNEL_NETNS_H
#define TN_KERNEL_NETNS_H

#include <stdbool.h>
#include <stddef.h>

#include "drivers/kernel/nl.h"
#include "model/base/arena.h"

/* Runs 'fn', which may enter other namespaces or make one, goes back to the
 * one that the calling thread is in, and returns what 'fn' returned.  A thread
 * that could not go back would do harm: that ends the process. */
typedef enum tn_code (*tn_k_thread_fn)(void *ctx, struct tn_error *err);
enum tn_code tn_k_excursion(tn_k_thread_fn fn, void *ctx,
                            struct tn_error *err) TN_MUST_USE;

/* libnftables waits with select() and aborts on a descriptor from 1024 on.
 * What is kept for each VPC therefore moves up there and leaves the low numbers
 * to others.  Returns the descriptor to use from now on: 'fd' itself, if the
 * limit on descriptors leaves no room. */
int tn_k_fd_high(int fd);

/* Opens the namespace 'name', or the calling thread's own if null.  TN_ENOENT
 * if there is none of that name; a file that is no namespace (what a crash
 * leaves) counts as none. */
enum tn_code tn_k_netns_open(const char *name, int *fd,
                             struct tn_error *err) TN_MUST_USE;

/* Moves the calling thread there. */
enum tn_code tn_k_netns_enter(int fd, struct tn_error *err) TN_MUST_USE;

/* Names in /run/netns, sorted, new in 'arena'; none if there is no such
 * folder. */
enum tn_code tn_k_netns_list(struct tn_arena *arena, const char *const **out,
                             size_t *n, struct tn_error *err) TN_MUST_USE;

/* Makes a namespace, lets 'prepare' furnish it while the calling thread is
 * inside, and only then publishes it under its name: whoever finds it finds it
 * marked.  The calling thread stays inside.  TN_ESTALE if the name is taken. */
enum tn_code tn_k_netns_create(const char *name, tn_k_thread_fn prepare,
                               void *ctx, struct tn_error *err) TN_MUST_USE;

/* Takes the name away; the namespace goes with its last user.  No error if
 * there is none. */
enum tn_code tn_k_netns_remove(const char *name,
                               struct tn_error *err) TN_MUST_USE;

#endif
