/* login_memory.c - see login_memory.h.
 *
 * The file: "1", the salt, the mark of the password, and up to three moments,
 * the oldest first, each a number on a line of its own. */
#include "drivers/nsx/login_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"

struct refusals {
    uint64_t salt;
    unsigned mark;
    int64_t at[TN_NSX_REFUSALS_MOST];
    size_t n;
};

static unsigned
mark_of(uint64_t salt, const struct tn_secret *secret)
{
    uint8_t mac[TN_SHA256_SIZE];
    tn_hmac_sha256(&salt, sizeof salt, tn_secret_peek(secret),
                   tn_secret_size(secret), mac);
    unsigned mark = (unsigned) mac[0] << 8 | mac[1];
    tn_wipe(mac, sizeof mac);
    return mark;
}

/* Those of this password in the last quarter of an hour. */
static struct refusals
load(const char *path, const struct tn_secret *secret, int64_t now)
{
    struct refusals r = {0};
    int64_t at;
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    if (!f || fscanf(f, "1 %" SCNx64 " %x", &r.salt, &r.mark) != 2 ||
        r.mark != mark_of(r.salt, secret)) {
        return (struct refusals){0};
    }
    while (r.n < TN_NSX_REFUSALS_MOST && fscanf(f, "%" SCNd64, &at) == 1) {
        if (at <= now && now - at < TN_NSX_REFUSALS_S) {
            r.at[r.n++] = at;
        }
    }
    return r;
}

void
tn_nsx_refusals_path(struct tn_text *out, const char *dir, const char *origin,
                     const char *user)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text id = {0};
    uint8_t digest[TN_SHA256_SIZE];
    tn_text_addf(&id, "%s\n%s", origin, user);
    tn_sha256(id.s, id.n, digest);
    tn_text_addf(out, "%s/nsx-refused-", dir);
    for (size_t i = 0; i < 8; i++) {
        tn_text_addf(out, "%02x", digest[i]);
    }
}

int64_t
tn_nsx_refusals_wait(const char *path, const struct tn_secret *secret,
                     int64_t now)
{
    struct refusals r = load(path, secret, now);
    return r.n < TN_NSX_REFUSALS_MOST ? 0 : r.at[0] + TN_NSX_REFUSALS_S - now;
}

void
tn_nsx_refusals_note(const char *path, const struct tn_secret *secret,
                     int64_t now)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    struct refusals r = load(path, secret, now);
    if (r.n == 0) {
        tn_random(&r.salt, sizeof r.salt);
        r.mark = mark_of(r.salt, secret);
    }
    if (r.n == TN_NSX_REFUSALS_MOST) {
        memmove(r.at, r.at + 1, (--r.n) * sizeof r.at[0]);
    }
    r.at[r.n++] = now;
    tn_text_addf(&text, "1\n%" PRIx64 "\n%x\n", r.salt, r.mark);
    for (size_t i = 0; i < r.n; i++) {
        tn_text_addf(&text, "%" PRId64 "\n", r.at[i]);
    }
    (void) !tn_file_replace(path, &text, 0600, NULL);
}

void
tn_nsx_refusals_forget(const char *path)
{
    unlink(path);
}
