/* control.h - the socket behind 'tenet ctl': one line of JSON each way.
 *
 * A stream socket in the file system, mode 0600; who connects must be root, or
 * the user that the daemon runs as, and the kernel says who that is
 * (SO_PEERCRED).  A request is an object with "command" and its arguments; the
 * answer has "ok", and "error" or the result. */
#ifndef TN_DAEMON_CONTROL_H
#define TN_DAEMON_CONTROL_H

#include "model/base/error.h"
#include "model/base/text.h"

#define TN_CONTROL_PATH "/run/tenet/control.sock"

enum { TN_CONTROL_BYTES = 16384 };

/* Answers 'request' (a JSON object) with one; runs in the loop, must not
 * block. */
typedef void tn_control_handler(void *ctx, const char *request,
                                struct tn_text *answer);

struct tn_control;

/* Listens; a socket file that nobody answers on is replaced. */
enum tn_code tn_control_open(const char *path, tn_control_handler *handler,
                             void *ctx, struct tn_control **out,
                             struct tn_error *err) TN_MUST_USE;
int tn_control_fd(const struct tn_control *control);
/* Serves one client; waits a quarter of a second for its request, and a second
 * for it to take the answer. */
void tn_control_run(struct tn_control *control);
/* Removes the file.  Accepts null. */
void tn_control_close(struct tn_control *control);

/* The other side: sends a request, returns the answer, malloc'ed.
 * TN_EUNAVAILABLE: nobody listens there. */
enum tn_code tn_control_ask(const char *path, const char *request,
                            char **answer, struct tn_error *err) TN_MUST_USE;

#endif
