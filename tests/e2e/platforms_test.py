#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images for several platforms as one, with what refers to them, between all kinds of places. Read back by skopeo and
from the registry itself."""
import concurrent.futures
import json
import os
import shutil
import sys
import tarfile
import unittest
import urllib.error
import urllib.request

import images_test
from images_test import SUPPORT, ImageCase, digest_of, make_layout, needs, put_manifest, raw_manifest_of, run

from referrers_proxy import ReferrersProxy
from signatures_test import SignatureCase

named_skips = images_test.named_skips
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ANY = f"{INDEX}, {MANIFEST}"


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

    def created(self, *words):
        """Digest of the image that a container is made of."""
        name = self.ok("create", "--network", "none", *words, "true").strip()
        image = json.loads(self.ok("--json", "inspect", name))[0]["Image"]
        return next(i["Digest"] for i in self.images() if i["Id"] == image)

    def without_companions(self):
        make_index(self.path("plain"), "many", "--plain")
        return blobs_of(self.path("plain"))


class LayoutTest(PlatformsCase):
    """Without a registry."""
    def test_whole_index_between_layouts_and_archives(self):
        places = [self.layout, f"oci:{self.path('a')}:one", f"oci-archive:{self.path('b.tar')}:two",
                  f"oci-archive:{self.path('c.tar')}:three", f"oci:{self.path('d')}:four"]
        for source, target in zip(places, places[1:]):
            self.assertEqual(self.copy(source, target, "--all", "--no-referrers"), self.there["index"])
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


class StoreTest(PlatformsCase):
    """The store as a place on the way."""
    def pull_all(self, *options):
        return self.pull(self.layout, "--all", *options)

    def blob_files(self):
        return sorted(os.listdir(f"{self.root}/blobs/sha256"))

    def leaves_nothing(self):
        self.check()
        self.ok("system", "prune", "-f")
        self.assertEqual(self.blob_files(), [])

    def test_in_and_out_again(self):
        image = self.pull_all()
        self.assertEqual(len(self.images()), 1)
        self.assertIn(image["Digest"], self.there["images"])
        self.check()
        name = image["Name"]
        self.assertEqual(self.copy(f"wc-store:{name}", f"oci:{self.path('a')}:one", "--all"), self.there["index"])
        self.assertEqual(blobs_of(self.path("a")), self.without_companions())
        self.ok("save", "--all", "--format", "oci-archive", "-o", self.path("b.tar"), name)
        self.assertEqual(blobs_of(self.unpacked(self.path("b.tar"))), self.without_companions())
        # As one image it is what it always was.
        self.assertEqual(self.copy(f"wc-store:{name}", f"oci:{self.path('c')}:one"), image["Digest"])
        self.ok("rmi", name)
        self.leaves_nothing()

    def test_a_container_for_another_platform(self):
        """Out of the index that is there, offline; the name stays with the image that it stood for."""
        own = self.pull_all()
        for platform, image in zip(("linux/amd64", "linux/arm64", "linux/s390x"), self.there["images"]):
            for _ in "12":
                self.assertEqual(self.created("--platform", platform, "many"), image, platform)
        self.assertEqual(self.created("many"), own["Digest"])
        self.assertEqual(self.created("--pull", "never", "--platform", "linux/aarch64", "many"), self.there["images"][1])
        self.assertIn("nothing fits linux/riscv64", self.fails("create", "--pull", "never", "--platform", "linux/riscv64",
                                                               "many", "true"))
        self.assertIn("OS/ARCH", self.fails("create", "--platform", "nonsense", "many", "true"))
        self.check()

    def test_never_what_was_not_asked_for(self):
        """One image with no index, and one of an index of which the rest is not there."""
        make_layout(self.path("single"), "box")
        self.pull(f"oci:{self.path('single')}:box", "--platform", "linux/amd64")
        self.pull(self.layout, "--platform", "linux/amd64")
        for name, why in (("box", "nothing fits linux/arm64; there is linux/amd64"), ("many", "has not all of the index")):
            self.assertIn(why, self.fails("create", "--pull", "never", "--platform", "linux/arm64", name, "true"))
            self.assertIn(why, self.fails("unpack", "--platform", "linux/arm64", name, self.path("dir")))
            self.created("--pull", "never", "--platform", "linux/amd64", name)
        self.assertFalse(os.path.exists(self.path("dir")))

    def test_another_platform_unpacked(self):
        self.pull_all()
        self.ok("unpack", "--platform", "linux/s390x", "many", self.path("dir"))
        self.ok("pack", self.path("dir"), "again")
        again = next(i for i in self.images() if any("again" in n for n in i["Names"]))
        self.assertEqual(again["Digest"], self.there["images"][2])

    def test_with_companions(self):
        name = self.pull_all("--referrers")["Name"]
        self.ok("system", "prune", "-f")
        self.copy(f"wc-store:{name}", f"oci:{self.path('a')}:one", "--all", "--referrers")
        self.assertEqual(blobs_of(self.path("a")), self.there["blobs"])
        self.ok("rmi", name)
        self.leaves_nothing()

    def test_one_image_with_its_companions(self):
        self.pull(self.layout, "--platform", "linux/amd64", "--referrers")
        self.ok("tag", "many", "other")
        self.copy("wc-store:other", f"oci:{self.path('a')}:one", "--referrers")
        suffixes = sorted(e["annotations"]["org.opencontainers.image.ref.name"].rsplit(".", 1)[-1]
                          for e in self.entries(self.path("a")))
        self.assertEqual(suffixes, ["att", "one", "sbom"])
        self.ok("rmi", "many")
        self.ok("rmi", "other")
        self.leaves_nothing()

    def test_some_platforms(self):
        image = self.pull(self.layout, "--platform", "linux/arm64,linux/s390x")
        self.assertEqual(image["Digest"], self.there["images"][1])
        digest = self.copy("wc-store:many", f"oci:{self.path('a')}:one", "--all")
        self.assertEqual([m["digest"] for m in json.loads(self.blob(digest, "a"))["manifests"]],
                         [*self.there["images"][1:], self.there["attestations"][1]])
        self.ok("rmi", "many")
        self.leaves_nothing()

    def test_load(self):
        self.copy(self.layout, f"oci-archive:{self.path('a.tar')}:many", "--all", "--referrers")
        self.ok("load", "--all", "--referrers", "-i", self.path("a.tar"))
        self.assertEqual(len(self.images()), 1)
        self.copy("wc-store:many", f"oci:{self.path('b')}:one", "--all", "--referrers")
        self.assertEqual(blobs_of(self.path("b")), self.there["blobs"])

    def test_not_all_of_it(self):
        """A part of an index is not passed off as the whole."""
        self.pull(self.layout)
        done = self.wcctl("copy", "--all", "wc-store:many", f"oci:{self.path('a')}:one")
        self.assertEqual(done.returncode, 125)
        self.assertIn("has not all of the index", done.stderr)
        self.assertIn(self.there["index"], done.stderr)
        # What the rest of it is fetched for.
        self.pull_all()
        self.copy("wc-store:many", f"oci:{self.path('a')}:one", "--all")
        self.assertEqual(blobs_of(self.path("a")), self.without_companions())

    def test_what_is_kept_counts(self):
        def usage():
            return json.loads(self.ok("--json", "system", "df", "-v"))["Images"][0]
        self.pull(self.layout)
        alone = usage()
        self.pull_all()
        whole = usage()
        kept = sum(os.path.getsize(f"{self.root}/blobs/sha256/{b}") for b in self.blob_files())
        self.assertGreater(whole["Size"], alone["Size"] + 3000)
        self.assertGreaterEqual(whole["Size"], kept)
        self.assertEqual(whole["UniqueSize"], whole["Size"])

    def test_dropped_blobs_are_not_those_of_others(self):
        self.pull_all("--drop-blobs")
        self.check()
        self.copy("wc-store:many", f"oci:{self.path('a')}:one", "--all")
        self.assertEqual(blobs_of(self.path("a")), self.without_companions())

    def test_damage_is_found_and_pulled_again(self):
        self.pull_all()
        layer = json.loads(self.blob(self.there["images"][2]))["layers"][1]["digest"]
        with open(f"{self.root}/blobs/sha256/{layer[7:]}", "r+b") as file:
            file.write(b"????")
        done = self.wcctl("system", "check", "--repair")
        self.assertIn(layer, done.stdout)
        self.assertIn("docker.io/library/many:latest", done.stdout)
        done = self.wcctl("system", "check")
        self.assertIn(f"blob {layer} is not in the store; pull the image again", done.stdout)
        self.pull_all()
        self.check()
        self.copy("wc-store:many", f"oci:{self.path('a')}:one", "--all")
        self.assertEqual(blobs_of(self.path("a")), self.without_companions())

    def test_the_name_moves_on(self):
        """Another image under the name: what was kept for the first one goes with it."""
        self.pull_all()
        make_layout(self.path("single"), "many", "--seed", "other")
        self.pull(f"oci:{self.path('single')}:many")
        self.check()
        self.ok("system", "prune", "-f")
        for image in self.there["images"]:
            self.assertNotIn(image[7:], self.blob_files())
        self.ok("rmi", "many")
        self.leaves_nothing()

    def test_the_name_moves_to_another_platform(self):
        """The index is the same, and whole."""
        self.pull_all()
        self.pull(self.layout, "--platform", "linux/arm64")
        self.ok("system", "prune", "-f")
        self.assertEqual([image["Digest"] for image in self.images()], [self.there["images"][1]])
        self.check()
        self.assertEqual(self.copy("wc-store:many", f"oci:{self.path('a')}:one", "--all"), self.there["index"])
        self.assertEqual(blobs_of(self.path("a")), self.without_companions())
        self.ok("rmi", "many")
        self.leaves_nothing()

    def test_the_index_goes_with_its_name(self):
        """The image that stands for it may have other names."""
        image = self.pull_all()
        self.copy(self.layout, f"oci:{self.path('single')}:x", "--platform", "linux/amd64")
        self.assertEqual(self.pull(f"oci:{self.path('single')}:x")["Digest"], image["Digest"])
        self.ok("rmi", "many")
        for other in self.there["images"][1:]:
            self.assertNotIn(other[7:], self.blob_files())
        self.check()
        self.copy("wc-store:x", f"oci:{self.path('a')}:one")
        self.ok("rmi", "x")
        self.leaves_nothing()

    def test_another_name_for_the_index(self):
        self.pull_all("--referrers")
        self.assertEqual(self.copy("wc-store:many", "wc-store:second", "--all", "--referrers"), self.there["index"])
        self.ok("rmi", "many")
        self.ok("system", "prune", "-f")
        self.copy("wc-store:second", f"oci:{self.path('a')}:one", "--all", "--referrers")
        self.assertEqual(blobs_of(self.path("a")), self.there["blobs"])
        part = self.copy("wc-store:second", "wc-store:part", "--platform", "linux/amd64,linux/s390x")
        self.assertEqual(self.copy("wc-store:part", f"oci:{self.path('b')}:one", "--all"), part)
        done = self.wcctl("copy", "--platform", "linux/arm64,linux/s390x", "wc-store:second", "wc-store:other")
        self.assertIn("none of its images is one of the store", done.stderr)
        for name in ("second", "part"):
            self.ok("rmi", name)
        self.leaves_nothing()


class CreateTest(PlatformsCase):
    """Indexes of images that came by themselves."""
    def setUp(self):
        super().setUp()
        for number, platform in enumerate(("linux/amd64", "linux/arm64", "linux/s390x")):
            self.copy(self.layout, f"oci:{self.path(f'i{number}')}:x", "--platform", platform)
            self.pull(f"oci:{self.path(f'i{number}')}:x")
            self.ok("tag", "x", f"i{number}")
        self.ok("rmi", "x")

    def create(self, name, *images, options=()):
        return json.loads(self.ok("--json", "manifest", "create", *options, name, *images))["Digest"]

    def entries_of(self, digest):
        with open(f"{self.root}/blobs/sha256/{digest[7:]}", encoding="utf-8") as file:
            return [(m["digest"], m["platform"]["architecture"], m["platform"].get("variant"))
                    for m in json.load(file)["manifests"]]

    def test_made_and_copied(self):
        digest = self.create("many", "i1", "i0", "i2")
        self.assertEqual(self.entries_of(digest), [(self.there["images"][1], "arm64", "v8"),
                                                   (self.there["images"][0], "amd64", None),
                                                   (self.there["images"][2], "s390x", None)])
        self.assertEqual(self.create("many", "i1", "i0", "i2"), digest)
        self.assertEqual(self.copy("wc-store:many", f"oci:{self.path('a')}:one", "--all"), digest)
        self.assertEqual(self.copy("wc-store:many", f"oci:{self.path('b')}:one"), self.there["images"][0])

    def test_it_can_be_looked_at(self):
        self.create("127.0.0.1:1/many:1", "i0", "i1", "i2")
        for name in "127.0.0.1:1/many:1", "wc-store:127.0.0.1:1/many:1":
            index = json.loads(self.ok("manifest", "inspect", name))
            self.assertEqual([entry["digest"] for entry in index["manifests"]], self.there["images"])
        self.assertIn("layers", json.loads(self.ok("manifest", "inspect", "wc-store:i0")))
        done = self.wcctl("manifest", "inspect", "127.0.0.1:1/nothing:1")
        self.assertEqual(done.returncode, 125)

    def test_it_keeps_its_images(self):
        digest = self.create("many", "i0", "i1", "i2")
        for number in range(3):
            self.ok("rmi", f"i{number}")
        self.ok("system", "prune", "-a", "-f")
        self.check()
        self.assertEqual(self.images(), [])

    def test_it_keeps_its_images_while_it_has_a_name(self):
        digest = self.create("many", "i0", "i1", "i2")
        for number in range(3):
            self.ok("rmi", f"i{number}")
        self.ok("system", "prune", "-f")
        self.check()
        self.assertEqual(self.copy("wc-store:many", f"oci:{self.path('a')}:one", "--all"), digest)
        self.ok("rmi", "many")
        self.assertEqual(os.listdir(f"{self.root}/blobs/sha256"), [])

    def test_its_name_goes_and_the_images_stay(self):
        self.create("many", "i0", "i1", "i2")
        before = {b["Digest"] for b in self.images()}
        self.ok("rmi", "many")
        self.assertEqual({b["Digest"] for b in self.images()}, before)
        self.check()

    def test_amended(self):
        first = self.create("many", "i0", "i1")
        make_layout(self.path("single"), "other", "--seed", "other")
        other = self.pull(f"oci:{self.path('single')}:other")["Digest"]
        second = self.create("many", "i2", options=("--amend",))
        self.assertEqual([d for d, _, _ in self.entries_of(second)], self.there["images"])
        third = self.create("many", "other", options=("--amend",))
        self.assertEqual([d for d, _, _ in self.entries_of(third)], [*self.there["images"][1:], other])
        self.assertNotEqual(first, third)
        self.check()

    def test_whose_blobs_were_dropped(self):
        """They come back first: what the index keeps must be there when the image has gone."""
        self.ok("edit", "--recompress", "--compression", "zstd", "i1", "mine")
        mine = self.copy("wc-store:mine", f"oci:{self.path('mine')}:mine")
        for name in ("mine", "i1"):
            self.ok("rmi", name)
        self.pull(f"oci:{self.path('mine')}:mine", "--drop-blobs")
        layer = json.loads(self.blob(mine, "mine"))["layers"][1]["digest"][7:]
        self.assertFalse(os.path.exists(f"{self.root}/blobs/sha256/{layer}"))
        self.create("many", "i0", "mine")
        for name in ("i0", "mine"):
            self.ok("rmi", name)
        self.check()
        self.assertTrue(os.path.exists(f"{self.root}/blobs/sha256/{layer}"))
        self.copy("wc-store:many", f"oci:{self.path('a')}:one", "--all")

    def test_refused(self):
        make_layout(self.path("single"), "other", "--seed", "other")
        self.pull(f"oci:{self.path('single')}:other")
        for words, part in ((("many", "i0", "other"), "'i0' and 'other' are both for linux/amd64"),
                            (("many", "i0", "nothing"), "image 'nothing': not in the store"),
                            (("--amend", "i0", "i1"), "leads to no index"),
                            (("--amend", "nothing", "i1"), "'docker.io/library/nothing:latest': not in the store"),
                            (("MANY", "i1"), "MANY"), (("many",), "at least one IMAGE")):
            done = self.wcctl("manifest", "create", *words)
            self.assertEqual(done.returncode, 125, words)
            self.assertIn(part, done.stderr)
        self.assertNotEqual(self.wcctl("inspect", "many").returncode, 0)


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
        self.assertEqual(self.copy(self.layout, self.name("a/many:1"), "--all", "--no-referrers"), self.there["index"])
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

    def artifact_in(self, number):
        """The index in a repository of its own, with one artifact that refers to it; its digest."""
        repository = f"source{number}/many"
        self.copy(self.layout, self.name(f"{repository}:1"), "--all", "--no-referrers")
        image = json.loads(self.blob(self.there["images"][0]))
        descriptor = {"mediaType": json.loads(self.index)["mediaType"], "digest": self.there["index"],
                      "size": len(self.index)}
        body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": f"application/example{number}",
                           "config": image["config"], "layers": [], "subject": descriptor}).encode()
        entry = {"mediaType": MANIFEST, "digest": digest_of(body), "size": len(body)}
        listed = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
        for reference, document in ((f":{entry['digest']}", body),
                                    (":" + self.there["index"].replace(":", "-"), json.dumps(listed).encode())):
            put_manifest(f"{self.server.address}/{repository}{reference}", document)
        return entry["digest"]

    def test_companions_of_several_copies_at_once(self):
        """Each copy reads the list of what refers to the index, and writes it with its own one."""
        numbers = range(5)
        artifacts = [self.artifact_in(number) for number in numbers]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda number: self.copy(self.name(f"source{number}/many:1"), self.name("all/many:1"), "--all",
                                                   "--referrers"), numbers))
        listed = json.loads(self.manifest("all/many", self.there["index"].replace(":", "-")))["manifests"]
        self.assertEqual(sorted(entry["digest"] for entry in listed), sorted(artifacts))

    def test_an_artifact(self):
        """Something else than an image goes from place to place like one, but does not come into the store."""
        self.copy(self.layout, self.name("a/chart:image"), "--platform", "linux/amd64", "--no-referrers")
        manifest = json.loads(self.manifest("a/chart", "image"))
        body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [
            {**layer, "mediaType": "application/example.chart"} for layer in manifest["layers"]],
            "config": {**manifest["config"], "mediaType": "application/example.config"}}).encode()
        put_manifest(f"{self.server.address}/a/chart:1", body)
        self.assertEqual(self.copy(self.name("a/chart:1"), f"oci:{self.path('a')}:chart"), digest_of(body))
        self.assertEqual(self.copy(f"oci:{self.path('a')}:chart", self.name("b/chart:1")), digest_of(body))
        self.assertEqual(self.manifest("b/chart", "1"), body)
        for words in (("pull", self.name("b/chart:1")), ("pull", "--all", self.name("b/chart:1")),
                      ("copy", self.name("b/chart:1"), f"docker-archive:{self.path('a.tar')}:x")):
            done = self.wcctl(*words)
            self.assertEqual(done.returncode, 125, words)
            self.assertIn("not a container image but an artifact", done.stderr)
        self.assertEqual(self.images(), [])

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

    def test_where_the_registry_lists_referrers(self):
        """No list under a tag is made then, and the registry's own one is read."""
        proxy = ReferrersProxy(self.server.address)
        self.addCleanup(proxy.close)
        self.copy(self.layout, f"docker://{proxy.address}/a/many:1", "--all", "--referrers")
        self.assertIsNone(self.manifest("a/many", self.there["index"].replace(":", "-")))
        self.copy(f"docker://{proxy.address}/a/many:1", f"docker://{proxy.address}/b/other:1", "--all", "--referrers")
        self.copy(f"docker://{proxy.address}/b/other:1", f"oci:{self.path('a')}:one", "--all", "--referrers")
        self.assertEqual(blobs_of(self.path("a")), self.there["blobs"])

    def test_they_go_along_by_themselves(self):
        """Without being asked for, between all places that can hold them."""
        self.copy(self.layout, self.name("a/many:1"), "--all")
        self.copy(self.name("a/many:1"), self.name("b/other:1"), "--all")
        self.copy(self.name("b/other:1"), "wc-store:many", "--all")
        self.ok("push", "--all", "many", f"{self.server.address}/c/many:1")
        self.copy(self.name("c/many:1"), f"oci-archive:{self.path('a.tar')}:one", "--all")
        self.copy(f"oci-archive:{self.path('a.tar')}:one", f"oci:{self.path('a')}:one", "--all")
        self.assertEqual(blobs_of(self.path("a")), self.there["blobs"])
        self.copy(self.name("c/many:1"), f"oci:{self.path('b')}:one", "--all", "--no-referrers")
        self.assertEqual(blobs_of(self.path("b")), self.without_companions())

    def test_those_of_one_image_go_along(self):
        self.copy(self.layout, self.name("a/many:1"), "--all")
        self.copy(self.name("a/many:1"), f"oci:{self.path('a')}:one", "--platform", "linux/amd64")
        suffixes = sorted(e["annotations"]["org.opencontainers.image.ref.name"].rsplit(".", 1)[-1]
                          for e in self.entries(self.path("a")))
        self.assertEqual(suffixes, ["att", "one", "sbom"])
        # What has room for none takes the image; and what is pulled is the image alone.
        self.copy(self.name("a/many:1"), f"docker-archive:{self.path('d.tar')}:x:1", "--platform", "linux/amd64")
        self.pull(f"{self.server.address}/a/many:1", "--platform", "linux/amd64")
        self.copy(f"wc-store:{self.server.address}/a/many:1", f"oci:{self.path('b')}:one")
        self.assertEqual(len(self.entries(self.path("b"))), 1)

    def test_few_questions(self):
        """One list of the tags, and for each document whether the registry itself knows of referrers; no tag is tried
        that is not there."""
        self.copy(self.layout, self.name("a/many:1"), "--all", "--no-referrers")
        proxy = ReferrersProxy(self.server.address, status=404)
        self.addCleanup(proxy.close)
        self.copy(f"docker://{proxy.address}/a/many:1", f"oci:{self.path('a')}:one", "--all")
        questions = [path for path in proxy.asked if "/blobs/" not in path]
        documents = 1 + len(self.there["images"]) + len(self.there["attestations"])
        self.assertEqual(len([path for path in questions if "/referrers/" in path]), documents)
        self.assertEqual(len([path for path in questions if "/tags/list" in path]), 1)
        self.assertEqual([path for path in questions if "/manifests/sha256-" in path], [])

    def test_a_registry_that_knows_of_no_referrers(self):
        for status in 400, 404, 405, 501:
            proxy = ReferrersProxy(self.server.address, status=status)
            self.copy(self.layout, f"docker://{proxy.address}/a{status}/many:1", "--all")
            self.copy(f"docker://{proxy.address}/a{status}/many:1", f"oci:{self.path(f'l{status}')}:one", "--all")
            proxy.close()
            self.assertEqual(blobs_of(self.path(f"l{status}")), self.there["blobs"], status)

    def test_a_source_that_fails_to_tell(self):
        """The image goes alone then, unless they must go along."""
        self.copy(self.layout, self.name("a/many:1"), "--all")
        proxy = ReferrersProxy(self.server.address, status=403)
        self.addCleanup(proxy.close)
        source = f"docker://{proxy.address}/a/many:1"
        self.assertIn("cannot be read", self.fails("copy", "--all", "--referrers", source, f"oci:{self.path('a')}:one"))
        done = self.wcctl("--log-level", "warn", "copy", "--all", source, f"oci:{self.path('b')}:one")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("stay behind", done.stderr)
        self.assertEqual(blobs_of(self.path("b")), self.without_companions())

    def test_a_target_that_refuses_them(self):
        proxy = ReferrersProxy(self.server.address, status=404, refuses=True)
        self.addCleanup(proxy.close)
        target = f"docker://{proxy.address}/a/many:1"
        self.assertIn("HTTP 400", self.fails("copy", "--all", "--referrers", self.layout, target))
        self.assertIsNone(self.manifest("a/many", "1"))
        done = self.wcctl("--log-level", "warn", "copy", "--all", self.layout, target)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("refused by the target", done.stderr)
        self.assertEqual(self.manifest("a/many", "1"), self.index)
        self.assertIsNone(self.manifest("a/many", self.there["referrers"][0]))
        for tag, digest in self.there["tags"].items():
            self.assertEqual(digest_of(self.manifest("a/many", tag)), digest)

    def test_referrers_in_pages(self):
        proxy = ReferrersProxy(self.server.address)
        self.addCleanup(proxy.close)
        self.copy(self.layout, f"docker://{proxy.address}/a/many:1", "--all")
        found = [self.there["referrers"][0]]
        for kind in "application/x-second", "application/x-third":
            body = json.dumps({**json.loads(self.blob(found[0])), "artifactType": kind}).encode()
            put_manifest(f"{proxy.address}/a/many:{kind[14:]}", body)
            found.append(digest_of(body))
        told = json.loads(self.ok("manifest", "referrers", f"{proxy.address}/a/many:1"))
        self.assertEqual([entry["digest"] for entry in told["manifests"]], found)
        self.copy(f"docker://{proxy.address}/a/many:1", f"oci:{self.path('a')}:one", "--all")
        self.assertEqual(blobs_of(self.path("a")), sorted(self.there["blobs"] + [digest[7:] for digest in found[1:]]))

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

    def test_pushed_from_the_store(self):
        self.copy(self.layout, "wc-store:many", "--all", "--referrers")
        told = json.loads(self.ok("--json", "push", "--all", "--referrers", "many", f"{self.server.address}/a/many:1"))
        self.assertEqual(told["Digest"], self.there["index"])
        self.assertEqual(self.manifest("a/many", "1"), self.index)
        self.copy(self.name("a/many:1"), f"oci:{self.path('a')}:one", "--all", "--referrers")
        self.assertEqual(blobs_of(self.path("a")), self.there["blobs"])

    def test_a_name_with_another_digest(self):
        self.copy(self.layout, "wc-store:many", "--all")
        name = f"{self.server.address}/a/many@{self.there['index']}"
        said = self.fails("push", "many", name)
        self.assertIn("the name has another digest", said)
        self.assertIn("--all", said)
        self.ok("push", "--all", "many", name)
        self.assertEqual(self.manifest("a/many", self.there["index"]), self.index)

    def test_an_index_of_our_own(self):
        for number, platform in enumerate(("linux/amd64", "linux/arm64")):
            self.copy(self.layout, f"wc-store:i{number}", "--platform", platform)
        digest = json.loads(self.ok("--json", "manifest", "create", "mine", "i0", "i1"))["Digest"]
        self.ok("push", "--all", "mine", f"{self.server.address}/a/mine:1")
        raw = raw_manifest_of(f"{self.server.address}/a/mine:1")
        self.assertEqual(digest_of(raw), digest)
        for arch, image in zip(("amd64", "arm64"), self.there["images"]):
            run("skopeo", "--insecure-policy", "--override-arch", arch, "--override-variant", "v8" if arch == "arm64" else "",
                "copy", "-q", "--src-tls-verify=false", self.name("a/mine:1"), f"oci:{self.path(arch)}:x")
            self.assertIn(image[7:], blobs_of(self.path(arch)))

    def test_pull_all_from_a_registry(self):
        """Once each, and whatever was broken off goes on."""
        self.copy(self.layout, self.name("a/many:1"), "--all")
        self.pull(f"{self.server.address}/a/many:1", "--all")
        self.assertEqual(set(self.server.requests().values()), {1})
        self.assertEqual(self.copy(f"wc-store:{self.server.address}/a/many:1", f"oci:{self.path('a')}:one", "--all"),
                         self.there["index"])
        self.assertEqual(blobs_of(self.path("a")), self.without_companions())

    def test_a_container_for_a_platform_that_is_not_there(self):
        """It is pulled, as Docker does."""
        self.copy(self.layout, self.name("a/many:1"), "--all")
        name = f"{self.server.address}/a/many:1"
        for number, platform in enumerate(("linux/amd64", "linux/arm64", "linux/amd64")):
            self.assertEqual(self.created("--platform", platform, name), self.there["images"][number % 2])
        self.assertIn("nothing fits windows/amd64", self.fails("create", "--platform", "windows/amd64", name, "true"))

    def test_nested_index(self):
        self.copy(self.layout, self.name("a/many:1"), "--all", "--no-referrers")
        outer = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
            {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": self.there["index"],
             "size": len(self.index)}]}).encode()
        put_manifest(f"{self.server.address}/a/many:outer", outer)
        self.assertEqual(self.copy(self.name("a/many:outer"), f"oci:{self.path('a')}:one", "--all"), digest_of(outer))
        self.assertEqual(blobs_of(self.path("a")), sorted(self.without_companions() + [digest_of(outer)[7:]]))
        done = self.wcctl("copy", "--platform", "linux/amd64,linux/arm64", self.name("a/many:outer"),
                          f"oci:{self.path('b')}:one")
        self.assertIn("further index", done.stderr)


class SignedTest(SignatureCase):
    """Policies and signatures of whole indexes."""
    def setUp(self):
        super().setUp()
        self.there = make_index(self.path("many"), "many", "--plain")
        self.key, self.public = self.keys()
        self.trusted = self.policy(self.signed_by(self.public, "matchRepository"))

    def put_index(self, name, *options):
        self.ok("copy", "--all", *options, f"oci:{self.path('many')}:many", f"docker://{self.host}/{name}")
        return f"{self.host}/{name}"

    def put_signed_index(self, name):
        return self.put_index(name, "--sign-by-sigstore-private-key", self.key, "--sign-passphrase-file", self.path("secret"))

    def test_nothing_of_an_unsigned_one(self):
        self.refused(self.try_pull(self.trusted, self.put_index("a/many:1"), "--all"), "signature")
        done = self.wcctl("copy", "--all", "--signature-policy", self.trusted, f"docker://{self.host}/a/many:1",
                          f"oci:{self.path('a')}:x")
        self.refused(done, "signature")
        self.assertFalse(os.path.exists(self.path("a/blobs")))

    def test_each_of_its_images_is_signed(self):
        name = self.put_signed_index("a/many:1")
        for digest in (self.there["index"], *self.there["images"], *self.there["attestations"]):
            raw_manifest_of(f"{self.host}/a/many:{self.signature_tag(digest)}")
        self.accepted(self.try_pull(self.trusted, name, "--all"))
        self.accepted(self.try_pull(self.trusted, f"{self.host}/a/many@{self.there['images'][1]}"))
        self.skopeo_agrees(self.trusted, name, True)

    def test_signatures_are_carried_along(self):
        name = self.put_signed_index("a/many:1")
        self.ok("copy", "--all", "--no-referrers", f"docker://{name}", f"docker://{self.host}/b/bare:1")
        self.refused(self.try_pull(self.trusted, f"{self.host}/b/bare:1", "--all"), "signature")
        self.ok("copy", "--all", "--referrers", f"docker://{name}", f"oci:{self.path('between')}:x")
        self.ok("copy", "--all", "--referrers", f"oci:{self.path('between')}:x", f"docker://{self.host}/b/back:1")
        # They speak of the repository that they were made for.
        self.refused(self.try_pull(self.trusted, f"{self.host}/b/back:1", "--all"), "a/many")
        of_many = {"type": "exactRepository", "dockerRepository": f"{self.host}/a/many"}
        self.accepted(self.try_pull(self.policy({**self.signed_by(self.public), "signedIdentity": of_many}),
                                    f"{self.host}/b/back:1", "--all"))

    def test_part_of_a_signed_one(self):
        """The signature of the whole counts for what is chosen of it."""
        name = self.put_signed_index("a/many:1")
        self.ok("copy", "--platform", "linux/amd64,linux/arm64", "--signature-policy", self.trusted, f"docker://{name}",
                f"oci:{self.path('a')}:x")


if __name__ == "__main__":
    named_skips.main()
