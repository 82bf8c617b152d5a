# SPDX-License-Identifier: Apache-2.0
# What bash completes each line of standard input with: "-- LINE", then a word a line. Argument: the directory
# of the completions.
source "$1/wcctl.bash"
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE}
    printf -- '-- %s\n' "$COMP_LINE"
    _wcctl
    ((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
done
