#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Control groups by systemd, as far as the documents and words that the runtime gets: where systemd is not the init,
in a mount namespace that says it was, with a runtime that writes down what it is told and gives up."""
import json
import os
import subprocess

from wcctl_case import BUILD, WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks

RUNTIME = """#!/bin/sh
case "$*" in *--version*) echo 'runtime 1.0'; exit 0;; esac
printf '%s\\n' "$@" > {work}/words
cp config.json {work}/config.json
echo '{{"level": "error", "msg": "gave up"}}' >&2
exit 1
"""
BOOTED = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec \"$@\""


class Systemd(WcctlCase):
    def setUp(self):
        self.runtime = f"{self.work}/runtime"
        with open(self.runtime, "w", encoding="ascii") as file:
            file.write(RUNTIME.format(work=self.work))
        os.chmod(self.runtime, 0o755)

    def start(self, *options, booted=True):
        """`run -d` with the runtime that gives up."""
        words = [f"{BUILD}/bin/wcctl", "--root", self.root, "--runtime", self.runtime, "--cgroup-manager", "systemd", "run",
                 "-d", "--network", "none", *options, "box", "true"]
        if booted:
            words = ["unshare", "-m", "--propagation", "private", "sh", "-c", BOOTED, "booted", *words]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

    def told(self):
        with open(f"{self.work}/words", encoding="utf-8") as words, \
                open(f"{self.work}/config.json", encoding="utf-8") as config:
            return words.read().split("\n"), json.load(config)["linux"]["cgroupsPath"]

    def test_scope_in_the_default_slice(self):
        self.assertNotEqual(self.start().returncode, 0)
        words, place = self.told()
        self.assertLess(words.index("--systemd-cgroup"), words.index("run"))
        container = self.wcctl_ok("ps", "-a", "-q", "--no-trunc").stdout.strip()
        self.assertEqual(place, f"system.slice:wincontainer:{container}")

    def test_own_slice(self):
        self.start("--cgroup-parent", "limits-web.slice")
        self.assertTrue(self.told()[1].startswith("limits-web.slice:wincontainer:"), self.told())

    def test_parent_that_is_no_slice(self):
        self.assertFails(self.start("--cgroup-parent", "/limits"), 125, "valid slice", "xxx.slice")

    def test_no_groups(self):
        self.wcctl_ok("group", "create", "team")
        self.addCleanup(self.wcctl, "group", "rm", "team")
        self.assertFails(self.start("--group", "team"), 125, "'team'", "systemd")

    def test_without_systemd(self):
        if os.path.exists("/run/systemd/system"):
            self.skipTest("systemd is the init")
        self.assertFails(self.start(booted=False), 125, "systemd does not run here", "cgroupfs")

    def test_cgroupfs_says_nothing_of_systemd(self):
        self.wcctl("--runtime", self.runtime, "--cgroup-manager", "cgroupfs", "run", "-d", "--network", "none", "box", "true")
        words, place = self.told()
        self.assertNotIn("--systemd-cgroup", words)
        self.assertTrue(place.startswith("/wincontainer/"), place)
        self.assertFails(self.wcctl("--cgroup-manager", "upstart", "ps"), 125, "cgroupfs or systemd")


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
