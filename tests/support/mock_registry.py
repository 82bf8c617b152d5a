#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small registry that misbehaves on request, for tests.

    mock_registry.py [--port-file FILE] [--tls CERT KEY] [--client-ca CA] [--password PASSWORD] [--azure]

It listens on a free port of 127.0.0.1 (told as one line on stdout, or in FILE), and ends when its
stdin is closed or its parent dies. The first path component of a repository's name chooses how it
behaves; the rest is free:

    GET /v2/<behaviour>/<anything>/manifests/<ref>     a manifest made for <ref>
    GET /v2/<behaviour>/<anything>/blobs/<digest>      a blob, see blob_bytes()

Blobs are made from a size: their digests are listed by GET /digests/<size>, so that a test needs no
upload. It is also a proxy, to itself whatever host is wanted. Every request is kept: GET /requests gives them as JSON lines {method, path, auth, range,
cert (the name in the client's certificate, if it showed one), proxy (what was sent for one)}, DELETE /requests forgets them and all counters.

Behaviours, joined by '-' where it makes sense to have several:

    plain            everything as it should be
    bearer           tokens from /token of this server; bearerbad… see TOKENS
    basic            user "user", password "secret" or the one that was given
    cut              every blob answer ends after 64 KiB (the connection is closed)
    cutonce          only the first one of each blob does
    stall            blob answers stop after 64 KiB and stay open
    stallonce        only the first one
    norange          answers 200 to Range
    wrongrange       answers 206 with bytes from the wrong place, and says so
    lyingrange       answers 206 saying the right place, with other bytes
    narrow           each connection gives 6 MiB a second; ranges are offered
    wholeparts       answers 200 to a Range with an end
    cutparts         the first answer to each Range with an end stops after 64 KiB
    shift            the blob's bytes are wrong but of the right length
    endless          the bytes never end, whatever blob is asked for
    long             more bytes than the blob has, chunked
    short            the whole answer is shorter, and says so in Content-Length
    gzip             Content-Encoding: gzip on blobs, with the raw bytes
    busy             the first two requests of each path get 429 with Retry-After: 0
    busyodd          … with Retry-After: 880.092µs
    flaky            the first two requests of each path get 503
    down             every request gets 503
    redirect         307 to the same bytes under another port (the "other" server)
    redirectloop     307 to itself
    redirectmeta     307 to http://169.254.169.254/
    redirectzero     307 to http://0.0.0.0:<port>/
    redirectfile     307 to file:///etc/passwd
    redirectuser     307 to http://user:pass@…
    hugemanifest     a manifest without end
    hugetoken        (with bearer) a token answer without end
    hugeerror        404 with a body without end
    wrongdigest      manifests whose Docker-Content-Digest does not fit
    notype           manifests without a Content-Type
    hang             nothing is ever answered
    slowstart        0.3 s before each answer
    missing          404 for all blobs
    nochallenge, openquote, hugechallenge, megachallenge, norealm, badrealm, metarealm, zerorealm, plainrealm
                     broken 401 answers
    twoheaders       (with bearer) the ways to log in come in headers of their own, the known one last
    accesstoken      (with bearer) the token is called access_token, and says how long it lives
    forbidden        (with bearer) 403 instead of 401 to a token that does not reach far enough
    movedrealm       (with bearer) the token server is at the other port, and 307 leads there
    movedmeta, movedzero   (with bearer) 302 of the token server to 169.254.169.254, to 0.0.0.0
    azure            tokens as an Azure container registry gives them, see mock_azure.py
    scopeonce        the first token is too narrow (insufficient_scope), the second is not
    expire           tokens live for one request only
    pageloop, pageelse, pagemeta, pageabsolute, pageendless, pagebad   the Link of a page of tags
    pagehuge         a page of tags without end

GET /received/<digest> tells how many bytes of a blob have arrived. What may go wrong with uploads is in
mock_uploads.py.
"""
import argparse
import base64
import ctypes
import hashlib
import json
import select
import signal
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from mock_azure import Azure
from mock_uploads import Uploads

CUT = 64 * 1024
NARROW = 6 * 1024 * 1024


def basic(password):
    return "Basic " + base64.b64encode(b"user:" + password.encode()).decode()


def blob_bytes(size):
    """Bytes that differ everywhere, so that no shifted part passes for another."""
    out = bytearray()
    n = 0
    while len(out) < size:
        out += hashlib.sha256(b"%d" % n).digest()
        n += 1
    return bytes(out[:size])


def pump(one, other):
    """Passes bytes on, both ways, until one side ends."""
    while True:
        for source in select.select((one, other), (), ())[0]:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.blobs = {}
        self.other_port = 0
        self.basic = basic("secret")
        self.azure = False
        self.reset()

    def reset(self):
        with self.lock:
            self.requests = []
            self.counts = {}
            self.tokens = {}
            self.uploads = {}
            self.received = {}

    def blob(self, size):
        data = blob_bytes(size)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        with self.lock:
            self.blobs[digest] = data
        return digest

    def count(self, key):
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1
            return self.counts[key]


STATE = State()


class Handler(Azure, Uploads, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "mock"

    def log_message(self, *args):
        pass

    # ---- plumbing

    def has(self, *words):
        return any(w in self.words for w in words)

    def reply(self, status, body=b"", headers=(), length=True):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang(self):
        self.close_connection = True
        while not self.server.ending.wait(0.1):
            pass

    def endless(self, first, filler, headers=(), status=200):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            self.wfile.write(first)
            while not self.server.ending.is_set():
                self.wfile.write(filler)
        except OSError:
            pass

    def own(self, path, port=None):
        return "%s://%s:%d%s" % (self.server.scheme, "127.0.0.1",
                                 port or self.server.server_port, path)

    # ---- requests

    def do_HEAD(self):
        self.do_GET()

    def do_DELETE(self):
        STATE.reset()
        self.reply(202)

    def do_PATCH(self):
        self.do_write()

    def do_PUT(self):
        self.do_write()

    def do_write(self):
        """An upload, or a manifest that is sent; None for anything else."""
        parts = urlsplit(self.path).path.strip("/").split("/")
        self.note()
        if parts[0] == "v2" and parts[-3:-1] == ["blobs", "uploads"] or parts[-2:] == ["blobs", "uploads"]:
            at = -2 if parts[-1] == "uploads" else -3
            return self.upload_request(STATE, "/".join(parts[1:at]), parts[1].split("-"), parts[-1])
        if parts[0] == "v2" and self.command == "PUT" and parts[-2] == "manifests":
            return self.put_manifest(STATE, "/".join(parts[1:-2]), parts[1].split("-"), parts[-1])
        return self.reply(404)

    def do_POST(self):
        if urlsplit(self.path).path.startswith("/v2/"):
            return self.do_write()
        size = int(self.headers.get("Content-Length", "0"))
        form = self.rfile.read(size).decode()
        self.note(form)
        self.words = []
        fields = parse_qs(form)
        if urlsplit(self.path).path.startswith("/oauth2/"):
            return self.azure_post(urlsplit(self.path).path, fields)
        if urlsplit(self.path).path != "/token":
            return self.reply(405)
        if fields.get("refresh_token") != ["refresh-me"]:
            return self.reply(401)
        self.give_token(fields.get("scope", [""])[0].split(" "), "access_token")

    def note(self, form=None):
        entry = {"method": self.command, "path": self.path, "port": self.server.server_port,
                 "auth": self.headers.get("Authorization"), "range": self.headers.get("Range"),
                 "encoding": self.headers.get("Accept-Encoding"), "cert": self.client_name(),
                 "proxy": self.headers.get("Proxy-Authorization")}
        if form is not None:
            entry["form"] = form
        with STATE.lock:
            STATE.requests.append(entry)

    def do_CONNECT(self):
        """As a proxy that finds everything here: https for any host, and plain HTTP for those who try that."""
        self.note()
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        with socket.create_connection(("127.0.0.1", self.server.server_port)) as there:
            pump(self.connection, there)

    def client_name(self):
        shown = self.connection.getpeercert() if hasattr(self.connection, "getpeercert") else None
        return dict(pair for part in (shown or {}).get("subject", ()) for pair in part).get("commonName")

    def do_GET(self):
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        self.words = []
        if parts[0] == "requests":
            with STATE.lock:
                text = "".join(json.dumps(r) + "\n" for r in STATE.requests)
            return self.reply(200, text.encode())
        if parts[0] == "digests":
            return self.reply(200, STATE.blob(int(parts[1])).encode())
        if parts[0] == "received":
            data = STATE.received.get(unquote("/".join(parts[1:])))
            return self.reply(404 if data is None else 200, b"" if data is None else b"%d" % len(data))
        if parts[-3:-1] == ["blobs", "uploads"]:
            return self.do_write()
        self.note()
        if parts[0] == "token":
            return self.token(parse_qs(url.query), parts[1:])
        if parts[0] == "stored":
            return self.blob(parts[1])
        if parts == ["v2"]:
            return self.root()
        if parts == ["v1", "search"]:
            return self.search(parse_qs(url.query))
        if parts[0] != "v2" or len(parts) < 5:
            return self.reply(404)
        self.words = parts[1].split("-")
        self.repository = "/".join(parts[1:-2])
        self.serve(parts[-2], parts[-1])

    def root(self):
        """Where logins are tried: basic, or a token; with --azure the challenge is for the latter."""
        auth = self.headers.get("Authorization", "")
        if auth == STATE.basic or auth.removeprefix("Bearer ") in STATE.tokens:
            return self.reply(200, b"{}")
        return self.challenge(self.azure_challenge("") if STATE.azure else 'Basic realm="all"')

    def serve(self, kind, name):
        if self.has("hang"):
            return self.hang()
        if self.has("slowstart"):
            time.sleep(0.3)
        if self.has("down"):
            return self.reply(503)
        if self.has("busy", "busyodd", "flaky") and STATE.count(self.path) <= 2:
            if self.has("flaky"):
                return self.reply(503)
            wait = "0" if self.has("busy") else "880.092\u00b5s".encode().decode("latin-1")
            return self.reply(429, headers=[("Retry-After", wait)])
        if not self.authorised():
            return
        if self.has("hugeerror"):
            return self.endless(b'{"errors":[{"message":"', b"a" * 65536, status=404)
        if kind == "manifests":
            return self.manifest(name)
        if kind == "blobs":
            if self.has("missing"):
                return self.reply(404)
            return self.redirected(name) or self.blob(name)
        if kind == "tags":
            return self.tag_page()
        if kind == "referrers":
            return self.reply(200, b'{"schemaVersion":2,"manifests":[{"digest":"of %s"}]}' % name.encode())
        self.reply(404)

    def search(self, query):
        found = {"name": "found/" + query["q"][0], "description": "x", "star_count": 1, "is_official": False}
        self.reply(200, json.dumps({"num_results": 1, "results": [found]}).encode(),
                   [("Content-Type", "application/json")])

    def tag_page(self):
        """Ten tags in pages of three, and what may be wrong with the link to the next page."""
        if self.has("pagehuge"):
            return self.endless(b'{"name":"x","tags":["', b"a" * 65536)
        query = parse_qs(urlsplit(self.path).query)
        first = int(query.get("last", ["-1"])[0]) + 1
        names = [str(n) for n in range(first, min(first + 3, 10))]
        path = "/v2/%s/tags/list?n=3&last=%s" % (self.repository, names[-1] if names else "0")
        links = {"pageloop": self.path, "pageelse": "http://127.0.0.1:%d%s" % (self.server.other_port, path),
                 "pagemeta": "http://169.254.169.254" + path, "pageabsolute": self.own(path),
                 "pageendless": "/v2/%s/tags/list?last=%d" % (self.repository, STATE.count("page") - 2)}
        link = next((links[word] for word in self.words if word in links), path)
        headers = [("Link", '<http://x/?a=b>; rel="prev", <%s>; title="a;b,c"; rel="next"' % link)]
        if self.has("pagebad"):
            headers = [("Link", '<%s; rel="next' % path)]
        self.reply(200, json.dumps({"name": self.repository, "tags": names or None}).encode(),
                   headers if len(names) == 3 or self.has("pageloop", "pageendless") else [])

    # ---- logging in

    def challenge(self, *texts, status=401):
        self.reply(status, b'{"errors":[{"code":"UNAUTHORIZED","message":"log in first"}]}',
                   [("WWW-Authenticate", text) for text in texts])
        return False

    def authorised(self):
        auth = self.headers.get("Authorization")
        scope = "repository:%s:%s" % (self.repository, "pull" if self.command in ("GET", "HEAD") else "pull,push")
        broken = {"openquote": 'Bearer realm="http://x', "norealm": "Bearer service=x",
                  "hugechallenge": 'Bearer realm="' + "a" * 60000 + '"',
                  "megachallenge": 'Bearer realm="' + "a" * 1000000 + '"',
                  "badrealm": 'Bearer realm="file:///etc/passwd"',
                  "zerorealm": 'Bearer realm="http://0.0.0.0:%d/token/plain"' % self.server.server_port,
                  "plainrealm": 'Bearer realm="http://127.0.0.1:1/token/plain"',
                  "metarealm": 'Bearer realm="http://169.254.169.254/token"'}
        for word, text in broken.items():
            if self.has(word):
                return self.challenge(text)
        if self.has("nochallenge"):
            self.reply(401)
            return False
        if self.has("basic"):
            return auth == STATE.basic or self.challenge('Basic realm="x, y"')
        if not self.has("bearer", "bearerauth", "scopeonce", "expire", "hugetoken", "badtoken",
                        "tokendown", "noscope", "relrealm", "azure"):
            return True
        with STATE.lock:
            known = STATE.tokens.get((auth or "").removeprefix("Bearer "))
        if known and self.has("expire"):
            with STATE.lock:
                del STATE.tokens[auth.removeprefix("Bearer ")]
        if known and self.has("scopeonce") and known["number"] == 1:
            return self.challenge(self.bearer(scope) + ',error="insufficient_scope"')
        if known and (scope in known["scopes"] or self.has("noscope")):
            return True
        if self.has("twoheaders"):
            return self.challenge("Negotiate", 'Digest realm="a, b", nonce="c"', self.bearer(scope))
        if self.has("forbidden"):
            narrow = self.bearer("repository:%s/other:pull" % self.repository) if not known else self.bearer(scope)
            return self.challenge(narrow + ',error="insufficient_scope"', status=403 if known else 401)
        return self.challenge(self.bearer(scope))

    def bearer(self, scope):
        if self.has("azure"):
            return self.azure_challenge(scope)
        realm = "/token/%s" % "-".join(self.words)
        if not self.has("relrealm"):
            realm = self.own(realm)
        text = 'Basic realm="a \\"quoted\\", thing", BEARER Realm="%s" , service="mock,service"'
        text %= realm
        return text if self.has("noscope") else text + ',scope="%s"' % scope

    def token(self, query, words):
        self.words = words[0].split("-") if words else []
        if self.has("hugetoken"):
            return self.endless(b'{"token":"', b"a" * 65536)
        if self.has("tokendown"):
            return self.reply(500)
        if self.has("badtoken"):
            return self.reply(200, b'{"token":"a\\r\\nX-Evil: 1"}')
        if self.has("movedrealm") and not self.server.is_other:
            return self.reply(307, headers=[("Location", self.own(self.path, self.server.other_port))])
        if self.has("movedmeta", "movedzero"):
            host = "169.254.169.254" if self.has("movedmeta") else "0.0.0.0:%d" % self.server.server_port
            return self.reply(302, headers=[("Location", "http://%s/moved" % host)])
        auth = self.headers.get("Authorization")
        if (auth or self.has("bearerauth")) and auth != STATE.basic:
            return self.reply(401)
        if query.get("service") != ["mock,service"]:
            return self.reply(400)
        self.give_token(query.get("scope", []), "access_token" if self.has("accesstoken") else "token")

    def give_token(self, scopes, key):
        number = STATE.count("token")
        token = "secret-token-%d" % number
        with STATE.lock:
            STATE.tokens[token] = {"scopes": scopes, "number": number}
        life = {"expires_in": 300, "issued_at": "2024-01-01T00:00:00Z"} if self.has("accesstoken") else {}
        self.reply(200, json.dumps({key: token, **life}).encode(), [("Content-Type", "application/json")])

    # ---- content

    def manifest(self, ref):
        if ref == "none":
            return self.reply(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN",'
                                   b'"message":"manifest unknown"}]}')
        kind = "application/vnd.oci.image.manifest.v1+json"
        if self.has("hugemanifest"):
            return self.endless(b'{"schemaVersion":2,"x":"', b"a" * 65536)
        accept = self.headers.get("Accept", "")
        if kind not in accept or "manifest.list.v2" not in accept:
            return self.reply(406)
        body = json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": []}).encode()
        digest = "sha256:" + hashlib.sha256(b"x" if self.has("wrongdigest") else body).hexdigest()
        headers = [("Docker-Content-Digest", digest)]
        if not self.has("notype"):
            headers.append(("Content-Type", kind + "; charset=utf-8"))
        self.reply(200, body, headers)

    def redirected(self, name):
        places = {"redirect": self.own("/stored/%s?sig=hidden" % name, self.server.other_port),
                  "redirectloop": self.path,
                  "redirectmeta": "http://169.254.169.254/latest",
                  "redirectzero": "http://0.0.0.0:%d/stored/%s" % (self.server.server_port, name),
                  "redirectfile": "file:///etc/passwd",
                  "redirectuser": "http://user:pass@127.0.0.1/x",
                  "redirectplain": "http://127.0.0.1:1/x"}
        for word, place in places.items():
            if self.has(word):
                self.reply(307, headers=[("Location", place)])
                return True
        return False

    def blob(self, name):
        if self.has("endless"):
            return self.endless(b"", b"a" * 65536)
        with STATE.lock:
            data = STATE.received.get(name) or STATE.blobs.get(name)
        if data is None or (self.command == "HEAD" and name not in STATE.received):
            return self.reply(404, b'{"errors":[{"code":"BLOB_UNKNOWN","message":"unknown"}]}')
        if self.has("shift"):
            data = data[1:] + b"x"
        if self.has("long"):
            return self.endless(data, b"more")
        if self.has("short"):
            data = data[:-1]
        status, headers, start, end = 200, [], 0, len(data)
        asked = self.headers.get("Range", "")
        first, _, last = asked.removeprefix("bytes=").partition("-")
        if asked and not self.has("norange") and not (last and self.has("wholeparts")):
            start = int(first)
            if start >= len(data):
                return self.reply(416)
            if self.has("wrongrange"):
                start -= 1000
            if last:
                end = min(end, int(last) + 1)
            headers = [("Content-Range", "bytes %d-%d/%d" % (start, end - 1, len(data)))]
            status = 206
        if self.has("narrow"):
            headers.append(("Accept-Ranges", "bytes"))
        rest = data[start:end]
        if self.has("lyingrange") and status == 206:
            rest = b"y" * len(rest)
        if self.has("gzip"):
            headers.append(("Content-Encoding", "gzip"))
        self.send_blob(status, headers, rest, name)

    def write_slowly(self, data):
        for at in range(0, len(data), NARROW // 20):
            self.wfile.write(data[at:at + NARROW // 20])
            time.sleep(0.05)

    def send_blob(self, status, headers, rest, name):
        once = self.has("cutonce", "stallonce") and STATE.count("part " + name) == 1
        cut = self.has("cut") or (once and self.has("cutonce"))
        end = self.headers.get("Range", "").partition("-")[2]
        if self.has("cutparts") and end:
            cut = STATE.count("range to " + end) == 1
        stall = self.has("stall") or (once and self.has("stallonce"))
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.has("narrow") and not cut:
            self.write_slowly(rest)
            return
        if not cut and not stall:
            self.wfile.write(rest)
            return
        self.wfile.write(rest[:CUT])
        self.wfile.flush()
        self.close_connection = True
        if stall:
            self.hang()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, tls, client_ca):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ending = threading.Event()
        self.scheme = "http"
        self.other_port = 0
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            if client_ca:
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_OPTIONAL
            # The handshake belongs into the connection's own thread, or a plain client that
            # connects and says nothing would keep all others waiting.
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)
            self.scheme = "https"

    def handle_error(self, request, client_address):
        pass


def end_with_parent():
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (OSError, AttributeError):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--client-ca")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--azure", action="store_true")
    options = parser.parse_args()
    end_with_parent()
    STATE.basic = basic(options.password)
    STATE.azure = options.azure
    first, second = (Server(options.tls, options.client_ca) for _ in range(2))
    first.other_port = second.server_port
    second.other_port = first.server_port
    first.is_other, second.is_other = False, True
    for server in (first, second):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    line = "%d %d\n" % (first.server_port, second.server_port)
    if options.port_file:
        with open(options.port_file, "w") as f:
            f.write(line)
    else:
        sys.stdout.write(line)
        sys.stdout.flush()
    sys.stdin.read()
    first.ending.set()
    second.ending.set()


if __name__ == "__main__":
    main()
