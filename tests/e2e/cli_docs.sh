#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command that `wcctl --help` lists has its own --help, stands in the man page and in the three
# completions, and the man page renders without a warning.
# usage: cli_docs.sh BUILD_DIR SOURCE_DIR
set -eu
wcctl=$1/bin/wcctl dir=$2/examples/wcctl failed=0
complain() { echo "cli_docs: $*" >&2; failed=1; }

commands=$("$wcctl" --help | awk '/^[A-Z][a-z]+:$/ { on = $1 != "Options:" ; next } on && NF { print $1 }')
[ -n "$commands" ] || complain "no command found in --help"
for command in $commands; do
    "$wcctl" "$command" --help | grep -q "^Usage: wcctl $command" || complain "$command --help"
    grep -qE "^\.B[IR]? \"?$command( |\"|\$)" "$dir/wcctl.1" || complain "$command is not in the man page"
    for file in wcctl.bash _wcctl wcctl.fish; do
        grep -qE "(^|[ '\"])$command([ :'\"]|\$)" "$dir/completions/$file" || complain "$command is not in $file"
    done
done
for option in $("$wcctl" run --help | grep -oE -- '--[a-z-]+' | sort -u); do
    case $option in
    --net | --publish | --quiet | --detach | --interactive | --tty | --attach | --env | --label | --volume) ;;
    --workdir | --user | --hostname | --memory | --creds | --ca-file | --authfile | --tls-verify) ;;
    *) grep -qF -- "$(printf %s "$option" | sed 's/-/\\-/g')" "$dir/wcctl.1" || complain "run $option is not in the man page" ;;
    esac
done
if command -v man >/dev/null; then
    warnings=$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$dir/wcctl.1" 2>&1 >/dev/null)
    [ -z "$warnings" ] || complain "man page: $warnings"
fi
bash -n "$dir/completions/wcctl.bash" || complain "wcctl.bash does not parse"
[ "$failed" = 0 ] && echo "cli_docs: $(echo "$commands" | wc -w) commands documented and completed"
