#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Control groups of an ordinary user, where one was given to him: tests/support/with_user_cgroup.sh."""
import json
import os
import signal
import unittest

from wcctl_case import WcctlCase, comes_to, need_runtime, runs

ROOT = "/sys/fs/cgroup"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Delegated(WcctlCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = read("/proc/self/cgroup").strip().split("0::")[1]
        cls.base = cls.own.rsplit("/", 1)[0]

    def start(self, name, *options, command=("sleep", "1000")):
        self.wcctl_ok("run", "-d", "--name", name, "--network", "none", *options, "box", *command)
        return self.state(name)["Pid"]

    def group(self, pid):
        return read(f"/proc/{pid}/cgroup").strip().split("0::")[1]

    def full_id(self, name):
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]["Id"]

    def test_is_made_there_and_goes(self):
        pid = self.start("one")
        path = f"{self.base}/wincontainer/{self.full_id('one')}"
        self.assertEqual(self.group(pid), path)
        self.assertEqual(read("/proc/self/cgroup").strip().split("0::")[1], self.own, "we are where we were")
        self.wcctl_ok("rm", "-f", "one")
        self.assertFalse(os.path.exists(ROOT + path))

    def test_is_told(self):
        process, = [b for b in json.loads(self.wcctl_ok("--json", "system", "info").stdout)["Backends"]
                    if b["Name"] == "process"]
        self.assertEqual(process["rootless"]["cgroup"], self.base)

    def frozen(self, pid, wanted):
        return comes_to(wanted, lambda: read(f"{ROOT}{self.group(pid)}/cgroup.events").split("frozen ")[1].split()[0])

    def test_holds_processes(self):
        pid = self.start("one")
        self.wcctl_ok("pause", "one")
        self.assertEqual(self.frozen(pid, "1"), "1")
        self.assertEqual(self.state("one")["Status"], "paused")
        self.wcctl_ok("unpause", "one")
        self.assertEqual(self.frozen(pid, "0"), "0")

    def test_limits_are_had_where_there_is_a_controller(self):
        controllers = read(f"{ROOT}{self.base}/cgroup.controllers").split()
        for option, value, controller, file, want in (("--memory", "64m", "memory", "memory.max", str(64 << 20)),
                                                      ("--pids-limit", "17", "pids", "pids.max", "17"),
                                                      ("--cpus", "0.5", "cpu", "cpu.max", "50000 100000")):
            if controller in controllers:
                pid = self.start("one", option, value)
                self.assertEqual(read(f"{ROOT}{self.group(pid)}/{file}").strip(), want)
                self.wcctl_ok("rm", "-f", "one")
            else:
                self.assertFails(self.run_box(option, value, "--", "true"), 125, f"no controller '{controller}'", "delegated")

    def test_group_above(self):
        pid = self.start("one", "--cgroup-parent", "/mine")
        self.assertEqual(self.group(pid), f"{self.base}/mine/{self.full_id('one')}")
        self.wcctl_ok("rm", "-f", "one")
        os.rmdir(f"{ROOT}{self.base}/mine")

    def test_ends_what_a_killed_monitor_left(self):
        pid = self.start("one", command=("sh", "-c", "sleep 2346 & sleep 2346"))
        path = ROOT + self.group(pid)
        self.assertEqual(comes_to(2, lambda: len(read(f"{path}/cgroup.procs").split())), 2)
        inside = read(f"{path}/cgroup.procs").split()
        full = self.full_id("one")
        info = json.loads(self.wcctl_ok("--json", "system", "info").stdout)
        record = json.loads(read(f"{info['Store']['RunRoot']}/containers/{full}/monitor.json"))
        os.kill(record["monitor"], signal.SIGKILL)
        self.assertFalse(comes_to(False, lambda: runs(record["monitor"])))
        self.wcctl_ok("start", "one")
        self.assertFalse([p for p in inside if runs(p)])
        self.assertEqual(ROOT + self.group(self.state("one")["Pid"]), path)

    def test_stats_and_top(self):
        self.start("one", command=("sh", "-c", "sleep 1000 & sleep 1000"))
        entry, = json.loads(self.wcctl_ok("--json", "stats", "--no-stream", "one").stdout)
        self.assertEqual(entry["name"], "one")
        self.assertEqual(comes_to(2, lambda: len(json.loads(self.wcctl_ok("--json", "top", "one").stdout)["Processes"])), 2)


if __name__ == "__main__":
    need_runtime()
    unittest.main(verbosity=2)
