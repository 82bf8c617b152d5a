#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy on loopback that passes bytes on, and resets every other connection after some of them.

usage: dropping_proxy.py PORT BYTES

Prints its own port, and ends when its standard input does. PORT is the server's; BYTES counts what
went either way. Whatever protocol is spoken, TLS too: the bytes are not looked at.
"""
import itertools
import select
import socket
import struct
import sys
import threading

NUMBER = itertools.count()


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
            if left is not None:
                left -= len(data)
                if not left:
                    reset(client)
                    return


def serve(client, port, limit):
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        try:
            pass_on(client, server, limit)
        except OSError:
            pass


def main():
    port, size = int(sys.argv[1]), int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept():
        while True:
            client, _ = listener.accept()
            limit = size if next(NUMBER) % 2 == 0 else None
            threading.Thread(target=serve, args=(client, port, limit), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


main()
