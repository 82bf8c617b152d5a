#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the runtime is told of limits and devices: by us and by Docker, for the same options; and what both refuse."""
import glob
import gzip
import json
import os
import unittest

from resources_test import block_device
from wcctl_case import WcctlCase, need_runtime

import docker_oracle  # found where wcctl_case looks
import named_skips

DISK = block_device()[0]
OPTIONS = {
    "nothing": [],
    "memory": ["-m", "64m"],
    "memory and swap": ["-m", "64m", "--memory-swap", "96m"],
    "swap without end": ["-m", "64m", "--memory-swap", "-1"],
    "reservation": ["-m", "64m", "--memory-reservation", "32m"],
    "reservation alone": ["--memory-reservation", "32m"],
    "swappiness": ["--memory-swappiness", "0"],
    "no killer": ["-m", "64m", "--oom-kill-disable"],
    "score": ["--oom-score-adj", "5"],
    "cpus": ["--cpus", "0.25"],
    "shares": ["-c", "512"],
    "quota": ["--cpu-quota", "20000"],
    "quota and period": ["--cpu-quota", "20000", "--cpu-period", "50000"],
    "period alone": ["--cpu-period", "50000"],
    "cpuset": ["--cpuset-cpus", "0", "--cpuset-mems", "0"],
    "pids": ["--pids-limit", "17"],
    "shared memory": ["--shm-size", "1m"],
    "sysctls": ["--sysctl", "net.core.somaxconn=99", "--sysctl", "kernel.msgmax=9000"],
    "ulimits": ["--ulimit", "nofile=100:200", "--ulimit", "core=0"],
    "device": ["--device", "/dev/zero:/dev/mine"],
    "device to read": ["--device", "/dev/zero:/dev/mine:r"],
    "device with access": ["--device", "/dev/full:rw"],
    "rules": ["--device-cgroup-rule", "c 10:200 rwm", "--device-cgroup-rule", "b *:3 r"],
}
if os.path.exists("/sys/fs/cgroup/blkio/blkio.weight"):
    OPTIONS["weight"] = ["--blkio-weight", "300"]
if DISK:
    OPTIONS["block devices"] = ["--device-read-bps", f"{DISK}:1mb", "--device-write-bps", f"{DISK}:2mb",
                                "--device-read-iops", f"{DISK}:3", "--device-write-iops", f"{DISK}:4"]
REFUSED = {
    # Weights that Docker does not know of, those of BFQ, it leaves out; we set them.
    **({"weight": ["--blkio-weight", "9"]} if os.path.exists("/sys/fs/cgroup/blkio/blkio.weight") else {}),
    "little memory": ["-m", "1m"],
    "swap below memory": ["-m", "64m", "--memory-swap", "32m"],
    "reservation above memory": ["-m", "32m", "--memory-reservation", "64m"],
    "little reservation": ["--memory-reservation", "1m"],
    "swappiness": ["--memory-swappiness", "101"],
    "score": ["--oom-score-adj", "1001"],
    "cpus and quota": ["--cpus", "1", "--cpu-quota", "5000"],
    "short period": ["--cpu-period", "999"],
    "short quota": ["--cpu-quota", "999"],
    "processors that are not there": ["--cpuset-cpus", "4096"],
    "weight of a device": ["--blkio-weight-device", "/dev/zero:5"],
    "no path of a device": ["--device-read-bps", "zero:1mb"],
    "no rate": ["--device-read-bps", "/dev/zero:x"],
    "sysctl of the host": ["--sysctl", "kernel.panic=1"],
    "no rule": ["--device-cgroup-rule", "z 1:2 r"],
    "no access": ["--device", "/dev/zero:/dev/mine:x"],
}


def plain(value):
    """Without what says nothing."""
    if isinstance(value, dict):
        kept = {key: plain(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one not in (None, {}, [], False)}
    return [plain(one) for one in value] if isinstance(value, list) else value


def rules(document):
    """Of devices that are allowed, each once; how a number says "all" differs."""
    found = set()
    for rule in document["linux"]["resources"]["devices"]:
        numbers = tuple(None if rule.get(key) in (None, -1) else rule[key] for key in ("major", "minor"))
        for letter in rule["access"] if rule["allow"] else "":
            found.add((rule.get("type") or "a", *numbers, letter))
    return found


class LikeDocker(WcctlCase):
    @classmethod
    def setUpClass(cls):
        why = docker_oracle.missing()
        if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
            why = "Docker 20.10 counts otherwise on version 2"
        if why:
            raise unittest.SkipTest(why)
        super().setUpClass()
        place = f"{cls.work}/docker"
        os.mkdir(place)
        layer = max(glob.glob(f"{cls.layout}/blobs/sha256/*"), key=os.path.getsize)
        with open(layer, "rb") as source, open(f"{cls.work}/image.tar", "wb") as target:
            target.write(gzip.decompress(source.read()))
        runs = [[*options, "IMAGE", "/bin/true"] for options in (*OPTIONS.values(), *REFUSED.values())]
        answers = docker_oracle.ask(place, f"{cls.work}/image.tar", runs)
        cls.answers = dict(zip(OPTIONS, answers))
        cls.refused = dict(zip(REFUSED, answers[len(OPTIONS):]))
        cls.documents = {name: cls.ours(options) for name, options in OPTIONS.items()}

    @classmethod
    def ours(cls, options):
        name = cls.wcctl_ok("run", "-d", "--network", "none", *options, "box", "sleep", "100").stdout.strip()
        pid = json.loads(cls.wcctl_ok("inspect", name).stdout)[0]["State"]["Pid"]
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            monitor = file.read().rsplit(")", 1)[1].split()[1]
        with open(f"/proc/{monitor}/cwd/config.json", encoding="utf-8") as file:
            document = json.load(file)
        cls.wcctl_ok("rm", "-f", name)
        return document

    def each(self, part):
        """The part of the document is the same, for all options that Docker accepts."""
        for name, answer in self.answers.items():
            with self.subTest(options=OPTIONS[name]):
                self.assertIsNotNone(answer["document"], answer["err"])
                self.assertEqual(part(self.documents[name]), part(answer["document"]))

    def test_limits(self):
        def limits(document):
            resources = plain(document["linux"]["resources"])
            del resources["devices"]
            if resources.get("memory", {}).get("swap") == -1: # Docker says nothing, which comes to the same
                del resources["memory"]["swap"]
            return resources
        self.each(limits)

    def test_rules_of_devices(self):
        """Docker leaves some to runc, which adds them for every container: nodes may be made, full, ptmx, terminals."""
        runcs = {("c", None, None, "m"), ("b", None, None, "m"), *(("c", *numbers, letter) for letter in "rwm"
                 for numbers in ((1, 7), (5, 2), (136, None)))}
        self.assertGreater(len(rules(self.documents["rules"])), len(rules(self.documents["nothing"])))
        self.each(lambda document: rules(document) | runcs)

    def test_devices(self):
        self.each(lambda document: sorted((d["path"], d["type"], d["major"], d["minor"])
                                          for d in document["linux"].get("devices") or []))

    def test_score(self):
        self.each(lambda document: document["process"].get("oomScoreAdj", 0))

    def test_shared_memory(self):
        self.each(lambda document: [sorted(m["options"]) for m in document["mounts"] if m["destination"] == "/dev/shm"])

    def test_sysctls(self):
        self.each(lambda document: {key: value for key, value in (document["linux"].get("sysctl") or {}).items()
                                    if key in ("net.core.somaxconn", "kernel.msgmax")})

    def test_refused_by_both(self):
        for name, options in REFUSED.items():
            with self.subTest(options=options):
                self.assertEqual(self.refused[name]["code"], 125, self.refused[name])
                self.assertFails(self.run_box(*options, "--", "true"), 125)


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
