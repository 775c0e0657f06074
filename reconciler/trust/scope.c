/* scope.c - see scope.h.
 *
 * Twice the same idea: on a mismatch go back to the last star and let it take
 * one more.  An earlier star never needs to be asked again, since whatever it
 * could still take, the later one could take too. */
#include "reconciler/trust/scope.h"

#include <stddef.h>
#include <string.h>

static bool
name_matches(const char *p, size_t n_p, const char *s, size_t n_s)
{
    const char *p_end = p + n_p, *s_end = s + n_s;
    const char *star = NULL, *retry = NULL;
    while (s < s_end) {
        if (p < p_end && *p == '*') {
            star = ++p;
            retry = s;
        } else if (p < p_end && (*p == '?' || *p == *s)) {
            p++;
            s++;
        } else if (star) {
            p = star;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (p < p_end && *p == '*') {
        p++;
    }
    return p == p_end;
}

static const char *
after_name(const char *s)
{
    s += strcspn(s, "/");
    return *s ? s + 1 : s;
}

static bool
is_deep(const char *p)
{
    return p[0] == '*' && p[1] == '*' && (p[2] == '/' || p[2] == '\0');
}

bool
tn_scope_match(const char *pattern, const char *path)
{
    const char *p = pattern, *s = path;
    const char *deep = NULL, *retry = NULL;
    while (*s) {
        if (is_deep(p)) {
            p = after_name(p);
            if (*p == '\0') {
                return true;
            }
            deep = p;
            retry = s;
        } else if (*p && name_matches(p, strcspn(p, "/"), s, strcspn(s, "/"))) {
            p = after_name(p);
            s = after_name(s);
        } else if (deep) {
            p = deep;
            s = retry = after_name(retry);
        } else {
            return false;
        }
    }
    return *p == '\0';
}
