/* table.c - every command and every option, once. */
#include "reconciler/cli/cli.h"

#include <string.h>

#include "reconciler/review/review.h"

#define SOURCE_OPTIONS                                                         \
    "repo rev worktree environment cache-dir no-cache threads "
#define OUTPUT_OPTIONS "output no-color help "

const struct tn_option tn_options[] = {
    {"allow-deletes", 0, "N",
     "let this run delete up to N objects, whatever the budgets say"},
    {"artifacts", 0, "DIR",
     "where all forms of the plan are put, in a folder of the environment "
     "(default tenet-ci)"},
    {"cache-dir", 0, "DIR",
     "where parsed and compiled documents are kept; safe to delete (default "
     "$TENET_CACHE_DIR, /var/cache/tenet for root, else "
     "$XDG_CACHE_HOME/tenet)"},
    {"check", 0, NULL,
     "write nothing; exit with 4 if the locks are not up to date"},
    {"commit", 0, NULL, "make it the first commit of a repository"},
    {"config", 0, "FILE",
     "the daemon's own file, kind Daemon (default: follow the repository of "
     "--repo in place and tell nobody)"},
    {"confirm", 0, "WINDOW",
     "undo the apply unless 'tenet confirm' comes within this time: 90s, 5m"},
    {"control", 0, "PATH",
     "socket of the daemon (default /run/tenet/control.sock)"},
    {"detailed-exitcode", 0, NULL,
     "exit with 2 if changes are pending, 3 if drift is all there is"},
    {"diff", 0, "REVISION",
     "what is reachable now and was not at this commit, and the other way "
     "round"},
    {"environment", 'e', "NAME",
     "the folder of inventories/ to use (default: settings, or the only one)"},
    {"expect", 0, "yes|no", "exit with 4 if the answer is another"},
    {"for", 0, "DURATION", "how long the mode lasts: 30m, 2h, 1d"},
    {"forge", 0, "NAME",
     "gitlab, github, gitea or none (default: what the pipeline's variables "
     "say)"},
    {"from", 0, "PLACE",
     "the sender: TENANT/PORT, TENANT/VPC/PREFIX or an address"},
    {"help", 'h', NULL, "show this help"},
    {"host", 0, "NAME", "only this host's device"},
    {"links", 0, "URL",
     "what links of the picture begin with; PATH#LLINE follows"},
    {"live", 0, NULL, "ask the devices, and show what would change"},
    {"lock-wait", 0, "SECONDS",
     "how long to wait for another apply to end (default 0)"},
    {"matrix", 0, "TENANT/VPC", "who reaches whom in this VPC"},
    {"max-age", 0, "DURATION",
     "deny what is planned against a snapshot that is older, or is missing: "
     "12h, 7d"},
    {"no-cache", 0, NULL, "neither read nor write the cache"},
    {"no-color", 0, NULL,
     "no colours; also off if NO_COLOR is set or the output is no terminal"},
    {"no-post", 0, NULL, "tell the forge nothing"},
    {"offline", 0, NULL,
     "plan against the snapshots on the status ref; no device is asked"},
    {"out", 'o', "FILE", "save the plan for 'tenet apply FILE'"},
    {"output", 0, "FORMAT",
     "text (default) or json; of 'plan' and 'ci' also markdown, junit, sarif, "
     "gitlab, codequality or github; of 'graph' dot (default), svg or json"},
    {"port", 0, "PORTS", "destination ports: 443, or 80,8000-8100"},
    {"probe", 0, "WINDOW",
     "undo the apply unless all probes that passed before pass again within "
     "this time"},
    {"proto", 0, "NAME",
     "tcp, udp, sctp, icmp or any (default: tcp with --port, else any)"},
    {"reason", 0, "TEXT",
     "why; shown wherever the mode or the quarantined commit shows"},
    {"report", 0, "FORMAT=FILE",
     "also write this form to this file; may be given several times"},
    {"repo", 'C', "DIR",
     "the intent repository (default: the directory "
     "you are in)"},
    {"resume", 0, NULL, "let quarantined commits be applied again"},
    {"rev", 0, "REVISION", "commit, branch or tag to read (default HEAD)"},
    {"state-dir", 0, "DIR",
     "journal, lock and what the daemon remembers (default $TENET_STATE_DIR, "
     "/var/lib/tenet for root, else $XDG_STATE_HOME/tenet)"},
    {"stats", 0, NULL, "say on stderr what was read, compiled and cached"},
    {"target", 0, "REVISION",
     "the branch that the changes are to be merged into (default: what the "
     "pipeline says)"},
    {"tenant", 0, "NAME", "only this tenant"},
    {"threads", 0, "N", "worker threads (default: one a processor)"},
    {"to", 0, "PLACE",
     "the receiver: TENANT/PORT, TENANT/VPC/PREFIX, or an address or prefix "
     "as the sender's VPC sees it"},
    {"token-file", 0, "FILE",
     "the forge's token (default $TENET_FORGE_TOKEN, then the variable that "
     "is usual there)"},
    {"verbose", 'v', NULL,
     "show every change, else long lists are folded; of 'run': log every "
     "event"},
    {"vpc", 0, "NAME", "only this VPC: NAME or TENANT/NAME"},
    {"warn-age", 0, "DURATION",
     "warn of what is planned against a snapshot that is older (default 30d)"},
    {"worktree", 'w', NULL,
     "read the files as they are on disk, committed or not"},
    {"yes", 'y', NULL, "do not ask before changing anything"},
};
const size_t tn_n_options = TN_ARRAY_SIZE(tn_options);

const struct tn_command tn_commands[] = {
    {"init", "[DIR]", "begin an intent repository",
     "Writes a repository that validates and plans: settings, an inventory of "
     "two hosts that are files, a tenant, policies, the schema by which "
     "editors complete, and, with --forge, the pipeline of merge requests. DIR "
     "(default: where you are) must be empty, or hold only '.git'. With "
     "--commit it becomes the first commit.",
     1, "forge commit no-color help", tn_cmd_init},
    {"validate", "", "check the intent; touch no device",
     "Reads the inventory and all tenants' documents and reports everything "
     "that is wrong, each with file:line:column. Nothing but the repository is "
     "read.",
     0, SOURCE_OPTIONS "stats " OUTPUT_OPTIONS, tn_cmd_validate},
    {"plan", "", "show what an apply would change",
     "Compiles the commit, observes all devices and shows the difference, "
     "object by object, each with the line of YAML that asks for it. Changes "
     "nothing. With --out the plan is saved; 'tenet apply FILE' then does "
     "what was reviewed, or nothing.",
     0,
     SOURCE_OPTIONS "host offline out detailed-exitcode allow-deletes verbose "
                    "report stats " OUTPUT_OPTIONS,
     tn_cmd_plan},
    {"ci", "", "judge a merge request in its pipeline",
     "Compares HEAD with the commit where it branched off from the target, "
     "plans what is different against the snapshots on the status ref (no "
     "device is asked), judges it, writes all forms of the plan as artifacts, "
     "and tells GitLab, GitHub or Gitea: one comment an environment, updated "
     "in place, and a commit status. What cannot be told changes no verdict.",
     0,
     "repo rev environment cache-dir no-cache threads target artifacts report "
     "forge token-file no-post max-age warn-age allow-deletes "
     "detailed-exitcode verbose stats " OUTPUT_OPTIONS,
     tn_cmd_ci},
    {"apply", "[PLANFILE]", "bring the devices to what the commit says",
     "Plans, asks (unless --yes), writes the journal, applies, observes again "
     "and compares. A device that fails is put back to what it was. The "
     "outcome "
     "is committed to the status ref. With PLANFILE exactly the saved plan is "
     "applied; if the world moved meanwhile it is refused as stale.",
     1,
     SOURCE_OPTIONS "host state-dir lock-wait yes confirm probe allow-deletes "
                    "verbose stats " OUTPUT_OPTIONS,
     tn_cmd_apply},
    {"confirm", "[COMMIT]", "say that the change just applied is good",
     "Ends the window of 'tenet apply --confirm': the change stays. With "
     "COMMIT only if it is that one that waits.",
     1, "repo rev state-dir no-color help", tn_cmd_confirm},
    {"rollback", "[COMMIT]", "go back to what was good",
     "Quarantines the commit that the branch stands at and applies the last "
     "one that all devices held, or COMMIT. The quarantined one is not applied "
     "any more, by nobody; the next commit of the branch is. --resume lets "
     "quarantined commits be applied again.",
     1,
     SOURCE_OPTIONS
     "reason resume control state-dir lock-wait yes allow-deletes verbose "
     "stats " OUTPUT_OPTIONS,
     tn_cmd_rollback},
    {"destroy", "", "remove all that bears our mark from all devices",
     "Plans and carries out the removal of every object of this instance on "
     "the devices of the environment. Foreign objects stay. Needs --yes or a "
     "terminal to ask on.",
     0, SOURCE_OPTIONS "host state-dir lock-wait yes verbose " OUTPUT_OPTIONS,
     tn_cmd_destroy},
    {"run", "", "follow Git and heal drift: the daemon",
     "Watches the repository and the devices. A new commit is applied, drift "
     "is undone, the outcome is committed to the status ref, and people are "
     "told: alerts, metrics, commit statuses. Stays in the "
     "foreground; SIGHUP reads the file of --config again, SIGTERM stops. A "
     "device that tenet never applied to is only looked at until "
     "'loop.firstContact: heal' or 'tenet ctl heal' says otherwise.",
     0, "config repo state-dir cache-dir no-cache threads verbose output help",
     tn_cmd_run},
    {"ctl", "COMMAND [ARGUMENT]", "ask the daemon on this machine, or tell it",
     "status: what it follows and how devices are. sync: look at Git now. "
     "audit [DEVICE]: look at devices now. observe, heal or hold TARGET: set a "
     "mode for device/NAME, tenant/NAME or vpc/TENANT/NAME, with --reason and, "
     "if it is to end by itself, --for; of all that match the strictest "
     "counts, those of tenet.yml too. clear TARGET takes it back; modes lists "
     "them. acknowledge COMMIT: accept a branch that no "
     "longer contains what is applied. Only root may.",
     2, "control reason for " OUTPUT_OPTIONS, tn_cmd_ctl},
    {"status", "", "show what became of the intent",
     "Reads the status ref: which commit each device and VPC holds, since "
     "when, and what is wrong. Reads no device.",
     0, "repo rev tenant state-dir " OUTPUT_OPTIONS, tn_cmd_status},
    {"lock", "", "pin identifiers in tenants/*/tenet.lock",
     "Writes the identifiers that are in use or derived (VNI, MAC, addresses) "
     "to tenants/<tenant>/tenet.lock in the working tree, to be committed. "
     "With "
     "--check only says whether that would change anything.",
     0,
     "repo environment cache-dir no-cache threads check tenant " OUTPUT_OPTIONS,
     tn_cmd_lock},
    {"seal", "new KEYFILE | PUBLICKEY PURPOSE",
     "seal a secret so that it may be committed",
     "With 'new', makes KEYFILE and KEYFILE.pub. Else reads a secret from "
     "standard input and prints it sealed with the public key in the file "
     "PUBLICKEY, as a value for an inventory. It opens only with KEYFILE "
     "(TENET_SEAL_KEY names it where tenet runs), and only for PURPOSE: for "
     "tenet_nsx_password that is the value of tenet_nsx_url.",
     2, "help", tn_cmd_seal},
    {"explain", "HOST [VARIABLE]", "show a host's variables and who set them",
     "Of one variable: every layer that sets it, in the order of precedence, "
     "with file:line:column and value; the one that wins is marked. Without "
     "VARIABLE: all variables with the one that wins. The values are those "
     "that 'ansible-inventory --host' prints. Reads settings and inventory "
     "only.",
     2, "repo rev worktree environment " OUTPUT_OPTIONS, tn_cmd_explain},
    {"blame", "RESOURCE", "show which line asked for it, and who wrote that",
     "RESOURCE is what is seen on a device or in a plan: an interface or its "
     "alias, a namespace, a name in OVN or Open vSwitch, a key, an address, a "
     "MAC, a VNI; or an object of the intent: acme/web, acme/web/front, a "
     "port. All that bears the name is listed, with the lines that ask for it, "
     "the commits that wrote and last changed them, and the merges that "
     "brought these. --host and --tenant narrow it down. Asks no device, but "
     "for a uuid the one that --host names.",
     1, SOURCE_OPTIONS "host tenant verbose " OUTPUT_OPTIONS, tn_cmd_blame},
    {"reach", "", "say who can talk to whom, and which lines decide",
     "Of --from and --to: whether packets arrive and are answered, every step "
     "of their way, and the line of YAML behind each. --matrix: all traffic "
     "inside a VPC, by classes of ports. --diff: what became reachable or "
     "unreachable since a commit. Computed exactly on the compiled intent; "
     "asks no device. docs/reach.md says what is modelled.",
     0,
     SOURCE_OPTIONS "from to proto port matrix diff expect tenant verbose "
                    "stats " OUTPUT_OPTIONS,
     tn_cmd_reach},
    {"graph", "", "draw the network",
     "Writes hosts, VPCs, subnets and ports as DOT (default), as SVG by "
     "graphviz, or as JSON. With --offline or --live what a plan would change "
     "is drawn as well: what will be created or removed as ghosts, and what "
     "others changed. Large networks are folded; --tenant, --vpc and --host "
     "show a part of them whole.",
     0, SOURCE_OPTIONS "tenant vpc host offline live links " OUTPUT_OPTIONS,
     tn_cmd_graph},
    {"policy", "[test [FILE...] | list]",
     "try or list what plans are judged by",
     "test runs the examples of the policies in policies/, or of FILEs, and "
     "fails if one does not say what it should. list (the default) shows the "
     "policies that are in use, and those that tenet ships beside. Both look "
     "at files as they are, unless --rev names a commit. See docs/policies.md.",
     1000, "repo rev " OUTPUT_OPTIONS, tn_cmd_policy},
    {"schema", "[KIND]", "print JSON Schemas of the documents",
     "Prints the JSON Schema of a kind (settings, tenant, vpc, port, "
     "security-group, peering, policy, daemon), or of all, for editors and CI.",
     1, "help", tn_cmd_schema},
    {"completion", "[SHELL]", "print completions for a shell",
     "Prints what bash (default), zsh or fish need to complete commands and "
     "options: 'source <(tenet completion bash)'. Debian's package installs "
     "them.",
     1, "help", tn_cmd_completion},
    {"version", "", "print the version", "Prints version and drivers.", 0,
     "output help", tn_cmd_version},
    {"help", "[COMMAND]", "show help", "Shows help of a command.", 1, "help",
     tn_cmd_help},
    {"man", "", "print the man page", "Prints tenet(1), in mdoc.", 0, "help",
     tn_cmd_man},
};
const size_t tn_n_commands = TN_ARRAY_SIZE(tn_commands);

const struct tn_command *
tn_command_get(const char *name)
{
    for (size_t i = 0; i < tn_n_commands; i++) {
        if (strcmp(tn_commands[i].name, name) == 0) {
            return &tn_commands[i];
        }
    }
    return NULL;
}

bool
tn_command_takes(const struct tn_command *command, const char *option)
{
    size_t n = strlen(option);
    for (const char *p = command->options; (p = strstr(p, option)); p += n) {
        bool starts = p == command->options || p[-1] == ' ';
        if (starts && (p[n] == ' ' || p[n] == '\0')) {
            return true;
        }
    }
    return false;
}

const char *
tn_command_format(const struct tn_command *command, size_t i)
{
    static const char *const plain[] = {"text", "json"};
    static const char *const drawn[] = {"dot", "svg", "json"};
    if (!tn_command_takes(command, "output")) {
        return NULL;
    }
    if (tn_command_takes(command, "report")) {
        return i < tn_review_n_formats ? tn_review_formats[i].name : NULL;
    }
    if (command->run == tn_cmd_graph) {
        return i < TN_ARRAY_SIZE(drawn) ? drawn[i] : NULL;
    }
    return i < TN_ARRAY_SIZE(plain) ? plain[i] : NULL;
}
