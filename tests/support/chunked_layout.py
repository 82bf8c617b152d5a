#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images with zstd:chunked layers, in an OCI layout: the form that containers/storage has written since it knows
tar-split. What the tables say can be changed before they are written.

usage: chunked_layout.py DIR TAG SEED FILES CHANGED   an image of one layer with FILES random files, of which CHANGED
                                                      are others than those that the seed alone gives
"""
import base64
import ctypes
import ctypes.util
import hashlib
import io
import json
import os
import random
import struct
import sys
import tarfile

ZSTD = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
ZSTD.ZSTD_compressBound.restype = ZSTD.ZSTD_compress.restype = ctypes.c_size_t
ZSTD.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
ZSTD.ZSTD_compress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
OCI = "application/vnd.oci.image."
NOTE = "io.github.containers.zstd-chunked."


def frame(data):
    room = ctypes.create_string_buffer(ZSTD.ZSTD_compressBound(len(data)))
    size = ZSTD.ZSTD_compress(room, len(room), data, len(data), 3)
    return room.raw[:size]


def skippable(data):
    return struct.pack("<II", 0x184D2A50, len(data)) + data


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layer:
    def __init__(self):
        self.tar, self.stored, self.pending = bytearray(), bytearray(), bytearray()
        self.entries, self.split = [], []
        self.fetched = {}  # name: where its frames are

    def _skeleton(self, data):
        self.tar += data
        self.pending += data
        self.split.append({"type": 2, "payload": base64.b64encode(data).decode(), "position": len(self.split)})

    def _flush(self):
        if self.pending:
            self.stored += frame(bytes(self.pending))
            self.pending.clear()

    def add(self, name, data=None, mode=None, link=None):
        """A file; a directory without data; a hard link."""
        kind = "hardlink" if link else "reg" if data is not None else "dir"
        info = tarfile.TarInfo(name)
        info.type = {"hardlink": tarfile.LNKTYPE, "reg": tarfile.REGTYPE, "dir": tarfile.DIRTYPE}[kind]
        info.mode = mode or (0o755 if kind == "dir" else 0o644)
        info.size, info.linkname = len(data or b""), link or ""
        self._skeleton(info.tobuf(tarfile.USTAR_FORMAT))
        self.split.append({"type": 1, "name": name, "size": info.size, "payload": "AAAAAAAAAAA=", "position": len(self.split)})
        entry = {"type": kind, "name": name, "linkName": link or "", "mode": info.mode, "size": info.size, "uid": 0, "gid": 0,
                 "modtime": "1970-01-01T00:00:00Z", "digest": sha256(data) if data else ""}
        if data:
            self._flush()
            entry["offset"] = len(self.stored)
            self.stored += frame(data)
            entry["endOffset"] = len(self.stored)
            self.tar += data
            if -info.size % 512:
                self._skeleton(bytes(-info.size % 512))
        self.entries.append(entry)

    def end(self):
        """The blob and the annotations of its descriptor."""
        self._skeleton(bytes(1024))
        self._flush()
        split = "".join(json.dumps(line) + "\n" for line in self.split).encode()
        packed_split = frame(split)
        table = json.dumps({"version": 1, "entries": self.entries, "tarSplitDigest": sha256(packed_split)}).encode()
        packed, at = frame(table), len(self.stored) + 8
        split_at = at + len(packed) + 8
        self.stored += skippable(packed) + skippable(packed_split)
        self.stored += skippable(struct.pack("<7Q", at, len(packed), len(table), 1, split_at, len(packed_split), len(split)) +
                                 b"GNUlInUx")
        return bytes(self.stored), {NOTE + "manifest-checksum": sha256(packed),
                                    NOTE + "manifest-position": f"{at}:{len(packed)}:{len(table)}:1",
                                    NOTE + "tarsplit-position": f"{split_at}:{len(packed_split)}:{len(split)}"}


def put_blob(layout, data):
    os.makedirs(f"{layout}/blobs/sha256", exist_ok=True)
    with open(f"{layout}/blobs/sha256/{sha256(data)[7:]}", "wb") as file:
        file.write(data)
    return {"digest": sha256(data), "size": len(data)}


def put_image(layout, tag, layers):
    """The descriptors of the layers, which are ended; the manifest goes into the index beside those that are there."""
    stored = []
    for layer in layers:
        blob, notes = layer.end()
        stored.append({"mediaType": OCI + "layer.v1.tar+zstd", **put_blob(layout, blob), "annotations": notes})
    config = json.dumps({"os": "linux", "architecture": "amd64",
                         "rootfs": {"type": "layers", "diff_ids": [sha256(bytes(layer.tar)) for layer in layers]}}).encode()
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "layers": stored,
                           "config": {"mediaType": OCI + "config.v1+json", **put_blob(layout, config)}}).encode()
    entry = {"mediaType": OCI + "manifest.v1+json", **put_blob(layout, manifest),
             "annotations": {"org.opencontainers.image.ref.name": tag}}
    path, index = f"{layout}/index.json", {"schemaVersion": 2, "manifests": []}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            index = json.load(file)
    index["manifests"] = [m for m in index["manifests"] if m["annotations"] != entry["annotations"]] + [entry]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(index, file)
    with open(f"{layout}/oci-layout", "w", encoding="utf-8") as file:
        json.dump({"imageLayoutVersion": "1.0.0"}, file)
    return stored


def content_of(seed, number, size):
    """Half of it can be compressed."""
    chance = random.Random(f"{seed} {number}")
    return chance.randbytes(size // 2) + b"so it goes " * (size // 22)


def random_layer(seed, files, changed=()):
    """Sizes as in a file system: many small files, few large ones."""
    layer, sizes = Layer(), random.Random(seed)
    for number in range(files):
        if number % 50 == 0:
            layer.add(f"d{number // 50}/")
        size = int(200 * 2 ** sizes.uniform(0, 9))
        layer.add(f"d{number // 50}/f{number}", content_of("changed" if number in changed else seed, number, size))
    return layer


if __name__ == "__main__":
    directory, name, base, count, others = sys.argv[1:]
    chosen = random.Random(f"{base} changed").sample(range(int(count)), int(others))
    put_image(directory, name, [random_layer(base, int(count), set(chosen))])
