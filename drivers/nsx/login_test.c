/* login_test.c - what is sent to log in, and what the answer means. */
#include "drivers/nsx/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/nsx/login_memory.h"
#include "model/base/attr.h"
#include "tests/support/peer.h"

struct form_row {
    const char *user, *password, *form, *basic;
};

static const struct form_row forms[] = {
    {"admin", "simple-._~1", "j_username=admin&j_password=simple-._~1",
     "Basic YWRtaW46c2ltcGxlLS5ffjE="},
    {"a", "&%+ =\"#?/", "j_username=a&j_password=%26%25%2B%20%3D%22%23%3F%2F",
     "Basic YTomJSsgPSIjPy8="},
    {"u@corp.example", "\xc3\xbc",
     "j_username=u%40corp.example&j_password=%C3%BC",
     "Basic dUBjb3JwLmV4YW1wbGU6w7w="},
    {"u", "", "j_username=u&j_password=", "Basic dTo="},
    {"u", "a:b", "j_username=u&j_password=a%3Ab", "Basic dTphOmI="},
};

static struct tn_secret *
secret_of(const char *text)
{
    struct tn_secret *s;
    cr_assert_eq(tn_secret_new(strlen(text), &s, NULL), TN_OK);
    memcpy(tn_secret_bytes(s), text, strlen(text));
    return s;
}

Test(nsx_login, forms)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(forms); i++) {
        const struct form_row *r = &forms[i];
        struct tn_secret *password = secret_of(r->password), *out;
        cr_assert_eq(tn_nsx_login_form(r->user, password, &out, NULL), TN_OK);
        cr_expect_str_eq((const char *) tn_secret_peek(out), r->form);
        cr_expect_eq(tn_secret_size(out), strlen(r->form));
        tn_secret_free(out);
        cr_assert_eq(tn_nsx_login_basic(r->user, password, &out, NULL), TN_OK);
        cr_expect_str_eq((const char *) tn_secret_peek(out), r->basic);
        tn_secret_free(out);
        cr_expect_eq(tn_nsx_login_basic("a:b", password, &out, NULL),
                     TN_EINTENT);
        tn_secret_free(password);
    }
}

struct answer_row {
    int status;
    const char *session, *body;
    enum tn_nsx_login_end end;
    const char *why;
};

static const char wrong[] =
    "{\"module_name\":\"common-services\",\"error_message\":\"The credentials "
    "were incorrect or the account specified has been locked. "
    "SECRET\",\"error_code\":403}";

static const struct answer_row answers[] = {
    {200, "JSESSIONID=ABC", "", TN_NSX_LOGIN_WELCOME, NULL},
    {200, "", "<html>login page</html>", TN_NSX_LOGIN_REFUSED, "without"},
    {403, "", wrong, TN_NSX_LOGIN_REFUSED, "403/403"},
    {401, "", "SECRET", TN_NSX_LOGIN_REFUSED, "401/0"},
    {403, "", "{\"error_code\":505}", TN_NSX_LOGIN_REFUSED, "licence"},
    {400, "", "SECRET", TN_NSX_LOGIN_REFUSED, "400/0"},
    {429, "", "{\"error_code\":\"102\"}", TN_NSX_LOGIN_SLOWER, NULL},
    {503, "", "no healthy upstream", TN_NSX_LOGIN_NOT_HERE, "503"},
    {500, "", "{\"error_code\":98}", TN_NSX_LOGIN_NOT_HERE, "500"},
    {404, "", "404 page not found", TN_NSX_LOGIN_NOT_HERE, "404"},
    {404, "", "", TN_NSX_LOGIN_NOT_HERE, "404"},
    {307, "", "", TN_NSX_LOGIN_ELSEWHERE, NULL},
};

Test(nsx_login, answers)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(answers); i++) {
        const struct answer_row *r = &answers[i];
        static struct tn_nsx_manager m;
        static struct tn_nsx_answer a;
        char why[200] = "";
        m = (struct tn_nsx_manager){0};
        a = (struct tn_nsx_answer){.status = r->status, .token = "T"};
        snprintf(a.cookies, sizeof a.cookies, "%s", r->session);
        tn_text_add(&a.body, r->body);
        cr_expect_eq(tn_nsx_login_read(&m, &a, why, sizeof why), r->end,
                     "%zu: %s", i, why);
        cr_expect(!r->why || strstr(why, r->why), "%zu: %s", i, why);
        cr_expect(!strstr(why, "SECRET"), "%s", why);
        cr_expect_str_eq(
            m.cookies, r->end == TN_NSX_LOGIN_WELCOME ? "JSESSIONID=ABC" : "");
        tn_text_done(&a.body);
    }
}

Test(nsx_login, refusals_are_remembered)
{
    enum { T = 1000000, QUARTER = TN_NSX_REFUSALS_S };
    char *dir = tn_peer_dir();
    struct tn_text path = {0}, other = {0};
    struct tn_secret *old = secret_of("old"), *new = secret_of("new");
    tn_nsx_refusals_path(&path, dir, "https://a:443", "admin");
    tn_nsx_refusals_path(&other, dir, "https://a:443", "audit");
    cr_expect_str_neq(path.s, other.s);
    for (int i = 0; i < TN_NSX_REFUSALS_MOST; i++) {
        cr_expect_eq(tn_nsx_refusals_wait(path.s, old, T + i), 0);
        tn_nsx_refusals_note(path.s, old, T + i);
    }
    cr_expect_eq(tn_nsx_refusals_wait(path.s, old, T + 10), QUARTER - 10);
    cr_expect_eq(tn_nsx_refusals_wait(path.s, new, T + 10), 0, "another one");
    cr_expect_eq(tn_nsx_refusals_wait(other.s, old, T + 10), 0, "another user");
    cr_expect_eq(tn_nsx_refusals_wait(path.s, old, T - 10), 0,
                 "a clock's leap");
    cr_expect_eq(tn_nsx_refusals_wait(path.s, old, T + QUARTER), 0);
    tn_nsx_refusals_note(path.s, old, T + QUARTER);
    cr_expect_eq(tn_nsx_refusals_wait(path.s, old, T + QUARTER), 1);
    tn_nsx_refusals_note(path.s, new, T + QUARTER);
    cr_expect_eq(tn_nsx_refusals_wait(path.s, old, T + QUARTER), 0);
    tn_nsx_refusals_forget(path.s);
    tn_nsx_refusals_forget(path.s);
    cr_expect_eq(tn_nsx_refusals_wait(path.s, new, T + QUARTER), 0);
    tn_secret_free(old);
    tn_secret_free(new);
    tn_text_done(&path);
    tn_text_done(&other);
    tn_peer_remove(dir);
}

static const char *const nonsense[] = {
    "",   "1", "2 3 4 5", "1 zz zz", "1 1 1 x", "1\n1\n1\n99999999999999999999",
    "\n",
};

Test(nsx_login, nonsense_remembers_nothing)
{
    char *dir = tn_peer_dir();
    struct tn_text path = {0};
    struct tn_secret *s = secret_of("s");
    tn_nsx_refusals_path(&path, dir, "https://a:443", "admin");
    for (size_t i = 0; i < TN_ARRAY_SIZE(nonsense); i++) {
        tn_peer_write(dir, strrchr(path.s, '/') + 1, nonsense[i]);
        cr_expect_eq(tn_nsx_refusals_wait(path.s, s, 1000000), 0, "%zu", i);
    }
    tn_nsx_refusals_note("/nonexistent/x", s, 5);
    cr_expect_eq(tn_nsx_refusals_wait("/nonexistent/x", s, 5), 0);
    tn_secret_free(s);
    tn_text_done(&path);
    tn_peer_remove(dir);
}
