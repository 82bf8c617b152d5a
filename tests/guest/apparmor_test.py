#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AppArmor: the default profile and named ones, seen at work."""
import subprocess

from wcctl_case import WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks

DEFAULT = "wincontainer-default"
MINE = """profile wc-test-mine flags=(attach_disconnected,mediate_deleted) {
  file, capability, network, signal, ptrace,
  deny /etc/passwd r,
}
"""
# What capabilities, system calls and hidden paths would forbid is allowed, so that AppArmor alone says no.
OPEN = ("--cap-add", "ALL", "--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined")


class AppArmor(WcctlCase):
    profile = ("cat", "/proc/self/attr/current")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run(["apparmor_parser", "-Kr"], input=MINE, text=True, check=True)

    def test_default(self):
        self.assertEqual(self.output("--", *self.profile), f"{DEFAULT} (enforce)\n")
        done = self.run_box(*OPEN, "--", "mount", "-t", "tmpfs", "none", "/tmp")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("denied", done.stderr)
        for path in ("/proc/sys/kernel/panic", "/proc/sysrq-trigger"):
            done = self.run_box(*OPEN, "--", "sh", "-c", f"echo 0 >{path}")
            self.assertIn("denied", done.stderr, path)

    def test_without(self):
        for options in (("--security-opt", "apparmor=unconfined"), ("--privileged",)):
            self.assertEqual(self.output(*options, "--", *self.profile), "unconfined\n")
        self.assertEqual(self.output(*OPEN, "--security-opt", "apparmor=unconfined", "--", "sh", "-c",
                                     "mount -t tmpfs none /tmp && echo mounted"), "mounted\n")

    def test_named(self):
        mine = ("--security-opt", "apparmor=wc-test-mine")
        self.assertEqual(self.output(*mine, "--", *self.profile), "wc-test-mine (enforce)\n")
        self.assertIn("denied", self.run_box(*mine, "--", "cat", "/etc/passwd").stderr)
        self.assertIn("root", self.output("--", "cat", "/etc/passwd"))

    def test_exec_is_in_it(self):
        for name, options, profile in (("default", (), f"{DEFAULT} (enforce)\n"),
                                       ("mine", ("--security-opt", "apparmor=wc-test-mine"), "wc-test-mine (enforce)\n")):
            self.wcctl_ok("run", "-d", "--name", name, "--network", "none", *options, "box", "sleep", "100")
            self.assertEqual(self.wcctl_ok("exec", name, *self.profile).stdout, profile)

    def test_one_that_is_not_loaded(self):
        done = self.run_box("--security-opt", "apparmor=wc-test-absent", "--", "true")
        self.assertEqual(done.returncode, 125, done.stderr)
        self.assertIn("wc-test-absent", done.stderr)

    def test_default_is_loaded_again(self):
        subprocess.run(["apparmor_parser", "-R"], input=f"profile {DEFAULT} {{}}\n", text=True, check=True)
        self.assertEqual(self.output("--", *self.profile), f"{DEFAULT} (enforce)\n")


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
