#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Control groups and processes that a killed monitor would leave behind."""
import contextlib
import glob
import os
import secrets
import signal
import subprocess
import time

from wcctl_case import BUILD, WcctlCase, need_runtime, runs

import named_skips  # found where wcctl_case looks


def hierarchies():
    """The directories in which containers have their groups."""
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        return ["/sys/fs/cgroup"]
    with open("/proc/mounts", encoding="utf-8") as mounts:
        return [line.split()[1] for line in mounts if line.split()[2] == "cgroup"]


def groups(name):
    return [group for h in hierarchies() for group in glob.glob(f"{h}/wincontainer/{name}")]


class KilledInTheStart(WcctlCase):
    """The worst instant: the runtime has made a group and a process in it, and nothing is recorded."""

    RUNTIME = """#!/bin/sh
for id; do :; done
mkdir -p {group}/$id
sleep 1000 &
echo $! >{group}/$id/cgroup.procs
echo $PPID $$ $! $id >{work}/started.part
mv {work}/started.part {work}/started
sleep 1000
"""

    def setUp(self):
        with open(f"{self.work}/slow", "w", encoding="utf-8") as file:
            file.write(self.RUNTIME.format(group=f"{hierarchies()[0]}/wincontainer", work=self.work))
        os.chmod(f"{self.work}/slow", 0o755)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.work}/started")

    def begin(self, *options):
        child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "--runtime", f"{self.work}/slow", "run", "-d",
                                  "--network", "none", *options, "box", "true"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not os.path.exists(f"{self.work}/started"):
            self.assertIsNone(child.poll())
            time.sleep(0.01)
        with open(f"{self.work}/started", encoding="utf-8") as file:
            monitor, runtime, inside, name = file.read().split()
        return child, int(monitor), int(runtime), int(inside), name

    @staticmethod
    def kill(monitor):
        os.kill(monitor, signal.SIGKILL)
        while runs(monitor):
            time.sleep(0.001)

    def assertNothingRuns(self, runtime, inside, name):
        self.assertFalse(runs(runtime), "the runtime goes on without its monitor")
        self.assertFalse(runs(inside), "what was in the group goes on")
        self.assertEqual(groups(name), [])

    def test_the_monitor(self):
        child, monitor, runtime, inside, name = self.begin("--name", "half")
        self.kill(monitor)
        said = child.communicate(timeout=20)[1]
        self.assertEqual((child.returncode, said.count("\n")), (125, 1), said)
        self.assertIn("it was killed", said)
        self.assertNothingRuns(runtime, inside, name)
        self.assertEqual((self.state("half")["Status"], self.state("half")["ExitCode"]), ("created", 128))

    def test_the_monitor_of_what_is_removed_at_once(self):
        child, monitor, runtime, inside, name = self.begin("--rm")
        self.kill(monitor)
        child.communicate(timeout=20)
        self.assertNothingRuns(runtime, inside, name)
        self.assertEqual(self.wcctl_ok("ps", "-a", "-q").stdout, "")

    def test_the_monitor_and_who_started_it(self):
        child, monitor, runtime, inside, name = self.begin("--name", "half")
        child.kill()
        self.kill(monitor)
        child.communicate(timeout=20)
        self.assertIn("interrupted", self.state("half")["Error"])
        self.assertNothingRuns(runtime, inside, name)


class KilledWhileItRuns(WcctlCase):
    """The end counts as 255, and nothing goes on."""

    def start(self):
        return self.wcctl_ok("run", "-d", "--network", "none", "box", "sleep", "1000").stdout.strip()

    def test_end_that_nobody_saw(self):
        name = self.start()
        pid = self.state(name)["Pid"]
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            monitor = int(file.read().rsplit(")", 1)[1].split()[1])
        waiting = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "wait", name], stdout=subprocess.PIPE)
        time.sleep(0.5)
        os.kill(monitor, signal.SIGKILL)
        self.assertEqual(waiting.communicate()[0], b"255\n")
        self.assertEqual(self.wcctl_ok("wait", name).stdout, "255\n")
        self.assertIn("Exited (255)", self.wcctl_ok("ps", "-a").stdout)
        self.assertFalse(runs(pid), "what ended for us goes on")

    def test_end_that_nobody_saw_is_found_by_whoever_looks(self):
        for look in (["ps", "-a"], ["stop"], ["kill"], ["exec"]):
            with self.subTest(look=look[0]):
                name = self.start()
                pid = self.state(name)["Pid"]
                with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                    monitor = int(file.read().rsplit(")", 1)[1].split()[1])
                os.kill(monitor, signal.SIGKILL)
                while runs(monitor):
                    time.sleep(0.01)
                self.wcctl(*look, *([] if look[0] == "ps" else [name]), *(["true"] if look[0] == "exec" else []))
                self.assertFalse(runs(pid), "what ended for us goes on")
                self.assertIn("Exited (255)", self.wcctl_ok("ps", "-a").stdout)

    def test_records_that_a_power_cut_has_spoilt(self):
        name = self.start()
        pid = self.state(name)["Pid"]
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            monitor = int(file.read().rsplit(")", 1)[1].split()[1])
        os.kill(monitor, signal.SIGKILL)
        while runs(monitor):
            time.sleep(0.01)
        for record in ("monitor.json", "exit.json"):
            with open(f"{self.root}/run/containers/{name}/{record}", "w", encoding="utf-8") as file:
                file.write("\0\0\0")
        self.assertIn("Exited (255)", self.wcctl_ok("ps", "-a").stdout)
        self.assertFalse(runs(pid), "what ended for us goes on")
        self.wcctl_ok("start", name)
        self.assertEqual(self.state(name)["Status"], "running")
        self.wcctl_ok("rm", "-f", name)


class Groups(WcctlCase):
    """Of containers whose store is gone."""

    def make(self, name, minutes):
        for group in [f"{h}/wincontainer/{name}" for h in hierarchies()]:
            os.makedirs(f"{group}/inside")
            self.addCleanup(self.remove, group)
            for path in (f"{group}/inside", group):
                os.utime(path, (time.time() - 60 * minutes,) * 2)
        return name

    @staticmethod
    def remove(group):
        for path in (f"{group}/inside", group):
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(path)

    def enter(self, group):
        child = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        with open(f"{group}/cgroup.procs", "w", encoding="utf-8") as file:
            file.write(str(child.pid))
        return child

    def test_prune_removes_those_that_nobody_has(self):
        self.output("--", "true")  # makes the directory above them
        old, new = self.make(secrets.token_hex(32), 60), self.make(secrets.token_hex(32), 1)
        used, other = self.make(secrets.token_hex(32), 60), self.make("not-ours", 60)
        grouped = self.make(f"{other}/{secrets.token_hex(32)}", 60)
        child = self.enter(f"{hierarchies()[0]}/wincontainer/{used}/inside")
        said = self.wcctl_ok("system", "prune", "-f").stdout
        self.assertRegex(said, r"Deleted: control groups of \d+ container")
        self.assertEqual(groups(old) + groups(grouped), [])
        for kept in (new, used, other):
            self.assertEqual(len(groups(kept)), len(hierarchies()), kept)
        self.assertIsNone(child.poll())

    def test_prune_spares_what_runs(self):
        name = self.wcctl_ok("run", "-d", "--network", "none", "box", "sleep", "100").stdout.strip()
        for group in groups(name):
            os.utime(group, (time.time() - 3600,) * 2)
        before = groups(name)
        self.wcctl_ok("system", "prune", "-f")
        self.assertEqual((groups(name), self.state(name)["Status"]), (before, "running"))


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
