/* tls.h - TLS for streams: the only place that knows OpenSSL.
 *
 * At least TLS 1.2.  The server must show a certificate that leads to 'ca';
 * whose name it bears is not looked at, for those of Open vSwitch bear a name
 * that somebody has chosen, not the server's address: whom the CA has signed is
 * trusted, as in Open vSwitch itself, so a CA of its own is called for.  Ours
 * is shown if the server asks.  OpenSSL is loaded with the first context. */
#ifndef TN_OVSDB_TLS_H
#define TN_OVSDB_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "drivers/ovsdb/rpc.h"
#include "model/base/error.h"

/* What the files hold: for any number of connections, one after the other or
 * at once. */
struct tn_tls_context;
/* One connection's. */
struct tn_tls;

/* The context of these files: one of the list, or a new one, which is added to
 * it.  To be put back.  TN_EDENIED: a file cannot be used; TN_EUNSUPPORTED:
 * OpenSSL is missing. */
enum tn_code tn_tls_context_get(struct tn_tls_context **list,
                                const struct tn_ovsdb_tls *files,
                                struct tn_tls_context **out,
                                struct tn_error *err) TN_MUST_USE;
/* Reads the files again if they have changed.  On failure the context stays as
 * it is. */
enum tn_code tn_tls_context_refresh(struct tn_tls_context *context,
                                    struct tn_error *err) TN_MUST_USE;
/* After the connections; the last one frees it.  Accepts null. */
void tn_tls_context_put(struct tn_tls_context **list,
                        struct tn_tls_context *context);

/* 'fd' and 'context' stay the caller's and must live longer. */
enum tn_code tn_tls_new(const struct tn_tls_context *context, int fd,
                        struct tn_tls **out, struct tn_error *err) TN_MUST_USE;
/* Says good-bye, if that can be done without waiting.  Accepts null. */
void tn_tls_free(struct tn_tls *tls);

/* What an operation waits for, if it could not go on. */
enum tn_tls_wants { TN_TLS_DONE, TN_TLS_IN, TN_TLS_OUT };

/* TN_EDENIED: one of us does not trust the other. */
enum tn_code tn_tls_handshake(struct tn_tls *tls, enum tn_tls_wants *wants,
                              struct tn_error *err) TN_MUST_USE;
/* '*n' is 0 unless TN_TLS_DONE.  The peer's refusal of our certificate may come
 * only here: TN_EDENIED.  One read returns at most one record: 16 KiB. */
enum tn_code tn_tls_read(struct tn_tls *tls, char *buffer, size_t size,
                         size_t *n, enum tn_tls_wants *wants,
                         struct tn_error *err) TN_MUST_USE;
enum tn_code tn_tls_write(struct tn_tls *tls, const char *bytes, size_t size,
                          size_t *n, enum tn_tls_wants *wants,
                          struct tn_error *err) TN_MUST_USE;

#endif
