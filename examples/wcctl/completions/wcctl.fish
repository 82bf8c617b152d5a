# SPDX-License-Identifier: Apache-2.0
# fish completion for wcctl, which tells itself what may come next: "word TAB what it is", or that it is a path.
function __wcctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command $words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :file
                __fish_complete_path $current
            case :dir
                __fish_complete_directories $current
            case '*'
                echo $line
        end
    end
end
complete -c wcctl -f -a '(__wcctl_complete)'
