#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a small image that runs: Debian's static busybox with its links, /etc/passwd, /tmp.

usage: busybox_image.py LAYOUT_DIR TAG [--files N] [--seed TEXT] [--volume PATH ...]

--files adds a second layer of N files of some KiB that do not compress; the seed makes it another one.
--volume adds a layer with the directory /vol, which has files of every kind, and declares PATH a volume.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile

BUSYBOX = next((p for p in ("/bin/busybox", "/usr/bin/busybox") if os.path.exists(p)), None)


def tar_bytes():
    out = io.BytesIO()
    tar = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)

    def add(name, kind, mode, data=b"", link=""):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.size, info.linkname, info.mtime = kind, mode, len(data), link, 1700000000
        tar.addfile(info, io.BytesIO(data))

    for directory, mode in (("bin", 0o755), ("etc", 0o755), ("home", 0o755), ("home/wc", 0o755), ("root", 0o700),
                            ("tmp", 0o1777), ("var", 0o755), ("proc", 0o555), ("sys", 0o555), ("dev", 0o755)):
        add(directory, tarfile.DIRTYPE, mode)
    add("bin/busybox", tarfile.REGTYPE, 0o755, open(BUSYBOX, "rb").read())
    for name in subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True).stdout.split():
        if name != "busybox":
            add(f"bin/{name}", tarfile.SYMTYPE, 0o777, link="busybox")
    add("etc/passwd", tarfile.REGTYPE, 0o644, b"root:x:0:0:root:/root:/bin/sh\nwc:x:1000:1000:wc:/home/wc:/bin/sh\n")
    add("etc/group", tarfile.REGTYPE, 0o644, b"root:x:0:\nwc:x:1000:\nextra:x:2000:wc\n")
    tar.close()
    return out.getvalue()


def files_tar(count, seed):
    out = io.BytesIO()
    chance = random.Random(seed)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for number in range(count):
            data = chance.randbytes(chance.randrange(8192))
            info = tarfile.TarInfo(f"data/{number % 50}/file{number}")
            info.size, info.mode, info.mtime = len(data), 0o644, 1700000000 + number
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def volume_tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        def add(name, kind, mode, data=b"", link="", **pax):
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.size, info.linkname = kind, mode, len(data), link
            info.uid, info.gid, info.mtime = 1000, 2000, 1600000000
            info.pax_headers = {key.replace("__", "."): value for key, value in pax.items()}
            tar.addfile(info, io.BytesIO(data))
        add("vol", tarfile.DIRTYPE, 0o2750)
        add("vol/file", tarfile.REGTYPE, 0o4755, b"from the image", SCHILY__xattr__user__note="kept")
        add("vol/same", tarfile.LNKTYPE, 0o4755, link="vol/file")
        add("vol/sub", tarfile.DIRTYPE, 0o700)
        add("vol/sub/also", tarfile.LNKTYPE, 0o4755, link="vol/file")
        add("vol/sub/link", tarfile.SYMTYPE, 0o777, link="/etc/passwd")
        add("vol/pipe", tarfile.FIFOTYPE, 0o600)
    return out.getvalue()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("layout")
    parser.add_argument("tag")
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--seed", default="")
    parser.add_argument("--volume", action="append", default=[])
    args = parser.parse_args()
    layout, tag = args.layout, args.tag
    blobs = os.path.join(layout, "blobs/sha256")
    os.makedirs(blobs, exist_ok=True)

    def blob(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    tars = [tar_bytes()] + ([files_tar(args.files, args.seed)] if args.files else [])
    tars += [volume_tar()] if args.volume else []
    layers = [blob(gzip.compress(t, 6, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip") for t in tars]
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    config = blob(json.dumps({
        "architecture": machine, "os": "linux", "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"], "Labels": {"org.example.kind": "test"},
                   **({"Volumes": {path: {} for path in args.volume}} if args.volume else {})},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(t).hexdigest() for t in tars]},
        "history": [{"created_by": "busybox"}] * len(tars)}).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = blob(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": layers}).encode(), "application/vnd.oci.image.manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": tag}
    with open(os.path.join(layout, "oci-layout"), "w", encoding="utf-8") as file:
        json.dump({"imageLayoutVersion": "1.0.0"}, file)
    with open(os.path.join(layout, "index.json"), "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)


if __name__ == "__main__":
    if not BUSYBOX:
        print("SKIP: busybox is not installed (busybox-static)")
        sys.exit(77)
    main()
