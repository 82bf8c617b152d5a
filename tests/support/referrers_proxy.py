# SPDX-License-Identifier: Apache-2.0
"""A registry before another one, with the referrers API that the other one lacks (OCI distribution-spec 1.1)."""
import http.client
import http.server
import json
import re
import threading

INDEX = "application/vnd.oci.image.index.v1+json"


class ReferrersProxy:
    """On loopback, until close(). `address` is that of the registry behind. `status`: instead of the API this answer.
    Lists come one entry a page. With `refuses` no manifest that refers to another is taken."""

    def __init__(self, address, status=200, refuses=False):
        self.referrers = {}  # of each repository and subject: entries
        self.asked = []      # paths that were asked for with GET or HEAD
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.command == "HEAD":
                    proxy.asked.append(self.path)
                if refuses and self.command == "PUT" and b'"subject"' in body:
                    return self.answer(400, [("Content-Length", "0")], b"")
                behind = http.client.HTTPConnection(address)
                behind.request(self.command, self.path, body or None, dict(self.headers))
                told = behind.getresponse()
                content = told.read()
                headers = [(n, v) for n, v in told.getheaders() if n.lower() not in ("connection", "transfer-encoding")]
                if told.status == 201 and (found := re.fullmatch(r"/v2/(.+)/manifests/[^/]+", self.path)):
                    headers += proxy.note(found[1], body, dict(told.getheaders())["Docker-Content-Digest"]) \
                        if status == 200 else []
                behind.close()
                self.answer(told.status, headers, content)

            def do_GET(self):
                proxy.asked.append(self.path)
                found = re.fullmatch(r"/v2/(.+)/referrers/([^/?]+)(?:\?page=(\d+))?", self.path)
                if not found:
                    return self.pass_on()
                page, entries = int(found[3] or 0), proxy.referrers.get(found.groups()[:2], [])
                listed = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries[page:page + 1]}
                body = json.dumps(listed).encode() if status == 200 else b""
                link = [("Link", f'<?page={page + 1}>; rel="next"')] if page + 1 < len(entries) else []
                return self.answer(status, [("Content-Type", INDEX), ("Content-Length", str(len(body))), *link], body)

            do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = pass_on

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def note(self, repository, body, digest):
        document = json.loads(body)
        if "subject" not in document:
            return []
        subject = document["subject"]["digest"]
        entries = self.referrers.setdefault((repository, subject), [])
        if digest not in [entry["digest"] for entry in entries]:
            entries.append({"mediaType": document["mediaType"], "digest": digest, "size": len(body),
                            "artifactType": document.get("artifactType") or document["config"]["mediaType"]})
        return [("OCI-Subject", subject)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
