/* manager.c - see manager.h. */
#include "drivers/nsx/manager.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/base/crypt.h"

static const int64_t millisecond = 1000000;

enum { DOWN_FIRST_MS = 250, DOWN_MOST_MS = 30000 };

static bool
is_host(const char *s, size_t n)
{
    bool brackets = n > 2 && s[0] == '[' && s[n - 1] == ']';
    for (size_t i = brackets ? 1 : 0; i < (brackets ? n - 1 : n); i++) {
        if (!isalnum((unsigned char) s[i]) &&
            !strchr(brackets ? ":.%" : ".-_", s[i])) {
            return false;
        }
    }
    return n > 0;
}

const char *
tn_nsx_origin(const char *url, char out[TN_NSX_ORIGIN])
{
    static const char scheme[] = "https://";
    if (!url || strncasecmp(url, scheme, sizeof scheme - 1) != 0) {
        return NULL;
    }
    const char *host = url + sizeof scheme - 1;
    size_t all = strcspn(host, "/?#");
    size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    unsigned long port = 443;
    if (n > all || n > 255 || !is_host(host, n)) {
        return NULL;
    }
    if (n < all) {
        char *end;
        if (host[n] != ':' || !isdigit((unsigned char) host[n + 1])) {
            return NULL;
        }
        port = strtoul(host + n + 1, &end, 10);
        if (end != host + all || port < 1 || port > 65535) {
            return NULL;
        }
    }
    int len =
        snprintf(out, TN_NSX_ORIGIN, "%s%.*s:%lu", scheme, (int) n, host, port);
    for (int i = 0; i < len; i++) {
        out[i] = (char) tolower((unsigned char) out[i]);
    }
    return host + all;
}

static enum tn_code
init_one(struct tn_nsx_managers *ms, const char *url, struct tn_error *err)
{
    struct tn_nsx_manager *m = &ms->all[ms->n];
    const char *rest = tn_nsx_origin(url, m->origin);
    if (!rest || (rest[0] && strcmp(rest, "/") != 0)) {
        /* Not told as it is: there may be a password in it. */
        return tn_fail(err, TN_EINTENT, 0,
                       "manager %zu is no https://HOST[:PORT]", ms->n + 1);
    }
    if (tn_nsx_managers_find(ms, m->origin)) {
        return tn_fail(err, TN_EINTENT, 0, "manager %s is named twice",
                       m->origin);
    }
    m->down_until = m->failed = INT64_MIN;
    ms->n++;
    return TN_OK;
}

enum tn_code
tn_nsx_managers_init(struct tn_nsx_managers *ms, const char *const *urls,
                     size_t n, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    *ms = (struct tn_nsx_managers){0};
    if (n == 0) {
        return tn_fail(err, TN_EINTENT, 0, "no manager is named");
    }
    ms->all = calloc(n, sizeof *ms->all);
    if (!ms->all) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory for managers");
    }
    for (size_t i = 0; i < n && !code; i++) {
        code = init_one(ms, urls[i], err);
    }
    if (code) {
        tn_nsx_managers_done(ms);
    }
    return code;
}

void
tn_nsx_managers_done(struct tn_nsx_managers *ms)
{
    for (size_t i = 0; i < ms->n; i++) {
        tn_nsx_manager_forget_session(&ms->all[i]);
    }
    free(ms->all);
    *ms = (struct tn_nsx_managers){0};
}

struct tn_nsx_manager *
tn_nsx_managers_pick(struct tn_nsx_managers *ms, int64_t now, int64_t *until)
{
    *until = INT64_MAX;
    for (size_t i = 0; i < ms->n; i++) {
        size_t at = (ms->at + i) % ms->n;
        struct tn_nsx_manager *m = &ms->all[at];
        if (m->untrusted) {
            continue;
        }
        if (m->down_until <= now) {
            ms->at = at;
            return m;
        }
        *until = m->down_until < *until ? m->down_until : *until;
    }
    return NULL;
}

struct tn_nsx_manager *
tn_nsx_managers_find(const struct tn_nsx_managers *ms, const char *origin)
{
    for (size_t i = 0; i < ms->n; i++) {
        if (strcmp(ms->all[i].origin, origin) == 0) {
            return &ms->all[i];
        }
    }
    return NULL;
}

void
tn_nsx_managers_use(struct tn_nsx_managers *ms, struct tn_nsx_manager *m)
{
    ms->at = (size_t) (m - ms->all);
    m->down_until = INT64_MIN;
}

const char *
tn_nsx_managers_why(const struct tn_nsx_managers *ms, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < ms->n && used < size; i++) {
        const struct tn_nsx_manager *m = &ms->all[i];
        if (m->why[0]) {
            int n = snprintf(buf + used, size - used, "%s%s: %s",
                             used ? "; " : "", m->origin, m->why);
            used += n > 0 ? (size_t) n : 0;
        }
    }
    return buf;
}

bool
tn_nsx_manager_failed(struct tn_nsx_manager *m, int64_t sent, int64_t now,
                      unsigned chance, const char *why)
{
    if (sent < m->failed) {
        return false;
    }
    unsigned doubled = m->failures < 16 ? m->failures : 16;
    int64_t ms = (int64_t) DOWN_FIRST_MS << doubled;
    ms = ms < DOWN_MOST_MS ? ms : DOWN_MOST_MS;
    ms = ms * (192 + (chance & 127)) / 256; /* 3/4 to 5/4 of it. */
    m->failures++;
    m->troubles = 0;
    m->failed = now;
    m->down_until = now + ms * millisecond;
    snprintf(m->why, sizeof m->why, "%s", why);
    return true;
}

void
tn_nsx_manager_distrust(struct tn_nsx_manager *m, const char *why)
{
    m->untrusted = true;
    tn_nsx_manager_forget_session(m);
    snprintf(m->why, sizeof m->why, "%s", why);
}

void
tn_nsx_manager_well(struct tn_nsx_manager *m)
{
    m->failures = m->troubles = 0;
    m->why[0] = '\0';
}

void
tn_nsx_manager_forget_session(struct tn_nsx_manager *m)
{
    tn_wipe(m->cookies, sizeof m->cookies);
    tn_wipe(m->token, sizeof m->token);
    m->generation = 0;
}
