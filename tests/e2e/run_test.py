#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`wcctl run` and its family on the real backend: what each option does inside the container."""
import contextlib
import fcntl
import glob
import gzip
import io
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tarfile
import termios
import time
import unittest

from wcctl_case import BUILD, SOURCE, WcctlCase, find, is_rootless, need_runtime, not_rootless

import named_skips  # found where wcctl_case looks


class Streams(WcctlCase):
    def test_output_and_errors_apart_and_exit_code(self):
        done = self.run_box("--", "sh", "-c", "echo out; echo err >&2; exit 42")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("out\n", "err\n", 42))

    def test_stdin(self):
        self.assertEqual(self.output("-i", "--", "cat", stdin="one\ntwo"), "one\ntwo")
        self.assertEqual(self.output("--", "cat", stdin="ignored"), "")

    def test_large_stdin_comes_back_whole(self):
        data = os.urandom(8 << 20)
        done = self.run_box("-i", "--", "cat", stdin=data, text=False)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout == data, f"{len(done.stdout)} of {len(data)} bytes came back")

    def test_large_output(self):
        done = self.run_box("--", "sh", "-c", "seq 1 400000")
        self.assertEqual(done.stdout.count("\n"), 400000)
        self.assertTrue(done.stdout.endswith("\n400000\n"))

    def test_terminal(self):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 117, 0, 0))
        child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "run", "--rm", "-it", "--network", "none",
                                  "box", "sh", "-c", "test -t 0 && test -t 1 && stty size; read x; echo got $x"],
                                 stdin=slave, stdout=slave, stderr=slave, close_fds=True)
        os.close(slave)
        time.sleep(0.5)
        os.write(master, b"word\n")
        text = b""
        try:
            while chunk := os.read(master, 4096):
                text += chunk
        except OSError:
            pass
        self.assertEqual(child.wait(20), 0, text)
        self.assertIn(b"got word", text)
        self.assertIn(b"31 117", text, "the size is right from the start")

    def test_terminal_of_exec(self):
        self.wcctl_ok("run", "-d", "--name", "term", "--network", "none", "box", "sleep", "100")
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 32, 118, 0, 0))
        # crun lets a further process go before it hands its terminal over: we cannot tell it the size earlier.
        late = "sleep 1; " if os.environ.get("WC_TEST_RUNTIME") == "crun" else ""
        done = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "exec", "-it", "term", "sh", "-c",
                               f"{late}stty size"], stdin=slave, stdout=slave, stderr=slave, timeout=20)
        os.close(slave)
        self.assertEqual((done.returncode, os.read(master, 4096)), (0, b"32 118\r\n"))
        os.close(master)


class Detaching(WcctlCase):
    """Keys that let go of a terminal."""
    RAW = "stty raw -echo; echo ready; od -An -v -tx1 -w1"

    def setUp(self):
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)

    def begin(self, *words):
        child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, *words], stdin=self.slave,
                                 stdout=self.slave, stderr=self.slave, close_fds=True)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def expect(self, text):
        seen = b""
        while text not in seen:
            self.assertTrue(select.select([self.master], [], [], 20)[0], f"{text} did not come: {seen}")
            seen += os.read(self.master, 4096)
        return seen

    def type(self, keys):
        os.write(self.master, keys)

    def run_raw(self, *options, name="raw"):
        child = self.begin("run", "-it", "--name", name, "--network", "none", *options, "box", "sh", "-c", self.RAW)
        self.expect(b"ready")
        return child

    def assertDetached(self, child, name="raw"):
        self.expect(b"detached")
        self.assertEqual(child.wait(20), 0)
        self.assertEqual(self.state(name)["Status"], "running")
        self.assertTrue(termios.tcgetattr(self.slave)[3] & termios.ICANON, "the terminal is as it was")

    def test_default_keys_of_run_and_attach(self):
        child = self.run_raw("--rm")
        self.type(b"\x10\x11")
        self.assertDetached(child)
        child = self.begin("attach", "raw")
        time.sleep(0.5)
        self.type(b"A")
        self.expect(b"41")
        self.type(b"\x10")
        time.sleep(0.2)
        self.type(b"\x11")
        self.assertDetached(child)

    def test_keys_that_are_not_the_sequence_go_to_the_container(self):
        child = self.run_raw()
        self.type(b"\x10A\x11\x10\x10B")
        self.expect(b"42")
        self.type(b"\x10\x10\x11")
        self.assertDetached(child)
        self.assertLogs("raw", ["ready", "10", "41", "11", "10", "10", "42", "10"])

    def test_own_keys(self):
        child = self.run_raw("--detach-keys", "ctrl-a,d")
        self.type(b"\x10\x11\x01x")
        self.expect(b"78")
        self.type(b"\x01d")
        self.assertDetached(child)
        self.assertLogs("raw", ["ready", "10", "11", "01", "78"])

    def test_no_keys(self):
        child = self.run_raw("--detach-keys", "")
        self.type(b"\x10\x11")
        self.expect(b"11")
        self.assertIsNone(child.poll())

    def test_start_of_what_runs(self):
        """As Docker does: it goes on, and its name is printed."""
        self.wcctl_ok("run", "-d", "--name", "going", "--network", "none", "box", "sh", "-c",
                      "while true; do echo tick; sleep 0.1; done")
        before = self.state("going")
        self.assertEqual(self.wcctl_ok("start", "going").stdout, "going\n")
        self.assertEqual(self.state("going"), before)
        # With -a one is there until it ends.
        with subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "start", "-a", "going"], stdout=subprocess.PIPE) as child:
            self.assertEqual(child.stdout.readline(), b"tick\n")
            self.wcctl_ok("kill", "going")
            child.stdout.read()
        self.assertEqual(child.returncode, 137)
        self.wcctl_ok("start", "going")
        self.assertNotEqual(self.state("going")["StartedAt"], before["StartedAt"])

    def test_exec_and_start(self):
        self.wcctl_ok("create", "-it", "--name", "raw", "--network", "none", "box", "sh", "-c", self.RAW)
        child = self.begin("start", "-ai", "raw")
        self.expect(b"ready")
        self.type(b"\x10\x11")
        self.assertDetached(child)
        child = self.begin("exec", "-it", "raw", "sh", "-c", self.RAW)
        self.expect(b"ready")
        self.type(b"\x10\x11")
        self.assertDetached(child)

    def test_wrong_keys_are_refused(self):
        for keys in ("ctrl-", "ctrl-1", "ab", "a,,b", "a,", ",", ",".join("a" * 17)):
            done = self.wcctl("run", "-it", "--name", "raw", "--detach-keys", keys, "box")
            self.assertFails(done, 125, "--detach-keys", f"'{keys}'", "ctrl-LETTER")

    def test_bytes_from_a_pipe_are_no_keys(self):
        self.assertEqual(self.output("-i", "--", "od", "-An", "-tx1", stdin="\x10\x11").split(), ["10", "11"])


class ExitCodes(WcctlCase):
    def test_command_not_found(self):
        self.assertFails(self.run_box("--", "/no/such"), 127, "/no/such")
        self.assertFails(self.run_box("--", "nosuch"), 127, "nosuch")

    def test_command_not_executable(self):
        self.assertFails(self.run_box("--", "/etc/passwd"), 126, "/etc/passwd")
        self.assertFails(self.run_box("--", "/etc"), 126, "/etc")

    def test_failed_start_is_recorded(self):
        for name, command, code in (("none", "nosuch", 127), ("data", "/etc/passwd", 126)):
            done = self.wcctl("run", "--name", name, "--network", "none", "box", command)
            self.assertFails(done, code, command)
            state = self.state(name)
            self.assertEqual((state["Status"], state["ExitCode"]), ("created", code))
            self.assertIn(command, state["Error"])
            self.assertEqual(self.wcctl_ok("wait", name).stdout, f"{code}\n")

    def test_our_own_errors(self):
        self.assertFails(self.wcctl("run", "--pull", "never", "nosuch"), 125, "nosuch")
        self.assertFails(self.wcctl("run", "--nosuch", "box"), 125, "--nosuch")
        self.assertFails(self.wcctl("run", "--network", "nosuch", "box"), 125, "nosuch")
        self.assertFails(self.run_box("--mount", "type=bind,source=/no/such/path,target=/x", "--", "true"), 125, "/no/such/path")
        self.assertFails(self.run_box("--user", "nobodyhere", "--", "true"), 125, "nobodyhere")
        self.assertFails(self.run_box("--isolation", "hyperv", "--", "true"), 125, "hyperv")
        self.assertEqual(self.wcctl_ok("ps", "-a", "-q").stdout, "", "a failed run leaves no container")

    def test_missing_runtime_is_named(self):
        done = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "--runtime", "/no/runtime", "run", "--rm",
                               "--network", "none", "box", "true"], capture_output=True, text=True)
        self.assertFails(done, 125, "/no/runtime")

    def test_info_says_whether_containers_would_start(self):
        def process(*options):
            info = json.loads(self.wcctl_ok(*options, "--json", "system", "info").stdout)
            return next(b for b in info["Backends"] if b["Name"] == "process")
        self.assertTrue(process()["Available"])
        self.assertNotIn("Reason", process())
        for options in (["--runtime", "/no/runtime"], ["--helper", "/no/helper"]):
            self.assertFalse(process(*options)["Available"])
            self.assertIn(options[1], process(*options)["Reason"])

    def test_unknown_filter_is_refused_also_when_there_is_nothing(self):
        self.assertFails(self.wcctl("ps", "-f", "bogus=1"), 125, "bogus=1", "label")
        self.assertFails(self.wcctl("ps", "-f", "name"), 125, "name", "KEY=VALUE")

    def test_unknown_backend_is_refused_at_once(self):
        self.assertFails(self.wcctl("--backend", "bogus", "ps"), 125, "bogus")


class Runtimes(WcctlCase):
    """The runtime is chosen by what works here."""
    UNIFIED = "/sys/fs/cgroup/unified"

    def runtimes(self, **more):
        info = json.loads(self.wcctl_ok("--json", "system", "info", **more).stdout)
        process = next(b for b in info["Backends"] if b["Name"] == "process")
        return {r["name"]: r for r in process["runtimes"]}

    def used(self, **more):
        return [name for name, r in self.runtimes(**more).items() if r["used"]]

    def path_with(self, name, script):
        """An environment in which a program of that name comes first."""
        with open(f"{self.work}/{name}", "w", encoding="utf-8") as f:
            f.write(script)
        os.chmod(f"{self.work}/{name}", 0o755)
        self.addCleanup(os.remove, f"{self.work}/{name}")
        return dict(os.environ, PATH=f"{self.work}:{os.environ['PATH']}:/usr/sbin:/sbin")

    def is_mixed(self):
        try:
            with open(f"{self.UNIFIED}/cgroup.controllers", encoding="utf-8") as f:
                return f.read().strip() != ""
        except FileNotFoundError:
            return False

    def test_crun_is_passed_over_on_mixed_control_groups(self):
        crun = self.runtimes()["crun"]
        if not find("crun"):
            self.assertEqual((crun["path"], crun["used"]), (None, False))
            self.assertEqual(self.used(), ["runc"])
        elif self.is_mixed():
            self.assertFalse(crun["used"])
            self.assertIn("hybrid", crun["reason"])
            self.assertEqual(self.used(), ["runc"])
        else:
            self.assertTrue(crun["used"], crun)

    def test_the_expected_runtime_is_under_test(self):
        expected = os.environ.get("WC_TEST_RUNTIME")
        if expected:
            self.assertEqual(self.used(), [expected])

    def test_one_that_does_not_run_is_passed_over(self):
        if not find("runc"):
            self.skipTest("runc is not installed")
        env = self.path_with("crun", "#!/bin/sh\necho crun: no such library >&2\nexit 127\n")
        self.assertEqual(self.used(env=env), ["runc"])
        self.assertTrue(self.runtimes(env=env)["crun"]["reason"])
        self.assertEqual(self.output("--", "echo", "over runc", env=env), "over runc\n")

    def test_the_only_one_says_what_is_wrong_with_it(self):
        self.path_with("broken", "#!/bin/sh\necho broken: no such library >&2\nexit 127\n")
        done = self.wcctl("--runtime", f"{self.work}/broken", "run", "--rm", "--network", "none", "box", "true")
        self.assertFails(done, 125, "broken: no such library")


class ImageVolumes(WcctlCase):
    """Volumes that the image declares begin with what it has there."""

    @classmethod
    def make_image(cls, name, *paths):
        layout = f"{cls.work}/{name}"
        volumes = [word for path in paths for word in ("--volume", path)]
        subprocess.run([sys.executable, f"{SOURCE}/tests/support/busybox_image.py", layout, name, *volumes], check=True)
        cls.wcctl_ok("pull", "-q", f"oci:{layout}:{name}")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_image("volumes", "/vol", "/../../new")
        cls.make_image("onfile", "/etc/passwd")

    def start(self, command):
        self.wcctl_ok("run", "-d", "--name", "vols", "--network", "none", "volumes", "sh", "-c", command)
        self.wcctl_ok("wait", "vols")
        return self.wcctl_ok("logs", "vols").stdout

    def test_content_and_attributes(self):
        look = ("stat -c '%n %F %a %u:%g %Y' /vol /vol/file /vol/sub /vol/sub/link /vol/pipe; "
                "readlink /vol/sub/link; cat /vol/file; echo; stat -c %h /vol/same; "
                "test /vol/file -ef /vol/sub/also && echo one; grep -c ' /vol ' /proc/mounts")
        self.assertEqual(self.start(look).splitlines(), [
            "/vol directory 2750 1000:2000 1600000000",
            "/vol/file regular file 4755 1000:2000 1600000000",
            "/vol/sub directory 700 1000:2000 1600000000",
            "/vol/sub/link symbolic link 777 1000:2000 1600000000",
            "/vol/pipe fifo 600 1000:2000 1600000000",
            "/etc/passwd", "from the image", "3", "one", "1"])
        place = glob.glob(f"{self.root}/volumes/*/data/file")
        if is_rootless():  # to whom it is a stranger's
            return
        self.assertEqual(os.getxattr(place[0], "user.note"), b"kept")

    def test_a_path_of_dots_stays_inside(self):
        self.assertEqual(self.start("ls /new; touch /new/x && grep -c ' /new ' /proc/mounts"), "1\n")
        self.assertFalse(os.path.exists("/new"))

    def test_later_starts_keep_what_was_written(self):
        self.start("echo mine >/vol/file; rm /vol/pipe; cat /vol/file; ls /vol")
        self.wcctl_ok("start", "vols")
        self.wcctl_ok("wait", "vols")
        self.assertEqual(self.wcctl_ok("logs", "vols").stdout, "mine\nfile\nsame\nsub\n" * 2)

    def volumes_of(self, name):
        return [m["Name"] for m in json.loads(self.wcctl_ok("inspect", name).stdout)[0]["Mounts"]]

    def test_a_copy_that_was_interrupted_is_made_again(self):
        self.wcctl_ok("create", "--name", "vols", "--network", "none", "volumes", "sh", "-c", "cat /vol/file; ls /vol")
        for name in self.volumes_of("vols"):
            os.makedirs(f"{self.root}/volumes/{name}/copy/half")
        self.wcctl_ok("start", "vols")
        self.wcctl_ok("wait", "vols")
        self.assertEqual(self.wcctl_ok("logs", "vols").stdout, "from the imagefile\npipe\nsame\nsub\n")

    def test_a_copy_that_was_whole_is_moved_on(self):
        self.wcctl_ok("create", "--name", "vols", "--network", "none", "volumes",
                       "sh", "-c", "cat /vol/*; stat -c %a /vol")
        for name in self.volumes_of("vols"):
            os.makedirs(f"{self.root}/volumes/{name}/whole", mode=0o711)
            for file, text in (("there", "other"), ("rest", "rest")):
                with open(f"{self.root}/volumes/{name}/whole/{file}", "w", encoding="utf-8") as out:
                    out.write(text + "\n")
            with open(f"{self.root}/volumes/{name}/data/there", "w", encoding="utf-8") as out:
                out.write("moved\n")
        self.wcctl_ok("start", "vols")
        self.wcctl_ok("wait", "vols")
        self.assertEqual(self.wcctl_ok("logs", "vols").stdout, "rest\nmoved\n711\n")
        self.assertEqual([os.listdir(f"{self.root}/volumes/{n}") for n in self.volumes_of("vols")], [["data"]] * 2)

    def test_copies_in_and_out_while_it_is_stopped(self):
        self.wcctl_ok("create", "--name", "vols", "--network", "none", "volumes",
                       "sh", "-c", "cat /vol/in /vol/file; touch /vol/made")
        with open(f"{self.work}/in", "w", encoding="utf-8") as file:
            file.write("copied in\n")
        self.wcctl_ok("cp", f"{self.work}/in", "vols:/vol/in")
        self.wcctl_ok("cp", "vols:/vol/file", f"{self.work}/out")
        with open(f"{self.work}/out", encoding="utf-8") as file:
            self.assertEqual(file.read(), "from the image")
        self.wcctl_ok("start", "vols")
        self.wcctl_ok("wait", "vols")
        self.assertEqual(self.wcctl_ok("logs", "vols").stdout, "copied in\nfrom the image")
        self.wcctl_ok("cp", "vols:/vol", f"{self.work}/whole")
        self.assertEqual(sorted(os.listdir(f"{self.work}/whole")), ["file", "in", "made", "pipe", "same", "sub"])
        with open("/proc/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(self.work, mounts.read())

    def test_they_go_with_the_container_when_that_is_wished(self):
        self.start("true")
        name = self.volumes_of("vols")[0]
        self.wcctl_ok("rm", "vols")
        self.assertTrue(os.path.isdir(f"{self.root}/volumes/{name}"))
        self.wcctl_ok("volume", "prune", "-f")
        self.start("true")
        self.wcctl_ok("rm", "-v", "vols")
        self.wcctl_ok("run", "--rm", "--network", "none", "volumes", "true")
        self.assertEqual((os.listdir(f"{self.root}/containers"), os.listdir(f"{self.root}/volumes")), ([], []))

    def test_a_mount_of_the_user_comes_first(self):
        os.makedirs(f"{self.work}/own", exist_ok=True)
        done = self.wcctl_ok("run", "--rm", "--network", "none", "-v", f"{self.work}/own:/vol", "volumes", "ls", "/vol")
        self.assertEqual(done.stdout, "")

    def test_a_file_in_its_place_is_named(self):
        done = self.wcctl("run", "--name", "onfile", "--network", "none", "onfile", "true")
        self.assertFails(done, 125, "/etc/passwd", "a file")
        self.assertEqual(self.state("onfile")["ExitCode"], 128)


class Options(WcctlCase):
    def test_env(self):
        out = self.output("-e", "A=1", "-e", "B=two words", "-e", "PASSED", "-e", "ABSENT", "--", "env",
                          env={**os.environ, "PASSED": "on"})
        self.assertIn("A=1\n", out)
        self.assertIn("B=two words\n", out)
        self.assertIn("PASSED=on\n", out)
        self.assertIn("PATH=/bin\n", out)
        self.assertNotIn("ABSENT", out)

    def test_entrypoint(self):
        self.assertEqual(self.output("--entrypoint", "echo", "--", "a", "b"), "a b\n")

    def test_workdir_is_made(self):
        self.assertEqual(self.output("-w", "/made/for/us", "--", "pwd"), "/made/for/us\n")

    def test_user(self):
        self.assertEqual(self.output("-u", "wc", "--", "id"), "uid=1000(wc) gid=1000(wc) groups=1000(wc),2000(extra)\n")
        self.assertIn("uid=4321 gid=1234", self.output("-u", "4321:1234", "--", "id"))
        self.assertIn("HOME=/home/wc", self.output("-u", "wc", "--", "env"))

    def test_bad_users(self):
        for user in ("4294967296", "-1", "1:-1"):
            self.assertFails(self.run_box(f"--user={user}", "--", "true"), 125, user.split(":")[-1])

    def test_hostname(self):
        self.assertEqual(self.output("-h", "somehost", "--", "hostname"), "somehost\n")
        self.assertRegex(self.output("--", "hostname"), r"^[0-9a-f]{12}\n$")

    def test_read_only(self):
        done = self.run_box("--read-only", "--", "touch", "/x")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Read-only", done.stderr)
        self.assertEqual(self.output("--read-only", "--tmpfs", "/tmp", "--", "sh", "-c", "echo x >/tmp/x; cat /tmp/x"), "x\n")

    def test_bind_mounts(self):
        path = f"{self.work}/bind"
        os.makedirs(path, exist_ok=True)
        with open(f"{path}/from-host", "w", encoding="utf-8") as file:
            file.write("hello\n")
        self.assertEqual(self.output("-v", f"{path}:/deep/in/it", "--", "cat", "/deep/in/it/from-host"), "hello\n")
        self.output("-v", f"{path}:/mnt", "--", "touch", "/mnt/from-box")
        self.assertTrue(os.path.exists(f"{path}/from-box"))
        done = self.run_box("-v", f"{path}:/mnt:ro", "--", "touch", "/mnt/no")
        self.assertIn("Read-only", done.stderr)
        self.output("--mount", f"type=bind,source={path},target=/m,readonly", "--", "test", "-e", "/m/from-host")

    def test_tmpfs_options(self):
        out = self.output("--tmpfs", "/t:size=1m,mode=1777", "--", "sh", "-c", "stat -c %a /t; df -k /t | tail -1 | awk '{print $2}'")
        self.assertEqual(out, "1777\n1024\n")

    def test_init(self):
        if not any(find(p) for p in ("docker-init", "tini", "catatonit")):
            self.skipTest("no init program (tini)")
        self.assertIn("sh", self.output("--init", "--", "sh", "-c", "cat /proc/$$/comm; test $$ -ne 1"))

    @not_rootless
    def test_limits(self):
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            v1 = ":memory:" in file.read()
        base = "/sys/fs/cgroup/memory/" if v1 else "/sys/fs/cgroup/"
        if not os.path.exists(base + ("memory.limit_in_bytes" if v1 else "memory.max")) and not v1:
            self.skipTest("no memory controller")
        name = self.wcctl_ok("run", "-d", "--network", "none", "--memory", "32m", "--pids-limit", "17", "--cpus", "0.5",
                             "box", "sleep", "100").stdout.strip()
        pid = self.state(name)["Pid"]
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            groups = {line.split(":")[1]: line.strip().split(":")[2] for line in file}

        def value(controller, v1_file, v2_file):
            path = (f"/sys/fs/cgroup/{controller}{groups[controller]}/{v1_file}" if controller in groups
                    else f"/sys/fs/cgroup{groups['']}/{v2_file}")
            with open(path, encoding="utf-8") as file:
                return file.read().strip()
        self.assertEqual(value("memory", "memory.limit_in_bytes", "memory.max"), str(32 << 20))
        self.assertEqual(value("pids", "pids.max", "pids.max"), "17")
        self.assertIn(value("cpu", "cpu.cfs_quota_us", "cpu.max").split()[0], ("50000",))

    @not_rootless
    def test_out_of_memory_kills(self):
        done = self.run_box("--memory", "16m", "--memory-swap", "16m", "--", "sh", "-c",
                            "x=a; while true; do x=$x$x; done")
        self.assertEqual(done.returncode, 137, done.stderr)

    def test_ulimit(self):
        self.assertEqual(self.output("--ulimit", "nofile=99:100", "--", "sh", "-c", "ulimit -n; ulimit -Hn"), "99\n100\n")

    def capabilities(self, *options):
        text = self.output(*options, "--", "grep", "CapEff", "/proc/self/status")
        return int(text.split()[1], 16)

    def test_capabilities(self):
        self.assertEqual(self.capabilities(), 0xa80425fb, "Docker's default set")
        self.assertEqual(self.capabilities("--cap-drop", "ALL"), 0)
        self.assertEqual(self.capabilities("--cap-drop", "ALL", "--cap-add", "NET_ADMIN"), 1 << 12)
        self.assertEqual(self.capabilities("--cap-add", "CAP_SYS_TIME"), 0xa80425fb | 1 << 25)
        self.assertFails(self.run_box("--cap-add", "NOSUCH", "--", "true"), 125, "NOSUCH")

    def test_seccomp(self):
        self.assertIn("Seccomp:\t2", self.output("--", "cat", "/proc/self/status"))
        self.assertIn("Seccomp:\t0", self.output("--security-opt", "seccomp=unconfined", "--", "cat", "/proc/self/status"))
        self.assertNotEqual(self.run_box("--", "unshare", "-U", "true").returncode, 0)

    def test_no_new_privileges(self):
        self.assertIn("NoNewPrivs:\t1", self.output("--security-opt", "no-new-privileges", "--", "cat", "/proc/self/status"))

    def test_masked_and_privileged(self):
        self.assertEqual(self.output("--", "sh", "-c", "cat /proc/kcore | wc -c").strip(), "0")
        self.assertNotEqual(self.run_box("--", "sh", "-c", "echo 1 >/proc/sys/kernel/panic").returncode, 0)
        self.assertIn("Seccomp:\t0", self.output("--privileged", "--", "cat", "/proc/self/status"))

    def test_network_modes(self):
        self.assertEqual(self.output("--", "ls", "/sys/class/net").split(), ["lo"])
        self.assertIn("UP", self.output("--", "ip", "addr", "show", "lo"))
        host = self.wcctl_ok("run", "--rm", "--network", "host", "box", "readlink", "/proc/self/ns/net").stdout.strip()
        self.assertEqual(host, os.readlink("/proc/self/ns/net"))

    def test_labels_and_inspect(self):
        name = self.wcctl_ok("create", "--name", "labelled", "-l", "a=b", "--network", "none", "box", "true").stdout.strip()
        document = json.loads(self.wcctl_ok("inspect", "labelled").stdout)[0]
        self.assertEqual(document["Id"], name)
        self.assertEqual(document["Name"], "/labelled")
        self.assertEqual(document["Config"]["Labels"], {"a": "b", "org.example.kind": "test"})
        self.assertEqual(document["State"]["Status"], "created")
        self.assertEqual(self.wcctl_ok("ps", "-a", "-q", "--no-trunc", "-f", "label=a=b").stdout.strip(), name)
        self.assertEqual(self.wcctl_ok("ps", "-a", "-q", "-f", "label=a=c").stdout, "")

    def test_names(self):
        self.wcctl_ok("create", "--name", "taken", "--network", "none", "box")
        self.assertFails(self.wcctl("create", "--name", "taken", "box"), 125, "taken")
        self.assertFails(self.wcctl("create", "--name", "-bad name", "box"), 125, "-bad name")

    def test_cidfile_that_cannot_be_written(self):
        before = self.wcctl_ok("ps", "-a", "-q").stdout
        for path in (f"{self.work}/nowhere/cid", self.work):
            self.assertEqual(self.wcctl("create", "--cidfile", path, "box").returncode, 125)
        self.assertEqual(self.wcctl_ok("ps", "-a", "-q").stdout, before)
        self.assertNotEqual(self.wcctl("create", "--cidfile", f"{self.work}/cid-none", "--memory", "1", "box").returncode, 0)
        self.assertFalse(os.path.exists(f"{self.work}/cid-none"))

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "run", "--network", "none", "box",
                                   "echo", "hi"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 125)
        self.assertIn("No space left", done.stderr)

    def test_cidfile(self):
        path = f"{self.work}/cid"
        name = self.wcctl_ok("create", "--cidfile", path, "box").stdout.strip()
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read().strip(), name)


class Life(WcctlCase):
    def start(self, *command, options=()):
        return self.wcctl_ok("run", "-d", "--network", "none", *options, "box", *command).stdout.strip()

    def test_detached_outlives_and_is_found(self):
        name = self.start("sh", "-c", "echo begun; sleep 1; echo done; exit 5")
        self.assertRegex(self.wcctl_ok("ps").stdout, name[:12])
        self.assertEqual(self.wcctl_ok("wait", name).stdout, "5\n")
        self.assertEqual(self.wcctl_ok("logs", name).stdout, "begun\ndone\n")
        self.assertIn("Exited (5)", self.wcctl_ok("ps", "-a").stdout)

    def test_logs(self):
        name = self.start("sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done; echo oops >&2")
        self.wcctl_ok("wait", name)
        done = self.wcctl_ok("logs", name)
        self.assertEqual((done.stdout, done.stderr), ("".join(f"line {i}\n" for i in range(1, 6)), "oops\n"))
        self.assertEqual(self.wcctl_ok("logs", "-n", "3", name).stdout, "line 4\nline 5\n")
        self.assertRegex(self.wcctl_ok("logs", "-t", "-n", "1", name).stderr, r"^\d{4}-\d\d-\d\dT[\d:.]{18}Z oops\n$")
        self.assertEqual(self.wcctl_ok("logs", "--since", "2100-01-01T00:00:00Z", name).stdout, "")

    def test_logs_keep_the_order_of_the_streams(self):
        self.wcctl_ok("run", "--name", "both", "--network", "none", "box", "sh", "-c",
                      "for i in 1 2 3; do echo o$i; sleep 0.05; echo e$i >&2; sleep 0.05; done")
        done = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "logs", "both"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
        self.assertEqual(done.stdout.split(), ["o1", "e1", "o2", "e2", "o3", "e3"])

    def test_logs_follow(self):
        name = self.start("sh", "-c", "echo a; sleep 0.7; echo b")
        begun = time.monotonic()
        self.assertEqual(self.wcctl_ok("logs", "-f", name).stdout, "a\nb\n")
        self.assertLess(time.monotonic() - begun, 10)

    def test_interrupted_by_the_user(self):
        name = self.start("sh", "-c", "trap '' TERM; echo begun; while true; do sleep 0.1; done")
        for words in (["wait", name], ["wait", name, "other"], ["logs", "-f", name], ["events"], ["stop", "-t", "50", name]):
            with self.subTest(words=words):
                child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, *words], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                time.sleep(0.5)
                child.send_signal(signal.SIGINT)
                said = child.communicate(timeout=10)[1]
                self.assertEqual((child.returncode, said.count("\n")), (130, 1), said)

    def test_stop_is_polite_then_firm(self):
        name = self.start("sh", "-c", "trap 'echo bye; exit 9' TERM; while true; do sleep 0.1; done")
        time.sleep(0.3)
        self.wcctl_ok("stop", name)
        self.assertEqual(self.wcctl_ok("wait", name).stdout, "9\n")
        stubborn = self.start("sh", "-c", "trap '' TERM; while true; do sleep 0.1; done")
        time.sleep(0.3)
        begun = time.monotonic()
        self.wcctl_ok("stop", "-t", "1", stubborn)
        self.assertTrue(0.9 < time.monotonic() - begun < 9)
        self.assertEqual(self.wcctl_ok("wait", stubborn).stdout, "137\n")

    def test_stop_signal(self):
        name = self.start("sh", "-c", "trap 'exit 3' USR1; while true; do sleep 0.1; done", options=("--stop-signal", "USR1"))
        time.sleep(0.3)
        self.wcctl_ok("stop", name)
        self.assertEqual(self.wcctl_ok("wait", name).stdout, "3\n")

    def test_detached_exec_may_write(self):
        """What nobody reads is lost, and harms nobody."""
        name = self.start("sleep", "100")
        self.wcctl_ok("exec", "-d", name, "sh", "-c", "sleep 0.5; seq 100000; seq 100000 >&2; echo $? >/tmp/code; mv /tmp/code /tmp/end")
        self.wcctl_ok("exec", name, "sh", "-c", "until [ -e /tmp/end ]; do sleep 0.1; done")
        self.assertEqual(self.wcctl_ok("exec", name, "cat", "/tmp/end").stdout, "0\n")
        self.wcctl_ok("rm", "-f", name)

    def test_signals_may_be_ours_alone(self):
        child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "run", "--sig-proxy=false", "--name", "going",
                                  "--network", "none", "box", "sh", "-c", "trap 'exit 9' TERM; echo on; while :; do sleep 0.1; done"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.assertEqual(child.stdout.readline(), "on\n")
        child.terminate()
        self.assertEqual(child.wait(), -signal.SIGTERM)
        child.stdout.close()
        self.assertEqual(self.state("going")["Status"], "running")
        self.wcctl_ok("rm", "-f", "going")

    def test_input_ends_with_whom_it_came_from(self):
        """As with Docker, killed or not: what waits for the end of its input ends."""
        name = self.start("sleep", "1000")
        for words in (("exec", "-i", name), ("run", "--name", "once", "-i", "--network", "none", "box")):
            child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, *words, "sh", "-c", "cat; echo $? >/tmp/end; sleep 1000"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            child.stdin.write(b"begun\n")
            child.stdin.flush()
            self.assertEqual(child.stdout.readline(), b"begun\n")
            child.kill()
            child.wait()
            child.stdin.close()
            child.stdout.close()
            self.wcctl_ok("exec", name if words[0] == "exec" else "once", "sh", "-c", "until [ -s /tmp/end ]; do sleep 0.1; done",
                          timeout=30)
        self.wcctl_ok("rm", "-f", "once")

    def test_kill_and_states(self):
        name = self.start("sleep", "100")
        self.assertEqual(self.wcctl("rm", name).returncode, 1)
        self.assertEqual(self.wcctl("start", name).returncode in (0, 1), True)
        self.wcctl_ok("kill", name)
        self.assertEqual(self.state(name)["Status"], "exited")
        self.assertEqual(self.wcctl_ok("wait", name).stdout, "137\n")
        self.assertEqual(self.wcctl("kill", name).returncode, 1)
        self.wcctl_ok("rm", name)
        self.assertEqual(self.wcctl("inspect", name).returncode, 1)

    def test_restart_keeps_files(self):
        name = self.start("sh", "-c", "echo x >>/count; wc -l </count")
        self.wcctl_ok("wait", name)
        self.wcctl_ok("start", name)
        self.wcctl_ok("wait", name)
        self.assertEqual(self.wcctl_ok("logs", name).stdout.split(), ["1", "2"])

    def test_restart(self):
        for options in ((), ("--rm",)):
            with self.subTest(options=options):
                name = self.start("sh", "-c", "echo x >>/count; wc -l </count; sleep 100", options=options)
                self.assertLogs(name, ["1"])
                self.wcctl_ok("restart", "-t", "0", name)
                self.assertLogs(name, ["1", "2"])
                self.assertEqual(self.state(name)["Status"], "running")
                self.wcctl_ok("stop", "-t", "0", name)
                self.assertEqual(self.wcctl("inspect", name).returncode, 1 if options else 0)

    def test_start_attached(self):
        name = self.wcctl_ok("create", "--network", "none", "box", "sh", "-c", "echo hi; exit 4").stdout.strip()
        done = self.wcctl("start", "-a", name)
        self.assertEqual((done.stdout, done.returncode), ("hi\n", 4))

    def test_auto_remove_detached(self):
        name = self.start("sleep", "0.3", options=("--rm",))
        for _ in range(100):
            if self.wcctl("inspect", name).returncode:
                break
            time.sleep(0.05)
        self.assertEqual(self.wcctl_ok("ps", "-a", "-q").stdout, "")
        self.assertFalse(os.path.exists(f"{self.root}/containers/{name}"))

    def test_from_a_layout_at_once(self):
        for policy in ("missing", "always"):
            done = self.wcctl("run", "--rm", "-q", "--pull", policy, "--network", "none", f"oci:{self.layout}:box",
                              "echo", "hi")
            self.assertEqual((done.returncode, done.stdout), (0, "hi\n"), done.stderr)
        self.assertFails(self.wcctl("run", "--pull", "never", f"oci:{self.layout}:box"), 125, self.layout, "pull it")

    def test_exec(self):
        name = self.start("sleep", "100", options=("-e", "FROM=container"))
        done = self.wcctl("exec", name, "sh", "-c", "echo $FROM; echo e >&2; exit 6")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("container\n", "e\n", 6))
        self.assertEqual(self.wcctl_ok("exec", "-i", name, "cat", stdin="in").stdout, "in")
        self.assertEqual(self.wcctl_ok("exec", "-w", "/tmp", "-e", "X=1", "-u", "wc", name, "sh", "-c", "pwd; echo $X; id -u").stdout,
                         "/tmp\n1\n1000\n")
        self.assertFails(self.wcctl("exec", name, "nosuch"), 127, "nosuch")
        self.assertFails(self.wcctl("exec", name, "/etc/passwd"), 126, "/etc/passwd")
        self.wcctl_ok("kill", name)
        self.wcctl_ok("wait", name)
        self.assertFails(self.wcctl("exec", name, "true"), 125, "does not run")

    def test_attach(self):
        name = self.start("sh", "-c", "read line; echo got $line", options=("-i",))
        done = self.wcctl("attach", name, stdin="word\n")
        self.assertEqual((done.stdout, done.returncode), ("got word\n", 0))

    def test_events(self):
        name = self.start("true", options=("--name", "watched"))
        self.wcctl_ok("wait", name)
        self.wcctl_ok("rm", name)
        lines = self.wcctl_ok("--json", "events", "--after", "", "--no-follow").stdout.splitlines()
        actions = [e["Action"] for e in map(json.loads, lines) if e["Id"] == name]
        self.assertEqual(actions, ["create", "start", "die", "destroy"])

    def test_host_process_killed(self):
        child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "run", "--name", "orphan", "--network", "none",
                                  "box", "sh", "-c", "echo one; sleep 1; echo two; exit 8"], stdout=subprocess.PIPE)
        self.assertEqual(child.stdout.readline(), b"one\n")
        child.kill()
        child.wait()
        child.stdout.close()
        self.assertEqual(self.wcctl_ok("wait", "orphan").stdout, "8\n")
        self.assertEqual(self.wcctl_ok("logs", "orphan").stdout, "one\ntwo\n")

    def test_nothing_left(self):
        path = f"{self.work}/cid-left"
        self.run_box("--cidfile", path, "--", "true")
        with open(path, encoding="utf-8") as file:
            name = file.read().strip()
        self.assertNotIn(self.work, open("/proc/mounts", encoding="utf-8").read())
        groups = subprocess.run("find /sys/fs/cgroup -maxdepth 4 -path '*wincontainer/*' -type d", shell=True,
                                capture_output=True, text=True).stdout
        self.assertNotIn(name, groups)


@not_rootless  # it mounts a small disk
class FullDisk(WcctlCase):
    """A container fills the disk of the store; our own commands make room again."""

    def setUp(self):
        self.disk = f"{self.work}/disk"
        os.makedirs(self.disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", self.disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)

    def full(self, *words):
        return subprocess.run([f"{BUILD}/bin/wcctl", "--root", f"{self.disk}/root", *words], capture_output=True, text=True)

    def fill(self):
        with open(f"{self.disk}/rest", "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))

    def test_is_emptied_by_our_own_commands(self):
        self.full("images")
        self.fill()
        self.assertFails(self.full("pull", "-q", f"oci:{self.layout}:box"), 125, "No space left", "make room there")
        os.remove(f"{self.disk}/rest")
        self.assertEqual(self.full("pull", "-q", f"oci:{self.layout}:box").returncode, 0)
        done = self.full("run", "--name", "glutton", "--network", "none", "box", "sh", "-c", "cat /dev/zero >/x; exit 7")
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn("No space left", done.stderr)
        self.assertIn("Exited (7)", self.full("ps", "-a").stdout)
        self.assertEqual(self.full("rm", "glutton").stderr, "")
        self.assertEqual(self.full("run", "--name", "other", "--network", "none", "box", "true").returncode, 0)
        self.fill()
        self.assertEqual(self.full("ps", "-a").stderr, "")
        self.assertEqual(self.full("rm", "other").stderr, "")
        os.unlink(f"{self.disk}/rest")
        self.assertEqual(self.full("run", "--rm", "--network", "none", "box", "echo", "room").stdout, "room\n")
        self.assertEqual(self.full("system", "check").returncode, 0)


class Copy(WcctlCase):
    def test_in_and_out(self):
        name = self.wcctl_ok("create", "--network", "none", "box", "cat", "/srv/in.txt").stdout.strip()
        with open(f"{self.work}/in.txt", "w", encoding="utf-8") as file:
            file.write("copied\n")
        self.wcctl_ok("cp", f"{self.work}/in.txt", f"{name}:/tmp/in.txt")
        self.wcctl_ok("cp", f"{name}:/tmp/in.txt", f"{self.work}/out.txt")
        with open(f"{self.work}/out.txt", encoding="utf-8") as file:
            self.assertEqual(file.read(), "copied\n")

    def test_tree_of_a_running_container(self):
        name = self.wcctl_ok("run", "-d", "--network", "none", "box", "sleep", "100").stdout.strip()
        os.makedirs(f"{self.work}/tree/sub", exist_ok=True)
        with open(f"{self.work}/tree/sub/file", "w", encoding="utf-8") as file:
            file.write("deep")
        self.wcctl_ok("cp", f"{self.work}/tree", f"{name}:/home")
        self.assertEqual(self.wcctl_ok("exec", name, "cat", "/home/tree/sub/file").stdout, "deep")
        self.wcctl_ok("exec", name, "sh", "-c", "mkdir /made; ln -s /etc/passwd /made/link; echo x >/made/x")
        self.wcctl_ok("cp", f"{name}:/made", f"{self.work}/back")
        self.assertEqual(os.readlink(f"{self.work}/back/link"), "/etc/passwd")

    def test_links_do_not_lead_out(self):
        name = self.wcctl_ok("run", "-d", "--network", "none", "box", "sh", "-c",
                             f"ln -s {self.work} /tmp/out; ln -s /../../../../.. /tmp/up; sleep 100").stdout.strip()
        time.sleep(0.3)
        with open(f"{self.work}/evil", "w", encoding="utf-8") as file:
            file.write("evil")
        self.wcctl("cp", f"{self.work}/evil", f"{name}:/tmp/out/planted")
        self.assertFalse(os.path.exists(f"{self.work}/planted"))
        self.assertNotEqual(self.wcctl("cp", f"{name}:/tmp/up/proc/1/environ", f"{self.work}/stolen").returncode == 0
                            and os.path.getsize(f"{self.work}/stolen") > 0, True)

    def tar_of(self, *words):
        return tarfile.open(fileobj=io.BytesIO(self.wcctl_ok("cp", *words, "-", text=False).stdout))

    def test_tar_to_standard_output(self):
        name = self.wcctl_ok("run", "-d", "--network", "none", "box", "sh", "-c",
                             "mkdir /d; echo text >/d/f; chown 5:6 /d/f; ln -s f /d/l; sleep 100").stdout.strip()
        time.sleep(0.3)
        with self.tar_of(f"{name}:/d") as tar:
            self.assertEqual(tar.getnames(), ["d", "d/f", "d/l"])
            self.assertEqual(tar.extractfile("d/f").read(), b"text\n")
            self.assertEqual((tar.getmember("d/f").uid, tar.getmember("d/f").gid), (5, 6))
            self.assertEqual(tar.getmember("d/l").linkname, "f")
        with self.tar_of(f"{name}:/d/") as tar:
            self.assertEqual(tar.getnames()[0], "d")
        with self.tar_of(f"{name}:/d/.") as tar:
            self.assertEqual(sorted(os.path.normpath(n) for n in tar.getnames()), [".", "f", "l"])
        self.assertFalse(os.path.exists("-"))

    def test_tar_from_standard_input(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            info = tarfile.TarInfo("sub/file")
            info.size, info.uid, info.mode = 4, 77, 0o640
            tar.addfile(info, io.BytesIO(b"deep"))
        name = self.wcctl_ok("run", "-d", "--network", "none", "box", "sleep", "100").stdout.strip()
        for number, data in enumerate((out.getvalue(), gzip.compress(out.getvalue()))):
            self.wcctl_ok("exec", name, "mkdir", f"/in{number}")
            self.wcctl_ok("cp", "-", f"{name}:/in{number}", stdin=data, text=False)
            told = self.wcctl_ok("exec", name, "sh", "-c", f"cd /in{number}/sub; cat file; stat -c ' %u %a' file").stdout
            self.assertEqual(told, "deep 77 640\n")
        for place, word in (("/nowhere", "/nowhere"), ("/etc/passwd", "not a directory")):
            self.assertFails(self.wcctl("cp", "-", f"{name}:{place}", stdin=""), 125, word)
        self.assertFails(self.wcctl("cp", "-", f"{name}:/tmp", stdin="no tar at all"), 125, "tar")
        self.assertFails(self.wcctl("cp", "-", "-"), 125, "CONTAINER:PATH")

    def test_tar_that_nobody_reads_to_its_end(self):
        name = self.wcctl_ok("create", "--network", "none", "box").stdout.strip()
        done = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "cp", f"{name}:/bin", "-"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        done.stdout.read(1)
        done.stdout.close()
        self.assertEqual((done.stderr.read(), done.wait(20)), (b"", 141))
        done.stderr.close()

    @not_rootless  # it mounts a small disk
    def test_what_failed_on_the_host_is_told(self):
        name = self.wcctl_ok("create", "--network", "none", "box").stdout.strip()
        small = f"{self.work}/small"
        os.makedirs(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", small], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=True)
        self.assertFails(self.wcctl("cp", f"{name}:/bin/busybox", f"{small}/x"), 125, "No space left")

    def test_missing(self):
        name = self.wcctl_ok("create", "--network", "none", "box").stdout.strip()
        self.assertFails(self.wcctl("cp", f"{name}:/no/such", self.work), 125, "/no/such")
        self.assertFails(self.wcctl("cp", "/no/such", f"{name}:/tmp"), 125, "/no/such")


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
