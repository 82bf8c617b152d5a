#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of a real registry that does to requests what bad networks and bad proxies do.

usage: misbehaving_proxy.py PORT FAULT[,FAULT…] [SEED]

PORT is the registry's, on loopback without TLS. Prints its own two ports, and ends when its standard input does.
GET /faults at either tells as JSON how often each fault came about. Faults that pass come at the first two
requests for each path, of uploads at the first two of each method; with SEED they come at random, at most four
of them in all for one path.

Of downloads of blobs:
    cut         the connection ends in the middle
    stall       nothing comes for a second in the middle
    shift       another range than the one asked for, and the answer says so
    lie         bytes of another range, and the answer denies it
    swap        two ranges that are asked for at once get each other's, and the answers say so
    late        of two ranges that are asked for at once the first one comes after the second
    parts       a range comes as multipart/byteranges
    norange     the whole blob, whatever range is asked for      (always)
    redirect    it lies at the other port                        (always)
    chain       it lies there after three redirects, one relative to the last   (always)
    encoding    Content-Encoding: gzip, and the bytes are as ever               (always)
    encoded     Content-Encoding: gzip, and they are                            (always)
    page        a page to log in instead, with 200                              (always)
    longer      the length that is told is more than what comes  (always)
    slow        each connection gives 5 MiB a second             (always)
    shorter     one byte is missing, and the length says so      (always)
    wrong       one byte is another one                          (always)
Of uploads:
    cutup       the connection ends in the middle of what is sent, and none of it arrives
    halfup      the same, but the first half arrives
    lost        it arrives, but the answer does not
Of all:
    limit       429 with Retry-After: 1
    limitdate   429 with Retry-After: a date in a second
    limitodd    429 with a Retry-After of 880.092µs
    flaky       503
    garbage     an answer that is not HTTP
Of manifests:
    digest      the header tells another digest                  (always)
    other       one more space in it                             (always)
"""
import email.utils
import gzip
import http.client
import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASSING = ("cut", "stall", "shift", "lie", "swap", "late", "parts", "cutup", "halfup", "lost", "limit", "limitdate",
           "limitodd", "flaky", "garbage")
SHIFT = 4096
SLOW_CHUNK = 1 << 18
HOP = ("connection", "content-length", "transfer-encoding", "keep-alive")


class Faults:
    def __init__(self, names, seed):
        self.names = names
        self.lock = threading.Lock()
        self.counts, self.seen = {}, {}
        self.random = random.Random(seed) if seed is not None else None

    def wants(self, *names):
        return any(name in self.names for name in names)

    def now(self, name, path):
        """Whether that fault is due for this request."""
        if name not in self.names:
            return False
        with self.lock:
            if name in PASSING:
                key, most = (path, 4) if self.random else ((name, path), 2)
                if self.seen.get(key, 0) == most or (self.random and self.random.random() < 0.6):
                    return False
                self.seen[key] = self.seen.get(key, 0) + 1
            self.counts[name] = self.counts.get(name, 0) + 1
            return True


class Pairs:
    """Two ranges of one blob that are asked for at once."""

    def __init__(self):
        self.lock = threading.Condition()
        self.waiting, self.answered = {}, set()

    def partner(self, path, own):
        """The other range, or None when none comes within half a second, and whether it was the first to ask."""
        with self.lock:
            if path in self.waiting and self.waiting[path][1] is None:
                first = self.waiting[path][0]
                self.waiting[path] = (first, own)
                self.lock.notify_all()
                return first, False
            self.waiting[path] = (own, None)
            self.lock.wait_for(lambda: self.waiting[path][1] is not None, 0.5)
            return self.waiting.pop(path)[1], True

    def wait_for(self, path, part):
        with self.lock:
            self.lock.wait_for(lambda: (path, part) in self.answered, 5)

    def done(self, path, part):
        with self.lock:
            self.answered.add((path, part))
            self.lock.notify_all()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def due(self, name):
        """The places of uploads are new each time, and would never come to an end with their faults."""
        path = self.path.removeprefix("/elsewhere")
        place = path.partition("/uploads/")[0]
        return self.server.faults.now(name, place if place == path else (self.command, place))

    # ---- to the registry and back

    def body_size(self):
        return int(self.headers.get("Content-Length", 0))

    def ask(self, path, body):
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
        upstream.request(self.command, path, body, {**headers, "Content-Length": str(len(body))})
        answer = upstream.getresponse()
        data = answer.read()
        length = answer.headers.get("Content-Length") if self.command == "HEAD" else None
        upstream.close()
        return answer.status, [(k, v) for k, v in answer.getheaders() if k.lower() not in HOP], data, length

    def reply(self, status, headers, data, length=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else data)

    def hang_up(self):
        self.close_connection = True

    # ---- requests

    def handle_any(self):
        if self.path == "/faults":
            return self.reply(200, [], json.dumps(self.server.faults.counts).encode())
        if self.path != "/v2/" and self.trouble():
            return self.hang_up()
        if self.command == "GET" and "/blobs/sha256:" in self.path:
            return self.blob()
        if self.command in ("PATCH", "PUT", "POST"):
            return self.upload()
        status, headers, data, length = self.ask(self.path, b"")
        if "/manifests/" in self.path and status == 200:
            headers, data = self.manifest(headers, data)
        self.reply(status, headers, data, length)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def trouble(self):
        """What may happen to any request; the connection is not used any further then."""
        if self.due("garbage"):
            self.wfile.write(b"\x16\x03\x01 what is this?\r\n\r\n")
        elif self.due("limit"):
            self.limit("1")
        elif self.due("limitdate"):
            self.limit(email.utils.formatdate(time.time() + 1.5, usegmt=True))
        elif self.due("limitodd"):
            self.limit("880.092\u00b5s".encode().decode("latin-1"))
        elif self.due("flaky"):
            self.reply(503, [("Connection", "close")], b"not now")
        else:
            return False
        return True

    def limit(self, wait):
        self.reply(429, [("Retry-After", wait), ("Connection", "close")], b"slow down")

    def manifest(self, headers, data):
        if self.due("digest"):
            wrong = "sha256:" + "0" * 64
            headers = [(k, wrong if k.lower() == "docker-content-digest" else v) for k, v in headers]
        return headers, data + b" " if self.due("other") else data

    # ---- downloads

    def blob(self):
        elsewhere = self.path.startswith("/elsewhere")
        path = self.path.removeprefix("/elsewhere")
        place = f"http://127.0.0.1:{self.server.other_port}/elsewhere{path}"
        if not elsewhere and self.due("redirect"):
            return self.reply(307, [("Location", place)], b"")
        if "hop=" not in path and self.due("chain"):
            return self.reply(302, [("Location", place + "?hop=1")], b"")
        if path.endswith("?hop=1"):
            return self.reply(308, [("Location", f"/elsewhere{path[:-1]}2")], b"")
        if path.endswith("?hop=2"):
            return self.reply(303, [("Location", "?hop=3")], b"")
        path = path.partition("?")[0]
        if self.due("page"):
            return self.reply(200, [("Content-Type", "text/html")], b"<html><body>Please log in</body></html>")
        asked = self.headers["Range"]
        del self.headers["Range"]
        status, headers, data, _ = self.ask(path, b"")
        if status != 200:
            return self.reply(status, headers, data)
        if self.due("wrong"):
            data = data[:-1] + bytes([data[-1] ^ 1])
        if self.due("shorter"):
            data = data[:-1]
        if self.due("encoded"):
            data = gzip.compress(data)
            headers = headers + [("Content-Encoding", "gzip")]
        if self.due("encoding"):
            headers = headers + [("Content-Encoding", "gzip")]
        if not asked or self.due("norange"):
            return self.send_blob(200, headers, data)
        return self.ranged(path, headers, data, asked)

    def ranged(self, path, headers, data, asked):
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, end = int(first), int(last) + 1 if last else len(data)
        if start >= len(data):
            return self.reply(416, headers, b"")
        if last and self.server.faults.wants("swap", "late"):
            start, end = self.with_partner(path, (start, end))
        told = start
        if self.due("shift"):
            told = start = max(0, start - SHIFT)
        elif self.due("lie"):
            start = max(0, start - SHIFT)
        part = data[start:start + end - told]
        where = ("Content-Range", f"bytes {told}-{told + len(part) - 1}/{len(data)}")
        if self.due("parts"):
            return self.send_parts(headers, part, where)
        self.send_blob(206, headers + [where], part)
        return self.server.pairs.done(path, (start, end))

    def with_partner(self, path, own):
        """What this request gets, and when."""
        other, was_first = self.server.pairs.partner(path, own)
        if other and self.due("swap"):
            return other
        if other and was_first and self.due("late"):
            self.server.pairs.wait_for(path, other)
        return own

    def send_parts(self, headers, part, where):
        body = f"\r\n--cut\r\n{where[0]}: {where[1]}\r\n\r\n".encode() + part + b"\r\n--cut--\r\n"
        kept = [header for header in headers if header[0].lower() != "content-type"]
        return self.reply(206, kept + [("Content-Type", "multipart/byteranges; boundary=cut")], body)

    def send_blob(self, status, headers, data):
        half = len(data) // 2
        if len(data) > 1 and self.due("cut"):
            self.reply(status, headers, data[:half], str(len(data)))
            return self.hang_up()
        if self.due("longer"):
            self.reply(status, headers, data, str(len(data) + 10))
            return self.hang_up()
        if self.due("stall"):
            self.reply(status, headers, data[:half], str(len(data)))
            self.wfile.flush()
            time.sleep(1)
            return self.wfile.write(data[half:])
        if self.due("slow"):
            return self.send_slowly(status, headers, data)
        return self.reply(status, headers, data)

    def send_slowly(self, status, headers, data):
        self.reply(status, headers, b"", str(len(data)))
        for at in range(0, len(data), SLOW_CHUNK):
            self.wfile.write(data[at:at + SLOW_CHUNK])
            time.sleep(0.05)

    # ---- uploads

    def upload(self):
        size = self.body_size()
        if size > 1 and self.due("cutup"):
            self.rfile.read(size // 2)
            return self.hang_up()
        if size > 1 and self.command == "PATCH" and self.due("halfup"):
            self.ask(self.path, self.rfile.read(size // 2))
            return self.hang_up()
        status, headers, data, _ = self.ask(self.path, self.rfile.read(size))
        if self.due("lost"):
            return self.hang_up()
        return self.reply(status, headers, data)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


def main():
    faults = Faults(sys.argv[2].split(","), int(sys.argv[3]) if len(sys.argv) > 3 else None)
    pairs = Pairs()
    servers = [Server(("127.0.0.1", 0), Handler) for _ in range(2)]
    for server in servers:
        server.upstream, server.faults, server.pairs = int(sys.argv[1]), faults, pairs
        server.other_port = servers[1].server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(*(server.server_port for server in servers), flush=True)
    sys.stdin.read()


main()
