#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""24 threads of one process and 8 processes hammer the same eight names: create, start, stop, restart, kill, pause,
unpause, rename, update, exec, logs, attach, stats, top, inspect, list, wait and rm at random. Each call ends as its
documentation says; afterwards no container is lost or back, the store is sound, and nothing is left.

usage: hammer.py BUILD_DIR SOURCE_DIR [--minutes N] [--threads N] [--processes N] [--seed N]

The length is 10 minutes, or what WC_SOAK_MINUTES says.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("build")
parser.add_argument("source")
parser.add_argument("--minutes", type=float, default=float(os.environ.get("WC_SOAK_MINUTES", "10")))
parser.add_argument("--threads", type=int, default=24)
parser.add_argument("--processes", type=int, default=8)
parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10000))
args = parser.parse_args()

sys.path.insert(0, f"{args.source}/tests/support")
from store_remains import Remains  # found where the line above says

work = tempfile.mkdtemp(prefix="wc-hammer-")
ROOT, RUN_ROOT = f"{work}/root", f"{work}/run"
WCCTL = [f"{args.build}/bin/wcctl", "--root", ROOT, "--run-root", RUN_ROOT]
remains = Remains(ROOT, RUN_ROOT)


class Failure(Exception):
    pass


def wcctl(*words):
    done = subprocess.run(WCCTL + list(words), capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise Failure(f"wcctl {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def prepare():
    subprocess.run([sys.executable, f"{args.source}/tests/support/busybox_image.py", f"{work}/layout", "box"], check=True)
    wcctl("pull", "-q", f"oci:{work}/layout:box")


def begin(threads, seed):
    """Its output goes to a file: nobody reads it meanwhile."""
    with open(f"{work}/out-{seed}", "wb") as out:
        return subprocess.Popen([f"{args.build}/tests/hammer", ROOT, RUN_ROOT, "box", str(round(args.minutes * 60)),
                                 str(threads), str(seed)], stdout=out)


class Told:
    """What all of them printed."""

    def __init__(self, seeds):
        self.made, self.removed, self.counts = set(), set(), {}
        for seed in seeds:
            with open(f"{work}/out-{seed}", encoding="utf-8") as file:
                for line in file:
                    what, name, *numbers = line.split()
                    if what == "count":
                        done, refused = self.counts.get(name, (0, 0))
                        self.counts[name] = (done + int(numbers[0]), refused + int(numbers[1]))
                    else:
                        (self.made if what == "made" else self.removed).add(name)

    def __str__(self):
        return ", ".join(f"{name} {done}+{refused}" for name, (done, refused) in self.counts.items())


def strike():
    seeds = [args.seed + i for i in range(args.processes + 1)]
    children = [begin(args.threads, seeds[0])] + [begin(1, seed) for seed in seeds[1:]]
    failed = [child.pid for child in children if child.wait()]
    told = Told(seeds)
    if failed:
        raise Failure(f"{len(failed)} processes saw what they should not; {told}")
    idle = [name for name, (done, _) in told.counts.items() if not done]
    if idle:
        raise Failure(f"never worked, which proves nothing: {idle}; {told}")
    return told


def check(told):
    listed = {c["Id"] for c in json.loads(wcctl("--json", "ps", "-a"))}
    for what, bad in (("lost", told.made - told.removed - listed), ("back", listed & told.removed),
                      ("of nobody", listed - told.made)):
        if bad:
            raise Failure(f"containers {what}: {sorted(bad)[:5]}")
    findings = wcctl("system", "check")
    for container in listed:
        wcctl("rm", "-f", container)
    wcctl("rmi", "box")
    wcctl("system", "prune", "-a", "-f", "--partial")
    for _ in range(100):
        if not remains.monitors():
            break
        time.sleep(0.1)
    for what, left in (("files", remains.files()), ("monitors", remains.monitors()), ("mounts", remains.mounts()),
                       ("control groups", remains.control_groups(told.made)),
                       ("runtime's files", os.listdir(f"{RUN_ROOT}/runtime")),
                       ("run directories", os.listdir(f"{RUN_ROOT}/containers"))):
        if left:
            raise Failure(f"{what} left: {left[:5]}; {findings}")


def main():
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    if os.geteuid() != 0:
        print("SKIP: needs root")
        sys.exit(77)
    if not shutil.which("crun", path=path) and not shutil.which("runc", path=path):
        print("SKIP: no OCI runtime (crun or runc)")
        sys.exit(77)
    try:
        prepare()
        told = strike()
        check(told)
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"hammer: seed {args.seed}: {failure}; the store is kept in {work}", file=sys.stderr)
        sys.exit(1)
    print(f"hammer: {args.minutes:g} minutes, {args.threads} threads and {args.processes} processes, {len(told.made)} "
          f"containers: nothing lost, nothing back, nothing left; done+refused: {told}")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
