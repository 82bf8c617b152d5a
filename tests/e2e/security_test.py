#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Namespaces that containers share, and what keeps them in: rights, paths, devices, images that mean harm."""
import glob
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import unittest

from wcctl_case import BUILD, WcctlCase, find, need_runtime, not_rootless, runs

import docker_oracle  # found where wcctl_case looks
import named_skips

def read(path):
    with open(path, "rb") as file:
        return file.read()


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

    def test_a_restart_by_policy_joins_again(self):
        self.start("target")
        self.wcctl_ok("run", "-d", "--name", "other", "--network", "none", "--restart", "on-failure:2", "--pid",
                      "container:target", "box", "sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; echo; exit 1")
        self.assertLogs("other", ["sleep", "1000"] * 3)

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
        self.assertFails(self.run_box("--uts", "host", "--hostname", "a", "--", "true"), 125,
                         "conflicting options: hostname and the UTS mode")
        self.assertFails(self.run_box("--uts", "host", "--domainname", "a", "--", "true"), 125, "conflicting options")
        self.assertFails(self.run_box("--domainname", "a/b", "--", "true"), 125, "domain name")

    @not_rootless
    def test_domain_name(self):
        self.assertEqual(self.output("--hostname", "a", "--domainname", "example.org", "--", "sh", "-c",
                                     "hostname; cat /proc/sys/kernel/domainname; grep -o 'a.example.org a' /etc/hosts"),
                         "a\nexample.org\na.example.org a\n")

    def test_settings_of_what_is_shared(self):
        self.start("target", "--ipc", "shareable")
        for mode in ("host", "container:target"):
            self.assertFails(self.run_box("--ipc", mode, "--sysctl", "kernel.shmmax=4096", "--", "true"), 125,
                             "kernel.shmmax", "not allowed", mode)

    def test_words_that_mean_nothing(self):
        for option, word in (("--pid", "none"), ("--pid", "container:"), ("--ipc", "other"), ("--uts", "shareable"),
                             ("--cgroupns", "nosuch"), ("--userns", "container:a"), ("--userns", "keep-id:5")):
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


@not_rootless  # they take root
class UserNamespaces(WcctlCase):
    MAP = ("--uidmap", "0:100000:65536")

    def test_root_is_a_user_of_the_host(self):
        self.wcctl_ok("run", "-d", "--name", "mapped", "--network", "none", *self.MAP, "box", "sleep", "1000")
        pid = self.state("mapped")["Pid"]
        self.assertEqual((os.stat(f"/proc/{pid}").st_uid, os.stat(f"/proc/{pid}").st_gid), (100000, 100000))
        self.assertNotEqual(os.readlink(f"/proc/{pid}/ns/user"), os.readlink("/proc/self/ns/user"))
        self.assertEqual(self.wcctl_ok("exec", "mapped", "sh", "-c", "id -u; cat /proc/self/uid_map").stdout.split(),
                         ["0", "0", "100000", "65536"])
        self.assertEqual(self.wcctl_ok("exec", "-u", "wc", "mapped", "id", "-u").stdout, "1000\n")

    def test_files_have_the_ids_of_the_image(self):
        self.assertEqual(self.output(*self.MAP, "--", "stat", "-c", "%u:%g", "/bin/busybox", "/etc/passwd", "/", "/etc/hosts"),
                         "0:0\n" * 4)

    def test_what_is_written_keeps_them_everywhere(self):
        self.wcctl_ok("run", "-d", "--name", "mapped", "--network", "none", *self.MAP, "box", "sh", "-c",
                      "echo text >/tmp/file; chown 7:8 /tmp/file; rm /etc/group; exec sleep 1000")
        with open(f"{self.work}/in", "w", encoding="utf-8") as file:
            file.write("from outside")
        for state in ("running", "stopped"):
            tar = self.wcctl_ok("cp", "mapped:/tmp/file", "-", text=False).stdout
            with tarfile.open(fileobj=io.BytesIO(tar)) as members:
                self.assertEqual([(m.uid, m.gid) for m in members], [(7, 8)], state)
            self.wcctl_ok("cp", f"{self.work}/in", f"mapped:/tmp/{state}")
            if state == "running":
                self.wcctl_ok("stop", "-t", "0", "mapped")
        self.assertLessEqual({"A /tmp/file", "D /etc/group"}, set(self.wcctl_ok("diff", "mapped").stdout.splitlines()))
        self.wcctl_ok("commit", "mapped", "kept")
        seen = ("stat", "-c", "%u:%g", "/tmp/file", "/tmp/running", "/tmp/stopped")
        self.wcctl_ok("start", "mapped")
        self.assertEqual(self.wcctl_ok("exec", "mapped", *seen).stdout, "7:8\n0:0\n0:0\n")
        for options in ((), ("--uidmap", "0:200000:3000", "--gidmap", "0:300000:4000")):
            done = self.wcctl_ok("run", "--rm", "--network", "none", *options, "kept", *seen)
            self.assertEqual(done.stdout, "7:8\n0:0\n0:0\n", options)

    def test_volumes(self):
        self.output(*self.MAP, "-v", "kept:/tmp/v", "--", "sh", "-c", "touch /tmp/v/file; chown 3:4 /tmp/v/file")
        for options in ((), ("--uidmap", "0:200000:3000")):
            self.assertEqual(self.output(*options, "-v", "kept:/tmp/v", "--", "stat", "-c", "%u:%g", "/tmp/v/file"), "3:4\n")
        self.wcctl_ok("volume", "rm", "kept")

    def test_what_is_bound_stays_the_hosts(self):
        place = f"{self.work}/bound"
        os.makedirs(place, exist_ok=True)
        done = self.run_box(*self.MAP, "-v", f"{place}:/tmp/b", "--", "sh", "-c", "stat -c %u /tmp/b; touch /tmp/b/x")
        self.assertEqual((done.stdout, done.returncode), ("65534\n", 1))
        self.assertEqual(os.listdir(place), [])

    def test_streams(self):
        self.assertEqual(self.output(*self.MAP, "--", "sh", "-c", "echo out >/dev/stdout"), "out\n")
        self.assertEqual(self.output(*self.MAP, "-i", "--", "cat", "/dev/stdin", stdin="in"), "in")
        self.wcctl_ok("run", "-d", "--name", "mapped", "--network", "none", *self.MAP, "--init", "box", "sleep", "1000")
        self.assertEqual(self.wcctl_ok("exec", "mapped", "sh", "-c", "echo out >/dev/stdout").stdout, "out\n")

    def test_nothing_is_left(self):
        name = self.wcctl_ok("run", "-d", "--network", "none", *self.MAP, "-v", "/tmp/v", "box", "sleep", "1000").stdout.strip()
        self.assertTrue(os.path.exists(f"/run/wincontainer-roots/{name}"))
        self.wcctl_ok("rm", "-f", "-v", name)
        self.assertFalse(os.path.exists(f"/run/wincontainer-roots/{name}"))
        self.assertNotIn(name, read("/proc/self/mounts").decode())

    def test_after_the_monitor_was_killed(self):
        name = self.wcctl_ok("run", "-d", "--network", "none", *self.MAP, "box", "sleep", "1000").stdout.strip()
        pid = self.state(name)["Pid"]
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            os.kill(int(file.read().rsplit(")", 1)[1].split()[1]), 9)
        for _ in range(100):
            if self.state(name)["Status"] != "running":
                break
        self.assertFalse(runs(pid))
        self.assertFalse(os.path.exists(f"/run/wincontainer-roots/{name}"))
        self.wcctl_ok("start", name)
        self.assertEqual(self.wcctl_ok("exec", name, "id", "-u").stdout, "0\n")

    def test_refused(self):
        for options, words in ((("--pid", "host"), ("pid namespace must be private",)),
                               (("--privileged",), ("privileged mode is incompatible",)),
                               (("--userns", "host"), ("leave one out",)),
                               (("--uidmap", "5:9:4"), ("must not overlap", ))):
            self.assertFails(self.run_box("--uidmap", "0:1000:10", *options, "--", "true"), 125, *words)
        self.assertFails(self.run_box("--uidmap", "1:1:5", "--", "true"), 125, "group 0")
        self.assertFails(self.run_box("--userns", "private", "--", "true"), 125, "needs a map")
        self.assertFails(self.run_box("--uidmap", "0:1", "--", "true"), 125, "CONTAINER:HOST:SIZE")
        self.assertFails(self.wcctl("run", "--rm", "--network", "host", *self.MAP, "box", "true"), 125, "network 'host'")


def usual_layer(layout):
    """The one layer of the image "box", as tar."""
    return gzip.decompress(read(max(glob.glob(f"{layout}/blobs/sha256/*"), key=os.path.getsize)))


@not_rootless  # dockerd needs root
class LikeDocker(WcctlCase):
    """The documents that runtimes get from us and from Docker."""
    OPTIONS = {
        "nothing": [],
        "privileged": ["--privileged"],
        "no rights": ["--cap-drop", "ALL"],
        "few rights": ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN"],
        "many rights": ["--cap-add", "ALL"],
        "administrator": ["--cap-add", "SYS_ADMIN"],
        "tracer": ["--cap-add", "SYS_PTRACE", "--cap-add", "SYS_TIME", "--cap-add", "SYS_NICE", "--cap-add", "SYSLOG"],
        "a user": ["-u", "1000:1000", "--group-add", "7"],
        "a user by name": ["-u", "wc"],
        "shared": ["--pid", "host", "--ipc", "host", "--uts", "host", "--cgroupns", "host"],
        "apart": ["--cgroupns", "private", "--ipc", "shareable"],
        "without shared memory": ["--ipc", "none"],
        "unconfined": ["--security-opt", "systempaths=unconfined", "--security-opt", "seccomp=unconfined",
                       "--security-opt", "apparmor=unconfined", "--security-opt", "label=disable"],
        "no new rights": ["--security-opt", "no-new-privileges"],
        "names": ["--hostname", "a.b", "--domainname", "example.org"],
        "read-only": ["--read-only"],
    }
    # Calls of the kernel that are younger than Docker 20.10, as its own list has them by now.
    NEWER = set("""cachestat fchmodat2 futex_requeue futex_wait futex_wake getxattrat listmount listxattrat lsm_get_self_attr
        lsm_list_modules lsm_set_self_attr map_shadow_stack mseal name_to_handle_at pkey_alloc pkey_free pkey_mprotect
        process_vm_readv process_vm_writev quotactl_fd removexattrat riscv_hwprobe set_mempolicy_home_node clock_settime64 setxattrat statmount
        uretprobe landlock_add_rule landlock_create_ruleset landlock_restrict_self memfd_secret process_mrelease futex_waitv
        bpf perf_event_open syslog""".split())
    # What it has taken away since.
    STRICTER = {"io_uring_enter", "io_uring_register", "io_uring_setup"}

    @classmethod
    def setUpClass(cls):
        why = docker_oracle.missing()
        if why:
            raise unittest.SkipTest(why)
        super().setUpClass()
        place, layer = f"{cls.work}/docker", usual_layer(cls.layout)
        os.mkdir(place)
        with open(f"{cls.work}/image.tar", "wb") as file:
            file.write(layer)
        runs_asked = [[*options, "IMAGE", "/bin/true"] for options in cls.OPTIONS.values()]
        answers = docker_oracle.ask(place, f"{cls.work}/image.tar", runs_asked)
        cls.docker = {name: answer["document"] for name, answer in zip(cls.OPTIONS, answers)}
        cls.said = {name: answer["err"] for name, answer in zip(cls.OPTIONS, answers)}

    def ours(self, options):
        name = self.wcctl_ok("run", "-d", "--network", "none", *options, "box", "sleep", "100").stdout.strip()
        with open(f"/proc/{self.state(name)['Pid']}/stat", encoding="utf-8") as file:
            monitor = file.read().rsplit(")", 1)[1].split()[1]
        with open(f"/proc/{monitor}/cwd/config.json", encoding="utf-8") as file:
            document = json.load(file)
        self.wcctl_ok("rm", "-f", name)
        return document

    def each(self, compare):
        for name, options in self.OPTIONS.items():
            with self.subTest(name):
                self.assertTrue(self.docker[name], self.said[name])
                compare(self.docker[name], self.ours(options))

    def compare_rights(self, docker, ours):
        with open("/proc/self/status", encoding="utf-8") as file:
            held = int(next(line for line in file if line.startswith("CapBnd")).split()[1], 16)
        for kind in ("bounding", "effective", "permitted", "inheritable", "ambient"):
            theirs, own = (set(document["process"]["capabilities"].get(kind, [])) for document in (docker, ours))
            self.assertLessEqual(own - theirs, {"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"}, "younger than it")
            if held == (1 << held.bit_length()) - 1:
                self.assertEqual(theirs - own, set(), kind)
            if len(own) < 20:
                self.assertEqual(theirs, own, kind)
        self.assertEqual(docker["process"].get("noNewPrivileges", False), ours["process"]["noNewPrivileges"])
        theirs, own = (document["process"]["user"] for document in (docker, ours))
        self.assertEqual((theirs["uid"], theirs["gid"], set(theirs.get("additionalGids", []))),
                         (own["uid"], own["gid"], set(own["additionalGids"])))

    def test_rights(self):
        self.each(self.compare_rights)

    def calls(self, document):
        """Each call with the rules that allow it."""
        table = {}
        for rule in document["linux"].get("seccomp", {}).get("syscalls", []):
            arguments = frozenset((a["index"], a["value"], a.get("valueTwo", 0), a["op"]) for a in rule.get("args") or [])
            for name in rule["names"]:
                table.setdefault(name, set()).add((rule["action"], rule.get("errnoRet"), arguments))
        return table

    def compare_seccomp(self, docker, ours):
        self.assertEqual("seccomp" in docker["linux"], "seccomp" in ours["linux"])
        if "seccomp" not in docker["linux"]:
            return
        for key in ("defaultAction", "architectures"):
            self.assertEqual(docker["linux"]["seccomp"][key], ours["linux"]["seccomp"][key])
        theirs, own = self.calls(docker), self.calls(ours)
        self.assertEqual(set(own) - set(theirs) - self.NEWER, set(), "nothing that Docker refuses")
        self.assertEqual(set(theirs) - set(own), self.STRICTER)
        different = {name for name in theirs if name in own and theirs[name] != own[name]}
        self.assertLessEqual(different, {"socket"})
        families = {value for rule in own["socket"] for _, value, _, op in rule[2] if op == "SCMP_CMP_EQ"}
        self.assertEqual(families & {38, 40}, set(), "AF_ALG and AF_VSOCK")

    def test_seccomp(self):
        self.each(self.compare_seccomp)

    def compare_paths(self, docker, ours):
        theirs, own = (set(document["linux"].get("maskedPaths") or []) for document in (docker, ours))
        self.assertLessEqual(own - theirs, {"/proc/interrupts", "/sys/devices/virtual/powercap"}, "which it has by now")
        self.assertEqual(theirs - own, set())
        theirs, own = (set(document["linux"].get("readonlyPaths") or []) for document in (docker, ours))
        self.assertEqual(theirs, own)

    def test_paths(self):
        self.each(self.compare_paths)

    def compare_namespaces(self, docker, ours):
        theirs, own = ({n["type"] for n in document["linux"]["namespaces"]} for document in (docker, ours))
        self.assertEqual(theirs, own)
        self.assertEqual(docker["linux"].get("sysctl"), ours["linux"].get("sysctl"))

    def test_namespaces(self):
        self.each(self.compare_namespaces)

    def compare_mounts(self, docker, ours):
        """Docker has the shared memory of a container that others may join in a directory of its own."""
        theirs, own = ({m["destination"]: (m["type"], frozenset(m["options"]) - {"rw"}) for m in document["mounts"]}
                       for document in (docker, ours))
        self.assertEqual(set(theirs), set(own))
        shared = theirs.get("/dev/shm", ("tmpfs",))[0] != "tmpfs"
        self.assertEqual({path for path in theirs if theirs[path] != own[path]}, {"/dev/shm"} if shared else set())
        self.assertEqual(docker["root"].get("readonly", False), ours["root"]["readonly"])

    def test_mounts(self):
        self.each(self.compare_mounts)


class Devices(WcctlCase):
    READ = "head -c 1 {0} >/dev/null 2>&1 && echo read || echo refused"

    def test_only_those_of_dockers_list_are_there(self):
        seen = set(self.output("--", "ls", "/dev").split())
        self.assertEqual(seen - {"core"}, {"fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
                                "stdout", "tty", "urandom", "zero"})

    @not_rootless  # who cannot make any
    def test_devices_that_are_made_cannot_be_opened(self):
        major, minor = next((os.major(os.stat(p).st_rdev), os.minor(os.stat(p).st_rdev))
                            for p in sorted(glob.glob("/dev/[svx]*da") + glob.glob("/dev/nvme*n1") + glob.glob("/dev/loop0"))
                            + ["/dev/null"])
        for node in (f"b {major} {minor}", "c 1 1", "c 1 2", "c 1 4", "c 1 11", "c 10 237", "c 10 200", "c 10 229"):
            made = self.output("--", "sh", "-c", f"mknod /tmp/node {node} && " + self.READ.format("/tmp/node"))
            self.assertEqual(made, "refused\n", node)
        for node in ("c 1 3", "c 1 5"):
            self.assertEqual(self.output("--", "sh", "-c", f"mknod /tmp/node {node} && : </tmp/node && echo open"), "open\n")

    def test_without_the_right_none_is_made(self):
        done = self.run_box("--cap-drop", "MKNOD", "--", "mknod", "/tmp/node", "c", "1", "3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not permitted", done.stderr)

    def test_the_kernel_cannot_be_changed(self):
        for command in ("mount -t tmpfs tmpfs /tmp", "mount -o remount,rw /sys", "umount /proc/kcore", "umount /proc/bus",
                        "echo 1 >/proc/sys/kernel/panic", "echo b >/proc/sysrq-trigger", "echo c >/sys/kernel/uevent_helper",
                        "test ! -d /sys/fs/cgroup/memory && mkdir /sys/fs/cgroup/mine || mkdir /sys/fs/cgroup/memory/mine",
                        "hwclock -w", "adjtimex -t 10001", "unshare -m true",
                        "chroot /proc/1/root sh -c 'mount -t proc p /tmp'", "ip link add d type dummy", "dmesg -c"):
            with self.subTest(command):
                self.assertNotEqual(self.run_box("--", "sh", "-c", command).returncode, 0)


class Images(WcctlCase):
    """Images whose links lead to the host."""

    def setUp(self):
        self.outside = f"{self.work}/outside"
        shutil.rmtree(self.outside, ignore_errors=True)
        os.makedirs(self.outside)
        for name, text in (("passwd", "root:x:4242:4242::/:/bin/sh\nhost:x:4243:4243::/:/bin/sh\n"),
                           ("group", "host:x:4244:\n"), ("hosts", "of the host\n")):
            with open(f"{self.outside}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        self.before = self.look()

    def look(self):
        return {name: read(f"{self.outside}/{name}") for name in sorted(os.listdir(self.outside))}

    def image(self, name, replace):
        """The usual image with links in place of what has these names, and of what lies below."""
        source = tarfile.open(fileobj=io.BytesIO(usual_layer(self.layout)))
        with tarfile.open(f"{self.work}/{name}.tar", "w") as tar:
            for member in source:
                if not any(member.name == path or member.name.startswith(path + "/") for path in replace):
                    tar.addfile(member, source.extractfile(member) if member.isreg() else None)
            for path, target in replace.items():
                link = tarfile.TarInfo(path)
                link.type, link.linkname = tarfile.SYMTYPE, target
                tar.addfile(link)
        self.wcctl_ok("import", f"{self.work}/{name}.tar", name)
        return name

    def run_image(self, image, *words):
        options, command = words[:words.index("--")], words[words.index("--") + 1:]
        return self.wcctl("run", "--rm", "--network", "none", *options, image, *command)

    def targets(self):
        up = "/".join([".."] * 20)
        return self.outside, up + self.outside, "/proc/1/root" + self.outside, "/proc/self/cwd/../../../../../../" + self.outside

    def test_passwd_and_group(self):
        for number, target in enumerate(self.targets()):
            image = self.image(f"users{number}", {"etc/passwd": f"{target}/passwd", "etc/group": f"{target}/group"})
            self.assertEqual(self.run_image(image, "--", "/bin/id", "-u").stdout, "0\n")
            for option in (("-u", "host"), ("--group-add", "host"), ("-u", "0:host")):
                done = self.run_image(image, *option, "--", "/bin/id")
                self.assertEqual((done.returncode, done.stdout), (125, ""), done.stderr)
        self.assertEqual(self.look(), self.before)

    def test_the_directory_of_them(self):
        for number, target in enumerate(self.targets()):
            image = self.image(f"etc{number}", {"etc": target})
            self.assertFails(self.run_image(image, "-u", "host", "--", "/bin/id"), 125, "host")
            done = self.run_image(image, "--", "/bin/sh", "-c", "echo changed >>/etc/hosts; echo new >/etc/new; id -u")
            self.assertNotIn("4242", done.stdout)
            self.assertEqual(self.look(), self.before, "written neither by us nor by the container")

    def test_directories_of_the_system(self):
        for path in ("proc", "sys", "dev", "tmp", "root"):
            with self.subTest(path):
                image = self.image(f"system-{path}", {path: self.outside})
                self.run_image(image, "-w", "/root", "-v", f"{self.work}/layout:/tmp/layout:ro", "--", "/bin/true")
                self.assertEqual(self.look(), self.before)

    def test_programs_that_begin_the_container(self):
        """The runtime and our helper, which stand behind /proc/PID/exe for a moment."""
        programs = [find(os.environ.get("WC_TEST_RUNTIME", "runc")) or find("crun"), f"{BUILD}/libexec/wincontainer/wc-helper"]
        sums = [hashlib.sha256(read(path)).hexdigest() for path in programs]
        attack = ("touch /tmp/ready; while :; do for p in /proc/[0-9]*; do case $(readlink $p/exe) in /bin/*|'') ;; "
                  "*) echo seen >>/tmp/seen; (echo '#!/bin/true' >$p/exe) 2>>/tmp/errors && echo written >>/tmp/won;; "
                  "esac; done; done")
        for options in ((), ("--pid", "host")):
            self.wcctl_ok("run", "-d", "--name", "attacker", "--network", "none", *options, "box", "sh", "-c", attack)
            for _ in range(100):
                if self.wcctl("exec", "attacker", "test", "-e", "/tmp/ready").returncode == 0:
                    break
            for _ in range(15):
                self.wcctl("exec", "attacker", "/proc/self/exe")
                self.wcctl("exec", "attacker", "true")
            self.assertEqual(self.wcctl_ok("exec", "attacker", "sh", "-c", "cat /tmp/won 2>/dev/null | wc -l").stdout, "0\n")
            self.assertEqual([hashlib.sha256(read(path)).hexdigest() for path in programs], sums)
            self.wcctl_ok("rm", "-f", "attacker")

    def test_processes_of_the_host_are_seen_and_no_more(self):
        name = self.wcctl_ok("run", "-d", "--network", "none", "--pid", "host", "box", "sleep", "100").stdout.strip()
        with open(f"/proc/{self.state(name)['Pid']}/stat", encoding="utf-8") as file:
            monitor = file.read().rsplit(")", 1)[1].split()[1]
        for what in ("ls /proc/{0}/root/", "readlink /proc/{0}/fd/0", "readlink /proc/{0}/exe", "cat /proc/{0}/environ", "cat /proc/{0}/maps",
                     "cat /proc/{0}/cwd/config.json"):
            for pid in ("1", monitor):
                done = self.wcctl("exec", name, "sh", "-c", what.format(pid))
                self.assertEqual(done.stdout, "", what)
                self.assertNotEqual(done.returncode, 0, what)
        self.assertEqual(self.wcctl("exec", name, "test", "-d", f"/proc/{monitor}").returncode, 0, "it is there")


if os.environ.get("WC_TEST_RUNTIME"):
    del LikeDocker  # the documents are the same for every runtime

if __name__ == "__main__":
    need_runtime()
    named_skips.main()
