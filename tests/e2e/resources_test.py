#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Limits and devices of `wcctl run`, each read back from the control group, /proc or the mount table."""
import glob
import json
import os
import re
import subprocess
import tempfile

from wcctl_case import WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks

V2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
CRUN = os.environ.get("WC_TEST_RUNTIME") == "crun"
DEVICE = "/dev/kvm" if os.path.exists("/dev/kvm") else "/dev/tty"


def block_device():
    """A block device of the host, with its numbers."""
    for name in sorted(os.listdir("/sys/block")):
        if os.path.exists(f"/dev/{name}"):
            with open(f"/sys/block/{name}/dev", encoding="ascii") as file:
                return f"/dev/{name}", file.read().strip()
    return None, None


def cgroup_files(pid, controller, *names):
    """Contents of the files of its control group, as the host sees them."""
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
        paths = {part: path for line in file for _, parts, path in [line.strip().split(":", 2)]
                 for part in parts.split(",")}
    directory = f"/sys/fs/cgroup{paths['']}" if V2 else f"/sys/fs/cgroup/{controller}{paths[controller]}"
    texts = []
    for name in names:
        with open(f"{directory}/{name}", encoding="ascii") as file:
            texts.append(file.read().strip())
    return texts[0] if len(texts) == 1 else texts


class ResourcesCase(WcctlCase):
    def start(self, *options):
        """Runs in the background; gives its process id on the host."""
        self.wcctl_ok("run", "-d", "--name", "it", "--network", "none", *options, "box", "sleep", "100")
        return self.state("it")["Pid"]

    def host_config(self):
        return json.loads(self.wcctl_ok("inspect", "it").stdout)[0]["HostConfig"]


class Limits(ResourcesCase):
    def test_memory(self):
        pid = self.start("--memory", "64m", "--memory-swap", "96m", "--memory-reservation", "32m")
        if V2:
            self.assertEqual(cgroup_files(pid, "memory", "memory.max", "memory.swap.max", "memory.low"),
                             [str(64 << 20), str(32 << 20), str(32 << 20)])
        else:
            self.assertEqual(cgroup_files(pid, "memory", "memory.limit_in_bytes", "memory.soft_limit_in_bytes"),
                             [str(64 << 20), str(32 << 20)])
        config = self.host_config()
        self.assertEqual((config["Memory"], config["MemorySwap"], config["MemoryReservation"]),
                         (64 << 20, 96 << 20, 32 << 20))

    def test_swappiness_and_killer(self):
        done = self.wcctl_ok("run", "-d", "--name", "it", "--network", "none", "-m", "64m", "--memory-swappiness", "7",
                             "--oom-kill-disable", "box", "sleep", "100")
        pid = self.state("it")["Pid"]
        if V2:
            self.assertIn("memory swappiness", done.stderr)
            self.assertIn("out-of-memory killer", done.stderr)
            return
        self.assertEqual(done.stderr, "")
        swappiness, control = cgroup_files(pid, "memory", "memory.swappiness", "memory.oom_control")
        self.assertEqual(swappiness, "7")
        self.assertIn("oom_kill_disable 1", control)
        config = self.host_config()
        self.assertEqual((config["MemorySwappiness"], config["OomKillDisable"]), (7, True))

    def test_killer_without_limit_is_warned_of(self):
        done = self.run_box("--oom-kill-disable", "--", "true")
        self.assertEqual(done.returncode, 0)
        self.assertIn("dangerous" if not V2 else "left out", done.stderr)

    def test_score(self):
        pid = self.start("--oom-score-adj", "321")
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
            self.assertEqual(file.read().strip(), "321")
        if not CRUN:  # which has none for exec
            self.assertEqual(self.wcctl_ok("exec", "it", "cat", "/proc/self/oom_score_adj").stdout, "321\n")

    def test_quota(self):
        pid = self.start("--cpu-period", "50000", "--cpu-quota", "20000", "--cpu-shares", "512")
        if V2:
            self.assertEqual(cgroup_files(pid, "cpu", "cpu.max"), "20000 50000")
        else:
            self.assertEqual(cgroup_files(pid, "cpu", "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.shares"),
                             ["50000", "20000", "512"])

    def test_cpus(self):
        pid = self.start("--cpus", "0.5", "--cpuset-cpus", "0", "--cpuset-mems", "0", "--pids-limit", "33")
        self.assertEqual(cgroup_files(pid, "cpu", "cpu.max" if V2 else "cpu.cfs_quota_us").split()[0], "50000")
        self.assertEqual(cgroup_files(pid, "cpuset", "cpuset.cpus", "cpuset.mems"), ["0", "0"])
        self.assertEqual(cgroup_files(pid, "pids", "pids.max"), "33")

    def test_block_devices(self):
        path, numbers = block_device()
        if not path:
            self.skipTest("no block device")
        pid = self.start("--device-read-bps", f"{path}:1mb", "--device-write-bps", f"{path}:2mb", "--device-read-iops",
                         f"{path}:30", "--device-write-iops", f"{path}:40")
        if V2:
            self.assertEqual(cgroup_files(pid, "io", "io.max"),
                             f"{numbers} rbps={1 << 20} wbps={2 << 20} riops=30 wiops=40")
        else:
            self.assertEqual(cgroup_files(pid, "blkio", *(f"blkio.throttle.{name}_device" for name in (
                "read_bps", "write_bps", "read_iops", "write_iops"))),
                [f"{numbers} {1 << 20}", f"{numbers} {2 << 20}", f"{numbers} 30", f"{numbers} 40"])
        self.assertEqual(self.host_config()["BlkioDeviceReadBps"], [{"Path": path, "Rate": 1 << 20}])

    def test_block_weight(self):
        done = self.wcctl_ok("run", "-d", "--name", "it", "--network", "none", "--blkio-weight", "300", "box", "sleep",
                             "100")
        pid = self.state("it")["Pid"]
        if "left out" in done.stderr:
            self.skipTest("the kernel has no block weights")
        for name in ("blkio.bfq.weight", "blkio.weight", "io.bfq.weight", "io.weight"):
            try:
                self.assertEqual(cgroup_files(pid, "blkio", name).split()[-1], "2930" if name == "io.weight" else "300")
                return
            except OSError:
                pass
        self.fail("no file has the weight")

    def test_cgroup_parent(self):
        pid = self.start("--cgroup-parent", "wc-e2e/inner")
        container = self.wcctl_ok("ps", "-q", "--no-trunc").stdout.strip()
        try:
            with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
                paths = {line.strip().split(":", 2)[2] for line in file}
            self.assertIn(f"/wc-e2e/inner/{container}", paths)
            self.wcctl_ok("rm", "-f", "it")
            self.assertEqual(glob.glob(f"/sys/fs/cgroup/**/{container}", recursive=True), [])
        finally:
            for directory in glob.glob("/sys/fs/cgroup/*/wc-e2e") + glob.glob("/sys/fs/cgroup/wc-e2e"):
                subprocess.run(["rmdir", f"{directory}/inner", directory], check=False)

    def test_killed_monitor_in_another_parent_leaves_nothing(self):
        pid = self.start("--cgroup-parent", "/wc-e2e-killed")
        container = self.wcctl_ok("ps", "-q", "--no-trunc").stdout.strip()
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                parent = re.search(r"PPid:\s+(\d+)", file.read()).group(1)
            os.kill(int(parent), 9)
            self.assertEqual(self.wcctl("wait", "it").stdout.strip(), "255")
            self.assertEqual(glob.glob(f"/sys/fs/cgroup/**/{container}", recursive=True), [])
        finally:
            for directory in glob.glob("/sys/fs/cgroup/*/wc-e2e-killed") + glob.glob("/sys/fs/cgroup/wc-e2e-killed"):
                subprocess.run(["rmdir", directory], check=False)


class Inside(ResourcesCase):
    def test_shm_size(self):
        self.assertIn(" 10240 ", self.output("--shm-size", "10m", "--", "df", "-k", "/dev/shm"))
        self.assertIn(" 65536 ", self.output("--", "df", "-k", "/dev/shm"))

    def test_sysctls(self):
        text = self.output("--sysctl", "net.core.somaxconn=99", "--sysctl", "kernel.shmmax=123456", "--sysctl",
                           "net.ipv4.ip_unprivileged_port_start=80", "--", "cat", "/proc/sys/net/core/somaxconn",
                           "/proc/sys/kernel/shmmax", "/proc/sys/net/ipv4/ip_unprivileged_port_start")
        self.assertEqual(text, "99\n123456\n80\n")

    def test_device(self):
        text = self.output("--device", f"{DEVICE}:/dev/mine", "--", "ls", "-l", "/dev/mine")
        numbers = os.stat(DEVICE).st_rdev
        self.assertRegex(text, rf"^c.* {os.major(numbers)}, +{os.minor(numbers)} .*/dev/mine")

    def test_device_access(self):
        if DEVICE != "/dev/kvm":
            self.skipTest("no /dev/kvm")
        opens = "exec 3{}/dev/kvm && echo opened"
        self.assertEqual(self.output("--device", DEVICE, "--", "sh", "-c", opens.format("<>")), "opened\n")
        refused = self.run_box("--device", f"{DEVICE}:r", "--", "sh", "-c", opens.format("<>"))
        self.assertIn("Operation not permitted", refused.stderr)
        without = self.run_box("--cap-add", "MKNOD", "--", "sh", "-c", "mknod /dev/kvm c 10 232; " + opens.format("<"))
        self.assertIn("Operation not permitted", without.stderr)
        rule = self.run_box("--device-cgroup-rule", "c 10:232 rmw", "--", "sh", "-c",
                            "mknod /dev/kvm c 10 232; " + opens.format("<>"))
        self.assertEqual(rule.stdout, "opened\n", rule.stderr)

    def test_directory_of_devices(self):
        with tempfile.TemporaryDirectory() as directory:
            os.mkdir(f"{directory}/sub")
            os.mknod(f"{directory}/sub/zero", 0o20666, os.makedev(1, 5))
            os.symlink(f"{directory}/sub", f"{directory}/link")
            text = self.output("--device", f"{directory}/sub:/dev/all", "--", "ls", "-l", "/dev/all")
            self.assertRegex(text, r"1, +5 .*zero")


class Refused(ResourcesCase):
    def test_values(self):
        for options, parts in [
                (["--memory-swappiness", "101"], ["swappiness", "0 to 100"]),
                (["--memory", "32m", "--memory-reservation", "64m"], ["below the memory reservation"]),
                (["--oom-score-adj", "-1001"], ["-1000 to 1000"]),
                (["--cpus", "1", "--cpu-quota", "5000"], ["exclude"]),
                (["--cpu-period", "999"], ["1000"]),
                (["--cpuset-mems", "a"], ["memory nodes"]),
                (["--sysctl", "kernel.hostname=x"], ["kernel.hostname", "not allowed"]),
                (["--sysctl", "net.core.somaxconn"], ["NAME=VALUE"]),
                (["--blkio-weight", "9"], ["10 to 1000"]),
                (["--device-read-bps", "/etc/passwd:1mb"], ["/dev/"]),
                (["--device-cgroup-rule", "x 1:2 r"], ["device rule"]),
                (["--device", "/dev/null:/dev/x:q"], ["rwm"]),
                (["--device", "vendor=x"], ["vendor.com/class=name"]),
                (["--cgroup-parent", "/a/../b"], ["cgroup parent"]),
        ]:
            with self.subTest(options=options):
                self.assertFails(self.run_box(*options, "--", "true"), 125, *parts)

    def test_host_network_keeps_its_sysctls(self):
        done = self.wcctl("run", "--rm", "--network", "host", "--sysctl", "net.core.somaxconn=99", "box", "true")
        self.assertFails(done, 125, "net.core.somaxconn", "host's network")

    def test_score_that_only_some_may_give(self):
        done = self.run_box("--oom-score-adj", "-900", "--", "cat", "/proc/self/oom_score_adj")
        if done.returncode == 0:
            self.assertEqual(done.stdout, "-900\n")
        else:
            self.assertFails(done, 125, "-900", "CAP_SYS_RESOURCE")

    def test_devices_that_are_none(self):
        self.assertFails(self.run_box("--device", "/dev/wc-none", "--", "true"), 125, "/dev/wc-none")
        self.assertFails(self.run_box("--device", "/etc/passwd:/dev/x", "--", "true"), 125, "no device node")
        self.assertFails(self.run_box("--device-read-bps", "/dev/null:1mb", "--", "true"), 125, "no block device")


class Cdi(ResourcesCase):
    """Descriptions in /var/run/cdi and /etc/cdi, of a vendor that nobody else has."""

    def describe(self, directory, name, text):
        os.makedirs(directory, exist_ok=True)
        path = f"{directory}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text if isinstance(text, str) else json.dumps(text))
        self.addCleanup(os.unlink, path)

    def test_everything_of_a_description(self):
        with tempfile.TemporaryDirectory() as work:
            with open(f"{work}/hook", "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\necho \"$MARK $1\" > {work}/hooked\n")
            os.chmod(f"{work}/hook", 0o755)
            with open(f"{work}/data", "w", encoding="ascii") as file:
                file.write("mounted\n")
            self.describe("/var/run/cdi", "wc-e2e.json", {
                "cdiVersion": "0.7.0", "kind": "wc-e2e.test/thing",
                "containerEdits": {"env": ["ALL=1"]},
                "devices": [
                    {"name": "one", "containerEdits": {
                        "env": ["ONE=1"],
                        "deviceNodes": [{"path": "/dev/one", "hostPath": DEVICE, "permissions": "r"}],
                        "mounts": [{"hostPath": f"{work}/data", "containerPath": "/data", "options": ["ro", "bind"]}],
                        "hooks": [{"hookName": "createRuntime", "path": f"{work}/hook", "args": ["hook", "word"],
                                   "env": ["MARK=here"]}],
                        "additionalGids": [4321]}},
                    {"name": "two", "containerEdits": {"env": ["TWO=2"]}}]})
            text = self.output("--device", "wc-e2e.test/thing=one", "--device", "wc-e2e.test/thing=two", "--", "sh", "-c",
                               "echo $ALL$ONE$TWO; cat /data; ls -l /dev/one; id -G")
            numbers = os.stat(DEVICE).st_rdev
            self.assertTrue(text.startswith("112\nmounted\n"), text)
            self.assertRegex(text, rf"{os.major(numbers)}, +{os.minor(numbers)} .*/dev/one")
            self.assertIn("4321", text.split())
            with open(f"{work}/hooked", encoding="ascii") as file:
                self.assertEqual(file.read(), "here word\n")

    def test_later_directory_wins(self):
        one = {"cdiVersion": "0.6.0", "kind": "wc-e2e.test/order",
               "devices": [{"name": "a", "containerEdits": {"env": ["FROM=etc"]}}]}
        self.describe("/etc/cdi", "wc-e2e-order.json", one)
        self.assertEqual(self.output("--device", "wc-e2e.test/order=a", "--", "sh", "-c", "echo $FROM"), "etc\n")
        one["devices"][0]["containerEdits"]["env"] = ["FROM=run"]
        self.describe("/var/run/cdi", "wc-e2e-order.json", one)
        self.assertEqual(self.output("--device", "wc-e2e.test/order=a", "--", "sh", "-c", "echo $FROM"), "run\n")
        self.describe("/var/run/cdi", "wc-e2e-twice.json", one)
        self.assertFails(self.run_box("--device", "wc-e2e.test/order=a", "--", "true"), 125, "wc-e2e-order.json",
                         "wc-e2e-twice.json")

    def test_unknown_and_yaml(self):
        self.assertFails(self.run_box("--device", "wc-e2e.test/none=a", "--", "true"), 125, "wc-e2e.test/none=a")
        self.describe("/var/run/cdi", "wc-e2e.yaml", "cdiVersion: 0.6.0\n")
        self.assertFails(self.run_box("--device", "wc-e2e.test/none=a", "--", "true"), 125, "wc-e2e.yaml", "YAML")

    def test_damaged(self):
        self.describe("/var/run/cdi", "wc-e2e.json", "{")
        self.assertFails(self.run_box("--device", "wc-e2e.test/bad=a", "--", "true"), 125, "/var/run/cdi/wc-e2e.json")


if CRUN and not os.path.exists("/sys/fs/cgroup/blkio/blkio.weight"):
    del Limits.test_block_weight  # crun knows no weights of BFQ on version 1

if __name__ == "__main__":
    need_runtime()
    named_skips.main()
