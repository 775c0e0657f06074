/* login.c - see login.h. */
#include "drivers/nsx/login.h"

#include <stdio.h>
#include <string.h>

#include "model/base/cleanup.h"

static const char user_is[] = "j_username=", secret_is[] = "&j_password=";

/* Unreserved characters (RFC 3986) stay as they are. */
static size_t
encode(uint8_t *out, const uint8_t *s, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = s[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
            c == '~') {
            out[len++] = c;
        } else {
            out[len++] = '%';
            out[len++] = (uint8_t) digits[c >> 4];
            out[len++] = (uint8_t) digits[c & 15];
        }
    }
    return len;
}

static size_t
put(uint8_t *out, const char *s)
{
    size_t n = 0;
    for (; s[n]; n++) {
        out[n] = (uint8_t) s[n];
    }
    return n;
}

enum tn_code
tn_nsx_login_form(const char *user, const struct tn_secret *secret,
                  struct tn_secret **out, struct tn_error *err)
{
    size_t n_user = strlen(user), n = tn_secret_size(secret);
    struct tn_secret *form = NULL;
    enum tn_code code = tn_secret_new(
        sizeof user_is + sizeof secret_is + 3 * (n_user + n), &form, err);
    if (code) {
        return code;
    }
    uint8_t *to = tn_secret_bytes(form);
    size_t len = put(to, user_is);
    len += encode(to + len, (const uint8_t *) user, n_user);
    len += put(to + len, secret_is);
    len += encode(to + len, tn_secret_peek(secret), n);
    tn_secret_cut(form, len);
    *out = form;
    return TN_OK;
}

enum tn_code
tn_nsx_login_basic(const char *user, const struct tn_secret *secret,
                   struct tn_secret **out, struct tn_error *err)
{
    static const char scheme[] = "Basic ";
    size_t n_user = strlen(user), n = tn_secret_size(secret);
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *pair = NULL, *line = NULL;
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    if (strchr(user, ':')) {
        return tn_fail(err, TN_EINTENT, 0,
                       "basic authentication takes no user with a colon");
    }
    enum tn_code code = tn_secret_new(n_user + 1 + n, &pair, err);
    code = code ? code
                : tn_secret_new(sizeof scheme + (n_user + 1 + n + 2) / 3 * 4,
                                &line, err);
    if (code) {
        return code;
    }
    uint8_t *to = tn_secret_bytes(pair);
    to[put(to, user)] = ':';
    memcpy(to + n_user + 1, tn_secret_peek(secret), n);
    tn_text_reserve(&text, tn_secret_size(line) + 1);
    tn_text_add(&text, scheme);
    tn_base64_add(&text, to, n_user + 1 + n, true);
    memcpy(tn_secret_bytes(line), text.s, text.n);
    tn_secret_cut(line, text.n);
    tn_wipe(text.s, text.n);
    *out = TN_TAKE(line);
    return TN_OK;
}

static enum tn_nsx_login_end
welcome(struct tn_nsx_manager *m, const struct tn_nsx_answer *a, char *why,
        size_t size)
{
    if (!strstr(a->cookies, "JSESSIONID=")) {
        snprintf(why, size,
                 "the login was answered %d without a session "
                 "(cookie_based_authentication_enabled?)",
                 a->status);
        return TN_NSX_LOGIN_REFUSED;
    }
    memcpy(m->cookies, a->cookies, sizeof m->cookies);
    memcpy(m->token, a->token, sizeof m->token);
    return TN_NSX_LOGIN_WELCOME;
}

enum tn_nsx_login_end
tn_nsx_login_read(struct tn_nsx_manager *m, const struct tn_nsx_answer *a,
                  char *why, size_t size)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_nsx_verdict v =
        tn_nsx_verdict_of(arena, a->status, tn_text_str(&a->body), a->body.n);
    tn_arena_free(arena);
    switch (v.action) {
    case TN_NSX_DONE:
        return welcome(m, a, why, size);
    case TN_NSX_SLOWER:
        return TN_NSX_LOGIN_SLOWER;
    case TN_NSX_ELSEWHERE:
        return TN_NSX_LOGIN_ELSEWHERE;
    case TN_NSX_RETRY:
    case TN_NSX_WAIT:
    case TN_NSX_SMALLER:
    case TN_NSX_ABSENT:
    case TN_NSX_LOST:
        snprintf(why, size, "the login was answered %d", a->status);
        return TN_NSX_LOGIN_NOT_HERE;
    case TN_NSX_LOGIN:
    case TN_NSX_DENIED:
    case TN_NSX_FAIL:
    case TN_NSX_REREAD:
    case TN_NSX_EXISTS:
    case TN_NSX_REFERRED:
        break;
    }
    snprintf(why, size, "the login was refused (%d/%lld)%s", a->status, v.code,
             v.code == 505 ? ": licence" : "");
    return TN_NSX_LOGIN_REFUSED;
}
