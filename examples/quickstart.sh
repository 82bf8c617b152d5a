#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a fresh machine to a running container: installs what is missing, builds, makes a small image from
# the host's busybox, runs containers from it, and shows every step. Touches no store but its own.
#
# It runs real containers, also for ordinary users; where none can run, the same steps on the mock backend.
set -eu
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
show() { printf '\033[36m$ wcctl %s\033[0m\n' "$*"; "$wcctl" --root "$work/store" --backend "$backend" "$@"; }

step "Install what is missing, and build"
sh cmake/install-packages.sh
cmake --preset release -DWC_BUILD_TESTS=OFF -B build/quickstart >/dev/null
cmake --build build/quickstart >/dev/null
wcctl=$PWD/build/quickstart/bin/wcctl
"$wcctl" version

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
backend=process limits="--memory 64m --pids-limit 20"
can=$("$wcctl" --root "$work/store" --json system info | python3 -c '
import json, sys
process = next(b for b in json.load(sys.stdin)["Backends"] if b["Name"] == "process")
print("limits" if process.get("rootless", {}).get("cgroup", "/") else "all but limits") if process["Available"] \
    else print(process["Reason"])')
case $can in
limits) ;;
"all but limits")
    limits=
    echo "Not root, and without a control group: containers have no limits." ;;
*)
    backend=mock
    echo "$can"
    echo "The mock backend stands in for real containers." ;;
esac

step "Make an image from the host's busybox"
if [ -x /bin/busybox ] || [ -x /usr/bin/busybox ]; then
    python3 tests/support/busybox_image.py "$work/image" quickstart
else
    echo "busybox is missing (Debian's package busybox-static)" >&2
    exit 1
fi

step "Bring it into the store"
show pull "oci:$work/image:quickstart"
image=$("$wcctl" --root "$work/store" images -q | head -n 1)
show tag "$image" quickstart
show images

if [ "$backend" = process ]; then
    step "Run a command: its output, its errors and its exit code"
    show run --rm --network none quickstart sh -c 'echo "hello from $(hostname)"; echo "an error line" >&2; exit 3' ||
        echo "(exit code $?)"

    step "With ${limits:+limits, }a user of the image, and a bind mount"
    echo "read from the host" >"$work/note"
    # shellcheck disable=SC2086
    show run --rm --network none $limits --user wc --read-only -v "$work/note:/note:ro" quickstart \
        sh -c 'id; cat /note; touch /x'  || true

    step "In the background: it outlives wcctl"
    show run -d --name worker --network none quickstart sh -c 'for i in 1 2 3; do echo "step $i"; sleep 1; done'
    show ps
    show exec worker sh -c 'echo "inside: $(ps | wc -l) processes"'
    show logs -f worker
    show wait worker
else
    step "Run a scripted container: its output, its errors and its exit code"
    show run --rm quickstart outln:hello 'errln:an error line' exit:3 || echo "(exit code $?)"
    show run -d --name worker quickstart 'outln:step 1' sleep:500 'outln:step 2'
    show ps
    show logs -f worker
    show wait worker
fi
show ps -a
show rm worker

step "Take it out again"
show save -o "$work/quickstart.tar" quickstart
ls -l "$work/quickstart.tar" | awk '{print $5 " bytes: docker load and podman load read it"}'
show system df
show system check

step "Done"
echo "The library is build/quickstart/lib/libwincontainer.so, the headers are include/wincontainer/."
