/* envelope.c - one line of header before the state, and the digest in it.
 *
 * Whoever reads decides what damage means; here it is only found. */
#include "reconciler/notify/envelope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/cleanup.h"
#include "model/base/digest.h"

static void
add_header(struct tn_text *out, const char *format, unsigned version,
           const char *body, size_t n)
{
    struct tn_digest d = tn_digest_of(body, n);
    char hex[TN_DIGEST_HEX];
    tn_text_addf(out, "{\"format\":\"%s\",\"version\":%u,\"digest\":\"%s\"}\n",
                 format, version, tn_digest_hex(&d, hex));
}

void
tn_envelope_add(struct tn_text *out, const char *format, unsigned version,
                const struct tn_text *body)
{
    add_header(out, format, version, tn_text_str(body), body->n);
    tn_text_addn(out, tn_text_str(body), body->n);
}

bool
tn_envelope_open(const char *bytes, size_t n, const char *format,
                 unsigned version, const char **body, size_t *n_body)
{
    const char *nl = n ? memchr(bytes, '\n', n) : NULL;
    if (!nl) {
        return false;
    }
    size_t line = (size_t) (nl - bytes) + 1;
    TN_CLEANUP(tn_cleanup_text) struct tn_text want = {0};
    add_header(&want, format, version, bytes + line, n - line);
    if (want.n != line || memcmp(want.s, bytes, line) != 0) {
        return false;
    }
    *body = bytes + line;
    *n_body = n - line;
    return true;
}

enum tn_code
tn_envelope_read(const char *path, char **out, size_t *n, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        enum tn_code code = errno == ENOENT ? TN_ENOENT : TN_EDENIED;
        return tn_fail_sys(err, code, errno, "reading %s", path);
    }
    if (!S_ISREG(st.st_mode) || st.st_size > TN_ENVELOPE_FILE_MAX) {
        return tn_fail(err, TN_EINTENT, 0, "%s: not a file of state", path);
    }
    size_t size = (size_t) st.st_size, got = 0;
    TN_CLEANUP(tn_cleanup_free) char *buf = malloc(size + 1);
    while (buf && got < size) {
        ssize_t k = read(fd, buf + got, size - got);
        if (k < 0 && errno != EINTR) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "reading %s", path);
        }
        if (k == 0) {
            break;
        }
        got += k > 0 ? (size_t) k : 0;
    }
    if (!buf) {
        return tn_fail_sys(err, TN_EINTERNAL, ENOMEM, "reading %s", path);
    }
    *n = got;
    *out = TN_TAKE(buf);
    return TN_OK;
}

void
tn_envelope_set_aside(const char *path)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text aside = {0};
    tn_text_addf(&aside, "%s.damaged", path);
    rename(path, tn_text_str(&aside));
}
