#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Containers and groups where control groups of version 2 are the only ones. What they limit depends on the
controllers that the host's version 2 has."""
import glob
import json
import os

from group_test import GroupCase
from wcctl_case import need_runtime

import named_skips  # found where wcctl_case looks

ROOT = "/sys/fs/cgroup"
with open(f"{ROOT}/cgroup.controllers", encoding="ascii") as controllers:
    CONTROLLERS = controllers.read().split()


class Version2(GroupCase):
    global_options = ["--runtime", "runc"]

    def container_id(self, name):
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]["Id"]

    def test_container_is_in_its_group(self):
        self.wcctl_ok("run", "-d", "--name", "one", "--network", "none", "box", "sleep", "100")
        container = self.container_id("one")
        with open(f"{ROOT}/wincontainer/{container}/cgroup.procs", encoding="ascii") as file:
            self.assertIn(str(self.state("one")["Pid"]), file.read().split())
        self.wcctl_ok("rm", "-f", "one")
        self.assertFalse(os.path.exists(f"{ROOT}/wincontainer/{container}"))

    def test_devices_are_kept_away(self):
        if not os.path.exists("/dev/kvm"):
            self.skipTest("no /dev/kvm")
        text = "exec 3<>/dev/kvm && echo opened"
        self.assertEqual(self.output("--device", "/dev/kvm", "--", "sh", "-c", text), "opened\n")
        self.assertIn("not permitted", self.run_box("--device", "/dev/kvm:r", "--", "sh", "-c", text).stderr)

    def test_what_version_2_does_not_have_is_left_out(self):
        done = self.run_box("--memory-swappiness", "3", "--oom-kill-disable", "--", "true")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("memory swappiness", done.stderr)
        self.assertIn("out-of-memory killer", done.stderr)
        if "io" not in CONTROLLERS:
            done = self.run_box("--blkio-weight", "100", "--", "true")
            self.assertEqual((done.returncode, "block weight" in done.stderr), (0, True), done.stderr)

    def test_group_hands_on_and_holds_no_processes(self):
        self.create()
        self.start("one")
        path = f"{ROOT}{self.inspect()['CgroupPath']}"
        with open(f"{path}/cgroup.procs", encoding="ascii") as file:
            self.assertEqual(file.read(), "")
        with open(f"{path}/cgroup.subtree_control", encoding="ascii") as file:
            self.assertEqual(sorted(file.read().split()), sorted(CONTROLLERS))
        self.assertEqual(os.listdir(path).count(self.container_id("one")), 1)
        self.assertGreater(self.inspect()["Usage"]["Cpu"], 0)
        self.wcctl_ok("rm", "-f", "one")
        self.wcctl_ok("group", "rm", "team")
        self.assertEqual(glob.glob(f"{path}*"), [])

    def test_limits_of_a_group(self):
        self.create("--pids-limit", "50")
        done = self.wcctl("run", "-d", "--name", "one", "--network", "none", "--group", "team", "box", "sleep", "100")
        if "pids" in CONTROLLERS:
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.group_file(self.state("one")["Pid"], "pids", "pids.max"), "50")
        else:
            self.assertFails(done, 125, "'team'", "pids.max")

    def test_killed_monitor_leaves_nothing(self):
        self.create()
        pid, container = self.start("one"), self.container_id("one")
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            os.kill(int(file.read().rsplit(")", 1)[1].split()[1]), 9)
        self.assertEqual(self.wcctl("wait", "one").stdout.strip(), "255")
        self.assertEqual(glob.glob(f"{ROOT}/wincontainer/**/{container}", recursive=True), [])


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
