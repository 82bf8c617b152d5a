#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Groups: limits of several containers together, read back from the control groups and seen at work."""
import glob
import json
import os
import shutil
import subprocess
import time

from resources_test import V2, cgroup_files
from wcctl_case import BUILD, WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks

MIB = 1 << 20


class GroupCase(WcctlCase):
    def tearDown(self):
        super().tearDown()
        for name in self.wcctl_ok("group", "ls", "-q").stdout.split():
            self.wcctl_ok("group", "rm", name)

    def create(self, *options, name="team"):
        self.wcctl_ok("group", "create", *options, name)

    def start(self, name, *options, group="team", command=("sleep", "100")):
        self.wcctl_ok("run", "-d", "--name", name, "--network", "none", "--group", group, *options, "box", *command)
        return self.state(name)["Pid"]

    def inspect(self, name="team"):
        return json.loads(self.wcctl_ok("group", "inspect", name).stdout)[0]

    def group_file(self, pid, controller, name):
        """A file of the control group that the container's is in."""
        return cgroup_files(pid, controller, f"../{name}")

    def directories(self, name="team"):
        path = self.inspect(name)["CgroupPath"]
        return glob.glob(f"/sys/fs/cgroup{path}") + glob.glob(f"/sys/fs/cgroup/*{path}")


class Limits(GroupCase):
    def test_ps_of_one(self):
        self.create()
        self.create(name="other")
        self.start("box1")
        self.start("box2", group="other")
        self.assertEqual(self.wcctl_ok("ps", "--filter", "group=team", "--format", "{{.Names}}").stdout, "box1\n")
        self.assertEqual(self.wcctl_ok("ps", "--filter", "group=nobody", "-q").stdout, "")

    def test_every_limit_is_in_its_file(self):
        self.create("-m", "64m", "--memory-swap", "96m", "--memory-reservation", "32m", "--cpus", "0.5", "--cpu-shares",
                    "512", "--cpuset-cpus", "0", "--cpuset-mems", "0", "--pids-limit", "50")
        self.assertEqual(self.directories(), [], "nothing on the host before the first container")
        pid = self.start("one")
        expected = [("memory", "memory.max", str(64 * MIB)), ("memory", "memory.swap.max", str(32 * MIB)),
                    ("memory", "memory.low", str(32 * MIB)), ("cpu", "cpu.max", "50000 100000"),
                    ("cpu", "cpu.weight", "20"), ("cpuset", "cpuset.cpus", "0"), ("cpuset", "cpuset.mems", "0"),
                    ("pids", "pids.max", "50")] if V2 else [
                        ("memory", "memory.limit_in_bytes", str(64 * MIB)),
                        ("memory", "memory.soft_limit_in_bytes", str(32 * MIB)), ("cpu", "cpu.cfs_quota_us", "50000"),
                        ("cpu", "cpu.shares", "512"), ("cpuset", "cpuset.cpus", "0"), ("cpuset", "cpuset.mems", "0"),
                        ("pids", "pids.max", "50")]
        for controller, name, value in expected:
            with self.subTest(file=name):
                self.assertEqual(self.group_file(pid, controller, name), value)
        memsw = f"/sys/fs/cgroup/memory{self.inspect()['CgroupPath']}/memory.memsw.limit_in_bytes"
        if os.path.exists(memsw):
            with open(memsw, encoding="ascii") as file:
                self.assertEqual(file.read().strip(), str(96 * MIB))

    def test_without_limits(self):
        self.create()
        pid = self.start("one", "-m", "32m")
        self.assertEqual(cgroup_files(pid, "memory", "memory.max" if V2 else "memory.limit_in_bytes"), str(32 * MIB))
        self.assertEqual(self.group_file(pid, "pids", "pids.max"), "max")

    def test_update_while_it_runs(self):
        self.create("-m", "64m", "--pids-limit", "50")
        pid = self.start("one")
        limit = "memory.max" if V2 else "memory.limit_in_bytes"
        for size in (32, 256, 16):
            self.assertEqual(self.wcctl_ok("group", "update", "-m", f"{size}m", "team").stdout, "team\n")
            self.assertEqual(self.group_file(pid, "memory", limit), str(size * MIB))
        self.assertEqual(self.group_file(pid, "pids", "pids.max"), "50", "what is not named stays")
        self.wcctl_ok("group", "update", "-m", "0", "--pids-limit", "0", "team")
        self.assertNotEqual(self.group_file(pid, "memory", limit), str(16 * MIB))
        self.assertEqual(self.group_file(pid, "pids", "pids.max"), "max")
        self.assertEqual(self.inspect()["Limits"]["Memory"], 0)

    def test_limits_hold_for_all_together(self):
        self.create("--pids-limit", "12")
        self.start("one", command=("sh", "-c", "sleep 100 & sleep 100 & sleep 100 & wait"))
        done = self.run_box("--group", "team", "--", "sh", "-c",
                            "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; echo all")
        self.assertNotIn("all", done.stdout)
        self.assertIn("fork", done.stderr)
        self.assertIn("all", self.output("--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; echo all"))

    def test_memory_of_the_group_ends_a_container(self):
        self.create("-m", "24m", "--memory-swap", "24m")
        done = self.run_box("--group", "team", "--tmpfs", "/big:size=64m", "--", "sh", "-c",
                            "dd if=/dev/zero of=/big/file bs=1M count=48")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.output("--tmpfs", "/big:size=64m", "--", "sh", "-c",
                                     "dd if=/dev/zero of=/big/file bs=1M count=48 2>/dev/null; echo done"), "done\n")

    def test_weights_divide_the_processor(self):
        """Counted in processor time of the control groups, while both want one processor."""
        self.create("--cpuset-cpus", "0")
        busy = ("sh", "-c", "while :; do :; done")
        self.start("light", "--cpu-shares", "256", command=busy)
        self.start("heavy", "--cpu-shares", "1024", command=busy)

        def used():
            members = self.inspect()["Members"]
            return {member["Name"]: member["Usage"]["Cpu"] for member in members}

        first, last = used(), {}
        for _ in range(300): # until they have had two seconds of processor time together
            last = used()
            if sum(last.values()) - sum(first.values()) > 2_000_000_000:
                break
            time.sleep(0.2)
        light, heavy = (last[name] - first[name] for name in ("light", "heavy"))
        self.assertGreater(light, 0)
        self.assertGreater(heavy / light, 2, f"1024 against 256 shares had {heavy} and {light} ns")
        weights = {member["Name"]: member["CpuWeight"] for member in self.inspect()["Members"]}
        self.assertEqual(weights, {"light": 0.2, "heavy": 0.8})


class Life(GroupCase):
    def test_report(self):
        self.create("-m", "64m", "--cpus", "1")
        self.start("one", "-m", "48m", "--cpus", "0.75")
        self.start("two", "-m", "48m", "--cpu-quota", "50000", "--pids-limit", "9")
        self.wcctl_ok("create", "--name", "three", "--network", "none", "--group", "team", "box", "true")
        report = json.loads(self.wcctl_ok("--json", "group", "stats", "team").stdout)
        self.assertEqual((report["Containers"], report["Running"]), (3, 2))
        self.assertEqual(report["Promised"], {"Memory": 96 * MIB, "NanoCpus": 1_250_000_000, "Pids": 9})
        self.assertEqual(sorted(member["Name"] for member in report["Members"]), ["one", "two"])
        self.assertGreaterEqual(report["Usage"]["Pids"], 2)
        for key in ("Memory", "Cpu"):
            self.assertGreater(report["Usage"][key], 0)
            self.assertGreaterEqual(report["Usage"][key], max(member["Usage"][key] for member in report["Members"]) // 2)
        lines = self.wcctl_ok("group", "stats", "team").stdout.splitlines()
        self.assertEqual(len(lines), 4, lines)
        self.assertIn("CPU WEIGHT", lines[0])
        density = self.wcctl_ok("stats", "--group", "team").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in density], ["GROUP", "team", *(line.split()[0] for line in lines[2:])])
        self.assertFails(self.wcctl("stats", "--group", "team", "one"), 125, "--group")
        self.assertIn("50.0%", lines[2])

    def test_removed_only_when_nobody_is_in_it(self):
        self.create()
        self.start("one")
        self.assertFails(self.wcctl("group", "rm", "team"), 1, "'team'", "'one'")
        self.wcctl_ok("stop", "-t", "0", "one")
        self.assertFails(self.wcctl("group", "rm", "team"), 1, "'team'", "'one'")
        self.assertNotEqual(self.directories(), [])
        path = self.inspect()["CgroupPath"]
        self.wcctl_ok("rm", "one")
        self.assertEqual(self.wcctl_ok("group", "rm", "team").stdout, "team\n")
        self.assertEqual(glob.glob(f"/sys/fs/cgroup{path}") + glob.glob(f"/sys/fs/cgroup/*{path}"), [])
        self.assertFails(self.wcctl("group", "inspect", "team"), 1, "no such group")

    def test_foreign_processes_keep_it(self):
        self.create()
        self.start("one")
        self.wcctl_ok("rm", "-f", "one")
        directory = next(d for d in self.directories() if os.access(f"{d}/cgroup.procs", os.W_OK) and "/unified/" not in d)
        os.makedirs(f"{directory}/foreign")
        with subprocess.Popen(["sleep", "100"]) as child:
            try:
                with open(f"{directory}/foreign/cgroup.procs", "w", encoding="ascii") as file:
                    file.write(str(child.pid))
                self.assertFails(self.wcctl("group", "rm", "team"), 1, "processes in it")
            finally:
                child.kill()
        self.wcctl_ok("group", "ls")

    def test_container_says_where_it_is(self):
        self.create()
        self.start("one")
        config = json.loads(self.wcctl_ok("inspect", "one").stdout)[0]["HostConfig"]
        group = self.inspect()
        self.assertEqual((config["Group"], config["CgroupParent"]), ("team", group["CgroupPath"]))
        self.assertEqual(len(group["Containers"]), 1)

    def test_two_stores_have_groups_of_one_name(self):
        self.create("--pids-limit", "50")
        pid = self.start("one")
        other = f"{self.work}/other"
        try:
            subprocess.run([f"{BUILD}/bin/wcctl", "--root", other, "group", "create", "--pids-limit", "60", "team"],
                           check=True, capture_output=True)
            listed = subprocess.run([f"{BUILD}/bin/wcctl", "--root", other, "--json", "group", "ls"], check=True,
                                    capture_output=True, text=True).stdout
            self.assertNotEqual(json.loads(listed)[0]["CgroupPath"], self.inspect()["CgroupPath"])
            self.assertEqual(self.group_file(pid, "pids", "pids.max"), "50")
        finally:
            shutil.rmtree(other)

    def test_restart_and_killed_monitor(self):
        self.create("--pids-limit", "50")
        self.start("one")
        self.wcctl_ok("restart", "-t", "0", "one")
        pid = self.state("one")["Pid"]
        self.assertEqual(self.group_file(pid, "pids", "pids.max"), "50")
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            os.kill(int(file.read().rsplit(")", 1)[1].split()[1]), 9)
        self.assertEqual(self.wcctl("wait", "one").stdout.strip(), "255")
        self.assertEqual([d for top in self.directories() for d in glob.glob(f"{top}/*/")], [])

    def test_prune_takes_those_of_stores_that_are_gone(self):
        self.create()
        self.start("one")
        self.wcctl_ok("stop", "-t", "0", "one")
        mine = self.directories()
        parent = os.path.dirname(next(d for d in mine if "/unified/" not in d))
        old, young, busy = (f"{parent}/e2e{n}-0123456789a{n}" for n in "abc")
        for directory in (old, young, busy):
            os.mkdir(directory)
            self.addCleanup(lambda path: os.path.exists(path) and os.rmdir(path), directory)
        with subprocess.Popen(["sleep", "100"]) as child:
            with open(f"{busy}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(child.pid))
            for directory in (old, busy):
                os.utime(directory, (1, 1))
            self.wcctl_ok("system", "prune", "-f")
            there = [os.path.exists(directory) for directory in (old, young, busy)]
            child.kill()
        self.assertEqual(there, [False, True, True])
        self.assertEqual([os.path.exists(directory) for directory in mine], [True] * len(mine))

    def test_directories_that_went_come_back(self):
        """As after a reboot."""
        self.create("--pids-limit", "50")
        self.start("one")
        self.wcctl_ok("stop", "-t", "0", "one")
        for directory in self.directories():
            os.rmdir(directory)
        self.wcctl_ok("start", "one")
        self.assertEqual(self.group_file(self.state("one")["Pid"], "pids", "pids.max"), "50")

    def test_refused(self):
        self.create()
        for words, code, parts in [
                (("group", "create", "team"), 125, ["is there already"]),
                (("group", "create", "x"), 125, ["2 to 128"]),
                (("group", "create", "../up"), 125, ["group name"]),
                (("group", "create", "--memory-swap", "1g", "swapped"), 125, ["memory limit"]),
                (("group", "update", "-m", "1", "team"), 125, ["6 MiB"]),
                (("run", "--rm", "--network", "none", "--group", "none", "box", "true"), 125, ["no such group"]),
                (("run", "--rm", "--network", "none", "--group", "team", "--cgroup-parent", "/x", "box", "true"), 125,
                 ["exclude"]),
        ]:
            with self.subTest(words=words):
                self.assertFails(self.wcctl(*words), code, *parts)


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
