#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layers whose compressed blobs were dropped: what needs only their content reads the trees, and what needs the blobs
gets them back, whatever the images are called by then."""
import concurrent.futures
import json
import os
import sys
import unittest

from image_case import SUPPORT, ImageCase, Registry, make_layout, needs, raw_manifest, raw_manifest_of, run

sys.path.insert(0, SUPPORT)

import named_skips  # noqa: E402


@needs("skopeo", "docker-registry")
class Dropped(ImageCase):
    def setUp(self):
        super().setUp()
        self.digest = make_layout(self.path("layout"), "t", "--layers", "3", "--size", "200000")
        self.server = self.registry()
        self.server.push(f"oci:{self.path('layout')}:t", "t/wh:1")
        self.name = f"{self.server.address}/t/wh:1"

    def stop_server(self):
        self.server.close()
        self.server.close = lambda: None

    def blobs(self):
        return {name for _, _, names in os.walk(f"{self.root}/blobs") for name in names}

    def layers_of(self, place):
        return [layer["digest"] for layer in json.loads(raw_manifest(place))["layers"]]

    def saved_layers(self, name, *options):
        archive = self.path("saved.tar")
        self.ok("save", *options, "--format", "oci-archive", "-o", archive, name)
        run("skopeo", "--insecure-policy", "copy", "-q", f"oci-archive:{archive}", f"dir:{self.path('saved')}")  # verifies
        return self.layers_of(f"oci-archive:{archive}")

    def add_tree(self):
        os.makedirs(self.path("tree"), exist_ok=True)
        with open(self.path("tree/own"), "w", encoding="utf-8") as file:
            file.write("own")
        return self.path("tree")

    def test_an_edited_image_outlives_the_name_it_came_by(self):
        was = self.layers_of(f"oci:{self.path('layout')}:t")
        for drop_first in True, False:
            self.ok("pull", *["--drop-blobs"] * drop_first, self.name)
            self.ok("edit", "--append", self.add_tree(), self.name, "loc:1")
            self.ok("system", "prune", "-f", "--drop-blobs")
            self.assertFalse(self.blobs() & {digest.split(":")[1] for digest in was})
            self.ok("rmi", self.name)
            self.check()
            self.assertEqual(self.saved_layers("loc:1")[:3], was)
            self.ok("system", "prune", "-f", "--drop-blobs")
            self.ok("push", "loc:1", f"{self.server.address}/other/loc:1")
            self.ok("system", "prune", "-f", "--drop-blobs")
            self.ok("edit", "--squash", "all", "loc:1", "flat:1")
            self.check()
            self.forget_all()
            self.ok("system", "prune", "-f")

    def test_several_drop_the_same_at_once(self):
        """Whoever comes second finds a blob gone that was there a moment ago."""
        make_layout(self.path("many"), "t", "--layers", "30", "--size", "2000")
        self.server.push(f"oci:{self.path('many')}:t", "t/many:1")
        for _ in range(2):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                for pull in [pool.submit(self.ok, "pull", "--drop-blobs", f"{self.server.address}/t/many:1") for _ in range(8)]:
                    pull.result()
            self.check()
            self.forget_all()
            self.ok("system", "prune", "-f")

    def test_what_we_compressed_needs_no_registry(self):
        self.ok("pull", self.name)
        self.ok("edit", "--compression", "zstd", "--recompress", self.name, "zstd:1")
        self.ok("edit", "--compression", "gzip", "--recompress", "zstd:1", "gzip:1")
        names = [f"{self.server.address}/t/{form}:1" for form in ("zstd", "gzip")]
        for name in names:
            self.ok("push", name.rsplit("/", 1)[1], name)
        self.root = self.path("another")
        was = {name: [layer["digest"] for layer in json.loads(raw_manifest_of(name))["layers"]] for name in names}
        for name in names:
            self.ok("pull", "--drop-blobs", name)
        self.stop_server()
        for name in names:
            self.assertFalse(self.blobs() & {digest[7:] for digest in was[name]})
            self.assertEqual(self.saved_layers(name), was[name])
        self.check()

    def test_who_takes_tars_needs_no_registry(self):
        self.ok("pull", "--drop-blobs", self.name)
        self.stop_server()
        before = self.blobs()
        self.ok("save", "-o", self.path("x.tar"), "--format", "docker-archive", self.name)
        self.ok("unpack", self.name, self.path("unpacked"))
        self.assertEqual(self.blobs(), before)
        run("skopeo", "--insecure-policy", "copy", "-q", f"docker-archive:{self.path('x.tar')}", f"dir:{self.path('dir')}")
        self.assertEqual(sorted(os.listdir(self.path("unpacked/layers"))), ["1", "2", "3"])

    def test_a_target_is_asked_first(self):
        """What it has is neither fetched nor made, and what it lacks alone comes back."""
        self.ok("pull", self.name)
        self.ok("copy", f"wc-store:{self.name}", f"oci:{self.path('there')}:x")
        self.ok("push", self.name, f"{self.server.address}/u/other:1")
        self.ok("system", "prune", "-f", "--drop-blobs")
        before, fetched = self.blobs(), self.server.requests()
        self.ok("push", self.name, self.name)
        self.ok("push", self.name, f"{self.server.address}/u/third:1")  # mounted
        self.ok("copy", f"wc-store:{self.name}", f"oci:{self.path('there')}:y")
        self.assertEqual((self.blobs(), self.server.requests()), (before, fetched))
        lost = self.layers_of(f"oci:{self.path('there')}:x")[1]
        os.remove(f"{self.path('there')}/blobs/sha256/{lost[7:]}")
        self.ok("copy", f"wc-store:{self.name}", f"oci:{self.path('there')}:x")
        self.assertEqual(self.blobs() - before, {lost[7:]})
        run("skopeo", "--insecure-policy", "copy", "-q", f"oci:{self.path('there')}:x", f"dir:{self.path('dir')}")
        self.check()

    def test_an_index_outlives_the_tree_of_its_image(self):
        there = json.loads(run(sys.executable, f"{SUPPORT}/index_layout.py", self.path("many"), "t", "--plain"))
        name = f"{self.server.address}/t/many:1"
        self.server.push(f"oci:{self.path('many')}:t", "t/many:1", "--all")
        self.ok("pull", "--all", "--drop-blobs", name)
        self.ok("pull", "--platform", "linux/arm64", name)
        self.ok("system", "prune", "-f")
        self.check()
        self.ok("copy", "--all", f"wc-store:{name}", f"oci:{self.path('out')}:x")
        self.assertEqual(sorted(os.listdir(self.path("out/blobs/sha256"))), there["blobs"])
        self.ok("rmi", name)
        self.ok("system", "prune", "-f")
        self.assertEqual(self.blobs(), set())

    def test_holes_stay_holes(self):
        """A tar says nothing of them, but long runs of zeros are not written into trees."""
        with open(f"{self.add_tree()}/holes", "wb") as file:
            file.truncate(20_000_000)
            file.seek(10_000_000)
            file.write(b"middle")
        self.ok("pull", self.name)
        self.ok("edit", "--append", self.path("tree"), self.name, "holes:1")
        self.ok("unpack", "holes:1", self.path("unpacked"))
        found = [os.path.join(at, "holes") for place in (f"{self.root}/trees", self.path("unpacked"))
                 for at, _, names in os.walk(place) if "holes" in names]
        self.assertEqual(len(found), 2)
        for path in found:
            self.assertLess(os.stat(path).st_blocks * 512, 100_000)
            run("cmp", path, self.path("tree/holes"))
        self.check()

    def test_beside_the_name_it_came_by(self):
        self.ok("pull", self.name)
        self.ok("edit", "-c", "ENV A=1", self.name, "loc:1")
        self.ok("system", "prune", "-f", "--drop-blobs")
        self.assertEqual(len(self.saved_layers("loc:1")), 3)

    def test_a_tag_outlives_the_name_it_came_by(self):
        self.ok("pull", "--drop-blobs", self.name)
        self.ok("tag", self.name, "loc:1")
        self.ok("rmi", self.name)
        self.assertEqual(len(self.saved_layers("loc:1")), 3)
        self.check()

    def test_from_whoever_has_them(self):
        other = Registry(self.path("other"))
        self.addCleanup(other.close)
        other.push(f"oci:{self.path('layout')}:t", "b/wh:1")
        self.ok("pull", "--drop-blobs", self.name)
        self.ok("pull", "--drop-blobs", f"{other.address}/b/wh:1")
        self.stop_server()
        self.assertEqual(len(self.saved_layers(self.name)), 3)

    def test_images_of_several_registries(self):
        """Each layer from where it came from."""
        other = Registry(self.path("other"))
        self.addCleanup(other.close)
        make_layout(self.path("second"), "t", "--layers", "1", "--seed", "second")
        other.push(f"oci:{self.path('second')}:t", "b/second:1")
        second = f"{other.address}/b/second:1"
        self.ok("pull", self.name)
        self.ok("pull", second)
        self.ok("edit", "--append", self.add_tree(), self.name, "app:1")
        self.ok("edit", "--old-base", self.name, "--new-base", second, "app:1", "moved:1")
        self.ok("edit", "--old-base", second, "--new-base", self.name, "moved:1", "back:1")
        self.ok("system", "prune", "-f", "--drop-blobs")
        self.ok("rmi", self.name)
        self.ok("rmi", second)
        self.assertEqual(len(self.saved_layers("moved:1")), 2)
        self.assertEqual(len(self.saved_layers("back:1")), 4)
        self.check()

    def test_content_is_read_without_the_blobs(self):
        self.ok("pull", "--drop-blobs", self.name)
        self.ok("edit", "--append", self.add_tree(), self.name, "loc:1")
        self.stop_server()
        before = self.blobs()
        self.ok("export", "--type", "image", "-o", self.path("fs.tar"), self.name)
        self.assertEqual({line.rstrip("/") for line in run("tar", "-tf", self.path("fs.tar")).split()} - {"."},
                         {"layer0", "layer1", "layer2", "shared"})
        self.assertEqual(json.loads(self.ok("--json", "diff", self.name, "loc:1"))[0]["Path"], "/own")
        self.assertEqual(self.blobs(), before)
        self.ok("edit", "--squash", "all", self.name, "flat:1")
        self.assertEqual(len(self.saved_layers("flat:1")), 1)
        self.ok("edit", "--compression", "zstd", "--recompress", self.name, "zstd:1")
        self.assertEqual(len(self.saved_layers("zstd:1")), 3)
        says = self.fails("save", "--format", "oci-archive", "-o", self.path("x.tar"), self.name)
        self.assertIn(f"dropped cannot be fetched from '{self.name.rsplit(':', 1)[0]}' again", says)


@needs("skopeo", "docker-registry", "htpasswd")
class WithLogin(ImageCase):
    def test_save_takes_what_pull_took(self):
        make_layout(self.path("layout"), "t")
        server = self.registry("--tls", "--user", "joe", "secret")
        ca, name = self.path("registry/ca.pem"), f"{server.address}/t/wh:1"
        self.ok("copy", "--ca-file", ca, "--creds", "joe:secret", f"oci:{self.path('layout')}:t", f"docker://{name}")
        self.ok("pull", "--drop-blobs", "--ca-file", ca, "--creds", "joe:secret", name)
        self.ok("export", "--type", "image", "-o", self.path("fs.tar"), name)
        self.ok("edit", "--squash", "all", name, "flat:1")
        self.ok("save", "-o", self.path("x.tar"), name)
        form = ["--format", "oci-archive", "-o", self.path("x.tar")]
        self.fails("save", *form, name)
        self.assertIn("log in", self.fails("save", "--ca-file", ca, *form, name))
        self.ok("tag", name, "loc:1")
        self.ok("manifest", "create", "--ca-file", ca, "--creds", "joe:secret", "idx:1", "loc:1")
        self.ok("system", "prune", "-f", "--drop-blobs")
        self.ok("save", "--ca-file", ca, "--creds", "joe:secret", *form, "loc:1")

    def test_the_login_of_a_target_is_not_for_the_source(self):
        """It is for its host alone, be that the one that blobs come from again."""
        make_layout(self.path("layout"), "t")
        server = self.registry("--tls", "--user", "joe", "secret")
        ca, name = self.path("registry/ca.pem"), f"{server.address}/t/wh:1"
        login = ["--ca-file", ca, "--creds", "joe:secret"]
        self.ok("copy", *login, f"oci:{self.path('layout')}:t", f"docker://{name}")
        self.ok("pull", "--drop-blobs", *login, name)
        self.ok("push", *login, name, f"{server.address}/u/other:1")
        self.ok("system", "prune", "-f", "--drop-blobs")
        other = Registry(self.path("other"))
        self.addCleanup(other.close)
        self.fails("push", *login, name, f"{other.address}/u/other:1")


if __name__ == "__main__":
    named_skips.main()
