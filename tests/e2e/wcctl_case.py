# SPDX-License-Identifier: Apache-2.0
"""What the tests of wcctl share: a store of their own with the image "box", and calls of wcctl."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

BUILD, SOURCE = os.environ["WC_TEST_BUILD"], os.environ["WC_TEST_SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "tests/support"))


def find(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def is_rootless():
    """1 where tests/support/as_user.sh has us run as an ordinary user."""
    return "WC_TEST_USER" in os.environ


def not_rootless(test):
    """For what an ordinary user cannot have: there is no such test for him. Each says why where it is used."""
    return None if is_rootless() else test


def need_runtime():
    """Ends the whole program as skipped where containers cannot run."""
    if os.geteuid() != 0 and not is_rootless():
        print("SKIP: needs root")
        sys.exit(77)
    if not find("runc") and not find("crun"):
        print("SKIP: no OCI runtime (crun or runc)")
        sys.exit(77)


def runs(pid):
    """Whether the process runs; one that only waits for its parent does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def comes_to(wanted, look, seconds=20):
    """What `look` gives, as soon as it is what is wanted, or in the end."""
    end = time.monotonic() + seconds
    while (seen := look()) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    return seen


class WcctlCase(unittest.TestCase):
    """One store for the whole class; containers are removed after each test."""
    maxDiff = None
    global_options = []

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix="wc-e2e-")
        cls.root = f"{cls.work}/root"
        layout = f"{cls.work}/layout"
        subprocess.run([sys.executable, f"{SOURCE}/tests/support/busybox_image.py", layout, "box"], check=True)
        cls.layout = layout
        cls.wcctl_ok("pull", "-q", f"oci:{layout}:box")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work, ignore_errors=True)

    def tearDown(self):
        for name in self.wcctl_ok("ps", "-a", "-q", "--no-trunc").stdout.split():
            self.wcctl_ok("rm", "-f", name)

    @classmethod
    def wcctl(cls, *words, stdin=None, timeout=60, text=True, env=None):
        return subprocess.run([f"{BUILD}/bin/wcctl", "--root", cls.root, *cls.global_options, *words],
                              input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
                              capture_output=True, text=text, timeout=timeout, env=env)

    @classmethod
    def wcctl_ok(cls, *words, **more):
        done = cls.wcctl(*words, **more)
        if done.returncode:
            raise AssertionError(f"wcctl {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def state(self, name):
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]["State"]

    def run_box(self, *words, **more):
        """`run --rm --network none` with options before "--" and the command after it."""
        options, command = words, ()
        if "--" in words:
            at = words.index("--")
            options, command = words[:at], words[at + 1:]
        return self.wcctl("run", "--rm", "--network", "none", *options, "box", *command, **more)

    def output(self, *words, **more):
        done = self.run_box(*words, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def assertLogs(self, name, words):
        """What it has written, once that has come."""
        for _ in range(100):
            written = self.wcctl_ok("logs", name).stdout.split()
            if written == words:
                break
            time.sleep(0.1)
        self.assertEqual(written, words)

    def assertFails(self, done, code, *parts):
        """One line on standard error that holds every part, and this exit code."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
