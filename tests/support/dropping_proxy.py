#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy on loopback that passes bytes on, and resets connections after some of them.

usage: dropping_proxy.py PORT BYTES          every other connection
       dropping_proxy.py PORT MIN MAX CUTS   the first ones, after a random number of bytes

Prints its own port, and ends when its standard input does; then it prints how many bytes went to
clients. PORT is the server's; BYTES counts what went either way. Whatever protocol is spoken, TLS too:
the bytes are not looked at.
"""
import itertools
import random
import select
import socket
import struct
import sys
import threading

NUMBER = itertools.count()
LOCK = threading.Lock()
passed = 0


def count(size):
    global passed
    with LOCK:
        passed += size


def reset(sock):
    """The peer's next write fails, rather than its next read seeing an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def pass_on(client, server, limit):
    left = limit
    while True:
        for source in select.select((client, server), (), ())[0]:
            data = source.recv(65536 if left is None else min(left, 65536))
            if not data:
                return
            (server if source is client else client).sendall(data)
            if source is server:
                count(len(data))
            if left is not None:
                left -= len(data)
                if not left:
                    reset(client)
                    return


def serve(client, port, limit):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)  # what waits here at a reset never went out
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        try:
            pass_on(client, server, limit)
        except OSError:
            pass


def main():
    port, *sizes = map(int, sys.argv[1:])

    def limit_of(number):
        if len(sizes) == 1:
            return sizes[0] if number % 2 == 0 else None
        return random.randint(sizes[0], sizes[1]) if number < sizes[2] else None

    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept():
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, port, limit_of(next(NUMBER))), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
    print(passed, flush=True)


main()
