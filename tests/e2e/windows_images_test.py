#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images of Windows, one for each build, in a registry: which one is taken, and what is said when none runs."""
import json
import os
import shutil
import sys

from image_case import SUPPORT, ImageCase, needs, run

sys.path.insert(0, SUPPORT)

import named_skips  # noqa: E402
from index_layout import INDEX, IndexLayout, REF  # noqa: E402


def platform(version, **more):
    return {"os": "windows", "architecture": "amd64", "os.version": version, **more}


LINUX = {"os": "linux", "architecture": "amd64"}
VERSIONS = ["10.0.17763.6054", "10.0.20348.587", "10.0.20348.2700", "10.0.26100.1"]


@needs("docker-registry", "skopeo")
class WindowsCase(ImageCase):
    def setUp(self):
        super().setUp()
        self.server = self.registry()
        self.name = f"docker://{self.server.address}/w:many"

    def push(self, platforms, keep=lambda p: p):
        """The digests by their platforms' versions. `keep` says what the index tells of a platform."""
        layout = IndexLayout(self.path("layout"), 1000, "")
        images = [layout.image(number, p) for number, p in enumerate(platforms)]
        for image in images:
            image["platform"] = keep(image["platform"])
        root = layout.put(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": images}).encode(), INDEX)
        layout.write("oci-layout", {"imageLayoutVersion": "1.0.0"})
        layout.write("index.json", {"schemaVersion": 2, "manifests": [{**root, "annotations": {REF: "many"}}]})
        run("skopeo", "--insecure-policy", "copy", "-q", "--all", "--dest-tls-verify=false",
            f"oci:{self.path('layout')}:many", self.name)
        return {p.get("os.version", p["os"]): image["digest"] for p, image in zip(platforms, images)}

    def chosen(self, wanted, *options):
        return self.pull(self.name, "--platform", wanted, *options)["Digest"]

    def refused(self, wanted, *options):
        return self.fails("pull", "--platform", wanted, *options, self.name)


class ChoiceTest(WindowsCase):
    def test_the_build_that_runs(self):
        there = self.push([platform(v) for v in VERSIONS] + [LINUX])
        for wanted, got in (("10.0.17763.1", "10.0.17763.6054"), ("10.0.20348.1", "10.0.20348.2700"),
                            ("10.0.20348.587", "10.0.20348.587"), ("10.0.22631.1", "10.0.20348.2700"),
                            ("10.0.26100.99", "10.0.26100.1"), ("10.0.26200.1", "10.0.26100.1")):
            self.assertEqual(self.chosen(f"windows/amd64:{wanted}"), there[got], wanted)
        self.assertEqual(self.chosen("windows(10.0.17763)/amd64"), there["10.0.17763.6054"])
        self.assertEqual(self.chosen("windows/amd64"), there["10.0.26100.1"])
        self.assertEqual(self.chosen("linux/amd64"), there["linux"])
        self.assertEqual(self.chosen("windows/amd64:10.0.19041", "--isolation", "hyperv"), there["10.0.17763.6054"])
        self.assertEqual(self.chosen("windows/amd64:10.0.25398", "--isolation", "hyperv"), there["10.0.20348.2700"])

    def test_what_would_run_is_said(self):
        self.push([platform(v) for v in VERSIONS])
        text = self.refused("windows/amd64:10.0.19041.1")
        for part in ("windows/amd64:10.0.19041.1", "Windows build 19041 runs with process isolation build 19041 alone",
                     "there is build 17763, 20348, 26100", "another tag", "Hyper-V isolation, which takes builds up to 19041",
                     "on a host of build 20348"):
            self.assertIn(part, text)
        text = self.refused("windows/amd64:10.0.14393.1", "--isolation", "hyperv")
        for part in ("with Hyper-V isolation builds up to 14393", "'ltsc2016'", "on a host of build 17763"):
            self.assertIn(part, text)
        self.assertNotIn("which takes", text)
        self.assertEqual(self.images(), [])
        self.assertIn("'process' or 'hyperv'", self.refused("windows/amd64", "--isolation", "vm"))

    def test_an_index_that_does_not_tell_of_versions(self):
        there = self.push([platform(v) for v in VERSIONS], lambda p: {k: p[k] for k in ("os", "architecture")})
        self.assertEqual(self.chosen("windows/amd64:10.0.17763.1"), there["10.0.17763.6054"])
        self.assertEqual(self.chosen("windows/amd64:10.0.20348.1"), there["10.0.20348.2700"])
        self.assertIn("there is build 17763, 20348, 26100", self.refused("windows/amd64:10.0.16299.1"))

    def test_features(self):
        there = self.push([platform("10.0.20348.1", **{"os.features": ["win32k"]}),
                           platform("10.0.20348.2", **{"os.features": ["strange"]})])
        self.assertEqual(self.chosen("windows/amd64:10.0.20348.9"), there["10.0.20348.1"])

    def test_one_image_tells_itself(self):
        there = self.push([platform("10.0.20348.1")])
        self.name = f"docker://{self.server.address}/w@{there['10.0.20348.1']}"
        self.assertIn("build 17763 alone, and there is build 20348", self.refused("windows/amd64:10.0.17763.1"))
        self.assertEqual(self.chosen("windows/amd64:10.0.20348.77"), there["10.0.20348.1"])

    def test_an_index_of_some_builds(self):
        there = self.push([platform(v) for v in VERSIONS] + [LINUX])
        self.ok("copy", "--platform", "windows/amd64:10.0.17763,linux/amd64", self.name, f"oci:{self.path('a')}:x")
        index = json.loads(run("skopeo", "inspect", "--raw", f"oci:{self.path('a')}:x"))
        self.assertEqual([m["digest"] for m in index["manifests"]], [there["10.0.17763.6054"], there["linux"]])
        self.ok("copy", "--all", "--platform", "windows/amd64", self.name, f"oci:{self.path('b')}:x")
        index = json.loads(run("skopeo", "inspect", "--raw", f"oci:{self.path('b')}:x"))
        self.assertEqual([m["platform"]["os.version"] for m in index["manifests"]], VERSIONS)
        done = self.fails("copy", "--platform", "windows/amd64:10.0.19041,linux/amd64", self.name, f"oci:{self.path('c')}:x")
        self.assertIn("there is build 17763, 20348, 26100", done)

    def test_an_index_without_the_host(self):
        """Comes as a whole, by every way in; the first image stands for it."""
        there = self.push([platform(VERSIONS[1]), {"os": "linux", "architecture": "arm", "variant": "v7"}])
        layout, first, second = f"oci:{self.path('layout')}:many", there[VERSIONS[1]], there["linux"]
        self.assertIn("nothing fits linux/", self.fails("pull", self.name))
        self.ok("copy", "--all", layout, f"oci-archive:{self.path('a.tar')}:many")
        for words in (("pull", "--all", self.name), ("pull", "--all", layout), ("copy", "--all", layout, "wc-store:many"),
                      ("load", "--all", "-i", self.path("a.tar"))):
            self.ok(*words)
            image, = self.images()
            self.assertEqual(image["Digest"], first, words)
            name = image["Names"][0]
            told = json.loads(self.ok("--json", "copy", "--all", f"wc-store:{name}", f"oci:{self.path('out')}:x"))
            self.assertEqual(told["Digest"], json.loads(self.ok("--json", "copy", "--all", layout,
                                                                f"oci:{self.path('straight')}:x"))["Digest"])
            self.ok("unpack", "--platform", "linux/arm", name, self.path("dir"))
            self.assertEqual({i["Digest"] for i in self.images()}, {first, second})
            shutil.rmtree(self.path("dir"))
            self.check()
            self.forget_all()
        self.assertIn("nothing fits linux/s390x", self.fails("pull", "--all", "--platform", "linux/s390x", self.name))

    def test_versions_are_checked(self):
        self.push([platform(v) for v in VERSIONS] + [LINUX])
        for version in ("ltsc2022", "20348", "10.0", "10.0.99999999999", "10.0.0", "10.0.20348.", "10.0.20348.1.2",
                        "10.0.20348.x", "6.3.9600"):
            for wanted in (f"windows/amd64:{version}", f"windows({version})/amd64"):
                self.assertIn("10.0.BUILD.REVISION", self.refused(wanted))
        self.assertIn("only images of Windows have versions", self.refused("linux/amd64:1"))
        self.assertEqual(self.images(), [])

    def test_not_taken_for_an_image_of_linux(self):
        self.push([platform("10.0.20348.1")])
        name = self.pull(self.name, "--platform", "windows/amd64")["Name"]
        for command in "create", "run":
            text = self.fails(command, "--network", "none", name, "cmd")
            for part in ("is for windows/amd64:10.0.20348.1", "this host runs linux"):
                self.assertIn(part, text)
        self.assertEqual(self.ok("ps", "-aq"), "")
        self.assertIn("Windows images cannot be exported", self.fails("export", "-o", self.path("x.tar"), name))
        self.assertFalse(os.path.exists(self.path("x.tar")))

    def test_names_of_variables(self):
        self.push([platform("10.0.20348.1"), LINUX])
        for wanted, env in (("windows/amd64", ["PATH=y", "PATHEXT=.exe"]),
                            ("linux/amd64", ["path=x", "PATHEXT=.exe", "PATH=y"])):
            name = self.pull(self.name, "--platform", wanted)["Name"]
            self.ok("edit", "-c", "ENV path=x", "-c", "ENV PATHEXT=.exe", "-c", "ENV PATH=y", name, "edited")
            self.assertEqual(json.loads(self.ok("--json", "inspect", "edited"))[0]["Config"]["Env"], env, wanted)

    def test_the_version_of_an_edited_image(self):
        self.push([platform("10.0.20348.1")])
        name = self.pull(self.name, "--platform", "windows/amd64:10.0.20348")["Name"]
        for words, version in (((), "10.0.20348.1"), (("--platform", "windows/amd64:10.0.26100.1"), "10.0.26100.1"),
                               (("--platform", "windows/arm64"), "10.0.20348.1"), (("--platform", "linux/amd64"), "")):
            self.ok("edit", "-m", "x", *words, name, "edited")
            shown = json.loads(self.ok("--json", "inspect", "edited"))
            self.assertEqual(shown[0]["OsVersion"] or "", version, words)


if __name__ == "__main__":
    named_skips.main()
