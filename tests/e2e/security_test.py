#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Namespaces that containers share, and what keeps them in: rights, paths, devices, images that mean harm."""
import json
import os
import subprocess
import unittest

from wcctl_case import WcctlCase, need_runtime, runs

KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "uts")


class Namespaces(WcctlCase):
    def namespaces(self, name):
        """What /proc of the host tells of the container's first process."""
        pid = self.state(name)["Pid"]
        return {kind: os.readlink(f"/proc/{pid}/ns/{kind}") for kind in KINDS}

    def start(self, name, *options, command=("sleep", "1000")):
        self.wcctl_ok("run", "-d", "--name", name, "--network", "none", *options, "box", *command)
        return self.namespaces(name)

    def shared(self, *options):
        """Kinds that two containers have in common, and their own with the host."""
        target = self.start("target", "--ipc", "shareable")
        other = self.start("other", *options)
        host = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in KINDS}
        return ({kind for kind in KINDS if target[kind] == other[kind] != host[kind]},
                {kind for kind in KINDS if other[kind] == host[kind]})

    def test_each_is_private(self):
        self.assertEqual(self.shared("--cgroupns", "private"), (set(), set()))

    def test_default_of_control_groups_is_dockers(self):
        v2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        self.assertEqual(self.shared()[1], set() if v2 else {"cgroup"})

    def test_each_of_another_container(self):
        for option, kind in (("--pid", "pid"), ("--ipc", "ipc"), ("--uts", "uts")):
            with self.subTest(option):
                self.assertEqual(self.shared("--cgroupns", "private", option, "container:target"), ({kind}, set()))
            self.tearDown()

    def test_control_groups_of_another_container(self):
        target = self.start("target", "--cgroupns", "private")
        self.assertEqual(self.start("other", "--cgroupns", "container:target")["cgroup"], target["cgroup"])

    def test_each_of_the_host(self):
        for option, kind in (("--pid", "pid"), ("--ipc", "ipc"), ("--uts", "uts"), ("--cgroupns", "cgroup")):
            with self.subTest(option):
                own = () if kind == "cgroup" else ("--cgroupns", "private")
                self.assertEqual(self.shared(*own, option, "host"), (set(), {kind}))
            self.tearDown()

    def test_a_pod(self):
        """Several containers around one: processes, shared memory and host name in common."""
        self.start("pause", "--ipc", "shareable", "--hostname", "podbox")
        words = [word for kind in ("--pid", "--ipc", "--uts") for word in (kind, "container:pause")]
        self.start("writer", *words, command=("sh", "-c", "echo from the writer >/dev/shm/note; exec sleep 1000"))
        for _ in range(100):
            seen = self.output(*words, "--", "sh", "-c", "cat /dev/shm/note; hostname; cat /etc/hostname; ps | grep -c 'sleep 1000'")
            if seen.startswith("from"):
                break
        self.assertEqual(seen.split("\n")[:3], ["from the writer", "podbox", "podbox"])
        self.assertGreaterEqual(int(seen.split("\n")[3]), 2)
        self.assertEqual(self.wcctl_ok("exec", "pause", "cat", "/dev/shm/note").stdout, "from the writer\n")
        self.assertEqual(self.output(*words, "--", "sh", "-c", "kill -0 1 && echo alive"), "alive\n")
        writer = self.state("writer")["Pid"]
        self.wcctl_ok("kill", "pause")
        self.assertEqual(self.wcctl_ok("wait", "writer").stdout.strip(), "137", "the end of process 1 is the end of all")
        self.assertFalse(runs(writer))

    def test_exec_is_in_the_same(self):
        self.start("target")
        self.start("other", "--pid", "container:target")
        self.assertIn("sleep 1000", self.wcctl_ok("exec", "other", "sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '").stdout)
        self.assertEqual(self.wcctl_ok("exec", "other", "sh", "-c", "readlink -f /proc/self/ns/pid").returncode, 0)

    def test_targets_that_cannot_be_joined(self):
        self.assertFails(self.run_box("--pid", "container:nosuch", "--", "true"), 125, "pid namespace", "nosuch")
        self.wcctl_ok("create", "--name", "asleep", "--network", "none", "box", "sleep", "1")
        self.assertFails(self.run_box("--uts", "container:asleep", "--", "true"), 125, "asleep", "does not run")
        self.start("private")
        for mode in ("private", "none"):
            self.assertFails(self.run_box("--ipc", "container:private", "--", "true"), 125, "shareable")
        self.wcctl_ok("create", "--name", "itself", "--pid", "container:itself", "--network", "none", "box", "true")
        self.assertFails(self.wcctl("start", "itself"), 1, "its own")

    def test_a_circle_does_not_start(self):
        self.wcctl_ok("create", "--name", "one", "--pid", "container:two", "--network", "none", "box", "true")
        self.wcctl_ok("create", "--name", "two", "--pid", "container:one", "--network", "none", "box", "true")
        for name in ("one", "two"):
            self.assertFails(self.wcctl("start", name), 1, "does not run")

    def test_the_target_is_looked_up_at_each_start(self):
        self.start("target")
        self.start("other", "--pid", "container:target")
        self.wcctl_ok("rm", "-f", "target")
        self.wcctl_ok("wait", "other")
        self.assertFails(self.wcctl("start", "other"), 1, "target")
        second = self.start("target")
        self.wcctl_ok("start", "other")
        self.assertEqual(self.namespaces("other")["pid"], second["pid"])

    def test_nothing_is_left_in_the_run_directory(self):
        self.start("target", "--ipc", "shareable")
        name = self.wcctl_ok("run", "-d", "--network", "none", "--ipc", "container:target", "--pid", "container:target",
                             "box", "sleep", "1000").stdout.strip()
        with open(f"/proc/{self.state(name)['Pid']}/stat", encoding="utf-8") as file:
            monitor = file.read().rsplit(")", 1)[1].split()[1]
        place = os.readlink(f"/proc/{monitor}/cwd")
        parts = {"ns-pid", "ns-ipc", "shm"}
        self.assertEqual(parts & set(os.listdir(place)), parts)
        self.wcctl_ok("kill", name)
        self.wcctl_ok("wait", name)
        self.assertEqual(parts & set(os.listdir(place)), set())
        self.assertEqual(self.wcctl_ok("exec", "target", "ls", "-d", "/dev/shm").stdout, "/dev/shm\n", "that of the target")

    def test_all_that_a_container_began_ends_with_it(self):
        """In the host's pid namespace no process 1 takes the others along."""
        self.start("target", "--pid", "host", command=("sh", "-c", "setsid sleep 4711 & exec sleep 1000"))
        pids = []
        for _ in range(100):
            pids = subprocess.run(["pgrep", "-x", "-f", "sleep 4711"], capture_output=True, text=True).stdout.split()
            if pids:
                break
        self.assertTrue(pids)
        self.wcctl_ok("kill", "target")
        self.wcctl_ok("wait", "target")
        self.assertFalse([pid for pid in pids if runs(pid)])

    def test_ipc_modes(self):
        shm = "grep -c ' /dev/shm ' /proc/self/mounts"
        self.assertEqual(self.run_box("--ipc", "none", "--", "sh", "-c", shm).stdout, "0\n")
        self.assertEqual(self.output("--ipc", "private", "--", "sh", "-c", shm), "1\n")
        with open("/dev/shm/wc-security-test", "w", encoding="utf-8") as file:
            file.write("of the host")
        try:
            self.assertEqual(self.output("--ipc", "host", "--", "cat", "/dev/shm/wc-security-test"), "of the host")
        finally:
            os.unlink("/dev/shm/wc-security-test")

    def test_names(self):
        host = os.uname().nodename
        self.assertEqual(self.output("--uts", "host", "--", "sh", "-c", "hostname; cat /etc/hostname; echo $HOSTNAME"),
                         f"{host}\n" * 3)
        self.assertEqual(self.output("--hostname", "a", "--domainname", "example.org", "--", "sh", "-c",
                                     "hostname; cat /proc/sys/kernel/domainname"), "a\nexample.org\n")
        self.assertFails(self.run_box("--uts", "host", "--hostname", "a", "--", "true"), 125,
                         "conflicting options: hostname and the UTS mode")
        self.assertFails(self.run_box("--uts", "host", "--domainname", "a", "--", "true"), 125, "conflicting options")
        self.assertFails(self.run_box("--domainname", "a/b", "--", "true"), 125, "domain name")

    def test_words_that_mean_nothing(self):
        for option, word in (("--pid", "none"), ("--pid", "container:"), ("--ipc", "other"), ("--uts", "shareable"),
                             ("--cgroupns", "nosuch"), ("--userns", "container:a")):
            self.assertFails(self.run_box(option, word, "--", "true"), 125, "namespace", word)

    def test_inspect(self):
        self.wcctl_ok("create", "--name", "seen", "--network", "none", "--pid", "host", "--ipc", "shareable", "--uts",
                      "host", "--cgroupns", "private", "--group-add", "7", "--security-opt", "unmask=/proc/keys", "box")
        host = json.loads(self.wcctl_ok("inspect", "seen").stdout)[0]["HostConfig"]
        self.assertEqual([host[key] for key in ("PidMode", "IpcMode", "UTSMode", "CgroupnsMode", "UsernsMode")],
                         ["host", "shareable", "host", "private", ""])
        self.assertEqual((host["GroupAdd"], host["SecurityOpt"]), (["7"], ["unmask=/proc/keys"]))
        self.assertNotIn("/proc/keys", host["MaskedPaths"])
        self.assertIn("/proc/kcore", host["MaskedPaths"])


class Options(WcctlCase):
    def test_groups(self):
        self.assertEqual(self.output("--group-add", "extra", "--group-add", "77", "--", "id", "-G"), "0 77 2000\n")
        self.assertEqual(self.output("-u", "wc", "--group-add", "77", "--", "id", "-G"), "1000 77 2000\n")
        self.wcctl_ok("run", "-d", "--name", "grouped", "--network", "none", "--group-add", "77", "box", "sleep", "100")
        self.assertEqual(self.wcctl_ok("exec", "-u", "1000", "grouped", "id", "-G").stdout, "1000 77 2000\n")
        self.assertFails(self.run_box("--group-add", "nosuch", "--", "true"), 125, "nosuch", "/etc/group")
        for word in ("a:b", "-1", "4294967296"):
            self.assertFails(self.run_box(f"--group-add={word}", "--", "true"), 125, "group", word)

    def masked(self, *options):
        """Mounts over paths of the system."""
        text = self.output(*options, "--", "cat", "/proc/self/mounts")
        return {line.split()[1] for line in text.splitlines() if line.split()[1].startswith(("/proc/", "/sys/firm"))}

    def test_masked_paths(self):
        usual = self.masked()
        self.assertIn("/proc/timer_list", usual)
        self.assertEqual(self.masked("--security-opt", "systempaths=unconfined"), set())
        self.assertEqual(self.masked("--security-opt", "unmask=ALL"), set())
        self.assertEqual(usual - self.masked("--security-opt", "unmask=/proc/timer_list:/proc/bus"),
                         {"/proc/timer_list", "/proc/bus"})
        self.assertEqual(usual - self.masked("--security-opt", "unmask=/proc/timer*"), {"/proc/timer_list"})
        self.assertEqual(self.output("--security-opt", "mask=/etc:/tmp", "--", "sh", "-c", "ls /etc /tmp"), "/etc:\n\n/tmp:\n")

    def test_words(self):
        status = ("--", "cat", "/proc/self/status")
        for word, seen in (("no-new-privileges=true", "NoNewPrivs:\t1"), ("no-new-privileges:false", "NoNewPrivs:\t0"),
                           ("seccomp:unconfined", "Seccomp:\t0"), ("label=disable", "Seccomp:\t2"),
                           ("seccomp=builtin", "Seccomp:\t2"), ("apparmor=unconfined", "Seccomp:\t2"),
                           ("label=type:container_t", "Seccomp:\t2"), ("label:level:s0:c1,c2", "Seccomp:\t2")):
            self.assertIn(seen, self.output("--security-opt", word, *status), word)
        for word in ("nonsense", "seccomp", "seccomp=", "no-new-privileges=maybe", "systempaths=x", "mask=etc", "unmask=all",
                     "label=x", "label=type:", "apparmor="):
            self.assertFails(self.run_box("--security-opt", word, "--", "true"), 125, "security option")

    def test_a_profile_is_not_left_out_silently(self):
        if os.path.exists("/sys/module/apparmor/parameters/enabled"):
            self.skipTest("the kernel has AppArmor")
        self.assertFails(self.run_box("--security-opt", "apparmor=mine", "--", "true"), 125, "mine", "no AppArmor")


if __name__ == "__main__":
    need_runtime()
    unittest.main()
