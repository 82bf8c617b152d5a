#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Control groups that systemd makes: scopes and slices, their limits, and that nothing of them stays."""
import glob
import json
import os
import subprocess
import time
import unittest

from wcctl_case import WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks

ROOT = "/sys/fs/cgroup"


class Scopes(WcctlCase):
    global_options = ["--cgroup-manager", "systemd"]

    def start(self, name, *options, command=("sleep", "1000")):
        self.wcctl_ok("run", "-d", "--name", name, "--network", "none", *options, "box", *command)
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]

    def scope(self, container, slice_="system.slice"):
        return f"{slice_}/wincontainer-{container['Id']}.scope"

    def value(self, scope, name):
        with open(f"{ROOT}/{scope}/{name}", encoding="ascii") as file:
            return file.read().strip()

    def assertGone(self, container):
        for _ in range(100):
            if not glob.glob(f"{ROOT}/**/*{container['Id']}*", recursive=True):
                break
            time.sleep(0.1)
        self.assertEqual(glob.glob(f"{ROOT}/**/*{container['Id']}*", recursive=True), [])
        listed = subprocess.run(["systemctl", "list-units", "--all", "--no-legend", "--plain", "wincontainer-*"], check=True,
                                capture_output=True, text=True).stdout
        self.assertNotIn(container["Id"], listed)

    def test_limits_are_in_the_scope(self):
        one = self.start("one", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "33")
        scope = self.scope(one)
        self.assertEqual([self.value(scope, name) for name in ("memory.max", "cpu.max", "pids.max")],
                         [str(64 << 20), "50000 100000", "33"])
        self.assertIn(str(one["State"]["Pid"]), self.value(scope, "cgroup.procs").split())
        told = subprocess.run(["systemctl", "show", "-p", "MemoryMax,TasksMax,ActiveState", os.path.basename(scope)],
                              check=True, capture_output=True, text=True).stdout.split()
        self.assertEqual(sorted(told), ["ActiveState=active", f"MemoryMax={64 << 20}", "TasksMax=33"])
        self.wcctl_ok("update", "--memory", "96m", "--memory-swap", "-1", "one")
        self.assertEqual(self.value(scope, "memory.max"), str(96 << 20))
        shown = json.loads(self.wcctl_ok("--json", "stats", "--no-stream", "one").stdout)
        shown = shown[0] if isinstance(shown, list) else shown
        self.assertIn("sleep", self.wcctl_ok("top", "one").stdout)
        self.wcctl_ok("pause", "one")
        self.assertEqual(self.value(scope, "cgroup.freeze"), "1")
        self.wcctl_ok("unpause", "one")
        self.wcctl_ok("restart", "-t", "0", "one")
        self.assertEqual(self.value(scope, "memory.max"), str(96 << 20))
        self.wcctl_ok("rm", "-f", "one")
        self.assertGone(one)

    def test_slice_of_its_own(self):
        one = self.start("one", "--cgroup-parent", "limits-web.slice")
        self.assertIn(str(one["State"]["Pid"]),
                      self.value(self.scope(one, "limits.slice/limits-web.slice"), "cgroup.procs").split())
        self.wcctl_ok("stop", "-t", "0", "one")
        self.assertGone(one)

    def test_killed_monitor_leaves_nothing(self):
        one = self.start("one", command=("sh", "-c", "sleep 1000 & sleep 1000"))
        with open(f"/proc/{one['State']['Pid']}/stat", encoding="ascii") as file:
            os.kill(int(file.read().rsplit(")", 1)[1].split()[1]), 9)
        self.assertEqual(self.wcctl("wait", "one").stdout.strip(), "255")
        self.assertGone(one)

    def test_memory_that_is_used_up_is_told(self):
        one = self.start("one", "--memory", "16m", "--memory-swap", "16m", "--tmpfs", "/big:size=64m", command=(
            "dd", "if=/dev/zero", "of=/big/file", "bs=1M", "count=48"))
        self.assertEqual(self.wcctl_ok("wait", "one").stdout.strip(), "137")
        self.assertTrue(self.state("one")["OOMKilled"])
        self.assertGone(one)


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
