# SPDX-License-Identifier: Apache-2.0
# bash completion for wcctl, which tells itself what may come next: "word TAB what it is", or that it is a path.
_wcctl() {
    local line=${COMP_LINE:0:COMP_POINT} words=() paths= word about
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    # bash completes what follows the last ':' or '=', and keeps what stands before.
    local current=${words[-1]} before=
    [[ $current == *[:=]* ]] && before=${current%"${current##*[:=]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r word about; do
        case $word in
        :file) paths=-f ;;
        :dir) paths=${paths:--d} ;;
        *) COMPREPLY+=("${word#"$before"}") ;;
        esac
    done < <("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
    if [[ -n $paths ]]; then
        compopt -o filenames 2>/dev/null
        while read -r word; do COMPREPLY+=("$word"); done < <(compgen "$paths" -- "${current#"$before"}")
    fi
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[:=] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _wcctl wcctl
