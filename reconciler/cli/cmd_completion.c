/* cmd_completion.c - 'tenet completion SHELL': what a shell has to know to
 * complete commands, their options, and the values that are few or files.
 *
 * Printed from the table of commands, so that no completion offers what the
 * program refuses.  Names of hosts and tenants are not completed: that would
 * mean to read a repository at each press of a key. */
#include "reconciler/cli/command.h"

#include <string.h>

#include "model/kinds/kinds.h"

enum shell { BASH, ZSH, FISH, N_SHELLS };

static const char *const shells[N_SHELLS] = {"bash", "zsh", "fish"};

static const char *const ctl_words =
    "status sync audit observe heal hold clear modes acknowledge";

/* Words that may follow a command; null: none that are known. */
static void
words_add(struct tn_text *out, const struct tn_command *c)
{
    if (strcmp(c->name, "schema") == 0) {
        for (int i = 0; i < TN_N_KINDS; i++) {
            tn_text_addf(out, "%s%s", i ? " " : "",
                         tn_kind_slug((enum tn_kind) i));
        }
    } else if (strcmp(c->name, "help") == 0) {
        for (size_t i = 0; i < tn_n_commands; i++) {
            tn_text_addf(out, "%s%s", i ? " " : "", tn_commands[i].name);
        }
    } else if (strcmp(c->name, "ctl") == 0) {
        tn_text_add(out, ctl_words);
    } else if (strcmp(c->name, "policy") == 0) {
        tn_text_add(out, "list test");
    } else if (strcmp(c->name, "completion") == 0) {
        for (int i = 0; i < N_SHELLS; i++) {
            tn_text_addf(out, "%s%s", i ? " " : "", shells[i]);
        }
    }
}

/* Values of which there are few; null: any.  Those of --output and --report
 * are the command's: see formats_add(). */
static const char *
value_words(const struct tn_option *o)
{
    static const struct {
        const char *option, *words;
    } known[] = {
        {"expect", "yes no"},
        {"forge", "gitlab github gitea none"},
        {"proto", "tcp udp sctp icmp any"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(known); i++) {
        if (strcmp(o->name, known[i].option) == 0) {
            return known[i].words;
        }
    }
    return NULL;
}

/* The forms that the command prints, each followed by 'end'. */
static void
formats_add(struct tn_text *out, const struct tn_command *c, const char *end)
{
    const char *name;
    for (size_t i = 0; (name = tn_command_format(c, i)); i++) {
        tn_text_addf(out, "%s%s%s", i ? " " : "", name, end);
    }
}

/* What completes the value of an option, as bash's compgen says it. */
static void
value_action(struct tn_text *out, const struct tn_option *o)
{
    const char *words = value_words(o);
    if (words) {
        tn_text_addf(out, "-W '%s'", words);
    } else if (strcmp(o->value, "DIR") == 0) {
        tn_text_add(out, "-d");
    } else if (strcmp(o->value, "FILE") == 0 || strcmp(o->value, "PATH") == 0) {
        tn_text_add(out, "-f");
    } else if (strcmp(o->value, "FORMAT") == 0) {
        tn_text_add(out, "-W \"$formats\"");
    } else if (strcmp(o->value, "FORMAT=FILE") == 0) {
        tn_text_add(out, "-S = -W \"$formats\"");
    } else {
        tn_text_add(out, "-W ''");
    }
}

static void
bash_values(struct tn_text *out)
{
    for (size_t i = 0; i < tn_n_options; i++) {
        const struct tn_option *o = &tn_options[i];
        if (!o->value) {
            continue;
        }
        tn_text_addf(out, "    --%s", o->name);
        if (o->letter) {
            tn_text_addf(out, " | -%c", o->letter);
        }
        tn_text_add(out, ")\n        COMPREPLY=($(compgen ");
        value_action(out, o);
        tn_text_add(out, " -- \"$cur\"))\n        return\n        ;;\n");
    }
}

static void
bash_commands(struct tn_text *out)
{
    for (size_t i = 0; i < tn_n_commands; i++) {
        const struct tn_command *c = &tn_commands[i];
        tn_text_addf(out, "    %s)\n        options='", c->name);
        const char *blank = "";
        for (size_t k = 0; k < tn_n_options; k++) {
            if (tn_command_takes(c, tn_options[k].name)) {
                tn_text_addf(out, "%s--%s", blank, tn_options[k].name);
                blank = " ";
            }
        }
        tn_text_add(out, "'\n        words='");
        words_add(out, c);
        if (tn_command_takes(c, "output")) {
            tn_text_add(out, "'\n        formats='");
            formats_add(out, c, "");
        }
        tn_text_add(out, "'\n        ;;\n");
    }
}

static void
bash_print(struct tn_text *out)
{
    tn_text_add(out, "_tenet()\n{\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} prev options=''"
                     " words='' formats=''\n"
                     "    prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                     "    COMPREPLY=()\n"
                     "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                     "        COMPREPLY=($(compgen -W '");
    words_add(out, tn_command_get("help"));
    tn_text_add(out, "' -- \"$cur\"))\n        return\n    fi\n"
                     "    case ${COMP_WORDS[1]} in\n");
    bash_commands(out);
    tn_text_add(out, "    esac\n    case $prev in\n");
    bash_values(out);
    tn_text_add(out, "    esac\n"
                     "    case $cur in\n"
                     "    -*) words=$options ;;\n"
                     "    esac\n"
                     "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                     "}\n"
                     "complete -o default -F _tenet tenet\n");
}

/* Text within single quotes, which a quote of its own would end. */
static void
quoted_add(struct tn_text *out, const char *s)
{
    tn_text_addc(out, '\'');
    for (; *s; s++) {
        if (*s == '\'') {
            tn_text_add(out, "'\\''");
        } else {
            tn_text_addc(out, *s);
        }
    }
    tn_text_addc(out, '\'');
}

static void
fish_option(struct tn_text *out, const struct tn_command *c,
            const struct tn_option *o)
{
    tn_text_addf(out,
                 "complete -c tenet -n '__fish_seen_subcommand_from %s' -l %s",
                 c->name, o->name);
    if (o->letter) {
        tn_text_addf(out, " -s %c", o->letter);
    }
    if (o->value) {
        const char *words = value_words(o);
        bool files = strcmp(o->value, "DIR") == 0 ||
                     strcmp(o->value, "FILE") == 0 ||
                     strcmp(o->value, "PATH") == 0;
        tn_text_add(out, files ? " -r -F" : " -x");
        if (words) {
            tn_text_addf(out, " -a '%s'", words);
        } else if (strncmp(o->value, "FORMAT", 6) == 0) {
            tn_text_add(out, " -a '");
            formats_add(out, c, o->value[6] ? "=" : "");
            tn_text_addc(out, '\'');
        }
    }
    tn_text_add(out, " -d ");
    quoted_add(out, o->text);
    tn_text_addc(out, '\n');
}

static void
fish_print(struct tn_text *out)
{
    for (size_t i = 0; i < tn_n_commands; i++) {
        const struct tn_command *c = &tn_commands[i];
        TN_CLEANUP(tn_cleanup_text) struct tn_text words = {0};
        tn_text_addf(out,
                     "complete -c tenet -f -n __fish_use_subcommand -a %s -d ",
                     c->name);
        quoted_add(out, c->summary);
        tn_text_addc(out, '\n');
        words_add(&words, c);
        if (words.n) {
            tn_text_addf(out,
                         "complete -c tenet -f -n '__fish_seen_subcommand_from "
                         "%s' -a '%s'\n",
                         c->name, words.s);
        }
        for (size_t k = 0; k < tn_n_options; k++) {
            if (tn_command_takes(c, tn_options[k].name)) {
                fish_option(out, c, &tn_options[k]);
            }
        }
    }
}

enum tn_exit
tn_cmd_completion(struct tn_cli *cli)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const char *shell = cli->n_args ? cli->args[0] : "bash";
    if (strcmp(shell, shells[BASH]) == 0) {
        bash_print(&t);
    } else if (strcmp(shell, shells[ZSH]) == 0) {
        /* zsh runs completions of bash. */
        tn_text_add(&t, "#compdef tenet\nautoload -U +X bashcompinit && "
                        "bashcompinit\n");
        bash_print(&t);
    } else if (strcmp(shell, shells[FISH]) == 0) {
        fish_print(&t);
    } else {
        fprintf(stderr,
                "tenet: no completion for '%s'; there is bash, zsh and "
                "fish\n",
                shell);
        return TN_EXIT_ERROR;
    }
    return tn_report_out(&t) ? TN_EXIT_OK : TN_EXIT_ERROR;
}
