# SPDX-License-Identifier: Apache-2.0
# What fish completes each line of standard input with, as with.bash tells it.
source $argv[1]/wcctl.fish
while read -l line
    echo "-- $line"
    complete -C "$line" | string split -f 1 \t
end
