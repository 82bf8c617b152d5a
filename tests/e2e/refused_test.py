#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What cannot be done is refused in one line that names it and says what to do."""
import errno
import os
import subprocess
import sys
import time

from wcctl_case import BUILD, SOURCE, WcctlCase, find, need_runtime

import named_skips  # found where wcctl_case looks

SYS_FSOPEN, SYS_UNSHARE = 430, {"x86_64": 272}.get(os.uname().machine, 97)


class Rights(WcctlCase):
    """Root without some of its rights, and hosts that lack something."""

    def under(self, *prefix):
        """`run` by wcctl under another command."""
        return subprocess.run([*prefix, f"{BUILD}/bin/wcctl", "--root", self.root, "run", "--rm", "--network", "none",
                               "box", "true"], capture_output=True, text=True, timeout=60)

    def without(self, *rights, words=("run", "--rm", "--network", "none", "box", "true")):
        if not find("setpriv"):
            self.skipTest("setpriv is not installed")
        less = ",".join(f"-{right}" for right in rights)
        return subprocess.run(["setpriv", "--bounding-set", less, "--inh-caps", less, f"{BUILD}/bin/wcctl", "--root",
                               self.root, *words], capture_output=True, text=True, timeout=60)

    def in_namespace(self, script):
        return self.under("unshare", "-m", "--propagation", "private", "sh", "-c", f'{script}; exec "$@"', "sh")

    def test_rights_without_which_nothing_starts(self):
        for right in ("sys_admin", "dac_override", "setgid"):
            self.assertFails(self.without(right), 125, f"CAP_{right.upper()}", "lacks", "--privileged")
        self.assertFails(self.without("sys_admin", "setgid"), 125, "CAP_SYS_ADMIN, CAP_SETGID")

    def test_the_first_call_that_needs_them_says_so(self):
        self.wcctl_ok("create", "--name", "still", "--network", "none", "box", "sleep", "100")
        done = self.without("sys_admin", words=("cp", "still:/etc/passwd", f"{self.work}/passwd"))
        self.assertFails(done, 125, "CAP_SYS_ADMIN")
        self.wcctl_ok("start", "still")
        done = self.without("sys_admin", words=("exec", "still", "true"))
        self.assertEqual(done.returncode, 0, "its monitor has the rights")
        self.assertIn("CAP_SYS_ADMIN", self.without("sys_admin", words=("system", "info")).stdout)

    def test_a_right_that_the_runtime_missed_is_named(self):
        self.assertFails(self.without("net_admin"), 125, "not permitted", "CAP_NET_ADMIN", "--privileged")
        done = self.without("setuid", words=("run", "--rm", "--network", "none", "-u", "wc", "box", "true"))
        self.assertFails(done, 125, "not permitted", "CAP_SETUID")

    def test_what_works_without_a_right_goes_on(self):
        self.assertEqual(self.without("kill", "chown").returncode, 0)

    def test_root_of_a_user_namespace(self):
        done = self.under("unshare", "--user", "--map-root-user", "--mount")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_control_groups_that_cannot_be_written(self):
        done = self.in_namespace('for g in $(awk \'$3 ~ /^cgroup2?$/ { print $2 }\' /proc/mounts); do '
                                 'mount -o remount,bind,ro "$g"; done')
        self.assertFails(done, 125, "control groups", "/sys/fs/cgroup", "--privileged")

    def test_no_control_groups(self):
        done = self.in_namespace("umount -l /sys/fs/cgroup")
        self.assertFails(done, 125, "control groups", "mount -t cgroup2")

    def test_kernel_without_overlay(self):
        refuse = [sys.executable, f"{SOURCE}/tests/support/refuse_syscall.py", str(SYS_FSOPEN), str(errno.ENODEV)]
        self.assertFails(self.under(*refuse), 125, "overlayfs", "load the module")

    def test_file_system_that_carries_no_overlay(self):
        place = f"{self.work}/overlaid"
        for name in ("lower", "upper", "work", "store"):
            os.makedirs(f"{place}/{name}")
        root, done = f"{place}/store/root", f"{self.work}/overlaid-pull"
        mount = (f"mount -t overlay -o lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work none "
                 f"{place}/store && {BUILD}/bin/wcctl --root {root} pull -q oci:{self.layout}:box >{done}")
        done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", f'{mount} && exec "$@"', "sh",
                               f"{BUILD}/bin/wcctl", "--root", root, "run", "--rm", "--network", "none", "box", "true"],
                              capture_output=True, text=True, timeout=60)
        self.assertFails(done, 125, "overlay", root, "ext4")

    def test_namespaces_forbidden_in_spite_of_the_right(self):
        refuse = [sys.executable, f"{SOURCE}/tests/support/refuse_syscall.py", str(SYS_UNSHARE), str(errno.EPERM)]
        self.assertFails(self.under(*refuse), 125, "mount namespace", "seccomp")


class Values(WcctlCase):
    """Values that runtime or kernel would refuse in words of their own."""

    def refused(self, *options, says):
        self.assertFails(self.run_box(*options, "--", "true"), 125, *says)

    def test_processors(self):
        most = f"from 0.01 to {len(os.sched_getaffinity(0))}"
        self.refused("--cpus", "1e9", says=("1000000000", most))
        self.refused("--cpus", str(len(os.sched_getaffinity(0)) + 1), says=("processor limit", most))

    def test_processes(self):
        self.refused("--pids-limit", "99999999999999", says=("99999999999999", "4194304"))
        self.refused("--pids-limit", "-2", says=("process limit -2", "-1 or 0"))

    def test_working_directory_that_is_a_file(self):
        self.refused("-w", "/etc/passwd", says=("working directory", "'/etc/passwd'", "name one"))
        self.refused("-w", "/etc/passwd/sub", says=("'/etc/passwd/sub'", "'/etc/passwd' is not a directory"))
        self.wcctl_ok("run", "--name", "changed", "--network", "none", "-w", "/etc", "box", "touch", "/made")
        self.wcctl_ok("commit", "changed", "withfile")
        done = self.wcctl("run", "--rm", "--network", "none", "-w", "/made", "withfile", "true")
        self.assertFails(done, 125, "'/made'", "name one")

    def test_working_directory_below_mounts_is_not_guessed(self):
        os.makedirs(f"{self.work}/mounted/sub", exist_ok=True)
        mount = ("-v", f"{self.work}/mounted:/etc/passwd-dir", "--tmpfs", "/srv")
        self.assertEqual(self.output(*mount, "-w", "/etc/passwd-dir/sub", "--", "pwd"), "/etc/passwd-dir/sub\n")
        self.assertEqual(self.output(*mount, "-w", "/srv/new", "--", "pwd"), "/srv/new\n")
        self.assertEqual(self.output("-w", "/dev/shm", "--", "pwd"), "/dev/shm\n")

    def test_working_directory_of_exec(self):
        os.makedirs(f"{self.work}/mounted/sub", exist_ok=True)
        self.wcctl_ok("run", "-d", "--name", "runs", "--network", "none", "-v", f"{self.work}/mounted:/mnt", "box", "sh",
                      "-c", "mkdir -p /made/here; ln -s /mnt /made/link; sleep 100")
        time.sleep(0.3)
        self.assertFails(self.wcctl("exec", "-w", "/nonexist", "runs", "true"), 125, "'/nonexist'", "name another")
        self.assertFails(self.wcctl("exec", "-w", "/etc/passwd", "runs", "true"), 125, "'/etc/passwd'", "name one")
        for path in ("/made/here", "/mnt/sub", "/made/link/sub", "/proc/1", "/"):
            self.assertEqual(self.wcctl_ok("exec", "-w", path, "runs", "sh", "-c", "pwd -P | grep -c /").stdout, "1\n")

    def test_helper(self):
        for helper, says in (("/bin/true", "belongs to this library"), ("/etc/passwd", "cannot be executed"),
                             ("/etc", "cannot be executed"), ("/no/helper", "not there")):
            done = self.wcctl("--helper", helper, "run", "--rm", "--network", "none", "box", "true")
            self.assertFails(done, 125, "wc-helper", helper, says)
            self.assertRegex(self.wcctl_ok("--helper", helper, "system", "info").stdout, f"Reason:.*{helper}")

    def test_runtime(self):
        for runtime, says in (("/bin/true", "started nothing"), ("/bin/false", "said nothing"),
                              ("/etc/passwd", "not a program"), ("/etc", "not a program"), ("nosuch", "not found")):
            done = self.wcctl("--runtime", runtime, "run", "--rm", "--network", "none", "box", "true")
            self.assertFails(done, 125, f"OCI runtime '{runtime}'", says, "crun or runc")

    def test_cidfile_that_exists(self):
        with open(f"{self.work}/cid", "w", encoding="utf-8") as file:
            file.write("other")
        self.refused("--cidfile", f"{self.work}/cid", says=("--cidfile", f"{self.work}/cid", "there already", "remove it"))
        with open(f"{self.work}/cid", encoding="utf-8") as file:
            self.assertEqual(file.read(), "other")

    def test_seccomp_profile(self):
        self.refused("--security-opt", "seccomp=/nonexist", says=("seccomp=/nonexist", "no such file", "unconfined"))
        self.refused("--security-opt", "seccomp=/etc/passwd", says=("seccomp=/etc/passwd", "not valid JSON"))

    def test_store_that_is_a_file(self):
        self.assertFails(self.wcctl("--root", "/etc/passwd", "ps"), 125, "'/etc/passwd'", "not a directory")
        self.assertFails(self.wcctl("--run-root", "/etc/passwd", "ps"), 125, "run directory", "'/etc/passwd'")
        self.assertFails(self.wcctl("--root", "/etc/passwd/sub", "ps"), 125, "root of the store", "/etc/passwd/sub")


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
