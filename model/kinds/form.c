/* form.c - the shapes of text that fields ask for.
 *
 * Each shape is said twice, as C and as a regular expression for editors; the
 * differential test of tests/kinds holds them together.  Shapes are about
 * safety as much as taste: names become file names, interface names and
 * comments of nftables, and descriptions are printed on terminals. */
#include "model/kinds/field.h"

#include <string.h>

#include "model/base/time.h"

enum { DOMAIN_LABEL_MAX = 63 };

static bool
is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* Letters, digits and 'more'; the first and the last from 'ends' or letters
 * and digits. */
static bool
of_alphabet(const char *s, size_t n, const char *more, const char *ends)
{
    for (size_t i = 0; i < n; i++) {
        const char *set = i == 0 || i + 1 == n ? ends : more;
        if (!is_alnum(s[i]) && !strchr(set, s[i])) {
            return false;
        }
    }
    return n > 0;
}

static bool
label_ok(const char *s, size_t n)
{
    (void) n;
    return tn_is_label(s);
}

static bool
host_ok(const char *s, size_t n)
{
    return of_alphabet(s, n, "._-", "_");
}

/* Labels of a domain name (RFC 1035, and digits in front), lower case. */
static bool
domain_ok(const char *s, size_t n)
{
    size_t start = 0;
    for (size_t i = 0; i <= n; i++) {
        bool end = i == n || s[i] == '.';
        if (!end && !is_alnum(s[i]) && s[i] != '-') {
            return false;
        }
        if (!end && s[i] >= 'A' && s[i] <= 'Z') {
            return false;
        }
        if (end && (i == start || i - start > DOMAIN_LABEL_MAX ||
                    s[start] == '-' || s[i - 1] == '-')) {
            return false;
        }
        start = end ? i + 1 : start;
    }
    return true;
}

/* Control characters, line separators and what turns the direction of text
 * around: a description must not lie in a terminal or in a review. */
static bool
prose_ok(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *) text;
    for (size_t i = 0; i < n; i++) {
        if ((s[i] < 0x20 && s[i] != '\n' && s[i] != '\t') || s[i] == 0x7f) {
            return false;
        }
        if (s[i] == 0xc2 && i + 1 < n && s[i + 1] < 0xa0) {
            return false; /* U+0080 to U+009F */
        }
        if (s[i] == 0xe2 && i + 2 < n) {
            unsigned char b = s[i + 1], c = s[i + 2];
            if ((b == 0x80 && c >= 0xa8 && c <= 0xae) ||
                (b == 0x81 && c >= 0xa6 && c <= 0xa9)) {
                return false; /* U+2028 to U+202E, U+2066 to U+2069 */
            }
        }
    }
    return true;
}

static bool
interface_ok(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] <= 0x20 || s[i] > 0x7e || strchr("/:%", s[i])) {
            return false;
        }
    }
    return n > 0 && strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

/* Letters, digits and '_'; after the first one also 'more'. */
static bool
of_word(const char *s, size_t n, const char *more)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_alnum(s[i]) && s[i] != '_' && (!i || !strchr(more, s[i]))) {
            return false;
        }
    }
    return n > 0;
}

static bool
netns_ok(const char *s, size_t n)
{
    return of_word(s, n, ".-@+");
}

static bool
vif_ok(const char *s, size_t n)
{
    return of_word(s, n, ".-");
}

/* One component between slashes, as git check-ref-format has it but stricter:
 * plain ASCII. */
static bool
component_ok(const char *s, size_t n)
{
    static const char lock[] = ".lock";
    if (!of_alphabet(s, n, "._-+@", "_-+@") || s[0] == '-') {
        return false;
    }
    return n < sizeof lock ||
           memcmp(s + n - (sizeof lock - 1), lock, sizeof lock - 1) != 0;
}

static bool
branch_ok(const char *s, size_t n)
{
    static const char heads[] = "refs/heads/";
    if (n < sizeof heads || memcmp(s, heads, sizeof heads - 1) != 0 ||
        strstr(s, "..")) {
        return false;
    }
    for (const char *p = s + sizeof heads - 1;; p++) {
        size_t len = strcspn(p, "/");
        if (!component_ok(p, len)) {
            return false;
        }
        p += len;
        if (*p == '\0') {
            return true;
        }
    }
}

static bool
mac_prefix_ok(const char *s, size_t n)
{
    static const char local[] = "26aeAE";
    return n == 8 && is_hex(s[0]) && strchr(local, s[1]) && s[2] == ':' &&
           is_hex(s[3]) && is_hex(s[4]) && s[5] == ':' && is_hex(s[6]) &&
           is_hex(s[7]);
}

static bool
label_key_ok(const char *s, size_t n)
{
    return of_alphabet(s, n, "._/-", "");
}

static bool
label_value_ok(const char *s, size_t n)
{
    return n == 0 || of_alphabet(s, n, "._/-", "");
}

static bool
pair_ok(const char *s, size_t n)
{
    char first[64];
    const char *slash = memchr(s, '/', n);
    size_t len = slash ? (size_t) (slash - s) : sizeof first;
    if (len >= sizeof first) {
        return false;
    }
    memcpy(first, s, len);
    first[len] = '\0';
    return tn_is_label(first) && tn_is_label(slash + 1);
}

/* Printable ASCII without a space: addresses of services. */
static bool
url_ok(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] <= ' ' || s[i] > '~') {
            return false;
        }
    }
    return n > 0;
}

static bool
path_ok(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] < ' ' || s[i] > '~') {
            return false;
        }
    }
    return n > 1 && s[0] == '/';
}

static bool
time_ok(const char *s, size_t n)
{
    int64_t ignored;
    (void) n;
    return tn_time_parse(s, &ignored);
}

const struct tn_form tn_form_label = {
    .name = "a name",
    .pattern = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    .rule = "lower-case letters, digits and '-', at most 63, starting and "
            "ending with a letter or digit",
    .max = 63,
    .ok = label_ok,
};

const struct tn_form tn_form_host = {
    .name = "an inventory name",
    .pattern = "^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$",
    .rule = "letters, digits, '.', '_' and '-', starting and ending with a "
            "letter, digit or '_'",
    .max = 253,
    .ok = host_ok,
};

const struct tn_form tn_form_domain = {
    .name = "a domain name",
    .pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
               "(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
    .rule = "lower-case letters, digits and '-' with dots between, at most 63 "
            "from dot to dot",
    .max = 253,
    .ok = domain_ok,
};

const struct tn_form tn_form_prose = {
    .name = "text",
    .pattern = "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f"
               "\\u2028-\\u202e\\u2066-\\u2069]*$",
    .rule = "text without control characters (tabs and line breaks are fine)",
    .max = 1024,
    .ok = prose_ok,
};

const struct tn_form tn_form_interface = {
    .name = "an interface name",
    .pattern = "^(?!\\.\\.?$)[!-$&-.0-9;-~]+$",
    .rule = "at most 15 printable ASCII characters, none of them a space, "
            "'/', ':' or '%'",
    .max = 15,
    .ok = interface_ok,
};

const struct tn_form tn_form_netns = {
    .name = "a network namespace's name",
    .pattern = "^[A-Za-z0-9_][A-Za-z0-9._@+-]*$",
    .rule = "letters, digits, '.', '_', '-', '@' and '+', starting with a "
            "letter, digit or '_'",
    .max = 200,
    .ok = netns_ok,
};

const struct tn_form tn_form_vif = {
    .name = "the name of a virtual interface",
    .pattern = "^[A-Za-z0-9_][A-Za-z0-9._-]*$",
    .rule = "letters, digits, '.', '_' and '-', starting with a letter, digit "
            "or '_'",
    .max = 64,
    .ok = vif_ok,
};

const struct tn_form tn_form_branch = {
    .name = "a branch",
    .pattern = "^refs/heads/(?!.*\\.\\.)(?!.*\\.lock(/|$))"
               "[A-Za-z0-9_+@]([A-Za-z0-9._+@-]*[A-Za-z0-9_+@-])?"
               "(/[A-Za-z0-9_+@]([A-Za-z0-9._+@-]*[A-Za-z0-9_+@-])?)*$",
    .rule = "a full name that starts with refs/heads/",
    .max = 200,
    .ok = branch_ok,
};

const struct tn_form tn_form_mac_prefix = {
    .name = "three octets of a MAC address",
    .pattern = "^[0-9A-Fa-f][26aeAE](:[0-9A-Fa-f]{2}){2}$",
    .rule = "three octets with colons, locally administered and unicast: the "
            "second digit is 2, 6, a or e",
    .max = 8,
    .ok = mac_prefix_ok,
};

const struct tn_form tn_form_label_key = {
    .name = "a label",
    .pattern = "^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$",
    .rule = "letters, digits, '.', '_', '/' and '-', at most 63, starting and "
            "ending with a letter or digit",
    .max = 63,
    .ok = label_key_ok,
};

const struct tn_form tn_form_label_value = {
    .name = "a label's value",
    .pattern = "^([A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?)?$",
    .rule = "empty, or letters, digits, '.', '_', '/' and '-', at most 63, "
            "starting and ending with a letter or digit",
    .max = 63,
    .ok = label_value_ok,
};

const struct tn_form tn_form_pair = {
    .name = "a tenant and a name",
    .pattern = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/"
               "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    .rule = "tenant/name, each lower-case letters, digits and '-', at most 63, "
            "starting and ending with a letter or digit",
    .max = 127,
    .ok = pair_ok,
};

const struct tn_form tn_form_url = {
    .name = "an address",
    .pattern = "^[!-~]+$",
    .rule = "printable ASCII characters without spaces",
    .max = 1024,
    .ok = url_ok,
};

const struct tn_form tn_form_path = {
    .name = "an absolute path",
    .pattern = "^/[ -~]+$",
    .rule = "printable ASCII characters, starting with '/'",
    .max = 1024,
    .ok = path_ok,
};

const struct tn_form tn_form_time = {
    .name = "a moment",
    .pattern = "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:"
               "[0-6][0-9]Z$",
    .rule = "UTC in the form 2026-11-21T01:54:43Z",
    .max = 20,
    .ok = time_ok,
};
