/* login.h - proving who we are: sessions, basic authentication, certificates.
 *
 * Schemes are never mixed in a request.  A refused login is not tried again by
 * who refused() it: NSX locks accounts after a few. */
#ifndef TN_NSX_LOGIN_H
#define TN_NSX_LOGIN_H

#include "drivers/nsx/client.h"
#include "drivers/nsx/http.h"
#include "drivers/nsx/manager.h"

#define TN_NSX_LOGIN_PATH "/api/session/create"
#define TN_NSX_LOGOUT_PATH "/api/session/destroy"

/* "j_username=...&j_password=...", percent-encoded, or the value of an
 * Authorization header: new. */
enum tn_code tn_nsx_login_form(const char *user, const struct tn_secret *secret,
                               struct tn_secret **out,
                               struct tn_error *err) TN_MUST_USE;
enum tn_code tn_nsx_login_basic(const char *user,
                                const struct tn_secret *secret,
                                struct tn_secret **out,
                                struct tn_error *err) TN_MUST_USE;

enum tn_nsx_login_end {
    TN_NSX_LOGIN_WELCOME, /* The session is in the manager. */
    TN_NSX_LOGIN_REFUSED, /* For good. */
    TN_NSX_LOGIN_SLOWER,
    TN_NSX_LOGIN_ELSEWHERE, /* The answer's location. */
    TN_NSX_LOGIN_NOT_HERE,  /* This manager is of no use now. */
};

/* What became of a login that was answered (TN_NSX_ANSWERED).  With REFUSED and
 * NOT_HERE 'why' has a text, which holds nothing of what the manager wrote:
 * that may echo what was sent. */
enum tn_nsx_login_end tn_nsx_login_read(struct tn_nsx_manager *m,
                                        const struct tn_nsx_answer *a,
                                        char *why, size_t size);

#endif
