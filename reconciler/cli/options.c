/* options.c - argv by getopt_long(3), with the table of table.c.
 *
 * Long options are not abbreviated: what a script says today must mean the
 * same when a new option comes. */
#include "reconciler/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/review/review.h"

enum { MAX_OPTIONS = 64, FIRST_LONG = 256 };

static enum tn_exit
usage_error(const char *command, const char *fmt, const char *what,
            const char *nearest)
{
    fprintf(stderr, "tenet: ");
    fprintf(stderr, "%s '%s'", fmt, what);
    if (nearest) {
        fprintf(stderr, "; did you mean '%s'?", nearest);
    }
    fprintf(stderr, "\nSee 'tenet %s%s--help'.\n", command ? command : "",
            command ? " " : "");
    return TN_EXIT_ERROR;
}

static enum tn_exit
number_parse(const char *text, const char *option, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (errno || *end || text[0] < '0' || text[0] > '9') {
        fprintf(stderr, "tenet: --%s wants a number, not '%s'\n", option, text);
        return TN_EXIT_ERROR;
    }
    *out = v;
    return TN_EXIT_OK;
}

static enum tn_exit
output_set(struct tn_cli *cli, const char *value)
{
    const char *format = NULL;
    for (size_t i = 0; (format = tn_command_format(cli->command, i)) &&
                       strcmp(format, value) != 0;
         i++) {
    }
    if (!format) {
        return usage_error(cli->command->name, "no output format", value, NULL);
    }
    cli->json = strcmp(value, "json") == 0;
    cli->format = value;
    return TN_EXIT_OK;
}

static enum tn_exit
report_add(struct tn_cli *cli, const char *value)
{
    const char *file = strchr(value, '=');
    const char *format =
        tn_arena_strndup(cli->arena, value, strcspn(value, "="));
    if (!file || !file[1] || !tn_review_format_get(format)) {
        return usage_error(cli->command->name,
                           "--report wants FORMAT=FILE, not", value, NULL);
    }
    *tn_vec_push(cli->arena, &cli->reports) = value;
    return TN_EXIT_OK;
}

/* Where the value of an option goes. */
enum member { FLAG, TEXT, NUMBER };
struct place {
    const char *option;
    enum member type;
    size_t offset;
};

#define PLACE(option, type, member)                                            \
    {                                                                          \
        option, type, offsetof(struct tn_cli, member)                          \
    }

static const struct place places[] = {
    PLACE("allow-deletes", NUMBER, allow_deletes),
    PLACE("artifacts", TEXT, artifacts),
    PLACE("cache-dir", TEXT, cache_dir),
    PLACE("check", FLAG, check),
    PLACE("commit", FLAG, commit),
    PLACE("config", TEXT, config),
    PLACE("confirm", TEXT, confirm),
    PLACE("control", TEXT, control),
    PLACE("detailed-exitcode", FLAG, detailed_exitcode),
    PLACE("diff", TEXT, reach.diff),
    PLACE("environment", TEXT, environment),
    PLACE("expect", TEXT, reach.expect),
    PLACE("for", TEXT, duration),
    PLACE("forge", TEXT, forge),
    PLACE("from", TEXT, reach.from),
    PLACE("help", FLAG, help),
    PLACE("host", TEXT, host),
    PLACE("links", TEXT, links),
    PLACE("live", FLAG, live),
    PLACE("lock-wait", TEXT, lock_wait),
    PLACE("matrix", TEXT, reach.matrix),
    PLACE("max-age", TEXT, max_age),
    PLACE("no-cache", FLAG, no_cache),
    PLACE("no-color", FLAG, no_color),
    PLACE("no-post", FLAG, no_post),
    PLACE("offline", FLAG, offline),
    PLACE("out", TEXT, out),
    PLACE("port", TEXT, reach.port),
    PLACE("probe", TEXT, probe),
    PLACE("proto", TEXT, reach.protocol),
    PLACE("reason", TEXT, reason),
    PLACE("repo", TEXT, repo),
    PLACE("resume", FLAG, resume),
    PLACE("rev", TEXT, rev),
    PLACE("state-dir", TEXT, state_dir),
    PLACE("stats", FLAG, stats),
    PLACE("target", TEXT, target),
    PLACE("tenant", TEXT, tenant),
    PLACE("threads", NUMBER, threads),
    PLACE("to", TEXT, reach.to),
    PLACE("token-file", TEXT, token_file),
    PLACE("verbose", FLAG, verbose),
    PLACE("vpc", TEXT, vpc),
    PLACE("warn-age", TEXT, warn_age),
    PLACE("worktree", FLAG, worktree),
    PLACE("yes", FLAG, yes),
};

static enum tn_exit
option_set(struct tn_cli *cli, const char *name, const char *value)
{
    if (strcmp(name, "output") == 0) {
        return output_set(cli, value);
    }
    if (strcmp(name, "report") == 0) {
        return report_add(cli, value);
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(places); i++) {
        void *member = (char *) cli + places[i].offset;
        if (strcmp(places[i].option, name) != 0) {
            continue;
        }
        switch (places[i].type) {
        case FLAG:
            *(bool *) member = true;
            break;
        case TEXT:
            *(const char **) member = value;
            break;
        case NUMBER:
            return number_parse(value, name, member);
        }
    }
    return TN_EXIT_OK;
}

/* The option of the command that was meant. */
static const char *
option_nearest(const struct tn_command *command, const char *given)
{
    const char *names[MAX_OPTIONS];
    size_t n = 0;
    for (size_t i = 0; i < tn_n_options; i++) {
        if (tn_command_takes(command, tn_options[i].name)) {
            names[n++] = tn_options[i].name;
        }
    }
    const char *found = tn_nearest(given + strspn(given, "-"), names, n);
    return found;
}

/* getopt_long() takes abbreviations; we do not. */
static enum tn_exit
abbreviation_check(const struct tn_cli *cli, const char *arg, const char *name)
{
    if (strncmp(arg, "--", 2) != 0) {
        return TN_EXIT_OK;
    }
    size_t n = strcspn(arg + 2, "=");
    if (n == strlen(name) && strncmp(arg + 2, name, n) == 0) {
        return TN_EXIT_OK;
    }
    return usage_error(cli->command->name, "unknown option", arg, name);
}

static size_t
tables_fill(const struct tn_command *command, struct option *longs,
            char *shorts)
{
    size_t n = 0;
    char *s = shorts;
    *s++ = ':';
    for (size_t i = 0; i < tn_n_options; i++) {
        const struct tn_option *o = &tn_options[i];
        if (!tn_command_takes(command, o->name)) {
            continue;
        }
        longs[n++] =
            (struct option){o->name, o->value ? required_argument : no_argument,
                            NULL, FIRST_LONG + (int) i};
        if (o->letter) {
            *s++ = o->letter;
            if (o->value) {
                *s++ = ':';
            }
        }
    }
    longs[n] = (struct option){0};
    *s = '\0';
    return n;
}

static const struct tn_option *
option_of(int c)
{
    if (c >= FIRST_LONG) {
        return &tn_options[c - FIRST_LONG];
    }
    for (size_t i = 0; i < tn_n_options; i++) {
        if (tn_options[i].letter == c) {
            return &tn_options[i];
        }
    }
    return NULL;
}

static enum tn_exit
options_parse(struct tn_cli *cli, int argc, char **argv)
{
    struct option longs[MAX_OPTIONS];
    char shorts[2 * MAX_OPTIONS];
    tables_fill(cli->command, longs, shorts);
    opterr = 0;
    optind = 1;
    for (;;) {
        int at = optind;
        int c = getopt_long(argc, argv, shorts, longs, NULL);
        if (c == -1) {
            break;
        }
        if (c == ':') {
            return usage_error(cli->command->name, "a value is missing after",
                               argv[optind - 1], NULL);
        }
        const struct tn_option *o = c == '?' ? NULL : option_of(c);
        if (!o) {
            const char *given = argv[optind - 1];
            return usage_error(cli->command->name, "unknown option", given,
                               option_nearest(cli->command, given));
        }
        enum tn_exit exit = TN_EXIT_OK;
        if (c >= FIRST_LONG && at < argc) {
            /* Permutation may have moved it; the option just read stands
             * before its value, if that is a word of its own. */
            const char *arg = argv[optind - 1];
            if (o->value && optarg == arg) {
                arg = argv[optind - 2];
                if (strncmp(optarg, "--", 2) == 0) {
                    return usage_error(
                        cli->command->name,
                        tn_arena_printf(cli->arena, "--%s wants a value, not",
                                        o->name),
                        optarg, NULL);
                }
            }
            exit = abbreviation_check(cli, arg, o->name);
        }
        if (exit == TN_EXIT_OK) {
            exit = option_set(cli, o->name, optarg);
        }
        if (exit != TN_EXIT_OK) {
            return exit;
        }
    }
    cli->args = (const char **) (argv + optind);
    cli->n_args = (size_t) (argc - optind);
    return TN_EXIT_OK;
}

static const char *
directory_default(struct tn_arena *arena, const char *variable,
                  const char *of_root, const char *xdg, const char *home_part)
{
    const char *given = getenv(variable), *base = getenv(xdg);
    if (given && *given) {
        return given;
    }
    if (geteuid() == 0) {
        return of_root;
    }
    if (base && *base) {
        return tn_arena_printf(arena, "%s/tenet", base);
    }
    const char *home = getenv("HOME");
    return home && *home
               ? tn_arena_printf(arena, "%s/%s/tenet", home, home_part)
               : NULL;
}

static bool
color_wanted(const struct tn_cli *cli, int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !cli->no_color && !(no && *no) && isatty(fd) && term &&
           strcmp(term, "dumb") != 0;
}

static void
defaults_set(struct tn_cli *cli)
{
    if (!cli->repo) {
        cli->repo = ".";
    }
    if (!cli->cache_dir) {
        cli->cache_dir =
            directory_default(cli->arena, "TENET_CACHE_DIR", "/var/cache/tenet",
                              "XDG_CACHE_HOME", ".cache");
    }
    if (!cli->state_dir) {
        cli->state_dir =
            directory_default(cli->arena, "TENET_STATE_DIR", "/var/lib/tenet",
                              "XDG_STATE_HOME", ".local/state");
    }
    if (cli->no_cache) {
        cli->cache_dir = NULL;
    }
    cli->color_out = color_wanted(cli, STDOUT_FILENO);
    cli->color_err = color_wanted(cli, STDERR_FILENO);
}

static const char *
command_nearest(const char *given)
{
    const char *names[MAX_OPTIONS];
    for (size_t i = 0; i < tn_n_commands; i++) {
        names[i] = tn_commands[i].name;
    }
    return tn_nearest(given, names, tn_n_commands);
}

enum tn_exit
tn_cli_parse(struct tn_cli *cli, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        name = "version";
    }
    cli->command = tn_command_get(name);
    if (!cli->command) {
        return usage_error(NULL, "unknown command", name,
                           command_nearest(name));
    }
    enum tn_exit exit =
        argc > 1 ? options_parse(cli, argc - 1, argv + 1) : TN_EXIT_OK;
    if (exit == TN_EXIT_OK && cli->n_args > cli->command->max_args) {
        exit = usage_error(cli->command->name, "unexpected argument",
                           cli->args[cli->command->max_args], NULL);
    }
    if (exit == TN_EXIT_OK && cli->worktree && cli->rev) {
        fprintf(stderr, "tenet: --rev and --worktree exclude each other\n");
        exit = TN_EXIT_ERROR;
    }
    defaults_set(cli);
    return exit;
}
