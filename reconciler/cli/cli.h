/* cli.h - the command line: one table of commands and options.
 *
 * The table drives parsing, '--help', the man page and the completions, so
 * that none of them can tell something else than the others. */
#ifndef TN_CLI_CLI_H
#define TN_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/base/arena.h"
#include "model/base/diag.h"
#include "model/base/text.h"

/* Exit codes: docs/design of the command line, table in 'tenet --help'. */
enum tn_exit {
    TN_EXIT_OK = 0,
    TN_EXIT_ERROR = 1,       /* Usage or internal error. */
    TN_EXIT_CHANGES = 2,     /* plan --detailed-exitcode */
    TN_EXIT_DRIFT = 3,       /* plan --detailed-exitcode */
    TN_EXIT_DENIED = 4,      /* Policy or budget. */
    TN_EXIT_STALE = 5,       /* The saved plan is stale. */
    TN_EXIT_PARTIAL = 6,     /* Not everything was applied. */
    TN_EXIT_UNREACHABLE = 7, /* A device could not be reached. */
    TN_EXIT_INVALID = 8,     /* The intent is invalid. */
};

/* What the user asked for.  Text is borrowed from argv or the environment. */
struct tn_cli {
    const struct tn_command *command;
    struct tn_arena *arena;
    const char *repo, *rev, *environment;
    const char *cache_dir, *state_dir; /* Resolved; cache_dir null: none. */
    const char *out, *tenant, *lock_wait, *host;
    const char *config, *control, *reason, *duration;
    const char *vpc, *links;
    const char *confirm, *probe;  /* Windows: "120s". */
    const char *format;           /* Of --output; null: text. */
    TN_VEC(const char *) reports; /* "FORMAT=FILE", checked. */
    const char *target, *artifacts, *max_age, *warn_age, *token_file, *forge;
    struct {
        const char *from, *to, *protocol, *port, *matrix, *diff, *expect;
    } reach;
    uint64_t allow_deletes, threads;
    bool worktree, json, verbose, detailed_exitcode, yes, check, no_cache;
    bool stats, no_color, help, offline, live, commit, resume, no_post;
    const char **args; /* What is no option. */
    size_t n_args;
    bool color_out, color_err; /* Of the two streams. */
};

struct tn_command {
    const char *name;
    const char *args;    /* "[PLANFILE]"; "" if it takes none. */
    const char *summary; /* One line. */
    const char *text;    /* Some sentences, for its help and man page. */
    size_t max_args;
    const char *options; /* Names of the options it takes, blank-separated. */
    enum tn_exit (*run)(struct tn_cli *cli);
};

struct tn_option {
    const char *name;  /* "environment" */
    char letter;       /* 'e'; 0 if none. */
    const char *value; /* "NAME"; null for a switch. */
    const char *text;
};

extern const struct tn_command tn_commands[];
extern const size_t tn_n_commands;
extern const struct tn_option tn_options[];
extern const size_t tn_n_options;

/* Null if there is none of that name. */
const struct tn_command *tn_command_get(const char *name);
/* True if the command takes the option. */
bool tn_command_takes(const struct tn_command *command, const char *option);
/* The i-th form that its --output takes; null past the last one. */
const char *tn_command_format(const struct tn_command *command, size_t i);

/* Parses argv[1..] (the command and all that follows).  On a mistake prints
 * what it is, with a suggestion, on stderr, and returns TN_EXIT_ERROR. */
enum tn_exit tn_cli_parse(struct tn_cli *cli, int argc, char **argv);

/* The texts of --help: of the program (null) or of a command. */
void tn_help_print(struct tn_text *out, const struct tn_command *command);
/* The man page tenet(1), in mdoc. */
void tn_man_print(struct tn_text *out);

/* The commands. */
enum tn_exit tn_cmd_apply(struct tn_cli *cli);
enum tn_exit tn_cmd_blame(struct tn_cli *cli);
enum tn_exit tn_cmd_confirm(struct tn_cli *cli);
enum tn_exit tn_cmd_ci(struct tn_cli *cli);
enum tn_exit tn_cmd_completion(struct tn_cli *cli);
enum tn_exit tn_cmd_ctl(struct tn_cli *cli);
enum tn_exit tn_cmd_destroy(struct tn_cli *cli);
enum tn_exit tn_cmd_explain(struct tn_cli *cli);
enum tn_exit tn_cmd_graph(struct tn_cli *cli);
enum tn_exit tn_cmd_help(struct tn_cli *cli);
enum tn_exit tn_cmd_init(struct tn_cli *cli);
enum tn_exit tn_cmd_lock(struct tn_cli *cli);
enum tn_exit tn_cmd_man(struct tn_cli *cli);
enum tn_exit tn_cmd_plan(struct tn_cli *cli);
enum tn_exit tn_cmd_reach(struct tn_cli *cli);
enum tn_exit tn_cmd_policy(struct tn_cli *cli);
enum tn_exit tn_cmd_rollback(struct tn_cli *cli);
enum tn_exit tn_cmd_run(struct tn_cli *cli);
enum tn_exit tn_cmd_schema(struct tn_cli *cli);
enum tn_exit tn_cmd_seal(struct tn_cli *cli);
enum tn_exit tn_cmd_status(struct tn_cli *cli);
enum tn_exit tn_cmd_validate(struct tn_cli *cli);
enum tn_exit tn_cmd_version(struct tn_cli *cli);

#endif
