#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""zstd:chunked layers of which only a part is pulled: from the real registry, through bad proxies, with tables that lie,
with a store whose lists lie, and killed at any instant. Whatever comes of it is the image, byte for byte."""
import glob
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import unittest

from image_case import BUILD, INSECURE, SUPPORT, ImageCase, needs, raw_manifest, run

sys.path.insert(0, SUPPORT)
import chunked_layout  # noqa: E402
import named_skips  # noqa: E402

FILES = 300


class Proxy:
    """One of tests/support, until close()."""
    def __init__(self, program, address, *words):
        self.process = subprocess.Popen([sys.executable, f"{SUPPORT}/{program}.py", address.split(":")[1], *map(str, words)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = "127.0.0.1:" + self.process.stdout.readline().split()[0]

    def close(self):
        """What it says at its end."""
        if self.process.stdin.closed:
            return ""
        self.process.stdin.close()
        said = self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait()
        return said


@needs("docker-registry", "skopeo")
class PartialCase(ImageCase):
    def setUp(self):
        super().setUp()
        self.layout = self.path("layout")
        self.server = self.registry()

    def put(self, tag, layers, place="p/image"):
        """The descriptors of the layers."""
        stored = chunked_layout.put_image(self.layout, tag, layers)
        self.server.push(f"oci:{self.layout}:{tag}", f"{place}:{tag}")
        return stored

    def put_two(self, changed=6):
        """`one` is in the store, `two` has other contents in some files."""
        self.put("one", [chunked_layout.random_layer(1, FILES)])
        self.second = chunked_layout.random_layer(1, FILES, set(range(0, changed * 7, 7)))
        self.stored, = self.put("two", [self.second])
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:one")

    def through(self, program, *words):
        proxy = Proxy(program, self.server.address, *words)
        self.addCleanup(proxy.close)
        return proxy

    def is_dropped(self, stored):
        return not os.path.exists(f"{self.root}/blobs/sha256/{stored['digest'][7:]}")

    def tree(self, layer):
        return f"{self.root}/trees/{hashlib.sha256(bytes(layer.tar)).hexdigest()}"

    def is_whole(self, tag, place="p/image", name=None):
        """It is the image, and gives all its bytes again."""
        self.check()
        self.ok("save", "--format", "oci-archive", "-o", self.path("saved.tar"), name or f"{self.server.address}/{place}:{tag}")
        shutil.rmtree(self.path("saved"), ignore_errors=True)
        run("skopeo", *INSECURE, "copy", "-q", "--preserve-digests", f"oci-archive:{self.path('saved.tar')}", f"oci:{self.path('saved')}:t")
        self.assertEqual(raw_manifest(f"oci:{self.path('saved')}:t"), raw_manifest(f"oci:{self.layout}:{tag}"))
        for entry in json.loads(raw_manifest(f"oci:{self.layout}:{tag}"))["layers"]:
            with open(f"{self.root}/blobs/sha256/{entry['digest'][7:]}", "rb") as file:
                self.assertEqual("sha256:" + hashlib.sha256(file.read()).hexdigest(), entry["digest"])
        self.check()

    def nothing_remains(self):
        for image in self.images():
            self.ok("rmi", "-f", image["Id"])
        self.ok("system", "prune", "-f", "--partial")
        for place in ("trees", "staging", "blobs/sha256", "ingest", "quarantine"):
            self.assertEqual(os.listdir(f"{self.root}/{place}"), [], place)


class FromARegistry(PartialCase):
    def test_only_what_is_missing_moves(self):
        self.put_two()
        whole = self.through("dropping_proxy", 1, 1, 0)
        part = self.through("dropping_proxy", 1, 1, 0)
        self.ok("pull", "--tls-verify=false", f"{whole.address}/p/image:two", root=self.path("other"))
        self.ok("pull", "--drop-blobs", "--tls-verify=false", f"{part.address}/p/image:two")
        all_of_it, some = int(whole.close()), int(part.close())
        self.assertGreater(all_of_it, self.stored["size"])
        self.assertLess(some, all_of_it / 8)
        self.assertTrue(self.is_dropped(self.stored))
        self.check()
        same = run("diff", "-r", "--no-dereference", f"{self.tree(self.second)}/fs",
                   f"{self.path('other')}/{os.path.relpath(self.tree(self.second), self.root)}/fs")
        self.assertEqual(same, "")
        print(f"MEASURED: {some} of {all_of_it} bytes, {100 * some / all_of_it:.1f} %, for 6 of {FILES} files")

    def test_the_blob_comes_back(self):
        self.put_two()
        name = f"{self.server.address}/p/image:two"
        self.ok("pull", "--drop-blobs", name)
        self.assertTrue(self.is_dropped(self.stored))
        self.ok("push", "--tls-verify=false", name, f"{self.server.address}/p/pushed:two")
        self.assertEqual(raw_manifest_of_registry(f"{self.server.address}/p/pushed:two"), raw_manifest(f"oci:{self.layout}:two"))
        self.is_whole("two")
        self.nothing_remains()

    def test_not_without_being_asked(self):
        self.put_two()
        self.ok("pull", f"{self.server.address}/p/image:two")
        self.assertFalse(self.is_dropped(self.stored))
        self.is_whole("two")

    def test_whole_when_little_is_there(self):
        self.put_two(changed=40)
        self.put("three", [chunked_layout.random_layer(3, FILES)])
        before = self.server.requests()
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:three")
        self.assertGreater(len(self.server.requests()), len(before))
        self.is_whole("three")

    def test_several_layers_names_and_links(self):
        """Contents that stand twice, hard links, names that go away again, layers that share with each other."""
        first, second, third = (chunked_layout.random_layer(seed, 60) for seed in (1, 2, 3))
        self.put("one", [first, second, third])
        layers = []
        for seed in (1, 2):
            layer = chunked_layout.random_layer(seed, 60, {5})
            twice = chunked_layout.content_of("twice", 1, 40000)
            for name in ("a/", "a/x", "a/y", "a/f"):
                layer.add(name, None if name.endswith("/") else twice)
            layer.add("a/link", link="d0/f5")
            layer.add("a/f", chunked_layout.content_of("later", 1, 3000))  # in the place of the first
            layer.add("empty", b"")
            layers.append(layer)
        stored = self.put("two", layers)
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:one")
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
        self.assertEqual([self.is_dropped(s) for s in stored], [True, True])
        self.is_whole("two")
        self.nothing_remains()

    def test_from_what_came_in_part(self):
        """The list of a layer that came in part is as good as any other, also when its source is gone."""
        self.put_two()
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
        self.ok("rmi", f"{self.server.address}/p/image:one")
        third = chunked_layout.random_layer(1, FILES, set(range(0, 42, 7)) | {3})
        stored, = self.put("three", [third])
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:three")
        self.assertTrue(self.is_dropped(stored))
        self.is_whole("three")

    def test_gone_from_the_store_meanwhile(self):
        """The tree that has the contents is removed and the pull goes on, many times over."""
        self.put_two()
        chance = random.Random(1)
        for _ in range(6):
            pull = self.start("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
            time.sleep(chance.random() * 0.1)
            self.ok("rmi", f"{self.server.address}/p/image:one")
            self.ok("system", "prune", "-f")
            self.assertEqual(pull.wait(), 0)
            self.check()
            self.ok("rmi", f"{self.server.address}/p/image:two")
            self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:one")
        self.nothing_remains()

    def start(self, *words):
        return subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, *words], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def test_many_at_once(self):
        self.put_two()
        for options in (["--drop-blobs"], []):
            pulls = [self.start("pull", *(options if n % 2 else ["--drop-blobs"]), f"{self.server.address}/p/image:two")
                     for n in range(6)]
            self.assertEqual([pull.wait() for pull in pulls], [0] * 6)
            self.check()
            self.ok("rmi", f"{self.server.address}/p/image:two")
        self.nothing_remains()

    def test_killed(self):
        self.put_two(changed=20)
        chance = random.Random(1)
        for _ in range(20):
            pull = self.start("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
            time.sleep(chance.random() * 0.12)
            pull.kill()
            pull.wait()
            self.check()
            if len(self.images()) == 2:
                self.ok("rmi", f"{self.server.address}/p/image:two")
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
        self.assertTrue(self.is_dropped(self.stored))
        self.is_whole("two")
        self.nothing_remains()


def raw_manifest_of_registry(name):
    return subprocess.run(["skopeo", *INSECURE, "inspect", "--raw", "--tls-verify=false", f"docker://{name}"], check=True,
                          capture_output=True).stdout


class ThroughBadNetworks(PartialCase):
    def pull_through(self, *faults):
        self.put_two(changed=20)
        proxy = self.through("misbehaving_proxy", *faults)
        self.name = f"{proxy.address}/p/image:two"
        self.ok("pull", "--drop-blobs", "--tls-verify=false", self.name)
        self.check()

    def is_the_image(self):
        self.is_whole("two", name=self.name)

    def test_faults_that_pass(self):
        self.pull_through("cut,flaky,limit,stall", 1)
        self.assertTrue(self.is_dropped(self.stored))
        self.is_the_image()

    def test_redirects(self):
        self.pull_through("redirect")
        self.assertTrue(self.is_dropped(self.stored))
        self.is_the_image()

    def test_no_ranges(self):
        """200 to a Range: the layer comes whole, and no more is tried."""
        self.pull_through("norange")
        self.is_the_image()

    def test_another_range(self):
        self.pull_through("shift", 2)
        self.is_the_image()

    def test_another_range_that_is_denied(self):
        """The tables are found out by their digest, frames by the DiffID."""
        self.pull_through("lie", 3)
        self.is_the_image()


class Lies(PartialCase):
    """Tables that lie are refused when the layer is read; in part, they are believed no more. Each is refused with what
    the whole pull says of it, or comes whole."""
    def pull_lie(self, change, refused):
        self.put("one", [chunked_layout.random_layer(1, FILES)])
        layer = chunked_layout.random_layer(1, FILES, {7})
        change(layer)
        stored, = self.put("two", [layer])
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:one")
        done = self.wcctl("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
        self.assertGreater(self.server.requests()[stored["digest"]], 1, "its tables, and then all of it")
        self.check()
        if refused:
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(len(self.images()), 1)
            self.assertEqual(done.stderr.replace(self.root, ""),
                             self.wcctl("pull", f"{self.server.address}/p/image:two", root=self.path("other")).stderr)
        else:
            self.assertEqual(done.returncode, 0, done.stderr)
            self.is_whole("two")
        self.nothing_remains()
        return stored

    @staticmethod
    def entry(layer, name="d0/f7"):
        return next(e for e in layer.entries if e["name"] == name)

    def test_frames_outside_the_blob(self):
        self.pull_lie(lambda l: self.entry(l).update(offset=1 << 40, endOffset=(1 << 40) + 5), refused=False)

    def test_frames_that_overlap(self):
        def change(layer):
            other = self.entry(layer, "d0/f6")
            self.entry(layer).update(offset=other["offset"], endOffset=other["endOffset"])
        self.pull_lie(change, refused=False)

    def test_no_frames(self):
        self.pull_lie(lambda l: self.entry(l).update(offset=0, endOffset=0), refused=False)

    def test_frames_cut_short(self):
        self.pull_lie(lambda l: self.entry(l).update(endOffset=self.entry(l)["endOffset"] - 3), refused=False)

    def test_frames_of_something_else(self):
        """The place of another content: that is seen by the DiffID."""
        def change(layer):
            mine, other = self.entry(layer), self.entry(layer, "d0/f8")
            mine.update(offset=mine["endOffset"] - 1)
            other.update(offset=mine["endOffset"])
        self.pull_lie(change, refused=False)

    def test_content_of_another_file(self):
        """Were the table believed, /d0/f7 would have what the store has of /d0/f9."""
        def change(layer):
            other = self.entry(layer, "d0/f9")
            self.entry(layer).update(digest=other["digest"], size=other["size"])
        self.pull_lie(change, refused=True)

    def test_another_mode(self):
        self.pull_lie(lambda l: self.entry(l).update(mode=0o4755), refused=True)

    def test_another_tar_split(self):
        def change(layer):
            layer.split[4] = dict(layer.split[4], payload=layer.split[1]["payload"] if "payload" in layer.split[1] else "")
        self.pull_lie(change, refused=True)

    def test_more_in_the_tar_split(self):
        self.pull_lie(lambda l: l.split.append({"type": 1, "name": "d0/f7", "size": 5, "position": 0}), refused=True)

    def test_bomb(self):
        """A small frame that never ends, under a content that the table says is large."""
        def change(layer):
            entry = self.entry(layer)
            entry["size"] = 1 << 40
            next(s for s in layer.split if s.get("name") == "d0/f7")["size"] = 1 << 40
        self.pull_lie(change, refused=True)


class WrongLists(PartialCase):
    """Of the store itself: what it says of its files is never believed."""
    def lists(self):
        return glob.glob(f"{self.root}/trees/*/contents")

    def test_lists_that_lie(self):
        """Every digest leads to the file of another."""
        self.put_two()
        path, = self.lists()
        with open(path, "rb") as file:
            head, _, rest = file.read().partition(b"\n")
        records = re.findall(rb"(.{32})([^\0]+)\0", rest, re.S)
        self.assertGreater(len(records), FILES // 2)
        with open(path, "wb") as file:
            file.write(head + b"\n" + b"".join(records[i][0] + records[i - 1][1] + b"\0" for i in range(len(records))))
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
        self.is_whole("two")

    def test_lists_that_lead_out(self):
        self.put_two()
        path, = self.lists()
        content = chunked_layout.content_of("changed", 0, 100000)
        with open(self.path("secret"), "wb") as file:
            file.write(content)
        with open(path, "ab") as file:
            for name in ("../../../../secret", self.path("secret"), "d0", "."):
                file.write(hashlib.sha256(content).digest() + os.fsencode(name) + b"\0")
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
        self.assertTrue(self.is_dropped(self.stored))
        self.is_whole("two")

    def test_damaged_lists(self):
        self.put_two()
        path, = self.lists()
        for damage in (b"", b"x", b"wincontainer layer contents 1\n" + bytes(20), os.urandom(5000)):
            with open(path, "wb") as file:
                file.write(damage)
            self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
            self.check()
            self.ok("rmi", f"{self.server.address}/p/image:two")
        os.remove(path)
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
        self.is_whole("two")

    def test_files_that_have_changed(self):
        """A damaged tree gives nothing away."""
        self.put_two()
        path, = self.lists()
        for file in glob.glob(f"{os.path.dirname(path)}/fs/d1/*"):
            with open(file, "r+b") as f:
                f.write(b"changed")
        self.ok("pull", "--drop-blobs", f"{self.server.address}/p/image:two")
        for file in glob.glob(f"{self.tree(self.second)}/fs/d1/*"):
            with open(file, "rb") as f:
                self.assertNotEqual(f.read(7), b"changed")
        self.assertTrue(self.is_dropped(self.stored))


if __name__ == "__main__":
    named_skips.main()
