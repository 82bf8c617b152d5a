#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pull, run, exec, logs, rm, rmi and prune for many minutes, by several processes of wcctl and by the threads of
one process (soak_threads). From time to time all of them rest; then nothing may have grown: descriptors, threads,
memory, mounts, processes, control groups, files of the store. A container runs all the while, and its monitor
may not grow either.

usage: soak.py BUILD_DIR SOURCE_DIR [--minutes N] [--rests N]

The length is 10 minutes, or what WC_SOAK_MINUTES says; the first rest is what the others are compared with.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("build")
parser.add_argument("source")
parser.add_argument("--minutes", type=float, default=float(os.environ.get("WC_SOAK_MINUTES", "10")))
parser.add_argument("--rests", type=int, default=10)
args = parser.parse_args()

sys.path.insert(0, f"{args.source}/tests/support")
from store_remains import Remains  # found where the line above says

PROCESSES, THREADS = 2, 3
KIB, MIB = 1024, 1024 * 1024
# Beside what is the same at every rest: room for what a heap does by itself, and for SQLite's cache of pages, which
# grows with the database until that has as many events as it keeps.
HEAP_GROWTH, HEAP_PER_ROUND = 256 * KIB, 32
RSS_GROWTH, MONITOR_GROWTH = 12 * MIB, 1 * MIB
DATABASE_MAX = 32 * MIB


class Failure(Exception):
    pass


def skip_without_needs():
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    if os.geteuid() != 0:
        print("SKIP: needs root")
    elif not shutil.which("crun", path=path) and not shutil.which("runc", path=path):
        print("SKIP: no OCI runtime (crun or runc)")
    else:
        return
    sys.exit(77)


# ---- The store and its sources ------------------------------------------------------------------------

class Place:
    """A store, images in layouts and, where docker-registry is installed, in a registry."""

    def __init__(self):
        self.work = tempfile.mkdtemp(prefix="wc-soak-")
        self.root, self.run_root = f"{self.work}/root", f"{self.work}/run"
        self.words = [f"{args.build}/bin/wcctl", "--root", self.root, "--run-root", self.run_root]
        self.remains = Remains(self.root, self.run_root)
        self.registry = self.address = None

    def wcctl(self, *words):
        done = subprocess.run(self.words + list(words), capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise Failure(f"wcctl {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def start_registry(self):
        self.registry = subprocess.Popen(["bash", f"{args.source}/tests/support/registry.sh", "serve",
                                          f"{self.work}/registry"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)
        line = self.registry.stdout.readline().split()
        if line:
            self.address = line[0]
        else:
            print("SKIPPED PART: soak: images come from layouts alone, docker-registry is not installed")

    def make_image(self, name, by_registry):
        """The source to pull it from, and what it is called then."""
        layout = f"{self.work}/layout-{name}"
        subprocess.run([sys.executable, f"{args.source}/tests/support/busybox_image.py", layout, name, "--files", "40",
                        "--seed", name], check=True)
        if not (by_registry and self.address):
            return f"oci:{layout}:{name}", name
        self.wcctl("copy", "-q", f"oci:{layout}:{name}", f"docker://{self.address}/{name}:1")
        return f"docker://{self.address}/{name}:1", f"{self.address}/{name}:1"

    def stop(self):
        """What runs goes, the store stays for a look at it."""
        subprocess.run(f"{' '.join(self.words)} ps -a -q | xargs -r {' '.join(self.words)} rm -f", shell=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)

    def clean_up(self):
        if self.registry:
            self.registry.stdin.close()
            self.registry.wait()
        shutil.rmtree(self.work, ignore_errors=True)


# ---- Who works ----------------------------------------------------------------------------------------

class ProcessWorker:
    """Calls wcctl, a process for each thing it does."""

    def __init__(self, place, name, by_registry):
        self.place, self.name, self.rounds, self.failure = place, name, 0, None
        self.source, self.image = place.make_image(name, by_registry)

    def go_round(self):
        call, name = self.place.wcctl, self.name
        call("pull", "-q", self.source)
        call("run", "-d", "--name", name, "--network", "none", self.image, "sh", "-c", "echo up; sleep 1000")
        self.expect(call("exec", name, "echo", "inside"), "inside\n")
        self.expect(call("logs", name), "up\n")
        self.expect(call("run", "--rm", "--network", "none", self.image, "echo", "alive"), "alive\n")
        self.expect(call("exec", "steady", "echo", "too"), "too\n")
        call("cp", f"{name}:/etc/passwd", f"{self.place.work}/{name}.copied")
        call("rm", "-f", name)
        call("rmi", self.image)
        self.rounds += 1

    @staticmethod
    def expect(found, wanted):
        if found != wanted:
            raise Failure(f"printed {found!r} instead of {wanted!r}")

    def work(self, end):
        try:
            while time.monotonic() < end:
                self.go_round()
        except (Failure, subprocess.TimeoutExpired) as failure:
            self.failure = f"{self.name}: {failure}"


class ThreadWorkers:
    """The threads of one process."""

    def __init__(self, place):
        sources = [place.make_image(f"thread-{i}", i == 0)[0] for i in range(THREADS)]
        self.rounds = self.heap = 0
        self.child = subprocess.Popen([f"{args.build}/tests/soak_threads", place.root, place.run_root, "steady",
                                       *sources], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env=dict(os.environ, MALLOC_ARENA_MAX="2"))

    def begin(self, seconds):
        self.child.stdin.write(f"{max(1, round(seconds))}\n")
        self.child.stdin.flush()

    def rest(self):
        line = self.child.stdout.readline().split()
        if len(line) != 4:
            raise Failure("soak_threads ended before its time")
        self.rounds, self.heap = int(line[1]), int(line[3])

    def end(self):
        self.child.stdin.close()
        if self.child.wait(60):
            raise Failure("soak_threads failed")


# ---- What is counted ----------------------------------------------------------------------------------

def count_in(folder):
    return len(os.listdir(folder))


def status_of(pid, field):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))


def processes_of(place):
    """All that were started for this store, but for the registry."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace")
            where = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if (place.root in words or place.run_root in words or where.startswith(place.run_root)) and \
                int(pid) != os.getpid():
            found.append(int(pid))
    return found


def entries_of_store(place):
    """Files and directories, without the database's own and the output of the steady container."""
    return sum(len(dirs) + len([f for f in files if not f.startswith("db.sqlite") and "log" not in f])
               for _, dirs, files in os.walk(place.root))


class Sample:
    def __init__(self, place, threads, seen):
        host, monitor = threads.child.pid, place.remains.monitors()
        if len(monitor) != 1:
            raise Failure(f"{len(monitor)} monitors at rest instead of one")
        self.same = {
            "descriptors of the process": count_in(f"/proc/{host}/fd"),
            "threads of the process": count_in(f"/proc/{host}/task"),
            "descriptors of a monitor": count_in(f"/proc/{monitor[0]}/fd"),
            "threads of a monitor": count_in(f"/proc/{monitor[0]}/task"),
            "processes": len(processes_of(place)),
            "mounts": len(place.remains.mounts()),
            "control groups": len(place.remains.control_groups(seen)),
            "entries of the store": entries_of_store(place),
            "containers": len(place.wcctl("ps", "-a", "-q").split()),
        }
        self.rounds, self.heap = threads.rounds, threads.heap
        self.rss = status_of(host, "VmRSS") * KIB
        self.monitor = status_of(monitor[0], "VmRSS") * KIB
        self.database = os.path.getsize(f"{place.root}/db.sqlite")

    def compare(self, first):
        for what, count in self.same.items():
            if count != first.same[what]:
                raise Failure(f"{what}: {first.same[what]} at the first rest, {count} after {self.rounds} rounds")
        if self.heap:  # else it is a sanitizer's
            self.compare_memory(first)

    def compare_memory(self, first):
        rounds = self.rounds - first.rounds
        for what, now, then, room in (
                ("heap in use", self.heap, first.heap, HEAP_GROWTH + HEAP_PER_ROUND * rounds),
                ("resident memory", self.rss, first.rss, RSS_GROWTH),
                ("resident memory of a monitor", self.monitor, first.monitor, MONITOR_GROWTH),
                ("database", self.database, 0, DATABASE_MAX)):
            if now > then + room:
                raise Failure(f"{what}: grew from {then} to {now} bytes in {rounds} rounds")

    def __str__(self):
        return (f"{self.rounds} rounds of threads: heap {self.heap // KIB} KiB, resident {self.rss // KIB} KiB, monitor "
                f"{self.monitor // KIB} KiB, database {self.database // KIB} KiB, " +
                ", ".join(f"{count} {what}" for what, count in self.same.items()))


# ---- The whole ----------------------------------------------------------------------------------------

def work_for(seconds, threads, processes):
    end = time.monotonic() + seconds
    hands = [threading.Thread(target=p.work, args=(end,)) for p in processes]
    threads.begin(seconds)
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    threads.rest()
    for process in processes:
        if process.failure:
            raise Failure(process.failure)


class Ids:
    """Of all containers that there ever were, by the events since the last look."""

    def __init__(self, place):
        self.place, self.all, self.cursor = place, set(), ""

    def look(self):
        for line in self.place.wcctl("--json", "events", "--no-follow", "--after", self.cursor).splitlines():
            event = json.loads(line)
            self.cursor = event["cursor"]
            if event["Type"] == "container":
                self.all.add(event["Id"])
        return self.all


def soak(place):
    place.start_registry()
    source, image = place.make_image("steady", False)
    place.wcctl("pull", "-q", source)
    place.wcctl("run", "-d", "--name", "steady", "--network", "none", image, "sh", "-c",
                         "while :; do echo tick; sleep 0.1; done")
    threads = ThreadWorkers(place)
    processes = [ProcessWorker(place, f"process-{i}", i == 0) for i in range(PROCESSES)]
    first, ids = None, Ids(place)
    for _ in range(args.rests):
        work_for(args.minutes * 60 / args.rests, threads, processes)
        place.wcctl("system", "prune", "-f", "--partial")
        sample = Sample(place, threads, ids.look())
        print(sample, flush=True)
        first = first or sample
        sample.compare(first)
    threads.end()
    return threads.rounds, sum(p.rounds for p in processes), ids.look()


def finish(place, seen):
    """Everything can be removed, and nothing is left."""
    findings = place.wcctl("system", "check")
    place.wcctl("rm", "-f", "steady")
    place.wcctl("rmi", "steady")
    place.wcctl("system", "prune", "-a", "-f", "--partial")
    time.sleep(1)
    for what, left in (("files", place.remains.files()), ("monitors", place.remains.monitors()),
                       ("mounts", place.remains.mounts()), ("control groups", place.remains.control_groups(seen)),
                       ("processes", processes_of(place))):
        if left:
            raise Failure(f"{what} left: {left[:5]}; {findings}")


def main():
    skip_without_needs()
    place = Place()
    try:
        in_threads, in_processes, seen = soak(place)
        finish(place, seen)
        if min(in_threads, in_processes) < 2 * args.rests:
            raise Failure("too few rounds to prove anything")
        print(f"soak: {args.minutes:g} minutes, {in_threads} rounds in threads, {in_processes} in processes, "
              f"{len(seen)} containers: nothing has grown, nothing is left")
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"soak: {failure}; the store is kept in {place.work}", file=sys.stderr, flush=True)
        place.stop()
        os._exit(1)  # threads of ours may still wait for a child
    place.clean_up()


if __name__ == "__main__":
    main()
