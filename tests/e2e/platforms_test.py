#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images for several platforms as one, with what refers to them, between all kinds of places. Read back by skopeo and
from the registry itself."""
import json
import os
import shutil
import sys
import tarfile
import unittest
import urllib.error
import urllib.request

import images_test
from images_test import SUPPORT, ImageCase, digest_of, make_layout, needs, put_manifest, raw_manifest, run

named_skips = images_test.named_skips
ANY = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"


def make_index(path, tag="many", *options):
    """Everything there is in it; see index_layout.py."""
    return json.loads(run(sys.executable, f"{SUPPORT}/index_layout.py", path, tag, *options))


def blobs_of(layout):
    return sorted(os.listdir(f"{layout}/blobs/sha256"))


class PlatformsCase(ImageCase):
    def setUp(self):
        super().setUp()
        self.there = make_index(self.path("layout"))
        self.layout = f"oci:{self.path('layout')}:many"
        with open(f"{self.path('layout')}/blobs/sha256/{self.there['index'][7:]}", "rb") as file:
            self.index = file.read()

    def blob(self, digest, layout="layout"):
        with open(f"{self.path(layout)}/blobs/sha256/{digest[7:]}", "rb") as file:
            return file.read()

    def unpacked(self, archive):
        path = self.path(os.path.basename(archive) + ".unpacked")
        shutil.rmtree(path, ignore_errors=True)
        with tarfile.open(archive) as tar:
            tar.extractall(path, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(path)
        return path

    def entries(self, layout):
        with open(f"{layout}/index.json", encoding="utf-8") as file:
            return json.load(file)["manifests"]

    def copy(self, source, target, *options):
        return json.loads(self.ok("--json", "copy", *options, source, target))["Digest"]

    def without_companions(self):
        make_index(self.path("plain"), "many", "--plain")
        return blobs_of(self.path("plain"))


class LayoutTest(PlatformsCase):
    """Without a registry."""
    def test_whole_index_between_layouts_and_archives(self):
        places = [self.layout, f"oci:{self.path('a')}:one", f"oci-archive:{self.path('b.tar')}:two",
                  f"oci-archive:{self.path('c.tar')}:three", f"oci:{self.path('d')}:four"]
        for source, target in zip(places, places[1:]):
            self.assertEqual(self.copy(source, target, "--all"), self.there["index"])
        self.assertEqual(blobs_of(self.path("a")), self.without_companions())
        self.assertEqual(blobs_of(self.path("d")), self.without_companions())
        self.assertEqual(blobs_of(self.unpacked(self.path("c.tar"))), self.without_companions())
        self.assertEqual(self.blob(self.there["index"], "d"), self.index)
        self.assertEqual([(e["digest"], e["annotations"]) for e in self.entries(self.path("d"))],
                         [(self.there["index"], {"org.opencontainers.image.ref.name": "four"})])

    @needs("skopeo")
    def test_skopeo_reads_it(self):
        self.copy(self.layout, f"oci-archive:{self.path('x.tar')}:x", "--all")
        run("skopeo", "--insecure-policy", "copy", "-q", "--all", f"oci-archive:{self.path('x.tar')}:x",
            f"oci:{self.path('theirs')}:x")
        self.assertEqual(blobs_of(self.path("theirs")), self.without_companions())
        for number, image in enumerate(self.there["images"]):
            architecture = ("amd64", "arm64", "s390x")[number]
            shown = run("skopeo", "--insecure-policy", "--override-arch", architecture, "inspect", "--raw",
                        f"oci-archive:{self.path('x.tar')}:x")
            self.assertIn(image, shown)

    def test_same_input_same_archive(self):
        for name in ("x", "y"):
            self.copy(self.layout, f"oci-archive:{self.path(name)}:x", "--all", "--referrers")
        with open(self.path("x"), "rb") as x, open(self.path("y"), "rb") as y:
            self.assertEqual(x.read(), y.read())

    def test_companions_go_along(self):
        for name, target in (("a", f"oci:{self.path('a')}:one"), ("b.tar", f"oci-archive:{self.path('b.tar')}:one")):
            self.copy(self.layout, target, "--all", "--referrers")
            layout = self.path(name) if name == "a" else self.unpacked(self.path(name))
            self.assertEqual(blobs_of(layout), self.there["blobs"])
            tags = {e.get("annotations", {}).get("org.opencontainers.image.ref.name"): e["digest"]
                    for e in self.entries(layout)}
            self.assertEqual({**self.there["tags"], "one": self.there["index"], None: tags[None]}, tags)
            self.assertIn(tags[None], self.there["referrers"])
        # They are no images: the place needs no name, and what is there goes on.
        self.assertEqual(self.copy(f"oci:{self.path('a')}", f"oci:{self.path('c')}", "--all", "--referrers"),
                         self.there["index"])
        self.assertEqual(blobs_of(self.path("c")), self.there["blobs"])

    def test_one_image_with_its_own_companions(self):
        digest = self.copy(self.layout, f"oci:{self.path('a')}:one", "--platform", "linux/amd64", "--referrers")
        self.assertEqual(digest, self.there["images"][0])
        suffixes = sorted(e["annotations"]["org.opencontainers.image.ref.name"].rsplit(".", 1)[-1]
                          for e in self.entries(self.path("a")))
        self.assertEqual(suffixes, ["att", "one", "sbom"])

    def test_some_platforms(self):
        digest = self.copy(self.layout, f"oci:{self.path('a')}:one", "--platform", "linux/amd64,linux/arm64")
        self.assertNotEqual(digest, self.there["index"])
        index = json.loads(self.blob(digest, "a"))
        self.assertEqual([m["digest"] for m in index["manifests"]], self.there["images"][:2] + self.there["attestations"])
        self.assertEqual(index["annotations"], {"org.example.note": "kept"})
        self.assertNotIn(self.there["images"][2][7:], blobs_of(self.path("a")))
        # One, but as an index, with its attestation; again it is the same.
        one = self.copy(self.layout, f"oci:{self.path('b')}:one", "--all", "--platform", "linux/arm64")
        self.assertEqual([m["digest"] for m in json.loads(self.blob(one, "b"))["manifests"]],
                         [self.there["images"][1], self.there["attestations"][1]])
        self.assertEqual(self.copy(f"oci:{self.path('a')}:one", f"oci:{self.path('c')}:one", "--all", "--platform",
                                   "linux/arm64"), one)
        # All of them: nothing is to be written anew.
        self.assertEqual(self.copy(self.layout, f"oci:{self.path('d')}:one", "--platform",
                                   "linux/s390x,linux/amd64,linux/arm64"), self.there["index"])

    def test_refused(self):
        target = f"oci:{self.path('a')}:one"
        make_layout(self.path("single"), "box")
        for words, parts in (
                (("--platform", "linux/amd64,linux/riscv64", self.layout, target),
                 ("nothing fits linux/riscv64", "there is linux/amd64, linux/arm64/v8, linux/s390x")),
                (("--platform", "linux/amd64,,", self.layout, target), ("platform ''",)),
                (("--platform", "linux/amd64,linux/arm64", f"oci:{self.path('single')}:box", target),
                 ("is for one platform", "leave the platforms out")),
                (("--all", self.layout, f"docker-archive:{self.path('d.tar')}:x"), ("one platform each", "oci-archive:")),
                (("--referrers", self.layout, f"docker-archive:{self.path('d.tar')}:x"), ("refers to an image",))):
            done = self.wcctl("copy", *words)
            self.assertEqual(done.returncode, 125)
            self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)
            for part in parts:
                self.assertIn(part, done.stderr)
        self.assertFalse(os.path.exists(self.path("d.tar")))
        self.assertEqual(self.wcctl("run", "--platform", "linux/amd64,linux/arm64", "x").returncode, 125)

    def test_one_image_under_all(self):
        digest = make_layout(self.path("single"), "box")
        self.assertEqual(self.copy(f"oci:{self.path('single')}:box", f"oci:{self.path('a')}:one", "--all"), digest)

    def test_damage_is_noticed(self):
        layer = json.loads(self.blob(self.there["images"][2]))["layers"][1]["digest"]
        with open(f"{self.path('layout')}/blobs/sha256/{layer[7:]}", "r+b") as file:
            file.seek(40)
            file.write(b"????")
        done = self.wcctl("copy", "--all", self.layout, f"oci-archive:{self.path('a.tar')}:one")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(layer, done.stderr)
        self.assertFalse(os.path.exists(self.path("a.tar")))


@needs("skopeo", "docker-registry")
class RegistryTest(PlatformsCase):
    def setUp(self):
        super().setUp()
        self.server = self.registry()

    def name(self, name):
        return f"docker://{self.server.address}/{name}"

    def manifest(self, repository, reference):
        """Bytes, or None when the registry has it not."""
        url = f"http://{self.server.address}/v2/{repository}/manifests/{reference}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": ANY})) as answer:
                return answer.read()
        except urllib.error.HTTPError:
            return None

    def test_there_and_back(self):
        self.assertEqual(self.copy(self.layout, self.name("a/many:1"), "--all"), self.there["index"])
        self.assertEqual(self.manifest("a/many", "1"), self.index)
        for image in self.there["images"] + self.there["attestations"]:
            self.assertEqual(self.manifest("a/many", image), self.blob(image))
        self.assertEqual(self.copy(self.name("a/many:1"), f"oci:{self.path('a')}:one", "--all"), self.there["index"])
        self.assertEqual(blobs_of(self.path("a")), self.without_companions())
        run("skopeo", "--insecure-policy", "copy", "-q", "--all", "--src-tls-verify=false", self.name("a/many:1"),
            f"oci:{self.path('theirs')}:x")
        self.assertEqual(blobs_of(self.path("theirs")), self.without_companions())

    def test_from_skopeo(self):
        self.server.push(self.layout, "a/theirs:1", "--all")
        self.assertEqual(self.copy(self.name("a/theirs:1"), f"oci-archive:{self.path('a.tar')}:one", "--all"),
                         digest_of(self.manifest("a/theirs", "1")))
        self.assertEqual(blobs_of(self.unpacked(self.path("a.tar"))), self.without_companions())

    def test_companions_there_and_back(self):
        self.copy(self.layout, self.name("a/many:1"), "--all", "--referrers")
        for tag, digest in self.there["tags"].items():
            self.assertEqual(digest_of(self.manifest("a/many", tag)), digest)
        # This registry lists no referrers by itself: the tag that stands for the list does.
        for subject, referrer in ((self.there["index"], self.there["referrers"][0]), self.there["referrers"]):
            listed = json.loads(self.manifest("a/many", subject.replace(":", "-")))["manifests"]
            self.assertEqual([entry["digest"] for entry in listed], [referrer])
        self.copy(self.name("a/many:1"), self.name("b/other:1"), "--all", "--referrers")
        self.copy(self.name("b/other:1"), f"oci:{self.path('a')}:one", "--all", "--referrers")
        self.assertEqual(blobs_of(self.path("a")), self.there["blobs"])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to mount")
    def test_no_room_is_needed_but_the_targets(self):
        """What comes from a registry goes straight to its place: the store has room for a tenth of it only."""
        make_index(self.path("large"), "many", "--size", "3000000", "--plain")
        self.copy(f"oci:{self.path('large')}:many", self.name("a/large:1"), "--all")
        os.mkdir(self.path("tiny"))
        run("mount", "-t", "tmpfs", "-o", "size=1m", "none", self.path("tiny"))
        self.addCleanup(run, "umount", self.path("tiny"))
        self.root = self.path("tiny/root")
        for target in (f"oci-archive:{self.path('a.tar')}:x", f"oci:{self.path('a')}:x"):
            self.copy(self.name("a/large:1"), target, "--all")
        self.assertEqual(blobs_of(self.path("a")), blobs_of(self.path("large")))
        self.assertEqual(blobs_of(self.unpacked(self.path("a.tar"))), blobs_of(self.path("large")))

    def test_within_one_registry_nothing_is_fetched(self):
        self.copy(self.layout, self.name("a/many:1"), "--all")
        self.assertEqual(self.copy(self.name("a/many:1"), self.name("b/other:1"), "--all"), self.there["index"])
        self.assertEqual(self.server.requests(), {})
        self.assertEqual(self.manifest("b/other", "1"), self.index)

    def test_nothing_half_made_is_seen(self):
        """A layer that is not there any more: the tag does not move."""
        self.copy(self.layout, self.name("a/many:1"), "--all")
        os.remove(f"{self.path('layout')}/blobs/sha256/" +
                  json.loads(self.blob(self.there["images"][1]))["layers"][1]["digest"][7:])
        self.assertNotEqual(self.wcctl("copy", "--all", self.layout, self.name("c/many:1")).returncode, 0)
        self.assertIsNone(self.manifest("c/many", "1"))

    def test_nested_index(self):
        self.copy(self.layout, self.name("a/many:1"), "--all")
        outer = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
            {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": self.there["index"],
             "size": len(self.index)}]}).encode()
        put_manifest(f"{self.server.address}/a/many:outer", outer)
        self.assertEqual(self.copy(self.name("a/many:outer"), f"oci:{self.path('a')}:one", "--all"), digest_of(outer))
        self.assertEqual(blobs_of(self.path("a")), sorted(self.without_companions() + [digest_of(outer)[7:]]))
        done = self.wcctl("copy", "--platform", "linux/amd64,linux/arm64", self.name("a/many:outer"),
                          f"oci:{self.path('b')}:one")
        self.assertIn("further index", done.stderr)


if __name__ == "__main__":
    named_skips.main()
