#!/usr/bin/env bash
# What the completion offers is what the program takes: no more, and no less.
# shellcheck disable=SC1090,SC2016 # What it sources, it has made; $0 is sh's.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

"$TENET" completion bash >"$work/bash"
. "$work/bash"
offers() { # offers WORD...: the last word is being completed
    COMP_WORDS=(tenet "$@") COMP_CWORD=$#
    _tenet
    echo "${COMPREPLY[*]}"
}
is "commands" "plan" "$(offers pl)"
is "options" "--offline --out --output" "$(offers plan --o)"
is "formats of a plan" "text json markdown junit sarif gitlab codequality github" "$(offers plan --output '')"
is "of ci" "$(offers plan --output '')" "$(offers ci --output '')"
is "of a picture" "dot svg json" "$(offers graph --output '')"
is "of the rest" "text json" "$(offers status --output '')"
is "that begin so" "markdown" "$(offers plan --output m)"
is "reports, with what follows" "json= junit=" "$(offers plan --report j)"
is "an expectation" "yes no" "$(offers reach --expect '')"
is "protocols" "tcp" "$(offers reach --proto t)"
is "forges" "gitlab github gitea none" "$(offers ci --forge '')"
is "words of a command" "list test" "$(offers policy '')"
git init -q "$work/repo"
for c in plan ci graph status reach validate explain policy; do
    for f in text json markdown junit sarif gitlab codequality github dot svg html; do
        "$TENET" "$c" --output "$f" -C "$work/repo" >"$work/log" 2>&1
        taken=yes offered=no
        grep -q "no output format" "$work/log" && taken=no
        [[ " $(offers "$c" --output '') " == *" $f "* ]] && offered=yes
        [ "$taken" = "$offered" ] || is "$c --output $f: taken as offered" "$taken" "$offered"
    done
done
"$TENET" completion fish >"$work/fish"
ok "fish knows formats by command" grep -q "seen_subcommand_from graph' -l output -x -a 'dot svg json'" "$work/fish"
ok "and reports" grep -q "seen_subcommand_from plan' -l report -x -a 'text= json= markdown= " "$work/fish"
ok "and words" grep -q "seen_subcommand_from reach' -l expect -x -a 'yes no'" "$work/fish"
ok "zsh takes bash's" sh -c '"$0" completion zsh | grep -q bashcompinit' "$TENET"
finish
