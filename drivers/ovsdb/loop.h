/* loop.h - many OVSDB sessions behind one file descriptor.
 *
 * A loop is an epoll set with a timer.  Its descriptor is readable when a
 * socket of one of its sessions is ready or a deadline (back-off, probe) has
 * come, so that a loop can be part of another one.  Everything happens inside
 * tn_ovsdb_loop_turn(), on the caller's thread: no thread is started and no
 * signal used.  One loop belongs to one thread at a time. */
#ifndef TN_OVSDB_LOOP_H
#define TN_OVSDB_LOOP_H

#include "model/base/error.h"

struct tn_ovsdb_loop;

enum tn_code tn_ovsdb_loop_new(struct tn_ovsdb_loop **out,
                               struct tn_error *err) TN_MUST_USE;
/* Sessions must be closed first.  Accepts null. */
void tn_ovsdb_loop_free(struct tn_ovsdb_loop *loop);

/* Always the same one; poll it for reading. */
int tn_ovsdb_loop_fd(const struct tn_ovsdb_loop *loop);

/* Waits for at most 'timeout_ms' (0: not at all, -1: for ever) until something
 * can be done, and does it: reads, writes, calls back. */
enum tn_code tn_ovsdb_loop_turn(struct tn_ovsdb_loop *loop, int timeout_ms,
                                struct tn_error *err) TN_MUST_USE;

#endif
