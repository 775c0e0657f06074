/* verdict.c - see verdict.h.
 *
 * Rows are tried from the most telling to the least: sentences that mean the
 * same under whatever status, then numbers, then the status alone.  Numbers of
 * three digits or less mean different things under different statuses, larger
 * ones do not.  NSX nests errors: each of related_errors is looked at with its
 * own status (a name: "NOT_FOUND"), and the hardest to mend counts, since a
 * request that has two troubles is not mended by waiting for one of them. */
#include "drivers/nsx/verdict.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"

enum { ANY = 0, TEXT_MAX = 900, REFERRERS_MAX = 256, RELATED_MAX = 64 };

struct meaning {
    int status; /* ANY, or also: 500 of 500 and 503. */
    int other;
    long long code;
    enum tn_nsx_action action;
    enum tn_code class;
};

static const struct meaning by_code[] = {
    /* Wrong requests. */
    {400, 0, 255, TN_NSX_FAIL, TN_EDENIED},      /* A field's value. */
    {ANY, 0, 287, TN_NSX_FAIL, TN_EUNSUPPORTED}, /* Unknown property. */
    {ANY, 0, 2602, TN_NSX_DENIED, TN_EDENIED},   /* Internal framework. */
    {ANY, 0, 8327, TN_NSX_DENIED, TN_EDENIED},   /* Another principal's. */
    {ANY, 0, 640873, TN_NSX_FAIL, TN_EDENIED},   /* Overlapping VLAN. */
    {ANY, 0, 500105, TN_NSX_FAIL, TN_EDENIED},   /* Overlapping address. */
    /* Busy. */
    {ANY, 0, 30722, TN_NSX_RETRY, TN_EUNAVAILABLE}, /* Migration. */
    {ANY, 0, 60508, TN_NSX_RETRY, TN_EUNAVAILABLE}, /* Search: indexing, */
    {ANY, 0, 60514, TN_NSX_RETRY, TN_EUNAVAILABLE}, /* timed out, */
    {ANY, 0, 60515, TN_NSX_RETRY, TN_EUNAVAILABLE}, /* out of sync. */
    {ANY, 0, 60576, TN_NSX_SMALLER, TN_EUNAVAILABLE},
    {500, 503, 607, TN_NSX_RETRY, TN_EUNAVAILABLE}, /* Database. */
    {500, 0, 98, TN_NSX_RETRY, TN_EUNAVAILABLE},    /* Cannot connect. */
    {500, 0, 99, TN_NSX_DENIED, TN_EDENIED},        /* Client certificate. */
    /* There, not there, not yet gone. */
    {ANY, 0, 500012, TN_NSX_ABSENT, TN_ENOENT},
    {404, 0, 600, TN_NSX_ABSENT, TN_ENOENT},
    {404, 0, 202, TN_NSX_RETRY, TN_EUNAVAILABLE}, /* See action_for(). */
    {ANY, 0, 500127, TN_NSX_EXISTS, TN_ESTALE},
    {ANY, 0, 500030, TN_NSX_REFERRED, TN_ESTALE},
    {ANY, 0, 500045, TN_NSX_WAIT, TN_EUNAVAILABLE}, /* To be purged. */
    {ANY, 0, 503040, TN_NSX_WAIT, TN_EUNAVAILABLE}, /* VIFs. */
    {ANY, 0, 520100, TN_NSX_WAIT, TN_EUNAVAILABLE}, /* IP block is full. */
    /* Changed by somebody else. */
    {ANY, 0, 500087, TN_NSX_REREAD, TN_ESTALE},
    {ANY, 0, 500090, TN_NSX_REREAD, TN_ESTALE},
    {ANY, 0, 500232, TN_NSX_REREAD, TN_ESTALE},
    {ANY, 0, 100148, TN_NSX_REREAD, TN_ESTALE},
    {409, 412, 206, TN_NSX_REREAD, TN_ESTALE},
    /* Who are you? */
    {403, 0, 98, TN_NSX_LOGIN, TN_EDENIED},   /* XSRF token. */
    {403, 0, 403, TN_NSX_LOGIN, TN_EDENIED},  /* Credentials. */
    {403, 0, 505, TN_NSX_DENIED, TN_EDENIED}, /* Licence. */
};

/* All words stand in the message. */
static const struct {
    const char *words[2];
    struct meaning is;
} by_text[] = {
    {{"AtomicRequest/", "already present"},
     {ANY, 0, 0, TN_NSX_RETRY, TN_EUNAVAILABLE}},
    {{"The path=[", "] is invalid"}, {ANY, 0, 0, TN_NSX_ABSENT, TN_ENOENT}},
    {{"Fetch the latest copy of the object and retry", ""},
     {ANY, 0, 0, TN_NSX_REREAD, TN_ESTALE}},
    {{"page_size", ""}, {400, 0, 255, TN_NSX_SMALLER, TN_EUNAVAILABLE}},
};

/* The status alone; the first that matches. */
static const struct {
    int from, to;
    enum tn_nsx_action action;
    enum tn_code class;
} by_status[] = {
    {200, 299, TN_NSX_DONE, TN_OK},
    {301, 303, TN_NSX_ELSEWHERE, TN_EUNAVAILABLE},
    {307, 308, TN_NSX_ELSEWHERE, TN_EUNAVAILABLE},
    {401, 401, TN_NSX_LOGIN, TN_EDENIED},
    {403, 403, TN_NSX_LOGIN, TN_EDENIED},
    {404, 404, TN_NSX_ABSENT, TN_ENOENT},
    {405, 405, TN_NSX_FAIL, TN_EUNSUPPORTED},
    {407, 407, TN_NSX_DENIED, TN_EDENIED},
    {408, 408, TN_NSX_RETRY, TN_EUNAVAILABLE},
    {409, 409, TN_NSX_REREAD, TN_ESTALE},
    {412, 412, TN_NSX_REREAD, TN_ESTALE},
    {429, 429, TN_NSX_SLOWER, TN_EUNAVAILABLE},
    {501, 501, TN_NSX_FAIL, TN_EUNSUPPORTED},
    {500, 599, TN_NSX_RETRY, TN_EUNAVAILABLE},
    {0, 0, TN_NSX_RETRY, TN_EUNAVAILABLE},
    {0, 999, TN_NSX_FAIL, TN_EDENIED},
};

static const struct {
    const char *name;
    int status;
} statuses[] = {
    {"BAD_REQUEST", 400},
    {"UNAUTHORIZED", 401},
    {"FORBIDDEN", 403},
    {"NOT_FOUND", 404},
    {"METHOD_NOT_ALLOWED", 405},
    {"CONFLICT", 409},
    {"PRECONDITION_FAILED", 412},
    {"TOO_MANY_REQUESTS", 429},
    {"INTERNAL_SERVER_ERROR", 500},
    {"SERVICE_UNAVAILABLE", 503},
    {"GATEWAY_TIMEOUT", 504},
};

/* From what is mended easily to what is not. */
static int
gravity(enum tn_nsx_action action)
{
    switch (action) {
    case TN_NSX_DONE:
        return 0;
    case TN_NSX_SMALLER:
    case TN_NSX_ELSEWHERE:
    case TN_NSX_SLOWER:
    case TN_NSX_RETRY:
        return 1;
    case TN_NSX_WAIT:
        return 2;
    case TN_NSX_ABSENT:
    case TN_NSX_REFERRED:
    case TN_NSX_EXISTS:
        return 3;
    case TN_NSX_REREAD:
    case TN_NSX_LOST:
        return 4;
    case TN_NSX_LOGIN:
    case TN_NSX_DENIED:
    case TN_NSX_FAIL:
        return 5;
    }
    return 5;
}

static bool
fits(const struct meaning *m, int status, long long code)
{
    return (m->status == ANY || m->status == status || m->other == status) &&
           m->code == code;
}

/* Says whether a row knows it. */
static bool
look_up(int status, long long code, const char *message,
        struct tn_nsx_verdict *v)
{
    const struct meaning *m = NULL;
    for (size_t i = 0; !m && i < TN_ARRAY_SIZE(by_text); i++) {
        const struct meaning *is = &by_text[i].is;
        if (strstr(message, by_text[i].words[0]) &&
            strstr(message, by_text[i].words[1]) &&
            (is->code == 0 || fits(is, status, code))) {
            m = is;
        }
    }
    for (size_t i = 0; !m && code && i < TN_ARRAY_SIZE(by_code); i++) {
        m = fits(&by_code[i], status, code) ? &by_code[i] : NULL;
    }
    if (m) {
        v->action = m->action;
        v->class = m->class;
        v->known = true;
    }
    return m != NULL;
}

static void
by_status_alone(struct tn_nsx_verdict *v)
{
    size_t i = 0;
    while (v->status < by_status[i].from || v->status > by_status[i].to) {
        if (++i == TN_ARRAY_SIZE(by_status)) {
            v->action = TN_NSX_FAIL;
            v->class = TN_EDENIED;
            return;
        }
    }
    v->action = by_status[i].action;
    v->class = by_status[i].class;
}

static long long
number_of(const json_t *value)
{
    if (json_is_integer(value)) {
        return json_integer_value(value);
    }
    if (json_is_real(value)) {
        double d = json_real_value(value);
        return d > -9e15 && d < 9e15 ? (long long) d : 0;
    }
    if (json_is_string(value)) {
        char *end;
        const char *s = json_string_value(value);
        errno = 0;
        long long n = strtoll(s, &end, 10);
        return errno || *end || end == s ? 0 : n;
    }
    return 0;
}

static int
status_of(const json_t *error, int fallback)
{
    const char *name = json_string_value(json_object_get(error, "httpStatus"));
    for (size_t i = 0; name && i < TN_ARRAY_SIZE(statuses); i++) {
        if (strcmp(name, statuses[i].name) == 0) {
            return statuses[i].status;
        }
    }
    return fallback;
}

static const char *
text_at(const json_t *error, const char *name)
{
    const char *s = json_string_value(json_object_get(error, name));
    return s ? s : "";
}

/* One line, bounded, of well-formed UTF-8; markup is left out. */
static const char *
tidy(struct tn_arena *arena, const char *s, size_t n, bool markup)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    bool space = false, tag = false;
    for (size_t i = 0; i < n && out.n < TEXT_MAX; i++) {
        unsigned char c = (unsigned char) s[i];
        tag = markup && (c == '<' || (tag && c != '>'));
        if (tag || c <= ' ' || c == 0x7f || (markup && c == '>')) {
            space = true;
            continue;
        }
        if (space && out.n > 0) {
            tn_text_addc(&out, ' ');
        }
        space = false;
        tn_text_addc(&out, (char) c);
    }
    while (out.n > 0 && ((unsigned char) out.s[out.n - 1] & 0xc0) == 0x80 &&
           !tn_is_utf8(out.s, out.n)) {
        out.n--; /* A letter that was cut in two. */
    }
    if (out.n > 0 && (unsigned char) out.s[out.n - 1] >= 0xc0) {
        out.n--;
    }
    if (!tn_is_utf8(tn_text_str(&out), out.n)) {
        return "(an answer that is no text)";
    }
    return tn_arena_strndup(arena, tn_text_str(&out), out.n);
}

/* What follows "referenced by ... path=[" up to "]": paths between commas. */
static void
read_referrers(struct tn_arena *arena, const char *message,
               struct tn_nsx_verdict *v)
{
    TN_VEC(const char *) found = {0};
    const char *at = strstr(message, "referenced by");
    at = at ? strstr(at, "path=[") : NULL;
    if (!at) {
        return;
    }
    at += strlen("path=[");
    const char *end = at + strcspn(at, "]");
    while (at < end && found.n < REFERRERS_MAX) {
        at += strspn(at, " ,\"'\t\r\n");
        size_t n = strcspn(at, ",]\"' \t\r\n");
        if (n > 1 && at[0] == '/' && tn_is_utf8(at, n)) {
            *tn_vec_push(arena, &found) = tn_arena_strndup(arena, at, n);
        }
        at += n ? n : 1;
    }
    v->referrers = found.items;
    v->n_referrers = found.n;
}

/* Message and details, unless they say the same. */
static const char *
sentence(struct tn_arena *arena, const json_t *error)
{
    const char *message = text_at(error, "error_message");
    const char *details = text_at(error, "details");
    if (!*message) {
        message = details;
    }
    if (!*details || strstr(message, details)) {
        return tidy(arena, message, strlen(message), false);
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text both = {0};
    tn_text_addf(&both, "%.600s (%s)", message, details);
    return tidy(arena, both.s, both.n, false);
}

/* Looks at one error; takes it if it is graver than what is known. */
static void
weigh(struct tn_arena *arena, const json_t *error, int status,
      struct tn_nsx_verdict *v)
{
    struct tn_nsx_verdict this = {.status = v->status};
    const char *message = text_at(error, "error_message");
    this.code = number_of(json_object_get(error, "error_code"));
    if (!look_up(status, this.code, message, &this) &&
        !look_up(status, this.code, text_at(error, "details"), &this)) {
        if (v->code == 0 && !v->known) {
            v->code = this.code;
        }
        if (!v->text[0]) {
            v->text = sentence(arena, error);
        }
        return;
    }
    if (v->known && gravity(this.action) <= gravity(v->action)) {
        return;
    }
    this.text = sentence(arena, error);
    if (this.action == TN_NSX_REFERRED) {
        read_referrers(arena, message, &this);
    }
    *v = this;
}

static void
read_json(struct tn_arena *arena, const json_t *error, struct tn_nsx_verdict *v)
{
    size_t i;
    const json_t *one, *related = json_object_get(error, "related_errors");
    weigh(arena, error, v->status, v);
    json_array_foreach(related, i, one)
    {
        if (i < RELATED_MAX) {
            weigh(arena, one, status_of(one, v->status), v);
        }
    }
}

struct tn_nsx_verdict
tn_nsx_verdict_of(struct tn_arena *arena, int status, const char *body,
                  size_t n_body)
{
    struct tn_nsx_verdict v = {.status = status, .text = ""};
    if (status >= 200 && status <= 299) {
        return v;
    }
    json_t *json = json_loadb(body, n_body,
                              JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    if (json_is_object(json)) {
        read_json(arena, json, &v);
    } else {
        v.text = tidy(arena, body, n_body, true);
    }
    if (!v.known || status == 429) {
        by_status_alone(&v);
        v.referrers = NULL;
        v.n_referrers = 0;
    }
    /* NSX always says in JSON what it does not find.  Whoever else says so is
     * in front of it, or is no NSX at all. */
    if (status == 404 && !v.known && !json_is_object(json) && n_body > 0) {
        v.action = TN_NSX_RETRY;
        v.class = TN_EUNAVAILABLE;
    }
    json_decref(json);
    return v;
}

enum tn_nsx_action
tn_nsx_action_for(const struct tn_nsx_verdict *v, const char *method)
{
    bool reads = strcmp(method, "GET") == 0;
    bool deletes = strcmp(method, "DELETE") == 0;
    if (v->status == 404 && v->code == 202 && (reads || deletes)) {
        return TN_NSX_ABSENT;
    }
    if (v->action == TN_NSX_RETRY && !reads && !v->known &&
        (v->status == 502 || v->status == 504)) {
        return TN_NSX_LOST;
    }
    return v->action;
}

enum tn_nsx_action
tn_nsx_alarm_action(long long code)
{
    /* 500042: the provider is not ready.  Addresses that ran out (8212), ranges
     * that overlap or lie outside (508134, 508135), modes that do not mix
     * (508128), and all that we do not know, are for people. */
    return code == 500042 ? TN_NSX_RETRY : TN_NSX_FAIL;
}

enum tn_code
tn_nsx_fail(struct tn_error *err, const struct tn_nsx_verdict *v,
            const char *what)
{
    enum tn_code class = v->class ? v->class : TN_EINTERNAL;
    if (v->action == TN_NSX_LOST) {
        return tn_fail(err, TN_EUNAVAILABLE, v->status,
                       "%s: the answer was lost%s%.400s", what,
                       v->text[0] ? ": " : "", v->text);
    }
    if (v->code) {
        return tn_fail(err, class, v->status, "%s: %d/%lld%s%.400s", what,
                       v->status, v->code, v->text[0] ? ": " : "", v->text);
    }
    return tn_fail(err, class, v->status, "%s: answered %d%s%.400s", what,
                   v->status, v->text[0] ? ": " : "", v->text);
}

const char *
tn_nsx_action_name(enum tn_nsx_action action)
{
    static const char *const names[] = {
        "done",     "fail",    "denied",    "login",  "slower",
        "retry",    "wait",    "reread",    "exists", "absent",
        "referred", "smaller", "elsewhere", "lost",
    };
    return names[action];
}
