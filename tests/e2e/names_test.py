#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One image under several names: each leads where it led when it was given, and to no other's index."""
import json
import os
import sys
import tarfile
import unittest

from image_case import SUPPORT, ImageCase, digest_of, make_layout, needs, put_manifest, raw_manifest, raw_manifest_of, run

sys.path.insert(0, SUPPORT)

import named_skips  # noqa: E402

INDEX = "application/vnd.oci.image.index.v1+json"


@needs("skopeo", "docker-registry")
class Names(ImageCase):
    """Two indexes and a plain manifest, all with one image for amd64; the indexes have one for arm64 besides."""
    def setUp(self):
        super().setUp()
        self.server = self.registry()
        self.at = f"{self.server.address}/two"
        entries = []
        for arch, extra in ("amd64", []), ("arm64", ["--seed", "arm"]):
            make_layout(self.path(arch), "t", *extra)
            self.server.push(f"oci:{self.path(arch)}:t", f"two:{arch}-raw")
            entries.append(self.entry(f"{self.at}:{arch}-raw", arch))
        for name in "ia", "ib":
            put_manifest(f"{self.at}:{name}", json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries,
                                                          "annotations": {"which": name}}).encode())
        self.server.push(f"oci:{self.path('amd64')}:t", "two:single")
        self.raw = {name: raw_manifest_of(f"{self.at}:{name}") for name in ("ia", "ib", "single", "arm64-raw")}

    def entry(self, name, arch):
        raw = raw_manifest_of(name)
        return {"mediaType": json.loads(raw)["mediaType"], "digest": digest_of(raw), "size": len(raw),
                "platform": {"os": "linux", "architecture": arch}}

    def pull_all(self):
        for name in "ia", "ib":
            self.ok("pull", "--all", f"{self.at}:{name}")
        self.ok("pull", f"{self.at}:single")

    def pushed(self, name, *options):
        self.ok("push", *options, name, f"{self.server.address}/o:1")
        return raw_manifest_of(f"{self.server.address}/o:1")

    def saved(self, name, *options):
        archive = self.path("saved.tar")
        if os.path.exists(archive):
            os.remove(archive)
        self.ok("save", *options, "--format", "oci-archive", "-o", archive, name)
        return raw_manifest(f"oci-archive:{archive}")

    def test_each_leads_to_its_own(self):
        self.pull_all()
        for name in "single", "ib", "ia":
            self.assertEqual(self.pushed(f"{self.at}:{name}", "--all"), self.raw[name], name)
            self.assertEqual(self.saved(f"{self.at}:{name}", "--all"), self.raw[name], name)
        self.ok("rmi", f"{self.at}:ia")
        self.assertEqual(self.pushed(f"{self.at}:single", "--all"), self.raw["single"])
        self.check()

    def test_tags_lead_where_their_source_does(self):
        self.pull_all()
        for name in "single", "ib", "ia":
            self.ok("tag", f"{self.at}:{name}", f"new{name}:1")
            self.ok("copy", f"wc-store:{self.at}:{name}", f"wc-store:copied{name}:1")
        for name in "single", "ib", "ia":
            self.ok("rmi", f"{self.at}:{name}")
        for name in "single", "ib", "ia":
            self.assertEqual(self.pushed(f"new{name}:1", "--all"), self.raw[name], name)
            self.assertEqual(self.saved(f"copied{name}:1", "--all"), self.raw[name], name)
        self.check()

    def test_a_whole_index_serves_its_platforms(self):
        self.ok("pull", "--all", f"{self.at}:ia")
        self.assertEqual(self.pushed(f"{self.at}:ia", "--platform", "linux/arm64"), self.raw["arm64-raw"])
        self.assertEqual(self.saved(f"{self.at}:ia", "--platform", "linux/arm64"), self.raw["arm64-raw"])
        self.assertEqual(self.pushed(f"{self.at}:ia", "--platform", "linux/amd64"), self.raw["single"])
        self.ok("save", "--platform", "linux/arm64", "-o", self.path("d.tar"), f"{self.at}:ia")
        with tarfile.open(self.path("d.tar")) as tar:
            config = json.load(tar.extractfile(json.load(tar.extractfile("manifest.json"))[0]["Config"]))
        self.assertEqual(config["rootfs"]["diff_ids"],
                         json.loads(run("skopeo", "inspect", "--config", "--raw", f"oci:{self.path('arm64')}:t"))["rootfs"]["diff_ids"])
        self.assertIn("linux/s390x", self.fails("push", "--platform", "linux/s390x", f"{self.at}:ia", f"{self.at}:no"))
        self.forget_all()
        self.ok("pull", f"{self.at}:ia")
        self.assertEqual(self.pushed(f"{self.at}:ia", "--platform", "linux/amd64"), self.raw["single"])
        self.assertIn("pull it with all its platforms first",
                      self.fails("push", "--platform", "linux/arm64", f"{self.at}:ia", f"{self.at}:no"))

    def test_several_platforms(self):
        whole = self.path("whole")
        self.ok("copy", "--platform", "linux/amd64", "--platform", "linux/arm64", f"docker://{self.at}:ia", f"oci:{whole}:t")
        self.assertEqual(raw_manifest(f"oci:{whole}:t"), self.raw["ia"])
        self.assertIn("it takes one", self.fails("run", "--platform", "linux/amd64", "--platform", "linux/arm64", "x"))

    def test_copied_in_under_the_name_that_was_asked_for(self):
        self.ok("copy", f"docker://{self.at}:arm64-raw", "wc-store:my:2")
        self.assertEqual([image["Names"] for image in self.images()], [["docker.io/library/my:2"]])
        self.ok("pull", f"{self.at}:single")
        self.server.push(f"oci:{self.path('arm64')}:t", "two:single")  # the name moves on there, not here
        before = self.ok("inspect", f"{self.at}:single")
        self.ok("copy", f"docker://{self.at}:single", "wc-store:my:3")
        self.assertEqual(self.ok("inspect", f"{self.at}:single"), before)
        self.ok("copy", f"oci:{self.path('amd64')}:t", "wc-store:my:4")
        self.assertEqual(sorted(name for image in self.images() for name in image["Names"]),
                         [f"{self.at}:single", "docker.io/library/my:2", "docker.io/library/my:3", "docker.io/library/my:4"])
        self.ok("system", "prune", "-f", "--drop-blobs")  # where they come from is known all the same
        self.ok("save", "-o", self.path("x.tar"), "my:2")

    def test_a_base_for_another_platform(self):
        config = json.dumps({})
        make_layout(self.path("base"), "t", "--layers", "1", "--config", config)
        self.ok("copy", f"oci:{self.path('base')}:t", "wc-store:base:1")
        os.makedirs(self.path("tree"), exist_ok=True)
        self.ok("edit", "--append", self.path("tree"), "base:1", "app:1")
        self.ok("edit", "--platform", "linux/arm64", "base:1", "arm:1")
        says = self.fails("edit", "--old-base", "base:1", "--new-base", "arm:1", "app:1", "moved:1")
        for part in "linux/amd64", "linux/arm64", "arm:1":
            self.assertIn(part, says)
        self.assertNotIn("moved", self.ok("images"))

    def test_a_name_that_is_given_twice(self):
        self.ok("copy", f"oci:{self.path('amd64')}:t", "wc-store:box:1")
        self.ok("save", "-o", self.path("x.tar"), "box:1", "docker.io/library/box:1")
        with tarfile.open(self.path("x.tar")) as tar:
            self.assertEqual(json.load(tar.extractfile("manifest.json"))[0]["RepoTags"], ["docker.io/library/box:1"])


if __name__ == "__main__":
    named_skips.main()
