#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the shipped unit starts after a reboot, and what it leaves alone. Runs twice, before and after."""
import json
import os
import shutil
import subprocess
import sys
import time

BUILD, SOURCE = os.environ["WC_TEST_BUILD"], os.environ["WC_TEST_SOURCE"]
UNIT = "wincontainer-restore.service"
TRAP = ("sh", "-c", "trap 'echo ended in order; exit 0' TERM; echo begun; sleep 1000 & wait")
# name: policy, a user has stopped it, command
CONTAINERS = {
    "no": ("no", False, TRAP),
    "always": ("always", False, TRAP),
    "unless": ("unless-stopped", False, TRAP),
    "failure": ("on-failure", False, TRAP),
    "always-stopped": ("always", True, TRAP),
    "unless-stopped": ("unless-stopped", True, TRAP),
    "failure-stopped": ("on-failure", True, TRAP),
    "over": ("no", False, ("true",)),
}
AGAIN = {"always", "unless", "always-stopped"}
FILE = "/var/lib/guest/ids.json"


def wcctl(*words):
    done = subprocess.run([f"{BUILD}/bin/wcctl", *words], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"wcctl {' '.join(words)}: {done.returncode} {done.stdout} {done.stderr}")
    return done.stdout


def inspect(name):
    return json.loads(wcctl("inspect", name))[0]


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got!r} instead of {wanted!r}")


def before():
    os.makedirs("/usr/local/bin", exist_ok=True)
    os.symlink(f"{BUILD}/bin/wcctl", "/usr/local/bin/wcctl")  # where the unit looks
    shutil.copy(f"{BUILD}/{UNIT}", "/etc/systemd/system/")
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "enable", UNIT], check=True)
    subprocess.run([sys.executable, f"{SOURCE}/tests/support/busybox_image.py", "/tmp/layout", "box"], check=True)
    wcctl("pull", "-q", "oci:/tmp/layout:box")
    for name, (policy, stopped, command) in CONTAINERS.items():
        wcctl("run", "-d", "--name", name, "--network", "none", "--restart", policy, "--log-driver", "journald", "box",
              *command)
        if stopped:
            wcctl("stop", "-t", "5", name)
    wcctl("create", "--name", "new", "--network", "none", "--restart", "always", "box", "true")
    with open(FILE, "w", encoding="ascii") as file:
        json.dump({name: inspect(name)["Id"] for name in CONTAINERS}, file)
    return 75


def after():
    for _ in range(600):
        state = subprocess.run(["systemctl", "is-active", UNIT], capture_output=True, text=True).stdout.strip()
        if state not in ("activating", "inactive"):
            break
        time.sleep(0.1)
    expect("the unit", state, "active")
    with open(FILE, encoding="ascii") as file:
        ids = json.load(file)
    expect("ids", {name: inspect(name)["Id"] for name in CONTAINERS}, ids)
    status = {name: inspect(name)["State"]["Status"] for name in CONTAINERS}
    expect("after the reboot", {name for name in status if status[name] == "running"}, AGAIN)
    expect("never started", inspect("new")["State"]["Status"], "created")
    # Those that ran when the host went down were told, and what they said is in the journal.
    expect("exit code", inspect("no")["State"]["ExitCode"], 0)
    expect("log", wcctl("logs", "no"), "begun\nended in order\n")
    expect("log over the reboot", wcctl("logs", "always"), "begun\nended in order\nbegun\n")
    for name in [*CONTAINERS, "new"]:
        wcctl("rm", "-f", name)
    print("reboot_test.py: ok")
    return 0


if __name__ == "__main__":
    sys.exit(before() if os.environ["WC_GUEST_BOOT"] == "0" else after())
