# SPDX-License-Identifier: Apache-2.0
"""When two answers are the same: rules that make outputs comparable, and classes of errors."""
import json
import re

# ---- Rules for outputs ------------------------------------------------------------------------------------------

AGO = r"(?:Less than a second|About an? (?:minute|hour)|\d+ (?:seconds?|minutes?|hours?|days?|weeks?|months?|years?))"


def _sub(pattern, text):
    compiled = re.compile(pattern, re.M)
    return lambda out: compiled.sub(text, out)


def _sorted(out):
    return "".join(sorted(out.splitlines(True)))


def _json(out):
    """Objects and lists, with their keys in order."""
    decoder, plain, at = json.JSONDecoder(), "", 0
    while at < len(out):
        end = at + 1
        if out[at] in "{[":
            try:
                value, end = decoder.raw_decode(out, at)
                plain += json.dumps(value, sort_keys=True)
            except ValueError:
                plain += out[at]
        else:
            plain += out[at]
        at = end
    return plain


RULES = {
    # Always:
    "json": _json,
    "id": _sub(r"\b(?:sha256:)?[0-9a-f]{64}\b|\b(?:sha256:)?[0-9a-f]{12}\b", "<id>"),
    "time": _sub(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?Z| ?[+-]\d\d:?\d\d(?: [A-Z]+)?)?", "<time>"),
    "ago": _sub(AGO + r"(?= ago)|(?<=Up )" + AGO, "<ago>"),
    "columns": _sub(r" {2,}|\t", " | "),
    "ends": _sub(r"[ \r|]+$", ""),
    # When the case or the line asks for it:
    "sorted": _sorted,                                        # the order of lines does not count
    "size": _sub(r"\b\d+(?:\.\d+)? ?[kMG]?i?B\b", "<size>"),
    "port": _sub(r"(?<=:)(?:3[23]\d{3}|[456]\d{4})\b", "<port>"),  # one that was free
    "address": _sub(r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?\b", "<address>"),
    "percent": _sub(r" \(\d+%\)", ""),
    "mac": _sub(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b", "<mac>"),
    "number": _sub(r"\b\d+(?:\.\d+)?\b", "<number>"),
    "made-up": _sub(r"^[a-z]+_[a-z0-9]+$", "<made-up>"),      # names that nobody gave
    "library": _sub(r"\b(?:docker\.io/library|docker\.io|localhost)/", ""),
    "mounts": lambda out: re.sub(r"(?m)^/(?:dev/console|dev/shm|etc/\S+) \S+\n", "", out),
    "drop": lambda out: "",                                   # only the exit code and the class of the error count
    "errors": lambda out: out,                                # what is on standard error is the container's: compared as it is
}
ALWAYS = ("json", "id", "time", "ago", "columns", "ends")


def normal(out, rules):
    for rule in (*(rule for rule in ALWAYS if rule not in rules), *(rule for rule in rules if rule != "sorted")):
        out = RULES[rule](out)
    return _sorted(out) if "sorted" in rules else out


# ---- Classes of errors --------------------------------------------------------------------------------------------

# The first that is found in what was written to standard error; "(?i)" for all. Words of all three stand side by side.
PROGRESS = re.compile(r"^[0-9a-f]{12}: [A-Z][a-z ]+\n", re.M)  # lines of ours where there is no terminal

CLASSES = {name: re.compile("(?i)" + words) for name, words in {
    "killed": r"^killed$",
    "filter": r"invalid filter|--filter|volume filter|unknown filter|filter.*invalid|bad format of filter",
    "terminal": r"not a tty|not a terminal",
    "copy-sides": r"must specify at least one container source|exactly one side|between containers is not supported",
    "arguments": r"requires (?:at least|exactly|at most|no|between|from)|accepts (?:at most|no|\d|between)|must specify|"
                 r"wcctl: [a-z ]+ takes? |take one CONTAINER|needs? at least|multiple containers at once|"
                 r"you must (?:provide|choose|give)|exec takes|no (?:arguments|containers?) (?:are )?specified",
    "option": r"unknown (?:shorthand )?(?:flag|option)|unknown option|flag provided but not defined|flag needs an argument",
    "command": r"is not a docker command|unknown command|unrecognized command|usage: +docker \w+ command",
    "change": r"is not a valid change command|--change",
    "copy-target": r""
                   r"cannot copy directory|must be a directory|not a directory|no such directory|"
                   r"where a directory is to be",
    "host-file": r"invalid output path|lstat /|open nothere|file '[^']*nothere|'nothere|no/such",
    "tar": r"processing tar file|tar: |unexpected eof",
    "host-entry": r"add-host|host '.*?':",
    "subnet": r"pool overlaps|subnet|cidr",
    "gateway": r"gateway",
    "restart-policy": r"restart policy|retry count|--restart|restart-policy",
    "conflict": r"conflicting options|exclude|conflicts? with|cannot be used (?:with|together)|leave one",
    "port": r"invalid.*port|--publish|proto|^wcctl: (?:-p|port)|too many colons|invalid ip address: 1.2",
    "address": r"does not belong to any|none of the network's|valid mac|hardware address|invalid ipv4|no ipv4 address|no ip address|"
               r"not an ip address|invalid ip address|user specified ip",
    "address-taken": r"address already in use|address .*has it",
    "log-option": r"log opt|--log-opt|logging driver: invalid",
    "log-driver": r"logging plugin|log driver|logging driver does not|log-driver|invalid log driver",
    "driver": r"plugin \"?nosuch|network driver|volume driver",
    "driver-option": r"invalid option: |volume option",
    "predefined": r"predefined|pre-defined|name means something else|default network and cannot",
    "no-network-more": r"multiple networks with one|cannot be connected to any other|disconnected from host network",
    "connected": r"endpoint with name|is connected to network .* already",
    "not-connected": r"is not connected to",
    "needed": r"must be forced|must force|several names|container '.*' needs it|is using its referenced",
    "used": r"has active endpoints|runs on it|volume is in use|uses it",
    "digest": r"with a digest|cannot have a digest",
    "type": r"valid value for --type|--type takes",
    "no-pid": r"pid (?:field|column)",
    "exposed": r"--expose|exposed port",
    "reference": r"invalid reference format|repository name must be|repository must be|image name '.*?'|invalid tag format|not a valid reference",
    "cidfile": r"container id file|--cidfile|cidfile",
    "name-taken": r"already in use|name .* is already|exists already|is there already|already exists|has it; remove",
    "name": r"invalid container name|container name '.*?': only|names? must match|includes invalid characters|"
            r"(?:volume|network|container) name '.*?':? |volume name is too short",
    "same-name": r"same name as its current|has this name already",
    "pull": r"--pull takes",
    "env": r"poorly formatted environment|contains whitespaces|white ?space|invalid environment",
    "env-file": r"--env-file|open nothere: no such file|env file",
    "signal": r"invalid signal|does not support signal|signal '.*?'|invalid value.*signal",
    "user": r"unable to find (?:user|group)|no matching entries|is not in the image's /etc/",
    "directory": r"working directory|chdir to cwd|cannot mkdir|workdir",
    "health": r"--health|no-healthcheck|health ",
    "memory-swap": r"memoryswap|memory and swap|memory-swap|swap limit",
    "memory": r"memory limit|--memory|memory reservation|'-?m'",
    "cpus": r"range of cpus|--cpus|cpus",
    "score": r"oom score|out-of-memory score|oom-score",
    "capability": r"capability|capadd|capdrop",
    "security": r"security-opt|security option|seccomp profile",
    "sysctl": r"sysctl",
    "ulimit": r"ulimit|resource limit|rlimit",
    "namespace": r"invalid (?:uts|pid|ipc|userns|cgroup).*mode|(?:uts|pid|ipc|user|cgroup) namespace '|hostname and the uts mode|"
                 r"cannot join (?:ipc|pid)|non-shareable|not shareable|is not running: .*namespace|joining|cannot join|container format|network 'container:",
    "mount": r"wcctl: -v |mount config|mount path|mount target|mount type|bind mount|mount flag|--mount|invalid mode|mount point|"
             r"volume specification|tmpfs option|volumes? .*absolute|tmpfs mount|mount '",
    "device": r"device|bad mode specified",
    "label": r"label",
    "stream": r"valid streams|--attach takes",
    "time": r"value for .?(?:since|until)|--(?:since|until)|parse value as time|duration",
    "no-command": r"no command specified|no command of its own|no command or entrypoint",
    "template": r"template|there is no field|can't evaluate field|unable to find field|--format",
    "paused": r"is paused|is already paused",
    "not-paused": r"is not paused",
    "runs": r"cannot remove a running|runs; stop it|is running|already started|cannot remove container.*running|still runs",
    "not-running": r"is not running|does not run|not running|container state improper|cannot exec in a stopped|can only (?:kill|create exec)",
    "no-such-path": r"entry .*no such file or directory|no such container:path|could not find the file|no such file or directory in|stat .* in container|"
                    r"cannot find .* in container|is not in the container",
    "no-such-volume": r"no such volume|no volume with name",
    "no-such-network": r"no such network|network \S+ not found|unable to find network|network not found",
    "no-such-image": r"no such image|unable to find image|image not known|reference does not exist|not in the store",
    "no-such-thing": r"no such object|neither a container nor an image|no such container, image|no such object",
    "no-such-container": r"no such container|no container with name or id|no container with id",
    "command-not-executable": r"permission denied|is a directory",
    "command-not-found": r"executable file not found|no such file or directory: unknown|stat .*: no such file|OCI runtime attempted",
    "in-use": r"in use|is used|being used|has active endpoints|is using",
    "port-not-published": r"published|no public port",
    "number": r"is not a whole number|strconv|invalid syntax",
    "usage": r"invalid argument|invalid value|invalid ",
}.items()}

# Of one line that refuses something both may name either.
SAME = {"no-such-thing": "no-such-container"}


def class_of(err):
    """Of an error: its class, "" where nothing was written, "other" for what no class is known for."""
    err = PROGRESS.sub("", err)
    if not err.strip():
        return ""
    found = next((name for name, words in CLASSES.items() if words.search(err)), "other")
    return SAME.get(found, found)


# ---- Exit codes ---------------------------------------------------------------------------------------------------

# One difference stands for all lines: where a command of Docker's other than `run` fails it ends with 1, and so does a
# wrong number of arguments. Ours ends with 125 (commands on several names, with 1): what `exec` ends with is then always
# told from what its command ended with, as podman has it, too.
OURS_FAILED = 125


def code_of_failure(docker, ours):
    """What ours should have ended with where Docker said this much."""
    failed = docker[0] == 1 and class_of(docker[2]) and ours[0] == OURS_FAILED
    return OURS_FAILED if failed else docker[0]
