#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What wcctl does in the life of containers: pause, rename, restart policies, health, update, waiting."""
import json
import os
import signal
import subprocess
import time
import unittest

from wcctl_case import BUILD, WcctlCase, need_runtime, not_rootless, runs


def until(true, seconds=20):
    """Waits until it is true; whether it was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


class LifeCase(WcctlCase):
    def start(self, name, *words, command=("sleep", "1000")):
        self.wcctl_ok("run", "-d", "--network", "none", "--name", name, *words, "box", *command)
        return name

    def inspect(self, name):
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]

    def monitor(self, name):
        run_root = json.loads(self.wcctl_ok("--json", "system", "info").stdout)["Store"]["RunRoot"]
        with open(f"{run_root}/containers/{self.inspect(name)['Id']}/monitor.json", encoding="utf-8") as file:
            return json.load(file)["monitor"]

    def status(self, name):
        return self.state(name)["Status"]

    def ps(self, name):
        return self.wcctl_ok("ps", "-a", "-f", f"name={name}").stdout

    def assertBecomes(self, name, status, seconds=20):
        if not until(lambda: self.status(name) == status, seconds):
            self.fail(f"{name} is {self.state(name)}")

    def events(self, name):
        """Actions of its events so far."""
        found = []
        for line in self.wcctl("--json", "events", "--no-follow").stdout.splitlines():
            event = json.loads(line)
            if event.get("Actor", {}).get("Attributes", {}).get("name") == name:
                found.append(event["Action"])
        return found


@not_rootless  # without control groups nothing can be held
class Pause(LifeCase):
    def test_commit_holds_it_meanwhile(self):
        self.wcctl_ok("run", "-d", "--name", "held", "--network", "none", "box", "sleep", "1000")
        told = ("events", "--no-follow", "--after", "", "--filter", "container=held", "--format", "{{.Action}}")
        self.wcctl_ok("commit", "held", "kept")
        self.assertEqual(self.wcctl_ok(*told).stdout.split()[-2:], ["pause", "unpause"])
        self.wcctl_ok("commit", "--pause=false", "held", "kept")
        self.assertNotEqual(self.wcctl("commit", "held", "No Name").returncode, 0)
        self.assertEqual(self.wcctl_ok(*told).stdout.split(), ["create", "start"] + ["pause", "unpause"] * 2)
        self.assertEqual(self.state("held")["Status"], "running")

    def test_nothing_runs_while_it_is_paused(self):
        self.start("one", command=("sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done"))
        self.assertTrue(until(lambda: self.wcctl_ok("logs", "one").stdout))
        self.assertEqual(self.wcctl_ok("pause", "one").stdout, "one\n")
        before = self.wcctl_ok("logs", "one").stdout
        time.sleep(0.5)
        self.assertEqual(self.wcctl_ok("logs", "one").stdout, before)
        self.assertIn("(Paused)", self.ps("one"))
        self.assertFails(self.wcctl("exec", "one", "true"), 125, "paused")
        self.wcctl_ok("unpause", "one")
        self.assertTrue(until(lambda: self.wcctl_ok("logs", "one").stdout != before))

    def test_stop_ends_a_paused_one(self):
        self.start("one", command=("sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.05; done"))
        time.sleep(0.3)
        self.wcctl_ok("pause", "one")
        self.wcctl_ok("stop", "one")
        self.assertEqual(self.state("one")["ExitCode"], 3)

    def test_files_go_in_and_out_of_a_paused_one(self):
        self.start("one")
        self.wcctl_ok("pause", "one")
        self.wcctl_ok("cp", "/etc/hostname", "one:/tmp/x")
        self.assertTrue(self.wcctl_ok("cp", "one:/tmp/x", "-", text=False).stdout)


class Restart(LifeCase):
    def test_on_failure_as_often_as_said(self):
        self.start("one", "--restart", "on-failure:3", command=("sh", "-c", "echo run; exit 4"))
        self.assertBecomes("one", "exited")
        told = self.inspect("one")
        self.assertEqual((told["RestartCount"], told["State"]["ExitCode"]), (3, 4))
        self.assertEqual(told["HostConfig"]["RestartPolicy"], {"Name": "on-failure", "MaximumRetryCount": 3})
        self.assertEqual(self.wcctl_ok("logs", "one").stdout, "run\n" * 4)

    def test_on_failure_not_after_success(self):
        self.start("one", "--restart", "on-failure", command=("true",))
        self.assertBecomes("one", "exited")
        self.assertEqual(self.inspect("one")["RestartCount"], 0)

    def test_always_and_its_waits(self):
        self.start("one", "--restart", "always", command=("sh", "-c", "cut -d\" \" -f1 /proc/uptime >>/times; exit 0"))
        self.assertTrue(until(lambda: self.inspect("one")["RestartCount"] >= 5, 30))
        self.assertTrue(until(lambda: self.status("one") == "restarting"))
        state = self.state("one")
        self.assertEqual((state["Running"], state["Restarting"], state["Pid"]), (True, True, 0))
        self.assertIn("Restarting (0)", self.ps("one"))
        self.assertFails(self.wcctl("exec", "one", "true"), 125, "restart")
        self.assertFails(self.wcctl("rm", "one"), 1, "stop it first")
        started = time.monotonic()
        self.wcctl_ok("stop", "one")
        self.assertLess(time.monotonic() - started, 9, "less than the time that a stop has")
        self.assertEqual(self.status("one"), "exited")
        self.wcctl_ok("cp", "one:/times", f"{self.work}/times")
        with open(f"{self.work}/times", encoding="utf-8") as file:
            times = [float(line) for line in file]
        waits = [b - a for a, b in zip(times, times[1:])]
        for i, wait in enumerate(waits[:5]):
            self.assertGreaterEqual(wait, 0.1 * 2 ** i)

    def test_stop_and_kill_end_it_for_good(self):
        for how in (("stop", "-t", "0"), ("kill",), ("kill", "-s", "TERM")):
            with self.subTest(how=how):
                self.start("one", "--restart", "always", command=("sh", "-c", "trap 'exit 1' TERM; sleep 1000 & wait"))
                time.sleep(0.3)
                self.wcctl_ok(*how, "one")
                self.assertBecomes("one", "exited")
                time.sleep(0.4)
                self.assertEqual((self.status("one"), self.inspect("one")["RestartCount"]), ("exited", 0))
                self.wcctl_ok("rm", "one")

    def test_end_from_outside_is_followed_by_a_run(self):
        self.start("one", "--restart", "unless-stopped")
        first = self.state("one")["Pid"]
        os.kill(first, signal.SIGKILL)
        self.assertTrue(until(lambda: self.state("one")["Pid"] not in (0, first)))
        self.assertEqual(self.inspect("one")["RestartCount"], 1)
        self.assertEqual(self.wcctl_ok("exec", "one", "echo", "there").stdout, "there\n")
        self.wcctl_ok("restart", "-t", "0", "one")
        self.assertEqual((self.status("one"), self.inspect("one")["RestartCount"]), ("running", 0))

    def test_files_stay_and_streams_are_new(self):
        self.start("one", "-i", "--restart", "on-failure", command=("sh", "-c", "echo x >>/x; read a; echo $a; exit 1"))
        for i in (1, 2):
            done = self.wcctl("attach", "one", stdin=f"word{i}\n")
            self.assertEqual((done.stdout, done.returncode), (f"word{i}\n", 1), done.stderr)
            self.assertTrue(until(lambda: self.inspect("one")["RestartCount"] == i and self.status("one") == "running"))
        self.assertEqual(self.wcctl_ok("exec", "one", "cat", "/x").stdout, "x\n" * 3)

    def test_foreground_run_ends_with_the_first_end(self):
        done = self.wcctl("run", "--network", "none", "--name", "one", "--restart", "always", "box", "sh", "-c", "exit 6")
        self.assertEqual(done.returncode, 6)

    def test_policy_and_removal_do_not_go_together(self):
        self.assertFails(self.run_box("--restart", "always", "--", "true"), 125, "restart policy")
        self.assertFails(self.wcctl("create", "--restart", "sometimes", "box"), 125, "sometimes")
        self.assertFails(self.wcctl("create", "--restart", "always:3", "box"), 125, "always")

    def test_killed_monitor(self):
        self.start("one", "--restart", "always", command=("sh", "-c", "exit 2"))
        self.assertTrue(until(lambda: self.inspect("one")["RestartCount"] >= 4))
        monitor = self.monitor("one")
        os.kill(monitor, signal.SIGKILL)
        self.assertTrue(until(lambda: not runs(monitor)))
        self.assertEqual(self.status("one"), "exited")
        self.wcctl_ok("start", "one")
        self.assertTrue(until(lambda: self.inspect("one")["RestartCount"] >= 1))


class Update(LifeCase):
    def group(self, name, controller, file):
        with open(f"/proc/{self.state(name)['Pid']}/cgroup", encoding="utf-8") as groups:
            for line in groups:
                _, names, path = line.rstrip("\n").split(":", 2)
                if controller in names.split(","):
                    with open(f"/sys/fs/cgroup/{controller}{path}/{file}", encoding="utf-8") as value:
                        return value.read().strip()
        return self.skipTest("the test reads version 1 of control groups")

    @not_rootless
    def test_limits_count_at_once_and_later(self):
        self.start("one", "-m", "64m", "--pids-limit", "50", "--restart", "always")
        self.assertEqual(self.wcctl_ok("update", "-m", "96m", "--cpu-shares", "512", "--pids-limit", "70", "one").stdout,
                         "one\n")
        for _ in range(2):
            self.assertEqual(self.group("one", "memory", "memory.limit_in_bytes"), str(96 << 20))
            self.assertEqual(self.group("one", "cpu", "cpu.shares"), "512")
            self.assertEqual(self.group("one", "pids", "pids.max"), "70")
            first = self.state("one")["Pid"]
            os.kill(first, signal.SIGKILL)
            self.assertTrue(until(lambda: self.state("one")["Pid"] not in (0, first)))
        host = self.inspect("one")["HostConfig"]
        self.assertEqual((host["Memory"], host["CpuShares"], host["PidsLimit"]), (96 << 20, 512, 70))
        self.wcctl_ok("update", "--pids-limit", "-1", "one")
        self.assertEqual(self.group("one", "pids", "pids.max"), "max")
        self.wcctl_ok("restart", "-t", "0", "one")
        self.assertEqual(self.group("one", "memory", "memory.limit_in_bytes"), str(96 << 20))

    def test_policy_counts_from_the_next_end_on(self):
        self.start("one", "--restart", "always")
        self.wcctl_ok("update", "--restart", "no", "one")
        os.kill(self.state("one")["Pid"], signal.SIGKILL)
        self.assertBecomes("one", "exited")
        self.wcctl_ok("update", "--restart", "on-failure:2", "one")
        self.wcctl_ok("start", "one")
        os.kill(self.state("one")["Pid"], signal.SIGKILL)
        self.assertTrue(until(lambda: self.inspect("one")["RestartCount"] == 1))

    @not_rootless
    def test_what_does_not_go_is_refused_and_not_recorded(self):
        self.start("one", "-m", "64m", command=("sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=32; sleep 1000"))
        self.assertFails(self.wcctl("update", "--memory-swap", "32m", "one"), 1, "memory")
        self.assertFails(self.wcctl("update", "--memory-reservation", "1g", "one"), 1, "reservation")
        self.assertEqual(self.inspect("one")["HostConfig"]["Memory"], 64 << 20)
        self.start("two", "--rm")
        self.assertFails(self.wcctl("update", "--restart", "always", "two"), 1, "removed at its end")


class Health(LifeCase):
    def health(self, name):
        return self.state(name).get("Health", {"Status": None, "Log": []})

    def assertHealth(self, name, status):
        if not until(lambda: self.health(name)["Status"] == status):
            self.fail(f"{name} is {self.health(name)}")

    def test_follows_what_the_command_says(self):
        self.start("one", "--health-cmd", "echo looked; cat /well", "--health-interval", "100ms", "--health-retries", "2")
        self.assertIn(self.health("one")["Status"], ("starting", "unhealthy"))
        self.assertHealth("one", "unhealthy")
        self.assertIn("(unhealthy)", self.ps("one"))
        last = self.health("one")["Log"][-1]
        self.assertEqual(last["ExitCode"], 1)
        self.assertIn("looked\n", last["Output"])
        self.assertIn("/well", last["Output"])
        self.wcctl_ok("exec", "one", "touch", "/well")
        self.assertHealth("one", "healthy")
        self.assertIn("(healthy)", self.ps("one"))
        self.assertEqual(self.health("one")["FailingStreak"], 0)
        self.assertTrue(until(lambda: len(self.health("one")["Log"]) == 5))
        time.sleep(0.5)
        self.assertEqual(len(self.health("one")["Log"]), 5)
        self.wcctl_ok("stop", "-t", "0", "one")
        self.assertEqual(self.health("one")["Status"], "unhealthy")
        told = [json.loads(line) for line in self.wcctl_ok("--json", "events", "--no-follow", "--after", "").stdout.splitlines()]
        mine = [event["Action"] for event in told if event["Attributes"].get("name") == "one"]
        self.assertEqual([a for a in mine if a.startswith("health_status")],
                         ["health_status: unhealthy", "health_status: healthy"])
        self.assertEqual([a for a in mine if a.startswith("exec_create")], ["exec_create: touch /well"], "no check is told")

    @not_rootless  # it pauses
    def test_one_that_takes_too_long_is_killed(self):
        self.start("one", "--health-cmd", "echo begun; sleep 4321", "--health-interval", "100ms", "--health-timeout", "300ms",
                   "--health-retries", "1")
        self.assertHealth("one", "unhealthy")
        last = self.health("one")["Log"][0]
        self.assertEqual(last["ExitCode"], -1)
        self.assertIn("exceeded timeout", last["Output"])
        self.wcctl_ok("pause", "one")
        self.wcctl_ok("unpause", "one")
        self.assertTrue(until(lambda: "4321" not in self.wcctl_ok("exec", "one", "ps").stdout))
        self.wcctl_ok("stop", "-t", "0", "one")

    def test_that_of_the_image_and_without_it(self):
        self.wcctl_ok("create", "--network", "none", "--name", "base", "box", "true")
        self.wcctl_ok("commit", "-c", 'HEALTHCHECK --interval=100ms --retries=7 CMD ["test", "-e", "/"]', "base", "checked")
        self.wcctl_ok("run", "-d", "--network", "none", "--name", "one", "checked", "sleep", "1000")
        self.assertHealth("one", "healthy")
        self.assertEqual(self.inspect("one")["Config"]["Healthcheck"],
                         {"Test": ["CMD", "test", "-e", "/"], "Interval": 100000000, "Retries": 7})
        self.wcctl_ok("run", "-d", "--network", "none", "--name", "two", "--no-healthcheck", "checked", "sleep", "1000")
        self.assertNotIn("Health", self.state("two"))
        self.assertEqual(self.inspect("two")["Config"]["Healthcheck"]["Test"], ["NONE"])
        self.wcctl_ok("run", "-d", "--network", "none", "--name", "three", "--health-cmd", "false", "--health-retries", "1",
                      "checked", "sleep", "1000")
        self.assertHealth("three", "unhealthy")
        self.assertFails(self.wcctl("create", "--no-healthcheck", "--health-cmd", "true", "checked"), 125, "health")

    def test_failures_at_the_start_do_not_count(self):
        self.start("one", "--health-cmd", "cat /well", "--health-interval", "100ms", "--health-retries", "1",
                   "--health-start-period", "1000s")
        self.assertTrue(until(lambda: len(self.health("one")["Log"]) >= 3))
        self.assertEqual((self.health("one")["Status"], self.health("one")["FailingStreak"]), ("starting", 0))
        self.assertIn("(health: starting)", self.ps("one"))

    @not_rootless
    def test_no_check_while_paused_and_one_after_a_restart(self):
        self.start("one", "--health-cmd", "echo x >>/checks", "--health-interval", "100ms", "--restart", "always")
        self.assertHealth("one", "healthy")
        self.wcctl_ok("pause", "one")
        time.sleep(0.3)
        count = len(self.health("one")["Log"])
        ends = [entry["End"] for entry in self.health("one")["Log"]]
        time.sleep(0.5)
        self.assertEqual([entry["End"] for entry in self.health("one")["Log"]], ends)
        self.assertLessEqual(count, 5)
        self.wcctl_ok("unpause", "one")
        self.assertTrue(until(lambda: [entry["End"] for entry in self.health("one")["Log"]] != ends))
        os.kill(self.state("one")["Pid"], signal.SIGKILL)
        self.assertTrue(until(lambda: self.inspect("one")["RestartCount"] == 1 and self.status("one") == "running"))
        self.assertHealth("one", "healthy")


class Waiting(LifeCase):
    def test_for_health(self):
        self.start("one", "--health-cmd", "cat /well", "--health-interval", "100ms", "--health-retries", "1")
        self.wcctl_ok("wait", "--condition", "unhealthy", "--condition", "removed", "one")
        self.wcctl_ok("exec", "one", "touch", "/well")
        self.wcctl_ok("wait", "--condition", "healthy", "one")
        self.assertFails(self.wcctl("wait", "--condition", "content", "one"), 125, "--condition")

    def test_labels_from_a_file(self):
        with open(f"{self.work}/labels", "w", encoding="utf-8") as file:
            file.write("# mine\na=1\n\nb\n")
        self.wcctl_ok("create", "--name", "one", "--network", "none", "--label-file", f"{self.work}/labels", "-l", "a=2",
                      "box", "true")
        labels = self.inspect("one")["Config"]["Labels"]
        self.assertEqual((labels["a"], labels["b"]), ("2", ""))


class Restore(LifeCase):
    """Killed monitors and containers stand for a boot."""

    def lose(self, *names):
        for name in names:
            os.kill(self.monitor(name), signal.SIGKILL)
            self.assertBecomes(name, "exited")

    def restore(self):
        return set(self.wcctl_ok("system", "restore").stdout.split())

    def test_what_runs_again(self):
        ids = {}
        for name, policy in (("no", "no"), ("al", "always"), ("un", "unless-stopped"), ("of", "on-failure"),
                             ("als", "always"), ("uns", "unless-stopped"), ("ofs", "on-failure"), ("run", "always")):
            self.start(name, "--restart", policy)
            ids[name] = self.inspect(name)["Id"]
        self.wcctl_ok("create", "--restart", "always", "--network", "none", "--name", "new", "box", "true")
        self.wcctl_ok("stop", "-t", "0", "als", "uns", "ofs")
        self.lose("no", "al", "un", "of")
        self.wcctl_ok("ps", "-a")  # which starts nothing
        self.assertEqual(self.status("al"), "exited")
        self.assertEqual(self.restore(), {ids[name] for name in ("al", "un", "of", "als")})
        self.assertEqual({name: self.status(name) for name in ids},
                         {"no": "exited", "al": "running", "un": "running", "of": "running", "als": "running",
                          "uns": "exited", "ofs": "exited", "run": "running"})
        self.assertEqual(self.status("new"), "created")
        self.assertEqual(self.restore(), set())

    def test_several_at_once_start_each_once(self):
        names = [self.start(f"c{i}", "--restart", "always") for i in range(4)]
        self.lose(*names)
        children = [subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "system", "restore"],
                                     stdout=subprocess.PIPE, text=True) for _ in range(3)]
        started = [line for child in children for line in child.communicate()[0].split()]
        self.assertEqual([child.returncode for child in children], [0, 0, 0])
        self.assertEqual(sorted(started), sorted(self.inspect(name)["Id"] for name in names))

    def test_host_goes_down(self):
        self.start("one", "--restart", "always", command=("sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"))
        self.start("two", "--restart", "always", command=("false",))
        self.assertTrue(until(lambda: self.inspect("two")["RestartCount"] >= 4))
        time.sleep(0.2)
        for name in ("one", "two"):
            os.kill(self.monitor(name), signal.SIGTERM)
        for name in ("one", "two"):
            self.assertBecomes(name, "exited", 5)
        self.assertEqual(self.state("one")["ExitCode"], 0)
        self.assertEqual(len(self.restore()), 2)


if __name__ == "__main__":
    need_runtime()
    unittest.main(verbosity=2)
