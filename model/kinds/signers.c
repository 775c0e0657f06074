/* signers.c - 'signers' of kind Settings: whose signatures make a commit one to
 * follow, and which files a signer may change.
 *
 * What it means is reconciler/trust's; here are the rows and three shapes of
 * text that nothing else uses. */
#include "model/kinds/field.h"

#include <string.h>

/* What the names of files may be made of, beyond letters and digits. */
static const char path_chars[] = "._+@=:,~-";
static const char glob_chars[] = "._+@=:,~-*? ";
static const char principal_chars[] = "._+@=:/~*?-";

static bool
of_chars(const char *s, size_t n, const char *more)
{
    for (size_t i = 0; i < n; i++) {
        bool alnum = (s[i] >= 'a' && s[i] <= 'z') ||
                     (s[i] >= 'A' && s[i] <= 'Z') ||
                     (s[i] >= '0' && s[i] <= '9');
        if (!alnum && !strchr(more, s[i])) {
            return false;
        }
    }
    return n > 0;
}

/* '**' stands alone between slashes. */
static bool
stars_ok(const char *s, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (s[i] == '*' && s[i + 1] == '*') {
            return n == 2;
        }
    }
    return true;
}

static bool
components_ok(const char *s, const char *more)
{
    for (;;) {
        size_t n = strcspn(s, "/");
        bool dots =
            (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');
        if (dots || !of_chars(s, n, more) || !stars_ok(s, n)) {
            return false;
        }
        if (s[n] == '\0') {
            return true;
        }
        s += n + 1;
    }
}

static bool
repo_path_ok(const char *s, size_t n)
{
    return n > 0 && components_ok(s, path_chars);
}

static bool
glob_ok(const char *s, size_t n)
{
    return n > 0 && components_ok(s, glob_chars);
}

static bool
principal_ok(const char *s, size_t n)
{
    return of_chars(s, n, principal_chars);
}

static const struct tn_form form_repo_path = {
    .name = "a path in the repository",
    .pattern = "^(?!.*//)(?!(.*/)?\\.\\.?(/|$))"
               "[A-Za-z0-9._+@=:,~-]([A-Za-z0-9._+@=:,~/-]*"
               "[A-Za-z0-9._+@=:,~-])?$",
    .rule = "relative, of letters, digits and ._+@=:,~- between slashes",
    .max = 1024,
    .ok = repo_path_ok,
};

static const struct tn_form form_glob = {
    .name = "a pattern of paths",
    .pattern = "^(?!.*//)(?!(.*/)?\\.\\.?(/|$))(?!.*[^/]\\*\\*)(?!.*\\*\\*[^/])"
               "[A-Za-z0-9._+@=:,~*? -]([A-Za-z0-9._+@=:,~*? /-]*"
               "[A-Za-z0-9._+@=:,~*? -])?$",
    .rule = "relative; '*' and '?' stay within a name, '**' between slashes "
            "is any number of directories",
    .max = 1024,
    .ok = glob_ok,
};

static const struct tn_form form_principal = {
    .name = "a principal",
    .pattern = "^[A-Za-z0-9._+@=:/~*?-]+$",
    .rule = "letters, digits and ._+@=:/~*?-, as in the signers file",
    .max = 255,
    .ok = principal_ok,
};

static const struct tn_field scope_fields[] = {
    {
        TN_ROW("principal", struct tn_signer_scope, principal),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &form_principal,
        .description = "The signer: a principal of the signers file, letter "
                       "by letter.",
        .example = "ada@example.com",
    },
    {
        TN_ROW("paths", struct tn_signer_scope, paths),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED | TN_MANY | TN_DISTINCT,
        .min_items = 1,
        .max_items = 256,
        .form = &form_glob,
        .description = "The files that the signer may change, add and remove. "
                       "With `**` alone: all of them, links and submodules "
                       "too.",
        .example = "[tenants/acme/**]",
    },
};

static const struct tn_object scope = {
    .title = "SignerScope",
    .description = "What one signer may change.",
    TN_FIELDS(scope_fields),
    .size = sizeof(struct tn_signer_scope),
    .at = offsetof(struct tn_signer_scope, at),
    .key = "principal",
};

static const struct tn_field signers_fields[] = {
    {
        TN_ROW("file", struct tn_settings, signers_file),
        .type = TN_FIELD_TEXT,
        .form = &form_repo_path,
        .fallback = TN_SIGNERS_FILE,
        .description = "The file with the allowed signers, in OpenSSH's "
                       "format (ssh-keygen(1), ALLOWED SIGNERS).",
        .example = ".tenet/allowed_signers",
    },
    {
        TN_ROW("scopes", struct tn_settings, signers_scopes),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .min_items = 1,
        .max_items = 1000,
        .object = &scope,
        .fallback = "(every signer may change everything)",
        .description = "Who may change what. If there are any, a signer who "
                       "is not named here may change nothing.",
    },
};

const struct tn_object tn_signers_object = {
    .title = "Signers",
    .description = "Only commits with an SSH signature (Ed25519) of one of "
                   "these are followed. A commit is judged by what its parents "
                   "say here, never by itself.",
    TN_FIELDS(signers_fields),
    .least = 1,
};
