#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names that a registry sends us to, and what they resolve to: a public registry leads to no private address, by
whatever name. Runs in a network and a mount namespace of its own, with addresses and names of its own."""
import ctypes
import json
import os
import shutil
import sys
import tarfile
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from image_case import SUPPORT, ImageCase, digest_of, make_layout, run

sys.path.insert(0, SUPPORT)

import named_skips  # noqa: E402
from make_layout import Layout  # noqa: E402

PUBLIC, PRIVATE = "8.8.4.4", "10.9.8.7"
NAMES = {"registry.test": PUBLIC, "cdn.test": "8.8.8.8", "inside.test": PRIVATE, "other-inside.test": "10.9.8.6",
         "here.test": "127.0.0.1", "meta.test": "169.254.169.254", "mapped.test": "::ffff:10.9.8.7",
         "six.test": "::1"}
NEWNS, NEWNET = 0x20000, 0x40000000


def separate():
    """Into new namespaces, or the reason why not."""
    if os.geteuid() != 0:
        return "needs root"
    if not shutil.which("ip"):
        return "not installed: ip"
    if ctypes.CDLL(None, use_errno=True).unshare(NEWNS | NEWNET):
        return f"unshare: {os.strerror(ctypes.get_errno())}"
    run("mount", "--make-rprivate", "/")
    run("ip", "link", "set", "lo", "up")
    for address in sorted({a for a in NAMES.values() if a.startswith(("8.", "10.", "169."))}):
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
    return None


def name_addresses():
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
        file.writelines(f"{address} {name}\n" for name, address in NAMES.items())
        file.flush()
        run("mount", "--bind", file.name, "/etc/hosts")


class Handler(BaseHTTPRequestHandler):
    """/v2/KIND/HOST/…: the first says what leads away, the second where to."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, headers=(), body=b""):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.connection.getsockname()[0].removeprefix("::ffff:"), self.path,
                                 self.headers.get("Authorization")))
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] == "token":
            return self.reply(200, body=b'{"token":"a-token"}')
        if parts[0] == "moved":
            return self.reply(302, [("Location", self.at(parts[1], "token"))])
        if len(parts) < 5 or self.path.startswith("/v2/elsewhere"):
            return self.reply(200, body=self.server.elsewhere)
        return getattr(self, parts[1])(parts[2], parts[3:])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = handle_any

    def at(self, host, path):
        return f"http://{host}:{self.server.server_port}/{path}"

    def realm(self, host, rest, path="token"):
        if self.headers.get("Authorization") == "Bearer a-token":
            return self.found(rest)
        return self.reply(401, [("WWW-Authenticate", f'Bearer realm="{self.at(host, path)}",service="s"')])

    def tokenmoves(self, host, rest):
        own = self.headers["Host"].partition(":")[0]
        return self.realm(own, rest, f"moved/{host}")

    def redirect(self, host, rest):
        return self.reply(307, [("Location", self.at(host, "v2/elsewhere"))])

    def upload(self, host, rest):
        if self.command == "POST":
            return self.reply(202, [("Location", self.at(host, "v2/elsewhere/upload"))])
        return self.reply(404)

    def layer(self, host, rest):
        """A manifest whose layer is at a foreign place."""
        if rest[-2] == "blobs" and rest[-1] != digest_of(CONFIG):
            return self.reply(404)
        return self.found(rest, self.at(host, "v2/elsewhere"))

    def found(self, rest, place=None):
        if rest[-2] == "blobs":
            return self.reply(200, body=CONFIG)
        layer = {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar",
                 "digest": digest_of(b"x"), "size": 1, **({"urls": [place]} if place else {})}
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(CONFIG),
                  "size": len(CONFIG)}
        kind = "application/vnd.oci.image.manifest.v1+json"
        body = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}
        return self.reply(200, [("Content-Type", kind)], json.dumps(body).encode())


CONFIG = json.dumps({"os": "linux", "architecture": "amd64",
                     "rootfs": {"type": "layers", "diff_ids": [digest_of(b"x")]}}).encode()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Fence(ImageCase):
    def setUp(self):
        super().setUp()
        self.server = Server(("0.0.0.0", 0), Handler)
        self.server.seen = []
        self.server.elsewhere = b""
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.env = {name: "" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy")}

    def place(self, kind, host, registry="registry.test"):
        return f"{registry}:{self.server.server_port}/{kind}/{host}/x:1"

    def reached(self):
        """The addresses that were asked for what lies elsewhere."""
        return {address for address, path, _ in self.server.seen if path.startswith(("/token", "/v2/elsewhere"))}

    def pull(self, kind, host, registry="registry.test"):
        return self.wcctl("pull", "--tls-verify=false", "--creds", "user:s3cret", self.place(kind, host, registry))

    def refused(self, done):
        self.assertEqual(done.returncode, 125, done.stderr)
        self.assertIn("may not send us", done.stderr)
        self.assertNotIn("s3cret", done.stderr)
        self.assertEqual(self.reached(), set())

    def test_case_37_names_of_private_addresses(self):
        for kind in ("realm", "tokenmoves"):
            for host in ("inside.test", "here.test", "meta.test", "mapped.test", "six.test", "127.0.0.1", "localhost",
                         "0.0.0.0", "2130706433", "0x7f.1", PRIVATE):
                with self.subTest(kind=kind, host=host):
                    self.refused(self.pull(kind, host))

    def test_case_38_redirects_to_names_of_private_addresses(self):
        for kind in ("redirect", "layer"):
            for host in ("inside.test", "here.test", "meta.test", "mapped.test", "127.1"):
                with self.subTest(kind=kind, host=host):
                    self.refused(self.pull(kind, host))

    def test_case_38_upload_to_a_private_address(self):
        make_layout(self.path("layout"), "x")
        for host in ("inside.test", "here.test", "meta.test"):
            with self.subTest(host=host):
                self.refused(self.wcctl("copy", "--tls-verify=false", "--dest-creds", "user:s3cret",
                                        f"oci:{self.path('layout')}:x", "docker://" + self.place("upload", host)))

    def test_what_is_public_is_reached(self):
        for kind in ("realm", "tokenmoves", "redirect", "layer"):
            with self.subTest(kind=kind):
                self.server.seen.clear()
                self.pull(kind, "cdn.test")
                self.assertEqual(self.reached(), {"8.8.8.8"})
                if kind != "realm":
                    self.assertEqual({auth for address, _, auth in self.server.seen if address == "8.8.8.8"}, {None})

    def foreign_layout(self, host):
        """A layout without its first layer, which lies elsewhere, and the same as an archive."""
        shutil.rmtree(self.path("layout"), ignore_errors=True)
        digest = make_layout(self.path("layout"), "x")
        layout = Layout(self.path("layout"))
        with open(f"{self.path('layout')}/blobs/sha256/{digest[7:]}", encoding="utf-8") as file:
            manifest = json.load(file)
        layer = manifest["layers"][0]
        layer["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        layer["urls"] = ["http://nowhere.invalid/x", f"http://{host}:{self.server.server_port}/v2/elsewhere/x"]
        entry = layout.put(json.dumps(manifest).encode(), manifest["mediaType"])
        layout.write("index.json", {"schemaVersion": 2, "manifests": [
            {**entry, "annotations": {"org.opencontainers.image.ref.name": "x"}}]})
        blob = f"{self.path('layout')}/blobs/sha256/{layer['digest'][7:]}"
        with open(blob, "rb") as file:
            self.server.elsewhere = file.read()
        os.remove(blob)
        with tarfile.open(self.path("x.tar"), "w") as tar:
            tar.add(self.path("layout"), ".")
        return entry["digest"]

    def ways_in(self):
        return (("pull", f"oci:{self.path('layout')}:x"), ("pull", f"oci-archive:{self.path('x.tar')}:x"),
                ("pull", "--all", f"oci:{self.path('layout')}:x"))

    def test_layers_that_a_layout_leaves_out(self):
        digest = self.foreign_layout("cdn.test")
        whole = self.server.elsewhere
        for words in self.ways_in():
            with self.subTest(words=words):
                self.server.seen.clear()
                for bad in (b"", whole[:-1] + b"x", whole + b"x"):
                    self.server.elsewhere = bad
                    self.assertIn("blob 'sha256:", self.fails(*words, "--tls-verify=false"))
                    self.assertEqual(self.images(), [])
                self.server.elsewhere = whole
                self.ok(*words, "--tls-verify=false")
                self.assertEqual([image["Digest"] for image in self.images()], [digest])
                self.assertEqual(self.reached(), {"8.8.8.8"})
                self.check()
                self.forget_all()

    def test_a_layout_leads_to_no_private_address(self):
        for host in ("inside.test", "here.test", "meta.test", "127.0.0.1", PRIVATE):
            self.foreign_layout(host)
            for words in self.ways_in():
                with self.subTest(host=host, words=words):
                    self.refused(self.wcctl(*words, "--tls-verify=false"))
        self.foreign_layout("cdn.test")
        for words in (("pull", f"oci:{self.path('layout')}:x"), ("load", "-i", self.path("x.tar"))):
            self.assertIn("plain HTTP", self.fails(*words))
        self.assertEqual(self.reached(), set())

    def test_a_private_registry_has_private_neighbours(self):
        self.pull("realm", "other-inside.test", registry="inside.test")
        self.assertEqual(self.reached(), {"10.9.8.6"})
        self.server.seen.clear()
        self.refused(self.pull("realm", "here.test", registry="inside.test"))


if __name__ == "__main__":
    why = separate()
    if why:
        print(f"SKIP: {why}")
        sys.exit(77)
    name_addresses()
    named_skips.main()
