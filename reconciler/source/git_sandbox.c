/* git_sandbox.c - see sandbox.h.
 *
 * Criterion itself uses libgit2 and has started it before a test runs, so that
 * HOME comes too late: the search paths are set by hand. */
#include "reconciler/source/sandbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/source/source.h"

static void
die(const char *what)
{
    fprintf(stderr, "sandbox: %s\n", what);
    abort();
}

void
tn_sandbox_init(struct tn_sandbox *box)
{
    struct tn_error err = {0};
    snprintf(box->dir, sizeof box->dir, "/tmp/tenet-test-XXXXXX");
    if (!mkdtemp(box->dir)) {
        die("no temporary directory");
    }
    setenv("HOME", box->dir, 1);
    unsetenv("XDG_CONFIG_HOME");
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL,
                     box->dir);
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_XDG, "");
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_SYSTEM, "");
    if (tn_git_init(&err)) {
        die("libgit2 does not start");
    }
}

void
tn_sandbox_done(struct tn_sandbox *box)
{
    tn_git_done();
    git_libgit2_shutdown();
    tn_sandbox_sh(box, "chmod -R u+rwX . && rm -rf '%s'", box->dir);
}

/* The environment, then the command, as one line for the shell. */
static void TN_PRINTF(3, 0)
    command(struct tn_text *out, const struct tn_sandbox *box, const char *fmt,
            va_list ap)
{
    tn_text_addf(out,
                 "cd '%s' && export HOME=\"$PWD\" GIT_CONFIG_NOSYSTEM=1 "
                 "GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=Ada "
                 "GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada "
                 "GIT_COMMITTER_EMAIL=ada@example.com "
                 "GIT_AUTHOR_DATE='1700000000 +0100' "
                 "GIT_COMMITTER_DATE='1700000060 +0100' && { ",
                 box->dir);
    tn_text_vaddf(out, fmt, ap);
    tn_text_add(out, "\n}");
}

static int TN_PRINTF(2, 0)
    run(const struct tn_sandbox *box, const char *fmt, va_list ap)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    command(&t, box, fmt, ap);
    int rc = system(tn_text_str(&t)); /* NOLINT(cert-env33-c) */
    return WIFEXITED(rc) ? WEXITSTATUS(rc) : 255;
}

void
tn_sandbox_sh(const struct tn_sandbox *box, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = run(box, fmt, ap);
    va_end(ap);
    if (rc != 0) {
        die(fmt);
    }
}

int
tn_sandbox_try(const struct tn_sandbox *box, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = run(box, fmt, ap);
    va_end(ap);
    return rc;
}

char *
tn_sandbox_out(const struct tn_sandbox *box, const char *fmt, ...)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0}, said = {0};
    va_list ap;
    va_start(ap, fmt);
    command(&t, box, fmt, ap);
    va_end(ap);
    FILE *f = popen(tn_text_str(&t), "r"); /* NOLINT(cert-env33-c) */
    if (!f) {
        die(fmt);
    }
    char buf[4096];
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;) {
        tn_text_addn(&said, buf, n);
    }
    if (pclose(f) != 0) {
        die(fmt);
    }
    char *s = tn_text_take(&said);
    size_t n = strlen(s);
    if (n && s[n - 1] == '\n') {
        s[n - 1] = '\0';
    }
    return s;
}
