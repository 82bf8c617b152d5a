# SPDX-License-Identifier: Apache-2.0
# What zsh completes each line of standard input with, as with.bash tells it. Only an interactive zsh completes:
# one on a terminal of ours prints each match as "@@word@@", and "@@@@" at the end of a line.
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner "PROMPT= RPROMPT= PS2=; unsetopt auto_list auto_menu; stty -echo; fpath=(${(q)1} \$fpath); autoload -Uz compinit && compinit -u -D"
zpty -w inner 'compadd() {
    local -a found
    [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] || builtin compadd -A found "$@"
    (( $#found )) && print -rl -- "@@"$^found"@@"
    builtin compadd "$@"
}'
zpty -w inner 'finish() { print @@@@; zle kill-whole-line }; zle -N finish; bindkey "^T" finish; print rea""dy'
while zpty -r inner answer && [[ $answer != *ready* ]]; do :; done
while IFS= read -r line; do
    print -r -- "-- $line"
    zpty -n -w inner "$line"$'\t\x14'
    while zpty -r inner answer && [[ $answer != *@@@@* ]]; do
        [[ $answer == *@@*@@* ]] && print -r -- "${${answer#*@@}%%@@*}"
    done
done
zpty -d inner
