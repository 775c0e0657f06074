/* cmd_init.c - 'tenet init': a new intent repository. */
#include "reconciler/cli/command.h"

#include <string.h>

#include "reconciler/scaffold/scaffold.h"
#include "reconciler/source/init.h"

static enum tn_exit
commit_first(const struct tn_cli *cli, const char *dir)
{
    struct tn_commit commit;
    struct tn_error err = {0};
    enum tn_code code = tn_source_init(
        dir, "Begin with what 'tenet init' made\n", &commit, &err);
    if (code) {
        tn_report_error(cli, &err);
        return TN_EXIT_ERROR;
    }
    printf("Committed as %.10s on branch main.\n", commit.id);
    return TN_EXIT_OK;
}

/* As a word of a shell. */
static void
word_add(struct tn_text *out, const char *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                                "UVWXYZ0123456789/._-";
    if (s[strspn(s, plain)] == '\0' && *s && *s != '-') {
        tn_text_add(out, s);
        return;
    }
    tn_text_add(out, *s == '-' ? "./'" : "'");
    for (; *s; s++) {
        if (*s == '\'') {
            tn_text_add(out, "'\\''");
        } else if ((unsigned char) *s < 0x20 || *s == 0x7f) {
            tn_text_addc(out, '?');
        } else {
            tn_text_addc(out, *s);
        }
    }
    tn_text_addc(out, '\'');
}

static void
next_say(const struct tn_cli *cli, const char *dir)
{
    printf("\nNext:\n");
    if (strcmp(dir, ".") != 0) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text word = {0};
        word_add(&word, dir);
        printf("    cd %s\n", tn_text_str(&word));
    }
    if (!cli->commit) {
        printf("    git init -b main && git add . && git commit -m 'Begin'\n");
    }
    printf("    tenet validate && tenet plan\n");
}

enum tn_exit
tn_cmd_init(struct tn_cli *cli)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text written = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text name = {0};
    struct tn_scaffold s = {.dir = cli->n_args ? cli->args[0] : ".",
                            .forge = cli->forge};
    enum tn_code code = tn_scaffold_write(&s, &written, &name, &err);
    if (code) {
        tn_report_error(cli, &err);
        return TN_EXIT_ERROR;
    }
    printf("%sInstance %s, environment lab.\n", tn_text_str(&written),
           tn_text_str(&name));
    enum tn_exit exit = cli->commit ? commit_first(cli, s.dir) : TN_EXIT_OK;
    if (exit == TN_EXIT_OK) {
        next_say(cli, s.dir);
    }
    return exit;
}
