#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is different for an ordinary user; the rest is told by the twins *_rootless of other tests."""
import json
import os
import signal
import subprocess
import unittest

from wcctl_case import BUILD, WcctlCase, comes_to, need_runtime, runs

UNIFIED = os.path.exists("/sys/fs/cgroup/cgroup.controllers")


class RootlessCase(WcctlCase):
    def start(self, name, *options, command=("sleep", "1000")):
        self.wcctl_ok("run", "-d", "--name", name, "--network", "none", *options, "box", *command)
        return self.state(name)["Pid"]

    @staticmethod
    def namespace(pid, kind):
        return os.readlink(f"/proc/{pid}/ns/{kind}")

    def run_root(self):
        return json.loads(self.wcctl_ok("--json", "system", "info").stdout)["Store"]["RunRoot"]


class Ids(RootlessCase):
    def test_root_is_the_user_and_the_others_are_his(self):
        rows = [list(map(int, row.split())) for row in self.output("--", "cat", "/proc/self/uid_map").splitlines()]
        self.assertEqual(rows[0], [0, os.getuid(), 1])
        self.assertEqual(rows[1][0], 1)
        with open("/etc/subuid", encoding="utf-8") as file:
            ranges = [line.strip().split(":")[1:] for line in file if line.startswith(os.environ["WC_TEST_USER"] + ":")]
        self.assertEqual(rows[1][1:], list(map(int, ranges[0])))

    def test_users_of_the_container(self):
        self.assertEqual(self.output("-u", "5:6", "--group-add", "7", "--", "sh", "-c", "id -u; id -g; id -G"), "5\n6\n6 7\n")
        self.start("one")
        self.assertEqual(self.wcctl_ok("exec", "-u", "8", "one", "id", "-u").stdout, "8\n")

    def test_one_that_there_is_not(self):
        self.assertFails(self.run_box("-u", "70000", "--", "true"), 125, "user 70000", "65537 ids", "/etc/subuid")
        self.start("one")
        self.assertFails(self.wcctl("exec", "-u", "0:70000", "one", "true"), 125, "group 70000", "/etc/subgid")

    def test_processes_belong_to_them_on_the_host(self):
        pid = self.start("one", "-u", "5")
        uid = int(self.output("--", "sh", "-c", "awk '$1 == 1 { print $2 + 4 }' /proc/self/uid_map"))
        self.assertEqual(os.stat(f"/proc/{pid}").st_uid, uid)


class Namespaces(RootlessCase):
    def test_is_one_for_all_that_run(self):
        one, two = self.start("one"), self.start("two")
        self.assertEqual(self.namespace(one, "user"), self.namespace(two, "user"))
        self.assertNotEqual(self.namespace(one, "user"), self.namespace("self", "user"))
        self.assertEqual(len(os.listdir(f"{self.run_root()}/userns")), 2)
        self.wcctl_ok("rm", "-f", "one", "two")
        self.assertEqual(comes_to([], lambda: os.listdir(f"{self.run_root()}/userns")), [])

    def test_others_are_joined(self):
        pid = self.start("one", "--ipc", "shareable")
        shared = ("--network", "container:one", "--ipc", "container:one", "--pid", "container:one")
        done = self.wcctl_ok("run", "--rm", *shared, "box", "sh", "-c", "cd /proc/self/ns; for n in net ipc pid; do readlink $n; done")
        self.assertEqual(done.stdout.split(), [self.namespace(pid, kind) for kind in ("net", "ipc", "pid")])

    def test_those_of_the_host(self):
        done = self.wcctl_ok("run", "--rm", "--network", "host", "--pid", "host", "--ipc", "host", "--uts", "host", "box",
                             "sh", "-c", "ls /sys/class/net; cd /proc/self/ns; readlink net; readlink pid")
        self.assertEqual(done.stdout.split()[-2:], [self.namespace("self", "net"), self.namespace("self", "pid")])

    def test_those_of_the_host_stay_read_only(self):
        done = self.wcctl("run", "--rm", "--network", "host", "box", "sh", "-c", "mkdir /sys/fs/x || echo no")
        self.assertEqual(done.stdout, "no\n")


class Overlay(RootlessCase):
    def test_is_the_kernels_where_it_can_be(self):
        kind = self.output("--", "sh", "-c", "grep ' / ' /proc/mounts | tail -1 | cut -d ' ' -f 3").strip()
        self.assertEqual(kind, "fuse.fuse-overlayfs" if os.environ.get("WC_TEST_OVERLAY") == "fuse" else "overlay")

    def test_layers_are_merged_and_written_above(self):
        self.start("one", command=("sh", "-c", "rm /etc/group; rm -r /home; mkdir /home; echo new >/etc/passwd; sleep 1000"))
        look = "test -e /etc/group && echo group; ls -A /home; cat /etc/passwd"
        self.assertEqual(self.wcctl_ok("exec", "one", "sh", "-c", look).stdout, "new\n")
        self.wcctl_ok("stop", "-t", "0", "one")
        self.wcctl_ok("start", "one")
        self.assertEqual(self.wcctl_ok("exec", "one", "sh", "-c", "cat /etc/passwd").stdout, "new\n")
        self.wcctl_ok("stop", "-t", "0", "one")
        changes = self.wcctl_ok("diff", "one").stdout.splitlines()
        self.assertLessEqual({"C /etc", "C /etc/passwd", "C /home"}, set(changes))
        self.assertFalse([line for line in changes if line.endswith(".opq")])
        self.assertNotIn("home/", self.wcctl_ok("export", "-o", f"{self.work}/tar", "one").stdout)
        copy = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "cp", "one:/etc/passwd", "-"], capture_output=True)
        self.assertIn(b"new\n", copy.stdout)


class KeepId(RootlessCase):
    def test_needs_ids_enough(self):
        self.assertFails(self.run_box("--userns", "keep-id:uid=70000", "--", "true"), 125, "keep-id", "65537 ids", "/etc/subuid")
        for mode in ("keep-id:", "keep-id:uid=", "keep-id:uid=1,", "keep-id:uid=1,uid=2", "keep-id:size=5", "keep-id,uid=1"):
            self.assertFails(self.run_box("--userns", mode, "--", "true"), 125, "user namespace", mode)
        self.assertFails(self.run_box("--userns", "keep-id", "--uidmap", "0:1:100", "--", "true"), 125, "leave one out")


if os.access("/dev/fuse", os.W_OK):
    class KeptId(RootlessCase):
        def setUp(self):
            super().setUp()
            self.place = f"{self.work}/place"
            os.makedirs(self.place, exist_ok=True)

        def test_binds_are_his_on_both_sides(self):
            for options, uid, gid in (((), os.getuid(), os.getgid()), (("-u", "0"), 0, 0)):
                done = self.output("--userns", "keep-id", *options, "-v", f"{self.place}:/b", "--", "sh", "-c",
                                   "id -u; id -g; touch /b/new; stat -c %u:%g /b; stat -c %u:%g /b/new /bin /etc/passwd")
                self.assertEqual(done.split(), [str(uid), str(gid), f"{os.getuid()}:{os.getgid()}", f"{uid}:{gid}", "0:0", "0:0"])
                if not options:
                    self.assertEqual(os.stat(f"{self.place}/new").st_uid, os.getuid())
                    os.unlink(f"{self.place}/new")

        def test_another_number(self):
            done = self.output("--userns", "keep-id:uid=5,gid=6", "-v", f"{self.place}:/b", "--", "sh", "-c",
                               "id -u; id -g; stat -c %u:%g /b")
            self.assertEqual(done.split(), ["5", "6", "5:6"])

        def test_files_keep_the_ids_of_the_container(self):
            self.start("one", "--userns", "keep-id", "-u", "0")
            self.wcctl_ok("exec", "one", "sh", "-c", "touch /x; chown 7:8 /x; rm -r /home; mkdir /home")
            self.wcctl_ok("stop", "-t", "0", "one")
            self.assertLessEqual({"A /x", "C /home"}, set(self.wcctl_ok("diff", "one").stdout.splitlines()))
            self.wcctl_ok("commit", "one", "kept")
            done = self.wcctl_ok("run", "--rm", "--network", "none", "kept", "sh", "-c", "stat -c %u:%g /x; ls -A /home")
            self.assertEqual(done.stdout, "7:8\n")
            self.wcctl_ok("start", "one")
            self.assertEqual(self.wcctl_ok("exec", "one", "stat", "-c", "%u:%g", "/x").stdout, "7:8\n")
            self.wcctl_ok("rm", "-f", "one")
            self.wcctl_ok("rmi", "kept")


class WhatCannotBeHad(RootlessCase):
    def test_is_refused_by_name(self):
        for options, *parts in ((("--uidmap", "0:1:100"), "user namespace", "take root"),
                                (("--domainname", "example.org"), "domain name 'example.org'", "root"),
                                (("--device-cgroup-rule", "c 1:3 r"), "rules for devices", "root")):
            self.assertFails(self.run_box(*options, "--", "true"), 125, *parts)

    @unittest.skipIf(UNIFIED, "version 2 may be his")
    def test_control_groups_are_refused_by_name(self):
        for options, what in ((("-m", "64m"), "memory limits"), (("--cpus", "0.5"), "cpu limits"),
                              (("--pids-limit", "9"), "the limit of processes"), (("--blkio-weight", "10"), None),
                              (("--cgroup-parent", "/x"), "a control group above")):
            if what:
                self.assertFails(self.run_box(*options, "--", "true"), 125, what, "version 1")
        self.wcctl_ok("group", "create", "many", "--memory", "64m")
        self.assertFails(self.run_box("--group", "many", "--", "true"), 125, "a group of containers", "version 1")
        self.wcctl_ok("group", "rm", "many")
        self.start("one")
        self.assertFails(self.wcctl("pause", "one"), 1, "pause", "version 1")
        self.assertFails(self.wcctl("update", "-m", "64m", "one"), 1, "update of limits", "version 1")
        self.assertEqual(self.state("one")["Status"], "running")
        self.wcctl_ok("update", "--restart", "always", "one")

    def test_nodes_of_devices(self):
        done = self.run_box("--privileged", "--", "mknod", "/tmp/node", "c", "1", "3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not permitted", done.stderr)
        self.assertEqual(self.output("--device", "/dev/null:/dev/nothing", "--", "sh", "-c", "echo x >/dev/nothing; stat -c %F "
                                     "/dev/nothing"), "character special file\n")

    def test_new_privileges(self):
        done = subprocess.run(["setpriv", "--no-new-privs", f"{BUILD}/bin/wcctl", "--root", self.root, "run", "--rm",
                               "--network", "none", "box", "true"], capture_output=True, text=True)
        self.assertFails(done, 125, "user namespace", "no-new-privs")

    def test_is_told(self):
        process, = [b for b in json.loads(self.wcctl_ok("--json", "system", "info").stdout)["Backends"]
                    if b["Name"] == "process"]
        facts = process["rootless"]
        self.assertTrue(process["Available"], process)
        self.assertTrue(facts["uids"].startswith(f"0:{os.getuid()}:1,1:"), facts)
        self.assertTrue(facts["gids"].startswith(f"0:{os.getgid()}:1,1:"), facts)
        self.assertIn(facts["overlay"], ("overlayfs", "fuse-overlayfs"))
        self.assertTrue(any(line.startswith("rules for devices") for line in facts["missing"]), facts)
        self.assertEqual(facts["cgroup"] is None, any(line.startswith("limits of memory") for line in facts["missing"]))


class OneId(RootlessCase):
    """Where /etc/subuid has nothing for the user."""

    @classmethod
    def wcctl(cls, *words, env=None, timeout=60, **_):
        script = ('mount --bind /dev/null /etc/subuid && id=$1 group=$2 && shift 2 && '
                  'exec unshare --user --map-user="$id" --map-group="$group" -- "$@"')
        return subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(os.getuid()),
                               str(os.getgid()), f"{BUILD}/bin/wcctl", "--root", cls.root, *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, env=env)

    def test_all_is_roots(self):
        self.assertEqual(self.output("--", "sh", "-c", "id -u; id -g; cat /proc/self/uid_map").split()[:3], ["0", "0", "0"])
        self.assertEqual(self.output("-v", "/data", "--", "sh", "-c", "touch /data/x && stat -c %u /data/x"), "0\n")
        self.assertEqual(self.output("-t", "--", "sh", "-c", "test -t 1 && echo terminal").strip(), "terminal")

    def test_others_are_refused_and_say_why(self):
        self.assertFails(self.run_box("-u", "5", "--", "true"), 125, "user 5", "only 1 ids", "/etc/subuid gives no ids",
                         "usermod")
        info = json.loads(self.wcctl("--json", "system", "info").stdout)
        facts = [b for b in info["Backends"] if b["Name"] == "process"][0]["rootless"]
        self.assertTrue(any(line.startswith("more than one id: /etc/subuid") for line in facts["missing"]), facts)


class InsideOfOne(RootlessCase):
    """Root of a user namespace that somebody else has made."""

    @classmethod
    def wcctl(cls, *words, env=None, timeout=60, **_):
        return subprocess.run(["unshare", "--user", "--map-root-user", "--map-auto", f"{BUILD}/bin/wcctl", "--root", cls.root,
                               "--run-root", f"{cls.work}/run", *words], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=timeout, env=env)

    def test_containers_run_in_it(self):
        self.assertEqual(self.output("-u", "5", "--", "id", "-u"), "5\n")


class Figures(RootlessCase):
    """Without control groups /proc has them."""

    def count_processes(self, name, wanted):
        return comes_to(wanted, lambda: len(json.loads(self.wcctl_ok("--json", "top", name).stdout)["Processes"]))

    def test_stats_and_top(self):
        self.start("one", command=("sh", "-c", "sleep 1000 & sleep 1000 & while :; do :; done"))
        self.assertEqual(self.count_processes("one", 3), 3)
        entry, = json.loads(self.wcctl_ok("--json", "stats", "--no-stream", "one").stdout)
        self.assertGreater(entry["nano_cpus"], 20000000)
        self.assertEqual(entry["pids_stats"]["current"], 3)
        self.assertGreater(entry["memory_stats"]["usage"], 10000)

    def test_in_the_hosts_pid_namespace_only_its_own(self):
        self.start("one", "--pid", "host", command=("sh", "-c", "setsid sleep 1000 & exec sleep 1000"))
        self.assertEqual(self.count_processes("one", 2), 2)


class Remains(RootlessCase):
    def monitor(self, name):
        full = json.loads(self.wcctl_ok("inspect", name).stdout)[0]["Id"]
        with open(f"{self.run_root()}/containers/{full}/monitor.json", encoding="utf-8") as file:
            return json.load(file)["monitor"]

    @staticmethod
    def sleepers():
        return subprocess.run(["pgrep", "-u", str(os.getuid()), "-x", "-f", "sleep 2345"], capture_output=True,
                              text=True).stdout.split()

    def test_of_a_killed_monitor(self):
        for pid_mode in ("private", "host"):
            self.start("one", *(["--pid", "host"] if pid_mode == "host" else []),
                       command=("sh", "-c", "setsid sleep 2345 & exec sleep 2345"))
            self.assertEqual(comes_to(2, lambda: len(self.sleepers())), 2)
            inside = self.sleepers()
            os.kill(self.monitor("one"), signal.SIGKILL)
            self.assertEqual(comes_to(255, lambda: self.state("one")["ExitCode"]), 255, pid_mode)
            self.assertFalse([p for p in inside if runs(p)], pid_mode)
            self.wcctl_ok("start", "one")
            self.wcctl_ok("rm", "-f", "one")
            self.assertEqual(os.listdir(f"{self.run_root()}/containers"), [])

    def test_a_namespace_whose_makers_were_killed(self):
        self.start("one")
        two = self.start("two")
        os.kill(self.monitor("one"), signal.SIGKILL)
        self.assertEqual(self.namespace(self.start("three"), "user"), self.namespace(two, "user"))
        os.kill(self.monitor("two"), signal.SIGKILL)
        os.kill(self.monitor("three"), signal.SIGKILL)
        self.wcctl_ok("start", "one")
        self.assertEqual(self.wcctl_ok("exec", "one", "id", "-u").stdout, "0\n")


class Directories(RootlessCase):
    def test_without_a_session(self):
        env = {key: value for key, value in os.environ.items() if key != "XDG_RUNTIME_DIR"}
        env["HOME"] = f"{self.work}/home"
        wcctl = f"{BUILD}/bin/wcctl"
        subprocess.run([wcctl, "pull", "-q", f"oci:{self.layout}:box"], env=env, check=True, capture_output=True)
        done = subprocess.run([wcctl, "run", "--rm", "--network", "none", "box", "echo", "runs"], env=env,
                              capture_output=True, text=True)
        self.assertEqual((done.stdout, done.stderr), ("runs\n", ""))
        self.assertTrue(os.path.isdir(f"{self.work}/home/.local/share/wincontainer/run/userns"))


if __name__ == "__main__":
    need_runtime()
    unittest.main(verbosity=2)
