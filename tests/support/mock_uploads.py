# SPDX-License-Identifier: Apache-2.0
"""The receiving side of mock_registry.py. Behaviours, by name as there:

    upmin         wishes chunks of at least 2 MiB
    uplarge       413 for a piece of over 3 MiB
    uprange       416 for the first piece of each blob, of which nothing is kept
    upcut         the connection of the first piece ends in its middle; what came is kept
    upcutall      … of every piece, after 1.5 MiB
    uplose        the first upload of each blob is forgotten once a piece has come
    upbusy        the first piece gets 503, and is not kept
    uprelative    Locations are relative, with a query
    upother       uploads go to the "other" server
    upmount       the repository "<behaviour>/has" has everything, to be mounted; nothing may be mounted from
                  "<behaviour>/closed"
    upcreated     201 to PATCH
    updeny        403 to POST
    upbad         400 to the last PUT
    uprefuse      400 to the last PUT, and to that of a manifest, the first time
    upstall       a piece is not read to its end
"""
import hashlib
import re
from urllib.parse import parse_qs, urlsplit

LARGE = 3 << 20
CUT_AT = 3 << 19


class Uploads:
    """Mixed into the handler; what has arrived is in STATE.received, by digest."""

    def upload_request(self, state, repository, words, name):
        self.words, self.repository, self.state = words, repository, state
        query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        if self.has("down"):
            self.drain()
            return self.reply(503)
        if not (self.has("upother") and self.server.is_other) and not self.authorised():
            return None
        if self.command == "POST":
            return self.begin_upload(query)
        upload = state.uploads.get(name)
        if upload is None:
            self.drain()
            return self.reply(404)
        if self.command == "GET":
            return self.reply(204, headers=self.place(name, upload), length=False)
        if self.command == "PATCH":
            return self.take_piece(name, upload)
        return self.finish_upload(name, upload, query)

    def drain(self):
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 20)) or b" " * left)

    def begin_upload(self, query):
        self.drain()
        if self.has("updeny"):
            return self.reply(403, b'{"errors":[{"code":"DENIED","message":"not yours"}]}')
        if "mount" in query and query.get("from", "").endswith("/closed"):
            return self.reply(403, b'{"errors":[{"code":"DENIED","message":"not yours"}]}')
        if "mount" in query and self.has("upmount") and query.get("from", "").endswith("/has"):
            return self.reply(201, headers=[("Location", self.path)])
        name = "u%d" % self.state.count("upload")
        self.state.uploads[name] = bytearray()
        headers = self.place(name, b"")
        if self.has("upmin"):
            headers.append(("OCI-Chunk-Min-Length", str(2 << 20)))
        return self.reply(202, headers=headers)

    def place(self, name, upload):
        path = f"/v2/{self.repository}/blobs/uploads/{name}?_state=a%2Fb{len(upload)}"
        if self.has("upother"):
            path = self.own(path, None if self.server.is_other else self.server.other_port)
        elif not self.has("uprelative"):
            path = self.own(path)
        return [("Location", path), ("Range", f"0-{max(len(upload) - 1, 0)}")]

    def take_piece(self, name, upload):
        size = int(self.headers.get("Content-Length") or 0)
        first = self.state.count("piece " + name) == 1
        said = re.fullmatch(r"(\d+)-(\d+)", self.headers.get("Content-Range") or "")
        if (self.has("uplarge") and size > LARGE) or (said and int(said[1]) != len(upload)):
            self.drain()
            return self.reply(413 if size > LARGE else 416, headers=self.place(name, upload))
        if self.has("upbusy", "uprange") and first:
            self.drain()
            return self.reply(416 if self.has("uprange") else 503, headers=[("Retry-After", "0")])
        if self.has("upstall"):
            return self.hang()
        if (self.has("upcut") and first) or (self.has("upcutall") and size > CUT_AT):
            upload += self.rfile.read(min(size // 2, CUT_AT) if first else CUT_AT)
            self.close_connection = True
            return self.connection.close()
        upload += self.rfile.read(size)
        if self.has("uplose") and self.state.count("lost") == 1:
            del self.state.uploads[name]
        return self.reply(201 if self.has("upcreated") else 202, headers=self.place(name, upload))

    def finish_upload(self, name, upload, query):
        upload += self.rfile.read(int(self.headers.get("Content-Length") or 0))
        digest = "sha256:" + hashlib.sha256(upload).hexdigest()
        if self.headers.get("Content-Length") is None:
            return self.reply(411)
        if query.get("digest") != digest or query.get("_state") != f"a/b{len(upload)}" or self.has("upbad") or (
                self.has("uprefuse") and self.state.count("refused") == 1):
            return self.reply(400, b'{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}')
        with self.state.lock:
            self.state.received[digest] = bytes(upload)
            del self.state.uploads[name]
        return self.reply(201, headers=[("Location", f"/v2/{self.repository}/blobs/{digest}")])

    def put_manifest(self, state, repository, words, name):
        self.words, self.repository = words, repository
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.authorised():
            return None
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        if self.has("uprefuse") and state.count("refused") == 1:
            return self.reply(400, b'{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}')
        with state.lock:
            state.received[f"{name} {self.headers.get('Content-Type')}"] = body
        return self.reply(201, headers=[("Docker-Content-Digest", digest)])
