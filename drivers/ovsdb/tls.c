/* tls.c - OpenSSL behind tls.h.
 *
 * The socket is read and written by a BIO of ours, since OpenSSL's own raises
 * SIGPIPE, and a library does not change what signals do.  Errors are told in
 * words of who has to mend something: OpenSSL's queue says what went wrong, the
 * verification says why, the peer's alert says what it thinks of us. */
#include "drivers/ovsdb/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "model/base/cleanup.h"
#include "model/base/lazy.h"
#include "model/base/text.h"

#define SSL_CALLS(X)                                                           \
    X(BIO_clear_flags)                                                         \
    X(BIO_get_data)                                                            \
    X(BIO_meth_free)                                                           \
    X(BIO_meth_new)                                                            \
    X(BIO_meth_set_ctrl)                                                       \
    X(BIO_meth_set_read)                                                       \
    X(BIO_meth_set_write)                                                      \
    X(BIO_new)                                                                 \
    X(BIO_set_data)                                                            \
    X(BIO_set_flags)                                                           \
    X(BIO_set_init)                                                            \
    X(ERR_clear_error)                                                         \
    X(ERR_get_error)                                                           \
    X(ERR_peek_error)                                                          \
    X(ERR_reason_error_string)                                                 \
    X(SSL_CTX_check_private_key)                                               \
    X(SSL_CTX_ctrl)                                                            \
    X(SSL_CTX_free)                                                            \
    X(SSL_CTX_load_verify_locations)                                           \
    X(SSL_CTX_new)                                                             \
    X(SSL_CTX_set_default_passwd_cb)                                           \
    X(SSL_CTX_set_options)                                                     \
    X(SSL_CTX_set_verify)                                                      \
    X(SSL_CTX_use_PrivateKey_file)                                             \
    X(SSL_CTX_use_certificate_chain_file)                                      \
    X(SSL_connect)                                                             \
    X(SSL_free)                                                                \
    X(SSL_get_error)                                                           \
    X(SSL_get_verify_result)                                                   \
    X(SSL_is_init_finished)                                                    \
    X(SSL_new)                                                                 \
    X(SSL_read_ex)                                                             \
    X(SSL_set_bio)                                                             \
    X(SSL_shutdown)                                                            \
    X(SSL_write_ex)                                                            \
    X(TLS_client_method)                                                       \
    X(X509_verify_cert_error_string)
TN_LAZY(openssl, SSL_CALLS, TN_SONAME_SSL, TN_PACKAGE_SSL);

enum { N_FILES = 3 };

/* Whether a file has been replaced. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct tn_tls_context {
    struct tn_tls_context *next; /* In the list. */
    size_t users;
    char *ca, *certificate, *key; /* The last two: both or neither. */
    SSL_CTX *ctx;
    BIO_METHOD *method;
    struct stamp stamps[N_FILES];
};

struct tn_tls {
    const struct tn_tls_context *context; /* Borrowed. */
    SSL *ssl;
    int fd;
    bool broken; /* Nothing more can be said on it. */
};

static int
socket_of(BIO *bio)
{
    return ((const struct tn_tls *) sym_BIO_get_data(bio))->fd;
}

static int
bio_read(BIO *bio, char *buffer, int size)
{
    ssize_t n = recv(socket_of(bio), buffer, (size_t) size, 0);
    sym_BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        sym_BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
    }
    return (int) n;
}

static int
bio_write(BIO *bio, const char *bytes, int size)
{
    ssize_t n = send(socket_of(bio), bytes, (size_t) size, MSG_NOSIGNAL);
    sym_BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        sym_BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY);
    }
    return (int) n;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void) bio;
    (void) number;
    (void) pointer;
    return command == BIO_CTRL_FLUSH;
}

/* A key with a password would make OpenSSL ask on the terminal. */
static int
no_password(char *buffer, int size, int writing, void *ctx)
{
    (void) buffer;
    (void) size;
    (void) writing;
    (void) ctx;
    return -1;
}

/* The reason of the oldest error, the first cause; forgets all. */
static const char *
take_reason(void)
{
    const char *reason = sym_ERR_reason_error_string(sym_ERR_get_error());
    sym_ERR_clear_error();
    return reason ? reason : "unknown reason";
}

static enum tn_code
unusable(const char *what, const char *path, struct tn_error *err)
{
    /* Of the file itself OpenSSL says only "system lib". */
    if (path) {
        TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
        if (!f) {
            sym_ERR_clear_error();
            return tn_fail_sys(err, TN_EDENIED, errno, "%s %s", what, path);
        }
    }
    return tn_fail(err, TN_EDENIED, 0, "%s %s cannot be used: %s", what,
                   path ? path : "", take_reason());
}

static void
take_stamps(const struct tn_tls_context *context, struct stamp stamps[N_FILES])
{
    const char *paths[N_FILES] = {context->ca, context->certificate,
                                  context->key};
    memset(stamps, 0, N_FILES * sizeof *stamps);
    for (size_t i = 0; i < N_FILES; i++) {
        struct stat st;
        if (paths[i] && stat(paths[i], &st) == 0) {
            stamps[i].device = st.st_dev;
            stamps[i].inode = st.st_ino;
            stamps[i].size = st.st_size;
            stamps[i].changed = st.st_mtim;
        }
    }
}

static enum tn_code
load_files(const struct tn_tls_context *context, SSL_CTX *ctx,
           struct tn_error *err)
{
    const char *certificate = context->certificate, *key = context->key;
    if (!sym_SSL_CTX_load_verify_locations(ctx, context->ca, NULL)) {
        return unusable("CA certificate", context->ca, err);
    }
    if (!certificate) {
        return TN_OK;
    }
    if (sym_SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1) {
        return unusable("certificate", certificate, err);
    }
    if (sym_SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
        return unusable("private key", key, err);
    }
    if (sym_SSL_CTX_check_private_key(ctx) != 1) {
        sym_ERR_clear_error();
        return tn_fail(err, TN_EDENIED, 0,
                       "private key %s is not that of certificate %s", key,
                       certificate);
    }
    return TN_OK;
}

static enum tn_code
load(struct tn_tls_context *context, struct tn_error *err)
{
    struct stamp stamps[N_FILES];
    take_stamps(context, stamps); /* Before: a change meanwhile is seen. */
    sym_ERR_clear_error();
    SSL_CTX *ctx = sym_SSL_CTX_new(sym_TLS_client_method());
    if (!ctx) {
        return tn_fail(err, TN_EINTERNAL, 0, "TLS: %s", take_reason());
    }
    (void) sym_SSL_CTX_ctrl(ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION,
                            NULL);
    (void) sym_SSL_CTX_ctrl(ctx, SSL_CTRL_MODE,
                            SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS,
                            NULL);
    (void) sym_SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_MODE,
                            SSL_SESS_CACHE_OFF, NULL);
    (void) sym_SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
                                            SSL_OP_NO_COMPRESSION);
    sym_SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    sym_SSL_CTX_set_default_passwd_cb(ctx, no_password);
    enum tn_code code = load_files(context, ctx, err);
    if (code != TN_OK) {
        sym_SSL_CTX_free(ctx);
        return code;
    }
    sym_SSL_CTX_free(context->ctx);
    context->ctx = ctx;
    memcpy(context->stamps, stamps, sizeof stamps);
    return TN_OK;
}

static enum tn_code
make_method(struct tn_tls_context *context, struct tn_error *err)
{
    context->method = sym_BIO_meth_new(BIO_TYPE_SOURCE_SINK, "tenet");
    if (!context->method || !sym_BIO_meth_set_read(context->method, bio_read) ||
        !sym_BIO_meth_set_write(context->method, bio_write) ||
        !sym_BIO_meth_set_ctrl(context->method, bio_ctrl)) {
        return tn_fail(err, TN_EINTERNAL, 0, "TLS: %s", take_reason());
    }
    return TN_OK;
}

static void
free_context(struct tn_tls_context *context)
{
    if (!context) {
        return;
    }
    sym_SSL_CTX_free(context->ctx);
    if (context->method) {
        sym_BIO_meth_free(context->method);
    }
    free(context->ca);
    free(context->certificate);
    free(context->key);
    free(context);
}

static bool
copy(char **out, const char *s)
{
    *out = s ? strdup(s) : NULL;
    return !s || *out;
}

/* Puts it at the head of the list. */
static enum tn_code
make_context(const struct tn_ovsdb_tls *files, struct tn_tls_context **list,
             struct tn_error *err)
{
    enum tn_code code = tn_lazy_load(&openssl, err);
    if (code != TN_OK) {
        return code;
    }
    struct tn_tls_context *context = calloc(1, sizeof *context);
    if (!context || !copy(&context->ca, files->ca) ||
        !copy(&context->certificate, files->certificate) ||
        !copy(&context->key, files->key)) {
        free_context(context);
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    code = make_method(context, err);
    code = code ? code : load(context, err);
    if (code != TN_OK) {
        free_context(context);
        return code;
    }
    context->next = *list;
    *list = context;
    return TN_OK;
}

enum tn_code
tn_tls_context_get(struct tn_tls_context **list,
                   const struct tn_ovsdb_tls *files,
                   struct tn_tls_context **out, struct tn_error *err)
{
    if (!files->ca) {
        return tn_fail(err, TN_EDENIED, 0,
                       "a CA certificate is needed to verify the server's");
    }
    if (!files->certificate != !files->key) {
        return tn_fail(err, TN_EDENIED, 0,
                       "a certificate and its private key go together");
    }
    enum tn_code code = TN_OK;
    struct tn_tls_context *context = *list;
    while (context && !(tn_streq(context->ca, files->ca) &&
                        tn_streq(context->certificate, files->certificate) &&
                        tn_streq(context->key, files->key))) {
        context = context->next;
    }
    if (context) {
        code = tn_tls_context_refresh(context, err);
    } else {
        code = make_context(files, list, err);
        context = *list;
    }
    if (code != TN_OK) {
        return code;
    }
    assert(context);
    context->users++;
    *out = context;
    return TN_OK;
}

enum tn_code
tn_tls_context_refresh(struct tn_tls_context *context, struct tn_error *err)
{
    struct stamp stamps[N_FILES];
    take_stamps(context, stamps);
    return memcmp(stamps, context->stamps, sizeof stamps) == 0
               ? TN_OK
               : load(context, err);
}

void
tn_tls_context_put(struct tn_tls_context **list, struct tn_tls_context *context)
{
    if (!context || --context->users > 0) {
        return;
    }
    struct tn_tls_context **at = list;
    while (*at != context) {
        at = &(*at)->next;
    }
    *at = context->next;
    free_context(context);
}

enum tn_code
tn_tls_new(const struct tn_tls_context *context, int fd, struct tn_tls **out,
           struct tn_error *err)
{
    struct tn_tls *tls = calloc(1, sizeof *tls);
    BIO *bio = sym_BIO_new(context->method);
    SSL *ssl = sym_SSL_new(context->ctx);
    if (!tls || !bio || !ssl) {
        abort(); /* Out of memory. */
    }
    (void) err;
    *tls = (struct tn_tls){context, ssl, fd, false};
    sym_BIO_set_data(bio, tls);
    sym_BIO_set_init(bio, 1);
    sym_SSL_set_bio(ssl, bio, bio);
    *out = tls;
    return TN_OK;
}

void
tn_tls_free(struct tn_tls *tls)
{
    if (!tls) {
        return;
    }
    sym_ERR_clear_error();
    if (!tls->broken && sym_SSL_is_init_finished(tls->ssl)) {
        (void) sym_SSL_shutdown(tls->ssl);
        sym_ERR_clear_error();
    }
    sym_SSL_free(tls->ssl);
    free(tls);
}

/* What the peer's alert, or our verification, means to the reader. */
static enum tn_code
explain(const struct tn_tls *tls, struct tn_error *err)
{
    const struct tn_tls_context *c = tls->context;
    unsigned long e = sym_ERR_peek_error();
    long verdict = sym_SSL_get_verify_result(tls->ssl);
    const char *ours = c->certificate ? c->certificate : "(none is given)";
    switch (ERR_GET_REASON(e)) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return tn_fail(err, TN_EDENIED, 0,
                       "the server's certificate is not trusted: %s (CA "
                       "certificate %s)",
                       sym_X509_verify_cert_error_string(verdict), c->ca);
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return tn_fail(err, TN_EDENIED, 0,
                       "the server demands a certificate of ours: %s", ours);
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
        return tn_fail(err, TN_EDENIED, 0,
                       "the server refuses our certificate %s: %s", ours,
                       sym_ERR_reason_error_string(e));
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return tn_fail(err, TN_EDENIED, 0,
                       "the server refuses the TLS handshake%s",
                       c->certificate ? ""
                                      : "; perhaps it demands a certificate "
                                        "of ours");
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return tn_fail(err, TN_EDENIED, 0,
                       "the server does not speak TLS 1.2 or newer");
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "what answers does not speak TLS");
    default:
        return tn_fail(err, TN_EUNAVAILABLE, 0, "TLS: %s",
                       sym_ERR_reason_error_string(e)
                           ? sym_ERR_reason_error_string(e)
                           : "unknown reason");
    }
}

/* After an operation that returned 'rc'. */
static enum tn_code
judge(struct tn_tls *tls, int rc, enum tn_tls_wants *wants,
      struct tn_error *err)
{
    int sys = errno;
    int what = rc > 0 ? SSL_ERROR_NONE : sym_SSL_get_error(tls->ssl, rc);
    enum tn_code code = TN_OK;
    *wants = TN_TLS_DONE;
    if (what == SSL_ERROR_NONE) {
        return TN_OK;
    }
    if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) {
        *wants = what == SSL_ERROR_WANT_READ ? TN_TLS_IN : TN_TLS_OUT;
        return TN_OK;
    }
    if (what == SSL_ERROR_SSL) {
        code = explain(tls, err);
    } else if (what == SSL_ERROR_SYSCALL && sys) {
        code = tn_fail_sys(err, TN_EUNAVAILABLE, sys, "TLS");
    } else {
        code = tn_fail(err, TN_EUNAVAILABLE, 0,
                       "the peer has closed the connection");
    }
    tls->broken = what != SSL_ERROR_ZERO_RETURN;
    sym_ERR_clear_error();
    return code;
}

enum tn_code
tn_tls_handshake(struct tn_tls *tls, enum tn_tls_wants *wants,
                 struct tn_error *err)
{
    sym_ERR_clear_error();
    errno = 0;
    enum tn_code code = judge(tls, sym_SSL_connect(tls->ssl), wants, err);
    return code ? tn_while(err, code, "TLS handshake") : TN_OK;
}

enum tn_code
tn_tls_read(struct tn_tls *tls, char *buffer, size_t size, size_t *n,
            enum tn_tls_wants *wants, struct tn_error *err)
{
    *n = 0;
    sym_ERR_clear_error();
    errno = 0;
    return judge(tls, sym_SSL_read_ex(tls->ssl, buffer, size, n), wants, err);
}

enum tn_code
tn_tls_write(struct tn_tls *tls, const char *bytes, size_t size, size_t *n,
             enum tn_tls_wants *wants, struct tn_error *err)
{
    *n = 0;
    sym_ERR_clear_error();
    errno = 0;
    return judge(tls, sym_SSL_write_ex(tls->ssl, bytes, size, n), wants, err);
}
