/* help.c - the table of commands as text for people and as a man page. */
#include "reconciler/cli/cli.h"

#include <string.h>

static const struct {
    int code;
    const char *text;
} exits[] = {
    {TN_EXIT_OK, "success"},
    {TN_EXIT_ERROR, "usage or internal error"},
    {TN_EXIT_CHANGES, "changes are pending (plan --detailed-exitcode)"},
    {TN_EXIT_DRIFT, "drift is all there is (plan --detailed-exitcode)"},
    {TN_EXIT_DENIED, "denied by a budget or a check"},
    {TN_EXIT_STALE, "the saved plan is stale"},
    {TN_EXIT_PARTIAL, "not everything was applied; the report says what"},
    {TN_EXIT_UNREACHABLE,
     "a device or the daemon could not be reached, or another tenet is at "
     "work"},
    {TN_EXIT_INVALID, "the intent is invalid"},
};

static const char *const environment[][2] = {
    {"TENET_CACHE_DIR", "as --cache-dir"},
    {"TENET_STATE_DIR", "as --state-dir"},
    {"NO_COLOR", "if not empty: no colours"},
};

enum { WIDTH = 78, INDENT = 26 };

/* 'text' broken into lines that begin at column 'indent'; the cursor is at
 * 'column'. */
static void
wrapped_add(struct tn_text *out, const char *text, size_t indent, size_t column)
{
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column > indent && column + 1 + n >= WIDTH) {
            tn_text_addf(out, "\n%*s", (int) indent, "");
            column = indent;
        } else if (column > indent) {
            tn_text_addc(out, ' ');
            column++;
        }
        tn_text_addn(out, text, n);
        column += n;
        text += n + (text[n] == ' ');
    }
    tn_text_addc(out, '\n');
}

static void
item_add(struct tn_text *out, const char *name, const char *text)
{
    size_t n = strlen(name) + 2;
    tn_text_addf(out, "  %s", name);
    if (n + 2 > INDENT) {
        tn_text_addf(out, "\n%*s", INDENT, "");
    } else {
        tn_text_addf(out, "%*s", (int) (INDENT - n), "");
    }
    wrapped_add(out, text, INDENT, INDENT);
}

static void
option_name(const struct tn_option *o, char *buf, size_t size)
{
    int n = o->letter ? snprintf(buf, size, "-%c, --%s", o->letter, o->name)
                      : snprintf(buf, size, "    --%s", o->name);
    if (o->value && n > 0 && (size_t) n < size) {
        snprintf(buf + n, size - (size_t) n, " %s", o->value);
    }
}

static void
program_help(struct tn_text *out)
{
    tn_text_add(out,
                "tenet - tenant networks, reconciled from a Git repository\n\n"
                "  tenet validate -C intent              check every document\n"
                "  tenet plan -C intent                  what would change\n"
                "  tenet apply -C intent --yes           do it, verify it\n"
                "  tenet run -C intent                   go on doing it\n"
                "  tenet status -C intent                what became of it\n\n"
                "Usage: tenet COMMAND [OPTION]...\n\nCommands:\n");
    for (size_t i = 0; i < tn_n_commands; i++) {
        item_add(out, tn_commands[i].name, tn_commands[i].summary);
    }
    tn_text_add(out, "\nExit codes:\n");
    for (size_t i = 0; i < TN_ARRAY_SIZE(exits); i++) {
        char code[8];
        snprintf(code, sizeof code, "%d", exits[i].code);
        item_add(out, code, exits[i].text);
    }
    tn_text_add(out, "\n'tenet COMMAND --help' shows a command's options.\n");
}

void
tn_help_print(struct tn_text *out, const struct tn_command *command)
{
    if (!command) {
        program_help(out);
        return;
    }
    tn_text_addf(out, "Usage: tenet %s%s%s [OPTION]...\n\n", command->name,
                 *command->args ? " " : "", command->args);
    wrapped_add(out, command->text, 0, 0);
    tn_text_add(out, "\nOptions:\n");
    for (size_t i = 0; i < tn_n_options; i++) {
        if (tn_command_takes(command, tn_options[i].name)) {
            char name[64];
            option_name(&tn_options[i], name, sizeof name);
            item_add(out, name, tn_options[i].text);
        }
    }
}

/* A line that begins with a dot or a quote would be a macro. */
static void
man_text(struct tn_text *out, const char *s)
{
    if (*s == '.' || *s == '\'') {
        tn_text_add(out, "\\&");
    }
    for (; *s; s++) {
        if (*s == '\\') {
            tn_text_add(out, "\\e");
        } else if (*s == '-') {
            tn_text_add(out, "\\-");
        } else if (*s == '.' && s[1] == ' ') {
            tn_text_add(out, ".\n");
            s++;
        } else {
            tn_text_addc(out, *s);
        }
    }
    tn_text_addc(out, '\n');
}

static void
man_command(struct tn_text *out, const struct tn_command *c)
{
    tn_text_addf(out, ".It Cm %s", c->name);
    if (*c->args) {
        tn_text_addf(out, " Ar \"%s\"", c->args);
    }
    tn_text_addc(out, '\n');
    man_text(out, c->text);
    tn_text_add(out, "Options:\n");
    bool first = true;
    for (size_t i = 0; i < tn_n_options; i++) {
        if (tn_command_takes(c, tn_options[i].name)) {
            tn_text_addf(out, "%s.Fl \\-%s", first ? "" : " ,\n",
                         tn_options[i].name);
            first = false;
        }
    }
    tn_text_add(out, " .\n");
}

void
tn_man_print(struct tn_text *out)
{
    tn_text_add(out, ".Dd November 21, 2026\n.Dt TENET 1\n.Os\n.Sh NAME\n"
                     ".Nm tenet\n.Nd tenant networks, reconciled from Git\n"
                     ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar option ...\n"
                     ".Sh DESCRIPTION\n");
    man_text(out, "Keeps the virtual networks of many tenants as a Git "
                  "repository says they should be: compiles YAML into what "
                  "every device should hold, compares, shows the difference as "
                  "a plan, applies it, verifies it, and commits the outcome to "
                  "a ref of its own.");
    tn_text_add(out, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < tn_n_commands; i++) {
        man_command(out, &tn_commands[i]);
    }
    tn_text_add(out, ".El\n.Sh OPTIONS\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < tn_n_options; i++) {
        const struct tn_option *o = &tn_options[i];
        tn_text_add(out, ".It");
        if (o->letter) {
            tn_text_addf(out, " Fl %c ,", o->letter);
        }
        tn_text_addf(out, " Fl \\-%s", o->name);
        if (o->value) {
            tn_text_addf(out, " Ar %s", o->value);
        }
        tn_text_addc(out, '\n');
        man_text(out, o->text);
    }
    tn_text_add(out, ".El\n.Sh ENVIRONMENT\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < TN_ARRAY_SIZE(environment); i++) {
        tn_text_addf(out, ".It Ev %s\n", environment[i][0]);
        man_text(out, environment[i][1]);
    }
    tn_text_add(out, ".El\n.Sh EXIT STATUS\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < TN_ARRAY_SIZE(exits); i++) {
        tn_text_addf(out, ".It %d\n", exits[i].code);
        man_text(out, exits[i].text);
    }
    tn_text_add(out, ".El\n.Sh SEE ALSO\n.Xr bridge 8 ,\n.Xr ip 8 ,\n"
                     ".Xr nft 8\n");
}
