#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random instants during pull, create, start, run, rm, rmi and prune, over and over on one store.

After each kill: the next calls work without repair, `system check` is clean, and nothing that had been
reported done is lost. At the end a prune leaves no litter. A third of the victims of "run" are the
container's monitor instead of wcctl.

usage: lifecycle.py BUILD_DIR SOURCE_DIR [--rounds N] [--seed N]
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("build")
parser.add_argument("source")
parser.add_argument("--rounds", type=int, default=1000 if os.environ.get("WC_TEST_LONG") == "1" else 100)
parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
args = parser.parse_args()
chance = random.Random(args.seed)

if os.geteuid() != 0:
    print("SKIP: needs root")
    sys.exit(77)
if not shutil.which("runc", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
    print("SKIP: no OCI runtime (runc)")
    sys.exit(77)

work = tempfile.mkdtemp(prefix="wc-crash-")
root = f"{work}/root"
RUN_ROOT = f"{work}/run"
WCCTL = [f"{args.build}/bin/wcctl", "--root", root, "--run-root", RUN_ROOT, "--runtime", "runc"]
IMAGES = ["one", "two", "three"]


class Failure(Exception):
    pass


def wcctl(*words, ok=True, timeout=60):
    done = subprocess.run(WCCTL + list(words), capture_output=True, text=True, timeout=timeout)
    if ok and done.returncode:
        raise Failure(f"wcctl {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
    return done


def source(image):
    return f"oci:{work}/layout-{image}:{image}"


def pull(image):
    return ["pull", "-q", source(image)]


class Model:
    """What has been reported done, and what may or may not have happened."""

    def __init__(self):
        self.images, self.containers = set(), {}  # name of image; container name -> "created" or "started"

    def check(self):
        names = {n.split("/")[-1].split(":")[0] for i in json.loads(wcctl("--json", "images").stdout) for n in i["Names"]}
        lost = self.images - names
        if lost:
            raise Failure(f"images lost: {lost}")
        there = {c["Name"].lstrip("/") for c in json.loads(wcctl("--json", "ps", "-a").stdout)}
        lost = set(self.containers) - there
        if lost:
            raise Failure(f"containers lost: {lost}")
        return names, there


def monitors():
    """Process ids of the monitors of our store."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            exe, place = os.readlink(f"/proc/{pid}/exe"), os.readlink(f"/proc/{pid}/cwd")
            if os.path.basename(exe).startswith("wc-helper") and place.startswith(RUN_ROOT):
                found.append(int(pid))
        except OSError:
            continue
    return found


def victim(words, delay, kill_monitor):
    """Runs wcctl and kills it (or a monitor) after the delay; True when it had reported success before."""
    child = subprocess.Popen(WCCTL + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, errors = child.communicate(timeout=delay)
    except subprocess.TimeoutExpired:
        if kill_monitor:
            for pid in monitors():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            out, errors = child.communicate(timeout=60)
            return child.returncode == 0, out
        child.kill()
        out, errors = child.communicate()
        return False, out
    if child.returncode and not kill_monitor:
        raise Failure(f"wcctl {' '.join(words)}: exit {child.returncode}: {errors.strip()}")
    return child.returncode == 0, out


def one_round(number, model):
    images, containers = model.check()
    operation = chance.choice(["pull", "pull", "create", "start", "run", "rm", "rmi", "prune"])
    delay = chance.choice([0.002, 0.01, 0.03, 0.08, 0.2]) * chance.random() * 2
    kill_monitor = operation == "run" and chance.random() < 0.33
    image = chance.choice(IMAGES)
    if operation in ("create", "run") and image not in images:
        wcctl(*pull(image))
        model.images.add(image)
    name = f"c{number}"
    if operation == "pull":
        done, _ = victim(pull(image), delay, False)
        if done:
            model.images.add(image)
    elif operation == "create":
        done, _ = victim(["create", "--name", name, "--network", "none", image, "true"], delay, False)
        if done:
            model.containers[name] = "created"
    elif operation == "run":
        done, _ = victim(["run", "-d", "--name", name, "--network", "none", image, "sleep", "0.05"], delay, kill_monitor)
        if done:
            model.containers[name] = "started"
    elif operation == "start" and containers:
        name = chance.choice(sorted(containers))
        start(name, delay)
    elif operation == "rm" and containers:
        name = chance.choice(sorted(containers))
        model.containers.pop(name, None)  # from here on either outcome is right
        victim(["rm", "-f", name], delay, False)
    elif operation == "rmi" and image in images:
        model.images.discard(image)
        users = [n for n in containers if inspect_image(n) == image]
        for user in users:
            model.containers.pop(user, None)
            wcctl("rm", "-f", user)
        victim(["rmi", image], delay, False)
    elif operation == "prune":
        for stopped in containers:
            model.containers.pop(stopped, None)
        victim(["system", "prune", "-f"], delay, False)
    return operation


def inspect_image(name):
    done = wcctl("inspect", "--type", "container", name, ok=False)
    return json.loads(done.stdout)[0]["Config"]["Image"] if done.returncode == 0 else None


def start(name, delay):
    """A container may run already, or have no image any more; only the crash matters."""
    child = subprocess.Popen(WCCTL + ["start", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(delay)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def after(model):
    """The next call works, and the store is sound."""
    check = wcctl("system", "check", ok=False)
    if check.returncode:
        raise Failure(f"system check: {check.stdout}{check.stderr}")
    model.check()
    if IMAGES[0] in {n.split("/")[-1].split(":")[0] for i in json.loads(wcctl("--json", "images").stdout) for n in i["Names"]}:
        done = wcctl("run", "--rm", "--network", "none", IMAGES[0], "echo", "alive")
        if done.stdout != "alive\n":
            raise Failure(f"run printed {done.stdout!r}")


def finish():
    """Everything can be removed, and nothing is left: files, processes, mounts, control groups."""
    for container in json.loads(wcctl("--json", "ps", "-a").stdout):
        wcctl("rm", "-f", container["Name"].lstrip("/"))
    for image in json.loads(wcctl("--json", "images").stdout):
        wcctl("rmi", "-f", image["Id"])
    wcctl("system", "prune", "-a", "-f", "--partial")
    left = []
    for folder in ("blobs", "trees", "links", "staging", "ingest", "containers"):
        for base, dirs, files in os.walk(f"{root}/{folder}"):
            left += [os.path.join(base, f) for f in files] + ([base] if base.count("/") > root.count("/") + 2 else [])
    if left:
        raise Failure(f"left behind: {left[:5]}")
    for _ in range(50):
        if not monitors():
            break
        time.sleep(0.1)
    if monitors():
        raise Failure(f"monitors left: {monitors()}")
    if work in open("/proc/mounts", encoding="utf-8").read():
        raise Failure("mounts left")


def main():
    for image in IMAGES:
        subprocess.run([sys.executable, f"{args.source}/tests/support/busybox_image.py", f"{work}/layout-{image}", image,
                        "--files", "600", "--seed", image], check=True)
    model, counts = Model(), {}
    wcctl("images")
    for number in range(args.rounds):
        operation = one_round(number, model)
        counts[operation] = counts.get(operation, 0) + 1
        after(model)
    finish()
    print(f"lifecycle: {args.rounds} rounds, {counts}: nothing lost, nothing left")


if __name__ == "__main__":
    try:
        main()
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"lifecycle: seed {args.seed}: {failure}; the store is kept in {work}", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(work, ignore_errors=True)
