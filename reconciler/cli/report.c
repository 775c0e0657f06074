/* report.c - see report.h.  Text from documents and devices is escaped before
 * it reaches a terminal. */
#include "reconciler/cli/report.h"

#include <stdio.h>

enum { MAX_SHOWN = 200 };

static void
finding_add(struct tn_text *out, const struct tn_diag *d, bool color)
{
    bool error = d->severity == TN_ERROR;
    if (d->at.path) {
        tn_text_add_escaped(out, d->at.path);
        if (d->at.line) {
            tn_text_addf(out, ":%u:%u", d->at.line, d->at.column);
        }
        tn_text_add(out, ": ");
    }
    tn_text_add(out, color ? (error ? "\033[1;31m" : "\033[1;33m") : "");
    tn_text_add(out, error ? "error" : "warning");
    tn_text_add(out, color ? "\033[0m: " : ": ");
    for (const char *p = d->message; *p; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            tn_text_addf(out, "\\x%02x", (unsigned char) *p);
        } else {
            tn_text_addc(out, *p);
        }
    }
    tn_text_addc(out, '\n');
    if (d->hint) {
        tn_text_add(out, "    hint: ");
        tn_text_add(out, d->hint);
        tn_text_addc(out, '\n');
    }
}

void
tn_report_findings(const struct tn_cli *cli, const struct tn_diags *diags)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    size_t shown = diags->list.n;
    if (shown > MAX_SHOWN && !cli->verbose) {
        shown = MAX_SHOWN;
    }
    for (size_t i = 0; i < shown; i++) {
        finding_add(&t, &diags->list.items[i], cli->color_err);
    }
    size_t all = diags->n_errors + diags->n_warnings;
    if (all > shown) {
        tn_text_addf(&t, "... and %zu more\n", all - shown);
    }
    fputs(tn_text_str(&t), stderr);
}

static void
member_add(struct tn_text *out, const char *name, const char *value)
{
    if (value) {
        tn_text_addf(out, ", \"%s\": \"", name);
        tn_text_add_escaped(out, value);
        tn_text_addc(out, '"');
    }
}

void
tn_report_findings_json(struct tn_text *out, const struct tn_diags *diags)
{
    tn_text_add(out, ", \"findings\": [");
    for (size_t i = 0; i < diags->list.n; i++) {
        const struct tn_diag *d = &diags->list.items[i];
        tn_text_addf(out, "%s\n  {\"severity\": \"%s\"", i ? "," : "",
                     d->severity == TN_ERROR ? "error" : "warning");
        member_add(out, "path", d->at.path);
        if (d->at.line) {
            tn_text_addf(out, ", \"line\": %u, \"column\": %u", d->at.line,
                         d->at.column);
        }
        member_add(out, "tenant", d->tenant);
        member_add(out, "message", d->message);
        member_add(out, "hint", d->hint);
        tn_text_addc(out, '}');
    }
    tn_text_add(out, "]");
}

void
tn_report_error(const struct tn_cli *cli, const struct tn_error *err)
{
    char buf[TN_ERROR_TEXT + 256];
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (const char *p = tn_error_text(err, buf, sizeof buf); *p; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            tn_text_addf(&t, "\\x%02x", (unsigned char) *p);
        } else {
            tn_text_addc(&t, *p);
        }
    }
    fprintf(stderr, "%stenet:%s %s\n", cli->color_err ? "\033[1;31m" : "",
            cli->color_err ? "\033[0m" : "", tn_text_str(&t));
}

bool
tn_report_out(const struct tn_text *t)
{
    bool fine = fwrite(tn_text_str(t), 1, t->n, stdout) == t->n;
    fine = fflush(stdout) == 0 && fine;
    if (!fine) {
        perror("tenet: stdout");
    }
    return fine;
}

enum tn_exit
tn_report_exit(enum tn_code code)
{
    switch (code) {
    case TN_OK:
        return TN_EXIT_OK;
    case TN_EINTENT:
        return TN_EXIT_INVALID;
    case TN_ESTALE:
        return TN_EXIT_STALE;
    case TN_EUNAVAILABLE:
        return TN_EXIT_UNREACHABLE;
    case TN_EDENIED:
        return TN_EXIT_DENIED;
    case TN_EUNSUPPORTED:
    case TN_ENOENT:
    case TN_EINTERNAL:
        return TN_EXIT_ERROR;
    }
    return TN_EXIT_ERROR;
}
