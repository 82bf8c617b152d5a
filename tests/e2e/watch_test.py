#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Containers from outside: slow readers, logs, figures, processes, events, lists."""
import json
import os
import re
import signal
import subprocess
import time
import unittest

from wcctl_case import BUILD, WcctlCase, need_runtime, not_rootless


def write_zeros(count):
    return "sh", "-c", f"head -c {count} /dev/zero"


class SlowReaders(WcctlCase):
    def popen(self, *words, **more):
        return subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, *words], stdin=subprocess.DEVNULL, **more)

    def test_reader_that_sleeps_gets_all(self):
        child = self.popen("run", "--rm", "--network", "none", "box", *write_zeros(40000000), stdout=subprocess.PIPE)
        time.sleep(6)
        data = child.stdout.read()
        child.stdout.close()
        self.assertEqual((child.wait(60), len(data)), (0, 40000000))

    def test_reader_of_exec_that_sleeps_gets_all(self):
        self.wcctl_ok("run", "-d", "--name", "box1", "--network", "none", "box", "sleep", "100")
        child = self.popen("exec", "box1", *write_zeros(4000000), stdout=subprocess.PIPE)
        time.sleep(3)
        data = child.stdout.read()
        child.stdout.close()
        self.assertEqual((child.wait(60), len(data)), (0, 4000000))

    def test_one_that_never_reads_stops_nobody_else(self):
        """The container waits for its reader; it can be looked at, executed in and stopped all the same."""
        child = self.popen("run", "--name", "box1", "--network", "none", "box", *write_zeros(40000000),
                           stdout=subprocess.PIPE)
        time.sleep(3)
        self.assertEqual(self.state("box1")["Status"], "running")
        self.assertEqual(self.wcctl_ok("exec", "box1", "echo", "here").stdout, "here\n")
        self.wcctl_ok("kill", "box1")
        self.assertEqual(self.wcctl_ok("wait", "box1").stdout, "137\n")
        self.wcctl_ok("rm", "box1")  # the end is known though its reader has not read
        data = child.stdout.read()
        child.stdout.close()
        self.assertEqual(child.wait(60), 137)
        self.assertLess(len(data), 40000000)

    def test_reader_that_is_killed_lets_it_go_on(self):
        child = self.popen("run", "--name", "box1", "--network", "none", "box", *write_zeros(4000000),
                           stdout=subprocess.PIPE)
        time.sleep(3)
        child.send_signal(signal.SIGKILL)
        child.wait(20)
        child.stdout.close()
        self.assertEqual(self.wcctl_ok("wait", "box1").stdout, "0\n")


class FastLogs(WcctlCase):
    """A container that writes as fast as it can loses no line and tears none."""
    LINES = 3000000  # 25 MB

    def logged(self, *options):
        self.wcctl_ok("run", "--name", "fast", "-d", "--network", "none", *options, "box", "sh", "-c",
                      f"seq 1 {self.LINES} & seq -s ' ' 1 200000 >&2; wait")
        self.assertEqual(self.wcctl_ok("wait", "fast").stdout, "0\n")
        return self.wcctl_ok("logs", "fast", timeout=300)

    def test_every_line_is_there(self):
        done = self.logged("--log-opt", "max-size=1g")
        self.assertTrue(done.stdout == "".join(f"{i}\n" for i in range(1, self.LINES + 1)), "standard output")
        self.assertTrue(done.stderr == " ".join(str(i) for i in range(1, 200001)) + "\n", "standard error")

    def test_what_rotation_leaves_is_whole(self):
        done = self.logged("--log-opt", "max-size=3m", "--log-opt", "max-file=4")
        lines = done.stdout.splitlines()
        first = int(lines[0])
        self.assertGreater(first, 1)
        self.assertTrue(done.stdout == "".join(f"{i}\n" for i in range(first, self.LINES + 1)),
                        f"not every line from {first} on")


def cgroup_file(pid, controller, name):
    """The text of a file of the group that a process is in: version 2, or this controller of version 1."""
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            base = f"/sys/fs/cgroup/{controller}" if controller in controllers.split(",") else "/sys/fs/cgroup"
            if os.path.exists(f"{base}{path}/{name}"):
                with open(f"{base}{path}/{name}", encoding="utf-8") as found:
                    return found.read()
    return None


class LogDrivers(WcctlCase):
    def test_none_leaves_no_file(self):
        self.wcctl_ok("run", "--name", "box1", "--log-driver", "none", "--network", "none", "box", "echo", "seen")
        self.assertFails(self.wcctl("logs", "box1"), 125, "log driver is 'none'")
        config = json.loads(self.wcctl_ok("inspect", "box1").stdout)[0]
        self.assertEqual(config["HostConfig"]["LogConfig"], {"Type": "none", "Config": {}})
        self.assertEqual([name for _, _, names in os.walk(f"{self.root}/containers/{config['Id']}") for name in names
                          if "log" in name], [])

    def test_dockers_names_mean_the_file(self):
        self.wcctl_ok("run", "--name", "box1", "--log-driver", "json-file", "--log-opt", "max-size=1m", "--network", "none",
                      "box", "echo", "seen")
        self.assertEqual(self.wcctl_ok("logs", "box1").stdout, "seen\n")
        config = json.loads(self.wcctl_ok("inspect", "box1").stdout)[0]["HostConfig"]["LogConfig"]
        self.assertEqual(config, {"Type": "json-file", "Config": {"max-size": "1048576", "max-file": "1"}})
        self.assertFails(self.wcctl("run", "--log-driver", "pigeon", "box", "true"), 125, "pigeon")


class Figures(WcctlCase):
    def start(self, name, *command, options=()):
        self.wcctl_ok("run", "-d", "--name", name, "--network", "none", *options, "box", *(command or ("sleep", "100")))

    def stats(self, *words):
        return json.loads(self.wcctl_ok("--json", "stats", "--no-stream", *words).stdout)

    @not_rootless  # rootless_test.py has those of /proc
    def test_figures_are_those_of_the_group(self):
        self.start("box1", "sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=20; sleep 100 & sleep 100 & wait",
                   options=("--memory", "64m"))
        time.sleep(1)
        entry, = self.stats("box1")
        self.assertEqual(entry["memory_stats"]["limit"], 64 << 20)
        self.assertEqual(entry["pids_stats"]["current"], 3)
        self.assertGreaterEqual(entry["memory_stats"]["usage"], 20 << 20)
        self.assertLess(entry["memory_stats"]["usage"], 64 << 20)
        pid = self.state("box1")["Pid"]
        used = cgroup_file(pid, "cpuacct", "cpuacct.usage")
        if used:
            self.assertLessEqual(entry["cpu_stats"]["cpu_usage"]["total_usage"], int(used))
        self.assertGreater(entry["cpu_stats"]["cpu_usage"]["total_usage"], 0)

    def test_busy_one_is_seen_and_an_idle_one_not(self):
        self.start("busy", "sh", "-c", "while :; do :; done")
        self.start("idle")
        shares = {entry["name"]: entry["nano_cpus"] for entry in self.stats()}
        self.assertGreater(shares["busy"], 20000000)
        self.assertLess(shares["idle"], shares["busy"] / 10)

    def test_table_has_dockers_columns(self):
        self.start("box1")
        heading, row = self.wcctl_ok("stats", "--no-stream").stdout.splitlines()
        self.assertEqual(re.split(" {3,}", heading), ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %",
                                                       "NET I/O", "BLOCK I/O", "PIDS"])
        self.assertRegex(row, r"^[0-9a-f]{12} +box1 +[0-9.]+% +[0-9.]+[KMG]?i?B / [0-9.]+[KMGT]iB +[0-9.]+% +0B / 0B +\S+ / \S+ +1$")

    def test_format_and_all(self):
        self.start("box1")
        self.wcctl_ok("create", "--name", "made", "--network", "none", "box")
        self.assertEqual(self.wcctl_ok("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}").stdout, "box1 1\n")
        lines = self.wcctl_ok("stats", "-a", "--no-stream", "--format", "{{.Name}}\\t{{.PIDs}}").stdout.splitlines()
        self.assertEqual(sorted(lines), ["box1\t1", "made\t0"])
        self.assertEqual(self.wcctl_ok("stats", "--no-stream", "--format", "table {{.Name}}\\t{{.PIDs}}",
                                       "made").stdout.split(), ["NAME", "PIDS", "made", "0"])
        self.assertFails(self.wcctl("stats", "--no-stream", "--format", "{{.Nothing}}"), 125, "Nothing")
        self.assertFails(self.wcctl("stats", "--no-stream", "nobody"), 125, "no such container")

    def test_stream_goes_on_until_interrupted(self):
        self.start("box1")
        child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "stats", "--format", "{{.Name}}"],
                                 stdout=subprocess.PIPE, text=True)
        self.assertEqual([child.stdout.readline(), child.stdout.readline()], ["box1\n", "box1\n"])
        child.send_signal(signal.SIGINT)
        child.stdout.close()
        self.assertNotEqual(child.wait(20), 0)

    def test_top_is_what_ps_says(self):
        self.start("box1", "sh", "-c", "sleep 111 & sleep 112 & wait")
        time.sleep(0.5)
        pid = self.state("box1")["Pid"]
        lines = self.wcctl_ok("top", "box1").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"])
        self.assertEqual(len(lines), 4)
        self.assertEqual({line.split(None, 7)[7].strip() for line in lines[1:] if line.split()[1] != str(pid)},
                         {"sleep 111", "sleep 112"})
        chosen = self.wcctl_ok("top", "box1", "-o", "pid,args").stdout.splitlines()
        self.assertIn(f"{pid}", [line.split()[0] for line in chosen[1:]])
        self.assertFails(self.wcctl("top", "box1", "-o", "args"), 125, "PID")
        self.assertFails(self.wcctl("top", "box1", "--nonsense"), 125, "ps:")
        self.wcctl_ok("kill", "box1")
        self.assertFails(self.wcctl("top", "box1"), 125, "does not run")


class EventsCase(WcctlCase):
    def events(self, *words):
        return self.wcctl_ok("events", "--no-follow", *words).stdout.splitlines()


class EventsOfProcesses(EventsCase):
    def test_further_processes(self):
        """The words are Docker's; the end of one may be told a moment after it."""
        self.wcctl_ok("run", "-d", "--name", "box1", "--label", "role=db", "--network", "none", "box", "sleep", "1000")
        form = "--after", "", "--filter", "label=role=db", "--format", "{{.Action}}"
        self.assertEqual(self.wcctl("exec", "box1", "sh", "-c", "exit 3").returncode, 3)
        self.assertEqual(self.events(*form, "--filter", "event=exec_create", "--filter", "event=exec_start"),
                         ["exec_create: sh -c exit 3", "exec_start: sh -c exit 3"])
        self.assertEqual(self.wcctl("exec", "box1", "nosuch").returncode, 127)
        self.wcctl_ok("exec", "-d", "box1", "sleep", "1000")
        self.wcctl_ok("rm", "-f", "box1")  # after which nothing writes any more
        ends = [json.loads(line)["Actor"]["Attributes"] for line in
                self.events("--after", "", "--filter", "event=exec_die", "--format", "json")]
        self.assertEqual(sorted(end["exitCode"] for end in ends), ["137", "3"])
        for end in ends:
            self.assertEqual((end["name"], len(end["execID"])), ("box1", 64))
        self.assertEqual(len(self.events(*form, "--filter", "event=exec_start")), 2)

    def test_attach(self):
        self.wcctl_ok("run", "-d", "-i", "--name", "box1", "--network", "none", "box", "cat")
        self.assertEqual(self.wcctl_ok("attach", "box1", stdin="through").stdout, "through")
        self.assertEqual(self.events("--after", "", "--filter", "container=box1", "--format", "{{.Action}}"),
                         ["create", "start", "attach", "die"])


class Events(EventsCase):
    def test_filters(self):
        self.wcctl_ok("run", "--name", "box1", "--network", "none", "box", "true")
        self.assertEqual(self.wcctl("run", "--name", "box2", "--network", "none", "box", "false").returncode, 1)
        form = "--after", "", "--format", "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"
        self.assertEqual(self.events(*form, "--filter", "container=box2", "--filter", "event=start", "--filter", "event=die"),
                         ["container start box2", "container die box2"])
        self.assertEqual(self.events(*form, "--filter", "type=container", "--filter", "event=create"),
                         ["container create box1", "container create box2"])
        self.assertEqual({line.split()[0] for line in self.events(*form, "--filter", "type=image")}, {"image"})
        self.assertEqual(self.events(*form, "--filter", "label=exitCode=1"), ["container die box2"])
        self.assertEqual(self.events(*form, "--filter", "container=nobody"), [])
        self.assertFails(self.wcctl("events", "--filter", "colour=red"), 125, "colour")

    def test_labels(self):
        """Every event of a container has them, as Docker's."""
        self.wcctl_ok("run", "-d", "--name", "box1", "--label", "role=db", "--network", "none", "box", "sleep", "1000")
        self.wcctl_ok("create", "--name", "box2", "--label", "role=web", "--network", "none", "box")
        self.wcctl_ok("restart", "-t", "0", "box1")
        self.wcctl_ok("rm", "-f", "box1")
        told = self.events("--after", "", "--format", "{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.image}}",
                           "--filter", "label=role=db")
        self.assertEqual({line.split(" ", 1)[1] for line in told}, {"box1 box"})
        actions = {line.split()[0] for line in told}
        self.assertLessEqual({"create", "start", "die", "stop", "restart", "destroy"}, actions)

    @not_rootless
    def test_out_of_memory(self):
        self.wcctl("run", "--name", "box1", "-m", "16m", "--memory-swap", "16m", "--network", "none", "box", "tail", "/dev/zero")
        self.assertTrue(self.state("box1")["OOMKilled"])
        box = json.loads(self.wcctl_ok("inspect", "box1").stdout)[0]["Id"]
        self.assertEqual(self.events("--after", "", "--format", "{{.Action}}", "--filter", f"container={box}"),
                         ["create", "start", "oom", "die"])

    def test_since_and_until(self):
        start = time.time()
        self.wcctl_ok("create", "--name", "box1", "--network", "none", "box", "true")
        middle = time.time()
        self.wcctl_ok("create", "--name", "box2", "--network", "none", "box", "true")
        form = "--format", "{{.Action}} {{.Actor.Attributes.name}}"
        self.assertEqual(self.events(*form, "--since", f"{start:.9f}"), ["create box1", "create box2"])
        self.assertEqual(self.events(*form, "--since", f"{start:.9f}", "--until", f"{middle:.9f}"), ["create box1"])
        # Without --no-follow it ends by itself, at once or when the time has come.
        self.assertEqual(self.wcctl_ok("events", *form, "--since", f"{start:.9f}", "--until", f"{middle:.9f}").stdout,
                         "create box1\n")
        self.assertEqual(self.wcctl_ok("events", *form, "--until", f"{time.time() + 1:.9f}").stdout, "")


class Lists(WcctlCase):
    def names(self, *words):
        return self.wcctl_ok("ps", "--format", "{{.Names}}", *words).stdout.split()

    def setUp(self):
        super().setUp()
        self.wcctl_ok("run", "-d", "--name", "first", "--network", "none", "--label", "a=1", "--label", "b=2", "-v",
                      "data:/data", "box", "sleep", "100")
        self.assertEqual(self.wcctl("run", "--name", "second", "--network", "none", "--label", "a=1", "box", "sh", "-c",
                                    "exit 3").returncode, 3)
        self.wcctl_ok("create", "--name", "third", "--network", "host", "--expose", "80", "box", "true")

    def test_filters(self):
        for words, wanted in (
                ([], ["first"]), (["-a"], ["third", "second", "first"]), (["-n", "2"], ["third", "second"]),
                (["-l"], ["third"]), (["-a", "-f", "exited=3"], ["second"]), (["-a", "-f", "exited=0"], []),
                (["-f", "status=exited"], ["second"]), (["-f", "status=exited", "-f", "status=created"], ["third", "second"]),
                (["-a", "-f", "label=a=1"], ["second", "first"]), (["-a", "-f", "label=a", "-f", "label=b=2"], ["first"]),
                (["-a", "-f", "name=^s"], ["second"]), (["-a", "-f", "name=ir"], ["third", "first"]),
                (["-a", "-f", "before=second"], ["first"]), (["-a", "-f", "since=second"], ["third"]),
                (["-a", "-f", "ancestor=box"], ["third", "second", "first"]), (["-a", "-f", "ancestor=other"], []),
                (["-a", "-f", "volume=data"], ["first"]), (["-a", "-f", "volume=/data"], ["first"]),
                (["-a", "-f", "network=host"], ["third"]), (["-a", "-f", "expose=80"], ["third"]),
                (["-a", "-f", "expose=70-90/tcp"], ["third"]), (["-a", "-f", "expose=80/udp"], []), (["-a", "-f", "health=none", "-l"], ["third"]),
                (["-a", "-f", "is-task=true"], []), (["-f", "name=second"], [])):
            self.assertEqual(self.names(*words), wanted, words)
        for filter, part in (("colour=red", "colour"), ("status=asleep", "asleep"), ("health=fine", "fine")):
            self.assertFails(self.wcctl("ps", "-f", filter), 125, part)
        self.assertFails(self.wcctl("ps", "-f", "before=nobody"), 125, "no such container")

    def test_format(self):
        self.assertEqual(self.wcctl_ok("ps", "--format", "table {{.Names}}\\t{{.State}}").stdout.split(),
                         ["NAMES", "STATE", "first", "running"])
        self.assertEqual(self.wcctl_ok("ps", "--format", '{{.Label "a"}}{{.Label "none"}}-{{upper .Names}}').stdout, "1-FIRST\n")
        row = json.loads(self.wcctl_ok("ps", "--format", "json").stdout)
        self.assertEqual((row["Names"], row["Mounts"], row["LocalVolumes"], row["Networks"], row["Labels"]),
                         ("first", "data", "1", "none", "a=1,b=2,org.example.kind=test"))
        self.assertFails(self.wcctl("ps", "--format", "{{.Nope}}"), 125, "Nope")
        self.assertFails(self.wcctl("ps", "--format", "{{.ID"), 125, "}}")

    def test_size(self):
        self.wcctl_ok("exec", "first", "sh", "-c", "head -c 3000000 /dev/zero > /big")
        heading, row = self.wcctl_ok("ps", "-s").stdout.splitlines()
        self.assertTrue(heading.endswith("SIZE"))
        self.assertRegex(row, r"3(\.\d+)?MB \(virtual [0-9.]+MB\)$")


class ExecEnvironment(WcctlCase):
    def test_files_and_variables(self):
        self.wcctl_ok("run", "-d", "--name", "box1", "--network", "none", "-e", "ONE=run", "box", "sleep", "100")
        path = f"{self.work}/env"
        with open(path, "w", encoding="utf-8") as file:
            file.write("# a comment\n\nONE=file\nTWO=file=2\n  THREE=3\nOURS\nNOT_SET\n")
        done = self.wcctl_ok("exec", "--env-file", path, "-e", "TWO=option", "box1", "sh", "-c",
                             "echo $ONE $TWO $THREE $OURS ${NOT_SET-unset}", env={**os.environ, "OURS": "passed"})
        self.assertEqual(done.stdout, "file option 3 passed unset\n")
        self.assertFails(self.wcctl("exec", "--env-file", f"{path}.not", "box1", "true"), 125, ".not", "No such file")
        self.assertFails(self.wcctl("exec", "--env-file", self.work, "box1", "true"), 125, "directory")


if __name__ == "__main__":
    need_runtime()
    unittest.main(verbosity=2)
