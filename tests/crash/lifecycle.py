#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random instants during pull, create, start, run, rm, rmi and prune, over and over on one store.

After each kill: the next calls work without repair, `system check` is clean, nothing that had been
reported done is lost, nothing that had been reported gone is back, and what ran still runs. At the end
nothing is left. In a third of the rounds of start, run and rm the containers' monitors are killed instead of
wcctl. Half of the containers go on until they are removed; half of the pulls have everything to bring, half of
them from a registry. Each operation must have been at work when it was killed in a share of all rounds; those that
lack such kills get more rounds.

usage: lifecycle.py BUILD_DIR SOURCE_DIR [--rounds N] [--seed N]
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from victims import Failure, Victims, arguments

args = arguments(100)
chance = random.Random(args.seed)

sys.path.insert(0, f"{args.source}/tests/support")
from store_remains import Remains  # found where the line above says

work = tempfile.mkdtemp(prefix="wc-crash-")
root = f"{work}/root"
RUN_ROOT = f"{work}/run"
WCCTL = [f"{args.build}/bin/wcctl", "--root", root, "--run-root", RUN_ROOT, "--runtime", "runc"]
remains = Remains(root, RUN_ROOT)
IMAGES = ["one", "two"]
FROM_REGISTRY = ["two"]
# The kills that have to come while it is at work, in a hundred rounds.
NEEDED = {"pull": 4, "pull from a registry": 4, "create": 6, "start": 6, "rm": 6, "prune": 6}


def wcctl(*words, ok=True, timeout=60):
    done = subprocess.run(WCCTL + list(words), capture_output=True, text=True, timeout=timeout)
    if ok and done.returncode:
        raise Failure(f"wcctl {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
    return done


class Registry:
    """Debian's docker-registry with those images; without it they come from layouts like the others."""

    def __init__(self):
        self.child = subprocess.Popen(["bash", f"{args.source}/tests/support/registry.sh", "serve", f"{work}/registry"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = (self.child.stdout.readline().split() or [None])[0]
        if not self.address:
            print("SKIPPED PART: crash_lifecycle: pulls from a registry: docker-registry is not installed")
            FROM_REGISTRY.clear()
            NEEDED.pop("pull from a registry")
        for image in FROM_REGISTRY:
            wcctl("copy", "-q", f"oci:{work}/layout-{image}:{image}", f"docker://{self.name(image)}")

    def name(self, image):
        return f"{self.address}/{image}:1"

    def stop(self):
        self.child.stdin.close()
        self.child.wait()


def name_of(image):
    """By which containers and removals know it."""
    return registry.name(image) if image in FROM_REGISTRY else image


def pull(image):
    place = f"docker://{registry.name(image)}" if image in FROM_REGISTRY else f"oci:{work}/layout-{image}:{image}"
    return ["pull", "-q", place]


def operation_of(words):
    if words[0] == "pull" and words[-1].startswith("docker://"):
        return "pull from a registry"
    return "prune" if words[:2] == ["system", "prune"] else words[0]


def names_of_images():
    images = json.loads(wcctl("--json", "images").stdout)
    return {name.split("/")[-1].split(":")[0] for image in images for name in image["Names"]}


def list_containers():
    return {c["Name"].lstrip("/"): c for c in json.loads(wcctl("--json", "ps", "-a").stdout)}


class Model:
    """What has been reported. What a killed call may or may not have done is in none of the sets."""

    def __init__(self):
        self.images, self.gone_images = set(), set()
        self.containers, self.gone_containers = set(), set()
        self.running = set()  # containers that run until they are told to end
        self.ids = set()  # of all containers that ever were

    def check(self):
        images, listed = names_of_images(), list_containers()
        containers = set(listed)
        running = {name for name, c in listed.items() if c["State"]["Running"]}
        for what, bad in (("images lost", self.images - images), ("containers lost", self.containers - containers),
                          ("images back", self.gone_images & images),
                          ("containers back", self.gone_containers & containers),
                          ("containers ended", self.running - running)):
            if bad:
                raise Failure(f"{what}: {bad}")
        self.ids |= {c["Id"] for c in listed.values()}
        return images, listed

    def image_comes(self, name, done):
        self.gone_images.discard(name)
        if done:
            self.images.add(name)

    def image_goes(self, name, done):
        self.images.discard(name)
        if done:
            self.gone_images.add(name)

    def container_comes(self, name, done):
        if done:
            self.containers.add(name)

    def container_goes(self, name, done):
        self.containers.discard(name)
        self.running.discard(name)
        if done:
            self.gone_containers.add(name)


def kill_monitors(model):
    model.running.clear()
    for pid in remains.monitors():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class MonitorVictims(Victims):
    """In some rounds the monitors of all containers are killed instead."""

    def kill(self, model, words, monitor=False, may_fail=False):
        return super().kill(words, (lambda child: kill_monitors(model)) if monitor else None, may_fail, operation_of(words))

    def lacking(self):
        """The operations that have had too few kills at work, the one that lacks most first."""
        lack = {operation: needed * args.rounds / 100 - self.landed.get(operation, 0)
                for operation, needed in NEEDED.items()}
        return sorted((o for o in lack if lack[o] > 0), key=lambda o: -lack[o])


# ---- The rounds, one of each kind ---------------------------------------------------------------------

def remove_users(model, image, listed):
    for name, container in listed.items():
        if container["Config"]["Image"] == name_of(image):
            wcctl("rm", "-f", name)
            model.container_goes(name, True)


def have_image(model, image, images):
    if image not in images:
        wcctl(*pull(image))
        model.image_comes(image, True)


def round_pull(model, victims, images, listed, name, image):
    if image in images and chance.random() < 0.5:
        remove_users(model, image, listed)
        wcctl("rmi", name_of(image))
        model.image_goes(image, True)
    model.image_comes(image, False)
    model.image_comes(image, victims.kill(model, pull(image)))


def words_of(name, image):
    seconds = chance.choice(["0.05", "1000"])
    return ["--name", name, "--network", "none", name_of(image), "sleep", seconds], seconds == "1000"


def round_create(model, victims, images, listed, name, image):
    have_image(model, image, images)
    model.container_comes(name, victims.kill(model, ["create"] + words_of(name, image)[0]))


def round_run(model, victims, images, listed, name, image):
    have_image(model, image, images)
    words, goes_on = words_of(name, image)
    monitor = chance.random() < 0.33
    done = victims.kill(model, ["run", "-d"] + words, monitor, may_fail=monitor)
    model.container_comes(name, done)
    if done and goes_on and not monitor:
        model.running.add(name)


def round_start(model, victims, images, listed, name, image):
    """One may run already; then only the crash matters."""
    name, monitor = chance.choice(sorted(listed)), chance.random() < 0.33
    done = victims.kill(model, ["start", name], monitor, may_fail=True)
    if done and not monitor and listed[name]["Args"] == ["1000"]:
        model.running.add(name)


def round_rm(model, victims, images, listed, name, image):
    name, monitor = chance.choice(sorted(listed)), chance.random() < 0.33
    model.container_goes(name, False)
    model.container_goes(name, victims.kill(model, ["rm", "-f", name], monitor))


def round_rmi(model, victims, images, listed, name, image):
    remove_users(model, image, listed)
    model.image_goes(image, False)
    model.image_goes(image, victims.kill(model, ["rmi", name_of(image)]))


def round_prune(model, victims, images, listed, name, image):
    stopped = {n for n, c in listed.items() if not c["State"]["Running"]}
    for n in set(listed) - model.running:
        model.container_goes(n, False)
    if victims.kill(model, ["system", "prune", "-f"]):
        for n in stopped:
            model.container_goes(n, True)


ROUNDS = {"pull": round_pull, "pull from a registry": round_pull, "create": round_create, "start": round_start,
          "run": round_run, "rm": round_rm, "rmi": round_rmi, "prune": round_prune}


def choose(victims, images, listed):
    """A round and an image for it: half of the time what lacks kills most, else any; of what can be done now."""
    lacking = victims.lacking()
    operation = lacking[0] if lacking and chance.random() < 0.5 else chance.choice(sorted(ROUNDS))
    choice = FROM_REGISTRY if operation == "pull from a registry" and FROM_REGISTRY else IMAGES
    image = chance.choice([i for i in choice if operation != "pull" or i not in FROM_REGISTRY])
    if operation in ("start", "rm") and not listed:
        operation = "run"
    if operation == "rmi" and image not in images:
        operation = "pull"
    return ROUNDS[operation], image


def after(model):
    """The next call works, and the store is sound."""
    check = wcctl("system", "check", ok=False)
    if check.returncode:
        raise Failure(f"system check: {check.stdout}{check.stderr}")
    if IMAGES[0] in model.check()[0]:
        done = wcctl("run", "--rm", "--network", "none", name_of(IMAGES[0]), "echo", "alive")
        if done.stdout != "alive\n":
            raise Failure(f"run printed {done.stdout!r}")


def finish(model):
    """Everything can be removed, and nothing is left: files, monitors, mounts, control groups and so processes."""
    for name in model.check()[1]:
        wcctl("rm", "-f", name)
    for image in json.loads(wcctl("--json", "images").stdout):
        wcctl("rmi", "-f", image["Id"])
    wcctl("system", "prune", "-a", "-f", "--partial")
    for _ in range(50):
        if not remains.monitors():
            break
        time.sleep(0.1)
    for what, left in (("files", remains.files()), ("monitors", remains.monitors()), ("mounts", remains.mounts()),
                       ("control groups", remains.control_groups(model.ids))):
        if left:
            raise Failure(f"{what} left: {left[:5]}")


def main():
    model, victims, number = Model(), MonitorVictims(WCCTL, chance), 0
    # Further rounds, but not for ever, while some operation lacks kills.
    while number < args.rounds or (victims.lacking() and number < 2 * args.rounds):
        images, listed = model.check()
        play, image = choose(victims, images, listed)
        play(model, victims, images, listed, f"c{number}", image)
        after(model)
        number += 1
    finish(model)
    print(f"lifecycle: {number} rounds, {victims.summary()}: nothing lost, nothing back, nothing left")
    if victims.lacking():
        raise Failure(f"too few kills came in time to prove anything {victims.lacking()}")


if __name__ == "__main__":
    for layout in IMAGES:
        subprocess.run([sys.executable, f"{args.source}/tests/support/busybox_image.py", f"{work}/layout-{layout}",
                        layout, "--files", "300", "--seed", layout], check=True)
    registry = Registry()
    try:
        main()
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"lifecycle: seed {args.seed}: {failure}; the store is kept in {work}", file=sys.stderr)
        sys.exit(1)
    finally:
        registry.stop()
    shutil.rmtree(work, ignore_errors=True)
