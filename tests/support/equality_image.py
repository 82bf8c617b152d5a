#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""equality_image.py DIR [LAST]: an OCI layout with one image, tag "latest", whose layers hold whatever makes
unpacking one layer over another interesting; no owner is above LAST. Prints one line for each layer: codec, DiffID,
blob."""
import gzip
import hashlib
import io
import json
import os
import struct
import sys
import tarfile


class Layer:
    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name, kind=tarfile.REGTYPE, data=b"", mode=None, mtime=1600000000, uid=0, gid=0,
            link="", dev=(0, 0), **pax):
        info = tarfile.TarInfo(name)
        info.type = kind
        info.mode = mode if mode is not None else 0o755 if kind == tarfile.DIRTYPE else 0o644
        info.mtime = mtime
        info.uid, info.gid = min(uid, LAST), min(gid, LAST)
        info.linkname = link
        info.devmajor, info.devminor = dev
        info.size = len(data)
        info.pax_headers = {k.replace("__", "."): v for k, v in pax.items()}
        self.tar.addfile(info, io.BytesIO(data))

    def file(self, name, text="", **more):
        self.add(name, data=text.encode(), **more)

    def dir(self, name, **more):
        self.add(name, tarfile.DIRTYPE, **more)

    def symlink(self, name, target, **more):
        self.add(name, tarfile.SYMTYPE, link=target, **more)

    def hardlink(self, name, target):
        self.add(name, tarfile.LNKTYPE, link=target)

    def xattr_file(self, name, xattrs, **more):
        # tarfile encodes pax values as UTF-8; bytes come through as surrogates.
        pax = {"SCHILY.xattr." + k: v.decode("utf-8", "surrogateescape") for k, v in xattrs.items()}
        self.add(name, data=b"x", **more, **pax)

    def sparse(self, name, size, pieces):
        text = "%d\n" % len(pieces) + "".join("%d\n%d\n" % (o, len(d)) for o, d in pieces)
        head = text.encode()
        data = head + b"\0" * (-len(head) % 512) + b"".join(d for _, d in pieces)
        self.add("GNUSparseFile.0/sparse", data=data, **{
            "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name,
            "GNU.sparse.realsize": str(size)})

    def close(self):
        self.tar.close()
        return self.bytes.getvalue()


LAST = int(sys.argv[2]) if len(sys.argv) > 2 else 0xFFFFFFFE
LONG = "l" * 150 + "/" + "m" * 200
CAP_NET_RAW = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


def base():
    t = Layer()
    t.dir("./", mode=0o751, mtime=1111111111.5)
    for d in ("etc", "usr", "usr/bin", "gone", "opaque", "opaque/sub", "again", "kept", "links",
              "deep", "deep/a", "deep/a/b", "to-file", "dir-attrs", "holder", "l" * 150):
        t.dir(d, mtime=1234567890.25)
    t.dir("sticky", mode=0o1777, uid=7, gid=8, mtime=999999999)
    t.dir("setgid", mode=0o2755, gid=50)
    t.dir("closed", mode=0o500)
    t.file("etc/passwd", "root:x:0:0::/:/bin/sh\n", mtime=1000000000.123456789)
    t.file("etc/old", "old")
    t.file("usr/bin/su", "su", mode=0o4755)
    t.file("usr/bin/wall", "wall", mode=0o2755, gid=5)
    t.file("noaccess", "x", mode=0)
    t.file("owned", "x", uid=4000000, gid=3000000000)
    t.file("ancient", "x", mtime=-86400.75)
    t.file("epoch", "x", mtime=0)
    t.file("future", "x", mtime=4102444800)
    t.xattr_file("capable", {"security.capability": CAP_NET_RAW}, mode=0o755)
    t.xattr_file("tagged", {"user.note": b"n", "trusted.note": b"\x00\xff=\n"})
    t.file(LONG, "long name")
    t.symlink("long-link", LONG)
    t.symlink("absolute", "/etc/passwd", uid=3, gid=4, mtime=12345)
    t.symlink("dangling", "../../nowhere")
    t.sparse("sparse", 5000000, [(0, b"start"), (1000000, b"middle" * 1000), (4999990, b"end")])
    t.add("null", tarfile.CHRTYPE, dev=(1, 3), mode=0o666)
    t.add("loop", tarfile.BLKTYPE, dev=(7, 300), mode=0o660, gid=6)
    t.add("fifo", tarfile.FIFOTYPE, mode=0o600)
    for i in range(5):
        t.file("gone/%d" % i, str(i))
        t.file("opaque/%d" % i, str(i))
        t.file("opaque/sub/%d" % i, str(i))
        t.file("again/%d" % i, str(i))
        t.file("kept/%d" % i, str(i))
    t.file("links/a", "linked", mode=0o640, uid=9, mtime=7)
    t.hardlink("links/b", "links/a")
    t.hardlink("deep/c", "links/a")
    t.symlink("links/s", "target")
    t.hardlink("links/s2", "links/s")
    t.file("deep/a/b/file", "deep")
    t.file("to-file/x", "x")
    t.file("to-dir", "x")
    t.file("./dotted", "x")
    return t


def second():
    t = Layer()
    t.file("etc/new", "in an implied directory")           # etc is not named
    t.file("etc/.wh.old")
    t.file("gone/.wh.1")
    t.file("kept/.wh.0")
    t.file("opaque/late", "stays, though the mark comes later")
    t.file("opaque/.wh..wh..opq")
    t.file(".wh.again")
    t.dir("again", mode=0o711, mtime=42)                     # anew, in the same layer
    t.file("again/only", "x")
    t.file(".wh.to-file")
    t.file("to-file", "a file now")
    t.dir("to-dir", mtime=5)
    t.file("to-dir/y", "y")
    t.dir("new", mtime=6)
    t.file("new/.wh.nothing")                                # nothing of that name below
    t.file("absent/.wh.nothing")                             # not even the directory
    t.file("deep/absent/more/.wh.nothing")
    t.hardlink("etc/passwd-link", "etc/passwd")             # across layers
    t.hardlink("links/d", "links/b")                        # joins a group of three
    t.hardlink("links/s3", "links/s2")
    t.hardlink("sparse-link", "sparse")
    t.hardlink("capable-link", "capable")
    t.hardlink("null-link", "null")
    t.dir("dir-attrs", mode=0o700, uid=77, mtime=88.5)
    t.dir("holder/made-up/named", mtime=3)                   # made-up is new, not named
    t.file("holder/made-up/named/f", "f")
    return t


def third():
    t = Layer()
    t.file("links/.wh.b")                                    # one name of the group goes
    t.file("deep/c", "replaced: leaves the group")
    t.hardlink("links/e", "links/d")                        # a link to a link across layers
    t.hardlink("etc/passwd-2", "etc/passwd-link")
    t.file(".wh.owned")
    t.file("kept/.wh.nothing")
    t.file("deep/a/.wh..wh..opq")
    t.file("deep/a/fresh/f", "f")
    t.symlink("usr/bin/su", "wall")
    t.dir("opaque/sub", mode=0o700, mtime=1)
    t.file("f1", "one")
    t.hardlink("f2", "f1")
    return t


def fourth():
    t = Layer()
    t.file("f1", "two")                                      # f2 stays what f1 was
    t.hardlink("links/f", "links/e")
    t.file("links/.wh.a")
    t.hardlink("opaque/sub/deep-link", "etc/passwd-2")
    t.file("sticky/x", "implied, with odd attributes")
    t.file("setgid/x", "x")
    t.file("closed/x", "x")
    t.file("gone/.wh..wh..opq")
    t.file("gone/after", "x")
    return t


def main(root):
    blobs = os.path.join(root, "blobs", "sha256")
    os.makedirs(blobs)

    def put(data):
        name = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, name), "wb") as f:
            f.write(data)
        return "sha256:" + name

    def descriptor(kind, data):
        return {"mediaType": kind, "digest": put(data), "size": len(data)}

    layers, diff_ids = [], []
    for number, make in enumerate((base, second, third, fourth)):
        tar = make().close()
        diff_ids.append("sha256:" + hashlib.sha256(tar).hexdigest())
        kind = "application/vnd.oci.image.layer.v1.tar"
        codec = "plain" if number == 3 else "gzip"
        if codec == "gzip":
            kind, tar = kind + "+gzip", gzip.compress(tar, mtime=0)
        layers.append(descriptor(kind, tar))
        print(codec, diff_ids[-1], os.path.join(blobs, layers[-1]["digest"][7:]))
    config = {"architecture": "amd64", "os": "linux", "config": {},
              "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": descriptor("application/vnd.oci.image.config.v1+json",
                                     json.dumps(config).encode()),
                "layers": layers}
    entry = descriptor(manifest["mediaType"], json.dumps(manifest).encode())
    entry["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    with open(os.path.join(root, "index.json"), "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [entry]}, f)
    with open(os.path.join(root, "oci-layout"), "w") as f:
        json.dump({"imageLayoutVersion": "1.0.0"}, f)


main(sys.argv[1])
