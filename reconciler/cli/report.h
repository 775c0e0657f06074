/* report.h - telling people (stderr) and programs (stdout) how it went. */
#ifndef TN_CLI_REPORT_H
#define TN_CLI_REPORT_H

#include "model/base/diag.h"
#include "model/base/error.h"
#include "reconciler/cli/cli.h"

/* All findings, on stderr, as compilers print them:
 *     tenants/acme/web.yml:12:7: error: unknown field 'cdir'
 *         hint: did you mean 'cidr'? */
void tn_report_findings(const struct tn_cli *cli, const struct tn_diags *diags);

/* The same as members of a JSON object: "findings": [...], a comma in front. */
void tn_report_findings_json(struct tn_text *out, const struct tn_diags *diags);

/* "tenet: ..." on stderr, escaped. */
void tn_report_error(const struct tn_cli *cli, const struct tn_error *err);

/* Writes all of 't' to stdout; false if that failed (a full disk, a closed
 * pipe). */
bool tn_report_out(const struct tn_text *t);

/* The exit code that a failure calls for. */
enum tn_exit tn_report_exit(enum tn_code code);

#endif
