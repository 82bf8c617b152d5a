#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images mounted on directories of the host: the right files, nothing to be broken, nothing left behind."""
import json
import os
import random
import signal
import sqlite3
import subprocess
import time
import unittest

import layers_test
from layers_test import BUILD, LayersCase, find, need_runtime, needs, run, show

named_skips = layers_test.named_skips


def mounts():
    """Mount points of ours, of anybody's store."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [line.split()[4] for line in file if " wincontainer-" in line]


class MountCase(LayersCase):
    def setUp(self):
        self.there = self.fresh("mount")
        os.mkdir(self.there)

    def tearDown(self):
        for point in [point for point in mounts() if point.startswith(self.work)]:
            subprocess.run(["umount", "-l", point], check=False)
        for mount in self.json("mount"):
            self.wcctl_ok("unmount", "-f", mount["Path"])

    def mount(self, image="box", where=None):
        self.wcctl_ok("mount", image, where or self.there)

    def is_in_use(self, *words):
        self.assertFails(self.wcctl("rmi", *(words or ("box",))), 1, "box", f"mounted on '{self.there}'", "unmount it first")


class Files(MountCase):
    @needs("umoci")
    def test_equals_what_umoci_unpacks(self):
        self.mount("odd")
        self.assertEqual(show(self.there), show(self.unpacked(self.odd, "latest")))

    def test_one_layer_and_none(self):
        self.wcctl_ok("edit", "--squash", "all", "odd", "flat")
        self.mount("flat")
        other = self.fresh("other")
        os.mkdir(other)
        self.mount("odd", other)
        self.assertEqual(show(self.there), show(other))
        none = self.fresh("none")
        os.mkdir(none)
        self.wcctl_ok("edit", "-c", "CMD true", "scratch", "empty")
        self.assertEqual(self.manifest("empty")["layers"], [])
        self.mount("empty", none)
        self.assertEqual(os.listdir(none), [])

    def test_cannot_be_changed(self):
        self.mount()
        with self.assertRaises(OSError):
            os.mkdir(f"{self.there}/new")
        with self.assertRaises(OSError):
            os.chmod(f"{self.there}/bin", 0o700)
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            options = [line.split()[5] for line in file if line.split()[4] == self.there]
        self.assertEqual([set(o.split(",")) >= {"ro", "nosuid", "nodev"} for o in options], [True])


class Use(MountCase):
    def test_the_image_stays(self):
        self.mount()
        self.assertEqual([(m["Path"], m["Image"], m["Here"]) for m in self.json("mount")],
                         [(self.there, "docker.io/library/box:latest", True)])
        self.is_in_use()
        self.is_in_use("-f", "box")
        self.wcctl_ok("system", "prune", "-a", "-f")
        self.assertEqual(sorted(os.listdir(self.there))[0], "bin")
        self.wcctl_ok("system", "check")
        self.wcctl_ok("unmount", self.there)
        self.assertEqual(os.listdir(self.there), [])
        self.assertEqual(self.json("mount"), [])
        self.wcctl_ok("rmi", "box")
        self.wcctl_ok("pull", "-q", f"oci:{self.layout}:box")

    def test_under_the_name_that_was_meant(self):
        self.wcctl_ok("tag", "box", "aaa:1")
        self.mount()
        self.assertEqual(self.json("mount")[0]["Image"], "docker.io/library/box:latest")
        self.wcctl_ok("rmi", "aaa:1")

    def test_counts_as_used(self):
        def row():
            return next(r for r in self.json("system", "df")["Usage"] if r["Type"] == "Images")
        before = row()
        self.mount()
        after = row()
        self.assertEqual((after["Active"], after["Size"]), (before["Active"] + 1, before["Size"]))
        self.assertLess(after["Reclaimable"], before["Reclaimable"])
        self.wcctl_ok("unmount", self.there)
        self.assertEqual(row(), before)

    def test_at_the_same_place_at_once(self):
        for _ in range(5):
            racers = [subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "mount", image, self.there],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                      for image in ("box", "odd", "box", "odd")]
            told = [racer.communicate()[1] for racer in racers]
            self.assertEqual(sorted(racer.returncode for racer in racers), [0, 125, 125, 125], told)
            for racer, text in zip(racers, told):
                self.assertTrue(not racer.returncode or "is mounted there; unmount it first" in text, text)
            self.assertEqual(mounts().count(self.there), 1)
            self.wcctl_ok("unmount", self.there)

    def test_by_another_path(self):
        os.symlink(self.there, f"{self.there}.link")
        self.mount(where=f"{self.there}.link/.")
        self.assertEqual(self.json("mount")[0]["Path"], self.there)
        self.wcctl_ok("unmount", f"{self.there}.link")
        self.assertEqual(mounts(), [])

    def test_refused(self):
        for words, parts in (
                (("mount", "nothing", self.there), ("image 'nothing'",)),
                (("mount", "box", f"{self.there}/nothing"), (f"'{self.there}/nothing'", "No such file")),
                (("mount", "box", "/etc/passwd"), ("is no directory",)),
                (("mount", "box", f"{self.root}/blobs"), ("is in the store",)),
                (("mount", "box", "/"), ("has the store below it",)),
                (("mount", "box", os.path.dirname(self.root)), ("has the store below it",)),
                (("mount", "box"), ("takes IMAGE and DIRECTORY",)), (("unmount",), ("at least one DIRECTORY",))):
            self.assertFails(self.wcctl(*words), 125, *parts)
        self.assertFails(self.wcctl("unmount", self.there), 1, self.there, "no image is mounted there")
        self.assertEqual(mounts(), [])
        self.mount()
        self.assertFails(self.wcctl("mount", "odd", self.there), 125, "is mounted there; unmount it first")

    def test_while_somebody_works_in_it(self):
        self.mount()
        with open(f"{self.there}/etc/passwd", encoding="utf-8"):
            self.assertFails(self.wcctl("unmount", self.there), 1, "somebody works in it")
            self.is_in_use()
        self.wcctl_ok("unmount", self.there)

    def test_something_mounted_over_it(self):
        self.mount()
        run("mount", "-t", "tmpfs", "none", self.there)
        self.assertFails(self.wcctl("unmount", self.there), 1, "something else is mounted over it")
        run("umount", self.there)
        self.wcctl_ok("unmount", self.there)


class Gone(MountCase):
    """What nobody unmounted by us."""
    def test_by_hand(self):
        self.mount()
        run("umount", self.there)
        self.assertEqual(self.json("mount"), [])
        self.mount()
        run("umount", self.there)
        self.mount()  # anew, where the record of the first one still is
        run("umount", self.there)
        self.wcctl_ok("rmi", "box")
        self.wcctl_ok("pull", "-q", f"oci:{self.layout}:box")

    def test_with_its_directory(self):
        self.mount()
        run("umount", self.there)
        os.rmdir(self.there)
        self.wcctl_ok("unmount", self.there)

    def test_by_a_new_start_of_the_host(self):
        self.mount()
        run("umount", self.there)
        with sqlite3.connect(f"{self.root}/db.sqlite") as database:
            database.execute("UPDATE mounts SET scope = 'another-boot 1'")
        self.assertEqual(self.json("mount"), [])

    @unittest.skipUnless(find("unshare"), "not installed: unshare")
    def test_in_another_namespace(self):
        """Nobody can tell from here; so it is there until somebody says otherwise."""
        wcctl = [f"{BUILD}/bin/wcctl", "--root", self.root]
        holder = subprocess.Popen(["unshare", "-m", "sh", "-c", '"$@" && echo done && read answer', "sh", *wcctl, "mount", "box",
                                   self.there], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        holder.stdout.readline()
        self.assertEqual(holder.stdout.readline(), "done\n")
        self.assertEqual(mounts(), [])
        self.assertEqual([m["Here"] for m in self.json("mount")], [False])
        self.is_in_use()
        self.assertFails(self.wcctl("unmount", self.there), 1, "another mount namespace", "by force")
        inside = run("nsenter", "-m", "-t", str(holder.pid), *wcctl, "--json", "mount")
        self.assertEqual([m["Here"] for m in json.loads(inside)], [True])
        holder.communicate("\n")
        self.wcctl_ok("unmount", "-f", self.there)
        self.assertEqual(self.json("mount"), [])

    def test_killed_at_any_instant(self):
        """Either it is mounted, and known, or it is not; the image can be removed then."""
        chance = random.Random(1)
        for _ in range(60):
            child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "mount", "box", self.there],
                                     stdout=subprocess.DEVNULL)
            time.sleep(chance.random() * 0.02)
            child.send_signal(signal.SIGKILL)
            child.wait()
            known = [m["Path"] for m in self.json("mount")]
            self.assertEqual(known, mounts())
            if known:
                self.is_in_use()
                self.wcctl_ok("unmount", self.there)
        self.wcctl_ok("rmi", "box")
        self.wcctl_ok("pull", "-q", f"oci:{self.layout}:box")


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
