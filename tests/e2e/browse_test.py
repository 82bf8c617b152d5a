#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What registries have, looked at without fetching it, and deleted: Debian's docker-registry, and a server that has what
only the Docker Hub has."""
import http.server
import json
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

from image_case import SUPPORT, ImageCase, Registry, digest_of, make_layout, needs, put_manifest, raw_manifest_of

sys.path.insert(0, SUPPORT)

import named_skips  # noqa: E402


@needs("skopeo", "docker-registry")
class Browse(ImageCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self.path("registry"))
        self.addCleanup(self.registry.close)
        self.digest = make_layout(self.path("layout"), "x")
        self.name = f"{self.registry.address}/app/one"
        for number in range(3):
            self.registry.push(f"oci:{self.path('layout')}:x", f"app/one:v{number}")
        self.registry.push(f"oci:{self.path('layout')}:x", "b/two:latest")

    def test_names(self):
        self.assertEqual(sorted(self.ok("manifest", "tags", self.name).split()), ["v0", "v1", "v2"])
        self.assertEqual(json.loads(self.ok("--json", "manifest", "catalog", self.registry.address)), ["app/one", "b/two"])
        self.assertNotEqual(self.wcctl("manifest", "tags", f"{self.name}:v1").returncode, 0)

    def test_look_and_inspect(self):
        told = json.loads(self.ok("manifest", "look", f"{self.name}:v1"))
        raw = raw_manifest_of(f"{self.name}:v1")
        self.assertEqual((told["Digest"], told["Size"]), (self.digest, len(raw)))
        self.assertEqual(json.loads(self.ok("manifest", "inspect", f"{self.name}:v1")), json.loads(raw))
        gone = self.wcctl("manifest", "look", f"{self.name}:nosuch")
        self.assertEqual(gone.returncode, 125)
        self.assertIn("nosuch", gone.stderr)

    def test_delete(self):
        self.ok("manifest", "delete", f"{self.name}@{self.digest}")
        self.assertNotEqual(self.wcctl("manifest", "look", f"{self.name}@{self.digest}").returncode, 0)
        self.assertNotEqual(self.wcctl("manifest", "delete", self.name).returncode, 0)

    def test_delete_a_tag_that_the_registry_keeps(self):
        """docker-registry deletes manifests by digest alone, and says so."""
        text = self.fails("manifest", "delete", f"{self.name}:v1")
        self.assertIn("does not delete this", text)
        self.assertIn(f"repository '{self.name}'", text)

    def blob_status(self, digest):
        asked = urllib.request.Request(f"http://{self.registry.address}/v2/app/one/blobs/{digest}", method="HEAD")
        try:
            return urllib.request.urlopen(asked).status
        except urllib.error.HTTPError as answer:
            return answer.code

    def test_delete_a_blob(self):
        layer, other = (l["digest"] for l in json.loads(raw_manifest_of(f"{self.name}:v1"))["layers"][:2])
        self.assertEqual((self.blob_status(layer), self.blob_status(other)), (200, 200))
        told = json.loads(self.ok("--json", "manifest", "delete", "--blob", f"{self.name}@{layer}"))
        self.assertEqual(told, {"Deleted": f"{self.name}@{layer}"})
        self.assertEqual((self.blob_status(layer), self.blob_status(other)), (404, 200))
        self.assertIn(layer, self.fails("manifest", "delete", "--blob", f"{self.name}@{layer}"))
        self.assertIn("by its digest alone", self.fails("manifest", "delete", "--blob", f"{self.name}:v1"))
        self.assertIn("by its digest alone", self.fails("manifest", "delete", "--blob", self.name))

    def test_referrers_by_tag(self):
        """docker-registry has no referrers API: the list lies under a tag."""
        self.assertEqual(json.loads(self.ok("manifest", "referrers", f"{self.name}:v1"))["manifests"], [])
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
            {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": self.digest,
             "size": len(raw_manifest_of(f"{self.name}:v1")), "artifactType": "application/example"}]}
        put_manifest(f"{self.registry.address}/app/one:{self.digest.replace(':', '-')}", json.dumps(index).encode())
        self.assertEqual(json.loads(self.ok("manifest", "referrers", f"{self.name}:v1")), index)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def test_artifacts(self):
        """Files go in and come out; skopeo sees an OCI artifact, and the image knows what refers to it."""
        files = [self.write("chart.tgz", "chart" * 1000) + ":application/example.chart", self.write("notes", ""),
                 self.write("same", "")]
        name = f"{self.registry.address}/app/one:chart"
        digest = self.ok("artifact", "push", "--artifact-type", "application/example", "--annotation", "a=b", "--subject",
                         "v1", name, *files).strip()
        self.assertEqual(digest, self.ok("artifact", "push", "--artifact-type", "application/example", "--annotation",
                                         "a=b", "--subject", "v1", name, *files).strip())
        raw = raw_manifest_of(name)
        self.assertEqual(digest_of(raw), digest)
        self.assertEqual(json.loads(raw)["subject"]["digest"], self.digest)
        listed = json.loads(self.ok("manifest", "referrers", f"{self.name}:v1"))["manifests"]
        self.assertEqual([(e["digest"], e["artifactType"]) for e in listed], [(digest, "application/example")])
        os.mkdir(self.path("out"))
        told = json.loads(self.ok("--json", "artifact", "pull", "-o", self.path("out"), name))
        self.assertEqual(told, {"Name": name, "Files": ["chart.tgz", "notes", "same"]})
        for file in told["Files"]:
            with open(self.path(file), "rb") as one, open(self.path(f"out/{file}"), "rb") as other:
                self.assertEqual(one.read(), other.read())
        self.assertIn("is there already", self.fails("artifact", "pull", "-o", self.path("out"), name))
        self.ok("copy", f"docker://{name}", f"oci:{self.path('moved')}:x")
        os.mkdir(self.path("again"))
        self.ok("artifact", "pull", "-o", self.path("again"), f"oci:{self.path('moved')}:x")
        self.assertEqual(sorted(os.listdir(self.path("again"))), ["chart.tgz", "notes", "same"])

    def test_artifacts_without_a_tag_or_files(self):
        repository = f"{self.registry.address}/app/one"
        digest = self.ok("artifact", "push", "--subject", self.digest, repository, self.write("note", "n")).strip()
        self.assertNotIn("latest", self.ok("manifest", "tags", repository).split())
        self.assertEqual(json.loads(self.ok("manifest", "look", f"{repository}@{digest}"))["Digest"], digest)
        for words, part in ((("--subject", "nosuch", repository, self.path("note")), "subject 'nosuch'"),
                            ((repository, self.path("layout")), "make a tar of a directory"),
                            ((repository, self.path("none")), "No such file"), ((repository,), "at least one FILE")):
            self.assertIn(part, self.fails("artifact", "push", *words))

    def test_case_36_titles_stay_in_the_directory(self):
        os.mkdir(self.path("out"))
        os.symlink(self.path("elsewhere"), self.path("out/link"))
        os.mkdir(self.path("elsewhere"))
        manifest = json.loads(raw_manifest_of(f"{self.name}:v1"))
        for title, part in (("../x", "leads out"), ("a/../../x", "leads out"), ("link/x", "link"), ("", "its title"),
                            ("link", "File exists"), (".", "names no file")):
            layer = {**manifest["layers"][0], "mediaType": "text/plain",
                     "annotations": {"org.opencontainers.image.title": title}}
            body = json.dumps({**manifest, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [layer],
                               "config": {**manifest["config"], "mediaType": "application/example"}}).encode()
            put_manifest(f"{self.registry.address}/app/one:bad", body)
            self.assertIn(part, self.fails("artifact", "pull", "-o", self.path("out"), f"{self.name}:bad"), title)
        self.assertEqual(os.listdir(self.path("elsewhere")), [])
        self.assertEqual(os.listdir(self.path("out")), ["link"])
        self.assertFalse(os.path.exists(self.path("x")))

    def test_no_search_there(self):
        self.assertEqual(self.wcctl("search", f"{self.registry.address}/x").returncode, 125)


class HubHandler(http.server.BaseHTTPRequestHandler):
    """Search, limits of pulls, and lists of two names a page, whatever number is asked for."""
    NAMES = ["a", "b", "c", "d", "e"]

    def do_HEAD(self):
        self.answer(b"", {"Docker-Content-Digest": "sha256:" + 64 * "a", "RateLimit-Limit": "100;w=21600",
                          "RateLimit-Remaining": "76;w=21600", "Docker-RateLimit-Source": "192.0.2.1"})

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        self.server.seen.append((url.path, query))
        if url.path == "/v1/search":
            self.answer(json.dumps({"num_results": 1, "results": [
                {"name": "box", "description": "a box\nof things", "star_count": 7, "is_official": True}]}).encode(), {})
        elif url.path in ("/v2/_catalog", "/v2/app/tags/list"):
            self.page(url.path, query.get("last"))
        else:
            self.answer(b"{}", {})

    def page(self, path, last):
        start = self.NAMES.index(last) + 1 if last else 0
        names = self.NAMES[start:start + 2]
        more = start + 2 < len(self.NAMES)
        link = {"Link": f'<{path}?last={names[-1]}&n=2>; rel="next"'} if more else {}
        self.answer(json.dumps({"name": "app", "repositories": names, "tags": names}).encode(), link)

    def answer(self, body, headers):
        self.send_response(200)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Hub(ImageCase):
    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), HubHandler)
        self.server.seen = []
        threading.Thread(target=self.server.serve_forever).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.address = f"127.0.0.1:{self.server.server_port}"

    def test_search(self):
        table = self.ok("search", "--limit", "5", f"{self.address}/some box").split("\n")
        self.assertEqual(table[1].split(), ["box", "a", "box", "7", "[OK]"])
        self.assertIn(("/v1/search", {"q": "some box", "n": "5"}), self.server.seen)
        told = json.loads(self.ok("--json", "search", f"{self.address}/x"))
        self.assertEqual(told["results"][0]["star_count"], 7)

    def test_limits_of_pulls(self):
        told = json.loads(self.ok("manifest", "look", f"{self.address}/app:v1"))
        self.assertEqual((told["PullLimit"], told["PullsRemaining"], told["PullWindow"]), (100, 76, 21600))
        # HEAD alone, which does not count.
        self.assertEqual([path for path, _ in self.server.seen if "manifests" in path], [])

    def test_all_pages(self):
        self.assertEqual(self.ok("manifest", "tags", f"{self.address}/app").split(), HubHandler.NAMES)
        self.assertEqual(self.ok("manifest", "catalog", self.address).split(), HubHandler.NAMES)
        for path in "/v2/app/tags/list", "/v2/_catalog":
            self.assertEqual([query.get("last") for where, query in self.server.seen if where == path], [None, "b", "d"])


if __name__ == "__main__":
    named_skips.main()
