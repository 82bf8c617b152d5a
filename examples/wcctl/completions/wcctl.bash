# SPDX-License-Identifier: Apache-2.0
# bash completion for wcctl: commands, options from --help, and names from the store.
_wcctl() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= globals=() i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --root | --run-root | --backend | --runtime | --helper | --load-backend | --progress | --log-level)
            globals+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
            ((i++))
            ;;
        -*) ;;
        *)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done
    COMPREPLY=()
    case $previous in
    --backend) COMPREPLY=($(compgen -W "process mock" -- "$current")); return ;;
    --progress) COMPREPLY=($(compgen -W "auto plain json none" -- "$current")); return ;;
    --log-level) COMPREPLY=($(compgen -W "none error warn info debug" -- "$current")); return ;;
    --network | --net) COMPREPLY=($(compgen -W "none host" -- "$current")); return ;;
    --isolation) COMPREPLY=($(compgen -W "process hyperv" -- "$current")); return ;;
    --pull) COMPREPLY=($(compgen -W "missing always never" -- "$current")); return ;;
    esac
    if [[ -z $command && $current == -* ]]; then
        COMPREPLY=($(compgen -W "--root --run-root --backend --load-backend --runtime --helper --json --progress --log-level --help" -- "$current"))
    elif [[ -z $command ]]; then
        COMPREPLY=($(compgen -W "pull push images tag rmi save load copy commit diff edit import history login logout search manifest sign verify generate-sigstore-key run create start stop restart kill exec attach logs ps inspect wait cp rm events system version" -- "$current"))
    elif [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$(wcctl "$command" --help 2>/dev/null | grep -oE '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,')" -- "$current"))
    else
        case $command in
        manifest) COMPREPLY=($(compgen -W "inspect look tags catalog referrers delete" -- "$current")) ;;
        system) COMPREPLY=($(compgen -W "info df prune check" -- "$current")) ;;
        commit | diff | start | stop | restart | kill | exec | attach | logs | wait | rm | cp)
            COMPREPLY=($(compgen -W "$(wcctl "${globals[@]}" ps -a 2>/dev/null | awk 'NR > 1 { print $NF }')" -- "$current") $(compgen -f -- "$current")) ;;
        run | create | push | edit | history | tag | rmi | save | inspect)
            COMPREPLY=($(compgen -W "$(wcctl "${globals[@]}" images 2>/dev/null | awk 'NR > 1 && $1 != "<none>" { print $1 ":" $2 }')" -- "$current")) ;;
        *) COMPREPLY=($(compgen -f -- "$current")) ;;
        esac
    fi
}
complete -o default -F _wcctl wcctl
