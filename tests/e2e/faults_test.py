#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The host fails: no space, no inodes, no processes, a file system that has become read-only. What cannot be done says so,
what runs goes on, can be looked at and ended, and afterwards everything works and nothing is left."""
import glob
import os
import subprocess
import sys
import unittest

if os.environ.get("WC_TEST_MOUNTS") != "own" and os.geteuid() == 0:
    os.environ["WC_TEST_MOUNTS"] = "own"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])

from wcctl_case import BUILD, WcctlCase, need_runtime

need_runtime()

from store_remains import Remains  # found by wcctl_case

PIDS = "/sys/fs/cgroup/pids/wc-faults" if os.path.isdir("/sys/fs/cgroup/pids") else "/sys/fs/cgroup/wc-faults"


def run(*words):
    subprocess.run(words, check=True)


class Faults(WcctlCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_root = f"{cls.work}/run"
        cls.global_options = ["--run-root", cls.run_root]
        os.mkdir(cls.run_root)
        cls.wcctl_ok("rmi", "box")
        for place, options in ((cls.root, "size=32m,nr_inodes=4000"), (cls.run_root, "size=8m,nr_inodes=2000")):
            run("mount", "-t", "tmpfs", "-o", options, "tmpfs", place)
        cls.wcctl_ok("pull", "-q", f"oci:{cls.layout}:box")

    @classmethod
    def tearDownClass(cls):
        run("umount", cls.run_root)
        run("umount", cls.root)
        super().tearDownClass()

    def setUp(self):
        self.wcctl_ok("run", "-d", "--name", "runs", "--network", "none", "box", "sleep", "1000")
        self.id = self.wcctl_ok("ps", "-q", "--no-trunc").stdout.strip()

    def tearDown(self):
        super().tearDown()
        self.wcctl_ok("system", "prune", "-f")
        remains = Remains(self.root, self.run_root)
        self.assertEqual(remains.monitors(), [])
        self.assertEqual(glob.glob(f"{self.root}/containers/*") + glob.glob(f"{self.run_root}/containers/*"), [])
        self.assertEqual(remains.control_groups({self.id}), [])

    def assertRefused(self, done, *parts):
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertTrue(any(part in done.stderr for part in parts), done.stderr)

    def go_on(self):
        """What runs is untouched, and everything works again."""
        self.assertEqual(self.wcctl_ok("exec", "runs", "echo", "alive").stdout, "alive\n")
        self.assertEqual(self.wcctl_ok("run", "--rm", "--network", "none", "box", "echo", "new").stdout, "new\n")
        self.wcctl_ok("system", "check")

    def start_fails(self, *parts):
        done = self.wcctl("run", "--name", "another", "--network", "none", "box", "true")
        self.assertRefused(done, *parts)
        self.assertIn("runs", self.wcctl_ok("ps").stdout)

    @staticmethod
    def fill(place):
        with open(f"{place}/filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65536)
            except OSError:
                pass
            try:
                while True:
                    file.write(b"x" * 512)
            except OSError:
                pass

    def test_the_store_s_disk_is_full(self):
        self.fill(self.root)
        try: # the store has kept some room for what it must record; a container has none
            self.assertRefused(self.wcctl("run", "--name", "another", "--network", "none", "box", "sh", "-c",
                                          "head -c 8m /dev/zero >/x"), "No space left", "I/O error")
            self.assertIn("runs", self.wcctl_ok("ps").stdout)
        finally:
            os.unlink(f"{self.root}/filler")
        self.go_on()

    def test_what_runs_can_be_ended_on_a_full_disk(self):
        self.fill(self.root)
        try:
            self.wcctl_ok("stop", "-t", "0", "runs")
            self.wcctl_ok("rm", "runs")
        finally:
            os.unlink(f"{self.root}/filler")
        self.wcctl_ok("run", "-d", "--name", "runs", "--network", "none", "box", "sleep", "1000")
        self.go_on()

    def test_the_run_root_is_full(self):
        self.fill(self.run_root)
        try:
            self.start_fails("No space left", "full")
        finally:
            os.unlink(f"{self.run_root}/filler")
        self.go_on()

    def test_there_are_no_inodes(self):
        for place in (self.root, self.run_root):
            with self.subTest(place=os.path.basename(place)):
                os.mkdir(f"{place}/many")
                try:
                    for i in range(10000):
                        open(f"{place}/many/{i}", "wb").close()
                except OSError:
                    pass
                try:
                    self.assertRefused(self.wcctl("run", "--name", "another", "--network", "none", "box", "true"),
                                       "No space left", "inodes")
                finally:
                    run("rm", "-rf", f"{place}/many")
                self.wcctl("rm", "another")
                self.go_on()

    def test_the_store_has_become_read_only(self):
        run("mount", "-o", "remount,bind,ro", self.root)
        try:
            self.assertRefused(self.wcctl("run", "--network", "none", "box", "true"), "Read-only", "read-only")
        finally:
            run("mount", "-o", "remount,bind,rw", self.root)
        self.go_on()

    def test_there_are_no_processes(self):
        os.makedirs(PIDS, exist_ok=True)
        try:
            for most in range(1, 12, 2):
                with self.subTest(most=most):
                    with open(f"{PIDS}/pids.max", "w", encoding="ascii") as file:
                        file.write(str(most))
                    script = f'echo $$ > {PIDS}/cgroup.procs; exec "$@"'
                    done = subprocess.run(["sh", "-c", script, "sh", f"{BUILD}/bin/wcctl", "--root", self.root,
                                           *self.global_options, "run", "--name", "another", "--network", "none", "box",
                                           "true"],
                                          capture_output=True, text=True, timeout=60, check=False)
                    if done.returncode:
                        self.assertNotEqual(done.stderr.strip(), "")
                    self.wcctl("rm", "-f", "another")
                    self.go_on()
        finally:
            os.rmdir(PIDS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
