/* escape.c - see escape.h.
 *
 * Entities protect nobody: forges look for "@name" in what the renderer made of
 * them.  What is inside code they leave alone, all three, so whatever is not
 * plainly prose goes there. */
#include "reconciler/review/escape.h"

#include <string.h>

#include "reconciler/plan/show.h"

/* The longest run of backticks, plus one. */
static size_t
fence_of(const char *s, size_t n)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < n; i++) {
        run = s[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest + 1;
}

static void
add_run(struct tn_text *out, char c, size_t n)
{
    while (n--) {
        tn_text_addc(out, c);
    }
}

/* 'n' clean bytes as a code span. */
static void
code_add(struct tn_text *out, const char *s, size_t n)
{
    size_t fence = fence_of(s, n);
    bool pad = n == 0 || s[0] == '`' || s[n - 1] == '`' || s[0] == ' ' ||
               s[n - 1] == ' ';
    add_run(out, '`', fence);
    tn_text_add(out, pad ? " " : "");
    tn_text_addn(out, s, n);
    tn_text_add(out, pad ? " " : "");
    add_run(out, '`', fence);
}

void
tn_esc_code(struct tn_text *out, const char *s)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_show_text(&t, *s ? s : "-");
    code_add(out, tn_text_str(&t), t.n);
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* No character that means anything, no address, and no name of a ticket
 * (capitals, a dash, digits). */
static bool
is_prose(const char *s, size_t n)
{
    size_t dots = 0, digits = 0, colons = 0, capitals = 0;
    for (size_t i = 0; i < n; i++) {
        bool digit = s[i] >= '0' && s[i] <= '9';
        if (!digit && !is_letter(s[i]) && !strchr(",.;:()'-/", s[i])) {
            return false;
        }
        dots += s[i] == '.' && i + 1 < n;
        colons += s[i] == ':';
        digits += digit;
        capitals += s[i] >= 'A' && s[i] <= 'Z';
    }
    bool ticket = capitals && digits && memchr(s, '-', n);
    return !ticket && dots == 0 && colons < 2 && !strchr("/:", s[0]);
}

void
tn_esc_prose(struct tn_text *out, const char *s)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_show_text(&t, s);
    for (const char *p = tn_text_str(&t); *p;) {
        size_t blanks = strspn(p, " ");
        tn_text_add(out, blanks ? " " : "");
        p += blanks;
        size_t n = strcspn(p, " ");
        if (n == 0) {
            break;
        }
        /* A stop at the end belongs to the sentence. */
        size_t tail = n > 1 && strchr(",.;:", p[n - 1]) ? 1 : 0;
        if (is_prose(p, n - tail)) {
            tn_text_addn(out, p, n);
        } else {
            code_add(out, p, n - tail);
            tn_text_addn(out, p + n - tail, tail);
        }
        p += n;
    }
}

void
tn_esc_html(struct tn_text *out, const char *s)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_show_text(&t, s);
    for (const char *p = tn_text_str(&t); *p; p++) {
        bool plain = is_letter(*p) || (*p >= '0' && *p <= '9') ||
                     strchr(" ._/:,-", *p) || (unsigned char) *p >= 0x80;
        if (plain) {
            tn_text_addc(out, *p);
        } else {
            tn_text_addf(out, "&#%d;", *p);
        }
    }
}

/* U+FFFE and U+FFFF are no characters of XML. */
static bool
is_nonchar(const char *p)
{
    return strncmp(p, "\xef\xbf\xbe", 3) == 0 ||
           strncmp(p, "\xef\xbf\xbf", 3) == 0;
}

void
tn_esc_xml(struct tn_text *out, const char *s)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_show_text(&t, s);
    for (const char *p = tn_text_str(&t); *p; p++) {
        if (is_nonchar(p)) {
            tn_text_addc(out, '?');
            p += 2;
        } else if (strchr("&<>\"'", *p)) {
            tn_text_addf(out, "&#%d;", *p);
        } else {
            tn_text_addc(out, *p);
        }
    }
}

void
tn_esc_uri(struct tn_text *out, const char *s)
{
    s += strspn(s, "/");
    for (; *s; s++) {
        bool plain =
            is_letter(*s) || (*s >= '0' && *s <= '9') || strchr("-._~/", *s);
        if (plain) {
            tn_text_addc(out, *s);
        } else {
            tn_text_addf(out, "%%%02X", (unsigned char) *s);
        }
    }
}

void
tn_esc_command(struct tn_text *out, const char *s, bool property)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_show_text(&t, s);
    for (const char *p = tn_text_str(&t); *p; p++) {
        if (*p == '%' || (property && (*p == ':' || *p == ','))) {
            tn_text_addf(out, "%%%02X", *p);
        } else if (p[0] == '#' && p[1] == '#') {
            tn_text_add(out, "# "); /* "##[" is a command of its own. */
        } else {
            tn_text_addc(out, *p);
        }
    }
}
