#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Control groups that systemd makes: scopes and slices, their limits, and that nothing of them stays."""
import glob
import json
import os
import subprocess
import time

from wcctl_case import WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks

ROOT = "/sys/fs/cgroup"
CRUN = os.environ.get("WC_TEST_RUNTIME") == "crun"  # puts a group into the scope


class Scopes(WcctlCase):
    global_options = ["--cgroup-manager", "systemd"]

    def start(self, name, *options, command=("sleep", "1000")):
        self.wcctl_ok("run", "-d", "--name", name, "--network", "none", *options, "box", *command)
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]

    def scope(self, container, slice_="system.slice"):
        return f"{slice_}/wincontainer-{container['Id']}.scope"

    def value(self, scope, name):
        path = f"{ROOT}/{scope}"
        with open(f"{path}/container/{name}" if CRUN else f"{path}/{name}", encoding="ascii") as file:
            return file.read().strip()

    def remains(self, container):
        listed = subprocess.run(["systemctl", "list-units", "--all", "--no-legend", "--plain", "wincontainer-*.scope"],
                                check=True, capture_output=True, text=True).stdout
        return [line for line in listed.splitlines() if container["Id"] in line] + \
            glob.glob(f"{ROOT}/**/*{container['Id']}*", recursive=True)

    def assertGone(self, container):
        """systemd may take a moment to notice."""
        for _ in range(100):
            if not self.remains(container):
                break
            time.sleep(0.1)
        self.assertEqual(self.remains(container), [])

    def test_limits_are_in_the_scope(self):
        one = self.start("one", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "33")
        scope = self.scope(one)
        self.assertEqual([self.value(scope, name) for name in ("memory.max", "cpu.max", "pids.max")],
                         [str(64 << 20), "50000 100000", "33"])
        self.assertIn(str(one["State"]["Pid"]), self.value(scope, "cgroup.procs").split())
        if not CRUN:  # which does not tell systemd
            self.check_properties(scope)
        self.wcctl_ok("update", "--memory", "96m", "--memory-swap", "-1", "one")
        self.assertEqual(self.value(scope, "memory.max"), str(96 << 20))
        stats = json.loads(self.wcctl_ok("--json", "stats", "--no-stream", "one").stdout)
        self.assertIn(str(96 << 20), json.dumps(stats))
        self.assertIn("sleep", self.wcctl_ok("top", "one").stdout)
        self.wcctl_ok("pause", "one")
        self.assertEqual(self.state("one")["Status"], "paused")
        self.wcctl_ok("unpause", "one")
        self.wcctl_ok("restart", "-t", "0", "one")
        self.assertEqual(self.value(scope, "memory.max"), str(96 << 20))
        self.wcctl_ok("rm", "-f", "one")
        self.assertGone(one)

    def check_properties(self, scope):
        told = subprocess.run(["systemctl", "show", "-p", "MemoryMax,TasksMax,ActiveState", os.path.basename(scope)],
                              check=True, capture_output=True, text=True).stdout.split()
        self.assertEqual(sorted(told), ["ActiveState=active", f"MemoryMax={64 << 20}", "TasksMax=33"])

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

    def test_one_that_was_killed_did_not_want_memory(self):
        self.start("one", "--memory", "16m")
        self.wcctl_ok("kill", "one")
        self.wcctl_ok("wait", "one")
        self.assertFalse(self.state("one")["OOMKilled"])


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
